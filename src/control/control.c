/* SPDX-License-Identifier: Apache-2.0 */
#include "control/control_private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/service.h"
#include "rt/log.h"
#include "rt/mem.h"

#define DEFINED_NAMES(table, count) \
	_Static_assert(sizeof(table) / sizeof((table)[0]) == (count), "a word for each")

const char *const volume_state_names[] = { "online", "writes-lost", "sync-failed", "offline" };
DEFINED_NAMES(volume_state_names, VOLUME_STATE_COUNT);

struct copy *control_copy(struct control *control)
{
	return control->copy;
}

struct jobs *control_jobs(struct control *control)
{
	return control->jobs;
}

/* ---- events ---- */

struct events *control_events(struct control *control)
{
	return control->events;
}

struct subscriptions *control_subscriptions(struct control *control)
{
	return control->subscriptions;
}

void control_end_waits(struct control *control)
{
	events_end_waits(control->events);
}

void control_note_change(struct control *control, const char *object, const char *sentence)
{
	struct record_event event = { .kind = EVENT_CHANGE, .level = EVENT_INFO };

	snprintf(event.object, sizeof(event.object), "%s", object);
	snprintf(event.text, sizeof(event.text), "%s", sentence);
	event_take(control->events, &event, true);
}

/* Of the copy services. */
static void tell(void *arg, const struct record_event *event)
{
	struct control *control = arg;

	event_take(control->events, event, false);
}

/* ---- the system ---- */

const char *control_system_id(const struct control *control)
{
	return control->system.id;
}

int control_system_get(struct control *control, struct system_info *info, struct fault *fault)
{
	const struct control_pool *pool;

	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	*info = (struct system_info){
		.record = &control->system,
		.started_wall_ns = control->started_wall_ns,
		.uptime_ns = rt_now_ns() - control->started_ns,
		.link_address = control->link_address,
		.reactors = rt_reactor_count(),
	};
	memcpy(info->boot_id, control->boot_id, sizeof(info->boot_id));
	list_for_each(pool, &control->pools, link) {
		info->pools++;
		info->volumes += pool->volumes;
	}
	for (unsigned lss = 0; lss < LSS_COUNT; lss++) {
		if (!control->lsss[lss])
			continue;
		info->lsss++;
		for (unsigned i = 0; i < LSS_VOLUMES; i++)
			if (control->lsss[lss]->volumes[i])
				info->attached += control->lsss[lss]->volumes[i]->attached;
	}
	control_volumes_count(control, &info->counters);
	return 0;
}

int control_system_dump(struct control *control, int (*emit)(void *arg, const char *line), void *arg,
			struct fault *fault)
{
	int rc = meta_dump(control->meta, emit, arg);

	return rc == 0 ? 0 : control_fault_errno(fault, "system", "see the log", rc, "the metadata cannot be read");
}

/* ---- start ---- */

static int load_record(void *arg, enum meta_kind kind, const void *record)
{
	struct control *control = arg;
	struct control_volume *volume;

	switch (kind) {
	case META_SYSTEM:
		control->system = *(const struct record_system *)record;
		control->has_system = true;
		return 0;
	case META_POOL:
		return control_pool_load(control, record);
	case META_EXTENT:
		return control_extent_load(control, record, false);
	case META_LSS:
		return control_lss_load(control, record);
	case META_VOLUME:
		return control_volume_enter(control, record, &volume);
	case META_RETIRED:
		return control_retired_load(control, record);
	case META_SET:
		return control_set_load(control, record);
	case META_SET_MEMBER:
		return control_set_member_load(control, record);
	case META_MANAGEMENT:
		control->management = *(const struct record_management *)record;
		return 0;
	case META_JOB:
		return jobs_load(control->jobs, record);
	case META_EVENT:
		return events_load(control->events, record);
	case META_FILTER:
	case META_LISTENER:
	case META_SUBSCRIPTION:
		return subscriptions_load(control->subscriptions, kind, record);
	default:
		/* Of the copy services. */
		return 0;
	}
}

