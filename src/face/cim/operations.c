/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/method.h"
#include "face/cim/operation.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "face/cim/operations.h"

/* ---- classes ---- */

static bool read_wishes(struct cim_operation_call *call, struct xml_class_wishes *wishes)
{
	struct cim_failure *failure = &call->failure;

	*wishes = (struct xml_class_wishes){ .local_only = true, .qualifiers = true };
	return cim_request_flag(call->request, "LocalOnly", &wishes->local_only, failure) &&
	       cim_request_flag(call->request, "IncludeQualifiers", &wishes->qualifiers, failure) &&
	       cim_request_flag(call->request, "IncludeClassOrigin", &wishes->class_origin, failure);
}

bool cim_need_class(struct cim_operation_call *call, const char *name, const struct cim_schema_class **class)
{
	*class = cim_schema_find_class(call->ns, name);
	if (*class)
		return true;
	return cim_fail(&call->failure, CIM_ERR_INVALID_CLASS, "%s has no class %.128s",
			cim_schema_namespaces[call->ns], name);
}

static bool get_class(struct cim_operation_call *call)
{
	const struct cim_schema_class *class;
	struct xml_class_wishes wishes;
	const char *name;

	if (!cim_request_class(call->request, "ClassName", &name, &call->failure) || !read_wishes(call, &wishes) ||
	    !cim_request_names(call->arena, call->request, "PropertyList", &wishes.properties, &call->failure))
		return false;
	if (!name)
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "ClassName is missing");
	class = cim_schema_find_class(call->ns, name);
	if (!class)
		return cim_fail(&call->failure, CIM_ERR_NOT_FOUND, "%s has no class %.128s",
				cim_schema_namespaces[call->ns], name);
	xml_put_class(call->text, class, &wishes);
	return true;
}

/* Those below ClassName, or all; wishes NULL: their names. */
static bool enumerate(struct cim_operation_call *call, const struct xml_class_wishes *wishes)
{
	const struct cim_schema_class *top = NULL, *class = NULL;
	const char *name;
	bool deep = false;

	if (!cim_request_class(call->request, "ClassName", &name, &call->failure) ||
	    !cim_request_flag(call->request, "DeepInheritance", &deep, &call->failure) ||
	    (name && !cim_need_class(call, name, &top)))
		return false;
	while ((class = cim_schema_next_class(call->ns, top, !deep, class)) != NULL && xml_flush(call->text))
		if (wishes)
			xml_put_class(call->text, class, wishes);
		else
			xml_put_class_name(call->text, class);
	return true;
}

static bool enumerate_classes(struct cim_operation_call *call)
{
	struct xml_class_wishes wishes;

	return read_wishes(call, &wishes) && enumerate(call, &wishes);
}

static bool enumerate_class_names(struct cim_operation_call *call)
{
	return enumerate(call, NULL);
}

/* ---- qualifier types ---- */

static bool enumerate_qualifiers(struct cim_operation_call *call)
{
	for (unsigned i = 0; i < cim_schema_qualifier_type_count; i++)
		xml_put_qualifier_type(call->text, &cim_schema_qualifier_types[i]);
	return true;
}

static bool get_qualifier(struct cim_operation_call *call)
{
	const struct cim_schema_qualifier_type *type;
	const char *name;

	if (!cim_request_text(call->request, "QualifierName", &name, &call->failure))
		return false;
	if (!name)
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "QualifierName is missing");
	type = cim_schema_find_qualifier_type(name);
	if (!type)
		return cim_fail(&call->failure, CIM_ERR_NOT_FOUND, "there is no qualifier %.128s", name);
	xml_put_qualifier_type(call->text, type);
	return true;
}

/* ---- which operation it is ---- */

#define PARAMETERS_MAX	12u

