/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The systems that this one copies to, where they are reached, and the paths from its LSSs to theirs; and the software
 * that it runs itself. In root/ibm alone.
 */
#include "face/cim/links.h"
#include "face/cim/views.h"

#include <stdlib.h>
#include <string.h>

#include "face/cim/thing.h"

/* ---- rows ---- */

struct path_row {
	struct copy_path path;
	uint16_t ssid;			/* of the source LSS */
	bool connected;
	uint32_t pairs;
};

/* The smallest keys after one, in order, at most so many. */
struct paths_fetch {
	const struct path_row *after;
	struct path_row *rows;
	unsigned count, max;
	bool by_system;			/* one a system */
};

static int compare(const struct paths_fetch *fetch, const struct path_row *a, const struct path_row *b)
{
	int by = strcmp(a->path.system, b->path.system);

	if (fetch->by_system)
		return by;
	if (a->path.source_lss != b->path.source_lss)
		return a->path.source_lss - b->path.source_lss;
	return by ? by : a->path.target_lss - b->path.target_lss;
}

static void add_path(void *arg, const struct copy_path_info *info)
{
	struct paths_fetch *fetch = arg;
	const struct path_row row = { .path = info->path, .connected = info->connected };
	unsigned at = fetch->count;

	if (fetch->after && compare(fetch, &row, fetch->after) <= 0)
		return;
	while (at > 0 && compare(fetch, &fetch->rows[at - 1], &row) > 0)
		at--;
	if (at > 0 && compare(fetch, &fetch->rows[at - 1], &row) == 0) {
		fetch->rows[at - 1].connected |= row.connected;
		return;
	}
	if (at == fetch->max)
		return;
	if (fetch->count < fetch->max)
		fetch->count++;
	memmove(&fetch->rows[at + 1], &fetch->rows[at], (fetch->count - 1 - at) * sizeof(*fetch->rows));
	fetch->rows[at] = row;
}

/* Of one LSS, whose paths these are. */
struct pairs_count {
	struct path_row *rows;
	unsigned count;
};

static void count_pair(void *arg, const struct copy_pair_info *info)
{
	struct pairs_count *of = arg;

	for (unsigned i = 0; i < of->count && info->is_source; i++)
		of->rows[i].pairs += info->remote_volume >> 8 == of->rows[i].path.target_lss &&
				     !strcmp(info->system, of->rows[i].path.system);
}

/* Those of the first LSS; how many. Each of its volumes is looked at once, however many paths it has. */
static unsigned fill_rows(struct control *control, struct path_row *rows, unsigned count)
{
	struct pairs_count of = { .rows = rows, .count = 1 };
	unsigned lss = rows->path.source_lss;
	struct lss_info info;
	struct fault none;

	while (of.count < count && rows[of.count].path.source_lss == lss)
		of.count++;
	for (unsigned volume = lss << 8; volume < (lss + 1) << 8; volume++)
		copy_pair_each_of(control_copy(control), (uint16_t)volume, count_pair, &of);
	if (!control_lss_get(control, (uint8_t)lss, &info, &none))
		for (unsigned i = 0; i < of.count; i++)
			rows[i].ssid = info.record.ssid;
	return of.count;
}

static int fetch_paths(struct control *control, const void *after, void *rows, unsigned max)
{
	struct paths_fetch fetch = { .after = after, .rows = rows, .max = max };

	copy_path_each(control_copy(control), add_path, &fetch);
	for (unsigned at = 0; at < fetch.count;)
		at += fill_rows(control, &fetch.rows[at], fetch.count - at);
	return (int)fetch.count;
}

static int fetch_systems(struct control *control, const void *after, void *rows, unsigned max)
{
	struct paths_fetch fetch = { .after = after, .rows = rows, .max = max, .by_system = true };

	copy_path_each(control_copy(control), add_path, &fetch);
	return (int)fetch.count;
}

static const struct cim_source paths = { sizeof(struct path_row), fetch_paths, NULL };
static const struct cim_source systems = { sizeof(struct path_row), fetch_systems, NULL };

/* ---- paths ---- */

static void fill_path_id(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct copy_path *path = &((const struct path_row *)row)->path;

	cim_set_text(value, cim_thing_id(place->arena, place->system, "path",
					 arena_print(place->arena, "%02X:%s:%02X", path->source_lss, path->system,
						     path->target_lss)));
}

