/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 24 properties of MSISCSITARGET_StorageSynchronized for a copy of each type in each state of the state table: what
 * the page says of them holds, and IBMTSESS_StorageSynchronized says the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "face/cim/view_copy.h"
#include "face/cim/views.h"

#define SINCE_NS	(INT64_C(1795000000) * RT_SECOND)
#define CREATED_NS	(SINCE_NS - RT_SECOND)
#define SIZE_BYTES	(UINT64_C(100) << 20)
#define MISSING_BLOCKS	2560u		/* a tenth */

static struct cim_arena arena;

/* Of the page, in its order; which are never NULL. */
static const struct {
	const char *name;
	bool always;
} page[] = {
	{ "WhenSynced", false }, { "SyncMaintained", true }, { "CopyState", true }, { "Mode", true },
	{ "PercentSynced", false }, { "ProgressStatus", true }, { "RequestedCopyState", true }, { "SyncType", true },
	{ "WhenActivated", false }, { "WhenDeactivated", false }, { "WhenEstablished", true },
	{ "WhenSuspended", false }, { "WhenSynchronized", false }, { "CopyRecoveryMode", false },
	{ "FailedCopyStopsHostIO", true }, { "SystemElement", true }, { "SyncedElement", true }, { "CopyType", true },
	{ "ReplicaType", true }, { "SyncState", true }, { "CopyPriority", false }, { "CopyMethodology", true },
	{ "UndiscoveredElement", false }, { "ReadOnly", false },
};
_Static_assert(sizeof(page) / sizeof(page[0]) == 24, "all properties of the page");

/* What each state is in the numbers of the page. */
static const struct {
	unsigned sync_state, copy_state, progress, requested;
} numbers[COPY_STATE_COUNT] = {
	[COPY_STATE_FIRST_COPY] = { 5, 3, 6, 4 },		/* resync in progress, unsynchronized */
	[COPY_STATE_RESYNC] = { 5, 3, 7, 4 },
	[COPY_STATE_FOLLOWING] = { 6, 4, 2, 15 },		/* synchronized */
	[COPY_STATE_FULL_DUPLEX] = { 6, 4, 2, 15 },
	[COPY_STATE_REFUSING] = { 12, 5, 20, 4 },		/* broken, and goes on by itself */
	[COPY_STATE_INTERRUPTED] = { 12, 5, 20, 4 },
	[COPY_STATE_SUSPENDED] = { 13, 9, 3, 15 },		/* fractured, suspended */
	[COPY_STATE_FROZEN] = { 9, 9, 3, 15 },			/* quiesced */
	[COPY_STATE_SPLIT] = { 13, 7, 3, 15 },			/* fractured, of one moment */
	[COPY_STATE_PAUSED] = { 13, 7, 3, 15 },
	[COPY_STATE_REMOVED] = { 13, 9, 18, 15 },
	[COPY_STATE_DIVERGED] = { 12, 17, 3, 15 },		/* broken, invalid */
	[COPY_STATE_WRITES_LOST] = { 12, 17, 3, 15 },
	[COPY_STATE_COPY_ANEW] = { 12, 5, 18, 15 },
	[COPY_STATE_OFFLINE] = { 12, 5, 3, 15 },
	[COPY_STATE_TARGET_FIRST_COPY] = { 5, 3, 6, 4 },
	[COPY_STATE_TARGET] = { 6, 4, 2, 15 },
	[COPY_STATE_TARGET_FULL_DUPLEX] = { 6, 4, 2, 15 },
	[COPY_STATE_TARGET_AWAY] = { 13, 10, 12, 4 },		/* failed over, failing back */
	[COPY_STATE_TARGET_TORN] = { 12, 17, 18, 15 },
	[COPY_STATE_FAILED_OVER] = { 13, 10, 2, 15 },
	[COPY_STATE_TARGET_OFFLINE] = { 12, 5, 3, 15 },
	[COPY_STATE_FLASH_COPYING] = { 15, 3, 6, 4 },		/* copy in progress */
	[COPY_STATE_FLASH_IDLE] = { 11, 4, 2, 15 },
	[COPY_STATE_FLASH_WHOLE] = { 14, 4, 2, 15 },		/* frozen */
	[COPY_STATE_FLASH_RESTORING] = { 10, 3, 8, 4 },
	[COPY_STATE_FLASH_REVERTIBLE] = { 4, 11, 19, 15 },	/* prepared */
	[COPY_STATE_FLASH_FAILED] = { 12, 5, 3, 15 },
	[COPY_STATE_FLASH_WITHDRAWING] = { 8, 8, 21, 15 },	/* quiesce in progress, inactive */
	[COPY_STATE_FLASH_OFFLINE] = { 12, 5, 3, 15 },
};

