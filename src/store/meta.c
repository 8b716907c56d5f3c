/* SPDX-License-Identifier: Apache-2.0 */
#include "store/meta.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/mem.h"
#include "store/meta_db.h"

/* Each lies on the stack of the fiber that waits for it, on the reactor of the owner. */
struct request {
	struct list_head link;
	int (*run)(struct meta *meta, void *arg);
	void *arg;
	int rc;
	bool begun, done;
	struct rt_cond changed;
};

struct meta {
	struct rt_reactor *reactor;
	struct rt_group fibers;		/* the owner alone */
	struct list_head requests;	/* not yet begun, in order */
	struct rt_cond arrived;
	struct meta_db *db;
};

/* ---- the owner ---- */

static void serve(struct meta *meta, struct request *request)
{
	/* What SQLite has begun is finished, whoever waits for it; and the disk always answers. */
	RT_SHIELD();

	list_remove(&request->link);
	request->begun = true;
	request->rc = request->run(meta, request->arg);
	request->done = true;
	rt_cond_wake_all(&request->changed);
}

static void run_owner(void *arg)
{
	struct meta *meta = arg;

	while (!rt_cancelled()) {
		if (!list_empty(&meta->requests))
			serve(meta, list_first(&meta->requests, struct request, link));
		else if (rt_cond_wait(&meta->arrived) != 0)
			break;
	}
}

/* ---- requests ---- */

static int wait_for(struct request *request)
{
	while (!request->done) {
		int rc = rt_cond_wait(&request->changed);

		if (rc != 0 && !request->begun) {
			list_remove(&request->link);
			return rc;
		}
		if (rc != 0) {
			/* It reads our memory: it must end first, and then its result counts. */
			RT_SHIELD();

			while (!request->done)
				rc = rt_cond_wait(&request->changed);
		}
	}
	return request->rc;
}

struct ask {
	struct meta *meta;
	int (*run)(struct meta *meta, void *arg);
	void *arg;
};

static int ask_here(void *arg)
{
	struct ask *ask = arg;
	struct request request = { .run = ask->run, .arg = ask->arg };

	rt_cond_init(&request.changed);
	list_add_last(&ask->meta->requests, &request.link);
	rt_cond_wake_one(&ask->meta->arrived);
	return wait_for(&request);
}

static int ask(struct meta *meta, int (*run)(struct meta *meta, void *arg), void *arg)
{
	struct ask ask = { .meta = meta, .run = run, .arg = arg };

	return rt_call(meta->reactor, ask_here, &ask);
}

/* ---- what can be asked ---- */

static int run_open(struct meta *meta, void *arg)
{
	return meta_db_open(arg, &meta->db);
}

static int run_close(struct meta *meta, void *arg)
{
	(void)arg;
	meta_db_close(meta->db);
	meta->db = NULL;
	return 0;
}

struct load {
	meta_visit visit;
	void *arg;
};

static int run_load(struct meta *meta, void *arg)
{
	struct load *load = arg;

	return meta_db_load(meta->db, load->visit, load->arg);
}

struct commit {
	const struct meta_change *changes;
	unsigned count;
};

static int run_commit(struct meta *meta, void *arg)
{
	struct commit *commit = arg;

	return meta_db_commit(meta->db, commit->changes, commit->count);
}

static int run_read_page(struct meta *meta, void *arg)
{
	return meta_db_read_page(meta->db, arg);
}

int meta_open(const char *folder, struct meta **out)
{
	struct meta *meta = mem_alloc_zeroed(sizeof(*meta));
	MEM_OWNED char *kept = mem_copy_string(folder);
	int rc = -ENOMEM;

	if (meta == NULL || kept == NULL) {
		mem_free(meta);
		return -ENOMEM;
	}
	meta->reactor = rt_here();
	list_init(&meta->requests);
	rt_cond_init(&meta->arrived);
	rt_group_init(&meta->fibers);
	rc = rt_group_start(&meta->fibers, "metadata", run_owner, meta);
	if (rc == 0)
		rc = ask(meta, run_open, kept);
	if (rc != 0) {
		rt_group_stop(&meta->fibers);
		mem_free(meta);
		return rc;
	}
	*out = meta;
	return 0;
}

static int close_here(void *arg)
{
	struct meta *meta = arg;
	RT_SHIELD();
	int rc = ask(meta, run_close, NULL);

	assert(rc == 0);
	rt_group_stop(&meta->fibers);
	return 0;
}

void meta_close(struct meta *meta)
{
	int rc;

	if (meta == NULL)
		return;
	rc = rt_call(meta->reactor, close_here, meta);
	assert(rc == 0);
	mem_free(meta);
}

int meta_load(struct meta *meta, meta_visit visit, void *arg)
{
	struct load load = { .visit = visit, .arg = arg };

	return ask(meta, run_load, &load);
}

int meta_commit(struct meta *meta, const struct meta_change *changes, unsigned count)
{
	struct commit commit = { .changes = changes, .count = count };

	return ask(meta, run_commit, &commit);
}

static int emit_page(struct meta_page *page, meta_emit emit, void *arg)
{
	int rc = 0;

	for (unsigned i = 0; i < page->count; i++) {
		if (rc == 0)
			rc = emit(arg, page->lines[i]);
		mem_free(page->lines[i]);
	}
	page->count = 0;
	return rc;
}

int meta_dump(struct meta *meta, meta_emit emit, void *arg)
{
	struct meta_page page = { .after_row = INT64_MIN };
	int rc = 0;

	while (rc == 0 && page.kind < META_KIND_COUNT) {
		rc = ask(meta, run_read_page, &page);
		if (rc == 0)
			rc = emit_page(&page, emit, arg);
	}
	for (unsigned i = 0; i < page.count; i++)
		mem_free(page.lines[i]);
	return rc;
}
