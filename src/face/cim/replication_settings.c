/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of copies, and what ReplicationSettingData may ask of each. */
#include "face/cim/replication.h"

#include <string.h>

#include "face/cim/change.h"
#include "face/cim/instance.h"
#include "face/cim/thing.h"

#define SETTINGS_BYTES_MAX	(64u * 1024)
#define DEFAULT_ID		"settings"

/* ---- kinds ---- */

static struct replication_kind kind_of(enum copy_type type)
{
	const struct copy_cim_type as = copy_cim_of_type(type);

	return (struct replication_kind){
		.type = as.replication_type, .sync_type = as.sync_type, .mode = as.mode,
		.locality = as.sync_type == REPLICATION_MIRROR ? REPLICATION_REMOTE : REPLICATION_LOCAL,
		.methodology = as.copy_methodology,
	};
}

unsigned replication_kinds(struct replication_kind kinds[REPLICATION_KINDS_MAX])
{
	unsigned count = 0, at;

	for (enum copy_type type = 0; type < COPY_TYPE_COUNT; type++) {
		const struct replication_kind kind = kind_of(type);

		for (at = 0; at < count && kinds[at].type < kind.type; at++)
			;
		if ((at < count && kinds[at].type == kind.type) || count == REPLICATION_KINDS_MAX)
			continue;
		memmove(&kinds[at + 1], &kinds[at], (count - at) * sizeof(*kinds));
		kinds[at] = kind;
		count++;
	}
	return count;
}

bool replication_find_kind(uint64_t type, struct replication_kind *kind)
{
	struct replication_kind kinds[REPLICATION_KINDS_MAX];
	unsigned count = replication_kinds(kinds);

	for (unsigned i = 0; i < count; i++) {
		if (kinds[i].type != type)
			continue;
		*kind = kinds[i];
		return true;
	}
	return false;
}

bool replication_find_sync_type(uint64_t sync_type, uint64_t mode, uint64_t locality, struct replication_kind *kind)
{
	struct replication_kind kinds[REPLICATION_KINDS_MAX];
	unsigned count = replication_kinds(kinds);

	for (unsigned i = 0; i < count; i++) {
		if (kinds[i].sync_type != sync_type || kinds[i].mode != mode || kinds[i].locality != locality)
			continue;
		*kind = kinds[i];
		return true;
	}
	return false;
}

/* Not all parameters that have these numbers have a value map. */
static bool is_replication_type(uint64_t number)
{
	enum { FIRST = 2, LAST = 27 };

	return number >= FIRST && number <= LAST;
}

int replication_read_kind(struct cim_call *call, struct replication_kind *kind, struct fault *fault)
{
	uint64_t type = cim_in_number(call, "ReplicationType");

	if (!is_replication_type(type))
		return ibm_bad(fault, "ReplicationType", "there is no such type");
	if (!replication_find_kind(type, kind))
		return fault_set(fault, FAULT_NOT_SUPPORTED, "ReplicationType",
				 "SupportedReplicationTypes says which are", "there are no such copies here");
	return replication_check_settings(call, kind, fault);
}

bool replication_is_mapped(const struct cim_call *call, const char *name, uint64_t number)
{
	const struct cim_schema_parameter *parameter = cim_schema_find_parameter(call->method, name);
	const char *text = cim_schema_value_name(&parameter->qualifiers, number);

	return text && strcmp(text, "DMTF Reserved") != 0;
}

int replication_read_sync_type(struct cim_call *call, struct replication_kind *kind, struct fault *fault)
{
	uint64_t sync_type = cim_in_number(call, "SyncType");
	uint64_t mode = cim_in_given(call, "Mode") ? cim_in_number(call, "Mode") : REPLICATION_ASYNC;
	uint64_t locality = sync_type == REPLICATION_MIRROR ? REPLICATION_REMOTE : REPLICATION_LOCAL;

	if (!replication_is_mapped(call, "SyncType", sync_type))
		return ibm_bad(fault, "SyncType", "there is no such type");
	if (!replication_is_mapped(call, "Mode", mode))
		return ibm_bad(fault, "Mode", "there is no such mode");
	if (!replication_find_sync_type(sync_type, mode, locality, kind))
		return fault_set(fault, FAULT_NOT_SUPPORTED, "SyncType", "mirrors of mode 2 or 3, snapshots and clones",
				 "there are no such copies");
	return replication_check_settings(call, kind, fault);
}

