/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state table is whole: what must hold of every cell, whatever it says; where it says what the seed page, CIM and
 * the records ask for; and docs/state-table.md says the same. That copies do what it says is proved by the scenario
 * `table` (sim/table.c).
 */
#include "control/operations.h"
#include "copy/state_table_cim.h"
#include "table_check.h"

#define ALL_STATES(type, state) \
	for (enum copy_state state = COPY_STATE_NONE; state < COPY_STATE_COUNT; state++) \
		if (copy_table_has(type, state))

static const struct copy_words words = {
	.object = "pair of volume 1500", .volume = 0x1500, .remote = 0x2500, .system = "2105.FB230", .session = 3,
	.state = "suspended", .reason = "command", .blocks = 17,
};

static bool is_flash(enum copy_type type)
{
	return type >= COPY_TYPE_FLASH;
}

/* ---- every cell ---- */

static void check_cell(enum copy_type type, enum copy_state state, enum copy_verb verb)
{
	const struct copy_cell cell = copy_table_cell(type, state, verb);
	struct fault fault = { 0 };

	assert_true(is_flash(cell.next_type) == is_flash(type));
	if (is_done(cell.answer))
		assert_true(cell.next);
	else
		assert_true(cell.next == COPY_STATE_BIT(state) && cell.next_type == type);
	for (enum copy_state next = COPY_STATE_NONE; next < COPY_STATE_COUNT; next++)
		assert_true(!(cell.next & COPY_STATE_BIT(next)) || copy_table_has(cell.next_type, next));
	if (cell.answer == COPY_NO_VERB)
		return;
	assert_int_equal(cell.message != NULL, cell.answer == COPY_REFUSED || cell.answer == COPY_FORCED ||
			 cell.answer == COPY_FAR_REFUSES);
	if (!cell.message) {
		assert_int_equal(copy_table_check(type, state, verb, false, &words, &fault),
				 cell.answer == COPY_NOTHING);
		return;
	}
	/* The codes that the methods of the seed page have for a refusal. */
	assert_true(cell.code == FAULT_NOT_SUPPORTED || cell.code == FAULT_FAILED ||
		    cell.code == FAULT_INVALID_PARAMETER || cell.code == FAULT_IN_USE);
	assert_int_equal(copy_table_refuse(&cell, &words, verb, &fault), -1);
	assert_int_equal(fault.code, cell.code);
	assert_string_equal(fault.object, words.object);
	assert_true(fault.message[0] && fault.remedy[0]);
	assert_null(strpbrk(fault.message, "{}"));
	assert_null(strpbrk(fault.remedy, "{}"));
	assert_true(fault.message[strlen(fault.message) - 1] != '.');
	assert_int_equal(copy_table_check(type, state, verb, false, &words, &fault),
			 cell.answer == COPY_FAR_REFUSES ? 0 : -1);
	assert_int_equal(copy_table_check(type, state, verb, true, &words, &fault),
			 cell.answer == COPY_REFUSED ? -1 : 0);
}

static void every_cell_answers(void **state)
{
	(void)state;
	for (enum copy_type type = 0; type < COPY_TYPE_COUNT; type++) {
		ALL_STATES(type, in)
			for (enum copy_verb verb = 0; verb < COPY_VERB_COUNT; verb++)
				check_cell(type, in, verb);
	}
}

static void what_is_allowed_is_a_command(void **state)
{
	(void)state;
	for (enum copy_type type = 0; type < COPY_TYPE_COUNT; type++) {
		ALL_STATES(type, in)
			for (enum copy_verb verb = 0; verb < COPY_VERB_COUNT; verb++) {
				const struct copy_cell cell = copy_table_cell(type, in, verb);
				const char *text = copy_table_allows(type, in, verb);

				assert_int_equal(text != NULL, is_done(cell.answer));
				assert_int_equal(text && strstr(text, " --force"), cell.answer == COPY_FORCED);
			}
	}
}

