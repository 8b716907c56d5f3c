/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replication Services over two whole systems in the simulator: what the capabilities say is what the methods of the
 * service do, and each is answered with the code that stands for it.
 */
#include <errno.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cim_systems.h"
#include "control/parse.h"
#include "face/cim/replication.h"

#define ON_CAPABILITIES \
	ON_INSTANCE("IBMTSESS_ReplicationServiceCapabilities", \
		    KEY("InstanceID", "xdc:2105.FA120:capabilities:replication"))
#define ON_SERVICE \
	ON_INSTANCE("IBMTSESS_ReplicationService", KEY("SystemCreationClassName", "IBMTSESS_StorageSystem") \
		    KEY("SystemName", "2105.FA120") KEY("CreationClassName", "IBMTSESS_ReplicationService") \
		    KEY("Name", "IBMTSESS_ReplicationService"))

#define TYPE(number)	P_NUMBER("ReplicationType", number)
#define SYNC_TYPE(number)	P_NUMBER("SyncType", number)
#define MODE(number)	P_NUMBER("Mode", number)
#define STATE(number)	P_NUMBER("CopyState", number)
#define NUMBER(name, value)	"NAME=\"" name "\" PARAMTYPE=\"uint16\"><VALUE>" value "</VALUE>"
#define NUMBERS(name, values) \
	"NAME=\"" name "\" PARAMTYPE=\"uint16\"><VALUE.ARRAY>" values "</VALUE.ARRAY>"
#define FLAGS(name, values) \
	"NAME=\"" name "\" PARAMTYPE=\"boolean\"><VALUE.ARRAY>" values "</VALUE.ARRAY>"
#define YES	V("TRUE")
#define NO	V("FALSE")
#define SYSTEM(id) \
	REF("IBMTSESS_StorageSystem", KEY("CreationClassName", "IBMTSESS_StorageSystem") KEY("Name", id))
#define MAKE_VOLUME(id)	"{\"op\":\"volume create\",\"args\":{\"volume\":\"" id "\",\"pool\":\"p\",\"size\":\"1M\"}}"
#define PAIR		RELATION(VOLUME("1500"), FAR_VOLUME("2500"))
#define LOCAL(id)	P_REF("LocalElement", VOLUME(id))
#define PAIR_AT_B	RELATION(REF("IBMTSESS_RemoteVolume", KEY("InstanceID", "xdc:2105.FA120:volume:1500")), \
				 VOLUME_OF("2105.FB230", "2500"))
#define SETTING(name, type, value) \
	"&lt;PROPERTY NAME=&quot;" name "&quot; TYPE=&quot;" type "&quot;&gt;&lt;VALUE&gt;" value \
	"&lt;/VALUE&gt;&lt;/PROPERTY&gt;"
#define SETTINGS_OF(class, properties) \
	"<PARAMVALUE NAME=\"ReplicationSettingData\" PARAMTYPE=\"string\" EmbeddedObject=\"instance\"><VALUE>" \
	"&lt;INSTANCE CLASSNAME=&quot;" class "&quot;&gt;" properties "&lt;/INSTANCE&gt;</VALUE></PARAMVALUE>"
#define SETTINGS(properties)	SETTINGS_OF("IBMTSESS_ReplicationSettingData", properties)

/* ---- the tables ---- */

static const char *const classes[] = {
	"CIM_ReplicationServiceCapabilities", "CIM_ReplicationService",
};

static void every_method_has_a_function(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		const struct cim_schema_class *class = cim_schema_find_any_class(classes[i]);

		for (unsigned at = 0; at < class->method_count; at++)
			if (!strncmp(class->methods[at]->origin->name, classes[i], strlen(classes[i])))
				assert_non_null(cim_method_find(class, class->methods[at]->name));
	}
	for (const struct cim_method *method = cim_methods_replication; method->class_name; method++) {
		const struct cim_schema_class *class = cim_schema_find_any_class(method->class_name);

		assert_non_null(cim_schema_find_method(class, method->name));
		assert_ptr_equal(cim_method_find(class, method->name), method);
	}
}

/* The default is among what a setting may be, so that who sends the defaults back is not refused. */
static void every_setting_is_of_the_schema(void **state)
{
	const struct cim_schema_class *class = cim_schema_find_any_class("CIM_ReplicationServiceCapabilities");
	const struct cim_schema_method *method = cim_schema_find_method(class, "GetSupportedReplicationSettingData");
	const struct cim_schema_parameter *names = cim_schema_find_parameter(method, "PropertyName");
	const struct cim_schema_class *data = cim_schema_find_any_class("CIM_ReplicationSettingData");
	struct replication_kind kinds[REPLICATION_KINDS_MAX];
	unsigned count = replication_kinds(kinds);

	(void)state;
	assert_int_equal(count, 4);
	for (unsigned i = 0; i < count; i++) {
		for (uint16_t number = 1; number < 30; number++) {
			const struct replication_setting *setting = replication_find_setting(&kinds[i], number);

			if (!setting)
				continue;
			assert_string_equal(setting->property, cim_schema_value_name(&names->qualifiers, number));
			assert_non_null(cim_schema_find_property(data, setting->property));
			assert_true(setting->count > 0);
		}
	}
}

