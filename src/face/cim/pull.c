/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/pull.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "rt/door.h"
#include "rt/mem.h"

#define CONTEXT_BYTES	(2u * 1024 * 1024)

struct cim_contexts {
	struct door_lock lock;
	struct list_head open;		/* under the lock; the longest without a pull in front */
	unsigned count;
};

struct cim_contexts *cim_contexts_create(void)
{
	struct cim_contexts *contexts = mem_alloc_zeroed(sizeof(*contexts));

	if (!contexts)
		return NULL;
	door_lock_init(&contexts->lock);
	list_init(&contexts->open);
	return contexts;
}

/* It is in no list any more. */
static void free_context(struct cim_context *context)
{
	if (context->supply.end)
		context->supply.end(context->supply.arg);
	arena_free(&context->arena);
	mem_free(context);
}

static void free_all(struct list_head *contexts)
{
	while (!list_empty(contexts)) {
		struct cim_context *context = list_first(contexts, struct cim_context, link);

		list_remove(&context->link);
		free_context(context);
	}
}

void cim_contexts_destroy(struct cim_contexts *contexts)
{
	if (!contexts)
		return;
	free_all(&contexts->open);
	door_lock_destroy(&contexts->lock);
	mem_free(contexts);
}

static bool is_of(const struct cim_context *context, const struct cim_caller *caller)
{
	return !strncmp(context->user, caller->user, sizeof(context->user) - 1) &&
	       !strncmp(context->host, caller->host, sizeof(context->host) - 1);
}

/* ---- under the lock ---- */

static void take_out(struct cim_contexts *contexts, struct cim_context *context, struct list_head *gone)
{
	list_remove(&context->link);
	list_add_last(gone, &context->link);
	contexts->count--;
}

/* Those whose time is over, and the oldest of a client that has as many as it may have. false: there is no room. */
static bool make_room(struct cim_contexts *contexts, const struct cim_caller *caller, struct list_head *gone)
{
	struct cim_context *context, *next, *oldest = NULL;
	int64_t now_ns = door_now_ns();
	unsigned own = 0;

	list_for_each_safe(context, next, &contexts->open, link) {
		if (!context->taken && context->until_ns < now_ns) {
			take_out(contexts, context, gone);
			continue;
		}
		if (!is_of(context, caller))
			continue;
		own++;
		if (!oldest && !context->taken)
			oldest = context;
	}
	if (own >= CIM_CONTEXTS_CLIENT && oldest)
		take_out(contexts, oldest, gone);
	return contexts->count < CIM_CONTEXTS_MAX && (own < CIM_CONTEXTS_CLIENT || oldest);
}

/* ---- what threads call ---- */

static void make_id(struct cim_context *context)
{
	uint64_t bits[2];

	/* Not to be guessed by others. */
	door_random_bytes(bits, sizeof(bits));
	snprintf(context->id, sizeof(context->id), "%016llx%016llx", (unsigned long long)bits[0],
		 (unsigned long long)bits[1]);
}

struct cim_context *cim_context_open(struct cim_contexts *contexts, const struct cim_caller *caller,
				     struct cim_failure *failure)
{
	struct cim_context *context = mem_alloc_zeroed(sizeof(*context));
	struct list_head gone;
	bool has_room;

	if (!context) {
		cim_fail(failure, CIM_ERR_FAILED, "out of memory");
		return NULL;
	}
	list_init(&gone);
	arena_init(&context->arena, CONTEXT_BYTES);
	context->seconds = CIM_CONTEXT_SECONDS;
	context->taken = true;
	snprintf(context->user, sizeof(context->user), "%s", caller->user);
	snprintf(context->host, sizeof(context->host), "%s", caller->host);
	make_id(context);
	{
		DOOR_LOCKED(&contexts->lock);
		has_room = make_room(contexts, caller, &gone);
		if (has_room) {
			list_add_last(&contexts->open, &context->link);
			contexts->count++;
		}
	}
	free_all(&gone);
	if (has_room)
		return context;
	free_context(context);
	cim_fail(failure, CIM_ERR_SERVER_LIMITS_EXCEEDED, "too many enumerations are open");
	return NULL;
}

struct cim_context *cim_context_take(struct cim_contexts *contexts, const struct cim_caller *caller, const char *id,
				     struct cim_failure *failure)
{
	struct cim_context *context, *found = NULL;
	DOOR_LOCKED(&contexts->lock);

	list_for_each(context, &contexts->open, link)
		if (!strcmp(context->id, id) && !context->taken && context->until_ns >= door_now_ns() &&
		    is_of(context, caller))
			found = context;
	if (found)
		found->taken = true;
	else
		cim_fail(failure, CIM_ERR_INVALID_ENUMERATION_CONTEXT, "there is no such enumeration open");
	return found;
}

void cim_context_keep(struct cim_contexts *contexts, struct cim_context *context)
{
	DOOR_LOCKED(&contexts->lock);
	assert(context->taken);
	context->taken = false;
	context->until_ns = door_now_ns() + context->seconds * RT_SECOND;
	list_remove(&context->link);
	list_add_last(&contexts->open, &context->link);
}

void cim_context_drop(struct cim_contexts *contexts, struct cim_context *context)
{
	{
		DOOR_LOCKED(&contexts->lock);
		assert(context->taken);
		list_remove(&context->link);
		contexts->count--;
	}
	free_context(context);
}
