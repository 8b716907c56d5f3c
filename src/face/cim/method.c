/* SPDX-License-Identifier: Apache-2.0 */
/* A call as it is read, and its answer. */
#include "face/cim/method.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "control/service.h"
#include "face/cim/embedded.h"
#include "face/cim/operation.h"

#define OUT_BYTES_MAX	(24u * 1024 * 1024)

/* ---- which one it is ---- */

const struct cim_method *cim_method_find(const struct cim_schema_class *class, const char *name)
{
	static const struct cim_method *const tables[] = {
		cim_methods_ibm, cim_methods_common, cim_methods_replication,
	};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct cim_method *method = tables[i]; method->class_name; method++)
			if (!strcasecmp(method->name, name) && cim_schema_is_named(class, method->class_name))
				return method;
	return NULL;
}

/* On what it is called, and which of its methods. */
static bool read_object(struct cim_call *call, const struct cim_request *request, struct cim_failure *failure)
{
	const struct xml_node *node = xml_child(request->call, "LOCALINSTANCEPATH");
	const char *name = request->operation;

	if (!node)
		node = xml_child(request->call, "LOCALCLASSPATH");
	if (!node)
		return cim_fail(failure, CIM_ERR_INVALID_PARAMETER, "it is called on no class and no instance");
	if (!cim_path_read(call->arena, node, call->ns, &call->object, failure)) {
		if (failure->code == CIM_ERR_INVALID_CLASS)
			failure->code = CIM_ERR_NOT_FOUND;
		return false;
	}
	call->method = cim_schema_find_method(call->object->class, name);
	if (!call->method)
		return cim_fail(failure, CIM_ERR_METHOD_NOT_FOUND, "%s has no method %.128s",
				call->object->class->name, name);
	if (call->object->is_class && !call->method->is_static)
		return cim_fail(failure, CIM_ERR_INVALID_PARAMETER, "%s is called on an instance, and not on its class",
				call->method->name);
	call->binding = cim_method_find(call->object->class, name);
	if (!call->binding)
		return cim_fail(failure, CIM_ERR_METHOD_NOT_AVAILABLE, "nothing acts on %s of %s", call->method->name,
				call->object->class->name);
	return true;
}

/* ---- what it is given ---- */

/* As clients write it; without it the schema knows. */
static bool check_type(const struct xml_node *node, const struct cim_schema_parameter *parameter,
		       struct cim_failure *failure)
{
	const char *type = xml_attribute(node, "PARAMTYPE"), *embedded = xml_attribute(node, "EmbeddedObject");
	const char *meant = parameter->type == CIM_TYPE_REFERENCE ? "reference" : cim_type_name(parameter->type);

	if (!embedded)
		embedded = xml_attribute(node, "EMBEDDEDOBJECT");
	if (type && strcasecmp(type, meant) != 0)
		return cim_fail(failure, CIM_ERR_INVALID_PARAMETER, "%s is of type %s, and not %.32s", parameter->name,
				meant, type);
	if (embedded && parameter->type != CIM_TYPE_STRING)
		return cim_fail(failure, CIM_ERR_INVALID_PARAMETER, "%s is no embedded object", parameter->name);
	return true;
}

static bool read_embedded(struct cim_call *call, unsigned index, struct cim_failure *failure)
{
	const struct cim_schema_parameter *parameter = &call->method->parameters[index];
	const struct cim_schema_qualifier *qualifier =
		cim_schema_find_qualifier(&parameter->qualifiers, "EmbeddedInstance");
	const struct cim_value *value = &call->in[index];
	struct cim_given *given;

	if (!qualifier || parameter->is_array || value->is_null || !*value->one.text)
		return true;
	given = arena_take(call->arena, sizeof(*given));
	call->embedded[index] = given;
	if (!given)
		return cim_fail(failure, CIM_ERR_FAILED, "out of memory");
	return cim_embedded_read(call->arena, call->ns, qualifier->value.list[0], value->one.text, given, failure);
}

static bool read_argument(struct cim_call *call, const struct xml_node *node, bool *seen, struct cim_failure *failure)
{
	const char *name = xml_attribute(node, "NAME");
	const struct cim_schema_parameter *parameter;
	struct cim_slot slot;
	unsigned index;

	if (!name)
		return cim_fail(failure, CIM_ERR_INVALID_PARAMETER, "a parameter has no name");
	parameter = cim_schema_find_parameter(call->method, name);
	if (!parameter || !parameter->is_in)
		return cim_fail(failure, CIM_ERR_INVALID_PARAMETER, "%s takes no parameter %.64s", call->method->name,
				name);
	index = (unsigned)(parameter - call->method->parameters);
	if (seen[index])
		return cim_fail(failure, CIM_ERR_INVALID_PARAMETER, "the parameter %s is given twice",
				parameter->name);
	seen[index] = true;
	slot = cim_slot_of_parameter(parameter);
	/* A relationship is an association and so no ManagedElement, but an element of a set: its function looks. */
	if (slot.reference_class && !strcmp(slot.reference_class, "CIM_ManagedElement"))
		slot.reference_class = NULL;
	return check_type(node, parameter, failure) &&
	       cim_value_read(call->arena, node->first, &slot, call->ns, &call->in[index], failure) &&
	       read_embedded(call, index, failure);
}

