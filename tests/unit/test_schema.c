/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of classes against what they have to be: the two pages that name the management classes, written down
 * here member by member, and facts of the DMTF's classes that clients rely on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "face/cim/schema.h"

/* "0=Name|1=Name": numbers and names of a value map, in this order; newer ones may stand between them. */
struct wanted {
	const char *name;	/* of the member; of a parameter behind the method's with a dot */
	const char *type;	/* "uint16", "string[]", "Class REF" */
	const char *flags;	/* k key, w writable, i in, o out, r required */
	const char *values;	/* NULL: it has no value map */
};

static const struct cim_schema_class *class_of(const char *name)
{
	const struct cim_schema_class *class = cim_schema_find_any_class(name);

	if (!class)
		fail_msg("there is no class %s", name);
	return class;
}

static void check_type(const char *name, const char *wanted, enum cim_type type, const char *reference_class,
		       bool is_array)
{
	char text[128];

	snprintf(text, sizeof(text), "%s%s%s", type == CIM_TYPE_REFERENCE ? reference_class : cim_type_name(type),
		 type == CIM_TYPE_REFERENCE ? " REF" : "", is_array ? "[]" : "");
	if (strcmp(text, wanted))
		fail_msg("%s is %s, not %s", name, text, wanted);
}

/* Is this number with this name at or behind the place *at of the value map? */
static bool find_pair(const struct cim_schema_qualifiers *qualifiers, const char *number, const char *name,
		      unsigned *at)
{
	const struct cim_schema_qualifier *map = cim_schema_find_qualifier(qualifiers, "ValueMap");
	const struct cim_schema_qualifier *values = cim_schema_find_qualifier(qualifiers, "Values");

	for (; map && *at < map->value.count; (*at)++)
		if (!strcmp(map->value.list[*at], number) &&
		    (!values || !strcmp(values->value.list[*at], name)) && (values || !strcmp(number, name)))
			return true;
	return false;
}

static void check_values(const char *member, const struct cim_schema_qualifiers *qualifiers, const char *wanted)
{
	unsigned at = 0;

	if (!wanted) {
		if (cim_schema_find_qualifier(qualifiers, "ValueMap"))
			fail_msg("%s has a value map", member);
		return;
	}
	while (*wanted) {
		size_t length = strcspn(wanted, "|");
		char pair[128], *name;

		snprintf(pair, sizeof(pair), "%.*s", (int)length, wanted);
		name = strchr(pair, '=');
		if (name)
			*name++ = '\0';
		if (!find_pair(qualifiers, pair, name ? name : pair, &at))
			fail_msg("%s: no %s = %s at its place", member, pair, name ? name : pair);
		wanted += length + (wanted[length] == '|');
	}
}

static void check_property(const struct cim_schema_property *property, const struct wanted *wanted)
{
	check_type(wanted->name, wanted->type, property->type, property->reference_class, property->is_array);
	if (property->is_key != !!strchr(wanted->flags, 'k') || property->is_writable != !!strchr(wanted->flags, 'w'))
		fail_msg("%s: key %d, writable %d", wanted->name, property->is_key, property->is_writable);
	check_values(wanted->name, &property->qualifiers, wanted->values);
}

static void check_properties(const char *class_name, const struct wanted *wanted, unsigned count)
{
	const struct cim_schema_class *class = class_of(class_name);

	for (unsigned i = 0; i < count; i++) {
		const struct cim_schema_property *property = cim_schema_find_property(class, wanted[i].name);

		if (!property)
			fail_msg("%s has no %s", class_name, wanted[i].name);
		check_property(property, &wanted[i]);
	}
}

#define MAP_RESERVED	"|..=DMTF Reserved|32768..65535=Vendor Reserved"

/* ---- the page of IBMTSESS_AsyncPPRCService ---- */

static const struct wanted async_properties[] = {
	{ "SystemCreationClassName", "string", "k", NULL },
	{ "SystemName", "string", "k", NULL },
	{ "CreationClassName", "string", "k", NULL },
	{ "Name", "string", "k", NULL },
	{ "PrimaryOwnerName", "string", "w", NULL },
	{ "PrimaryOwnerContact", "string", "w", NULL },
	{ "EnabledDefault", "uint16", "w", "2=Enabled|3=Disabled|5=Not Applicable|6=Enabled but Offline|7=No Default"
	  MAP_RESERVED },
	{ "StartMode", "string", "", "Automatic|Manual" },
	{ "Started", "boolean", "", NULL },
	{ "EnabledState", "uint16", "", "0=Unknown|1=Other|2=Enabled|3=Disabled|4=Shutting Down|5=Not Applicable|"
	  "6=Enabled but Offline|7=In Test|8=Deferred|9=Quiesce|10=Starting|11..32767=DMTF Reserved|"
	  "32768..65535=Vendor Reserved" },
	{ "OtherEnabledState", "string", "", NULL },
	{ "RequestedState", "uint16", "", "2=Enabled|3=Disabled|4=Shut Down|5=No Change|6=Offline|7=Test|8=Deferred|"
	  "9=Quiesce|10=Reboot|11=Reset" MAP_RESERVED },
	{ "TimeOfLastStateChange", "datetime", "", NULL },
	{ "InstallDate", "datetime", "", NULL },
	{ "OperationalStatus", "uint16[]", "", "0=Unknown|1=Other|2=OK|3=Degraded|4=Stressed|5=Predictive Failure|"
	  "6=Error|7=Non-Recoverable Error|8=Starting|9=Stopping|10=Stopped|11=In Service|12=No Contact|"
	  "13=Lost Communication|14=Aborted|15=Dormant|16=Supporting Entity in Error|17=Completed|18=Power Mode|"
	  "..=DMTF Reserved|0x8000..=Vendor Reserved" },
	{ "StatusDescriptions", "string[]", "", NULL },
	{ "Status", "string", "", "OK|Error|Degraded|Unknown|Pred Fail|Starting|Stopping|Service|Stressed|NonRecover|"
	  "No Contact|Lost Comm|Stopped" },
	{ "Caption", "string", "", NULL },
	{ "Description", "string", "", NULL },
	{ "ElementName", "string", "", NULL },
};

