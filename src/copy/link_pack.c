/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/link_pack.h"

#include <errno.h>

/* For contexts in memory of ours: the library's own allocator is not rt's. */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "rt/mem.h"

#define LEVEL	1	/* a link's reactor has other work to do */

/* A context and the memory that it lives in. */
struct link_packer {
	ZSTD_CCtx *context;
	uint64_t memory[];
};
struct link_unpacker {
	ZSTD_DCtx *context;
	uint64_t memory[];
};

int link_packer_create(struct link_packer **out)
{
	size_t len = ZSTD_estimateCCtxSize(LEVEL);
	struct link_packer *packer = mem_alloc_zeroed(sizeof(*packer) + len);

	if (!packer)
		return -ENOMEM;
	packer->context = ZSTD_initStaticCCtx(packer->memory, len);
	if (!packer->context) {
		mem_free(packer);
		return -ENOMEM;
	}
	*out = packer;
	return 0;
}

void link_packer_destroy(struct link_packer *packer)
{
	mem_free(packer);
}

void *link_pack(struct link_packer *packer, const void *data, uint32_t len, uint32_t *packed_len)
{
	void *packed, *smaller;
	size_t got;

	if (len < 2)
		return NULL;
	packed = mem_alloc(len - 1);
	if (!packed)
		return NULL;
	got = ZSTD_compressCCtx(packer->context, packed, len - 1, data, len, LEVEL);
	if (ZSTD_isError(got)) {
		mem_free(packed);
		return NULL;
	}
	*packed_len = (uint32_t)got;
	smaller = mem_resize(packed, got);
	return smaller ? smaller : packed;
}

int link_unpacker_create(struct link_unpacker **out)
{
	size_t len = ZSTD_estimateDCtxSize();
	struct link_unpacker *unpacker = mem_alloc_zeroed(sizeof(*unpacker) + len);

	if (!unpacker)
		return -ENOMEM;
	unpacker->context = ZSTD_initStaticDCtx(unpacker->memory, len);
	if (!unpacker->context) {
		mem_free(unpacker);
		return -ENOMEM;
	}
	*out = unpacker;
	return 0;
}

void link_unpacker_destroy(struct link_unpacker *unpacker)
{
	mem_free(unpacker);
}

int link_unpack(struct link_unpacker *unpacker, const void *packed, uint32_t packed_len, void *out, uint32_t len)
{
	size_t got = ZSTD_decompressDCtx(unpacker->context, out, len, packed, packed_len);

	return ZSTD_isError(got) || got != len ? -EBADMSG : 0;
}
