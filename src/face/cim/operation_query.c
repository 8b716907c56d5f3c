/* SPDX-License-Identifier: Apache-2.0 */
/* ExecQuery and OpenQueryInstances: the instances of a class that meet a query. */
#include "face/cim/operation.h"
#include "face/cim/query_asked.h"

struct meeting {
	struct query query;
	struct cim_supply all;
};

static bool next_meeting(void *arg, struct cim_item *item, struct cim_failure *failure)
{
	struct meeting *meeting = arg;

	while (meeting->all.next(meeting->all.arg, item, failure)) {
		struct cim_asked asked = cim_asked_make(item->instance);

		if (query_meets(&meeting->query, &asked.asked))
			return true;
	}
	return false;
}

static void end_meeting(void *arg)
{
	struct meeting *meeting = arg;

	meeting->all.end(meeting->all.arg);
}

/* What SELECT lists is what is shown of each. */
static bool set_wishes(struct cim_arena *arena, const struct query *query, struct cim_instance_wishes *wishes)
{
	struct cim_names *names = &wishes->properties;

	*wishes = (struct cim_instance_wishes){ .properties = { .given = !query->selects_all } };
	if (query->selects_all)
		return true;
	names->names = arena_take(arena, (query->selected_count + 1) * sizeof(names->names[0]));
	for (; names->names && names->count < query->selected_count; names->count++)
		names->names[names->count] = query->selected[names->count]->name;
	return names->names;
}

/* The query as a client has given it. */
struct wanted {
	const char *language, *text;
};

static bool read_query(struct cim_operation_call *call, const char *language, const char *text, struct wanted *wanted)
{
	if (!cim_request_text(call->request, language, &wanted->language, &call->failure) ||
	    !cim_request_text(call->request, text, &wanted->text, &call->failure))
		return false;
	return (wanted->language && wanted->text) ||
	       cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "%s is missing", wanted->language ? text : language);
}

static bool make_meeting(struct cim_operation_call *call, struct cim_arena *arena, const struct wanted *wanted,
			 struct cim_supply *supply, struct meeting **out)
{
	struct meeting *meeting = arena_take(arena, sizeof(*meeting));

	*out = meeting;
	if (!meeting)
		return cim_out_of_memory(call);
	if (!query_parse(arena, 1u << call->ns, wanted->language, wanted->text, &meeting->query, &call->failure))
		return false;
	if (!cim_supply_class(arena, call->engine, call->ns, meeting->query.class, &meeting->all))
		return cim_out_of_memory(call);
	*supply = (struct cim_supply){ next_meeting, end_meeting, meeting };
	return true;
}

bool cim_exec_query(struct cim_operation_call *call)
{
	struct cim_instance_wishes wishes;
	struct cim_supply supply;
	struct meeting *meeting;
	struct wanted wanted;

	if (!read_query(call, "QueryLanguage", "Query", &wanted) || !cim_need_engine(call) ||
	    !make_meeting(call, call->arena, &wanted, &supply, &meeting))
		return false;
	if (set_wishes(call->arena, &meeting->query, &wishes))
		return cim_answer_supply(call, &supply, CIM_ITEM_VALUE_OBJECT, &wishes);
	supply.end(supply.arg);
	return cim_out_of_memory(call);
}

/* ---- the same, pulled ---- */

static bool make_supply(struct cim_operation_call *call, struct cim_arena *arena, const void *arg,
			struct cim_supply *supply)
{
	struct meeting *meeting;

	return make_meeting(call, arena, arg, supply, &meeting);
}

bool cim_open_query_instances(struct cim_operation_call *call)
{
	struct cim_instance_wishes wishes;
	bool wants_class = false;
	struct wanted wanted;
	struct query query;

	if (!read_query(call, "FilterQueryLanguage", "FilterQuery", &wanted) ||
	    !cim_request_flag(call->request, "ReturnQueryResultClass", &wants_class, &call->failure))
		return false;
	if (wants_class)
		return cim_fail(&call->failure, CIM_ERR_NOT_SUPPORTED, "ReturnQueryResultClass is FALSE");
	/* What is shown of each is known before the context is there. */
	if (!query_parse(call->arena, 1u << call->ns, wanted.language, wanted.text, &query, &call->failure))
		return false;
	if (!set_wishes(call->arena, &query, &wishes))
		return cim_out_of_memory(call);
	return cim_answer_open(call, make_supply, &wanted, CIM_ITEM_INSTANCE, &wishes);
}