/* The commands of the CLI are the operations of the table: none is missing in either. */
static void each_command_is_in_the_table(void **state)
{
	static const char *const shows[] = { "list", "show", "group" };

	(void)state;
	for (unsigned i = 0; i < operation_count; i++) {
		const struct operation *operation = &operations[i];
		bool flash = !strcmp(operation->noun, "flash"), shown = false, known = false;

		if (!flash && strcmp(operation->noun, "pair") != 0)
			continue;
		for (size_t j = 0; j < sizeof(shows) / sizeof(shows[0]); j++)
			shown = shown || !strcmp(operation->verb, shows[j]);
		for (enum copy_verb verb = 0; verb < COPY_VERB_COUNT; verb++) {
			enum copy_type type = flash ? COPY_TYPE_FLASH : COPY_TYPE_GLOBAL_COPY;
			enum copy_state in = flash ? COPY_STATE_FLASH_COPYING : COPY_STATE_FIRST_COPY;

			known = known || (!strcmp(operation->verb, copy_verb_names[verb]) &&
					  copy_table_cell(type, in, verb).answer != COPY_NO_VERB);
		}
		assert_int_equal(known, !shown);
	}
	for (enum copy_verb verb = 0; verb < COPY_VERB_COUNT; verb++) {
		bool pair = operation_find("pair", copy_verb_names[verb]) != NULL;
		bool flash = operation_find("flash", copy_verb_names[verb]) != NULL;

		assert_true(pair || flash);
		ALL_STATES(COPY_TYPE_SYNC, in)
			assert_int_equal(copy_table_cell(COPY_TYPE_SYNC, in, verb).answer != COPY_NO_VERB,
					 pair && (in != COPY_STATE_NONE || verb == COPY_CREATE));
		ALL_STATES(COPY_TYPE_FLASH, in)
			assert_int_equal(copy_table_cell(COPY_TYPE_FLASH, in, verb).answer != COPY_NO_VERB,
					 flash && (in != COPY_STATE_NONE || verb == COPY_CREATE));
	}
}

/* ---- ways through it ---- */

typedef bool reached[COPY_TYPE_COUNT][COPY_STATE_COUNT];

static bool mark(reached all, uint32_t types, uint64_t states)
{
	bool more = false;

	for (enum copy_type type = 0; type < COPY_TYPE_COUNT; type++) {
		ALL_STATES(type, in) {
			if (!(types & 1u << type) || !(states & COPY_STATE_BIT(in)) || all[type][in])
				continue;
			all[type][in] = more = true;
		}
	}
	return more;
}

/* One step from each that is reached. */
static bool go_on(reached all)
{
	bool more = false;

	for (enum copy_type type = 0; type < COPY_TYPE_COUNT; type++) {
		ALL_STATES(type, in) {
			if (!all[type][in])
				continue;
			for (enum copy_verb verb = 0; verb < COPY_VERB_COUNT; verb++) {
				const struct copy_cell cell = copy_table_cell(type, in, verb);

				if (is_done(cell.answer))
					more = mark(all, 1u << cell.next_type, cell.next) || more;
			}
			if (in != COPY_STATE_NONE)
				more = mark(all, copy_table_turns(type),
					    copy_table_drifts(type, in) | COPY_STATE_BIT(in)) || more;
		}
	}
	return more;
}

static void every_state_is_reached(void **state)
{
	reached all = { { false } };

	(void)state;
	mark(all, (1u << COPY_TYPE_COUNT) - 1, COPY_STATE_BIT(COPY_STATE_NONE));
	/* Whose relations session practice makes; and a target is there since its source was made. */
	mark(all, 1u << COPY_TYPE_FLASH_PRACTICE, COPY_STATE_BIT(COPY_STATE_FLASH_IDLE));
	mark(all, 1u << COPY_TYPE_SYNC | 1u << COPY_TYPE_ASYNC, COPY_STATE_BIT(COPY_STATE_TARGET_FIRST_COPY));
	while (go_on(all))
		;
	for (enum copy_type type = 0; type < COPY_TYPE_COUNT; type++) {
		ALL_STATES(type, in)
			if (!all[type][in])
				fail_msg("%s is never %s", copy_type_names[type], copy_state_names[in]);
	}
}

/* Whatever befell a copy, it can be ended: at once, or from where it comes to without anybody's doing. */
static bool ends(enum copy_type type, enum copy_state in)
{
	return copy_table_cell(type, in, COPY_DELETE).next & COPY_STATE_BIT(COPY_STATE_NONE);
}

static bool leads_to_an_end(const struct copy_cell *cell)
{
	for (enum copy_state then = COPY_STATE_NONE; then < COPY_STATE_COUNT; then++) {
		if (cell->next & COPY_STATE_BIT(then) && (then == COPY_STATE_NONE || ends(cell->next_type, then)))
			return true;
	}
	return false;
}

