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

static void check_kind(const struct cim_instance *instance, enum copy_type type, enum copy_state state)
{
	assert_int_equal(type == COPY_TYPE_SYNC ? 3 : type == COPY_TYPE_FLASH ? 5 : is_flash(type) ? 4 : 2,
			 number(instance, "CopyType"));
	assert_int_equal(type == COPY_TYPE_SYNC ? 2 : 3, number(instance, "Mode"));
	assert_int_equal(is_flash(type), number(instance, "SyncType") != 6);
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
		if (value->type != CIM_TYPE_REFERENCE)
			assert_true(cim_value_equal(value, get(twin, page[i].name)));
	}
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
