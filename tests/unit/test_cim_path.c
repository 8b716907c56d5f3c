/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of objects and typed values: every form is read as one, and what is written is read again as the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "face/cim/path.h"

#define ARENA_BYTES	(256u * 1024)
#define IBM		"<LOCALNAMESPACEPATH><NAMESPACE NAME=\"Root\"/><NAMESPACE NAME=\"ibm\"/></LOCALNAMESPACEPATH>"
#define POOL_KEY	"<KEYBINDING NAME=\"instanceid\"><KEYVALUE>a\"\\,b</KEYVALUE></KEYBINDING>"
#define POOL		"<INSTANCENAME CLASSNAME=\"ibmtsess_storagepool\">" POOL_KEY "</INSTANCENAME>"
#define HOSTED		"<INSTANCENAME CLASSNAME=\"CIM_StorageSynchronized\"><KEYBINDING NAME=\"SystemElement\">" \
			"<VALUE.REFERENCE>" POOL "</VALUE.REFERENCE></KEYBINDING><KEYBINDING NAME=\"SyncedElement\">" \
			"<VALUE.REFERENCE><LOCALINSTANCEPATH>" IBM POOL "</LOCALINSTANCEPATH></VALUE.REFERENCE>" \
			"</KEYBINDING></INSTANCENAME>"

static struct cim_arena arena;
static struct cim_failure failure;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, ARENA_BYTES);
	failure = (struct cim_failure){ 0 };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static const struct xml_node *parse(const char *text)
{
	struct xml_reader *reader = xml_reader_create(&arena);
	const struct xml_node *root = NULL;

	assert_non_null(reader);
	assert_int_equal(0, xml_reader_feed(reader, text, strlen(text)));
	assert_int_equal(0, xml_reader_end(reader, &root));
	xml_reader_free(reader);
	return root;
}

static const struct cim_path *read_path(const char *text)
{
	const struct cim_path *path = NULL;

	if (!cim_path_read(&arena, parse(text), CIM_NAMESPACE_IBM, &path, &failure)) {
		assert_int_not_equal(CIM_OK, failure.code);
		return NULL;
	}
	return path;
}

static void all_forms_of_a_path_are_one(void **state)
{
	static const char *const forms[] = {
		POOL,
		"<LOCALINSTANCEPATH>" IBM POOL "</LOCALINSTANCEPATH>",
		"<INSTANCEPATH><NAMESPACEPATH><HOST>anywhere:99</HOST>" IBM "</NAMESPACEPATH>" POOL "</INSTANCEPATH>",
		"<VALUE.REFERENCE>" POOL "</VALUE.REFERENCE>",
		"<VALUE.REFERENCE><LOCALINSTANCEPATH>" IBM POOL "</LOCALINSTANCEPATH></VALUE.REFERENCE>",
		"<OBJECTPATH><INSTANCEPATH><NAMESPACEPATH><HOST/>" IBM "</NAMESPACEPATH>" POOL
		"</INSTANCEPATH></OBJECTPATH>",
		"<INSTANCENAME CLASSNAME=\"IBMTSESS_StoragePool\"><KEYVALUE VALUETYPE=\"string\">a\"\\,b</KEYVALUE>"
		"</INSTANCENAME>",
		"<INSTANCENAME CLASSNAME=\"IBMTSESS_StoragePool\"><KEYBINDING NAME=\"InstanceID\">"
		"<KEYVALUE VALUETYPE=\"string\" TYPE=\"string\">a\"\\,b</KEYVALUE></KEYBINDING></INSTANCENAME>",
	};
	const struct cim_path *first = read_path(forms[0]), *path;

	(void)state;
	assert_non_null(first);
	assert_string_equal("a\"\\,b", cim_path_key_text(first, "INSTANCEID"));
	assert_null(cim_path_key_text(first, "Name"));
	for (size_t i = 1; i < sizeof(forms) / sizeof(forms[0]); i++) {
		path = read_path(forms[i]);
		assert_non_null(path);
		assert_true(cim_path_equal(first, path));
	}
	assert_string_equal("root/ibm:IBMTSESS_StoragePool.InstanceID=\"a\\\"\\\\,b\"",
			    cim_path_print(&arena, first));
}

