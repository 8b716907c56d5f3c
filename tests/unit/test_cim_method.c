/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The methods of IBMTSESS_AsyncPPRCService over two whole systems in the simulator: what they are given is checked
 * against the schema, what they do is done, and each return code comes of what it stands for.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cim_systems.h"

#define SESSION		P_NUMBER("SessionNumber", "1") P_TEXT("SessionType", "0x40")
#define OF(number, type)	P_NUMBER("SessionNumber", number) P_TEXT("SessionType", type)
#define LSS		P_TEXT("LSS", "2105.FA120:15:")
#define MASTER		P_TEXT("MasterLSS", "2105.FA120:15:")
#define DO(number)	P_NUMBER("Operation", number)
#define LIMITS		P_NUMBER("ConsistencyGroupInterval", "0") P_NUMBER("MaxXDCCoordinationTime", "50") \
			P_NUMBER("MaxConsistencyGroupDrain", "4")
#define SCOPE(text)	P_TEXT("Scope", text)

/* ---- the schema and the table ---- */

static void check_table(const struct cim_method *method)
{
	for (; method->class_name; method++) {
		const struct cim_schema_class *class = cim_schema_find_any_class(method->class_name);

		assert_non_null(class);
		assert_non_null(cim_schema_find_method(class, method->name));
		assert_ptr_equal(cim_method_find(class, method->name), method);
	}
}

static void every_method_in_the_table_is_in_the_schema_once(void **state)
{
	(void)state;
	check_table(cim_methods_ibm);
	check_table(cim_methods_common);
}

/* And nothing of the service is missing. */
static void every_method_of_the_service_has_a_function(void **state)
{
	const struct cim_schema_class *class = cim_schema_find_any_class("IBMTSESS_AsyncPPRCService");

	(void)state;
	assert_int_equal(26, class->method_count);
	for (unsigned i = 0; i < class->method_count; i++)
		assert_non_null(cim_method_find(class, class->methods[i]->name));
}

/* ---- what is given ---- */

static const struct {
	const char *method, *parameters;
	enum cim_error error;
} refused[] = {
	{ "Nothing", "", CIM_ERR_METHOD_NOT_FOUND },
	{ "ManageSession", SESSION P_TEXT("Scope", "x"), CIM_ERR_INVALID_PARAMETER },
	{ "ManageSession", SESSION SESSION, CIM_ERR_INVALID_PARAMETER },
	{ "ManageSession", P_VALUE("SessionNumber", "string", "1"), CIM_ERR_INVALID_PARAMETER },
	{ "ManageSession", P_NUMBER("SessionNumber", "one"), CIM_ERR_INVALID_PARAMETER },
	{ "ManageSession", P_NUMBER("SessionNumber", "65536"), CIM_ERR_INVALID_PARAMETER },
	{ "ManageSession", P_LIST("SessionType", V("0x40")), CIM_ERR_INVALID_PARAMETER },
	{ "ManageSession", "<PARAMVALUE><VALUE>1</VALUE></PARAMVALUE>", CIM_ERR_INVALID_PARAMETER },
	{ "ManageSession", P_REF("Job", VOLUME("1500")), CIM_ERR_INVALID_PARAMETER },
	{ "ManageSessionVolume", P_TEXT("Volumes", "1500"), CIM_ERR_INVALID_PARAMETER },
	{ "ManageSessionVolume", P_REF("Volumes", VOLUME("1500")), CIM_ERR_INVALID_PARAMETER },
	{ "ManageSessionVolume", P_REFS("Volumes", POOL("p")), CIM_ERR_INVALID_PARAMETER },
	{ "ManageSession",
	  "<PARAMVALUE NAME=\"SessionNumber\" EmbeddedObject=\"instance\"><VALUE>1</VALUE></PARAMVALUE>",
	  CIM_ERR_INVALID_PARAMETER },
	{ "RequestStateChange", P_VALUE("TimeoutPeriod", "datetime", "soon"), CIM_ERR_INVALID_PARAMETER },
};

