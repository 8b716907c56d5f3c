/* SPDX-License-Identifier: Apache-2.0 */
/* ModifyReplicaSynchronization of a session: of the CIM_GroupSynchronized that it has on each of its LSSs. */
#include "face/cim/replication.h"

#include <stdio.h>
#include <string.h>

#include "copy/session_table.h"
#include "face/cim/group.h"
#include "rt/mem.h"

#define CS(copy_state)	(1u << (copy_state))

/* CopyState */
enum { UNSYNCHRONIZED = 3, SYNCHRONIZED, BROKEN, SPLIT = 7, SUSPENDED = 9, FAILEDOVER };

/* at_source: the end whose system carries it out, as the path names them before; forced: with Force. */
static const struct session_operation {
	uint16_t number;
	bool at_source, renames;
	uint32_t copy_states;			/* in which copies of a session may be then */
	enum session_verb verb;
	const char *word;			/* the command that stands for it in the log and for who may do it */
	enum control_session_order order, forced;
} of_sessions[] = {
	{ 22, true, false, CS(UNSYNCHRONIZED) | CS(SYNCHRONIZED) | CS(BROKEN) | CS(SUSPENDED),
	  SESSION_DO_PAUSE_CONSISTENT, "pause", SESSION_ORDER_PAUSE_CONSISTENT, SESSION_ORDER_PAUSE_CONSISTENT },
	{ 16, true, false, CS(UNSYNCHRONIZED) | CS(SYNCHRONIZED) | CS(BROKEN) | CS(SPLIT) | CS(SUSPENDED),
	  SESSION_DO_RESUME, "resume", SESSION_ORDER_RESUME, SESSION_ORDER_RESUME },
	{ 10, false, false, CS(SYNCHRONIZED) | CS(BROKEN) | CS(FAILEDOVER),
	  SESSION_DO_RECOVER, "recover", SESSION_ORDER_RECOVER, SESSION_ORDER_RECOVER_FORCE },
	{ 11, false, true, CS(FAILEDOVER),
	  SESSION_DO_FAILBACK, "failback", SESSION_ORDER_FAILBACK, SESSION_ORDER_FAILBACK_DISCARD },
	/* Failed back, production is still at the old targets, which are sources now: the old sources are it again. */
	{ 20, true, true, CS(UNSYNCHRONIZED) | CS(SYNCHRONIZED) | CS(BROKEN),
	  SESSION_DO_RETURN, "return", SESSION_ORDER_RETURN, SESSION_ORDER_RETURN },
};
#define OPERATIONS	(sizeof(of_sessions) / sizeof(of_sessions[0]))
_Static_assert(OPERATIONS <= COPY_CIM_OPERATIONS_MAX, "room for all");

static const struct session_operation *find_operation(uint64_t number)
{
	for (size_t i = 0; i < OPERATIONS; i++)
		if (of_sessions[i].number == number)
			return &of_sessions[i];
	return NULL;
}

/* ---- paths ---- */

static const struct cim_path *end_of(const struct cim_path *path, const char *key)
{
	const struct cim_scalar *end = cim_path_key(path, key);

	return end && !end->is_null && !end->path->is_class ? end->path : NULL;
}

/* NUMBER:LL of an end: the session itself on an LSS, or (is_here false) the other ends of its pairs. NULL: of none. */
static const char *name_of_end(const struct cim_path *end, char system[XDC_SYSTEM_ID_MAX], bool *is_here)
{
	const char *name = end ? cim_thing_name(end, "session", system) : NULL;

	*is_here = name != NULL;
	return name || !end ? name : cim_thing_name(end, "session-ends", system);
}

bool replication_is_of_session(const struct cim_path *path)
{
	char system[XDC_SYSTEM_ID_MAX];
	bool is_here;

	return replication_is_of_groups(path) && name_of_end(end_of(path, "SystemElement"), system, &is_here);
}

static bool read_name(const char *name, struct replication_session *session)
{
	unsigned number, lss;
	char as[sizeof("255:FF")];

	if (strlen(name) >= sizeof(as) || sscanf(name, "%3u:%2X", &number, &lss) != 2 || number < 1 ||
	    number > UINT8_MAX)
		return false;
	snprintf(as, sizeof(as), "%u:%02X", number, lss);
	session->number = (uint8_t)number;
	session->lss = (uint8_t)lss;
	return !strcmp(as, name);
}

int replication_session_of_path(struct cim_call *call, const struct cim_path *path, const char *name,
				struct replication_session *session, struct fault *fault)
{
	char from_system[XDC_SYSTEM_ID_MAX], to_system[XDC_SYSTEM_ID_MAX];
	const char *here = control_system_id(call->control);
	bool from_here, to_here, is_source = false;
	const char *from = name_of_end(end_of(path, "SystemElement"), from_system, &from_here);
	const char *to = name_of_end(end_of(path, "SyncedElement"), to_system, &to_here);

	if (call->ns != CIM_NAMESPACE_IBM || !from || !to || strcmp(from, to) != 0 || strcmp(from_system, here) != 0 ||
	    strcmp(to_system, here) != 0 || from_here == to_here || !read_name(from, session) ||
	    !cim_find_session_copies(call->control, session->number, session->lss, &is_source) ||
	    is_source != from_here)
		return ibm_bad(fault, name, "there is no such relationship of groups");
	session->is_source = is_source;
	return 0;
}

