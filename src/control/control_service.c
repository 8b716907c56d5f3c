/* SPDX-License-Identifier: Apache-2.0 */
/* The service as it is in force: durable, with the jobs that wait, and the commands that it admits (service.h). */
#include "control/control_private.h"

#include <stdio.h>
#include <string.h>

#include "control/service.h"

#define OBJECT	"service"
/* EnabledDefault of CIM */
#define SERVICE_DEFAULT_ENABLED		2u
#define SERVICE_DEFAULT_DISABLED	3u

static unsigned count_running(const struct control *control)
{
	const struct job *own = job_find(control->jobs, JOB_SERVICE_STOP, OBJECT);

	return control->commands + jobs_count_running(control->jobs) - job_is_running(own);
}

void control_service_get(const struct control *control, struct service_info *info)
{
	const struct record_management *kept = &control->management;

	*info = (struct service_info){
		.state = kept->service_state, .requested = kept->service_requested,
		.since_wall_ns = kept->service_since_wall_ns, .running = count_running(control),
		.job = job_number(job_find(control->jobs, JOB_SERVICE_STOP, OBJECT)),
		.about.enabled_default = kept->enabled_default ? kept->enabled_default : SERVICE_DEFAULT_ENABLED,
	};
	memcpy(info->about.owner_name, kept->owner_name, sizeof(kept->owner_name));
	memcpy(info->about.owner_contact, kept->owner_contact, sizeof(kept->owner_contact));
}

int control_service_note(struct control *control, const struct service_about *about, struct fault *fault)
{
	struct record_management *kept = &control->management, before = *kept;
	const struct meta_change change = { META_PUT, META_MANAGEMENT, kept };

	memcpy(kept->owner_name, about->owner_name, sizeof(kept->owner_name));
	memcpy(kept->owner_contact, about->owner_contact, sizeof(kept->owner_contact));
	kept->enabled_default = about->enabled_default;
	if (!control_commit(control, &change, 1, OBJECT, fault))
		return 0;
	memcpy(kept->owner_name, before.owner_name, sizeof(kept->owner_name));
	memcpy(kept->owner_contact, before.owner_contact, sizeof(kept->owner_contact));
	kept->enabled_default = before.enabled_default;
	return -1;
}

/* Durably; then it is in force. */
static int enter(struct control *control, enum service_state state, enum service_request requested,
		 struct fault *fault)
{
	const struct meta_change change = { META_PUT, META_MANAGEMENT, &control->management };
	struct record_management *kept = &control->management;
	struct record_management before = *kept;

	if (state != before.service_state)
		kept->service_since_wall_ns = rt_wall_ns();
	kept->service_state = state;
	kept->service_requested = requested;
	if (control_commit(control, &change, 1, OBJECT, fault)) {
		kept->service_state = before.service_state;
		kept->service_requested = before.service_requested;
		kept->service_since_wall_ns = before.service_since_wall_ns;
		return -1;
	}
	if (state != before.service_state)
		event_post(control->events, EVENT_SERVICE_STATE, state == SERVICE_ENABLED ? EVENT_INFO : EVENT_WARNING,
			   OBJECT, state == SERVICE_ENABLED ? "" : "xdc service start",
			   "it was %s and is %s: commands of administrators are %s",
			   service_state_names[before.service_state], service_state_names[state],
			   state == SERVICE_ENABLED ? "carried out" : "refused");
	return 0;
}

/* On a fiber of its job: what is under way comes to its end, or somebody disables it without waiting for that. */
static int wait_and_stop(void *arg, struct job *job, struct fault *fault)
{
	struct control *control = arg;
	int rc = 0;

	(void)job;
	while (!rc && count_running(control) && control->management.service_state == SERVICE_SHUTTING_DOWN)
		rc = rt_cond_wait(jobs_changed(control->jobs));
	if (rc)
		return fault_set(fault, FAULT_FAILED, OBJECT, "", "xdcd was stopped before");
	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	if (control->management.service_state != SERVICE_SHUTTING_DOWN)
		return 0;
	return enter(control, control->service_last, control->management.service_requested, fault);
}