static int refuse(void *arg)
{
	(void)arg;
	prepare();
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		invoke(&a, refused[i].method, refused[i].parameters);
		if (invocation.error != refused[i].error)
			fprintf(stderr, "%s %s: %d\n%s\n", refused[i].method, refused[i].parameters,
				(int)invocation.error, invocation.answer);
		CHECK_EQUAL(invocation.error, refused[i].error);
		ANSWERS("<METHODRESPONSE NAME=\"");
		ANSWERS("<ERROR CODE=\"");
	}
	/* Without a type, in any order, NULL in both ways. */
	RETURNS(&a, "managesession",
		"<PARAMVALUE NAME=\"operation\"><VALUE>1</VALUE></PARAMVALUE><PARAMVALUE NAME=\"LSS\"/>" SESSION, 5);
	ANSWERS("<RETURNVALUE PARAMTYPE=\"uint32\"><VALUE>5</VALUE></RETURNVALUE></METHODRESPONSE>");
	return stop_both();
}

static void what_a_method_is_given_is_checked_against_the_schema(void **state)
{
	(void)state;
	run(refuse);
}

/* ---- a session from its opening to its end ---- */

static int tell_story(void *arg)
{
	(void)arg;
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	RETURNS(&a, "QueryXDCSessionsAndDevices", SESSION SCOPE("2105.FA120"), 0);
	ANSWERS("<PARAMVALUE NAME=\"Volumes\" PARAMTYPE=\"string\"><VALUE.ARRAY></VALUE.ARRAY></PARAMVALUE>");
	RETURNS(&a, "ManageSession", SESSION LSS DO("1"), 0);
	RETURNS(&a, "QueryXDCSessionsAndDevices", SESSION SCOPE("2105.FA120"), 0);
	ANSWERS("NAME=\"SessionStatuses\" PARAMTYPE=\"string\"><VALUE.ARRAY><VALUE>open</VALUE>");
	RETURNS(&a, "ManageSessionVolume", SESSION LSS DO("1") P_REFS("Volumes", VOLUME("1500")), 0);
	RETURNS(&a, "ManageAsyncPPRC", SESSION MASTER DO("1") LIMITS, 0);
	expect(&a, "{\"op\":\"session show\",\"args\":{\"session\":\"1\"}}", "\"state\":\"running\"");
	await(&a, "{\"op\":\"session show\",\"args\":{\"session\":\"1\"}}", "\"joined_count\":1");
	RETURNS(&a, "QueryXDCSessionsAndDevices", SESSION SCOPE("2105.FA120:15:"), 0);
	ANSWERS("NAME=\"Volumes\" PARAMTYPE=\"string\"><VALUE.ARRAY><VALUE>2105.FA120:1500</VALUE></VALUE.ARRAY>");
	ANSWERS("NAME=\"VolumeStatuses\" PARAMTYPE=\"string\"><VALUE.ARRAY><VALUE>joined</VALUE></VALUE.ARRAY>");
	ANSWERS("NAME=\"SecondaryVolumes\" PARAMTYPE=\"string\"><VALUE.ARRAY><VALUE>2500</VALUE></VALUE.ARRAY>");
	ANSWERS("NAME=\"FirstPassComplete\" PARAMTYPE=\"boolean\"><VALUE.ARRAY><VALUE>TRUE</VALUE></VALUE.ARRAY>");
	RETURNS(&a, "QueryXDCIncrementStatus", SESSION, 0);
	ANSWERS("NAME=\"FlashCopyTargets\" PARAMTYPE=\"string\"><VALUE.ARRAY><VALUE></VALUE></VALUE.ARRAY>");
	RETURNS(&a, "QueryXDCOutOfSyncStatus", SESSION, 0);
	ANSWERS("NAME=\"LSS\" PARAMTYPE=\"string\"><VALUE.ARRAY><VALUE>2105.FA120:15:</VALUE></VALUE.ARRAY>");
	ANSWERS("NAME=\"TotalVolumes\" PARAMTYPE=\"uint32\"><VALUE.ARRAY><VALUE>1</VALUE></VALUE.ARRAY>");
	RETURNS(&a, "QueryAsyncPPRCStatus", SCOPE("2105.FA120:15"), 0);
	ANSWERS("NAME=\"SessionNumbers\" PARAMTYPE=\"uint16\"><VALUE.ARRAY><VALUE>1</VALUE></VALUE.ARRAY>");
	ANSWERS("NAME=\"Roles\" PARAMTYPE=\"string\"><VALUE.ARRAY><VALUE>Master</VALUE></VALUE.ARRAY>");
	ANSWERS("NAME=\"MaxConsistencyGroupDrains\" PARAMTYPE=\"uint16\"><VALUE.ARRAY><VALUE>4</VALUE></VALUE.ARRAY>");
	RETURNS(&a, "ManageAsyncPPRC", SESSION MASTER DO("2"), 0);
	RETURNS(&a, "QueryAsyncPPRCStatus", "", 0);
	ANSWERS("NAME=\"CopyStates\" PARAMTYPE=\"string\"><VALUE.ARRAY><VALUE>paused</VALUE></VALUE.ARRAY>");
	RETURNS(&a, "ManageAsyncPPRC", SESSION MASTER DO("3") P_NUMBER("ConsistencyGroupInterval", "7"), 0);
	expect(&a, "{\"op\":\"session show\",\"args\":{\"session\":\"1\"}}", "\"interval_us\":7000000");
	RETURNS(&a, "ManageAsyncPPRC", SESSION MASTER DO("4"), 0);
	RETURNS(&a, "ManageSessionVolume", SESSION LSS DO("2") P_REFS("Volumes", VOLUME("1500")), 0);
	RETURNS(&a, "ManageSession", SESSION LSS DO("2"), 0);
	expect(&a, "{\"op\":\"session list\"}", "\"result\":[]");
	return stop_both();
}

