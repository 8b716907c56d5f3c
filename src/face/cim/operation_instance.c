/* SPDX-License-Identifier: Apache-2.0 */
/* Operations that read instances, and what operations have in common. */
#include "face/cim/operation.h"

#include <string.h>

bool cim_out_of_memory(struct cim_operation_call *call)
{
	return cim_fail(&call->failure, CIM_ERR_FAILED, "out of memory");
}

bool cim_need_engine(struct cim_operation_call *call)
{
	return call->engine || cim_fail(&call->failure, CIM_ERR_FAILED, "there is no system");
}

bool cim_need_class_name(struct cim_operation_call *call, const struct cim_schema_class **class)
{
	const char *name;

	if (!cim_request_class(call->request, "ClassName", &name, &call->failure))
		return false;
	if (!name)
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "ClassName is missing");
	return cim_need_class(call, name, class);
}

bool cim_need_path(struct cim_operation_call *call, const char *name, const struct cim_path **path)
{
	const struct xml_node *node = cim_request_node(call->request, name);

	if (!node)
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "%s is missing", name);
	if (!cim_path_read(call->arena, node, call->ns, path, &call->failure))
		return false;
	if ((*path)->is_class)
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "%s is the path of an instance", name);
	return true;
}

/*
 * LocalOnly and IncludeQualifiers are checked and count as false, as DSP0200 recommends: instances come with what their
 * superclasses brought, and qualifiers are read from the class.
 */
bool cim_read_wishes(struct cim_operation_call *call, struct cim_instance_wishes *wishes)
{
	struct cim_failure *failure = &call->failure;
	bool ignored = false;

	*wishes = (struct cim_instance_wishes){ 0 };
	return cim_request_flag(call->request, "LocalOnly", &ignored, failure) &&
	       cim_request_flag(call->request, "IncludeQualifiers", &ignored, failure) &&
	       cim_request_flag(call->request, "IncludeClassOrigin", &wishes->class_origin, failure) &&
	       cim_request_names(call->arena, call->request, "PropertyList", &wishes->properties, failure);
}

bool cim_answer_supply(struct cim_operation_call *call, struct cim_supply *supply, enum cim_item_form form,
		       const struct cim_instance_wishes *wishes)
{
	struct cim_writer writer = {
		.arena = call->arena, .form = form, .host = cim_engine_host(call->engine),
	};
	struct cim_item item;
	bool put = true;

	if (wishes)
		writer.wishes = *wishes;
	call->failure.code = CIM_OK;
	while (put && supply->next(supply->arg, &item, &call->failure))
		put = cim_writer_put(&writer, call->text, &item) && xml_flush(call->text);
	supply->end(supply->arg);
	return !call->failure.code;
}

bool cim_enumerate_instances(struct cim_operation_call *call)
{
	const struct cim_schema_class *class;
	struct cim_instance_wishes wishes;
	struct cim_supply supply;
	bool deep = true;

	if (!cim_need_class_name(call, &class) || !cim_read_wishes(call, &wishes) ||
	    !cim_request_flag(call->request, "DeepInheritance", &deep, &call->failure) || !cim_need_engine(call))
		return false;
	wishes.top = deep ? NULL : class;
	if (!cim_supply_class(call->arena, call->engine, call->ns, class, &supply))
		return cim_out_of_memory(call);
	return cim_answer_supply(call, &supply, CIM_ITEM_NAMED_INSTANCE, &wishes);
}

bool cim_enumerate_instance_names(struct cim_operation_call *call)
{
	const struct cim_schema_class *class;
	struct cim_supply supply;

	if (!cim_need_class_name(call, &class) || !cim_need_engine(call))
		return false;
	if (!cim_supply_class(call->arena, call->engine, call->ns, class, &supply))
		return cim_out_of_memory(call);
	return cim_answer_supply(call, &supply, CIM_ITEM_NAME, NULL);
}

static const struct cim_instance *need_instance(struct cim_operation_call *call)
{
	const struct cim_path *path;

	if (!cim_need_path(call, "InstanceName", &path) || !cim_need_engine(call))
		return NULL;
	return cim_view_get(call->arena, call->engine, path, &call->failure);
}

bool cim_get_instance(struct cim_operation_call *call)
{
	const struct cim_instance *instance;
	struct cim_instance_wishes wishes;
	struct cim_instance_form form;

	if (!cim_read_wishes(call, &wishes))
		return false;
	instance = need_instance(call);
	if (!instance)
		return false;
	if (!cim_instance_form_make(call->arena, instance->class, &wishes, &form))
		return cim_out_of_memory(call);
	xml_put_instance(call->text, instance, &form);
	return true;
}

bool cim_get_property(struct cim_operation_call *call)
{
	const struct cim_instance *instance;
	const struct cim_value *value;
	const char *name;

	if (!cim_request_text(call->request, "PropertyName", &name, &call->failure))
		return false;
	if (!name)
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "PropertyName is missing");
	instance = need_instance(call);
	if (!instance)
		return false;
	value = cim_instance_value(instance, name);
	if (!value)
		return cim_fail(&call->failure, CIM_ERR_NO_SUCH_PROPERTY, "%s has no property %.64s",
				instance->class->name, name);
	xml_put_value(call->text, value);
	return true;
}
