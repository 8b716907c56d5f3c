/* SPDX-License-Identifier: Apache-2.0 */
#include "store/filepool.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/list.h"
#include "rt/log.h"
#include "rt/mem.h"

struct filepool {
	struct list_head idle;		/* open and in use by nobody: the one that was used longest ago first */
	unsigned places, open;		/* open: also those that are being opened or closed */
	struct rt_cond changed;		/* one has become idle, or has given its place back */
};

struct pooled_file {
	struct list_head link;		/* of the idle ones of its pool */
	struct filepool *pool;		/* NULL: it stays open */
	struct rt_file *file;		/* NULL: it is closed */
	char *path;
	unsigned flags;
	unsigned users;
	bool busy;			/* it is being opened or closed */
	bool told;			/* that it cannot be opened again */
	struct rt_cond settled;		/* it is not busy any more */
};

/* A map and a log of each of twelve targets, and some of others. */
#define PLACES_MIN	32u

unsigned filepool_places(unsigned all, unsigned part)
{
	unsigned reactors = rt_reactor_count(), places = all / reactors, most = rt_files_max() / part / reactors;

	if (places < PLACES_MIN)
		places = PLACES_MIN;
	if (places > most)
		places = most;
	return places > 0 ? places : 1;
}

struct filepool *filepool_make(unsigned places)
{
	struct filepool *pool = mem_alloc_zeroed(sizeof(*pool));

	if (!pool)
		return NULL;
	list_init(&pool->idle);
	rt_cond_init(&pool->changed);
	pool->places = places > 0 ? places : 1;
	return pool;
}

void filepool_free(struct filepool *pool)
{
	assert(!pool || pool->open == 0);
	mem_free(pool);
}

/* It has its place. */
static int open_file(struct pooled_file *file, unsigned flags)
{
	int rc;

	file->busy = true;
	rc = rt_file_open(file->path, flags, &file->file);
	file->busy = false;
	rt_cond_wake_all(&file->settled);
	return rc;
}

/* Nobody uses it. Gives its place back. */
static void close_file(struct pooled_file *file)
{
	struct filepool *pool = file->pool;
	struct rt_file *open = file->file;

	list_remove(&file->link);
	file->file = NULL;
	file->busy = true;
	rt_file_close(open);
	file->busy = false;
	rt_cond_wake_all(&file->settled);
	pool->open--;
	rt_cond_wake_all(&pool->changed);
}

static bool is_limit(int error)
{
	return error == -EMFILE || error == -ENFILE;
}

/*
 * There is a place. Who waits for one is not woken when the process may open no more: he would fare no better, and
 * would wake this one in turn; but when nothing is open, nobody else wakes him.
 */
static int open_in_place(struct pooled_file *file, unsigned flags)
{
	struct filepool *pool = file->pool;
	int rc;

	pool->open++;
	rc = open_file(file, flags);
	if (rc == 0)
		return 0;
	pool->open--;
	if (!is_limit(rc) || pool->open == 0)
		rt_cond_wake_all(&pool->changed);
	return rc;
}

/* 1: it is to be tried again. */
static int open_or_make_room(struct pooled_file *file, unsigned flags, bool waits)
{
	struct filepool *pool = file->pool;
	bool full = pool->open == pool->places;
	int rc = full ? 0 : open_in_place(file, flags);

	if (!full && !is_limit(rc))
		return rc;
	if (!list_empty(&pool->idle)) {
		close_file(list_first(&pool->idle, struct pooled_file, link));
		return 1;
	}
	/* The process may open no more, and those of the pool are none that could be closed. */
	if (pool->open == 0)
		return rc;
	if (!waits)
		return -EAGAIN;
	rc = rt_cond_wait(&pool->changed);
	return rc < 0 ? rc : 1;
}

static int use(struct pooled_file *file, unsigned flags, bool waits)
{
	int rc = 0;

	while (rc >= 0 && !file->file) {
		if (file->busy)
			rc = rt_cond_wait(&file->settled);
		else
			rc = open_or_make_room(file, flags, waits);
	}
	if (rc < 0)
		return rc;
	list_remove(&file->link);
	file->users++;
	return 0;
}

/* -ENOENT, for one, is of the file, and not of what is looked for in it. */
static int fail_reopening(struct pooled_file *file, int rc)
{
	if (is_limit(rc))
		return -ENOMEM;
	if (rc == 0 || rc == -ENOMEM || rc == -ETIMEDOUT || rc == -ECANCELED || rc == -EAGAIN)
		return rc;
	if (!file->told)
		log_line(LOG_ERROR, "store", "%s cannot be opened again: %s; nobody but xdcd may move, remove or "
			 "change it", file->path, strerrordesc_np(-rc));
	file->told = true;
	return -EIO;
}

int pooled_file_use(struct pooled_file *file)
{
	return fail_reopening(file, use(file, file->flags, true));
}

int pooled_file_try(struct pooled_file *file)
{
	return fail_reopening(file, use(file, file->flags, false));
}

void pooled_file_leave(struct pooled_file *file)
{
	assert(file->users > 0);
	if (--file->users > 0 || !file->pool)
		return;
	list_add_last(&file->pool->idle, &file->link);
	rt_cond_wake_all(&file->pool->changed);
}

struct rt_file *pooled_file_get(const struct pooled_file *file)
{
	assert(file->users > 0);
	return file->file;
}

static struct pooled_file *make_file(struct filepool *pool, const char *path, unsigned flags)
{
	struct pooled_file *file = mem_alloc_zeroed(sizeof(*file));

	if (!file)
		return NULL;
	list_init(&file->link);
	rt_cond_init(&file->settled);
	file->pool = pool;
	file->flags = flags & ~(unsigned)(RT_FILE_CREATE | RT_FILE_NEW);
	file->path = mem_copy_string(path);
	if (file->path)
		return file;
	mem_free(file);
	return NULL;
}

int pooled_file_enter(struct filepool *pool, const char *path, unsigned flags, struct pooled_file **out)
{
	assert(pool);
	*out = make_file(pool, path, flags);
	return *out ? 0 : -ENOMEM;
}

int pooled_file_open(struct filepool *pool, const char *path, unsigned flags, struct pooled_file **out)
{
	struct pooled_file *file = make_file(pool, path, flags);
	int rc;

	if (!file)
		return -ENOMEM;
	rc = pool ? use(file, flags, true) : open_file(file, flags);
	if (rc < 0) {
		mem_free(file->path);
		mem_free(file);
		return rc;
	}
	if (pool)
		pooled_file_leave(file);
	*out = file;
	return 0;
}

void pooled_file_close(struct pooled_file *file)
{
	RT_SHIELD();

	if (!file)
		return;
	/* Somebody else needed its place. */
	while (file->busy)
		(void)!rt_cond_wait(&file->settled);
	if (file->file && file->pool)
		close_file(file);
	else
		rt_file_close(file->file);
	mem_free(file->path);
	mem_free(file);
}