static void a_mask_of_names_is_what_names_are_held_to(void **state)
{
	static const char *const names[] = {
		"a", "7", "Group-1.x_y", "", "-a", ".a", "a b", "a/b", "ä",
		"123456789012345678901234567890123456789012345678901234567890123",
		"1234567890123456789012345678901234567890123456789012345678901234",
	};
	regex_t mask;

	(void)state;
	assert_int_equal(regcomp(&mask, PARSE_POOL_NAME_MASK, REG_EXTENDED | REG_NOSUB), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(regexec(&mask, names[i], 0, NULL, 0) == 0, parse_pool_name(names[i]) == NULL);
	regfree(&mask);
}

/* ---- capabilities ---- */

static const struct {
	const char *method, *parameters;
	uint32_t code;
	const char *answers[4];
} asked[] = {
	{ "ConvertSyncTypeToReplicationType", SYNC_TYPE("6") MODE("3") P_NUMBER("LocalOrRemote", "3"), 0,
	  { NUMBER("SupportedReplicationTypes", "5") } },
	{ "ConvertSyncTypeToReplicationType", SYNC_TYPE("7") MODE("3") P_NUMBER("LocalOrRemote", "2"), 0,
	  { NUMBER("SupportedReplicationTypes", "7") } },
	{ "ConvertSyncTypeToReplicationType", SYNC_TYPE("6") MODE("3") P_NUMBER("LocalOrRemote", "2"), 1, { NULL } },
	{ "ConvertSyncTypeToReplicationType", SYNC_TYPE("9") MODE("3") P_NUMBER("LocalOrRemote", "2"), 1, { NULL } },
	{ "ConvertSyncTypeToReplicationType", SYNC_TYPE("5") MODE("3") P_NUMBER("LocalOrRemote", "2"), 5, { NULL } },
	{ "ConvertSyncTypeToReplicationType", SYNC_TYPE("6") MODE("3"), 5, { NULL } },
	{ "ConvertReplicationTypeToSyncType", TYPE("4"), 0,
	  { NUMBER("SyncType", "6"), NUMBER("Mode", "2"), NUMBER("LocalOrRemote", "3") } },
	{ "ConvertReplicationTypeToSyncType", TYPE("11"), 0,
	  { NUMBER("SyncType", "8"), NUMBER("Mode", "3"), NUMBER("LocalOrRemote", "2") } },
	{ "ConvertReplicationTypeToSyncType", TYPE("10"), 1, { NULL } },
	{ "ConvertReplicationTypeToSyncType", TYPE("28"), 5, { NULL } },

	{ "GetSupportedCopyStates", TYPE("4"), 0,
	  { NUMBERS("SupportedCopyStates", V("3") V("4") V("5") V("7") V("9") V("10") V("17")),
	    FLAGS("HostAccessible", NO NO NO NO NO YES NO) } },
	{ "GetSupportedCopyStates", TYPE("11"), 0,
	  { NUMBERS("SupportedCopyStates", V("3") V("4") V("5") V("8") V("11")),
	    FLAGS("HostAccessible", YES YES NO YES YES) } },
	{ "GetSupportedCopyStates", TYPE("4") P_NUMBER("Operation", "11"), 0,
	  { NUMBERS("SupportedCopyStates", V("10")) } },
	{ "GetSupportedCopyStates", TYPE("4") P_NUMBER("Operation", "4"), 0, { NUMBERS("SupportedCopyStates", "") } },
	{ "GetSupportedCopyStates", TYPE("4") P_NUMBER("Operation", "1"), 5, { NULL } },
	{ "GetSupportedCopyStates", TYPE("2"), 1, { NULL } },
	{ "GetSupportedCopyStates", TYPE("1"), 5, { NULL } },
	{ "GetSupportedCopyStates", "", 5, { NULL } },

	{ "GetSupportedWaitForCopyStates", TYPE("11") P_NUMBER("MethodName", "2"), 0,
	  { NUMBERS("SupportedCopyStates", V("4")) } },
	{ "GetSupportedWaitForCopyStates", TYPE("4") P_NUMBER("MethodName", "4") P_NUMBER("Operation", "22"), 0,
	  { NUMBERS("SupportedCopyStates", "") } },
	{ "GetSupportedWaitForCopyStates", TYPE("4") P_NUMBER("MethodName", "4") P_NUMBER("Operation", "14"), 0,
	  { NUMBERS("SupportedCopyStates", V("4")) } },
	{ "GetSupportedWaitForCopyStates", TYPE("4") P_NUMBER("MethodName", "6"), 1, { NULL } },
	{ "GetSupportedWaitForCopyStates", TYPE("4") P_NUMBER("MethodName", "1"), 5, { NULL } },

	{ "GetSupportedConsistency", TYPE("7"), 0, { NUMBERS("SupportedConsistency", V("2")) } },
	{ "GetSupportedConsistency", TYPE("4"), 0, { NUMBERS("SupportedConsistency", "") } },
	{ "GetDefaultConsistency", TYPE("11"), 0, { NUMBER("DefaultConsistency", "2") } },
	{ "GetDefaultConsistency", TYPE("5"), 0, { NUMBER("DefaultConsistency", "0") } },

	{ "GetSupportedOperations", TYPE("4") STATE("10"), 0,
	  { NUMBERS("SupportedOperations", V("11") V("8")), NUMBERS("ServiceControlling", V("3") V("3")),
	    FLAGS("RequiresForce", NO NO), FLAGS("UpdatesSynchronizedPath", YES NO) } },
	{ "GetSupportedOperations", TYPE("4") STATE("19"), 5, { NULL } },
	{ "GetSupportedOperations", TYPE("12") STATE("4"), 1, { NULL } },

	{ "GetSupportedThinProvisioningFeatures", TYPE("7"), 0,
	  { NUMBERS("SupportedThinProvisioningFeatures", V("2")) } },
	{ "GetSupportedStorageCompressionFeatures", TYPE("7"), 0,
	  { NUMBERS("SupportedStorageCompressionFeatures", V("1")) } },
	{ "GetSupportedSettingsDefineStateOperations", TYPE("7"), 1, { NULL } },
	{ "GetSupportedConnectionFeatures", "", 1, { NULL } },
	{ "GetSupportedTokenizedReplicationType", "", 1, { NULL } },
	{ "CreateGoalSettings", "", 1, { NULL } },

	{ "GetSupportedMaximum", TYPE("7") P_NUMBER("Component", "5"), 0, { "<VALUE>12</VALUE>" } },
	{ "GetSupportedMaximum", TYPE("4") P_NUMBER("Component", "5"), 0, { "<VALUE>2</VALUE>" } },
	{ "GetSupportedMaximum", TYPE("4") P_NUMBER("Component", "3"), 0, { "<VALUE>256</VALUE>" } },
	{ "GetSupportedMaximum", TYPE("7") P_NUMBER("Component", "6"), 0, { "<VALUE>65280</VALUE>" } },
	{ "GetSupportedMaximum", TYPE("4") P_NUMBER("Component", "8"), 7, { NULL } },
	{ "GetSupportedMaximum", TYPE("4") P_NUMBER("Component", "16"), 5, { NULL } },

	{ "GetSupportedReplicationSettingData", TYPE("7") P_NUMBER("PropertyName", "3"), 0,
	  { "<VALUE.ARRAY><VALUE>2</VALUE><VALUE>6</VALUE></VALUE.ARRAY>" } },
	{ "GetSupportedReplicationSettingData", TYPE("7") P_NUMBER("PropertyName", "14"), 7, { NULL } },
	{ "GetSupportedReplicationSettingData", TYPE("7") P_NUMBER("PropertyName", "22"), 5, { NULL } },
	{ "GetSupportedReplicationSettingDataDateTime", TYPE("7") P_NUMBER("PropertyName", "26"), 7, { NULL } },
	{ "GetSupportedReplicationSettingDataDateTime", TYPE("7") P_NUMBER("PropertyName", "2"), 5, { NULL } },
	{ "GetDefaultReplicationSettingData", TYPE("7"), 0,
	  { SETTING("ConsistentPointInTime", "boolean", "TRUE"),
	    "&lt;INSTANCE CLASSNAME=&quot;IBMTSESS_ReplicationSettingData&quot;" } },

	{ "GetSynchronizationSupported", LOCAL("1500") P_REF("OtherElement", FAR_VOLUME("2500")), 0,
	  { NUMBERS("SyncTypes", V("6") V("6")), NUMBERS("Modes", V("2") V("3")),
	       NUMBERS("LocalElementRole", V("2") V("2")) } },
	{ "GetSynchronizationSupported", LOCAL("1500"), 0,
	  { NUMBERS("SyncTypes", V("7") V("8")), NUMBERS("Modes", V("3") V("3")),
	    NUMBERS("LocalElementRole", V("2") V("2")) } },
	{ "GetSynchronizationSupported", LOCAL("1500") P_REF("OtherElement", VOLUME("1501")), 0,
	  { NUMBERS("SyncTypes", V("7") V("7") V("8") V("8")),
	    NUMBERS("LocalElementRole", V("2") V("3") V("2") V("3")) } },
	{ "GetSynchronizationSupported", LOCAL("1500") P_REF("OtherElement", VOLUME("1500")), 5, { NULL } },
	{ "GetSynchronizationSupported", P_REF("LocalElement", FAR_VOLUME("2500")), 5, { NULL } },
	{ "GetSynchronizationSupported", LOCAL("1500") P_NUMBER("MethodName", "4"), 1, { NULL } },
	{ "GetSynchronizationSupported", LOCAL("1500") P_NUMBER("MethodName", "9"), 5, { NULL } },

	{ "GetSupportedReplicationTypesForSystem", P_REF("System", SYSTEM("2105.FA120")), 0,
	  { NUMBERS("SupportedReplicationTypes", V("7") V("11")) } },
	{ "GetSupportedReplicationTypesForSystem", P_REF("System", SYSTEM("2105.FB230")), 0,
	  { NUMBERS("SupportedReplicationTypes", V("4") V("5")) } },
	{ "GetSupportedReplicationTypesForSystem", P_REF("System", SYSTEM("2105.FC340")), 5, { NULL } },
	{ "GetElementNameCapabilities", P_NUMBER("ElementType", "3"), 0, { NUMBERS("SupportedFeatures", "") } },
	{ "GetElementNameCapabilities", P_NUMBER("ElementType", "5"), 1, { NULL } },
	{ "GetElementNameCapabilities", P_NUMBER("ElementType", "7"), 5, { NULL } },
};

static int ask_capabilities(void *arg)
{
	(void)arg;
	on_object = ON_CAPABILITIES;
	prepare();
	expect(&a, MAKE_VOLUME("1501"), DONE);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		RETURNS(&a, asked[i].method, asked[i].parameters, asked[i].code);
		for (unsigned at = 0; at < 4 && asked[i].answers[at]; at++)
			ANSWERS(asked[i].answers[at]);
	}
	return stop_both();
}

