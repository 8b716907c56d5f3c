/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state_table_cim.h - what CIM and Swordfish call the types, states and operations of the state table: for faces, which
 * translate and decide nothing. Pure. Any thread.
 *
 * Numbers are those of the value maps of CIM_StorageSynchronized and CIM_ReplicationService, schema 2.49; the seed
 * pages have a part of them, with the same meaning.
 */
#ifndef XDC_COPY_STATE_TABLE_CIM_H
#define XDC_COPY_STATE_TABLE_CIM_H

#include "copy/state_table.h"

/* ---- what a copy is ---- */

struct copy_cim_type {
	uint16_t copy_type;		/* 2 async, 3 sync, 4 UnSyncAssoc, 5 UnSyncUnAssoc */
	uint16_t mode;			/* 2 synchronous, 3 asynchronous */
	uint16_t sync_type;		/* 6 mirror, 7 snapshot, 8 clone */
	uint16_t replica_type;		/* 2 full copy, 3 before delta: the target has what the source had, alone */
	uint16_t copy_methodology;	/* 3 full copy, 4 incremental, 6 copy on write, 8 delta update: of groups */
	uint16_t replication_type;	/* of CIM_ReplicationServiceCapabilities: 4, 5 mirrors, 7 snapshot, 11 clone */
};
struct copy_cim_type copy_cim_of_type(enum copy_type type);

/* ---- in which state ---- */

struct copy_cim_state {
	uint16_t sync_state, copy_state, progress_status;
	uint16_t requested_copy_state;	/* what it comes to by itself; 15: it is there, or comes to nothing else */
};

/* Of a state that the type has, but for COPY_STATE_NONE. */
struct copy_cim_state copy_cim_of_state(enum copy_type type, enum copy_state state);

/* ReplicaState of Swordfish, and ReplicaProgressStatus: the words for CopyState and ProgressStatus there. */
const char *copy_cim_replica_state(uint16_t cim_copy_state);
const char *copy_cim_replica_progress(uint16_t cim_progress_status);

/* RPO, -1: not known; and Skew, of what a source has noted. */
struct copy_cim_lag {
	int64_t rpo_ns;
	uint64_t skew_bytes;
};

/* session_rpo_ns: of the session that it is in; -1: not known. */
struct copy_cim_lag copy_cim_lag_of(enum copy_type type, enum copy_state state, uint64_t out_of_sync_blocks,
				    int64_t session_rpo_ns);

/* ---- what can be done ---- */

enum copy_cim_method {
	COPY_CIM_CONFIGURATION,		/* ModifySynchronization of CIM_StorageConfigurationService */
	COPY_CIM_REPLICATION,		/* ModifyReplicaSynchronization of CIM_ReplicationService */
	COPY_CIM_GROUP,			/* the same of a CIM_GroupSynchronized: of all copies of a set at once */
	COPY_CIM_METHOD_COUNT
};

/* What the Operation with this number of a method is, of a copy of this type. False: there is none. */
bool copy_cim_find_verb(enum copy_type type, enum copy_cim_method method, uint16_t number, enum copy_verb *verb);

/* An Operation, as GetSupportedOperations of CIM_ReplicationServiceCapabilities has it. */
struct copy_cim_operation {
	uint16_t number;
	bool at_source, at_target;	/* the system of which end carries it out */
	bool may_need_force;		/* in some of the states with this CopyState */
	bool renames;			/* source and target exchange: the path of the association changes */
};
#define COPY_CIM_OPERATIONS_MAX	16u

/* What can be done with copies of a ReplicationType that have this CopyState (0: any); how many. */
unsigned copy_cim_list_operations(uint16_t replication_type, enum copy_cim_method method, uint16_t copy_state,
				  struct copy_cim_operation out[COPY_CIM_OPERATIONS_MAX]);

/* The same of one copy as it is. */
unsigned copy_cim_list_operations_of(enum copy_type type, enum copy_state state, enum copy_cim_method method,
				     struct copy_cim_operation out[COPY_CIM_OPERATIONS_MAX]);

/* ---- which states there are ---- */

struct copy_cim_copy_state {
	uint16_t copy_state;
	bool host_accessible;		/* hosts reach the target in it, once it is come to that */
};
#define COPY_CIM_COPY_STATES_MAX	18u

/* Those of copies of a ReplicationType, in order; with operation, of that method, those in which it can be done. */
unsigned copy_cim_list_states(uint16_t replication_type, enum copy_cim_method method, uint16_t operation,
			      struct copy_cim_copy_state out[COPY_CIM_COPY_STATES_MAX]);

#endif
