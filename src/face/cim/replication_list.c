/* SPDX-License-Identifier: Apache-2.0 */
/* CIM_ReplicationService: many copies by one call, of a group or of a list of volumes. */
#include "face/cim/replication.h"

#include <stdio.h>
#include <string.h>

#include "face/cim/group.h"
#include "rt/mem.h"

enum { NO_CONSISTENCY = 2, SEQUENTIAL_CONSISTENCY };

/* What is to be copied to what; in the arena. */
struct plan {
	struct replication_kind kind;
	unsigned count;
	struct ibm_element *sources, *targets;
	bool makes_targets;
	const char *pool;		/* for these; NULL: those of their sources */
	const char *set;		/* that they will be in; NULL: none */
};

static int out_of_memory(struct fault *fault)
{
	return fault_set(fault, FAULT_FAILED, "", "try again", "out of memory");
}

static bool is_mirror(const struct plan *plan)
{
	return plan->kind.sync_type == REPLICATION_MIRROR;
}

static int begin_plan(struct cim_call *call, unsigned count, struct plan *plan, struct fault *fault)
{
	if (!count || count > CONTROL_SET_MEMBERS_MAX)
		return ibm_bad(fault, "SourceElements", "they are 1 to 256 volumes");
	plan->count = count;
	plan->sources = arena_take(call->arena, count * sizeof(*plan->sources));
	plan->targets = arena_take(call->arena, count * sizeof(*plan->targets));
	return plan->sources && plan->targets ? 0 : out_of_memory(fault);
}

/* What all these methods have. Mirrors are of no one moment unless a session keeps them. */
static int read_plan(struct cim_call *call, const char *const *left_out, struct plan *plan, struct fault *fault)
{
	uint64_t consistency = cim_in_number(call, "Consistency");

	*plan = (struct plan){ 0 };
	if (replication_check_left_out(call, left_out, fault) ||
	    replication_read_sync_type(call, &plan->kind, fault) || replication_check_wait(call, true, fault))
		return -1;
	if (cim_in_given(call, "Consistency") && consistency != NO_CONSISTENCY && consistency != SEQUENTIAL_CONSISTENCY)
		return ibm_bad(fault, "Consistency", "it is 2 or 3");
	if (is_mirror(plan) && consistency == SEQUENTIAL_CONSISTENCY)
		return fault_set(fault, FAULT_NOT_SUPPORTED, "Consistency", "ManageSession, ManageAsyncPPRC",
				 "a session keeps mirrors consistent");
	if (is_mirror(plan) && cim_in_given(call, "TargetPool"))
		return fault_set(fault, FAULT_NOT_SUPPORTED, "TargetPool", "make the targets there, and name them",
				 "targets of mirrors are volumes of another system");
	return cim_in_given(call, "TargetPool") ?
		ibm_pool_of_path(call, cim_in_path(call, "TargetPool"), "TargetPool", &plan->pool, fault) : 0;
}

/* ---- carried out ---- */

static int make_flashes(struct cim_call *call, struct plan *plan, struct fault *fault)
{
	MEM_OWNED struct copy_flash_request *requests = mem_alloc_zeroed(plan->count * sizeof(*requests));
	const struct control_replicas wanted = {
		.requests = requests, .count = plan->count, .set = plan->set, .pool = plan->pool,
		.targets = plan->makes_targets,
	};

	if (!requests)
		return out_of_memory(fault);
	for (unsigned i = 0; i < plan->count; i++)
		requests[i] = (struct copy_flash_request){
			.source = plan->sources[i].volume, .target = plan->targets[i].volume, .persistent = true,
			.no_copy = plan->kind.sync_type == REPLICATION_SNAPSHOT,
			.priority = replication_priority(call),
		};
	if (control_flashes_create(call->control, &wanted, fault))
		return -1;
	for (unsigned i = 0; i < plan->count; i++) {
		plan->targets[i] = plan->sources[i];
		plan->targets[i].volume = requests[i].target;
	}
	return 0;
}

static int make_pairs(struct cim_call *call, const struct plan *plan, struct fault *fault)
{
	MEM_OWNED struct copy_pair_request *requests = mem_alloc_zeroed(plan->count * sizeof(*requests));

	if (!requests)
		return out_of_memory(fault);
	for (unsigned i = 0; i < plan->count; i++) {
		requests[i] = (struct copy_pair_request){
			.source = plan->sources[i].volume, .target = plan->targets[i].volume,
			.type = plan->kind.mode == REPLICATION_SYNC ? PAIR_SYNC : PAIR_ASYNC,
			.priority = replication_priority(call),
		};
		memcpy(requests[i].system, plan->targets[i].system, sizeof(requests[i].system));
	}
	return control_pairs_create(call->control, requests, plan->count, plan->set, fault);
}

