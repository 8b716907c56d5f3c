/* SPDX-License-Identifier: Apache-2.0 */
/* CreateInstance, ModifyInstance, SetProperty and DeleteInstance. */
#include "face/cim/change.h"

#include <string.h>
#include <strings.h>

const struct cim_changer *const cim_changers[] = {
	cim_changers_indication,
	cim_changers_storage,
};
const unsigned cim_changer_list_count = sizeof(cim_changers) / sizeof(cim_changers[0]);

/* ---- what clients give ---- */

static bool read_property(struct cim_operation_call *call, const struct xml_node *node, struct cim_instance *instance,
			  bool *is_given)
{
	const char *name = xml_attribute(node, "NAME");
	const struct cim_value *value = name ? cim_instance_value(instance, name) : NULL;
	const struct cim_schema_property *property;
	struct cim_slot slot;
	size_t index;

	if (!value)
		return cim_fail(&call->failure, CIM_ERR_NO_SUCH_PROPERTY, "%s has no property %.64s",
				instance->class->name, name ? name : "without a name");
	index = (size_t)(value - instance->values);
	property = instance->class->properties[index];
	if (is_given[index])
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "%s is given twice", property->name);
	is_given[index] = true;
	slot = cim_slot_of_property(property);
	/* QUALIFIERs may come first. */
	node = node->first;
	while (node && !strcasecmp(node->name, "QUALIFIER"))
		node = node->next;
	return cim_value_read(call->arena, node, &slot, call->ns, &instance->values[index], &call->failure);
}

bool cim_given_read(struct cim_operation_call *call, const struct xml_node *node, struct cim_given *given)
{
	const char *name = node && !strcmp(node->name, "INSTANCE") ? xml_attribute(node, "CLASSNAME") : NULL;
	const struct cim_schema_class *class;
	struct cim_instance *instance;
	bool *is_given;

	if (!name)
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "an instance is missing");
	if (!cim_need_class(call, name, &class))
		return false;
	instance = cim_instance_new(call->arena, call->ns, class);
	is_given = arena_take(call->arena, (class->property_count + 1) * sizeof(*is_given));
	if (!instance || !is_given)
		return cim_out_of_memory(call);
	for (const struct xml_node *child = node->first; child; child = child->next)
		if (!strncmp(child->name, "PROPERTY", strlen("PROPERTY")) &&
		    !read_property(call, child, instance, is_given))
			return false;
	*given = (struct cim_given){ instance, is_given };
	return true;
}

const struct cim_value *cim_given_value(const struct cim_given *given, const char *property)
{
	const struct cim_value *value = cim_instance_value(given->instance, property);

	return value && !value->is_null ? value : NULL;
}

const char *cim_given_text(const struct cim_given *given, const char *property)
{
	const struct cim_value *value = cim_given_value(given, property);

	return value && value->type == CIM_TYPE_STRING && !value->is_array && !value->one.is_null ? value->one.text
												  : NULL;
}

/* ---- the operations ---- */

/* NULL: no client changes instances of this class. */
static const struct cim_changer *find_changer(const struct cim_schema_class *class, enum cim_namespace ns)
{
	for (unsigned list = 0; list < cim_changer_list_count; list++)
		for (const struct cim_changer *changer = cim_changers[list]; changer->class_name; changer++)
			if (changer->namespaces >> ns & 1 && !strcmp(changer->class_name, class->name))
				return changer;
	return NULL;
}

static bool refuse(struct cim_operation_call *call, const struct cim_schema_class *class)
{
	return cim_fail(&call->failure, CIM_ERR_NOT_SUPPORTED, "%s of %s is not supported in %s",
			call->request->operation, class->name, cim_schema_namespaces[call->ns]);
}

bool cim_create_instance(struct cim_operation_call *call)
{
	const struct cim_path *made = NULL;
	const struct cim_changer *changer;
	struct cim_given given;

	if (!cim_given_read(call, cim_request_node(call->request, "NewInstance"), &given) || !cim_need_engine(call))
		return false;
	changer = find_changer(given.instance->class, call->ns);
	if (!changer || !changer->create)
		return refuse(call, given.instance->class);
	if (!changer->create(call, &given, &made))
		return false;
	xml_put_path_name(call->text, made);
	return true;
}

