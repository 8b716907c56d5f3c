/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What pools and services are able to do, in both namespaces: told by the same tables that the methods and the states
 * of copies follow. What nothing acts on is not declared; arrays may be empty and are never NULL.
 */
#include "face/cim/links.h"
#include "face/cim/views.h"

#include <string.h>

#include "copy/state_table_cim.h"
#include "face/cim/method.h"
#include "face/cim/thing.h"

#define ACTIONS_MAX	32u

struct action {
	uint16_t number;
	const char *method;
	bool may_be_job;
};

/* Those of a service that has such methods. */
static void fill_actions(const struct cim_place *place, const struct cim_twin *service, const struct action *actions,
			 bool jobs_only, struct cim_value *value)
{
	const struct cim_schema_class *class = cim_twin_class(place->ns, service);
	uint16_t numbers[ACTIONS_MAX];
	unsigned count = 0;

	for (; class && actions->method && count < ACTIONS_MAX; actions++) {
		const struct cim_method *method = cim_method_find(class, actions->method);

		if (method && method->run != cim_method_not_supported && (!jobs_only || actions->may_be_job))
			numbers[count++] = actions->number;
	}
	cim_set_numbers(place->arena, value, numbers, count);
}

/* ---- of configuration: one a pool ---- */

static const struct action configuring[] = {
	{ 2, "CreateOrModifyStoragePool", false }, { 3, "DeleteStoragePool", false },
	{ 4, "CreateOrModifyStoragePool", false }, { 5, "CreateOrModifyElementFromStoragePool", false },
	{ 6, "ReturnToStoragePool", false }, { 7, "CreateOrModifyElementFromStoragePool", false },
	{ 8, "CreateReplica", true }, { 9, "ModifySynchronization", true }, { 10, "AttachReplica", true },
	{ 0, NULL, false },
};

static void fill_configuring(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)row;
	fill_actions(place, &cim_twin_configuration_service, configuring, false, value);
}

static void fill_configuring_jobs(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)row;
	fill_actions(place, &cim_twin_configuration_service, configuring, true, value);
}

/* StorageVolume, ThinlyProvisionedStorageVolume. */
static void fill_elements(const struct cim_place *place, const void *row, struct cim_value *value)
{
	static const uint16_t numbers[] = { 2, 5 };

	(void)row;
	cim_set_numbers(place->arena, value, numbers, 2);
}

/* Storage Pool Capacity Expansion. */
static void fill_pool_features(const struct cim_place *place, const void *row, struct cim_value *value)
{
	static const uint16_t numbers[] = { 6 };

	(void)row;
	cim_set_numbers(place->arena, value, numbers, 1);
}

/* StorageVolume Creation, StorageVolume Modification, Single InPool, Storage Element Capacity Expansion. */
static void fill_element_features(const struct cim_place *place, const void *row, struct cim_value *value)
{
	static const uint16_t numbers[] = { 3, 5, 6, 12 };

	(void)row;
	cim_set_numbers(place->arena, value, numbers, 4);
}

/* The numbers that types of copies have, each once, in order. */
static void fill_types(const struct cim_place *place, bool replication, struct cim_value *value)
{
	uint16_t numbers[COPY_TYPE_COUNT], number;
	unsigned count = 0, at;

	for (unsigned i = 0; i < COPY_TYPE_COUNT; i++) {
		const struct copy_cim_type type = copy_cim_of_type((enum copy_type)i);

		number = replication ? type.replication_type : type.copy_type;
		for (at = 0; at < count && numbers[at] < number; at++)
			;
		if (!number || (at < count && numbers[at] == number))
			continue;
		memmove(&numbers[at + 1], &numbers[at], (count - at) * sizeof(*numbers));
		numbers[at] = number;
		count++;
	}
	cim_set_numbers(place->arena, value, numbers, count);
}

static void fill_copy_types(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)row;
	fill_types(place, false, value);
}

static void fill_none(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)row;
	cim_set_numbers(place->arena, value, NULL, 0);
}

/* Unrestricted. */
static void fill_usages(const struct cim_place *place, const void *row, struct cim_value *value)
{
	static const uint16_t unrestricted = 2;

	(void)row;
	cim_set_numbers(place->arena, value, &unrestricted, 1);
}

static void fill_configuration_id(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_text(value, cim_thing_id(place->arena, place->system, "configuration", cim_pool_row_name(row)));
}

static void fill_configuration_name(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_text(value, arena_print(place->arena, "What pool %s gives", cim_pool_row_name(row)));
}

static bool key_of_configuration(const struct cim_path *path, void *row)
{
	const char *name = cim_thing_name(path, "configuration", NULL);

	return name && cim_pool_row_want(row, name);
}

