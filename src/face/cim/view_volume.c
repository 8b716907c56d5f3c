/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes of this system, in both namespaces. */
#include "face/cim/links.h"
#include "face/cim/views.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/parse.h"
#include "face/cim/thing.h"
#include "rt/mem.h"

#define BLOCK_BYTES	512u

struct volume_row {
	uint16_t id, ssid;
	uint32_t tag;
	char name[XDC_NAME_MAX], pool[XDC_NAME_MAX];
	uint8_t naa[16];
	uint64_t size_bytes, allocated_bytes;
	int64_t created_wall_ns;
	uint16_t operational_status, health;
	uint8_t access;
	bool has_allocated, can_delete;
};

/* ---- rows ---- */

/* OperationalStatus 2 OK, 5 Predictive Failure, 6 Error; HealthState 5 OK, 15 Minor, 25 Critical. */
static void set_state(struct volume_row *row, enum volume_state state)
{
	static const uint16_t statuses[VOLUME_STATE_COUNT] = {
		[VOLUME_ONLINE] = 2, [VOLUME_WRITES_LOST] = 3, [VOLUME_SYNC_FAILED] = 6, [VOLUME_OFFLINE] = 6,
	};
	static const uint16_t healths[VOLUME_STATE_COUNT] = {
		[VOLUME_ONLINE] = 5, [VOLUME_WRITES_LOST] = 15, [VOLUME_SYNC_FAILED] = 25, [VOLUME_OFFLINE] = 25,
	};

	row->operational_status = statuses[state];
	row->health = healths[state];
}

static void make_row(struct control *control, const struct volume_info *info, struct volume_row *row)
{
	struct lss_info lss;
	struct fault fault;

	*row = (struct volume_row){
		.id = info->record.id, .tag = cim_volume_tag(info->record.uuid), .size_bytes = info->record.size_bytes,
		.allocated_bytes = info->allocated_bytes, .has_allocated = info->has_allocated,
		.created_wall_ns = info->record.created_wall_ns, .access = (uint8_t)info->access,
		.can_delete = !copy_remembers_volume(control_copy(control), info->record.id, &fault) && !info->attached,
	};
	if (!control_lss_get(control, (uint8_t)(row->id >> 8), &lss, &fault))
		row->ssid = lss.record.ssid;
	memcpy(row->name, info->record.name, sizeof(row->name));
	memcpy(row->pool, info->record.pool, sizeof(row->pool));
	memcpy(row->naa, info->record.naa, sizeof(row->naa));
	set_state(row, info->state);
}

static int fetch_volumes(struct control *control, const void *after, void *rows, unsigned max)
{
	uint32_t from = after ? ((const struct volume_row *)after)->id + 1u : 0;
	MEM_OWNED struct volume_info *infos = mem_alloc(max * sizeof(*infos));
	struct volume_row *row = rows;
	struct fault fault;
	int count;

	if (!infos)
		return -ENOMEM;
	count = control_volume_list(control, from, infos, max, &fault);
	for (int i = 0; i < count; i++)
		make_row(control, &infos[i], &row[i]);
	return count < 0 ? -ETIMEDOUT : count;
}

static int find_volume(struct control *control, void *row)
{
	uint16_t id = ((struct volume_row *)row)->id;
	struct volume_info info;
	struct fault fault;

	if (control_volume_get(control, id, &info, &fault))
		return fault.code == FAULT_TIMEOUT ? -ETIMEDOUT : 0;
	make_row(control, &info, row);
	return 1;
}

static bool read_key(const struct cim_path *path, void *row)
{
	struct volume_row *wanted = row;
	const char *system = cim_path_key_text(path, "SystemName"), *tag;

	return system && cim_path_is_volume(path, system, &wanted->id, &tag);
}

const struct cim_source cim_source_volumes = { sizeof(struct volume_row), fetch_volumes, find_volume };

const char *cim_volume_row_name(struct cim_arena *arena, const void *row)
{
	const struct volume_row *volume = row;

	return cim_volume_name(arena, volume->id, volume->tag);
}

/* What is found is compared with all of the name. */
bool cim_volume_row_want(void *row, const char *name)
{
	struct volume_row *wanted = row;
	char id[5];

	snprintf(id, sizeof(id), "%.4s", name);
	return !parse_volume_id(id, &wanted->id);
}

const struct cim_path *cim_volume_row_path(const struct cim_place *place, const void *row)
{
	const struct volume_row *volume = row;

	return cim_path_of_volume(place->arena, place->ns, place->system, volume->id, volume->tag);
}

/* ---- properties ---- */

static void fill_device_id(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct volume_row *volume = row;

	cim_set_text(value, cim_volume_name(place->arena, volume->id, volume->tag));
}

static void fill_naa(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const uint8_t *naa = ((const struct volume_row *)row)->naa;

	cim_set_text(value,
		     arena_print(place->arena, "%02X%02X%02X%02X%02X%02X%02X%02X%02X%02X%02X%02X%02X%02X%02X%02X",
				 naa[0], naa[1], naa[2], naa[3], naa[4], naa[5], naa[6], naa[7], naa[8], naa[9],
				 naa[10], naa[11], naa[12], naa[13], naa[14], naa[15]));
}

static void fill_volume_id(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_text(value, arena_print(place->arena, "%04X", ((const struct volume_row *)row)->id));
}

static void fill_element_name(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct volume_row *volume = row;

	if (*volume->name)
		cim_set_text(value, volume->name);
	else
		fill_volume_id(place, row, value);
}

static void fill_lss(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct volume_row *volume = row;

	cim_set_text(value, cim_lss_text(place->arena, place->system, (uint8_t)(volume->id >> 8), volume->ssid));
}

