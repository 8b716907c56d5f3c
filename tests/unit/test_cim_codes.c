/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The return codes of the methods of IBMTSESS_AsyncPPRCService, method by method: each that its page names is provoked
 * by what it stands for, over two whole systems in the simulator; or it is one of those that never come about, which
 * are listed here and in docs/cim.md.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cim_codes.h"

#define SESSION		P_NUMBER("SessionNumber", "1") P_TEXT("SessionType", "0x40")
#define OF(number, type)	P_NUMBER("SessionNumber", number) P_TEXT("SessionType", type)
#define LSS		P_TEXT("LSS", "2105.FA120:15:")
#define MASTER		P_TEXT("MasterLSS", "2105.FA120:15:")
#define LIMITS		P_NUMBER("ConsistencyGroupInterval", "0") P_NUMBER("MaxXDCCoordinationTime", "50") \
			P_NUMBER("MaxConsistencyGroupDrain", "4")
#define PAIR		RELATION(VOLUME("1500"), FAR_VOLUME("2500"))
#define FLASH		RELATION(VOLUME("1500"), VOLUME("1501"))
#define THE_PAIR		P_REF("Synchronization", PAIR)
#define THE_FLASH	P_REF("Synchronization", FLASH)
#define C_SET(name)	P_REF("Set", SET_OF("IBMTSESS_ConsistencySet", name))
#define S_SET(name)	P_REF("Set", SET_OF("IBMTSESS_SynchronizedSet", name))
#define VOLUMES(path)	P_REFS("Volumes", path)
#define PRIMORDIAL	REF("IBMTSESS_StoragePool", KEY("InstanceID", "xdc:2105.FA120:primordial:primordial"))
#define POOL_TEXT(name)	V("root/ibm:IBMTSESS_StoragePool.InstanceID=&quot;xdc:2105.FA120:pool:" name "&quot;")
#define CLI_SESSION(verb)	"{\"op\":\"session " verb "\",\"args\":{\"session\":\"1\"}}"

/* NULL: of all. 2 stands for a fault of which nothing is known; xdc always knows. */
static const struct code never[] = {
	{ NULL, 2 },
	/* What they do is done at once, or waits for nothing but this system's own memory. */
	{ "QueryXDCIncrementStatus", 3 }, { "QueryXDCIncrementStatus", 4 }, { "QueryXDCIncrementStatus", 6 },
	{ "QueryXDCOutOfSyncStatus", 3 }, { "QueryXDCOutOfSyncStatus", 4 }, { "QueryXDCOutOfSyncStatus", 6 },
	{ "QueryXDCSessionsAndDevices", 3 }, { "QueryXDCSessionsAndDevices", 4 }, { "QueryXDCSessionsAndDevices", 6 },
	{ "QueryAsyncPPRCStatus", 1 }, { "QueryAsyncPPRCStatus", 3 }, { "QueryAsyncPPRCStatus", 4 },
	{ "QueryAsyncPPRCStatus", 6 },
	{ "GetSupportedSetTypes", 1 }, { "GetSupportedSetTypes", 3 }, { "GetSupportedSetTypes", 4 },
	/* No job comes of them. */
	{ "ManageSession", 4096 }, { "QueryXDCIncrementStatus", 4096 },
	{ "QueryXDCOutOfSyncStatus", 4096 }, { "QueryXDCSessionsAndDevices", 4096 }, { "QueryAsyncPPRCStatus", 4096 },
	{ "CreateOrModifyStoragePool", 4096 }, { "CreateOrModifyElementFromStoragePool", 4096 },
	{ "DeleteStoragePool", 4096 }, { "ReturnToStoragePool", 4096 }, { "ModifyConsistencySet", 4096 },
	/* A copy takes its time: its job. */
	{ "CreateReplica", 0 }, { "AttachReplica", 0 },
	/* They are about no size, and do nothing that is not supported. */
	{ "ManageSession", 4097 }, { "RequestStateChange", 6 },
	{ "ReturnToStoragePool", 1 },
	{ "DeleteSynchronization", 1 }, { "CreateSynchronization", 1 }, { "CreateConsistencySet", 1 },
	{ "DeleteConsistencySet", 1 }, { "CreateSynchronizedSet", 1 }, { "DeleteSynchronizedSet", 1 },
	{ "ModifyConsistencySet", 1 }, { "ModifySynchronizedSet", 1 },
};

