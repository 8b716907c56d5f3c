/* SPDX-License-Identifier: Apache-2.0 */
/* The function of each method. */
#include "face/cim/ibm.h"

#define SERVICE	"IBMTSESS_AsyncPPRCService"

const struct cim_method cim_methods_ibm[] = {
	{ SERVICE, "ManageSession", ROLE_OPERATOR, ibm_manage_session, NULL, { { 0 } } },
	{ SERVICE, "ManageSessionVolume", ROLE_OPERATOR, ibm_manage_session_volume, NULL, { { 0 } } },
	{ SERVICE, "ManageAsyncPPRC", ROLE_OPERATOR, ibm_manage_async_pprc, NULL, { { 0 } } },
	{ SERVICE, "QueryXDCIncrementStatus", ROLE_MONITOR, ibm_query_increments, ibm_tell_increments, { { 0 } } },
	{ SERVICE, "QueryXDCOutOfSyncStatus", ROLE_MONITOR, ibm_query_out_of_sync, ibm_tell_out_of_sync, { { 0 } } },
	{ SERVICE, "QueryXDCSessionsAndDevices", ROLE_MONITOR, ibm_query_devices, ibm_tell_devices, { { 0 } } },
	{ SERVICE, "QueryAsyncPPRCStatus", ROLE_MONITOR, ibm_query_sessions, ibm_tell_sessions, { { 0 } } },
	{ SERVICE, "CreateOrModifyStoragePool", ROLE_ADMIN, ibm_create_pool, NULL, { { 0 } } },
	{ SERVICE, "CreateOrModifyElementFromStoragePool", ROLE_ADMIN, ibm_create_element, NULL, { { 0 } } },
	{ SERVICE, "DeleteStoragePool", ROLE_ADMIN, ibm_delete_pool, NULL, { { 0 } } },
	{ SERVICE, "ReturnToStoragePool", ROLE_ADMIN, ibm_return_element, NULL, { { 0 } } },
	{ SERVICE, "CreateReplica", ROLE_ADMIN, ibm_create_replica, NULL, { { 0 } } },
	{ SERVICE, "ModifySynchronization", ROLE_OPERATOR, ibm_modify_synchronization, NULL,
	  { { FAULT_SIZE_NOT_SUPPORTED, FAULT_INVALID_PARAMETER } } },
	{ SERVICE, "ModifyConsistencySet", ROLE_OPERATOR, ibm_modify_consistency_set, NULL,
	  { { FAULT_NOT_IN_SET, FAULT_INVALID_PARAMETER }, { FAULT_IN_A_SET, FAULT_INVALID_PARAMETER } } },
	{ SERVICE, "CreateSynchronization", ROLE_OPERATOR, ibm_create_synchronization, NULL,
	  { { FAULT_SIZE_NOT_SUPPORTED, FAULT_INVALID_PARAMETER }, { FAULT_IN_USE, FAULT_FAILED },
	    { FAULT_IN_A_SET, FAULT_FAILED } } },
	{ SERVICE, "DeleteSynchronization", ROLE_OPERATOR, ibm_delete_synchronization, NULL,
	  { { FAULT_IN_USE, FAULT_FAILED } } },
	{ SERVICE, "CreateConsistencySet", ROLE_OPERATOR, ibm_create_consistency_set, NULL,
	  { { FAULT_IN_USE, FAULT_FAILED } } },
	{ SERVICE, "DeleteConsistencySet", ROLE_OPERATOR, ibm_delete_consistency_set, NULL, { { 0 } } },
	{ SERVICE, "CreateSynchronizedSet", ROLE_OPERATOR, ibm_create_synchronized_set, NULL,
	  { { FAULT_IN_USE, FAULT_FAILED } } },
	{ SERVICE, "DeleteSynchronizedSet", ROLE_OPERATOR, ibm_delete_synchronized_set, NULL, { { 0 } } },
	{ SERVICE, "ModifySynchronizedSet", ROLE_OPERATOR, ibm_modify_synchronized_set, NULL, { { 0 } } },
	{ SERVICE, "GetSupportedSetTypes", ROLE_MONITOR, ibm_get_set_types, NULL, { { 0 } } },
	{ SERVICE, "AttachReplica", ROLE_OPERATOR, ibm_attach_replica, NULL,
	  { { FAULT_SIZE_NOT_SUPPORTED, FAULT_INVALID_PARAMETER } } },
	{ SERVICE, "StartService", ROLE_ADMIN, ibm_start_service, NULL, { { 0 } } },
	{ SERVICE, "StopService", ROLE_ADMIN, ibm_stop_service, NULL, { { 0 } } },
	{ SERVICE, "RequestStateChange", ROLE_ADMIN, ibm_request_state, NULL, { { 0 } } },
	{ 0 },
};