static void every_copy_can_be_ended(void **state)
{
	(void)state;
	for (enum copy_type type = 0; type < COPY_TYPE_COUNT; type++) {
		ALL_STATES(type, in) {
			bool found = in == COPY_STATE_NONE || ends(type, in) ||
				     copy_table_drifts(type, in) & COPY_STATE_BIT(COPY_STATE_NONE);

			for (enum copy_state then = 0; then < COPY_STATE_COUNT && !found; then++)
				found = copy_table_drifts(type, in) & COPY_STATE_BIT(then) &&
					copy_table_has(type, then) && ends(type, then);
			/* First this, then that; or it leaves its session first. */
			for (enum copy_verb verb = 0; verb < COPY_VERB_COUNT && !found; verb++) {
				const struct copy_cell cell = copy_table_cell(type, in, verb);

				found = is_done(cell.answer) && leads_to_an_end(&cell);
			}
			for (enum copy_type then = 0; then < COPY_TYPE_COUNT && !found; then++)
				found = copy_table_turns(type) & 1u << then && copy_table_has(then, in) &&
					ends(then, in);
			if (!found)
				fail_msg("%s that is %s cannot be ended", copy_type_names[type], copy_state_names[in]);
		}
	}
}

/* ---- what CIM and Swordfish call it ---- */

static void check_cim(enum copy_type type, enum copy_state in)
{
	const struct copy_cim_state cim = copy_cim_of_state(type, in);
	uint16_t copy_type = copy_cim_of_type(type).copy_type;
	bool unsync = copy_type == 4 || copy_type == 5, broken = cim.sync_state == 12;

	assert_int_equal(unsync, is_flash(type));
	/* Values that the seed page names; 14 is for groups, 15 for none. */
	assert_in_range(cim.sync_state, 2, 15);
	assert_in_range(cim.copy_state, 2, 17);
	assert_in_range(cim.progress_status, 2, 21);
	assert_true(cim.copy_state != 14 && cim.copy_state != 15);
	assert_true(cim.progress_status != 14 && cim.progress_status != 15);
	/* By the words of the page: of Async and Sync; of UnSyncAssoc. */
	if (cim.sync_state == 6 || cim.sync_state == 7 || cim.sync_state == 13)
		assert_false(unsync);
	if (cim.sync_state == 11 || cim.sync_state == 14 || cim.sync_state == 15)
		assert_true(unsync);
	/* Both views in step. */
	assert_int_equal(broken, cim.copy_state == 5 || cim.copy_state == 17 || cim.copy_state == 16);
	assert_int_equal(cim.copy_state == 4, cim.sync_state == 6 || cim.sync_state == 11 || cim.sync_state == 14);
	assert_int_equal(cim.copy_state == 3, cim.sync_state == 5 || cim.sync_state == 10 || cim.sync_state == 15);
	assert_int_equal(cim.copy_state == 11, cim.sync_state == 4);
	/* Work under way is shown as that, and has an end that it comes to. */
	if (cim.copy_state == 3)
		assert_true(cim.progress_status >= 6 && cim.progress_status <= 8 && cim.requested_copy_state == 4);
	assert_true(cim.requested_copy_state == 15 || cim.requested_copy_state == 4);
	assert_true(cim.requested_copy_state != cim.copy_state);
	if (cim.copy_state == 4)
		assert_int_equal(cim.progress_status, 2);
	assert_non_null(copy_cim_replica_state(cim.copy_state));
	assert_non_null(copy_cim_replica_progress(cim.progress_status));
}

static void every_state_has_its_numbers(void **state)
{
	(void)state;
	for (enum copy_type type = 0; type < COPY_TYPE_COUNT; type++) {
		ALL_STATES(type, in)
			if (in != COPY_STATE_NONE)
				check_cim(type, in);
	}
}

