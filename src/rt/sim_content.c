/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/sim_content.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rt/sim_memory.h"

#define FANOUT		64u
#define FANOUT_BITS	6u
#define HEIGHT_MAX	8u	/* 2^64 bytes are 2^46 chunks */

/* What happened to the pages of a chunk since they were last durable. */
struct changes {
	uint64_t pages;			/* one bit a page: changed */
	uint64_t lost;			/* of these: a failed sync dropped it, so no later sync writes it */
	uint64_t base_allocated;
	struct sim_page *base[FANOUT];		/* what the device holds; NULL reads as zeros */
	uint64_t at[FANOUT];		/* by the clock of the content */
};

struct chunk {
	uint64_t index;
	uint64_t written;		/* has a page; the others read as zeros */
	uint64_t allocated;		/* includes written */
	struct changes *changes;
	struct list_head link;		/* in content.changed while it has changes */
	struct sim_page *page[FANOUT];
};

struct node {
	uint64_t present;
	void *slot[FANOUT];
};

/* ---- the tree ---- */

static uint64_t bit_of(unsigned index)
{
	return UINT64_C(1) << index;
}

static unsigned lowest_bit(uint64_t bits)
{
	return (unsigned)__builtin_ctzll(bits);
}

static unsigned slot_of(uint64_t index, unsigned level)
{
	return (unsigned)(index >> (FANOUT_BITS * (level - 1))) % FANOUT;
}

static bool tree_covers(const struct sim_content *content, uint64_t index)
{
	return content->root != NULL && index >> (FANOUT_BITS * content->height) == 0;
}

static struct chunk *tree_find(const struct sim_content *content, uint64_t index)
{
	void *at = content->root;

	if (!tree_covers(content, index))
		return NULL;
	for (unsigned level = content->height; level > 0 && at != NULL; level--)
		at = ((struct node *)at)->slot[slot_of(index, level)];
	return at;
}

static void tree_grow(struct sim_content *content, uint64_t index)
{
	while (index >> (FANOUT_BITS * content->height) != 0) {
		struct node *node;

		assert(content->height < HEIGHT_MAX);
		if (content->root != NULL) {
			node = sim_alloc(sizeof(*node));
			node->present = 1;
			node->slot[0] = content->root;
			content->root = node;
		}
		content->height++;
	}
}

static struct chunk *tree_make(struct sim_content *content, uint64_t index)
{
	void **at = &content->root;
	struct chunk *chunk;

	tree_grow(content, index);
	for (unsigned level = content->height; level > 0; level--) {
		struct node *node = *at;

		if (node == NULL) {
			node = sim_alloc(sizeof(*node));
			*at = node;
		}
		node->present |= bit_of(slot_of(index, level));
		at = &node->slot[slot_of(index, level)];
	}
	if (*at == NULL) {
		chunk = sim_alloc(sizeof(*chunk));
		chunk->index = index;
		list_init(&chunk->link);
		*at = chunk;
	}
	return *at;
}

/* The first chunk at or after index below one subtree; base is the lowest index of the subtree. */
static struct chunk *subtree_next(void *at, unsigned level, uint64_t base, uint64_t index)
{
	struct node *node = at;
	uint64_t present;
	unsigned first;

	if (level == 0)
		return at;
	first = index <= base ? 0 : (unsigned)((index - base) >> (FANOUT_BITS * (level - 1)));
	if (first >= FANOUT)
		return NULL;
	for (present = node->present & (UINT64_MAX << first); present != 0; present &= present - 1) {
		unsigned slot = lowest_bit(present);
		uint64_t below = base + ((uint64_t)slot << (FANOUT_BITS * (level - 1)));
		struct chunk *chunk = subtree_next(node->slot[slot], level - 1, below, index);

		if (chunk != NULL)
			return chunk;
	}
	return NULL;
}

static struct chunk *tree_next(const struct sim_content *content, uint64_t index)
{
	if (!tree_covers(content, index))
		return NULL;
	return subtree_next(content->root, content->height, 0, index);
}

static void subtree_free(void *at, unsigned level)
{
	if (level == 0) {
		struct chunk *chunk = at;

		for (unsigned i = 0; i < FANOUT; i++) {
			sim_page_free(chunk->page[i]);
			if (chunk->changes != NULL)
				sim_page_free(chunk->changes->base[i]);
		}
		sim_free(chunk->changes);
	} else {
		struct node *node = at;

		for (uint64_t present = node->present; present != 0; present &= present - 1)
			subtree_free(node->slot[lowest_bit(present)], level - 1);
	}
	sim_free(at);
}

