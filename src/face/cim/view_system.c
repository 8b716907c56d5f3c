/* SPDX-License-Identifier: Apache-2.0 */
/* The system itself, its services and its LSSs. */
#include "face/cim/views.h"

#include <errno.h>
#include <string.h>

#include "control/service.h"
#include "face/cim/thing.h"

/* ---- the system ---- */

struct system_row {
	int64_t created_wall_ns;
	uint16_t operational_status, health;
};

/* Degraded while something of it is offline; HealthState 5 OK, 10 Degraded. */
static void judge_pool(void *arg, const struct pool_info *info)
{
	struct system_row *row = arg;

	if (!info->error)
		return;
	row->operational_status = 3;
	row->health = 10;
}

static int find_system(struct control *control, void *row)
{
	struct system_row *system = row;
	struct system_info info;
	struct fault fault;

	*system = (struct system_row){ .operational_status = 2, .health = 5 };
	if (control_system_get(control, &info, &fault) || control_pool_each(control, judge_pool, system, &fault))
		return -ETIMEDOUT;
	system->created_wall_ns = info.record->created_wall_ns;
	return 1;
}

static int fetch_system(struct control *control, const void *after, void *rows, unsigned max)
{
	(void)max;
	return after ? 0 : find_system(control, rows);
}

static bool key_of_any(const struct cim_path *path, void *row)
{
	(void)path;
	(void)row;
	return true;
}

static const struct cim_source system_source = { sizeof(struct system_row), fetch_system, find_system };

static void fill_system_created(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_time(value, ((const struct system_row *)row)->created_wall_ns);
}

static void fill_system_status(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_numbers(place->arena, value, &((const struct system_row *)row)->operational_status, 1);
}

/* Storage, and block server. */
static void fill_dedicated(const struct cim_place *place, const void *row, struct cim_value *value)
{
	static const uint16_t numbers[] = { 3, 15 };

	(void)row;
	cim_set_numbers(place->arena, value, numbers, 2);
}

static void fill_identifying(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const char *const texts[] = { place->system };

	(void)row;
	cim_set_texts(place->arena, value, texts, 1);
}

static void fill_descriptions(const struct cim_place *place, const void *row, struct cim_value *value)
{
	static const char *const texts[] = { "ESSID" };

	(void)row;
	cim_set_texts(place->arena, value, texts, 1);
}

static const struct cim_column columns_system[] = {
	CIM_CLASS("CreationClassName"), CIM_SYSTEM("Name"), CIM_SYSTEM("ElementName"), CIM_TEXT("NameFormat", "Other"),
	CIM_TEXT("Caption", "Storage system"), CIM_TEXT("Description", "A storage server that copies volumes"),
	CIM_FILL("Dedicated", fill_dedicated), CIM_NUMBER("ResetCapability", 5),
	CIM_FILL("OtherIdentifyingInfo", fill_identifying), CIM_FILL("IdentifyingDescriptions", fill_descriptions),
	CIM_FILL("InstallDate", fill_system_created), CIM_FILL("OperationalStatus", fill_system_status),
	CIM_ROW_NUMBER("HealthState", struct system_row, health), CIM_NUMBER("EnabledState", 2),
	CIM_END,
};

static const struct cim_column columns_system_ibm[] = { CIM_SYSTEM("ESSID"), CIM_END };

/* ---- services: all are in the one state of the management ---- */

struct service_row {
	uint16_t enabled_state, requested_state, operational_status, enabled_default;
	int64_t since_wall_ns;
	bool started;
	char owner[XDC_OWNER_NAME_MAX], contact[XDC_OWNER_CONTACT_MAX];
};

static int find_service(struct control *control, void *row)
{
	struct service_row *service = row;
	struct service_info info;

	control_service_get(control, &info);
	*service = (struct service_row){
		.enabled_state = (uint16_t)service_state_values[info.state],
		.requested_state = (uint16_t)service_request_values[info.requested],
		.operational_status = info.state == SERVICE_ENABLED ? 2 : info.state == SERVICE_SHUTTING_DOWN ? 9 : 10,
		.since_wall_ns = info.since_wall_ns, .started = info.state == SERVICE_ENABLED,
		.enabled_default = (uint16_t)info.about.enabled_default,
	};
	memcpy(service->owner, info.about.owner_name, sizeof(service->owner));
	memcpy(service->contact, info.about.owner_contact, sizeof(service->contact));
	return 1;
}

static int fetch_service(struct control *control, const void *after, void *rows, unsigned max)
{
	(void)max;
	return after ? 0 : find_service(control, rows);
}

static const struct cim_source service_source = { sizeof(struct service_row), fetch_service, find_service };

/* The state of one that has not changed since ever is as old as nothing. */
static void fill_since(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct service_row *service = row;

	(void)place;
	if (service->since_wall_ns)
		cim_set_time(value, service->since_wall_ns);
	else
		cim_set_interval(value, 0);
}

static void fill_service_status(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_numbers(place->arena, value, &((const struct service_row *)row)->operational_status, 1);
}

static void fill_service_words(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const char *const texts[] = {
		((const struct service_row *)row)->started ? "commands are carried out" : "commands are refused",
	};

	cim_set_texts(place->arena, value, texts, 1);
}

static void fill_status_word(const struct cim_place *place, const void *row, struct cim_value *value)
{
	uint16_t status = ((const struct service_row *)row)->operational_status;

	(void)place;
	cim_set_text(value, status == 2 ? "OK" : status == 9 ? "Stopping" : "Stopped");
}

