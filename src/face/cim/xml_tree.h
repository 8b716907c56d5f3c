/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xml_tree.h - an XML document that comes in piece by piece, as a tree in an arena. Well-formedness is libxml2's
 * affair; here are the limits: depth, attributes, and by the arena the size. No document type is loaded, no entity of
 * one is known: those that a document declares make it a bad one. Names of elements and attributes are as they came.
 */
#ifndef XDC_FACE_CIM_XML_TREE_H
#define XDC_FACE_CIM_XML_TREE_H

#include "face/cim/arena.h"

#define XML_DEPTH_MAX		32u
#define XML_ATTRIBUTES_MAX	16u

struct xml_attribute {
	const char *name, *value;
	struct xml_attribute *next;
};

struct xml_node {
	const char *name;
	const char *text;		/* all of it between its tags, without that of its children; never NULL */
	struct xml_attribute *attributes;
	struct xml_node *parent, *first, *last, *next;
};

/* The value of an attribute, or NULL; the first child, and the next sibling, of this name, or NULL. */
const char *xml_attribute(const struct xml_node *node, const char *name);
const struct xml_node *xml_child(const struct xml_node *node, const char *name);
const struct xml_node *xml_next(const struct xml_node *node, const char *name);

struct xml_reader;

/* The tree will live in the arena, which outlives the reader. NULL: no memory. */
struct xml_reader *xml_reader_create(struct cim_arena *arena);
void xml_reader_free(struct xml_reader *reader);	/* NULL is allowed */

/* Bytes of the document. After its end: the tree. -EBADMSG: no good XML, or not whole; -EMSGSIZE: beyond a limit. */
int xml_reader_feed(struct xml_reader *reader, const char *bytes, size_t len);
int xml_reader_end(struct xml_reader *reader, const struct xml_node **root);

#endif
