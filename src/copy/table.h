/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h - how a table says what each operation does in each state: rows of which the first one that is about a cell
 * counts. state_table.h and session_table.h are two such tables. Pure; any thread. Private to copy/, but for the words
 * of answers.
 */
#ifndef XDC_COPY_TABLE_H
#define XDC_COPY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rt/fault.h"

enum copy_answer {
	COPY_NO_VERB,			/* things of this type know no such operation, or it is no state of the type */
	COPY_DONE,
	COPY_NOTHING,			/* done already: 0, and nothing changes */
	COPY_ASKS,			/* done when other systems answer and agree; else refused by what they say */
	/* And FAULT_FAILED where another system has not said that it heard of it, or a far side is of no one moment. */
	COPY_DONE_HERE,
	COPY_FAR_REFUSES,		/* it is asked, and as things stand it refuses: FAULT_FAILED */
	COPY_FORCED,			/* with --force; else refused */
	COPY_REFUSED,
	COPY_ANSWER_COUNT
};

struct copy_cell {
	enum copy_answer answer;
	enum fault_code code;		/* forced, refused, the far side refuses: the return code */
	const char *message, *remedy;	/* of these: with {words} of struct table_word */
	uint64_t next;			/* states that it may be in when it is done: 1 << state of each */
	unsigned next_type;		/* its type then */
};

struct refusal {
	enum fault_code code;
	const char *message, *remedy;
};

#define TABLE_SAME	0ull		/* next: the state stays */

struct table_row {
	uint32_t types;			/* 1 << type of each; states and verbs likewise */
	uint64_t states;
	uint32_t verbs;
	enum copy_answer answer;
	const struct refusal *refusal;
	uint64_t next;			/* TABLE_SAME, or these */
	unsigned type;			/* type + 1; 0: it stays what it is */
};

struct table {
	const struct table_row *rows;
	size_t row_count;
	const uint64_t *states_of;	/* of each type: its states */
};

/* A cell of no row, or of no state of the type, is COPY_NO_VERB. */
struct copy_cell table_cell(const struct table *table, unsigned type, unsigned state, unsigned verb);

/* What stands in a text for {name}. text NULL: nothing. */
struct table_word {
	const char *name, *text;
};

/* -1, with the fault that the cell is; it has a message. words: all that stand in its texts. */
int table_refuse(const struct copy_cell *cell, const char *object, const struct table_word *words, unsigned count,
		 struct fault *fault);

/* The operation is not begun: refused, or only with force, which is not given. */
bool table_refuses(const struct copy_cell *cell, bool force);

#endif
