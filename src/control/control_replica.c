/* SPDX-License-Identifier: Apache-2.0 */
/* Copies that are made together with what they need: a new target, or a place in a set. All of it, or nothing. */
#include "control/control_private.h"

#include <stdio.h>

#include "rt/log.h"

/* What was made a moment ago goes again: fault stays what it was. */
static int undo(int rc, const char *what, uint16_t volume, const struct fault *why)
{
	if (rc)
		log_line(LOG_WARNING, "control", "%s of volume %04X is left: %s", what, volume, why->message);
	return -1;
}

int control_pair_create_in(struct control *control, const struct copy_pair_request *request, const char *set,
			   struct fault *fault)
{
	const struct copy_pair_name name = copy_pair_name_of(request->source, request->system);
	struct fault left;

	if (control_pair_create(control, request, fault))
		return -1;
	if (!set || !control_set_add(control, set, &request->source, 1, fault))
		return 0;
	return undo(copy_pair_delete(control->copy, &name, false, &left), "the pair", request->source, &left);
}

int control_flash_create_in(struct control *control, const struct copy_flash_request *request, const char *set,
			    struct fault *fault)
{
	struct fault left;

	if (copy_flash_create(control->copy, request, 1, fault))
		return -1;
	if (!set || !control_set_add(control, set, &request->target, 1, fault))
		return 0;
	return undo(copy_flash_delete(control->copy, request->target, true, &left), "the FlashCopy", request->target,
		    &left);
}

/* A volume like the source. */
static int make_target(struct control *control, struct copy_flash_request *request, const char *pool,
		       const char *name, struct fault *fault)
{
	const struct control_volume *source = control_volume_need(control, request->source, fault);
	struct volume_create wanted = { .name = name };
	char source_pool[XDC_NAME_MAX];

	if (!source)
		return -1;
	snprintf(source_pool, sizeof(source_pool), "%s", source->record.pool);
	wanted.pool = pool ? pool : source_pool;
	wanted.size_bytes = source->record.size_bytes;
	return control_volume_create_any(control, &wanted, &request->target, fault);
}

int control_replica_create(struct control *control, struct copy_flash_request *request, const char *pool,
			   const char *name, struct fault *fault)
{
	struct fault left;

	if (make_target(control, request, pool, name, fault))
		return -1;
	if (!copy_flash_create(control->copy, request, 1, fault))
		return 0;
	return undo(control_volume_delete(control, request->target, &left), "the new target", request->target, &left);
}

/* ---- many at once ---- */

static void delete_targets(struct control *control, const struct copy_flash_request *requests, unsigned count)
{
	struct fault left;

	for (unsigned i = 0; i < count; i++)
		(void)undo(control_volume_delete(control, requests[i].target, &left), "the new target",
			   requests[i].target, &left);
}

static int make_targets(struct control *control, const struct control_replicas *wanted, struct fault *fault)
{
	for (unsigned i = 0; i < wanted->count; i++) {
		if (!make_target(control, &wanted->requests[i], wanted->pool, NULL, fault))
			continue;
		delete_targets(control, wanted->requests, i);
		return -1;
	}
	return 0;
}

static void end_flashes(struct control *control, const struct copy_flash_request *requests, unsigned count)
{
	struct fault left;

	for (unsigned i = 0; i < count; i++)
		(void)undo(copy_flash_delete(control->copy, requests[i].target, true, &left), "the FlashCopy",
			   requests[i].target, &left);
}

static void end_pairs(struct control *control, const struct copy_pair_request *requests, unsigned count)
{
	struct fault left;

	for (unsigned i = 0; i < count; i++) {
		const struct copy_pair_name name = copy_pair_name_of(requests[i].source, requests[i].system);

		(void)undo(copy_pair_delete(control->copy, &name, false, &left), "the pair", requests[i].source,
			   &left);
	}
}

static int make_set(struct control *control, const char *name, enum set_member_kind of, struct fault *fault)
{
	struct record_set set = { .kind = SET_SYNCHRONIZED, .of = of };

	snprintf(set.name, sizeof(set.name), "%s", name);
	return control_set_create(control, &set, fault);
}

static void delete_set(struct control *control, const char *name)
{
	struct fault left;

	if (control_set_delete(control, name, &left))
		log_line(LOG_WARNING, "control", "set %s is left: %s", name, left.message);
}

/* What exists: into the set; NULL: none. */
static int flash_into(struct control *control, const struct control_replicas *wanted, struct fault *fault)
{
	uint16_t members[CONTROL_SET_MEMBERS_MAX];

	if (copy_flash_create(control->copy, wanted->requests, wanted->count, fault))
		return -1;
	for (unsigned i = 0; i < wanted->count; i++)
		members[i] = wanted->requests[i].target;
	if (!wanted->set || !control_set_add(control, wanted->set, members, wanted->count, fault))
		return 0;
	end_flashes(control, wanted->requests, wanted->count);
	return -1;
}

int control_flashes_create(struct control *control, const struct control_replicas *wanted, struct fault *fault)
{
	int rc;

	if (wanted->set && make_set(control, wanted->set, SET_OF_FLASHCOPIES, fault))
		return -1;
	rc = wanted->targets ? make_targets(control, wanted, fault) : 0;
	if (rc == 0) {
		rc = flash_into(control, wanted, fault);
		if (rc && wanted->targets)
			delete_targets(control, wanted->requests, wanted->count);
	}
	if (rc && wanted->set)
		delete_set(control, wanted->set);
	return rc;
}

static int pair_into(struct control *control, const struct copy_pair_request *requests, unsigned count,
		     const char *set, struct fault *fault)
{
	uint16_t members[CONTROL_SET_MEMBERS_MAX];
	unsigned made = 0;
	int rc = 0;

	for (; rc == 0 && made < count; made += rc == 0) {
		members[made] = requests[made].source;
		rc = control_pair_create(control, &requests[made], fault);
	}
	if (rc == 0 && set)
		rc = control_set_add(control, set, members, count, fault);
	if (rc)
		end_pairs(control, requests, made);
	return rc;
}

int control_pairs_create(struct control *control, const struct copy_pair_request *requests, unsigned count,
			 const char *set, struct fault *fault)
{
	int rc;

	if (set && make_set(control, set, SET_OF_PAIRS, fault))
		return -1;
	rc = pair_into(control, requests, count, set, fault);
	if (rc && set)
		delete_set(control, set);
	return rc;
}
