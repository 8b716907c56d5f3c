/* SPDX-License-Identifier: Apache-2.0 */
/* IBMTSESS_AsyncPPRCService: consistency sets and synchronized sets. */
#include "face/cim/ibm.h"

#include <stdio.h>
#include <string.h>

#include "control/parse.h"

#define SET_NAMES_MAX	10000u

/* The value of CopyType, and of Operation. */
enum { COPY_ANY, COPY_ASYNC = 2, COPY_SYNC, COPY_UNSYNC_ASSOC, COPY_UNSYNC_UNASSOC };
enum { SET_ADD = 2, SET_REMOVE, SET_DELETE_ALL, SET_FRACTURE, SET_RESYNC, SET_RESTORE, SET_PREPARE };

/* Return codes. */
enum { BAD_COPY_TYPE = 6, NO_CONSISTENCY_SETS, NO_SYNCHRONIZED_SETS };
enum { WRONG_MEMBER_TYPE = 6 };

static void name_set(const char *name, char object[64])
{
	snprintf(object, 64, "set %.48s", name);
}

/* ---- making ---- */

int ibm_choose_set_name(struct cim_call *call, char name[XDC_NAME_MAX], struct fault *fault)
{
	const char *wanted = cim_in_text(call, "ElementName");
	struct set_info info;
	struct fault none;

	if (wanted) {
		if (parse_pool_name(wanted))
			return ibm_bad(fault, "ElementName", parse_pool_name(wanted));
		snprintf(name, XDC_NAME_MAX, "%s", wanted);
		return 0;
	}
	for (unsigned i = 1; i < SET_NAMES_MAX; i++) {
		snprintf(name, XDC_NAME_MAX, "set%u", i);
		if (control_set_get(call->control, name, &info, &none))
			return 0;
	}
	return ibm_bad(fault, "ElementName", "no name is free: give one");
}

/* What its members are: without CopyType those of a consistency set are volumes. */
static int read_members(struct cim_call *call, struct record_set *set, struct fault *fault)
{
	bool is_consistency = set->kind == SET_CONSISTENCY;

	switch (cim_in_number(call, "CopyType")) {
	case COPY_ANY:
		if (cim_in_given(call, "CopyType"))
			break;
		set->of = is_consistency ? SET_OF_VOLUMES : SET_OF_PAIRS;
		return 0;
	case COPY_ASYNC:
	case COPY_SYNC:
		set->of = SET_OF_PAIRS;
		set->has_type = true;
		set->type = cim_in_number(call, "CopyType") == COPY_SYNC ? PAIR_SYNC : PAIR_ASYNC;
		return 0;
	case COPY_UNSYNC_ASSOC:
		set->of = SET_OF_FLASHCOPIES;
		return 0;
	case COPY_UNSYNC_UNASSOC:
		return ibm_refuse(call, is_consistency ? NO_CONSISTENCY_SETS : NO_SYNCHRONIZED_SETS, fault, "CopyType",
				  "such copies end by themselves, and there are no sets of them");
	default:
		break;
	}
	return ibm_refuse(call, BAD_COPY_TYPE, fault, "CopyType", "there is no such type");
}

static int create_set(struct cim_call *call, enum set_kind kind, struct fault *fault)
{
	struct record_set set = { .kind = kind };
	char object[64];
	int rc;

	if (read_members(call, &set, fault) || ibm_choose_set_name(call, set.name, fault) ||
	    cim_command_begin(call, "set", "create", fault))
		return -1;
	name_set(set.name, object);
	rc = control_set_create(call->control, &set, fault);
	if (cim_command_end(call, "set", "create", object, rc))
		return -1;
	cim_out_path(call, "Set", ibm_path_of_set(call, kind, set.name));
	return 0;
}

int ibm_create_consistency_set(struct cim_call *call, struct fault *fault)
{
	return create_set(call, SET_CONSISTENCY, fault);
}

int ibm_create_synchronized_set(struct cim_call *call, struct fault *fault)
{
	return create_set(call, SET_SYNCHRONIZED, fault);
}

static int delete_set(struct cim_call *call, struct fault *fault)
{
	struct set_info set;
	char object[64];

	if (ibm_set_of_path(call, cim_in_path(call, "Set"), &set, fault) ||
	    cim_command_begin(call, "set", "delete", fault))
		return -1;
	name_set(set.record.name, object);
	return cim_command_end(call, "set", "delete", object,
			       control_set_delete(call->control, set.record.name, fault));
}

int ibm_delete_consistency_set(struct cim_call *call, struct fault *fault)
{
	return delete_set(call, fault);
}

int ibm_delete_synchronized_set(struct cim_call *call, struct fault *fault)
{
	return delete_set(call, fault);
}

int ibm_get_set_types(struct cim_call *call, struct fault *fault)
{
	(void)fault;
	cim_out_begin(call, "SetTypes");
	for (unsigned type = 0; type <= 2; type++)
		cim_out_add_number(call, type);
	cim_out_end(call);
	return 0;
}

/* ---- members ---- */