static void capabilities_are_answered(void **state)
{
	(void)state;
	run(ask_capabilities);
}

/* All numbers that come out have a name in the schema. */
static int name_features(void *arg)
{
	static const struct {
		const char *method, *parameter;
	} lists[] = {
		{ "GetSupportedFeatures", "Features" }, { "GetSupportedGroupFeatures", "GroupFeatures" },
		{ "GetSupportedListFeatures", "GroupFeatures" },
	};
	static const char *const types[] = { TYPE("4"), TYPE("5"), TYPE("7"), TYPE("11") };
	const struct cim_schema_class *class = cim_schema_find_any_class("CIM_ReplicationServiceCapabilities");

	(void)arg;
	on_object = ON_CAPABILITIES;
	prepare();
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const struct cim_schema_method *method = cim_schema_find_method(class, lists[i].method);
		const struct cim_schema_parameter *list = cim_schema_find_parameter(method, lists[i].parameter);

		for (unsigned at = 0; at < 4; at++) {
			unsigned long last = 0, count = 0;

			RETURNS(&a, lists[i].method, types[at], 0);
			for (char *next = strstr(invocation.answer, "<VALUE.ARRAY>"); next; count++) {
				next = strstr(next + 1, "<VALUE>");
				if (!next)
					break;
				CHECK(strtoul(next + 7, NULL, 10) > last);
				last = strtoul(next + 7, NULL, 10);
				CHECK(strcmp(cim_schema_value_name(&list->qualifiers, last), "DMTF Reserved") != 0);
			}
			CHECK(count > 0);
		}
	}
	return stop_both();
}

static void features_have_names(void **state)
{
	(void)state;
	run(name_features);
}

/* ---- what can be done with one is what is done ---- */

static int ask_of_one(void *arg)
{
	(void)arg;
	on_object = ON_CAPABILITIES;
	prepare();
	RETURNS(&a, "GetSupportedOperationsForSynchronization", P_REF("Synchronization", PAIR), 5);
	expect(&a, CREATE_PAIR, DONE);
	await(&a, "{\"op\":\"pair show\",\"args\":{\"volume\":\"1500\"}}", "\"first_copy_done\":true");
	RETURNS(&a, "GetSupportedOperationsForSynchronization", P_REF("Synchronization", PAIR), 0);
	ANSWERS(NUMBERS("SupportedOperations", V("22") V("16") V("14") V("17") V("8")));
	ANSWERS(NUMBERS("ServiceControlling", V("2") V("2") V("2") V("2") V("2")));
	RETURNS(&b, "GetSupportedOperationsForSynchronization", P_REF("Synchronization", PAIR_AT_B), 0);
	ANSWERS(NUMBERS("SupportedOperations", V("10") V("8")));
	ANSWERS(NUMBERS("ServiceControlling", V("3") V("3")));
	ANSWERS(FLAGS("RequiresForce", NO YES));
	on_object = ON_SERVICE;
	RETURNS(&b, "ModifyReplicaSynchronization", P_NUMBER("Operation", "10") P_REF("Synchronization", PAIR_AT_B), 0);
	on_object = ON_CAPABILITIES;
	RETURNS(&b, "GetSupportedOperationsForSynchronization", P_REF("Synchronization", PAIR_AT_B), 0);
	ANSWERS(V("11"));
	ANSWERS(YES);
	return stop_both();
}

