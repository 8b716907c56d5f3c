/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/instance.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#define NS_A_US	1000

/* ---- instances ---- */

struct cim_instance *cim_instance_new(struct cim_arena *arena, enum cim_namespace ns,
				      const struct cim_schema_class *class)
{
	struct cim_instance *instance = arena_take(arena, sizeof(*instance));

	if (!instance)
		return NULL;
	instance->ns = ns;
	instance->class = class;
	instance->values = arena_take(arena, (class->property_count + 1) * sizeof(*instance->values));
	if (!instance->values)
		return NULL;
	for (unsigned i = 0; i < class->property_count; i++)
		instance->values[i] = (struct cim_value){
			.type = class->properties[i]->type, .is_array = class->properties[i]->is_array, .is_null = true,
		};
	return instance;
}

struct cim_value *cim_instance_value(const struct cim_instance *instance, const char *property)
{
	for (unsigned i = 0; i < instance->class->property_count; i++)
		if (!strcasecmp(instance->class->properties[i]->name, property))
			return &instance->values[i];
	return NULL;
}

const struct cim_path *cim_instance_path(struct cim_arena *arena, const struct cim_instance *instance)
{
	struct cim_path *path = cim_path_new(arena, instance->ns, instance->class);
	unsigned key = 0;

	if (!path)
		return NULL;
	/* cim_path_new takes keys in the order of the properties. */
	for (unsigned i = 0; i < instance->class->property_count; i++)
		if (instance->class->properties[i]->is_key) {
			path->keys[key].value = instance->values[i].one;
			path->keys[key++].value.is_null = instance->values[i].is_null;
		}
	return path;
}

/* ---- values ---- */

static bool is_one(struct cim_value *value, enum cim_type type)
{
	assert(value->type == type && !value->is_array);
	value->is_null = false;
	value->one.is_null = false;
	return true;
}

void cim_set_text(struct cim_value *value, const char *text)
{
	if (text && is_one(value, CIM_TYPE_STRING))
		value->one.text = text;
}

void cim_set_number(struct cim_value *value, uint64_t number)
{
	assert(value->type >= CIM_TYPE_UINT8 && value->type <= CIM_TYPE_SINT64);
	if (is_one(value, value->type))
		value->one.number = number;
}

void cim_set_flag(struct cim_value *value, bool flag)
{
	if (is_one(value, CIM_TYPE_BOOLEAN))
		value->one.boolean = flag;
}

void cim_set_time(struct cim_value *value, int64_t wall_ns)
{
	if (wall_ns && is_one(value, CIM_TYPE_DATETIME))
		value->one.datetime = (struct cim_datetime){ .us = wall_ns / NS_A_US };
}

void cim_set_interval(struct cim_value *value, int64_t ns)
{
	if (ns >= 0 && is_one(value, CIM_TYPE_DATETIME))
		value->one.datetime = (struct cim_datetime){ .us = ns / NS_A_US, .is_interval = true };
}

void cim_set_path(struct cim_value *value, const struct cim_path *path)
{
	if (path && is_one(value, CIM_TYPE_REFERENCE))
		value->one.path = path;
}

static struct cim_scalar *begin_array(struct cim_arena *arena, struct cim_value *value, unsigned count)
{
	struct cim_scalar *list = arena_take(arena, (count + 1) * sizeof(*list));

	assert(value->is_array);
	if (!list)
		return NULL;
	value->is_null = false;
	value->count = count;
	value->list = list;
	return list;
}

void cim_set_numbers(struct cim_arena *arena, struct cim_value *value, const uint16_t *numbers, unsigned count)
{
	struct cim_scalar *list = begin_array(arena, value, count);

	for (unsigned i = 0; list && i < count; i++)
		list[i].number = numbers[i];
}

void cim_set_texts(struct cim_arena *arena, struct cim_value *value, const char *const *texts, unsigned count)
{
	struct cim_scalar *list = begin_array(arena, value, count);

	assert(value->type == CIM_TYPE_STRING);
	for (unsigned i = 0; list && i < count; i++) {
		list[i].text = texts[i];
		list[i].is_null = !texts[i];
	}
}