/* Those that change something are for more than readers, and leave a line in the log (cim_caller_audit). */
static const struct cim_operation {
	const char *name;
	enum op_role role;
	bool (*run)(struct cim_operation_call *call);
	const char *parameters[PARAMETERS_MAX + 1];
} intrinsics[] = {
	{ "GetClass", ROLE_MONITOR, get_class,
	  { "ClassName", "LocalOnly", "IncludeQualifiers", "IncludeClassOrigin", "PropertyList" } },
	{ "EnumerateClasses", ROLE_MONITOR, enumerate_classes,
	  { "ClassName", "DeepInheritance", "LocalOnly", "IncludeQualifiers", "IncludeClassOrigin" } },
	{ "EnumerateClassNames", ROLE_MONITOR, enumerate_class_names, { "ClassName", "DeepInheritance" } },
	{ "GetQualifier", ROLE_MONITOR, get_qualifier, { "QualifierName" } },
	{ "EnumerateQualifiers", ROLE_MONITOR, enumerate_qualifiers, { NULL } },
	{ "EnumerateInstances", ROLE_MONITOR, cim_enumerate_instances,
	  { "ClassName", "LocalOnly", "DeepInheritance", "IncludeQualifiers", "IncludeClassOrigin", "PropertyList" } },
	{ "EnumerateInstanceNames", ROLE_MONITOR, cim_enumerate_instance_names, { "ClassName" } },
	{ "GetInstance", ROLE_MONITOR, cim_get_instance,
	  { "InstanceName", "LocalOnly", "IncludeQualifiers", "IncludeClassOrigin", "PropertyList" } },
	{ "GetProperty", ROLE_MONITOR, cim_get_property, { "InstanceName", "PropertyName" } },
	{ "Associators", ROLE_MONITOR, cim_associators,
	  { "ObjectName", "AssocClass", "ResultClass", "Role", "ResultRole", "IncludeQualifiers", "IncludeClassOrigin",
	    "PropertyList" } },
	{ "AssociatorNames", ROLE_MONITOR, cim_associator_names,
	  { "ObjectName", "AssocClass", "ResultClass", "Role", "ResultRole" } },
	{ "References", ROLE_MONITOR, cim_references,
	  { "ObjectName", "ResultClass", "Role", "IncludeQualifiers", "IncludeClassOrigin", "PropertyList" } },
	{ "ReferenceNames", ROLE_MONITOR, cim_reference_names, { "ObjectName", "ResultClass", "Role" } },
	{ "OpenAssociatorInstances", ROLE_MONITOR, cim_open_associator_instances,
	  { "InstanceName", "AssocClass", "ResultClass", "Role", "ResultRole", "IncludeClassOrigin", "PropertyList",
	    "FilterQueryLanguage", "FilterQuery", "OperationTimeout", "ContinueOnError", "MaxObjectCount" } },
	{ "OpenAssociatorInstancePaths", ROLE_MONITOR, cim_open_associator_instance_paths,
	  { "InstanceName", "AssocClass", "ResultClass", "Role", "ResultRole", "FilterQueryLanguage", "FilterQuery",
	    "OperationTimeout", "ContinueOnError", "MaxObjectCount" } },
	{ "OpenReferenceInstances", ROLE_MONITOR, cim_open_reference_instances,
	  { "InstanceName", "ResultClass", "Role", "IncludeClassOrigin", "PropertyList", "FilterQueryLanguage",
	    "FilterQuery", "OperationTimeout", "ContinueOnError", "MaxObjectCount" } },
	{ "OpenReferenceInstancePaths", ROLE_MONITOR, cim_open_reference_instance_paths,
	  { "InstanceName", "ResultClass", "Role", "FilterQueryLanguage", "FilterQuery", "OperationTimeout",
	    "ContinueOnError", "MaxObjectCount" } },
	{ "ExecQuery", ROLE_MONITOR, cim_exec_query, { "QueryLanguage", "Query" } },
	{ "CreateInstance", ROLE_OPERATOR, cim_create_instance, { "NewInstance" } },
	{ "ModifyInstance", ROLE_OPERATOR, cim_modify_instance,
	  { "ModifiedInstance", "IncludeQualifiers", "PropertyList" } },
	{ "SetProperty", ROLE_OPERATOR, cim_set_property, { "InstanceName", "PropertyName", "NewValue" } },
	{ "DeleteInstance", ROLE_OPERATOR, cim_delete_instance, { "InstanceName" } },
	{ "OpenEnumerateInstances", ROLE_MONITOR, cim_open_enumerate_instances,
	  { "ClassName", "DeepInheritance", "IncludeClassOrigin", "PropertyList", "FilterQueryLanguage", "FilterQuery",
	    "OperationTimeout", "ContinueOnError", "MaxObjectCount" } },
	{ "OpenEnumerateInstancePaths", ROLE_MONITOR, cim_open_enumerate_instance_paths,
	  { "ClassName", "FilterQueryLanguage", "FilterQuery", "OperationTimeout", "ContinueOnError",
	    "MaxObjectCount" } },
	{ "OpenQueryInstances", ROLE_MONITOR, cim_open_query_instances,
	  { "FilterQueryLanguage", "FilterQuery", "ReturnQueryResultClass", "OperationTimeout", "ContinueOnError",
	    "MaxObjectCount" } },
	{ "PullInstances", ROLE_MONITOR, cim_pull_instances, { "EnumerationContext", "MaxObjectCount" } },
	{ "PullInstancesWithPath", ROLE_MONITOR, cim_pull_instances_with_path,
	  { "EnumerationContext", "MaxObjectCount" } },
	{ "PullInstancePaths", ROLE_MONITOR, cim_pull_instance_paths, { "EnumerationContext", "MaxObjectCount" } },
	{ "CloseEnumeration", ROLE_MONITOR, cim_close_enumeration, { "EnumerationContext" } },
};

