/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing both sides of pairs, as a job: of one, or of all of a session. */
#include "control/control_private.h"

#include <stdio.h>
#include <string.h>

#include "rt/mem.h"

static int out_of_memory(const char *object, struct fault *fault)
{
	return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
}

/* ---- of one pair ---- */

struct pair_work {
	struct control *control;
	struct copy_verify_request request;
	struct copy_pair_name pair;
};

/* In bytes of the volume; each was looked at once when it is through. */
static void look_pair(void *arg, struct job *job)
{
	const struct pair_work *work = arg;
	struct fault gone;
	const struct control_volume *volume = control_volume_need(work->control, work->pair.volume, &gone);
	struct copy_verify_info info = { 0 };
	bool there = copy_pair_get_verify(work->control->copy, &work->pair, &info);

	job_progress(job, there && info.state == VERIFY_RUNNING ? info.looked_bytes : 0,
		     volume ? volume->record.size_bytes : 0);
	job_waits(job, there && info.waits ? "the far side, or blocks that are always under way" : NULL);
}

/* What was found is an answer that a script has to hear of. */
static int judge(const struct pair_work *work, struct fault *fault)
{
	uint16_t volume = work->pair.volume;
	struct copy_verify_info info;
	char object[32], remedy[64];

	if (!copy_pair_get_verify(work->control->copy, &work->pair, &info) || !info.differing_blocks ||
	    work->request.repair)
		return 0;
	snprintf(object, sizeof(object), "pair of volume %04X", volume);
	snprintf(remedy, sizeof(remedy), "xdc pair verify %04X --repair sends them again", volume);
	return fault_set(fault, FAULT_FAILED, object, remedy,
			 "%llu blocks of volume %04X differ at its far side, the first at byte %llu",
			 (unsigned long long)info.differing_blocks, volume, (unsigned long long)info.ranges[0].offset);
}

static int run_pair(void *arg, struct job *job, struct fault *fault)
{
	struct pair_work *work = arg;

	(void)job;
	return copy_pair_verify(work->control->copy, &work->pair, &work->request, fault) ? -1 : judge(work, fault);
}

int control_pair_verify(struct control *control, const struct copy_pair_name *pair,
			const struct copy_verify_request *request, uint64_t *job, struct fault *fault)
{
	struct pair_work *work;
	char object[32];
	struct job_spec spec = { .kind = JOB_VERIFY, .object = object, .look = look_pair, .owns_arg = true };

	snprintf(object, sizeof(object), "pair of volume %04X", pair->volume);
	if (copy_pair_may_verify(control->copy, pair, fault))
		return -1;
	work = mem_alloc_zeroed(sizeof(*work));
	if (!work)
		return out_of_memory(object, fault);
	*work = (struct pair_work){ .control = control, .request = *request, .pair = *pair };
	spec.arg = work;
	return job_run(control->jobs, &spec, run_pair, job, fault);
}

/* ---- of a session ---- */

struct session_work {
	struct session_verify *verify;	/* of the fiber that runs it */
	struct copy_verify_progress progress;
};

static void look_session(void *arg, struct job *job)
{
	const struct session_work *work = arg;

	job_progress(job, work->progress.done_bytes, work->progress.total_bytes);
	job_waits(job, work->progress.waiting_for[0] ? work->progress.waiting_for : NULL);
}

static int run_session(void *arg, struct job *job, struct fault *fault)
{
	struct session_work *work = arg;
	int rc = copy_session_verify_wait(work->verify, &work->progress, fault);

	(void)job;
	copy_session_verify_end(work->verify);
	return rc;
}

int control_session_verify(struct control *control, uint8_t session, const struct copy_verify_request *request,
			   uint64_t *job, struct fault *fault)
{
	struct session_work *work = mem_alloc_zeroed(sizeof(*work));
	struct session_verify *verify;
	char object[32];
	struct job_spec spec = {
		.kind = JOB_VERIFY, .object = object, .look = look_session, .arg = work, .owns_arg = true,
	};

	snprintf(object, sizeof(object), "session %u", session);
	if (!work)
		return out_of_memory(object, fault);
	if (copy_session_verify_begin(control->copy, session, request, &verify, fault)) {
		mem_free(work);
		return -1;
	}
	work->verify = verify;
	if (!job_run(control->jobs, &spec, run_session, job, fault))
		return 0;
	copy_session_verify_end(verify);
	return -1;
}
