/* SPDX-License-Identifier: Apache-2.0 */
/* What clients change of services and copies: their writable properties. */
#include "face/cim/change.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/operations.h"
#include "control/service.h"
#include "face/cim/thing.h"
#include "rt/utf8.h"

#define OWNER_NAME_CHARACTERS		64u
#define OWNER_CONTACT_CHARACTERS	256u

/* EnabledDefault: what a service can start in. */
enum { DEFAULT_ENABLED = 2, DEFAULT_DISABLED = 3, DEFAULT_NONE = 7 };

/* A change on its way to reactor 0, and what came of it. */
struct change {
	const struct cim_operation_call *call;
	const struct cim_path *path;
	const struct operation *operation;	/* of the command line, that does the same */
	int (*fn)(struct control *control, struct change *change, struct fault *fault);
	struct fault fault;
	bool sets_owner, sets_contact, sets_default;
	struct service_about about;
	enum copy_priority priority;
};

/* ---- how it is done ---- */

static int do_change(struct control *control, void *arg)
{
	struct change *change = arg;
	char text[XDC_EVENT_TEXT_MAX];

	if (control_command_begin(control, change->operation, &change->fault))
		return 0;
	if (!change->fn(control, change, &change->fault)) {
		change->fault.code = FAULT_NONE;
		snprintf(text, sizeof(text), "%.40s: %s (%s %s)", change->call->caller->user,
			 change->call->request->operation, change->operation->noun, change->operation->verb);
		control_note_change(control, "cim", text);
	}
	control_command_end(control, change->operation);
	return 0;
}

static bool carry_out(struct cim_operation_call *call, struct change *change, const char *noun, const char *verb)
{
	int rc;

	change->call = call;
	change->operation = operation_find(noun, verb);
	/* Until it is done. */
	change->fault.code = FAULT_FAILED;
	if (!cim_caller_may(call->caller, change->operation->role, call->request->operation, &call->failure))
		return false;
	rc = cim_engine_call(call->engine, do_change, change);
	if (rc < 0)
		return cim_engine_fail(rc, &call->failure);
	if (change->fault.code == FAULT_NONE)
		return true;
	return cim_fail(&call->failure, change->fault.code == FAULT_INVALID_PARAMETER ? CIM_ERR_INVALID_PARAMETER :
			CIM_ERR_FAILED, "%s", change->fault.message);
}

/* Was it given, be it as NULL? */
static bool is_given(const struct cim_given *given, const char *property)
{
	return given->is_given[cim_instance_value(given->instance, property) - given->instance->values];
}

/* ---- services: they are one, and note the same ---- */

static bool take_text(struct cim_operation_call *call, const struct cim_given *given, const char *property,
		      size_t characters_max, char *out, size_t size)
{
	const char *text = cim_given_text(given, property);
	size_t count = 0;

	for (const char *at = text; at && *at; at += utf8_character_len(at))
		count++;
	if (count > characters_max || (text && strlen(text) >= size))
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "%s has at most %zu characters", property,
				characters_max);
	snprintf(out, size, "%s", text ? text : "");
	return true;
}

static bool take_default(struct cim_operation_call *call, const struct cim_given *given, uint8_t *out)
{
	const struct cim_value *value = cim_given_value(given, "EnabledDefault");
	uint64_t number = value ? value->one.number : DEFAULT_ENABLED;

	if (number != DEFAULT_ENABLED && number != DEFAULT_DISABLED && number != DEFAULT_NONE)
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER,
				"EnabledDefault is 2 (Enabled), 3 (Disabled) or 7 (No Default)");
	*out = (uint8_t)number;
	return true;
}

static int note_about(struct control *control, struct change *change, struct fault *fault)
{
	struct service_info info;

	control_service_get(control, &info);
	if (!change->sets_owner)
		memcpy(change->about.owner_name, info.about.owner_name, sizeof(info.about.owner_name));
	if (!change->sets_contact)
		memcpy(change->about.owner_contact, info.about.owner_contact, sizeof(info.about.owner_contact));
	if (!change->sets_default)
		change->about.enabled_default = info.about.enabled_default;
	return control_service_note(control, &change->about, fault);
}