static bool read_arguments(struct cim_call *call, const struct cim_request *request, struct cim_failure *failure)
{
	unsigned count = call->method->parameter_count;
	bool *seen = arena_take(call->arena, count + 1);

	call->in = arena_take(call->arena, (count + 1) * sizeof(*call->in));
	call->embedded = arena_take(call->arena, (count + 1) * sizeof(struct cim_given *));
	if (!seen || !call->in || !call->embedded)
		return cim_fail(failure, CIM_ERR_FAILED, "out of memory");
	for (unsigned i = 0; i < count; i++)
		call->in[i].is_null = true;
	for (const struct xml_node *node = xml_child(request->call, "PARAMVALUE"); node;
	     node = xml_next(node, "PARAMVALUE"))
		if (!read_argument(call, node, seen, failure))
			return false;
	for (unsigned i = 0; i < count; i++)
		if (call->method->parameters[i].is_required && call->in[i].is_null)
			return cim_fail(failure, CIM_ERR_INVALID_PARAMETER, "the parameter %s is missing",
					call->method->parameters[i].name);
	return true;
}

bool cim_call_read(struct cim_arena *arena, const struct cim_request *request, enum cim_namespace ns,
		   struct cim_call *call, struct cim_failure *failure)
{
	*call = (struct cim_call){ .arena = arena, .ns = ns };
	xml_text_init(&call->out, OUT_BYTES_MAX);
	return read_object(call, request, failure) && read_arguments(call, request, failure);
}

void cim_call_end(struct cim_call *call)
{
	xml_text_free(&call->out);
}

/* ---- what its function asks ---- */

static unsigned index_of(const struct cim_call *call, const char *name)
{
	const struct cim_schema_parameter *parameter = cim_schema_find_parameter(call->method, name);

	assert(parameter);
	return (unsigned)(parameter - call->method->parameters);
}

const struct cim_value *cim_in(const struct cim_call *call, const char *name)
{
	return &call->in[index_of(call, name)];
}

bool cim_in_given(const struct cim_call *call, const char *name)
{
	return !cim_in(call, name)->is_null;
}

uint64_t cim_in_number(const struct cim_call *call, const char *name)
{
	const struct cim_value *value = cim_in(call, name);

	return value->is_null ? 0 : value->one.number;
}

bool cim_in_flag(const struct cim_call *call, const char *name)
{
	const struct cim_value *value = cim_in(call, name);

	return !value->is_null && value->one.boolean;
}

const char *cim_in_text(const struct cim_call *call, const char *name)
{
	const struct cim_value *value = cim_in(call, name);

	return value->is_null || !*value->one.text ? NULL : value->one.text;
}

const struct cim_path *cim_in_path(const struct cim_call *call, const char *name)
{
	const struct cim_value *value = cim_in(call, name);

	return value->is_null ? NULL : value->one.path;
}

const struct cim_given *cim_in_embedded(const struct cim_call *call, const char *name)
{
	return call->embedded[index_of(call, name)];
}

unsigned cim_in_count(const struct cim_call *call, const char *name)
{
	const struct cim_value *value = cim_in(call, name);

	return value->is_null ? 0 : value->count;
}

const char *cim_in_text_at(const struct cim_call *call, const char *name, unsigned index)
{
	const struct cim_value *value = cim_in(call, name);

	assert(index < value->count);
	return value->list[index].is_null ? NULL : value->list[index].text;
}

const struct cim_path *cim_in_path_at(const struct cim_call *call, const char *name, unsigned index)
{
	const struct cim_value *value = cim_in(call, name);

	assert(index < value->count);
	return value->list[index].is_null ? NULL : value->list[index].path;
}

/* ---- what comes out ---- */

static void begin_parameter(struct cim_call *call, const struct cim_schema_parameter *parameter)
{
	assert(parameter->is_out && !call->list);
	xml_put(&call->out, "<PARAMVALUE");
	xml_put_attribute(&call->out, "NAME", parameter->name);
	xml_put_attribute(&call->out, "PARAMTYPE",
			  parameter->type == CIM_TYPE_REFERENCE ? "reference" : cim_type_name(parameter->type));
	if (cim_schema_find_qualifier(&parameter->qualifiers, "EmbeddedInstance"))
		xml_put_attribute(&call->out, "EmbeddedObject", "instance");
	xml_put(&call->out, ">");
}