static void operations_of_one_follow_its_state(void **state)
{
	(void)state;
	run(ask_of_one);
}

/* ---- settings ---- */

#define SNAPSHOT	SYNC_TYPE("7") P_REF("SourceElement", VOLUME("1500"))

static int give_settings(void *arg)
{
	(void)arg;
	on_object = ON_SERVICE;
	prepare();
	RETURNS(&a, "CreateElementReplica",
		SNAPSHOT SETTINGS(SETTING("ConsistentPointInTime", "boolean", "TRUE") SETTING("Multihop", "uint16", "1")
				  SETTING("InstanceID", "string", "x") SETTING("CopyPriority", "uint16", "3")), 0);
	expect(&a, "{\"op\":\"flash list\"}", "\"priority\":\"high\"");
	RETURNS(&a, "CreateElementReplica", SNAPSHOT SETTINGS(SETTING("Multihop", "uint16", "2")), 1);
	RETURNS(&a, "CreateElementReplica", SNAPSHOT SETTINGS(SETTING("AutoDelete", "boolean", "TRUE")), 1);
	RETURNS(&a, "CreateElementReplica", SNAPSHOT SETTINGS(SETTING("DesiredCopyMethodology", "uint16", "3")), 1);
	RETURNS(&a, "CreateElementReplica",
		SNAPSHOT SETTINGS(SETTING("DesiredRPO", "datetime", "00000000000005.000000:000")), 1);
	/* What is no such instance. */
	invoke(&a, "CreateElementReplica", SNAPSHOT SETTINGS(SETTING("Nothing", "uint16", "2")));
	CHECK_EQUAL(invocation.error, CIM_ERR_INVALID_PARAMETER);
	invoke(&a, "CreateElementReplica", SNAPSHOT SETTINGS_OF("IBMTSESS_Volume", ""));
	CHECK_EQUAL(invocation.error, CIM_ERR_INVALID_PARAMETER);
	invoke(&a, "CreateElementReplica", SNAPSHOT P_TEXT("ReplicationSettingData", "&lt;INSTANCE"));
	CHECK_EQUAL(invocation.error, CIM_ERR_INVALID_PARAMETER);
	invoke(&a, "CreateElementReplica", SNAPSHOT P_TEXT("ReplicationSettingData", "nothing"));
	CHECK_EQUAL(invocation.error, CIM_ERR_INVALID_PARAMETER);
	/* What would be left undone is refused; what comes by itself may be waited for. */
	RETURNS(&a, "CreateElementReplica", SNAPSHOT P_NUMBER("WaitForCopyState", "4"), 0);
	RETURNS(&a, "CreateElementReplica", SNAPSHOT P_NUMBER("WaitForCopyState", "8"), 1);
	RETURNS(&a, "CreateElementReplica", SNAPSHOT P_NUMBER("Mode", "2"), 1);
	RETURNS(&a, "CreateElementReplica", SNAPSHOT P_NUMBER("Mode", "5"), 5);
	return stop_both();
}

/* Who takes the defaults and gives them back gets what it would get without them. */
static int give_defaults_back(void *arg)
{
	static const char begin[] = "NAME=\"DefaultInstance\" PARAMTYPE=\"string\">", end[] = "</PARAMVALUE>";
	static char parameters[32768];
	const char *from, *to;

	(void)arg;
	prepare();
	on_object = ON_CAPABILITIES;
	RETURNS(&a, "GetDefaultReplicationSettingData", TYPE("7"), 0);
	from = strstr(invocation.answer, begin);
	CHECK(from);
	from += strlen(begin);
	to = strstr(from, end);
	CHECK(to);
	snprintf(parameters, sizeof(parameters), "%s<PARAMVALUE NAME=\"ReplicationSettingData\">%.*s</PARAMVALUE>",
		 SNAPSHOT, (int)(to - from), from);
	on_object = ON_SERVICE;
	RETURNS(&a, "CreateElementReplica", parameters, 0);
	return stop_both();
}

static void defaults_may_be_given_back(void **state)
{
	(void)state;
	run(give_defaults_back);
}

static void settings_are_kept_or_refused(void **state)
{
	(void)state;
	run(give_settings);
}

/* ---- groups ---- */

#define GROUP(kind, name)	REF("IBMTSESS_ReplicationGroup", KEY("InstanceID", "xdc:2105.FA120:" kind ":" name))
#define IN_GROUP(name)		P_REF("ReplicationGroup", GROUP("group", name))
#define MEMBERS(paths)		P_REFS("Members", paths)
#define P_FLAG(name, value)	P_VALUE(name, "boolean", value)
#define GROUP_COPY(from, to) \
	REF("IBMTSESS_GroupSynchronized", KEY_REF("SystemElement", from) KEY_REF("SyncedElement", to))
#define SYNCHRONIZATION(path)	P_REF("Synchronization", path)
#define DO(number)		P_NUMBER("Operation", number)
#define A_SET(name)		"{\"op\":\"set show\",\"args\":{\"set\":\"" name "\"}}"

static void begin_groups(void)
{
	prepare();
	on_object = ON_SERVICE;
	expect(&a, MAKE_VOLUME("1501"), DONE);
	expect(&a, MAKE_VOLUME("1601"), DONE);
	expect(&a, MAKE_VOLUME("1602"), DONE);
	RETURNS(&a, "CreateGroup", P_TEXT("GroupName", "db") MEMBERS(VOLUME("1501") VOLUME("1500")), 0);
	ANSWERS("xdc:2105.FA120:group:db");
}

