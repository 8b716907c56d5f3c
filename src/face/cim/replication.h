/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replication.h - what the methods of CIM_ReplicationService and CIM_ReplicationServiceCapabilities have in common, so
 * that the latter say what the former do. Reactor 0; those with a fault return 0 or -1, and do not suspend.
 */
#ifndef XDC_FACE_CIM_REPLICATION_H
#define XDC_FACE_CIM_REPLICATION_H

#include "copy/state_table_cim.h"
#include "face/cim/ibm.h"

/* ---- kinds of copies: a ReplicationType each ---- */

enum { REPLICATION_MIRROR = 6, REPLICATION_SNAPSHOT, REPLICATION_CLONE, REPLICATION_TOKENIZED_CLONE };	/* SyncType */
enum { REPLICATION_SYNC = 2, REPLICATION_ASYNC, REPLICATION_ADAPTIVE };					/* Mode */
enum { REPLICATION_LOCAL = 2, REPLICATION_REMOTE };							/* Locality */

struct replication_kind {
	uint16_t type, sync_type, mode, locality, methodology;
};

/* All that there are, by their numbers. */
#define REPLICATION_KINDS_MAX	8u
unsigned replication_kinds(struct replication_kind kinds[REPLICATION_KINDS_MAX]);
bool replication_find_kind(uint64_t type, struct replication_kind *kind);
bool replication_find_sync_type(uint64_t sync_type, uint64_t mode, uint64_t locality, struct replication_kind *kind);

/* The parameter ReplicationType; FAULT_NOT_SUPPORTED: there are no such copies here. */
int replication_read_kind(struct cim_call *call, struct replication_kind *kind, struct fault *fault);

/* The parameters SyncType and Mode (without it: as the type is), and ReplicationSettingData for such copies. */
int replication_read_sync_type(struct cim_call *call, struct replication_kind *kind, struct fault *fault);

/* What a call would leave undone is refused: these parameters, ended by NULL, are not given. */
int replication_check_left_out(struct cim_call *call, const char *const *names, struct fault *fault);

/*
 * WaitForCopyState, if it is given, is what the copy comes to by itself, and its job ends then: ends_whole: that is
 * Synchronized; else it may not be given.
 */
int replication_check_wait(struct cim_call *call, bool ends_whole, struct fault *fault);

/* After this Operation of ModifyReplicaSynchronization a copy becomes whole. */
bool replication_ends_whole(uint64_t operation);

/* Does the value map of a parameter have this number, and not as one that is reserved? */
bool replication_is_mapped(const struct cim_call *call, const char *name, uint64_t number);

/* ---- ReplicationSettingData ---- */

/* Values that a property of it may have with copies of a kind, the first of them unless another is given. */
struct replication_setting {
	uint16_t number;		/* in the value map of PropertyName; 0: it has none */
	const char *property;
	uint16_t sync_types;		/* 1 << SyncType of each */
	uint8_t count, values[4];
};

/* NULL: there is no such property with copies of this kind. */
const struct replication_setting *replication_find_setting(const struct replication_kind *kind, uint16_t number);

/*
 * ReplicationSettingData asks for nothing that is not done: FAULT_NOT_SUPPORTED. kind NULL: it may be asked for with
 * some copies.
 */
int replication_check_settings(struct cim_call *call, const struct replication_kind *kind, struct fault *fault);

/* What it has as CopyPriority; where a method has no such parameter, too. */
enum copy_priority replication_priority(const struct cim_call *call);

/* INSTANCE of all defaults, in the arena. NULL: it is full. */
const char *replication_default_settings(struct cim_call *call, const struct replication_kind *kind);

/* ---- sets as groups (group.h) ---- */

struct cim_group;

/* "set NAME"; and the name that a parameter gives to a new set, or the first of prefix1, prefix2, ... that is free. */
void replication_name_set(const char *name, char object[64]);
int replication_choose_name(struct cim_call *call, const char *parameter, const char *prefix,
			    char name[XDC_NAME_MAX], struct fault *fault);

int replication_group_of_path(struct cim_call *call, const struct cim_path *path, const char *name,
			      struct cim_group *group, struct fault *fault);
int replication_make_group(struct cim_call *call, const char *name, const uint16_t *volumes, unsigned count,
			   struct fault *fault);

/* A CIM_GroupSynchronized: NULL: there is no memory; and back. */
const struct cim_path *replication_path_of_copies(struct cim_call *call, const char *set);
bool replication_is_of_groups(const struct cim_path *path);
int replication_copies_of_path(struct cim_call *call, const struct cim_path *path, const char *name,
			       struct set_info *set, struct fault *fault);

/* As ibm_modify_one, with all copies of the set. Suspends. */
int replication_modify_copies(struct cim_call *call, const struct set_info *set, uint64_t operation,
			      const struct cim_path **updated, uint64_t *job, struct fault *fault);

/* ---- sessions: a CIM_GroupSynchronized on each of their LSSs, in root/ibm ---- */

struct replication_session {
	uint8_t number, lss;
	bool is_source;			/* of its pairs there */
};

bool replication_is_of_session(const struct cim_path *path);
int replication_session_of_path(struct cim_call *call, const struct cim_path *path, const char *name,
				struct replication_session *session, struct fault *fault);

/* As ibm_modify_one, with the session, on whichever of its LSSs; *updated NULL: it is over. Suspends. */
int replication_modify_session(struct cim_call *call, const struct replication_session *session, uint64_t number,
			       const struct cim_path **updated, uint64_t *job, struct fault *fault);

/* What may be done with this one now. */
int replication_list_session_operations(struct cim_call *call, const struct replication_session *session,
					struct copy_cim_operation list[COPY_CIM_OPERATIONS_MAX], unsigned *count,
					struct fault *fault);

/* Adds to the list what can be done with sessions whose copies are of that kind and in that CopyState (0: any). */
void replication_add_session_operations(const struct cim_call *call, const struct replication_kind *kind,
					uint64_t copy_state, struct copy_cim_operation list[COPY_CIM_OPERATIONS_MAX],
					unsigned *count);

/* 1 << CopyState of each in which that may be done with a session. */
uint32_t replication_session_states(const struct cim_call *call, const struct replication_kind *kind,
				    uint64_t operation);

/* ---- the methods, one each ---- */

cim_method_fn replication_create_group, replication_delete_group, replication_add_members, replication_remove_members;
cim_method_fn replication_create_group_replica, replication_create_group_from_elements;
cim_method_fn replication_create_group_from_copies, replication_create_list, replication_modify_list;
cim_method_fn replication_get_relationships, replication_get_peers, replication_get_access_points;

cim_method_fn replication_from_sync_type, replication_to_sync_type;
cim_method_fn replication_get_copy_states, replication_get_group_copy_states, replication_get_wait_states;
cim_method_fn replication_get_features, replication_get_group_features, replication_get_list_features;
cim_method_fn replication_get_consistency, replication_get_default_consistency;
cim_method_fn replication_get_default_persistency;
cim_method_fn replication_get_operations, replication_get_group_operations, replication_get_list_operations;
cim_method_fn replication_get_operations_of_one;
cim_method_fn replication_get_thin_features, replication_get_compression_features;
cim_method_fn replication_get_maximum;
cim_method_fn replication_get_setting_values, replication_get_setting_times, replication_get_default_settings;
cim_method_fn replication_get_synchronization_supported, replication_get_types_for_system;
cim_method_fn replication_get_name_capabilities;

#endif