/* ---- sessions ---- */

#define MANY		257u

/* More than one call takes. */
static const char *many_volumes(void)
{
	static const char head[] = SESSION LSS DO("1") "<PARAMVALUE NAME=\"Volumes\"><VALUE.REFARRAY>";
	static char text[sizeof(head) + MANY * sizeof(VOLUME("1500")) + 64];
	size_t len = (size_t)snprintf(text, sizeof(text), "%s", head);

	for (unsigned i = 0; i < MANY; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", VOLUME("1500"));
	snprintf(text + len, sizeof(text) - len, "</VALUE.REFARRAY></PARAMVALUE>");
	return text;
}

static int try_sessions(void *arg)
{
	(void)arg;
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	expect(&a, MAKE_VOLUME("1501"), DONE);
	GIVES("ManageSession", OF("0", "0x40") LSS DO("1"), 5);
	GIVES("ManageSession", OF("256", "0x40") LSS DO("1"), 5);
	GIVES("ManageSession", OF("1", "0x50") LSS DO("1"), 5);
	GIVES("ManageSession", OF("1", "forty") LSS DO("1"), 5);
	GIVES("ManageSession", SESSION P_TEXT("LSS", "2105.FB230:15:") DO("1"), 5);
	GIVES("ManageSession", SESSION P_TEXT("LSS", "2105.FA120:15:FF21:0") DO("1"), 5);
	GIVES("ManageSession", SESSION P_TEXT("LSS", "2105.FA120:FF:") DO("1"), 5);
	GIVES("ManageSession", SESSION P_TEXT("LSS", "2105.FA120:77:") DO("1"), 5);
	GIVES("ManageSession", SESSION P_TEXT("LSS", "15") DO("1"), 5);
	GIVES("ManageSession", SESSION LSS DO("3"), 5);
	GIVES("ManageSession", SESSION DO("1"), 5);
	GIVES("ManageSession", OF("1", "0x10") LSS DO("1"), 1);
	GIVES("ManageSession", OF("2", "0x20") LSS DO("1"), 0);
	GIVES("ManageSession", OF("3", "0x30") LSS DO("1"), 0);
	GIVES("ManageSession", OF("2", "0x40") LSS DO("2"), 5);
	set_service("stop");
	GIVES("ManageSession", SESSION LSS DO("1"), 4);
	GIVES("ManageSessionVolume", SESSION LSS DO("1") VOLUMES(VOLUME("1500")), 4);
	GIVES("ManageAsyncPPRC", SESSION MASTER DO("1") LIMITS, 4);
	set_service("start");
	GIVES("ManageSession", SESSION LSS DO("1"), 0);
	GIVES("ManageSession", SESSION LSS DO("1"), 6);

	GIVES("ManageSessionVolume", OF("1", "0x10") LSS DO("1") VOLUMES(VOLUME("1500")), 1);
	GIVES("ManageSessionVolume", SESSION LSS DO("1"), 5);
	GIVES("ManageSessionVolume", SESSION LSS DO("9") VOLUMES(VOLUME("1500")), 5);
	GIVES("ManageSessionVolume", SESSION LSS DO("1") VOLUMES(VOLUME("1599")), 5);
	GIVES("ManageSessionVolume", SESSION P_TEXT("LSS", "2105.FA120:16:") DO("1") VOLUMES(VOLUME("1500")), 5);
	GIVES("ManageSessionVolume", SESSION LSS DO("1") VOLUMES(VOLUME("1501")), 5);
	GIVES("ManageSessionVolume", SESSION LSS DO("1") VOLUMES(VOLUME("1500")), 0);
	GIVES("ManageSessionVolume", SESSION LSS DO("1") VOLUMES(VOLUME("1500")), 6);
	GIVES("ManageSessionVolume", many_volumes(), 4097);
	GIVES("ManageSession", SESSION LSS DO("2"), 6);

	GIVES("ManageAsyncPPRC", SESSION MASTER DO("1"), 5);
	GIVES("ManageAsyncPPRC", SESSION MASTER DO("6") LIMITS, 5);
	GIVES("ManageAsyncPPRC", SESSION MASTER DO("1") LIMITS P_LIST("Subordinates", V("2105.FB230")), 5);
	GIVES("ManageAsyncPPRC", OF("2", "0x20") MASTER DO("1") LIMITS, 1);
	GIVES("ManageAsyncPPRC", SESSION MASTER DO("1") LIMITS P_LIST("Subordinates",
		V("a") V("a") V("a") V("a") V("a") V("a") V("a") V("a") V("a") V("a") V("a") V("a") V("a") V("a")
		V("a") V("a")), 4097);
	GIVES("ManageAsyncPPRC", SESSION MASTER DO("1") LIMITS, 0);
	GIVES("ManageAsyncPPRC", SESSION MASTER DO("1") LIMITS, 6);
	GIVES("ManageAsyncPPRC", SESSION P_TEXT("MasterLSS", "2105.FA120:16:") DO("2"), 5);
	await(&a, CLI_SESSION("show"), "\"joined_count\":1");
	GIVES("QueryXDCIncrementStatus", SESSION, 0);
	GIVES("QueryXDCOutOfSyncStatus", SESSION, 0);
	GIVES("QueryXDCSessionsAndDevices", SESSION, 0);
	GIVES("QueryAsyncPPRCStatus", "", 0);
	return stop_both();
}

static void codes_of_sessions(void **state)
{
	(void)state;
	run(try_sessions);
}

/* Its first copy cannot end while the systems do not hear one another. */
static int try_first_copy(void *arg)
{
	(void)arg;
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	sim_cut(a.sim, b.sim);
	GIVES("ManageSession", SESSION LSS DO("1"), 0);
	GIVES("ManageSessionVolume", SESSION LSS DO("1") VOLUMES(VOLUME("1500")), 4096);
	ANSWERS("xdc:2105.FA120:job:");
	expect(&a, "{\"op\":\"job list\",\"args\":{\"running\":true}}", "\"first-copy\"");
	sim_heal(a.sim, b.sim);
	await(&a, "{\"op\":\"job list\",\"args\":{\"running\":true}}", "\"result\":[]");
	GIVES("ManageSessionVolume", SESSION LSS DO("2") VOLUMES(VOLUME("1500")), 0);
	GIVES("ManageSessionVolume", SESSION LSS DO("1") VOLUMES(VOLUME("1500")), 0);
	return stop_both();
}

static void a_volume_in_its_first_copy_joins_by_a_job(void **state)
{
	(void)state;
	run(try_first_copy);
}

/* ---- queries ---- */

static int try_queries(void *arg)
{
	static const char *const methods[] = {
		"QueryXDCIncrementStatus", "QueryXDCOutOfSyncStatus", "QueryXDCSessionsAndDevices",
	};

	(void)arg;
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	expect(&a, "{\"op\":\"session open\",\"args\":{\"session\":\"1\",\"lss\":\"15\"}}", DONE);
	expect(&a, "{\"op\":\"session add\",\"args\":{\"session\":\"1\",\"volumes\":[\"1500\"]}}", DONE);
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		GIVES(methods[i], OF("1", "0x10"), 1);
		GIVES(methods[i], OF("1", "0x20"), 1);
		GIVES(methods[i], OF("0", "0x40"), 5);
		GIVES(methods[i], SESSION P_TEXT("Scope", "2105.FB230:25:"), 5);
		GIVES(methods[i], OF("9", "0x40"), 0);
		is_memory_taken = true;
		GIVES(methods[i], SESSION, 4097);
		is_memory_taken = false;
	}
	GIVES("QueryAsyncPPRCStatus", P_TEXT("Scope", "everything"), 5);
	is_memory_taken = true;
	GIVES("QueryAsyncPPRCStatus", "", 4097);
	is_memory_taken = false;
	GIVES("GetSupportedSetTypes", "", 0);
	return stop_both();
}

