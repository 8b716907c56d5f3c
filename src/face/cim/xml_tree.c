/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/xml_tree.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include "rt/mem.h"

/* Text comes in pieces: each element that is open gathers its own. */
struct open_element {
	struct xml_node *node;
	char *text;
	size_t used, room;
};

struct xml_reader {
	struct cim_arena *arena;
	xmlParserCtxtPtr parser;
	struct xml_node *root;
	struct open_element open[XML_DEPTH_MAX];
	unsigned depth;
	int error;			/* the first */
};

const char *xml_attribute(const struct xml_node *node, const char *name)
{
	for (const struct xml_attribute *attribute = node->attributes; attribute; attribute = attribute->next)
		if (!strcmp(attribute->name, name))
			return attribute->value;
	return NULL;
}

const struct xml_node *xml_next(const struct xml_node *node, const char *name)
{
	for (node = node->next; node; node = node->next)
		if (!strcmp(node->name, name))
			return node;
	return NULL;
}

const struct xml_node *xml_child(const struct xml_node *node, const char *name)
{
	if (!node->first || !strcmp(node->first->name, name))
		return node->first;
	return xml_next(node->first, name);
}

/* ---- what libxml2 tells ---- */

static void fail(struct xml_reader *reader, int error)
{
	if (!reader->error)
		reader->error = error;
	xmlStopParser(reader->parser);
}

static int add_attributes(struct xml_reader *reader, struct xml_node *node, const xmlChar **attributes)
{
	struct xml_attribute **place = &node->attributes;

	for (unsigned i = 0; attributes && attributes[i]; i += 2) {
		struct xml_attribute *attribute = arena_take(reader->arena, sizeof(*attribute));

		if (!attribute || i == 2 * XML_ATTRIBUTES_MAX)
			return -EMSGSIZE;
		attribute->name = arena_copy(reader->arena, (const char *)attributes[i]);
		attribute->value = arena_copy(reader->arena, attributes[i + 1] ? (const char *)attributes[i + 1] : "");
		if (!attribute->name || !attribute->value)
			return -EMSGSIZE;
		*place = attribute;
		place = &attribute->next;
	}
	return 0;
}

static void append(struct xml_node *parent, struct xml_node *node)
{
	node->parent = parent;
	if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
}

static void element_begins(void *context, const xmlChar *name, const xmlChar **attributes)
{
	struct xml_reader *reader = context;
	struct xml_node *node = NULL;

	if (reader->error)
		return;
	if (reader->depth < XML_DEPTH_MAX)
		node = arena_take(reader->arena, sizeof(*node));
	if (!node)
		return fail(reader, -EMSGSIZE);
	node->text = "";
	node->name = arena_copy(reader->arena, (const char *)name);
	if (!node->name || add_attributes(reader, node, attributes))
		return fail(reader, -EMSGSIZE);
	if (reader->depth)
		append(reader->open[reader->depth - 1].node, node);
	else
		reader->root = node;
	reader->open[reader->depth++] = (struct open_element){ .node = node };
}

static void element_ends(void *context, const xmlChar *name)
{
	struct xml_reader *reader = context;
	struct open_element *open;

	(void)name;
	if (reader->error || !reader->depth)
		return;
	open = &reader->open[--reader->depth];
	if (open->text)
		open->node->text = open->text;
}

/* Doubles its room: what was outgrown stays in the arena, at most as much again. */
static void text_comes(void *context, const xmlChar *bytes, int len)
{
	struct xml_reader *reader = context;
	struct open_element *open;
	size_t need;

	if (reader->error || !reader->depth)
		return;
	open = &reader->open[reader->depth - 1];
	need = open->used + (size_t)len + 1;
	if (need > open->room) {
		size_t room = need < 64 ? 64 : need * 2;
		char *text = arena_take(reader->arena, room);

		if (!text)
			return fail(reader, -EMSGSIZE);
		if (open->used)
			memcpy(text, open->text, open->used);
		open->text = text;
		open->room = room;
	}
	memcpy(open->text + open->used, bytes, (size_t)len);
	open->used += (size_t)len;
	open->text[open->used] = '\0';
}

static xmlEntityPtr find_entity(void *context, const xmlChar *name)
{
	(void)context;
	return xmlGetPredefinedEntity(name);
}

static void entity_declared(void *context, const xmlChar *name, int type, const xmlChar *public_id,
			    const xmlChar *system_id, xmlChar *content)
{
	(void)name;
	(void)type;
	(void)public_id;
	(void)system_id;
	(void)content;
	fail(context, -EBADMSG);
}

static void entity_unknown(void *context, const xmlChar *name)
{
	(void)name;
	fail(context, -EBADMSG);
}

__attribute__((format(printf, 2, 3)))
static void say_nothing(void *context, const char *format, ...)
{
	(void)context;
	(void)format;
}

/* ---- the reader ---- */

struct xml_reader *xml_reader_create(struct cim_arena *arena)
{
	struct xml_reader *reader = mem_alloc_zeroed(sizeof(*reader));
	xmlSAXHandler handler = {
		.startElement = element_begins, .endElement = element_ends, .characters = text_comes,
		.ignorableWhitespace = text_comes, .cdataBlock = text_comes, .getEntity = find_entity,
		.entityDecl = entity_declared, .reference = entity_unknown,
		.warning = say_nothing, .error = say_nothing, .fatalError = say_nothing,
	};

	if (!reader)
		return NULL;
	reader->arena = arena;
	reader->parser = xmlCreatePushParserCtxt(&handler, reader, NULL, 0, NULL);
	if (!reader->parser) {
		mem_free(reader);
		return NULL;
	}
	xmlCtxtUseOptions(reader->parser, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	return reader;
}

void xml_reader_free(struct xml_reader *reader)
{
	if (!reader)
		return;
	if (reader->parser->myDoc)
		xmlFreeDoc(reader->parser->myDoc);
	xmlFreeParserCtxt(reader->parser);
	mem_free(reader);
}

static int parse(struct xml_reader *reader, const char *bytes, size_t len, int ends)
{
	if (!reader->error && xmlParseChunk(reader->parser, bytes, (int)len, ends) != XML_ERR_OK && !reader->error)
		reader->error = -EBADMSG;
	return reader->error;
}

int xml_reader_feed(struct xml_reader *reader, const char *bytes, size_t len)
{
	int rc = reader->error;

	while (rc == 0 && len) {
		size_t piece = len < 65536 ? len : 65536;

		rc = parse(reader, bytes, piece, 0);
		bytes += piece;
		len -= piece;
	}
	return rc;
}

int xml_reader_end(struct xml_reader *reader, const struct xml_node **root)
{
	int rc = parse(reader, NULL, 0, 1);

	if (rc == 0 && (!reader->parser->wellFormed || !reader->root || reader->depth))
		rc = -EBADMSG;
	if (rc == 0)
		*root = reader->root;
	return rc;
}