static void a_session_is_run_by_methods_from_its_opening_to_its_end(void **state)
{
	(void)state;
	run(tell_story);
}

/* ---- pools, volumes and FlashCopies ---- */

#define P_SIZE(value)	P_VALUE("Size", "uint64", value)
#define NAME(text)	P_TEXT("ElementName", text)
#define COPY_TYPE(number)	P_NUMBER("CopyType", number)
#define POOL_TEXT(name)	V("root/ibm:IBMTSESS_StoragePool.InstanceID=&quot;xdc:2105.FA120:pool:" name "&quot;")
#define FLASH		RELATION(VOLUME("1500"), VOLUME("1501"))

static int tell_storage_story(void *arg)
{
	(void)arg;
	prepare();
	RETURNS(&a, "CreateOrModifyStoragePool", NAME("q") P_SIZE("16777216") P_LIST("InPools", POOL_TEXT("p")), 0);
	ANSWERS("<PARAMVALUE NAME=\"Size\" PARAMTYPE=\"uint64\"><VALUE>16777216</VALUE></PARAMVALUE>");
	ANSWERS("xdc:2105.FA120:pool:q");
	RETURNS(&a, "CreateOrModifyStoragePool", P_SIZE("33554432") P_REF("Pool", POOL("q")), 0);
	expect(&a, "{\"op\":\"pool show\",\"args\":{\"pool\":\"q\"}}", "\"size_bytes\":33554432");
	on_object = ON_INSTANCE("IBMTSESS_StoragePool", KEY("InstanceID", "xdc:2105.FA120:pool:q"));
	RETURNS(&a, "GetSupportedSizeRange", P_NUMBER("ElementType", "3"), 0);
	ANSWERS("<PARAMVALUE NAME=\"MaximumVolumeSize\" PARAMTYPE=\"uint64\"><VALUE>33554432</VALUE></PARAMVALUE>");
	RETURNS(&a, "GetSupportedSizeRange", P_NUMBER("ElementType", "4"), 3);
	RETURNS(&a, "GetSupportedSizes", "", 2);
	on_object = ON_CLASS("IBMTSESS_AsyncPPRCService");
	/* The first free number of the LSS that there is. */
	RETURNS(&a, "CreateOrModifyElementFromStoragePool",
		NAME("one") P_NUMBER("ElementType", "2") P_SIZE("1048576") P_REF("InPool", POOL("q")), 0);
	ANSWERS("<KEYVALUE VALUETYPE=\"string\" TYPE=\"string\">1501-");
	expect(&a, SHOW("1501"), "\"name\":\"one\"");
	RETURNS(&a, "CreateOrModifyElementFromStoragePool", NAME("two") P_REF("TheElement", VOLUME("1501")), 0);
	expect(&a, SHOW("1501"), "\"name\":\"two\"");
	RETURNS(&a, "CreateOrModifyElementFromStoragePool", P_SIZE("4095") P_REF("InPool", POOL("q")), 4097);
	ANSWERS("<PARAMVALUE NAME=\"Size\" PARAMTYPE=\"uint64\"><VALUE>4096</VALUE></PARAMVALUE>");
	/* A FlashCopy of the one onto the other, and its end with its target. */
	RETURNS(&a, "CreateSynchronization",
		P_REF("SystemElement", VOLUME("1500")) P_REF("SyncedElement", VOLUME("1501")) COPY_TYPE("4"), 0);
	ANSWERS("NAME=\"Synchronization\" PARAMTYPE=\"reference\"");
	await(&a, "{\"op\":\"flash list\"}", "\"job\":null");
	RETURNS(&a, "CreateSynchronizedSet", NAME("s") COPY_TYPE("4"), 0);
	ANSWERS("xdc:2105.FA120:set:s");
	RETURNS(&a, "ModifySynchronizedSet",
		DO("2") P_REF("Set", SET_OF("IBMTSESS_SynchronizedSet", "s")) P_REFS("Synchronization", FLASH), 0);
	RETURNS(&a, "DeleteSynchronizedSet", P_REF("Set", SET_OF("IBMTSESS_SynchronizedSet", "s")), 6);
	RETURNS(&a, "DeleteSynchronization", P_REF("Synchronization", FLASH), 6);
	RETURNS(&a, "ModifySynchronizedSet",
		DO("3") P_REF("Set", SET_OF("IBMTSESS_SynchronizedSet", "s")) P_REFS("Synchronization", FLASH), 0);
	RETURNS(&a, "DeleteSynchronizedSet", P_REF("Set", SET_OF("IBMTSESS_SynchronizedSet", "s")), 0);
	RETURNS(&a, "ReturnToStoragePool", P_REF("TheElement", VOLUME("1501")), 0);
	expect(&a, "{\"op\":\"flash list\"}", "\"result\":[]");
	RETURNS(&a, "CreateReplica", NAME("copy") P_REF("SourceElement", VOLUME("1500")) COPY_TYPE("4"), 4096);
	ANSWERS("NAME=\"TargetElement\" PARAMTYPE=\"reference\"");
	ANSWERS("xdc:2105.FA120:job:");
	await(&a, "{\"op\":\"flash list\"}", "\"job\":null");
	RETURNS(&a, "DeleteStoragePool", P_REF("Pool", POOL("q")), 0);
	RETURNS(&a, "GetSupportedSetTypes", "", 0);
	ANSWERS("<VALUE.ARRAY><VALUE>0</VALUE><VALUE>1</VALUE><VALUE>2</VALUE></VALUE.ARRAY>");
	return stop_both();
}