bool cim_delete_instance(struct cim_operation_call *call)
{
	const struct cim_changer *changer;
	const struct cim_path *path;

	call->is_void = true;
	if (!cim_need_path(call, "InstanceName", &path) || !cim_need_engine(call))
		return false;
	changer = find_changer(path->class, path->ns);
	if (!changer || !changer->delete)
		return refuse(call, path->class);
	return cim_view_get(call->arena, call->engine, path, &call->failure) && changer->delete(call, path);
}

static bool is_listed(const struct cim_names *names, const char *name)
{
	for (unsigned i = 0; i < names->count; i++)
		if (!strcasecmp(names->names[i], name))
			return true;
	return !names->given;
}

/*
 * Clients send what they have read, with their change in it: properties that are not written, or not listed, stay as
 * they are, and it is an error only when one of the former is listed by name.
 */
static bool leave_writable(struct cim_operation_call *call, const struct cim_given *given,
			   const struct cim_names *names, struct cim_given *left)
{
	const struct cim_schema_class *class = given->instance->class;
	bool *is_left = arena_take(call->arena, (class->property_count + 1) * sizeof(*is_left));

	if (!is_left)
		return cim_out_of_memory(call);
	*left = (struct cim_given){ given->instance, is_left };
	for (unsigned i = 0; i < class->property_count; i++) {
		const struct cim_schema_property *property = class->properties[i];

		if (!given->is_given[i] || !is_listed(names, property->name))
			continue;
		if (property->is_writable)
			is_left[i] = true;
		else if (names->given && !property->is_key)
			return cim_fail(&call->failure, CIM_ERR_NOT_SUPPORTED, "%s cannot be written", property->name);
	}
	return true;
}

static bool modify(struct cim_operation_call *call, const struct cim_path *path, const struct cim_given *given,
		   const struct cim_names *names)
{
	const struct cim_changer *changer = find_changer(path->class, path->ns);
	struct cim_given left;

	if (!changer || !changer->modify)
		return refuse(call, path->class);
	return cim_view_get(call->arena, call->engine, path, &call->failure) &&
	       leave_writable(call, given, names, &left) && changer->modify(call, path, &left);
}

bool cim_modify_instance(struct cim_operation_call *call)
{
	const struct xml_node *node = cim_request_node(call->request, "ModifiedInstance");
	const struct cim_path *path;
	struct cim_given given;
	struct cim_names names;
	bool ignored = false;

	call->is_void = true;
	if (!node || strcmp(node->name, "VALUE.NAMEDINSTANCE") != 0 || !xml_child(node, "INSTANCENAME"))
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "ModifiedInstance is missing");
	if (!cim_path_read(call->arena, xml_child(node, "INSTANCENAME"), call->ns, &path, &call->failure) ||
	    !cim_given_read(call, xml_child(node, "INSTANCE"), &given) ||
	    !cim_request_flag(call->request, "IncludeQualifiers", &ignored, &call->failure) ||
	    !cim_request_names(call->arena, call->request, "PropertyList", &names, &call->failure) ||
	    !cim_need_engine(call))
		return false;
	if (given.instance->class != path->class)
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER,
				"the instance is of class %s, its path of %s", given.instance->class->name,
				path->class->name);
	return modify(call, path, &given, &names);
}

bool cim_set_property(struct cim_operation_call *call)
{
	const struct xml_node *node = cim_request_node(call->request, "NewValue");
	struct cim_names names = { .given = true, .count = 1 };
	struct cim_instance *instance;
	const struct cim_path *path;
	struct cim_value *value;
	struct cim_slot slot;
	const char *name;
	bool *is_given;

	call->is_void = true;
	if (!cim_need_path(call, "InstanceName", &path) || !cim_need_engine(call) ||
	    !cim_request_text(call->request, "PropertyName", &name, &call->failure))
		return false;
	if (!name)
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "PropertyName is missing");
	instance = cim_instance_new(call->arena, path->ns, path->class);
	is_given = arena_take(call->arena, (path->class->property_count + 1) * sizeof(*is_given));
	if (!instance || !is_given)
		return cim_out_of_memory(call);
	value = cim_instance_value(instance, name);
	if (!value)
		return cim_fail(&call->failure, CIM_ERR_NO_SUCH_PROPERTY, "%s has no property %.64s",
				path->class->name, name);
	slot = cim_slot_of_property(path->class->properties[value - instance->values]);
	is_given[value - instance->values] = true;
	names.names = &name;
	return cim_value_read(call->arena, node, &slot, call->ns, value, &call->failure) &&
	       modify(call, path, &(struct cim_given){ instance, is_given }, &names);
}
