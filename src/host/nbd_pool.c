/* SPDX-License-Identifier: Apache-2.0 */
#include "host/nbd_pool.h"

#include <assert.h>

#include "rt/mem.h"

#define SMALLEST_SHIFT	12u

/* What an unused buffer holds. */
struct nbd_pool_buffer {
	struct nbd_pool_buffer *next;
};

static unsigned class_of(size_t len)
{
	unsigned shift = len <= 1 ? 0 : 64 - (unsigned)__builtin_clzl(len - 1);
	unsigned class = shift <= SMALLEST_SHIFT ? 0 : shift - SMALLEST_SHIFT;

	assert(len > 0);
	assert(class < NBD_POOL_CLASSES);
	return class;
}

static size_t class_size(unsigned class)
{
	return (size_t)1 << (SMALLEST_SHIFT + class);
}

void nbd_pool_init(struct nbd_pool *pool)
{
	*pool = (struct nbd_pool){ 0 };
}

void nbd_pool_drain(struct nbd_pool *pool)
{
	for (unsigned class = 0; class < NBD_POOL_CLASSES; class++) {
		while (pool->unused[class]) {
			struct nbd_pool_buffer *buffer = pool->unused[class];

			pool->unused[class] = buffer->next;
			pool->unused_bytes -= class_size(class);
			mem_free(buffer);
		}
	}
	assert(pool->unused_bytes == 0);
}

uint8_t *nbd_pool_get(struct nbd_pool *pool, size_t len)
{
	unsigned class = class_of(len);
	struct nbd_pool_buffer *buffer = pool->unused[class];

	if (!buffer)
		return mem_alloc_pages(class_size(class));
	pool->unused[class] = buffer->next;
	pool->unused_bytes -= class_size(class);
	return (uint8_t *)buffer;
}

void nbd_pool_put(struct nbd_pool *pool, uint8_t *bytes, size_t len)
{
	struct nbd_pool_buffer *buffer = (void *)bytes;
	unsigned class;

	if (!bytes)
		return;
	class = class_of(len);
	if (pool->unused_bytes + class_size(class) > NBD_POOL_KEPT_MAX) {
		mem_free(bytes);
		return;
	}
	buffer->next = pool->unused[class];
	pool->unused[class] = buffer;
	pool->unused_bytes += class_size(class);
}

size_t nbd_pool_size(size_t len)
{
	return class_size(class_of(len));
}
