/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Server profile, in interop: the object manager on the system that runs it, its namespaces, and how it is spoken
 * to. That system is the machine as something that manages; what it stores is a system of root/ibm.
 */
#include "face/cim/discovery.h"

#include <string.h>

#include "face/cim/links.h"
#include "face/cim/views.h"

#define MANAGER_CLASS	"CIM_ObjectManager"
#define NAMESPACE_CLASS	"CIM_Namespace"

/* ---- the system and the manager ---- */

static const struct cim_column columns_system[] = {
	CIM_CLASS("CreationClassName"), CIM_SYSTEM("Name"), CIM_TEXT("NameFormat", "Other"),
	CIM_SYSTEM("ElementName"), CIM_TEXT("Caption", "Management server"),
	CIM_TEXT("Description", "The system that the management server runs on"), CIM_STATUS("OperationalStatus", 2),
	CIM_NUMBER("HealthState", 5), CIM_NUMBER("EnabledState", 2), CIM_STATUS("Dedicated", 14),
	CIM_END,
};

static const struct cim_column columns_manager[] = {
	CIM_TEXT("SystemCreationClassName", DISCOVERY_SYSTEM_CLASS), CIM_SYSTEM("SystemName"),
	CIM_CLASS("CreationClassName"), CIM_SYSTEM("Name"), CIM_TEXT("ElementName", "xdc"),
	CIM_TEXT("Caption", "Object manager"), CIM_TEXT("Description", "xdc Version " XDC_VERSION),
	CIM_STATUS("OperationalStatus", 2), CIM_NUMBER("HealthState", 5), CIM_NUMBER("EnabledState", 2),
	CIM_FLAG("Started", true), CIM_FLAG("GatherStatisticalData", false),
	CIM_END,
};

static const struct cim_path *system_path(const struct cim_place *place)
{
	const struct cim_schema_class *class = cim_schema_find_any_class(DISCOVERY_SYSTEM_CLASS);
	struct cim_path *path = cim_path_new(place->arena, CIM_NAMESPACE_INTEROP, class);

	cim_path_set_text(path, "CreationClassName", DISCOVERY_SYSTEM_CLASS);
	cim_path_set_text(path, "Name", place->system);
	return path;
}

const struct cim_path *cim_path_of_manager(const struct cim_place *place)
{
	const struct cim_schema_class *class = cim_schema_find_any_class(MANAGER_CLASS);
	struct cim_path *path = cim_path_new(place->arena, CIM_NAMESPACE_INTEROP, class);

	cim_path_set_text(path, "SystemCreationClassName", DISCOVERY_SYSTEM_CLASS);
	cim_path_set_text(path, "SystemName", place->system);
	cim_path_set_text(path, "CreationClassName", MANAGER_CLASS);
	cim_path_set_text(path, "Name", place->system);
	return path;
}

/* ---- namespaces ---- */

struct namespace_row {
	unsigned ns;
};

static int fetch_namespaces(struct control *control, const void *after, void *rows, unsigned max)
{
	unsigned from = after ? ((const struct namespace_row *)after)->ns + 1 : 0, count = 0;
	struct namespace_row *row = rows;

	(void)control;
	for (; from + count < CIM_NAMESPACE_COUNT && count < max; count++)
		row[count].ns = from + count;
	return (int)count;
}

static const struct cim_source namespaces = { sizeof(struct namespace_row), fetch_namespaces, NULL };

static void fill_namespace(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_text(value, cim_schema_namespaces[((const struct namespace_row *)row)->ns]);
}