static const struct cim_column columns_configuration[] = {
	CIM_FILL("InstanceID", fill_configuration_id), CIM_FILL("ElementName", fill_configuration_name),
	CIM_TEXT("Caption", "Configuration capabilities"),
	CIM_FILL("SupportedSynchronousActions", fill_configuring),
	CIM_FILL("SupportedAsynchronousActions", fill_configuring_jobs),
	CIM_FILL("SupportedStorageElementTypes", fill_elements),
	CIM_FILL("SupportedStoragePoolFeatures", fill_pool_features),
	CIM_FILL("SupportedStorageElementFeatures", fill_element_features),
	CIM_FILL("SupportedCopyTypes", fill_copy_types), CIM_NUMBER("InitialReplicationState", 2),
	CIM_FLAG("AutomaticPoolSelectionAllowed", false), CIM_FILL("ClientSettableElementUsage", fill_none),
	CIM_FILL("ClientSettablePoolUsage", fill_none), CIM_FILL("MultipleElementCreateFeatures", fill_none),
	CIM_FILL("MultipleElementDeleteFeatures", fill_none), CIM_NUMBER("MaximumElementCreateCount", 1),
	CIM_NUMBER("MaximumElementDeleteCount", 1), CIM_FILL("SupportedStorageElementUsage", fill_usages),
	CIM_FILL("SupportedStoragePoolUsage", fill_usages), CIM_FLAG("ThinProvisionedClientSettableReserve", false),
	CIM_END,
};

/* ---- of replication ---- */

static const struct action replicating[] = {
	{ 2, "CreateElementReplica", true }, { 3, "CreateGroupReplica", true },
	{ 5, "ModifyReplicaSynchronization", true }, { 6, "ModifyListSynchronization", true },
	{ 8, "GetAvailableTargetElements", false }, { 9, "GetPeerSystems", false },
	{ 10, "GetReplicationRelationships", false },
	{ 11, "GetServiceAccessPoints", false }, { 12, "CreateGroup", false }, { 13, "DeleteGroup", false },
	{ 14, "AddMembers", false }, { 15, "RemoveMembers", false }, { 19, "CreateListReplica", true },
	{ 20, "CreateGroupReplicaFromElements", true }, { 21, "GetReplicationRelationshipInstances", false },
	{ 28, "CreateGroupReplicaFromElementSynchronizations", false },
	{ 0, NULL, false },
};

static void fill_replicating(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)row;
	fill_actions(place, &cim_twin_replication_service, replicating, false, value);
}

static void fill_replicating_jobs(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)row;
	fill_actions(place, &cim_twin_replication_service, replicating, true, value);
}

static void fill_replication_types(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)row;
	fill_types(place, true, value);
}

/* StorageVolume, ReplicationEntity. */
static void fill_objects(const struct cim_place *place, const void *row, struct cim_value *value)
{
	static const uint16_t numbers[] = { 2, 4 };

	(void)row;
	cim_set_numbers(place->arena, value, numbers, 2);
}

static void fill_replication_id(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)row;
	cim_set_text(value, cim_thing_id(place->arena, place->system, "capabilities", "replication"));
}

static const struct cim_column columns_replication[] = {
	CIM_FILL("InstanceID", fill_replication_id), CIM_TEXT("ElementName", "Replication"),
	CIM_TEXT("Caption", "Replication capabilities"),
	CIM_FILL("SupportedReplicationTypes", fill_replication_types),
	CIM_FILL("SupportedStorageObjects", fill_objects),
	CIM_FILL("SupportedSynchronousActions", fill_replicating),
	CIM_FILL("SupportedAsynchronousActions", fill_replicating_jobs),
	CIM_END,
};

const struct cim_view cim_views_capabilities[] = {
	{ "IBMTSESS_StorageConfigurationCapabilities", CIM_IN(IBM), &cim_source_pools, columns_configuration, NULL,
	  key_of_configuration, NULL },
	{ "MSISCSITARGET_StorageConfigurationCapabilities", CIM_IN(ISCSITARGET), &cim_source_pools,
	  columns_configuration, NULL, key_of_configuration, NULL },
	{ "IBMTSESS_ReplicationServiceCapabilities", CIM_IN(IBM), NULL, columns_replication, NULL, NULL, NULL },
	{ "MSISCSITARGET_ReplicationServiceCapabilities", CIM_IN(ISCSITARGET), NULL, columns_replication, NULL, NULL,
	  NULL },
	{ .class_name = NULL },
};

/* ---- whose they are ---- */

static const struct cim_path *to_configured(const struct cim_place *place, const struct cim_end *end, unsigned index)
{
	if (index == 0)
		return cim_path_of_pool(place->arena, place->ns, place->system, cim_pool_row_name(end->row));
	return index == 1 ? cim_path_of_service(place->arena, place->ns, &cim_twin_configuration_service,
						place->system) : NULL;
}

static const struct cim_path *to_replication(const struct cim_place *place, const struct cim_end *end, unsigned index)
{
	(void)end;
	if (index > 0)
		return NULL;
	return cim_path_of_service(place->arena, place->ns, &cim_twin_replication_service, place->system);
}

/* Characteristics 2 Default. */
static const struct cim_column columns_whose[] = { CIM_STATUS("Characteristics", 2), CIM_END };

const struct cim_link cim_links_capabilities[] = {
	CIM_LINK_TWINS("ElementCapabilities", "CIM_StorageConfigurationCapabilities", "Capabilities",
		       "CIM_ManagedElement", "ManagedElement", to_configured, NULL),
	CIM_LINK_TWINS("ElementCapabilities", "CIM_ReplicationServiceCapabilities", "Capabilities",
		       "CIM_ReplicationService", "ManagedElement", to_replication, columns_whose),
	{ .class_name = NULL },
};
