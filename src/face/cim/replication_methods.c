/* SPDX-License-Identifier: Apache-2.0 */
/* The function of each method of Replication Services that is not common with the configuration services. */
#include "face/cim/replication.h"

#define CAPABILITIES	"CIM_ReplicationServiceCapabilities"
#define SHOWS(name, run)	{ CAPABILITIES, name, ROLE_MONITOR, run, NULL, { { 0 } } }

const struct cim_method cim_methods_replication[] = {
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
