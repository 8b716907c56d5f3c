/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on sessions whose caller does not wait for their end: after a while their job is what tells of it. */
#include "control/control_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rt/mem.h"

#define PATIENCE_NS	(3 * RT_SECOND)

/* Shared by the fiber that carries it out and the one that waits; the last of them frees it. */
struct order_work {
	struct control *control;
	enum control_session_order order;
	struct session_start start;
	struct rt_cond ended;
	bool has_ended, is_left;
	int rc;
	struct fault fault;
};

static const enum job_kind order_jobs[] = {
	[SESSION_ORDER_PAUSE] = JOB_PAUSE, [SESSION_ORDER_PAUSE_CONSISTENT] = JOB_PAUSE,
	[SESSION_ORDER_RESUME] = JOB_RESUME,
	[SESSION_ORDER_TERMINATE] = JOB_TERMINATE, [SESSION_ORDER_FORCE] = JOB_TERMINATE,
	[SESSION_ORDER_RECOVER] = JOB_RECOVER, [SESSION_ORDER_RECOVER_FORCE] = JOB_RECOVER,
	[SESSION_ORDER_FAILBACK] = JOB_FAILBACK, [SESSION_ORDER_FAILBACK_DISCARD] = JOB_FAILBACK,
	[SESSION_ORDER_RETURN] = JOB_RETURN,
};

static int obey(struct order_work *work)
{
	struct recovery_result recovery = { 0 };
	uint8_t session = work->start.session;

	switch (work->order) {
	case SESSION_ORDER_RECOVER:
	case SESSION_ORDER_RECOVER_FORCE:
		return control_session_recover(work->control, session, NULL,
					       work->order == SESSION_ORDER_RECOVER_FORCE, &recovery, &work->fault);
	case SESSION_ORDER_FAILBACK:
	case SESSION_ORDER_FAILBACK_DISCARD:
		return control_session_failback(work->control, session, work->order == SESSION_ORDER_FAILBACK_DISCARD,
						&work->fault);
	case SESSION_ORDER_RETURN:
		return control_session_return(work->control, session, &work->fault);
	case SESSION_ORDER_PAUSE:
	case SESSION_ORDER_PAUSE_CONSISTENT:
		return control_session_pause(work->control, session, work->order == SESSION_ORDER_PAUSE_CONSISTENT,
					     &work->fault);
	case SESSION_ORDER_RESUME:
		return control_session_resume(work->control, &work->start, &work->fault);
	default:
		return control_session_terminate(work->control, session, work->order == SESSION_ORDER_FORCE,
						 &work->fault);
	}
}

/* It counts among the commands under way, also when nobody waits for it any more. */
static void carry_out(void *arg)
{
	struct order_work *work = arg;
	struct control *control = work->control;

	work->rc = obey(work);
	control->commands--;
	rt_cond_wake_all(jobs_changed(control->jobs));
	if (work->is_left) {
		mem_free(work);
		return;
	}
	work->has_ended = true;
	rt_cond_wake_all(&work->ended);
}

static uint64_t find_job(const struct order_work *work)
{
	struct job *job;
	char object[16];

	snprintf(object, sizeof(object), "session %u", work->start.session);
	job = job_find(work->control->jobs, order_jobs[work->order], object);
	return job_is_running(job) ? job_number(job) : 0;
}

static int wait_until(struct order_work *work, int64_t until_ns)
{
	int rc = 0;
	RT_LIMIT(until_ns);

	while (rc == 0 && !work->has_ended)
		rc = rt_cond_wait(&work->ended);
	return work->has_ended ? 0 : rc;
}

/* 0: it has ended, or its job goes on; negative errno: neither. */
static int wait_or_leave(struct order_work *work, uint64_t *job)
{
	int rc = wait_until(work, rt_now_ns() + PATIENCE_NS);

	*job = rc == 0 ? 0 : find_job(work);
	/* Without a job, for want of memory, its end is all that can be told. */
	return rc == -ETIMEDOUT && !*job ? wait_until(work, RT_NEVER) : *job ? 0 : rc;
}

int control_session_order(struct control *control, enum control_session_order order,
			  const struct session_start *start, uint64_t *job, struct fault *fault)
{
	struct order_work *work = mem_alloc_zeroed(sizeof(*work));
	int rc = -ENOMEM;

	*job = 0;
	if (work) {
		*work = (struct order_work){ .control = control, .order = order, .start = *start };
		rt_cond_init(&work->ended);
		rc = rt_group_start(&control->fibers, "session-order", carry_out, work);
	}
	if (rc != 0) {
		mem_free(work);
		return fault_set(fault, FAULT_FAILED, "session", "try again", "out of memory");
	}
	control->commands++;
	rc = wait_or_leave(work, job);
	if (!work->has_ended) {
		work->is_left = true;
		return *job ? 0 : fault_set(fault, FAULT_TIMEOUT, "session", "xdc session show says how it is",
					    "the command goes on: %s", strerrordesc_np(-rc));
	}
	*fault = work->fault;
	rc = work->rc;
	mem_free(work);
	return rc;
}