int replication_check_left_out(struct cim_call *call, const char *const *names, struct fault *fault)
{
	for (; *names; names++)
		if (cim_in_given(call, *names))
			return fault_set(fault, FAULT_NOT_SUPPORTED, *names, "leave it out", "it is not supported");
	return 0;
}

int replication_check_wait(struct cim_call *call, bool ends_whole, struct fault *fault)
{
	enum { SYNCHRONIZED = 4 };

	if (!cim_in_given(call, "WaitForCopyState") ||
	    (ends_whole && cim_in_number(call, "WaitForCopyState") == SYNCHRONIZED))
		return 0;
	return fault_set(fault, FAULT_NOT_SUPPORTED, "WaitForCopyState", "GetSupportedWaitForCopyStates says for which",
			 "nothing waits for that");
}

bool replication_ends_whole(uint64_t operation)
{
	enum { RESYNC_REPLICA = 14, RESTORE_FROM_REPLICA, RESUME };

	return operation == RESYNC_REPLICA || operation == RESTORE_FROM_REPLICA || operation == RESUME;
}

/* ---- settings ---- */

#define MIRRORS		(1u << REPLICATION_MIRROR)
#define SNAPSHOTS	(1u << REPLICATION_SNAPSHOT)
#define CLONES		(1u << REPLICATION_CLONE)
#define FLASHES		(SNAPSHOTS | CLONES)
#define ALL		(MIRRORS | FLASHES)

/*
 * Copies of groups and lists are made all at one moment, or none is; members go with one another in their order;
 * targets are volumes that take their space as their sources do.
 */
static const struct replication_setting settings[] = {
	{ 2, "ConsistentPointInTime", FLASHES, 2, { 1, 0 } },
	{ 2, "ConsistentPointInTime", MIRRORS, 1, { 0 } },
	{ 3, "DesiredCopyMethodology", MIRRORS, 3, { 2, 3, 4 } },
	{ 3, "DesiredCopyMethodology", SNAPSHOTS, 2, { 2, 6 } },
	{ 3, "DesiredCopyMethodology", CLONES, 2, { 2, 3 } },
	{ 4, "Multihop", ALL, 1, { 1 } },
	{ 5, "OnGroupOrListError", ALL, 1, { 3 } },
	{ 6, "UnequalGroupsAction", ALL, 1, { 2 } },
	{ 7, "TargetElementSupplier", ALL, 1, { 4 } },
	{ 8, "ThinProvisioningPolicy", ALL, 2, { 7, 2 } },
	{ 9, "Pairing", ALL, 2, { 3, 2 } },
	{ 10, "FailedCopyStopsHostIO", ALL, 1, { 0 } },
	{ 11, "CopyRecoveryMode", MIRRORS, 2, { 4, 2 } },
	{ 11, "CopyRecoveryMode", FLASHES, 1, { 4 } },
	{ 12, "UnequalListsAction", ALL, 1, { 2 } },
	{ 15, "ReadOnly", MIRRORS, 1, { 3 } },
	{ 16, "StorageCompressionPolicy", ALL, 1, { 7 } },
	{ 17, "TargetElementResourcePool", FLASHES, 2, { 3, 2 } },
	{ 17, "TargetElementResourcePool", MIRRORS, 1, { 2 } },
	{ 18, "TargetElementGoal", ALL, 2, { 2, 3 } },
	{ 19, "RRCSoftwareCompressionEnabled", ALL, 1, { 0 } },
	{ 20, "RRCHardwareCompressionEnabled", ALL, 1, { 0 } },
	{ 21, "AutoDelete", ALL, 1, { 0 } },
	{ 24, "ConsistencyExempt", ALL, 1, { 0 } },
	{ 25, "ConsistentAsyncCopy", ALL, 1, { 0 } },
	{ 0, "CopyPriority", ALL, 4, { COPY_LOW, COPY_SAME, COPY_HIGH, COPY_URGENT } },
};
#define SETTINGS	(sizeof(settings) / sizeof(settings[0]))

