/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CIM_ReplicationServiceCapabilities: answered by the state table, by the table of methods and by the limits that the
 * commands keep.
 */
#include "face/cim/replication.h"

#include <string.h>

#include "control/parse.h"
#include "face/cim/thing.h"
#include "volume/flash.h"
#include "volume/target.h"

#define MIRRORS		(1u << REPLICATION_MIRROR)
#define SNAPSHOTS	(1u << REPLICATION_SNAPSHOT)
#define CLONES		(1u << REPLICATION_CLONE)
#define FLASHES		(SNAPSHOTS | CLONES)
#define ALL		(MIRRORS | FLASHES)

/* What is on the page of these methods beside the codes of all. */
enum { NO_INFORMATION = 7, NO_PROPERTY = 7 };

static bool is_of(uint16_t sync_types, const struct replication_kind *kind)
{
	return sync_types & 1u << kind->sync_type;
}

/* Does the service do it? NULL: that is not the question. */
static bool does(const struct cim_call *call, const char *method)
{
	const struct cim_schema_class *class = cim_twin_class(call->ns, &cim_twin_replication_service);
	const struct cim_method *binding = method && class ? cim_method_find(class, method) : NULL;

	return !method || (binding && binding->run != cim_method_not_supported);
}

/* ---- kinds ---- */

int replication_from_sync_type(struct cim_call *call, struct fault *fault)
{
	static const char *const names[] = { "SyncType", "Mode", "LocalOrRemote" };
	struct replication_kind kind;

	for (unsigned i = 0; i < 3; i++)
		if (!replication_is_mapped(call, names[i], cim_in_number(call, names[i])))
			return ibm_bad(fault, names[i], "there is no such value");
	if (!replication_find_sync_type(cim_in_number(call, "SyncType"), cim_in_number(call, "Mode"),
					cim_in_number(call, "LocalOrRemote"), &kind))
		return fault_set(fault, FAULT_NOT_SUPPORTED, "SyncType", "SupportedReplicationTypes says which are",
				 "there are no such copies here");
	cim_out_number(call, "SupportedReplicationTypes", kind.type);
	return 0;
}

int replication_to_sync_type(struct cim_call *call, struct fault *fault)
{
	uint64_t type = cim_in_number(call, "ReplicationType");
	struct replication_kind kind;

	if (!replication_find_kind(type, &kind))
		return type < 2 || type > 27 ? ibm_bad(fault, "ReplicationType", "there is no such type") :
			fault_set(fault, FAULT_NOT_SUPPORTED, "ReplicationType",
				  "SupportedReplicationTypes says which are", "there are no such copies here");
	cim_out_number(call, "SyncType", kind.sync_type);
	cim_out_number(call, "Mode", kind.mode);
	cim_out_number(call, "LocalOrRemote", kind.locality);
	return 0;
}

static void put_types(struct cim_call *call, const char *name, uint16_t locality)
{
	struct replication_kind kinds[REPLICATION_KINDS_MAX];
	unsigned count = replication_kinds(kinds);

	cim_out_begin(call, name);
	for (unsigned i = 0; i < count; i++)
		if (kinds[i].locality == locality)
			cim_out_add_number(call, kinds[i].type);
	cim_out_end(call);
}

struct peer_search {
	const char *system;
	bool found;
};

static void match_peer(void *arg, const struct copy_path_info *info)
{
	struct peer_search *search = arg;

	search->found = search->found || !strcmp(info->path.system, search->system);
}

/* With volumes of this system the local ones; with those of another, that a path leads to, the remote ones. */
int replication_get_types_for_system(struct cim_call *call, struct fault *fault)
{
	const char *name = cim_path_key_text(cim_in_path(call, "System"), "Name");
	struct peer_search search = { .system = name ? name : "" };

	if (replication_check_settings(call, NULL, fault))
		return -1;
	if (!strcmp(search.system, control_system_id(call->control))) {
		put_types(call, "SupportedReplicationTypes", REPLICATION_LOCAL);
		return 0;
	}
	copy_path_each(control_copy(call->control), match_peer, &search);
	if (!search.found)
		return ibm_bad(fault, "System", "no path leads to a system of this name");
	put_types(call, "SupportedReplicationTypes", REPLICATION_REMOTE);
	return 0;
}

/* ---- states ---- */

static int list_states(struct cim_call *call, enum copy_cim_method method,
		       struct copy_cim_copy_state states[COPY_CIM_COPY_STATES_MAX], unsigned *count,
		       struct fault *fault)
{
	uint64_t operation = cim_in_number(call, "Operation");
	struct replication_kind kind;

