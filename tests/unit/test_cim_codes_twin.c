/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The return codes of MSISCSITARGET_StorageConfigurationService, whose methods have those of the DMTF, of
 * ModifyReplicaSynchronization and of the methods of a session: each that their value maps name is provoked, over two
 * whole systems in the simulator, or never comes about and is listed here.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cim_codes.h"

#define CONFIGURATION	"MSISCSITARGET_StorageConfigurationService"
#define IN_ISCSITARGET \
	"<LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/><NAMESPACE NAME=\"cimv2\"/><NAMESPACE NAME=\"storage\"/>" \
	"<NAMESPACE NAME=\"iscsitarget\"/></LOCALNAMESPACEPATH>"
#define SERVICE_KEYS(system, class) \
	KEY("SystemCreationClassName", system) KEY("SystemName", "2105.FA120") KEY("CreationClassName", class) \
	KEY("Name", class)
#define ON_CONFIGURATION \
	"<LOCALINSTANCEPATH>" IN_ISCSITARGET "<INSTANCENAME CLASSNAME=\"" CONFIGURATION "\">" \
	SERVICE_KEYS("MSISCSITARGET_ComputerSystem", CONFIGURATION) "</INSTANCENAME></LOCALINSTANCEPATH>"
#define ON_REPLICATION \
	ON_INSTANCE("IBMTSESS_ReplicationService", \
		    SERVICE_KEYS("IBMTSESS_StorageSystem", "IBMTSESS_ReplicationService"))
#define ON_SESSION(system, number, lss) \
	ON_INSTANCE("IBMTSESS_Session", KEY("InstanceID", "xdc:" system ":session:" number ":" lss))

/* Of the namespace of the call. */
#define T_REF(class, keys) \
	"<VALUE.REFERENCE><INSTANCENAME CLASSNAME=\"" class "\">" keys "</INSTANCENAME></VALUE.REFERENCE>"
#define T_VOLUME(id) \
	T_REF("MSISCSITARGET_StorageVolume", KEY("SystemCreationClassName", "MSISCSITARGET_ComputerSystem") \
	      KEY("SystemName", "2105.FA120") KEY("CreationClassName", "MSISCSITARGET_StorageVolume") \
	      KEY("DeviceID", id))
#define T_FAR(id)	T_REF("MSISCSITARGET_ReplicationEntity", KEY("InstanceID", "xdc:2105.FB230:volume:" id))
#define T_POOL(name)	T_REF("MSISCSITARGET_StoragePool", KEY("InstanceID", "xdc:2105.FA120:pool:" name))
#define T_PRIMORDIAL \
	T_REF("MSISCSITARGET_StoragePool", KEY("InstanceID", "xdc:2105.FA120:primordial:primordial"))
#define T_COPY(from, to) \
	P_REF("Synchronization", T_REF("MSISCSITARGET_StorageSynchronized", \
				       KEY_REF("SystemElement", from) KEY_REF("SyncedElement", to)))
#define T_POOL_TEXT(name) \
	V("root/cimv2/storage/iscsitarget:MSISCSITARGET_StoragePool.InstanceID=" \
	  "&quot;xdc:2105.FA120:pool:" name "&quot;")
#define T_FLASH		T_COPY(T_VOLUME("1500"), T_VOLUME("1501"))
#define T_PAIR		T_COPY(T_VOLUME("1500"), T_FAR("2500"))
#define T_SETTING(system, name) \
	P_REF("Goal", T_REF("MSISCSITARGET_StorageSetting", KEY("InstanceID", "xdc:" system ":pool-setting:" name)))
#define ON_CAPABILITIES(name) \
	"<LOCALINSTANCEPATH>" IN_ISCSITARGET "<INSTANCENAME CLASSNAME=\"MSISCSITARGET_StorageCapabilities\">" \
	KEY("InstanceID", "xdc:2105.FA120:storage:" name) "</INSTANCENAME></LOCALINSTANCEPATH>"
#define IN_POOL(name)	P_REF("InPool", T_POOL(name))
#define ELEMENT(id)	P_REF("TheElement", T_VOLUME(id))