/* ---- space ---- */

static bool space_take(struct sim_content *content)
{
	if (content->space != NULL && content->holds_space) {
		if (content->space->used >= content->space->total)
			return false;
		content->space->used++;
	}
	content->allocated++;
	return true;
}

static void space_give(struct sim_content *content)
{
	if (content->space != NULL && content->holds_space)
		content->space->used--;
	content->allocated--;
}

void sim_content_hold_space(struct sim_content *content, bool hold)
{
	if (content->space == NULL || hold == content->holds_space)
		return;
	content->holds_space = hold;
	/* An unlink that a power loss undid may overfill the file system; it then merely has nothing free. */
	if (hold)
		content->space->used += content->allocated;
	else
		content->space->used -= content->allocated;
}

static void set_allocated(struct sim_content *content, struct chunk *chunk, unsigned i, bool allocated)
{
	if (allocated == ((chunk->allocated & bit_of(i)) != 0))
		return;
	chunk->allocated ^= bit_of(i);
	if (!allocated)
		space_give(content);
	else if (!space_take(content)) {
		content->space->used++;		/* as above: undone by a power loss */
		content->allocated++;
	}
}

/* ---- one page ---- */

/* Everything has just reached the device: what a sync under way may do at any moment. */
static void settle_all(struct sim_content *content)
{
	struct sim_sync all = { .upto = content->clock, .size = content->size };

	sim_content_sync_end(content, &all);
	content->syncing = 0;
}

static bool is_beyond_cut(const struct sim_content *content, const struct chunk *chunk, unsigned i)
{
	return content->cut_to != UINT64_MAX &&
	       (chunk->index * FANOUT + i + 1) * SIM_PAGE_BYTES > content->cut_to;
}

/*
 * To be called before a page changes: keeps what the device holds. Returns what programs see now (NULL: zeros),
 * which after this is either still the page or has become its base.
 */
static const struct sim_page *preserve_page(struct sim_content *content, struct chunk *chunk, unsigned i)
{
	bool cut = is_beyond_cut(content, chunk, i);
	struct changes *changes;
	struct sim_page *seen = chunk->page[i];
	bool written_back;

	/* What is written beyond a cut is on the device only after the cut is. */
	if (cut && content->cut_at <= content->syncing)
		settle_all(content);
	changes = chunk->changes;
	if (changes == NULL) {
		changes = chunk->changes = sim_alloc(sizeof(*changes));
		list_add_last(&content->changed, &chunk->link);
	}
	if (changes->lost & bit_of(i)) {
		changes->lost &= ~bit_of(i);
		changes->at[i] = ++content->clock;
		content->unsynced++;
		return seen;
	}
	if (changes->pages & bit_of(i)) {
		/*
		 * A sync under way must be able to keep what it covers; and the kernel writes back when it
		 * likes.
		 */
		written_back = changes->at[i] <= content->syncing || sim_rand_below(content->rand, 4) == 0;
		if (!written_back || cut)
			return seen;
		sim_page_free(changes->base[i]);
	} else {
		changes->pages |= bit_of(i);
		content->unsynced++;
	}
	changes->base[i] = seen;
	changes->base_allocated &= ~bit_of(i);
	changes->base_allocated |= chunk->allocated & bit_of(i);
	changes->at[i] = ++content->clock;
	chunk->page[i] = NULL;
	return seen;
}

static int change_page(struct sim_content *content, struct chunk *chunk, unsigned i, const void *bytes, size_t from,
	size_t len)
{
	const struct sim_page *before;
	bool take = !(chunk->allocated & bit_of(i));

	if (take && !space_take(content))
		return -ENOSPC;
	before = preserve_page(content, chunk, i);
	chunk->allocated |= bit_of(i);
	if (chunk->page[i] == NULL) {
		chunk->page[i] = sim_page_copy(len < SIM_PAGE_BYTES ? before : NULL);
		chunk->written |= bit_of(i);
	}
	sim_page_write(chunk->page[i], bytes, from, len);
	return 0;
}