/* And what each type is. */
static const struct {
	unsigned copy_type, mode, sync_type, replica_type, methodology;
} kinds[COPY_TYPE_COUNT] = {
	[COPY_TYPE_GLOBAL_COPY] = { 2, 3, 6, 2, 4 }, [COPY_TYPE_ASYNC] = { 2, 3, 6, 2, 4 },
	[COPY_TYPE_SESSION] = { 2, 3, 6, 2, 8 }, [COPY_TYPE_SYNC] = { 3, 2, 6, 2, 3 },
	[COPY_TYPE_FLASH] = { 5, 3, 8, 2, 3 }, [COPY_TYPE_FLASH_NO_COPY] = { 4, 3, 7, 3, 6 },
	[COPY_TYPE_FLASH_PERSISTENT] = { 4, 3, 8, 2, 3 }, [COPY_TYPE_FLASH_RECORD] = { 4, 3, 8, 2, 4 },
	[COPY_TYPE_FLASH_PRACTICE] = { 4, 3, 7, 3, 6 },
};

static bool is_flash(enum copy_type type)
{
	return type >= COPY_TYPE_FLASH;
}

static bool is_target(enum copy_state state)
{
	return state >= COPY_STATE_TARGET_FIRST_COPY && state <= COPY_STATE_TARGET_OFFLINE;
}

static void make_row(enum copy_type type, enum copy_state state, struct cim_copy_row *row)
{
	const struct copy_pair_info pair = {
		.volume = 0x1500, .remote_volume = 0x2500, .system = "2105.FB230", .is_source = !is_target(state),
		.since_wall_ns = SINCE_NS, .created_wall_ns = CREATED_NS, .first_copy_done = true,
		.size_bytes = SIZE_BYTES, .out_of_sync_blocks = MISSING_BLOCKS, .priority = COPY_HIGH,
		.copy_type = type, .copy_state = state,
	};
	const struct copy_flash_info flash = {
		.record = { .source = 0x1500, .target = 0x1501, .priority = COPY_HIGH, .since_wall_ns = SINCE_NS,
			    .created_wall_ns = CREATED_NS },
		.size_bytes = SIZE_BYTES, .own_bytes = SIZE_BYTES - MISSING_BLOCKS * 4096, .copy_type = type,
		.copy_state = state,
	};
	struct cim_copy_end here = { .id = 0x1500, .is_here = true }, there = { .id = 0x2500, .system = "2105.FB230" };

	if (is_flash(type))
		cim_copy_row_of_flash(&flash, row);
	else
		cim_copy_row_of_pair(&pair, NULL, row);
	row->source = is_target(state) ? there : here;
	row->target = is_target(state) || is_flash(type) ? here : there;
}

static const struct cim_instance *make_instance(enum cim_namespace ns, const char *class,
						const struct cim_copy_row *row)
{
	const struct cim_view *view = cim_views_copy;
	const struct cim_instance *instance;

	while (strcmp(view->class_name, class) != 0)
		view++;
	instance = cim_view_instance(&arena, NULL, ns, view, row);
	assert_non_null(instance);
	return instance;
}

static const struct cim_value *get(const struct cim_instance *instance, const char *name)
{
	const struct cim_value *value = cim_instance_value(instance, name);

	assert_non_null(value);
	return value;
}

static uint64_t number(const struct cim_instance *instance, const char *name)
{
	const struct cim_value *value = get(instance, name);

	assert_false(value->is_null);
	return value->one.number;
}

static bool has(const struct cim_instance *instance, const char *name)
{
	return !get(instance, name)->is_null;
}

/* Numbers with a value map are in it. */
static void check_map(const struct cim_instance *instance, const char *name)
{
	const struct cim_schema_property *property = cim_schema_find_property(instance->class, name);

	if (has(instance, name) && cim_schema_find_qualifier(&property->qualifiers, "ValueMap"))
		assert_non_null(cim_schema_value_name(&property->qualifiers, number(instance, name)));
}

/* Times and numbers go with the state, as the page has them. */
static void check_state(const struct cim_instance *instance, enum copy_type type)
{
	uint64_t copy_state = number(instance, "CopyState"), sync_state = number(instance, "SyncState");

	assert_int_equal(copy_state == 4, has(instance, "WhenSynchronized"));
	assert_int_equal(copy_state == 9 || copy_state == 7, has(instance, "WhenSuspended"));
	assert_int_equal(copy_state == 8, has(instance, "WhenDeactivated"));
	if (copy_state == 4)
		assert_int_equal(100, number(instance, "PercentSynced"));
	else if (has(instance, "PercentSynced"))
		assert_int_equal(90, number(instance, "PercentSynced"));
	if (number(instance, "RequestedCopyState") == copy_state)
		fail_msg("RequestedCopyState is 15 when it is reached");
	if (sync_state == 6)
		assert_true(get(instance, "SyncMaintained")->one.boolean);
	if (sync_state == 13 || is_flash(type))
		assert_false(get(instance, "SyncMaintained")->one.boolean);
	if (sync_state == 11 || sync_state == 14)
		assert_true(is_flash(type));
}