static void the_first_page_names_20_properties(void **state)
{
	static const struct { const char *name, *max; } lengths[] = {
		{ "SystemCreationClassName", "256" }, { "SystemName", "256" }, { "CreationClassName", "256" },
		{ "Name", "256" }, { "PrimaryOwnerName", "64" }, { "PrimaryOwnerContact", "256" }, { "Caption", "64" },
	};
	const struct cim_schema_class *class = class_of("IBMTSESS_AsyncPPRCService");

	(void)state;
	assert_int_equal(sizeof(async_properties) / sizeof(*async_properties), 20);
	check_properties(class->name, async_properties, 20);
	for (unsigned i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		const struct cim_schema_property *property = cim_schema_find_property(class, lengths[i].name);
		const struct cim_schema_qualifier *max = cim_schema_find_qualifier(&property->qualifiers, "MaxLen");

		assert_string_equal(max->value.list[0], lengths[i].max);
	}
	assert_string_equal(cim_schema_find_property(class, "EnabledDefault")->fallback.list[0], "2");
	assert_string_equal(cim_schema_find_property(class, "EnabledState")->fallback.list[0], "5");
	assert_string_equal(cim_schema_find_property(class, "RequestedState")->fallback.list[0], "5");
}

#define RETURNS_4096 "0=Job Completed with No Error|1=Not Supported|2=Unknown|3=Timeout|4=Failed|5=Invalid Parameter|" \
	"6=In Use|..=DMTF Reserved|4096=Method Parameters Checked - Job Started|"
#define RETURNS_SIZE RETURNS_4096 "4097=Size Not Supported|4098..32767=Method Reserved|32768..65535=Vendor Specific"
#define RETURNS_JOB RETURNS_4096 "4097..32767=Method Reserved|32768..65535=Vendor Specific"
#define RETURNS_HEX "0=Job Completed with No Error|1=Not Supported|2=Unspecified Error|3=Timeout|4=Failed|" \
	"5=Invalid Parameter|6=In Use|..=DMTF Reserved|0x1000=Method Parameters Checked - Job Started|" \
	"0x1001..0x7FFF=Method Reserved|0x8000..0xFFFF=Vendor Specific"
#define RETURNS_SET "0=Success|1=Not Supported|2=Unknown|3=Timeout|4=Failed|5=Invalid Parameter|"
#define RETURNS_SET_END "..=DMTF Reserved|0x8000..=Vendor Specific"
#define RETURNS_SET_JOB "0=Job Completed with No Error|1=Not Supported|2=Unknown|3=Timeout|4=Failed|" \
	"5=Invalid Parameter|"
#define RETURNS_SET_JOB_END "..=DMTF Reserved|0x1000=Method Parameters Checked - Job Started|" \
	"0x1001..0x7777=Method Reserved|0x8000..=Vendor Specific"

/* The methods in the order of the page, with the return codes that it gives. */
static const struct wanted async_methods[] = {
	{ "ManageSession", "uint32", "", RETURNS_SIZE },
	{ "ManageSessionVolume", "uint32", "", RETURNS_SIZE },
	{ "ManageAsyncPPRC", "uint32", "", RETURNS_SIZE },
	{ "QueryXDCIncrementStatus", "uint32", "", RETURNS_SIZE },
	{ "QueryXDCOutOfSyncStatus", "uint32", "", RETURNS_SIZE },
	{ "QueryXDCSessionsAndDevices", "uint32", "", RETURNS_SIZE },
	{ "QueryAsyncPPRCStatus", "uint32", "", RETURNS_SIZE },
	{ "CreateOrModifyStoragePool", "uint32", "", RETURNS_SIZE },
	{ "CreateOrModifyElementFromStoragePool", "uint32", "", RETURNS_SIZE },
	{ "DeleteStoragePool", "uint32", "", RETURNS_JOB },
	{ "ReturnToStoragePool", "uint32", "", RETURNS_JOB },
	{ "CreateReplica", "uint32", "", RETURNS_JOB },
	{ "ModifySynchronization", "uint32", "", RETURNS_HEX },
	{ "ModifyConsistencySet", "uint32", "", RETURNS_SET_JOB "6=Wrong Member Type|" RETURNS_SET_JOB_END },
	{ "CreateSynchronization", "uint32", "", RETURNS_SET "6=CopyType not supported|7=ConsistencySets not supported|"
	  "8=SynchronizedSets not supported|9=System- and SyncedElement must be volumes if Set is passed in|"
	  RETURNS_SET_END },
	{ "DeleteSynchronization", "uint32", "", RETURNS_SET "6=Synchronization is member of SynchronizedSet|"
	  "7=Copy in process|" RETURNS_SET_END },
	{ "CreateConsistencySet", "uint32", "", RETURNS_SET "6=CopyType not supported|"
	  "7=ConsistencySets not supported|" RETURNS_SET_END },
	{ "DeleteConsistencySet", "uint32", "", RETURNS_SET "6=ConsistencySet is not empty|" RETURNS_SET_END },
	{ "CreateSynchronizedSet", "uint32", "", RETURNS_SET "6=CopyType not supported|"
	  "8=SynchronizedSets not supported|" RETURNS_SET_END },
	{ "DeleteSynchronizedSet", "uint32", "", RETURNS_SET "6=SynchronizedSet is not empty|" RETURNS_SET_END },
	{ "ModifySynchronizedSet", "uint32", "", RETURNS_SET_JOB "6=Operatio not supported|"
	  "7=StorageSynchronized not in the Set|8=StorageSynchronized already in a Set|" RETURNS_SET_JOB_END },
	{ "GetSupportedSetTypes", "uint32", "", "0=Success|1=Not Supported|2=Unknown|3=Timeout|4=Failed|"
	  RETURNS_SET_END },
	{ "AttachReplica", "uint32", "", RETURNS_HEX },
	{ "StartService", "uint32", "", NULL },
	{ "StopService", "uint32", "", NULL },
	{ "RequestStateChange", "uint32", "", "0=Completed with No Error|1=Not Supported|2=Unknown/Unspecified Error|"
	  "3=Can NOT complete within Timeout Period|4=Failed|5=Invalid Parameter|6=In Use|..=DMTF Reserved|"
	  "4096=Method Parameters Checked - Job Started|4097=Invalid State Transition|"
	  "4098=Use of Timeout Parameter Not Supported|4099=Busy|4100..32767=Method Reserved|"
	  "32768..65535=Vendor Specific" },
};

