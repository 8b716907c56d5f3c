/* SPDX-License-Identifier: Apache-2.0 */
/* CIM_ReplicationService: groups, and what is done to the copies of a group. */
#include "face/cim/replication.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "control/parse.h"
#include "face/cim/group.h"
#include "rt/mem.h"

#define NAMES_MAX	10000u

/* What the pages of these methods have beside the codes of all. */
enum { IN_RELATIONSHIP = 7, NO_SUCH_GROUP = 7, NOT_A_MEMBER = 8 };

void replication_name_set(const char *name, char object[64])
{
	snprintf(object, 64, "set %.48s", name);
}

int replication_choose_name(struct cim_call *call, const char *parameter, const char *prefix,
			    char name[XDC_NAME_MAX], struct fault *fault)
{
	const char *wanted = cim_in_text(call, parameter);
	struct set_info info;
	struct fault none;

	if (wanted) {
		if (parse_pool_name(wanted))
			return ibm_bad(fault, parameter, parse_pool_name(wanted));
		snprintf(name, XDC_NAME_MAX, "%s", wanted);
		return 0;
	}
	for (unsigned i = 1; i < NAMES_MAX; i++) {
		snprintf(name, XDC_NAME_MAX, "%s%u", prefix, i);
		if (control_set_get(call->control, name, &info, &none))
			return 0;
	}
	return ibm_bad(fault, parameter, "no name is free: give one");
}

/* ---- groups ---- */

int replication_group_of_path(struct cim_call *call, const struct cim_path *path, const char *name,
			      struct cim_group *group, struct fault *fault)
{
	struct set_info set;
	struct fault none;

	if (!cim_group_of_path(path, control_system_id(call->control), group) ||
	    control_set_get(call->control, group->set, &set, &none) ||
	    (set.record.of == SET_OF_VOLUMES) != (group->kind == CIM_GROUP_OF_VOLUMES))
		return ibm_bad(fault, name, "there is no such group");
	return 0;
}

/* One that clients may change; else the code that the page of the method has for that. */
static int read_own_group(struct cim_call *call, uint32_t code, struct cim_group *group, struct fault *fault)
{
	if (replication_group_of_path(call, cim_in_path(call, "ReplicationGroup"), "ReplicationGroup", group, fault)) {
		call->returned = code;
		return -1;
	}
	if (group->kind != CIM_GROUP_OF_VOLUMES)
		return fault_set(fault, FAULT_IN_USE, "ReplicationGroup", "ModifyReplicaSynchronization",
				 "it goes with its copies");
	return 0;
}

/* Is the group an end of a copy of groups? Then it stays as it is. */
static bool has_copies(struct cim_call *call, const struct cim_group *group, struct cim_group_members *members)
{
	struct set_info set = { .record = { .name = "" } };
	struct cim_group end;

	while (cim_group_next_set(call->control, set.record.name, true, &set))
		for (unsigned at = 0; at < 2; at++) {
			cim_group_of_copies(call->control, &set.record, at, members, &end);
			if (end.kind == group->kind && !strcmp(end.set, group->set))
				return true;
		}
	return false;
}

static int check_no_copies(struct cim_call *call, const struct cim_group *group, uint32_t code, struct fault *fault)
{
	MEM_OWNED struct cim_group_members *members = mem_alloc(sizeof(*members));

	if (!members)
		return fault_set(fault, FAULT_FAILED, "", "try again", "out of memory");
	if (has_copies(call, group, members))
		return ibm_refuse(call, code, fault, "ReplicationGroup", "it is copied as a group, or is such a copy");
	return 0;
}

/* Volumes of this system, each once. */
static int read_members(struct cim_call *call, uint16_t volumes[CONTROL_SET_MEMBERS_MAX], unsigned *count,
			struct fault *fault)
{
	*count = cim_in_count(call, "Members");
	if (*count > CONTROL_SET_MEMBERS_MAX)
		return ibm_bad(fault, "Members", "a group has at most 256 members");
	for (unsigned i = 0; i < *count; i++) {
		if (ibm_volume_of_path(call->control, cim_in_path_at(call, "Members", i), "Members", &volumes[i],
				       fault))
			return -1;
		for (unsigned other = 0; other < i; other++)
			if (volumes[other] == volumes[i])
				return ibm_bad(fault, "Members", "a volume is named twice");
	}
	return 0;
}