static int change_groups(void *arg)
{
	(void)arg;
	begin_groups();
	RETURNS(&a, "CreateGroup", P_TEXT("GroupName", "db"), 5);
	RETURNS(&a, "CreateGroup", P_TEXT("GroupName", "a b"), 5);
	RETURNS(&a, "CreateGroup", P_FLAG("Persistent", "FALSE"), 1);
	RETURNS(&a, "CreateGroup", P_FLAG("DeleteOnEmptyElement", "TRUE"), 1);
	RETURNS(&a, "CreateGroup", P_NUMBER("ReservedAs", "2"), 1);
	RETURNS(&a, "CreateGroup", P_NUMBER("ReservedAs", "5"), 5);
	RETURNS(&a, "CreateGroup", MEMBERS(VOLUME("1500") VOLUME("1500")), 5);
	RETURNS(&a, "CreateGroup", MEMBERS(FAR_VOLUME("2500")), 5);
	RETURNS(&a, "CreateGroup", P_FLAG("Persistent", "TRUE") P_NUMBER("ReservedAs", "4"), 0);
	ANSWERS("xdc:2105.FA120:group:group1");

	RETURNS(&a, "AddMembers", IN_GROUP("db") MEMBERS(VOLUME("1601")), 0);
	RETURNS(&a, "AddMembers", IN_GROUP("db") MEMBERS(VOLUME("1601")), 6);
	RETURNS(&a, "AddMembers", IN_GROUP("db"), 5);
	RETURNS(&a, "AddMembers", IN_GROUP("none") MEMBERS(VOLUME("1601")), 7);
	RETURNS(&a, "RemoveMembers", IN_GROUP("none") MEMBERS(VOLUME("1601")), 7);
	RETURNS(&a, "RemoveMembers", IN_GROUP("db") MEMBERS(VOLUME("1602")), 8);
	RETURNS(&a, "RemoveMembers", IN_GROUP("db") MEMBERS(VOLUME("1601") VOLUME("1501")), 0);
	expect(&a, A_SET("db"), "[\"1500\"]");
	RETURNS(&a, "RemoveMembers", IN_GROUP("db") MEMBERS(VOLUME("1500")) P_FLAG("DeleteOnEmptyElement", "TRUE"), 0);
	RETURNS(&a, "DeleteGroup", IN_GROUP("db"), 5);
	RETURNS(&a, "AddMembers", IN_GROUP("group1") MEMBERS(VOLUME("1500")), 0);
	RETURNS(&a, "DeleteGroup", IN_GROUP("group1") P_FLAG("RemoveElements", "TRUE"), 1);
	RETURNS(&a, "DeleteGroup", IN_GROUP("group1"), 0);
	expect(&a, "{\"op\":\"set list\"}", "\"result\":[]");
	return stop_both();
}

static void groups_are_made_and_changed(void **state)
{
	(void)state;
	run(change_groups);
}

#define FROM_DB		P_REF("SourceGroup", GROUP("group", "db"))
#define TO_COPY		P_REF("TargetGroup", GROUP("group", "copy"))
#define DB_TO_COPY	GROUP_COPY(GROUP("group", "db"), GROUP("group", "copy"))
#define DB_TO_TARGETS	GROUP_COPY(GROUP("group", "db"), GROUP("targets", "copies1"))

/* Snapshots of a group, then a restore that turns them round, then their end. */
static int copy_groups(void *arg)
{
	(void)arg;
	begin_groups();
	RETURNS(&a, "CreateGroupReplica", SYNC_TYPE("6") FROM_DB, 1);
	RETURNS(&a, "CreateGroupReplica", SYNC_TYPE("7"), 5);
	RETURNS(&a, "CreateGroupReplica", SYNC_TYPE("7") FROM_DB P_VALUE("TargetElementCount", "uint64", "2"), 1);
	RETURNS(&a, "CreateGroupReplica", SYNC_TYPE("7") FROM_DB P_NUMBER("Consistency", "4"), 5);
	RETURNS(&a, "CreateGroup", P_TEXT("GroupName", "copy") MEMBERS(VOLUME("1601")), 0);
	RETURNS(&a, "CreateGroupReplica", SYNC_TYPE("7") FROM_DB TO_COPY, 5);
	RETURNS(&a, "AddMembers", IN_GROUP("copy") MEMBERS(VOLUME("1602")), 0);
	RETURNS(&a, "CreateGroupReplica",
		SYNC_TYPE("7") FROM_DB TO_COPY P_TEXT("RelationshipName", "hourly")
		P_NUMBER("Consistency", "3") SETTINGS(SETTING("ConsistentPointInTime", "boolean", "TRUE")), 0);
	ANSWERS("<INSTANCENAME CLASSNAME=\"IBMTSESS_GroupSynchronized\">");
	ANSWERS("xdc:2105.FA120:group:copy");
	expect(&a, A_SET("hourly"), "[\"1601\",\"1602\"]");
	expect(&a, "{\"op\":\"flash show\",\"args\":{\"volume\":\"1602\"}}", "\"source\":\"1501\"");
	/* What is copied as a group stays as it is. */
	RETURNS(&a, "DeleteGroup", IN_GROUP("copy"), 7);
	RETURNS(&a, "RemoveMembers", IN_GROUP("db") MEMBERS(VOLUME("1500")), 6);
	RETURNS(&a, "AddMembers", IN_GROUP("db") MEMBERS(VOLUME("1602")), 6);
	RETURNS(&a, "CreateGroupReplica",
		SYNC_TYPE("7") FROM_DB TO_COPY P_TEXT("RelationshipName", "hourly"), 5);

	RETURNS(&a, "ModifyReplicaSynchronization",
		DO("22") SYNCHRONIZATION(DB_TO_COPY), 1);
	RETURNS(&a, "ModifyReplicaSynchronization",
		DO("8") SYNCHRONIZATION(GROUP_COPY(GROUP("group", "copy"), GROUP("group", "db"))), 5);
	/* Snapshots still need their sources: they end by force. */
	RETURNS(&a, "ModifyReplicaSynchronization",
		DO("8") SYNCHRONIZATION(DB_TO_COPY), 6);
	RETURNS(&a, "ModifyReplicaSynchronization",
		DO("8") P_FLAG("Force", "TRUE") SYNCHRONIZATION(DB_TO_COPY),
		0);
	expect(&a, "{\"op\":\"flash list\"}", "\"result\":[]");
	RETURNS(&a, "DeleteGroup", IN_GROUP("copy"), 0);

	/* With new targets: their group goes with the copies. */
	RETURNS(&a, "CreateGroupReplica", SYNC_TYPE("8") FROM_DB P_NUMBER("WaitForCopyState", "4"), 4096);
	ANSWERS("xdc:2105.FA120:targets:copies1");
	ANSWERS("xdc:2105.FA120:job:");
	RETURNS(&a, "DeleteGroup", P_REF("ReplicationGroup", GROUP("targets", "copies1")), 6);
	do
		await(&a, "{\"op\":\"flash list\"}", "\"copy_state\":\"whole\"");
	while (strstr(last_reply, "\"copy_state\":\"copying\""));
	RETURNS(&a, "ModifyListSynchronization",
		DO("15") P_REFS("Synchronization", DB_TO_TARGETS), 4096);
	ANSWERS("xdc:2105.FA120:sources:copies1");
	return stop_both();
}

