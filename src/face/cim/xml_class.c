/* SPDX-License-Identifier: Apache-2.0 */
/* xml_write.h: classes and qualifier types, as the tables of the schema have them. */
#include "face/cim/xml_write.h"

#include <strings.h>

static const char *flag(bool value)
{
	return value ? "true" : "false";
}

/* Nothing where the value is NULL. */
static void put_value(struct xml_text *text, const struct cim_schema_value *value, bool is_array)
{
	if (!value->list)
		return;
	if (is_array)
		xml_put(text, "<VALUE.ARRAY>");
	for (unsigned i = 0; i < value->count; i++) {
		xml_put(text, "<VALUE>");
		xml_put_escaped(text, value->list[i]);
		xml_put(text, "</VALUE>");
	}
	if (is_array)
		xml_put(text, "</VALUE.ARRAY>");
}

/* Where a qualifier is seen: in this class, of a member that was declared there (NULL: of the class itself). */
struct place {
	const struct cim_schema_class *class, *declared_in;
	const struct xml_class_wishes *wishes;
};

static void put_qualifier(struct xml_text *text, const struct cim_schema_qualifier *qualifier, bool is_propagated)
{
	xml_put(text, "<QUALIFIER");
	xml_put_attribute(text, "NAME", qualifier->name);
	xml_put_attribute(text, "TYPE", cim_type_name(qualifier->type));
	xml_put_attribute(text, "PROPAGATED", flag(is_propagated));
	xml_put_attribute(text, "OVERRIDABLE", flag(qualifier->is_overridable));
	xml_put_attribute(text, "TOSUBCLASS", flag(qualifier->is_to_subclass));
	if (qualifier->is_translatable)
		xml_put_attribute(text, "TRANSLATABLE", "true");
	xml_put(text, ">");
	put_value(text, &qualifier->value, qualifier->is_array);
	xml_put(text, "</QUALIFIER>");
}

static void put_qualifiers(struct xml_text *text, const struct cim_schema_qualifiers *qualifiers,
			   const struct place *place)
{
	if (!place->wishes->qualifiers)
		return;
	for (unsigned i = 0; i < qualifiers->count; i++) {
		const struct cim_schema_qualifier *qualifier = &qualifiers->list[i];
		bool is_own = !place->declared_in || place->declared_in == place->class;
		bool is_propagated = qualifier->is_propagated || !is_own;

		if (!is_own && !cim_schema_shows(qualifier, place->class, place->declared_in))
			continue;
		if (!place->declared_in && place->wishes->local_only && is_propagated)
			continue;
		put_qualifier(text, qualifier, is_propagated);
	}
}

/* Of a property or method: who brought it, and whether it comes from above. */
static void put_origin(struct xml_text *text, const struct cim_schema_class *origin, const struct place *place)
{
	if (place->wishes->class_origin)
		xml_put_attribute(text, "CLASSORIGIN", origin->name);
	xml_put_attribute(text, "PROPAGATED", flag(place->declared_in != place->class));
}

static void put_property(struct xml_text *text, const struct cim_schema_property *property, const struct place *place)
{
	const char *element = property->type == CIM_TYPE_REFERENCE ? "PROPERTY.REFERENCE" :
			      property->is_array ? "PROPERTY.ARRAY" : "PROPERTY";

	xml_put(text, "<");
	xml_put(text, element);
	xml_put_attribute(text, "NAME", property->name);
	if (property->type != CIM_TYPE_REFERENCE)
		xml_put_attribute(text, "TYPE", cim_type_name(property->type));
	else if (property->reference_class)
		xml_put_attribute(text, "REFERENCECLASS", property->reference_class);
	put_origin(text, property->origin, place);
	xml_put(text, ">");
	put_qualifiers(text, &property->qualifiers, place);
	if (property->type != CIM_TYPE_REFERENCE)
		put_value(text, &property->fallback, property->is_array);
	xml_put(text, "</");
	xml_put(text, element);
	xml_put(text, ">");
}

