/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing both sides of pairs, as a job: of one, or of all of a session that this system sends. */
#include "control/control_private.h"

#include <stdio.h>
#include <string.h>

#include "rt/mem.h"

struct verify_work {
	struct control *control;
	struct copy_verify_request request;
	unsigned count, index;		/* of the pairs; the one that is compared now */
	struct copy_pair_name pairs[];
};

static struct verify_work *make_work(struct control *control, const struct copy_verify_request *request, unsigned room)
{
	struct verify_work *work = mem_alloc_zeroed(sizeof(*work) + room * sizeof(work->pairs[0]));

	if (!work)
		return NULL;
	work->control = control;
	work->request = *request;
	return work;
}

/* In bytes of the volumes; each was looked at once when all are through. */
static void look_progress(void *arg, struct job *job)
{
	const struct verify_work *work = arg;
	uint64_t done_bytes = 0, total_bytes = 0;
	bool waits = false;
	struct fault gone;

	for (unsigned i = 0; i < work->count; i++) {
		const struct control_volume *volume = control_volume_need(work->control, work->pairs[i].volume,
									  &gone);
		uint64_t size = volume ? volume->record.size_bytes : 0;
		struct copy_verify_info info;

		total_bytes += size;
		if (i < work->index)
			done_bytes += size;
		if (i != work->index || !copy_pair_get_verify(work->control->copy, &work->pairs[i], &info))
			continue;
		done_bytes += info.state == VERIFY_RUNNING ? info.looked_bytes : 0;
		waits = info.waits;
	}
	job_progress(job, done_bytes, total_bytes);
	job_waits(job, waits ? "the far side, or blocks that are always under way" : NULL);
}

/* What was found is an answer that a script has to hear of. */
static int judge(const struct verify_work *work, const struct copy_pair_name *pair, struct fault *fault)
{
	uint16_t volume = pair->volume;
	struct copy_verify_info info;
	char object[32], remedy[64];

	if (!copy_pair_get_verify(work->control->copy, pair, &info) || !info.differing_blocks || work->request.repair)
		return 0;
	snprintf(object, sizeof(object), "pair of volume %04X", volume);
	snprintf(remedy, sizeof(remedy), "xdc pair verify %04X --repair sends them again", volume);
	return fault_set(fault, FAULT_FAILED, object, remedy,
			 "%llu blocks of volume %04X differ at its far side, the first at byte %llu",
			 (unsigned long long)info.differing_blocks, volume, (unsigned long long)info.ranges[0].offset);
}

/* All are compared, whatever is found of one; the first fault is that of the job. */
static int run_verify(void *arg, struct job *job, struct fault *fault)
{
	struct verify_work *work = arg;
	struct fault found = { 0 };
	int rc = 0;

	(void)job;
	for (; work->index < work->count && !rt_cancelled(); work->index++) {
		const struct copy_pair_name *pair = &work->pairs[work->index];

		if (!copy_pair_verify(work->control->copy, pair, &work->request, &found) && !judge(work, pair, &found))
			continue;
		if (!rc)
			*fault = found;
		rc = -1;
	}
	if (!rc && work->index < work->count)
		rc = fault_set(fault, FAULT_FAILED, "", "repeat the command", "the comparison was ended");
	return rc;
}

static int start(struct control *control, struct verify_work *work, const char *object, uint64_t *job,
		 struct fault *fault)
{
	struct job_spec spec = {
		.kind = JOB_VERIFY, .object = object, .look = look_progress, .arg = work, .owns_arg = true,
	};

	return job_run(control->jobs, &spec, run_verify, job, fault);
}

static int out_of_memory(const char *object, struct fault *fault)
{
	return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
}

int control_pair_verify(struct control *control, const struct copy_pair_name *pair,
			const struct copy_verify_request *request, uint64_t *job, struct fault *fault)
{
	struct verify_work *work;
	char object[32];

	snprintf(object, sizeof(object), "pair of volume %04X", pair->volume);
	if (copy_pair_may_verify(control->copy, pair, fault))
		return -1;
	work = make_work(control, request, 1);
	if (!work)
		return out_of_memory(object, fault);
	work->pairs[work->count++] = *pair;
	return start(control, work, object, job, fault);
}

struct count {
	struct control *control;
	struct verify_work *work;	/* NULL: only counts */
	unsigned sources;
};

static void add_volume(void *arg, const struct copy_session_volume *volume)
{
	struct count *count = arg;

	if (!volume->is_source)
		return;
	count->sources++;
	if (count->work)
		count->work->pairs[count->work->count++] = copy_pair_name_of(volume->volume, volume->system);
}

int control_session_verify(struct control *control, uint8_t session, const struct copy_verify_request *request,
			   uint64_t *job, struct fault *fault)
{
	struct count count = { .control = control };
	char object[32];

	snprintf(object, sizeof(object), "session %u", session);
	copy_session_each_volume(control->copy, session, add_volume, &count);
	if (!count.sources)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "repeat the command on its source systems",
				 "this system has no source volume in it");
	count.work = make_work(control, request, count.sources);
	if (!count.work)
		return out_of_memory(object, fault);
	copy_session_each_volume(control->copy, session, add_volume, &count);
	for (unsigned i = 0; i < count.work->count; i++) {
		if (copy_pair_may_verify(control->copy, &count.work->pairs[i], fault)) {
			mem_free(count.work);
			return -1;
		}
	}
	return start(control, count.work, object, job, fault);
}
