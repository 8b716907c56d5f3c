/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the tables of wire_message.c: out of structs into bytes, and back, trusting no byte. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "copy/wire_layout.h"
#include "copy/wire_message.h"
#include "rt/bytes.h"
#include "rt/mem.h"
#include "rt/utf8.h"

/* ---- encoding: the first pass measures (to is NULL), the second writes ---- */

struct writer {
	uint8_t *to;
	size_t len;
};

static void write_bytes(struct writer *writer, const void *from, size_t len)
{
	if (writer->to)
		memcpy(writer->to + writer->len, from, len);
	writer->len += len;
}

/* A number of 1, 2, 4 or 8 bytes in memory; on the wire the same size, little-endian. */
static void write_uint(struct writer *writer, const void *from, size_t size)
{
	uint8_t bytes[8];

	switch (size) {
	case 1:
		bytes[0] = *(const uint8_t *)from;
		break;
	case 2:
		put_le16(bytes, *(const uint16_t *)from);
		break;
	case 4:
		put_le32(bytes, *(const uint32_t *)from);
		break;
	default:
		assert(size == 8);
		put_le64(bytes, *(const uint64_t *)from);
	}
	write_bytes(writer, bytes, size);
}

static int write_text(struct writer *writer, const char *text, size_t size)
{
	uint16_t len = (uint16_t)strnlen(text, size);

	if (len == size)
		return -EMSGSIZE;
	write_uint(writer, &len, sizeof(len));
	write_bytes(writer, text, len);
	return 0;
}

static int write_struct(struct writer *writer, const struct wire_layout *layout, const uint8_t *base);

static int write_items(struct writer *writer, const struct wire_field *field, const uint8_t *base)
{
	uint32_t count = *(const uint32_t *)(const void *)(base + field->count_offset);
	const uint8_t *items = base + field->offset;
	int rc = 0;

	if (count > field->size)
		return -EMSGSIZE;
	if (field->kind == WIRE_FIELD_LIST)
		items = *(const uint8_t *const *)(const void *)items;
	write_uint(writer, &count, sizeof(count));
	for (uint32_t i = 0; i < count && !rc; i++)
		rc = write_struct(writer, field->items, items + i * field->items->size);
	return rc;
}

static int write_field(struct writer *writer, const struct wire_field *field, const uint8_t *base)
{
	const uint8_t *from = base + field->offset;

	switch (field->kind) {
	case WIRE_FIELD_UINT:
	case WIRE_FIELD_BOOL:
		write_uint(writer, from, field->size);
		return 0;
	case WIRE_FIELD_BYTES:
		write_bytes(writer, from, field->size);
		return 0;
	case WIRE_FIELD_TEXT:
		return write_text(writer, (const char *)from, field->size);
	case WIRE_FIELD_STRUCT:
		return write_struct(writer, field->items, from);
	case WIRE_FIELD_LIST:
	case WIRE_FIELD_ARRAY:
		return write_items(writer, field, base);
	}
	abort();		/* no kind of field */
}

static int write_struct(struct writer *writer, const struct wire_layout *layout, const uint8_t *base)
{
	int rc = 0;

	for (unsigned i = 0; i < layout->field_count && !rc; i++)
		rc = write_field(writer, &layout->fields[i], base);
	return rc;
}

int wire_encode(const struct wire_layout *layout, const void *message, uint8_t **out, size_t *out_len)
{
	struct writer writer = { 0 };
	size_t len;
	int rc = write_struct(&writer, layout, message);

	if (rc)
		return rc;
	len = writer.len;
	if (len > WIRE_MESSAGE_MAX)
		return -EMSGSIZE;
	writer = (struct writer){ .to = mem_alloc(len ? len : 1) };
	if (!writer.to)
		return -ENOMEM;
	rc = write_struct(&writer, layout, message);
	assert(!rc && writer.len == len);
	*out = writer.to;
	*out_len = len;
	return 0;
}

/* ---- decoding ---- */

struct reader {
	const uint8_t *from;
	size_t left;
};

static int read_bytes(struct reader *reader, void *to, size_t len)
{
	if (len > reader->left)
		return -EBADMSG;
	memcpy(to, reader->from, len);
	reader->from += len;
	reader->left -= len;
	return 0;
}

static int read_uint(struct reader *reader, void *to, size_t size)
{
	uint8_t bytes[8];
	int rc;

	assert(size <= sizeof(bytes));
	rc = read_bytes(reader, bytes, size);
	if (rc)
		return rc;
	switch (size) {
	case 1:
		*(uint8_t *)to = bytes[0];
		break;
	case 2:
		*(uint16_t *)to = get_le16(bytes);
		break;
	case 4:
		*(uint32_t *)to = get_le32(bytes);
		break;
	default:
		*(uint64_t *)to = get_le64(bytes);
	}
	return 0;
}

