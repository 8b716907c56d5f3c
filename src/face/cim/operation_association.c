/* SPDX-License-Identifier: Apache-2.0 */
/* Operations along associations, at once and of the pull family. */
#include "face/cim/association.h"

/* The class of a parameter, NULL when not given. From interop associations lead to classes of all namespaces. */
static bool read_class(struct cim_operation_call *call, const char *parameter, enum cim_namespace ns,
		       const struct cim_schema_class **class)
{
	const char *name;

	*class = NULL;
	if (!cim_request_class(call->request, parameter, &name, &call->failure))
		return false;
	if (!name)
		return true;
	*class = ns == CIM_NAMESPACE_INTEROP ? cim_schema_find_any_class(name) : cim_schema_find_class(ns, name);
	return *class || cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "%s: %s has no class %.128s", parameter,
				  cim_schema_namespaces[ns], name);
}

bool cim_read_question(struct cim_operation_call *call, bool is_reference, const struct cim_path *source,
		       struct cim_question *question)
{
	struct cim_failure *failure = &call->failure;
	const struct cim_schema_class **result = is_reference ? &question->association : &question->result;

	*question = (struct cim_question){ .source = source, .is_reference = is_reference };
	return (is_reference || read_class(call, "AssocClass", source->ns, &question->association)) &&
	       read_class(call, "ResultClass", source->ns, result) &&
	       cim_request_text(call->request, "Role", &question->role, failure) &&
	       cim_request_text(call->request, "ResultRole", &question->result_role, failure);
}

/* ObjectName: an instance, or a class. */
static bool need_object(struct cim_operation_call *call, const struct cim_path **path)
{
	const struct xml_node *node = cim_request_node(call->request, "ObjectName");

	if (!node)
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "ObjectName is missing");
	return cim_path_read(call->arena, node, call->ns, path, &call->failure);
}

/* Of classes, qualifiers are shown when they are asked for, and what is inherited always. */
static bool answer_classes(struct cim_operation_call *call, const struct cim_question *question,
			   const struct cim_instance_wishes *instance_wishes)
{
	struct xml_class_wishes wishes = { .local_only = false };

	if (!instance_wishes)
		return cim_answer_classes(call, question, NULL);
	wishes.class_origin = instance_wishes->class_origin;
	wishes.properties = instance_wishes->properties;
	return cim_request_flag(call->request, "IncludeQualifiers", &wishes.qualifiers, &call->failure) &&
	       cim_answer_classes(call, question, &wishes);
}

/* wishes NULL: paths. */
static bool answer(struct cim_operation_call *call, bool is_reference, const struct cim_instance_wishes *wishes)
{
	const struct cim_path *source;
	struct cim_question question;
	struct cim_supply supply;

	if (!need_object(call, &source) || !cim_read_question(call, is_reference, source, &question))
		return false;
	if (source->is_class)
		return answer_classes(call, &question, wishes);
	if (!cim_need_engine(call))
		return false;
	if (!cim_supply_ends(call->arena, call->engine, &question, &supply))
		return cim_out_of_memory(call);
	return cim_answer_supply(call, &supply, wishes ? CIM_ITEM_OBJECT : CIM_ITEM_OBJECT_PATH, wishes);
}

bool cim_associators(struct cim_operation_call *call)
{
	struct cim_instance_wishes wishes;

	return cim_read_wishes(call, &wishes) && answer(call, false, &wishes);
}

bool cim_associator_names(struct cim_operation_call *call)
{
	return answer(call, false, NULL);
}

bool cim_references(struct cim_operation_call *call)
{
	struct cim_instance_wishes wishes;

	return cim_read_wishes(call, &wishes) && answer(call, true, &wishes);
}

bool cim_reference_names(struct cim_operation_call *call)
{
	return answer(call, true, NULL);
}

/* ---- the pull family ---- */

static bool make_supply(struct cim_operation_call *call, struct cim_arena *arena, const void *arg,
			struct cim_supply *supply)
{
	return cim_supply_ends(arena, call->engine, arg, supply);
}

static bool open_ends(struct cim_operation_call *call, bool is_reference, const struct cim_instance_wishes *wishes)
{
	const struct cim_path *source;
	struct cim_question question;

	return cim_need_path(call, "InstanceName", &source) &&
	       cim_read_question(call, is_reference, source, &question) &&
	       cim_answer_open(call, make_supply, &question,
			       wishes ? CIM_ITEM_INSTANCE_WITH_PATH : CIM_ITEM_INSTANCE_PATH, wishes);
}

bool cim_open_associator_instances(struct cim_operation_call *call)
{
	struct cim_instance_wishes wishes;

	return cim_read_wishes(call, &wishes) && open_ends(call, false, &wishes);
}

bool cim_open_associator_instance_paths(struct cim_operation_call *call)
{
	return open_ends(call, false, NULL);
}

bool cim_open_reference_instances(struct cim_operation_call *call)
{
	struct cim_instance_wishes wishes;

	return cim_read_wishes(call, &wishes) && open_ends(call, true, &wishes);
}

bool cim_open_reference_instance_paths(struct cim_operation_call *call)
{
	return open_ends(call, true, NULL);
}
