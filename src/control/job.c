/* SPDX-License-Identifier: Apache-2.0 */
#include "control/job.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/event.h"
#include "control/keeper.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "rt/utf8.h"

struct job {
	struct list_head link;		/* of jobs, in order of numbers */
	struct jobs *jobs;
	struct record_job record;
	struct job_spec spec;
	job_fn run;			/* on its own fiber */
	struct rt_group fibers;		/* that one */
	int64_t begun_ns;		/* here, by the clock of ages */
	int64_t ended_ns;		/* by the clock of ages; 0: it has not */
	int64_t state_since_wall_ns;
	char waiting_for[JOB_WAITING_MAX];
	unsigned pins;			/* somebody looks at it */
	bool cancelled, unclaimed;
	bool dirty, going;		/* to be made durable; to be forgotten */
	bool saving, deleting;		/* that is under way */
};

struct jobs {
	struct list_head list;
	unsigned count;
	struct record_management *management;
	struct events *events;
	bool number_dirty, number_saving;
	bool stopping;
	struct keeper keeper;
	bool kept;			/* there is a keeper */
	struct rt_cond changed;
};

static bool has_ended(const struct job *job)
{
	return job->record.ended_wall_ns != 0;
}

static void make_dirty(struct job *job)
{
	job->dirty = true;
	if (job->jobs->kept)
		keeper_wake(&job->jobs->keeper);
}

static void set_state(struct job *job, enum job_state state)
{
	if (job->record.state == state)
		return;
	job->record.state = state;
	job->state_since_wall_ns = rt_wall_ns();
}

/* ---- what is durable of them ---- */

static bool may_be_freed(const struct job *job)
{
	return job->going && !job->pins && !job->fibers.count && !job->saving && !job->deleting;
}

static void free_job(struct job *job)
{
	list_remove(&job->link);
	job->jobs->count--;
	if (job->spec.owns_arg)
		mem_free(job->spec.arg);
	mem_free(job);
}

static unsigned collect(void *arg, struct meta_change *changes)
{
	struct jobs *jobs = arg;
	struct job *job;
	unsigned count = 0;

	if (jobs->number_dirty) {
		jobs->number_dirty = false;
		jobs->number_saving = true;
		changes[count++] = (struct meta_change){ META_PUT, META_MANAGEMENT, jobs->management };
	}
	list_for_each(job, &jobs->list, link) {
		if (count == KEEPER_CHANGES_MAX)
			break;
		if (!may_be_freed(job) && (!job->dirty || job->going))
			continue;
		job->dirty = false;
		job->saving = !job->going;
		job->deleting = job->going;
		changes[count++] = (struct meta_change){ job->going ? META_DELETE : META_PUT, META_JOB, &job->record };
	}
	return count;
}

static void note_saved(void *arg, int rc)
{
	struct jobs *jobs = arg;
	struct job *job, *tmp;

	jobs->number_dirty = jobs->number_dirty || (jobs->number_saving && rc);
	jobs->number_saving = false;
	list_for_each_safe(job, tmp, &jobs->list, link) {
		bool deleted = job->deleting && !rc;

		job->dirty = job->dirty || (job->saving && rc);
		job->saving = job->deleting = false;
		if (deleted && may_be_freed(job))
			free_job(job);
	}
}

/* ---- life ---- */

int jobs_create(struct jobs **out)
{
	struct jobs *jobs = mem_alloc_zeroed(sizeof(*jobs));

	if (!jobs)
		return -ENOMEM;
	list_init(&jobs->list);
	rt_cond_init(&jobs->changed);
	*out = jobs;
	return 0;
}

static struct job *add_job(struct jobs *jobs)
{
	struct job *job = mem_alloc_zeroed(sizeof(*job));

	if (!job)
		return NULL;
	job->jobs = jobs;
	rt_group_init(&job->fibers);
	list_add_last(&jobs->list, &job->link);
	jobs->count++;
	return job;
}

int jobs_load(struct jobs *jobs, const struct record_job *record)
{
	struct job *job = add_job(jobs);

	if (!job)
		return -ENOMEM;
	job->record = *record;
	job->unclaimed = !has_ended(job);
	job->state_since_wall_ns = has_ended(job) ? record->ended_wall_ns : rt_wall_ns();
	job->ended_ns = has_ended(job) ? rt_now_ns() : 0;
	return 0;
}