static void codes_of_queries(void **state)
{
	(void)state;
	run(try_queries);
}

/* ---- what a cut does ---- */

static int try_cut(void *arg)
{
	(void)arg;
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	expect(&a, "{\"op\":\"session open\",\"args\":{\"session\":\"1\",\"lss\":\"15\"}}", DONE);
	expect(&a, "{\"op\":\"session add\",\"args\":{\"session\":\"1\",\"volumes\":[\"1500\"]}}", DONE);
	expect(&a, "{\"op\":\"session start\",\"args\":{\"session\":\"1\",\"master\":\"15\"}}", DONE);
	cut_session();
	/* The group that is under way does not come to its end: the command waits for it, and its job tells of that. */
	GIVES("ManageAsyncPPRC", SESSION MASTER DO("4"), 4096);
	ANSWERS("xdc:2105.FA120:job:");
	expect(&a, "{\"op\":\"job list\",\"args\":{\"running\":true}}", "\"terminate\"");
	limit_ns = 100 * RT_MS;
	GIVES("ManageSession", SESSION P_TEXT("LSS", "2105.FA120:15:") DO("2"), 3);
	GIVES("ManageSessionVolume", SESSION LSS DO("2") VOLUMES(VOLUME("1500")), 3);
	GIVES("ManageAsyncPPRC", SESSION MASTER DO("1") LIMITS, 3);
	limit_ns = 0;
	/* The service waits for its end, and takes nothing else meanwhile. */
	GIVES("RequestStateChange", P_NUMBER("RequestedState", "4"), 4096);
	GIVES("RequestStateChange", P_NUMBER("RequestedState", "2"), 4099);
	await(&a, "{\"op\":\"job list\",\"args\":{\"running\":true}}", "\"result\":[]");
	sim_heal(a.sim, b.sim);
	return stop_both();
}

