/* SPDX-License-Identifier: Apache-2.0 */
/* Copies, one at a time, by both kinds of services. A pair is one with a volume of another system, a FlashCopy here. */
#include "face/cim/replication.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The value of CopyType. */
enum { COPY_ASYNC = 2, COPY_SYNC, COPY_UNSYNC_ASSOC, COPY_UNSYNC_UNASSOC };
/* What has no such value: a FlashCopy without background copy. */
enum { COPY_SNAPSHOT = 1 << 16 };

/* Of Operation of ModifySynchronization: those of the state table, and these. */
enum { OPERATION_FIRST = 2, OPERATION_START_COPY = 12, OPERATION_STOP_COPY, OPERATION_LAST = OPERATION_STOP_COPY };
/* And of ModifyReplicaSynchronization. */
enum { REPLICATION_OPERATION_LAST = 27 };

/* Return codes of CreateSynchronization and DeleteSynchronization. */
enum { BAD_COPY_TYPE = 6, NO_CONSISTENCY_SETS, NO_SYNCHRONIZED_SETS, NOT_VOLUMES };
enum { IS_IN_SET = 6, COPY_IN_PROCESS };

/* ---- making ---- */

static bool is_pair_type(uint64_t type)
{
	return type == COPY_ASYNC || type == COPY_SYNC;
}

static bool is_flash_type(uint64_t type)
{
	return type == COPY_UNSYNC_ASSOC || type == COPY_UNSYNC_UNASSOC || type == COPY_SNAPSHOT;
}

static struct copy_flash_request flash_request(struct cim_call *call, uint16_t source, uint64_t type)
{
	return (struct copy_flash_request){
		.source = source, .persistent = type != COPY_UNSYNC_UNASSOC, .no_copy = type == COPY_SNAPSHOT,
		.priority = replication_priority(call),
	};
}

static uint64_t flash_job(struct cim_call *call, uint16_t target)
{
	struct record_flash flash;

	return copy_flash_get(control_copy(call->control), target, &flash) ? control_flash_job(call->control, &flash)
									   : 0;
}

static void name_volume(uint16_t volume, char object[16])
{
	snprintf(object, 16, "volume %04X", volume);
}

static int make_pair(struct cim_call *call, const struct ibm_element *source, const struct ibm_element *target,
		     uint64_t type, const char *set, struct fault *fault)
{
	struct copy_pair_request request = {
		.source = source->volume, .target = target->volume, .priority = replication_priority(call),
		.type = type == COPY_SYNC ? PAIR_SYNC : PAIR_ASYNC,
	};
	char object[16];

	memcpy(request.system, target->system, sizeof(request.system));
	name_volume(source->volume, object);
	if (cim_command_begin(call, "pair", "create", fault))
		return -1;
	return cim_command_end(call, "pair", "create", object,
			       control_pair_create_in(call->control, &request, set, fault));
}

static int make_flash(struct cim_call *call, uint16_t source, uint16_t target, uint64_t type, const char *set,
		      struct fault *fault)
{
	struct copy_flash_request request = flash_request(call, source, type);
	char object[16];

	request.target = target;
	name_volume(target, object);
	if (cim_command_begin(call, "flash", "create", fault))
		return -1;
	return cim_command_end(call, "flash", "create", object,
			       control_flash_create_in(call->control, &request, set, fault));
}

/* A new volume on this system, whose id is told: a FlashCopy of the source. */
static int make_replica(struct cim_call *call, uint64_t type, struct ibm_element *source, struct ibm_element *target,
			struct fault *fault)
{
	const struct cim_path *path = cim_in_path(call, "SourceElement");
	const char *pool = NULL, *name;
	struct copy_flash_request request;
	char object[16];
	int rc;

	if (ibm_element_of_path(call, path, "SourceElement", source, fault) ||
	    ibm_read_volume_name(call, &name, fault))
		return -1;
	if (!source->is_here)
		return ibm_bad(fault, "SourceElement", "the source is a volume of this system");
	if (cim_in_given(call, "TargetPool") &&
	    ibm_pool_of_path(call, cim_in_path(call, "TargetPool"), "TargetPool", &pool, fault))
		return -1;
	if (is_pair_type(type))
		return fault_set(fault, FAULT_NOT_SUPPORTED, "CopyType", "make the target there, then AttachReplica",
				 "a volume that stays in step is one of another system");
	if (!is_flash_type(type))
		return ibm_bad(fault, "CopyType", "there is no such type");
	request = flash_request(call, source->volume, type);
	if (cim_command_begin(call, "flash", "create", fault))
		return -1;
	rc = control_replica_create(call->control, &request, pool, name, fault);
	name_volume(request.target, object);
	if (cim_command_end(call, "flash", "create", object, rc))
		return -1;
	*target = *source;
	target->volume = request.target;
	cim_out_path(call, "TargetElement", ibm_path_of_element(call, target));
	return 0;
}

