/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/helpers.h"

#include <assert.h>
#include <errno.h>

#include "rt/slice.h"

/* On the stack of the waiting fiber. */
struct job {
	struct list_head link;
	struct core_wait wait;
	struct rt_message done;
	struct helpers *helpers;
	struct helpers_line *line;	/* NULL: in none */
	struct rt_reactor *from;
	int (*fn)(void *arg);
	void *arg;
	int result;
	bool is_queued;		/* under the mutex: no thread has taken it yet */
	bool is_behind;		/* under the mutex: among the jobs of its line */
};

void helpers_line_init(struct helpers_line *line)
{
	*line = (struct helpers_line){ 0 };
	list_init(&line->jobs);
}

/* The one in front is done, or gone: the next, or NULL. Under the mutex. */
static struct job *advance(struct helpers_line *line)
{
	struct job *job;

	line->busy = !list_empty(&line->jobs);
	if (!line->busy)
		return NULL;
	job = list_first(&line->jobs, struct job, link);
	list_remove(&job->link);
	job->is_behind = false;
	return job;
}

/* NULL: the helpers end. */
static struct job *take_job(struct helpers *helpers)
{
	struct job *job = NULL;

	pthread_mutex_lock(&helpers->mutex);
	helpers->idle_count++;
	while (list_empty(&helpers->jobs) && !helpers->ending)
		pthread_cond_wait(&helpers->work, &helpers->mutex);
	helpers->idle_count--;
	if (!list_empty(&helpers->jobs)) {
		job = list_first(&helpers->jobs, struct job, link);
		list_remove(&job->link);
		job->is_queued = false;
	}
	pthread_mutex_unlock(&helpers->mutex);
	return job;
}

/* The next one needs no other thread: this one comes for a job at once. */
static void leave_line(struct helpers *helpers, struct helpers_line *line)
{
	struct job *next;

	pthread_mutex_lock(&helpers->mutex);
	next = advance(line);
	if (next != NULL)
		list_add_last(&helpers->jobs, &next->link);
	pthread_mutex_unlock(&helpers->mutex);
}

static void *helper_main(void *arg)
{
	struct helpers *helpers = arg;
	struct job *job;

	slice_set(0);		/* what is made by a reactor has its slice */
	while ((job = take_job(helpers)) != NULL) {
		job->result = job->fn(job->arg);
		/* First: who hears of the last job of a line may take the line away. */
		if (job->line != NULL)
			leave_line(helpers, job->line);
		rt_post(job->from, &job->done);
	}
	return NULL;
}

static void job_done(struct rt_message *message)
{
	struct job *job = container_of(message, struct job, done);

	core_wake(&job->wait, job->result);
}

/* A job that no thread has taken. Under the mutex. */
static void withdraw(struct job *job)
{
	struct job *next = job->line != NULL && !job->is_behind ? advance(job->line) : NULL;

	if (next != NULL)
		list_add_last(&job->link, &next->link);		/* before it, and so in its place */
	list_remove(&job->link);
	job->is_queued = false;
}

static void job_cancel(struct core_wait *wait)
{
	struct job *job = container_of(wait, struct job, wait);
	bool was_queued;

	pthread_mutex_lock(&job->helpers->mutex);
	was_queued = job->is_queued;
	if (was_queued)
		withdraw(job);
	pthread_mutex_unlock(&job->helpers->mutex);
	if (was_queued)
		core_wake(wait, -ECANCELED);
}

/* Called with the mutex held, or before any other thread knows the helpers. */
static void add_thread(struct helpers *helpers)
{
	unsigned index = helpers->thread_count;

	if (index < HELPERS_MAX && pthread_create(&helpers->threads[index], NULL, helper_main, helpers) == 0)
		helpers->thread_count++;
}

/* Under the mutex. */
static void queue(struct helpers *helpers, struct job *job)
{
	struct helpers_line *line = job->line;

	job->is_queued = true;
	job->is_behind = line != NULL && line->busy;
	if (job->is_behind) {
		list_add_last(&line->jobs, &job->link);
		return;
	}
	/* idle_count falls only when a woken thread runs, so jobs that still wait have their claim on idle ones. */
	if (helpers->idle_count == 0 || !list_empty(&helpers->jobs))
		add_thread(helpers);
	if (line != NULL)
		line->busy = true;
	list_add_last(&helpers->jobs, &job->link);
	pthread_cond_signal(&helpers->work);
}

int helpers_run(struct helpers *helpers, struct helpers_line *line, int (*fn)(void *arg), void *arg)
{
	struct job job = {
		.helpers = helpers, .line = line, .from = rt_here(), .fn = fn, .arg = arg, .done.fn = job_done,
	};

	core_wait_init(&job.wait, job_cancel);
	pthread_mutex_lock(&helpers->mutex);
	queue(helpers, &job);
	pthread_mutex_unlock(&helpers->mutex);
	return (int)core_suspend(&job.wait);
}

void helpers_destroy(struct helpers *helpers)
{
	pthread_mutex_lock(&helpers->mutex);
	assert(list_empty(&helpers->jobs));
	helpers->ending = true;
	pthread_cond_broadcast(&helpers->work);
	pthread_mutex_unlock(&helpers->mutex);
	for (unsigned i = 0; i < helpers->thread_count; i++)
		pthread_join(helpers->threads[i], NULL);
	pthread_cond_destroy(&helpers->work);
	pthread_mutex_destroy(&helpers->mutex);
}

int helpers_init(struct helpers *helpers)
{
	*helpers = (struct helpers){ 0 };
	pthread_mutex_init(&helpers->mutex, NULL);
	pthread_cond_init(&helpers->work, NULL);
	list_init(&helpers->jobs);
	add_thread(helpers);
	if (helpers->thread_count > 0)
		return 0;
	helpers_destroy(helpers);
	return -EAGAIN;
}

/* ---- by disk ---- */

int disk_helpers_init(struct disk_helpers *all)
{
	*all = (struct disk_helpers){ 0 };
	pthread_mutex_init(&all->mutex, NULL);
	return helpers_init(&all->helpers[0]);
}

/* Under the mutex. Those of the first are there from the beginning. */
static struct helpers *find_or_make(struct disk_helpers *all, uint64_t disk)
{
	for (unsigned i = 0; i < all->count; i++) {
		if (all->disks[i] == disk)
			return &all->helpers[i];
	}
	if (all->count == HELPED_DISKS_MAX || (all->count > 0 && helpers_init(&all->helpers[all->count]) != 0))
		return &all->helpers[0];
	all->disks[all->count] = disk;
	return &all->helpers[all->count++];
}

struct helpers *disk_helpers_get(struct disk_helpers *all, uint64_t disk)
{
	struct helpers *helpers;

	pthread_mutex_lock(&all->mutex);
	helpers = find_or_make(all, disk);
	pthread_mutex_unlock(&all->mutex);
	return helpers;
}

void disk_helpers_destroy(struct disk_helpers *all)
{
	for (unsigned i = all->count; i-- > 1; )
		helpers_destroy(&all->helpers[i]);
	helpers_destroy(&all->helpers[0]);
	pthread_mutex_destroy(&all->mutex);
}
