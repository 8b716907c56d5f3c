/* SPDX-License-Identifier: Apache-2.0 */
/* Queries: what is read, what is refused and where, and what meets them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "face/cim/indication.h"
#include "face/cim/query.h"

#define ARENA_BYTES	(256u * 1024)
#define ALL_NAMESPACES	((1u << CIM_NAMESPACE_COUNT) - 1)
#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/* ---- an instance of texts ---- */

struct known {
	const char *property, *values[4];	/* ended by NULL */
};

struct sample {
	struct query_instance instance;
	const struct known *known;		/* ended by one without property */
	const struct sample *source, *previous;	/* embedded; NULL: none */
};

static bool get_known(const struct query_instance *instance, const struct cim_schema_property *property,
		      struct cim_value *value)
{
	static struct cim_scalar lists[2][4];
	static unsigned turn;
	const struct known *known = ((const struct sample *)instance)->known;
	struct cim_scalar *list = lists[turn++ % 2];

	while (known->property && strcmp(known->property, property->name) != 0)
		known++;
	if (!known->property || !known->values[0])
		return false;
	*value = (struct cim_value){ .type = property->type, .is_array = property->is_array, .list = list };
	for (; known->values[value->count]; value->count++)
		assert_true(cim_scalar_read(property->type, known->values[value->count], &list[value->count]));
	value->one = list[0];
	return true;
}

static const struct query_instance *get_embedded(const struct query_instance *instance,
						 const struct cim_schema_property *property)
{
	const struct sample *sample = (const struct sample *)instance;
	const struct sample *found = !strcmp(property->name, "SourceInstance") ? sample->source :
				     !strcmp(property->name, "PreviousInstance") ? sample->previous : NULL;

	return found ? &found->instance : NULL;
}

static struct sample make_sample(const char *class, const struct known *known)
{
	struct sample sample = { .instance = { cim_schema_find_any_class(class), get_known, get_embedded },
				 .known = known };

	assert_non_null(sample.instance.class);
	return sample;
}

/* ---- what is refused ---- */

