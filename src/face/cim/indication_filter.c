/* SPDX-License-Identifier: Apache-2.0 */
/* The filters that are there by themselves, and the names of filters, listeners and subscriptions. */
#include "face/cim/indication.h"

#include <stdio.h>
#include <string.h>

#include "control/subscription.h"
#include "face/cim/discovery.h"
#include "face/cim/query.h"

/* ---- filters ---- */

#define INSTANCE_OF(class)	" WHERE SourceInstance ISA " class
#define CHANGED(class, property) INSTANCE_OF(class) " AND SourceInstance." property " <> PreviousInstance." property

static const struct {
	const char *name, *query;
} own_filters[] = {
	{ "alert", "SELECT * FROM CIM_AlertIndication" },
	{ "volume-created", "SELECT * FROM CIM_InstCreation" INSTANCE_OF("CIM_StorageVolume") },
	{ "volume-deleted", "SELECT * FROM CIM_InstDeletion" INSTANCE_OF("CIM_StorageVolume") },
	{ "volume-status", "SELECT * FROM CIM_InstModification" CHANGED("CIM_StorageVolume", "OperationalStatus") },
	{ "volume-size", "SELECT * FROM CIM_InstModification" CHANGED("CIM_StorageVolume", "NumberOfBlocks") },
	{ "pool-created", "SELECT * FROM CIM_InstCreation" INSTANCE_OF("CIM_StoragePool") },
	{ "pool-deleted", "SELECT * FROM CIM_InstDeletion" INSTANCE_OF("CIM_StoragePool") },
	{ "pool-size", "SELECT * FROM CIM_InstModification" CHANGED("CIM_StoragePool", "TotalManagedSpace") },
	{ "copy-created", "SELECT * FROM CIM_InstCreation" INSTANCE_OF("CIM_StorageSynchronized") },
	{ "copy-deleted", "SELECT * FROM CIM_InstDeletion" INSTANCE_OF("CIM_StorageSynchronized") },
	{ "copy-sync-state", "SELECT * FROM CIM_InstModification" CHANGED("CIM_StorageSynchronized", "SyncState") },
	{ "copy-state", "SELECT * FROM CIM_InstModification" CHANGED("CIM_StorageSynchronized", "CopyState") },
	{ "job-created", "SELECT * FROM CIM_InstCreation" INSTANCE_OF("CIM_ConcreteJob") },
	{ "job-deleted", "SELECT * FROM CIM_InstDeletion" INSTANCE_OF("CIM_ConcreteJob") },
	{ "job-state", "SELECT * FROM CIM_InstModification" CHANGED("CIM_ConcreteJob", "JobState") },
};
#define OWN_COUNT	(sizeof(own_filters) / sizeof(own_filters[0]))

/* Each in both languages: the text is the same. */
bool cim_filter_own(unsigned index, struct record_filter *filter)
{
	enum query_language language = index % QUERY_LANGUAGE_COUNT;

	if (index / QUERY_LANGUAGE_COUNT >= OWN_COUNT)
		return false;
	*filter = (struct record_filter){ 0 };
	snprintf(filter->name, sizeof(filter->name), SUBSCRIPTION_OWN "%s:%s",
		 own_filters[index / QUERY_LANGUAGE_COUNT].name, language == QUERY_WQL ? "wql" : "cql");
	snprintf(filter->query, sizeof(filter->query), "%s", own_filters[index / QUERY_LANGUAGE_COUNT].query);
	snprintf(filter->language, sizeof(filter->language), "%s", query_language_names[language]);
	return true;
}

bool cim_filter_find_own(const char *name, struct record_filter *filter)
{
	for (unsigned i = 0; cim_filter_own(i, filter); i++)
		if (!strcmp(filter->name, name))
			return true;
	return false;
}

unsigned cim_filter_namespaces(const struct record_filter *filter)
{
	char names[sizeof(filter->namespaces)], *rest = names, *name;
	unsigned namespaces = 0;

	memcpy(names, filter->namespaces, sizeof(names));
	while ((name = strsep(&rest, " ")) != NULL) {
		int ns = *name ? cim_schema_find_namespace(name) : -1;

		if (ns >= 0)
			namespaces |= 1u << ns;
	}
	return namespaces ? namespaces : (1u << CIM_NAMESPACE_COUNT) - 1;
}

/* ---- paths ---- */

static struct cim_path *begin_path(struct cim_arena *arena, const char *class)
{
	return cim_path_new(arena, CIM_NAMESPACE_INTEROP, cim_schema_find_any_class(class));
}

static const struct cim_path *make_path(struct cim_arena *arena, const char *class, const char *system,
					const char *name)
{
	struct cim_path *path = begin_path(arena, class);

	if (!path)
		return NULL;
	cim_path_set_text(path, "SystemCreationClassName", DISCOVERY_SYSTEM_CLASS);
	cim_path_set_text(path, "SystemName", system);
	cim_path_set_text(path, "CreationClassName", path->class->name);
	cim_path_set_text(path, "Name", name);
	return path;
}

const struct cim_path *cim_path_of_indication_service(struct cim_arena *arena, const char *system)
{
	return make_path(arena, "CIM_IndicationService", system, INDICATION_SERVICE_NAME);
}

const struct cim_path *cim_path_of_filter(struct cim_arena *arena, const char *system, const char *name)
{
	return make_path(arena, "CIM_IndicationFilter", system, name);
}

const struct cim_path *cim_path_of_listener(struct cim_arena *arena, const char *system, const char *name)
{
	return make_path(arena, "CIM_ListenerDestinationCIMXML", system, name);
}

const struct cim_path *cim_path_of_subscription(struct cim_arena *arena, const char *system, const char *filter,
						const char *listener)
{
	struct cim_path *path = begin_path(arena, "CIM_IndicationSubscription");

	if (!path)
		return NULL;
	cim_path_set_path(path, "Filter", cim_path_of_filter(arena, system, filter));
	cim_path_set_path(path, "Handler", cim_path_of_listener(arena, system, listener));
	return path;
}
