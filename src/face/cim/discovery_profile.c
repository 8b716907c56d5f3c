/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The profiles of SNIA that this server is registered with, in interop, and what conforms to each. As SNIA has it a
 * profile is the antecedent of those that are part of it, and SMI-S itself leads to the profiles on top.
 *
 * One profile Array leads to the system of root/ibm, which clients take the namespace from; what
 * root/cimv2/storage/iscsitarget shows are the same volumes again, so it hangs on a registration of its own.
 */
#include "face/cim/discovery.h"

#include "face/cim/indication.h"
#include "face/cim/links.h"
#include "face/cim/thing.h"
#include "face/cim/views.h"

#define VERSION		"1.6.1"
#define SUB_CLASS	"CIM_RegisteredSubProfile"
#define TOP_CLASS	"CIM_RegisteredProfile"
#define PARENTS_MAX	2u

enum profile_id {
	SMIS, SERVER, ARRAY, BLOCK_SERVICES, COPY_SERVICES, REPLICATION_SERVICES, JOB_CONTROL, INDICATION,
	ISCSITARGET_REPLICATION, PROFILE_COUNT,
};

/* Where a profile leads: index counts its ends. NULL: there are no more. */
typedef const struct cim_path *lead(const struct cim_place *place, unsigned index);

static const struct cim_path *profile_path(const struct cim_place *place, enum profile_id id);

static const struct cim_path *lead_to_top(const struct cim_place *place, unsigned index)
{
	static const enum profile_id tops[] = { SERVER, ARRAY };

	return index < sizeof(tops) / sizeof(tops[0]) ? profile_path(place, tops[index]) : NULL;
}

static const struct cim_path *lead_to_manager(const struct cim_place *place, unsigned index)
{
	return index == 0 ? cim_path_of_manager(place) : NULL;
}

/* The array: clients list what is in its namespace. */
static const struct cim_path *lead_to_array(const struct cim_place *place, unsigned index)
{
	return index == 0 ? cim_path_of_system(place->arena, CIM_NAMESPACE_IBM, place->system) : NULL;
}

static const struct cim_path *lead_to_copies(const struct cim_place *place, unsigned index)
{
	return index == 0 ? cim_path_of_service(place->arena, CIM_NAMESPACE_IBM, &cim_twin_configuration_service,
						place->system) : NULL;
}

static const struct cim_path *lead_to_replication(const struct cim_place *place, unsigned index)
{
	return index == 0 ? cim_path_of_service(place->arena, CIM_NAMESPACE_IBM, &cim_twin_replication_service,
						place->system) : NULL;
}

static const struct cim_path *lead_to_iscsitarget(const struct cim_place *place, unsigned index)
{
	return index == 0 ? cim_path_of_service(place->arena, CIM_NAMESPACE_ISCSITARGET, &cim_twin_replication_service,
						place->system) : NULL;
}

static const struct cim_path *lead_to_indications(const struct cim_place *place, unsigned index)
{
	return index == 0 ? cim_path_of_indication_service(place->arena, place->system) : NULL;
}

static const struct profile {
	const char *name, *id;
	bool is_sub;
	unsigned parent_count;
	enum profile_id parents[PARENTS_MAX];
	lead *lead;
} profiles[PROFILE_COUNT] = {
	[SMIS] = { .name = "SMI-S", .id = "SNIA:SMI-S:" VERSION, .lead = lead_to_top },
	[SERVER] = { .name = "Server", .id = "SNIA:Server:" VERSION, .lead = lead_to_manager },
	[ARRAY] = { .name = "Array", .id = "SNIA:Array:" VERSION, .lead = lead_to_array },
	[BLOCK_SERVICES] = { "Block Services", "SNIA:Block Services:" VERSION, true, 1, { ARRAY }, NULL },
	[COPY_SERVICES] = { "Copy Services", "SNIA:Copy Services:" VERSION, true, 1, { ARRAY }, lead_to_copies },
	[REPLICATION_SERVICES] = { "Replication Services", "SNIA:Replication Services:" VERSION, true, 1, { ARRAY },
				   lead_to_replication },
	[JOB_CONTROL] = { "Job Control", "SNIA:Job Control:" VERSION, true, 1, { ARRAY }, NULL },
	[INDICATION] = { "Indication", "SNIA:Indication:" VERSION, true, 2, { SERVER, ARRAY },
			 lead_to_indications },
	[ISCSITARGET_REPLICATION] = { .name = "Replication Services",
				      .id = "SNIA:Replication Services:" VERSION ":iscsitarget", .is_sub = true,
				      .lead = lead_to_iscsitarget },
};