static void a_query_that_is_wrong_is_refused_and_says_where(void **state)
{
	static const struct {
		const char *text, *told;
	} cases[] = {
		{ "", "at character 1: expected SELECT, found the end" },
		{ "DELETE", "at character 1: expected SELECT, found DELETE" },
		{ "SELECT", "at character 7: expected * or the name" },
		{ "SELECT *", "at character 9: expected FROM" },
		{ "SELECT * FROM", "at character 14: expected the name of a class" },
		{ "SELECT * FROM CIM_Nothing", "at character 15: there is no class CIM_Nothing" },
		{ "SELECT Wrong FROM CIM_StorageVolume", "at character 8: CIM_StorageVolume has no property Wrong" },
		{ "SELECT * FROM CIM_StorageVolume WHERE", "at character 38: expected a name" },
		{ "SELECT * FROM CIM_StorageVolume WHERE Wrong = 1", "at character 39: CIM_StorageVolume has no" },
		{ "SELECT * FROM CIM_StorageVolume WHERE Name", "at character 43: expected a comparison" },
		{ "SELECT * FROM CIM_StorageVolume WHERE Name =", "at character 45: expected a name" },
		{ "SELECT * FROM CIM_StorageVolume WHERE Name = 1", "Name is compared with a text" },
		{ "SELECT * FROM CIM_StorageVolume WHERE BlockSize = 'x'", "BlockSize is compared with a number" },
		{ "SELECT * FROM CIM_StorageVolume WHERE 'x' = BlockSize", "BlockSize is compared with a number" },
		{ "SELECT * FROM CIM_StorageVolume WHERE BlockSize = TRUE", "BlockSize is compared with a number" },
		{ "SELECT * FROM CIM_StorageVolume WHERE Name = BlockSize", "Name is a text and BlockSize is a n" },
		{ "SELECT * FROM CIM_StorageVolume WHERE Primordial < TRUE", "only = and <>" },
		{ "SELECT * FROM CIM_StorageVolume WHERE BlockSize LIKE '1%'", "BlockSize is no text" },
		{ "SELECT * FROM CIM_StorageVolume WHERE Name LIKE 1", "expected a pattern in quotes" },
		{ "SELECT * FROM CIM_StorageVolume WHERE BlockSize = 18446744073709551616", "is too large" },
		{ "SELECT * FROM CIM_StorageVolume WHERE Name = 'x", "at character 46: a text does not end" },
		{ "SELECT * FROM CIM_StorageVolume WHERE Name = 'x' Name", "expected AND, OR or the end, found Name" },
		{ "SELECT * FROM CIM_StorageVolume WHERE (Name = 'x'", "expected ), found the end" },
		{ "SELECT * FROM CIM_StorageVolume WHERE Name IS 1", "expected NULL" },
		{ "SELECT * FROM CIM_StorageVolume WHERE Name ISA CIM_Job", "Name holds no instance" },
		{ "SELECT * FROM CIM_StorageVolume WHERE CIM_StorageVolume = 1", "only ISA can be asked" },
		{ "SELECT * FROM CIM_StorageVolume WHERE Name[0] = 'x'", "this is no array" },
		{ "SELECT * FROM CIM_StorageVolume WHERE OperationalStatus[x] = 2", "expected an index or *" },
		{ "SELECT * FROM CIM_StorageVolume WHERE Name.X = 2", "Name holds no instance" },
		{ "SELECT * FROM CIM_StorageVolume WHERE InstallDate = 'yesterday'", "compared with a datetime" },
		{ "SELECT * FROM CIM_StorageVolume WHERE Name ; 2", "';' begins nothing" },
		{ "SELECT * FROM CIM_StorageVolume WHERE Name \xc3 2", "the byte 0xc3 begins nothing" },
		{ "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_Wrong", "no class CIM_Wrong" },
		{ "SELECT * FROM CIM_InstCreation WHERE SourceInstance.Wrong = 1", "no class has a property Wrong" },
		{ "SELECT * FROM CIM_InstCreation WHERE SourceInstance.CIM_Job::BlockSize = 1",
		  "neither that class nor one below it has a property BlockSize" },
		{ "SELECT * FROM CIM_InstCreation WHERE SourceInstance.SyncState = #'Prepared'", "of which class" },
		{ "SELECT * FROM CIM_InstCreation WHERE SourceInstance.CIM_StorageSynchronized::SyncState = #'Asleep'",
		  "the value map of SyncState has no 'Asleep'" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cim_failure failure = { 0 };
		struct cim_arena arena;
		struct query query;

		arena_init(&arena, ARENA_BYTES);
		if (query_parse(&arena, ALL_NAMESPACES, "DMTF:CQL", cases[i].text, &query, &failure))
			fail_msg("taken: %s", cases[i].text);
		assert_int_equal(CIM_ERR_INVALID_QUERY, failure.code);
		if (!strstr(failure.text, cases[i].told))
			fail_msg("%s: told '%s', not '%s'", cases[i].text, failure.text, cases[i].told);
		arena_free(&arena);
	}
}

static void languages_are_known_by_name(void **state)
{
	static const struct {
		const char *language;
		enum cim_error error;
	} cases[] = { { "WQL", CIM_OK }, { "wql", CIM_OK }, { "DMTF:CQL", CIM_OK }, { "CQL", CIM_OK },
		      { "DMTF:FQL", CIM_ERR_QUERY_LANGUAGE_NOT_SUPPORTED },
		      { "", CIM_ERR_QUERY_LANGUAGE_NOT_SUPPORTED } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cim_failure failure = { 0 };
		struct cim_arena arena;
		struct query query;
		bool ok;

		arena_init(&arena, ARENA_BYTES);
		ok = query_parse(&arena, ALL_NAMESPACES, cases[i].language, "select * from cim_storagevolume", &query,
				 &failure);
		assert_int_equal(cases[i].error == CIM_OK, ok);
		assert_int_equal(cases[i].error, failure.code);
		arena_free(&arena);
	}
}

/* Classes of another namespace are not there; limits of text and depth. */
static void a_query_stays_within_its_limits(void **state)
{
	static const char begin[] = "SELECT * FROM CIM_StorageVolume WHERE ";
	char text[QUERY_TEXT_MAX + 2];
	struct cim_failure failure = { 0 };
	struct cim_arena arena;
	struct query query;

	(void)state;
	arena_init(&arena, ARENA_BYTES);
	assert_false(query_parse(&arena, 1u << CIM_NAMESPACE_CIMV2, "WQL", "SELECT * FROM IBMTSESS_StoragePool", &query,
				 &failure));
	assert_non_null(strstr(failure.text, "no class"));
	for (unsigned depth = QUERY_DEPTH_MAX - 1; depth <= QUERY_DEPTH_MAX; depth++) {
		char open[QUERY_DEPTH_MAX + 1] = "", close[QUERY_DEPTH_MAX + 1] = "";

		memset(open, '(', depth);
		memset(close, ')', depth);
		snprintf(text, sizeof(text), "%s%sName = 'x'%s", begin, open, close);
		assert_int_equal(depth < QUERY_DEPTH_MAX,
				 query_parse(&arena, ALL_NAMESPACES, "WQL", text, &query, &failure));
	}
	assert_non_null(strstr(failure.text, "nested deeper"));
	memset(text, ' ', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, begin, sizeof(begin) - 8);
	assert_false(query_parse(&arena, ALL_NAMESPACES, "WQL", text, &query, &failure));
	assert_non_null(strstr(failure.text, "1535 bytes"));
	text[sizeof(text) - 2] = '\0';
	assert_true(query_parse(&arena, ALL_NAMESPACES, "WQL", text, &query, &failure));
	arena_free(&arena);
	/* Out of memory is told as such. */
	arena_init(&arena, 1024);
	assert_false(query_parse(&arena, ALL_NAMESPACES, "WQL", text, &query, &failure));
	assert_int_equal(CIM_ERR_FAILED, failure.code);
	arena_free(&arena);
}

/* ---- what meets a query ---- */

#define WHERE	"SELECT * FROM CIM_StorageVolume WHERE "

static const struct known volume_values[] = {
	{ "Name", { "6000ABC" } }, { "ElementName", { "a'b_c%" } }, { "BlockSize", { "512" } },
	{ "NumberOfBlocks", { "18446744073709551615" } }, { "OperationalStatus", { "2", "17" } },
	{ "Primordial", { "FALSE" } }, { "InstallDate", { "20261123223000.000000+060" } }, { NULL, { NULL } },
};

static bool meets(const char *language, const char *text, const struct sample *sample)
{
	struct cim_failure failure = { 0 };
	struct cim_arena arena;
	struct query query;
	bool answer;

	arena_init(&arena, ARENA_BYTES);
	if (!query_parse(&arena, ALL_NAMESPACES, language, text, &query, &failure))
		fail_msg("%s: %s", text, failure.text);
	answer = query_meets(&query, &sample->instance);
	arena_free(&arena);
	return answer;
}

static void an_instance_meets_what_is_true_of_it(void **state)
{
	static const struct {
		const char *text;
		bool wql, cql;
	} cases[] = {
		{ "SELECT * FROM CIM_StorageVolume", true, true },
		{ "SELECT Name, BlockSize FROM CIM_StorageVolume", true, true },
		{ "SELECT * FROM CIM_LogicalDevice", true, true },
		{ "SELECT * FROM CIM_StoragePool", false, false },
		{ "SELECT * FROM CIM_LogicalDevice d WHERE d ISA CIM_StorageVolume", true, true },
		{ "SELECT d.Name FROM CIM_LogicalDevice AS d WHERE d.Name='6000ABC'", true, true },
		{ "SELECT * FROM CIM_LogicalDevice WHERE CIM_LogicalDevice ISA CIM_StoragePool", false, false },
		{ WHERE "Name = '6000ABC'", true, true },
		{ WHERE "cim_storagevolume.name = \"6000ABC\"", true, true },
		{ WHERE "Name = '6000abc'", false, false },
		{ WHERE "ElementName = 'a''b_c%'", true, true },
		{ WHERE "ElementName = 'a\\'b_c%'", true, true },
		{ WHERE "BlockSize = 512", true, true },
		{ WHERE "BlockSize = 0x200", true, true },
		{ WHERE "BlockSize = 5.12e2", true, true },
		{ WHERE "BlockSize <> 512", false, false },
		{ WHERE "BlockSize != 511", true, true },
		{ WHERE "BlockSize > 511 AND BlockSize < 513", true, true },
		{ WHERE "BlockSize >= 513 OR BlockSize <= 511", false, false },
		{ WHERE "BlockSize > -1", true, true },
		{ WHERE "511 < BlockSize", true, true },
		{ WHERE "513 < BlockSize", false, false },
		{ WHERE "NumberOfBlocks = 18446744073709551615", true, true },
		{ WHERE "NumberOfBlocks > BlockSize", true, true },
		{ WHERE "Primordial = FALSE", true, true },
		{ WHERE "NOT Primordial = TRUE", true, true },
		{ WHERE "NOT NOT Primordial = TRUE", false, false },
		{ WHERE "Name = 'x' OR Name = '6000ABC' AND BlockSize = 1", false, false },
		{ WHERE "(Name = 'x' OR Name = '6000ABC') AND BlockSize = 512", true, true },
		{ WHERE "OperationalStatus = 17", true, true },
		{ WHERE "OperationalStatus[0] = 17", false, false },
		{ WHERE "OperationalStatus[1] = 17", true, true },
		{ WHERE "OperationalStatus[*] = 2", true, true },
		{ WHERE "OperationalStatus[9] = 2", false, false },
		{ WHERE "NOT OperationalStatus[9] = 2", false, false },
		{ WHERE "OperationalStatus = OperationalStatus", true, true },
		{ WHERE "InstallDate = '20261123213000.000000+000'", true, true },
		{ WHERE "InstallDate > '20261123213000.000001+000'", false, false },
		{ WHERE "InstallDate > '00000001000000.000000:000'", false, false },
		/* What is not known is neither so nor not so. */
		{ WHERE "Caption = 'x'", false, false },
		{ WHERE "NOT Caption = 'x'", false, false },
		{ WHERE "Caption <> 'x' OR BlockSize = 512", true, true },
		{ WHERE "Caption IS NULL", true, true },
		{ WHERE "Caption IS NOT NULL", false, false },
		{ WHERE "Name IS NOT NULL", true, true },
		/* Patterns. */
		{ WHERE "Name LIKE '6000%'", true, false },
		{ WHERE "Name LIKE '%A_C'", true, false },
		{ WHERE "Name LIKE '_'", false, false },
		{ WHERE "Name LIKE '6000ABC'", true, true },
		{ WHERE "Name NOT LIKE '6000ABC%'", false, true },
		{ WHERE "Name LIKE '60*.BC'", false, true },
		{ WHERE "Name LIKE '.*'", false, true },
		{ WHERE "Name LIKE '6000.BC'", false, true },
		{ WHERE "ElementName LIKE 'a.b_c%'", false, true },
	};
	struct sample sample = make_sample("IBMTSESS_Volume", volume_values);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (meets("WQL", cases[i].text, &sample) != cases[i].wql)
			fail_msg("WQL: %s", cases[i].text);
		if (meets("DMTF:CQL", cases[i].text, &sample) != cases[i].cql)
			fail_msg("CQL: %s", cases[i].text);
	}
}

