/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c - what is asked of the tables that tools/mofc makes: all by name, in bounded time. */
#include "face/cim/schema.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "face/cim/schema_tables.h"

int cim_schema_find_namespace(const char *name)
{
	if (!strcasecmp(name, "root/interop"))
		return CIM_NAMESPACE_INTEROP;
	for (int i = 0; i < CIM_NAMESPACE_COUNT; i++)
		if (!strcasecmp(name, cim_schema_namespaces[i]))
			return i;
	return -ENOENT;
}

static int compare_class(const void *name, const void *class)
{
	return strcasecmp(name, (*(const struct cim_schema_class *const *)class)->name);
}

const struct cim_schema_class *cim_schema_find_any_class(const char *name)
{
	const struct cim_schema_class *const *found = bsearch(name, cim_schema_classes_by_name, cim_schema_class_count,
							      sizeof(*cim_schema_classes_by_name), compare_class);

	return found ? *found : NULL;
}

const struct cim_schema_class *cim_schema_find_class(enum cim_namespace ns, const char *name)
{
	const struct cim_schema_class *class = cim_schema_find_any_class(name);

	return class && cim_schema_holds(ns, class) ? class : NULL;
}

const struct cim_schema_class *cim_schema_next_class(enum cim_namespace ns, const struct cim_schema_class *top,
						     bool direct, const struct cim_schema_class *after)
{
	unsigned last = top ? top->order_last : cim_schema_class_count - 1;
	unsigned at = top ? top->order + 1 : 0;

	if (after)
		at = 1 + (direct ? after->order_last : after->order);
	/* What is right below follows what is below its elder sibling. */
	for (; at <= last; at = 1 + (direct ? cim_schema_classes[at]->order_last : at))
		if (cim_schema_holds(ns, cim_schema_classes[at]))
			return cim_schema_classes[at];
	return NULL;
}

bool cim_schema_is_named(const struct cim_schema_class *class, const char *ancestor)
{
	const struct cim_schema_class *found = cim_schema_find_any_class(ancestor);

	return found && cim_schema_is_a(class, found);
}

const struct cim_schema_property *cim_schema_find_property(const struct cim_schema_class *class, const char *name)
{
	for (unsigned i = 0; i < class->property_count; i++)
		if (!strcasecmp(class->properties[i]->name, name))
			return class->properties[i];
	return NULL;
}

const struct cim_schema_method *cim_schema_find_method(const struct cim_schema_class *class, const char *name)
{
	for (unsigned i = 0; i < class->method_count; i++)
		if (!strcasecmp(class->methods[i]->name, name))
			return class->methods[i];
	return NULL;
}

const struct cim_schema_parameter *cim_schema_find_parameter(const struct cim_schema_method *method, const char *name)
{
	for (unsigned i = 0; i < method->parameter_count; i++)
		if (!strcasecmp(method->parameters[i].name, name))
			return &method->parameters[i];
	return NULL;
}

const struct cim_schema_qualifier *cim_schema_find_qualifier(const struct cim_schema_qualifiers *qualifiers,
							     const char *name)
{
	for (unsigned i = 0; i < qualifiers->count; i++)
		if (!strcasecmp(qualifiers->list[i].name, name))
			return &qualifiers->list[i];
	return NULL;
}

const struct cim_schema_qualifier_type *cim_schema_find_qualifier_type(const char *name)
{
	for (unsigned i = 0; i < cim_schema_qualifier_type_count; i++)
		if (!strcasecmp(cim_schema_qualifier_types[i].name, name))
			return &cim_schema_qualifier_types[i];
	return NULL;
}

/* Both lists of a value map; false when there is none. */
static bool find_value_map(const struct cim_schema_qualifiers *qualifiers, const struct cim_schema_value **map,
			   const struct cim_schema_value **values)
{
	const struct cim_schema_qualifier *map_found = cim_schema_find_qualifier(qualifiers, "ValueMap");
	const struct cim_schema_qualifier *values_found = cim_schema_find_qualifier(qualifiers, "Values");

	if (!map_found || !values_found || map_found->value.count != values_found->value.count)
		return false;
	*map = &map_found->value;
	*values = &values_found->value;
	return true;
}

/* One entry of a ValueMap: "5", "0x8000..", "6..4095". False: "..", which is what no other entry covers. */
static bool read_range(const char *text, uint64_t *first, uint64_t *last)
{
	const char *dots = strstr(text, "..");

	if (dots == text && !dots[2])
		return false;
	*first = dots == text ? 0 : strtoull(text, NULL, 0);
	*last = *first;
	if (dots)
		*last = dots[2] ? strtoull(dots + 2, NULL, 0) : UINT64_MAX;
	return true;
}

const char *cim_schema_value_name(const struct cim_schema_qualifiers *qualifiers, uint64_t number)
{
	const struct cim_schema_value *map, *values;
	const char *others = NULL;
	uint64_t first, last;

	if (!find_value_map(qualifiers, &map, &values))
		return NULL;
	for (unsigned i = 0; i < map->count; i++)
		if (!read_range(map->list[i], &first, &last))
			others = values->list[i];
		else if (number >= first && number <= last)
			return values->list[i];
	return others;
}

int cim_schema_value_number(const struct cim_schema_qualifiers *qualifiers, const char *name, uint64_t *number)
{
	const struct cim_schema_value *map, *values;
	uint64_t first, last;

	if (!find_value_map(qualifiers, &map, &values))
		return -ENOENT;
	for (unsigned i = 0; i < map->count; i++) {
		if (strcmp(values->list[i], name) || !read_range(map->list[i], &first, &last) || first != last)
			continue;
		*number = first;
		return 0;
	}
	return -ENOENT;
}