static bool modify_service(struct cim_operation_call *call, const struct cim_path *path, const struct cim_given *given)
{
	struct change change = {
		.path = path, .fn = note_about, .sets_owner = is_given(given, "PrimaryOwnerName"),
		.sets_contact = is_given(given, "PrimaryOwnerContact"),
		.sets_default = is_given(given, "EnabledDefault"),
	};
	struct service_about *about = &change.about;

	return take_text(call, given, "PrimaryOwnerName", OWNER_NAME_CHARACTERS, about->owner_name,
			 sizeof(about->owner_name)) &&
	       take_text(call, given, "PrimaryOwnerContact", OWNER_CONTACT_CHARACTERS, about->owner_contact,
			 sizeof(about->owner_contact)) &&
	       take_default(call, given, &about->enabled_default) &&
	       carry_out(call, &change, "service", "request-state");
}

/* ---- copies ---- */

/* The end of a copy that is a volume of this system. */
static bool find_here(struct control *control, const struct cim_path *path, const char *key, uint16_t *id)
{
	const struct cim_scalar *end = cim_path_key(path, key);

	return end && !end->is_null && cim_path_finds_volume(control, end->path, id);
}

static int set_pair_priority(struct control *control, struct change *change, struct fault *fault)
{
	const struct cim_scalar *target = cim_path_key(change->path, "SyncedElement");
	struct copy_pair_name name = { 0 };
	uint16_t remote;

	if (!find_here(control, change->path, "SystemElement", &name.volume))
		return fault_set(fault, FAULT_INVALID_PARAMETER, "pair", "", "only its source sets its priority");
	if (!cim_path_is_remote(target->path, name.system, &remote))
		snprintf(name.system, sizeof(name.system), "%s", control_system_id(control));
	return copy_pair_set_priority(control_copy(control), &name, change->priority, fault);
}

static int set_priority(struct control *control, struct change *change, struct fault *fault)
{
	struct copy_flash_change wanted = { .has_priority = true, .priority = change->priority };
	struct record_flash flash;
	uint16_t source, target;

	if (find_here(control, change->path, "SystemElement", &source) &&
	    find_here(control, change->path, "SyncedElement", &target) &&
	    copy_flash_get(control_copy(control), target, &flash) && flash.source == source)
		return control_flash_set(control, target, &wanted, fault);
	return set_pair_priority(control, change, fault);
}

static bool modify_copy(struct cim_operation_call *call, const struct cim_path *path, const struct cim_given *given)
{
	const struct cim_value *value = cim_given_value(given, "CopyPriority");
	struct change change = { .path = path, .fn = set_priority };

	if (!is_given(given, "CopyPriority"))
		return true;
	if (!value || value->one.number >= COPY_PRIORITY_COUNT)
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER,
				"CopyPriority is 0 (Not Managed) to 4 (Urgent)");
	change.priority = (enum copy_priority)value->one.number;
	return carry_out(call, &change, "pair", "set");
}

const struct cim_changer cim_changers_storage[] = {
	{ "IBMTSESS_AsyncPPRCService", CIM_IN(IBM), NULL, modify_service, NULL },
	{ "IBMTSESS_ReplicationService", CIM_IN(IBM), NULL, modify_service, NULL },
	{ "MSISCSITARGET_StorageConfigurationService", CIM_IN(ISCSITARGET), NULL, modify_service, NULL },
	{ "MSISCSITARGET_ReplicationService", CIM_IN(ISCSITARGET), NULL, modify_service, NULL },
	{ "IBMTSESS_StorageSynchronized", CIM_IN(IBM), NULL, modify_copy, NULL },
	{ "MSISCSITARGET_StorageSynchronized", CIM_IN(ISCSITARGET), NULL, modify_copy, NULL },
	{ .class_name = NULL },
};
