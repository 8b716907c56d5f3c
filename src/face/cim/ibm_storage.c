/* SPDX-License-Identifier: Apache-2.0 */
/* IBMTSESS_AsyncPPRCService: pools and volumes. */
#include "face/cim/ibm.h"

#include <stdio.h>
#include <string.h>

#include "control/parse.h"
#include "face/cim/thing.h"

#define POOL_NAMES_MAX	10000u
#define EXTENTS_MAX	64u

/* The value of ElementType. */
enum { TYPE_VOLUME = 2, TYPE_THIN_VOLUME = 5, TYPE_LAST = 8 };

static void name_pool(const char *name, char object[64])
{
	snprintf(object, 64, "pool %.48s", name);
}

static void name_volume(uint16_t volume, char object[16])
{
	snprintf(object, 16, "volume %04X", volume);
}

/* What did not fit is told with the nearest size that would have. */
static int tell_size(struct cim_call *call, int rc, const struct fault *fault)
{
	if (rc && fault->nearest_bytes)
		cim_out_number(call, "Size", fault->nearest_bytes);
	return rc;
}

/* ---- settings: there is one, by many names ---- */

/* What a client asks for with one of them is what it gets anyway. */
static int check_goal(struct cim_call *call, struct fault *fault)
{
	const struct cim_path *goal = cim_in_path(call, "Goal");
	char system[XDC_SYSTEM_ID_MAX];

	if (!goal || ((cim_thing_name(goal, CIM_SETTING_OF_POOL, system) ||
		       cim_thing_name(goal, CIM_SETTING_OF_VOLUME, system)) &&
		      !strcmp(system, control_system_id(call->control))))
		return 0;
	return ibm_bad(fault, "Goal", "it is no setting of this system");
}

enum { SETTING_DEFAULT = 2, SETTING_GOAL };

/* Nothing of it can be changed, so the one that the pool has will do. */
int ibm_create_setting(struct cim_call *call, struct fault *fault)
{
	uint64_t type = cim_in_number(call, "SettingType");
	const char *name = cim_thing_name(call->object, "storage", NULL);
	struct pool_info info;

	if (type != SETTING_DEFAULT && type != SETTING_GOAL)
		return ibm_bad(fault, "SettingType", "it is 2 or 3");
	if (!name || control_pool_get(call->control, name, &info, fault))
		return ibm_bad(fault, "InstanceID", "it is no pool of this system");
	cim_out_path(call, "NewSetting",
		     cim_path_of_thing(call->arena, call->ns, &cim_twin_storage_setting,
				       control_system_id(call->control), CIM_SETTING_OF_POOL, name));
	return 0;
}

/* ---- pools ---- */

/* As ElementName has it, or the first of pool1, pool2, ... that is free. */
static int choose_pool_name(struct cim_call *call, char name[XDC_NAME_MAX], struct fault *fault)
{
	const char *wanted = cim_in_text(call, "ElementName");
	struct pool_info info;
	struct fault none;

	if (wanted) {
		if (parse_pool_name(wanted))
			return ibm_bad(fault, "ElementName", parse_pool_name(wanted));
		snprintf(name, XDC_NAME_MAX, "%s", wanted);
		return 0;
	}
	for (unsigned i = 1; i < POOL_NAMES_MAX; i++) {
		snprintf(name, XDC_NAME_MAX, "pool%u", i);
		if (control_pool_get(call->control, name, &info, &none))
			return 0;
	}
	return ibm_bad(fault, "ElementName", "no name is free: give one");
}

/* Each the path of an extent as a text, or that of its device alone. */
static int read_extents(struct cim_call *call, const char *extents[EXTENTS_MAX], unsigned *count, struct fault *fault)
{
	*count = cim_in_count(call, "InExtents");
	if (*count > EXTENTS_MAX)
		return ibm_bad(fault, "InExtents", "at most 64 at once");
	for (unsigned i = 0; i < *count; i++) {
		const char *text = cim_in_text_at(call, "InExtents", i);
		struct cim_failure failure = { 0 };
		const struct cim_path *path;

		if (text && text[0] == '/' && text[1] != '/')
			extents[i] = text;
		else if (text && cim_path_read_text(call->arena, text, call->ns, &path, &failure))
			extents[i] = cim_path_key_text(path, "DeviceID");
		else
			extents[i] = NULL;
		if (!extents[i] || parse_path(extents[i]))
			return ibm_bad(fault, "InExtents", "one of them is no extent and no device");
	}
	return 0;
}

