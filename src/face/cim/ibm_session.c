/* SPDX-License-Identifier: Apache-2.0 */
/* IBMTSESS_AsyncPPRCService: sessions, their volumes, and the forming of consistency groups. */
#include "face/cim/ibm.h"

#include <stdio.h>
#include <string.h>

/* Values of Operation, in the order of the page. */
enum { SESSION_OPEN_IT = 1, SESSION_CLOSE_IT };
enum { VOLUMES_ADD = 1, VOLUMES_REMOVE };
enum { PPRC_START = 1, PPRC_PAUSE, PPRC_RESUME, PPRC_TERMINATE, PPRC_FORCE_TERMINATE };

static void name_session(uint8_t session, char object[16])
{
	snprintf(object, 16, "session %u", session);
}

static int bad_operation(struct fault *fault)
{
	return ibm_bad(fault, "Operation", "it has no such value here");
}

/* Of the type that is named, or there is none of this number. */
static int check_type(struct cim_call *call, uint8_t session, enum session_type type, struct fault *fault)
{
	struct copy_session_info info;

	if (!copy_session_get(control_copy(call->control), session, &info) && info.type != type)
		return ibm_bad(fault, "SessionType", "the session is of another type");
	return 0;
}

int ibm_manage_session(struct cim_call *call, struct fault *fault)
{
	uint64_t wanted = cim_in_number(call, "Operation");
	const char *verb = wanted == SESSION_OPEN_IT ? "open" : "close";
	enum session_type type;
	uint8_t session, lss;
	char object[16];
	int rc;

	if (ibm_session(call, &session, &type, fault) || ibm_lss_here(call, "LSS", &lss, fault))
		return -1;
	if (wanted != SESSION_OPEN_IT && wanted != SESSION_CLOSE_IT)
		return bad_operation(fault);
	name_session(session, object);
	if (check_type(call, session, type, fault) || cim_command_begin(call, "session", verb, fault))
		return -1;
	if (wanted == SESSION_OPEN_IT)
		rc = control_session_open(call->control, session, lss, type, fault);
	else
		rc = copy_session_close(control_copy(call->control), session, lss, fault);
	return cim_command_end(call, "session", verb, object, rc);
}

/* ---- volumes ---- */

static int gather_volumes(struct cim_call *call, uint8_t lss, uint16_t volumes[OP_VOLUMES_MAX], unsigned *count,
			  struct fault *fault)
{
	*count = cim_in_count(call, "Volumes");
	if (!*count)
		return ibm_bad(fault, "Volumes", "none is named");
	if (*count > OP_VOLUMES_MAX)
		return fault_set(fault, FAULT_SIZE_NOT_SUPPORTED, "Volumes", "name the others in another call",
				 "at most %u volumes at once", OP_VOLUMES_MAX);
	for (unsigned i = 0; i < *count; i++) {
		const struct cim_path *path = cim_in_path_at(call, "Volumes", i);

		if (ibm_volume_of_path(call->control, path, "Volumes", &volumes[i], fault))
			return -1;
		if (volumes[i] >> 8 != lss)
			return ibm_bad(fault, "Volumes", "they are all of the LSS that is named");
	}
	return 0;
}

static void note_pair(void *arg, const struct copy_pair_info *info)
{
	struct copy_pair_name *pair = arg;

	if (info->is_source && !info->first_copy_done)
		*pair = copy_pair_name_of(info->volume, info->system);
}

/* Of the first of them that joins later, when its first copy has ended; 0: of none. */
static uint64_t find_first_copy(struct control *control, const uint16_t *volumes, unsigned count)
{
	uint64_t job = 0;

	for (unsigned i = 0; i < count && !job; i++) {
		struct copy_pair_name pair = { 0 };

		copy_pair_each_of(control_copy(control), volumes[i], note_pair, &pair);
		job = *pair.system ? control_pair_job(control, &pair) : 0;
	}
	return job;
}

int ibm_manage_session_volume(struct cim_call *call, struct fault *fault)
{
	uint64_t wanted = cim_in_number(call, "Operation");
	const char *verb = wanted == VOLUMES_ADD ? "add" : "remove";
	struct copy *copy = control_copy(call->control);
	uint16_t volumes[OP_VOLUMES_MAX];
	enum session_type type;
	uint8_t session, lss;
	unsigned count;
	char object[16];
	int rc;

	if (ibm_session(call, &session, &type, fault) || ibm_lss_here(call, "LSS", &lss, fault))
		return -1;
	if (wanted != VOLUMES_ADD && wanted != VOLUMES_REMOVE)
		return bad_operation(fault);
	name_session(session, object);
	if (check_type(call, session, type, fault) || gather_volumes(call, lss, volumes, &count, fault) ||
	    cim_command_begin(call, "session", verb, fault))
		return -1;
	if (wanted == VOLUMES_ADD)
		rc = copy_session_add(copy, session, volumes, count, fault);
	else
		rc = copy_session_remove(copy, session, volumes, count, fault);
	if (cim_command_end(call, "session", verb, object, rc))
		return -1;
	if (wanted == VOLUMES_ADD)
		ibm_return_job(call, find_first_copy(call->control, volumes, count));
	return 0;
}

