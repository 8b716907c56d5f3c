/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator may ask about both sides of pairs (copy.h). */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/verify.h"
#include "rt/log.h"
#include "rt/mem.h"

#define STEP_NS		(100 * RT_MS)		/* then others have a look at it, and it at the pair */
#define AGAIN_MIN_NS	(10 * RT_MS)		/* before what was not settled is looked at again */
#define AGAIN_MAX_NS	(200 * RT_MS)
#define WAITS_NS	(5 * RT_SECOND)		/* without anything that is found out: then people are told */
#define TURN_NS		(5 * RT_SECOND)		/* for a command on the pair to end */
#define PATIENCE_NS	(60 * RT_SECOND)	/* and then it is given up */

const char *const verify_state_names[] = { "never", "running", "done", "stopped" };
_Static_assert(sizeof(verify_state_names) / sizeof(verify_state_names[0]) == VERIFY_STATE_COUNT, "a word for each");

/* One comparison, by the fiber that was asked for it. */
struct run {
	struct pair *pair;			/* pinned */
	struct verify *verify;
	uint64_t rate_bytes;
	int64_t began_ns;
	uint64_t bytes;				/* compared so far */
	int64_t settled_ns;			/* when something was found out last */
	int64_t again_ns;			/* the last pause */
	int error;				/* of the last step */
};

static int fault_of(const struct pair *pair, enum fault_code code, const char *remedy, const char *message,
		    struct fault *fault)
{
	char object[64];

	snprintf(object, sizeof(object), "pair of volume %04X", pair->record.volume);
	return fault_set(fault, code, object, remedy, "%s", message);
}

/* ---- may it be? ---- */

/* runs: what is taken up again by itself is waited for. */
static int check_state(struct pair *pair, bool runs, struct fault *fault)
{
	enum copy_type type;
	enum copy_state state;

	if (pair->gone)
		return fault_of(pair, FAULT_FAILED, "", "it was deleted while its sides were compared", fault);
	pair_look(pair, &type, &state);
	if (!(runs && (state == COPY_STATE_INTERRUPTED || state == COPY_STATE_REFUSING)) &&
	    pair_check(pair, COPY_VERIFY, false, fault))
		return -1;
	if (!pair->peer)
		return fault_of(pair, FAULT_FAILED, "xdc path create", "no path leads to its far side", fault);
	return 0;
}

static struct pair *find_pair(struct copy *copy, const struct copy_pair_name *name, struct fault *fault)
{
	struct pair *pair = pair_find_named(copy, name, fault);
	char object[64];

	if (!pair)
		return NULL;
	snprintf(object, sizeof(object), "pair of volume %04X", name->volume);
	if (pair->verify.state == VERIFY_RUNNING) {
		fault_set(fault, FAULT_IN_USE, object, "wait for its end: xdc pair show",
			  "its sides are being compared");
		return NULL;
	}
	return check_state(pair, false, fault) ? NULL : pair;
}

int copy_pair_may_verify(struct copy *copy, const struct copy_pair_name *name, struct fault *fault)
{
	return find_pair(copy, name, fault) ? 0 : -1;
}

bool copy_pair_get_verify(struct copy *copy, const struct copy_pair_name *name, struct copy_verify_info *info)
{
	struct fault none;
	const struct pair *pair = pair_find_named(copy, name, &none);

	if (pair)
		*info = pair->verify;
	return pair;
}

/* ---- to the end ---- */

static int fault_stalled(const struct run *run, struct fault *fault)
{
	const struct pair *pair = run->pair;
	char message[224], remedy[64];
	struct link_state link;

	link_get_state(pair->peer->to, &link);
	snprintf(remedy, sizeof(remedy), "xdc pair show %04X, then repeat the command", pair->record.volume);
	if (!link.connected)
		snprintf(message, sizeof(message), "system %s is not reached: %.150s", pair->record.system,
			 link.last_error_text);
	else if (run->error)
		snprintf(message, sizeof(message), "its sides cannot be compared now: %s", strerror(-run->error));
	else
		snprintf(message, sizeof(message), "%llu blocks are being written or sent all the time",
			 (unsigned long long)pair->verify.open_blocks);
	return fault_of(pair, FAULT_FAILED, remedy, message, fault);
}

/* What a step of a limited rate may read. */
static uint64_t step_bytes(const struct run *run)
{
	uint64_t bytes = run->rate_bytes / (RT_SECOND / STEP_NS);

	return !run->rate_bytes ? UINT64_MAX : bytes ? bytes : 1;
}