#define CONFIGURATION	"MSISCSITARGET_StorageConfigurationService"
#define REPLICATION	"CIM_ReplicationService"

/* Its neighbours do the same on the same system, with the codes of the DMTF. */
const struct cim_method cim_methods_common[] = {
	{ CONFIGURATION, "CreateOrModifyStoragePool", ROLE_ADMIN, ibm_create_pool, NULL, { { 0 } } },
	{ CONFIGURATION, "CreateOrModifyElementFromStoragePool", ROLE_ADMIN, ibm_create_element, NULL, { { 0 } } },
	{ CONFIGURATION, "DeleteStoragePool", ROLE_ADMIN, ibm_delete_pool, NULL, { { 0 } } },
	{ CONFIGURATION, "ReturnToStoragePool", ROLE_ADMIN, ibm_return_element, NULL, { { 0 } } },
	{ CONFIGURATION, "CreateReplica", ROLE_ADMIN, ibm_create_replica, NULL, { { 0 } } },
	{ CONFIGURATION, "ModifySynchronization", ROLE_OPERATOR, ibm_modify_synchronization, NULL,
	  { { FAULT_SIZE_NOT_SUPPORTED, FAULT_INVALID_PARAMETER } } },
	{ CONFIGURATION, "AttachReplica", ROLE_OPERATOR, ibm_attach_replica, NULL,
	  { { FAULT_SIZE_NOT_SUPPORTED, FAULT_INVALID_PARAMETER } } },
	{ REPLICATION, "CreateElementReplica", ROLE_ADMIN, ibm_create_element_replica, NULL,
	  { { FAULT_SIZE_NOT_SUPPORTED, FAULT_INVALID_PARAMETER } } },
	{ REPLICATION, "ModifyReplicaSynchronization", ROLE_OPERATOR, ibm_modify_replica_synchronization, NULL,
	  { { FAULT_SIZE_NOT_SUPPORTED, FAULT_INVALID_PARAMETER } } },
	{ "IBMTSESS_Session", "Recover", ROLE_OPERATOR, ibm_recover_session, NULL, { { 0 } } },
	{ "IBMTSESS_Session", "Failback", ROLE_OPERATOR, ibm_fail_session_back, NULL, { { 0 } } },
	{ "IBMTSESS_Session", "Return", ROLE_OPERATOR, ibm_return_session, NULL, { { 0 } } },
	{ "CIM_StorageCapabilities", "CreateSetting", ROLE_MONITOR, ibm_create_setting, NULL, { { 0 } } },
	{ "CIM_StoragePool", "GetSupportedSizeRange", ROLE_MONITOR, ibm_get_size_range, NULL, { { 0 } } },
	{ "CIM_StoragePool", "GetSupportedSizes", ROLE_MONITOR, ibm_get_sizes, NULL, { { 0 } } },
	{ "CIM_ConcreteJob", "RequestStateChange", ROLE_OPERATOR, ibm_change_job, NULL, { { 0 } } },
	{ "CIM_ConcreteJob", "GetErrors", ROLE_MONITOR, ibm_get_job_errors, NULL, { { 0 } } },
	{ "CIM_ConcreteJob", "GetError", ROLE_MONITOR, ibm_get_job_error, NULL, { { 0 } } },
	{ 0 },
};
