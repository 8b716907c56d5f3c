/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/mem.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rt/hooks.h"

#define PAGE_BYTES	((size_t)4096)

static void *real_alloc(size_t len, size_t align, bool zeroed)
{
	void *ptr;

	if (align < PAGE_BYTES)
		return zeroed ? calloc(1, len) : malloc(len);
	if (len > SIZE_MAX - align)
		return NULL;
	ptr = aligned_alloc(align, (len + align - 1) / align * align);
	if (ptr != NULL && zeroed)
		memset(ptr, 0, len);
	return ptr;
}

static const struct mem_ops real_ops = { .alloc = real_alloc, .resize = realloc, .free = free };
static const struct mem_ops *mem_ops = &real_ops;

void mem_set_ops(const struct mem_ops *ops)
{
	mem_ops = ops != NULL ? ops : &real_ops;
}

void *mem_alloc(size_t len)
{
	assert(len > 0);
	return mem_ops->alloc(len, 16, false);
}

void *mem_alloc_zeroed(size_t len)
{
	assert(len > 0);
	return mem_ops->alloc(len, 16, true);
}

void *mem_alloc_pages(size_t len)
{
	assert(len > 0);
	return mem_ops->alloc(len, PAGE_BYTES, false);
}

void *mem_resize(void *ptr, size_t len)
{
	assert(len > 0);
	return ptr != NULL ? mem_ops->resize(ptr, len) : mem_alloc(len);
}

char *mem_copy_string(const char *text)
{
	size_t bytes = strlen(text) + 1;
	char *copy = mem_alloc(bytes);

	return copy != NULL ? memcpy(copy, text, bytes) : NULL;
}

void mem_free(void *ptr)
{
	if (ptr != NULL)
		mem_ops->free(ptr);
}
