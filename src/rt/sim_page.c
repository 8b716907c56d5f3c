/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/sim_page.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "rt/sim_memory.h"

#define WORD_BYTES	sizeof(uint64_t)

static bool is_whole(const struct sim_page *page, unsigned i)
{
	return page->whole >> i & 1;
}

static uint8_t *sector_take(void)
{
	return sim_alloc_dirty(SIM_SECTOR_BYTES, 16);
}

struct sim_page *sim_page_copy(const struct sim_page *page)
{
	struct sim_page *copy;

	if (page == NULL)
		return sim_alloc(sizeof(*copy));
	copy = sim_alloc_dirty(sizeof(*copy), 16);
	*copy = *page;
	for (unsigned i = 0; i < SIM_PAGE_SECTORS; i++) {
		if (is_whole(page, i))
			copy->sectors[i].bytes = memcpy(sector_take(), page->sectors[i].bytes, SIM_SECTOR_BYTES);
	}
	return copy;
}

void sim_page_free(struct sim_page *page)
{
	for (unsigned i = 0; page != NULL && i < SIM_PAGE_SECTORS; i++) {
		if (is_whole(page, i))
			sim_free(page->sectors[i].bytes);
	}
	sim_free(page);
}

/* The part of [at, end) that lies in the sector of at. */
static size_t part_len(size_t at, size_t end)
{
	size_t len = SIM_SECTOR_BYTES - at % SIM_SECTOR_BYTES;

	return len < end - at ? len : end - at;
}

/* ---- reading ---- */

static void repeat(uint8_t *to, uint64_t word, size_t from, size_t len)
{
	size_t shift = from % WORD_BYTES * 8;

	/* Little-endian: the byte that comes first is the lowest. */
	if (shift)
		word = word >> shift | word << (64 - shift);
	for (; len >= WORD_BYTES; to += WORD_BYTES, len -= WORD_BYTES)
		memcpy(to, &word, WORD_BYTES);
	memcpy(to, &word, len);
}

void sim_page_read(const struct sim_page *page, void *to, size_t from, size_t len)
{
	uint8_t *at = to;
	size_t end = from + len, part;

	assert(end <= SIM_PAGE_BYTES);
	if (page == NULL)
		memset(to, 0, len);
	for (; page != NULL && from < end; from += part, at += part) {
		unsigned i = (unsigned)(from / SIM_SECTOR_BYTES);

		part = part_len(from, end);
		if (is_whole(page, i))
			memcpy(at, page->sectors[i].bytes + from % SIM_SECTOR_BYTES, part);
		else
			repeat(at, page->sectors[i].word, from, part);
	}
}

/* ---- writing ---- */

static bool repeats(const uint8_t *bytes)
{
	return memcmp(bytes, bytes + WORD_BYTES, SIM_SECTOR_BYTES - WORD_BYTES) == 0;
}

static void set_word(struct sim_page *page, unsigned i, const uint8_t *bytes)
{
	if (is_whole(page, i))
		sim_free(page->sectors[i].bytes);
	page->whole &= (uint8_t)~(1u << i);
	memcpy(&page->sectors[i].word, bytes, WORD_BYTES);
}

static uint8_t *make_whole(struct sim_page *page, unsigned i)
{
	uint64_t word = page->sectors[i].word;

	if (!is_whole(page, i)) {
		page->sectors[i].bytes = sector_take();
		repeat(page->sectors[i].bytes, word, 0, SIM_SECTOR_BYTES);
		page->whole |= (uint8_t)(1u << i);
	}
	return page->sectors[i].bytes;
}

void sim_page_write(struct sim_page *page, const void *bytes, size_t from, size_t len)
{
	static const uint8_t zeros[SIM_PAGE_BYTES];
	const uint8_t *at = bytes != NULL ? bytes : zeros;
	size_t end = from + len, part;

	assert(end <= SIM_PAGE_BYTES);
	for (; from < end; from += part, at += part) {
		unsigned i = (unsigned)(from / SIM_SECTOR_BYTES);

		part = part_len(from, end);
		if (part == SIM_SECTOR_BYTES && repeats(at))
			set_word(page, i, at);
		else
			memcpy(make_whole(page, i) + from % SIM_SECTOR_BYTES, at, part);
	}
}