/* Copies to a system that is not heard. */
static int try_unheard(void *arg)
{
	(void)arg;
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	expect(&a, MAKE_VOLUME("1501"), DONE);
	await(&a, "{\"op\":\"job list\",\"args\":{\"running\":true}}", "\"result\":[]");
	sim_cut(a.sim, b.sim);
	limit_ns = 100 * RT_MS;
	GIVES("AttachReplica", SOURCE(VOLUME("1501")) TARGET(FAR_VOLUME("2501")) COPY_TYPE("3"), 3);
	GIVES("CreateSynchronization", ENDS(VOLUME("1501"), FAR_VOLUME("2501")) COPY_TYPE("2"), 3);
	GIVES("ModifySynchronization", DO("2") THE_PAIR, 3);
	GIVES("DeleteSynchronization", THE_PAIR, 3);
	limit_ns = 0;
	sim_heal(a.sim, b.sim);
	return stop_both();
}

static void what_another_system_does_not_answer_times_out(void **state)
{
	(void)state;
	run(try_unheard);
}

static void a_command_that_takes_long_becomes_a_job(void **state)
{
	(void)state;
	run(try_cut);
}

/* ---- pools and volumes ---- */

static int try_storage(void *arg)
{
	(void)arg;
	prepare();
	set_service("stop");
	GIVES("CreateOrModifyStoragePool", NAME("q") SIZE("1048576") P_LIST("InPools", POOL_TEXT("p")), 4);
	GIVES("CreateOrModifyElementFromStoragePool", SIZE("1048576") P_REF("InPool", POOL("p")), 4);
	GIVES("DeleteStoragePool", P_REF("Pool", POOL("p")), 4);
	GIVES("ReturnToStoragePool", P_REF("TheElement", VOLUME("1500")), 4);
	set_service("start");
	GIVES("CreateOrModifyStoragePool", NAME("q"), 5);
	GIVES("CreateOrModifyStoragePool", NAME("q q") SIZE("1048576") P_LIST("InPools", POOL_TEXT("p")), 5);
	GIVES("CreateOrModifyStoragePool", NAME("q") SIZE("1048576") P_LIST("InPools", V("p")), 5);
	GIVES("CreateOrModifyStoragePool", NAME("q") P_LIST("InPools", POOL_TEXT("p")), 5);
	GIVES("CreateOrModifyStoragePool", NAME("q") P_LIST("InExtents", V("nothing")), 5);
	GIVES("CreateOrModifyStoragePool",
	      NAME("q") SIZE("1048576") P_LIST("InPools", POOL_TEXT("p") POOL_TEXT("p")), 1);
	GIVES("CreateOrModifyStoragePool", NAME("p") SIZE("1048576") P_LIST("InPools", POOL_TEXT("p")), 6);
	GIVES("CreateOrModifyStoragePool",
	      NAME("q") SIZE("4611686018427387904") P_LIST("InPools", POOL_TEXT("p")), 4097);
	GIVES("CreateOrModifyStoragePool", NAME("q") SIZE("1048576") P_LIST("InPools", POOL_TEXT("p")), 0);
	GIVES("CreateOrModifyStoragePool", NAME("label") P_REF("Pool", POOL("q")), 0);
	GIVES_UP("CreateOrModifyStoragePool", SIZE("1048576") P_LIST("InExtents", V("/dev/none")) NAME("r"));

	GIVES("CreateOrModifyElementFromStoragePool", SIZE("1048576") P_REF("InPool", POOL("none")), 5);
	GIVES("CreateOrModifyElementFromStoragePool",
	      P_NUMBER("ElementType", "3") SIZE("1048576") P_REF("InPool", POOL("q")), 1);
	GIVES("CreateOrModifyElementFromStoragePool",
	      P_NUMBER("ElementType", "1") SIZE("1048576") P_REF("InPool", POOL("q")), 5);
	GIVES("CreateOrModifyElementFromStoragePool", SIZE("2097152") P_REF("InPool", POOL("q")), 4097);
	GIVES("CreateOrModifyElementFromStoragePool",
	      NAME("a") P_NUMBER("ElementType", "5") SIZE("1048576") P_REF("InPool", POOL("p")), 0);
	GIVES("CreateOrModifyElementFromStoragePool", NAME("a") SIZE("1048576") P_REF("InPool", POOL("p")), 6);
	GIVES("CreateOrModifyElementFromStoragePool", SIZE("4096") P_REF("TheElement", VOLUME("1501")), 4097);
	GIVES("CreateOrModifyElementFromStoragePool", SIZE("2097152") P_REF("TheElement", VOLUME("1501")), 0);
	GIVES_UP("CreateOrModifyElementFromStoragePool", SIZE("1048576") P_REF("InPool", POOL("p")));

	GIVES("DeleteStoragePool", "", 5);
	GIVES("DeleteStoragePool", P_REF("Pool", PRIMORDIAL), 1);
	GIVES("CreateOrModifyStoragePool", NAME("all") P_REF("Pool", PRIMORDIAL), 1);
	GIVES("DeleteStoragePool", P_REF("Pool", POOL("p")), 6);
	GIVES_UP("DeleteStoragePool", P_REF("Pool", POOL("q")));
	GIVES("DeleteStoragePool", P_REF("Pool", POOL("q")), 0);
	GIVES("ReturnToStoragePool", P_REF("TheElement", VOLUME("15FF")), 5);
	GIVES_UP("ReturnToStoragePool", P_REF("TheElement", VOLUME("1501")));
	GIVES("ReturnToStoragePool", P_REF("TheElement", VOLUME("1501")), 0);
	expect(&a, CREATE_PAIR, DONE);
	GIVES("ReturnToStoragePool", P_REF("TheElement", VOLUME("1500")), 6);
	return stop_both();
}