/* From the seed page and the facts on ESS and SMI-S clients, not from the code. */
static void these_numbers(void **state)
{
	static const struct {
		enum copy_type type;
		enum copy_state in;
		unsigned copy_type, sync_state, copy_state, progress, requested;
		const char *replica_state;
	} known[] = {
		{ COPY_TYPE_SYNC, COPY_STATE_FIRST_COPY, 3, 5, 3, 6, 4, "Unsynchronized" },
		{ COPY_TYPE_SYNC, COPY_STATE_RESYNC, 3, 5, 3, 7, 4, "Unsynchronized" },
		{ COPY_TYPE_SYNC, COPY_STATE_FULL_DUPLEX, 3, 6, 4, 2, 15, "Synchronized" },
		{ COPY_TYPE_SYNC, COPY_STATE_INTERRUPTED, 3, 12, 5, 20, 4, "Broken" },
		{ COPY_TYPE_SYNC, COPY_STATE_SPLIT, 3, 13, 7, 3, 15, "Split" },
		{ COPY_TYPE_SYNC, COPY_STATE_TARGET, 3, 5, 3, 7, 4, "Unsynchronized" },
		{ COPY_TYPE_GLOBAL_COPY, COPY_STATE_SUSPENDED, 2, 13, 9, 3, 15, "Suspended" },
		{ COPY_TYPE_SESSION, COPY_STATE_FOLLOWING, 2, 6, 4, 2, 15, "Synchronized" },
		{ COPY_TYPE_SESSION, COPY_STATE_FAILED_OVER, 2, 13, 10, 2, 15, "Failedover" },
		{ COPY_TYPE_GLOBAL_COPY, COPY_STATE_DIVERGED, 2, 12, 17, 3, 15, "Invalid" },
		{ COPY_TYPE_FLASH, COPY_STATE_FLASH_COPYING, 5, 15, 3, 6, 4, "Unsynchronized" },
		{ COPY_TYPE_FLASH_PERSISTENT, COPY_STATE_FLASH_WHOLE, 4, 14, 4, 2, 15, "Synchronized" },
		{ COPY_TYPE_FLASH_NO_COPY, COPY_STATE_FLASH_IDLE, 4, 11, 4, 2, 15, "Synchronized" },
		{ COPY_TYPE_FLASH, COPY_STATE_FLASH_RESTORING, 5, 10, 3, 8, 4, "Unsynchronized" },
		{ COPY_TYPE_FLASH_RECORD, COPY_STATE_FLASH_REVERTIBLE, 4, 4, 11, 19, 15, "Prepared" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const struct copy_cim_state cim = copy_cim_of_state(known[i].type, known[i].in);

		assert_int_equal(copy_cim_of_type(known[i].type).copy_type, known[i].copy_type);
		assert_int_equal(cim.sync_state, known[i].sync_state);
		assert_int_equal(cim.copy_state, known[i].copy_state);
		assert_int_equal(cim.progress_status, known[i].progress);
		assert_int_equal(cim.requested_copy_state, known[i].requested);
		assert_string_equal(copy_cim_replica_state(cim.copy_state), known[i].replica_state);
	}
	assert_null(copy_cim_replica_state(15));
	assert_null(copy_cim_replica_state(19));
	assert_null(copy_cim_replica_progress(15));
	assert_string_equal(copy_cim_replica_progress(12), "FailingBack");
	assert_string_equal(copy_cim_replica_progress(25), "RequiresResume");
}

/* From the value maps of schema 2.49. */
static void every_type_has_its_numbers(void **state)
{
	(void)state;
	for (enum copy_type type = 0; type < COPY_TYPE_COUNT; type++) {
		const struct copy_cim_type cim = copy_cim_of_type(type);

		assert_int_equal(cim.mode == 2, cim.copy_type == 3);
		assert_int_equal(cim.sync_type == 6, !is_flash(type));
		/* What has none of its source's blocks but the old ones is a snapshot, and is copied on write. */
		assert_int_equal(cim.sync_type == 7, cim.replica_type == 3);
		assert_int_equal(cim.sync_type == 7, cim.copy_methodology == 6);
		assert_int_equal(cim.replication_type, cim.sync_type == 7 ? 7 : cim.sync_type == 8 ? 11
									 : cim.mode == 2 ? 4 : 5);
	}
}

/* ---- what CIM calls an operation ---- */

static bool has_number(enum copy_type type, enum copy_cim_method method, enum copy_verb verb)
{
	enum copy_verb found;

	for (uint16_t number = 1; number < 32; number++) {
		if (copy_cim_find_verb(type, method, number, &found) && found == verb)
			return true;
	}
	return false;
}

/* But for what is made, looked at and set, which other methods do. */
static void every_operation_has_a_number(void **state)
{
	(void)state;
	for (enum copy_type type = 0; type < COPY_TYPE_COUNT; type++) {
		for (enum copy_verb verb = 0; verb < COPY_VERB_COUNT; verb++) {
			enum copy_state in = is_flash(type) ? COPY_STATE_FLASH_FAILED : COPY_STATE_OFFLINE;
			bool known = copy_table_cell(type, in, verb).answer != COPY_NO_VERB;
			bool other = verb == COPY_CREATE || verb == COPY_VERIFY || verb == COPY_SET;

			assert_int_equal(has_number(type, COPY_CIM_CONFIGURATION, verb) ||
					 has_number(type, COPY_CIM_REPLICATION, verb), known && !other);
		}
	}
}

static void these_operations(void **state)
{
	static const struct {
		enum copy_type type;
		unsigned old, modern;		/* 0: none */
		enum copy_verb verb;
	} known[] = {
		{ COPY_TYPE_SYNC, 2, 8, COPY_DELETE },		/* Detach */
		{ COPY_TYPE_FLASH, 2, 8, COPY_DELETE },
		{ COPY_TYPE_SYNC, 3, 22, COPY_SUSPEND },	/* Fracture, Suspend */
		{ COPY_TYPE_SYNC, 4, 14, COPY_RESUME },		/* Resync Replica */
		{ COPY_TYPE_FLASH_RECORD, 4, 14, COPY_RESYNC },
		{ COPY_TYPE_FLASH, 5, 15, COPY_REVERSE },	/* Restore from Replica */
		{ COPY_TYPE_FLASH_RECORD, 7, 23, COPY_REVERT },	/* Unprepare */
		{ COPY_TYPE_SYNC, 8, 0, COPY_FREEZE },		/* Quiesce */
		{ COPY_TYPE_SYNC, 9, 0, COPY_RUN },		/* Unquiesce */
		{ COPY_TYPE_GLOBAL_COPY, 10, 17, COPY_GO_TO_SYNC },	/* Reset To Sync */
		{ COPY_TYPE_SYNC, 11, 18, COPY_LEAVE_SYNC },	/* Reset To Async */
		{ COPY_TYPE_SYNC, 0, 10, COPY_FAILOVER },
		{ COPY_TYPE_SYNC, 0, 11, COPY_FAILBACK },
		{ COPY_TYPE_SYNC, 0, 16, COPY_RESUME },
		{ COPY_TYPE_FLASH_RECORD, 0, 4, COPY_COMMIT },	/* Activate */
	};
	enum copy_verb verb;

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		enum copy_type type = known[i].type;

		if (known[i].old) {
			assert_true(copy_cim_find_verb(type, COPY_CIM_CONFIGURATION, (uint16_t)known[i].old, &verb));
			assert_int_equal(verb, known[i].verb);
		}
		if (known[i].modern) {
			assert_true(copy_cim_find_verb(type, COPY_CIM_REPLICATION, (uint16_t)known[i].modern, &verb));
			assert_int_equal(verb, known[i].verb);
		}
	}
	assert_false(copy_cim_find_verb(COPY_TYPE_SYNC, COPY_CIM_CONFIGURATION, 0, &verb));
	assert_false(copy_cim_find_verb(COPY_TYPE_SYNC, COPY_CIM_CONFIGURATION, 6, &verb));
	assert_false(copy_cim_find_verb(COPY_TYPE_FLASH, COPY_CIM_REPLICATION, 10, &verb));
}