	if (replication_read_kind(call, &kind, fault))
		return -1;
	if (cim_in_given(call, "Operation") && !replication_is_mapped(call, "Operation", operation))
		return ibm_bad(fault, "Operation", "there is no such operation");
	*count = copy_cim_list_states(kind.type, method, (uint16_t)operation, states);
	return 0;
}

int replication_get_copy_states(struct cim_call *call, struct fault *fault)
{
	struct copy_cim_copy_state states[COPY_CIM_COPY_STATES_MAX];
	unsigned count;

	if (list_states(call, COPY_CIM_REPLICATION, states, &count, fault))
		return -1;
	cim_out_begin(call, "SupportedCopyStates");
	for (unsigned i = 0; i < count; i++)
		cim_out_add_number(call, states[i].copy_state);
	cim_out_end(call);
	cim_out_begin(call, "HostAccessible");
	for (unsigned i = 0; i < count; i++)
		cim_out_add_flag(call, states[i].host_accessible);
	cim_out_end(call);
	return 0;
}

/* Those of its copies while all are in one, else Mixed: an operation is done then to those that it can be done to. */
int replication_get_group_copy_states(struct cim_call *call, struct fault *fault)
{
	enum { MIXED = 14 };
	struct copy_cim_copy_state states[COPY_CIM_COPY_STATES_MAX];
	struct replication_kind kind;
	unsigned count;
	uint32_t all;

	if (!does(call, "CreateGroupReplica"))
		return cim_method_not_supported(call, fault);
	if (list_states(call, COPY_CIM_GROUP, states, &count, fault) || replication_read_kind(call, &kind, fault))
		return -1;
	all = replication_session_states(call, &kind, cim_in_number(call, "Operation"));
	for (unsigned i = 0; i < count; i++)
		all |= 1u << states[i].copy_state;
	if (all)
		all |= 1u << MIXED;
	cim_out_begin(call, "SupportedCopyStates");
	for (unsigned i = 0; i < COPY_CIM_COPY_STATES_MAX; i++)
		if (all & 1u << i)
			cim_out_add_number(call, i);
	cim_out_end(call);
	return 0;
}

/* The job that a call returns ends when the copy is whole. */
int replication_get_wait_states(struct cim_call *call, struct fault *fault)
{
	enum { SYNCHRONIZED = 4 };
	static const char *const methods[] = {
		[2] = "CreateElementReplica", [3] = "CreateGroupReplica", [4] = "ModifyReplicaSynchronization",
		[5] = "ModifyListSynchronization", [6] = "ModifySettingsDefineState", [7] = "CreateListReplica",
		[8] = "CreateGroupReplicaFromElements", [9] = "ModifyListSettingsDefineState",
		[10] = "CreateGroupReplicaFromElementSynchronizations", [11] = "AddElementsToGroupSynchronized",
	};
	uint64_t number = cim_in_number(call, "MethodName"), operation = cim_in_number(call, "Operation");
	struct replication_kind kind;

	if (replication_read_kind(call, &kind, fault))
		return -1;
	if (number >= sizeof(methods) / sizeof(methods[0]) || !methods[number])
		return ibm_bad(fault, "MethodName", "there is no such method");
	if (cim_in_given(call, "Operation") && !replication_is_mapped(call, "Operation", operation))
		return ibm_bad(fault, "Operation", "there is no such operation");
	if (!does(call, methods[number]))
		return cim_method_not_supported(call, fault);
	cim_out_begin(call, "SupportedCopyStates");
	if (!operation || replication_ends_whole(operation))
		cim_out_add_number(call, SYNCHRONIZED);
	cim_out_end(call);
	return 0;
}

/* ---- features ---- */

struct feature {
	uint16_t number, sync_types;
	const char *method;		/* if the service does this; NULL: in any case */
};

static void put_features(struct cim_call *call, const char *name, const struct feature *features,
			 const struct replication_kind *kind)
{
	cim_out_begin(call, name);
	for (; features->number; features++)
		if (is_of(features->sync_types, kind) && does(call, features->method))
			cim_out_add_number(call, features->number);
	cim_out_end(call);
}