#define THE_PAIR	P_REF("Synchronization", RELATION(VOLUME("1500"), FAR_VOLUME("2500")))
#define NO_PAIR		P_REF("Synchronization", RELATION(VOLUME("1500"), FAR_VOLUME("2501")))
#define THE_FLASH	P_REF("Synchronization", RELATION(VOLUME("1500"), VOLUME("1501")))
#define NO_JOBS		"{\"op\":\"job list\",\"args\":{\"running\":true}}", "\"result\":[]"
#define SHOW_SESSION	"{\"op\":\"session show\",\"args\":{\"session\":\"1\"}}"

/* 2 stands for a fault of which nothing is known; xdc always knows. */
static const struct code never[] = {
	{ NULL, 2 },
	/* What they do is done at once. */
	{ "CreateOrModifyStoragePool", 4096 }, { "CreateOrModifyElementFromStoragePool", 4096 },
	{ "DeleteStoragePool", 4096 }, { "ReturnToStoragePool", 4096 },
	/* A copy takes its time: its job. */
	{ "CreateReplica", 0 }, { "AttachReplica", 0 },
	{ "ReturnToStoragePool", 1 }, { "CreateSetting", 1 }, { "CreateSetting", 3 }, { "CreateSetting", 4 },
	/* What takes longer is a job; two recoveries at once agree, or are those of two far sides. */
	{ "Recover", 1 }, { "Recover", 3 }, { "Recover", 6 }, { "Failback", 1 }, { "Failback", 3 }, { "Failback", 6 },
	{ "Return", 1 }, { "Return", 3 }, { "Return", 6 },
};
#define NEVER	never, sizeof(never) / sizeof(never[0])

static unsigned count_missing_of(const char *class, const char *method_name)
{
	unsigned missing = 0;

	for (const struct cim_method *method = cim_methods_common; method->class_name; method++)
		if (!strcmp(method->class_name, class) && (!method_name || !strcmp(method->name, method_name)))
			missing += count_missing(method, NEVER);
	return missing;
}

/* ---- pools and volumes ---- */

static int try_storage(void *arg)
{
	(void)arg;
	prepare();
	on_object = ON_CONFIGURATION;
	on_namespace = CIM_NAMESPACE_ISCSITARGET;
	set_service("stop");
	GIVES("CreateOrModifyStoragePool", NAME("q") SIZE("1048576") P_LIST("InPools", T_POOL_TEXT("p")), 4);
	GIVES("CreateOrModifyElementFromStoragePool", SIZE("1048576") IN_POOL("p"), 4);
	GIVES("DeleteStoragePool", P_REF("Pool", T_POOL("p")), 4);
	GIVES("ReturnToStoragePool", ELEMENT("1500"), 4);
	set_service("start");
	GIVES("CreateOrModifyStoragePool", NAME("q"), 5);
	GIVES("CreateOrModifyStoragePool", NAME("p") SIZE("1048576") P_LIST("InPools", T_POOL_TEXT("p")), 6);
	GIVES("CreateOrModifyStoragePool", NAME("p") P_REF("Pool", T_PRIMORDIAL), 1);
	GIVES("CreateOrModifyStoragePool",
	      NAME("q") SIZE("4611686018427387904") P_LIST("InPools", T_POOL_TEXT("p")), 4097);
	GIVES("CreateOrModifyStoragePool", NAME("q") SIZE("1048576") P_LIST("InPools", T_POOL_TEXT("p")), 0);
	GIVES_UP("CreateOrModifyStoragePool", NAME("label") P_REF("Pool", T_POOL("q")));

	GIVES("CreateOrModifyElementFromStoragePool", SIZE("1048576") IN_POOL("none"), 5);
	GIVES("CreateOrModifyElementFromStoragePool", P_NUMBER("ElementType", "3") SIZE("1048576") IN_POOL("q"), 1);
	GIVES("CreateOrModifyElementFromStoragePool", SIZE("2097152") IN_POOL("q"), 4097);
	ANSWERS("NAME=\"Size\" PARAMTYPE=\"uint64\"><VALUE>1048576<");
	GIVES("CreateOrModifyElementFromStoragePool",
	      SIZE("1048576") IN_POOL("p") T_SETTING("2105.FB230", "p"), 5);
	GIVES("CreateOrModifyElementFromStoragePool",
	      NAME("a") SIZE("1048576") IN_POOL("p") T_SETTING("2105.FA120", "p"), 0);
	ANSWERS("MSISCSITARGET_StorageVolume");
	GIVES("CreateOrModifyElementFromStoragePool", NAME("a") SIZE("1048576") IN_POOL("p"), 6);
	GIVES_UP("CreateOrModifyElementFromStoragePool", SIZE("1048576") IN_POOL("p"));

	GIVES("DeleteStoragePool", "", 5);
	GIVES("DeleteStoragePool", P_REF("Pool", T_PRIMORDIAL), 1);
	GIVES("DeleteStoragePool", P_REF("Pool", T_POOL("p")), 6);
	GIVES_UP("DeleteStoragePool", P_REF("Pool", T_POOL("q")));
	GIVES("DeleteStoragePool", P_REF("Pool", T_POOL("q")), 0);
	GIVES("ReturnToStoragePool", ELEMENT("15FF"), 5);
	GIVES_UP("ReturnToStoragePool", ELEMENT("1501"));
	GIVES("ReturnToStoragePool", ELEMENT("1501"), 0);
	expect(&a, CREATE_PAIR, DONE);
	GIVES("ReturnToStoragePool", ELEMENT("1500"), 6);
	return stop_both();
}