static void the_first_page_names_26_static_methods(void **state)
{
	const struct cim_schema_class *class = class_of("IBMTSESS_AsyncPPRCService");

	(void)state;
	assert_int_equal(sizeof(async_methods) / sizeof(*async_methods), 26);
	assert_int_equal(class->method_count, 26);
	for (unsigned i = 0; i < 26; i++) {
		const struct cim_schema_method *method = class->methods[i];

		assert_string_equal(method->name, async_methods[i].name);
		assert_int_equal(method->type, CIM_TYPE_UINT32);
		assert_true(method->is_static);
		check_values(method->name, &method->qualifiers, async_methods[i].values);
	}
}

#define COPY_TYPES	"2=Async|3=Sync|4=UnSyncAssoc|5=UnSyncUnAssoc|..=DMTF Reserved|"
#define OPERATIONS	"0=DMTF Reserved|1=DMTF Reserved|"
#define VENDOR_HEX	"..=DMTF Reserved|0x8000..=Vendor Specific"
#define STATES		"2=Enabled|3=Disabled|4=Shut Down|6=Offline|7=Test|8=Defer|9=Quiesce|10=Reboot|11=Reset"

/* All parameters in their order: those of the page, and those it leaves out as docs/schema.md fixes them. */
static const struct wanted async_parameters[] = {
	{ "ManageSession.SessionNumber", "uint16", "i", NULL },
	{ "ManageSession.SessionType", "string", "i", NULL },
	{ "ManageSession.LSS", "string", "i", NULL },
	{ "ManageSession.Operation", "uint16", "i", "1=Open|2=Close" },
	{ "ManageSession.Job", "CIM_ConcreteJob REF", "o", NULL },
	{ "ManageSessionVolume.SessionNumber", "uint16", "i", NULL },
	{ "ManageSessionVolume.SessionType", "string", "i", NULL },
	{ "ManageSessionVolume.LSS", "string", "i", NULL },
	{ "ManageSessionVolume.Operation", "uint16", "i", "1=Add|2=Remove" },
	{ "ManageSessionVolume.Volumes", "CIM_StorageVolume REF[]", "i", NULL },
	{ "ManageSessionVolume.Job", "CIM_ConcreteJob REF", "o", NULL },
	{ "ManageAsyncPPRC.SessionNumber", "uint16", "i", NULL },
	{ "ManageAsyncPPRC.SessionType", "string", "i", NULL },
	{ "ManageAsyncPPRC.MasterLSS", "string", "i", NULL },
	{ "ManageAsyncPPRC.Operation", "uint16", "i", "1=Start|2=Pause|3=Resume|4=Terminate|5=ForceTerminate" },
	{ "ManageAsyncPPRC.ConsistencyGroupInterval", "uint16", "i", NULL },
	{ "ManageAsyncPPRC.MaxXDCCoordinationTime", "uint16", "i", NULL },
	{ "ManageAsyncPPRC.MaxConsistencyGroupDrain", "uint16", "i", NULL },
	{ "ManageAsyncPPRC.Subordinates", "string[]", "i", NULL },
	{ "ManageAsyncPPRC.Job", "CIM_ConcreteJob REF", "o", NULL },
	{ "QueryXDCIncrementStatus.SessionNumber", "uint16", "i", NULL },
	{ "QueryXDCIncrementStatus.SessionType", "string", "i", NULL },
	{ "QueryXDCIncrementStatus.Scope", "string", "i", NULL },
	{ "QueryXDCOutOfSyncStatus.SessionNumber", "uint16", "i", NULL },
	{ "QueryXDCOutOfSyncStatus.SessionType", "string", "i", NULL },
	{ "QueryXDCOutOfSyncStatus.Scope", "string", "i", NULL },
	{ "QueryXDCSessionsAndDevices.SessionNumber", "uint16", "i", NULL },
	{ "QueryXDCSessionsAndDevices.SessionType", "string", "i", NULL },
	{ "QueryXDCSessionsAndDevices.Scope", "string", "i", NULL },
	{ "QueryAsyncPPRCStatus.Scope", "string", "i", NULL },
	{ "CreateOrModifyStoragePool.ElementName", "string", "i", NULL },
	{ "CreateOrModifyStoragePool.Job", "CIM_ConcreteJob REF", "o", NULL },
	{ "CreateOrModifyStoragePool.Goal", "CIM_StorageSetting REF", "i", NULL },
	{ "CreateOrModifyStoragePool.Size", "uint64", "io", NULL },
	{ "CreateOrModifyStoragePool.InPools", "string[]", "i", NULL },
	{ "CreateOrModifyStoragePool.InExtents", "string[]", "i", NULL },
	{ "CreateOrModifyStoragePool.Pool", "CIM_StoragePool REF", "io", NULL },
	{ "CreateOrModifyElementFromStoragePool.ElementName", "string", "i", NULL },
	{ "CreateOrModifyElementFromStoragePool.ElementType", "uint16", "i",
	  "0=Unknown|1=Reserved|2=StorageVolume|3=StorageExtent|..=DMTF Reserved|32768..65535=Vendor Specific" },
	{ "CreateOrModifyElementFromStoragePool.Job", "CIM_ConcreteJob REF", "o", NULL },
	{ "CreateOrModifyElementFromStoragePool.Goal", "CIM_ManagedElement REF", "i", NULL },
	{ "CreateOrModifyElementFromStoragePool.Size", "uint64", "io", NULL },
	{ "CreateOrModifyElementFromStoragePool.InPool", "CIM_StoragePool REF", "i", NULL },
	{ "CreateOrModifyElementFromStoragePool.TheElement", "CIM_LogicalElement REF", "io", NULL },
	{ "DeleteStoragePool.Job", "CIM_ConcreteJob REF", "o", NULL },
	{ "DeleteStoragePool.Pool", "CIM_StoragePool REF", "i", NULL },
	{ "ReturnToStoragePool.Job", "CIM_ConcreteJob REF", "o", NULL },
	{ "ReturnToStoragePool.TheElement", "CIM_LogicalElement REF", "i", NULL },
	{ "CreateReplica.ElementName", "string", "i", NULL },
	{ "CreateReplica.Job", "CIM_ConcreteJob REF", "o", NULL },
	{ "CreateReplica.SourceElement", "CIM_LogicalElement REF", "ir", NULL },
	{ "CreateReplica.TargetElement", "CIM_LogicalElement REF", "o", NULL },
	{ "CreateReplica.TargetSettingGoal", "CIM_StorageSetting REF", "i", NULL },
	{ "CreateReplica.TargetPool", "CIM_StoragePool REF", "i", NULL },
	{ "CreateReplica.CopyType", "uint16", "i", COPY_TYPES "32768..65535=Vendor Specific" },
	{ "ModifySynchronization.Operation", "uint16", "i", OPERATIONS "2=Detach|3=Fracture|4=Resync Replica|"
	  "5=Restore from Replica|6=Prepare|7=Unprepare|8=Quiesce|9=Unquiesce|10=Reset To Sync|11=Reset To Async|"
	  "..=DMTF Reserved|0x8000..0xFFFF=Vendor Specific" },
	{ "ModifySynchronization.Job", "CIM_ConcreteJob REF", "o", NULL },
	{ "ModifySynchronization.Synchronization", "CIM_StorageSynchronized REF", "i", NULL },
	{ "ModifyConsistencySet.Operation", "uint16", "i", OPERATIONS "2=Add|3=Remove|" VENDOR_HEX },
	{ "ModifyConsistencySet.Set", "IBMTSESS_ConsistencySet REF", "i", NULL },
	{ "ModifyConsistencySet.StorageElement", "CIM_ManagedElement REF[]", "i", NULL },
	{ "ModifyConsistencySet.Job", "CIM_ConcreteJob REF", "o", NULL },
	{ "CreateSynchronization.SystemElement", "CIM_ManagedElement REF", "i", NULL },
	{ "CreateSynchronization.SyncedElement", "CIM_ManagedElement REF", "i", NULL },
	{ "CreateSynchronization.CopyType", "uint16", "i", NULL },
	{ "CreateSynchronization.ElementName", "string", "i", NULL },
	{ "CreateSynchronization.Set", "CIM_SystemSpecificCollection REF", "i", NULL },
	{ "CreateSynchronization.Synchronization", "CIM_StorageSynchronized REF", "o", NULL },
	{ "DeleteSynchronization.Synchronization", "CIM_StorageSynchronized REF", "i", NULL },
	{ "CreateConsistencySet.CopyType", "uint16", "i", NULL },
	{ "CreateConsistencySet.ElementName", "string", "i", NULL },
	{ "CreateConsistencySet.Set", "IBMTSESS_ConsistencySet REF", "o", NULL },
	{ "DeleteConsistencySet.Set", "IBMTSESS_ConsistencySet REF", "i", NULL },
	{ "CreateSynchronizedSet.CopyType", "uint16", "i", NULL },
	{ "CreateSynchronizedSet.ElementName", "string", "i", NULL },
	{ "CreateSynchronizedSet.Set", "IBMTSESS_SynchronizedSet REF", "o", NULL },
	{ "DeleteSynchronizedSet.Set", "IBMTSESS_SynchronizedSet REF", "i", NULL },
	{ "ModifySynchronizedSet.Operation", "uint16", "i", OPERATIONS "2=Add|3=Remove|4=Delete Synchronizations|"
	  "5=Fracture Replicas|6=Resync Replicas|7=Restore From Replicas|8=Prepare All|" VENDOR_HEX },
	{ "ModifySynchronizedSet.Set", "IBMTSESS_SynchronizedSet REF", "i", NULL },
	{ "ModifySynchronizedSet.Synchronization", "CIM_StorageSynchronized REF[]", "i", NULL },
	{ "ModifySynchronizedSet.Job", "CIM_ConcreteJob REF", "o", NULL },
	{ "GetSupportedSetTypes.SetTypes", "uint16[]", "o",
	  "0=ConsistencySet of volumes|1=ConsistencySet of synchronizations|2=SynchronizedSet" },
	{ "AttachReplica.Job", "CIM_ConcreteJob REF", "o", NULL },
	{ "AttachReplica.SourceElement", "CIM_ManagedElement REF", "ir", NULL },
	{ "AttachReplica.TargetElement", "CIM_ManagedElement REF", "i", NULL },
	{ "AttachReplica.CopyType", "uint16", "i", COPY_TYPES "0x8000..0xFFFF=Vendor Specific" },
	{ "RequestStateChange.RequestedState", "uint16", "i", STATES MAP_RESERVED },
	{ "RequestStateChange.Job", "CIM_ConcreteJob REF", "o", NULL },
	{ "RequestStateChange.TimeoutPeriod", "datetime", "i", NULL },
};