static const struct cim_column columns_namespace[] = {
	CIM_TEXT("SystemCreationClassName", DISCOVERY_SYSTEM_CLASS), CIM_SYSTEM("SystemName"),
	CIM_TEXT("ObjectManagerCreationClassName", MANAGER_CLASS), CIM_SYSTEM("ObjectManagerName"),
	CIM_CLASS("CreationClassName"), CIM_FILL("Name", fill_namespace), CIM_FILL("ElementName", fill_namespace),
	CIM_TEXT("Caption", "Namespace"), CIM_NUMBER("ClassInfo", 1),
	CIM_TEXT("DescriptionOfClassInfo", "CIM 2.49"), CIM_NUMBER("ClassType", 2),
	CIM_TEXT("ClassTypeVersion", "2.49.0"),
	CIM_END,
};

/* ---- how it is spoken to ---- */

/* Reading, changing instances, walking associations, queries, indications, pulled reading. */
static void fill_functions(const struct cim_place *place, const void *row, struct cim_value *value)
{
	static const uint16_t functions[] = { 2, 3, 5, 6, 7, 9, 10 };

	(void)row;
	cim_set_numbers(place->arena, value, functions, sizeof(functions) / sizeof(functions[0]));
}

static const struct cim_column columns_mechanism[] = {
	CIM_TEXT("SystemCreationClassName", DISCOVERY_SYSTEM_CLASS), CIM_SYSTEM("SystemName"),
	CIM_CLASS("CreationClassName"), CIM_TEXT("Name", "CIM-XML"), CIM_TEXT("ElementName", "CIM-XML"),
	CIM_TEXT("Caption", "CIM-XML"), CIM_TEXT("Description", "CIM operations over HTTP and HTTPS"),
	CIM_STATUS("OperationalStatus", 2), CIM_NUMBER("HealthState", 5), CIM_NUMBER("EnabledState", 2),
	CIM_NUMBER("CommunicationMechanism", 2), CIM_FILL("FunctionalProfilesSupported", fill_functions),
	CIM_FLAG("MultipleOperationsSupported", false), CIM_STATUS("AuthenticationMechanismsSupported", 3),
	CIM_STATUS("AdvertiseTypes", 2), CIM_TEXT("Version", "1.0"),
	CIM_END,
};

const struct cim_view cim_views_discovery[] = {
	{ DISCOVERY_SYSTEM_CLASS, CIM_IN(INTEROP), NULL, columns_system, NULL, NULL, NULL },
	{ MANAGER_CLASS, CIM_IN(INTEROP), NULL, columns_manager, NULL, NULL, NULL },
	{ NAMESPACE_CLASS, CIM_IN(INTEROP), &namespaces, columns_namespace, NULL, NULL, NULL },
	{ "CIM_ObjectManagerCommunicationMechanism", CIM_IN(INTEROP), NULL, columns_mechanism, NULL, NULL, NULL },
	{ .class_name = NULL },
};

/* ---- associations ---- */

static const struct cim_path *to_system(const struct cim_place *place, const struct cim_end *end, unsigned index)
{
	(void)end;
	return index == 0 ? system_path(place) : NULL;
}

static const struct cim_path *to_manager(const struct cim_place *place, const struct cim_end *end, unsigned index)
{
	(void)end;
	return index == 0 ? cim_path_of_manager(place) : NULL;
}

const struct cim_link cim_links_discovery[] = {
	{ "CIM_HostedService", CIM_IN(INTEROP), "CIM_Service", "Dependent", DISCOVERY_SYSTEM_CLASS, "Antecedent",
	  to_system, NULL },
	{ "CIM_HostedAccessPoint", CIM_IN(INTEROP), "CIM_ServiceAccessPoint", "Dependent", DISCOVERY_SYSTEM_CLASS,
	  "Antecedent", to_system, NULL },
	{ "CIM_NamespaceInManager", CIM_IN(INTEROP), NAMESPACE_CLASS, "Dependent", MANAGER_CLASS, "Antecedent",
	  to_manager, NULL },
	{ "CIM_CommMechanismForManager", CIM_IN(INTEROP), "CIM_ObjectManagerCommunicationMechanism", "Dependent",
	  MANAGER_CLASS, "Antecedent", to_manager, NULL },
	{ .class_name = NULL },
};
