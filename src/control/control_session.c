/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands on sessions that may take long, each with a job beside it. That of a pause or a swap is as long as they are:
 * cut off in the middle, by an error or by the end of the system, they wait for the same command, or to be given up.
 */
#include "control/control_private.h"

#include <stdio.h>
#include <string.h>

#include "rt/mem.h"

#define SHORT_NS	RT_SECOND	/* what has been done sooner was no long work */

struct session_work {
	struct control *control;
	enum job_kind kind;
	uint8_t session;
	uint64_t most_bytes;		/* that were to be sent, or brought into the volumes */
};

static void name_session(uint8_t session, char object[16])
{
	snprintf(object, 16, "session %u", session);
}

/* Under way: pauses are counted apart from swaps, as one may be refused while the other goes on. */
static unsigned *commands_of(struct control *control, enum job_kind kind, uint8_t session)
{
	return &control->session_commands[kind == JOB_SWAP][session];
}

static void tell_left(struct session_work *work, struct job *job, uint64_t left_bytes)
{
	if (left_bytes > work->most_bytes)
		work->most_bytes = left_bytes;
	job_progress(job, work->most_bytes - left_bytes, work->most_bytes);
}

/* Far side: what is still to be brought into the volumes. */
static void look_unapplied(void *arg, struct job *job)
{
	struct session_work *work = arg;
	struct copy_session_info info;

	if (!copy_session_get(work->control->copy, work->session, &info))
		tell_left(work, job, info.unapplied_bytes);
}

struct sent {
	uint8_t session;
	uint64_t blocks;		/* out of sync until the group is whole, and sent */
};

static void add_sent(void *arg, const struct copy_pair_info *pair)
{
	struct sent *sent = arg;

	if (pair->is_source && pair->session == sent->session && pair->out_of_sync_blocks > pair->unsent_blocks)
		sent->blocks += pair->out_of_sync_blocks - pair->unsent_blocks;
}

/* Master: what is still to be sent, of others what is in no group; it waits for a system, or for people. */
static void look_unsent(void *arg, struct job *job)
{
	struct session_work *work = arg;
	struct copy_session_info info;
	struct sent sent = { work->session, 0 };

	copy_pair_each(work->control->copy, add_sent, &sent);
	if (copy_session_get(work->control->copy, work->session, &info))
		return;
	if (sent.blocks < info.out_of_sync_blocks)
		tell_left(work, job, (info.out_of_sync_blocks - sent.blocks) * XDC_BLOCK_SIZE);
	else
		tell_left(work, job, 0);
	if (!*commands_of(work->control, work->kind, work->session))
		job_waits(job, "the same command again");
	else
		job_waits(job, info.waiting_for[0] ? info.waiting_for : NULL);
}

/* ---- as long as their command ---- */

static struct job *begin_work(struct control *control, struct job_spec *spec, uint8_t session)
{
	struct session_work *work = mem_alloc_zeroed(sizeof(*work));
	char object[16];

	if (!work)
		return NULL;
	work->control = control;
	work->kind = spec->kind;
	work->session = session;
	name_session(session, object);
	spec->object = object;
	spec->arg = work;
	spec->owns_arg = true;
	return job_begin(control->jobs, spec);
}

/* So short that nobody can have been told its number. */
static bool is_unknown(const struct job *job)
{
	return job && job_age_ns(job) < SHORT_NS;
}

/* A command that was refused has not been work; one that waited to be refused may be asked for by its number. */
static void end_job_of(struct job *job, int rc, const struct fault *fault)
{
	if (rc && fault->code != FAULT_FAILED && fault->code != FAULT_TIMEOUT && is_unknown(job))
		job_drop(job);
	else
		job_end(job, rc ? fault : NULL);
}

static int end_work(struct job *job, int rc, const struct fault *fault)
{
	end_job_of(job, rc, fault);
	return rc;
}

/* Of those that are short as a rule. */
static int end_short_work(struct job *job, int rc, const struct fault *fault)
{
	if (is_unknown(job))
		job_drop(job);
	else
		end_job_of(job, rc, fault);
	return rc;
}

int control_session_recover(struct control *control, uint8_t session, const struct recovery_at *at, bool force,
			    struct recovery_result *result, struct fault *fault)
{
	struct job_spec spec = { .kind = JOB_RECOVER, .look = look_unapplied };
	struct job *job = begin_work(control, &spec, session);

	return end_work(job, copy_session_recover(control->copy, session, at, force, result, fault), fault);
}

int control_session_failback(struct control *control, uint8_t session, bool discard, struct fault *fault)
{
	struct job_spec spec = { .kind = JOB_FAILBACK, .look = look_unapplied };
	struct job *job = begin_work(control, &spec, session);

	return end_work(job, copy_session_failback(control->copy, session, discard, fault), fault);
}

int control_session_return(struct control *control, uint8_t session, struct fault *fault)
{
	struct job_spec spec = { .kind = JOB_RETURN, .look = look_unapplied };
	struct job *job = begin_work(control, &spec, session);

	return end_work(job, copy_session_return(control->copy, session, fault), fault);
}