static void drop_page(struct sim_content *content, struct chunk *chunk, unsigned i)
{
	if (!(chunk->allocated & bit_of(i)))
		return;
	preserve_page(content, chunk, i);
	sim_page_free(chunk->page[i]);
	chunk->page[i] = NULL;
	chunk->written &= ~bit_of(i);
	set_allocated(content, chunk, i, false);
}

/* ---- what programs do ---- */

void sim_content_init(struct sim_content *content, struct sim_space *space, struct sim_rand *rand)
{
	*content = (struct sim_content){ .space = space, .rand = rand, .cut_to = UINT64_MAX, .holds_space = true };
	list_init(&content->changed);
}

void sim_content_destroy(struct sim_content *content)
{
	sim_content_hold_space(content, false);
	if (content->root != NULL)
		subtree_free(content->root, content->height);
	content->root = NULL;
}

/* The part of [offset, end) that lies in the page of offset. */
static size_t part_len(uint64_t offset, uint64_t end)
{
	uint64_t len = SIM_PAGE_BYTES - offset % SIM_PAGE_BYTES;

	return (size_t)(len < end - offset ? len : end - offset);
}

/* A direct read goes past the page cache, but not before what is dirty in it was written to the device. */
static const struct sim_page *page_to_read(const struct chunk *chunk, unsigned i, bool direct)
{
	if (chunk == NULL)
		return NULL;
	if (direct && chunk->changes != NULL && (chunk->changes->lost & bit_of(i)))
		return chunk->changes->base[i];
	return chunk->page[i];
}

void sim_content_read(const struct sim_content *content, void *buf, size_t len, uint64_t offset, bool direct)
{
	uint64_t end = offset + len;
	uint8_t *to = buf;

	assert(end <= content->size);
	while (offset < end) {
		size_t part = part_len(offset, end);
		uint64_t page = offset / SIM_PAGE_BYTES;

		sim_page_read(page_to_read(tree_find(content, page / FANOUT), page % FANOUT, direct), to,
			offset % SIM_PAGE_BYTES, part);
		to += part;
		offset += part;
	}
}

static void grow_to(struct sim_content *content, uint64_t size)
{
	if (size > content->size) {
		content->size = size;
		content->clock++;
	}
}

int sim_content_write(struct sim_content *content, const void *buf, size_t len, uint64_t offset)
{
	uint64_t end = offset + len;
	const uint8_t *from = buf;

	while (offset < end) {
		size_t part = part_len(offset, end);
		uint64_t page = offset / SIM_PAGE_BYTES;
		int rc = change_page(content, tree_make(content, page / FANOUT), page % FANOUT, from,
			offset % SIM_PAGE_BYTES, part);

		if (rc < 0)
			return rc;
		from += part;
		offset += part;
		grow_to(content, offset);
	}
	return 0;
}

int sim_content_allocate(struct sim_content *content, uint64_t offset, uint64_t len)
{
	uint64_t end = offset + len;

	for (uint64_t page = offset / SIM_PAGE_BYTES; page * SIM_PAGE_BYTES < end; page++) {
		struct chunk *chunk = tree_make(content, page / FANOUT);

		if (chunk->allocated & bit_of(page % FANOUT))
			continue;
		if (!space_take(content))
			return -ENOSPC;
		preserve_page(content, chunk, page % FANOUT);
		chunk->allocated |= bit_of(page % FANOUT);
	}
	grow_to(content, end);
	return 0;
}

/* Zeros in a part of one page; nothing to do where it has no content. */
static void clear_part(struct sim_content *content, uint64_t offset, size_t len)
{
	uint64_t page = offset / SIM_PAGE_BYTES;
	struct chunk *chunk = tree_find(content, page / FANOUT);
	int rc = 0;

	if (chunk != NULL && chunk->written & bit_of(page % FANOUT))
		rc = change_page(content, chunk, page % FANOUT, NULL, offset % SIM_PAGE_BYTES, len);
	assert(rc == 0);	/* it has its space */
	(void)rc;
}

static void drop_pages(struct sim_content *content, uint64_t first, uint64_t end)
{
	struct chunk *chunk = tree_next(content, first / FANOUT);

	for (; chunk != NULL && chunk->index * FANOUT < end; chunk = tree_next(content, chunk->index + 1)) {
		uint64_t base = chunk->index * FANOUT;

		for (uint64_t bits = chunk->allocated; bits != 0; bits &= bits - 1) {
			uint64_t page = base + lowest_bit(bits);

			if (page >= first && page < end)
				drop_page(content, chunk, (unsigned)(page - base));
		}
	}
}