static void fill_path_name(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct copy_path *path = &((const struct path_row *)row)->path;

	cim_set_text(value, arena_print(place->arena, "LSS %02X to %02X of %s", path->source_lss, path->target_lss,
					path->system));
}

static void fill_source_lss(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct path_row *path = row;

	cim_set_text(value, cim_lss_text(place->arena, place->system, path->path.source_lss, path->ssid));
}

static void fill_target_lss(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct copy_path *path = &((const struct path_row *)row)->path;

	cim_set_text(value, cim_lss_text(place->arena, path->system, path->target_lss, 0));
}

/* Connectivity/Up, No Connectivity/Down. */
static void fill_connectivity(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_number(value, ((const struct path_row *)row)->connected ? 2 : 3);
}

static const struct cim_column columns_path[] = {
	CIM_FILL("InstanceID", fill_path_id), CIM_FILL("ElementName", fill_path_name), CIM_TEXT("Caption", "Path"),
	CIM_FILL("SourceLSS", fill_source_lss), CIM_FILL("TargetLSS", fill_target_lss),
	CIM_ROW_NUMBER("NumberOfPairs", struct path_row, pairs), CIM_FILL("ConnectivityStatus", fill_connectivity),
	CIM_END,
};

/* ---- systems ---- */

/* OK, or Lost Communication. */
static void fill_status(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const uint16_t status = ((const struct path_row *)row)->connected ? 2 : 13;

	cim_set_numbers(place->arena, value, &status, 1);
}

/* Of one that is not heard nothing is known. */
static void fill_health(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_number(value, ((const struct path_row *)row)->connected ? 5 : 0);
}

/* Storage, and block server. */
static void fill_dedicated(const struct cim_place *place, const void *row, struct cim_value *value)
{
	static const uint16_t numbers[] = { 3, 15 };

	(void)row;
	cim_set_numbers(place->arena, value, numbers, 2);
}

static const struct cim_column columns_remote[] = {
	CIM_CLASS("CreationClassName"), CIM_ROW_TEXT("Name", struct path_row, path.system),
	CIM_ROW_TEXT("ElementName", struct path_row, path.system), CIM_ROW_TEXT("ESSID", struct path_row, path.system),
	CIM_TEXT("NameFormat", "Other"), CIM_TEXT("Caption", "Storage system"),
	CIM_TEXT("Description", "Another storage system, which this one copies to"),
	CIM_FILL("Dedicated", fill_dedicated), CIM_ROW_FLAG("Reachable", struct path_row, connected),
	CIM_FILL("OperationalStatus", fill_status), CIM_FILL("HealthState", fill_health), CIM_NUMBER("EnabledState", 5),
	CIM_END,
};

/* ---- where they are reached ---- */

static const struct cim_column columns_access[] = {
	CIM_TEXT("SystemCreationClassName", "IBMTSESS_StorageSystem"), CIM_SYSTEM("SystemName"),
	CIM_CLASS("CreationClassName"), CIM_ROW_TEXT("Name", struct path_row, path.system),
	CIM_ROW_TEXT("ElementName", struct path_row, path.system), CIM_TEXT("Caption", "Link"),
	CIM_ROW_TEXT("AccessInfo", struct path_row, path.address), CIM_NUMBER("InfoFormat", 1),
	CIM_TEXT("OtherInfoFormatDescription", "HOST:PORT"), CIM_NUMBER("AccessContext", 1),
	CIM_TEXT("OtherAccessContext", "Link of a storage system"), CIM_FILL("OperationalStatus", fill_status),
	CIM_NUMBER("EnabledState", 5),
	CIM_END,
};

/* ---- software ---- */

static void fill_software_id(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)row;
	cim_set_text(value, cim_thing_id(place->arena, place->system, "software", "xdcd"));
}

/* Of its numbers the one at that index. */
static void set_version(struct cim_value *value, unsigned index)
{
	const char *at = XDC_VERSION;

	while (index-- > 0 && *(at += strcspn(at, ".")))
		at++;
	cim_set_number(value, strtoul(at, NULL, 10));
}

static void fill_major(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	(void)row;
	set_version(value, 0);
}

static void fill_minor(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	(void)row;
	set_version(value, 1);
}

static void fill_revision(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	(void)row;
	set_version(value, 2);
}

