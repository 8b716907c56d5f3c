/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job.h - long work as administrators see it: what works, since when, how far it is, for whom it waits, and how it
 * ended. Whatever may take longer than a second has one. It is there before the reply of the command that began it,
 * and for a while after its end. All on reactor 0; nothing here suspends but where it is said.
 *
 * There are two ways to have a job:
 *
 * - Work that outlives its command runs on a fiber of the job's own: control_pair_verify() checks what it is asked,
 *   calls job_run() with the function that does it, and answers with the number. The function says how far it is, and
 *   ends when its waits return -ECANCELED.
 * - Work that goes on elsewhere, in copy/ or on the fiber of a command, has a job beside it: job_begin(), then
 *   job_progress() or a look function, and job_end() when it is over. job_begin takes a spec that owns its arg over,
 *   also when there is no job.
 *
 * A job is of one kind and one object, and of these there is one at a time. After a restart jobs that had not ended
 * wait to be begun again, by job_begin or job_run with the same kind and object: they go on under their number. Those
 * that nobody has begun again when the control plane has started are shown as ended by the restart.
 */
#ifndef XDC_CONTROL_JOB_H
#define XDC_CONTROL_JOB_H

#include "rt/fault.h"
#include "rt/rt.h"
#include "store/meta.h"
#include "store/records.h"

#define JOBS_MAX		2048u			/* the oldest that has ended makes room */
#define JOB_KEEP_DEFAULT_NS	(3600 * RT_SECOND)	/* after its end */
#define JOB_WAITING_MAX		64u

struct events;
struct job;
struct jobs;

struct job_spec {
	enum job_kind kind;
	const char *object;		/* "volume 1500"; copied */
	/*
	 * How far it is, by job_progress and job_waits, called whenever somebody wants to see the job; may suspend.
	 * NULL: the work says it by itself.
	 */
	void (*look)(void *arg, struct job *job);
	/*
	 * An administrator wants it to end: 0, and it will soon; or -1 with the fault why not. May suspend. NULL: a
	 * job that runs on its own fiber is cancelled (rt_group_cancel), any other cannot be.
	 */
	int (*cancel)(void *arg, struct job *job, struct fault *fault);
	bool keep_running;		/* it cannot be cancelled, although it has a fiber */
	const char *instead;		/* what to do when it cannot be cancelled; a literal, NULL: wait */
	int64_t limit_ns;		/* longest time on its own fiber; 0: none */
	/*
	 * Of these, which may still be under way when the job ends: what they need is owned, and freed with the job
	 * by mem_free, or lives as long as the jobs do.
	 */
	void *arg;
	bool owns_arg;
};

struct job_info {
	struct record_job record;
	bool cancellable;
	char waiting_for[JOB_WAITING_MAX];	/* empty: for nobody */
	int64_t state_since_wall_ns;
};

/*
 * Made first, then given each record of the metadata, then started: management is the control plane's, and lives
 * longer. -ENOMEM.
 */
RT_MUST_CHECK int jobs_create(struct jobs **out);
RT_MUST_CHECK int jobs_load(struct jobs *jobs, const struct record_job *record);
RT_MUST_CHECK int jobs_start(struct jobs *jobs, struct meta *meta, struct record_management *management,
			     struct events *events);

/* Whatever goes on after a restart has been begun again: the others have ended by it. */
void jobs_settle(struct jobs *jobs);

/* Cancels those with fibers and waits for them, makes all durable. Suspends, shielded. jobs_free comes after. */
void jobs_stop(struct jobs *jobs);
void jobs_free(struct jobs *jobs);		/* NULL is allowed */

/* ---- for those that work ---- */

/* NULL: no memory, or too many run: the work goes on without a job, and all functions below take NULL for that. */
struct job *job_begin(struct jobs *jobs, const struct job_spec *spec);

/*
 * Runs run(arg, job, fault) on a fiber of its own and ends the job with what it returns: 0, or -1 with the fault. 0
 * and its number; -1: FAULT_IN_USE when one of this kind and object runs, or no memory. A spec that owns its arg has
 * given it away, also then.
 */
typedef int (*job_fn)(void *arg, struct job *job, struct fault *fault);
int job_run(struct jobs *jobs, const struct job_spec *spec, job_fn run, uint64_t *number, struct fault *fault);

/* The one that runs. NULL: there is none. */
struct job *job_find(struct jobs *jobs, enum job_kind kind, const char *object);

/* Somebody has begun it since the start. NULL: no. */
bool job_is_running(const struct job *job);

/* total 0: not known. */
void job_progress(struct job *job, uint64_t done_bytes, uint64_t total_bytes);

/* It waits, and cannot go on by itself; who NULL: it goes on. */
void job_waits(struct job *job, const char *who);

/*
 * It is over. fault NULL: completed; else failed, or terminated when it was cancelled. The job is not touched after.
 */
void job_end(struct job *job, const struct fault *fault);

/* Its object is no more, or goes another way: terminated, by that (why: a sentence). The job is not touched after. */
void job_cut(struct job *job, const char *why);

/* What it was to show was refused before it began: as if it had never been. The job is not touched after. */
void job_drop(struct job *job);

uint64_t job_number(const struct job *job);
int64_t job_age_ns(const struct job *job);	/* since it was begun here */

/* ---- for those that manage ---- */

/* In order of numbers; each may not suspend, but this does, while it looks. */
void jobs_each(struct jobs *jobs, void (*each)(void *arg, const struct job_info *info), void *arg);
int jobs_get(struct jobs *jobs, uint64_t number, struct job_info *info, struct fault *fault);

/* FAULT_NOT_SUPPORTED when it cannot be, FAULT_INVALID_PARAMETER when there is none or it has ended. Suspends. */
int jobs_cancel(struct jobs *jobs, uint64_t number, struct fault *fault);

/* How many run on fibers of their own. */
unsigned jobs_count_running(const struct jobs *jobs);

/* All of these that can be cancelled are. Suspends. */
void jobs_cancel_all(struct jobs *jobs);

/* Woken when a job has ended. */
struct rt_cond *jobs_changed(struct jobs *jobs);

/* How long a job is kept after its end, from now on; durable some time later. */
void jobs_set_keep(struct jobs *jobs, int64_t keep_ns);
int64_t jobs_keep(const struct jobs *jobs);

#endif
