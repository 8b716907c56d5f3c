/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/session_table.h"

#include <assert.h>
#include <stdio.h>

#include "copy/group_volume.h"

/* ---- the words ---- */

#define NAME_EACH(table, count) \
	_Static_assert(sizeof(table) / sizeof((table)[0]) == (count), "a word for each")

const char *const session_standing_names[] = {
	"unknown", "of-far", "open", "elsewhere", "running", "pausing", "paused", "suspending", "paused-consistent",
	"resuming", "swap-begun", "swapping", "over", "taken-over", "held", "running-held",
	"no-far", "far", "far-over", "recovered", "failing-back", "returning",
};
NAME_EACH(session_standing_names, STANDING_COUNT);
_Static_assert(STANDING_COUNT <= 64, "a bit for each");

const char *const session_verb_names[] = {
	"open", "close", "add", "remove", "start", "pause", "pause --consistent", "resume", "freeze", "run", "flash",
	"verify", "swap", "terminate", "practice", "recover", "failback", "return",
};
NAME_EACH(session_verb_names, SESSION_VERB_COUNT);

/* ---- why not ---- */

static const struct refusal not_open = {
	FAULT_INVALID_PARAMETER, "it is not open on this system", "xdc session open {session} --lss LSS",
};
static const struct refusal of_far = {
	FAULT_INVALID_PARAMETER, "this system is a far side of it", "give the command on its master, {master}",
};
static const struct refusal not_started = {
	FAULT_INVALID_PARAMETER, "it is not started", "xdc session start {session} --master LSS",
};
static const struct refusal not_master = {
	FAULT_INVALID_PARAMETER, "this system is not its master", "give the command on its master, {master}",
};
static const struct refusal wrong_type = {
	FAULT_NOT_SUPPORTED, "{verb} is not for sessions of type {type}",
	"xdc session show says of what type it is",
};
static const struct refusal nothing_suspended = {
	FAULT_NOT_SUPPORTED, "there is nothing to resume in a session of its type", "xdc session flash {session}",
};
static const struct refusal is_over = {
	FAULT_IN_USE, "it is over: its volumes were taken over",
	"xdc session terminate {session}, then add its volumes again",
};
static const struct refusal was_taken_over = {
	FAULT_IN_USE, "it is over: its volumes were taken over", "add its volumes again: it begins anew with that",
};
static const struct refusal started = {
	FAULT_IN_USE, "it is started already", "pause or terminate it first",
};
static const struct refusal group_started = {
	FAULT_IN_USE, "it is started", "terminate it first, at its master",
};
static const struct refusal rests = { FAULT_IN_USE, "it is {state}", "xdc session resume, or terminate it first" };
static const struct refusal paused_already = {
	FAULT_INVALID_PARAMETER, "it is not running", "xdc session resume {session}",
};
static const struct refusal rests_already = {
	FAULT_INVALID_PARAMETER, "it is {state}", "xdc session resume {session}",
};
static const struct refusal not_paused = {
	FAULT_INVALID_PARAMETER, "it is not paused", "xdc session show {session}",
};
static const struct refusal swap_begun = {
	FAULT_IN_USE, "a swap to system {next} has begun",
	"xdc session swap {session} goes on with it, xdc session resume {session} gives it up",
};
static const struct refusal being_swapped = {
	FAULT_IN_USE, "it is being swapped to system {next}",
	"xdc session swap {session} goes on until it is done; only if that system is lost: xdc session terminate "
	"{session} --force opens all its volumes here",
};
static const struct refusal no_swap = {
	FAULT_FAILED, "it is not running, or not all its systems have joined",
	"xdc session resume, wait for a group, and repeat",
};
static const struct refusal held_already = {
	FAULT_IN_USE, "it is frozen already, and its hosts are held", "xdc session run {session}",
};
static const struct refusal not_held = {
	FAULT_INVALID_PARAMETER, "no hosts of it are held, or the time of that is over",
	"xdc session freeze {session}",
};
static const struct refusal no_far = {
	FAULT_INVALID_PARAMETER, "this system is not a far side of it",
	"give the command on a far side of the session",
};
static const struct refusal not_recovered = {
	FAULT_INVALID_PARAMETER, "no volume of it was recovered on this system",
	"give it on each far side where xdc session recover has made the volumes writable",
};
static const struct refusal not_failed_back = {
	FAULT_INVALID_PARAMETER, "its differences do not go to the old site yet",
	"xdc session failback {session}, then wait until it is nearly equal",
};
static const struct refusal goes_back = {
	FAULT_INVALID_PARAMETER, "it is on its way to the old site", "xdc session return {session} finishes that",
};
static const struct refusal group_kept = {
	FAULT_IN_USE, "this far side keeps its last consistency group",
	"terminate it at its master; --force gives the group up, its volumes keep what it shows",
};