static void codes_of_pools_and_volumes(void **state)
{
	(void)state;
	run(try_storage);
}

static int try_settings(void *arg)
{
	(void)arg;
	prepare();
	on_namespace = CIM_NAMESPACE_ISCSITARGET;
	on_object = ON_CAPABILITIES("none");
	GIVES("CreateSetting", P_NUMBER("SettingType", "2"), 5);
	on_object = ON_CAPABILITIES("p");
	GIVES("CreateSetting", P_NUMBER("SettingType", "4"), 5);
	GIVES("CreateSetting", "", 5);
	GIVES("CreateSetting", P_NUMBER("SettingType", "3"), 0);
	ANSWERS("xdc:2105.FA120:pool-setting:p");
	return stop_both();
}

static void codes_of_settings(void **state)
{
	(void)state;
	run(try_settings);
}

/* ---- copies of the configuration service ---- */

static int try_copies(void *arg)
{
	(void)arg;
	prepare();
	on_object = ON_CONFIGURATION;
	on_namespace = CIM_NAMESPACE_ISCSITARGET;
	expect(&a, MAKE_VOLUME("1501"), DONE);
	expect(&a, "{\"op\":\"volume create\",\"args\":{\"volume\":\"1502\",\"pool\":\"p\",\"size\":\"2M\"}}", DONE);
	expect(&a, MAKE_VOLUME("1503"), DONE);
	set_service("stop");
	GIVES("CreateReplica", SOURCE(T_VOLUME("1500")) COPY_TYPE("4"), 4);
	GIVES("AttachReplica", SOURCE(T_VOLUME("1500")) TARGET(T_VOLUME("1501")) COPY_TYPE("4"), 4);
	set_service("start");
	GIVES("CreateReplica", SOURCE(T_VOLUME("15FF")) COPY_TYPE("4"), 5);
	GIVES("CreateReplica", SOURCE(T_VOLUME("1500")) COPY_TYPE("3"), 1);
	GIVES("CreateReplica", SOURCE(T_VOLUME("1503")) COPY_TYPE("4") NAME("copy"), 4096);
	ANSWERS("MSISCSITARGET_ConcreteJob");
	GIVES("CreateReplica", SOURCE(T_VOLUME("1503")) COPY_TYPE("4") NAME("copy"), 6);
	GIVES_UP("CreateReplica", SOURCE(T_VOLUME("1503")) COPY_TYPE("4"));
	GIVES("AttachReplica", SOURCE(T_VOLUME("1500")) TARGET(T_VOLUME("1502")) COPY_TYPE("4"), 5);
	GIVES("AttachReplica", SOURCE(T_VOLUME("1500")) TARGET(T_VOLUME("1501")) COPY_TYPE("3"), 1);
	GIVES("AttachReplica", SOURCE(T_VOLUME("1500")) TARGET(T_VOLUME("1501")) COPY_TYPE("4"), 4096);
	GIVES("AttachReplica", SOURCE(T_VOLUME("1502")) TARGET(T_VOLUME("1501")) COPY_TYPE("4"), 6);
	await(&a, SHOW_FLASH("1501"), "\"job\":null");

	set_service("stop");
	GIVES("ModifySynchronization", DO("2") T_FLASH, 4);
	set_service("start");
	GIVES("ModifySynchronization", DO("14") T_FLASH, 5);
	GIVES("ModifySynchronization", DO("3") T_FLASH, 1);
	GIVES("ModifySynchronization", DO("2") T_PAIR, 5);
	expect(&a, "{\"op\":\"set create\",\"args\":{\"set\":\"s\",\"kind\":\"synchronized\","
	       "\"of\":\"flashcopies\"}}", DONE);
	expect(&a, "{\"op\":\"set add\",\"args\":{\"set\":\"s\",\"volumes\":[\"1501\"]}}", DONE);
	GIVES("ModifySynchronization", DO("2") T_FLASH, 6);
	expect(&a, "{\"op\":\"set remove\",\"args\":{\"set\":\"s\",\"volumes\":[\"1501\"]}}", DONE);
	GIVES("ModifySynchronization", DO("5") T_FLASH, 4096);
	await(&a, SHOW_FLASH("1500"), "\"job\":null");
	GIVES("ModifySynchronization", DO("2") T_COPY(T_VOLUME("1501"), T_VOLUME("1500")), 0);
	expect(&a, CREATE_PAIR, DONE);
	await(&a, NO_JOBS);
	sim_cut(a.sim, b.sim);
	limit_ns = 100 * RT_MS;
	GIVES("AttachReplica", SOURCE(T_VOLUME("1501")) TARGET(T_FAR("2501")) COPY_TYPE("3"), 3);
	GIVES("ModifySynchronization", DO("2") T_PAIR, 3);
	limit_ns = 0;
	sim_heal(a.sim, b.sim);
	return stop_both();
}