static int change_members(struct cim_call *call, const char *set, bool adds, const uint16_t *volumes, unsigned count,
			  struct fault *fault)
{
	const char *verb = adds ? "add" : "remove";
	char object[64];

	if (!count)
		return 0;
	if (cim_command_begin(call, "set", verb, fault))
		return -1;
	replication_name_set(set, object);
	return cim_command_end(call, "set", verb, object,
			       (adds ? control_set_add : control_set_remove)(call->control, set, volumes, count,
									     fault));
}

static int delete_set(struct cim_call *call, const char *set, struct fault *fault)
{
	char object[64];

	if (cim_command_begin(call, "set", "delete", fault))
		return -1;
	replication_name_set(set, object);
	return cim_command_end(call, "set", "delete", object, control_set_delete(call->control, set, fault));
}

int replication_make_group(struct cim_call *call, const char *name, const uint16_t *volumes, unsigned count,
			   struct fault *fault)
{
	struct record_set set = { .kind = SET_CONSISTENCY, .of = SET_OF_VOLUMES };
	struct fault none;
	char object[64];

	snprintf(set.name, sizeof(set.name), "%s", name);
	if (cim_command_begin(call, "set", "create", fault))
		return -1;
	replication_name_set(name, object);
	if (cim_command_end(call, "set", "create", object, control_set_create(call->control, &set, fault)))
		return -1;
	if (!change_members(call, name, true, volumes, count, fault))
		return 0;
	(void)!delete_set(call, name, &none);
	return -1;
}

/* A flag whose other value nothing keeps. */
static int check_flag(struct cim_call *call, const char *name, bool only, struct fault *fault)
{
	const struct cim_value *value = cim_in(call, name);

	if (value->is_null || value->one.boolean == only)
		return 0;
	return fault_set(fault, FAULT_NOT_SUPPORTED, name, "leave it out", "groups stay until they are deleted");
}

int replication_create_group(struct cim_call *call, struct fault *fault)
{
	enum { SOURCE_OR_TARGET = 4 };
	static const char *const left_out[] = { "ServiceAccessPoint", NULL };
	uint16_t volumes[CONTROL_SET_MEMBERS_MAX];
	struct cim_group group = { .kind = CIM_GROUP_OF_VOLUMES };
	unsigned count;

	if (replication_check_left_out(call, left_out, fault) || replication_check_settings(call, NULL, fault) ||
	    check_flag(call, "Persistent", true, fault) || check_flag(call, "DeleteOnEmptyElement", false, fault) ||
	    check_flag(call, "DeleteOnUnassociated", false, fault))
		return -1;
	if (cim_in_given(call, "ReservedAs") && cim_in_number(call, "ReservedAs") != SOURCE_OR_TARGET)
		return replication_is_mapped(call, "ReservedAs", cim_in_number(call, "ReservedAs")) ?
			fault_set(fault, FAULT_NOT_SUPPORTED, "ReservedAs", "leave it out",
				  "groups are for both ends") :
			ibm_bad(fault, "ReservedAs", "there is no such value");
	if (read_members(call, volumes, &count, fault) ||
	    replication_choose_name(call, "GroupName", "group", group.set, fault) ||
	    replication_make_group(call, group.set, volumes, count, fault))
		return -1;
	cim_out_path(call, "ReplicationGroup",
		     cim_path_of_group(call->arena, call->ns, control_system_id(call->control), &group));
	return 0;
}

static int empty_group(struct cim_call *call, const struct cim_group *group, struct fault *fault)
{
	MEM_OWNED struct cim_group_members *members = mem_alloc(sizeof(*members));
	uint16_t volumes[CONTROL_SET_MEMBERS_MAX];

	if (!members || cim_group_list(call->control, group, members))
		return fault_set(fault, FAULT_FAILED, "", "try again", "out of memory, or it has gone");
	for (unsigned i = 0; i < members->count; i++)
		volumes[i] = members->ends[i].id;
	return change_members(call, group->set, false, volumes, members->count, fault);
}