/* A synchronous target that is not full-duplex is being resynced, whatever its source is at. */
static void check_numbers(const struct cim_instance *instance, enum copy_type type, enum copy_state state)
{
	enum copy_state as = type == COPY_TYPE_SYNC && state == COPY_STATE_TARGET ? COPY_STATE_RESYNC : state;

	assert_int_equal(numbers[as].sync_state, number(instance, "SyncState"));
	assert_int_equal(numbers[as].copy_state, number(instance, "CopyState"));
	assert_int_equal(numbers[as].progress, number(instance, "ProgressStatus"));
	assert_int_equal(numbers[as].requested, number(instance, "RequestedCopyState"));
	assert_int_equal(kinds[type].copy_type, number(instance, "CopyType"));
	assert_int_equal(kinds[type].mode, number(instance, "Mode"));
	assert_int_equal(kinds[type].sync_type, number(instance, "SyncType"));
	assert_int_equal(kinds[type].replica_type, number(instance, "ReplicaType"));
	assert_int_equal(kinds[type].methodology, number(instance, "CopyMethodology"));
}

/* The times are those that the engine has, and one of a state is the moment when it came to it. */
static void check_times(const struct cim_instance *instance, enum copy_type type)
{
	static const char *const of_states[] = { "WhenSynchronized", "WhenSuspended", "WhenDeactivated" };

	assert_int_equal(CREATED_NS / RT_US, get(instance, "WhenEstablished")->one.datetime.us);
	if (is_flash(type))
		assert_int_equal(CREATED_NS / RT_US, get(instance, "WhenActivated")->one.datetime.us);
	for (size_t i = 0; i < sizeof(of_states) / sizeof(of_states[0]); i++)
		if (has(instance, of_states[i]))
			assert_int_equal(SINCE_NS / RT_US, get(instance, of_states[i])->one.datetime.us);
}

static void check_kind(const struct cim_instance *instance, enum copy_type type, enum copy_state state)
{
	if (is_flash(type))
		assert_true(!has(instance, "UndiscoveredElement") && !has(instance, "CopyRecoveryMode"));
	else
		assert_int_equal(is_target(state) ? 2 : 3, number(instance, "UndiscoveredElement"));
	assert_int_equal(!is_target(state), has(instance, "CopyPriority"));
	assert_int_equal(is_flash(type), has(instance, "WhenSynced") && has(instance, "WhenActivated") &&
			 number(instance, "SyncType") != 6);
	if (state == COPY_STATE_FAILED_OVER)
		assert_false(has(instance, "ReadOnly"));
	if (state == COPY_STATE_FLASH_REVERTIBLE)
		assert_int_equal(4, number(instance, "ReadOnly"));
}

/* The same volume, as either namespace names it. */
static void check_ends(const struct cim_instance *instance, const struct cim_instance *twin, const char *name)
{
	static const char *const keys[] = { "DeviceID", "InstanceID" };
	const struct cim_path *path = get(instance, name)->one.path, *other = get(twin, name)->one.path;

	assert_int_equal(CIM_NAMESPACE_ISCSITARGET, path->ns);
	assert_int_equal(CIM_NAMESPACE_IBM, other->ns);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *key = cim_path_key_text(path, keys[i]), *same = cim_path_key_text(other, keys[i]);

		assert_int_equal(key != NULL, same != NULL);
		if (key)
			assert_string_equal(key, same);
	}
}

static void check(enum copy_type type, enum copy_state state)
{
	const struct cim_instance *instance, *twin;
	struct cim_copy_row row;

	arena_init(&arena, 1u << 20);
	make_row(type, state, &row);
	instance = make_instance(CIM_NAMESPACE_ISCSITARGET, "MSISCSITARGET_StorageSynchronized", &row);
	twin = make_instance(CIM_NAMESPACE_IBM, "IBMTSESS_StorageSynchronized", &row);
	for (size_t i = 0; i < sizeof(page) / sizeof(page[0]); i++) {
		const struct cim_value *value = get(instance, page[i].name);

		if (page[i].always)
			assert_false(value->is_null);
		check_map(instance, page[i].name);
		if (value->type == CIM_TYPE_REFERENCE)
			check_ends(instance, twin, page[i].name);
		else
			assert_true(cim_value_equal(value, get(twin, page[i].name)));
	}
	check_numbers(instance, type, state);
	check_times(instance, type);
	check_state(instance, type);
	check_kind(instance, type, state);
	arena_free(&arena);
}

static void a_copy_says_what_the_page_says_in_every_state(void **state)
{
	unsigned count = 0;

	(void)state;
	for (enum copy_type type = 0; type < COPY_TYPE_COUNT; type++)
		for (enum copy_state at = COPY_STATE_NONE + 1; at < COPY_STATE_COUNT; at++)
			if (copy_table_has(type, at)) {
				check(type, at);
				count++;
			}
	assert_true(count > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_says_what_the_page_says_in_every_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