int ibm_create_replica(struct cim_call *call, struct fault *fault)
{
	struct ibm_element source, target;

	if (make_replica(call, cim_in_number(call, "CopyType"), &source, &target, fault))
		return -1;
	ibm_return_job(call, flash_job(call, target.volume));
	return 0;
}

/* Of two volumes that exist, as the type wants them; the number of the job that copies them, 0: none. */
static int attach(struct cim_call *call, const struct ibm_element *source, const struct ibm_element *target,
		  uint64_t type, const char *set, uint64_t *job, struct fault *fault)
{
	struct copy_pair_name name;

	*job = 0;
	if (target->is_here) {
		if (make_flash(call, source->volume, target->volume, type, set, fault))
			return -1;
		*job = flash_job(call, target->volume);
		return 0;
	}
	if (make_pair(call, source, target, type, set, fault))
		return -1;
	name = copy_pair_name_of(source->volume, target->system);
	*job = control_pair_job(call->control, &name);
	return 0;
}

static bool suits(uint64_t type, const struct ibm_element *target)
{
	return target->is_here ? is_flash_type(type) : is_pair_type(type);
}

static int attach_named(struct cim_call *call, uint64_t type, struct ibm_element *source, struct ibm_element *target,
			uint64_t *job, struct fault *fault)
{
	if (ibm_element_of_path(call, cim_in_path(call, "SourceElement"), "SourceElement", source, fault) ||
	    ibm_element_of_path(call, cim_in_path(call, "TargetElement"), "TargetElement", target, fault))
		return -1;
	if (!source->is_here)
		return ibm_bad(fault, "SourceElement", "the source is a volume of this system");
	if (!is_pair_type(type) && !is_flash_type(type))
		return ibm_bad(fault, "CopyType", "there is no such type");
	if (!suits(type, target))
		return fault_set(fault, FAULT_NOT_SUPPORTED, "CopyType",
				 "mirrors lead to another system, all others stay here",
				 "there are no copies of this type between these volumes");
	return attach(call, source, target, type, NULL, job, fault);
}

int ibm_attach_replica(struct cim_call *call, struct fault *fault)
{
	struct ibm_element source, target;
	uint64_t job;

	if (attach_named(call, cim_in_number(call, "CopyType"), &source, &target, &job, fault))
		return -1;
	ibm_return_job(call, job);
	return 0;
}

/* ---- CreateElementReplica ---- */

static uint64_t type_of(const struct replication_kind *kind)
{
	if (kind->sync_type == REPLICATION_MIRROR)
		return kind->mode == REPLICATION_SYNC ? COPY_SYNC : COPY_ASYNC;
	return kind->sync_type == REPLICATION_SNAPSHOT ? COPY_SNAPSHOT : COPY_UNSYNC_ASSOC;
}

int ibm_create_element_replica(struct cim_call *call, struct fault *fault)
{
	static const char *const left_out[] = {
		"SourceAccessPoint", "TargetAccessPoint", "TargetSettingGoal", "ConnectivityCollection", "Collections",
		NULL,
	};
	struct ibm_element source, target;
	struct replication_kind kind;
	uint64_t type, job;

	if (replication_check_left_out(call, left_out, fault) || replication_read_sync_type(call, &kind, fault) ||
	    replication_check_wait(call, true, fault))
		return -1;
	type = type_of(&kind);
	if (cim_in_given(call, "TargetElement")) {
		if (attach_named(call, type, &source, &target, &job, fault))
			return -1;
	} else {
		if (make_replica(call, type, &source, &target, fault))
			return -1;
		job = flash_job(call, target.volume);
	}
	cim_out_path(call, "Synchronization", ibm_path_of_relation(call, &source, &target));
	ibm_return_job(call, job);
	return 0;
}