/* How the set names it: a volume, a pair by its volume here, a FlashCopy by its target. */
static int read_member(struct cim_call *call, const struct cim_path *path, const char *name,
		       const struct set_info *set, uint16_t *volume, struct fault *fault)
{
	bool is_relation = path && cim_schema_is_named(path->class, "CIM_StorageSynchronized");
	struct ibm_relation relation;

	if (is_relation != (set->record.of != SET_OF_VOLUMES))
		return ibm_refuse(call, WRONG_MEMBER_TYPE, fault, name, "the members of the set are of another kind");
	if (!is_relation)
		return ibm_volume_of_path(call->control, path, name, volume, fault);
	if (ibm_relation_of_path(call, path, name, &relation, fault))
		return -1;
	if (relation.is_flash != (set->record.of == SET_OF_FLASHCOPIES))
		return ibm_refuse(call, WRONG_MEMBER_TYPE, fault, name, "the members of the set are of another kind");
	*volume = relation.is_flash ? relation.flash.target : relation.pair.volume;
	return 0;
}

static int change_members(struct cim_call *call, const struct set_info *set, const char *name, bool adds,
			  struct fault *fault)
{
	uint16_t volumes[CONTROL_SET_MEMBERS_MAX];
	unsigned count = cim_in_count(call, name);
	const char *verb = adds ? "add" : "remove";
	char object[64];

	if (!count || count > CONTROL_SET_MEMBERS_MAX)
		return ibm_bad(fault, name, "one to 256 members are named");
	for (unsigned i = 0; i < count; i++)
		if (read_member(call, cim_in_path_at(call, name, i), name, set, &volumes[i], fault))
			return -1;
	if (cim_command_begin(call, "set", verb, fault))
		return -1;
	name_set(set->record.name, object);
	return cim_command_end(call, "set", verb, object,
			       (adds ? control_set_add : control_set_remove)(call->control, set->record.name, volumes,
									     count, fault));
}

int ibm_modify_consistency_set(struct cim_call *call, struct fault *fault)
{
	uint64_t wanted = cim_in_number(call, "Operation");
	struct set_info set;

	if (wanted != SET_ADD && wanted != SET_REMOVE)
		return ibm_bad(fault, "Operation", "it is 2 (Add) or 3 (Remove)");
	if (ibm_set_of_path(call, cim_in_path(call, "Set"), &set, fault))
		return -1;
	return change_members(call, &set, "StorageElement", wanted == SET_ADD, fault);
}

/* ---- all of a set ---- */

static int delete_all(struct control *control, const char *name, struct fault *fault)
{
	return control_set_delete_pairs(control, name, false, fault);
}

static const struct {
	const char *verb;
	int (*fn)(struct control *control, const char *name, struct fault *fault);
} changes[] = {
	[SET_DELETE_ALL] = { "delete-pairs", delete_all },
	[SET_FRACTURE] = { "fracture", control_set_fracture },
	[SET_RESYNC] = { "resync", control_set_resync },
	[SET_RESTORE] = { "restore", control_set_restore },
	[SET_PREPARE] = { "prepare", control_set_prepare },
};

struct job_search {
	struct control *control;
	bool is_flash;
	uint64_t job;
};

static void find_job(void *arg, uint16_t volume)
{
	struct job_search *search = arg;
	const struct copy_pair_name pair = copy_pair_name_of(volume, "");
	struct copy *copy = control_copy(search->control);
	struct copy_pair_info info;
	struct record_flash flash;

	if (search->job)
		return;
	if (search->is_flash && copy_flash_get(copy, volume, &flash)) {
		search->job = control_flash_job(search->control, &flash);
	} else if (!search->is_flash && copy_pair_get(copy, &pair, &info)) {
		const struct copy_pair_name whole = copy_pair_name_of(volume, info.system);

		search->job = control_pair_job(search->control, &whole);
	}
}

uint64_t ibm_job_of_set(struct cim_call *call, const struct set_info *set)
{
	struct job_search search = { call->control, set->record.of == SET_OF_FLASHCOPIES, 0 };
	struct fault none;

	(void)!control_set_each_member(call->control, set->record.name, find_job, &search, &none);
	return search.job;
}

static int change_all(struct cim_call *call, const struct set_info *set, uint64_t wanted, struct fault *fault)
{
	const char *verb = changes[wanted].verb;
	char object[64];

	if (cim_command_begin(call, "set", verb, fault))
		return -1;
	name_set(set->record.name, object);
	if (cim_command_end(call, "set", verb, object,
			    changes[wanted].fn(call->control, set->record.name, fault)))
		return -1;
	/* Each member is copied by a job of its own: the first that runs stands for them. */
	if (wanted == SET_RESYNC || wanted == SET_RESTORE)
		ibm_return_job(call, ibm_job_of_set(call, set));
	return 0;
}

int ibm_modify_synchronized_set(struct cim_call *call, struct fault *fault)
{
	uint64_t wanted = cim_in_number(call, "Operation");
	struct set_info set;

	if (wanted < SET_ADD || wanted > SET_PREPARE)
		return ibm_bad(fault, "Operation", "it is 2 to 8");
	if (ibm_set_of_path(call, cim_in_path(call, "Set"), &set, fault))
		return -1;
	if (wanted == SET_ADD || wanted == SET_REMOVE)
		return change_members(call, &set, "Synchronization", wanted == SET_ADD, fault);
	return change_all(call, &set, wanted, fault);
}
