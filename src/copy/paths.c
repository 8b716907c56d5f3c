/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths: the permission and route of one LSS to one LSS of another system. What they send goes over the systems'
 * link.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/engine.h"
#include "copy/pair.h"
#include "rt/log.h"
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
	const struct path *path = find_path(copy, source_lss, system, target_lss);

	return path && !path->going;
}

struct pace_limit *path_limit(struct copy *copy, uint8_t source_lss, const char *system, uint8_t target_lss)
{
	struct path *path = find_path(copy, source_lss, system, target_lss);

	return path ? &path->limit : NULL;
}

bool path_is_group(struct copy *copy, const struct record_pair *pair)
{
	const struct path *path = find_path(copy, (uint8_t)(pair->volume >> 8), pair->system,
					    (uint8_t)(pair->remote_volume >> 8));

	return path && path->record.group;
}

static int64_t timeout_of(const struct path *path)
{
	return path->record.group_timeout_ns ? path->record.group_timeout_ns : COPY_GROUP_TIMEOUT_NS;
}

int64_t path_group_timeout(struct copy *copy, const struct record_pair *pair)
{
	const struct path *path = find_path(copy, (uint8_t)(pair->volume >> 8), pair->system,
					    (uint8_t)(pair->remote_volume >> 8));

	return path ? timeout_of(path) : COPY_GROUP_TIMEOUT_NS;
}

int path_take_up(struct copy *copy, const struct record_path *record)
{
	struct path *path = mem_alloc_zeroed(sizeof(*path));

	if (!path)
		return -ENOMEM;
	path->record = *record;
	path->limit.bytes_per_s = record->limit_bytes;
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

static int commit_path(struct copy *copy, enum meta_op op, const struct record_path *record, const char *object,
		       struct fault *fault)
{
	const struct meta_change change = { .op = op, .kind = META_PATH, .record = record };
	int rc = meta_commit(copy->config.meta, &change, 1);

	if (!rc)
		return 0;
	return fault_set(fault, FAULT_FAILED, object, "look at the log of xdcd and at its state folder",
			 "the path cannot be made durable: %s", strerror(-rc));
}

static unsigned count_paths(const struct copy *copy, const char *system)
{
	const struct path *path;
	unsigned count = 0;

	list_for_each(path, &copy->paths, link)
		count += !strcmp(path->record.system, system);
	return count;
}

/* The system has another address: all paths to it get that at once, since they share its link. */
static int move_system(struct copy *copy, const struct record_path *to, const char *object, struct fault *fault)
{
	unsigned count = count_paths(copy, to->system), used = 0;
	MEM_OWNED struct record_path *records = mem_alloc_zeroed(count * sizeof(*records));
	MEM_OWNED struct meta_change *changes = mem_alloc_zeroed(count * sizeof(*changes));
	struct path *path;
	int rc;

	if (!records || !changes)
		return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	list_for_each(path, &copy->paths, link) {
		if (strcmp(path->record.system, to->system) != 0)
			continue;
		records[used] = path->record;
		memcpy(records[used].address, to->address, sizeof(to->address));
		changes[used] = (struct meta_change){ META_PUT, META_PATH, &records[used] };
		used++;
	}
	rc = meta_commit(copy->config.meta, changes, count);
	if (rc)
		return fault_set(fault, FAULT_FAILED, object, "look at the log of xdcd and at its state folder",
				 "its new address cannot be made durable: %s", strerror(-rc));
	list_for_each(path, &copy->paths, link) {
		if (!strcmp(path->record.system, to->system))
			memcpy(path->record.address, to->address, sizeof(to->address));
	}
	path = find_path(copy, to->source_lss, to->system, to->target_lss);
	link_move(path->peer->to, to->address);
	log_line(LOG_NOTICE, "copy", "system %s is at %s now", to->system, to->address);
	return 0;
}

int copy_path_create(struct copy *copy, const struct copy_path *request, struct fault *fault)
{
	struct record_path record = {
		.source_lss = request->source_lss, .target_lss = request->target_lss, .compress = request->compress,
		.limit_bytes = request->limit_bytes,
		.group = request->group, .group_timeout_ns = request->group_timeout_ns,
		.created_wall_ns = rt_wall_ns(),
	};
	char object[64];
	struct path *path;
	int rc;

	snprintf(record.system, sizeof(record.system), "%s", request->system);
	snprintf(record.address, sizeof(record.address), "%s", request->address);
	snprintf(object, sizeof(object), "path %02X %02X to %s", record.source_lss, record.target_lss, record.system);
	if (!strcmp(record.system, copy->config.system))
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "name another system by its id",
				 "a path leads to another system, and %s is this one", record.system);
	path = find_path(copy, record.source_lss, record.system, record.target_lss);
	if (path && strcmp(path->record.address, record.address) != 0)
		return move_system(copy, &record, object, fault);
	if (path)
		return fault_set(fault, FAULT_IN_USE, object, "xdc path list", "this path exists already");
	if (commit_path(copy, META_PUT, &record, object, fault))
		return -1;
	rc = path_take_up(copy, &record);
	if (!rc)
		return 0;
	(void)commit_path(copy, META_DELETE, &record, object, fault);
	return fault_set(fault, FAULT_FAILED, object, "try again", "the path cannot be used: %s", strerror(-rc));
}

int copy_path_set(struct copy *copy, const struct copy_path *request, const struct copy_path_change *change,
		  struct fault *fault)
{
	struct path *path = find_path(copy, request->source_lss, request->system, request->target_lss);
	struct record_path record;
	char object[64];

	snprintf(object, sizeof(object), "path %02X %02X to %s", request->source_lss, request->target_lss,
		 request->system);
	if (!path || path->going)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc path list shows those that exist",
				 "there is no such path");
	record = path->record;
	if (change->sets_limit)
		record.limit_bytes = change->limit_bytes;
	if (change->sets_group)
		record.group = change->group;
	if (change->sets_timeout)
		record.group_timeout_ns = change->group_timeout_ns;
	if (commit_path(copy, META_PUT, &record, object, fault))
		return -1;
	path->record.limit_bytes = record.limit_bytes;
	path->record.group = record.group;
	path->record.group_timeout_ns = record.group_timeout_ns;
	path->limit.bytes_per_s = record.limit_bytes;
	log_line(LOG_NOTICE, "copy", "%s: at most %llu bytes a second (0: no limit); its synchronous pairs are %s",
		 object, (unsigned long long)record.limit_bytes, record.group ? "a group" : "no group");
	return 0;
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
	path->going = true;
	if (commit_path(copy, META_DELETE, &path->record, object, fault)) {
		path->going = false;
		return -1;
	}
	path_put_down(path);
	return 0;
}

void copy_path_each(struct copy *copy, void (*each)(void *arg, const struct copy_path_info *info), void *arg)
{
	struct path *path;

	list_for_each(path, &copy->paths, link) {
		struct copy_path_info info = {
			.path = { .source_lss = path->record.source_lss, .target_lss = path->record.target_lss,
				  .compress = path->record.compress, .limit_bytes = path->record.limit_bytes,
				  .group = path->record.group, .group_timeout_ns = timeout_of(path) },
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