static void pools_volumes_and_copies_are_made_and_go(void **state)
{
	(void)state;
	run(tell_storage_story);
}

/* ---- pairs ---- */

#define PAIR		RELATION(VOLUME("1500"), FAR_VOLUME("2500"))
#define ON_PAIR(verb)	"{\"op\":\"pair " verb "\",\"args\":{\"volume\":\"1500\"}}"

static int tell_pair_story(void *arg)
{
	(void)arg;
	prepare();
	RETURNS(&a, "AttachReplica",
		P_REF("SourceElement", VOLUME("1500")) P_REF("TargetElement", FAR_VOLUME("2500")) COPY_TYPE("3"), 4096);
	ANSWERS("xdc:2105.FA120:job:");
	await(&a, ON_PAIR("show"), "\"state\":\"full-duplex\"");
	RETURNS(&a, "ModifySynchronization", DO("3") P_REF("Synchronization", PAIR), 0);
	expect(&a, ON_PAIR("show"), "\"state\":\"suspended\"");
	RETURNS(&a, "ModifySynchronization", DO("11") P_REF("Synchronization", PAIR), 0);
	expect(&a, ON_PAIR("show"), "\"type\":\"global-copy\"");
	RETURNS(&a, "ModifySynchronization", DO("5") P_REF("Synchronization", PAIR), 1);
	RETURNS(&a, "ModifySynchronization", DO("2") P_REF("Synchronization", PAIR), 0);
	expect(&a, "{\"op\":\"pair list\"}", "\"result\":[]");
	RETURNS(&a, "CreateConsistencySet", NAME("c") COPY_TYPE("2"), 0);
	RETURNS(&a, "CreateSynchronization",
		P_REF("SystemElement", VOLUME("1500")) P_REF("SyncedElement", FAR_VOLUME("2500")) COPY_TYPE("2")
		P_REF("Set", SET_OF("IBMTSESS_ConsistencySet", "c")), 0);
	expect(&a, "{\"op\":\"set show\",\"args\":{\"set\":\"c\"}}", "\"1500\"");
	return stop_both();
}