/* No pattern takes longer than its length times the text's. */
static void a_pattern_of_many_stars_ends(void **state)
{
	static char many[1201];
	static const struct known values[] = { { "Name", { many } }, { NULL, { NULL } } };
	struct sample sample = make_sample("IBMTSESS_Volume", values);
	char text[QUERY_TEXT_MAX], stars[1401] = "";

	(void)state;
	memset(many, 'a', sizeof(many) - 1);
	for (unsigned i = 0; i < sizeof(stars) - 1; i++)
		stars[i] = i % 2 ? '*' : 'a';
	snprintf(text, sizeof(text), WHERE "Name LIKE '%sb'", stars);
	assert_false(meets("DMTF:CQL", text, &sample));
}

#define MODIFIED "SELECT * FROM CIM_InstModification WHERE "

static void a_change_meets_what_clients_subscribe_to(void **state)
{
	static const struct known before_values[] = { { "SyncState", { "5" } }, { "CopyState", { "2" } },
						      { "WhenSynced", { NULL } }, { NULL, { NULL } } };
	static const struct known after_values[] = { { "SyncState", { "6" } }, { "CopyState", { "2" } },
						     { "WhenSynced", { "20261123213000.000000+000" } },
						     { NULL, { NULL } } };
	static const struct known no_values[] = { { NULL, { NULL } } };
	static const struct {
		const char *text;
		bool meets;
	} cases[] = {
		{ MODIFIED "SourceInstance ISA CIM_StorageSynchronized", true },
		{ MODIFIED "SourceInstance ISA 'CIM_StorageSynchronized'", true },
		{ MODIFIED "SourceInstance ISA CIM_StorageVolume", false },
		{ MODIFIED "NOT SourceInstance ISA CIM_StorageVolume", true },
		{ MODIFIED "SourceInstance ISA CIM_StorageSynchronized AND "
			   "SourceInstance.SyncState <> PreviousInstance.SyncState", true },
		{ MODIFIED "SourceInstance ISA CIM_StorageSynchronized AND "
			   "SourceInstance.CopyState <> PreviousInstance.CopyState", false },
		{ MODIFIED "SourceInstance ISA CIM_StorageSynchronized AND SourceInstance.CIM_StorageSynchronized::"
			   "SyncState <> PreviousInstance.CIM_StorageSynchronized::SyncState", true },
		{ MODIFIED "SourceInstance.CIM_ConcreteJob::JobState <> PreviousInstance.CIM_ConcreteJob::JobState",
		  false },
		{ MODIFIED "SourceInstance.SyncState = 6 AND PreviousInstance.SyncState = 5", true },
		{ MODIFIED "SourceInstance.WhenSynced <> PreviousInstance.WhenSynced", false },
		{ "SELECT * FROM CIM_InstIndication WHERE CIM_InstIndication ISA CIM_InstModification", true },
		{ "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_StorageSynchronized", false },
	};
	struct sample before = make_sample("MSISCSITARGET_StorageSynchronized", before_values);
	struct sample after = make_sample("MSISCSITARGET_StorageSynchronized", after_values);
	struct sample change = make_sample("CIM_InstModification", no_values);

	(void)state;
	change.source = &after;
	change.previous = &before;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (meets("DMTF:CQL", cases[i].text, &change) != cases[i].meets ||
		    meets("WQL", cases[i].text, &change) != cases[i].meets)
			fail_msg("%s", cases[i].text);
	assert_true(meets("DMTF:CQL", MODIFIED "SourceInstance.CIM_StorageSynchronized::SyncState = #'Synchronized'",
			  &change));
	assert_false(meets("DMTF:CQL", MODIFIED "#'Synchronized' = PreviousInstance.CIM_StorageSynchronized::SyncState",
			   &change));
	assert_true(meets("DMTF:CQL", MODIFIED "ANY SourceInstance.SyncState = 6", &change));
}

