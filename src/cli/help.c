/* SPDX-License-Identifier: Apache-2.0 */
/* Help, guesses and completion: all of the table of operations. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "control/parse.h"

static const char common[] =
	"\nOf every command:\n"
	"  --control unix:PATH  the control socket of the system (default: $XDC_CONTROL)\n"
	"  --json               the answer as JSON\n"
	"  --help               this\n";

void cli_help_all(FILE *out)
{
	fputs("usage: xdc NOUN VERB [ARGUMENT]...\n\nManages one storage system.\n\nNouns:\n", out);
	for (unsigned i = 0; i < operation_noun_count; i++)
		fprintf(out, "  %-9s %s\n", operation_nouns[i].name, operation_nouns[i].help);
	fputs("\nxdc NOUN --help lists its verbs; xdc NOUN VERB --help the arguments.\n"
	      "xdc cim classes and xdc cim mof [CLASS] print the classes of CIM, of which no system is asked;\n"
	      "xdc cim call calls a method of one.\n"
	      "xdc user add writes the file of those who may use CIM.\n"
	      "xdc completion bash prints completion for the shell.\n", out);
	fputs(common, out);
	fputs("  --version            the version of this program\n", out);
}

bool cli_help_noun(FILE *out, const char *noun)
{
	const struct op_noun *found = NULL;

	for (unsigned i = 0; i < operation_noun_count; i++)
		if (!strcmp(operation_nouns[i].name, noun))
			found = &operation_nouns[i];
	if (!found)
		return false;
	fprintf(out, "usage: xdc %s VERB [ARGUMENT]...\n\n%s: %s.\n\nVerbs:\n", noun, noun, found->help);
	for (unsigned i = 0; i < operation_count; i++)
		if (!strcmp(operations[i].noun, noun))
			fprintf(out, "  %-10s %s\n", operations[i].verb, operations[i].help);
	fputs(common, out);
	return true;
}

/* "--size SIZE", "LLVV", "[--name NAME]": as in the usage. */
static void format_arg(const struct op_arg *arg, char *text, size_t size)
{
	const char *kind = arg_kind_names[arg->kind];
	const char *dots = arg->use & USE_REPEATED ? "..." : "";
	char plain[80];

	if (arg->use & USE_POSITION)
		snprintf(plain, sizeof(plain), "%s", kind);
	else
		snprintf(plain, sizeof(plain), "--%s%s%s", arg->name, *kind ? " " : "", kind);
	snprintf(text, size, arg->use & USE_REQUIRED ? "%s%s" : "[%s]%s", plain, dots);
}

void cli_help_operation(FILE *out, const struct operation *operation)
{
	unsigned count = operation_arg_count(operation);
	char text[100];

	fprintf(out, "usage: xdc %s %s", operation->noun, operation->verb);
	for (unsigned i = 0; i < count; i++) {
		format_arg(&operation->args[i], text, sizeof(text));
		fprintf(out, " %s", text);
	}
	fprintf(out, "\n\n%s.\n", operation->help);
	if (count)
		fputs("\nArguments:\n", out);
	for (unsigned i = 0; i < count; i++) {
		const struct op_arg *arg = &operation->args[i];
		const char *kind = arg_kind_names[arg->kind];

		if (arg->use & USE_POSITION)
			snprintf(text, sizeof(text), "%s", kind);
		else
			snprintf(text, sizeof(text), "--%s%s%s", arg->name, *kind ? " " : "", kind);
		fprintf(out, "  %-28s %s\n", text, arg->help);
	}
	fputs(common, out);
}

/* ---- did you mean ---- */

/* The nearest of the names seen so far; two letters may be wrong, but not half of the word. */
struct guess {
	const char *text, *best;
	unsigned distance;
};

static void consider(struct guess *guess, const char *name)
{
	unsigned distance = parse_distance(guess->text, name);

	if (distance <= 2 && 2 * distance <= strlen(name) && (!guess->best || distance < guess->distance)) {
		guess->best = name;
		guess->distance = distance;
	}
}

