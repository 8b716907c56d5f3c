/* SPDX-License-Identifier: Apache-2.0 */
/* IBMTSESS_AsyncPPRCService: the query about all sessions that form consistency groups, one entry a session. */
#include "face/cim/ibm.h"

#include <stdio.h>
#include <string.h>

#define SUBORDINATES_MAX	((XDC_SESSION_MEMBERS_MAX - 1) * IBM_LSS_MAX)

struct entry {
	struct copy_session_info info;
	char master[IBM_LSS_MAX];
	char fatal[256];
	char subordinates[SUBORDINATES_MAX];
};

struct sessions {
	int64_t now_wall_ns;
	unsigned count;
	struct entry *entries[UINT8_MAX];
};

/* ---- gathered, on the reactor ---- */

/* The first problem of one that cannot go on. */
static void note_problem(void *arg, const struct copy_problem *problem)
{
	struct entry *entry = arg;

	if (!*entry->fatal)
		snprintf(entry->fatal, sizeof(entry->fatal), "%s", problem->reason);
}

static void note_subordinate(void *arg, const char *system, uint8_t lss)
{
	struct entry *entry = arg;
	size_t len = strlen(entry->subordinates);
	char text[IBM_LSS_MAX];

	ibm_far_lss_print(system, lss, text);
	snprintf(entry->subordinates + len, sizeof(entry->subordinates) - len, "%s%s", len ? "," : "", text);
}

static bool is_in_scope(struct control *control, const struct copy_session_info *info, int lss)
{
	if (info->type != SESSION_XDC)
		return false;
	return lss < 0 || copy_session_is_open_on(control_copy(control), info->session, (uint8_t)lss);
}

static int add_entry(struct cim_call *call, uint8_t session, int lss, struct sessions *sessions, struct fault *fault)
{
	struct copy *copy = control_copy(call->control);
	struct copy_session_info info;
	struct entry *entry;

	if (copy_session_get(copy, session, &info) || !is_in_scope(call->control, &info, lss))
		return 0;
	entry = arena_take(call->arena, sizeof(*entry));
	if (!entry)
		return fault_set(fault, FAULT_SIZE_NOT_SUPPORTED, "Scope", "ask for one LSS",
				 "there are more sessions than one answer has room for");
	entry->info = info;
	if (info.state == SESSION_FATAL)
		copy_session_each_problem(copy, session, note_problem, entry);
	if (*info.master && !strcmp(info.master, control_system_id(call->control)))
		ibm_lss_print(call->control, info.master_lss, entry->master);
	else if (*info.master)
		ibm_far_lss_print(info.master, info.master_lss, entry->master);
	copy_session_each_subordinate(copy, session, note_subordinate, entry);
	sessions->entries[sessions->count++] = entry;
	return 0;
}

int ibm_query_sessions(struct cim_call *call, struct fault *fault)
{
	struct sessions *sessions = arena_take(call->arena, sizeof(*sessions));
	int lss;

	if (!sessions)
		return fault_set(fault, FAULT_FAILED, "", "try again", "out of memory");
	if (ibm_scope(call, &lss, fault))
		return -1;
	sessions->now_wall_ns = rt_wall_ns();
	for (unsigned session = 1; session <= UINT8_MAX; session++)
		if (add_entry(call, (uint8_t)session, lss, sessions, fault))
			return -1;
	call->found = sessions;
	return 0;
}

/* ---- told, on the client's thread ---- */

static const char *role_of(enum session_role role)
{
	return role == SESSION_MASTER ? "Master" : role == SESSION_SUBORDINATE ? "Subordinate" : "NotOwned";
}

/* Numbers too large for their type are its largest. */
static uint64_t whole(int64_t ns, int64_t unit_ns)
{
	int64_t units = (ns + unit_ns - 1) / unit_ns;

	return units < 0 ? 0 : units > UINT16_MAX ? UINT16_MAX : (uint64_t)units;
}

enum column {
	NUMBERS, MASTERS, ROLES, STATES, REASONS, INTERVALS, COORDINATIONS, DRAINS, NOW, GROUP_TIMES, SEQUENCES, GOOD,
	FAILED, FAILED_SINCE_GOOD, SUBORDINATES,
};

static void put_entry(struct cim_call *call, const struct sessions *sessions, const struct entry *entry,
		      enum column column)
{
	const struct copy_session_info *info = &entry->info;