static bool is_of(const struct replication_setting *setting, const struct replication_kind *kind)
{
	return !kind || setting->sync_types & 1u << kind->sync_type;
}

const struct replication_setting *replication_find_setting(const struct replication_kind *kind, uint16_t number)
{
	for (size_t i = 0; number && i < SETTINGS; i++)
		if (settings[i].number == number && is_of(&settings[i], kind))
			return &settings[i];
	return NULL;
}

static bool may_be(const struct replication_kind *kind, const char *property, uint64_t number)
{
	for (size_t i = 0; i < SETTINGS; i++)
		for (unsigned at = 0; at < settings[i].count; at++)
			if (is_of(&settings[i], kind) && settings[i].values[at] == number &&
			    !strcmp(settings[i].property, property))
				return true;
	return false;
}

static bool is_done(const struct replication_kind *kind, const struct cim_schema_property *property,
		    const struct cim_value *value)
{
	if (value->is_null || strcmp(property->origin->name, "CIM_ReplicationSettingData") != 0)
		return true;
	switch (value->type) {
	case CIM_TYPE_STRING: return true;	/* what it is called is no wish */
	case CIM_TYPE_BOOLEAN: return may_be(kind, property->name, value->one.boolean);
	case CIM_TYPE_UINT16:
	case CIM_TYPE_UINT64: return may_be(kind, property->name, value->one.number);
	default: return false;
	}
}

/* NULL also where a method takes none. */
static const struct cim_given *given_settings(const struct cim_call *call)
{
	static const char name[] = "ReplicationSettingData";

	return cim_schema_find_parameter(call->method, name) ? cim_in_embedded(call, name) : NULL;
}

int replication_check_settings(struct cim_call *call, const struct replication_kind *kind, struct fault *fault)
{
	const struct cim_given *given = given_settings(call);
	const struct cim_schema_class *class;

	if (!given)
		return 0;
	class = given->instance->class;
	for (unsigned i = 0; i < class->property_count; i++)
		if (!is_done(kind, class->properties[i], &given->instance->values[i]))
			return fault_set(fault, FAULT_NOT_SUPPORTED, class->properties[i]->name,
					 "GetSupportedReplicationSettingData says which values it may have",
					 "it has no such value with copies of this kind");
	return 0;
}

enum copy_priority replication_priority(const struct cim_call *call)
{
	const struct cim_given *given = given_settings(call);
	const struct cim_value *value = given ? cim_given_value(given, "CopyPriority") : NULL;

	return value ? (enum copy_priority)value->one.number : COPY_LOW;
}

static void set_default(struct cim_instance *instance, const struct replication_setting *setting)
{
	struct cim_value *value = cim_instance_value(instance, setting->property);

	if (value->type == CIM_TYPE_BOOLEAN)
		cim_set_flag(value, setting->values[0]);
	else
		cim_set_number(value, setting->values[0]);
}

const char *replication_default_settings(struct cim_call *call, const struct replication_kind *kind)
{
	const struct cim_schema_class *class = cim_twin_class(call->ns, &cim_twin_replication_settings);
	struct cim_instance *instance = cim_instance_new(call->arena, call->ns, class);
	const char *text;
	struct xml_text xml;

	if (!instance)
		return NULL;
	cim_set_text(cim_instance_value(instance, "InstanceID"),
		     cim_thing_id(call->arena, control_system_id(call->control), DEFAULT_ID,
				  arena_print(call->arena, "%u", kind->type)));
	cim_set_text(cim_instance_value(instance, "ElementName"), "Defaults");
	for (size_t i = 0; i < SETTINGS; i++)
		if (is_of(&settings[i], kind))
			set_default(instance, &settings[i]);
	xml_text_init(&xml, SETTINGS_BYTES_MAX);
	xml_put_instance(&xml, instance, NULL);
	text = xml.failed ? NULL : arena_copy_bytes(call->arena, xml.bytes, xml.used);
	xml_text_free(&xml);
	return text;
}
