/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of sessions is whole: what must hold of every cell, whatever it says; whatever is in the metadata has its
 * standing; and docs/session-table.md says the same. That sessions do what it says is proved by the scenario
 * `session-table` (sim/session_table.c).
 */
#include "control/operations.h"
#include "copy/session_table.h"
#include "table_check.h"

#define ALL_STANDINGS(type, standing) \
	for (enum session_standing standing = 0; standing < STANDING_COUNT; standing++) \
		if (session_table_has(type, standing))

static const enum session_type types[] = { SESSION_XDC, SESSION_PPRC, SESSION_FLASHCOPY };
#define TYPES	(sizeof(types) / sizeof(types[0]))

static const struct session_words words = {
	.session = 3, .state = "paused-consistent", .master = "2105.FA120", .next = "2105.FB230",
};

static bool is_far_side(enum session_standing standing)
{
	return standing >= STANDING_NO_FAR;
}

/* Which operations are asked of a session that stands so: all of its side. */
static bool is_asked(enum session_standing standing, enum session_verb verb)
{
	bool far = verb >= SESSION_DO_PRACTICE;

	if (verb == SESSION_DO_TERMINATE)
		return standing != STANDING_NO_FAR && standing != STANDING_OF_FAR;
	return far == is_far_side(standing);
}

/* ---- every cell ---- */

static void check_cell(enum session_type type, enum session_standing standing, enum session_verb verb)
{
	const struct copy_cell cell = session_table_cell(type, standing, verb);
	struct fault fault = { 0 };

	if (!is_asked(standing, verb)) {
		assert_int_equal(cell.answer, COPY_NO_VERB);
		return;
	}
	if (cell.answer == COPY_NO_VERB)
		fail_msg("%s, %s: nothing is said of %s", session_type_names[type], session_standing_names[standing],
			 session_verb_names[verb]);
	assert_int_equal(cell.next_type, verb == SESSION_DO_CLOSE && is_done(cell.answer) ? SESSION_XDC : type);
	assert_true(cell.next);
	if (!is_done(cell.answer))
		assert_true(cell.next == STANDING_BIT(standing));
	assert_int_equal(cell.message != NULL, cell.answer == COPY_REFUSED || cell.answer == COPY_FORCED);
	if (!cell.message) {
		assert_int_equal(session_table_check(type, standing, verb, false, &words, &fault), 0);
		return;
	}
	/* The codes that the methods of the seed page have for a refusal. */
	assert_true(cell.code == FAULT_NOT_SUPPORTED || cell.code == FAULT_FAILED ||
		    cell.code == FAULT_INVALID_PARAMETER || cell.code == FAULT_IN_USE);
	assert_int_equal(session_table_check(type, standing, verb, false, &words, &fault), -1);
	assert_int_equal(fault.code, cell.code);
	assert_string_equal(fault.object, "session 3");
	assert_true(fault.message[0] && fault.remedy[0]);
	assert_null(strpbrk(fault.message, "{}"));
	assert_null(strpbrk(fault.remedy, "{}"));
	assert_int_equal(session_table_check(type, standing, verb, true, &words, &fault),
			 cell.answer == COPY_FORCED ? 0 : -1);
}

static void every_cell_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < TYPES; i++) {
		ALL_STANDINGS(types[i], standing)
			for (enum session_verb verb = 0; verb < SESSION_VERB_COUNT; verb++)
				check_cell(types[i], standing, verb);
	}
	for (enum session_standing standing = 0; standing < STANDING_COUNT; standing++)
		assert_false(session_table_has(SESSION_XRC, standing));
}

static void what_is_allowed_is_a_command(void **state)
{
	(void)state;
	for (size_t i = 0; i < TYPES; i++) {
		ALL_STANDINGS(types[i], standing)
			for (enum session_verb verb = 0; verb < SESSION_VERB_COUNT; verb++) {
				const struct copy_cell cell = session_table_cell(types[i], standing, verb);
				const char *text = session_table_allows(types[i], standing, verb);

				assert_int_equal(text != NULL, is_done(cell.answer));
				assert_int_equal(text && strstr(text, " --force"), cell.answer == COPY_FORCED);
			}
	}
}

/* The commands of the CLI are the operations of the table; those that only show something are not. */
static void each_command_is_in_the_table(void **state)
{
	static const char *const shows[] = { "list", "show", "probe", "points", "unpractice" };
	char verb_name[16];

	(void)state;
	for (unsigned i = 0; i < operation_count; i++) {
		bool shown = false, known = false;

		if (strcmp(operations[i].noun, "session") != 0)
			continue;
		for (size_t j = 0; j < sizeof(shows) / sizeof(shows[0]); j++)
			shown = shown || !strcmp(operations[i].verb, shows[j]);
		for (enum session_verb verb = 0; verb < SESSION_VERB_COUNT; verb++)
			known = known || !strcmp(operations[i].verb, session_verb_names[verb]);
		if (known == shown)
			fail_msg("session %s", operations[i].verb);
	}
	for (enum session_verb verb = 0; verb < SESSION_VERB_COUNT; verb++) {
		snprintf(verb_name, sizeof(verb_name), "%.*s", (int)strcspn(session_verb_names[verb], " "),
			 session_verb_names[verb]);
		assert_non_null(operation_find("session", verb_name));
	}
}

/* ---- ways through it ---- */

