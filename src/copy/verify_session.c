/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A comparison of all pairs of a session (copy.h: copy_session_verify_begin): the system where it was asked for has all
 * member source systems compare theirs, itself among them, at the same time (verify_member.h), and sums up. Another
 * system than the master knows of no members but itself.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/session_entry.h"
#include "copy/verify_member.h"
#include "rt/mem.h"

#define ANSWER_NS	(10 * RT_SECOND)
#define LOST_NS		(60 * RT_SECOND)	/* that a member does not answer; then it goes on without it */
#define LOOK_MIN_NS	(20 * RT_MS)		/* from one look at all to the next: at first, and in the end */
#define LOOK_MAX_NS	(500 * RT_MS)

/* One source system. */
struct verify_share {
	struct session_verify *verify;
	char system[XDC_SYSTEM_ID_MAX];
	struct wire_verify_report report;	/* the last one */
	int64_t heard_ns;
	bool ended;				/* compared, or lost */
	int rc;					/* of the last request */
	struct fault fault;			/* of that; then of the whole */
};

struct session_verify {
	struct copy *copy;
	struct wire_verify order;
	struct rt_group asking;
	unsigned count;
	struct verify_share shares[XDC_SESSION_MEMBERS_MAX];
};

/* ---- asking all ---- */

static void ask(void *arg)
{
	struct verify_share *share = arg;
	struct session_verify *verify = share->verify;
	struct copy *copy = verify->copy;
	struct wire_verify_report report = { 0 };
	char why[WIRE_TEXT_SIZE] = "", object[64];

	if (!strcmp(share->system, copy->config.system)) {
		share->rc = verify_member_step(copy, share->system, &verify->order, &report, &share->fault);
	} else {
		RT_LIMIT(rt_now_ns() + ANSWER_NS);
		share->rc = copy_ask(copy, share->system, WIRE_SESSION_VERIFY, &verify->order, &report, why);
		snprintf(object, sizeof(object), "session %u", verify->order.session);
		if (share->rc)
			fault_set(&share->fault, share->rc == -EBUSY ? FAULT_IN_USE : FAULT_FAILED, object,
				  "mend that and repeat the command", "system %s: %.200s", share->system,
				  why[0] ? why : strerror(-share->rc));
	}
	if (share->rc)
		return;
	share->report = report;
	share->heard_ns = rt_now_ns();
}

static int ask_all(struct session_verify *verify, enum wire_verify_step step)
{
	int rc;

	verify->order.step = (uint8_t)step;
	for (unsigned i = 0; i < verify->count; i++) {
		struct verify_share *share = &verify->shares[i];

		if (share->ended && step != WIRE_VERIFY_END)
			continue;
		share->rc = rt_group_start(&verify->asking, "verify ask", ask, share);
		if (share->rc)
			fault_set(&share->fault, FAULT_FAILED, "", "try again", "no memory");
	}
	rc = rt_group_wait(&verify->asking);
	if (rc)
		rt_group_stop(&verify->asking);
	return rc;
}

/* It does not answer, and may again. */
static bool is_away(const struct verify_share *share)
{
	return share->rc == -ENOTCONN || share->rc == -ETIMEDOUT;
}

/* ---- the beginning ---- */

static void add_share(struct session_verify *verify, const char *system)
{
	struct verify_share *share = &verify->shares[verify->count++];

	share->verify = verify;
	snprintf(share->system, sizeof(share->system), "%s", system);
}

static int find_members(struct session_verify *verify, struct fault *fault)
{
	struct copy *copy = verify->copy;
	struct copy_session_info info;
	char object[64];

	snprintf(object, sizeof(object), "session %u", verify->order.session);
	if (copy_session_get(copy, verify->order.session, &info))
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc session list",
				 "there is no such session here");
	add_share(verify, copy->config.system);
	for (unsigned i = 0; i < info.member_count && !strcmp(info.master, copy->config.system); i++) {
		if (strcmp(info.members[i], copy->config.system) != 0)
			add_share(verify, info.members[i]);
	}
	return 0;
}

/* One that is not reached is named in the end; what any of them refuses is refused. */
static int check_begun(struct session_verify *verify, struct fault *fault)
{
	unsigned volumes = 0;
	char object[64];

	for (unsigned i = 0; i < verify->count; i++) {
		struct verify_share *share = &verify->shares[i];

		volumes += share->report.volumes;
		if (share->rc && !is_away(share)) {
			*fault = share->fault;
			return -1;
		}
		share->ended = share->rc != 0;
	}
	snprintf(object, sizeof(object), "session %u", verify->order.session);
	if (volumes)
		return 0;
	return fault_set(fault, FAULT_INVALID_PARAMETER, object, "repeat the command on its source systems",
			 "this system has no source volume in it");
}