static const struct copy_cim_operation *find_operation(const struct copy_cim_operation *list, unsigned count,
						       uint16_t number)
{
	for (unsigned i = 0; i < count; i++) {
		if (list[i].number == number)
			return &list[i];
	}
	return NULL;
}

/* The table allows it to a copy that shows itself so: then, and only then. */
static bool is_ever_done(uint16_t replication_type, uint16_t copy_state, uint16_t number)
{
	bool done = false;

	for (enum copy_type type = 0; type < COPY_TYPE_COUNT; type++) {
		enum copy_verb verb;

		if (copy_cim_of_type(type).replication_type != replication_type ||
		    !copy_cim_find_verb(type, COPY_CIM_REPLICATION, number, &verb))
			continue;
		ALL_STATES(type, in)
			done = done || (in != COPY_STATE_NONE && copy_cim_of_state(type, in).copy_state == copy_state &&
					is_done(copy_table_cell(type, in, verb).answer));
	}
	return done;
}

static void what_is_supported_is_what_the_table_allows(void **state)
{
	static const uint16_t kinds[] = { 4, 5, 7, 11 };
	struct copy_cim_operation list[COPY_CIM_OPERATIONS_MAX];
	const struct copy_cim_operation *found;
	unsigned count;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (uint16_t in = 2; in <= 18; in++) {
			count = copy_cim_list_operations(kinds[i], COPY_CIM_REPLICATION, in, list);
			for (uint16_t number = 2; number <= 27; number++)
				assert_int_equal(find_operation(list, count, number) != NULL,
						 is_ever_done(kinds[i], in, number));
		}
	}
	assert_int_equal(copy_cim_list_operations(6, COPY_CIM_REPLICATION, 4, list), 0);
	count = copy_cim_list_operations(4, COPY_CIM_REPLICATION, 4, list);
	found = find_operation(list, count, 10);
	assert_true(found && found->at_target && !found->at_source && !found->renames && !found->may_need_force);
	found = find_operation(list, count, 22);
	assert_true(found && found->at_source && !found->at_target);
	count = copy_cim_list_operations(4, COPY_CIM_REPLICATION, 10, list);
	found = find_operation(list, count, 11);
	assert_true(found && found->at_target && found->renames);
	count = copy_cim_list_operations(11, COPY_CIM_REPLICATION, 4, list);
	found = find_operation(list, count, 15);
	assert_true(found && found->at_source && found->at_target && found->renames);
}