static const struct cim_operation *find_operation(const char *name)
{
	for (size_t i = 0; i < sizeof(intrinsics) / sizeof(intrinsics[0]); i++)
		if (!strcasecmp(intrinsics[i].name, name))
			return &intrinsics[i];
	return NULL;
}

/* What a change was to be made to, as text: the instance, or else the class, that a parameter names. */
static const char *name_object(struct cim_operation_call *call)
{
	const struct xml_node *parameter = xml_child(call->request->call, "IPARAMVALUE"), *node;
	const struct cim_path *path;
	struct cim_failure ignored;
	const char *name = NULL;

	/* SetProperty may name the property first. */
	while (parameter && parameter->first && !strcmp(parameter->first->name, "VALUE"))
		parameter = parameter->next;
	node = parameter ? parameter->first : NULL;
	if (node && !strcmp(node->name, "VALUE.NAMEDINSTANCE"))
		node = xml_child(node, "INSTANCENAME");
	if (!node)
		return "?";
	if (!strcmp(node->name, "INSTANCENAME") &&
	    cim_path_read(call->arena, node, call->ns, &path, &ignored))
		name = cim_path_print(call->arena, path);
	if (!name)
		name = xml_attribute(node, "CLASSNAME");
	return name ? name : "?";
}

static void audit(struct cim_operation_call *call, bool done)
{
	if (done)
		cim_caller_audit(call->caller, call->request->operation, name_object(call), "done");
	else
		cim_caller_audit(call->caller, call->request->operation, name_object(call), "error %d, %s",
				 (int)call->failure.code, call->failure.text);
}

static bool run(struct cim_operation_call *call)
{
	const struct cim_operation *operation = find_operation(call->request->operation);
	int ns = cim_schema_find_namespace(call->request->namespace_name);
	bool done;

	if (ns < 0)
		return cim_fail(&call->failure, CIM_ERR_INVALID_NAMESPACE, "there is no namespace %.128s",
				call->request->namespace_name);
	call->ns = (enum cim_namespace)ns;
	if (!operation)
		return cim_fail(&call->failure, CIM_ERR_NOT_SUPPORTED, "the operation %.128s is not supported",
				call->request->operation);
	done = cim_caller_may(call->caller, operation->role, operation->name, &call->failure) &&
	       cim_request_check(call->request, operation->parameters, &call->failure) && operation->run(call);
	if (operation->role > ROLE_MONITOR)
		audit(call, done);
	return done;
}

void cim_operation_run(struct cim_arena *arena, struct cim_engine *engine, const struct cim_caller *caller,
		       const struct cim_request *request, struct xml_text *text, struct cim_failure *failure)
{
	struct cim_operation_call call = {
		.arena = arena, .engine = engine, .caller = caller, .request = request, .text = text,
	};

	if (request->is_extrinsic) {
		cim_method_answer(&call);
		*failure = call.failure;
		return;
	}
	xml_begin_response(text, request);
	if (run(&call)) {
		if (call.is_void) {
			text->used = 0;
			xml_begin_method_response(text, request);
			xml_end_method_response(text, request);
		} else if (call.is_pulled)
			xml_end_pull_response(text, request, call.context);
		else
			xml_end_response(text, request);
	} else if (text->passed) {
		text->failed = true;
	} else {
		text->used = 0;
		xml_put_error(text, request, &call.failure);
	}
	*failure = call.failure;
}
