/* SPDX-License-Identifier: Apache-2.0 */
/* The control protocol: system, pools, LSSs and volumes. */
#include "face/cli_private.h"

/* What hosts did with a volume, or with all. */
json_t *cli_counters(const struct volume_counters *counters)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			 "reads", (json_int_t)counters->reads, "writes", (json_int_t)counters->writes,
			 "flushes", (json_int_t)counters->flushes, "discards", (json_int_t)counters->discards,
			 "read_bytes", (json_int_t)counters->read_bytes,
			 "written_bytes", (json_int_t)counters->written_bytes,
			 "collisions_sidefile", (json_int_t)counters->collisions_sidefile,
			 "collisions_waited", (json_int_t)counters->collisions_waited,
			 "held_writes", (json_int_t)counters->held_writes,
			 "held_reads", (json_int_t)counters->held_reads,
			 "hold_us_max", (json_int_t)(counters->hold_max_ns / RT_US));
}

/* ---- pools ---- */

static json_t *pool_json(const struct pool_info *info)
{
	const struct record_pool *record = &info->record;

	return json_pack("{s:s, s:o, s:s, s:s, s:o, s:o, s:s, s:o, s:i, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "pool",
			 record->name, "label", cli_text_or_null(record->label), "kind", pool_kind_names[record->kind],
			 "cache", cache_mode_names[record->cache], "folder", cli_text_or_null(record->folder), "from",
			 cli_text_or_null(record->parent), "state", info->error ? "offline" : "online", "error",
			 cli_errno(info->error), "volumes", info->volumes, "configured_bytes",
			 (json_int_t)info->volume_bytes, "pools_bytes", (json_int_t)info->pool_bytes, "size_bytes",
			 cli_known(info->has_limit, (int64_t)info->size_bytes), "left_bytes",
			 cli_known(info->has_limit, (int64_t)info->left_bytes), "total_bytes",
			 cli_known(info->has_space, (int64_t)info->total_bytes), "free_bytes",
			 cli_known(info->has_space, (int64_t)info->free_bytes), "created_at",
			 cli_wall(record->created_wall_ns));
}

static void add_extent(void *arg, const struct record_extent *extent, int volume)
{
	cli_append(arg, json_pack("{s:s, s:I, s:o}", "path", extent->path, "size_bytes", (json_int_t)extent->size_bytes,
				  "volume", volume < 0 ? json_null() : cli_hex((unsigned)volume, 4)));
}

static int pool_show(const struct cli_request *request, json_t **result, struct fault *fault)
{
	const char *name = cli_text(request, "pool");
	struct pool_info info;
	json_t *extents, *pool;

	if (control_pool_get(request->control, name, &info, fault))
		return -1;
	extents = json_array();
	if (control_pool_each_extent(request->control, name, add_extent, &extents, fault)) {
		json_decref(extents);
		return -1;
	}
	pool = pool_json(&info);
	if (pool && json_object_set_new(pool, "extents", extents)) {
		json_decref(pool);
		pool = NULL;
	}
	return cli_answer(pool, result, fault);
}

#define EXTENTS_MAX	64u	/* that one command names */

static int gather_extents(const struct cli_request *request, const char *paths[EXTENTS_MAX], unsigned *count,
			  struct fault *fault)
{
	const struct arg_value *values;

	*count = cli_count(request, "extent", &values);
	if (*count > EXTENTS_MAX)
		return fault_set(fault, FAULT_INVALID_PARAMETER, "extent", "add the others by pool modify",
				 "at most %u at once", EXTENTS_MAX);
	for (unsigned i = 0; i < *count; i++)
		paths[i] = values[i].text;
	return 0;
}

static int pool_create(const struct cli_request *request, json_t **result, struct fault *fault)
{
	const char *extents[EXTENTS_MAX];
	struct pool_create create = {
		.name = cli_text(request, "pool"),
		.kind = cli_text(request, "dir") ? POOL_DIR : POOL_DEVICE,
		.has_cache = cli_given(request, "cache"),
		.cache = (enum cache_mode)cli_number(request, "cache"),
		.folder = cli_text(request, "dir"),
		.from = cli_text(request, "from"),
		.size_bytes = cli_number(request, "size"),
		.extents = extents,
	};

	if (gather_extents(request, extents, &create.extent_count, fault) ||
	    control_pool_create(request->control, &create, fault))
		return -1;
	return pool_show(request, result, fault);
}