static void pairs_are_made_changed_and_end(void **state)
{
	(void)state;
	run(tell_pair_story);
}

/* ---- the service ---- */

#define STATE(number)	P_NUMBER("RequestedState", number)

static int tell_service_story(void *arg)
{
	(void)arg;
	prepare();
	RETURNS(&a, "RequestStateChange", STATE("3"), 0);
	RETURNS(&a, "ManageSession", SESSION LSS DO("1"), 4);
	RETURNS(&a, "RequestStateChange", STATE("10"), 4097);
	RETURNS(&a, "RequestStateChange", STATE("6"), 1);
	RETURNS(&a, "RequestStateChange", STATE("5"), 5);
	RETURNS(&a, "RequestStateChange",
		STATE("2") P_VALUE("TimeoutPeriod", "datetime", "00000000000010.000000:000"), 4098);
	RETURNS(&a, "RequestStateChange",
		STATE("2") P_VALUE("TimeoutPeriod", "datetime", "00000000000000.000000:000"), 0);
	RETURNS(&a, "StopService", "", 0);
	expect(&a, "{\"op\":\"service show\"}", "\"enabled_state\":\"disabled\"");
	RETURNS(&a, "StartService", "", 0);
	RETURNS(&a, "ManageSession", SESSION LSS DO("1"), 0);
	return stop_both();
}

static void the_service_is_stopped_and_started(void **state)
{
	(void)state;
	run(tell_service_story);
}

/* ---- its neighbours: the replication service, and jobs ---- */

#define ON_SERVICE(class) \
	ON_INSTANCE(class, KEY("SystemCreationClassName", "IBMTSESS_StorageSystem") KEY("SystemName", "2105.FA120") \
		    KEY("CreationClassName", class) KEY("Name", class))
#define SYNC_TYPE(number)	P_NUMBER("SyncType", number)
#define SOURCE		P_REF("SourceElement", VOLUME("1500"))
#define FORCE		P_VALUE("Force", "boolean", "TRUE")

static int tell_replication_story(void *arg)
{
	(void)arg;
	prepare();
	on_object = ON_SERVICE("IBMTSESS_ReplicationService");
	RETURNS(&a, "CreateElementReplica", SYNC_TYPE("9") SOURCE, 1);
	RETURNS(&a, "CreateElementReplica", SYNC_TYPE("5") SOURCE, 5);
	RETURNS(&a, "CreateElementReplica", SYNC_TYPE("7") P_NUMBER("WaitForCopyState", "8") SOURCE, 1);
	/* A snapshot is not copied in the background, a clone is. */
	RETURNS(&a, "CreateElementReplica", SYNC_TYPE("7") SOURCE P_TEXT("ElementName", "snap"), 0);
	ANSWERS("NAME=\"Synchronization\" PARAMTYPE=\"reference\"");
	expect(&a, "{\"op\":\"flash show\",\"args\":{\"volume\":\"snap\"}}", "\"copy\":false");
	RETURNS(&a, "CreateElementReplica", SYNC_TYPE("8") SOURCE P_TEXT("ElementName", "clone"), 4096);
	/* Mirrors lead to other systems. */
	RETURNS(&a, "CreateElementReplica",
		SYNC_TYPE("6") P_NUMBER("Mode", "3") SOURCE P_REF("TargetElement", FAR_VOLUME("2500")), 4096);
	await(&a, ON_PAIR("show"), "\"first_copy_done\":true");
	RETURNS(&a, "ModifyReplicaSynchronization", DO("22") P_REF("Synchronization", PAIR), 0);
	expect(&a, ON_PAIR("show"), "\"state\":\"suspended\"");
	RETURNS(&a, "ModifyReplicaSynchronization", DO("30") P_REF("Synchronization", PAIR), 5);
	RETURNS(&a, "ModifyReplicaSynchronization", DO("5") P_REF("Synchronization", PAIR), 1);
	RETURNS(&a, "ModifyReplicaSynchronization", DO("8") P_REF("Synchronization", PAIR), 0);
	/* A snapshot that is detached has nothing: only by force. 1501 is it. */
	RETURNS(&a, "ModifyReplicaSynchronization", DO("8") P_REF("Synchronization", FLASH), 6);
	RETURNS(&a, "ModifyReplicaSynchronization", DO("8") FORCE P_REF("Synchronization", FLASH), 0);
	on_object = ON_CLASS("IBMTSESS_AsyncPPRCService");
	return stop_both();
}

