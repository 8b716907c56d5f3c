/* SPDX-License-Identifier: Apache-2.0 */
/* The volumes of practice copies, for the copy services. */
#include "control/control_private.h"

#include <stdio.h>
#include <string.h>

/* From the end of an LSS, where an administrator hardly wants one; -1: all are taken. */
static int find_free_in(const struct control *control, uint8_t lss)
{
	struct fault ignored;

	for (int number = 0xFF; number >= 0; number--) {
		uint16_t id = (uint16_t)(lss << 8 | number);

		if (!control_volume_at(control, id) && !copy_remembers_volume(control->copy, id, &ignored))
			return id;
	}
	return -1;
}

/* In the LSS of its source, or in another. */
static int find_free(const struct control *control, uint16_t source)
{
	int id = find_free_in(control, (uint8_t)(source >> 8));

	for (int lss = 0xFE; lss >= 0 && id < 0; lss--)
		id = find_free_in(control, (uint8_t)lss);
	return id;
}

int control_practice_make(void *arg, struct copy_practice_volume *wanted, const char *pool, struct fault *fault)
{
	struct control *control = arg;
	const struct control_volume *source = control_volume_need(control, wanted->source, fault);
	struct volume_create request = { .practice = wanted->session };
	char name[XDC_NAME_MAX], pool_name[XDC_NAME_MAX], object[16];
	int id = find_free(control, wanted->source);

	snprintf(object, sizeof(object), "session %u", wanted->session);
	if (!source)
		return -1;
	if (id < 0)
		return fault_set(fault, FAULT_IN_USE, object, "delete volumes that are not needed",
				 "all ids of volumes are taken");
	snprintf(pool_name, sizeof(pool_name), "%s", pool ? pool : source->record.pool);
	snprintf(name, sizeof(name), "practice-%u-%04X", wanted->session, wanted->source);
	request.id = wanted->volume = (uint16_t)id;
	request.pool = pool_name;
	request.name = name;
	request.size_bytes = source->record.size_bytes;
	return control_volume_create(control, &request, fault);
}

int control_practice_delete(void *arg, uint16_t volume, struct fault *fault)
{
	struct control *control = arg;
	const struct control_volume *at = control_volume_at(control, volume);

	return at && at->record.practice ? control_volume_delete(control, volume, fault) : 0;
}

bool control_practice_next(void *arg, uint32_t from, struct copy_practice_volume *out)
{
	const struct control *control = arg;

	for (uint32_t id = from; id <= UINT16_MAX; id++) {
		const struct control_volume *volume;

		if (id >> 8 >= LSS_COUNT || !control->lsss[id >> 8]) {
			id |= 0xFF;
			continue;
		}
		volume = control_volume_at(control, (uint16_t)id);
		if (!volume || !volume->record.practice)
			continue;
		*out = (struct copy_practice_volume){ .session = volume->record.practice, .volume = (uint16_t)id };
		return true;
	}
	return false;
}