/* One at most; NULL: none. */
static int read_parent(struct cim_call *call, const char **parent, struct fault *fault)
{
	unsigned count = cim_in_count(call, "InPools");
	struct cim_failure failure = { 0 };
	const struct cim_path *path;
	const char *text;

	*parent = NULL;
	if (!count)
		return 0;
	text = cim_in_text_at(call, "InPools", 0);
	if (count > 1)
		return fault_set(fault, FAULT_NOT_SUPPORTED, "InPools", "name one", "a pool is made from one pool");
	if (!text || !cim_path_read_text(call->arena, text, call->ns, &path, &failure))
		return ibm_bad(fault, "InPools", "it is the path of a pool, as a text");
	return ibm_pool_of_path(call, path, "InPools", parent, fault);
}

/* The size that it has then. */
static int answer_pool(struct cim_call *call, const char *name, struct fault *fault)
{
	struct pool_info info;

	if (control_pool_get(call->control, name, &info, fault))
		return -1;
	if (info.has_limit)
		cim_out_number(call, "Size", info.size_bytes);
	cim_out_path(call, "Pool", ibm_path_of_pool(call, name));
	return 0;
}

static int create_pool(struct cim_call *call, struct fault *fault)
{
	const char *extents[EXTENTS_MAX];
	struct pool_create create = {
		.kind = POOL_DEVICE, .size_bytes = cim_in_number(call, "Size"), .extents = extents,
	};
	char name[XDC_NAME_MAX], object[64];

	if (choose_pool_name(call, name, fault) || read_parent(call, &create.from, fault) ||
	    read_extents(call, extents, &create.extent_count, fault))
		return -1;
	if (create.from ? create.extent_count != 0 : create.extent_count == 0)
		return ibm_bad(fault, "InPools", "a pool takes its space from one pool, or from extents");
	if (create.from && !create.size_bytes)
		return ibm_bad(fault, "Size", "of a pool that is made from another its size is needed");
	create.name = name;
	name_pool(name, object);
	if (cim_command_begin(call, "pool", "create", fault))
		return -1;
	if (cim_command_end(call, "pool", "create", object, control_pool_create(call->control, &create, fault)))
		return tell_size(call, -1, fault);
	return answer_pool(call, name, fault);
}

/* The primordial pool is all there is: nobody makes, changes or deletes it. */
static int check_primordial(const struct cim_path *pool, struct fault *fault)
{
	char system[XDC_SYSTEM_ID_MAX];

	if (!pool || !cim_thing_name(pool, CIM_PRIMORDIAL, system))
		return 0;
	return fault_set(fault, FAULT_NOT_SUPPORTED, "Pool", "name one that was made",
			 "the primordial pool stays as it is");
}

static int modify_pool(struct cim_call *call, struct fault *fault)
{
	const char *extents[EXTENTS_MAX];
	struct pool_modify modify = {
		.label = cim_in_text(call, "ElementName"), .size_bytes = cim_in_number(call, "Size"),
		.extents = extents,
	};
	char object[64];

	if (check_primordial(cim_in_path(call, "Pool"), fault) ||
	    ibm_pool_of_path(call, cim_in_path(call, "Pool"), "Pool", &modify.name, fault) ||
	    read_extents(call, extents, &modify.extent_count, fault))
		return -1;
	if (modify.label && parse_pool_name(modify.label))
		return ibm_bad(fault, "ElementName", parse_pool_name(modify.label));
	if (cim_in_count(call, "InPools"))
		return fault_set(fault, FAULT_NOT_SUPPORTED, "InPools", "leave it out",
				 "a pool stays with the one that it was made from");
	name_pool(modify.name, object);
	if (cim_command_begin(call, "pool", "modify", fault))
		return -1;
	if (cim_command_end(call, "pool", "modify", object, control_pool_modify(call->control, &modify, fault)))
		return tell_size(call, -1, fault);
	return answer_pool(call, modify.name, fault);
}