static int pool_modify(const struct cli_request *request, json_t **result, struct fault *fault)
{
	const char *extents[EXTENTS_MAX];
	struct pool_modify modify = {
		.name = cli_text(request, "pool"),
		.label = cli_text(request, "label"),
		.size_bytes = cli_number(request, "size"),
		.extents = extents,
	};

	if (gather_extents(request, extents, &modify.extent_count, fault) ||
	    control_pool_modify(request->control, &modify, fault))
		return -1;
	return pool_show(request, result, fault);
}

static int pool_delete(const struct cli_request *request, json_t **result, struct fault *fault)
{
	(void)result;
	return control_pool_delete(request->control, cli_text(request, "pool"), fault);
}

static void add_pool(void *arg, const struct pool_info *info)
{
	cli_append(arg, pool_json(info));
}

static int pool_list(const struct cli_request *request, json_t **result, struct fault *fault)
{
	json_t *list = json_array();

	if (control_pool_each(request->control, add_pool, &list, fault)) {
		json_decref(list);
		return -1;
	}
	return cli_answer(list, result, fault);
}

/* ---- LSSs ---- */

static json_t *lss_json(const struct lss_info *info)
{
	return json_pack("{s:o, s:o, s:i, s:I, s:o}", "lss", cli_hex(info->record.id, 2),
			 "ssid", info->record.ssid ? cli_hex(info->record.ssid, 4) : json_null(),
			 "volumes", info->volumes, "configured_bytes", (json_int_t)info->volume_bytes,
			 "created_at", cli_wall(info->record.created_wall_ns));
}

static int lss_show(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct lss_info info;

	if (control_lss_get(request->control, (uint8_t)cli_number(request, "lss"), &info, fault))
		return -1;
	return cli_answer(lss_json(&info), result, fault);
}

static int lss_create(const struct cli_request *request, json_t **result, struct fault *fault)
{
	if (control_lss_create(request->control, (uint8_t)cli_number(request, "lss"),
			       (uint16_t)cli_number(request, "ssid"), fault))
		return -1;
	return lss_show(request, result, fault);
}

static int lss_delete(const struct cli_request *request, json_t **result, struct fault *fault)
{
	(void)result;
	return control_lss_delete(request->control, (uint8_t)cli_number(request, "lss"), fault);
}

static void add_lss(void *arg, const struct lss_info *info)
{
	cli_append(arg, lss_json(info));
}

static int lss_list(const struct cli_request *request, json_t **result, struct fault *fault)
{
	json_t *list = json_array();

	control_lss_each(request->control, add_lss, &list);
	return cli_answer(list, result, fault);
}

/* ---- volumes ---- */

static json_t *volume_json(const struct volume_info *info)
{
	const struct record_volume *record = &info->record;
	json_t *allocated = cli_known(info->has_allocated, (int64_t)info->allocated_bytes);
	bool open = info->state != VOLUME_OFFLINE;

	return json_pack("{s:o, s:o, s:s, s:I, s:o, s:s, s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "volume", cli_hex(record->id, 4), "name", cli_text_or_null(record->name),
			 "pool", record->pool, "size_bytes", (json_int_t)record->size_bytes,
			 "allocated_bytes", allocated, "state", volume_state_names[info->state],
			 "error", cli_errno(info->error), "access", volume_access_names[info->access],
			 "attached", info->attached, "reactor", cli_known(open, info->reactor),
			 "uuid", cli_uuid(record->uuid),
			 "naa", cli_bytes(record->naa, sizeof(record->naa)),
			 "adopted", cli_text_or_null(record->adopted_path),
			 "created_at", cli_wall(record->created_wall_ns),
			 "writes_lost_at", cli_wall(record->unflushed_lost_wall_ns),
			 "sync_failed_at", cli_wall(record->sync_failed_wall_ns),
			 "counters", open ? cli_counters(&info->counters) : json_null());
}