static void a_query_tells_which_classes_it_can_be_about(void **state)
{
	static const struct {
		const char *text, *class;
		bool may;
	} cases[] = {
		{ "SELECT * FROM CIM_InstCreation", "IBMTSESS_Volume", true },
		{ "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_StorageVolume", "IBMTSESS_Volume",
		  true },
		{ "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_StoragePool", "IBMTSESS_Volume", false },
		{ "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_StoragePool OR "
		  "SourceInstance ISA CIM_LogicalElement",
		  "IBMTSESS_Volume", true },
		{ "SELECT * FROM CIM_InstCreation WHERE NOT SourceInstance ISA CIM_StorageVolume", "IBMTSESS_Volume",
		  true },
		{ MODIFIED "SourceInstance ISA CIM_StoragePool AND SourceInstance.Name = 'x'", "CIM_ConcreteJob",
		  false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cim_failure failure = { 0 };
		struct cim_arena arena;
		struct query query;

		arena_init(&arena, ARENA_BYTES);
		assert_true(query_parse(&arena, ALL_NAMESPACES, "WQL", cases[i].text, &query, &failure));
		if (query_may_embed(&query, "SourceInstance", cim_schema_find_any_class(cases[i].class)) !=
		    cases[i].may)
			fail_msg("%s of %s", cases[i].text, cases[i].class);
		arena_free(&arena);
	}
}

static void a_query_selects_the_properties_it_names(void **state)
{
	struct cim_failure failure = { 0 };
	struct cim_arena arena;
	struct query query;

	(void)state;
	arena_init(&arena, ARENA_BYTES);
	assert_true(query_parse(&arena, ALL_NAMESPACES, "WQL", "SELECT name, CIM_StorageVolume.BlockSize "
				"FROM CIM_StorageVolume", &query, &failure));
	assert_true(query_selects(&query, cim_schema_find_property(query.class, "Name")));
	assert_true(query_selects(&query, cim_schema_find_property(query.class, "BlockSize")));
	assert_false(query_selects(&query, cim_schema_find_property(query.class, "Caption")));
	assert_true(query_parse(&arena, ALL_NAMESPACES, "WQL", "SELECT SourceInstance.Name FROM CIM_InstCreation",
				&query, &failure));
	assert_true(query_selects(&query, cim_schema_find_property(query.class, "SourceInstance")));
	assert_false(query_selects(&query, cim_schema_find_property(query.class, "IndicationTime")));
	assert_true(query_parse(&arena, ALL_NAMESPACES, "WQL", "SELECT Name, CIM_StorageVolume.* FROM "
				"CIM_StorageVolume", &query, &failure));
	assert_true(query_selects(&query, cim_schema_find_property(query.class, "Caption")));
	arena_free(&arena);
}

static void filters_that_are_there_by_themselves_are_queries_about_indications(void **state)
{
	struct record_filter filter;
	unsigned count;

	(void)state;
	for (count = 0; cim_filter_own(count, &filter); count++) {
		struct cim_failure failure = { 0 };
		struct record_filter found;
		struct cim_arena arena;
		struct query query;

		arena_init(&arena, ARENA_BYTES);
		if (!query_parse(&arena, cim_filter_namespaces(&filter), filter.language, filter.query, &query,
				 &failure))
			fail_msg("%s: %s", filter.name, failure.text);
		assert_true(query.class->is_indication);
		assert_true(cim_filter_find_own(filter.name, &found));
		assert_string_equal(found.language, filter.language);
		arena_free(&arena);
	}
	assert_true(count >= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_query_that_is_wrong_is_refused_and_says_where),
		cmocka_unit_test(languages_are_known_by_name),
		cmocka_unit_test(a_query_stays_within_its_limits),
		cmocka_unit_test(an_instance_meets_what_is_true_of_it),
		cmocka_unit_test(a_pattern_of_many_stars_ends),
		cmocka_unit_test(a_change_meets_what_clients_subscribe_to),
		cmocka_unit_test(a_query_tells_which_classes_it_can_be_about),
		cmocka_unit_test(a_query_selects_the_properties_it_names),
		cmocka_unit_test(filters_that_are_there_by_themselves_are_queries_about_indications),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