static void check_written(const struct cim_path *path, void (*put)(struct xml_text *, const struct cim_path *))
{
	const struct cim_path *again;
	struct xml_text text;

	xml_text_init(&text, 65536);
	put(&text, path);
	xml_put_bytes(&text, "", 1);
	assert_false(text.failed);
	again = read_path(text.bytes);
	assert_non_null(again);
	assert_true(cim_path_equal(path, again));
	xml_text_free(&text);
}

static void put_full(struct xml_text *text, const struct cim_path *path)
{
	xml_put_path_full(text, path, "here:5988");
}

static void what_is_written_of_a_path_is_read_as_the_same(void **state)
{
	static const char *const paths[] = {
		POOL, HOSTED, "<CLASSNAME NAME=\"CIM_Service\"/>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const struct cim_path *path = read_path(paths[i]), *again;
		const char *printed;

		assert_non_null(path);
		check_written(path, xml_put_path_name);
		check_written(path, xml_put_path_local);
		check_written(path, put_full);
		printed = cim_path_print(&arena, path);
		assert_true(cim_path_read_text(&arena, printed, CIM_NAMESPACE_INTEROP, &again, &failure));
		assert_true(cim_path_equal(path, again));
		printed = arena_print(&arena, "//host:5988/%s", printed);
		assert_true(cim_path_read_text(&arena, printed, CIM_NAMESPACE_INTEROP, &again, &failure));
		assert_true(cim_path_equal(path, again));
	}
}

static void keys_of_a_path_are_those_of_the_class(void **state)
{
	static const struct {
		const char *path;
		enum cim_error code;
	} cases[] = {
		{ "<INSTANCENAME CLASSNAME=\"CIM_Nothing\"/>", CIM_ERR_INVALID_CLASS },
		{ "<INSTANCENAME/>", CIM_ERR_INVALID_PARAMETER },
		{ "<VALUE.REFERENCE/>", CIM_ERR_INVALID_PARAMETER },
		{ "<INSTANCEPATH/>", CIM_ERR_INVALID_PARAMETER },
		{ "<INSTANCEPATH><NAMESPACEPATH/></INSTANCEPATH>", CIM_ERR_INVALID_PARAMETER },
		{ "<LOCALINSTANCEPATH><LOCALNAMESPACEPATH/>" POOL "</LOCALINSTANCEPATH>", CIM_ERR_INVALID_PARAMETER },
		{ "<LOCALINSTANCEPATH><LOCALNAMESPACEPATH><NAMESPACE NAME=\"x\"/></LOCALNAMESPACEPATH>" POOL
		  "</LOCALINSTANCEPATH>",
		  CIM_ERR_INVALID_NAMESPACE },
		{ "<INSTANCENAME CLASSNAME=\"IBMTSESS_StoragePool\"/>", CIM_ERR_INVALID_PARAMETER },
		{ "<INSTANCENAME CLASSNAME=\"IBMTSESS_StoragePool\">" POOL_KEY POOL_KEY "</INSTANCENAME>",
		  CIM_ERR_INVALID_PARAMETER },
		{ "<INSTANCENAME CLASSNAME=\"IBMTSESS_StoragePool\"><KEYBINDING "
		  "NAME=\"PoolID\"><KEYVALUE/></KEYBINDING>"
		  "</INSTANCENAME>",
		  CIM_ERR_INVALID_PARAMETER },
		{ "<INSTANCENAME CLASSNAME=\"IBMTSESS_StoragePool\"><KEYBINDING NAME=\"InstanceID\">"
		  "<KEYVALUE VALUETYPE=\"numeric\">1</KEYVALUE></KEYBINDING></INSTANCENAME>",
		  CIM_ERR_INVALID_PARAMETER },
		{ "<INSTANCENAME CLASSNAME=\"IBMTSESS_StoragePool\"><KEYBINDING NAME=\"InstanceID\">"
		  "<KEYVALUE TYPE=\"uint8\">1</KEYVALUE></KEYBINDING></INSTANCENAME>",
		  CIM_ERR_INVALID_PARAMETER },
		{ "<INSTANCENAME CLASSNAME=\"IBMTSESS_StoragePool\"><KEYBINDING "
		  "NAME=\"InstanceID\"><VALUE.REFERENCE>" POOL "</VALUE.REFERENCE></KEYBINDING></INSTANCENAME>",
		  CIM_ERR_INVALID_PARAMETER },
		{ "<INSTANCENAME CLASSNAME=\"CIM_StorageSynchronized\"><KEYVALUE>x</KEYVALUE></INSTANCENAME>",
		  CIM_ERR_INVALID_PARAMETER },
		{ "<VALUE>x</VALUE>", CIM_ERR_INVALID_PARAMETER },
	};
	static const char *const texts[] = {
		"", ":", "//", "//x", "IBMTSESS_StoragePool.", "IBMTSESS_StoragePool.InstanceID", "nowhere:CIM_Service",
		"IBMTSESS_StoragePool.InstanceID=\"a", "IBMTSESS_StoragePool.InstanceID=\"a\"b",
		"IBMTSESS_StoragePool.InstanceID=a,", "IBMTSESS_StoragePool.InstanceID=a,InstanceID=b",
		"CIM_StorageSynchronized.SystemElement=\"CIM_StorageSynchronized.SystemElement=1\"",
	};
	const struct cim_path *path;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(read_path(cases[i].path));
		assert_int_equal(cases[i].code, failure.code);
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(cim_path_read_text(&arena, texts[i], CIM_NAMESPACE_IBM, &path, &failure));
}