/* Of one copy as it is: what the table allows in this very state. */
static void what_can_be_done_with_one_is_what_its_state_allows(void **state)
{
	struct copy_cim_operation list[COPY_CIM_OPERATIONS_MAX];
	enum copy_verb verb;

	(void)state;
	for (enum copy_type type = 0; type < COPY_TYPE_COUNT; type++) {
		ALL_STATES(type, in) {
			unsigned count = copy_cim_list_operations_of(type, in, COPY_CIM_REPLICATION, list);

			for (uint16_t number = 2; in != COPY_STATE_NONE && number <= 27; number++) {
				const struct copy_cim_operation *found = find_operation(list, count, number);
				bool known = copy_cim_find_verb(type, COPY_CIM_REPLICATION, number, &verb);
				enum copy_answer answer = known ? copy_table_cell(type, in, verb).answer
								: COPY_NO_VERB;

				assert_int_equal(found != NULL, is_done(answer));
				assert_true(!found || found->may_need_force == (answer == COPY_FORCED));
			}
		}
	}
}

static void states_are_those_of_the_table(void **state)
{
	static const struct {
		uint16_t kind, copy_state;
		bool open;
	} known[] = {
		{ 4, 4, false }, { 4, 7, false }, { 4, 10, true }, { 5, 3, false }, { 5, 10, true }, { 5, 17, false },
		{ 7, 4, true }, { 7, 5, false }, { 11, 3, true }, { 11, 4, true }, { 11, 5, false }, { 11, 11, true },
	};
	struct copy_cim_copy_state list[COPY_CIM_COPY_STATES_MAX];
	unsigned count;

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		unsigned at = 0;

		count = copy_cim_list_states(known[i].kind, COPY_CIM_REPLICATION, 0, list);
		while (at < count && list[at].copy_state != known[i].copy_state)
			at++;
		assert_true(at < count);
		assert_int_equal(list[at].host_accessible, known[i].open);
		for (at = 1; at < count; at++)
			assert_true(list[at - 1].copy_state < list[at].copy_state);
	}
	assert_int_equal(copy_cim_list_states(2, COPY_CIM_REPLICATION, 0, list), 0);
	count = copy_cim_list_states(4, COPY_CIM_REPLICATION, 11, list);
	for (unsigned i = 0; i < count; i++)
		assert_true(is_ever_done(4, list[i].copy_state, 11));
	assert_true(count > 0);
	assert_int_equal(copy_cim_list_states(7, COPY_CIM_REPLICATION, 11, list), 0);
}

static void a_lag_is_known_where_it_is(void **state)
{
	struct copy_cim_lag lag = copy_cim_lag_of(COPY_TYPE_SESSION, COPY_STATE_FOLLOWING, 3, 7000);

	(void)state;
	assert_true(lag.rpo_ns == 7000 && lag.skew_bytes == 3 * 4096);
	lag = copy_cim_lag_of(COPY_TYPE_SESSION, COPY_STATE_SUSPENDED, 0, 7000);
	assert_true(lag.rpo_ns == -1 && !lag.skew_bytes);
	lag = copy_cim_lag_of(COPY_TYPE_SYNC, COPY_STATE_FULL_DUPLEX, 1, -1);
	assert_true(!lag.rpo_ns && !lag.skew_bytes);
	assert_true(copy_cim_lag_of(COPY_TYPE_GLOBAL_COPY, COPY_STATE_FOLLOWING, 0, 5).rpo_ns == -1);
}

