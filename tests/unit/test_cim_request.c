/* SPDX-License-Identifier: Apache-2.0 */
/* CIM-XML requests: what is read of them however they come, and what is refused. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "face/cim/operations.h"

#define ARENA_BYTES	(256u * 1024)

#define REQUEST(call) \
	"<?xml version=\"1.0\"?>\n<CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.4\"><MESSAGE ID=\"a&lt;7\" " \
	"PROTOCOLVERSION=\"1.4\">\n<SIMPLEREQ>" call "</SIMPLEREQ></MESSAGE></CIM>"
#define CALL(name, parameters) \
	REQUEST("<IMETHODCALL NAME=\"" name "\"><LOCALNAMESPACEPATH><NAMESPACE NAME=\"Root\"/>" \
		"<NAMESPACE NAME=\"IBM\"/></LOCALNAMESPACEPATH>" parameters "</IMETHODCALL>")

/* In pieces of so many bytes. */
static int read_tree(struct cim_arena *arena, const char *text, size_t piece, const struct xml_node **root)
{
	struct xml_reader *reader = xml_reader_create(arena);
	size_t len = strlen(text);
	int rc = 0;

	assert_non_null(reader);
	for (size_t at = 0; at < len && rc == 0; at += piece)
		rc = xml_reader_feed(reader, text + at, len - at < piece ? len - at : piece);
	if (rc == 0)
		rc = xml_reader_end(reader, root);
	xml_reader_free(reader);
	return rc;
}

static void a_request_is_the_same_in_whatever_pieces_it_comes(void **state)
{
	static const char text[] =
		CALL("GetClass", "<IPARAMVALUE NAME=\"ClassName\"><CLASSNAME NAME=\"A\"/></IPARAMVALUE>"
				 "<IPARAMVALUE NAME=\"LocalOnly\"><VALUE> FALSE\n</VALUE></IPARAMVALUE>"
				 "<IPARAMVALUE NAME=\"PropertyList\"><VALUE.ARRAY><VALUE>x&amp;y</VALUE><VALUE/>"
				 "</VALUE.ARRAY></IPARAMVALUE>");

	(void)state;
	for (size_t piece = 1; piece < sizeof(text); piece = piece * 2 + 1) {
		struct cim_failure failure = { 0 };
		const struct xml_node *root;
		struct cim_request request;
		struct cim_names names;
		struct cim_arena arena;
		const char *error, *class;
		bool multiple, local_only = true, deep = true;

		arena_init(&arena, ARENA_BYTES);
		assert_int_equal(0, read_tree(&arena, text, piece, &root));
		assert_true(cim_request_read(&arena, root, &request, &error, &multiple));
		assert_string_equal("a<7", request.id);
		assert_string_equal("GetClass", request.operation);
		assert_string_equal("Root/IBM", request.namespace_name);
		assert_true(cim_request_class(&request, "classname", &class, &failure));
		assert_string_equal("A", class);
		assert_true(cim_request_flag(&request, "LocalOnly", &local_only, &failure));
		assert_true(cim_request_flag(&request, "DeepInheritance", &deep, &failure));
		assert_true(!local_only && deep);
		assert_true(cim_request_names(&arena, &request, "PropertyList", &names, &failure));
		assert_int_equal(2, names.count);
		assert_string_equal("x&y", names.names[0]);
		assert_string_equal("", names.names[1]);
		arena_free(&arena);
	}
}

