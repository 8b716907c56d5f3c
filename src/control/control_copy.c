/* SPDX-License-Identifier: Apache-2.0 */
/* Those operations of the copy services that also need the model. */
#include "control/control_private.h"

#include <stdio.h>
#include <string.h>

#include "rt/mem.h"

int control_path_create(struct control *control, const struct copy_path *path, struct fault *fault)
{
	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	if (!strcmp(path->system, control->system.id) && path->source_lss == path->target_lss)
		return fault_set(fault, FAULT_INVALID_PARAMETER, "path", "name another LSS",
				 "a path does not lead from an LSS to itself");
	if (control_lss_ensure(control, path->source_lss, fault))
		return -1;
	return copy_path_create(control->copy, path, fault);
}

int control_path_set(struct control *control, const struct copy_path *path, const struct copy_path_change *change,
		     struct fault *fault)
{
	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	return copy_path_set(control->copy, path, change, fault);
}

int control_path_delete(struct control *control, const struct copy_path *path, struct fault *fault)
{
	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	return copy_path_delete(control->copy, path, fault);
}

/* Without the lock, since the other system is asked: from its first step on the pair itself keeps the volume. */
int control_pair_create(struct control *control, const struct copy_pair_request *request, struct fault *fault)
{
	struct control_volume *volume = control_volume_need(control, request->source, fault);
	char object[16];

	if (!volume)
		return -1;
	snprintf(object, sizeof(object), "volume %04X", request->source);
	if (!strcmp(request->system, control->system.id))
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "name another system",
				 "a pair leads to another system, and %s is this one", request->system);
	if (!volume->volume)
		return fault_set(fault, FAULT_FAILED, object, "see the log", "it is offline");
	/* A set names a pair by its volume alone. */
	if (control_check_no_set(control, request->source, SET_OF_PAIRS, object, fault))
		return -1;
	return copy_pair_create(control->copy, request, fault);
}

int control_pair_delete(struct control *control, const struct copy_pair_name *name, bool force, struct fault *fault)
{
	char object[16];

	snprintf(object, sizeof(object), "volume %04X", name->volume);
	if (control_check_no_set(control, name->volume, SET_OF_PAIRS, object, fault))
		return -1;
	return copy_pair_delete(control->copy, name, force, fault);
}

int control_session_open(struct control *control, uint8_t session, uint8_t lss, enum session_type type,
			 struct fault *fault)
{
	struct control_lss *on = control->lsss[lss];
	int rc;

	if (control_lss_need(control, lss, fault))
		return -1;
	/* Not under the lock: it may wait for a command on the session that asks other systems. */
	on->pins++;
	rc = copy_session_open(control->copy, session, lss, type, fault);
	on->pins--;
	return rc;
}

/* ---- what goes on by itself: first copies, resyncs ---- */

struct copy_work_arg {
	struct control *control;
	struct copy_pair_name pair;
	uint64_t total_bytes;
};

static void name_work(const struct copy_pair_name *pair, char object[64])
{
	snprintf(object, 64, "volume %04X to %s", pair->volume, pair->system);
}

static void look_copy(void *arg, struct job *job)
{
	struct copy_work_arg *work = arg;
	struct copy_pair_info info;
	char waits[JOB_WAITING_MAX];
	uint64_t left;

	/* Of a volume that is not open nothing is known. */
	if (!copy_pair_get(work->control->copy, &work->pair, &info) || !info.is_source || !info.size_bytes)
		return;
	left = info.unsent_blocks * XDC_BLOCK_SIZE;
	if (left > work->total_bytes)
		work->total_bytes = left;
	job_progress(job, work->total_bytes - left, work->total_bytes);
	snprintf(waits, sizeof(waits), "%s of system %s", pair_reason_names[info.reason], info.system);
	job_waits(job, info.reason == PAIR_REASON_NONE ? NULL : waits);
}

uint64_t control_pair_job(struct control *control, const struct copy_pair_name *pair)
{
	struct job *job;
	char object[64];

	name_work(pair, object);
	job = job_find(control->jobs, JOB_FIRST_COPY, object);
	if (!job_is_running(job))
		job = job_find(control->jobs, JOB_RESYNC, object);
	return job_is_running(job) ? job_number(job) : 0;
}

static void begin_copy_job(struct control *control, enum job_kind kind, const struct copy_pair_name *pair,
			   const char *object, uint64_t bytes)
{
	struct copy_work_arg *work = mem_alloc(sizeof(*work));
	const struct job_spec spec = {
		.kind = kind, .object = object, .look = look_copy, .arg = work, .owns_arg = true,
		.instead = "xdc pair suspend stops it, and xdc pair delete ends it",
	};

	if (!work)
		return;
	*work = (struct copy_work_arg){ control, *pair, bytes };
	job_progress(job_begin(control->jobs, &spec), 0, bytes);
}

/* Of a pair that was refused when it was made nothing is left. */
static void cut_copy_job(struct job *job)
{
	if (job_age_ns(job) < RT_SECOND)
		job_drop(job);
	else
		job_cut(job, "its pair was deleted, or goes the other way now");
}

void control_copy_work(void *arg, enum job_kind kind, const struct copy_pair_name *pair, enum copy_work step,
		       uint64_t bytes)
{
	struct control *control = arg;
	struct job *job;
	char object[64];

	name_work(pair, object);
	job = job_find(control->jobs, kind, object);
	if (step == COPY_WORK_BEGINS && !job_is_running(job))
		begin_copy_job(control, kind, pair, object, bytes);
	else if (step == COPY_WORK_ENDS && job)
		job_end(job, NULL);
	else if (step == COPY_WORK_CUT && job)
		cut_copy_job(job);
}

static void claim_resync(void *arg, const struct copy_pair_info *info)
{
	const struct copy_pair_name pair = copy_pair_name_of(info->volume, info->system);
	struct control *control = arg;
	char object[64];

	name_work(&pair, object);
	if (info->is_source && job_find(control->jobs, JOB_RESYNC, object))
		control_copy_work(control, JOB_RESYNC, &pair, COPY_WORK_BEGINS, 0);
}

void control_claim_resyncs(struct control *control)
{
	copy_pair_each(control->copy, claim_resync, control);
}