static void codes_of_copies(void **state)
{
	(void)state;
	run(try_copies);
}

/* ---- ModifyReplicaSynchronization ---- */

static int try_replication(void *arg)
{
	(void)arg;
	prepare();
	on_object = ON_REPLICATION;
	on_namespace = CIM_NAMESPACE_IBM;
	expect(&a, MAKE_VOLUME("1501"), DONE);
	expect(&a, CREATE_PAIR, DONE);
	await(&a, NO_JOBS);
	set_service("stop");
	GIVES("ModifyReplicaSynchronization", DO("22") THE_PAIR, 4);
	set_service("start");
	GIVES("ModifyReplicaSynchronization", DO("1") THE_PAIR, 5);
	GIVES("ModifyReplicaSynchronization", DO("28") THE_PAIR, 5);
	GIVES("ModifyReplicaSynchronization", DO("22") NO_PAIR, 5);
	GIVES("ModifyReplicaSynchronization", DO("26") THE_PAIR, 1);
	GIVES("ModifyReplicaSynchronization", DO("15") THE_PAIR, 1);
	GIVES("ModifyReplicaSynchronization", DO("22") THE_PAIR, 0);
	CHECK_EQUAL(sim_call(a.sim, write_volume, NULL), 0);
	GIVES("ModifyReplicaSynchronization", DO("16") THE_PAIR, 4096);
	ANSWERS("xdc:2105.FA120:job:");
	await(&a, NO_JOBS);
	expect(&a, "{\"op\":\"session open\",\"args\":{\"session\":\"1\",\"lss\":\"15\"}}", DONE);
	expect(&a, "{\"op\":\"session add\",\"args\":{\"session\":\"1\",\"volumes\":[\"1500\"]}}", DONE);
	GIVES("ModifyReplicaSynchronization", DO("8") THE_PAIR, 6);
	expect(&a, "{\"op\":\"session remove\",\"args\":{\"session\":\"1\",\"volumes\":[\"1500\"]}}", DONE);
	sim_cut(a.sim, b.sim);
	limit_ns = 100 * RT_MS;
	GIVES("ModifyReplicaSynchronization", DO("8") THE_PAIR, 3);
	limit_ns = 0;
	sim_heal(a.sim, b.sim);
	return stop_both();
}

static void codes_of_one_replica(void **state)
{
	(void)state;
	run(try_replication);
}

/* ---- the methods of a session ---- */