/* Enabled, disabled, shut down, offline, test, deferred, quiesce, reboot, reset. */
static void fill_available(const struct cim_place *place, const void *row, struct cim_value *value)
{
	static const uint16_t numbers[] = { 2, 3, 4, 9, 10, 11 };

	(void)row;
	cim_set_numbers(place->arena, value, numbers, sizeof(numbers) / sizeof(numbers[0]));
}

static const struct cim_column columns_service[] = {
	CIM_SYSTEM("SystemName"), CIM_CLASS("CreationClassName"), CIM_CLASS("Name"), CIM_CLASS("ElementName"),
	CIM_ROW_TEXT("PrimaryOwnerName", struct service_row, owner),
	CIM_ROW_TEXT("PrimaryOwnerContact", struct service_row, contact),
	CIM_ROW_NUMBER("EnabledDefault", struct service_row, enabled_default),
	CIM_TEXT("StartMode", "Automatic"), CIM_ROW_FLAG("Started", struct service_row, started),
	CIM_ROW_NUMBER("EnabledState", struct service_row, enabled_state),
	CIM_ROW_NUMBER("RequestedState", struct service_row, requested_state),
	CIM_FILL("TimeOfLastStateChange", fill_since), CIM_FILL("OperationalStatus", fill_service_status),
	CIM_FILL("StatusDescriptions", fill_service_words), CIM_FILL("Status", fill_status_word),
	CIM_NUMBER("HealthState", 5), CIM_FILL("AvailableRequestedStates", fill_available),
	CIM_TEXT("Caption", "Service"), CIM_TEXT("Description", "Manages pools, volumes and their copies"),
	CIM_END,
};

static const struct cim_column columns_service_ibm[] = {
	CIM_TEXT("SystemCreationClassName", "IBMTSESS_StorageSystem"), CIM_END,
};

static const struct cim_column columns_service_iscsitarget[] = {
	CIM_TEXT("SystemCreationClassName", "MSISCSITARGET_ComputerSystem"), CIM_END,
};

/* ---- LSSs ---- */

struct lss_row {
	uint8_t id;
	uint16_t ssid;
};

struct lss_fetch {
	int after;
	struct lss_row *rows;
	unsigned count, max;
};

static void add_lss(void *arg, const struct lss_info *info)
{
	struct lss_fetch *fetch = arg;

	if (info->record.id > fetch->after && fetch->count < fetch->max)
		fetch->rows[fetch->count++] = (struct lss_row){ info->record.id, info->record.ssid };
}

static int fetch_lsss(struct control *control, const void *after, void *rows, unsigned max)
{
	struct lss_fetch fetch = { .after = after ? ((const struct lss_row *)after)->id : -1,
				   .rows = rows,
				   .max = max };

	control_lss_each(control, add_lss, &fetch);
	return (int)fetch.count;
}

static const struct cim_source lss_source = { sizeof(struct lss_row), fetch_lsss, NULL };

static void fill_lss_id(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_text(value, arena_print(place->arena, "%02X", ((const struct lss_row *)row)->id));
}

static void fill_lss_text(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct lss_row *lss = row;

	cim_set_text(value, cim_lss_text(place->arena, place->system, lss->id, lss->ssid));
}

static void fill_lss_instance(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct cim_path *path = cim_path_of_lss(place->arena, place->ns, place->system,
						      ((const struct lss_row *)row)->id);

	cim_set_text(value, path ? cim_path_key_text(path, "InstanceID") : NULL);
}

static void fill_ssid(const struct cim_place *place, const void *row, struct cim_value *value)
{
	uint16_t ssid = ((const struct lss_row *)row)->ssid;

	cim_set_text(value, ssid ? arena_print(place->arena, "%04X", ssid) : "");
}

static const struct cim_column columns_lss[] = {
	CIM_FILL("InstanceID", fill_lss_instance), CIM_FILL("LSS", fill_lss_text), CIM_FILL("LSSID", fill_lss_id),
	CIM_FILL("SSID", fill_ssid), CIM_FILL("ElementName", fill_lss_id), CIM_TEXT("Caption", "Logical subsystem"),
	CIM_END,
};

const struct cim_view cim_views_system[] = {
	{ "IBMTSESS_StorageSystem", CIM_IN(IBM), &system_source, columns_system, columns_system_ibm, key_of_any, NULL },
	{ "MSISCSITARGET_ComputerSystem", CIM_IN(ISCSITARGET), &system_source, columns_system, NULL, key_of_any, NULL },
	{ "IBMTSESS_AsyncPPRCService", CIM_IN(IBM), &service_source, columns_service, columns_service_ibm, key_of_any,
	  NULL },
	{ "IBMTSESS_ReplicationService", CIM_IN(IBM), &service_source, columns_service, columns_service_ibm,
	  key_of_any, NULL },
	{ "MSISCSITARGET_StorageConfigurationService", CIM_IN(ISCSITARGET), &service_source, columns_service,
	  columns_service_iscsitarget, key_of_any, NULL },
	{ "MSISCSITARGET_ReplicationService", CIM_IN(ISCSITARGET), &service_source, columns_service,
	  columns_service_iscsitarget, key_of_any, NULL },
	{ "IBMTSESS_LSS", CIM_IN(IBM), &lss_source, columns_lss, NULL, NULL, NULL },
	{ .class_name = NULL },
};
