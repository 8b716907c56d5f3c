/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ibm.h - what the methods of IBMTSESS_AsyncPPRCService have in common: LSSs, sessions and volumes as they name them.
 * Reactor 0; those with a fault return 0, or -1 with FAULT_INVALID_PARAMETER, and do not suspend.
 */
#ifndef XDC_FACE_CIM_IBM_H
#define XDC_FACE_CIM_IBM_H

#include "copy/state_table.h"
#include "face/cim/method.h"

/* ESSID:LSSID:SSID; the SSID is empty where the LSS has none, or is not here. */
#define IBM_LSS_MAX	32u
void ibm_lss_print(struct control *control, uint8_t lss, char text[IBM_LSS_MAX]);
void ibm_far_lss_print(const char *system, uint8_t lss, char text[IBM_LSS_MAX]);

/* ESSID:LLVV */
#define IBM_VOLUME_MAX	24u
void ibm_volume_print(const char *system, uint16_t volume, char text[IBM_VOLUME_MAX]);

/* Of any system: its SSID is not looked at. name: of the parameter, for the fault. */
int ibm_lss_read(const char *name, const char *text, char system[XDC_SYSTEM_ID_MAX], uint8_t *lss,
		 struct fault *fault);

/* Of this system: its SSID is given as it is, or empty. */
int ibm_lss_here(struct cim_call *call, const char *name, uint8_t *lss, struct fault *fault);

/* One LSS of this system, or (-1) all of it: when nothing, or the system alone, is named. */
int ibm_scope(struct cim_call *call, int *lss, struct fault *fault);

/* SessionNumber, and SessionType; 0x10 (XRC) is FAULT_NOT_SUPPORTED. */
int ibm_session(struct cim_call *call, uint8_t *session, enum session_type *type, struct fault *fault);

/* ---- things as paths of their instances (thing.h), in the namespace of the call ---- */

/* A volume of any system, which need not exist at another one. */
struct ibm_element {
	bool is_here;
	char system[XDC_SYSTEM_ID_MAX];
	uint16_t volume;
};

/* A pair of which one end is here, or a FlashCopy; it exists. */
struct ibm_relation {
	struct ibm_element source, target;
	bool is_flash;
	struct record_flash flash;
	struct copy_pair_name pair;
};

const struct cim_path *ibm_path_of_pool(struct cim_call *call, const char *name);
const struct cim_path *ibm_path_of_set(struct cim_call *call, enum set_kind kind, const char *name);
const struct cim_path *ibm_path_of_volume(struct cim_call *call, uint16_t volume);	/* of this system */
const struct cim_path *ibm_path_of_element(struct cim_call *call, const struct ibm_element *element);
const struct cim_path *ibm_path_of_relation(struct cim_call *call, const struct ibm_element *source,
					    const struct ibm_element *target);

/* The call returns 4096 and this job; 0: there is none, and nothing is done. */
void ibm_return_job(struct cim_call *call, uint64_t job);

/* And back; name: of the parameter, for the fault. path NULL is a fault too. */
int ibm_volume_of_path(struct control *control, const struct cim_path *path, const char *name, uint16_t *volume,
		       struct fault *fault);
int ibm_element_of_path(struct cim_call *call, const struct cim_path *path, const char *name,
			struct ibm_element *element, struct fault *fault);
int ibm_relation_of_path(struct cim_call *call, const struct cim_path *path, const char *name,
			 struct ibm_relation *relation, struct fault *fault);
/* Where it is in the state table. Suspends. */
int ibm_state_of_relation(struct cim_call *call, const struct ibm_relation *relation, enum copy_type *type,
			  enum copy_state *state, struct fault *fault);
int ibm_pool_of_path(struct cim_call *call, const struct cim_path *path, const char *name, const char **pool,
		     struct fault *fault);
int ibm_set_of_path(struct cim_call *call, const struct cim_path *path, struct set_info *set, struct fault *fault);

/* That of the first of its members that is being copied; 0: none is. */
uint64_t ibm_job_of_set(struct cim_call *call, const struct set_info *set);

/* Operation, and Force, of ModifyReplicaSynchronization with one copy; *updated: its new path, NULL: as before. */
int ibm_modify_one(struct cim_call *call, const struct cim_path *path, const struct cim_path **updated, uint64_t *job,
		   struct fault *fault);

/* ElementName, as the name of a volume; NULL: none. */
int ibm_read_volume_name(struct cim_call *call, const char **name, struct fault *fault);

/* The name of a new set: ElementName, or the first of set1, set2, ... that is free. */
int ibm_choose_set_name(struct cim_call *call, char name[XDC_NAME_MAX], struct fault *fault);

/* -1, and the call returns this code of its page, whatever other faults become. */
int ibm_refuse(struct cim_call *call, uint32_t code, struct fault *fault, const char *name, const char *wrong);
int ibm_bad(struct fault *fault, const char *name, const char *wrong);

/* The methods, one each. */
cim_method_fn ibm_manage_session, ibm_manage_session_volume, ibm_manage_async_pprc;
cim_method_fn ibm_recover_session, ibm_fail_session_back, ibm_return_session;
cim_method_fn ibm_query_increments, ibm_query_out_of_sync, ibm_query_devices, ibm_query_sessions;
void ibm_tell_increments(struct cim_call *call);
void ibm_tell_out_of_sync(struct cim_call *call);
void ibm_tell_devices(struct cim_call *call);
void ibm_tell_sessions(struct cim_call *call);
cim_method_fn ibm_create_pool, ibm_create_element, ibm_delete_pool, ibm_return_element;
cim_method_fn ibm_get_size_range, ibm_get_sizes, ibm_create_setting;
cim_method_fn ibm_create_replica, ibm_attach_replica, ibm_modify_synchronization;
cim_method_fn ibm_create_synchronization, ibm_delete_synchronization;
cim_method_fn ibm_create_consistency_set, ibm_modify_consistency_set, ibm_delete_consistency_set;
cim_method_fn ibm_create_synchronized_set, ibm_modify_synchronized_set, ibm_delete_synchronized_set;
cim_method_fn ibm_get_set_types;
cim_method_fn ibm_create_element_replica, ibm_modify_replica_synchronization;
cim_method_fn ibm_change_job, ibm_get_job_errors, ibm_get_job_error;
cim_method_fn ibm_start_service, ibm_stop_service, ibm_request_state;

#endif