int jobs_start(struct jobs *jobs, struct meta *meta, struct record_management *management, struct events *events)
{
	const struct keeper_source source = { collect, note_saved, jobs };
	int rc = keeper_start(&jobs->keeper, meta, &source);

	jobs->management = management;
	jobs->events = events;
	jobs->kept = !rc;
	return rc;
}

static void end_job(struct job *job, enum job_state state, const struct fault *fault)
{
	struct record_job *record = &job->record;

	set_state(job, state);
	record->ended_wall_ns = rt_wall_ns();
	job->ended_ns = rt_now_ns();
	job->unclaimed = false;
	*job->waiting_for = '\0';
	if (state == JOB_COMPLETED && record->total_bytes)
		record->done_bytes = record->total_bytes;
	if (fault) {
		record->code = fault->code;
		snprintf(record->message, sizeof(record->message), "%s", fault->message);
		snprintf(record->remedy, sizeof(record->remedy), "%s", fault->remedy);
	}
	if (state == JOB_EXCEPTION && fault && job->jobs->events)
		event_post(job->jobs->events, EVENT_JOB_FAILED, EVENT_WARNING, record->object, fault->remedy,
			   "job %llu, its %s, has failed: %s", (unsigned long long)record->number,
			   job_kind_names[record->kind], fault->message);
	make_dirty(job);
	rt_cond_wake_all(&job->jobs->changed);
}

void jobs_settle(struct jobs *jobs)
{
	struct fault fault;
	struct job *job;

	fault_set(&fault, FAULT_FAILED, "", "look at its object, and repeat the command",
		  "xdcd was started again before it had ended");
	list_for_each(job, &jobs->list, link) {
		if (job->unclaimed)
			end_job(job, JOB_EXCEPTION, &fault);
	}
}

void jobs_stop(struct jobs *jobs)
{
	struct job *job;
	RT_SHIELD();

	jobs->stopping = true;
	list_for_each(job, &jobs->list, link) {
		job->pins++;
		rt_group_stop(&job->fibers);
		job->pins--;
	}
	if (jobs->kept)
		keeper_stop(&jobs->keeper);
	jobs->kept = false;
}

void jobs_free(struct jobs *jobs)
{
	if (!jobs)
		return;
	while (!list_empty(&jobs->list))
		free_job(list_first(&jobs->list, struct job, link));
	mem_free(jobs);
}

/* ---- what has ended goes after a while ---- */

static void forget(struct job *job)
{
	job->going = true;
	make_dirty(job);
}

static int64_t keep_ns(const struct jobs *jobs)
{
	return jobs->management->jobs_keep_ns ? jobs->management->jobs_keep_ns : JOB_KEEP_DEFAULT_NS;
}

static void forget_old(struct jobs *jobs)
{
	int64_t now_ns = rt_now_ns();
	struct job *job;

	list_for_each(job, &jobs->list, link) {
		if (!job->going && has_ended(job) && now_ns - job->ended_ns > keep_ns(jobs))
			forget(job);
	}
}

/* False: all of them run. */
static bool make_room(struct jobs *jobs)
{
	struct job *job;

	if (jobs->count < JOBS_MAX)
		return true;
	list_for_each(job, &jobs->list, link) {
		if (has_ended(job) && !job->going) {
			forget(job);
			/* It is freed when that is durable; so many more there may be meanwhile. */
			return jobs->count < JOBS_MAX + KEEPER_CHANGES_MAX;
		}
	}
	return false;
}

void jobs_set_keep(struct jobs *jobs, int64_t ns)
{
	jobs->management->jobs_keep_ns = ns;
	jobs->number_dirty = true;
	keeper_wake(&jobs->keeper);
}

int64_t jobs_keep(const struct jobs *jobs)
{
	return keep_ns(jobs);
}

/* ---- for those that work ---- */

struct job *job_find(struct jobs *jobs, enum job_kind kind, const char *object)
{
	struct job *job;

	list_for_each(job, &jobs->list, link) {
		if (!has_ended(job) && job->record.kind == kind && !strcmp(job->record.object, object))
			return job;
	}
	return NULL;
}

bool job_is_running(const struct job *job)
{
	return job && !has_ended(job) && !job->unclaimed;
}

