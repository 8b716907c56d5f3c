/* SPDX-License-Identifier: Apache-2.0 */
/* The control protocol: the system as a whole, its limits, its events. */
#include <stdio.h>

#include "control/event.h"
#include "control/service.h"
#include "face/cli_private.h"

/* ---- system ---- */

/* Null: off. */
static json_t *limits_json(const struct control_limits *limits)
{
	const struct copy_limits *watched = &limits->watched;

	return json_pack("{s:o, s:o, s:o, s:o}",
			 "rpo_ms", cli_known(watched->rpo_ns != RT_NEVER, watched->rpo_ns / RT_MS),
			 "cg_failures", cli_known(watched->cg_failures, watched->cg_failures),
			 "journal_percent", cli_known(watched->journal_percent, watched->journal_percent),
			 "pool_percent", cli_known(limits->pool_percent, limits->pool_percent));
}

static int system_show(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct system_info info;
	struct control_limits limits;

	control_limits_get(request->control, &limits);
	if (control_system_get(request->control, &info, fault))
		return -1;
	return cli_answer(json_pack("{s:s, s:s, s:o, s:o, s:I, s:o, s:I, s:o, s:i, s:i, s:i, s:i, s:i, s:o, s:I, s:o, "
				    "s:I}",
				    "system", info.record->id, "version", XDC_VERSION,
				    "uuid", cli_uuid(info.record->uuid),
				    "boot_id", cli_uuid(info.boot_id),
				    "starts", (json_int_t)info.record->starts,
				    "started_at", cli_wall(info.started_wall_ns),
				    "uptime_ms", (json_int_t)(info.uptime_ns / RT_MS),
				    "link_address", cli_text_or_null(info.link_address),
				    "reactors", info.reactors, "pools", info.pools, "lsss", info.lsss,
				    "volumes", info.volumes, "attached", info.attached,
				    "counters", cli_counters(&info.counters),
				    "last_event", (json_int_t)events_last(control_events(request->control)),
				    "limits", limits_json(&limits),
				    "keep_jobs_ms", (json_int_t)(limits.keep_jobs_ns / RT_MS)),
			  result, fault);
}

static int add_line(void *arg, const char *line)
{
	json_t **list = arg, *row = json_loads(line, 0, NULL);

	/* That of a session is shared by its far sides, and by nobody who reads this. */
	if (json_object_get(row, "key") && json_object_set_new(row, "key", json_null()) != 0) {
		json_decref(row);
		row = NULL;
	}
	cli_append(list, row);
	return 0;
}

static int system_dump(const struct cli_request *request, json_t **result, struct fault *fault)
{
	json_t *list = json_array();

	if (control_system_dump(request->control, add_line, &list, fault)) {
		json_decref(list);
		return -1;
	}
	return cli_answer(list, result, fault);
}

static int system_set(const struct cli_request *request, json_t **result, struct fault *fault)
{
	static const char *const names[] = {
		"rpo-limit", "cg-failures-limit", "journal-limit", "pool-limit", "keep-jobs",
	};
	const uint64_t *numbers[sizeof(names) / sizeof(names[0])];
	struct control_limits_change wanted;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct arg_value *value = cli_value(request, names[i]);

		numbers[i] = value ? &value->number : NULL;
	}
	wanted = (struct control_limits_change){ numbers[0], numbers[1], numbers[2], numbers[3], numbers[4] };
	if (control_limits_set(request->control, &wanted, fault))
		return -1;
	return system_show(request, result, fault);
}

/* ---- the service ---- */

static int service_show(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct service_info info;

	control_service_get(request->control, &info);
	return cli_answer(json_pack("{s:s, s:s, s:i, s:s, s:i, s:b, s:o, s:i, s:o}", "service", "xdc",
				    "enabled_state", service_state_names[info.state],
				    "enabled_value", (int)service_state_values[info.state],
				    "requested_state", service_request_names[info.requested],
				    "requested_value", (int)service_request_values[info.requested],
				    "started", info.state == SERVICE_ENABLED, "since", cli_wall(info.since_wall_ns),
				    "running", (int)info.running, "job", cli_known(info.job, (int64_t)info.job)),
			  result, fault);
}

static int request_state(const struct cli_request *request, enum service_request state, json_t **result,
			 struct fault *fault)
{
	bool may_wait = operation_arg_find(request->operation, "timeout") >= 0;
	int64_t timeout_ns = may_wait ? (int64_t)cli_number(request, "timeout") : 0;
	uint64_t job;

	if (control_service_request(request->control, state, timeout_ns, &job, fault))
		return -1;
	return service_show(request, result, fault);
}

static int service_start(const struct cli_request *request, json_t **result, struct fault *fault)
{
	return request_state(request, REQUEST_ENABLED, result, fault);
}

static int service_stop(const struct cli_request *request, json_t **result, struct fault *fault)
{
	return request_state(request, REQUEST_SHUT_DOWN, result, fault);
}

static int service_request_state(const struct cli_request *request, json_t **result, struct fault *fault)
{
	return request_state(request, (enum service_request)cli_number(request, "state"), result, fault);
}

/* ---- events ---- */

static json_t *event_json(const struct record_event *event)
{
	return json_pack("{s:I, s:o, s:s, s:s, s:o, s:o, s:o}", "event", (json_int_t)event->number,
			 "at", cli_wall(event->at_wall_ns), "level", event_level_names[event->level],
			 "kind", event_kind_names[event->kind], "object", cli_text_or_null(event->object),
			 "text", cli_text_or_null(event->text), "remedy", cli_text_or_null(event->remedy));
}

static void add_event(void *arg, const struct record_event *event)
{
	cli_append(arg, event_json(event));
}

static int events_list(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct events *events = control_events(request->control);
	enum event_level level = (enum event_level)cli_number(request, "level");
	uint64_t since = cli_number(request, "since");
	json_t *list;

	if (cli_given(request, "wait") &&
	    events_wait(events, since, level, rt_now_ns() + (int64_t)cli_number(request, "wait"), fault))
		return -1;
	list = json_array();
	events_each(events, since, level, add_event, &list);
	return cli_answer(list, result, fault);
}

const struct cli_binding cli_bindings_system[] = {
	{ "system", "show", system_show },
	{ "system", "dump", system_dump },
	{ "system", "set", system_set },
	{ "events", "list", events_list },
	{ "service", "show", service_show },
	{ "service", "start", service_start },
	{ "service", "stop", service_stop },
	{ "service", "request-state", service_request_state },
	{ NULL, NULL, NULL },
};