static void put_parameter(struct xml_text *text, const struct cim_schema_parameter *parameter,
			  const struct place *place)
{
	bool is_reference = parameter->type == CIM_TYPE_REFERENCE;
	const char *element = is_reference ? parameter->is_array ? "PARAMETER.REFARRAY" : "PARAMETER.REFERENCE" :
			      parameter->is_array ? "PARAMETER.ARRAY" : "PARAMETER";

	xml_put(text, "<");
	xml_put(text, element);
	xml_put_attribute(text, "NAME", parameter->name);
	if (!is_reference)
		xml_put_attribute(text, "TYPE", cim_type_name(parameter->type));
	else if (parameter->reference_class)
		xml_put_attribute(text, "REFERENCECLASS", parameter->reference_class);
	xml_put(text, ">");
	put_qualifiers(text, &parameter->qualifiers, place);
	xml_put(text, "</");
	xml_put(text, element);
	xml_put(text, ">");
}

static void put_method(struct xml_text *text, const struct cim_schema_method *method, const struct place *place)
{
	xml_put(text, "<METHOD");
	xml_put_attribute(text, "NAME", method->name);
	xml_put_attribute(text, "TYPE", cim_type_name(method->type));
	put_origin(text, method->origin, place);
	xml_put(text, ">");
	put_qualifiers(text, &method->qualifiers, place);
	for (unsigned i = 0; i < method->parameter_count; i++)
		put_parameter(text, &method->parameters[i], place);
	xml_put(text, "</METHOD>");
}

static bool is_wanted(const struct cim_names *names, const char *name)
{
	if (!names->given)
		return true;
	for (unsigned i = 0; i < names->count; i++)
		if (!strcasecmp(names->names[i], name))
			return true;
	return false;
}

void xml_put_class(struct xml_text *text, const struct cim_schema_class *class, const struct xml_class_wishes *wishes)
{
	struct place place = { class, NULL, wishes };

	xml_put(text, "<CLASS");
	xml_put_attribute(text, "NAME", class->name);
	if (class->super)
		xml_put_attribute(text, "SUPERCLASS", class->super->name);
	xml_put(text, ">");
	put_qualifiers(text, &class->qualifiers, &place);
	for (unsigned i = 0; i < class->property_count; i++) {
		const struct cim_schema_property *property = class->properties[i];

		place.declared_in = property->declared_in;
		if (!(wishes->local_only && property->declared_in != class) &&
		    is_wanted(&wishes->properties, property->name))
			put_property(text, property, &place);
	}
	for (unsigned i = 0; i < class->method_count; i++) {
		const struct cim_schema_method *method = class->methods[i];

		place.declared_in = method->declared_in;
		if (!(wishes->local_only && method->declared_in != class))
			put_method(text, method, &place);
	}
	xml_put(text, "</CLASS>");
}

void xml_put_class_name(struct xml_text *text, const struct cim_schema_class *class)
{
	xml_put(text, "<CLASSNAME");
	xml_put_attribute(text, "NAME", class->name);
	xml_put(text, "/>");
}

/* ---- qualifier types ---- */

static void put_scopes(struct xml_text *text, unsigned scopes)
{
	static const char *const names[CIM_SCOPE_COUNT] = {
		[CIM_SCOPE_CLASS] = "CLASS", [CIM_SCOPE_ASSOCIATION] = "ASSOCIATION",
		[CIM_SCOPE_INDICATION] = "INDICATION", [CIM_SCOPE_PROPERTY] = "PROPERTY",
		[CIM_SCOPE_REFERENCE] = "REFERENCE", [CIM_SCOPE_METHOD] = "METHOD",
		[CIM_SCOPE_PARAMETER] = "PARAMETER",
	};

	xml_put(text, "<SCOPE");
	for (unsigned i = 0; i < CIM_SCOPE_COUNT; i++)
		if (scopes >> i & 1)
			xml_put_attribute(text, names[i], "true");
	xml_put(text, "/>");
}

void xml_put_qualifier_type(struct xml_text *text, const struct cim_schema_qualifier_type *type)
{
	xml_put(text, "<QUALIFIER.DECLARATION");
	xml_put_attribute(text, "NAME", type->name);
	xml_put_attribute(text, "TYPE", cim_type_name(type->type));
	xml_put_attribute(text, "ISARRAY", flag(type->is_array));
	xml_put_attribute(text, "OVERRIDABLE", flag(type->is_overridable));
	xml_put_attribute(text, "TOSUBCLASS", flag(type->is_to_subclass));
	xml_put_attribute(text, "TRANSLATABLE", flag(type->is_translatable));
	xml_put(text, ">");
	put_scopes(text, type->scopes);
	put_value(text, &type->fallback, type->is_array);
	xml_put(text, "</QUALIFIER.DECLARATION>");
}