static void what_is_no_good_xml_or_too_much_is_refused(void **state)
{
	static const struct {
		const char *text;
		int error;
	} cases[] = {
		{ "", -EBADMSG }, { "x", -EBADMSG }, { "<a>", -EBADMSG }, { "<a></b>", -EBADMSG },
		{ "<a/><b/>", -EBADMSG }, { "<a>&x;</a>", -EBADMSG }, { "<a b='1' b='2'/>", -EBADMSG },
		{ "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", -EBADMSG },
		{ "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>", -EBADMSG },
		{ "<!DOCTYPE a [<!ENTITY % x \"y\">]><a/>", -EBADMSG },
		{ "<a b01='' b02='' b03='' b04='' b05='' b06='' b07='' b08='' b09='' b10='' b11='' b12='' b13='' "
		  "b14='' b15='' b16='' b17=''/>", -EMSGSIZE },
		{ "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>",
		  -EMSGSIZE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct xml_node *root;
		struct cim_arena arena;

		arena_init(&arena, ARENA_BYTES);
		assert_int_equal(cases[i].error, read_tree(&arena, cases[i].text, 7, &root));
		arena_free(&arena);
	}
}

/* A text beyond the memory of its request. */
static void a_request_takes_no_more_memory_than_its_limit(void **state)
{
	static char text[ARENA_BYTES];
	const struct xml_node *root;
	struct cim_arena arena;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "<a>", 3);
	arena_init(&arena, ARENA_BYTES);
	assert_int_equal(-EMSGSIZE, read_tree(&arena, text, 4096, &root));
	assert_true(arena.failed && arena.taken_bytes <= ARENA_BYTES);
	arena_free(&arena);
}

static void run_request(const char *text, char answer[4096])
{
	const struct xml_node *root;
	struct cim_request request;
	struct cim_arena arena;
	struct xml_text out;
	static const struct cim_caller caller = { ROLE_MONITOR, "ann", "127.0.0.1" };
	struct cim_failure failure;
	const char *error;
	bool multiple;

	arena_init(&arena, ARENA_BYTES);
	assert_int_equal(0, read_tree(&arena, text, 100, &root));
	assert_true(cim_request_read(&arena, root, &request, &error, &multiple));
	xml_text_init(&out, 1024 * 1024);
	cim_operation_run(&arena, NULL, &caller, &request, &out, &failure);
	assert_false(out.failed);
	assert_true(out.used < 4096);
	memcpy(answer, out.bytes, out.used);
	answer[out.used] = '\0';
	xml_text_free(&out);
	arena_free(&arena);
}

static void answers_name_the_request_and_refusals_the_reason(void **state)
{
	char answer[4096];

	(void)state;
	run_request(CALL("Frobnicate&lt;", ""), answer);
	assert_non_null(strstr(answer, "ID=\"a&lt;7\""));
	assert_non_null(strstr(answer, "<IMETHODRESPONSE NAME=\"Frobnicate&lt;\"><ERROR CODE=\"7\""));
	run_request(CALL("GetQualifier", "<IPARAMVALUE NAME=\"qualifiername\"><VALUE>KEY</VALUE></IPARAMVALUE>"),
		    answer);
	assert_non_null(strstr(answer, "<IRETURNVALUE><QUALIFIER.DECLARATION NAME=\"Key\" TYPE=\"boolean\""));
	run_request(CALL("GetQualifier", "<IPARAMVALUE NAME=\"QualifierName\"/>"), answer);
	assert_non_null(strstr(answer, "<ERROR CODE=\"4\""));
	run_request(
		CALL("EnumerateClassNames", "<IPARAMVALUE NAME=\"DeepInheritance\"><VALUE>maybe</VALUE></IPARAMVALUE>"),
		answer);
	assert_non_null(strstr(answer, "<ERROR CODE=\"4\""));
}

/* How the file of tests/cim/bodies is named, its content has to fare: STATUS.ERROR.what.xml. */
static void check_body(const char *name, const char *body, size_t len, size_t piece)
{
	const struct xml_node *root;
	struct cim_request request;
	struct cim_arena arena;
	struct xml_reader *reader;
	const char *error = NULL;
	bool multiple, taken = false;
	int rc = 0;

	arena_init(&arena, ARENA_BYTES);
	reader = xml_reader_create(&arena);
	assert_non_null(reader);
	for (size_t at = 0; at < len && rc == 0; at += piece)
		rc = xml_reader_feed(reader, body + at, len - at < piece ? len - at : piece);
	if (rc == 0)
		rc = xml_reader_end(reader, &root);
	xml_reader_free(reader);
	if (rc == 0)
		taken = cim_request_read(&arena, root, &request, &error, &multiple);
	if (!strncmp(name, "413.", 4))
		assert_int_equal(-EMSGSIZE, rc);
	else if (!strncmp(name, "400.request-not-well-formed.", 28))
		assert_int_equal(-EBADMSG, rc);
	else if (!strncmp(name, "200.", 4))
		assert_true(rc == 0 && taken);
	else
		assert_true(rc == 0 && !taken && !strncmp(name + 4, error, strlen(error)));
	arena_free(&arena);
}

