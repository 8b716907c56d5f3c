/* SPDX-License-Identifier: Apache-2.0 */
/* The control protocol: long work. */
#include <stdio.h>

#include "control/job.h"
#include "face/cli_private.h"

static json_t *error_json(const struct record_job *record)
{
	if (!record->code)
		return json_null();
	return json_pack("{s:i, s:o, s:o}", "code", (int)record->code, "message", cli_text_or_null(record->message),
			 "remedy", cli_text_or_null(record->remedy));
}

static json_t *percent_json(const struct record_job *record)
{
	if (record->state == JOB_COMPLETED)
		return json_integer(100);
	if (!record->total_bytes)
		return json_null();
	return json_integer((json_int_t)((double)record->done_bytes * 100 / (double)record->total_bytes));
}

static json_t *job_json(const struct job_info *info)
{
	const struct record_job *record = &info->record;

	return json_pack("{s:I, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:b, s:o}",
			 "job", (json_int_t)record->number, "kind", job_kind_names[record->kind],
			 "object", record->object, "state", job_state_names[record->state],
			 "since", cli_wall(info->state_since_wall_ns), "began_at", cli_wall(record->began_wall_ns),
			 "ended_at", cli_wall(record->ended_wall_ns), "percent", percent_json(record),
			 "done_bytes", (json_int_t)record->done_bytes,
			 "total_bytes", cli_known(record->total_bytes != 0, (int64_t)record->total_bytes),
			 "waiting_for", cli_text_or_null(info->waiting_for), "cancellable", info->cancellable,
			 "error", error_json(record));
}

struct job_list {
	json_t *list;
	bool only_running;
};

static void add_job(void *arg, const struct job_info *info)
{
	struct job_list *jobs = arg;

	if (!jobs->only_running || !info->record.ended_wall_ns)
		cli_append(&jobs->list, job_json(info));
}

static int job_list(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct job_list jobs = { json_array(), cli_given(request, "running") };

	jobs_each(control_jobs(request->control), add_job, &jobs);
	return cli_answer(jobs.list, result, fault);
}

int cli_answer_job(const struct cli_request *request, uint64_t number, json_t **result, struct fault *fault)
{
	struct job_info info;

	if (jobs_get(control_jobs(request->control), number, &info, fault))
		return -1;
	return cli_answer(job_json(&info), result, fault);
}

static int job_show(const struct cli_request *request, json_t **result, struct fault *fault)
{
	return cli_answer_job(request, cli_number(request, "job"), result, fault);
}

static int job_cancel(const struct cli_request *request, json_t **result, struct fault *fault)
{
	if (jobs_cancel(control_jobs(request->control), cli_number(request, "job"), fault))
		return -1;
	return job_show(request, result, fault);
}

const struct cli_binding cli_bindings_job[] = {
	{ "job", "list", job_list },
	{ "job", "show", job_show },
	{ "job", "cancel", job_cancel },
	{ NULL, NULL, NULL },
};
