/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supply.h - a run of instances or paths that an operation answers with, one after the other, however they are found:
 * by walking over a class, along associations, by a query. Answers and the pull family take from it alike.
 */
#ifndef XDC_FACE_CIM_SUPPLY_H
#define XDC_FACE_CIM_SUPPLY_H

#include "face/cim/view.h"

/* Both stay until the next one. */
struct cim_item {
	const struct cim_path *path;		/* never NULL */
	const struct cim_instance *instance;	/* NULL: only paths are supplied */
};

struct cim_supply {
	/* false: there are no more, or failure->code says what went wrong. Not on a reactor; may wait for one. */
	bool (*next)(void *arg, struct cim_item *item, struct cim_failure *failure);
	void (*end)(void *arg);		/* gives back what it took beyond the arena; once, also in the middle */
	void *arg;
};

/* What elements the items become. */
enum cim_item_form {
	CIM_ITEM_NAMED_INSTANCE,	/* VALUE.NAMEDINSTANCE: EnumerateInstances */
	CIM_ITEM_NAME,			/* INSTANCENAME: EnumerateInstanceNames */
	CIM_ITEM_VALUE_OBJECT,		/* VALUE.OBJECT: ExecQuery */
	CIM_ITEM_OBJECT,		/* VALUE.OBJECTWITHPATH: Associators, References */
	CIM_ITEM_OBJECT_PATH,		/* OBJECTPATH: AssociatorNames, ReferenceNames */
	CIM_ITEM_INSTANCE_WITH_PATH,	/* VALUE.INSTANCEWITHPATH: PullInstancesWithPath */
	CIM_ITEM_INSTANCE_PATH,		/* INSTANCEPATH: PullInstancePaths */
	CIM_ITEM_INSTANCE,		/* INSTANCE: PullInstances */
};

/* How items are written for one request, or one open enumeration. */
struct cim_writer {
	struct cim_arena *arena;
	enum cim_item_form form;
	const char *host;
	struct cim_instance_wishes wishes;
	struct cim_instance_form *forms;	/* of the classes that came */
};

/* false: the arena is full. */
bool cim_writer_put(struct cim_writer *writer, struct xml_text *text, const struct cim_item *item);

/* All of the class and below it. false: the arena is full. */
bool cim_supply_class(struct cim_arena *arena, struct cim_engine *engine, enum cim_namespace ns,
		      const struct cim_schema_class *top, struct cim_supply *supply);

#endif