static void codes_of_pools_and_volumes(void **state)
{
	(void)state;
	run(try_storage);
}

/* ---- copies ---- */

static int try_copies(void *arg)
{
	(void)arg;
	prepare();
	expect(&a, MAKE_VOLUME("1501"), DONE);
	expect(&a, "{\"op\":\"volume create\",\"args\":{\"volume\":\"1502\",\"pool\":\"p\",\"size\":\"2M\"}}", DONE);
	expect(&a, MAKE_VOLUME("1503"), DONE);
	set_service("stop");
	GIVES("CreateReplica", SOURCE(VOLUME("1500")) COPY_TYPE("4"), 4);
	GIVES("AttachReplica", SOURCE(VOLUME("1500")) TARGET(VOLUME("1501")) COPY_TYPE("4"), 4);
	GIVES("CreateSynchronization", ENDS(VOLUME("1500"), VOLUME("1501")) COPY_TYPE("4"), 4);
	set_service("start");
	GIVES("CreateReplica", SOURCE(VOLUME("15FF")) COPY_TYPE("4"), 5);
	GIVES("CreateReplica", SOURCE(VOLUME("1500")) COPY_TYPE("6"), 5);
	GIVES("CreateReplica", SOURCE(VOLUME("1500")) COPY_TYPE("3"), 1);
	GIVES("CreateReplica", SOURCE(VOLUME("1503")) COPY_TYPE("4") NAME("copy"), 4096);
	GIVES("CreateReplica", SOURCE(VOLUME("1503")) COPY_TYPE("4") NAME("copy"), 6);
	GIVES_UP("CreateReplica", SOURCE(VOLUME("1503")) COPY_TYPE("4"));

	GIVES("AttachReplica", SOURCE(VOLUME("1500")) COPY_TYPE("4"), 5);
	GIVES("AttachReplica", SOURCE(VOLUME("1500")) TARGET(VOLUME("1502")) COPY_TYPE("4"), 5);
	GIVES("AttachReplica", SOURCE(VOLUME("1500")) TARGET(VOLUME("1501")) COPY_TYPE("3"), 1);
	GIVES("AttachReplica", SOURCE(VOLUME("1500")) TARGET(VOLUME("1501")) COPY_TYPE("4"), 4096);
	GIVES("AttachReplica", SOURCE(VOLUME("1502")) TARGET(VOLUME("1501")) COPY_TYPE("4"), 6);

	GIVES("DeleteSynchronization", THE_FLASH, 7);
	GIVES("DeleteSynchronization", THE_PAIR, 5);
	await(&a, SHOW_FLASH("1501"), "\"job\":null");
	set_service("stop");
	GIVES("ModifySynchronization", DO("2") THE_FLASH, 4);
	GIVES("DeleteSynchronization", THE_FLASH, 4);
	set_service("start");
	GIVES("ModifySynchronization", DO("1") THE_FLASH, 5);
	GIVES("ModifySynchronization", DO("14") THE_FLASH, 5);
	GIVES("ModifySynchronization", DO("3") THE_FLASH, 1);
	GIVES("ModifySynchronization", DO("2") THE_PAIR, 5);
	GIVES("CreateSynchronizedSet", NAME("s") COPY_TYPE("4"), 0);
	GIVES("ModifySynchronizedSet", DO("2") S_SET("s") P_REFS("Synchronization", FLASH), 0);
	GIVES("DeleteSynchronization", THE_FLASH, 6);
	GIVES("ModifySynchronization", DO("2") THE_FLASH, 6);
	GIVES("ModifySynchronizedSet", DO("3") S_SET("s") P_REFS("Synchronization", FLASH), 0);
	GIVES("ModifySynchronization", DO("5") THE_FLASH, 4096);
	await(&a, SHOW_FLASH("1500"), "\"job\":null");
	GIVES("DeleteSynchronization", P_REF("Synchronization", RELATION(VOLUME("1501"), VOLUME("1500"))), 0);

	GIVES("CreateSynchronization", ENDS(VOLUME("1500"), VOLUME("15FF")) COPY_TYPE("4"), 5);
	GIVES("CreateSynchronization", ENDS(VOLUME("1500"), VOLUME("15FF")) COPY_TYPE("4") S_SET("s"), 9);
	GIVES("CreateSynchronization", ENDS(VOLUME("1500"), VOLUME("1501")) COPY_TYPE("2"), 6);
	GIVES("CreateSynchronization", ENDS(VOLUME("1500"), VOLUME("1501")) COPY_TYPE("5") S_SET("s"), 8);
	GIVES("CreateConsistencySet", NAME("c"), 0);
	GIVES("CreateSynchronization", ENDS(VOLUME("1500"), VOLUME("1501")) COPY_TYPE("4") C_SET("c"), 7);
	GIVES("CreateSynchronization", ENDS(VOLUME("1500"), VOLUME("1501")) COPY_TYPE("4") S_SET("s"), 0);
	await(&a, SHOW_FLASH("1501"), "\"job\":null");
	GIVES("ModifySynchronizedSet", DO("7") S_SET("s"), 4096);
	return stop_both();
}