int replication_get_features(struct cim_call *call, struct fault *fault)
{
	static const struct feature features[] = {
		{ 2, ALL, "CreateGroupReplica" },	/* Replication groups */
		{ 3, ALL, NULL },			/* Multi-hop element replication */
		{ 7, ALL, NULL },			/* Service suspends source I/O when necessary */
		{ 8, FLASHES, NULL },			/* Targets allocated from Any storage pool */
		{ 15, MIRRORS, NULL },			/* Error recovery from Broken state Automatic */
		{ 16, SNAPSHOTS, NULL },		/* Target must remain associated to source */
		{ 17, MIRRORS, NULL },			/* Remote resource requires remote CIMOM */
		{ 24, MIRRORS | CLONES, NULL },		/* Adjustable CopyPriority */
		{ 37, MIRRORS, NULL },			/* Supports persistent ReplicationEntity */
		{ 40, MIRRORS, NULL },			/* TargetPool shall not be supplied */
		{ 41, ALL, NULL },			/* TargetGoal shall not be supplied */
		{ 50, MIRRORS, "GetPeerSystems" },	/* GetPeerSystems can return access points */
		{ 51, FLASHES, NULL },			/* Client can supply target ElementName */
		{ 53, MIRRORS, NULL },			/* Failover operation requires subsequent failback */
		{ 58, MIRRORS, NULL },			/* Create Replication requests: to source service */
		{ 0, 0, NULL },
	};
	struct replication_kind kind;

	if (replication_read_kind(call, &kind, fault))
		return -1;
	put_features(call, "Features", features, &kind);
	return 0;
}

int replication_get_group_features(struct cim_call *call, struct fault *fault)
{
	static const struct feature features[] = {
		{ 3, ALL, NULL },			/* Many-to-many groups */
		{ 4, FLASHES, NULL },			/* Consistency enabled for all groups */
		{ 5, ALL, NULL },			/* Empty replication groups allowed */
		{ 14, ALL, NULL },			/* Group is nameable */
		{ 23, ALL, NULL },			/* Element can be member of multiple groups */
		{ 35, MIRRORS, NULL },			/* TargetPool shall not be supplied */
		{ 36, ALL, NULL },			/* TargetSettingGoal shall not be supplied */
		{ 38, FLASHES, NULL },			/* Provider can create local target group */
		{ 56, ALL, NULL },			/* Client can supply RelationshipName */
		{ 57, ALL, NULL },			/* Implementation decides group member order */
		{ 59, MIRRORS, NULL },			/* Failover operation requires subsequent failback */
		{ 67, MIRRORS, NULL },			/* Create Replication requests: to source service */
		{ 0, 0, NULL },
	};
	struct replication_kind kind;

	if (!does(call, "CreateGroupReplica"))
		return cim_method_not_supported(call, fault);
	if (replication_read_kind(call, &kind, fault))
		return -1;
	put_features(call, "GroupFeatures", features, &kind);
	return 0;
}

int replication_get_list_features(struct cim_call *call, struct fault *fault)
{
	static const struct feature features[] = {
		{ 2, ALL, NULL },			/* List is supported */
		{ 3, FLASHES, NULL },			/* Sequential consistency */
		{ 4, MIRRORS, NULL },			/* No consistency */
		{ 0, 0, NULL },
	};
	struct replication_kind kind;

	if (!does(call, "CreateListReplica"))
		return cim_method_not_supported(call, fault);
	if (replication_read_kind(call, &kind, fault))
		return -1;
	put_features(call, "GroupFeatures", features, &kind);
	return 0;
}

/* Pages of one number each: what is known of all copies. */
static int put_one_feature(struct cim_call *call, const char *name, uint16_t number, struct fault *fault)
{
	struct replication_kind kind;

	if (replication_read_kind(call, &kind, fault))
		return -1;
	cim_out_begin(call, name);
	cim_out_add_number(call, number);
	cim_out_end(call);
	return 0;
}

/* What was never written in the source takes no space in the target, and reads as zeros there. */
int replication_get_thin_features(struct cim_call *call, struct fault *fault)
{
	enum { ZEROS_IN_UNUSED_BLOCKS = 2 };

	return put_one_feature(call, "SupportedThinProvisioningFeatures", ZEROS_IN_UNUSED_BLOCKS, fault);
}

int replication_get_compression_features(struct cim_call *call, struct fault *fault)
{
	enum { NO_COMPRESSION = 1 };

	return put_one_feature(call, "SupportedStorageCompressionFeatures", NO_COMPRESSION, fault);
}

/* ---- consistency ---- */

enum { SEQUENTIALLY_CONSISTENT = 2 };

/* FlashCopies of a group show one moment; asynchronous mirrors do in a session. */
static bool is_consistent(const struct replication_kind *kind)
{
	return is_of(FLASHES, kind) || kind->mode == REPLICATION_ASYNC;
}