	switch (column) {
	case NUMBERS: cim_out_add_number(call, info->session); break;
	case MASTERS: cim_out_add_text(call, entry->master); break;
	case ROLES: cim_out_add_text(call, role_of(info->role)); break;
	case STATES: cim_out_add_text(call, session_state_names[info->state]); break;
	case REASONS: cim_out_add_text(call, entry->fatal); break;
	case INTERVALS: cim_out_add_number(call, whole(info->tunables.interval_ns, RT_SECOND)); break;
	case COORDINATIONS: cim_out_add_number(call, whole(info->tunables.coordination_ns, RT_MS)); break;
	case DRAINS: cim_out_add_number(call, whole(info->tunables.drain_ns, 60 * RT_SECOND)); break;
	case NOW: cim_out_add_time(call, sessions->now_wall_ns); break;
	case GROUP_TIMES: cim_out_add_time(call, info->cg_wall_ns); break;
	case SEQUENCES: cim_out_add_number(call, info->sequence); break;
	case GOOD: cim_out_add_number(call, info->cg_good); break;
	case FAILED: cim_out_add_number(call, info->cg_failed); break;
	case FAILED_SINCE_GOOD: cim_out_add_number(call, info->cg_failed_since_good); break;
	case SUBORDINATES: cim_out_add_text(call, entry->subordinates); break;
	}
}

static void tell_column(struct cim_call *call, const char *name, enum column column)
{
	const struct sessions *sessions = call->found;

	cim_out_begin(call, name);
	for (unsigned i = 0; i < sessions->count; i++)
		put_entry(call, sessions, sessions->entries[i], column);
	cim_out_end(call);
}

/* ---- the failures that are kept ---- */

enum which { FIRST, LAST, PREVIOUS };
enum part { FAILURE_LSS, FAILURE_REASON, FAILURE_MASTER_STATE };

static void put_failure(struct cim_call *call, const struct record_failure *failure, enum part part)
{
	char text[IBM_LSS_MAX] = "";

	if (failure->reason == CG_FAILURE_NONE) {
		cim_out_add_text(call, "");
		return;
	}
	if (*failure->system)
		ibm_far_lss_print(failure->system, failure->lss, text);
	cim_out_add_text(call, part == FAILURE_LSS ? text : part == FAILURE_REASON ? cg_failure_names[failure->reason]
									       : session_phase_names[failure->phase]);
}

static void tell_failures(struct cim_call *call, const char *name, enum which which, enum part part)
{
	const struct sessions *sessions = call->found;

	cim_out_begin(call, name);
	for (unsigned i = 0; i < sessions->count; i++) {
		const struct copy_session_info *info = &sessions->entries[i]->info;

		put_failure(call, which == FIRST ? &info->first_failure : which == LAST ? &info->last_failure
										: &info->previous_failure, part);
	}
	cim_out_end(call);
}

void ibm_tell_sessions(struct cim_call *call)
{
	tell_column(call, "SessionNumbers", NUMBERS);
	tell_column(call, "MasterLSS", MASTERS);
	tell_column(call, "Roles", ROLES);
	tell_column(call, "CopyStates", STATES);
	tell_column(call, "FatalReasons", REASONS);
	tell_column(call, "ConsistencyGroupIntervals", INTERVALS);
	tell_column(call, "MaxXDCCoordinationTimes", COORDINATIONS);
	tell_column(call, "MaxConsistencyGroupDrains", DRAINS);
	tell_column(call, "CurrentTimes", NOW);
	tell_column(call, "LastConsistencyGroupTimes", GROUP_TIMES);
	tell_column(call, "SequenceNumbers", SEQUENCES);
	tell_column(call, "GoodConsistencyGroups", GOOD);
	tell_column(call, "FailedConsistencyGroups", FAILED);
	tell_column(call, "FailedSinceGood", FAILED_SINCE_GOOD);
	tell_failures(call, "FirstFailureLSS", FIRST, FAILURE_LSS);
	tell_failures(call, "FirstFailureReasons", FIRST, FAILURE_REASON);
	tell_failures(call, "FirstFailureMasterStates", FIRST, FAILURE_MASTER_STATE);
	tell_failures(call, "LastFailureLSS", LAST, FAILURE_LSS);
	tell_failures(call, "LastFailureReasons", LAST, FAILURE_REASON);
	tell_failures(call, "LastFailureMasterStates", LAST, FAILURE_MASTER_STATE);
	tell_failures(call, "PreviousFailureLSS", PREVIOUS, FAILURE_LSS);
	tell_failures(call, "PreviousFailureReasons", PREVIOUS, FAILURE_REASON);
	tell_failures(call, "PreviousFailureMasterStates", PREVIOUS, FAILURE_MASTER_STATE);
	tell_column(call, "Subordinates", SUBORDINATES);
}
