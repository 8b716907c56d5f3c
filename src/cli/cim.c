/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cim.c - "xdc cim": the classes that a system shows over CIM. They are part of this program: but for call no system is
 * asked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "face/cim/schema_mof.h"

static const char help[] =
	"usage: xdc cim classes [NAMESPACE]\n"
	"       xdc cim mof [CLASS | NAMESPACE]\n"
	"       xdc cim call NAMESPACE:CLASS[.KEY=VALUE,...] METHOD [NAME=VALUE]... [--url http://HOST:PORT]\n"
	"                    [--user NAME] [--password-file FILE]\n\n"
	"classes lists the classes that a system shows over CIM, each below its superclass; mof prints\n"
	"them as MOF: one class with what it adds to its superclass, a namespace, or all.\n"
	"No system is asked.\n\n"
	"call calls a method of a system that serves CIM over HTTP (default: http://127.0.0.1:5988), and prints\n"
	"its return code and what comes out. Without keys it is called on the class; the namespace may be left\n"
	"out when it is root/ibm. An array is NAME=VALUE for each of its values; numbers and booleans may also\n"
	"stand in one, NAME=1,2. A reference is the path of an object, NAMESPACE:CLASS.KEY=\"VALUE\",... The\n"
	"password of the user is asked for at a terminal, else the first line of the standard input, or of\n"
	"--password-file. It goes to the system as it is: HTTP is not encrypted. The exit code is 0 when the\n"
	"method returns 0 or 4096 (a job goes on), else 1.\n";

static const char *kind_of(const struct cim_schema_class *class)
{
	if (class->is_association)
		return "association";
	return class->is_indication ? "indication" : "class";
}

static json_t *describe(const struct cim_schema_class *class)
{
	json_t *namespaces = json_array();

	for (unsigned ns = 0; ns < CIM_NAMESPACE_COUNT; ns++)
		if (cim_schema_holds((enum cim_namespace)ns, class))
			json_array_append_new(namespaces, json_string(cim_schema_namespaces[ns]));
	return json_pack("{s:s, s:s?, s:s, s:b, s:o}", "name", class->name,
			 "superclass", class->super ? class->super->name : NULL, "kind", kind_of(class),
			 "abstract", class->is_abstract, "namespaces", namespaces);
}

/* ns -ENOENT: of all namespaces. */
static void list_classes(int ns, bool json)
{
	json_t *list = json_array();
	unsigned depth;

	for (unsigned i = 0; i < cim_schema_class_count; i++) {
		const struct cim_schema_class *class = cim_schema_classes[i];

		if (ns >= 0 && !cim_schema_holds((enum cim_namespace)ns, class))
			continue;
		depth = 0;
		for (const struct cim_schema_class *above = class->super; above; above = above->super)
			depth += 2;
		if (json)
			json_array_append_new(list, describe(class));
		else
			printf("%*s%s%s%s%s\n", (int)depth, "", class->name, class->is_abstract ? " abstract" : "",
			       class->is_association ? " association" : "", class->is_indication ? " indication" : "");
	}
	if (json)
		cli_print_json(stdout, list);
	json_decref(list);
}

static enum cli_exit run_classes(const char *name, bool json)
{
	int ns = name ? cim_schema_find_namespace(name) : -1;

	if (name && ns < 0) {
		cli_complain(FAULT_INVALID_PARAMETER, name, "interop, root/ibm, root/cimv2/storage/iscsitarget or "
			     "root/cimv2", "there is no such namespace");
		return CLI_BAD_USAGE;
	}
	list_classes(ns, json);
	return CLI_DONE;
}

static void print_all(FILE *out)
{
	cim_schema_print_qualifier_types(out);
	for (unsigned i = 0; i < cim_schema_class_count; i++) {
		putc('\n', out);
		cim_schema_print_class(out, cim_schema_classes[i]);
	}
}

static void print_mof(FILE *out, const char *name, const struct cim_schema_class *class)
{
	if (!name)
		print_all(out);
	else if (class)
		cim_schema_print_class(out, class);
	else
		cim_schema_print_namespace(out, (enum cim_namespace)cim_schema_find_namespace(name));
}

/* For programs the text is one string: MOF is a language of its own. */
static void print_mof_as_json(const char *name, const struct cim_schema_class *class)
{
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);
	json_t *json;

	if (!memory) {
		cli_complain(FAULT_FAILED, "", "", "no memory");
		return;
	}
	print_mof(memory, name, class);
	fclose(memory);
	json = json_pack("{s:s}", "mof", text);
	cli_print_json(stdout, json);
	json_decref(json);
	free(text);
}

static enum cli_exit run_mof(const char *name, bool json)
{
	const struct cim_schema_class *class = name ? cim_schema_find_any_class(name) : NULL;

	if (name && !class && cim_schema_find_namespace(name) < 0) {
		cli_complain(FAULT_INVALID_PARAMETER, name, "xdc cim classes", "there is no such class or namespace");
		return CLI_BAD_USAGE;
	}
	if (json)
		print_mof_as_json(name, class);
	else
		print_mof(stdout, name, class);
	return CLI_DONE;
}

enum cli_exit cli_cim(const struct cli_options *options)
{
	const char *verb = options->word_count > 1 ? options->words[1] : NULL;
	const char *name = options->word_count > 2 ? options->words[2] : NULL;

	if (options->help) {
		fputs(help, stdout);
		return CLI_DONE;
	}
	if (verb && !strcmp(verb, "call"))
		return cli_cim_call(options);
	if (options->word_count > 3 || (name && *name == '-')) {
		cli_complain(FAULT_INVALID_PARAMETER, "cim", "xdc cim --help", "'%s' is not expected here",
			     options->words[options->word_count - 1]);
		return CLI_BAD_USAGE;
	}
	if (verb && !strcmp(verb, "classes"))
		return run_classes(name, options->json);
	if (verb && !strcmp(verb, "mof"))
		return run_mof(name, options->json);
	cli_complain(FAULT_INVALID_PARAMETER, "cim", "xdc cim --help", verb ? "there is no verb '%s'" :
		     "what is to be done with it?", verb);
	return CLI_BAD_USAGE;
}
