/* SPDX-License-Identifier: Apache-2.0 */
/* Logical subsystems: the upper half of volume ids, made by name or when something needs them. */
#include "control/control_private.h"

#include <errno.h>
#include <stdio.h>

#include "rt/log.h"
#include "rt/mem.h"

static void name_object(uint8_t id, char object[16])
{
	snprintf(object, 16, "LSS %02X", id);
}

static int make_lss(struct control *control, uint8_t id, uint16_t ssid, struct fault *fault)
{
	struct record_lss record = { .id = id, .ssid = ssid, .created_wall_ns = rt_wall_ns() };
	struct meta_change change = { META_PUT, META_LSS, &record };
	struct control_lss *lss = mem_alloc_zeroed(sizeof(*lss));
	char object[16];

	name_object(id, object);
	if (!lss)
		return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	if (control_commit(control, &change, 1, object, fault)) {
		mem_free(lss);
		return -1;
	}
	/* Only now: commands that do not wait for the lock may use what they find. */
	lss->record = record;
	control->lsss[id] = lss;
	log_line(LOG_NOTICE, "control", "%s made", object);
	return 0;
}

int control_lss_ensure(struct control *control, uint8_t id, struct fault *fault)
{
	return control->lsss[id] ? 0 : make_lss(control, id, 0, fault);
}

/* ---- operations ---- */

int control_lss_create(struct control *control, uint8_t id, uint16_t ssid, struct fault *fault)
{
	char object[16];

	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	name_object(id, object);
	if (control->lsss[id])
		return fault_set(fault, FAULT_IN_USE, object, "xdc lss list", "there is this LSS already");
	for (unsigned i = 0; ssid && i < LSS_COUNT; i++)
		if (control->lsss[i] && control->lsss[i]->record.ssid == ssid)
			return fault_set(fault, FAULT_IN_USE, object, "choose another SSID",
					 "SSID %04X is that of LSS %02X", ssid, i);
	return make_lss(control, id, ssid, fault);
}

int control_lss_delete(struct control *control, uint8_t id, struct fault *fault)
{
	struct meta_change change = { META_DELETE, META_LSS, NULL };
	struct control_lss *lss;
	char object[16];

	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	if (control_lss_need(control, id, fault))
		return -1;
	name_object(id, object);
	lss = control->lsss[id];
	if (lss->count)
		return fault_set(fault, FAULT_IN_USE, object, "delete them first", "it has %u volume%s", lss->count,
				 lss->count == 1 ? "" : "s");
	if (lss->pins)
		return fault_set(fault, FAULT_IN_USE, object, "repeat the command", "another command uses it");
	if (copy_remembers_lss(control->copy, id, fault))
		return -1;
	/* From here on commands that do not wait for the lock do not find it. */
	control->lsss[id] = NULL;
	change.record = &lss->record;
	if (control_commit(control, &change, 1, object, fault)) {
		control->lsss[id] = lss;
		return -1;
	}
	mem_free(lss);
	log_line(LOG_NOTICE, "control", "%s deleted", object);
	return 0;
}

static void get_info(const struct control_lss *lss, struct lss_info *info)
{
	*info = (struct lss_info){ .record = lss->record, .volumes = lss->count };
	for (unsigned i = 0; i < LSS_VOLUMES; i++)
		if (lss->volumes[i])
			info->volume_bytes += lss->volumes[i]->record.size_bytes;
}

int control_lss_get(struct control *control, uint8_t id, struct lss_info *info, struct fault *fault)
{
	if (control_lss_need(control, id, fault))
		return -1;
	get_info(control->lsss[id], info);
	return 0;
}

void control_lss_each(struct control *control, void (*each)(void *arg, const struct lss_info *info), void *arg)
{
	struct lss_info info;

	for (unsigned id = 0; id < LSS_COUNT; id++)
		if (control->lsss[id]) {
			get_info(control->lsss[id], &info);
			each(arg, &info);
		}
}