static void groups_are_copied_at_one_moment(void **state)
{
	(void)state;
	run(copy_groups);
}

/* Volume 1500 is copied already: then nothing of all is left. */
static int fail_in_the_middle(void *arg)
{
	(void)arg;
	begin_groups();
	expect(&a, "{\"op\":\"flash create\",\"args\":{\"source\":\"1500\",\"target\":\"1602\",\"persistent\":true}}",
	       DONE);
	RETURNS(&a, "CreateGroup", P_TEXT("GroupName", "copy") MEMBERS(VOLUME("1601") VOLUME("1602")), 0);
	invoke(&a, "CreateGroupReplica",
	       SYNC_TYPE("7") FROM_DB TO_COPY P_TEXT("RelationshipName", "hourly"));
	CHECK(invocation.returned != 0 && invocation.returned != 4096);
	RETURNS(&a, "ModifyReplicaSynchronization",
		DO("8") SYNCHRONIZATION(DB_TO_COPY), 5);
	expect(&a, A_SET("hourly"), "no such set");
	expect(&a, "{\"op\":\"flash show\",\"args\":{\"volume\":\"1601\"}}", "\"ok\":false");
	return stop_both();
}

static void what_fails_leaves_nothing(void **state)
{
	(void)state;
	run(fail_in_the_middle);
}

#define FAR_GROUP	GROUP_COPY(GROUP("sources", "mirror"), GROUP("targets", "mirror"))
#define GROUP_AT_B(kind)	REF("IBMTSESS_ReplicationGroup", KEY("InstanceID", "xdc:2105.FB230:" kind ":mirror"))
#define AT_B		GROUP_COPY(GROUP_AT_B("sources"), GROUP_AT_B("targets"))

static int mirror_groups(void *arg)
{
	static const char list[] = "{\"op\":\"pair show\",\"args\":{\"volume\":\"1501\"}}";

	(void)arg;
	prepare();
	on_object = ON_SERVICE;
	expect(&a, MAKE_VOLUME("1501"), DONE);
	expect(&b, MAKE_VOLUME("2501"), DONE);
	RETURNS(&a, "CreateGroupReplicaFromElements", SYNC_TYPE("6") P_REFS("SourceElements", VOLUME("1500")), 1);
	RETURNS(&a, "CreateGroupReplicaFromElements",
		SYNC_TYPE("6") P_REFS("SourceElements", VOLUME("1500") VOLUME("1501")) P_REFS("TargetElements",
		FAR_VOLUME("2500")), 5);
	RETURNS(&a, "CreateGroupReplicaFromElements",
		SYNC_TYPE("6") P_NUMBER("Consistency", "3") P_REFS("SourceElements", VOLUME("1500"))
		P_REFS("TargetElements", FAR_VOLUME("2500")), 1);
	RETURNS(&a, "CreateGroupReplicaFromElements",
		SYNC_TYPE("6") MODE("2") P_TEXT("RelationshipName", "mirror") P_REFS("SourceElements",
		VOLUME("1500") VOLUME("1501")) P_REFS("TargetElements", FAR_VOLUME("2500") FAR_VOLUME("2501")), 4096);
	ANSWERS("xdc:2105.FA120:targets:mirror");
	await(&a, list, "\"state\":\"full-duplex\"");
	await(&a, "{\"op\":\"pair show\",\"args\":{\"volume\":\"1500\"}}", "\"state\":\"full-duplex\"");
	RETURNS(&a, "ModifyReplicaSynchronization", DO("22") SYNCHRONIZATION(FAR_GROUP), 0);
	expect(&a, list, "\"state\":\"s");
	RETURNS(&a, "ModifyReplicaSynchronization", DO("10") SYNCHRONIZATION(FAR_GROUP), 5);

	/* At the other end its pairs are made a group there, and taken over together. */
	RETURNS(&b, "CreateGroupReplicaFromElementSynchronizations",
		P_TEXT("RelationshipName", "mirror") P_REFS("ElementSynchronizations", PAIR_AT_B
		RELATION(REF("IBMTSESS_RemoteVolume", KEY("InstanceID", "xdc:2105.FA120:volume:1501")),
			 VOLUME_OF("2105.FB230", "2501"))), 0);
	ANSWERS("xdc:2105.FB230:sources:mirror");
	RETURNS(&b, "ModifyReplicaSynchronization", DO("10") SYNCHRONIZATION(AT_B), 0);
	expect(&b, "{\"op\":\"pair list\"}", "failed-over");
	return stop_both();
}

static void mirrors_are_a_group_at_both_ends(void **state)
{
	(void)state;
	run(mirror_groups);
}

/* ---- sessions ---- */

#define OF_SESSION(system, kind, class)	REF(class, KEY("InstanceID", "xdc:" system ":" kind))
#define SESSION_AT_A	OF_SESSION("2105.FA120", "session:1:15", "IBMTSESS_Session")
#define ENDS_AT_A	OF_SESSION("2105.FA120", "session-ends:1:15", "IBMTSESS_ReplicationGroup")
#define SESSION_AT_B	OF_SESSION("2105.FB230", "session:1:25", "IBMTSESS_Session")
#define ENDS_AT_B	OF_SESSION("2105.FB230", "session-ends:1:25", "IBMTSESS_ReplicationGroup")
#define FROM_A		GROUP_COPY(SESSION_AT_A, ENDS_AT_A)
#define TO_B		GROUP_COPY(ENDS_AT_B, SESSION_AT_B)
#define FROM_B		GROUP_COPY(SESSION_AT_B, ENDS_AT_B)
#define SHOW_SESSION	"{\"op\":\"session show\",\"args\":{\"session\":\"1\"}}"
#define MODIFY		"ModifyReplicaSynchronization"