int replication_get_consistency(struct cim_call *call, struct fault *fault)
{
	struct replication_kind kind;

	if (replication_read_kind(call, &kind, fault))
		return -1;
	cim_out_begin(call, "SupportedConsistency");
	if (is_consistent(&kind))
		cim_out_add_number(call, SEQUENTIALLY_CONSISTENT);
	cim_out_end(call);
	return 0;
}

int replication_get_default_consistency(struct cim_call *call, struct fault *fault)
{
	enum { NO_DEFAULT = 0 };
	struct replication_kind kind;

	if (replication_read_kind(call, &kind, fault))
		return -1;
	cim_out_number(call, "DefaultConsistency", is_of(FLASHES, &kind) ? SEQUENTIALLY_CONSISTENT : NO_DEFAULT);
	return 0;
}

int replication_get_default_persistency(struct cim_call *call, struct fault *fault)
{
	enum { PERSISTENT = 2 };

	if (!does(call, "CreateGroup"))
		return cim_method_not_supported(call, fault);
	cim_out_number(call, "DefaultGroupPersistency", PERSISTENT);
	return 0;
}

/* ---- operations ---- */

static uint16_t controlling(const struct copy_cim_operation *operation)
{
	enum { SOURCE_ONLY = 2, TARGET_ONLY, SOURCE_OR_TARGET };

	if (operation->at_source && operation->at_target)
		return SOURCE_OR_TARGET;
	return operation->at_source ? SOURCE_ONLY : TARGET_ONLY;
}

static void put_operations(struct cim_call *call, const char *name, const struct copy_cim_operation *list,
			   unsigned count)
{
	cim_out_begin(call, name);
	for (unsigned i = 0; i < count; i++)
		cim_out_add_number(call, list[i].number);
	cim_out_end(call);
	cim_out_begin(call, "ServiceControlling");
	for (unsigned i = 0; i < count; i++)
		cim_out_add_number(call, controlling(&list[i]));
	cim_out_end(call);
	cim_out_begin(call, "RequiresForce");
	for (unsigned i = 0; i < count; i++)
		cim_out_add_flag(call, list[i].may_need_force);
	cim_out_end(call);
	cim_out_begin(call, "UpdatesSynchronizedPath");
	for (unsigned i = 0; i < count; i++)
		cim_out_add_flag(call, list[i].renames);
	cim_out_end(call);
}

/* Without CopyState: in any. */
static int list_operations(struct cim_call *call, const char *name, enum copy_cim_method method, struct fault *fault)
{
	struct copy_cim_operation list[COPY_CIM_OPERATIONS_MAX];
	uint64_t state = cim_in_number(call, "CopyState");
	struct replication_kind kind;
	unsigned count;

	if (replication_read_kind(call, &kind, fault))
		return -1;
	if (cim_in_given(call, "CopyState") && (state < 2 || state > 18))
		return ibm_bad(fault, "CopyState", "there is no such state");
	count = copy_cim_list_operations(kind.type, method, (uint16_t)state, list);
	if (method == COPY_CIM_GROUP)
		replication_add_session_operations(call, &kind, state, list, &count);
	put_operations(call, name, list, count);
	return 0;
}

int replication_get_operations(struct cim_call *call, struct fault *fault)
{
	return list_operations(call, "SupportedOperations", COPY_CIM_REPLICATION, fault);
}

int replication_get_group_operations(struct cim_call *call, struct fault *fault)
{
	if (!does(call, "CreateGroupReplica"))
		return cim_method_not_supported(call, fault);
	return list_operations(call, "SupportedGroupOperations", COPY_CIM_GROUP, fault);
}

int replication_get_list_operations(struct cim_call *call, struct fault *fault)
{
	enum { OF_ELEMENTS = 2, OF_GROUPS };
	uint64_t of = cim_in_given(call, "SynchronizationType") ? cim_in_number(call, "SynchronizationType") : 2;

	if (!does(call, "ModifyListSynchronization"))
		return cim_method_not_supported(call, fault);
	if (of != OF_ELEMENTS && of != OF_GROUPS)
		return ibm_bad(fault, "SynchronizationType", "it is 2 or 3");
	return list_operations(call, "SupportedListOperations", of == OF_GROUPS ? COPY_CIM_GROUP : COPY_CIM_REPLICATION,
			       fault);
}

