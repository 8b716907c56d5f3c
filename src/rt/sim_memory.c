/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/sim_memory.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "rt/fiber.h"

static void *insist(void *ptr)
{
	if (ptr == NULL || ptr == MAP_FAILED) {
		fputs("simulator: out of memory\n", stderr);
		abort();
	}
	return ptr;
}

void *sim_alloc(size_t len)
{
	return memset(sim_alloc_dirty(len, 16), 0, len);
}

char *sim_copy_text(const char *text)
{
	size_t len = strlen(text) + 1;

	return memcpy(sim_alloc_dirty(len, 16), text, len);
}

#ifdef RT_ASAN

/* Only the sanitizer's own allocator knows who uses what was freed. */
void *sim_alloc_dirty(size_t len, size_t align)
{
	return insist(align <= 16 ? malloc(len) : aligned_alloc(align, (len + align - 1) / align * align));
}

void *sim_resize(void *ptr, size_t len)
{
	return insist(realloc(ptr, len));
}

void sim_free(void *ptr)
{
	free(ptr);
}

void sim_memory_fork(void)
{
}

bool sim_memory_is_old(const void *ptr)
{
	(void)ptr;
	return false;
}

#else

/*
 * Blocks of classes of sizes, cut one after the other from large slabs; a free one goes to the next who asks for its
 * class. Blocks are never joined or given back to the machine, so that nothing is touched but what is used.
 */
#define SLAB_BYTES	((size_t)8 << 20)
#define HUGE_BYTES	((size_t)2 << 20)
#define CLASSES		192u
#define STEPS		8u		/* classes from each power of two to the next */
#define ALIGN_MIN	((size_t)16)

struct block {			/* in front of what the caller gets, a multiple of ALIGN_MIN */
	uint32_t before;	/* bytes from the beginning of what was cut off */
	uint16_t class, age;
	size_t len;
};
_Static_assert(sizeof(struct block) == ALIGN_MIN, "it keeps the alignment");

struct free_block {
	struct free_block *next;
};

static struct free_block *kept[CLASSES];
static char *slab, *slab_end;
static uint16_t age_now;

static struct block *block_of(const void *ptr)
{
	return (struct block *)(uintptr_t)((const char *)ptr - sizeof(struct block));
}

/* The least class whose size, class_bytes, is not below len. */
static unsigned class_of(size_t len)
{
	unsigned power, step;

	if (len <= STEPS * ALIGN_MIN)
		return len == 0 ? 0 : (unsigned)((len - 1) / ALIGN_MIN);
	power = 63u - (unsigned)__builtin_clzll(len - 1);
	step = (unsigned)((len - 1) >> (power - 3)) - STEPS;
	return (power - 6) * STEPS + step;
}

static size_t class_bytes(unsigned class)
{
	unsigned step = class % STEPS, group = class / STEPS;

	if (group == 0)
		return (step + 1) * ALIGN_MIN;
	return (size_t)(STEPS + step + 1) << (group + 3);
}

/* In huge pages, where there are some: that halves what a branch costs the kernel. */
static char *make_slab(void)
{
	uintptr_t at = (uintptr_t)insist(mmap(NULL, SLAB_BYTES + HUGE_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));

	at = (at + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES;
	(void)!madvise((void *)at, SLAB_BYTES, MADV_HUGEPAGE);
	return (char *)at;
}

static char *cut(size_t bytes)
{
	char *at;

	if (bytes > SLAB_BYTES / 2)
		return insist(mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			-1, 0));
	if (slab == NULL || bytes > (size_t)(slab_end - slab)) {
		slab = make_slab();
		slab_end = slab + SLAB_BYTES;
	}
	at = slab;
	slab += bytes;
	return at;
}

void *sim_alloc_dirty(size_t len, size_t align)
{
	unsigned class = class_of(len + align);
	char *at, *ptr;

	assert(class < CLASSES && align >= ALIGN_MIN);
	if (kept[class] != NULL) {
		at = (char *)kept[class];
		kept[class] = kept[class]->next;
	} else {
		at = cut(class_bytes(class));
	}
	ptr = at + align - (uintptr_t)at % align;
	if (ptr < at + sizeof(struct block))
		ptr += align;
	*block_of(ptr) = (struct block){
		.before = (uint32_t)(ptr - at), .class = (uint16_t)class, .age = age_now, .len = len,
	};
	return ptr;
}

void sim_free(void *ptr)
{
	struct free_block *block;
	unsigned class;

	if (ptr == NULL || sim_memory_is_old(ptr))
		return;
	class = block_of(ptr)->class;
	block = (struct free_block *)(void *)((char *)ptr - block_of(ptr)->before);
	block->next = kept[class];
	kept[class] = block;
}

void *sim_resize(void *ptr, size_t len)
{
	void *moved = sim_alloc_dirty(len, ALIGN_MIN);

	if (ptr != NULL)
		memcpy(moved, ptr, block_of(ptr)->len < len ? block_of(ptr)->len : len);
	sim_free(ptr);
	return moved;
}

void sim_memory_fork(void)
{
	age_now++;
	memset(kept, 0, sizeof(kept));
	slab = NULL;
}

bool sim_memory_is_old(const void *ptr)
{
	return block_of(ptr)->age != age_now;
}

#endif
