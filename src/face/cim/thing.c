/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/thing.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/parse.h"
#include "rt/bytes.h"

const struct cim_twin cim_twin_system = { "IBMTSESS_StorageSystem", "MSISCSITARGET_ComputerSystem" };
const struct cim_twin cim_twin_volume = { "IBMTSESS_Volume", "MSISCSITARGET_StorageVolume" };
const struct cim_twin cim_twin_remote_volume = { "IBMTSESS_RemoteVolume", "MSISCSITARGET_ReplicationEntity" };
const struct cim_twin cim_twin_pool = { "IBMTSESS_StoragePool", "MSISCSITARGET_StoragePool" };
const struct cim_twin cim_twin_job = { "IBMTSESS_ConcreteJob", "MSISCSITARGET_ConcreteJob" };
const struct cim_twin cim_twin_synchronized = { "IBMTSESS_StorageSynchronized", "MSISCSITARGET_StorageSynchronized" };
const struct cim_twin cim_twin_replication_service = {
	"IBMTSESS_ReplicationService", "MSISCSITARGET_ReplicationService",
};
const struct cim_twin cim_twin_replication_settings = {
	"IBMTSESS_ReplicationSettingData", "MSISCSITARGET_ReplicationSettingData",
};
const struct cim_twin cim_twin_group = { "IBMTSESS_ReplicationGroup", "MSISCSITARGET_ReplicationGroup" };
const struct cim_twin cim_twin_group_synchronized = { "IBMTSESS_GroupSynchronized", "MSISCSITARGET_GroupSynchronized" };
const struct cim_twin cim_twin_configuration_service = {
	"IBMTSESS_AsyncPPRCService", "MSISCSITARGET_StorageConfigurationService",
};
const struct cim_twin cim_twin_storage_capabilities = {
	"IBMTSESS_StorageCapabilities", "MSISCSITARGET_StorageCapabilities",
};
const struct cim_twin cim_twin_storage_setting = { "IBMTSESS_StorageSetting", "MSISCSITARGET_StorageSetting" };
const struct cim_twin cim_twin_lss = { "IBMTSESS_LSS", NULL };
const struct cim_twin cim_twin_session = { "IBMTSESS_Session", NULL };
const struct cim_twin cim_twin_consistency_set = { "IBMTSESS_ConsistencySet", NULL };
const struct cim_twin cim_twin_synchronized_set = { "IBMTSESS_SynchronizedSet", NULL };

static const char *twin_name(enum cim_namespace ns, const struct cim_twin *twin)
{
	return ns == CIM_NAMESPACE_IBM ? twin->ibm : ns == CIM_NAMESPACE_ISCSITARGET ? twin->iscsitarget : NULL;
}

const struct cim_schema_class *cim_twin_class(enum cim_namespace ns, const struct cim_twin *twin)
{
	const char *name = twin_name(ns, twin);

	return name ? cim_schema_find_class(ns, name) : NULL;
}

static struct cim_path *begin_path(struct cim_arena *arena, enum cim_namespace ns, const struct cim_twin *twin)
{
	const struct cim_schema_class *class = cim_twin_class(ns, twin);

	return class ? cim_path_new(arena, ns, class) : NULL;
}

/* ---- volumes ---- */

uint32_t cim_volume_tag(const uint8_t uuid[XDC_UUID_LEN])
{
	return (uint32_t)uuid[12] << 24 | (uint32_t)uuid[13] << 16 | (uint32_t)uuid[14] << 8 | uuid[15];
}

const char *cim_volume_name(struct cim_arena *arena, uint16_t id, uint32_t tag)
{
	return arena_print(arena, "%04X-%08" PRIX32, id, tag);
}