/* ---- the state of what the metadata have ---- */

static void check_pair(struct record_pair *record, unsigned flags)
{
	const struct copy_pair_facts facts = {
		.record = record, .offline = flags & 1, .grouped = flags & 2, .frozen = flags & 4,
		.resyncing = flags & 8, .writes_lost = flags & 16,
	};
	enum copy_type type;
	enum copy_state in;

	copy_table_of_pair(&facts, &type, &in);
	assert_true(copy_table_has(type, in) && in != COPY_STATE_NONE && !is_flash(type));
	/* At a source what a source may do is answered as at a source, at a target as at a target. */
	if (!facts.offline)
		assert_int_equal(copy_table_cell(type, in, COPY_SET).answer == COPY_DONE, record->role == PAIR_SOURCE);
}

/* Whatever stands in a record, also what no program writes. */
static void every_record_is_in_a_state(void **state)
{
	struct record_pair record = { .volume = 0x1500 };

	(void)state;
	for (unsigned i = 0; i < 1u << 5; i++) {
		record.session = i & 1 ? 3 : 0;
		record.joined = i & 2;
		record.first_copy_done = i & 4;
		record.first_copy_bytes = i & 8 ? 65536 : 0;
		record.critical = i & 16;
		for (record.role = 0; record.role < PAIR_ROLE_COUNT; record.role++)
			for (record.type = 0; record.type < PAIR_TYPE_COUNT; record.type++)
				for (record.state = 0; record.state < PAIR_STATE_COUNT; record.state++)
					for (record.reason = 0; record.reason < PAIR_REASON_COUNT; record.reason++)
						for (unsigned flags = 0; flags < 1u << 5; flags++)
							check_pair(&record, flags);
	}
}

static void every_flash_is_in_a_state(void **state)
{
	struct record_flash record = { .target = 0x1501 };

	(void)state;
	for (unsigned i = 0; i < 1u << 8; i++) {
		const struct copy_flash_facts facts = {
			.record = &record, .target_attached = i & 1, .source_attached = i & 2, .whole = i & 4,
		};
		enum copy_type type;
		enum copy_state in;

		record.no_copy = i & 8;
		record.persistent = i & 16;
		record.record = i & 32;
		record.restore = i & 64;
		record.practice = i & 128 ? 3 : 0;
		for (record.state = 0; record.state < FLASH_STATE_COUNT; record.state++) {
			copy_table_of_flash(&facts, &type, &in);
			assert_true(copy_table_has(type, in) && in != COPY_STATE_NONE && is_flash(type));
		}
	}
}

/* ---- docs/state-table.md ---- */

static void say_type(enum copy_type type)
{
	bool known[COPY_VERB_COUNT];
	unsigned columns = 0;

	say("\n### %s\n\n| state |", copy_type_names[type]);
	for (enum copy_verb verb = 0; verb < COPY_VERB_COUNT; verb++) {
		enum copy_state in = is_flash(type) ? COPY_STATE_FLASH_FAILED : COPY_STATE_OFFLINE;

		known[verb] = verb != COPY_CREATE && copy_table_cell(type, in, verb).answer != COPY_NO_VERB;
		if (known[verb])
			say(" %s |", copy_verb_names[verb]);
		columns += known[verb];
	}
	say("\n|---|");
	for (unsigned i = 0; i < columns; i++)
		say("---|");
	say("\n");
	ALL_STATES(type, in) {
		if (in == COPY_STATE_NONE)
			continue;
		say("| %s |", copy_state_names[in]);
		for (enum copy_verb verb = 0; verb < COPY_VERB_COUNT; verb++) {
			const struct copy_cell cell = copy_table_cell(type, in, verb);

			if (known[verb])
				say_cell(&cell);
		}
		say("\n");
	}
}