/* Application Software. */
static void fill_classes(const struct cim_place *place, const void *row, struct cim_value *value)
{
	static const uint16_t application = 4;

	(void)row;
	cim_set_numbers(place->arena, value, &application, 1);
}

static const struct cim_column columns_software[] = {
	CIM_FILL("InstanceID", fill_software_id), CIM_TEXT("Name", "xdcd"), CIM_TEXT("ElementName", "xdcd"),
	CIM_TEXT("Caption", "Storage server"), CIM_TEXT("Manufacturer", "xdc"),
	CIM_TEXT("VersionString", XDC_VERSION), CIM_FILL("MajorVersion", fill_major),
	CIM_FILL("MinorVersion", fill_minor), CIM_FILL("RevisionNumber", fill_revision),
	CIM_FILL("Classifications", fill_classes), CIM_FLAG("IsEntity", true), CIM_STATUS("OperationalStatus", 2),
	CIM_NUMBER("HealthState", 5),
	CIM_END,
};

const struct cim_view cim_views_peer[] = {
	{ "IBMTSESS_Path", CIM_IN(IBM), &paths, columns_path, NULL, NULL, NULL },
	{ "IBMTSESS_RemoteSystem", CIM_IN(IBM), &systems, columns_remote, NULL, NULL, NULL },
	{ "IBMTSESS_RemoteServiceAccessPoint", CIM_IN(IBM), &systems, columns_access, NULL, NULL, NULL },
	{ "IBMTSESS_SoftwareIdentity", CIM_IN(IBM), NULL, columns_software, NULL, NULL, NULL },
	{ .class_name = NULL },
};

/* ---- associations ---- */

static const struct cim_path *to_system(const struct cim_place *place, const struct cim_end *end, unsigned index)
{
	(void)end;
	return index == 0 ? cim_path_of_system(place->arena, place->ns, place->system) : NULL;
}

static const struct cim_path *path_of_remote_system(const struct cim_place *place, const char *system)
{
	static const char class[] = "IBMTSESS_RemoteSystem";
	struct cim_path *path = cim_path_new(place->arena, place->ns, cim_schema_find_class(place->ns, class));

	cim_path_set_text(path, "CreationClassName", class);
	cim_path_set_text(path, "Name", system);
	return path;
}

static const struct cim_path *to_access_point(const struct cim_place *place, const struct cim_end *end, unsigned index)
{
	static const char class[] = "IBMTSESS_RemoteServiceAccessPoint";
	const struct path_row *row = end->row;
	struct cim_path *path;

	if (index > 0)
		return NULL;
	path = cim_path_new(place->arena, place->ns, cim_schema_find_class(place->ns, class));
	cim_path_set_text(path, "SystemCreationClassName", "IBMTSESS_StorageSystem");
	cim_path_set_text(path, "SystemName", place->system);
	cim_path_set_text(path, "CreationClassName", class);
	cim_path_set_text(path, "Name", row->path.system);
	return path;
}

/* The system that is reached, and the service that reaches it. */
static const struct cim_path *to_reached(const struct cim_place *place, const struct cim_end *end, unsigned index)
{
	const struct path_row *row = end->row;

	if (index == 0)
		return path_of_remote_system(place, row->path.system);
	return index == 1 ? cim_path_of_service(place->arena, place->ns, &cim_twin_replication_service,
						place->system) : NULL;
}

const struct cim_link cim_links_peer[] = {
	{ "IBMTSESS_HostedAccessPoint", CIM_IN(IBM), "IBMTSESS_RemoteServiceAccessPoint", "Dependent",
	  "CIM_ComputerSystem", "Antecedent", to_system, NULL },
	{ "IBMTSESS_SAPAvailableForElement", CIM_IN(IBM), "IBMTSESS_RemoteServiceAccessPoint", "AvailableSAP",
	  "CIM_ManagedElement", "ManagedElement", to_reached, NULL },
	{ "IBMTSESS_MemberOfCollection", CIM_IN(IBM), "IBMTSESS_Path", "Collection",
	  "IBMTSESS_RemoteServiceAccessPoint", "Member", to_access_point, NULL },
	{ "IBMTSESS_InstalledSoftwareIdentity", CIM_IN(IBM), "IBMTSESS_SoftwareIdentity", "InstalledSoftware",
	  "IBMTSESS_StorageSystem", "System", to_system, NULL },
	{ .class_name = NULL },
};