static int get_operations_of_session(struct cim_call *call, const struct cim_path *path, struct fault *fault)
{
	struct copy_cim_operation list[COPY_CIM_OPERATIONS_MAX];
	struct replication_session session;
	unsigned count;

	if (replication_session_of_path(call, path, "Synchronization", &session, fault) ||
	    replication_list_session_operations(call, &session, list, &count, fault))
		return -1;
	put_operations(call, "SupportedOperations", list, count);
	return 0;
}

int replication_get_operations_of_one(struct cim_call *call, struct fault *fault)
{
	const struct cim_path *path = cim_in_path(call, "Synchronization");
	struct copy_cim_operation list[COPY_CIM_OPERATIONS_MAX];
	struct ibm_relation relation;
	enum copy_state state;
	enum copy_type type;

	if (replication_check_settings(call, NULL, fault))
		return -1;
	if (replication_is_of_session(path))
		return get_operations_of_session(call, path, fault);
	if (ibm_relation_of_path(call, path, "Synchronization", &relation, fault) ||
	    ibm_state_of_relation(call, &relation, &type, &state, fault))
		return -1;
	put_operations(call, "SupportedOperations", list,
		       copy_cim_list_operations_of(type, state, COPY_CIM_REPLICATION, list));
	return 0;
}

/* ---- limits ---- */

/* false: none is known. */
static bool find_maximum(uint64_t component, const struct replication_kind *kind, uint64_t *number)
{
	enum { GROUPS = 2, SOURCES_OF_GROUP, TARGETS_OF_GROUP, TARGETS_OF_SOURCE, SOURCES, TARGETS, PEERS };
	enum { TOKENS = 10, TOKENS_IN_USE, ASPECTS = 13, ASPECTS_OF_ELEMENT, ASPECTS_OF_GROUP };
	bool local = is_of(FLASHES, kind);

	switch (component) {
	case GROUPS: *number = CONTROL_SETS_MAX; return true;
	case SOURCES_OF_GROUP:
	case TARGETS_OF_GROUP: *number = CONTROL_SET_MEMBERS_MAX; return true;
	case TARGETS_OF_SOURCE: *number = local ? FLASH_TARGETS_MAX : VOLUME_TARGETS_MAX; return true;
	case SOURCES: *number = CONTROL_VOLUMES_MAX; return true;
	case TARGETS: *number = CONTROL_VOLUMES_MAX; return local;
	case PEERS: *number = 0; return local;
	case TOKENS:
	case TOKENS_IN_USE:
	case ASPECTS:
	case ASPECTS_OF_ELEMENT:
	case ASPECTS_OF_GROUP: *number = 0; return true;
	default: return false;
	}
}

int replication_get_maximum(struct cim_call *call, struct fault *fault)
{
	uint64_t component = cim_in_number(call, "Component"), number = 0;
	struct replication_kind kind;

	if (replication_read_kind(call, &kind, fault))
		return -1;
	if (!replication_is_mapped(call, "Component", component))
		return ibm_bad(fault, "Component", "there is no such component");
	if (!find_maximum(component, &kind, &number))
		return ibm_refuse(call, NO_INFORMATION, fault, "Component", "it has no limit of its own");
	cim_out_number(call, "MaxValue", number);
	return 0;
}

/* Names of sets and of volumes; copies and volumes of other systems have none that could be given. */
int replication_get_name_capabilities(struct cim_call *call, struct fault *fault)
{
	enum { OF_GROUP = 2, OF_COPY, OF_GROUP_COPY, OF_ASPECT, OF_ENTITY };
	enum { WHEN_CREATED = 2 };
	uint64_t type = cim_in_number(call, "ElementType");
	bool named = type == OF_GROUP || type == OF_GROUP_COPY;

	if (type < OF_GROUP || type > OF_ENTITY)
		return ibm_bad(fault, "ElementType", "there is no such type");
	if (type == OF_ASPECT || (named && !does(call, "CreateGroup")))
		return cim_method_not_supported(call, fault);
	cim_out_begin(call, "SupportedFeatures");
	if (named)
		cim_out_add_number(call, WHEN_CREATED);
	cim_out_end(call);
	cim_out_number(call, "MaxElementNameLen", named ? XDC_NAME_MAX - 1 : 0);
	if (named)
		cim_out_text(call, "ElementNameMask", PARSE_POOL_NAME_MASK);
	return 0;
}

/* ---- settings ---- */