/* ---- CreateSynchronization ---- */

/* Whether what is to be made can be in the set. */
static int check_set(struct cim_call *call, uint64_t type, const struct set_info *set, struct fault *fault)
{
	bool is_consistency = set->record.kind == SET_CONSISTENCY;
	uint32_t code = is_consistency ? NO_CONSISTENCY_SETS : NO_SYNCHRONIZED_SETS;

	if (type == COPY_UNSYNC_UNASSOC)
		return ibm_refuse(call, code, fault, "Set", "such a copy ends by itself, and is in no set");
	if (set->record.of != (is_pair_type(type) ? SET_OF_PAIRS : SET_OF_FLASHCOPIES))
		return ibm_refuse(call, code, fault, "Set", "its members are of another kind");
	return 0;
}

static int read_ends(struct cim_call *call, struct ibm_element *source, struct ibm_element *target,
		     struct fault *fault)
{
	if (!ibm_element_of_path(call, cim_in_path(call, "SystemElement"), "SystemElement", source, fault) &&
	    !ibm_element_of_path(call, cim_in_path(call, "SyncedElement"), "SyncedElement", target, fault))
		return source->is_here ? 0 : ibm_bad(fault, "SystemElement", "the source is a volume of this system");
	if (cim_in_given(call, "Set"))
		call->returned = NOT_VOLUMES;
	return -1;
}

int ibm_create_synchronization(struct cim_call *call, struct fault *fault)
{
	uint64_t type = cim_in_number(call, "CopyType"), job;
	bool has_set = cim_in_given(call, "Set");
	struct ibm_element source, target;
	struct set_info set = { 0 };

	if (read_ends(call, &source, &target, fault))
		return -1;
	if ((!is_pair_type(type) && !is_flash_type(type)) || !suits(type, &target))
		return ibm_refuse(call, BAD_COPY_TYPE, fault, "CopyType",
				  "there are no copies of this type between these volumes");
	if (has_set && (ibm_set_of_path(call, cim_in_path(call, "Set"), &set, fault) ||
			check_set(call, type, &set, fault)))
		return -1;
	if (attach(call, &source, &target, type, has_set ? set.record.name : NULL, &job, fault))
		return -1;
	cim_out_path(call, "Synchronization", ibm_path_of_relation(call, &source, &target));
	return 0;
}

/* ---- ending ---- */

static int end_relation(struct cim_call *call, const struct ibm_relation *relation, struct fault *fault)
{
	const char *noun = relation->is_flash ? "flash" : "pair";
	uint16_t volume = relation->is_flash ? relation->flash.target : relation->pair.volume;
	char object[16];
	int rc;

	name_volume(volume, object);
	if (cim_command_begin(call, noun, "delete", fault))
		return -1;
	if (relation->is_flash)
		rc = control_flash_delete(call->control, volume, false, fault);
	else
		rc = control_pair_delete(call->control, &relation->pair, false, fault);
	return cim_command_end(call, noun, "delete", object, rc);
}

int ibm_delete_synchronization(struct cim_call *call, struct fault *fault)
{
	const struct cim_path *path = cim_in_path(call, "Synchronization");
	struct ibm_relation relation;
	const char *set;
	uint64_t job;

	if (ibm_relation_of_path(call, path, "Synchronization", &relation, fault))
		return -1;
	if (relation.is_flash) {
		set = control_set_of(call->control, SET_OF_FLASHCOPIES, relation.flash.target);
		job = control_flash_job(call->control, &relation.flash);
	} else {
		set = control_set_of(call->control, SET_OF_PAIRS, relation.pair.volume);
		job = control_pair_job(call->control, &relation.pair);
	}
	if (set)
		return ibm_refuse(call, IS_IN_SET, fault, "Synchronization", "it is in a set: take it out there");
	if (job)
		return ibm_refuse(call, COPY_IN_PROCESS, fault, "Synchronization", "it is being copied");
	return end_relation(call, &relation, fault);
}

/* ---- ModifySynchronization ---- */

/* By the path that the pair uses. */
static int freeze(struct control *control, const struct ibm_relation *relation, bool runs, struct fault *fault)
{
	struct copy_path path = {
		.source_lss = (uint8_t)(relation->source.volume >> 8),
		.target_lss = (uint8_t)(relation->target.volume >> 8),
	};

	memcpy(path.system, relation->target.system, sizeof(path.system));
	return runs ? copy_path_run(control_copy(control), &path, fault)
		    : copy_path_freeze(control_copy(control), &path, 0, fault);
}

