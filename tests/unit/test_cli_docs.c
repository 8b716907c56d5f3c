/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of all commands in docs/xdc.1 is what the table of operations says, word for word. */
#include "control/operations.h"
#include "docs_check.h"

#define BEGIN	".Sh COMMANDS\n"
#define END	".Sh ENVIRONMENT\n"

/* "Fl -size Ar SIZE", "Ar LLVV": without what says that it may be left out. */
static void say_plain(const struct op_arg *arg)
{
	const char *kind = arg_kind_names[arg->kind];

	if (arg->use & USE_POSITION)
		say("Ar %s", kind);
	else
		say("Fl -%s%s%s", arg->name, *kind ? " Ar " : "", kind);
	if (arg->use & USE_REPEATED)
		say(" ...");
}

static void say_operation(const struct operation *operation)
{
	unsigned count = operation_arg_count(operation);

	say(".It Cm %s %s", operation->noun, operation->verb);
	for (unsigned i = 0; i < count; i++) {
		bool required = operation->args[i].use & USE_REQUIRED;

		say(required ? " " : " Oo ");
		say_plain(&operation->args[i]);
		say("%s", required ? "" : " Oc");
	}
	say("\n%s.\n", operation->help);
	if (!count)
		return;
	say(".Bl -tag -width Ds -compact\n");
	for (unsigned i = 0; i < count; i++) {
		say(".It ");
		say_plain(&operation->args[i]);
		say("\n%s\n", operation->args[i].help);
	}
	say(".El\n");
}

static void the_man_page_agrees(void **state)
{
	char *end;

	(void)state;
	read_page("xdc.1");
	say(BEGIN);
	for (unsigned i = 0; i < operation_noun_count; i++) {
		say(".Ss %s: %s\n.Bl -tag -width Ds\n", operation_nouns[i].name, operation_nouns[i].help);
		for (unsigned j = 0; j < operation_count; j++)
			if (!strcmp(operations[j].noun, operation_nouns[i].name))
				say_operation(&operations[j]);
		say(".El\n");
	}
	end = strstr(page, END);
	assert_non_null(end);
	*end = '\0';
	(void)check_page(BEGIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_man_page_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