const struct cim_path *cim_path_of_volume(struct cim_arena *arena, enum cim_namespace ns, const char *system,
					  uint16_t id, uint32_t tag)
{
	struct cim_path *path = begin_path(arena, ns, &cim_twin_volume);

	if (!path)
		return NULL;
	cim_path_set_text(path, "SystemCreationClassName", twin_name(ns, &cim_twin_system));
	cim_path_set_text(path, "SystemName", system);
	cim_path_set_text(path, "CreationClassName", path->class->name);
	cim_path_set_text(path, "DeviceID", cim_volume_name(arena, id, tag));
	return path;
}

const struct cim_path *cim_path_of_volume_here(struct cim_arena *arena, enum cim_namespace ns,
					       struct control *control, uint16_t id)
{
	const struct record_volume *record = control_volume_record(control, id);

	return record ? cim_path_of_volume(arena, ns, control_system_id(control), id, cim_volume_tag(record->uuid)) :
			NULL;
}

/* So many hexadecimal digits, as they are written here. */
static bool read_hex(const char *text, unsigned digits, uint32_t *number)
{
	*number = 0;
	if (strspn(text, "0123456789ABCDEF") < digits)
		return false;
	for (unsigned i = 0; i < digits; i++)
		*number = *number << 4 | (uint32_t)(text[i] <= '9' ? text[i] - '0' : text[i] - 'A' + 10);
	return true;
}

bool cim_path_is_volume(const struct cim_path *path, const char *system, uint16_t *id, const char **tag)
{
	const char *name = cim_path_key_text(path, "DeviceID"), *of = cim_path_key_text(path, "SystemName");
	uint32_t number, ignored;

	if (path->class != cim_twin_class(path->ns, &cim_twin_volume) || !name || !of || strcmp(of, system) != 0 ||
	    !read_hex(name, 4, &number))
		return false;
	*id = (uint16_t)number;
	*tag = name[4] ? name + 5 : NULL;
	return !name[4] || (name[4] == '-' && read_hex(name + 5, 8, &ignored) && !name[13]);
}

bool cim_path_finds_volume(struct control *control, const struct cim_path *path, uint16_t *id)
{
	const struct record_volume *record;
	const char *tag;
	uint32_t number;

	if (!cim_path_is_volume(path, control_system_id(control), id, &tag))
		return false;
	record = control_volume_record(control, *id);
	return record && (!tag || (read_hex(tag, 8, &number) && cim_volume_tag(record->uuid) == number));
}

const struct cim_path *cim_path_of_remote(struct cim_arena *arena, enum cim_namespace ns, const char *system,
					  uint16_t id)
{
	char name[8];

	snprintf(name, sizeof(name), "%04X", id);
	return cim_path_of_thing(arena, ns, &cim_twin_remote_volume, system, "volume", name);
}

bool cim_path_is_remote(const struct cim_path *path, char system[XDC_SYSTEM_ID_MAX], uint16_t *id)
{
	const char *name = cim_thing_name(path, "volume", system);
	uint32_t number;

	if (path->class != cim_twin_class(path->ns, &cim_twin_remote_volume) || !name ||
	    !read_hex(name, 4, &number) || name[4])
		return false;
	*id = (uint16_t)number;
	return true;
}

/* ---- what has an InstanceID ---- */

const char *cim_thing_id(struct cim_arena *arena, const char *system, const char *kind, const char *name)
{
	return arena_print(arena, "xdc:%s:%s:%s", system, kind, name);
}

const char *cim_thing_name(const struct cim_path *path, const char *kind, char system[XDC_SYSTEM_ID_MAX])
{
	const char *id = cim_path_key_text(path, "InstanceID");
	size_t len, kind_len = strlen(kind);

	if (!id || strncmp(id, "xdc:", 4) != 0)
		return NULL;
	id += 4;
	len = strcspn(id, ":");
	if (len >= XDC_SYSTEM_ID_MAX || id[len] != ':' || strncmp(id + len + 1, kind, kind_len) != 0 ||
	    id[len + 1 + kind_len] != ':')
		return NULL;
	if (system)
		snprintf(system, XDC_SYSTEM_ID_MAX, "%.*s", (int)len, id);
	return id + len + kind_len + 2;
}

