/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nbd_pool.h - buffers for the data of requests, kept for the next request, so that a busy server neither asks the
 * allocator nor touches fresh pages. One pool a reactor, used by that reactor alone.
 */
#ifndef XDC_HOST_NBD_POOL_H
#define XDC_HOST_NBD_POOL_H

#include <stddef.h>
#include <stdint.h>

/* Buffers have sizes of powers of two from 4 KiB to 32 MiB. */
#define NBD_POOL_CLASSES	14u
#define NBD_POOL_KEPT_MAX	(32u << 20)	/* bytes of unused buffers that are kept */

struct nbd_pool {
	struct nbd_pool_buffer *unused[NBD_POOL_CLASSES];
	size_t unused_bytes;
};

void nbd_pool_init(struct nbd_pool *pool);
void nbd_pool_drain(struct nbd_pool *pool);	/* frees what is unused; all buffers must be back */

/* At least len bytes (0 < len <= 32 MiB), aligned to 4096, not zeroed. NULL: no memory. */
uint8_t *nbd_pool_get(struct nbd_pool *pool, size_t len) __attribute__((warn_unused_result));

/* Gives back what nbd_pool_get(pool, len) gave; NULL is allowed. */
void nbd_pool_put(struct nbd_pool *pool, uint8_t *buffer, size_t len);

/* How many bytes such a buffer really takes. */
size_t nbd_pool_size(size_t len);

#endif
