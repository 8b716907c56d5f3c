/* SPDX-License-Identifier: Apache-2.0 */
/* Operations of the pull family: the same supplies, taken piece by piece. */
#include "face/cim/operation.h"

#include <strings.h>

#define OBJECTS_MAX	UINT32_MAX

/* What Open operations have in common: how long it is kept without a pull, and what this server does not do. */
static bool read_open(struct cim_operation_call *call, enum cim_item_form form, uint64_t *count, uint64_t *seconds)
{
	struct cim_failure *failure = &call->failure;
	bool continues = false;

	*count = 0;
	*seconds = CIM_CONTEXT_SECONDS;
	/* Of OpenQueryInstances they are the query itself. */
	if (form != CIM_ITEM_INSTANCE && (cim_request_node(call->request, "FilterQueryLanguage") ||
					  cim_request_node(call->request, "FilterQuery")))
		return cim_fail(failure, CIM_ERR_FILTERED_ENUMERATION_NOT_SUPPORTED,
				"enumerations are not filtered");
	if (!cim_request_flag(call->request, "ContinueOnError", &continues, failure) ||
	    !cim_request_number(call->request, "MaxObjectCount", OBJECTS_MAX, count, failure) ||
	    !cim_request_number(call->request, "OperationTimeout", UINT32_MAX, seconds, failure))
		return false;
	if (continues)
		return cim_fail(failure, CIM_ERR_CONTINUATION_ON_ERROR_NOT_SUPPORTED, "an error ends an enumeration");
	if (*seconds < 1 || *seconds > CIM_CONTEXT_SECONDS_MAX)
		return cim_fail(failure, CIM_ERR_INVALID_OPERATION_TIMEOUT, "OperationTimeout is 1 to %u seconds",
				CIM_CONTEXT_SECONDS_MAX);
	return true;
}

/* The list of the request, for longer than that. false: the arena is full. */
static bool copy_wishes(struct cim_arena *arena, const struct cim_instance_wishes *from,
			struct cim_instance_wishes *to)
{
	*to = *from;
	to->properties.names = arena_take(arena, (from->properties.count + 1) * sizeof(*to->properties.names));
	for (unsigned i = 0; to->properties.names && i < from->properties.count; i++)
		to->properties.names[i] = arena_copy(arena, from->properties.names[i]);
	return !arena->failed;
}

/* The next `count`; then it is kept, or ends with the last or a failure. */
static bool pull(struct cim_operation_call *call, struct cim_context *context, uint64_t count)
{
	struct cim_contexts *contexts = cim_engine_contexts(call->engine);
	struct cim_item item;
	bool more = true, put = true;

	call->is_pulled = true;
	call->failure.code = CIM_OK;
	for (uint64_t i = 0; i < count && put && more; i++) {
		more = context->supply.next(context->supply.arg, &item, &call->failure);
		if (more)
			put = cim_writer_put(&context->writer, call->text, &item) && xml_flush(call->text);
	}
	if (!put || context->arena.failed) {
		cim_context_drop(contexts, context);
		return cim_out_of_memory(call);
	}
	if (!more) {
		cim_context_drop(contexts, context);
		return !call->failure.code;
	}
	call->context = arena_copy(call->arena, context->id);
	cim_context_keep(contexts, context);
	return true;
}

bool cim_answer_open(struct cim_operation_call *call, cim_make_supply *make, const void *arg,
		     enum cim_item_form form, const struct cim_instance_wishes *wishes)
{
	struct cim_context *context;
	uint64_t count, seconds;

	if (!read_open(call, form, &count, &seconds) || !cim_need_engine(call))
		return false;
	context = cim_context_open(cim_engine_contexts(call->engine), call->caller, &call->failure);
	if (!context)
		return false;
	context->ns = call->ns;
	context->seconds = (unsigned)seconds;
	context->writer = (struct cim_writer){
		.arena = &context->arena, .form = form, .host = cim_engine_host(call->engine),
	};
	call->failure.code = CIM_OK;
	if ((wishes && !copy_wishes(&context->arena, wishes, &context->writer.wishes)) ||
	    !make(call, &context->arena, arg, &context->supply)) {
		cim_context_drop(cim_engine_contexts(call->engine), context);
		return call->failure.code ? false : cim_out_of_memory(call);
	}
	return pull(call, context, count);
}

static bool make_class_supply(struct cim_operation_call *call, struct cim_arena *arena, const void *arg,
			      struct cim_supply *supply)
{
	return cim_supply_class(arena, call->engine, call->ns, arg, supply);
}

bool cim_open_enumerate_instances(struct cim_operation_call *call)
{
	const struct cim_schema_class *class;
	struct cim_instance_wishes wishes;
	bool deep = true;

	if (!cim_need_class_name(call, &class) || !cim_read_wishes(call, &wishes) ||
	    !cim_request_flag(call->request, "DeepInheritance", &deep, &call->failure))
		return false;
	wishes.top = deep ? NULL : class;
	return cim_answer_open(call, make_class_supply, class, CIM_ITEM_INSTANCE_WITH_PATH, &wishes);
}

bool cim_open_enumerate_instance_paths(struct cim_operation_call *call)
{
	const struct cim_schema_class *class;

	return cim_need_class_name(call, &class) &&
	       cim_answer_open(call, make_class_supply, class, CIM_ITEM_INSTANCE_PATH, NULL);
}

/* The context of the request, taken. */
static struct cim_context *take_context(struct cim_operation_call *call)
{
	struct cim_contexts *contexts;
	struct cim_context *context;
	const char *id;

	if (!cim_request_text(call->request, "EnumerationContext", &id, &call->failure) || !cim_need_engine(call))
		return NULL;
	if (!id) {
		cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "EnumerationContext is missing");
		return NULL;
	}
	contexts = cim_engine_contexts(call->engine);
	context = cim_context_take(contexts, call->caller, id, &call->failure);
	if (!context || context->ns == call->ns)
		return context;
	cim_context_keep(contexts, context);
	cim_fail(&call->failure, CIM_ERR_INVALID_ENUMERATION_CONTEXT, "the enumeration is of another namespace");
	return NULL;
}

static bool pull_more(struct cim_operation_call *call, enum cim_item_form form)
{
	struct cim_context *context;
	uint64_t count = OBJECTS_MAX;

	if (!cim_request_node(call->request, "MaxObjectCount"))
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "MaxObjectCount is missing");
	if (!cim_request_number(call->request, "MaxObjectCount", OBJECTS_MAX, &count, &call->failure))
		return false;
	context = take_context(call);
	if (!context)
		return false;
	if (context->writer.form == form)
		return pull(call, context, count);
	cim_context_keep(cim_engine_contexts(call->engine), context);
	return cim_fail(&call->failure, CIM_ERR_INVALID_ENUMERATION_CONTEXT,
			"the enumeration is one for another operation than %s", call->request->operation);
}

bool cim_pull_instances(struct cim_operation_call *call)
{
	return pull_more(call, CIM_ITEM_INSTANCE);
}

bool cim_pull_instances_with_path(struct cim_operation_call *call)
{
	return pull_more(call, CIM_ITEM_INSTANCE_WITH_PATH);
}

bool cim_pull_instance_paths(struct cim_operation_call *call)
{
	return pull_more(call, CIM_ITEM_INSTANCE_PATH);
}

bool cim_close_enumeration(struct cim_operation_call *call)
{
	struct cim_context *context = take_context(call);

	if (!context)
		return false;
	cim_context_drop(cim_engine_contexts(call->engine), context);
	return true;
}