/* The first page gives no outputs of the queries: theirs are checked below. */
static unsigned count_inputs(const struct cim_schema_method *method)
{
	unsigned count = method->parameter_count;

	while (!strncmp(method->name, "Query", 5) && count && method->parameters[count - 1].is_out)
		count--;
	return count;
}

static const struct wanted *check_parameters(const struct cim_schema_method *method, const struct wanted *wanted)
{
	for (unsigned i = 0; i < count_inputs(method); i++, wanted++) {
		const struct cim_schema_parameter *parameter = &method->parameters[i];
		char name[128];

		snprintf(name, sizeof(name), "%s.%s", method->name, parameter->name);
		assert_string_equal(name, wanted->name);
		check_type(name, wanted->type, parameter->type, parameter->reference_class, parameter->is_array);
		check_values(name, &parameter->qualifiers, wanted->values);
		if (parameter->is_in != !!strchr(wanted->flags, 'i') ||
		    parameter->is_out != !!strchr(wanted->flags, 'o') ||
		    parameter->is_required != !!strchr(wanted->flags, 'r'))
			fail_msg("%s: in %d, out %d, required %d", name, parameter->is_in, parameter->is_out,
				 parameter->is_required);
	}
	return wanted;
}

static void every_parameter_of_these_methods_is_the_one_that_is_fixed(void **state)
{
	const struct cim_schema_class *class = class_of("IBMTSESS_AsyncPPRCService");
	const struct wanted *wanted = async_parameters;

	(void)state;
	for (unsigned i = 0; i < class->method_count; i++)
		wanted = check_parameters(class->methods[i], wanted);
	assert_int_equal(wanted - async_parameters, sizeof(async_parameters) / sizeof(*async_parameters));
}