int replication_get_setting_values(struct cim_call *call, struct fault *fault)
{
	uint64_t number = cim_in_number(call, "PropertyName");
	const struct replication_setting *setting;
	struct replication_kind kind;

	if (replication_read_kind(call, &kind, fault))
		return -1;
	if (!replication_is_mapped(call, "PropertyName", number))
		return ibm_bad(fault, "PropertyName", "there is no such property");
	setting = replication_find_setting(&kind, (uint16_t)number);
	if (!setting)
		return ibm_refuse(call, NO_PROPERTY, fault, "PropertyName", "copies of this kind have no such setting");
	cim_out_begin(call, "SupportedValues");
	for (unsigned i = 0; i < setting->count; i++)
		cim_out_add_number(call, setting->values[i]);
	cim_out_end(call);
	return 0;
}

/* No setting is a time. */
int replication_get_setting_times(struct cim_call *call, struct fault *fault)
{
	struct replication_kind kind;

	if (replication_read_kind(call, &kind, fault))
		return -1;
	if (!replication_is_mapped(call, "PropertyName", cim_in_number(call, "PropertyName")))
		return ibm_bad(fault, "PropertyName", "there is no such property");
	return ibm_refuse(call, NO_PROPERTY, fault, "PropertyName", "copies of this kind have no such setting");
}

int replication_get_default_settings(struct cim_call *call, struct fault *fault)
{
	struct replication_kind kind;
	const char *text;

	if (replication_read_kind(call, &kind, fault))
		return -1;
	text = replication_default_settings(call, &kind);
	if (!text)
		return fault_set(fault, FAULT_FAILED, "", "try again", "out of memory");
	cim_out_text(call, "DefaultInstance", text);
	return 0;
}

/* ---- between two volumes ---- */

enum role { ROLE_SYSTEM_ELEMENT = 2, ROLE_SYNCED_ELEMENT };

struct possible {
	struct replication_kind kind;
	uint16_t role;
};

static void put_possible(struct cim_call *call, const struct possible *list, unsigned count)
{
	cim_out_begin(call, "SyncTypes");
	for (unsigned i = 0; i < count; i++)
		cim_out_add_number(call, list[i].kind.sync_type);
	cim_out_end(call);
	cim_out_begin(call, "Modes");
	for (unsigned i = 0; i < count; i++)
		cim_out_add_number(call, list[i].kind.mode);
	cim_out_end(call);
	cim_out_begin(call, "LocalElementRole");
	for (unsigned i = 0; i < count; i++)
		cim_out_add_number(call, list[i].role);
	cim_out_end(call);
}

/* A copy is made at its source's system; where both are here, either may be the source. */
static unsigned list_possible(uint16_t locality, bool both, struct possible list[2 * REPLICATION_KINDS_MAX])
{
	struct replication_kind kinds[REPLICATION_KINDS_MAX];
	unsigned kind_count = replication_kinds(kinds), count = 0;

	for (unsigned i = 0; i < kind_count; i++) {
		if (kinds[i].locality != locality)
			continue;
		list[count++] = (struct possible){ kinds[i], ROLE_SYSTEM_ELEMENT };
		if (both)
			list[count++] = (struct possible){ kinds[i], ROLE_SYNCED_ELEMENT };
	}
	return count;
}

int replication_get_synchronization_supported(struct cim_call *call, struct fault *fault)
{
	enum { FOR_ELEMENTS = 2 };
	uint64_t method = cim_in_given(call, "MethodName") ? cim_in_number(call, "MethodName") : FOR_ELEMENTS;
	const struct cim_path *other_path = cim_in_path(call, "OtherElement");
	struct possible list[2 * REPLICATION_KINDS_MAX];
	struct ibm_element local, other = { .is_here = true };

	if (!replication_is_mapped(call, "MethodName", method))
		return ibm_bad(fault, "MethodName", "there is no such method");
	if (method != FOR_ELEMENTS || cim_in_given(call, "OtherElementAccessPoint"))
		return cim_method_not_supported(call, fault);
	if (replication_check_settings(call, NULL, fault) ||
	    ibm_element_of_path(call, cim_in_path(call, "LocalElement"), "LocalElement", &local, fault) ||
	    (other_path && ibm_element_of_path(call, other_path, "OtherElement", &other, fault)))
		return -1;
	if (!local.is_here || (other_path && other.is_here && other.volume == local.volume))
		return ibm_bad(fault, "LocalElement", "it is another volume than OtherElement, of this system");
	put_possible(call, list, list_possible(other.is_here ? REPLICATION_LOCAL : REPLICATION_REMOTE,
					       other_path && other.is_here, list));
	return 0;
}