static int check_ends(const struct plan *plan, struct fault *fault)
{
	for (unsigned i = 0; i < plan->count; i++) {
		if (!plan->sources[i].is_here)
			return ibm_bad(fault, "SourceElements", "the sources are volumes of this system");
		if (plan->makes_targets && is_mirror(plan))
			return fault_set(fault, FAULT_NOT_SUPPORTED, "TargetElements", "make them there, and name them",
					 "targets of mirrors are volumes of another system");
		if (!plan->makes_targets && plan->targets[i].is_here == is_mirror(plan))
			return fault_set(fault, FAULT_NOT_SUPPORTED, "SyncType",
					 "mirrors lead to another system, all others stay here",
					 "there are no copies of this type between these volumes");
	}
	return 0;
}

static int carry_out(struct cim_call *call, struct plan *plan, struct fault *fault)
{
	const char *noun = is_mirror(plan) ? "pair" : "flash", *verb = is_mirror(plan) ? "create" : "group";
	char object[64];

	if (check_ends(plan, fault) || cim_command_begin(call, noun, verb, fault))
		return -1;
	if (plan->set)
		replication_name_set(plan->set, object);
	else
		snprintf(object, sizeof(object), "volume %04X", plan->sources[0].volume);
	return cim_command_end(call, noun, verb, object,
			       is_mirror(plan) ? make_pairs(call, plan, fault) : make_flashes(call, plan, fault));
}

/* ---- what comes out ---- */

static int put_paths(struct cim_call *call, const struct plan *plan, bool relations, const char *name,
		     struct fault *fault)
{
	const struct cim_path **paths = arena_take(call->arena, plan->count * sizeof(struct cim_path *));

	if (!paths)
		return out_of_memory(fault);
	for (unsigned i = 0; i < plan->count; i++)
		paths[i] = relations ? ibm_path_of_relation(call, &plan->sources[i], &plan->targets[i])
				     : ibm_path_of_element(call, &plan->targets[i]);
	cim_out_paths(call, name, paths, plan->count);
	return 0;
}

/* Each is copied by a job of its own: the first that runs stands for them. */
static void return_job(struct cim_call *call, const struct plan *plan)
{
	struct record_flash flash;
	uint64_t job = 0;

	for (unsigned i = 0; !job && i < plan->count; i++) {
		const struct copy_pair_name name = copy_pair_name_of(plan->sources[i].volume, plan->targets[i].system);

		if (is_mirror(plan))
			job = control_pair_job(call->control, &name);
		else if (copy_flash_get(control_copy(call->control), plan->targets[i].volume, &flash))
			job = control_flash_job(call->control, &flash);
	}
	ibm_return_job(call, job);
}

/* ---- lists ---- */

static int read_list(struct cim_call *call, const char *name, struct ibm_element *elements, struct fault *fault)
{
	unsigned count = cim_in_count(call, name);

	for (unsigned i = 0; i < count; i++)
		if (ibm_element_of_path(call, cim_in_path_at(call, name, i), name, &elements[i], fault))
			return -1;
	return 0;
}

/* SourceElements, and TargetElements or none. */
static int read_elements(struct cim_call *call, struct plan *plan, struct fault *fault)
{
	unsigned targets = cim_in_count(call, "TargetElements");

	if (begin_plan(call, cim_in_count(call, "SourceElements"), plan, fault))
		return -1;
	plan->makes_targets = targets == 0;
	if (targets && targets != plan->count)
		return ibm_bad(fault, "TargetElements", "they are as many as SourceElements");
	if (targets && plan->pool)
		return fault_set(fault, FAULT_NOT_SUPPORTED, "TargetPool", "leave it out",
				 "it is for targets that are made");
	if (read_list(call, "SourceElements", plan->sources, fault))
		return -1;
	return targets ? read_list(call, "TargetElements", plan->targets, fault) : 0;
}

int replication_create_list(struct cim_call *call, struct fault *fault)
{
	static const char *const left_out[] = {
		"ElementNames", "SourceAccessPoint", "TargetAccessPoint", "TargetSettingGoal",
		"ConnectivityCollection", "Collections", NULL,
	};
	struct plan plan;

	if (read_plan(call, left_out, &plan, fault) || read_elements(call, &plan, fault) ||
	    carry_out(call, &plan, fault) || put_paths(call, &plan, false, "TargetElements", fault) ||
	    put_paths(call, &plan, true, "Synchronizations", fault))
		return -1;
	return_job(call, &plan);
	return 0;
}