static void a_value_is_of_its_type(void **state)
{
	static const struct {
		enum cim_type type;
		const char *text, *written;	/* NULL: it is none */
	} cases[] = {
		{ CIM_TYPE_BOOLEAN, " true\n", "TRUE" },
		{ CIM_TYPE_BOOLEAN, "1", NULL },
		{ CIM_TYPE_UINT8, "255", "255" },
		{ CIM_TYPE_UINT8, "256", NULL },
		{ CIM_TYPE_UINT8, "-1", NULL },
		{ CIM_TYPE_UINT16, "0x40", "64" },
		{ CIM_TYPE_UINT16, "0x", NULL },
		{ CIM_TYPE_UINT16, "", NULL },
		{ CIM_TYPE_UINT32, "4294967295", "4294967295" },
		{ CIM_TYPE_UINT32, "4294967296", NULL },
		{ CIM_TYPE_UINT64, "18446744073709551615", "18446744073709551615" },
		{ CIM_TYPE_UINT64, "18446744073709551616", NULL },
		{ CIM_TYPE_UINT64, "1x", NULL },
		{ CIM_TYPE_UINT64, "1 2", NULL },
		{ CIM_TYPE_SINT8, "-128", "-128" },
		{ CIM_TYPE_SINT8, "128", NULL },
		{ CIM_TYPE_SINT8, "-129", NULL },
		{ CIM_TYPE_SINT64, "-9223372036854775808", "-9223372036854775808" },
		{ CIM_TYPE_SINT64, "9223372036854775808", NULL },
		{ CIM_TYPE_SINT64, "--1", NULL },
		{ CIM_TYPE_REAL64, "1.5e3", "1.5000000000000000e+03" },
		{ CIM_TYPE_REAL64, "nan", NULL },
		{ CIM_TYPE_REAL32, "1e999", NULL },
		{ CIM_TYPE_STRING, " a<b ", " a&lt;b " },
		{ CIM_TYPE_CHAR16, "\xc3\xa4", "\xc3\xa4" },
		{ CIM_TYPE_CHAR16, "ab", NULL },
		{ CIM_TYPE_CHAR16, "", NULL },
		{ CIM_TYPE_DATETIME, "20261123224309.123456+060", "20261123224309.123456+060" },
		{ CIM_TYPE_DATETIME, "19700101000000.000000-720", "19700101000000.000000-720" },
		{ CIM_TYPE_DATETIME, "20240229235959.999999+000", "20240229235959.999999+000" },
		{ CIM_TYPE_DATETIME, "99991231235959.999999+000", "99991231235959.999999+000" },
		{ CIM_TYPE_DATETIME, "00010101000000.000000+000", "00010101000000.000000+000" },
		{ CIM_TYPE_DATETIME, "202611**********.******+000", NULL },
		{ CIM_TYPE_DATETIME, "202611********.******+000", "20261101000000.000000+000" },
		{ CIM_TYPE_DATETIME, "20261301000000.000000+000", NULL },
		{ CIM_TYPE_DATETIME, "20261123244309.123456+000", NULL },
		{ CIM_TYPE_DATETIME, "00000004120000.000050:000", "00000004120000.000050:000" },
		{ CIM_TYPE_DATETIME, "99999999235959.999999:000", "99999999235959.999999:000" },
		{ CIM_TYPE_DATETIME, "00000004120000.00****:000", "00000004120000.000000:000" },
		{ CIM_TYPE_DATETIME, "00000004120000.000050:001", NULL },
		{ CIM_TYPE_DATETIME, "now", NULL },
		{ CIM_TYPE_REFERENCE, "x", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cim_scalar scalar;
		struct xml_text text;

		xml_text_init(&text, 4096);
		assert_int_equal(cases[i].written != NULL, cim_scalar_read(cases[i].type, cases[i].text, &scalar));
		if (cases[i].written) {
			xml_put_scalar(&text, cases[i].type, &scalar);
			xml_put_bytes(&text, "", 1);
			assert_string_equal(cases[i].written, text.bytes);
		}
		xml_text_free(&text);
	}
}

static void a_value_fits_its_slot(void **state)
{
	static const struct {
		struct cim_slot slot;
		const char *xml;
		bool is_good;
	} cases[] = {
		{ { "a", CIM_TYPE_UINT16, false, NULL }, "<VALUE>7</VALUE>", true },
		{ { "a", CIM_TYPE_UINT16, false, NULL }, "<VALUE/>", false },
		{ { "a", CIM_TYPE_STRING, false, NULL }, "<VALUE/>", true },
		{ { "a", CIM_TYPE_UINT16, false, NULL }, "<VALUE.ARRAY><VALUE>7</VALUE></VALUE.ARRAY>", false },
		{ { "a", CIM_TYPE_UINT16, true, NULL },
		  "<VALUE.ARRAY><VALUE>7</VALUE><VALUE.NULL/><VALUE>8</VALUE></VALUE.ARRAY>", true },
		{ { "a", CIM_TYPE_UINT16, true, NULL }, "<VALUE.ARRAY/>", true },
		{ { "a", CIM_TYPE_UINT16, true, NULL }, "<VALUE.ARRAY><VALUE>x</VALUE></VALUE.ARRAY>", false },
		{ { "a", CIM_TYPE_UINT16, true, NULL }, "<VALUE>7</VALUE>", false },
		{ { "a", CIM_TYPE_REFERENCE, false, "CIM_StoragePool" },
		  "<VALUE.REFERENCE>" POOL "</VALUE.REFERENCE>", true },
		{ { "a", CIM_TYPE_REFERENCE, false, NULL }, "<VALUE.REFERENCE>" POOL "</VALUE.REFERENCE>", true },
		{ { "a", CIM_TYPE_REFERENCE, false, "CIM_Service" },
		  "<VALUE.REFERENCE>" POOL "</VALUE.REFERENCE>", false },
		{ { "a", CIM_TYPE_REFERENCE, false, "CIM_StoragePool" }, "<VALUE>x</VALUE>", false },
		{ { "a", CIM_TYPE_REFERENCE, true, "CIM_StoragePool" },
		  "<VALUE.REFARRAY><VALUE.REFERENCE>" POOL "</VALUE.REFERENCE></VALUE.REFARRAY>", true },
	};
	struct cim_value value, again;
	struct xml_text text;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(cases[i].is_good, cim_value_read(&arena, parse(cases[i].xml), &cases[i].slot,
								  CIM_NAMESPACE_IBM, &value, &failure));
		if (!cases[i].is_good)
			continue;
		xml_text_init(&text, 65536);
		xml_put_value(&text, &value);
		xml_put_bytes(&text, "", 1);
		assert_true(cim_value_read(&arena, parse(text.bytes), &cases[i].slot, CIM_NAMESPACE_INTEROP, &again,
					   &failure));
		assert_true(cim_value_equal(&value, &again));
		xml_text_free(&text);
	}
	assert_true(cim_value_read(&arena, NULL, &cases[0].slot, CIM_NAMESPACE_IBM, &value, &failure));
	assert_true(value.is_null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_forms_of_a_path_are_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_written_of_a_path_is_read_as_the_same, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keys_of_a_path_are_those_of_the_class, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_value_is_of_its_type, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_value_fits_its_slot, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