const char *cli_guess_noun(const char *text)
{
	struct guess guess = { .text = text };

	for (unsigned i = 0; i < operation_noun_count; i++)
		consider(&guess, operation_nouns[i].name);
	consider(&guess, "cim");
	consider(&guess, "user");
	return guess.best;
}

const char *cli_guess_verb(const char *noun, const char *text)
{
	struct guess guess = { .text = text };

	for (unsigned i = 0; i < operation_count; i++)
		if (!strcmp(operations[i].noun, noun))
			consider(&guess, operations[i].verb);
	return guess.best;
}

const char *cli_guess_option(const struct operation *operation, const char *text)
{
	struct guess guess = { .text = text };

	for (unsigned i = 0; i < operation_arg_count(operation); i++)
		if (!(operation->args[i].use & USE_POSITION))
			consider(&guess, operation->args[i].name);
	return guess.best;
}

/* ---- completion ---- */

static void print_verbs(FILE *out)
{
	for (unsigned i = 0; i < operation_noun_count; i++) {
		fprintf(out, "\t%s) echo", operation_nouns[i].name);
		for (unsigned j = 0; j < operation_count; j++)
			if (!strcmp(operations[j].noun, operation_nouns[i].name))
				fprintf(out, " %s", operations[j].verb);
		fputs(" ;;\n", out);
	}
	fputs("\tcim) echo classes mof call ;;\n\tuser) echo add ;;\n", out);
}

static void print_options(FILE *out)
{
	for (unsigned i = 0; i < operation_count; i++) {
		fprintf(out, "\t'%s %s') echo", operations[i].noun, operations[i].verb);
		for (unsigned j = 0; j < operation_arg_count(&operations[i]); j++)
			if (!(operations[i].args[j].use & USE_POSITION))
				fprintf(out, " --%s", operations[i].args[j].name);
		fputs(" --json --help ;;\n", out);
	}
	fputs("\t'cim call') echo --url --user --password-file --json --help ;;\n", out);
}

void cli_completion_bash(FILE *out)
{
	fputs("# shellcheck shell=bash\n# Completion of xdc in bash, made by: xdc completion bash\n\n"
	      "_xdc_verbs()\n{\n\tcase $1 in\n", out);
	print_verbs(out);
	fputs("\tesac\n}\n\n_xdc_options()\n{\n\tcase $1 in\n", out);
	print_options(out);
	fputs("\tesac\n}\n\n"
	      "_xdc()\n{\n"
	      "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} i words=() choices=\n"
	      "\tCOMPREPLY=()\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tcase ${COMP_WORDS[i]} in\n"
	      "\t\t--control) i=$((i + 1)) ;;\n"
	      "\t\t-*) ;;\n"
	      "\t\t*) words+=(\"${COMP_WORDS[i]}\") ;;\n"
	      "\t\tesac\n"
	      "\tdone\n"
	      "\tcase $before in\n"
	      "\t--dir | --adopt) mapfile -t COMPREPLY < <(compgen -f -- \"$word\") && return ;;\n", out);
	fprintf(out, "\t--cache) choices='writeback direct' ;;\n\t--type) choices='global-copy async sync' ;;\n"
		"\t*)\n\t\tif [ ${#words[@]} -eq 0 ]; then\n\t\t\tchoices='");
	for (unsigned i = 0; i < operation_noun_count; i++)
		fprintf(out, "%s ", operation_nouns[i].name);
	fputs("cim user --help --version --control'\n"
	      "\t\telif [ ${#words[@]} -eq 1 ]; then\n\t\t\tchoices=$(_xdc_verbs \"${words[0]}\")\n"
	      "\t\telse\n\t\t\tchoices=$(_xdc_options \"${words[0]} ${words[1]}\")\n\t\tfi\n\t\t;;\n\tesac\n"
	      "\tmapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$word\")\n}\n"
	      "complete -F _xdc xdc\n", out);
}