void sim_content_punch(struct sim_content *content, uint64_t offset, uint64_t len)
{
	uint64_t end = offset + len;

	if (offset % SIM_PAGE_BYTES != 0 && offset < end) {
		size_t part = part_len(offset, end);

		clear_part(content, offset, part);
		offset += part;
	}
	if (end % SIM_PAGE_BYTES != 0 && offset < end) {
		size_t part = (size_t)(end % SIM_PAGE_BYTES);

		clear_part(content, end - part, part);
		end -= part;
	}
	drop_pages(content, offset / SIM_PAGE_BYTES, end / SIM_PAGE_BYTES);
}

static uint64_t pages_for(uint64_t size)
{
	return size / SIM_PAGE_BYTES + (size % SIM_PAGE_BYTES != 0);
}

void sim_content_set_size(struct sim_content *content, uint64_t size)
{
	if (size >= content->size) {
		grow_to(content, size);
		return;
	}
	if (content->syncing != 0)
		settle_all(content);	/* it covers what is about to be cut off */
	if (size % SIM_PAGE_BYTES != 0)
		clear_part(content, size, (size_t)(SIM_PAGE_BYTES - size % SIM_PAGE_BYTES));
	drop_pages(content, pages_for(size), pages_for(content->size));
	content->size = size;
	content->cut_at = ++content->clock;
	if (size < content->cut_to)
		content->cut_to = size;
}

/* The first page at or after page that is, or is not, written; limit when there is none before it. */
static uint64_t next_page(const struct sim_content *content, uint64_t page, uint64_t limit, bool written)
{
	while (page < limit) {
		uint64_t index = page / FANOUT, bits;
		const struct chunk *chunk = written ? tree_next(content, index) : tree_find(content, index);

		if (chunk == NULL)
			return written ? limit : page;
		if (chunk->index > page / FANOUT)
			page = chunk->index * FANOUT;
		bits = (written ? chunk->written : ~chunk->written) & (UINT64_MAX << page % FANOUT);
		if (bits != 0)
			page = chunk->index * FANOUT + lowest_bit(bits);
		else
			page = (chunk->index + 1) * FANOUT;
		if (bits != 0)
			break;
	}
	return page < limit ? page : limit;
}

void sim_content_get_run(const struct sim_content *content, uint64_t offset, bool *data, uint64_t *end)
{
	uint64_t page = offset / SIM_PAGE_BYTES, limit = pages_for(content->size), next;

	assert(offset < content->size);
	*data = content->space == NULL || next_page(content, page, limit, true) == page;
	next = content->space == NULL ? limit : next_page(content, page, limit, !*data);
	*end = next == limit ? content->size : next * SIM_PAGE_BYTES;
}

/* ---- durability ---- */

/* The page is on the device as programs see it. */
static void settle_page(struct sim_content *content, struct chunk *chunk, unsigned i)
{
	struct changes *changes = chunk->changes;

	if (!(changes->lost & bit_of(i)))
		content->unsynced--;
	sim_page_free(changes->base[i]);
	changes->base[i] = NULL;
	changes->pages &= ~bit_of(i);
	changes->lost &= ~bit_of(i);
}

static void forget_changes_if_none(struct chunk *chunk)
{
	if (chunk->changes->pages != 0)
		return;
	sim_free(chunk->changes);
	chunk->changes = NULL;
	list_remove(&chunk->link);
}

struct sim_sync sim_content_sync_begin(struct sim_content *content)
{
	content->syncing = ++content->clock;
	return (struct sim_sync){ .upto = content->clock, .size = content->size };
}

static void sync_is_over(struct sim_content *content, const struct sim_sync *sync)
{
	if (content->syncing == sync->upto)
		content->syncing = 0;
}

void sim_content_sync_end(struct sim_content *content, const struct sim_sync *sync)
{
	struct chunk *chunk, *next;

	list_for_each_safe(chunk, next, &content->changed, link) {
		struct changes *changes = chunk->changes;

		for (uint64_t bits = changes->pages & ~changes->lost; bits != 0; bits &= bits - 1)
			if (changes->at[lowest_bit(bits)] <= sync->upto)
				settle_page(content, chunk, lowest_bit(bits));
		forget_changes_if_none(chunk);
	}
	if (sync->upto >= content->durable_at) {
		content->durable_at = sync->upto;
		content->durable_size = sync->size;
		if (content->cut_at <= sync->upto)
			content->cut_to = UINT64_MAX;
	}
	sync_is_over(content, sync);
}

