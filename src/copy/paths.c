/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths: the permission and route of one LSS to one LSS of another system. What they send goes over the systems' link.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/engine.h"
#include "copy/pair.h"
#include "rt/mem.h"
#include "store/meta.h"

static struct path *find_path(struct copy *copy, uint8_t source_lss, const char *system, uint8_t target_lss)
{
	struct path *path;

	list_for_each(path, &copy->paths, link) {
		if (path->record.source_lss == source_lss && path->record.target_lss == target_lss &&
		    !strcmp(path->record.system, system))
			return path;
	}
	return NULL;
}

const char *copy_path_address(struct copy *copy, uint8_t source_lss, const char *system)
{
	struct path *path;

	list_for_each(path, &copy->paths, link) {
		if (path->record.source_lss == source_lss && !strcmp(path->record.system, system))
			return path->record.address;
	}
	return NULL;
}

bool path_exists(struct copy *copy, uint8_t source_lss, const char *system, uint8_t target_lss)
{
	return find_path(copy, source_lss, system, target_lss) != NULL;
}

int path_take_up(struct copy *copy, const struct record_path *record)
{
	struct path *path = mem_alloc_zeroed(sizeof(*path));

	if (!path)
		return -ENOMEM;
	path->record = *record;
	path->peer = peer_get(copy, record->system, record->address, record->compress);
	if (!path->peer) {
		mem_free(path);
		return -ENOMEM;
	}
	list_add_last(&copy->paths, &path->link);
	return 0;
}

void path_put_down(struct path *path)
{
	list_remove(&path->link);
	peer_put(path->peer);
	mem_free(path);
}

static int commit_path(struct copy *copy, enum meta_op op, const struct record_path *record, struct fault *fault)
{
	const struct meta_change change = { .op = op, .kind = META_PATH, .record = record };
	int rc = meta_commit(copy->config.meta, &change, 1);

	if (!rc)
		return 0;
	return fault_set(fault, FAULT_FAILED, "", "look at the log of xdcd and at its state folder",
			 "the path cannot be made durable: %s", strerror(-rc));
}

int copy_path_create(struct copy *copy, const struct copy_path *request, struct fault *fault)
{
	struct record_path record = {
		.source_lss = request->source_lss, .target_lss = request->target_lss, .compress = request->compress,
		.created_wall_ns = rt_wall_ns(),
	};
	char object[64];
	int rc;

	snprintf(record.system, sizeof(record.system), "%s", request->system);
	snprintf(record.address, sizeof(record.address), "%s", request->address);
	snprintf(object, sizeof(object), "path %02X %02X to %s", record.source_lss, record.target_lss, record.system);
	if (!strcmp(record.system, copy->config.system))
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "name another system by its id",
				 "a path leads to another system, and %s is this one", record.system);
	if (path_exists(copy, record.source_lss, record.system, record.target_lss))
		return fault_set(fault, FAULT_IN_USE, object, "delete it first to give it another address",
				 "this path exists already");
	if (commit_path(copy, META_PUT, &record, fault))
		return -1;
	rc = path_take_up(copy, &record);
	if (!rc)
		return 0;
	(void)commit_path(copy, META_DELETE, &record, fault);
	return fault_set(fault, FAULT_FAILED, object, "", "the path cannot be used: %s", strerror(-rc));
}

/* A pair that has no other way to its far side. */
static struct pair *pair_that_needs(struct copy *copy, const struct record_path *record)
{
	struct pair *pair;

	list_for_each(pair, &copy->pairs, link) {
		if (pair->record.role == PAIR_SOURCE && pair->record.volume >> 8 == record->source_lss &&
		    pair->record.remote_volume >> 8 == record->target_lss &&
		    !strcmp(pair->record.system, record->system))
			return pair;
	}
	return NULL;
}

int copy_path_delete(struct copy *copy, const struct copy_path *request, struct fault *fault)
{
	struct path *path = find_path(copy, request->source_lss, request->system, request->target_lss);
	struct pair *pair;
	char object[64];

	snprintf(object, sizeof(object), "path %02X %02X to %s", request->source_lss, request->target_lss,
		 request->system);
	if (!path)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc path list shows those that exist",
				 "there is no such path");
	pair = pair_that_needs(copy, &path->record);
	if (pair)
		return fault_set(fault, FAULT_IN_USE, object, "delete the pair first",
				 "the pair of volume %04X needs it", pair->record.volume);
	if (commit_path(copy, META_DELETE, &path->record, fault))
		return -1;
	path_put_down(path);
	return 0;
}

void copy_path_each(struct copy *copy, void (*each)(void *arg, const struct copy_path_info *info), void *arg)
{
	struct path *path;

	list_for_each(path, &copy->paths, link) {
		struct copy_path_info info = {
			.path = { .source_lss = path->record.source_lss, .target_lss = path->record.target_lss,
				  .compress = path->record.compress },
		};
		struct link_state state;

		snprintf(info.path.system, sizeof(info.path.system), "%s", path->record.system);
		snprintf(info.path.address, sizeof(info.path.address), "%s", path->record.address);
		link_get_state(path->peer->to, &state);
		info.connected = state.connected;
		info.since_wall_ns = rt_wall_ns() - (rt_now_ns() - state.since_ns);
		if (!state.connected)
			snprintf(info.error, sizeof(info.error), "%.127s", state.last_error_text);
		info.round_trip_us = state.round_trip_us;
		info.sent_bytes = state.sent_bytes;
		info.received_bytes = state.received_bytes;
		each(arg, &info);
	}
}
