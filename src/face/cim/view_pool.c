/* SPDX-License-Identifier: Apache-2.0 */
/* Pools, in both namespaces, and the primordial one that all space comes from. */
#include "face/cim/links.h"
#include "face/cim/views.h"

#include <errno.h>
#include <string.h>

#include "face/cim/thing.h"

struct pool_row {
	char name[XDC_NAME_MAX], label[XDC_NAME_MAX], parent[XDC_NAME_MAX];
	uint8_t kind, cache;
	bool is_online, has_size, has_left, is_primordial;
	uint64_t size_bytes, left_bytes, taken_bytes;
	int64_t created_wall_ns;
};

/* ---- rows ---- */

static void make_row(const struct pool_info *info, struct pool_row *row)
{
	*row = (struct pool_row){
		.kind = (uint8_t)info->record.kind, .cache = (uint8_t)info->record.cache, .is_online = !info->error,
		.has_size = info->has_limit || info->has_space, .has_left = info->has_limit || info->has_space,
		.size_bytes = info->has_limit ? info->size_bytes : info->total_bytes,
		.left_bytes = info->has_limit ? info->left_bytes : info->free_bytes,
		.taken_bytes = info->volume_bytes + info->pool_bytes, .created_wall_ns = info->record.created_wall_ns,
	};
	memcpy(row->name, info->record.name, sizeof(row->name));
	memcpy(row->label, info->record.label, sizeof(row->label));
	memcpy(row->parent, info->record.parent, sizeof(row->parent));
}

struct pool_fetch {
	const struct pool_row *after;
	struct pool_row *rows;
	unsigned count, max;
};

static void add_pool(void *arg, const struct pool_info *info)
{
	struct pool_fetch *fetch = arg;

	if ((!fetch->after || strcmp(info->record.name, fetch->after->name) > 0) && fetch->count < fetch->max)
		make_row(info, &fetch->rows[fetch->count++]);
}

static int fetch_pools(struct control *control, const void *after, void *rows, unsigned max)
{
	struct pool_fetch fetch = { .after = after, .rows = rows, .max = max };
	struct fault fault;

	return control_pool_each(control, add_pool, &fetch, &fault) ? -ETIMEDOUT : (int)fetch.count;
}

static int find_pool(struct control *control, void *row)
{
	char name[XDC_NAME_MAX];
	struct pool_info info;
	struct fault fault;

	memcpy(name, ((const struct pool_row *)row)->name, sizeof(name));
	if (control_pool_get(control, name, &info, &fault))
		return fault.code == FAULT_TIMEOUT ? -ETIMEDOUT : 0;
	make_row(&info, row);
	return 1;
}

const char *cim_pool_row_name(const void *row)
{
	return ((const struct pool_row *)row)->name;
}

bool cim_pool_row_want(void *row, const char *name)
{
	if (strlen(name) >= XDC_NAME_MAX)
		return false;
	strncpy(((struct pool_row *)row)->name, name, XDC_NAME_MAX - 1);
	return true;
}

static bool key_of_pool(const struct cim_path *path, void *row)
{
	const char *name = cim_thing_name(path, "pool", NULL);

	return name && cim_pool_row_want(row, name);
}

const struct cim_source cim_source_pools = { sizeof(struct pool_row), fetch_pools, find_pool };

/* All that pools take from elsewhere. */
static void add_to_primordial(void *arg, const struct pool_info *info)
{
	struct pool_row *row = arg;

	if (info->record.parent[0])
		return;
	row->size_bytes += info->has_limit ? info->size_bytes : info->total_bytes;
	row->left_bytes += info->has_limit ? info->left_bytes : info->free_bytes;
	row->taken_bytes += info->volume_bytes + info->pool_bytes;
}

static int find_primordial(struct control *control, void *row)
{
	struct pool_row *pool = row;
	struct fault fault;

	*pool = (struct pool_row){
		.is_online = true, .has_size = true, .has_left = true, .is_primordial = true, .name = CIM_PRIMORDIAL,
	};
	return control_pool_each(control, add_to_primordial, pool, &fault) ? -ETIMEDOUT : 1;
}

static int fetch_primordial(struct control *control, const void *after, void *rows, unsigned max)
{
	(void)max;
	return after ? 0 : find_primordial(control, rows);
}

static bool key_of_primordial(const struct cim_path *path, void *row)
{
	(void)row;
	return cim_thing_name(path, "primordial", NULL) != NULL;
}

static const struct cim_source primordial = { sizeof(struct pool_row), fetch_primordial, find_primordial };

/* ---- properties ---- */

