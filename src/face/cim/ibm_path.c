/* SPDX-License-Identifier: Apache-2.0 */
/* The things of this system as methods get and give their paths (ibm.h, thing.h). */
#include "face/cim/ibm.h"

#include <stdio.h>
#include <string.h>

#include "face/cim/thing.h"

/* ---- what comes out ---- */

void ibm_return_job(struct cim_call *call, uint64_t job)
{
	if (!job)
		return;
	cim_out_path(call, "Job", cim_path_of_job(call->arena, call->ns, control_system_id(call->control), job));
	call->returned = FAULT_JOB_STARTED;
}

const struct cim_path *ibm_path_of_pool(struct cim_call *call, const char *name)
{
	return cim_path_of_pool(call->arena, call->ns, control_system_id(call->control), name);
}

const struct cim_path *ibm_path_of_set(struct cim_call *call, enum set_kind kind, const char *name)
{
	return cim_path_of_thing(call->arena, call->ns,
				 kind == SET_CONSISTENCY ? &cim_twin_consistency_set : &cim_twin_synchronized_set,
				 control_system_id(call->control), "set", name);
}

const struct cim_path *ibm_path_of_element(struct cim_call *call, const struct ibm_element *element)
{
	if (element->is_here)
		return cim_path_of_volume_here(call->arena, call->ns, call->control, element->volume);
	return cim_path_of_remote(call->arena, call->ns, element->system, element->volume);
}

const struct cim_path *ibm_path_of_volume(struct cim_call *call, uint16_t volume)
{
	return cim_path_of_volume_here(call->arena, call->ns, call->control, volume);
}

const struct cim_path *ibm_path_of_relation(struct cim_call *call, const struct ibm_element *source,
					    const struct ibm_element *target)
{
	const struct cim_path *from = ibm_path_of_element(call, source), *to = ibm_path_of_element(call, target);

	return from && to ? cim_path_of_copy(call->arena, call->ns, from, to) : NULL;
}

/* ---- what comes in ---- */

int ibm_element_of_path(struct cim_call *call, const struct cim_path *path, const char *name,
			struct ibm_element *element, struct fault *fault)
{
	const char *here = control_system_id(call->control);

	*element = (struct ibm_element){ 0 };
	if (path && cim_path_finds_volume(call->control, path, &element->volume)) {
		element->is_here = true;
		snprintf(element->system, sizeof(element->system), "%s", here);
		return 0;
	}
	if (!path || !cim_path_is_remote(path, element->system, &element->volume) || !strcmp(element->system, here))
		return ibm_bad(fault, name, "there is no such volume");
	return 0;
}

int ibm_volume_of_path(struct control *control, const struct cim_path *path, const char *name, uint16_t *volume,
		       struct fault *fault)
{
	if (!path || !cim_path_finds_volume(control, path, volume))
		return ibm_bad(fault, name, "it is no volume of this system");
	return 0;
}

static int find_relation(struct control *control, struct ibm_relation *relation, const char *name, struct fault *fault)
{
	const struct ibm_element *source = &relation->source, *target = &relation->target;
	struct copy *copy = control_copy(control);
	struct copy_pair_info info;

	relation->is_flash = source->is_here && target->is_here;
	if (relation->is_flash) {
		if (copy_flash_get(copy, target->volume, &relation->flash) &&
		    relation->flash.source == source->volume)
			return 0;
	} else if (source->is_here || target->is_here) {
		relation->pair = source->is_here ? copy_pair_name_of(source->volume, target->system)
						 : copy_pair_name_of(target->volume, source->system);
		if (copy_pair_get(copy, &relation->pair, &info) && info.is_source == source->is_here &&
		    info.remote_volume == (source->is_here ? target : source)->volume)
			return 0;
	}
	return ibm_bad(fault, name, "there is no such relationship");
}

int ibm_relation_of_path(struct cim_call *call, const struct cim_path *path, const char *name,
			 struct ibm_relation *relation, struct fault *fault)
{
	const struct cim_scalar *from = path ? cim_path_key(path, "SystemElement") : NULL;
	const struct cim_scalar *to = path ? cim_path_key(path, "SyncedElement") : NULL;

	if (!from || !to || from->is_null || to->is_null)
		return ibm_bad(fault, name, "it is no relationship");
	if (ibm_element_of_path(call, from->path, name, &relation->source, fault) ||
	    ibm_element_of_path(call, to->path, name, &relation->target, fault))
		return -1;
	return find_relation(call->control, relation, name, fault);
}

/* The name of something of this system; NULL: it is none of this kind. */
static const char *name_of(struct cim_call *call, const struct cim_path *path, const char *kind)
{
	char system[XDC_SYSTEM_ID_MAX];
	const char *name = path ? cim_thing_name(path, kind, system) : NULL;

	return name && !strcmp(system, control_system_id(call->control)) ? name : NULL;
}

int ibm_pool_of_path(struct cim_call *call, const struct cim_path *path, const char *name, const char **pool,
		     struct fault *fault)
{
	struct pool_info info;

	*pool = name_of(call, path, "pool");
	if (!*pool || control_pool_get(call->control, *pool, &info, fault))
		return ibm_bad(fault, name, "it is no pool of this system");
	return 0;
}

int ibm_set_of_path(struct cim_call *call, const struct cim_path *path, struct set_info *set, struct fault *fault)
{
	const char *name = name_of(call, path, "set");
	bool is_consistency = path && cim_schema_is_named(path->class, cim_twin_consistency_set.ibm);

	if (!name || control_set_get(call->control, name, set, fault) ||
	    is_consistency != (set->record.kind == SET_CONSISTENCY))
		return ibm_bad(fault, "Set", "there is no such set");
	return 0;
}