static const struct cim_path *path_of(struct cim_call *call, const struct replication_session *session, bool is_source)
{
	struct cim_group here = { .kind = CIM_GROUP_OF_SESSION }, ends = { .kind = CIM_GROUP_OF_SESSION_ENDS };

	snprintf(here.set, sizeof(here.set), "%u:%02X", session->number, session->lss);
	memcpy(ends.set, here.set, sizeof(ends.set));
	return cim_path_of_group_copy(call->arena, call->ns, control_system_id(call->control),
				      is_source ? &here : &ends, is_source ? &ends : &here);
}

/* ---- what is done ---- */

static int carry_out(struct cim_call *call, const struct session_operation *operation, uint8_t number, uint64_t *job,
		     struct fault *fault)
{
	const struct session_start of = { .session = number };
	char object[16];

	if (cim_command_begin(call, "session", operation->word, fault))
		return -1;
	snprintf(object, sizeof(object), "session %u", number);
	return cim_command_end(call, "session", operation->word, object,
			       control_session_order(call->control,
						     cim_in_flag(call, "Force") ? operation->forced : operation->order,
						     &of, job, fault));
}

int replication_modify_session(struct cim_call *call, const struct replication_session *session, uint64_t number,
			       const struct cim_path **updated, uint64_t *job, struct fault *fault)
{
	const struct session_operation *operation = find_operation(number);

	if (!replication_is_mapped(call, "Operation", number))
		return ibm_bad(fault, "Operation", "there is no such operation");
	if (!operation)
		return fault_set(fault, FAULT_NOT_SUPPORTED, "Operation",
				 "GetSupportedOperationsForSynchronization says which are, ManageAsyncPPRC has others",
				 "nothing does that to a session");
	/* The job of a session ends with its command, and not when its copies have come to some state. */
	if (replication_check_wait(call, false, fault) || carry_out(call, operation, session->number, job, fault))
		return -1;
	/* With its return a session is over at the far side: its copies are in no group, until they are added anew. */
	if (operation->verb != SESSION_DO_RETURN)
		*updated = path_of(call, session, session->is_source != operation->renames);
	return 0;
}

/* ---- what could be done ---- */

static bool is_allowed(const struct copy_session_info *info, enum session_verb verb)
{
	for (unsigned i = 0; i < info->allowed_count; i++)
		if (!strcmp(info->allowed[i], session_verb_names[verb]))
			return true;
	return false;
}

static struct copy_cim_operation shown(const struct session_operation *operation, bool at_source)
{
	return (struct copy_cim_operation){
		.number = operation->number, .at_source = at_source, .at_target = !at_source,
		.may_need_force = operation->order != operation->forced, .renames = operation->renames,
	};
}

int replication_list_session_operations(struct cim_call *call, const struct replication_session *session,
					struct copy_cim_operation list[COPY_CIM_OPERATIONS_MAX], unsigned *count,
					struct fault *fault)
{
	MEM_OWNED struct copy_session_info *info = mem_alloc(sizeof(*info));

	*count = 0;
	if (!info)
		return fault_set(fault, FAULT_FAILED, "", "try again", "out of memory");
	if (copy_session_get(control_copy(call->control), session->number, info))
		return ibm_bad(fault, "Synchronization", "the session has gone");
	for (size_t i = 0; i < OPERATIONS; i++)
		if (is_allowed(info, of_sessions[i].verb))
			list[(*count)++] = shown(&of_sessions[i], session->is_source);
	return 0;
}

/* Sessions are shown in one namespace, and their copies are of one kind. */
static bool may_be_of_session(const struct cim_call *call, const struct replication_kind *kind)
{
	return call->ns == CIM_NAMESPACE_IBM && kind->sync_type == REPLICATION_MIRROR &&
	       kind->mode == REPLICATION_ASYNC;
}

static void add_operation(const struct copy_cim_operation *operation,
			  struct copy_cim_operation list[COPY_CIM_OPERATIONS_MAX], unsigned *count)
{
	for (unsigned i = 0; i < *count; i++) {
		if (list[i].number != operation->number)
			continue;
		list[i].at_source = list[i].at_source || operation->at_source;
		list[i].at_target = list[i].at_target || operation->at_target;
		list[i].may_need_force = list[i].may_need_force || operation->may_need_force;
		list[i].renames = list[i].renames || operation->renames;
		return;
	}
	if (*count < COPY_CIM_OPERATIONS_MAX)
		list[(*count)++] = *operation;
}

void replication_add_session_operations(const struct cim_call *call, const struct replication_kind *kind,
					uint64_t copy_state, struct copy_cim_operation list[COPY_CIM_OPERATIONS_MAX],
					unsigned *count)
{
	for (size_t i = 0; i < OPERATIONS && may_be_of_session(call, kind); i++) {
		const struct copy_cim_operation operation = shown(&of_sessions[i], of_sessions[i].at_source);

		if (!copy_state || of_sessions[i].copy_states & CS(copy_state))
			add_operation(&operation, list, count);
	}
}

uint32_t replication_session_states(const struct cim_call *call, const struct replication_kind *kind,
				    uint64_t operation)
{
	const struct session_operation *found = find_operation(operation);

	return found && may_be_of_session(call, kind) ? found->copy_states : 0;
}
