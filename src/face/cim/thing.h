/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thing.h - what the things of a storage system are called in CIM: the paths of volumes, pools, LSSs and others in
 * root/ibm and in root/cimv2/storage/iscsitarget, and back. Paths live in the arena; NULL: it is full, or the namespace
 * does not show such a thing. Any thread, but where it is said.
 *
 * A volume is LLVV-TAG (CIM_LogicalDevice.DeviceID), the tag being of its UUID, so that a volume that is made in the
 * place of a deleted one is another. All other things have an InstanceID: xdc:SYSTEM:KIND:NAME.
 */
#ifndef XDC_FACE_CIM_THING_H
#define XDC_FACE_CIM_THING_H

#include "face/cim/view.h"

/* A class that both namespaces have, by their own names; NULL where a namespace has none. */
struct cim_twin {
	const char *ibm, *iscsitarget;
};
const struct cim_schema_class *cim_twin_class(enum cim_namespace ns, const struct cim_twin *twin);

extern const struct cim_twin cim_twin_system, cim_twin_volume, cim_twin_remote_volume, cim_twin_pool, cim_twin_job;
extern const struct cim_twin cim_twin_synchronized, cim_twin_replication_service, cim_twin_replication_settings;
extern const struct cim_twin cim_twin_storage_capabilities, cim_twin_storage_setting;
extern const struct cim_twin cim_twin_group, cim_twin_group_synchronized;
/* IBMTSESS_AsyncPPRCService there. */
extern const struct cim_twin cim_twin_configuration_service;
/* root/ibm alone */
extern const struct cim_twin cim_twin_lss, cim_twin_session, cim_twin_consistency_set, cim_twin_synchronized_set;

/* ---- volumes ---- */

/* What tells a volume from others that had its id. */
uint32_t cim_volume_tag(const uint8_t uuid[XDC_UUID_LEN]);

/* A volume of this system (system is its id). */
const struct cim_path *cim_path_of_volume(struct cim_arena *arena, enum cim_namespace ns, const char *system,
					  uint16_t id, uint32_t tag);

/* The same, for those on reactor 0: NULL also when there is none. */
const struct cim_path *cim_path_of_volume_here(struct cim_arena *arena, enum cim_namespace ns,
					       struct control *control, uint16_t id);

/* A volume of another system. */
const struct cim_path *cim_path_of_remote(struct cim_arena *arena, enum cim_namespace ns, const char *system,
					  uint16_t id);

/*
 * Is it the path of a volume of this system, and of which? *tag is that of the path; NULL: it has none, and means
 * whichever volume has that id now.
 */
bool cim_path_is_volume(const struct cim_path *path, const char *system, uint16_t *id, const char **tag);

/* Reactor 0: and is there such a volume? */
bool cim_path_finds_volume(struct control *control, const struct cim_path *path, uint16_t *id);

/* Is it the path of a volume of another system? */
bool cim_path_is_remote(const struct cim_path *path, char system[XDC_SYSTEM_ID_MAX], uint16_t *id);

/* LLVV-TAG, in the arena. */
const char *cim_volume_name(struct cim_arena *arena, uint16_t id, uint32_t tag);

/* ---- what has an InstanceID ---- */

/* "xdc:SYSTEM:KIND:NAME" */
const char *cim_thing_id(struct cim_arena *arena, const char *system, const char *kind, const char *name);

/* The NAME of an InstanceID of this kind, and, unless NULL, its SYSTEM (else it is any); NULL: it is not one. */
const char *cim_thing_name(const struct cim_path *path, const char *kind, char system[XDC_SYSTEM_ID_MAX]);

/* Of the class of that twin: kinds are "pool", "lss", "job", "session", "set". */
const struct cim_path *cim_path_of_thing(struct cim_arena *arena, enum cim_namespace ns, const struct cim_twin *twin,
					 const char *system, const char *kind, const char *name);
const struct cim_path *cim_path_of_pool(struct cim_arena *arena, enum cim_namespace ns, const char *system,
					const char *pool);
/* The pool that others take their space from: of the kind "primordial", with this name. */
#define CIM_PRIMORDIAL	"primordial"
/* Settings: what volumes of a pool are made with, what a volume was made with. */
#define CIM_SETTING_OF_POOL	"pool-setting"
#define CIM_SETTING_OF_VOLUME	"volume-setting"
const struct cim_path *cim_path_of_primordial(struct cim_arena *arena, enum cim_namespace ns, const char *system);
const struct cim_path *cim_path_of_job(struct cim_arena *arena, enum cim_namespace ns, const char *system,
				       uint64_t number);
const struct cim_path *cim_path_of_lss(struct cim_arena *arena, enum cim_namespace ns, const char *system,
				       uint8_t lss);
const struct cim_path *cim_path_of_session(struct cim_arena *arena, enum cim_namespace ns, const char *system,
					   uint8_t session, uint8_t lss);

/* ---- what there is one of ---- */

const struct cim_path *cim_path_of_system(struct cim_arena *arena, enum cim_namespace ns, const char *system);

/* A service of the system, of that class: its name is its class's. */
const struct cim_path *cim_path_of_service(struct cim_arena *arena, enum cim_namespace ns, const struct cim_twin *twin,
					   const char *system);

/* ---- copies: of two volumes, either of which may be on another system ---- */

const struct cim_path *cim_path_of_copy(struct cim_arena *arena, enum cim_namespace ns, const struct cim_path *source,
					const struct cim_path *target);

/* The same of any such association: SystemElement and SyncedElement. */
const struct cim_path *cim_path_of_pair(struct cim_arena *arena, enum cim_namespace ns, const struct cim_twin *twin,
					const struct cim_path *source, const struct cim_path *target);

/* ESSID:LSSID:SSID; ssid 0: empty. */
const char *cim_lss_text(struct cim_arena *arena, const char *system, uint8_t lss, uint16_t ssid);

#endif