int control_session_freeze(struct control *control, uint8_t session, int64_t hold_ns, struct fault *fault)
{
	struct job_spec spec = { .kind = JOB_FREEZE, .instead = "it ends by itself, or xdc session run ends it" };
	struct job *job = begin_work(control, &spec, session);

	return end_short_work(job, copy_session_freeze(control->copy, session, hold_ns, fault), fault);
}

int control_session_practice(struct control *control, uint8_t session, const char *pool,
			     const struct recovery_at *at, struct fault *fault)
{
	struct job_spec spec = { .kind = JOB_PRACTICE, .look = look_unapplied };
	struct job *job = begin_work(control, &spec, session);

	return end_short_work(job, copy_session_practice(control->copy, session, pool, at, fault), fault);
}

/* ---- as long as the session is in the middle of it ---- */

static enum session_course course_of(enum job_kind kind)
{
	return kind == JOB_SWAP ? SESSION_COURSE_SWAP : SESSION_COURSE_PAUSE;
}

static bool is_in_middle(struct control *control, enum job_kind kind, uint8_t session)
{
	return copy_session_course(control->copy, session) == course_of(kind);
}

/* Whoever has brought it to its end: the command itself, or another one while that was cut off. */
static void settle(struct control *control, enum job_kind kind, uint8_t session)
{
	char object[16];
	struct job *job;

	name_session(session, object);
	job = job_find(control->jobs, kind, object);
	if (job && !*commands_of(control, kind, session) && !is_in_middle(control, kind, session))
		job_cut(job, "it was given up");
}

static int resume(struct control *control, const struct session_start *start, struct fault *fault)
{
	int rc = copy_session_resume(control->copy, start, fault);

	settle(control, JOB_PAUSE, start->session);
	settle(control, JOB_SWAP, start->session);
	return rc;
}

static int give_up(void *arg, struct job *job, struct fault *fault)
{
	const struct session_work *work = arg;
	const struct session_start start = { .session = work->session };

	(void)job;
	return resume(work->control, &start, fault);
}

static void begin_course(struct control *control, enum job_kind kind, uint8_t session)
{
	struct job_spec spec = {
		.kind = kind, .look = look_unsent, .cancel = give_up,
	};
	char object[16];
	struct job *job;

	name_session(session, object);
	job = job_find(control->jobs, kind, object);
	if (job_is_running(job))
		job_waits(job, NULL);
	else
		(void)begin_work(control, &spec, session);
}

static int end_course(struct control *control, enum job_kind kind, uint8_t session, int rc, const struct fault *fault)
{
	char object[16];
	struct job *job;

	name_session(session, object);
	job = job_find(control->jobs, kind, object);
	/* It is another pause's, or another swap's, which goes on. */
	if (rc && *commands_of(control, kind, session))
		return rc;
	if (job && rc && is_in_middle(control, kind, session))
		job_waits(job, "the same command again");
	else if (job)
		end_job_of(job, rc, fault);
	return rc;
}

int control_session_pause(struct control *control, uint8_t session, bool consistent, struct fault *fault)
{
	int rc;

	begin_course(control, JOB_PAUSE, session);
	++*commands_of(control, JOB_PAUSE, session);
	rc = copy_session_pause(control->copy, session, consistent, fault);
	--*commands_of(control, JOB_PAUSE, session);
	return end_course(control, JOB_PAUSE, session, rc, fault);
}

int control_session_swap(struct control *control, uint8_t session, struct fault *fault)
{
	int rc;

	begin_course(control, JOB_SWAP, session);
	++*commands_of(control, JOB_SWAP, session);
	rc = copy_session_swap(control->copy, session, fault);
	--*commands_of(control, JOB_SWAP, session);
	return end_course(control, JOB_SWAP, session, rc, fault);
}

int control_session_resume(struct control *control, const struct session_start *start, struct fault *fault)
{
	struct job_spec spec = { .kind = JOB_RESUME };
	struct job *job = begin_work(control, &spec, start->session);

	return end_short_work(job, resume(control, start, fault), fault);
}

int control_session_terminate(struct control *control, uint8_t session, bool force, struct fault *fault)
{
	struct job_spec spec = { .kind = JOB_TERMINATE };
	struct job *job = begin_work(control, &spec, session);
	int rc = copy_session_terminate(control->copy, session, force, fault);

	settle(control, JOB_PAUSE, session);
	settle(control, JOB_SWAP, session);
	return end_short_work(job, rc, fault);
}

static void claim(struct control *control, enum job_kind kind, uint8_t session)
{
	if (is_in_middle(control, kind, session))
		begin_course(control, kind, session);
}

void control_claim_session_work(struct control *control)
{
	for (unsigned session = 1; session <= UINT8_MAX; session++) {
		claim(control, JOB_PAUSE, (uint8_t)session);
		claim(control, JOB_SWAP, (uint8_t)session);
	}
}