/* The one that ran when the system was stopped, or a new one. NULL: no memory, or too many run. */
static struct job *take_job(struct jobs *jobs, const struct job_spec *spec)
{
	struct job *job = job_find(jobs, spec->kind, spec->object);

	if (!job) {
		forget_old(jobs);
		job = make_room(jobs) ? add_job(jobs) : NULL;
		if (!job)
			return NULL;
		job->record.number = ++jobs->management->jobs_begun;
		job->record.kind = spec->kind;
		job->record.began_wall_ns = rt_wall_ns();
		snprintf(job->record.object, sizeof(job->record.object), "%s", spec->object);
		utf8_repair(job->record.object);
		jobs->number_dirty = true;
	}
	job->unclaimed = false;
	job->begun_ns = rt_now_ns();
	job->spec = *spec;
	job->spec.object = job->record.object;
	job->record.state = JOB_NEW;
	set_state(job, JOB_RUNNING);
	make_dirty(job);
	return job;
}

struct job *job_begin(struct jobs *jobs, const struct job_spec *spec)
{
	struct job *running = job_find(jobs, spec->kind, spec->object);
	struct job *job = running && !running->unclaimed ? NULL : take_job(jobs, spec);

	if (job)
		return job;
	log_line(LOG_NOTICE, "control", "no job shows the %s of %s: %s", job_kind_names[spec->kind], spec->object,
		 running ? "there is one already" : "there are too many, or no memory");
	if (spec->owns_arg)
		mem_free(spec->arg);
	return NULL;
}

static void run_job(void *arg)
{
	struct job *job = arg;
	struct fault fault = { 0 };
	RT_LIMIT(job->spec.limit_ns ? rt_now_ns() + job->spec.limit_ns : RT_NEVER);
	int rc = job->run(job->spec.arg, job, &fault);

	job_end(job, rc ? &fault : NULL);
}

int job_run(struct jobs *jobs, const struct job_spec *spec, job_fn run, uint64_t *number, struct fault *fault)
{
	struct job *running = job_find(jobs, spec->kind, spec->object), *job = NULL;
	char remedy[64];

	if (running && !running->unclaimed) {
		snprintf(remedy, sizeof(remedy), "xdc job show %llu", (unsigned long long)running->record.number);
		fault_set(fault, FAULT_IN_USE, spec->object, remedy, "a %s of it runs already",
			  job_kind_names[spec->kind]);
	} else {
		job = take_job(jobs, spec);
		if (!job)
			fault_set(fault, FAULT_FAILED, spec->object, "try again when some of xdc job list have ended",
				  "there is no room for one more job");
	}
	if (job) {
		job->run = run;
		*number = job->record.number;
		if (rt_group_start(&job->fibers, "job", run_job, job) == 0)
			return 0;
		fault_set(fault, FAULT_FAILED, spec->object, "try again", "out of memory");
		job_end(job, fault);
		return -1;
	}
	if (spec->owns_arg)
		mem_free(spec->arg);
	return -1;
}

void job_progress(struct job *job, uint64_t done_bytes, uint64_t total_bytes)
{
	if (!job || has_ended(job))
		return;
	job->record.total_bytes = total_bytes;
	job->record.done_bytes = total_bytes && done_bytes > total_bytes ? total_bytes : done_bytes;
}

void job_waits(struct job *job, const char *who)
{
	if (!job || has_ended(job))
		return;
	snprintf(job->waiting_for, sizeof(job->waiting_for), "%s", who ? who : "");
	utf8_repair(job->waiting_for);
	if (!job->cancelled)
		set_state(job, who ? JOB_SUSPENDED : JOB_RUNNING);
}

void job_end(struct job *job, const struct fault *fault)
{
	if (!job)
		return;
	assert(!has_ended(job));
	/* Cut by the stop of the system: it goes on, or has ended by that, at the next start. */
	if (fault && job->jobs->stopping && !job->cancelled)
		return;
	end_job(job, !fault ? JOB_COMPLETED : job->cancelled ? JOB_TERMINATED : JOB_EXCEPTION, fault);
}

void job_cut(struct job *job, const char *why)
{
	struct fault fault;

	if (!job)
		return;
	fault_set(&fault, FAULT_FAILED, job->record.object, "", "%s", why);
	end_job(job, JOB_TERMINATED, &fault);
}