/* ---- groups ---- */

static void put_group(struct cim_call *call, const char *name, enum cim_group_kind kind, const char *set)
{
	struct cim_group group = { .kind = kind };

	snprintf(group.set, sizeof(group.set), "%s", set);
	cim_out_path(call, name,
		     cim_path_of_group(call->arena, call->ns, control_system_id(call->control), &group));
}

static int read_group(struct cim_call *call, const char *name, struct ibm_element **elements, unsigned *count,
		      struct fault *fault)
{
	MEM_OWNED struct cim_group_members *members = mem_alloc(sizeof(*members));
	struct cim_group group;

	if (!members)
		return out_of_memory(fault);
	if (replication_group_of_path(call, cim_in_path(call, name), name, &group, fault))
		return -1;
	if (cim_group_list(call->control, &group, members) || !members->count)
		return ibm_bad(fault, name, "the group is empty");
	*count = members->count;
	*elements = arena_take(call->arena, members->count * sizeof(**elements));
	if (!*elements)
		return out_of_memory(fault);
	for (unsigned i = 0; i < members->count; i++) {
		struct ibm_element *element = &(*elements)[i];

		element->is_here = members->ends[i].is_here;
		element->volume = members->ends[i].id;
		memcpy(element->system, members->ends[i].system, sizeof(element->system));
	}
	return 0;
}

/* Both in their order. */
static int read_groups(struct cim_call *call, struct plan *plan, struct fault *fault)
{
	struct ibm_element *elements;
	unsigned count;

	if (read_group(call, "SourceGroup", &elements, &count, fault) || begin_plan(call, count, plan, fault))
		return -1;
	plan->sources = elements;
	plan->makes_targets = !cim_in_given(call, "TargetGroup");
	if (plan->makes_targets)
		return 0;
	if (plan->pool)
		return fault_set(fault, FAULT_NOT_SUPPORTED, "TargetPool", "leave it out",
				 "it is for targets that are made");
	if (read_group(call, "TargetGroup", &elements, &count, fault))
		return -1;
	plan->targets = elements;
	return count == plan->count ? 0 : ibm_bad(fault, "TargetGroup", "it has as many members as SourceGroup");
}

/* The ends of what was made, and how it is called. */
static void put_copies(struct cim_call *call, const struct plan *plan, const char *name)
{
	const struct cim_path *path = replication_path_of_copies(call, plan->set);
	const struct cim_scalar *target = path ? cim_path_key(path, "SyncedElement") : NULL;

	cim_out_path(call, name, path);
	if (target && !target->is_null)
		cim_out_path(call, "TargetGroup", target->path);
}

int replication_create_group_replica(struct cim_call *call, struct fault *fault)
{
	static const char *const left_out[] = {
		"SourceElement", "SourceAccessPoint", "TargetElementCount", "TargetAccessPoint", "TargetSettingGoal",
		"ConnectivityCollection", "Collections", NULL,
	};
	char set[XDC_NAME_MAX];
	struct plan plan;

	if (read_plan(call, left_out, &plan, fault))
		return -1;
	if (is_mirror(&plan))
		return fault_set(fault, FAULT_NOT_SUPPORTED, "SyncType",
				 "CreateGroupReplicaFromElements names the targets",
				 "a group of this system has no volumes of another one");
	if (read_groups(call, &plan, fault) ||
	    replication_choose_name(call, "RelationshipName", "copies", set, fault))
		return -1;
	plan.set = set;
	if (carry_out(call, &plan, fault))
		return -1;
	put_copies(call, &plan, "Synchronization");
	return_job(call, &plan);
	return 0;
}

/* A group of the sources, where it is asked for by its name. */
static int make_named_group(struct cim_call *call, const char *name, const char *reference,
			    const struct ibm_element *elements, unsigned count, struct fault *fault)
{
	uint16_t volumes[CONTROL_SET_MEMBERS_MAX];
	char set[XDC_NAME_MAX];

	if (!cim_in_text(call, name))
		return 0;
	for (unsigned i = 0; i < count; i++)
		volumes[i] = elements[i].volume;
	if (replication_choose_name(call, name, "group", set, fault) ||
	    replication_make_group(call, set, volumes, count, fault))
		return -1;
	put_group(call, reference, CIM_GROUP_OF_VOLUMES, set);
	return 0;
}