static void say_numbers(void)
{
	say("\n## As CIM and Swordfish have it\n\n"
	    "| type | CopyType | Mode | SyncType | ReplicaType | CopyMethodology | ReplicationType |\n"
	    "|---|---|---|---|---|---|---|\n");
	for (enum copy_type type = 0; type < COPY_TYPE_COUNT; type++) {
		const struct copy_cim_type cim = copy_cim_of_type(type);

		say("| %s | %u | %u | %u | %u | %u | %u |\n", copy_type_names[type], cim.copy_type, cim.mode,
		    cim.sync_type, cim.replica_type, cim.copy_methodology, cim.replication_type);
	}
	say("\n| type | state | SyncState | CopyState | ProgressStatus | RequestedCopyState | ReplicaState |\n"
	    "|---|---|---|---|---|---|---|\n");
	for (enum copy_type type = 0; type < COPY_TYPE_COUNT; type++) {
		ALL_STATES(type, in) {
			struct copy_cim_state cim;

			if (in == COPY_STATE_NONE)
				continue;
			cim = copy_cim_of_state(type, in);
			say("| %s | %s | %u | %u | %u | %u | %s |\n", copy_type_names[type], copy_state_names[in],
			    cim.sync_state, cim.copy_state, cim.progress_status, cim.requested_copy_state,
			    copy_cim_replica_state(cim.copy_state));
		}
	}
}

static void say_numbers_of(enum copy_type type, enum copy_cim_method method, enum copy_verb verb)
{
	enum copy_verb found;
	bool any = false;

	say(" ");
	for (uint16_t number = 1; number < 32; number++) {
		if (!copy_cim_find_verb(type, method, number, &found) || found != verb)
			continue;
		say("%s%u", any ? ", " : "", number);
		any = true;
	}
	say(any ? " |" : "|");
}

static void say_operations(void)
{
	static const enum copy_type of[] = { COPY_TYPE_SYNC, COPY_TYPE_FLASH };

	say("\n| command | ModifySynchronization | ModifyReplicaSynchronization | the same of a group |\n"
	    "|---|---|---|---|\n");
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		for (enum copy_verb verb = 0; verb < COPY_VERB_COUNT; verb++) {
			enum copy_state in = is_flash(of[i]) ? COPY_STATE_FLASH_FAILED : COPY_STATE_OFFLINE;

			if (copy_table_cell(of[i], in, verb).answer == COPY_NO_VERB)
				continue;
			say("| %s %s |", is_flash(of[i]) ? "flash" : "pair", copy_verb_names[verb]);
			say_numbers_of(of[i], COPY_CIM_CONFIGURATION, verb);
			say_numbers_of(of[i], COPY_CIM_REPLICATION, verb);
			say_numbers_of(of[i], COPY_CIM_GROUP, verb);
			say("\n");
		}
	}
}

/* What is generated stands behind this line. */
#define BEGIN	"## What may be done\n"

static void the_page_agrees(void **state)
{
	char *begin;

	(void)state;
	read_page("state-table.md");
	say(BEGIN);
	for (enum copy_type type = 0; type < COPY_TYPE_COUNT; type++)
		say_type(type);
	say_numbers();
	say_operations();
	begin = check_page(BEGIN);
	/* And in front of it, what each word means. */
	for (enum copy_state in = COPY_STATE_NONE + 1; in < COPY_STATE_COUNT; in++) {
		char row[64];

		snprintf(row, sizeof(row), "\n| %s |", copy_state_names[in]);
		*begin = '\0';
		if (!strstr(page, row))
			fail_msg("docs/state-table.md does not say what %s is", copy_state_names[in]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_answers),
		cmocka_unit_test(what_is_allowed_is_a_command),
		cmocka_unit_test(each_command_is_in_the_table),
		cmocka_unit_test(every_state_is_reached),
		cmocka_unit_test(every_copy_can_be_ended),
		cmocka_unit_test(every_state_has_its_numbers),
		cmocka_unit_test(these_numbers),
		cmocka_unit_test(every_type_has_its_numbers),
		cmocka_unit_test(every_operation_has_a_number),
		cmocka_unit_test(these_operations),
		cmocka_unit_test(what_is_supported_is_what_the_table_allows),
		cmocka_unit_test(what_can_be_done_with_one_is_what_its_state_allows),
		cmocka_unit_test(states_are_those_of_the_table),
		cmocka_unit_test(a_lag_is_known_where_it_is),
		cmocka_unit_test(every_record_is_in_a_state),
		cmocka_unit_test(every_flash_is_in_a_state),
		cmocka_unit_test(the_page_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