int ibm_create_pool(struct cim_call *call, struct fault *fault)
{
	if (check_goal(call, fault))
		return -1;
	return cim_in_given(call, "Pool") ? modify_pool(call, fault) : create_pool(call, fault);
}

int ibm_delete_pool(struct cim_call *call, struct fault *fault)
{
	const char *name;
	char object[64];

	if (check_primordial(cim_in_path(call, "Pool"), fault) ||
	    ibm_pool_of_path(call, cim_in_path(call, "Pool"), "Pool", &name, fault) ||
	    cim_command_begin(call, "pool", "delete", fault))
		return -1;
	name_pool(name, object);
	return cim_command_end(call, "pool", "delete", object, control_pool_delete(call->control, name, fault));
}

/* ---- what a pool has room for ---- */

/* The values of ElementType of a pool, and return codes. */
enum { SIZE_OF_POOL = 2, SIZE_OF_VOLUME, SIZE_OF_THIN_VOLUME = 5 };
enum { ASK_THE_OTHER = 2, BAD_ELEMENT_TYPE };

static int find_pool(struct cim_call *call, struct pool_info *info, struct fault *fault)
{
	uint64_t type = cim_in_number(call, "ElementType");
	const char *name;

	if (cim_in_given(call, "ElementType") && type != SIZE_OF_POOL && type != SIZE_OF_VOLUME &&
	    type != SIZE_OF_THIN_VOLUME)
		return ibm_refuse(call, BAD_ELEMENT_TYPE, fault, "ElementType", "a pool has volumes and pools");
	return ibm_pool_of_path(call, call->object, "InstanceID", &name, fault) ||
	       control_pool_get(call->control, name, info, fault) ? -1 : 0;
}

int ibm_get_size_range(struct cim_call *call, struct fault *fault)
{
	struct pool_info info;

	if (find_pool(call, &info, fault))
		return -1;
	if (info.record.kind == POOL_DEVICE)
		return ibm_refuse(call, ASK_THE_OTHER, fault, "Pool", "its volumes have the sizes of its devices");
	cim_out_number(call, "MinimumVolumeSize", XDC_BLOCK_SIZE);
	cim_out_number(call, "MaximumVolumeSize", info.has_limit ? info.left_bytes : VOLUME_SIZE_MAX);
	cim_out_number(call, "VolumeSizeDivisor", XDC_BLOCK_SIZE);
	return 0;
}

static void add_size(void *arg, const struct record_extent *extent, int volume)
{
	if (volume < 0)
		cim_out_add_number(arg, extent->size_bytes);
}

int ibm_get_sizes(struct cim_call *call, struct fault *fault)
{
	struct pool_info info;
	int rc;

	if (find_pool(call, &info, fault))
		return -1;
	if (info.record.kind != POOL_DEVICE)
		return ibm_refuse(call, ASK_THE_OTHER, fault, "Pool", "its volumes have any size of a range");
	cim_out_begin(call, "Sizes");
	rc = control_pool_each_extent(call->control, info.record.name, add_size, call, fault);
	cim_out_end(call);
	return rc;
}

/* ---- volumes ---- */

static int check_type(struct cim_call *call, struct fault *fault)
{
	uint64_t type = cim_in_number(call, "ElementType");

	if (!cim_in_given(call, "ElementType") || type == TYPE_VOLUME || type == TYPE_THIN_VOLUME)
		return 0;
	if (type > TYPE_VOLUME && type <= TYPE_LAST)
		return fault_set(fault, FAULT_NOT_SUPPORTED, "ElementType", "take 2 or 5",
				 "elements are volumes, which take their space when they are written");
	return ibm_bad(fault, "ElementType", "there is no such type");
}

int ibm_read_volume_name(struct cim_call *call, const char **name, struct fault *fault)
{
	*name = cim_in_text(call, "ElementName");
	return *name && parse_volume_name(*name) ? ibm_bad(fault, "ElementName", parse_volume_name(*name)) : 0;
}

static int answer_volume(struct cim_call *call, uint16_t id, struct fault *fault)
{
	struct volume_info info;

	if (control_volume_get(call->control, id, &info, fault))
		return -1;
	cim_out_number(call, "Size", info.record.size_bytes);
	cim_out_path(call, "TheElement", ibm_path_of_volume(call, id));
	return 0;
}