/* The kernel threw the page away: programs see what the device holds. */
static void evict_page(struct sim_content *content, struct chunk *chunk, unsigned i)
{
	sim_page_free(chunk->page[i]);
	chunk->page[i] = chunk->changes->base[i];
	chunk->changes->base[i] = NULL;
	chunk->written &= ~bit_of(i);
	if (chunk->page[i] != NULL) {
		chunk->written |= bit_of(i);
		set_allocated(content, chunk, i, true);
	}
	settle_page(content, chunk, i);
}

void sim_content_drop_cached(struct sim_content *content)
{
	struct chunk *chunk, *next;

	list_for_each_safe(chunk, next, &content->changed, link) {
		for (uint64_t bits = chunk->changes->lost; bits != 0; bits &= bits - 1)
			evict_page(content, chunk, lowest_bit(bits));
		forget_changes_if_none(chunk);
	}
}

void sim_content_sync_fail(struct sim_content *content, const struct sim_sync *sync)
{
	struct chunk *chunk, *next;

	list_for_each_safe(chunk, next, &content->changed, link) {
		struct changes *changes = chunk->changes;

		for (uint64_t bits = changes->pages & ~changes->lost; bits != 0; bits &= bits - 1) {
			unsigned i = lowest_bit(bits);
			uint64_t fate;

			/* What lies beyond a cut waits for the cut, which the journal will try again. */
			if (changes->at[i] > sync->upto || is_beyond_cut(content, chunk, i))
				continue;
			fate = sim_rand_below(content->rand, 4);
			if (fate == 0) {
				settle_page(content, chunk, i);
			} else if (fate == 1) {
				evict_page(content, chunk, i);
			} else {
				changes->lost |= bit_of(i);
				content->unsynced--;
			}
		}
		forget_changes_if_none(chunk);
	}
	sync_is_over(content, sync);
}

void sim_content_sync_drop(struct sim_content *content, const struct sim_sync *sync)
{
	sync_is_over(content, sync);
}

/* Whether what stands in the page would survive a power loss in its place; a device has no places to lose. */
static bool is_settled(const struct sim_content *content, uint64_t page)
{
	const struct chunk *chunk = tree_find(content, page / FANOUT);

	if (content->cut_to != UINT64_MAX || (page + 1) * SIM_PAGE_BYTES > content->durable_size)
		return false;
	if (chunk != NULL && chunk->changes != NULL && chunk->changes->pages & bit_of(page % FANOUT))
		return false;
	return content->space == NULL || (chunk != NULL && chunk->written & bit_of(page % FANOUT));
}

int sim_content_write_direct(struct sim_content *content, const void *buf, size_t len, uint64_t offset)
{
	int rc = 0;

	assert((len | offset) % SIM_PAGE_BYTES == 0);
	for (size_t at = 0; rc == 0 && at < len; at += SIM_PAGE_BYTES) {
		bool settled = is_settled(content, (offset + at) / SIM_PAGE_BYTES);

		rc = sim_content_write(content, (const uint8_t *)buf + at, SIM_PAGE_BYTES, offset + at);
		if (rc == 0 && settled)
			sim_content_sync_range(content, offset + at, SIM_PAGE_BYTES);
	}
	return rc;
}

void sim_content_sync_range(struct sim_content *content, uint64_t offset, uint64_t len)
{
	uint64_t first = offset / SIM_PAGE_BYTES, end = pages_for(offset + len);

	if (content->cut_to != UINT64_MAX)
		settle_all(content);	/* its place may depend on the cut */
	for (uint64_t page = first; page < end; page++) {
		struct chunk *chunk = tree_find(content, page / FANOUT);

		if (chunk == NULL || chunk->changes == NULL || !(chunk->changes->pages & bit_of(page % FANOUT)))
			continue;
		settle_page(content, chunk, page % FANOUT);
		forget_changes_if_none(chunk);
	}
	if (offset + len > content->durable_size)
		content->durable_size = offset + len;
}

/* ---- power loss ---- */