static void codes_of_copies(void **state)
{
	(void)state;
	run(try_copies);
}

/* ---- sets ---- */

static int try_sets(void *arg)
{
	(void)arg;
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	set_service("stop");
	GIVES("CreateConsistencySet", NAME("c"), 4);
	GIVES("CreateSynchronizedSet", NAME("s"), 4);
	set_service("start");
	GIVES("CreateConsistencySet", NAME("c c"), 5);
	GIVES("CreateConsistencySet", NAME("c") COPY_TYPE("9"), 6);
	GIVES("CreateConsistencySet", NAME("c") COPY_TYPE("5"), 7);
	GIVES_UP("CreateConsistencySet", NAME("c"));
	GIVES("CreateConsistencySet", NAME("c"), 0);
	GIVES("CreateConsistencySet", NAME("c"), 5);
	GIVES("CreateSynchronizedSet", NAME("-"), 5);
	GIVES("CreateSynchronizedSet", NAME("s") COPY_TYPE("0"), 6);
	GIVES("CreateSynchronizedSet", NAME("s") COPY_TYPE("5"), 8);
	GIVES_UP("CreateSynchronizedSet", NAME("s"));
	GIVES("CreateSynchronizedSet", NAME("s"), 0);
	GIVES("CreateSynchronizedSet", NAME("t"), 0);

	GIVES("ModifyConsistencySet", DO("4") C_SET("c") P_REFS("StorageElement", VOLUME("1500")), 5);
	GIVES("ModifyConsistencySet", DO("2") C_SET("none") P_REFS("StorageElement", VOLUME("1500")), 5);
	GIVES("ModifyConsistencySet", DO("2") C_SET("c") P_REFS("StorageElement", PAIR), 6);
	GIVES_UP("ModifyConsistencySet", DO("2") C_SET("c") P_REFS("StorageElement", VOLUME("1500")));
	GIVES("ModifyConsistencySet", DO("2") C_SET("c") P_REFS("StorageElement", VOLUME("1500")), 0);
	GIVES("ModifyConsistencySet", DO("2") C_SET("c") P_REFS("StorageElement", VOLUME("1500")), 5);
	GIVES("DeleteConsistencySet", C_SET("c"), 6);
	GIVES("ModifyConsistencySet", DO("3") C_SET("c") P_REFS("StorageElement", VOLUME("1500")), 0);
	GIVES("DeleteConsistencySet", C_SET("s"), 5);

	GIVES("ModifySynchronizedSet", DO("9") S_SET("s"), 5);
	GIVES("ModifySynchronizedSet", DO("2") S_SET("s") P_REFS("Synchronization", FLASH), 5);
	GIVES("ModifySynchronizedSet", DO("3") S_SET("s") P_REFS("Synchronization", PAIR), 7);
	GIVES_UP("ModifySynchronizedSet", DO("2") S_SET("s") P_REFS("Synchronization", PAIR));
	GIVES("ModifySynchronizedSet", DO("2") S_SET("s") P_REFS("Synchronization", PAIR), 0);
	GIVES("ModifySynchronizedSet", DO("2") S_SET("t") P_REFS("Synchronization", PAIR), 8);
	GIVES("ModifySynchronizedSet", DO("7") S_SET("s"), 6);
	GIVES("DeleteSynchronizedSet", S_SET("s"), 6);
	GIVES("DeleteSynchronizedSet", S_SET("c"), 5);
	GIVES("ModifySynchronizedSet", DO("5") S_SET("s"), 0);
	GIVES("ModifySynchronizedSet", DO("8") S_SET("s"), 0);
	set_service("stop");
	GIVES("ModifyConsistencySet", DO("2") C_SET("c") P_REFS("StorageElement", VOLUME("1500")), 4);
	GIVES("ModifySynchronizedSet", DO("6") S_SET("s"), 4);
	GIVES("DeleteConsistencySet", C_SET("c"), 4);
	GIVES("DeleteSynchronizedSet", S_SET("t"), 4);
	set_service("start");
	GIVES("ModifySynchronizedSet", DO("6") S_SET("s"), 0);
	GIVES_UP("DeleteConsistencySet", C_SET("c"));
	GIVES_UP("DeleteSynchronizedSet", S_SET("t"));
	GIVES("DeleteConsistencySet", C_SET("c"), 0);
	GIVES("DeleteSynchronizedSet", S_SET("t"), 0);
	GIVES("ModifySynchronization", DO("3") THE_PAIR, 0);
	return stop_both();
}