static int change_pair(struct control *control, const struct ibm_relation *relation, enum copy_verb verb, bool force,
		       struct fault *fault)
{
	struct copy *copy = control_copy(control);

	switch (verb) {
	case COPY_SUSPEND: return copy_pair_suspend(copy, &relation->pair, fault);
	case COPY_RESUME: return copy_pair_resume(copy, &relation->pair, fault);
	case COPY_GO_TO_SYNC: return copy_pair_go_to_sync(copy, &relation->pair, fault);
	case COPY_LEAVE_SYNC: return copy_pair_leave_sync(copy, &relation->pair, fault);
	case COPY_FREEZE: return freeze(control, relation, false, fault);
	case COPY_RUN: return freeze(control, relation, true, fault);
	case COPY_FAILOVER: return copy_pair_failover(copy, &relation->pair, force, fault);
	case COPY_FAILBACK: return copy_pair_failback(copy, &relation->pair, force, fault);
	default: break;
	}
	assert(verb == COPY_DELETE);
	return control_pair_delete(control, &relation->pair, force, fault);
}

static int change_flash(struct control *control, const struct ibm_relation *relation, enum copy_verb verb, bool force,
			uint16_t *target, struct fault *fault)
{
	struct copy *copy = control_copy(control);

	switch (verb) {
	case COPY_RESYNC: return copy_flash_resync(copy, *target, false, 0, fault);
	case COPY_REVERSE: return control_flash_reverse(control, relation->flash.target, target, fault);
	case COPY_REVERT: return copy_flash_revert(copy, *target, 0, fault);
	case COPY_COMMIT: return copy_flash_commit(copy, *target, 0, fault);
	default: break;
	}
	assert(verb == COPY_DELETE);
	return control_flash_delete(control, *target, force, fault);
}

/* Start and Stop Copy are of FlashCopies, and no operation of the state table but what may be set. */
static int set_copying(struct cim_call *call, const struct ibm_relation *relation, bool starts, struct fault *fault)
{
	const struct copy_flash_change change = { .copying = starts ? COPY_FLASH_START : COPY_FLASH_STOP };
	char object[16];
	int rc;

	if (!relation->is_flash)
		return fault_set(fault, FAULT_NOT_SUPPORTED, "Operation", "Fracture, Resync Replica",
				 "a pair is copied always");
	name_volume(relation->flash.target, object);
	if (cim_command_begin(call, "flash", "set", fault))
		return -1;
	rc = control_flash_set(call->control, relation->flash.target, &change, fault);
	if (cim_command_end(call, "flash", "set", object, rc))
		return -1;
	ibm_return_job(call, flash_job(call, relation->flash.target));
	return 0;
}

/* *job: of what goes on by itself then; 0: nothing. */
static int carry_out(struct cim_call *call, const struct ibm_relation *relation, enum copy_verb verb, bool force,
		     uint64_t *job, struct fault *fault)
{
	const char *noun = relation->is_flash ? "flash" : "pair";
	uint16_t target = relation->flash.target;
	char object[16];
	int rc;

	name_volume(relation->is_flash ? target : relation->pair.volume, object);
	if (cim_command_begin(call, noun, copy_verb_names[verb], fault))
		return -1;
	rc = relation->is_flash ? change_flash(call->control, relation, verb, force, &target, fault)
				: change_pair(call->control, relation, verb, force, fault);
	if (cim_command_end(call, noun, copy_verb_names[verb], object, rc))
		return -1;
	*job = relation->is_flash ? flash_job(call, target) : control_pair_job(call->control, &relation->pair);
	return 0;
}

int ibm_state_of_relation(struct cim_call *call, const struct ibm_relation *relation, enum copy_type *type,
			  enum copy_state *state, struct fault *fault)
{
	struct copy *copy = control_copy(call->control);
	struct copy_flash_info flash;
	struct copy_pair_info info;

	if (relation->is_flash) {
		int found = copy_flash_show(copy, relation->flash.target, &flash, fault);

		if (found < 0)
			return -1;
		*type = flash.copy_type;
		*state = flash.copy_state;
		return found ? 0 : ibm_bad(fault, "Synchronization", "it has ended meanwhile");
	}
	if (!copy_pair_get(copy, &relation->pair, &info))
		return ibm_bad(fault, "Synchronization", "it has ended meanwhile");
	*type = info.copy_type;
	*state = info.copy_state;
	return 0;
}

