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

int control_replica_create(struct control *control, struct copy_flash_request *request, const char *pool,
			   const char *name, struct fault *fault)
{
	const struct control_volume *source = control_volume_need(control, request->source, fault);
	struct volume_create wanted = { .name = name };
	char source_pool[XDC_NAME_MAX];
	struct fault left;

	if (!source)
		return -1;
	snprintf(source_pool, sizeof(source_pool), "%s", source->record.pool);
	wanted.pool = pool ? pool : source_pool;
	wanted.size_bytes = source->record.size_bytes;
	if (control_volume_create_any(control, &wanted, &request->target, fault))
		return -1;
	if (!copy_flash_create(control->copy, request, 1, fault))
		return 0;
	return undo(control_volume_delete(control, request->target, &left), "the new target", request->target, &left);
}
