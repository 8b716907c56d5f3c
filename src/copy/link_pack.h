/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link_pack.h - compression of data payloads by zstd. Private to the link. One packer or unpacker belongs to one
 * connection and is used by one fiber at a time; nothing here suspends.
 */
#ifndef XDC_COPY_LINK_PACK_H
#define XDC_COPY_LINK_PACK_H

#include "rt/rt.h"

struct link_packer;
struct link_unpacker;

RT_MUST_CHECK int link_packer_create(struct link_packer **out);		/* -ENOMEM */
void link_packer_destroy(struct link_packer *packer);			/* NULL is allowed */

/* data as compressed, to be mem_freed, *packed_len < len; NULL when it would not shrink or memory is short. */
void *link_pack(struct link_packer *packer, const void *data, uint32_t len, uint32_t *packed_len);

RT_MUST_CHECK int link_unpacker_create(struct link_unpacker **out);	/* -ENOMEM */
void link_unpacker_destroy(struct link_unpacker *unpacker);

/* Fills in exactly len bytes of out. -EBADMSG: that is not what the payload gives. */
RT_MUST_CHECK int link_unpack(struct link_unpacker *unpacker, const void *packed, uint32_t packed_len, void *out,
			      uint32_t len);

#endif