static void the_replication_service_does_the_same(void **state)
{
	(void)state;
	run(tell_replication_story);
}

#define ON_JOB(number)	ON_INSTANCE("IBMTSESS_ConcreteJob", KEY("InstanceID", "xdc:2105.FA120:job:" number))

#define SHOW_JOB(number)	"{\"op\":\"job show\",\"args\":{\"job\":\"" number "\"}}"

/* The far side has another byte than its source. */
static void spoil_target(void)
{
	struct file_search search = { "2500-", "" };

	CHECK_EQUAL(sim_call(b.sim, find_target_file, &search), 0);
	CHECK_EQUAL(sim_poke(b.sim, search.name, "x", 1, 0), 0);
}

static int tell_job_story(void *arg)
{
	(void)arg;
	prepare();
	/* Job 1 is the first copy; job 2 compares, and fails since something differs. */
	expect(&a, CREATE_PAIR, DONE);
	await(&a, ON_PAIR("show"), "\"first_copy_done\":true");
	spoil_target();
	expect(&a, "{\"op\":\"pair verify\",\"args\":{\"volume\":\"1500\"}}", DONE);
	await(&a, SHOW_JOB("2"), "\"state\":\"exception\"");
	on_object = ON_JOB("1");
	RETURNS(&a, "GetErrors", "", 0);
	ANSWERS("<VALUE.ARRAY></VALUE.ARRAY>");
	RETURNS(&a, "RequestStateChange", STATE("4"), 4097);
	on_object = ON_JOB("2");
	RETURNS(&a, "GetErrors", "", 0);
	ANSWERS("EmbeddedObject=\"instance\"><VALUE.ARRAY><VALUE>&lt;INSTANCE CLASSNAME=&quot;CIM_Error&quot;");
	RETURNS(&a, "GetError", "", 0);
	ANSWERS("EmbeddedObject=\"instance\"><VALUE>&lt;INSTANCE CLASSNAME=&quot;CIM_Error&quot;");
	on_object = ON_JOB("99");
	RETURNS(&a, "GetErrors", "", 5);
	/* Job 3 compares, and is cut off in the middle. */
	await(&a, "{\"op\":\"pair verify\",\"args\":{\"volume\":\"1500\"}}", DONE);
	sim_cut(a.sim, b.sim);
	on_object = ON_JOB("3");
	RETURNS(&a, "RequestStateChange", STATE("3"), 1);
	RETURNS(&a, "RequestStateChange", STATE("7"), 5);
	RETURNS(&a, "RequestStateChange",
		STATE("4") P_VALUE("TimeoutPeriod", "datetime", "00000000000001.000000:000"), 4098);
	RETURNS(&a, "RequestStateChange", STATE("4"), 0);
	await(&a, SHOW_JOB("3"), "\"state\":\"terminated\"");
	on_object = ON_CLASS("IBMTSESS_AsyncPPRCService");
	return stop_both();
}

static void jobs_are_ended_and_say_why_they_failed(void **state)
{
	(void)state;
	run(tell_job_story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_method_in_the_table_is_in_the_schema_once),
		cmocka_unit_test(every_method_of_the_service_has_a_function),
		cmocka_unit_test(what_a_method_is_given_is_checked_against_the_schema),
		cmocka_unit_test(a_session_is_run_by_methods_from_its_opening_to_its_end),
		cmocka_unit_test(pools_volumes_and_copies_are_made_and_go),
		cmocka_unit_test(pairs_are_made_changed_and_end),
		cmocka_unit_test(the_service_is_stopped_and_started),
		cmocka_unit_test(the_replication_service_does_the_same),
		cmocka_unit_test(jobs_are_ended_and_say_why_they_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
