/* SPDX-License-Identifier: Apache-2.0 */
/* What belongs to the system because it is there: devices, pools, services, collections; and who owns jobs. */
#include "face/cim/links.h"

#include "face/cim/thing.h"

static const struct cim_path *to_system(const struct cim_place *place, const struct cim_end *end, unsigned index)
{
	(void)end;
	return index == 0 ? cim_path_of_system(place->arena, place->ns, place->system) : NULL;
}

/* The service that makes pools, volumes and copies. */
static const struct cim_path *to_service(const struct cim_place *place, const struct cim_end *end, unsigned index)
{
	(void)end;
	if (index > 0)
		return NULL;
	return cim_path_of_service(place->arena, place->ns, &cim_twin_configuration_service, place->system);
}

const struct cim_link cim_links_storage[] = {
	CIM_LINK_TWINS("SystemDevice", "CIM_StorageVolume", "PartComponent", "CIM_ComputerSystem", "GroupComponent",
		       to_system, NULL),
	CIM_LINK_TWINS("HostedStoragePool", "CIM_StoragePool", "PartComponent", "CIM_ComputerSystem", "GroupComponent",
		       to_system, NULL),
	CIM_LINK_TWINS("HostedService", "CIM_Service", "Dependent", "CIM_ComputerSystem", "Antecedent", to_system,
		       NULL),
	CIM_LINK_TWINS("HostedCollection", "CIM_SystemSpecificCollection", "Dependent", "CIM_ComputerSystem",
		       "Antecedent", to_system, NULL),
	CIM_LINK_TWINS("OwningJobElement", "CIM_ConcreteJob", "OwnedElement", "CIM_StorageConfigurationService",
		       "OwningElement", to_service, NULL),
	{ .class_name = NULL },
};
