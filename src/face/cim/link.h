/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.h - associations that follow from the instances at one of their ends: a volume says which system and which
 * pool it is of. A link names the class of those ends and how the other ends follow from each; enumerating the
 * association, finding one instance of it and walking along it from either end all ask that one function.
 *
 * To add an association: if its instances have rows of their own it is a view; else it is a line in a list of links.
 */
#ifndef XDC_FACE_CIM_LINK_H
#define XDC_FACE_CIM_LINK_H

#include "face/cim/view.h"

/* An instance at the end that is known, with the row that its view made it of. */
struct cim_end {
	const struct cim_instance *instance;
	const struct cim_path *path;
	const struct cim_view *view;
	const void *row;		/* NULL where the view has no source */
};

/*
 * The path of the other end number index, in the arena of the place (whose class is the association). NULL: there are
 * no more. There is such an instance; it may be in another namespace when the association is in interop.
 */
typedef const struct cim_path *cim_other(const struct cim_place *place, const struct cim_end *end, unsigned index);

struct cim_link {
	const char *class_name;
	unsigned namespaces;		/* of the association and of the ends `from` */
	const char *from, *from_role;	/* these instances, and of classes below, as this reference; */
	const char *to, *to_role;	/* the other ends are of this class or below it */
	cim_other *other;
	const struct cim_column *columns;	/* what else the association has, of the row of `from`; may be NULL */
};

/* The same in root/ibm and in root/cimv2/storage/iscsitarget, between classes that both have something below. */
#define CIM_LINK_TWINS(name, from, from_role, to, to_role, other, columns) \
	{ "IBMTSESS_" name, CIM_IN(IBM), from, from_role, to, to_role, other, columns }, \
	{ "MSISCSITARGET_" name, CIM_IN(ISCSITARGET), from, from_role, to, to_role, other, columns }

/* All there are: lists ended by an empty link. */
extern const struct cim_link *const cim_links[];
extern const unsigned cim_link_list_count;

/* As cim_views_check. */
const char *cim_links_check(void);

/* The link after this one (NULL: the first; *list is its list). NULL: that was the last. */
const struct cim_link *cim_link_next(const struct cim_link *link, unsigned *list);

/* ---- for view.c: a walk over the associations of one link ---- */

struct cim_link_walk;

/* source: only associations that may have that end; NULL: all. NULL: the arena is full. */
struct cim_link_walk *cim_link_walk_begin(struct cim_arena *arena, struct cim_engine *engine, enum cim_namespace ns,
					  const struct cim_link *link, const struct cim_path *source);

/* The next one, in the scratch arena. NULL: there are no more, or failure. */
const struct cim_instance *cim_link_walk_next(struct cim_link_walk *walk, struct cim_arena *scratch,
					      struct cim_failure *failure);

/* The end `from` of the last one. */
const struct cim_end *cim_link_walk_from(const struct cim_link_walk *walk);
void cim_link_walk_end(struct cim_link_walk *walk);

/* The association of that path among those of the link. NULL: there is none, or failure. */
const struct cim_instance *cim_link_get(struct cim_arena *arena, struct cim_engine *engine,
					const struct cim_link *link, const struct cim_path *path,
					struct cim_failure *failure);

#endif