int copy_session_verify_begin(struct copy *copy, uint8_t session, const struct copy_verify_request *request,
			      struct session_verify **out, struct fault *fault)
{
	struct session_verify *verify;
	char object[64];
	int rc;

	if (session_check(copy, session, SESSION_DO_VERIFY, false, fault))
		return -1;
	snprintf(object, sizeof(object), "session %u", session);
	verify = mem_alloc_zeroed(sizeof(*verify));
	if (!verify)
		return fault_set(fault, FAULT_FAILED, object, "try again", "no memory");
	verify->copy = copy;
	verify->order = (struct wire_verify){
		.session = session, .id = rt_random_u64() | 1, .repair = request->repair,
		.rate_bytes = request->rate_bytes,
	};
	rt_group_init(&verify->asking);
	rc = find_members(verify, fault);
	if (!rc && ask_all(verify, WIRE_VERIFY_BEGIN))
		rc = fault_set(fault, FAULT_TIMEOUT, object, "repeat the command", "given up");
	if (!rc)
		rc = check_begun(verify, fault);
	if (rc)
		copy_session_verify_end(verify);
	else
		*out = verify;
	return rc;
}

/* ---- to the end ---- */

static void sum_up(const struct session_verify *verify, struct copy_verify_progress *progress)
{
	struct copy_verify_progress sum = { .systems = verify->count };

	for (unsigned i = 0; i < verify->count; i++) {
		const struct verify_share *share = &verify->shares[i];

		sum.done_bytes += share->report.done_bytes;
		sum.total_bytes += share->report.total_bytes;
		sum.differing_blocks += share->report.differing_blocks;
		sum.repaired_blocks += share->report.repaired_blocks;
		if (!share->ended && (share->rc || share->report.waits))
			snprintf(sum.waiting_for, sizeof(sum.waiting_for), "%s%s", share->rc ? "" : "the far side of ",
				 share->system);
	}
	*progress = sum;
}

/* What it said is its fault in the end; NONE: it was through, and nothing is wrong. */
static void take_fault(struct verify_share *share)
{
	const struct wire_verify_report *report = &share->report;
	const char *own = share->verify->copy->config.system;

	share->fault = (struct fault){ .code = FAULT_NONE };
	if (!report->code)
		return;
	if (!strcmp(share->system, own))
		fault_set(&share->fault, (enum fault_code)report->code, report->object, report->remedy, "%s",
			  report->message);
	else
		fault_set(&share->fault, (enum fault_code)report->code, report->object, report->remedy,
			  "system %s: %.230s", share->system, report->message);
}

static void look_at(struct verify_share *share)
{
	if (share->ended)
		return;
	if (!share->rc && share->report.done) {
		share->ended = true;
		take_fault(share);
	}
	/* Whoever answers that it knows nothing of it was restarted. */
	if (share->rc && (!is_away(share) || rt_now_ns() - share->heard_ns > LOST_NS))
		share->ended = true;
}

static bool have_all_ended(struct session_verify *verify)
{
	bool all = true;

	for (unsigned i = 0; i < verify->count; i++) {
		look_at(&verify->shares[i]);
		all = all && verify->shares[i].ended;
	}
	return all;
}

/* The first fault, and how many others there are. */
static int judge(const struct session_verify *verify, struct fault *fault)
{
	const struct verify_share *first = NULL;
	unsigned others = 0;
	size_t len;

	for (unsigned i = 0; i < verify->count; i++) {
		const struct verify_share *share = &verify->shares[i];

		others += first && share->fault.code;
		if (!first && share->fault.code)
			first = share;
	}
	if (!first)
		return 0;
	*fault = first->fault;
	len = strlen(fault->message);
	if (others)
		snprintf(fault->message + len, sizeof(fault->message) - len, "; and %u other systems have faults, too",
			 others);
	return -1;
}

int copy_session_verify_wait(struct session_verify *verify, struct copy_verify_progress *progress,
			     struct fault *fault)
{
	int64_t pause_ns = LOOK_MIN_NS;
	char object[64];
	int rc = 0;

	sum_up(verify, progress);
	while (!rc && !have_all_ended(verify)) {
		rc = rt_sleep_until(rt_now_ns() + pause_ns);
		pause_ns = 2 * pause_ns < LOOK_MAX_NS ? 2 * pause_ns : LOOK_MAX_NS;
		if (!rc)
			rc = ask_all(verify, WIRE_VERIFY_LOOK);
		sum_up(verify, progress);
	}
	snprintf(object, sizeof(object), "session %u", verify->order.session);
	return rc ? fault_set(fault, FAULT_FAILED, object, "repeat the command", "the comparison was ended")
		  : judge(verify, fault);
}

void copy_session_verify_end(struct session_verify *verify)
{
	RT_SHIELD();

	(void)!ask_all(verify, WIRE_VERIFY_END);
	mem_free(verify);
}