static void put_one(struct cim_call *call, const char *name, const struct cim_scalar *scalar)
{
	const struct cim_schema_parameter *parameter = &call->method->parameters[index_of(call, name)];
	const struct cim_value value = { .type = parameter->type, .one = *scalar };

	assert(!parameter->is_array);
	begin_parameter(call, parameter);
	xml_put_value(&call->out, &value);
	xml_put(&call->out, "</PARAMVALUE>");
}

void cim_out_number(struct cim_call *call, const char *name, uint64_t number)
{
	put_one(call, name, &(struct cim_scalar){ .number = number });
}

void cim_out_text(struct cim_call *call, const char *name, const char *text)
{
	put_one(call, name, &(struct cim_scalar){ .text = text });
}

void cim_out_path(struct cim_call *call, const char *name, const struct cim_path *path)
{
	if (path)
		put_one(call, name, &(struct cim_scalar){ .path = path });
}

void cim_out_paths(struct cim_call *call, const char *name, const struct cim_path *const *paths, unsigned count)
{
	const struct cim_schema_parameter *parameter = &call->method->parameters[index_of(call, name)];
	struct cim_scalar *list = arena_take(call->arena, (count + 1) * sizeof(*list));
	const struct cim_value value = { .type = CIM_TYPE_REFERENCE, .is_array = true, .count = count, .list = list };

	assert(parameter->is_array && parameter->type == CIM_TYPE_REFERENCE);
	for (unsigned i = 0; list && i < count; i++)
		list[i] = (struct cim_scalar){ .is_null = !paths[i], .path = paths[i] };
	if (!list)
		return;
	begin_parameter(call, parameter);
	xml_put_value(&call->out, &value);
	xml_put(&call->out, "</PARAMVALUE>");
}

void cim_out_begin(struct cim_call *call, const char *name)
{
	const struct cim_schema_parameter *parameter = &call->method->parameters[index_of(call, name)];

	assert(parameter->is_array && parameter->type != CIM_TYPE_REFERENCE);
	begin_parameter(call, parameter);
	xml_put(&call->out, "<VALUE.ARRAY>");
	call->list = parameter;
}

void cim_out_end(struct cim_call *call)
{
	assert(call->list);
	call->list = NULL;
	xml_put(&call->out, "</VALUE.ARRAY></PARAMVALUE>");
}

static void add_scalar(struct cim_call *call, const struct cim_scalar *scalar)
{
	assert(call->list);
	if (scalar->is_null) {
		xml_put(&call->out, "<VALUE.NULL/>");
		return;
	}
	xml_put(&call->out, "<VALUE>");
	xml_put_scalar(&call->out, call->list->type, scalar);
	xml_put(&call->out, "</VALUE>");
}

void cim_out_add_number(struct cim_call *call, uint64_t number)
{
	add_scalar(call, &(struct cim_scalar){ .number = number });
}

void cim_out_add_flag(struct cim_call *call, bool flag)
{
	add_scalar(call, &(struct cim_scalar){ .boolean = flag });
}

void cim_out_add_text(struct cim_call *call, const char *text)
{
	add_scalar(call, &(struct cim_scalar){ .text = text });
}

void cim_out_add_time(struct cim_call *call, int64_t wall_ns)
{
	add_scalar(call, &(struct cim_scalar){ .datetime = { .us = wall_ns / RT_US, .is_interval = !wall_ns } });
}

/* ---- how it is done ---- */

int cim_method_not_supported(struct cim_call *call, struct fault *fault)
{
	return fault_set(fault, FAULT_NOT_SUPPORTED, call->method->name, "GetSupportedFeatures says what is",
			 "it is not supported");
}

/* Who may call the method may have this done. */
static const struct operation *need_operation(const struct cim_call *call, const char *noun, const char *verb)
{
	const struct operation *operation = operation_find(noun, verb);

	assert(operation && call->binding->role >= operation->role);
	return operation;
}

int cim_command_begin(struct cim_call *call, const char *noun, const char *verb, struct fault *fault)
{
	return control_command_begin(call->control, need_operation(call, noun, verb), fault);
}

int cim_command_end(struct cim_call *call, const char *noun, const char *verb, const char *object, int rc)
{
	char text[XDC_EVENT_TEXT_MAX];

	control_command_end(call->control, need_operation(call, noun, verb));
	if (rc)
		return rc;
	snprintf(text, sizeof(text), "%.40s: %s (%s %s)", call->caller->user, call->method->name, noun, verb);
	control_note_change(call->control, object, text);
	return 0;
}

