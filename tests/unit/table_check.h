/* SPDX-License-Identifier: Apache-2.0 */
/* table_check.h - for tests of tables (copy/table.h): what their pages call an answer. */
#ifndef XDC_TESTS_TABLE_CHECK_H
#define XDC_TESTS_TABLE_CHECK_H

#include "copy/table.h"
#include "docs_check.h"

static bool is_done(enum copy_answer answer)
{
	return answer == COPY_DONE || answer == COPY_DONE_HERE || answer == COPY_ASKS || answer == COPY_FORCED;
}

static void say_cell(const struct copy_cell *cell)
{
	switch (cell->answer) {
	case COPY_NO_VERB:
		say("  |");
		break;
	case COPY_DONE:
		say(" yes |");
		break;
	case COPY_NOTHING:
		say(" done |");
		break;
	case COPY_ASKS:
		say(" asks |");
		break;
	case COPY_DONE_HERE:
		say(" here |");
		break;
	case COPY_FAR_REFUSES:
		say(" far %d |", cell->code);
		break;
	case COPY_FORCED:
		say(" force %d |", cell->code);
		break;
	default:
		say(" %d |", cell->code);
		break;
	}
}

#endif
