/* SPDX-License-Identifier: Apache-2.0 */
/* parser.h - MOF as DSP0004 has it: pragmas, qualifier types and classes; no instances, xdc makes those itself. */
#ifndef MOFC_PARSER_H
#define MOFC_PARSER_H

#include "model.h"

#define MOF_INCLUDES_MAX	8u		/* one in the other */
#define MOF_FILES_MAX		256u		/* a file counts as often as it is read */
#define MOF_FILE_BYTES_MAX	((size_t)4 << 20)

/*
 * What an include pragma names: the text of that file, or NULL (there is none, or it is too large). It stays readable
 * until the model is freed. path is that of the pragma behind the folder of the file that says it.
 */
struct mof_reader {
	const char *(*read)(void *arg, const char *path, size_t *size);
	void *arg;
};

/*
 * Reads a file and all it includes into the model, and finishes that. False: model->error says why, with file, line
 * and what was expected.
 */
bool mof_parse_file(struct mof_model *model, const struct mof_reader *reader, const char *path);

#endif
