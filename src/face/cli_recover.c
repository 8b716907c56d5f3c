/* SPDX-License-Identifier: Apache-2.0 */
/* The control protocol: recovery at the far side, and the way back. */
#include <stdio.h>

#include "face/cli_private.h"
#include "rt/mem.h"

static json_t *recovery_json(const struct cli_request *request, const struct recovery_result *recovery,
			     const char *next)
{
	return json_pack("{s:i, s:I, s:o, s:o, s:i, s:i, s:i, s:i, s:i, s:o, s:o, s:s}", "session",
			 cli_session(request), "sequence", (json_int_t)recovery->sequence, "cg_at",
			 cli_wall(recovery->cg_wall_ns), "lost_ms",
			 recovery->lost_ns < 0 ? json_null() : json_integer(recovery->lost_ns / RT_MS), "systems",
			 recovery->systems, "systems_missing", recovery->systems_missing, "volumes", recovery->volumes,
			 "volumes_missing", recovery->volumes_missing, "volumes_outside", recovery->volumes_outside,
			 "missing", cli_text_or_null(recovery->missing), "outside",
			 cli_text_or_null(recovery->outside), "next", next);
}

static int session_probe(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct recovery_result recovery = { 0 };
	char next[128];

	if (copy_session_probe(control_copy(request->control), cli_session(request), &recovery, fault))
		return -1;
	snprintf(next, sizeof(next), "xdc session recover %u makes them writable, to this moment or a newer one",
		 cli_session(request));
	return cli_answer(recovery_json(request, &recovery, next), result, fault);
}

/* --at, when it is given. */
static const struct recovery_at *take_at(const struct cli_request *request, struct recovery_at *at)
{
	const struct arg_value *value = cli_value(request, "at");

	*at = (struct recovery_at){ 0 };
	if (value && value->is_time)
		at->wall_ns = (int64_t)value->number;
	else if (value)
		at->sequence = value->number;
	return value ? at : NULL;
}

static int session_recover(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct recovery_result recovery = { 0 };
	struct recovery_at at;
	unsigned session = cli_session(request);
	char next[200];

	if (control_session_recover(request->control, cli_session(request), take_at(request, &at),
				    cli_given(request, "force"), &recovery, fault))
		return -1;
	if (recovery.systems_missing || recovery.volumes_missing)
		snprintf(next, sizeof(next),
			 "what is missing stays closed: mend it, and xdc session recover %u again brings it to the "
			 "same moment",
			 session);
	else
		snprintf(next, sizeof(next),
			 "start the hosts here; when the old site is back, xdc session failback %u on each far side",
			 session);
	return cli_answer(recovery_json(request, &recovery, next), result, fault);
}

static int session_points(const struct cli_request *request, json_t **result, struct fault *fault)
{
	MEM_OWNED struct copy_point *points = mem_alloc(COPY_POINTS_MAX * sizeof(points[0]));
	uint64_t below = cli_given(request, "below") ? cli_number(request, "below") : UINT64_MAX;
	json_t *list;
	int count;

	if (!points)
		return cli_out_of_memory(fault);
	count = copy_session_points(control_copy(request->control), cli_session(request), below, points, fault);
	if (count < 0)
		return -1;
	list = json_array();
	for (int i = 0; i < count; i++)
		cli_append(&list, json_pack("{s:I, s:o, s:I}", "sequence", (json_int_t)points[i].sequence, "cg_at",
					    cli_wall(points[i].cg_wall_ns), "back_bytes",
					    (json_int_t)points[i].bytes));
	return cli_answer(list, result, fault);
}

static int session_practice(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct recovery_at at;

	if (control_session_practice(request->control, cli_session(request), cli_text(request, "pool"),
				     take_at(request, &at), fault))
		return -1;
	return cli_session_show(request, result, fault);
}

static int session_unpractice(const struct cli_request *request, json_t **result, struct fault *fault)
{
	if (copy_session_unpractice(control_copy(request->control), cli_session(request), fault))
		return -1;
	return cli_session_after(request, result, fault);
}

/* With what was done and what is to be done now, as sentences. */
static int say_next(json_t **result, const char *done, const char *next, struct fault *fault)
{
	if (!json_object_set_new(*result, "done", json_string(done)) &&
	    !json_object_set_new(*result, "next", json_string(next)))
		return 0;
	json_decref(*result);
	*result = NULL;
	return cli_out_of_memory(fault);
}

static int session_failback(const struct cli_request *request, json_t **result, struct fault *fault)
{
	char next[160];

	if (control_session_failback(request->control, cli_session(request), cli_given(request, "discard"), fault) ||
	    cli_session_show(request, result, fault))
		return -1;
	snprintf(next, sizeof(next), "when xdc pair list shows little out of sync, stop the hosts here, and "
		 "xdc session return %u on each far side", cli_session(request));
	return say_next(result, "the old site gets what it lacks, and hosts go on here", next, fault);
}

static int session_return(const struct cli_request *request, json_t **result, struct fault *fault)
{
	char next[160];

	if (control_session_return(request->control, cli_session(request), fault) ||
	    cli_session_after(request, result, fault))
		return -1;
	snprintf(next, sizeof(next), "start the hosts there; at the old master xdc session terminate %u, then add its "
		 "volumes and start it again", cli_session(request));
	return say_next(result, "the volumes of the old site are the sources again", next, fault);
}

static int pair_failback(const struct cli_request *request, json_t **result, struct fault *fault)
{
	const char *system, *remote;
	char next[200];
	struct copy_pair_name pair;

	if (cli_find_pair(request, &pair, fault) ||
	    copy_pair_failback(control_copy(request->control), &pair, cli_given(request, "discard"), fault) ||
	    cli_answer_pair(request, &pair, result, fault))
		return -1;
	system = json_string_value(json_object_get(*result, "system"));
	remote = json_string_value(json_object_get(*result, "remote_volume"));
	snprintf(next, sizeof(next), "to go home: stop the hosts here, and when xdc pair show %04X has nothing out of "
		 "sync, on %s: xdc pair failover %s, then xdc pair failback %s", pair.volume, system, remote, remote);
	return say_next(result, "the old source gets what it lacks, and hosts go on here", next, fault);
}

const struct cli_binding cli_bindings_recovery[] = {
	{ "session", "probe", session_probe },
	{ "session", "recover", session_recover },
	{ "session", "points", session_points },
	{ "session", "practice", session_practice },
	{ "session", "unpractice", session_unpractice },
	{ "session", "failback", session_failback },
	{ "session", "return", session_return },
	{ "pair", "failback", pair_failback },
	{ NULL, NULL, NULL },
};