/* Whatever befell a session, some command gets it on, and one ends it; but where others have it. */
static void no_standing_is_a_trap(void **state)
{
	(void)state;
	for (size_t i = 0; i < TYPES; i++) {
		ALL_STANDINGS(types[i], standing) {
			bool on = is_far_side(standing) && types[i] != SESSION_XDC;

			for (enum session_verb verb = 0; verb < SESSION_VERB_COUNT; verb++)
				on = on || is_done(session_table_cell(types[i], standing, verb).answer);
			if (standing != STANDING_NO_FAR && !on)
				fail_msg("%s, %s: nothing can be done", session_type_names[types[i]],
					 session_standing_names[standing]);
		}
	}
	for (enum session_standing led = STANDING_RUNNING; led <= STANDING_OVER; led++)
		assert_true(session_table_cell(SESSION_XDC, led, SESSION_DO_TERMINATE).next ==
			    STANDING_BIT(STANDING_OPEN));
}

/* ---- how it stands ---- */

static void check_facts(const struct session_facts *facts)
{
	enum session_type type = SESSION_XDC;

	if (facts->record)
		type = facts->record->type == 0x40 ? SESSION_XDC
						   : facts->record->type == 0x30 ? SESSION_FLASHCOPY : SESSION_PPRC;
	for (enum session_verb verb = 0; verb < SESSION_VERB_COUNT; verb++) {
		enum session_standing standing = session_table_of(facts, verb);

		assert_true(session_table_has(type, standing));
		assert_true(is_asked(standing, verb));
	}
}

/* Whatever stands in a record, also what no program writes. */
static void every_session_stands_somewhere(void **state)
{
	static const uint8_t codes[] = { 0x40, 0x30, 0x20 };
	struct record_session record = { .number = 3 };

	(void)state;
	for (unsigned i = 0; i < 1u << 11; i++) {
		const struct session_facts facts = {
			.record = i & 1 ? NULL : &record, .runs = i & 2, .pausing = i & 4, .over = i & 8,
			.elsewhere = i & 16, .held = i & 32, .is_far = i & 64, .far_over = i & 128,
			.recovered = i & 256, .failing_back = i & 512, .returning = i & 1024,
		};
		bool group = !facts.is_far;

		for (size_t code = 0; code < (group ? sizeof(codes) : 1); code++) {
			record.type = codes[code];
			/* Only what pairs and legs of a session make it. */
			if (facts.held && record.type == 0x30)
				continue;
			for (unsigned swapped = 0; swapped < 2; swapped++) {
				record.swap_system[0] = swapped ? 'x' : '\0';
				for (record.role = 0; record.role < SESSION_FAR; record.role++)
					for (record.state = 0; record.state < SESSION_STATE_COUNT; record.state++)
						check_facts(&facts);
			}
		}
	}
}

static void one_that_was_swapped_away_is_a_far_side(void **state)
{
	struct record_session record = { .number = 3, .type = 0x40, .role = SESSION_NO_ROLE };
	struct session_facts facts = { .record = &record, .elsewhere = true, .is_far = true };

	(void)state;
	assert_int_equal(session_table_of(&facts, SESSION_DO_PAUSE), STANDING_ELSEWHERE);
	assert_int_equal(session_table_of(&facts, SESSION_DO_TERMINATE), STANDING_FAR);
	record.role = SESSION_MASTER;
	assert_int_equal(session_table_of(&facts, SESSION_DO_TERMINATE), STANDING_PAUSED);
}

/* ---- docs/session-table.md ---- */

static void say_side(enum session_type type, bool far)
{
	enum session_verb first = far ? SESSION_DO_TERMINATE : 0;
	enum session_verb last = far ? SESSION_DO_RETURN : SESSION_DO_TERMINATE;

	say("\n### %s%s\n\n| it stands |", session_type_names[type], far ? ", at a far side" : "");
	for (enum session_verb verb = first; verb <= last; verb++)
		say(" %s |", session_verb_names[verb]);
	say("\n|---|");
	for (enum session_verb verb = first; verb <= last; verb++)
		say("---|");
	say("\n");
	ALL_STANDINGS(type, standing) {
		if (is_far_side(standing) != far)
			continue;
		say("| %s |", session_standing_names[standing]);
		for (enum session_verb verb = first; verb <= last; verb++) {
			const struct copy_cell cell = session_table_cell(type, standing, verb);

			say_cell(&cell);
		}
		say("\n");
	}
}

static void the_page_agrees(void **state)
{
	char *generated;

	(void)state;
	read_page("session-table.md");
	say("## What may be done\n");
	for (size_t i = 0; i < TYPES; i++)
		say_side(types[i], false);
	say_side(SESSION_XDC, true);
	generated = check_page("## What may be done\n");
	/* And in front of it, what each word means. */
	*generated = '\0';
	for (enum session_standing standing = 0; standing < STANDING_COUNT; standing++) {
		char row[64];

		snprintf(row, sizeof(row), "\n| %s |", session_standing_names[standing]);
		if (!strstr(page, row))
			fail_msg("docs/session-table.md does not say what %s is", session_standing_names[standing]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_answers),
		cmocka_unit_test(what_is_allowed_is_a_command),
		cmocka_unit_test(each_command_is_in_the_table),
		cmocka_unit_test(no_standing_is_a_trap),
		cmocka_unit_test(every_session_stands_somewhere),
		cmocka_unit_test(one_that_was_swapped_away_is_a_far_side),
		cmocka_unit_test(the_page_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