int ibm_modify_synchronization(struct cim_call *call, struct fault *fault)
{
	const struct cim_path *path = cim_in_path(call, "Synchronization");
	uint64_t wanted = cim_in_number(call, "Operation");
	struct ibm_relation relation;
	enum copy_state state;
	enum copy_type type;
	enum copy_verb verb;
	uint64_t job;

	if (wanted < OPERATION_FIRST || wanted > OPERATION_LAST)
		return ibm_bad(fault, "Operation", "there is no such operation");
	if (ibm_relation_of_path(call, path, "Synchronization", &relation, fault))
		return -1;
	if (wanted == OPERATION_START_COPY || wanted == OPERATION_STOP_COPY)
		return set_copying(call, &relation, wanted == OPERATION_START_COPY, fault);
	if (ibm_state_of_relation(call, &relation, &type, &state, fault))
		return -1;
	if (!copy_cim_find_verb(type, COPY_CIM_CONFIGURATION, (uint16_t)wanted, &verb))
		return fault_set(fault, FAULT_NOT_SUPPORTED, "Operation", "see docs/cim.md",
				 "nothing does that to a copy of this type");
	if (carry_out(call, &relation, verb, false, &job, fault))
		return -1;
	ibm_return_job(call, job);
	return 0;
}

/* ---- ModifyReplicaSynchronization ---- */

static int modify_relation(struct cim_call *call, const struct cim_path *path, const struct cim_path **updated,
			   uint64_t *job, struct fault *fault)
{
	uint64_t wanted = cim_in_number(call, "Operation");
	struct ibm_relation relation;
	enum copy_state state;
	enum copy_type type;
	enum copy_verb verb;

	if (ibm_relation_of_path(call, path, "Synchronization", &relation, fault) ||
	    ibm_state_of_relation(call, &relation, &type, &state, fault))
		return -1;
	if (wanted < OPERATION_FIRST || wanted > REPLICATION_OPERATION_LAST)
		return ibm_bad(fault, "Operation", "there is no such operation");
	if (!copy_cim_find_verb(type, COPY_CIM_REPLICATION, (uint16_t)wanted, &verb))
		return fault_set(fault, FAULT_NOT_SUPPORTED, "Operation", "see docs/cim.md",
				 "nothing does that to a copy of this type");
	if (carry_out(call, &relation, verb, cim_in_flag(call, "Force"), job, fault))
		return -1;
	if (verb == COPY_REVERSE || verb == COPY_FAILBACK)
		*updated = ibm_path_of_relation(call, &relation.target, &relation.source);
	return 0;
}

int ibm_modify_one(struct cim_call *call, const struct cim_path *path, const struct cim_path **updated, uint64_t *job,
		   struct fault *fault)
{
	uint64_t operation = cim_in_number(call, "Operation");
	struct replication_session session;
	struct set_info set;

	*updated = NULL;
	*job = 0;
	if (!replication_is_of_groups(path))
		return modify_relation(call, path, updated, job, fault);
	if (replication_is_of_session(path))
		return replication_session_of_path(call, path, "Synchronization", &session, fault) ||
		       replication_modify_session(call, &session, operation, updated, job, fault) ? -1 : 0;
	return replication_copies_of_path(call, path, "Synchronization", &set, fault) ||
	       replication_modify_copies(call, &set, operation, updated, job, fault) ? -1 : 0;
}

int ibm_modify_replica_synchronization(struct cim_call *call, struct fault *fault)
{
	static const char *const left_out[] = { "SyncPair", NULL };
	bool ends_whole = replication_ends_whole(cim_in_number(call, "Operation"));
	const struct cim_path *updated;
	uint64_t job;

	if (replication_check_left_out(call, left_out, fault) || replication_check_settings(call, NULL, fault) ||
	    replication_check_wait(call, ends_whole, fault) ||
	    ibm_modify_one(call, cim_in_path(call, "Synchronization"), &updated, &job, fault))
		return -1;
	cim_out_path(call, "UpdatedSynchronization", updated);
	ibm_return_job(call, job);
	return 0;
}