static void add_pair(void *arg, const struct copy_pair_info *info)
{
	cli_append(arg, json_pack("{s:o, s:s, s:s, s:s, s:s}", "remote_volume", cli_hex(info->remote_volume, 4),
				  "system", info->system,
				  "role", pair_role_names[info->is_source ? PAIR_SOURCE : PAIR_TARGET],
				  "type", pair_type_names[info->type], "state", pair_state_names[info->state]));
}

static int answer_volume(const struct cli_request *request, uint16_t id, json_t **result, struct fault *fault)
{
	json_t *pairs = json_array();
	struct volume_info info;
	json_t *volume;

	if (control_volume_get(request->control, id, &info, fault)) {
		json_decref(pairs);
		return -1;
	}
	copy_pair_each_of(control_copy(request->control), id, add_pair, &pairs);
	volume = volume_json(&info);
	if (!json_object_set_new(volume, "pairs", pairs))
		return cli_answer(volume, result, fault);
	json_decref(volume);
	return cli_out_of_memory(fault);
}

int cli_find_volume(const struct cli_request *request, uint16_t *id, struct fault *fault)
{
	return control_volume_find(request->control, cli_text(request, "volume"), id, fault);
}

static int volume_show(const struct cli_request *request, json_t **result, struct fault *fault)
{
	uint16_t id;

	return cli_find_volume(request, &id, fault) ? -1 : answer_volume(request, id, result, fault);
}

static int create_volume(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct volume_create create = {
		.id = (uint16_t)cli_number(request, "volume"),
		.pool = cli_text(request, "pool"),
		.size_bytes = cli_number(request, "size"),
		.name = cli_text(request, "name"),
		.adopt = cli_text(request, "adopt"),
	};

	if (control_volume_create(request->control, &create, fault))
		return -1;
	return answer_volume(request, create.id, result, fault);
}

static int grow_volume(const struct cli_request *request, json_t **result, struct fault *fault)
{
	uint16_t id;

	if (cli_find_volume(request, &id, fault) ||
	    control_volume_grow(request->control, id, cli_number(request, "size"), fault))
		return -1;
	return answer_volume(request, id, result, fault);
}

static int volume_rename(const struct cli_request *request, json_t **result, struct fault *fault)
{
	uint16_t id;

	if (cli_find_volume(request, &id, fault) ||
	    control_volume_rename(request->control, id, cli_text(request, "name"), fault))
		return -1;
	return answer_volume(request, id, result, fault);
}

static int volume_accept(const struct cli_request *request, json_t **result, struct fault *fault)
{
	uint16_t id;

	if (cli_find_volume(request, &id, fault) || control_volume_accept(request->control, id, fault))
		return -1;
	return answer_volume(request, id, result, fault);
}

static int volume_delete(const struct cli_request *request, json_t **result, struct fault *fault)
{
	uint16_t id;

	(void)result;
	return cli_find_volume(request, &id, fault) ? -1 : control_volume_delete(request->control, id, fault);
}

static void add_volume(void *arg, const struct volume_info *info)
{
	cli_append(arg, volume_json(info));
}

static int volume_list(const struct cli_request *request, json_t **result, struct fault *fault)
{
	json_t *list = json_array();
	int lss = cli_given(request, "lss") ? (int)cli_number(request, "lss") : -1;

	if (control_volume_each(request->control, lss, cli_text(request, "pool"), add_volume, &list, fault)) {
		json_decref(list);
		return -1;
	}
	return cli_answer(list, result, fault);
}

const struct cli_binding cli_bindings_store[] = {
	{ "pool", "create", pool_create },
	{ "pool", "list", pool_list },
	{ "pool", "show", pool_show },
	{ "pool", "modify", pool_modify },
	{ "pool", "delete", pool_delete },
	{ "lss", "create", lss_create },
	{ "lss", "list", lss_list },
	{ "lss", "show", lss_show },
	{ "lss", "delete", lss_delete },
	{ "volume", "create", create_volume },
	{ "volume", "list", volume_list },
	{ "volume", "show", volume_show },
	{ "volume", "grow", grow_volume },
	{ "volume", "rename", volume_rename },
	{ "volume", "accept", volume_accept },
	{ "volume", "delete", volume_delete },
	{ NULL, NULL, NULL },
};