static void start_session(void)
{
	expect(&a, CREATE_PAIR, DONE);
	expect(&a, "{\"op\":\"session open\",\"args\":{\"session\":\"1\",\"lss\":\"15\"}}", DONE);
	expect(&a, "{\"op\":\"session add\",\"args\":{\"session\":\"1\",\"volumes\":[\"1500\"]}}", DONE);
	expect(&a, "{\"op\":\"session start\",\"args\":{\"session\":\"1\",\"master\":\"15\"}}", DONE);
	await(&a, SHOW_SESSION, "\"joined_count\":1");
	CHECK_EQUAL(sim_call(a.sim, write_volume, NULL), 0);
}

static void recover(void)
{
	on_object = ON_SESSION("2105.FB230", "9", "25");
	GIVES("Recover", "", 5);
	on_object = ON_SESSION("2105.FB230", "1", "25");
	GIVES("Failback", "", 5);
	GIVES("Return", "", 5);
	expect(&b, "{\"op\":\"service stop\"}", DONE);
	GIVES("Recover", "", 4);
	GIVES("Failback", "", 4);
	GIVES("Return", "", 4);
	expect(&b, "{\"op\":\"service start\"}", DONE);
	sim_cut(a.sim, b.sim);
	/* Whoever does not wait for its end has its job. */
	limit_ns = RT_MS;
	GIVES("Recover", "", 4096);
	ANSWERS("xdc:2105.FB230:job:");
	limit_ns = 0;
	await(&b, NO_JOBS);
	GIVES("Recover", "", 0);
	expect(&b, SHOW_SESSION, "\"state\":\"recovered\"");
}

static int try_session(void *arg)
{
	(void)arg;
	prepare();
	start_session();
	expect(&b, "{\"op\":\"path create\",\"args\":{\"source_lss\":\"25\",\"target_lss\":\"15\","
	       "\"system\":\"2105.FA120\",\"to\":\"a1:7000\"}}", DONE);
	on_namespace = CIM_NAMESPACE_IBM;
	asked = &a;
	on_object = ON_SESSION("2105.FA120", "1", "15");
	GIVES("Recover", "", 5);
	asked = &b;
	recover();
	/* The old site is not heard: it goes on when it is. */
	GIVES("Failback", "", 4096);
	GIVES("Return", "", 5);
	sim_heal(a.sim, b.sim);
	await(&b, NO_JOBS);
	GIVES("Failback", P_VALUE("Discard", "boolean", "false"), 0);
	limit_ns = RT_MS;
	GIVES("Return", "", 4096);
	limit_ns = 0;
	await(&b, NO_JOBS);
	expect(&a, "{\"op\":\"pair show\",\"args\":{\"volume\":\"1500\"}}", "\"role\":\"source\"");
	GIVES("Return", "", 5);
	return stop_both();
}

/* Where all are heard, none of them lasts. */
static int try_return(void *arg)
{
	(void)arg;
	prepare();
	start_session();
	expect(&b, "{\"op\":\"path create\",\"args\":{\"source_lss\":\"25\",\"target_lss\":\"15\","
	       "\"system\":\"2105.FA120\",\"to\":\"a1:7000\"}}", DONE);
	GIVES("Recover", P_VALUE("Force", "boolean", "true"), 0);
	GIVES("Failback", "", 0);
	GIVES("Return", "", 0);
	return stop_both();
}

static void codes_of_a_session(void **state)
{
	(void)state;
	run(try_session);
	run(try_return);
	asked = &a;
}

/* ---- all of them ---- */

static void each_code_was_seen_or_never_comes(void **state)
{
	(void)state;
	assert_int_equal(0, count_missing_of(CONFIGURATION, NULL) + count_missing_of("IBMTSESS_Session", NULL) +
			 count_missing_of("CIM_StorageCapabilities", NULL) +
			 count_missing_of("CIM_ReplicationService", "ModifyReplicaSynchronization"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_of_pools_and_volumes),
		cmocka_unit_test(codes_of_settings),
		cmocka_unit_test(codes_of_copies),
		cmocka_unit_test(codes_of_one_replica),
		cmocka_unit_test(codes_of_a_session),
		cmocka_unit_test(each_code_was_seen_or_never_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