const struct cim_path *cim_path_of_thing(struct cim_arena *arena, enum cim_namespace ns, const struct cim_twin *twin,
					 const char *system, const char *kind, const char *name)
{
	struct cim_path *path = begin_path(arena, ns, twin);

	cim_path_set_text(path, "InstanceID", cim_thing_id(arena, system, kind, name));
	return path;
}

const struct cim_path *cim_path_of_pool(struct cim_arena *arena, enum cim_namespace ns, const char *system,
					const char *pool)
{
	return cim_path_of_thing(arena, ns, &cim_twin_pool, system, "pool", pool);
}

const struct cim_path *cim_path_of_primordial(struct cim_arena *arena, enum cim_namespace ns, const char *system)
{
	return cim_path_of_thing(arena, ns, &cim_twin_pool, system, "primordial", CIM_PRIMORDIAL);
}

const struct cim_path *cim_path_of_job(struct cim_arena *arena, enum cim_namespace ns, const char *system,
				       uint64_t number)
{
	char name[24];

	snprintf(name, sizeof(name), "%" PRIu64, number);
	return cim_path_of_thing(arena, ns, &cim_twin_job, system, "job", name);
}

const struct cim_path *cim_path_of_lss(struct cim_arena *arena, enum cim_namespace ns, const char *system,
				       uint8_t lss)
{
	char name[8];

	snprintf(name, sizeof(name), "%02X", lss);
	return cim_path_of_thing(arena, ns, &cim_twin_lss, system, "lss", name);
}

const struct cim_path *cim_path_of_session(struct cim_arena *arena, enum cim_namespace ns, const char *system,
					   uint8_t session, uint8_t lss)
{
	char name[16];

	snprintf(name, sizeof(name), "%u:%02X", session, lss);
	return cim_path_of_thing(arena, ns, &cim_twin_session, system, "session", name);
}

/* ---- what there is one of ---- */

const struct cim_path *cim_path_of_system(struct cim_arena *arena, enum cim_namespace ns, const char *system)
{
	struct cim_path *path = begin_path(arena, ns, &cim_twin_system);

	if (!path)
		return NULL;
	cim_path_set_text(path, "CreationClassName", path->class->name);
	cim_path_set_text(path, "Name", system);
	return path;
}

const struct cim_path *cim_path_of_service(struct cim_arena *arena, enum cim_namespace ns, const struct cim_twin *twin,
					   const char *system)
{
	struct cim_path *path = begin_path(arena, ns, twin);

	if (!path)
		return NULL;
	cim_path_set_text(path, "SystemCreationClassName", twin_name(ns, &cim_twin_system));
	cim_path_set_text(path, "SystemName", system);
	cim_path_set_text(path, "CreationClassName", path->class->name);
	cim_path_set_text(path, "Name", path->class->name);
	return path;
}

const struct cim_path *cim_path_of_pair(struct cim_arena *arena, enum cim_namespace ns, const struct cim_twin *twin,
					const struct cim_path *source, const struct cim_path *target)
{
	struct cim_path *path = begin_path(arena, ns, twin);

	cim_path_set_path(path, "SystemElement", source);
	cim_path_set_path(path, "SyncedElement", target);
	return path;
}

const struct cim_path *cim_path_of_copy(struct cim_arena *arena, enum cim_namespace ns, const struct cim_path *source,
					const struct cim_path *target)
{
	return cim_path_of_pair(arena, ns, &cim_twin_synchronized, source, target);
}

const char *cim_lss_text(struct cim_arena *arena, const char *system, uint8_t lss, uint16_t ssid)
{
	return ssid ? arena_print(arena, "%s:%02X:%04X", system, lss, ssid)
		    : arena_print(arena, "%s:%02X:", system, lss);
}
