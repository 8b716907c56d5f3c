/* SPDX-License-Identifier: Apache-2.0 */
/* The text, and the frame of responses. */
#include "face/cim/xml_write.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "rt/mem.h"
#include "rt/utf8.h"

#define ROOM_FIRST	4096u
#define PASS_BYTES	65536u

void xml_text_init(struct xml_text *text, size_t limit)
{
	*text = (struct xml_text){ .limit = limit };
}

void xml_text_free(struct xml_text *text)
{
	mem_free(text->bytes);
	*text = (struct xml_text){ 0 };
}

static bool make_room(struct xml_text *text, size_t len)
{
	size_t room = text->room ? text->room : ROOM_FIRST;
	char *bytes;

	if (text->failed || len > text->limit - text->used) {
		text->failed = true;
		return false;
	}
	if (text->room - text->used >= len)
		return true;
	while (room - text->used < len)
		room *= 2;
	bytes = mem_resize(text->bytes, room);
	if (!bytes) {
		text->failed = true;
		return false;
	}
	text->bytes = bytes;
	text->room = room;
	return true;
}

bool xml_flush(struct xml_text *text)
{
	if (text->failed || !text->sink || text->used < PASS_BYTES)
		return !text->failed;
	text->passed = true;
	if (text->sink(text->sink_arg))
		text->used = 0;
	else
		text->failed = true;
	return !text->failed;
}

void xml_put_bytes(struct xml_text *text, const char *bytes, size_t len)
{
	if (!make_room(text, len))
		return;
	memcpy(text->bytes + text->used, bytes, len);
	text->used += len;
}

void xml_put(struct xml_text *text, const char *bytes)
{
	xml_put_bytes(text, bytes, strlen(bytes));
}

/* NULL: it stands for itself. Line breaks are kept from being made spaces of in attributes. */
static const char *escape(unsigned char byte)
{
	switch (byte) {
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '&': return "&amp;";
	case '"': return "&quot;";
	case '\'': return "&apos;";
	case '\t': return "&#9;";
	case '\n': return "&#10;";
	case '\r': return "&#13;";
	default: return byte < 0x20 || byte == 0x7f ? "?" : NULL;
	}
}

void xml_put_escaped(struct xml_text *text, const char *value)
{
	const char *plain = value;

	for (; *value; value++) {
		const char *escaped = escape((unsigned char)*value);

		if (!escaped)
			continue;
		xml_put_bytes(text, plain, (size_t)(value - plain));
		xml_put(text, escaped);
		plain = value + 1;
	}
	xml_put(text, plain);
}

void xml_put_attribute(struct xml_text *text, const char *name, const char *value)
{
	xml_put(text, " ");
	xml_put(text, name);
	xml_put(text, "=\"");
	xml_put_escaped(text, value);
	xml_put(text, "\"");
}

/* ---- responses ---- */

/* Operations that the DTD 2.3 does not know. */
static bool needs_dtd_24(const struct cim_request *request)
{
	return !strncasecmp(request->operation, "Open", 4) || !strncasecmp(request->operation, "Pull", 4);
}

static void begin_message(struct xml_text *text, const struct cim_request *request)
{
	xml_put(text, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<CIM CIMVERSION=\"2.0\" DTDVERSION=\"");
	xml_put(text, needs_dtd_24(request) ? "2.4" : "2.3");
	xml_put(text, "\"><MESSAGE");
	xml_put_attribute(text, "ID", request->id);
	xml_put(text, " PROTOCOLVERSION=\"1.0\"><SIMPLERSP>");
	xml_put(text, request->is_extrinsic ? "<METHODRESPONSE" : "<IMETHODRESPONSE");
	xml_put_attribute(text, "NAME", request->operation);
	xml_put(text, ">");
}

static void end_message(struct xml_text *text, const struct cim_request *request)
{
	xml_put(text, request->is_extrinsic ? "</METHODRESPONSE>" : "</IMETHODRESPONSE>");
	xml_put(text, "</SIMPLERSP></MESSAGE></CIM>\n");
}

void xml_begin_response(struct xml_text *text, const struct cim_request *request)
{
	begin_message(text, request);
	xml_put(text, "<IRETURNVALUE>");
}

void xml_end_response(struct xml_text *text, const struct cim_request *request)
{
	xml_put(text, "</IRETURNVALUE>");
	end_message(text, request);
}

void xml_begin_method_response(struct xml_text *text, const struct cim_request *request)
{
	begin_message(text, request);
}

void xml_end_method_response(struct xml_text *text, const struct cim_request *request)
{
	end_message(text, request);
}

void xml_end_pull_response(struct xml_text *text, const struct cim_request *request, const char *context)
{
	xml_put(text, "</IRETURNVALUE>");
	if (context) {
		xml_put(text, "<PARAMVALUE NAME=\"EnumerationContext\" PARAMTYPE=\"string\"><VALUE>");
		xml_put_escaped(text, context);
		xml_put(text, "</VALUE></PARAMVALUE>");
	}
	xml_put(text, "<PARAMVALUE NAME=\"EndOfSequence\" PARAMTYPE=\"boolean\"><VALUE>");
	xml_put(text, context ? "FALSE" : "TRUE");
	xml_put(text, "</VALUE></PARAMVALUE>");
	end_message(text, request);
}

void xml_put_error(struct xml_text *text, const struct cim_request *request, const struct cim_failure *failure)
{
	char code[16], sentence[sizeof(failure->text)];

	snprintf(code, sizeof(code), "%d", (int)failure->code);
	/* It may have been cut in the middle of a character. */
	snprintf(sentence, sizeof(sentence), "%s", failure->text);
	utf8_repair(sentence);
	begin_message(text, request);
	xml_put(text, "<ERROR");
	xml_put_attribute(text, "CODE", code);
	xml_put_attribute(text, "DESCRIPTION", sentence);
	xml_put(text, "/>");
	end_message(text, request);
}