int replication_delete_group(struct cim_call *call, struct fault *fault)
{
	static const char *const left_out[] = { "ServiceAccessPoint", NULL };
	struct cim_group group;

	if (replication_check_left_out(call, left_out, fault) || replication_check_settings(call, NULL, fault) ||
	    check_flag(call, "RemoveElements", false, fault) || read_own_group(call, 0, &group, fault) ||
	    check_no_copies(call, &group, IN_RELATIONSHIP, fault) || empty_group(call, &group, fault))
		return -1;
	return delete_set(call, group.set, fault);
}

int replication_add_members(struct cim_call *call, struct fault *fault)
{
	static const char *const left_out[] = { "ServiceAccessPoint", NULL };
	uint16_t volumes[CONTROL_SET_MEMBERS_MAX];
	struct cim_group group;
	unsigned count;

	if (replication_check_left_out(call, left_out, fault) || replication_check_settings(call, NULL, fault) ||
	    read_own_group(call, NO_SUCH_GROUP, &group, fault) || read_members(call, volumes, &count, fault) ||
	    check_no_copies(call, &group, FAULT_IN_USE, fault))
		return -1;
	return count ? change_members(call, group.set, true, volumes, count, fault)
		     : ibm_bad(fault, "Members", "it names none");
}

int replication_remove_members(struct cim_call *call, struct fault *fault)
{
	static const char *const left_out[] = { "ServiceAccessPoint", NULL };
	const struct cim_value *with_last = cim_in(call, "DeleteOnEmptyElement");
	uint16_t volumes[CONTROL_SET_MEMBERS_MAX];
	struct cim_group group;
	struct set_info set;
	unsigned count;

	if (replication_check_left_out(call, left_out, fault) || replication_check_settings(call, NULL, fault) ||
	    read_own_group(call, NO_SUCH_GROUP, &group, fault) || read_members(call, volumes, &count, fault) ||
	    check_no_copies(call, &group, FAULT_IN_USE, fault))
		return -1;
	if (!count)
		return ibm_bad(fault, "Members", "it names none");
	if (change_members(call, group.set, false, volumes, count, fault))
		return -1;
	if (with_last->is_null || !with_last->one.boolean || control_set_get(call->control, group.set, &set, fault) ||
	    set.members)
		return 0;
	return delete_set(call, group.set, fault);
}

/* ---- copies of groups ---- */

const struct cim_path *replication_path_of_copies(struct cim_call *call, const char *set)
{
	MEM_OWNED struct cim_group_members *members = mem_alloc(sizeof(*members));
	struct cim_group source, target;
	struct set_info info;
	struct fault none;

	if (!members || control_set_get(call->control, set, &info, &none))
		return NULL;
	cim_group_of_copies(call->control, &info.record, false, members, &source);
	cim_group_of_copies(call->control, &info.record, true, members, &target);
	return cim_path_of_group_copy(call->arena, call->ns, control_system_id(call->control), &source, &target);
}

static bool is_end(const struct cim_group *group, const struct cim_group *end)
{
	return group->kind == end->kind && !strcmp(group->set, end->set);
}

/* The set of copies from one group to the other. */
static bool find_copies(struct cim_call *call, const struct cim_group *source, const struct cim_group *target,
			struct set_info *set)
{
	MEM_OWNED struct cim_group_members *members = mem_alloc(sizeof(*members));
	struct cim_group from, to;

	*set = (struct set_info){ .record = { .name = "" } };
	while (members && cim_group_next_set(call->control, set->record.name, true, set)) {
		cim_group_of_copies(call->control, &set->record, false, members, &from);
		cim_group_of_copies(call->control, &set->record, true, members, &to);
		if (is_end(source, &from) && is_end(target, &to))
			return true;
	}
	return false;
}

int replication_copies_of_path(struct cim_call *call, const struct cim_path *path, const char *name,
			       struct set_info *set, struct fault *fault)
{
	const struct cim_scalar *from = cim_path_key(path, "SystemElement"), *to = cim_path_key(path, "SyncedElement");
	const char *here = control_system_id(call->control);
	struct cim_group source, target;

