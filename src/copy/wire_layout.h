/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire_layout.h - how a struct's fields go over the wire: the tables of wire_message.c, walked by wire_codec.c.
 * Nobody else includes this.
 */
#ifndef XDC_COPY_WIRE_LAYOUT_H
#define XDC_COPY_WIRE_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

enum wire_field_kind {
	WIRE_FIELD_UINT,	/* 1, 2, 4 or 8 bytes, little-endian */
	WIRE_FIELD_BOOL,	/* a byte, 0 or 1 */
	WIRE_FIELD_BYTES,	/* so many bytes as they are */
	WIRE_FIELD_TEXT,	/* u16 length, then that many printable characters; in memory with a zero behind */
	WIRE_FIELD_STRUCT,	/* its fields, one after the other */
	WIRE_FIELD_LIST,	/* u32 count, then the items; in memory a count and a pointer */
	WIRE_FIELD_ARRAY,	/* the same on the wire; in memory a count and the items themselves */
};

struct wire_field {
	const char *name;
	enum wire_field_kind kind;
	uint32_t size;				/* in memory; of LIST and ARRAY: the items allowed */
	size_t offset;				/* in the struct; LIST: of the pointer; ARRAY: of the items */
	size_t count_offset;			/* LIST, ARRAY: of the uint32_t */
	const struct wire_layout *items;	/* STRUCT, LIST, ARRAY */
};

struct wire_layout {
	const char *name;
	size_t size;				/* of the struct */
	unsigned field_count;
	const struct wire_field *fields;
};

#endif
