/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What volumes are like, in both namespaces: all are alike, so there is one setting, which volumes have, pools give and
 * clients may ask for.
 */
#include "face/cim/links.h"
#include "face/cim/views.h"

#include "face/cim/thing.h"

/* ---- capabilities, one a pool ---- */

static void fill_capabilities_id(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_text(value, cim_thing_id(place->arena, place->system, "storage", cim_pool_row_name(row)));
}

static void fill_capabilities_name(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_text(value, arena_print(place->arena, "What volumes of pool %s are like", cim_pool_row_name(row)));
}

/* Fixed Block. */
static void fill_organizations(const struct cim_place *place, const void *row, struct cim_value *value)
{
	static const uint16_t fixed_block = 2;

	(void)row;
	cim_set_numbers(place->arena, value, &fixed_block, 1);
}

static bool key_of_capabilities(const struct cim_path *path, void *row)
{
	const char *name = cim_thing_name(path, "storage", NULL);

	return name && cim_pool_row_want(row, name);
}

static const struct cim_column columns_capabilities[] = {
	CIM_FILL("InstanceID", fill_capabilities_id), CIM_FILL("ElementName", fill_capabilities_name),
	CIM_TEXT("Caption", "Storage capabilities"), CIM_NUMBER("ElementType", 3),
	CIM_FLAG("NoSinglePointOfFailure", false), CIM_FLAG("NoSinglePointOfFailureDefault", false),
	CIM_NUMBER("DataRedundancyMin", 1), CIM_NUMBER("DataRedundancyMax", 1), CIM_NUMBER("DataRedundancyDefault", 1),
	CIM_NUMBER("PackageRedundancyMin", 0), CIM_NUMBER("PackageRedundancyMax", 0),
	CIM_NUMBER("PackageRedundancyDefault", 0), CIM_NUMBER("DeltaReservationMin", 0),
	CIM_NUMBER("DeltaReservationMax", 0), CIM_NUMBER("DeltaReservationDefault", 0),
	CIM_FILL("SupportedDataOrganizations", fill_organizations),
	CIM_END,
};

/* ---- settings, one a pool and one a volume ---- */

static const struct cim_column columns_setting[] = {
	CIM_TEXT("Caption", "Storage setting"), CIM_FLAG("NoSinglePointOfFailure", false),
	CIM_NUMBER("DataRedundancyMin", 1), CIM_NUMBER("DataRedundancyMax", 1), CIM_NUMBER("DataRedundancyGoal", 1),
	CIM_NUMBER("PackageRedundancyMin", 0), CIM_NUMBER("PackageRedundancyMax", 0),
	CIM_NUMBER("PackageRedundancyGoal", 0), CIM_NUMBER("DeltaReservationMin", 0),
	CIM_NUMBER("DeltaReservationMax", 0), CIM_NUMBER("DeltaReservationGoal", 0), CIM_NUMBER("ChangeableType", 0),
	CIM_NUMBER("DataOrganization", 2),
	CIM_END,
};

static void fill_pool_setting_id(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_text(value, cim_thing_id(place->arena, place->system, CIM_SETTING_OF_POOL, cim_pool_row_name(row)));
}

static void fill_pool_setting_name(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_text(value, arena_print(place->arena, "Volumes of pool %s", cim_pool_row_name(row)));
}

static bool key_of_pool_setting(const struct cim_path *path, void *row)
{
	const char *name = cim_thing_name(path, CIM_SETTING_OF_POOL, NULL);

	return name && cim_pool_row_want(row, name);
}

static const struct cim_column columns_pool_setting[] = {
	CIM_FILL("InstanceID", fill_pool_setting_id), CIM_FILL("ElementName", fill_pool_setting_name), CIM_END,
};

static void fill_volume_setting_id(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_text(value, cim_thing_id(place->arena, place->system, CIM_SETTING_OF_VOLUME,
					 cim_volume_row_name(place->arena, row)));
}

static void fill_volume_setting_name(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_text(value, arena_print(place->arena, "Volume %s", cim_volume_row_name(place->arena, row)));
}

static bool key_of_volume_setting(const struct cim_path *path, void *row)
{
	const char *name = cim_thing_name(path, CIM_SETTING_OF_VOLUME, NULL);

	return name && cim_volume_row_want(row, name);
}

static const struct cim_column columns_volume_setting[] = {
	CIM_FILL("InstanceID", fill_volume_setting_id), CIM_FILL("ElementName", fill_volume_setting_name), CIM_END,
};

#define TWINS(name, source, columns, more, key) \
	{ "IBMTSESS_" name, CIM_IN(IBM), source, columns, more, key, NULL }, \
	{ "MSISCSITARGET_" name, CIM_IN(ISCSITARGET), source, columns, more, key, NULL }

const struct cim_view cim_views_setting[] = {
	TWINS("StorageCapabilities", &cim_source_pools, columns_capabilities, NULL, key_of_capabilities),
	TWINS("StorageSetting", &cim_source_pools, columns_setting, columns_pool_setting, key_of_pool_setting),
	TWINS("StorageSetting", &cim_source_volumes, columns_setting, columns_volume_setting, key_of_volume_setting),
	{ .class_name = NULL },
};

/* ---- associations ---- */

static const struct cim_path *to_pool(const struct cim_place *place, const struct cim_end *end, unsigned index)
{
	return index == 0 ? cim_path_of_pool(place->arena, place->ns, place->system, cim_pool_row_name(end->row))
			  : NULL;
}

/* What the setting is of: the volume, or what its pool is able to do. */
static const struct cim_path *to_element(const struct cim_place *place, const struct cim_end *end, unsigned index)
{
	if (index > 0)
		return NULL;
	if (end->view->source == &cim_source_volumes)
		return cim_volume_row_path(place, end->row);
	return cim_path_of_thing(place->arena, place->ns, &cim_twin_storage_capabilities, place->system, "storage",
				 cim_pool_row_name(end->row));
}

/* Is Default, Is Current, Is Next. */
static const struct cim_column columns_of_element[] = {
	CIM_NUMBER("IsDefault", 1), CIM_NUMBER("IsCurrent", 1), CIM_NUMBER("IsNext", 1), CIM_END,
};

const struct cim_link cim_links_setting[] = {
	CIM_LINK_TWINS("ElementCapabilities", "CIM_StorageCapabilities", "Capabilities", "CIM_ManagedElement",
		       "ManagedElement", to_pool, NULL),
	CIM_LINK_TWINS("ElementSettingData", "CIM_StorageSetting", "SettingData", "CIM_ManagedElement",
		       "ManagedElement", to_element, columns_of_element),
	{ .class_name = NULL },
};
