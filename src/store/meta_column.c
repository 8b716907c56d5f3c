/* SPDX-License-Identifier: Apache-2.0 */
#include "store/meta_column.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "rt/log.h"
#include "store/sqlite_vfs.h"

#define TIME_LEN	30	/* 2026-11-23T00:18:59.123456789Z */
#define UUID_TEXT_LEN	36
#define VALUE_TEXT_MAX	80u	/* of all but META_TEXT, the end included */

/* ---- numbers ---- */

static uint64_t get_number(const void *from, size_t size)
{
	uint64_t u64 = 0;
	uint32_t u32;
	uint16_t u16;

	switch (size) {
	case 1:
		return *(const uint8_t *)from;
	case 2:
		memcpy(&u16, from, sizeof(u16));
		return u16;
	case 4:
		memcpy(&u32, from, sizeof(u32));
		return u32;
	default:
		assert(size == 8);
		memcpy(&u64, from, sizeof(u64));
		return u64;
	}
}

static void put_number(void *to, size_t size, uint64_t value)
{
	uint32_t u32 = (uint32_t)value;
	uint16_t u16 = (uint16_t)value;

	switch (size) {
	case 1:
		*(uint8_t *)to = (uint8_t)value;
		break;
	case 2:
		memcpy(to, &u16, sizeof(u16));
		break;
	case 4:
		memcpy(to, &u32, sizeof(u32));
		break;
	default:
		assert(size == 8);
		memcpy(to, &value, sizeof(value));
	}
}

static bool number_fits(uint64_t value, size_t size)
{
	return size == 8 ? value <= INT64_MAX : value >> (8 * size) == 0;
}

/* ---- bytes as hexadecimal digits ---- */

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False: not len bytes in small letters. */
static bool parse_bytes(const char *text, uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int high = digit_value(text[2 * i]);
		int low = high < 0 ? -1 : digit_value(text[2 * i + 1]);

		if (low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return text[2 * len] == '\0';
}

static void format_bytes(const uint8_t *bytes, size_t len, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * len] = '\0';
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

/* 8-4-4-4-12 digits: the same with dashes. */
static bool is_dash(size_t at)
{
	return at == 8 || at == 13 || at == 18 || at == 23;
}

static void format_uuid(const uint8_t *bytes, char *text)
{
	char plain[2 * XDC_UUID_LEN + 1];
	const char *from = plain;

	format_bytes(bytes, XDC_UUID_LEN, plain);
	for (size_t i = 0; i < UUID_TEXT_LEN; i++)
		text[i] = is_dash(i) ? '-' : *from++;
	text[UUID_TEXT_LEN] = '\0';
}

static bool parse_uuid(const char *text, uint8_t *bytes)
{
	char plain[2 * XDC_UUID_LEN + 1];
	size_t len = 0;

	if (strlen(text) != UUID_TEXT_LEN)
		return false;
	for (size_t i = 0; i < UUID_TEXT_LEN; i++) {
		if (is_dash(i) != (text[i] == '-'))
			return false;
		if (!is_dash(i))
			plain[len++] = text[i];
	}
	plain[len] = '\0';
	return parse_bytes(plain, bytes, XDC_UUID_LEN);
}

/* ---- time ---- */

static void format_time(int64_t wall_ns, char *text)
{
	time_t seconds = wall_ns / RT_SECOND;
	struct tm tm;
	struct tm *there = gmtime_r(&seconds, &tm);

	assert(there != NULL);
	snprintf(text, VALUE_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(wall_ns % RT_SECOND));
}

static bool parse_time(const char *text, int64_t *wall_ns)
{
	struct tm tm = { 0 };
	char again[VALUE_TEXT_MAX];
	int ns;
	int end = 0;
	int64_t seconds;

	if (strlen(text) != TIME_LEN ||
	    sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%9dZ%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
		   &tm.tm_min, &tm.tm_sec, &ns, &end) != 7 || end != TIME_LEN)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	seconds = timegm(&tm);
	if (seconds < 0 || seconds >= INT64_MAX / RT_SECOND || ns < 0)
		return false;
	*wall_ns = seconds * RT_SECOND + ns;
	/* What was read leniently (signs, spaces, the 31st of June) does not come out as it went in. */
	format_time(*wall_ns, again);
	return strcmp(text, again) == 0;
}

/* ---- bind ---- */

static int refuse(const struct meta_column *column, const char *why)
{
	log_line(LOG_ERROR, "store", "metadata: a value of %s %s", column->name, why);
	return -ERANGE;
}

static int bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
	int rc = sqlite3_bind_text(stmt, index, text, -1, SQLITE_TRANSIENT);

	return rc == SQLITE_OK ? 0 : sqlite_errno(rc);
}

static int bind_number(sqlite3_stmt *stmt, int index, const struct meta_column *column, uint64_t value)
{
	int rc;

	if (!number_fits(value, column->size))
		return refuse(column, "is too large or negative");
	rc = sqlite3_bind_int64(stmt, index, (sqlite3_int64)value);
	return rc == SQLITE_OK ? 0 : sqlite_errno(rc);
}