/* ---- the table ---- */

#define T(type)		(1u << SESSION_##type)
#define S(standing)	STANDING_BIT(STANDING_##standing)
#define V(verb)		(1u << SESSION_DO_##verb)

#define GROUPS		(T(PPRC) | T(FLASHCOPY))
#define ANY_TYPE	(T(XDC) | GROUPS)

#define AT_REST		(S(SUSPENDING) | S(PAUSED_CONSISTENT) | S(RESUMING))
#define LED_HERE	(S(RUNNING) | S(PAUSING) | S(PAUSED) | AT_REST | S(SWAP_BEGUN) | S(SWAPPING) | S(OVER))
#define HOLDS		(S(HELD) | S(RUNNING_HELD))
#define NOT_STARTED	(S(OPEN) | S(HELD))
#define NOT_HERE	(S(UNKNOWN) | S(OF_FAR))
#define OPENED		(S(OPEN) | S(ELSEWHERE) | LED_HERE | S(TAKEN_OVER) | HOLDS)
#define ANY_FAR		(S(FAR) | S(FAR_OVER) | S(RECOVERED) | S(FAILING_BACK) | S(RETURNING))

#define PAUSES		(V(PAUSE) | V(PAUSE_CONSISTENT))
#define MASTER_VERBS	(PAUSES | V(RESUME) | V(SWAP))
#define FAR_VERBS	(V(PRACTICE) | V(RECOVER) | V(FAILBACK) | V(RETURN))
#define SOURCE_VERBS	(V(OPEN) | V(CLOSE) | V(ADD) | V(REMOVE) | V(START) | MASTER_VERBS | V(FREEZE) | V(RUN) | \
			 V(FLASH) | V(VERIFY) | V(TERMINATE))

#define SAME		TABLE_SAME
#define RESTS		S(PAUSED_CONSISTENT)

