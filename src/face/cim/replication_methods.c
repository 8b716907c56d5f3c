/* SPDX-License-Identifier: Apache-2.0 */
/* The function of each method of Replication Services that is not common with the configuration services. */
#include "face/cim/replication.h"

#define SERVICE		"CIM_ReplicationService"
#define CAPABILITIES	"CIM_ReplicationServiceCapabilities"
#define NO_CODES	{ { 0 } }
#define COPY_CODES	{ { FAULT_SIZE_NOT_SUPPORTED, FAULT_INVALID_PARAMETER }, { FAULT_IN_A_SET, FAULT_IN_USE } }
#define LACKS(name)	{ SERVICE, name, ROLE_MONITOR, cim_method_not_supported, NULL, { { 0 } } }
/* What RemoveMembers has for a volume that is in no such group. */
enum { NOT_A_MEMBER = 8 };

#define SHOWS(name, run)	{ CAPABILITIES, name, ROLE_MONITOR, run, NULL, { { 0 } } }

const struct cim_method cim_methods_replication[] = {
	{ SERVICE, "CreateGroup", ROLE_OPERATOR, replication_create_group, NULL, NO_CODES },
	{ SERVICE, "DeleteGroup", ROLE_OPERATOR, replication_delete_group, NULL, NO_CODES },
	{ SERVICE, "AddMembers", ROLE_OPERATOR, replication_add_members, NULL, { { FAULT_IN_A_SET, FAULT_IN_USE } } },
	{ SERVICE, "RemoveMembers", ROLE_OPERATOR, replication_remove_members, NULL,
	  { { FAULT_NOT_IN_SET, NOT_A_MEMBER } } },
	{ SERVICE, "CreateGroupReplica", ROLE_ADMIN, replication_create_group_replica, NULL, COPY_CODES },
	{ SERVICE, "CreateGroupReplicaFromElements", ROLE_ADMIN, replication_create_group_from_elements, NULL,
	  COPY_CODES },
	{ SERVICE, "CreateGroupReplicaFromElementSynchronizations", ROLE_OPERATOR,
	  replication_create_group_from_copies, NULL, COPY_CODES },
	{ SERVICE, "CreateListReplica", ROLE_ADMIN, replication_create_list, NULL, COPY_CODES },
	{ SERVICE, "ModifyListSynchronization", ROLE_OPERATOR, replication_modify_list, NULL, COPY_CODES },
	{ SERVICE, "GetReplicationRelationships", ROLE_MONITOR, replication_get_relationships, NULL, NO_CODES },
	{ "IBMTSESS_ReplicationService", "GetPeerSystems", ROLE_MONITOR, replication_get_peers, NULL, NO_CODES },
	{ "IBMTSESS_ReplicationService", "GetServiceAccessPoints", ROLE_MONITOR, replication_get_access_points, NULL,
	  NO_CODES },
	/* No settings keep the state of a moment, and no elements, access points or secrets are to be told about. */
	LACKS("CreateSynchronizationAspect"), LACKS("CreateListSynchronizationAspect"),
	LACKS("ModifySettingsDefineState"), LACKS("ModifyListSettingsDefineState"),
	LACKS("GetSynchronizationAspects"), LACKS("GetSynchronizationAspectInstances"),
	LACKS("AddReplicationEntity"), LACKS("AddServiceAccessPoint"), LACKS("AddSharedSecret"),
	LACKS("GetServiceAccessPoints"), LACKS("GetPeerSystems"), LACKS("CreateRemoteReplicationCollection"),
	LACKS("AddToRemoteReplicationCollection"), LACKS("RemoveFromRemoteReplicationCollection"),
	LACKS("AddElementsToGroupSynchronized"), LACKS("ConfirmTargetData"),
	LACKS("GetReplicationRelationshipInstances"), LACKS("GetAvailableTargetElements"),
	SHOWS("ConvertSyncTypeToReplicationType", replication_from_sync_type),
	SHOWS("ConvertReplicationTypeToSyncType", replication_to_sync_type),
	SHOWS("GetSupportedCopyStates", replication_get_copy_states),
	SHOWS("GetSupportedGroupCopyStates", replication_get_group_copy_states),
	SHOWS("GetSupportedWaitForCopyStates", replication_get_wait_states),
	SHOWS("GetSupportedFeatures", replication_get_features),
	SHOWS("GetSupportedGroupFeatures", replication_get_group_features),
	SHOWS("GetSupportedConsistency", replication_get_consistency),
	SHOWS("GetSupportedOperations", replication_get_operations),
	SHOWS("GetSupportedGroupOperations", replication_get_group_operations),
	SHOWS("GetSupportedListOperations", replication_get_list_operations),
	SHOWS("GetSupportedSettingsDefineStateOperations", cim_method_not_supported),
	SHOWS("GetSupportedThinProvisioningFeatures", replication_get_thin_features),
	SHOWS("GetSupportedMaximum", replication_get_maximum),
	SHOWS("GetDefaultConsistency", replication_get_default_consistency),
	SHOWS("GetDefaultGroupPersistency", replication_get_default_persistency),
	SHOWS("GetSupportedReplicationSettingData", replication_get_setting_values),
	SHOWS("GetDefaultReplicationSettingData", replication_get_default_settings),
	SHOWS("GetSupportedConnectionFeatures", cim_method_not_supported),
	SHOWS("GetSynchronizationSupported", replication_get_synchronization_supported),
	SHOWS("GetSupportedStorageCompressionFeatures", replication_get_compression_features),
	SHOWS("GetSupportedTokenizedReplicationType", cim_method_not_supported),
	SHOWS("GetElementNameCapabilities", replication_get_name_capabilities),
	SHOWS("GetSupportedListFeatures", replication_get_list_features),
	SHOWS("GetSupportedOperationsForSynchronization", replication_get_operations_of_one),
	SHOWS("GetSupportedReplicationTypesForSystem", replication_get_types_for_system),
	SHOWS("GetSupportedReplicationSettingDataDateTime", replication_get_setting_times),
	SHOWS("CreateGoalSettings", cim_method_not_supported),
	{ 0 },
};