static int open_state(struct control *control, struct fault *fault)
{
	int rc = control_make_folder(control->state_folder);
	const char *remedy;

	if (rc < 0)
		return control_fault_errno(fault, "state folder", "make the folder above it, and let xdcd write there",
					   rc, control->state_folder);
	rc = meta_open(control->state_folder, &control->meta);
	if (rc == -EBUSY)
		return fault_set(fault, FAULT_IN_USE, "state folder", "stop the other xdcd",
				 "%s: another xdcd uses it", control->state_folder);
	if (rc == 0)
		rc = meta_load(control->meta, load_record, control);
	remedy = rc == -EACCES || rc == -EROFS ? "" : "see the log";
	return rc == 0 ? 0 : control_fault_errno(fault, "state folder", remedy, rc, control->state_folder);
}

/* A new state gets the id, an old one must have it; the start is counted. */
static int begin_run(struct control *control, const char *id, struct fault *fault)
{
	struct meta_change change = { META_PUT, META_SYSTEM, &control->system };
	struct record_system *system = &control->system;

	if (control->has_system && strcmp(system->id, id))
		return fault_set(fault, FAULT_INVALID_PARAMETER, "--id",
				 "start it with the id of the state, or with another --state",
				 "%s is the state of system %s, not of %s", control->state_folder, system->id, id);
	if (!control->has_system) {
		snprintf(system->id, sizeof(system->id), "%s", id);
		rt_random_bytes(system->uuid, sizeof(system->uuid));
		system->created_wall_ns = rt_wall_ns();
		log_line(LOG_NOTICE, "control", "system %s begins in %s", id, control->state_folder);
	} else if (control_mark_lost_writes(control) != 0) {
		return fault_set(fault, FAULT_FAILED, "system", "see the log", "the metadata cannot be written");
	}
	system->starts++;
	system->stopped_cleanly = false;
	rt_kernel_boot_id(system->kernel_boot_id);
	return control_commit(control, &change, 1, "system", fault);
}

static struct volume *find_volume(void *arg, uint16_t id)
{
	struct control_volume *volume = control_volume_at(arg, id);

	return volume && !volume->hidden ? volume->volume : NULL;
}

static struct copy_losses get_losses(void *arg, uint16_t id)
{
	const struct control_volume *volume = control_volume_at(arg, id);

	if (!volume)
		return (struct copy_losses){ 0 };
	return (struct copy_losses){ volume->record.unflushed_lost_wall_ns, volume->record.sync_failed_wall_ns };
}

static bool has_volume(void *arg, uint16_t id)
{
	return control_volume_at(arg, id) != NULL;
}

static int start_copy(struct control *control, const struct control_options *options, struct fault *fault)
{
	struct copy_config config = {
		.system = control->system.id,
		.state_folder = control->state_folder,
		.link_address = control->link_address,
		.meta = control->meta,
		.find_volume = find_volume,
		.grow_volume = control_volume_grow_target,
		.close_volume = control_close_to_hosts,
		.make_practice = control_practice_make,
		.delete_practice = control_practice_delete,
		.next_practice = control_practice_next,
		.has_volume = has_volume,
		.get_losses = get_losses,
		.end_losses = control_volume_end_losses,
		.tell = tell,
		.work = control_copy_work,
		.flash_work = control_flash_work,
		.limits = &control->limits,
		.find_arg = control,
		.wrap = options->wrap,
		.wrap_arg = options->wrap_arg,
		.timing = options->link_timing,
	};
	int rc;

	memcpy(config.boot_id, control->boot_id, sizeof(config.boot_id));
	rc = copy_start(&config, &control->copy);
	return rc == 0 ? 0 : control_fault_errno(fault, "copy services", "see the log", rc, "they cannot start");
}

static int out_of_memory(struct fault *fault)
{
	return fault_set(fault, FAULT_FAILED, "system", "free memory, and start it again", "out of memory");
}