static void fill_subsystem(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct volume_row *volume = row;

	if (volume->ssid)
		cim_set_text(value, arena_print(place->arena, "%04X", volume->ssid));
}

static void fill_cu_image(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_text(value, arena_print(place->arena, "%02X", ((const struct volume_row *)row)->id >> 8));
}

static void fill_blocks(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_number(value, ((const struct volume_row *)row)->size_bytes / BLOCK_BYTES);
}

/* 1 Readable, 3 Read/Write Supported, 0 Unknown: closed to hosts. */
static void fill_access(const struct cim_place *place, const void *row, struct cim_value *value)
{
	static const uint16_t numbers[VOLUME_ACCESS_COUNT] = {
		[VOLUME_ACCESS_NONE] = 0, [VOLUME_ACCESS_READ] = 1, [VOLUME_ACCESS_WRITE] = 3,
	};

	(void)place;
	cim_set_number(value, numbers[((const struct volume_row *)row)->access]);
}

static void fill_status(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_numbers(place->arena, value, &((const struct volume_row *)row)->operational_status, 1);
}

static void fill_created(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_time(value, ((const struct volume_row *)row)->created_wall_ns);
}

static void fill_usages(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)row;
	cim_set_numbers(place->arena, value, NULL, 0);
}

static const struct cim_column columns[] = {
	CIM_SYSTEM("SystemName"), CIM_CLASS("CreationClassName"), CIM_FILL("DeviceID", fill_device_id),
	CIM_FILL("ElementName", fill_element_name), CIM_TEXT("Caption", "Volume"),
	CIM_TEXT("Description", "A volume of fixed size"),
	CIM_FILL("Name", fill_naa), CIM_NUMBER("NameFormat", 9), CIM_NUMBER("NameNamespace", 2),
	CIM_FILL("InstallDate", fill_created), CIM_FILL("OperationalStatus", fill_status),
	CIM_ROW_NUMBER("HealthState", struct volume_row, health), CIM_NUMBER("EnabledState", 2),
	CIM_STATUS("ExtentStatus", 2), CIM_FILL("Access", fill_access), CIM_NUMBER("BlockSize", BLOCK_BYTES),
	CIM_FILL("NumberOfBlocks", fill_blocks), CIM_FILL("ConsumableBlocks", fill_blocks),
	CIM_FLAG("IsBasedOnUnderlyingRedundancy", false), CIM_FLAG("NoSinglePointOfFailure", false),
	CIM_NUMBER("DataRedundancy", 1), CIM_NUMBER("PackageRedundancy", 0), CIM_NUMBER("DeltaReservation", 0),
	CIM_FLAG("SequentialAccess", false), CIM_FLAG("Primordial", false), CIM_FLAG("IsComposite", false),
	CIM_FLAG("IsConcatenated", false), CIM_FLAG("IsCompressed", false),
	CIM_ROW_FLAG("CanDelete", struct volume_row, can_delete), CIM_FLAG("ThinlyProvisioned", true),
	CIM_NUMBER("DataOrganization", 2), CIM_NUMBER("Usage", 2), CIM_FILL("ClientSettableUsage", fill_usages),
	CIM_NUMBER("ExtentType", 2),
	CIM_END,
};

static const struct cim_column columns_ibm[] = {
	CIM_TEXT("SystemCreationClassName", "IBMTSESS_StorageSystem"), CIM_FILL("VolumeID", fill_volume_id),
	CIM_FILL("LSS", fill_lss), CIM_FILL("CUImage", fill_cu_image), CIM_FILL("SubsystemID", fill_subsystem),
	CIM_END,
};

static const struct cim_column columns_iscsitarget[] = {
	CIM_TEXT("SystemCreationClassName", "MSISCSITARGET_ComputerSystem"),
	CIM_END,
};

const struct cim_view cim_views_volume[] = {
	{ "IBMTSESS_Volume", CIM_IN(IBM), &cim_source_volumes, columns, columns_ibm, read_key, NULL },
	{ "MSISCSITARGET_StorageVolume", CIM_IN(ISCSITARGET), &cim_source_volumes, columns, columns_iscsitarget,
	  read_key, NULL },
	{ .class_name = NULL },
};

/* ---- associations ---- */

static const struct cim_path *to_pool(const struct cim_place *place, const struct cim_end *end, unsigned index)
{
	const struct volume_row *volume = end->row;

	return index == 0 ? cim_path_of_pool(place->arena, place->ns, place->system, volume->pool) : NULL;
}

static const struct cim_path *to_lss(const struct cim_place *place, const struct cim_end *end, unsigned index)
{
	const struct volume_row *volume = end->row;

	return index == 0 ? cim_path_of_lss(place->arena, place->ns, place->system, (uint8_t)(volume->id >> 8)) : NULL;
}

/* What it has taken; of one whose file cannot be asked nothing is known. */
static void fill_taken(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct volume_row *volume = row;

	(void)place;
	if (volume->has_allocated)
		cim_set_number(value, volume->allocated_bytes);
}

static const struct cim_column columns_allocated[] = { CIM_FILL("SpaceConsumed", fill_taken), CIM_END };

const struct cim_link cim_links_volume[] = {
	CIM_LINK_TWINS("AllocatedFromStoragePool", "CIM_StorageVolume", "Dependent", "CIM_StoragePool", "Antecedent",
		       to_pool, columns_allocated),
	{ "IBMTSESS_MemberOfCollection", CIM_IN(IBM), "IBMTSESS_Volume", "Member", "IBMTSESS_LSS", "Collection", to_lss,
	  NULL },
	{ .class_name = NULL },
};