static int bind_time(sqlite3_stmt *stmt, int index, const struct meta_column *column, const void *field)
{
	char text[VALUE_TEXT_MAX] = "";
	int64_t wall_ns;

	memcpy(&wall_ns, field, sizeof(wall_ns));
	if (wall_ns < 0)
		return refuse(column, "is negative");
	if (wall_ns != 0)
		format_time(wall_ns, text);
	return bind_text(stmt, index, text);
}

static int bind_word(sqlite3_stmt *stmt, int index, const struct meta_column *column, uint64_t value)
{
	if (value >= column->word_count)
		return refuse(column, "has no word");
	return bind_text(stmt, index, column->words[value]);
}

static int bind_bytes(sqlite3_stmt *stmt, int index, const struct meta_column *column, const uint8_t *field)
{
	char text[VALUE_TEXT_MAX] = "";

	assert(2u * column->size < sizeof(text));
	if (!all_zero(field, column->size)) {
		if (column->type == META_UUID)
			format_uuid(field, text);
		else
			format_bytes(field, column->size, text);
	}
	return bind_text(stmt, index, text);
}

static int bind_hex(sqlite3_stmt *stmt, int index, const struct meta_column *column, const void *field)
{
	char text[VALUE_TEXT_MAX];

	snprintf(text, sizeof(text), "%0*X", 2 * column->size, (unsigned)get_number(field, column->size));
	return bind_text(stmt, index, text);
}

int meta_column_bind(sqlite3_stmt *stmt, int index, const struct meta_column *column, const void *record)
{
	const uint8_t *field = (const uint8_t *)record + column->offset;

	switch (column->type) {
	case META_BOOL:
	case META_UINT:
		return bind_number(stmt, index, column, get_number(field, column->size));
	case META_HEX:
		return bind_hex(stmt, index, column, field);
	case META_WORD:
		return bind_word(stmt, index, column, get_number(field, column->size));
	case META_TEXT:
		if (memchr(field, '\0', column->size) == NULL)
			return refuse(column, "has no end");
		return bind_text(stmt, index, (const char *)field);
	case META_UUID:
	case META_BYTES:
		return bind_bytes(stmt, index, column, field);
	case META_TIME:
		return bind_time(stmt, index, column, field);
	}
	assert(false);
	return -EINVAL;
}

/* ---- read ---- */

static int read_number(sqlite3_stmt *stmt, int index, const struct meta_column *column, void *field)
{
	sqlite3_int64 value = sqlite3_column_int64(stmt, index);

	if (sqlite3_column_type(stmt, index) != SQLITE_INTEGER || value < 0)
		return -EBADMSG;
	if (!number_fits((uint64_t)value, column->size))
		return -EBADMSG;
	if (column->type == META_BOOL && value > 1)
		return -EBADMSG;
	put_number(field, column->size, (uint64_t)value);
	return 0;
}

static int read_word(const char *text, const struct meta_column *column, void *field)
{
	for (unsigned i = 0; i < column->word_count; i++) {
		if (strcmp(text, column->words[i]) == 0) {
			put_number(field, column->size, i);
			return 0;
		}
	}
	return -EBADMSG;
}

static int read_hex(const char *text, const struct meta_column *column, void *field)
{
	unsigned value = 0;

	if (strlen(text) != 2u * column->size || strspn(text, "0123456789ABCDEF") != 2u * column->size)
		return -EBADMSG;
	for (const char *c = text; *c != '\0'; c++)
		value = value << 4 | (unsigned)(*c <= '9' ? *c - '0' : *c - 'A' + 10);
	put_number(field, column->size, value);
	return 0;
}

static int read_bytes(const char *text, const struct meta_column *column, uint8_t *field)
{
	bool good = column->type == META_UUID ? parse_uuid(text, field) : parse_bytes(text, field, column->size);

	return good || text[0] == '\0' ? 0 : -EBADMSG;
}

static int read_time(const char *text, void *field)
{
	int64_t wall_ns = 0;

	if (text[0] != '\0' && !parse_time(text, &wall_ns))
		return -EBADMSG;
	memcpy(field, &wall_ns, sizeof(wall_ns));
	return 0;
}

int meta_column_read(sqlite3_stmt *stmt, int index, const struct meta_column *column, void *record)
{
	uint8_t *field = (uint8_t *)record + column->offset;
	const char *text;

	if (column->type == META_BOOL || column->type == META_UINT)
		return read_number(stmt, index, column, field);
	if (sqlite3_column_type(stmt, index) != SQLITE_TEXT)
		return -EBADMSG;
	text = (const char *)sqlite3_column_text(stmt, index);
	if (text == NULL)
		return -ENOMEM;
	if (strlen(text) != (size_t)sqlite3_column_bytes(stmt, index))
		return -EBADMSG;
	switch (column->type) {
	case META_HEX:
		return read_hex(text, column, field);
	case META_WORD:
		return read_word(text, column, field);
	case META_UUID:
	case META_BYTES:
		return read_bytes(text, column, field);
	case META_TIME:
		return read_time(text, field);
	default:
		assert(column->type == META_TEXT);
		if (strlen(text) >= column->size)
			return -EBADMSG;
		memcpy(field, text, strlen(text) + 1);
		return 0;
	}
}