static int create_volume(struct cim_call *call, struct fault *fault)
{
	struct volume_create create = { .size_bytes = cim_in_number(call, "Size") };
	uint16_t id = 0;
	char object[16];
	int rc;

	if (ibm_read_volume_name(call, &create.name, fault) ||
	    ibm_pool_of_path(call, cim_in_path(call, "InPool"), "InPool", &create.pool, fault) ||
	    cim_command_begin(call, "volume", "create", fault))
		return -1;
	rc = control_volume_create_any(call->control, &create, &id, fault);
	name_volume(id, object);
	if (cim_command_end(call, "volume", "create", object, rc))
		return tell_size(call, -1, fault);
	return answer_volume(call, id, fault);
}

static int rename_volume(struct cim_call *call, uint16_t id, const char *name, const char *object, struct fault *fault)
{
	if (cim_command_begin(call, "volume", "rename", fault))
		return -1;
	return cim_command_end(call, "volume", "rename", object,
			       control_volume_rename(call->control, id, name, fault));
}

static int grow_volume(struct cim_call *call, uint16_t id, uint64_t size, const char *object, struct fault *fault)
{
	int rc;

	if (cim_command_begin(call, "volume", "grow", fault))
		return -1;
	rc = control_volume_grow(call->control, id, size, fault);
	return tell_size(call, cim_command_end(call, "volume", "grow", object, rc), fault);
}

static int modify_volume(struct cim_call *call, struct fault *fault)
{
	uint64_t size = cim_in_number(call, "Size");
	const char *name, *pool = NULL;
	struct volume_info info;
	char object[16];
	uint16_t id;

	if (ibm_volume_of_path(call->control, cim_in_path(call, "TheElement"), "TheElement", &id, fault) ||
	    ibm_read_volume_name(call, &name, fault) || control_volume_get(call->control, id, &info, fault))
		return -1;
	if (cim_in_given(call, "InPool") &&
	    ibm_pool_of_path(call, cim_in_path(call, "InPool"), "InPool", &pool, fault))
		return -1;
	if (pool && strcmp(pool, info.record.pool) != 0)
		return fault_set(fault, FAULT_NOT_SUPPORTED, "InPool", "leave it out", "a volume stays in its pool");
	name_volume(id, object);
	if (size && size != info.record.size_bytes && grow_volume(call, id, size, object, fault))
		return -1;
	if (name && strcmp(name, info.record.name) != 0 && rename_volume(call, id, name, object, fault))
		return -1;
	return answer_volume(call, id, fault);
}

int ibm_create_element(struct cim_call *call, struct fault *fault)
{
	if (check_type(call, fault) || check_goal(call, fault))
		return -1;
	return cim_in_given(call, "TheElement") ? modify_volume(call, fault) : create_volume(call, fault);
}

/* What it is a FlashCopy of is withdrawn, when nothing is under way between them. */
static int withdraw(struct cim_call *call, uint16_t id, const char *object, struct fault *fault)
{
	struct record_flash flash;
	struct volume_info info;

	if (!copy_flash_get(control_copy(call->control), id, &flash))
		return 0;
	if (control_volume_get(call->control, id, &info, fault))
		return -1;
	if (info.attached)
		return fault_set(fault, FAULT_IN_USE, object, "let hosts close it", "hosts have it open");
	if (flash.state != FLASH_ACTIVE || control_flash_job(call->control, &flash))
		return fault_set(fault, FAULT_IN_USE, object, "wait until it is whole, or xdc flash delete --force",
				 "its FlashCopy is under way");
	if (cim_command_begin(call, "flash", "delete", fault))
		return -1;
	return cim_command_end(call, "flash", "delete", object, control_flash_delete(call->control, id, true, fault));
}

int ibm_return_element(struct cim_call *call, struct fault *fault)
{
	char object[16];
	uint16_t id;

	if (ibm_volume_of_path(call->control, cim_in_path(call, "TheElement"), "TheElement", &id, fault))
		return -1;
	name_volume(id, object);
	if (withdraw(call, id, object, fault) || cim_command_begin(call, "volume", "delete", fault))
		return -1;
	return cim_command_end(call, "volume", "delete", object, control_volume_delete(call->control, id, fault));
}