static const struct table_row rows[] = {
	/* What its type has no use for. */
	{ GROUPS, S(NO_FAR), FAR_VERBS, COPY_REFUSED, &wrong_type, SAME, 0 },
	{ T(XDC), OPENED, V(FREEZE) | V(RUN) | V(FLASH), COPY_REFUSED, &wrong_type, SAME, 0 },
	{ T(FLASHCOPY), OPENED, V(RESUME), COPY_REFUSED, &nothing_suspended, SAME, 0 },
	{ GROUPS, OPENED, PAUSES | V(SWAP) | V(VERIFY), COPY_REFUSED, &wrong_type, SAME, 0 },
	{ T(FLASHCOPY), OPENED, V(FREEZE) | V(RUN), COPY_REFUSED, &wrong_type, SAME, 0 },
	{ T(PPRC), OPENED, V(FLASH), COPY_REFUSED, &wrong_type, SAME, 0 },

	/* On LSSs, and with volumes. */
	{ T(XDC), NOT_HERE, V(OPEN), COPY_DONE, NULL, S(OPEN), 0 },
	{ ANY_TYPE, OPENED, V(OPEN), COPY_DONE, NULL, SAME, 0 },
	{ T(XDC), S(OF_FAR), SOURCE_VERBS & ~V(TERMINATE), COPY_REFUSED, &of_far, SAME, 0 },
	{ T(XDC), S(UNKNOWN), SOURCE_VERBS, COPY_REFUSED, &not_open, SAME, 0 },
	{ GROUPS, LED_HERE | S(ELSEWHERE) | S(RUNNING_HELD), V(CLOSE), COPY_REFUSED, &group_started, SAME, 0 },
	/* With its last LSS; what is not open is of no type. */
	{ ANY_TYPE, OPENED, V(CLOSE), COPY_DONE, NULL, NOT_HERE, SESSION_XDC + 1 },
	{ T(XDC), S(TAKEN_OVER), V(ADD), COPY_DONE, NULL, S(OPEN) | S(ELSEWHERE), 0 },
	/* Outside of the session its volumes would be open to hosts, and the other side may be, too. */
	{ T(XDC), S(SWAP_BEGUN), V(REMOVE), COPY_REFUSED, &swap_begun, SAME, 0 },
	{ T(XDC), S(SWAPPING), V(REMOVE), COPY_REFUSED, &being_swapped, SAME, 0 },
	{ ANY_TYPE, OPENED, V(ADD) | V(REMOVE), COPY_DONE, NULL, SAME, 0 },

	/* What came to its end by a recovery. */
	{ T(XDC), S(OVER), V(START) | MASTER_VERBS, COPY_REFUSED, &is_over, SAME, 0 },
	{ T(XDC), S(OVER), V(TERMINATE), COPY_ASKS, NULL, S(OPEN), 0 },
	{ T(XDC), S(TAKEN_OVER), V(START), COPY_REFUSED, &was_taken_over, SAME, 0 },

	/* Started. */
	{ T(XDC), S(OPEN) | S(ELSEWHERE) | S(PAUSED), V(START), COPY_DONE, NULL, S(RUNNING), 0 },
	{ GROUPS, S(OPEN), V(START), COPY_ASKS, NULL, S(RUNNING), 0 },
	{ T(PPRC), S(HELD), V(START), COPY_ASKS, NULL, S(RUNNING_HELD), 0 },
	{ GROUPS, S(ELSEWHERE), V(START), COPY_REFUSED, &not_master, SAME, 0 },
	{ T(XDC), AT_REST, V(START), COPY_REFUSED, &rests, SAME, 0 },
	{ T(XDC), S(SWAP_BEGUN), V(START), COPY_REFUSED, &swap_begun, SAME, 0 },
	{ T(XDC), S(SWAPPING), V(START), COPY_REFUSED, &being_swapped, SAME, 0 },
	{ ANY_TYPE, LED_HERE | S(RUNNING_HELD), V(START), COPY_REFUSED, &started, SAME, 0 },

	/* By its master alone. */
	{ T(XDC), S(OPEN), MASTER_VERBS, COPY_REFUSED, &not_started, SAME, 0 },
	{ T(XDC), S(ELSEWHERE) | S(TAKEN_OVER), MASTER_VERBS | V(TERMINATE), COPY_REFUSED, &not_master, SAME, 0 },
	{ T(PPRC), S(ELSEWHERE), V(FREEZE) | V(RUN) | V(RESUME), COPY_REFUSED, &not_master, SAME, 0 },
	{ T(FLASHCOPY), S(ELSEWHERE), V(FLASH), COPY_REFUSED, &not_master, SAME, 0 },

	/* Paused and resumed. */
	{ T(XDC), S(SWAP_BEGUN), PAUSES, COPY_REFUSED, &swap_begun, SAME, 0 },
	{ T(XDC), S(SWAPPING), PAUSES | V(RESUME), COPY_REFUSED, &being_swapped, SAME, 0 },
	{ T(XDC), S(RUNNING) | S(PAUSING), V(PAUSE), COPY_ASKS, NULL, S(PAUSED), 0 },
	{ T(XDC), S(PAUSED), V(PAUSE), COPY_REFUSED, &paused_already, SAME, 0 },
	{ T(XDC), AT_REST, V(PAUSE), COPY_REFUSED, &rests_already, SAME, 0 },
	{ T(XDC), LED_HERE, V(PAUSE_CONSISTENT), COPY_ASKS, NULL, RESTS, 0 },
	{ T(XDC), S(RUNNING), V(RESUME), COPY_REFUSED, &not_paused, SAME, 0 },
	{ T(XDC), LED_HERE, V(RESUME), COPY_ASKS, NULL, S(RUNNING), 0 },

	/* At one moment. */
	{ T(PPRC), HOLDS, V(FREEZE), COPY_REFUSED, &held_already, SAME, 0 },
	{ T(PPRC), S(OPEN), V(FREEZE), COPY_ASKS, NULL, S(HELD), 0 },
	{ T(PPRC), S(RUNNING), V(FREEZE), COPY_ASKS, NULL, S(RUNNING_HELD), 0 },
	{ T(PPRC), S(HELD), V(RUN), COPY_DONE, NULL, S(OPEN), 0 },
	{ T(PPRC), S(RUNNING_HELD), V(RUN), COPY_ASKS, NULL, S(RUNNING), 0 },
	{ T(PPRC), S(OPEN) | S(RUNNING), V(RUN), COPY_REFUSED, &not_held, SAME, 0 },
	{ T(PPRC), NOT_STARTED | S(RUNNING) | HOLDS, V(RESUME), COPY_ASKS, NULL, SAME, 0 },
	{ T(FLASHCOPY), S(OPEN) | S(RUNNING), V(FLASH), COPY_ASKS, NULL, SAME, 0 },

	{ T(XDC), OPENED, V(VERIFY), COPY_ASKS, NULL, SAME, 0 },

	/* Swapped: from there on this system is a far side. */
	{ T(XDC), S(RUNNING) | S(PAUSING) | S(SWAP_BEGUN) | S(SWAPPING), V(SWAP), COPY_ASKS, NULL, S(ELSEWHERE), 0 },
	{ T(XDC), LED_HERE, V(SWAP), COPY_REFUSED, &no_swap, SAME, 0 },

	/* Ended. */
	{ ANY_TYPE, NOT_STARTED, V(TERMINATE), COPY_REFUSED, &not_started, SAME, 0 },
	{ GROUPS, S(ELSEWHERE), V(TERMINATE), COPY_FORCED, &not_master, S(OPEN), 0 },
	{ T(XDC), S(SWAPPING), V(TERMINATE), COPY_FORCED, &being_swapped, S(OPEN), 0 },
	{ ANY_TYPE, LED_HERE | S(RUNNING_HELD), V(TERMINATE), COPY_ASKS, NULL, S(OPEN), 0 },

	/* At a far side. */
	{ T(XDC), ANY_FAR, V(TERMINATE), COPY_FORCED, &group_kept, S(NO_FAR), 0 },
	{ T(XDC), S(NO_FAR), V(PRACTICE) | V(RECOVER), COPY_REFUSED, &no_far, SAME, 0 },
	{ T(XDC), ANY_FAR, V(PRACTICE), COPY_ASKS, NULL, SAME, 0 },
	{ T(XDC), S(FAR), V(RECOVER), COPY_ASKS, NULL, S(RECOVERED), 0 },
	{ T(XDC), ANY_FAR, V(RECOVER), COPY_ASKS, NULL, SAME, 0 },
	{ T(XDC), S(NO_FAR) | S(FAR) | S(FAR_OVER), V(FAILBACK) | V(RETURN), COPY_REFUSED, &not_recovered, SAME, 0 },
	{ T(XDC), S(RECOVERED) | S(FAILING_BACK), V(FAILBACK), COPY_ASKS, NULL, S(FAILING_BACK), 0 },
	{ T(XDC), S(RETURNING), V(FAILBACK), COPY_REFUSED, &goes_back, SAME, 0 },
	{ T(XDC), S(RECOVERED), V(RETURN), COPY_REFUSED, &not_failed_back, SAME, 0 },
	{ T(XDC), S(FAILING_BACK) | S(RETURNING), V(RETURN), COPY_ASKS, NULL, S(NO_FAR), 0 },
};