static int fault_verdict(enum service_state state, enum service_request request, enum fault_code code,
			 struct fault *fault)
{
	const char *remedy = "ask for enabled, disabled, shut-down, quiesce, reboot or reset";

	if (code == FAULT_BUSY)
		remedy = "wait for its end; or xdc service request-state disabled";
	else if (code == FAULT_INVALID_TRANSITION)
		remedy = "xdc service start, then ask for it";

	return fault_set(fault, code, OBJECT, remedy, "it is %s, and cannot be asked for %s%s",
			 service_state_names[state], service_request_names[request],
			 code == FAULT_NOT_SUPPORTED ? ": this service knows no such state" : "");
}

static int begin_stop(struct control *control, uint64_t *job, struct fault *fault)
{
	const struct job_spec spec = {
		.kind = JOB_SERVICE_STOP, .object = OBJECT, .arg = control, .keep_running = true,
		.instead = "xdc service request-state disabled stops it at once",
	};

	return job_run(control->jobs, &spec, wait_and_stop, job, fault);
}

int control_service_request(struct control *control, enum service_request request, int64_t timeout_ns, uint64_t *job,
			    struct fault *fault)
{
	struct service_verdict verdict;
	enum service_state state;

	*job = 0;
	if (timeout_ns)
		return fault_set(fault, FAULT_TIMEOUT_PARAMETER, OBJECT, "leave --timeout out",
				 "a time-out for the change of its state is not supported");
	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	state = control->management.service_state;
	verdict = service_decide(state, request, count_running(control) > 0);
	if (verdict.code != FAULT_NONE && verdict.code != FAULT_JOB_STARTED)
		return fault_verdict(state, request, verdict.code, fault);
	control->service_last = verdict.last;
	if (enter(control, verdict.next, request, fault))
		return -1;
	if (verdict.cancels)
		jobs_cancel_all(control->jobs);
	rt_cond_wake_all(jobs_changed(control->jobs));
	return verdict.code == FAULT_JOB_STARTED ? begin_stop(control, job, fault) : 0;
}

void control_service_take_up(struct control *control)
{
	struct record_management *kept = &control->management;
	struct job *job = job_find(control->jobs, JOB_SERVICE_STOP, OBJECT);

	/* Nothing is under way after a restart. As long as that is not durable the next start comes to the same. */
	if (kept->service_state == SERVICE_SHUTTING_DOWN)
		kept->service_state = kept->service_requested == REQUEST_REBOOT ? SERVICE_ENABLED : SERVICE_DISABLED;
	if (kept->enabled_default == SERVICE_DEFAULT_DISABLED)
		kept->service_state = SERVICE_DISABLED;
	job_end(job, NULL);
}

/* ---- commands ---- */

/* Those that are carried out in every state. */
static bool is_always(const struct operation *operation)
{
	static const char *const nouns[] = { "service", "job", "events", "system" };

	for (size_t i = 0; i < sizeof(nouns) / sizeof(nouns[0]); i++)
		if (!strcmp(operation->noun, nouns[i]))
			return true;
	return operation->role == ROLE_MONITOR;
}

int control_command_begin(struct control *control, const struct operation *operation, struct fault *fault)
{
	enum service_state state = control->management.service_state;

	if (is_always(operation))
		return 0;
	if (state != SERVICE_ENABLED)
		return fault_set(fault, FAULT_FAILED, OBJECT, "xdc service start",
				 "it is %s: %s %s is refused", service_state_names[state], operation->noun,
				 operation->verb);
	control->commands++;
	return 0;
}

void control_command_end(struct control *control, const struct operation *operation)
{
	if (is_always(operation))
		return;
	control->commands--;
	rt_cond_wake_all(jobs_changed(control->jobs));
}