static const struct cim_path *profile_path(const struct cim_place *place, enum profile_id id)
{
	const char *name = profiles[id].is_sub ? SUB_CLASS : TOP_CLASS;
	struct cim_path *path = cim_path_new(place->arena, CIM_NAMESPACE_INTEROP, cim_schema_find_any_class(name));

	cim_path_set_text(path, "InstanceID", profiles[id].id);
	return path;
}

/* ---- rows ---- */

struct profile_row {
	unsigned id;
};

static int fetch_profiles(struct control *control, const void *after, void *rows, unsigned max)
{
	unsigned from = after ? ((const struct profile_row *)after)->id + 1 : 0, count = 0;
	struct profile_row *row = rows;

	(void)control;
	for (; from + count < PROFILE_COUNT && count < max; count++)
		row[count].id = from + count;
	return (int)count;
}

static const struct cim_source source = { sizeof(struct profile_row), fetch_profiles, NULL };

static const struct profile *profile_of(const void *row)
{
	return &profiles[((const struct profile_row *)row)->id];
}

static bool is_sub(const void *row)
{
	return profile_of(row)->is_sub;
}

static bool is_top(const void *row)
{
	return !profile_of(row)->is_sub;
}

static void fill_id(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_text(value, profile_of(row)->id);
}

static void fill_name(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_text(value, profile_of(row)->name);
}

/* SpecificationType 2 Profile, RegisteredOrganization 11 SNIA, AdvertiseTypes 2 Not Advertised. */
static const struct cim_column columns[] = {
	CIM_FILL("InstanceID", fill_id), CIM_FILL("RegisteredName", fill_name), CIM_FILL("ElementName", fill_name),
	CIM_TEXT("Caption", "Registered profile"), CIM_NUMBER("SpecificationType", 2),
	CIM_NUMBER("RegisteredOrganization", 11), CIM_TEXT("RegisteredVersion", VERSION),
	CIM_STATUS("AdvertiseTypes", 2),
	CIM_END,
};

const struct cim_view cim_views_profile[] = {
	{ TOP_CLASS, CIM_IN(INTEROP), &source, columns, NULL, NULL, is_top },
	{ SUB_CLASS, CIM_IN(INTEROP), &source, columns, NULL, NULL, is_sub },
	{ .class_name = NULL },
};

/* ---- associations ---- */

static const struct cim_path *to_conforming(const struct cim_place *place, const struct cim_end *end, unsigned index)
{
	const struct profile *profile = profile_of(end->row);

	return profile->lead ? profile->lead(place, index) : NULL;
}

static const struct cim_path *to_parent(const struct cim_place *place, const struct cim_end *end, unsigned index)
{
	const struct profile *profile = profile_of(end->row);

	return index < profile->parent_count ? profile_path(place, profile->parents[index]) : NULL;
}

const struct cim_link cim_links_profile[] = {
	{ "CIM_ElementConformsToProfile", CIM_IN(INTEROP), TOP_CLASS, "ConformantStandard", "CIM_ManagedElement",
	  "ManagedElement", to_conforming, NULL },
	{ "CIM_SubProfileRequiresProfile", CIM_IN(INTEROP), SUB_CLASS, "Dependent", TOP_CLASS, "Antecedent", to_parent,
	  NULL },
	{ .class_name = NULL },
};