int replication_create_group_from_elements(struct cim_call *call, struct fault *fault)
{
	static const char *const left_out[] = {
		"SourceGroup", "TargetGroup", "TargetGroupName", "TargetElementNames", "SourceAccessPoint",
		"TargetAccessPoint", "TargetSettingGoal", "TargetPools", "ConnectivityCollection", "Collections", NULL,
	};
	char set[XDC_NAME_MAX];
	struct plan plan;

	if (read_plan(call, left_out, &plan, fault) || read_elements(call, &plan, fault) ||
	    replication_choose_name(call, "RelationshipName", "copies", set, fault))
		return -1;
	plan.set = set;
	if (carry_out(call, &plan, fault) ||
	    make_named_group(call, "SourceGroupName", "SourceGroup", plan.sources, plan.count, fault))
		return -1;
	put_copies(call, &plan, "Synchronization");
	return_job(call, &plan);
	return 0;
}

/* ---- copies that there are, as a group ---- */

static int add_relations(struct cim_call *call, const char *set, uint16_t *volumes, unsigned count, bool flash,
			 struct fault *fault)
{
	struct record_set record = { .kind = SET_SYNCHRONIZED, .of = flash ? SET_OF_FLASHCOPIES : SET_OF_PAIRS };
	struct fault none;
	char object[64];
	int rc;

	snprintf(record.name, sizeof(record.name), "%s", set);
	replication_name_set(set, object);
	if (cim_command_begin(call, "set", "create", fault))
		return -1;
	rc = control_set_create(call->control, &record, fault);
	if (rc == 0) {
		rc = control_set_add(call->control, set, volumes, count, fault);
		if (rc)
			(void)!control_set_delete(call->control, set, &none);
	}
	return cim_command_end(call, "set", "create", object, rc);
}

int replication_create_group_from_copies(struct cim_call *call, struct fault *fault)
{
	static const char *const left_out[] = {
		"SourceGroup", "TargetGroup", "SourceGroupName", "TargetGroupName", "SourceAccessPoint",
		"TargetAccessPoint", "WaitForCopyState", NULL,
	};
	static const char list[] = "ElementSynchronizations";
	uint16_t volumes[CONTROL_SET_MEMBERS_MAX];
	unsigned count = cim_in_count(call, list);
	struct ibm_relation relation;
	char set[XDC_NAME_MAX];
	bool flash = false;

	if (replication_check_left_out(call, left_out, fault) || replication_check_settings(call, NULL, fault))
		return -1;
	if (cim_in_number(call, "Consistency") == SEQUENTIAL_CONSISTENCY)
		return fault_set(fault, FAULT_NOT_SUPPORTED, "Consistency", "leave it out",
				 "copies that were made one by one are of no one moment");
	if (!count || count > CONTROL_SET_MEMBERS_MAX)
		return ibm_bad(fault, list, "they are 1 to 256");
	for (unsigned i = 0; i < count; i++) {
		if (ibm_relation_of_path(call, cim_in_path_at(call, list, i), list, &relation, fault))
			return -1;
		if (i && flash != relation.is_flash)
			return ibm_bad(fault, list, "all are pairs, or all are FlashCopies");
		flash = relation.is_flash;
		volumes[i] = flash ? relation.flash.target : relation.pair.volume;
	}
	if (replication_choose_name(call, "RelationshipName", "copies", set, fault) ||
	    add_relations(call, set, volumes, count, flash, fault))
		return -1;
	cim_out_path(call, "GroupSynchronization", replication_path_of_copies(call, set));
	return 0;
}

/* ---- ModifyListSynchronization ---- */

/* One after the other, until one cannot be done: what was done before stays done. */
int replication_modify_list(struct cim_call *call, struct fault *fault)
{
	static const char list[] = "Synchronization";
	uint64_t wanted = cim_in_number(call, "Operation"), job = 0, first = 0;
	unsigned count = cim_in_count(call, list), updated = 0;
	const struct cim_path **paths = arena_take(call->arena, (count + 1) * sizeof(struct cim_path *));
	int rc = 0;

	if (!paths)
		return out_of_memory(fault);
	if (!count || count > CONTROL_SET_MEMBERS_MAX)
		return ibm_bad(fault, list, "they are 1 to 256");
	if (!replication_is_mapped(call, "Operation", wanted))
		return ibm_bad(fault, "Operation", "there is no such operation");
	if (replication_check_settings(call, NULL, fault) ||
	    replication_check_wait(call, replication_ends_whole(wanted), fault))
		return -1;
	for (unsigned i = 0; rc == 0 && i < count; i++) {
		rc = ibm_modify_one(call, cim_in_path_at(call, list, i), &paths[updated], &job, fault);
		if (rc == 0 && paths[updated])
			updated++;
		first = first ? first : job;
	}
	if (rc)
		return -1;
	if (updated)
		cim_out_paths(call, "UpdatedSynchronizations", paths, updated);
	ibm_return_job(call, first);
	return 0;
}