/* ---- consistency groups ---- */

static void read_limits(struct cim_call *call, struct session_start *start)
{
	start->has_interval = cim_in_given(call, "ConsistencyGroupInterval");
	start->has_coordination = cim_in_given(call, "MaxXDCCoordinationTime");
	start->has_drain = cim_in_given(call, "MaxConsistencyGroupDrain");
	start->tunables.interval_ns = (int64_t)cim_in_number(call, "ConsistencyGroupInterval") * RT_SECOND;
	start->tunables.coordination_ns = (int64_t)cim_in_number(call, "MaxXDCCoordinationTime") * RT_MS;
	start->tunables.drain_ns = (int64_t)cim_in_number(call, "MaxConsistencyGroupDrain") * 60 * RT_SECOND;
}

static int read_subordinates(struct cim_call *call, struct session_start *start, struct fault *fault)
{
	unsigned count = cim_in_count(call, "Subordinates");

	if (count >= XDC_SESSION_MEMBERS_MAX)
		return fault_set(fault, FAULT_SIZE_NOT_SUPPORTED, "Subordinates", "take fewer systems",
				 "a session has at most %u systems", XDC_SESSION_MEMBERS_MAX);
	for (unsigned i = 0; i < count; i++)
		if (ibm_lss_read("Subordinates", cim_in_text_at(call, "Subordinates", i),
				 start->subordinates[i].system, &start->subordinates[i].lss, fault))
			return -1;
	start->subordinate_count = count;
	return 0;
}

static int start(struct cim_call *call, struct session_start *wanted, struct fault *fault)
{
	if (!wanted->has_interval || !wanted->has_coordination || !wanted->has_drain)
		return ibm_bad(fault, "ConsistencyGroupInterval",
			       "Start needs this, MaxXDCCoordinationTime and MaxConsistencyGroupDrain");
	if (read_subordinates(call, wanted, fault))
		return -1;
	return copy_session_start(control_copy(call->control), wanted, fault);
}

/* It is this system's, and where the session has one already, that. */
static int check_master(struct cim_call *call, uint64_t wanted, const struct session_start *given,
			struct fault *fault)
{
	struct copy_session_info info;

	if (wanted == PPRC_START || copy_session_get(control_copy(call->control), given->session, &info) ||
	    info.role != SESSION_MASTER || info.master_lss == given->master_lss)
		return 0;
	return ibm_bad(fault, "MasterLSS", "another LSS is the master of the session");
}

static int carry_out(struct cim_call *call, uint64_t wanted, struct session_start *given, uint64_t *job,
		     struct fault *fault)
{
	static const enum control_session_order orders[] = {
		[PPRC_PAUSE] = SESSION_ORDER_PAUSE, [PPRC_RESUME] = SESSION_ORDER_RESUME,
		[PPRC_TERMINATE] = SESSION_ORDER_TERMINATE, [PPRC_FORCE_TERMINATE] = SESSION_ORDER_FORCE,
	};

	if (wanted == PPRC_START)
		return start(call, given, fault);
	return control_session_order(call->control, orders[wanted], given, job, fault);
}

int ibm_manage_async_pprc(struct cim_call *call, struct fault *fault)
{
	static const char *const verbs[] = { "", "start", "pause", "resume", "terminate", "terminate" };
	uint64_t wanted = cim_in_number(call, "Operation");
	struct session_start given = { 0 };
	enum session_type type;
	uint64_t job = 0;
	char object[16];
	int rc;

	if (ibm_session(call, &given.session, &type, fault) ||
	    ibm_lss_here(call, "MasterLSS", &given.master_lss, fault))
		return -1;
	if (wanted < PPRC_START || wanted > PPRC_FORCE_TERMINATE)
		return bad_operation(fault);
	if (type != SESSION_XDC)
		return fault_set(fault, FAULT_NOT_SUPPORTED, "SessionType", "take 0x40",
				 "only sessions of type 0x40 (XDC) form consistency groups");
	name_session(given.session, object);
	read_limits(call, &given);
	if (check_type(call, given.session, type, fault) || check_master(call, wanted, &given, fault) ||
	    cim_command_begin(call, "session", verbs[wanted], fault))
		return -1;
	rc = carry_out(call, wanted, &given, &job, fault);
	if (cim_command_end(call, "session", verbs[wanted], object, rc))
		return -1;
	ibm_return_job(call, job);
	return 0;
}