static int read_bool(struct reader *reader, bool *to)
{
	uint8_t byte = 0;
	int rc = read_bytes(reader, &byte, 1);

	if (rc)
		return rc;
	if (byte > 1)
		return -EBADMSG;
	*to = byte;
	return 0;
}

static int read_text(struct reader *reader, char *text, size_t size)
{
	uint16_t len = 0;
	int rc = read_uint(reader, &len, sizeof(len));

	if (rc)
		return rc;
	if (len >= size)
		return -EBADMSG;
	rc = read_bytes(reader, text, len);
	if (rc)
		return rc;
	text[len] = 0;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return -EBADMSG;
	}
	return utf8_is_valid(text) ? 0 : -EBADMSG;
}

/* The fewest bytes that a struct takes on the wire: bounds what a count may make us allocate. */
static size_t bytes_min(const struct wire_layout *layout)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < layout->field_count; i++) {
		const struct wire_field *field = &layout->fields[i];

		if (field->kind == WIRE_FIELD_TEXT)
			bytes += 2;
		else if (field->kind == WIRE_FIELD_STRUCT)
			bytes += bytes_min(field->items);
		else if (field->kind == WIRE_FIELD_LIST || field->kind == WIRE_FIELD_ARRAY)
			bytes += 4;
		else
			bytes += field->size;
	}
	return bytes;
}

static int read_struct(struct reader *reader, const struct wire_layout *layout, uint8_t *base);

static int read_items(struct reader *reader, const struct wire_field *field, uint8_t *base)
{
	uint32_t *count_here = (uint32_t *)(void *)(base + field->count_offset);
	uint8_t *items = base + field->offset;
	uint32_t count = 0;
	int rc = read_uint(reader, &count, sizeof(count));

	if (rc)
		return rc;
	if (count > field->size || count > reader->left / bytes_min(field->items))
		return -EBADMSG;
	if (field->kind == WIRE_FIELD_LIST && count) {
		items = mem_alloc_zeroed(count * field->items->size);
		if (!items)
			return -ENOMEM;
		*(uint8_t **)(void *)(base + field->offset) = items;
	}
	*count_here = count;
	for (uint32_t i = 0; i < count && !rc; i++)
		rc = read_struct(reader, field->items, items + i * field->items->size);
	return rc;
}

static int read_field(struct reader *reader, const struct wire_field *field, uint8_t *base)
{
	uint8_t *to = base + field->offset;

	switch (field->kind) {
	case WIRE_FIELD_UINT:
		return read_uint(reader, to, field->size);
	case WIRE_FIELD_BOOL:
		return read_bool(reader, (bool *)to);
	case WIRE_FIELD_BYTES:
		return read_bytes(reader, to, field->size);
	case WIRE_FIELD_TEXT:
		return read_text(reader, (char *)to, field->size);
	case WIRE_FIELD_STRUCT:
		return read_struct(reader, field->items, to);
	case WIRE_FIELD_LIST:
	case WIRE_FIELD_ARRAY:
		return read_items(reader, field, base);
	}
	abort();		/* no kind of field */
}

static int read_struct(struct reader *reader, const struct wire_layout *layout, uint8_t *base)
{
	int rc = 0;

	for (unsigned i = 0; i < layout->field_count && !rc; i++)
		rc = read_field(reader, &layout->fields[i], base);
	return rc;
}

int wire_decode(const struct wire_layout *layout, const uint8_t *from, size_t len, void *message)
{
	struct reader reader = { .from = from, .left = len };
	int rc;

	memset(message, 0, layout->size);
	rc = read_struct(&reader, layout, message);
	if (!rc && reader.left)
		rc = -EBADMSG;
	if (rc)
		wire_free(layout, message);
	return rc;
}

/* ---- freeing ---- */

static void free_lists(const struct wire_layout *layout, uint8_t *base)
{
	for (unsigned i = 0; i < layout->field_count; i++) {
		const struct wire_field *field = &layout->fields[i];
		uint8_t *items;

		if (field->kind == WIRE_FIELD_STRUCT)
			free_lists(field->items, base + field->offset);
		if (field->kind != WIRE_FIELD_LIST)
			continue;
		items = *(uint8_t **)(void *)(base + field->offset);
		for (uint32_t n = 0; items && n < *(uint32_t *)(void *)(base + field->count_offset); n++)
			free_lists(field->items, items + n * field->items->size);
		mem_free(items);
	}
}

void wire_free(const struct wire_layout *layout, void *message)
{
	free_lists(layout, message);
	memset(message, 0, layout->size);
}

size_t wire_struct_size(const struct wire_layout *layout)
{
	return layout->size;
}