/* ---- GetReplicationRelationships ---- */

/* What is asked for, 0: any; and what was found, in the arena. */
struct relations {
	struct cim_call *call;
	uint64_t sync_type, mode, locality, copy_state;
	const struct cim_path **paths;
	unsigned count, room;
	bool failed;
};

static bool is_asked(const struct relations *relations, enum copy_type type, enum copy_state state, bool here)
{
	const struct copy_cim_type as = copy_cim_of_type(type);
	uint64_t locality = here ? REPLICATION_LOCAL : REPLICATION_REMOTE;

	return state != COPY_STATE_NONE && (!relations->sync_type || relations->sync_type == as.sync_type) &&
	       (!relations->mode || relations->mode == as.mode) &&
	       (!relations->locality || relations->locality == locality) &&
	       (!relations->copy_state || relations->copy_state == copy_cim_of_state(type, state).copy_state);
}

static void add_relation(struct relations *relations, const struct ibm_element *source,
			 const struct ibm_element *target)
{
	const struct cim_path *path = ibm_path_of_relation(relations->call, source, target);
	unsigned room = relations->room ? relations->room * 2 : 64;
	const struct cim_path **paths;

	if (relations->count == relations->room) {
		paths = arena_take(relations->call->arena, room * sizeof(struct cim_path *));
		relations->failed = relations->failed || !paths;
		if (!paths)
			return;
		if (relations->count)
			memcpy(paths, relations->paths, relations->count * sizeof(*paths));
		relations->paths = paths;
		relations->room = room;
	}
	if (path)
		relations->paths[relations->count++] = path;
}

static struct ibm_element element_here(const struct relations *relations, uint16_t volume)
{
	struct ibm_element element = { .is_here = true, .volume = volume };

	snprintf(element.system, sizeof(element.system), "%s", control_system_id(relations->call->control));
	return element;
}

/* A pair whose ends are both here is told once, from its source. */
static void add_pair(void *arg, const struct copy_pair_info *info)
{
	struct relations *relations = arg;
	struct ibm_element here = element_here(relations, info->volume), other = { .volume = info->remote_volume };

	memcpy(other.system, info->system, sizeof(other.system));
	other.is_here = !strcmp(other.system, here.system);
	if (!is_asked(relations, info->copy_type, info->copy_state, false) || (other.is_here && !info->is_source))
		return;
	add_relation(relations, info->is_source ? &here : &other, info->is_source ? &other : &here);
}

static void add_flash(void *arg, const struct copy_flash_info *info)
{
	struct relations *relations = arg;
	const struct ibm_element source = element_here(relations, info->record.source);
	const struct ibm_element target = element_here(relations, info->record.target);

	if (is_asked(relations, info->copy_type, info->copy_state, true))
		add_relation(relations, &source, &target);
}

/* Those of groups are found by their instances. */
static int check_asked(struct cim_call *call, struct fault *fault)
{
	enum { OF_ELEMENTS = 2 };
	static const char *const names[] = { "Type", "SyncType", "Mode", "Locality" };

	for (unsigned i = 0; i < 4; i++)
		if (cim_in_given(call, names[i]) &&
		    !replication_is_mapped(call, names[i], cim_in_number(call, names[i])))
			return ibm_bad(fault, names[i], "there is no such value");
	if (cim_in_given(call, "Type") && cim_in_number(call, "Type") != OF_ELEMENTS)
		return fault_set(fault, FAULT_NOT_SUPPORTED, "Type", "enumerate CIM_GroupSynchronized",
				 "only those of volumes are listed");
	return replication_check_settings(call, NULL, fault);
}

int replication_get_relationships(struct cim_call *call, struct fault *fault)
{
	struct relations relations = {
		.call = call, .sync_type = cim_in_number(call, "SyncType"), .mode = cim_in_number(call, "Mode"),
		.locality = cim_in_number(call, "Locality"), .copy_state = cim_in_number(call, "CopyState"),
	};

	if (check_asked(call, fault))
		return -1;
	copy_pair_each(control_copy(call->control), add_pair, &relations);
	if (copy_flash_each(control_copy(call->control), add_flash, &relations, fault))
		return -1;
	if (relations.failed)
		return out_of_memory(fault);
	cim_out_paths(call, "Synchronizations", relations.paths, relations.count);
	return 0;
}