void job_drop(struct job *job)
{
	if (!job)
		return;
	end_job(job, JOB_EXCEPTION, NULL);
	forget(job);
}

uint64_t job_number(const struct job *job)
{
	return job ? job->record.number : 0;
}

int64_t job_age_ns(const struct job *job)
{
	return rt_now_ns() - job->begun_ns;
}

/* ---- for those that manage ---- */

static bool may_be_cancelled(const struct job *job)
{
	return !has_ended(job) && !job->unclaimed && (job->spec.cancel || (job->run && !job->spec.keep_running));
}

static void look_at(struct job *job, struct job_info *info)
{
	job->pins++;
	if (!has_ended(job) && job->spec.look)
		job->spec.look(job->spec.arg, job);
	job->pins--;
	*info = (struct job_info){
		.record = job->record, .cancellable = may_be_cancelled(job) && !job->cancelled,
		.state_since_wall_ns = job->state_since_wall_ns,
	};
	memcpy(info->waiting_for, job->waiting_for, sizeof(info->waiting_for));
}

void jobs_each(struct jobs *jobs, void (*each)(void *arg, const struct job_info *info), void *arg)
{
	struct job *job, *next;
	struct job_info info;

	forget_old(jobs);
	for (job = list_first(&jobs->list, struct job, link); &job->link != &jobs->list; job = next) {
		job->pins++;
		if (!job->going) {
			look_at(job, &info);
			each(arg, &info);
		}
		next = container_of(job->link.next, struct job, link);
		job->pins--;
	}
}

static struct job *need_job(struct jobs *jobs, uint64_t number, struct fault *fault)
{
	char object[32];
	struct job *job;

	forget_old(jobs);
	list_for_each(job, &jobs->list, link) {
		if (job->record.number == number && !job->going)
			return job;
	}
	snprintf(object, sizeof(object), "job %llu", (unsigned long long)number);
	fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc job list",
		  number && number <= jobs->management->jobs_begun ? "it has ended, and is not kept any more"
								   : "there was no such job");
	return NULL;
}

int jobs_get(struct jobs *jobs, uint64_t number, struct job_info *info, struct fault *fault)
{
	struct job *job = need_job(jobs, number, fault);

	if (!job)
		return -1;
	look_at(job, info);
	return 0;
}

static int cancel(struct job *job, struct fault *fault)
{
	int rc = 0;

	if (job->spec.cancel)
		rc = job->spec.cancel(job->spec.arg, job, fault);
	else
		rt_group_cancel(&job->fibers);
	return rc;
}

int jobs_cancel(struct jobs *jobs, uint64_t number, struct fault *fault)
{
	struct job *job = need_job(jobs, number, fault);
	bool before;
	char object[32];
	int rc;

	if (!job)
		return -1;
	snprintf(object, sizeof(object), "job %llu", (unsigned long long)number);
	if (has_ended(job))
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc job show says how", "it has ended");
	if (!may_be_cancelled(job))
		return fault_set(fault, FAULT_NOT_SUPPORTED, object,
				 job->spec.instead ? job->spec.instead : "wait for its end",
				 "a %s cannot be cut safely", job_kind_names[job->record.kind]);
	/* It may end while it is told. */
	before = job->cancelled;
	job->cancelled = true;
	job->pins++;
	rc = cancel(job, fault);
	job->pins--;
	if (rc)
		job->cancelled = before;
	else if (!has_ended(job))
		set_state(job, JOB_SHUTTING_DOWN);
	return rc;
}

void jobs_cancel_all(struct jobs *jobs)
{
	struct job *job, *next;
	struct fault fault;

	for (job = list_first(&jobs->list, struct job, link); &job->link != &jobs->list; job = next) {
		job->pins++;
		if (job->run && may_be_cancelled(job) && !job->cancelled)
			(void)!jobs_cancel(jobs, job->record.number, &fault);
		next = container_of(job->link.next, struct job, link);
		job->pins--;
	}
}

struct rt_cond *jobs_changed(struct jobs *jobs)
{
	return &jobs->changed;
}

unsigned jobs_count_running(const struct jobs *jobs)
{
	const struct job *job;
	unsigned count = 0;

	list_for_each(job, &jobs->list, link)
		count += !has_ended(job) && job->run && !job->unclaimed;
	return count;
}
