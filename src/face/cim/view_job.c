/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs, in both namespaces. */
#include "face/cim/views.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "control/job.h"
#include "face/cim/thing.h"
#include "rt/mem.h"

#define JOB_STATE_FIRST	2u	/* of CIM */

struct job_row {
	uint64_t number;
	const char *kind;
	enum job_state state;
	char object[64], waiting_for[JOB_WAITING_MAX], message[256];
	int64_t began_wall_ns, elapsed_ns, changed_wall_ns, keep_ns;
	uint16_t percent, code;
};

/* ---- rows ---- */

static uint16_t find_percent(const struct record_job *record)
{
	uint64_t percent = record->total_bytes ? record->done_bytes * 100 / record->total_bytes : 0;

	if (record->state == JOB_COMPLETED)
		return 100;
	return (uint16_t)(percent < 100 ? percent : 99);
}

static void make_row(struct control *control, const struct job_info *info, struct job_row *row)
{
	const struct record_job *record = &info->record;
	int64_t until_ns = record->ended_wall_ns ? record->ended_wall_ns : rt_wall_ns();

	*row = (struct job_row){
		.number = record->number, .kind = job_kind_names[record->kind], .state = record->state,
		.began_wall_ns = record->began_wall_ns, .changed_wall_ns = info->state_since_wall_ns,
		.elapsed_ns = until_ns > record->began_wall_ns ? until_ns - record->began_wall_ns : 0,
		.keep_ns = jobs_keep(control_jobs(control)), .percent = find_percent(record),
		.code = (uint16_t)record->code,
	};
	memcpy(row->object, record->object, sizeof(row->object));
	memcpy(row->waiting_for, info->waiting_for, sizeof(row->waiting_for));
	memcpy(row->message, record->message, sizeof(row->message));
}

struct job_fetch {
	struct control *control;
	uint64_t after;
	struct job_row *rows;
	unsigned count, max;
};

static void add_job(void *arg, const struct job_info *info)
{
	struct job_fetch *fetch = arg;

	if (info->record.number > fetch->after && fetch->count < fetch->max)
		make_row(fetch->control, info, &fetch->rows[fetch->count++]);
}

static int fetch_jobs(struct control *control, const void *after, void *rows, unsigned max)
{
	struct job_fetch fetch = {
		.control = control,
		.after = after ? ((const struct job_row *)after)->number : 0,
		.rows = rows,
		.max = max,
	};

	jobs_each(control_jobs(control), add_job, &fetch);
	return (int)fetch.count;
}

static int find_job(struct control *control, void *row)
{
	MEM_OWNED struct job_info *info = mem_alloc(sizeof(*info));
	struct fault fault;

	if (!info)
		return -ENOMEM;
	if (jobs_get(control_jobs(control), ((struct job_row *)row)->number, info, &fault))
		return 0;
	make_row(control, info, row);
	return 1;
}

static bool read_key(const struct cim_path *path, void *row)
{
	const char *name = cim_thing_name(path, "job", NULL);

	if (!name)
		return false;
	((struct job_row *)row)->number = strtoull(name, NULL, 10);
	return true;
}

static const struct cim_source jobs = { sizeof(struct job_row), fetch_jobs, find_job };

/* ---- properties ---- */

static void fill_instance_id(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct cim_path *path = cim_path_of_job(place->arena, place->ns, place->system,
						      ((const struct job_row *)row)->number);

	cim_set_text(value, path ? cim_path_key_text(path, "InstanceID") : NULL);
}

static void fill_name(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct job_row *job = row;

	cim_set_text(value, arena_print(place->arena, "%s of %s", job->kind, job->object));
}

static void fill_state(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_number(value, JOB_STATE_FIRST + ((const struct job_row *)row)->state);
}

/* 2 OK, 6 Error, 10 Stopped, 11 In Service, 15 Dormant; 17 Completed behind those that have ended. */
static void fill_status(const struct cim_place *place, const void *row, struct cim_value *value)
{
	static const uint16_t statuses[JOB_STATE_COUNT][2] = {
		[JOB_NEW] = { 15 }, [JOB_STARTING] = { 8 }, [JOB_RUNNING] = { 11 }, [JOB_SUSPENDED] = { 15 },
		[JOB_SHUTTING_DOWN] = { 9 }, [JOB_COMPLETED] = { 2, 17 }, [JOB_TERMINATED] = { 10, 17 },
		[JOB_KILLED] = { 10, 17 }, [JOB_EXCEPTION] = { 6, 17 },
	};
	const uint16_t *status = statuses[((const struct job_row *)row)->state];

	cim_set_numbers(place->arena, value, status, status[1] ? 2 : 1);
}

static void fill_health(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_number(value, ((const struct job_row *)row)->state == JOB_EXCEPTION ? 25 : 5);
}

static void fill_words(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct job_row *job = row;

	if (*job->waiting_for)
		cim_set_text(value, arena_print(place->arena, "waiting for %s", job->waiting_for));
	else
		cim_set_text(value, job_state_names[job->state]);
}

static void fill_began(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_time(value, ((const struct job_row *)row)->began_wall_ns);
}

static void fill_changed(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_time(value, ((const struct job_row *)row)->changed_wall_ns);
}

static void fill_elapsed(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_interval(value, ((const struct job_row *)row)->elapsed_ns);
}

static void fill_keep(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_interval(value, ((const struct job_row *)row)->keep_ns);
}

static void fill_code(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct job_row *job = row;

	(void)place;
	if (job->state >= JOB_COMPLETED)
		cim_set_number(value, job->code);
}

static const struct cim_column columns[] = {
	CIM_FILL("InstanceID", fill_instance_id), CIM_FILL("Name", fill_name), CIM_FILL("ElementName", fill_name),
	CIM_TEXT("Caption", "Job"), CIM_FILL("JobState", fill_state), CIM_FILL("OperationalStatus", fill_status),
	CIM_FILL("HealthState", fill_health), CIM_FILL("JobStatus", fill_words),
	CIM_FILL("TimeSubmitted", fill_began), CIM_FILL("StartTime", fill_began), CIM_FILL("InstallDate", fill_began),
	CIM_FILL("TimeOfLastStateChange", fill_changed), CIM_FILL("ElapsedTime", fill_elapsed),
	CIM_FILL("TimeBeforeRemoval", fill_keep), CIM_ROW_NUMBER("PercentComplete", struct job_row, percent),
	CIM_FLAG("DeleteOnCompletion", true), CIM_NUMBER("LocalOrUtcTime", 2), CIM_FILL("ErrorCode", fill_code),
	CIM_ROW_TEXT("ErrorDescription", struct job_row, message), CIM_NUMBER("RecoveryAction", 2),
	CIM_END,
};

const struct cim_view cim_views_job[] = {
	{ "IBMTSESS_ConcreteJob", CIM_IN(IBM), &jobs, columns, NULL, read_key, NULL },
	{ "MSISCSITARGET_ConcreteJob", CIM_IN(ISCSITARGET), &jobs, columns, NULL, read_key, NULL },
	{ .class_name = NULL },
};
