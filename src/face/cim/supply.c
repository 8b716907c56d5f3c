/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/supply.h"

/* ---- writing ---- */

/* Made once for a class. NULL: the arena is full. */
static const struct cim_instance_form *find_form(struct cim_writer *writer, const struct cim_schema_class *class)
{
	struct cim_instance_form *form = writer->forms;

	while (form && form->class != class)
		form = form->next;
	if (form)
		return form;
	form = arena_take(writer->arena, sizeof(*form));
	if (!form || !cim_instance_form_make(writer->arena, class, &writer->wishes, form))
		return NULL;
	form->next = writer->forms;
	writer->forms = form;
	return form;
}

static bool put_instance(struct cim_writer *writer, struct xml_text *text, const struct cim_instance *instance)
{
	const struct cim_instance_form *form = find_form(writer, instance->class);

	if (form)
		xml_put_instance(text, instance, form);
	return form;
}

bool cim_writer_put(struct cim_writer *writer, struct xml_text *text, const struct cim_item *item)
{
	bool put = true;

	switch (writer->form) {
	case CIM_ITEM_NAME:
		xml_put_path_name(text, item->path);
		return true;
	case CIM_ITEM_INSTANCE_PATH:
		xml_put_path_full(text, item->path, writer->host);
		return true;
	case CIM_ITEM_OBJECT_PATH:
		xml_put(text, "<OBJECTPATH>");
		xml_put_path_full(text, item->path, writer->host);
		xml_put(text, "</OBJECTPATH>");
		return true;
	case CIM_ITEM_NAMED_INSTANCE:
		xml_put(text, "<VALUE.NAMEDINSTANCE>");
		xml_put_path_name(text, item->path);
		put = put_instance(writer, text, item->instance);
		xml_put(text, "</VALUE.NAMEDINSTANCE>");
		return put;
	case CIM_ITEM_VALUE_OBJECT:
		xml_put(text, "<VALUE.OBJECT>");
		put = put_instance(writer, text, item->instance);
		xml_put(text, "</VALUE.OBJECT>");
		return put;
	case CIM_ITEM_OBJECT:
		xml_put(text, "<VALUE.OBJECTWITHPATH>");
		xml_put_path_full(text, item->path, writer->host);
		put = put_instance(writer, text, item->instance);
		xml_put(text, "</VALUE.OBJECTWITHPATH>");
		return put;
	case CIM_ITEM_INSTANCE:
		return put_instance(writer, text, item->instance);
	case CIM_ITEM_INSTANCE_WITH_PATH:
		xml_put(text, "<VALUE.INSTANCEWITHPATH>");
		xml_put_path_full(text, item->path, writer->host);
		put = put_instance(writer, text, item->instance);
		xml_put(text, "</VALUE.INSTANCEWITHPATH>");
		return put;
	}
	return put;
}

/* ---- the instances of a class ---- */

static bool next_of_class(void *arg, struct cim_item *item, struct cim_failure *failure)
{
	struct cim_walk *walk = arg;

	item->instance = cim_walk_next(walk, failure);
	if (!item->instance)
		return false;
	item->path = cim_walk_path(walk, item->instance);
	return item->path || cim_fail(failure, CIM_ERR_FAILED, "out of memory");
}

static void end_of_class(void *arg)
{
	cim_walk_end(arg);
}

bool cim_supply_class(struct cim_arena *arena, struct cim_engine *engine, enum cim_namespace ns,
		      const struct cim_schema_class *top, struct cim_supply *supply)
{
	struct cim_walk *walk = cim_walk_begin(arena, engine, ns, top);

	*supply = (struct cim_supply){ next_of_class, end_of_class, walk };
	return walk != NULL;
}
