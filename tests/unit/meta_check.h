/* SPDX-License-Identifier: Apache-2.0 */
/* meta_check.h - for the tests of the metadata: records with made-up values, and what a load should find. */
#ifndef XDC_TESTS_META_CHECK_H
#define XDC_TESTS_META_CHECK_H

#include <string.h>

#include "rt/mem.h"
#include "rt_check.h"
#include "store/meta.h"

/* A value that depends on seed alone. */
static inline uint64_t mix(uint64_t seed)
{
	seed += UINT64_C(0x9e3779b97f4a7c15);
	seed = (seed ^ seed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	seed = (seed ^ seed >> 27) * UINT64_C(0x94d049bb133111eb);
	return seed ^ seed >> 31;
}

static inline void put_value(void *field, size_t size, uint64_t value)
{
	memcpy(field, &value, size);	/* little-endian machines, as all that xdc is built for */
}

/* A valid value of the column; every seventh is its zero. */
static inline void make_field(const struct meta_column *column, void *record, uint64_t seed)
{
	static const char letters[] = "abcXYZ019-_./: '\"\\%\xc3\xa4";
	uint8_t *field = (uint8_t *)record + column->offset;
	uint64_t value = mix(seed);

	memset(field, 0, column->size);
	if (!column->key && value % 7 == 0)
		return;
	switch (column->type) {
	case META_BOOL:
		field[0] = value & 1;
		break;
	case META_UINT:
		put_value(field, column->size, column->size == 8 ? value >> 1 : value);
		break;
	case META_WORD:
		put_value(field, column->size, value % column->word_count);
		break;
	case META_TIME:
		put_value(field, column->size, value >> 2);
		break;
	case META_TEXT:
		for (size_t i = 0; i < 1 + value % (column->size - 1u); i++)
			field[i] = (uint8_t)letters[mix(seed + i) % (sizeof(letters) - 3)];
		break;
	case META_HEX:
	case META_UUID:
	case META_BYTES:
		for (size_t i = 0; i < column->size; i++)
			field[i] = (uint8_t)mix(seed + i);
		break;
	}
}

/* A record whose key depends on key, and all else on rest. */
static inline void make_record(enum meta_kind kind, void *record, uint64_t key, uint64_t rest)
{
	const struct meta_table *table = &meta_tables[kind];

	memset(record, 0, table->record_size);
	for (unsigned i = 0; i < table->column_count; i++)
		make_field(&table->columns[i], record, table->columns[i].key ? key * 64 + i : rest * 64 + i);
}

static inline bool same_key(enum meta_kind kind, const void *a, const void *b)
{
	const struct meta_table *table = &meta_tables[kind];

	for (unsigned i = 0; i < table->column_count; i++) {
		const struct meta_column *column = &table->columns[i];

		if (column->key && memcmp((const uint8_t *)a + column->offset, (const uint8_t *)b + column->offset,
					  column->size) != 0)
			return false;
	}
	return true;
}

/* Field by field, since what lies between fields says nothing. */
static inline bool same_record(enum meta_kind kind, const void *a, const void *b)
{
	const struct meta_table *table = &meta_tables[kind];

	for (unsigned i = 0; i < table->column_count; i++) {
		const struct meta_column *column = &table->columns[i];

		if (memcmp((const uint8_t *)a + column->offset, (const uint8_t *)b + column->offset, column->size) != 0)
			return false;
	}
	return true;
}

/* What the database should hold. */
#define EXPECTED_MAX	512

struct expected_row {
	enum meta_kind kind;
	bool seen;
	uint8_t record[META_RECORD_MAX] __attribute__((aligned(16)));
};

struct expected {
	unsigned count;
	struct expected_row rows[EXPECTED_MAX];
};

static inline struct expected_row *expected_find(struct expected *expected, enum meta_kind kind, const void *record)
{
	for (unsigned i = 0; i < expected->count; i++)
		if (expected->rows[i].kind == kind && same_key(kind, expected->rows[i].record, record))
			return &expected->rows[i];
	return NULL;
}

static inline void expected_change(struct expected *expected, const struct meta_change *change)
{
	struct expected_row *row = expected_find(expected, change->kind, change->record);

	if (change->op == META_DELETE) {
		if (row != NULL)
			*row = expected->rows[--expected->count];
		return;
	}
	if (row == NULL) {
		CHECK(expected->count < EXPECTED_MAX);
		row = &expected->rows[expected->count++];
		row->kind = change->kind;
	}
	memcpy(row->record, change->record, meta_tables[change->kind].record_size);
}

static inline int expected_visit(void *arg, enum meta_kind kind, const void *record)
{
	struct expected *expected = arg;
	struct expected_row *row = expected_find(expected, kind, record);

	CHECK(row != NULL);
	CHECK(!row->seen);
	CHECK(same_record(kind, row->record, record));
	row->seen = true;
	return 0;
}

/* What the load returns; when it is 0, the database holds this and nothing else. */
static inline int expected_load(struct expected *expected, struct meta *meta)
{
	int rc;

	for (unsigned i = 0; i < expected->count; i++)
		expected->rows[i].seen = false;
	rc = meta_load(meta, expected_visit, expected);
	for (unsigned i = 0; rc == 0 && i < expected->count; i++)
		CHECK(expected->rows[i].seen);
	return rc;
}

static inline void expected_check(struct expected *expected, struct meta *meta)
{
	CHECK_EQUAL(expected_load(expected, meta), 0);
}

#endif
