/* SPDX-License-Identifier: Apache-2.0 */
#include "store/direct.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/mem.h"

#define BLOCK		4096u
#define BOUNCE_MAX	(1u << 20)

static bool is_aligned(const void *buf, size_t len, uint64_t offset)
{
	return (((uintptr_t)buf | len | offset) & (BLOCK - 1)) == 0;
}

static int read_whole(struct rt_file *file, void *buf, size_t len, uint64_t offset)
{
	ssize_t got = rt_file_read(file, buf, len, offset);

	if (got < 0)
		return (int)got;
	return (size_t)got == len ? 0 : -EIO;
}

/* A piece of a request, and the whole blocks around it that go through the bounce buffer. */
struct piece {
	uint64_t begin, end;
	uint64_t block_begin, block_end;
};

static struct piece next_piece(uint64_t offset, uint64_t end)
{
	struct piece piece = { .begin = offset, .block_begin = offset & ~(uint64_t)(BLOCK - 1) };

	piece.end = end < piece.block_begin + BOUNCE_MAX ? end : piece.block_begin + BOUNCE_MAX;
	piece.block_end = (piece.end + BLOCK - 1) & ~(uint64_t)(BLOCK - 1);
	return piece;
}

static size_t bounce_len(size_t len)
{
	size_t need = (len + 2 * BLOCK - 1) & ~(size_t)(BLOCK - 1);

	return need < BOUNCE_MAX ? need : BOUNCE_MAX;
}

static int read_bounced(const struct direct *direct, uint8_t *buf, size_t len, uint64_t offset)
{
	MEM_OWNED uint8_t *bounce = mem_alloc_pages(bounce_len(len));
	uint64_t end = offset + len;

	if (bounce == NULL)
		return -ENOMEM;
	while (offset < end) {
		struct piece piece = next_piece(offset, end);
		int rc = read_whole(direct->file, bounce, piece.block_end - piece.block_begin, piece.block_begin);

		if (rc != 0)
			return rc;
		memcpy(buf, bounce + (piece.begin - piece.block_begin), piece.end - piece.begin);
		buf += piece.end - piece.begin;
		offset = piece.end;
	}
	return 0;
}

/*
 * Reads the first and the last block of the piece into the bounce buffer where the piece leaves part of them as
 * they are.
 */
static int read_edges(const struct direct *direct, uint8_t *bounce, const struct piece *piece)
{
	uint64_t last = piece->block_end - BLOCK;
	bool part_first = piece->begin != piece->block_begin;
	bool part_last = piece->end != piece->block_end;

	if (part_first || (part_last && last == piece->block_begin)) {
		int rc = read_whole(direct->file, bounce, BLOCK, piece->block_begin);

		if (rc != 0)
			return rc;
	}
	if (part_last && last != piece->block_begin)
		return read_whole(direct->file, bounce + (last - piece->block_begin), BLOCK, last);
	return 0;
}

static int write_bounced(const struct direct *direct, const uint8_t *buf, size_t len, uint64_t offset)
{
	MEM_OWNED uint8_t *bounce = mem_alloc_pages(bounce_len(len));
	uint64_t end = offset + len;

	if (bounce == NULL)
		return -ENOMEM;
	while (offset < end) {
		struct piece piece = next_piece(offset, end);
		int rc = read_edges(direct, bounce, &piece);

		if (rc != 0)
			return rc;
		memcpy(bounce + (piece.begin - piece.block_begin), buf, piece.end - piece.begin);
		rc = rt_file_write(direct->file, bounce, piece.block_end - piece.block_begin, piece.block_begin);
		if (rc != 0)
			return rc;
		buf += piece.end - piece.begin;
		offset = piece.end;
	}
	return 0;
}

/* How much of the request lies before the part block at the end. */
static size_t len_before_tail(const struct direct *direct, size_t len, uint64_t offset)
{
	if (direct->tail == NULL || offset + len <= direct->tail_offset)
		return len;
	return offset < direct->tail_offset ? (size_t)(direct->tail_offset - offset) : 0;
}

int direct_read(const struct direct *direct, void *buf, size_t len, uint64_t offset)
{
	size_t whole = len_before_tail(direct, len, offset);
	int rc = 0;

	if (whole > 0 && is_aligned(buf, whole, offset))
		rc = read_whole(direct->file, buf, whole, offset);
	else if (whole > 0)
		rc = read_bounced(direct, buf, whole, offset);
	if (rc == 0 && whole < len)
		rc = read_whole(direct->tail, (uint8_t *)buf + whole, len - whole, offset + whole);
	return rc;
}

int direct_write(const struct direct *direct, const void *buf, size_t len, uint64_t offset)
{
	size_t whole = len_before_tail(direct, len, offset);
	int rc = 0;

	if (whole > 0 && is_aligned(buf, whole, offset))
		rc = rt_file_write(direct->file, buf, whole, offset);
	else if (whole > 0)
		rc = write_bounced(direct, buf, whole, offset);
	if (rc == 0 && whole < len)
		rc = rt_file_write(direct->tail, (const uint8_t *)buf + whole, len - whole, offset + whole);
	return rc;
}