static void queries_answer_in_parallel_arrays(void **state)
{
	static const struct { const char *name; unsigned arrays; } queries[] = {
		{ "QueryXDCIncrementStatus", 7 }, { "QueryXDCOutOfSyncStatus", 9 },
		{ "QueryXDCSessionsAndDevices", 12 }, { "QueryAsyncPPRCStatus", 24 },
	};
	const struct cim_schema_class *class = class_of("IBMTSESS_AsyncPPRCService");

	(void)state;
	for (unsigned q = 0; q < 4; q++) {
		const struct cim_schema_method *method = cim_schema_find_method(class, queries[q].name);
		unsigned inputs = count_inputs(method);

		assert_int_equal(method->parameter_count - inputs, queries[q].arrays);
		for (unsigned i = inputs; i < method->parameter_count; i++) {
			const struct cim_schema_qualifier *kind =
				cim_schema_find_qualifier(&method->parameters[i].qualifiers, "ArrayType");

			assert_true(method->parameters[i].is_array);
			assert_false(method->parameters[i].is_in);
			assert_string_equal(kind->value.list[0], "Indexed");
		}
	}
}

/* ---- the page of MSISCSITARGET_StorageSynchronized ---- */

#define MAP_END		"|..=DMTF Reserved|0x8000..=Vendor Specific"
#define MAP_END_LONG	"|..=DMTF Reserved|32768..65535=Vendor Specific"

/* In the order of the page's syntax. */
static const struct wanted synchronized_properties[] = {
	{ "WhenSynced", "datetime", "", NULL },
	{ "SyncMaintained", "boolean", "", NULL },
	{ "CopyState", "uint16", "", "2=Initialized|3=Unsynchronized|4=Synchronized|5=Broken|6=Fractured|7=Split|"
	  "8=Inactive|9=Suspended|10=Failedover|11=Prepared|12=Aborted|13=Skewed|14=Mixed|15=Not Applicable|"
	  "16=Partitioned|17=Invalid" MAP_END },
	{ "Mode", "uint16", "", "0=Unknown|2=Synchronous|3=Asynchronous" MAP_END_LONG },
	{ "PercentSynced", "uint16", "", NULL },
	{ "ProgressStatus", "uint16", "", "0=Unknown|2=Completed|3=Dormant|4=Initializing|5=Preparing|6=Synchronizing|"
	  "7=Resyncing|8=Restoring|9=Fracturing|10=Splitting|11=Failing over|12=Failing back|13=Aborting|14=Mixed|"
	  "15=Not Applicable|16=Suspending|17=Requires fracture|18=Requires resync|19=Requires activate|20=Pending|"
	  "21=Detaching" MAP_END },
	{ "RequestedCopyState", "uint16", "", NULL },
	{ "SyncType", "uint16", "", "..=DMTF Reserved|6=Mirror|7=Snapshot|8=Clone" MAP_END },
	{ "WhenActivated", "datetime", "", NULL },
	{ "WhenDeactivated", "datetime", "", NULL },
	{ "WhenEstablished", "datetime", "", NULL },
	{ "WhenSuspended", "datetime", "", NULL },
	{ "WhenSynchronized", "datetime", "", NULL },
	{ "CopyRecoveryMode", "uint16", "", "0=Unknown|2=Automatic|3=Manual" MAP_END_LONG },
	{ "FailedCopyStopsHostIO", "boolean", "", NULL },
	{ "SystemElement", "CIM_ManagedElement REF", "k", NULL },
	{ "SyncedElement", "CIM_ManagedElement REF", "k", NULL },
	{ "CopyType", "uint16", "", "2=Async|3=Sync|4=UnSyncAssoc|5=UnSyncUnAssoc" MAP_END },
	{ "ReplicaType", "uint16", "", "0=Not Specified|2=Full Copy|3=Before Delta|4=After Delta|5=Log" MAP_END },
	{ "SyncState", "uint16", "", "2=Initialized|3=PrepareInProgress|4=Prepared|5=ResyncInProgress|6=Synchronized|"
	  "7=Fracture In Progress|8=QuiesceInProgress|9=Quiesced|10=Restore In Progresss|11=Idle|12=Broken|"
	  "13=Fractured|14=Frozen|15=Copy In Progress" MAP_END },
	{ "CopyPriority", "uint16", "w", "0=Not Managed|1=Low|2=Same|3=High|4=Urgent" MAP_END },
	{ "CopyMethodology", "uint16", "", "0=Not Specified|1=Other|2=Implementation decides|3=Full Copy|"
	  "4=Incremental-Copy|5=Differential-Copy|6=Copy-On-Write|7=Copy-On-Access|8=Delta-Update|9=Snap-And-Clone"
	  MAP_END },
	{ "UndiscoveredElement", "uint16", "", "2=SystemElement|3=SyncedElement|4=Both" MAP_END },
	{ "ReadOnly", "uint16", "", "2=SystemElement|3=SyncedElement|4=Both" MAP_END },
};