static void hostile_bodies_fare_as_they_should_in_whatever_pieces(void **state)
{
	static char body[65536];
	const char *top = getenv("XDC_TOP");
	const struct dirent *entry;
	char path[4096];
	unsigned count = 0;
	DIR *folder;

	(void)state;
	assert_non_null(top);
	snprintf(path, sizeof(path), "%s/tests/cim/bodies", top);
	folder = opendir(path);
	assert_non_null(folder);
	while ((entry = readdir(folder)) != NULL) {
		FILE *file;
		size_t len;

		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/tests/cim/bodies/%.200s", top, entry->d_name);
		file = fopen(path, "r");
		assert_non_null(file);
		len = fread(body, 1, sizeof(body), file);
		fclose(file);
		for (size_t piece = 1; piece < sizeof(body); piece *= 23)
			check_body(entry->d_name, body, len, piece);
		count++;
	}
	closedir(folder);
	assert_true(count > 60);
}

struct taken {
	struct xml_text text;
	size_t bytes, pieces, pieces_max;
};

static bool take(void *arg)
{
	struct taken *taken = arg;

	taken->bytes += taken->text.used;
	return ++taken->pieces < taken->pieces_max;
}

/* It goes in pieces of somewhat more than 64 KiB, and ends when nobody takes it. */
static void a_large_answer_takes_the_memory_of_a_piece(void **state)
{
	static char object[1000];
	struct taken taken = { .pieces_max = 10 };
	unsigned count = 0;

	(void)state;
	memset(object, 'x', sizeof(object));
	xml_text_init(&taken.text, 128 * 1024);
	taken.text.sink = take;
	taken.text.sink_arg = &taken;
	for (; xml_flush(&taken.text); count++)
		xml_put_bytes(&taken.text, object, sizeof(object));
	assert_int_equal(10, taken.pieces);
	assert_int_equal(10 * 66000, taken.bytes);
	assert_int_equal(660, count);
	assert_true(taken.text.passed && taken.text.failed && taken.text.room <= 128 * 1024);
	xml_text_free(&taken.text);
}

static void a_caller_may_do_what_its_role_or_a_lower_one_may(void **state)
{
	(void)state;
	for (enum op_role has = ROLE_MONITOR; has < ROLE_COUNT; has++)
		for (enum op_role needs = ROLE_MONITOR; needs < ROLE_COUNT; needs++) {
			struct cim_caller caller = { has, "ann", "127.0.0.1" };
			struct cim_failure failure = { 0 };

			assert_int_equal(has >= needs, cim_caller_may(&caller, needs, "CreateReplica", &failure));
			assert_int_equal(has >= needs ? CIM_OK : CIM_ERR_ACCESS_DENIED, failure.code);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_the_same_in_whatever_pieces_it_comes),
		cmocka_unit_test(what_is_no_good_xml_or_too_much_is_refused),
		cmocka_unit_test(a_request_takes_no_more_memory_than_its_limit),
		cmocka_unit_test(answers_name_the_request_and_refusals_the_reason),
		cmocka_unit_test(hostile_bodies_fare_as_they_should_in_whatever_pieces),
		cmocka_unit_test(a_large_answer_takes_the_memory_of_a_piece),
		cmocka_unit_test(a_caller_may_do_what_its_role_or_a_lower_one_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