static int start(struct control *control, const struct control_options *options, struct fault *fault)
{
	int rc;

	if (open_state(control, fault))
		return -1;
	if (begin_run(control, options->id, fault))
		return -1;
	control->management.number = 1;
	rc = events_start(control->events, control->meta, &control->management);
	if (!rc)
		rc = jobs_start(control->jobs, control->meta, &control->management, control->events);
	if (rc)
		return control_fault_errno(fault, "system", "see the log", rc, "jobs and events cannot be kept");
	subscriptions_start(control->subscriptions, control->meta);
	control_tell_lost_writes(control);
	control_limits_apply(control);
	control_service_take_up(control);
	control_pools_open(control);
	control_files_settle(control);
	control_volumes_open(control);
	if (start_copy(control, options, fault))
		return -1;
	copy_practices_settle(control->copy);
	control_claim_resyncs(control);
	control_claim_session_work(control);
	if (control_pools_watch(control) != 0)
		return out_of_memory(fault);
	jobs_settle(control->jobs);
	event_post(control->events, EVENT_SYSTEM_STARTED, EVENT_INFO, "system", "", "xdcd %s serves, start %llu of %s",
		   XDC_VERSION, (unsigned long long)control->system.starts, control->system.id);
	return 0;
}

int control_start(const struct control_options *options, struct control **out, struct fault *fault)
{
	struct control *control = mem_alloc_zeroed(sizeof(*control));

	if (!control)
		return out_of_memory(fault);
	rt_mutex_init(&control->lock);
	rt_mutex_init(&control->records);
	rt_group_init(&control->fibers);
	rt_cond_init(&control->pools_filled);
	list_init(&control->pools);
	list_init(&control->retired);
	list_init(&control->sets);
	control->started_ns = rt_now_ns();
	control->started_wall_ns = rt_wall_ns();
	rt_random_bytes(control->boot_id, sizeof(control->boot_id));
	control->state_folder = mem_copy_string(options->state_folder);
	if (options->link_address)
		control->link_address = mem_copy_string(options->link_address);
	control->loads = volume_loads_make();
	if (!control->state_folder || !control->loads || (options->link_address && !control->link_address) ||
	    jobs_create(&control->jobs) != 0 || events_create(&control->events) != 0 ||
	    subscriptions_create(&control->subscriptions) != 0) {
		control_stop(control);
		return out_of_memory(fault);
	}
	if (start(control, options, fault)) {
		control_stop(control);
		return -1;
	}
	*out = control;
	return 0;
}

/* ---- stop ---- */

static void end_run(struct control *control)
{
	struct meta_change change = { META_PUT, META_SYSTEM, &control->system };

	control->system.stopped_cleanly = true;
	if (meta_commit(control->meta, &change, 1) != 0)
		log_line(LOG_WARNING, "control", "the orderly stop cannot be noted");
}

void control_stop(struct control *control)
{
	RT_SHIELD();

	if (!control)
		return;
	rt_group_stop(&control->fibers);
	if (control->jobs)
		jobs_stop(control->jobs);
	if (control->copy)
		copy_stop(control->copy);
	control_volumes_close(control);
	control_sets_drop(control);
	control_pools_close(control);
	if (control->events) {
		event_post(control->events, EVENT_SYSTEM_STOPPED, EVENT_INFO, "system", "", "an orderly stop");
		events_stop(control->events);
	}
	if (control->system.starts)
		end_run(control);
	meta_close(control->meta);
	while (!list_empty(&control->retired))
		control_retired_drop(list_first(&control->retired, struct control_retired, link));
	for (unsigned lss = 0; lss < LSS_COUNT; lss++)
		mem_free(control->lsss[lss]);
	jobs_free(control->jobs);
	events_free(control->events);
	subscriptions_free(control->subscriptions);
	mem_free(control->state_folder);
	mem_free(control->link_address);
	volume_loads_free(control->loads);
	mem_free(control);
}
