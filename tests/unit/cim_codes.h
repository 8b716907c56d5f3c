/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cim_codes.h - for tests of the return codes of methods: each that its value map names is provoked by what it stands
 * for, or is one of those that never come about, which the test lists.
 */
#ifndef XDC_TESTS_CIM_CODES_H
#define XDC_TESTS_CIM_CODES_H

#include "cim_systems.h"

#define DO(number)	P_NUMBER("Operation", number)
#define SIZE(value)	P_VALUE("Size", "uint64", value)
#define NAME(text)	P_TEXT("ElementName", text)
#define COPY_TYPE(number)	P_NUMBER("CopyType", number)
#define SOURCE(path)	P_REF("SourceElement", path)
#define TARGET(path)	P_REF("TargetElement", path)
#define ENDS(from, to)	P_REF("SystemElement", from) P_REF("SyncedElement", to)
#define MAKE_VOLUME(id)	"{\"op\":\"volume create\",\"args\":{\"volume\":\"" id "\",\"pool\":\"p\",\"size\":\"1M\"}}"
#define SHOW_FLASH(id)	"{\"op\":\"flash show\",\"args\":{\"volume\":\"" id "\"}}"

/* ---- what has been seen ---- */

#define SEEN_MAX	512u

struct code {
	const char *method;		/* NULL: of all */
	uint32_t code;
};

static struct code seen[SEEN_MAX];
static unsigned seen_count;

/* The system that is asked. */
static struct site *asked = &a;

static inline void note(int line, const char *method, const char *parameters, uint32_t code)
{
	expect_code(line, asked, method, parameters, code);
	CHECK(seen_count < SEEN_MAX);
	seen[seen_count++] = (struct code){ method, code };
}
#define GIVES(method, parameters, code)	note(__LINE__, method, parameters, code)

static inline bool was_seen(const char *method, uint32_t code)
{
	for (unsigned i = 0; i < seen_count; i++)
		if (seen[i].code == code && !strcmp(seen[i].method, method))
			return true;
	return false;
}

static inline bool comes_never(const char *method, uint32_t code, const struct code *never, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (never[i].code == code && (!never[i].method || !strcmp(never[i].method, method)))
			return true;
	return false;
}

/* How many codes of its value map were neither seen nor come never. */
static inline unsigned count_missing(const struct cim_method *method, const struct code *never, size_t count)
{
	const struct cim_schema_class *class = cim_schema_find_any_class(method->class_name);
	const struct cim_schema_method *known = cim_schema_find_method(class, method->name);
	const struct cim_schema_qualifier *map = cim_schema_find_qualifier(&known->qualifiers, "ValueMap");
	unsigned missing = 0;

	for (unsigned i = 0; map && i < map->value.count; i++) {
		const char *text = map->value.list[i];
		uint32_t code = (uint32_t)strtoul(text, NULL, 0);

		if (strstr(text, "..") || was_seen(method->name, code) != comes_never(method->name, code, never, count))
			continue;
		fprintf(stderr, "%s %u: %s\n", method->name, code,
			was_seen(method->name, code) ? "seen, and said never to come" : "not seen");
		missing++;
	}
	return missing;
}

/* ---- time-outs: another operation on the model waits for a slow disk, and the limit of the call is short ---- */

static bool is_under_way __attribute__((unused));

static inline int name_pool(void *arg)
{
	static unsigned names;
	char label[16];
	const struct pool_modify modify = { .name = "p", .label = label };
	struct fault fault;

	(void)arg;
	snprintf(label, sizeof(label), "slow%u", names++);
	is_under_way = true;
	return control_pool_modify(system_control(a.system), &modify, &fault);
}

static inline void name_pool_slowly(void *arg)
{
	(void)arg;
	CHECK_EQUAL(sim_call(a.sim, name_pool, NULL), 0);
}

static inline void gives_up(int line, const char *method, const char *parameters)
{
	const struct sim_disk_state slow = { .slower = 100000 }, well = { 0 };
	struct rt_group group;

	rt_group_init(&group);
	is_under_way = false;
	sim_set_disk(a.sim, "/state", &slow);
	CHECK_EQUAL(rt_group_start(&group, "slow", name_pool_slowly, NULL), 0);
	while (!is_under_way)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	limit_ns = 10 * RT_MS;
	note(line, method, parameters, 3);
	limit_ns = 0;
	sim_set_disk(a.sim, "/state", &well);
	CHECK_EQUAL(rt_group_wait(&group), 0);
}
#define GIVES_UP(method, parameters)	gives_up(__LINE__, method, parameters)

static inline void set_service(const char *verb)
{
	char request[64];

	snprintf(request, sizeof(request), "{\"op\":\"service %s\"}", verb);
	expect(&a, request, DONE);
}

#endif