/* ---- writing ---- */

static bool is_wanted(const struct cim_instance_wishes *wishes, const char *name)
{
	if (wishes->top && !cim_schema_find_property(wishes->top, name))
		return false;
	if (!wishes->properties.given)
		return true;
	for (unsigned i = 0; i < wishes->properties.count; i++)
		if (!strcasecmp(wishes->properties.names[i], name))
			return true;
	return false;
}

static const char *element_of(const struct cim_schema_property *property)
{
	return property->type == CIM_TYPE_REFERENCE ? "PROPERTY.REFERENCE" :
	       property->is_array ? "PROPERTY.ARRAY" : "PROPERTY";
}

/* Names of the schema need no escaping. */
static void put_before(struct xml_text *text, const struct cim_schema_property *property, bool class_origin)
{
	xml_put(text, "<");
	xml_put(text, element_of(property));
	xml_put_attribute(text, "NAME", property->name);
	if (property->type != CIM_TYPE_REFERENCE)
		xml_put_attribute(text, "TYPE", cim_type_name(property->type));
	else if (property->reference_class)
		xml_put_attribute(text, "REFERENCECLASS", property->reference_class);
	if (class_origin)
		xml_put_attribute(text, "CLASSORIGIN", property->origin->name);
	/* Arrays of such have no values here, and not all clients read the attribute of an array. */
	if (property->type == CIM_TYPE_STRING && !property->is_array) {
		if (cim_schema_find_qualifier(&property->qualifiers, "EmbeddedInstance"))
			xml_put_attribute(text, "EmbeddedObject", "instance");
		else if (cim_schema_find_qualifier(&property->qualifiers, "EmbeddedObject"))
			xml_put_attribute(text, "EmbeddedObject", "object");
	}
	xml_put(text, ">");
}

static void put_after(struct xml_text *text, const struct cim_schema_property *property)
{
	xml_put(text, "</");
	xml_put(text, element_of(property));
	xml_put(text, ">");
}

/* What is in the text, which is empty then. */
static const char *take_text(struct cim_arena *arena, struct xml_text *text)
{
	const char *taken = text->failed ? NULL : arena_copy_bytes(arena, text->bytes, text->used);

	text->used = 0;
	return taken;
}

bool cim_instance_form_make(struct cim_arena *arena, const struct cim_schema_class *class,
			    const struct cim_instance_wishes *wishes, struct cim_instance_form *form)
{
	struct xml_text text;

	form->class = class;
	form->before = arena_take(arena, (class->property_count + 1) * sizeof(*form->before));
	form->after = arena_take(arena, (class->property_count + 1) * sizeof(*form->after));
	if (!form->before || !form->after)
		return false;
	xml_text_init(&text, arena->limit_bytes);
	for (unsigned i = 0; i < class->property_count; i++) {
		const struct cim_schema_property *property = class->properties[i];

		if (!is_wanted(wishes, property->name))
			continue;
		put_before(&text, property, wishes->class_origin);
		form->before[i] = take_text(arena, &text);
		put_after(&text, property);
		form->after[i] = take_text(arena, &text);
	}
	if (text.failed)
		arena->failed = true;
	xml_text_free(&text);
	return !arena->failed;
}

void xml_put_instance(struct xml_text *text, const struct cim_instance *instance,
		      const struct cim_instance_form *form)
{
	const struct cim_schema_class *class = instance->class;

	assert(!form || form->class == class);
	xml_put(text, "<INSTANCE CLASSNAME=\"");
	xml_put(text, class->name);
	xml_put(text, "\">");
	for (unsigned i = 0; i < class->property_count; i++) {
		if (form && !form->before[i])
			continue;
		if (form)
			xml_put(text, form->before[i]);
		else
			put_before(text, class->properties[i], false);
		xml_put_value(text, &instance->values[i]);
		if (form)
			xml_put(text, form->after[i]);
		else
			put_after(text, class->properties[i]);
	}
	xml_put(text, "</INSTANCE>");
}