static void fill_instance_id(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct pool_row *pool = row;

	cim_set_text(value, cim_thing_id(place->arena, place->system, pool->is_primordial ? "primordial" : "pool",
					 pool->name));
}

static void fill_name(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct pool_row *pool = row;

	(void)place;
	cim_set_text(value, *pool->label ? pool->label : pool->name);
}

static void fill_size(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct pool_row *pool = row;

	(void)place;
	if (pool->has_size)
		cim_set_number(value, pool->size_bytes);
}

static void fill_left(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct pool_row *pool = row;

	(void)place;
	if (pool->has_left)
		cim_set_number(value, pool->left_bytes);
}

static void fill_status(const struct cim_place *place, const void *row, struct cim_value *value)
{
	uint16_t status = ((const struct pool_row *)row)->is_online ? 2 : 6;

	cim_set_numbers(place->arena, value, &status, 1);
}

static void fill_health(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_number(value, ((const struct pool_row *)row)->is_online ? 5 : 25);
}

static void fill_created(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_time(value, ((const struct pool_row *)row)->created_wall_ns);
}

static void fill_kind(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct pool_row *pool = row;

	(void)place;
	if (!pool->is_primordial)
		cim_set_text(value, pool_kind_names[pool->kind]);
}

static void fill_cache(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct pool_row *pool = row;

	(void)place;
	if (!pool->is_primordial)
		cim_set_text(value, cache_mode_names[pool->cache]);
}

static void fill_usages(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)row;
	cim_set_numbers(place->arena, value, NULL, 0);
}

static const struct cim_column columns[] = {
	CIM_FILL("InstanceID", fill_instance_id),
	CIM_ROW_TEXT("PoolID", struct pool_row, name),
	CIM_FILL("ElementName", fill_name),
	CIM_ROW_TEXT("Name", struct pool_row, name),
	CIM_TEXT("Caption", "Pool"),
	CIM_ROW_FLAG("Primordial", struct pool_row, is_primordial),
	CIM_FILL("TotalManagedSpace", fill_size),
	CIM_FILL("RemainingManagedSpace", fill_left),
	CIM_FILL("ClientSettableUsage", fill_usages),
	CIM_NUMBER("Usage", 2),
	CIM_FILL("OperationalStatus", fill_status),
	CIM_FILL("HealthState", fill_health),
	CIM_FILL("InstallDate", fill_created),
	CIM_NUMBER("ResourceType", 19),
	CIM_TEXT("ConsumedResourceUnits", "byte"),
	CIM_TEXT("AllocationUnits", "byte"),
	CIM_ROW_NUMBER("CurrentlyConsumedResource", struct pool_row, taken_bytes),
	CIM_FILL("Capacity", fill_size),
	CIM_FLAG("ElementsShareSpace", false),
	CIM_END,
};

static const struct cim_column columns_ibm[] = {
	CIM_FILL("Kind", fill_kind), CIM_FILL("CacheMode", fill_cache), CIM_END,
};

const struct cim_view cim_views_pool[] = {
	{ "IBMTSESS_StoragePool", CIM_IN(IBM), &primordial, columns, columns_ibm, key_of_primordial, NULL },
	{ "IBMTSESS_StoragePool", CIM_IN(IBM), &cim_source_pools, columns, columns_ibm, key_of_pool, NULL },
	{ "MSISCSITARGET_StoragePool", CIM_IN(ISCSITARGET), &primordial, columns, NULL, key_of_primordial, NULL },
	{ "MSISCSITARGET_StoragePool", CIM_IN(ISCSITARGET), &cim_source_pools, columns, NULL, key_of_pool, NULL },
	{ .class_name = NULL },
};

/* ---- associations ---- */

/* The pool that its space is of, or the primordial one. */
static const struct cim_path *to_parent(const struct cim_place *place, const struct cim_end *end, unsigned index)
{
	const struct pool_row *pool = end->row;

	if (index > 0 || pool->is_primordial)
		return NULL;
	return *pool->parent ? cim_path_of_pool(place->arena, place->ns, place->system, pool->parent) :
			       cim_path_of_primordial(place->arena, place->ns, place->system);
}

static const struct cim_column columns_allocated[] = { CIM_FILL("SpaceConsumed", fill_size), CIM_END };

const struct cim_link cim_links_pool[] = {
	CIM_LINK_TWINS("AllocatedFromStoragePool", "CIM_StoragePool", "Dependent", "CIM_StoragePool", "Antecedent",
		       to_parent, columns_allocated),
	{ .class_name = NULL },
};
