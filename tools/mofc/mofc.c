/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mofc - the compiler of xdc's CIM schema: reads MOF and writes the C tables of src/face/cim/schema.h.
 * mofc [-o OUT.c] [-d DEPFILE] FILE.mof; without -o it only checks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emit.h"
#include "parser.h"

struct run {
	struct mof_model model;
	const char *output, *depfile;
	FILE *depends;		/* NULL: not asked for */
};

/* The text of an open file, in the arena of the model. */
static const char *read_open_file(struct run *run, FILE *file, size_t *size)
{
	char *text;
	long end;

	if (fseek(file, 0, SEEK_END) || (end = ftell(file)) < 0 || (size_t)end > MOF_FILE_BYTES_MAX)
		return NULL;
	rewind(file);
	*size = (size_t)end;
	text = mof_allocate(&run->model, *size + 1);
	return text && fread(text, 1, *size, file) == *size ? text : NULL;
}

static const char *read_file(void *arg, const char *path, size_t *size)
{
	struct run *run = arg;
	FILE *file = fopen(path, "rb");
	const char *text;

	if (!file)
		return NULL;
	text = read_open_file(run, file, size);
	fclose(file);
	if (text && run->depends)
		fprintf(run->depends, " \\\n %s", path);
	return text;
}

static bool write_tables(struct run *run)
{
	FILE *out = fopen(run->output, "w");
	bool good;

	if (!out) {
		perror(run->output);
		return false;
	}
	mof_emit(&run->model, out);
	good = !ferror(out);
	if (fclose(out) || !good || run->model.error[0]) {
		fprintf(stderr, "mofc: %s cannot be written %s\n", run->output, run->model.error);
		unlink(run->output);
		return false;
	}
	return true;
}

static bool compile(struct run *run, const char *path)
{
	struct mof_reader reader = { read_file, run };
	bool good;

	if (run->depfile) {
		run->depends = fopen(run->depfile, "w");
		if (!run->depends) {
			perror(run->depfile);
			return false;
		}
		fprintf(run->depends, "%s:", run->output ? run->output : path);
	}
	good = mof_parse_file(&run->model, &reader, path);
	if (!good)
		fprintf(stderr, "%s\n", run->model.error);
	if (run->depends) {
		putc('\n', run->depends);
		good = !ferror(run->depends) && good;
		good = !fclose(run->depends) && good;
	}
	return good && (!run->output || write_tables(run));
}

int main(int argc, char **argv)
{
	struct run run = { .output = NULL };
	bool good;
	int option;

	while ((option = getopt(argc, argv, "o:d:")) != -1) {
		if (option == 'o')
			run.output = optarg;
		else if (option == 'd')
			run.depfile = optarg;
		else
			return EXIT_FAILURE;
	}
	if (optind + 1 != argc) {
		fputs("usage: mofc [-o OUT.c] [-d DEPFILE] FILE.mof\n", stderr);
		return EXIT_FAILURE;
	}
	mof_model_init(&run.model);
	good = compile(&run, argv[optind]);
	mof_model_free(&run.model);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