static const uint64_t states_of[SESSION_TYPE_COUNT] = {
	[SESSION_XDC] = NOT_HERE | S(OPEN) | S(ELSEWHERE) | LED_HERE | S(TAKEN_OVER) | S(NO_FAR) | ANY_FAR,
	[SESSION_PPRC] = NOT_STARTED | S(ELSEWHERE) | S(RUNNING) | S(RUNNING_HELD) | S(NO_FAR),
	[SESSION_FLASHCOPY] = S(OPEN) | S(ELSEWHERE) | S(RUNNING) | S(NO_FAR),
};

static const struct table table = { rows, sizeof(rows) / sizeof(rows[0]), states_of };

bool session_table_has(enum session_type type, enum session_standing standing)
{
	assert(type < SESSION_TYPE_COUNT && standing < STANDING_COUNT);
	return states_of[type] & STANDING_BIT(standing);
}

struct copy_cell session_table_cell(enum session_type type, enum session_standing standing, enum session_verb verb)
{
	assert(type < SESSION_TYPE_COUNT && standing < STANDING_COUNT && verb < SESSION_VERB_COUNT);
	return table_cell(&table, type, standing, verb);
}

/* ---- what it says ---- */

const char *session_table_allows(enum session_type type, enum session_standing standing, enum session_verb verb)
{
	switch (session_table_cell(type, standing, verb).answer) {
	case COPY_DONE:
	case COPY_ASKS:
		return session_verb_names[verb];
	case COPY_FORCED:
		assert(verb == SESSION_DO_TERMINATE);
		return "terminate --force";
	default:
		return NULL;
	}
}