static void codes_of_sets(void **state)
{
	(void)state;
	run(try_sets);
}

/* ---- the service ---- */

#define STATE(number)	P_NUMBER("RequestedState", number)

static int try_service(void *arg)
{
	struct sim_config config;

	(void)arg;
	prepare();
	GIVES("RequestStateChange", STATE("6"), 1);
	GIVES("RequestStateChange", STATE("1"), 5);
	GIVES("RequestStateChange", STATE("2") P_VALUE("TimeoutPeriod", "datetime", "20261123000000.000000+000"), 5);
	GIVES("RequestStateChange",
	      STATE("2") P_VALUE("TimeoutPeriod", "datetime", "00000000000001.000000:000"), 4098);
	GIVES_UP("RequestStateChange", STATE("3"));
	GIVES("RequestStateChange", STATE("3"), 0);
	GIVES("RequestStateChange", STATE("9"), 4097);
	GIVES("RequestStateChange", STATE("2"), 0);
	sim_config_default(&config);
	sim_set_disk_bytes(a.sim, 1);
	GIVES("RequestStateChange", STATE("3"), 4);
	sim_set_disk_bytes(a.sim, config.disk_bytes);
	GIVES("StopService", "", 0);
	GIVES("StartService", "", 0);
	return stop_both();
}

static void codes_of_the_service(void **state)
{
	(void)state;
	run(try_service);
}

/* ---- all of them ---- */

static void each_code_of_the_page_was_seen_or_never_comes(void **state)
{
	unsigned missing = 0;

	(void)state;
	for (const struct cim_method *method = cim_methods_ibm; method->class_name; method++)
		missing += count_missing(method, never, sizeof(never) / sizeof(never[0]));
	assert_int_equal(0, missing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_of_sessions),
		cmocka_unit_test(a_volume_in_its_first_copy_joins_by_a_job),
		cmocka_unit_test(codes_of_queries),
		cmocka_unit_test(a_command_that_takes_long_becomes_a_job),
		cmocka_unit_test(what_another_system_does_not_answer_times_out),
		cmocka_unit_test(codes_of_pools_and_volumes),
		cmocka_unit_test(codes_of_copies),
		cmocka_unit_test(codes_of_sets),
		cmocka_unit_test(codes_of_the_service),
		cmocka_unit_test(each_code_of_the_page_was_seen_or_never_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