static void begin_session(void)
{
	prepare();
	on_object = ON_SERVICE;
	expect(&a, CREATE_PAIR, DONE);
	expect(&b, "{\"op\":\"path create\",\"args\":{\"source_lss\":\"25\",\"target_lss\":\"15\","
	       "\"system\":\"2105.FA120\",\"to\":\"a1:7000\"}}", DONE);
	expect(&a, "{\"op\":\"session open\",\"args\":{\"session\":\"1\",\"lss\":\"15\"}}", DONE);
	expect(&a, "{\"op\":\"session add\",\"args\":{\"session\":\"1\",\"volumes\":[\"1500\"]}}", DONE);
	expect(&a, "{\"op\":\"session start\",\"args\":{\"session\":\"1\",\"master\":\"15\"}}", DONE);
	await(&a, SHOW_SESSION, "\"joined_count\":1");
	CHECK_EQUAL(sim_call(a.sim, write_volume, NULL), 0);
}

/* UpdatedSynchronization of the last call: the ends in this order. */
static void check_updated(const char *source, const char *target)
{
	const char *from = strstr(invocation.answer, "NAME=\"UpdatedSynchronization\"");
	const char *first = from ? strstr(from, source) : NULL, *second = from ? strstr(from, target) : NULL;

	CHECK(first && second && first < second);
}

static void expect_operations(struct site *site, const char *copies, const char *numbers)
{
	on_object = ON_CAPABILITIES;
	RETURNS(site, "GetSupportedOperationsForSynchronization", copies, 0);
	on_object = ON_SERVICE;
	ANSWERS(numbers);
}

static int pause_session(void *arg)
{
	(void)arg;
	begin_session();
	expect_operations(&a, SYNCHRONIZATION(FROM_A), NUMBERS("SupportedOperations", V("22")));
	ANSWERS(NUMBERS("ServiceControlling", V("2")));
	expect_operations(&b, SYNCHRONIZATION(TO_B), NUMBERS("SupportedOperations", V("10")));
	ANSWERS(NUMBERS("ServiceControlling", V("3")));
	/* A pair in it goes with the others. */
	RETURNS(&b, MODIFY, DO("10") P_REF("Synchronization", PAIR_AT_B), 6);

	RETURNS(&a, MODIFY, DO("16") SYNCHRONIZATION(FROM_A), 5);
	RETURNS(&a, MODIFY, DO("10") SYNCHRONIZATION(FROM_A), 5);
	RETURNS(&a, MODIFY, DO("20") SYNCHRONIZATION(FROM_A), 5);
	RETURNS(&a, MODIFY, DO("8") SYNCHRONIZATION(FROM_A), 1);
	RETURNS(&a, MODIFY, DO("28") SYNCHRONIZATION(FROM_A), 5);
	RETURNS(&a, MODIFY, DO("22") SYNCHRONIZATION(GROUP_COPY(ENDS_AT_A, SESSION_AT_A)), 5);
	RETURNS(&a, MODIFY, DO("22") P_NUMBER("WaitForCopyState", "9") SYNCHRONIZATION(FROM_A), 1);

	RETURNS(&b, MODIFY, DO("22") SYNCHRONIZATION(TO_B), 5);
	RETURNS(&a, MODIFY, DO("22") SYNCHRONIZATION(FROM_A), 0);
	check_updated(":session:1:15", ":session-ends:1:15");
	expect(&a, SHOW_SESSION, "\"state\":\"paused-consistent\"");
	expect_operations(&a, SYNCHRONIZATION(FROM_A), NUMBERS("SupportedOperations", V("22") V("16")));
	RETURNS(&a, MODIFY, DO("16") P_NUMBER("WaitForCopyState", "4") SYNCHRONIZATION(FROM_A), 1);
	RETURNS(&a, "ModifyListSynchronization", DO("16") P_REFS("Synchronization", FROM_A), 0);
	expect(&a, SHOW_SESSION, "\"state\":\"running\"");
	return stop_both();
}

static void a_session_is_paused_and_resumed_as_a_group(void **state)
{
	(void)state;
	run(pause_session);
}

static int fail_session_over(void *arg)
{
	(void)arg;
	begin_session();
	RETURNS(&b, MODIFY, DO("20") SYNCHRONIZATION(TO_B), 5);
	RETURNS(&b, MODIFY, DO("10") P_FLAG("Force", "TRUE") SYNCHRONIZATION(TO_B), 0);
	check_updated(":session-ends:1:25", ":session:1:25");
	expect(&b, SHOW_SESSION, "\"state\":\"recovered\"");
	expect_operations(&b, SYNCHRONIZATION(TO_B), NUMBERS("SupportedOperations", V("10") V("11")));
	ANSWERS(FLAGS("RequiresForce", YES YES));
	ANSWERS(FLAGS("UpdatesSynchronizedPath", NO YES));
	RETURNS(&b, MODIFY, DO("11") SYNCHRONIZATION(TO_B), 0);
	check_updated(":session:1:25", ":session-ends:1:25");
	/* The path that it gave is that which it has now. */
	RETURNS(&b, MODIFY, DO("20") SYNCHRONIZATION(TO_B), 5);
	expect_operations(&b, SYNCHRONIZATION(FROM_B), V("20"));
	/* Then the session is over, and its pairs are sources at the old site, each by itself. */
	RETURNS(&b, MODIFY, DO("20") SYNCHRONIZATION(FROM_B), 0);
	CHECK(!strstr(invocation.answer, "UpdatedSynchronization"));
	RETURNS(&b, MODIFY, DO("20") SYNCHRONIZATION(FROM_B), 5);
	RETURNS(&b, MODIFY, DO("10") SYNCHRONIZATION(TO_B), 5);
	expect(&a, "{\"op\":\"pair show\",\"args\":{\"volume\":\"1500\"}}", "\"role\":\"source\"");
	return stop_both();
}

static void a_session_fails_over_and_back_as_a_group(void **state)
{
	(void)state;
	run(fail_session_over);
}