	if (!from || !to || from->is_null || to->is_null || !cim_group_of_path(from->path, here, &source) ||
	    !cim_group_of_path(to->path, here, &target) || !find_copies(call, &source, &target, set))
		return ibm_bad(fault, name, "there is no such relationship of groups");
	return 0;
}

bool replication_is_of_groups(const struct cim_path *path)
{
	return path && cim_schema_is_named(path->class, "CIM_GroupSynchronized");
}

/* One after the other, until one cannot be done. */
static int change_pairs(struct cim_call *call, const struct set_info *set, enum copy_verb verb, bool force,
			struct fault *fault)
{
	MEM_OWNED struct cim_group_members *members = mem_alloc(sizeof(*members));
	struct copy *copy = control_copy(call->control);
	int rc = 0;

	if (!members || cim_group_list_names(call->control, set->record.name, members))
		return fault_set(fault, FAULT_FAILED, "", "try again", "out of memory, or it has gone");
	for (unsigned i = 0; rc == 0 && i < members->count; i++) {
		struct copy_pair_name name = copy_pair_name_of(members->ends[i].id, "");
		struct copy_pair_info info;

		if (!copy_pair_get(copy, &name, &info))
			return ibm_bad(fault, "Synchronization", "one of its pairs has gone");
		name = copy_pair_name_of(members->ends[i].id, info.system);
		rc = verb == COPY_FAILOVER ? copy_pair_failover(copy, &name, force, fault)
					   : copy_pair_failback(copy, &name, force, fault);
	}
	return rc;
}

static int change_set(struct cim_call *call, const struct set_info *set, enum copy_verb verb, bool force,
		      struct fault *fault)
{
	const char *name = set->record.name;

	switch (verb) {
	case COPY_SUSPEND: return control_set_fracture(call->control, name, fault);
	case COPY_RESUME:
	case COPY_RESYNC: return control_set_resync(call->control, name, fault);
	case COPY_REVERSE: return control_set_restore(call->control, name, fault);
	case COPY_DELETE: return control_set_delete_pairs(call->control, name, force, fault);
	default: break;
	}
	assert(verb == COPY_FAILOVER || verb == COPY_FAILBACK);
	return change_pairs(call, set, verb, force, fault);
}

/* The command that stands for it in the log and for who may do it. */
static const char *verb_of_set(enum copy_verb verb, const char **noun)
{
	*noun = verb == COPY_FAILOVER || verb == COPY_FAILBACK ? "pair" : "set";
	switch (verb) {
	case COPY_SUSPEND: return "fracture";
	case COPY_RESUME:
	case COPY_RESYNC: return "resync";
	case COPY_REVERSE: return "restore";
	case COPY_DELETE: return "delete-pairs";
	default: return copy_verb_names[verb];
	}
}

static int carry_out(struct cim_call *call, const struct set_info *set, enum copy_verb verb, bool force,
		     struct fault *fault)
{
	const char *noun, *word = verb_of_set(verb, &noun);
	char object[64];

	if (cim_command_begin(call, noun, word, fault))
		return -1;
	replication_name_set(set->record.name, object);
	return cim_command_end(call, noun, word, object, change_set(call, set, verb, force, fault));
}

int replication_modify_copies(struct cim_call *call, const struct set_info *set, uint64_t operation,
			      const struct cim_path **updated, uint64_t *job, struct fault *fault)
{
	enum copy_type type = set->record.of == SET_OF_PAIRS ? COPY_TYPE_ASYNC : COPY_TYPE_FLASH_RECORD;
	const struct cim_value *force = cim_in(call, "Force");
	enum copy_verb verb;

	*updated = NULL;
	*job = 0;
	if (!copy_cim_find_verb(type, COPY_CIM_GROUP, (uint16_t)operation, &verb))
		return fault_set(fault, FAULT_NOT_SUPPORTED, "Operation", "GetSupportedGroupOperations says which are",
				 "nothing does that to a group of such copies");
	if (carry_out(call, set, verb, !force->is_null && force->one.boolean, fault))
		return -1;
	if (verb == COPY_DELETE)
		return delete_set(call, set->record.name, fault);
	*job = ibm_job_of_set(call, set);
	if (verb == COPY_REVERSE || verb == COPY_FAILBACK)
		*updated = replication_path_of_copies(call, set->record.name);
	return 0;
}
