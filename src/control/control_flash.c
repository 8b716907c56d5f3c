/* SPDX-License-Identifier: Apache-2.0 */
/* FlashCopies where the model is needed: what is in a set, and the jobs of background copies and restores. */
#include "control/control_private.h"

#include <stdio.h>
#include <string.h>

#include "rt/mem.h"

/* ---- what is in a set ---- */

static int check_flash_set(struct control *control, uint16_t target, struct fault *fault)
{
	char object[16];

	snprintf(object, sizeof(object), "volume %04X", target);
	return control_check_no_set(control, target, SET_OF_FLASHCOPIES, object, fault);
}

int control_flash_delete(struct control *control, uint16_t target, bool force, struct fault *fault)
{
	return check_flash_set(control, target, fault) ? -1 : copy_flash_delete(control->copy, target, force, fault);
}

int control_flash_reverse(struct control *control, uint16_t target, uint16_t *restored, struct fault *fault)
{
	return check_flash_set(control, target, fault) ? -1 :
	       copy_flash_reverse(control->copy, target, restored, fault);
}

/* One that would end by itself is in no set. */
int control_flash_set(struct control *control, uint16_t target, const struct copy_flash_change *change,
		      struct fault *fault)
{
	struct record_flash record;

	if (change->copying == COPY_FLASH_START && copy_flash_get(control->copy, target, &record) &&
	    !record.persistent && check_flash_set(control, target, fault))
		return -1;
	return copy_flash_set(control->copy, target, change, fault);
}

/* ---- the jobs of background copies ---- */

#define OBJECT_LEN	32u

static enum job_kind kind_of(const struct record_flash *record)
{
	return record->restore ? JOB_FLASH_RESTORE : JOB_FLASH_COPY;
}

static void name_work(const struct record_flash *record, char object[OBJECT_LEN])
{
	snprintf(object, OBJECT_LEN, "volume %04X to %04X", record->source, record->target);
}

static struct job *find_job(struct control *control, const struct record_flash *record)
{
	char object[OBJECT_LEN];

	name_work(record, object);
	return job_find(control->jobs, kind_of(record), object);
}

uint64_t control_flash_job(struct control *control, const struct record_flash *record)
{
	struct job *job = find_job(control, record);

	return job_is_running(job) ? job_number(job) : 0;
}

struct flash_work {
	struct control *control;
	uint16_t target;
};

static void note_progress(const struct flash_work *work, struct job *job, uint64_t copied_bytes)
{
	const struct control_volume *volume = control_volume_at(work->control, work->target);

	if (volume)
		job_progress(job, copied_bytes, volume->record.size_bytes);
}

static void look(void *arg, struct job *job)
{
	const struct flash_work *work = arg;
	char waits[JOB_WAITING_MAX];
	uint64_t copied_bytes;
	int error;

	if (!copy_flash_get_copied(work->control->copy, work->target, &copied_bytes, &error))
		return;
	note_progress(work, job, copied_bytes);
	snprintf(waits, sizeof(waits), "another try: %s", strerrordesc_np(-error));
	job_waits(job, error ? waits : NULL);
}

/* The target shows what it showed, and needs its source for what is not copied. The end of the copy ends the job. */
static int stop(void *arg, struct job *job, struct fault *fault)
{
	const struct copy_flash_change change = { .copying = COPY_FLASH_STOP };
	const struct flash_work *work = arg;

	(void)job;
	return copy_flash_set(work->control->copy, work->target, &change, fault);
}

static void begin_job(struct control *control, const struct record_flash *record)
{
	const struct flash_work first = { control, record->target };
	struct flash_work *work = mem_alloc(sizeof(*work));
	char object[OBJECT_LEN];
	const struct job_spec spec = {
		.kind = kind_of(record), .object = object, .look = look, .cancel = record->restore ? NULL : stop,
		.instead = "xdc flash set --priority low slows it down", .arg = work, .owns_arg = true,
	};

	if (!work)
		return;
	name_work(record, object);
	*work = first;
	note_progress(&first, job_begin(control->jobs, &spec), 0);
}

void control_flash_work(void *arg, const struct record_flash *record, enum copy_work step, const struct fault *failed)
{
	struct control *control = arg;
	struct job *job = find_job(control, record);

	if (step == COPY_WORK_BEGINS && !job_is_running(job))
		begin_job(control, record);
	else if (step == COPY_WORK_ENDS && job)
		job_end(job, failed);
	else if (step == COPY_WORK_CUT && job)
		job_cut(job, "it is not copied in the background any more, or another way");
}