static void the_second_page_names_24_properties(void **state)
{
	const struct cim_schema_class *class = class_of("MSISCSITARGET_StorageSynchronized");
	const struct cim_schema_property *property;

	(void)state;
	assert_int_equal(sizeof(synchronized_properties) / sizeof(*synchronized_properties), 24);
	check_properties(class->name, synchronized_properties, 24);
	assert_true(class->is_association);
	assert_string_equal(class->super->name, "CIM_StorageSynchronized");
	assert_string_equal(cim_schema_find_property(class, "RequestedCopyState")->fallback.list[0], "15");
	assert_string_equal(cim_schema_find_property(class, "FailedCopyStopsHostIO")->fallback.list[0], "FALSE");
	property = cim_schema_find_property(class, "RequestedCopyState");
	assert_string_equal(cim_schema_find_qualifier(&property->qualifiers, "ModelCorrespondence")->value.list[0],
			    "CIM_Synchronized.CopyState");
}

/* ---- what clients rely on beside that ---- */

static void keys_of_dmtf_classes_are_those_of_the_dmtf(void **state)
{
	static const struct { const char *class, *keys; } wanted[] = {
		{ "CIM_ComputerSystem", "CreationClassName Name" },
		{ "CIM_StorageVolume", "SystemCreationClassName SystemName CreationClassName DeviceID" },
		{ "CIM_StoragePool", "InstanceID" },
		{ "CIM_ReplicationService", "SystemCreationClassName SystemName CreationClassName Name" },
		{ "CIM_StorageConfigurationCapabilities", "InstanceID" },
		{ "CIM_ConcreteJob", "InstanceID" },
		{ "CIM_RegisteredProfile", "InstanceID" },
		{ "CIM_ReplicationGroup", "InstanceID" },
		{ "CIM_AllocatedFromStoragePool", "Antecedent Dependent" },
		{ "CIM_HostedService", "Antecedent Dependent" },
		{ "CIM_ElementConformsToProfile", "ConformantStandard ManagedElement" },
		{ "CIM_IndicationSubscription", "Filter Handler" },
		{ "CIM_IndicationFilter", "SystemCreationClassName SystemName CreationClassName Name" },
		{ "CIM_Namespace", "SystemCreationClassName SystemName ObjectManagerCreationClassName "
		  "ObjectManagerName CreationClassName Name" },
		{ "IBMTSESS_Volume", "SystemCreationClassName SystemName CreationClassName DeviceID" },
		{ "IBMTSESS_Session", "InstanceID" },
		{ "IBMTSESS_GroupSynchronized", "SystemElement SyncedElement" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		const struct cim_schema_class *class = class_of(wanted[i].class);
		unsigned keys = 0, words = 1;

		for (const char *c = wanted[i].keys; *c; c++)
			words += *c == ' ';
		for (unsigned p = 0; p < class->property_count; p++) {
			if (!class->properties[p]->is_key)
				continue;
			keys++;
			if (!strstr(wanted[i].keys, class->properties[p]->name))
				fail_msg("%s has the key %s", class->name, class->properties[p]->name);
		}
		if (keys != words)
			fail_msg("%s has %u keys, not %u", class->name, keys, words);
	}
}

/* What clients of Block Services, Replication Services, Job Control and the Server profile read. */
static void properties_of_dmtf_classes_are_those_of_the_dmtf(void **state)
{
	static const struct wanted system[] = {
		{ "Name", "string", "k", NULL },
		{ "OperationalStatus", "uint16[]", "", "2=OK|6=Error|17=Completed|19=Relocating" },
		{ "HealthState", "uint16", "", "0=Unknown|5=OK|10=Degraded/Warning|15=Minor failure|"
		  "25=Critical failure" },
		{ "Dedicated", "uint16[]", "", "0=Not Dedicated|3=Storage|15=Block Server" },
		{ "OtherIdentifyingInfo", "string[]", "", NULL },
	}, volume[] = {
		{ "DeviceID", "string", "k", NULL },
		{ "Name", "string", "", NULL },
		{ "NameFormat", "uint16", "", "1=Other|2=VPD83NAA6|9=NAA|10=EUI64|11=T10VID" },
		{ "NameNamespace", "uint16", "", "1=Other|2=VPD83Type3|6=NodeWWN" },
		{ "BlockSize", "uint64", "", NULL },
		{ "NumberOfBlocks", "uint64", "", NULL },
		{ "ConsumableBlocks", "uint64", "", NULL },
		{ "Access", "uint16", "", "0=Unknown|1=Readable|2=Writeable|3=Read/Write Supported" },
		{ "ThinlyProvisioned", "boolean", "", NULL },
		{ "Usage", "uint16", "", "2=Unrestricted|8=Local Replica Target|9=Remote Replica Target" },
		{ "ExtentStatus", "uint16[]", "", "0=Other|1=Unknown|2=None/Not Applicable" },
	}, pool[] = {
		{ "InstanceID", "string", "k", NULL },
		{ "Primordial", "boolean", "", NULL },
		{ "TotalManagedSpace", "uint64", "", NULL },
		{ "RemainingManagedSpace", "uint64", "", NULL },
	}, job[] = {
		{ "InstanceID", "string", "k", NULL },
		{ "JobState", "uint16", "", "2=New|3=Starting|4=Running|5=Suspended|6=Shutting Down|7=Completed|"
		  "8=Terminated|9=Killed|10=Exception|11=Service|12=Query Pending" },
		{ "PercentComplete", "uint16", "", NULL },
		{ "TimeBeforeRemoval", "datetime", "w", NULL },
		{ "DeleteOnCompletion", "boolean", "w", NULL },
		{ "ErrorCode", "uint16", "", NULL },
	}, profile[] = {
		{ "InstanceID", "string", "k", NULL },
		{ "RegisteredOrganization", "uint16", "", "1=Other|2=DMTF|11=SNIA" },
		{ "RegisteredName", "string", "", NULL },
		{ "RegisteredVersion", "string", "", NULL },
		{ "AdvertiseTypes", "uint16[]", "", "1=Other|2=Not Advertised|3=SLP" },
	}, group[] = {
		{ "RelationshipName", "string", "", NULL },
		{ "ConsistencyState", "uint16", "", "2=Not Applicable|3=Consistent|4=Inconsistent" },
		{ "RPO", "datetime", "", NULL },
		{ "Skew", "uint64", "", NULL },
	}, capabilities[] = {
		{ "SupportedReplicationTypes", "uint16[]", "", "2=Synchronous Mirror Local|3=Asynchronous Mirror Local|"
		  "4=Synchronous Mirror Remote|5=Asynchronous Mirror Remote|6=Synchronous Snapshot Local|"
		  "7=Asynchronous Snapshot Local|10=Synchronous Clone Local|11=Asynchronous Clone Local" },
		{ "SupportedStorageObjects", "uint16[]", "", "2=StorageVolume" },
	}, subscription[] = {
		{ "Filter", "CIM_IndicationFilter REF", "k", NULL },
		{ "OnFatalErrorPolicy", "uint16", "", "1=Other|2=Ignore|3=Disable|4=Remove" },
		{ "SubscriptionState", "uint16", "w", "2=Enabled|4=Disabled" },
	};

	(void)state;
	check_properties("CIM_ComputerSystem", system, sizeof(system) / sizeof(*system));
	check_properties("CIM_StorageVolume", volume, sizeof(volume) / sizeof(*volume));
	check_properties("CIM_StoragePool", pool, sizeof(pool) / sizeof(*pool));
	check_properties("CIM_ConcreteJob", job, sizeof(job) / sizeof(*job));
	check_properties("CIM_RegisteredProfile", profile, sizeof(profile) / sizeof(*profile));
	check_properties("CIM_GroupSynchronized", group, sizeof(group) / sizeof(*group));
	check_properties("CIM_ReplicationServiceCapabilities", capabilities,
			 sizeof(capabilities) / sizeof(*capabilities));
	check_properties("CIM_IndicationSubscription", subscription, sizeof(subscription) / sizeof(*subscription));
}

static void names_are_found_in_any_case_and_only_in_their_namespaces(void **state)
{
	const struct cim_schema_class *service = cim_schema_find_class(CIM_NAMESPACE_IBM, "ibmtsess_ASYNCPPRCSERVICE");

	(void)state;
	assert_string_equal(service->name, "IBMTSESS_AsyncPPRCService");
	assert_null(cim_schema_find_class(CIM_NAMESPACE_CIMV2, "IBMTSESS_AsyncPPRCService"));
	assert_null(cim_schema_find_class(CIM_NAMESPACE_IBM, "MSISCSITARGET_StorageSynchronized"));
	assert_null(cim_schema_find_any_class("CIM_Nothing"));
	for (unsigned ns = 0; ns < CIM_NAMESPACE_COUNT; ns++)
		assert_non_null(cim_schema_find_class((enum cim_namespace)ns, "CIM_StorageSynchronized"));
	assert_int_equal(cim_schema_find_namespace("interop"), CIM_NAMESPACE_INTEROP);
	assert_int_equal(cim_schema_find_namespace("Root/Interop"), CIM_NAMESPACE_INTEROP);
	assert_int_equal(cim_schema_find_namespace("root/IBM"), CIM_NAMESPACE_IBM);
	assert_int_equal(cim_schema_find_namespace("Root/CIMv2/Storage/iScsiTarget"), CIM_NAMESPACE_ISCSITARGET);
	assert_int_equal(cim_schema_find_namespace("root/cimv2"), CIM_NAMESPACE_CIMV2);
	assert_true(cim_schema_find_namespace("root") < 0);
	assert_true(cim_schema_is_named(service, "cim_service"));
	assert_false(cim_schema_is_named(service, "CIM_System"));
	assert_non_null(cim_schema_find_property(service, "elementname"));
	assert_non_null(cim_schema_find_parameter(cim_schema_find_method(service, "managesession"), "lss"));
}

static void a_class_is_walked_directly_and_deeply(void **state)
{
	const struct cim_schema_class *top = class_of("CIM_Synchronized"), *class = NULL;
	unsigned direct = 0, deep = 0, all = 0;

	(void)state;
	while ((class = cim_schema_next_class(CIM_NAMESPACE_IBM, top, true, class)) != NULL) {
		assert_ptr_equal(class->super, top);
		direct++;
	}
	while ((class = cim_schema_next_class(CIM_NAMESPACE_IBM, top, false, class)) != NULL) {
		assert_true(cim_schema_is_a(class, top));
		deep++;
	}
	while ((class = cim_schema_next_class(CIM_NAMESPACE_CIMV2, NULL, true, class)) != NULL)
		assert_null(class->super);
	while ((class = cim_schema_next_class(CIM_NAMESPACE_ISCSITARGET, NULL, false, class)) != NULL)
		all++;
	assert_int_equal(direct, 2);
	assert_int_equal(deep, 4);
	assert_true(all > 100 && all < cim_schema_class_count);
}

static void a_number_is_named_by_its_value_map(void **state)
{
	const struct cim_schema_class *class = class_of("MSISCSITARGET_StorageSynchronized");
	const struct cim_schema_qualifiers *state_of = &cim_schema_find_property(class, "CopyState")->qualifiers;
	const struct cim_schema_qualifiers *mode = &cim_schema_find_property(class, "Mode")->qualifiers;
	uint64_t number;

	(void)state;
	assert_string_equal(cim_schema_value_name(state_of, 10), "Failedover");
	assert_string_equal(cim_schema_value_name(state_of, 0x9000), "Vendor Specific");
	assert_string_equal(cim_schema_value_name(state_of, 100), "DMTF Reserved");
	assert_string_equal(cim_schema_value_name(mode, 40000), "Vendor Specific");
	assert_null(cim_schema_value_name(&cim_schema_find_property(class, "WhenSynced")->qualifiers, 1));
	assert_int_equal(cim_schema_value_number(state_of, "Failedover", &number), 0);
	assert_int_equal(number, 10);
	assert_true(cim_schema_value_number(state_of, "Vendor Specific", &number) < 0);
	assert_true(cim_schema_value_number(state_of, "failedover", &number) < 0);
}

static void what_is_inherited_shows_only_what_goes_to_subclasses(void **state)
{
	const struct cim_schema_class *pool = class_of("IBMTSESS_StoragePool"), *base = class_of("CIM_StoragePool");
	const struct cim_schema_property *space = cim_schema_find_property(pool, "TotalManagedSpace");
	const struct cim_schema_property *status = cim_schema_find_property(pool, "Status");

	(void)state;
	assert_ptr_equal(space, cim_schema_find_property(base, "TotalManagedSpace"));
	assert_ptr_equal(space->declared_in, base);
	assert_true(cim_schema_shows(cim_schema_find_qualifier(&space->qualifiers, "Description"), pool, base));
	assert_false(cim_schema_shows(cim_schema_find_qualifier(&status->qualifiers, "Deprecated"), pool,
				      status->declared_in));
	assert_true(base->super->is_abstract == false && !pool->is_abstract);
}

static void check_described(const struct cim_schema_qualifiers *qualifiers, const char *class, const char *name)
{
	const struct cim_schema_qualifier *found = cim_schema_find_qualifier(qualifiers, "Description");
	const struct cim_schema_qualifier *map = cim_schema_find_qualifier(qualifiers, "ValueMap");
	const struct cim_schema_qualifier *values = cim_schema_find_qualifier(qualifiers, "Values");

	if (!found || !found->value.list || !*found->value.list[0])
		fail_msg("%s.%s is not described", class, name);
	if (map && values && map->value.count != values->value.count)
		fail_msg("%s.%s: %u numbers, %u names", class, name, map->value.count, values->value.count);
}

static void everything_is_described_and_every_number_has_a_name(void **state)
{
	(void)state;
	assert_true(cim_schema_class_count > 100);
	for (unsigned i = 0; i < cim_schema_class_count; i++) {
		const struct cim_schema_class *class = cim_schema_classes[i];

		assert_int_equal(class->order, i);
		check_described(&class->qualifiers, class->name, "");
		for (unsigned p = 0; p < class->property_count; p++)
			check_described(&class->properties[p]->qualifiers, class->name, class->properties[p]->name);
		for (unsigned m = 0; m < class->method_count; m++) {
			const struct cim_schema_method *method = class->methods[m];

			check_described(&method->qualifiers, class->name, method->name);
			for (unsigned p = 0; p < method->parameter_count; p++)
				check_described(&method->parameters[p].qualifiers, class->name,
						method->parameters[p].name);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_page_names_20_properties),
		cmocka_unit_test(the_first_page_names_26_static_methods),
		cmocka_unit_test(every_parameter_of_these_methods_is_the_one_that_is_fixed),
		cmocka_unit_test(queries_answer_in_parallel_arrays),
		cmocka_unit_test(the_second_page_names_24_properties),
		cmocka_unit_test(keys_of_dmtf_classes_are_those_of_the_dmtf),
		cmocka_unit_test(properties_of_dmtf_classes_are_those_of_the_dmtf),
		cmocka_unit_test(names_are_found_in_any_case_and_only_in_their_namespaces),
		cmocka_unit_test(a_class_is_walked_directly_and_deeply),
		cmocka_unit_test(a_number_is_named_by_its_value_map),
		cmocka_unit_test(what_is_inherited_shows_only_what_goes_to_subclasses),
		cmocka_unit_test(everything_is_described_and_every_number_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