struct loss_plan {
	uint64_t size;
	bool cut_undone, cut_kept;
	uint64_t keep_of_256, torn_of_256;
};

static struct loss_plan plan_loss(struct sim_content *content)
{
	static const uint64_t keep[] = { 0, 64, 128, 192, 256 }, torn[] = { 0, 32, 96 };
	struct loss_plan plan = {
		.keep_of_256 = keep[sim_rand_below(content->rand, 5)],
		.torn_of_256 = torn[sim_rand_below(content->rand, 3)],
	};
	uint64_t low = content->durable_size;

	if (content->cut_to != UINT64_MAX) {
		plan.cut_kept = sim_rand_below(content->rand, 2) == 0;
		plan.cut_undone = !plan.cut_kept;
		low = content->cut_to;
	}
	if (plan.cut_undone)
		plan.size = content->durable_size;
	else if (low >= content->size)
		plan.size = content->size;
	else
		switch (sim_rand_below(content->rand, 3)) {
		case 0:
			plan.size = low;
			break;
		case 1:
			plan.size = content->size;
			break;
		default:
			plan.size = low + sim_rand_below(content->rand, content->size - low + 1);
		}
	return plan;
}

static void tear_page(struct sim_content *content, struct sim_page *page, const struct sim_page *base)
{
	uint64_t keep = sim_rand_u64(content->rand);
	uint8_t old[SIM_SECTOR_BYTES];

	for (unsigned sector = 0; sector < SIM_PAGE_BYTES / SIM_SECTOR_BYTES; sector++) {
		size_t at = (size_t)sector * SIM_SECTOR_BYTES;

		if (keep & bit_of(sector))
			continue;
		sim_page_read(base, old, at, sizeof(old));
		sim_page_write(page, old, at, sizeof(old));
	}
}

static void lose_page(struct sim_content *content, struct chunk *chunk, unsigned i, const struct loss_plan *plan,
	struct sim_loss *loss)
{
	struct changes *changes = chunk->changes;
	uint64_t start = (chunk->index * FANOUT + i) * SIM_PAGE_BYTES;
	bool beyond_cut = is_beyond_cut(content, chunk, i);
	uint64_t roll = sim_rand_below(content->rand, 256);
	bool base_allocated = (changes->base_allocated & bit_of(i)) != 0;
	bool keep = roll < plan->keep_of_256 && !(changes->lost & bit_of(i)) && !(beyond_cut && plan->cut_undone);
	bool torn = keep && chunk->page[i] != NULL && sim_rand_below(content->rand, 256) < plan->torn_of_256;

	if (beyond_cut && plan->cut_kept && start >= content->cut_to) {
		sim_page_free(changes->base[i]);	/* cut off for good */
		changes->base[i] = NULL;
		base_allocated = false;
	}
	if (torn) {
		tear_page(content, chunk->page[i], changes->base[i]);
		loss->torn++;
	} else if (keep) {
		loss->kept++;
	} else {
		sim_page_free(chunk->page[i]);
		chunk->page[i] = changes->base[i];
		changes->base[i] = NULL;
		chunk->written &= ~bit_of(i);
		if (chunk->page[i] != NULL)
			chunk->written |= bit_of(i);
		set_allocated(content, chunk, i, base_allocated || chunk->page[i] != NULL);
		loss->dropped++;
	}
	settle_page(content, chunk, i);
}

void sim_content_lose_power(struct sim_content *content, struct sim_loss *loss)
{
	struct loss_plan plan = plan_loss(content);
	uint64_t size = content->size;
	struct chunk *chunk, *next;

	list_for_each_safe(chunk, next, &content->changed, link) {
		for (uint64_t bits = chunk->changes->pages; bits != 0; bits &= bits - 1)
			lose_page(content, chunk, lowest_bit(bits), &plan, loss);
		forget_changes_if_none(chunk);
	}
	assert(content->unsynced == 0);
	if (plan.size < size) {
		/* As a cut, but one that is durable at once. */
		struct sim_sync all = { .upto = UINT64_MAX, .size = plan.size };

		content->syncing = 0;
		content->size = size;
		sim_content_set_size(content, plan.size);
		sim_content_sync_end(content, &all);
	}
	content->size = plan.size;
	content->durable_size = plan.size;
	content->cut_to = UINT64_MAX;
	content->syncing = 0;
	content->durable_at = ++content->clock;
}
