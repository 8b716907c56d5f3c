/* SPDX-License-Identifier: Apache-2.0 */
/* Methods of jobs: ended by an administrator, and why they failed. */
#include "face/cim/ibm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/job.h"
#include "face/cim/instance.h"
#include "face/cim/thing.h"

#define ERROR_BYTES_MAX	8192u

/* The values of RequestedState, and of properties of CIM_Error. */
enum { ASK_START = 2, ASK_SUSPEND, ASK_TERMINATE, ASK_KILL, ASK_SERVICE };
enum { ERROR_TYPE_SOFTWARE = 4, SEVERITY_MAJOR = 5, CAUSE_UNKNOWN = 0 };

static int find_job(struct cim_call *call, struct job_info *info, struct fault *fault)
{
	char system[XDC_SYSTEM_ID_MAX];
	const char *name = cim_thing_name(call->object, "job", system);

	if (!name)
		return ibm_bad(fault, "InstanceID", "it is no job");
	return jobs_get(control_jobs(call->control), strtoull(name, NULL, 10), info, fault);
}

int ibm_change_job(struct cim_call *call, struct fault *fault)
{
	const struct cim_value *timeout = cim_in(call, "TimeoutPeriod");
	uint64_t wanted = cim_in_number(call, "RequestedState");
	struct job_info info;
	char object[32];

	if (wanted < ASK_START || wanted > ASK_SERVICE)
		return ibm_bad(fault, "RequestedState", "there is no such state");
	if (find_job(call, &info, fault))
		return -1;
	if (!timeout->is_null && timeout->one.datetime.us)
		return fault_set(fault, FAULT_TIMEOUT_PARAMETER, "TimeoutPeriod", "leave it out",
				 "a time-out is not supported");
	if (wanted != ASK_TERMINATE && wanted != ASK_KILL)
		return fault_set(fault, FAULT_NOT_SUPPORTED, "RequestedState", "ask for 4 (Terminate)",
				 "jobs cannot be asked for that");
	if (info.record.ended_wall_ns)
		return fault_set(fault, FAULT_INVALID_TRANSITION, "RequestedState", "", "the job has ended");
	snprintf(object, sizeof(object), "job %llu", (unsigned long long)info.record.number);
	if (cim_command_begin(call, "job", "cancel", fault))
		return -1;
	return cim_command_end(call, "job", "cancel", object,
			       jobs_cancel(control_jobs(call->control), info.record.number, fault));
}

/* ---- why it failed ---- */

static void fill_error(struct cim_instance *error, struct cim_arena *arena, const struct record_job *record)
{
	cim_set_number(cim_instance_value(error, "ErrorType"), ERROR_TYPE_SOFTWARE);
	cim_set_text(cim_instance_value(error, "OwningEntity"), "xdc");
	cim_set_text(cim_instance_value(error, "MessageID"), arena_print(arena, "%u", record->code));
	cim_set_text(cim_instance_value(error, "Message"),
		     arena_print(arena, "%s: %s%s%s", record->object, record->message, *record->remedy ? "; " : "",
				 record->remedy));
	cim_set_number(cim_instance_value(error, "PerceivedSeverity"), SEVERITY_MAJOR);
	cim_set_number(cim_instance_value(error, "ProbableCause"), CAUSE_UNKNOWN);
}

/* As an embedded instance; *text NULL: it has not failed. */
static int describe(struct cim_call *call, const char **text, struct fault *fault)
{
	struct cim_instance *error;
	struct job_info info;
	struct xml_text xml;

	*text = NULL;
	if (find_job(call, &info, fault))
		return -1;
	if (info.record.state != JOB_EXCEPTION)
		return 0;
	error = cim_instance_new(call->arena, call->ns, cim_schema_find_class(call->ns, "CIM_Error"));
	if (!error)
		return fault_set(fault, FAULT_FAILED, "", "try again", "out of memory");
	fill_error(error, call->arena, &info.record);
	xml_text_init(&xml, ERROR_BYTES_MAX);
	xml_put_instance(&xml, error, NULL);
	*text = xml.failed ? NULL : arena_copy_bytes(call->arena, xml.bytes, xml.used);
	xml_text_free(&xml);
	return *text ? 0 : fault_set(fault, FAULT_FAILED, "", "try again", "out of memory");
}

int ibm_get_job_errors(struct cim_call *call, struct fault *fault)
{
	const char *text;

	if (describe(call, &text, fault))
		return -1;
	cim_out_begin(call, "Errors");
	if (text)
		cim_out_add_text(call, text);
	cim_out_end(call);
	return 0;
}

int ibm_get_job_error(struct cim_call *call, struct fault *fault)
{
	const char *text;

	if (describe(call, &text, fault))
		return -1;
	if (text)
		cim_out_text(call, "Error", text);
	return 0;
}
