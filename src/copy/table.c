/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/table.h"

#include <assert.h>
#include <string.h>

/* Longer than any text of a table with its words. */
#define TEXT_MAX	256u

#define BIT(number)	(1ull << (number))

static struct copy_cell make_cell(const struct table *table, const struct table_row *row, unsigned type, unsigned state)
{
	struct copy_cell cell = {
		.answer = row->answer,
		.next = row->next == TABLE_SAME ? BIT(state) : row->next,
		.next_type = row->type ? row->type - 1 : type,
	};

	if (row->refusal) {
		cell.code = row->refusal->code;
		cell.message = row->refusal->message;
		cell.remedy = row->refusal->remedy;
	}
	cell.next &= table->states_of[cell.next_type];
	return cell;
}

struct copy_cell table_cell(const struct table *table, unsigned type, unsigned state, unsigned verb)
{
	bool has = table->states_of[type] & BIT(state);

	for (size_t i = 0; has && i < table->row_count; i++) {
		const struct table_row *row = &table->rows[i];

		if (row->types & BIT(type) && row->states & BIT(state) && row->verbs & BIT(verb))
			return make_cell(table, row, type, state);
	}
	return (struct copy_cell){ .answer = COPY_NO_VERB, .next = BIT(state), .next_type = type };
}

static const char *find_word(const char *name, size_t len, const struct table_word *words, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (strlen(words[i].name) == len && !memcmp(words[i].name, name, len))
			return words[i].text ? words[i].text : "";
	}
	assert(!"a word that the table does not know");
	return "";
}

static void expand(const char *text, const struct table_word *words, unsigned count, char out[TEXT_MAX])
{
	size_t used = 0;

	while (*text && used + 1 < TEXT_MAX) {
		const char *end = *text == '{' ? strchr(text, '}') : NULL;
		const char *word = end ? find_word(text + 1, (size_t)(end - text - 1), words, count) : text;
		size_t len = end ? strnlen(word, TEXT_MAX - used - 1) : 1;

		memcpy(out + used, word, len);
		used += len;
		text = end ? end + 1 : text + 1;
	}
	out[used] = '\0';
}

int table_refuse(const struct copy_cell *cell, const char *object, const struct table_word *words, unsigned count,
		 struct fault *fault)
{
	char message[TEXT_MAX], remedy[TEXT_MAX];

	assert(cell->message && cell->remedy);
	expand(cell->message, words, count, message);
	expand(cell->remedy, words, count, remedy);
	return fault_set(fault, cell->code, object, remedy, "%s", message);
}

bool table_refuses(const struct copy_cell *cell, bool force)
{
	assert(cell->answer != COPY_NO_VERB);
	return cell->answer == COPY_REFUSED || (cell->answer == COPY_FORCED && !force);
}
