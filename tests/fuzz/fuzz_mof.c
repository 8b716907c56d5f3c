/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MOF as people write it: whatever the text is, it compiles or is refused with a place and a reason, in bounded memory,
 * and what compiles can be written as tables. An include reads the same text once more.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit.h"
#include "parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const char *text;
	size_t size;
	unsigned reads;
};

/* Twice at most: more would only be slow. */
static const char *read_input(void *arg, const char *path, size_t *size)
{
	struct input *input = arg;

	(void)path;
	if (input->reads++ == 2)
		return NULL;
	*size = input->size;
	return input->text;
}

static void write_tables(struct mof_model *model)
{
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);

	assert(memory);
	mof_emit(model, memory);
	fclose(memory);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { (const char *)data, size, 0 };
	struct mof_reader reader = { read_input, &input };
	struct mof_model model;

	if (size > 65536)
		return 0;
	mof_model_init(&model);
	if (mof_parse_file(&model, &reader, "m"))
		write_tables(&model);
	else
		assert(strchr(model.error, ':'));
	mof_model_free(&model);
	return 0;
}