static int ask_of_sessions(void *arg)
{
	(void)arg;
	on_object = ON_CAPABILITIES;
	prepare();
	RETURNS(&a, "GetSupportedGroupOperations", TYPE("5"), 0);
	ANSWERS(V("20") "</VALUE.ARRAY>");
	RETURNS(&a, "GetSupportedGroupOperations", TYPE("5") STATE("10"), 0);
	ANSWERS(NUMBERS("SupportedGroupOperations", V("10") V("11") V("8")));
	RETURNS(&a, "GetSupportedGroupOperations", TYPE("5") STATE("4"), 0);
	ANSWERS(V("20") "</VALUE.ARRAY>");
	RETURNS(&a, "GetSupportedGroupCopyStates", TYPE("5") P_NUMBER("Operation", "20"), 0);
	ANSWERS(NUMBERS("SupportedCopyStates", V("3") V("4") V("5") V("14")));
	RETURNS(&a, "GetSupportedGroupCopyStates", TYPE("4") P_NUMBER("Operation", "20"), 0);
	ANSWERS(NUMBERS("SupportedCopyStates", ""));
	return stop_both();
}

static void capabilities_of_groups_have_what_sessions_do(void **state)
{
	(void)state;
	run(ask_of_sessions);
}

/* ---- lists ---- */

static int copy_lists(void *arg)
{
	(void)arg;
	begin_groups();
	RETURNS(&a, "CreateListReplica", SYNC_TYPE("7") P_REFS("SourceElements", VOLUME("1500") VOLUME("1501"))
		P_REFS("TargetElements", VOLUME("1601")), 5);
	RETURNS(&a, "CreateListReplica", SYNC_TYPE("7") P_REFS("SourceElements", VOLUME("1500") VOLUME("1501"))
		P_REFS("TargetElements", VOLUME("1602") VOLUME("1601")), 0);
	ANSWERS("<PARAMVALUE NAME=\"Synchronizations\" PARAMTYPE=\"reference\"><VALUE.REFARRAY><VALUE.REFERENCE>");
	expect(&a, "{\"op\":\"flash show\",\"args\":{\"volume\":\"1602\"}}", "\"source\":\"1500\"");
	RETURNS(&a, "CreateListReplica", SYNC_TYPE("6") P_REFS("SourceElements", VOLUME("1500")), 1);
	RETURNS(&a, "CreateListReplica", SYNC_TYPE("6") P_REFS("SourceElements", VOLUME("1500"))
		P_REFS("TargetElements", FAR_VOLUME("2500")), 4096);
	RETURNS(&a, "ModifyListSynchronization",
		DO("8") P_FLAG("Force", "TRUE") P_REFS("Synchronization", RELATION(VOLUME("1500"), VOLUME("1602"))
						       RELATION(VOLUME("1501"), VOLUME("1601"))), 0);
	expect(&a, "{\"op\":\"flash list\"}", "\"result\":[]");
	RETURNS(&a, "ModifyListSynchronization", DO("3") P_REFS("Synchronization", PAIR), 5);
	RETURNS(&a, "ModifyListSynchronization", DO("22") P_REFS("Synchronization", PAIR RELATION(VOLUME("1501"),
		VOLUME("1601"))), 5);
	expect(&a, "{\"op\":\"pair show\",\"args\":{\"volume\":\"1500\"}}", "\"state\":\"suspended\"");
	RETURNS(&a, "GetPeerSystems", "", 0);
	ANSWERS("CLASSNAME=\"IBMTSESS_RemoteSystem\"");
	RETURNS(&a, "GetPeerSystems", P_NUMBER("Options", "3"), 0);
	ANSWERS("CLASSNAME=\"IBMTSESS_RemoteServiceAccessPoint\"");
	RETURNS(&a, "GetPeerSystems", P_NUMBER("Options", "4"), 5);
	RETURNS(&a, "GetServiceAccessPoints", P_REF("System", SYSTEM("2105.FB230")), 0);
	ANSWERS("CLASSNAME=\"IBMTSESS_RemoteServiceAccessPoint\"");
	RETURNS(&a, "GetServiceAccessPoints", P_REF("System", SYSTEM("2105.FA120")), 0);
	ANSWERS("<VALUE.REFARRAY></VALUE.REFARRAY>");
	RETURNS(&a, "GetServiceAccessPoints", P_REF("System", SYSTEM("2105.FC340")), 5);
	RETURNS(&a, "GetReplicationRelationships", "", 0);
	ANSWERS("xdc:2105.FB230:volume:2500");
	RETURNS(&a, "GetReplicationRelationships", SYNC_TYPE("6") MODE("3") P_NUMBER("Locality", "3") STATE("9"), 0);
	ANSWERS("xdc:2105.FB230:volume:2500");
	RETURNS(&a, "GetReplicationRelationships", SYNC_TYPE("7"), 0);
	ANSWERS("<VALUE.REFARRAY></VALUE.REFARRAY>");
	RETURNS(&a, "GetReplicationRelationships", P_NUMBER("Locality", "2"), 0);
	ANSWERS("<VALUE.REFARRAY></VALUE.REFARRAY>");
	RETURNS(&a, "GetReplicationRelationships", STATE("4"), 0);
	ANSWERS("<VALUE.REFARRAY></VALUE.REFARRAY>");
	RETURNS(&a, "GetReplicationRelationships", P_NUMBER("Type", "3"), 1);
	RETURNS(&a, "GetReplicationRelationships", P_NUMBER("Type", "4"), 5);
	RETURNS(&a, "GetReplicationRelationships", SYNC_TYPE("5"), 5);
	RETURNS(&a, "GetReplicationRelationshipInstances", "", 1);
	RETURNS(&a, "GetAvailableTargetElements", SYNC_TYPE("7") P_REF("SourceElement", VOLUME("1500")), 1);
	return stop_both();
}

static void lists_are_copied_and_changed(void **state)
{
	(void)state;
	run(copy_lists);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_method_has_a_function),
		cmocka_unit_test(every_setting_is_of_the_schema),
		cmocka_unit_test(a_mask_of_names_is_what_names_are_held_to),
		cmocka_unit_test(capabilities_are_answered),
		cmocka_unit_test(features_have_names),
		cmocka_unit_test(operations_of_one_follow_its_state),
		cmocka_unit_test(settings_are_kept_or_refused),
		cmocka_unit_test(defaults_may_be_given_back),
		cmocka_unit_test(groups_are_made_and_changed),
		cmocka_unit_test(groups_are_copied_at_one_moment),
		cmocka_unit_test(what_fails_leaves_nothing),
		cmocka_unit_test(mirrors_are_a_group_at_both_ends),
		cmocka_unit_test(a_session_is_paused_and_resumed_as_a_group),
		cmocka_unit_test(a_session_fails_over_and_back_as_a_group),
		cmocka_unit_test(capabilities_of_groups_have_what_sessions_do),
		cmocka_unit_test(lists_are_copied_and_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