/* The number that the page of the method has for it. */
static uint32_t code_of(const struct cim_call *call, enum fault_code fault)
{
	const struct cim_schema_qualifiers *qualifiers = &call->method->qualifiers;

	for (unsigned i = 0; i < CIM_METHOD_CODES_MAX; i++)
		if (fault && call->binding->codes[i].fault == fault)
			return call->binding->codes[i].code;
	if (!cim_schema_find_qualifier(qualifiers, "ValueMap"))
		return fault;
	return cim_schema_value_name(qualifiers, fault) ? fault : FAULT_FAILED;
}

void cim_call_run(struct cim_call *call)
{
	if (!call->binding->run(call, &call->fault))
		return;
	/* Whatever it says then, it is its limit that has ended it. */
	if (rt_now_ns() >= rt_limit_ns())
		call->returned = code_of(call, FAULT_TIMEOUT);
	else if (!call->returned)
		call->returned = code_of(call, call->fault.code);
}

/* ---- its answer ---- */

/* What only shows leaves no line. */
static void audit(const struct cim_call *call)
{
	const struct fault *fault = &call->fault;
	const char *object = *fault->object ? fault->object : call->object->class->name;

	if (call->binding->role == ROLE_MONITOR)
		return;
	if (fault->code)
		cim_caller_audit(call->caller, call->method->name, object, "%u, %s", call->returned, fault->message);
	else
		cim_caller_audit(call->caller, call->method->name, object, "%u", call->returned);
}

/* It was not called at all. */
static void audit_refusal(const struct cim_operation_call *operation, const struct cim_call *call)
{
	if (call->binding && call->object && call->binding->role > ROLE_MONITOR)
		cim_caller_audit(operation->caller, call->method->name, call->object->class->name, "error %d, %s",
				 (int)operation->failure.code, operation->failure.text);
}

void cim_call_answer(struct cim_call *call, const struct cim_request *request, struct xml_text *text)
{
	char number[16];

	if (call->binding->tell && !call->returned)
		call->binding->tell(call);
	if (call->out.failed || call->arena->failed) {
		/* More than one answer can have: a smaller scope is to be asked for. */
		call->returned = code_of(call, FAULT_SIZE_NOT_SUPPORTED);
		call->out.used = 0;
		call->out.failed = call->arena->failed = false;
	}
	audit(call);
	snprintf(number, sizeof(number), "%u", call->returned);
	xml_begin_method_response(text, request);
	xml_put(text, "<RETURNVALUE");
	xml_put_attribute(text, "PARAMTYPE", cim_type_name(call->method->type));
	xml_put(text, "><VALUE>");
	xml_put(text, number);
	xml_put(text, "</VALUE></RETURNVALUE>");
	xml_put_bytes(text, call->out.bytes ? call->out.bytes : "", call->out.used);
	xml_end_method_response(text, request);
}

/* ---- from the request to the answer ---- */

static int run_here(struct control *control, void *arg)
{
	struct cim_call *call = arg;

	call->control = control;
	cim_call_run(call);
	return 0;
}

static bool carry_out(struct cim_operation_call *operation, struct cim_call *call)
{
	struct cim_failure *failure = &operation->failure;
	int rc;

	if (!cim_call_read(operation->arena, operation->request, operation->ns, call, failure) ||
	    !cim_caller_may(operation->caller, call->binding->role, call->method->name, failure))
		return false;
	call->caller = operation->caller;
	if (!operation->engine)
		return cim_engine_fail(-ESHUTDOWN, failure);
	if (!call->object->is_class && !cim_view_get(operation->arena, operation->engine, call->object, failure))
		return false;
	rc = cim_engine_call(operation->engine, run_here, call);
	return rc == 0 || cim_engine_fail(rc, failure);
}

void cim_method_answer(struct cim_operation_call *operation)
{
	const struct cim_request *request = operation->request;
	int ns = cim_schema_find_namespace(request->namespace_name);
	struct cim_call call = { 0 };

	if (ns < 0) {
		(void)cim_fail(&operation->failure, CIM_ERR_INVALID_NAMESPACE, "there is no namespace %.128s",
			       request->namespace_name);
		xml_put_error(operation->text, request, &operation->failure);
		return;
	}
	operation->ns = (enum cim_namespace)ns;
	if (carry_out(operation, &call)) {
		cim_call_answer(&call, request, operation->text);
	} else {
		audit_refusal(operation, &call);
		xml_put_error(operation->text, request, &operation->failure);
	}
	cim_call_end(&call);
}