/* For as long as what was read takes at the rate that was asked for. */
static int wait_for_rate(const struct run *run)
{
	double seconds = run->rate_bytes ? (double)run->bytes / (double)run->rate_bytes : 0;
	int64_t when_ns = run->began_ns + (int64_t)(seconds * (double)RT_SECOND);

	return when_ns > rt_now_ns() ? rt_sleep_until(when_ns) : rt_cancelled() ? -ECANCELED : 0;
}

static int wait_for_next(struct run *run, const struct verify_step *step)
{
	int rc = wait_for_rate(run);

	if (rc || (!step->again && !run->error))
		return rc;
	if (step->settled || !run->again_ns)
		run->again_ns = AGAIN_MIN_NS;
	else if (run->again_ns < AGAIN_MAX_NS)
		run->again_ns *= 2;
	return rt_sleep_until(rt_now_ns() + run->again_ns);
}

static int run_to_end(struct run *run, struct fault *fault)
{
	struct pair *pair = run->pair;
	struct verify_step step;

	for (;;) {
		run->error = verify_run_step(run->verify, STEP_NS, step_bytes(run), &step);
		run->bytes += step.bytes;
		verify_get_findings(run->verify, &pair->verify);
		if (check_state(pair, true, fault))
			return -1;
		if (step.done)
			return 0;
		if (step.settled)
			run->settled_ns = rt_now_ns();
		else if (rt_now_ns() - run->settled_ns > PATIENCE_NS)
			return fault_stalled(run, fault);
		pair->verify.waits = rt_now_ns() - run->settled_ns > WAITS_NS;
		if (wait_for_next(run, &step))
			return fault_of(pair, FAULT_FAILED, "repeat the command", "the comparison was ended", fault);
	}
}

static void log_end(const struct pair *pair, const struct fault *fault)
{
	const struct copy_verify_info *found = &pair->verify;

	log_line(found->differing_blocks || fault ? LOG_WARNING : LOG_NOTICE, "pair",
		 "volume %04X was compared with %04X of %s%s%s: %llu blocks differed, %llu of them were sent again",
		 pair->record.volume, pair->record.remote_volume, pair->record.system,
		 fault ? ", not to the end: " : "", fault ? fault->message : "",
		 (unsigned long long)found->differing_blocks, (unsigned long long)found->repaired_blocks);
}

static void tell_differences(struct pair *pair, bool repair)
{
	const struct record_pair *record = &pair->record;
	char object[16], remedy[64] = "";

	if (!pair->verify.differing_blocks)
		return;
	snprintf(object, sizeof(object), "volume %04X", record->volume);
	if (!repair)
		snprintf(remedy, sizeof(remedy), "xdc pair verify %04X --repair", record->volume);
	copy_tell(pair->copy, EVENT_PAIR_DIFFERS, EVENT_WARNING, object, remedy,
		  "%llu blocks differ from volume %04X of %s; %llu of them were sent again",
		  (unsigned long long)pair->verify.differing_blocks, record->remote_volume, record->system,
		  (unsigned long long)pair->verify.repaired_blocks);
}

/* It is kept with the pair; when that cannot be, until the next start. */
static void keep_findings(struct pair *pair)
{
	struct record_pair next;
	int rc;
	RT_SHIELD();
	RT_LIMIT(rt_now_ns() + TURN_NS);

	rc = pair_begin_change(pair);
	if (!rc) {
		next = pair->record;
		verify_put_record(&pair->verify, &next);
		rc = pair_change_record(pair, &next);
		pair_end_change(pair);
	}
	if (rc && rc != -ENOENT)
		log_line(LOG_WARNING, "pair", "volume %04X: what was found is not durable: %s", pair->record.volume,
			 strerror(-rc));
}

int copy_pair_verify(struct copy *copy, const struct copy_pair_name *name, const struct copy_verify_request *request,
		     struct fault *fault)
{
	struct run run = { .pair = find_pair(copy, name, fault), .rate_bytes = request->rate_bytes };
	int rc;

	if (!run.pair)
		return -1;
	if (verify_create(run.pair, request->repair, &run.verify))
		return fault_of(run.pair, FAULT_FAILED, "try again", "out of memory", fault);
	pair_pin(run.pair);
	run.pair->verify = (struct copy_verify_info){ .state = VERIFY_RUNNING, .began_wall_ns = rt_wall_ns() };
	run.began_ns = run.settled_ns = rt_now_ns();
	rc = run_to_end(&run, fault);
	run.pair->verify.state = rc ? VERIFY_STOPPED : VERIFY_DONE;
	run.pair->verify.ended_wall_ns = rt_wall_ns();
	run.pair->verify.waits = false;
	log_end(run.pair, rc ? fault : NULL);
	tell_differences(run.pair, request->repair);
	keep_findings(run.pair);
	verify_destroy(run.verify);
	pair_unpin(run.pair);
	return rc;
}