int session_table_check(enum session_type type, enum session_standing standing, enum session_verb verb, bool force,
			const struct session_words *words, struct fault *fault)
{
	const struct copy_cell cell = session_table_cell(type, standing, verb);
	char session[8], object[16];
	const struct table_word texts[] = {
		{ "session", session }, { "state", words->state }, { "master", words->master },
		{ "next", words->next }, { "type", session_type_names[type] }, { "verb", session_verb_names[verb] },
	};

	if (!table_refuses(&cell, force))
		return cell.answer == COPY_NOTHING;
	snprintf(session, sizeof(session), "%u", words->session);
	snprintf(object, sizeof(object), "session %u", words->session);
	return table_refuse(&cell, object, texts, sizeof(texts) / sizeof(texts[0]), fault);
}

/* ---- how it stands ---- */

static enum session_standing of_group(const struct session_facts *facts)
{
	switch (facts->record->role) {
	case SESSION_SUBORDINATE:
		return STANDING_ELSEWHERE;
	case SESSION_MASTER:
		return facts->held ? STANDING_RUNNING_HELD : STANDING_RUNNING;
	default:
		return facts->held ? STANDING_HELD : STANDING_OPEN;
	}
}

static enum session_standing of_master(const struct session_facts *facts)
{
	if (facts->over || facts->record->state == SESSION_FATAL)
		return STANDING_OVER;
	if (facts->record->state == SESSION_SWAPPING)
		return STANDING_SWAPPING;
	if (facts->record->swap_system[0])
		return STANDING_SWAP_BEGUN;
	if (facts->runs)
		return facts->pausing ? STANDING_PAUSING : STANDING_RUNNING;
	switch (facts->record->state) {
	case SESSION_SUSPENDING:
		return STANDING_SUSPENDING;
	case SESSION_PAUSED_CONSISTENT:
		return STANDING_PAUSED_CONSISTENT;
	case SESSION_RESUMING:
		return STANDING_RESUMING;
	default:
		return STANDING_PAUSED;
	}
}

static enum session_standing of_source(const struct session_facts *facts)
{
	if (!facts->record)
		return facts->is_far ? STANDING_OF_FAR : STANDING_UNKNOWN;
	if (session_type_of_code(facts->record->type) != SESSION_XDC)
		return of_group(facts);
	if (facts->record->role == SESSION_MASTER)
		return of_master(facts);
	if (facts->record->state == SESSION_FATAL)
		return STANDING_TAKEN_OVER;
	return facts->elsewhere ? STANDING_ELSEWHERE : STANDING_OPEN;
}

static enum session_standing of_far_side(const struct session_facts *facts)
{
	if (!facts->is_far)
		return STANDING_NO_FAR;
	if (facts->returning)
		return STANDING_RETURNING;
	if (facts->failing_back)
		return STANDING_FAILING_BACK;
	if (facts->recovered)
		return STANDING_RECOVERED;
	return facts->far_over ? STANDING_FAR_OVER : STANDING_FAR;
}

enum session_standing session_table_of(const struct session_facts *facts, enum session_verb verb)
{
	/* One that was swapped away is known here still, as a source that it is no more. */
	bool led = facts->record && facts->record->role != SESSION_NO_ROLE;
	bool far = verb == SESSION_DO_TERMINATE ? facts->is_far && !led : (bool)(FAR_VERBS & 1u << verb);

	/* A side of a swap, and the other one is lost: what it shows is the last group. */
	if (verb == SESSION_DO_RECOVER && facts->left_by_swap && !facts->is_far)
		return STANDING_FAR;
	return far ? of_far_side(facts) : of_source(facts);
}
