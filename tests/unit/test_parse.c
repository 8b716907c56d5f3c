/* SPDX-License-Identifier: Apache-2.0 */
/* What people write, as values, and back: whole tables of what is good and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "control/parse.h"
#include "rt/fault.h"
#include "rt/utf8.h"

#define EACH(i, table)	for (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++)

static void sizes(void **state)
{
	static const struct { const char *text; uint64_t bytes; } good[] = {
		{ "512", 512 }, { "4096", 4096 }, { "4K", 4096 }, { "10G", UINT64_C(10) << 30 },
		{ "4M", 4 << 20 }, { "4194304T", UINT64_C(1) << 62 }, { "0004K", 4096 }, { "1536", 1536 },
	};
	static const char *const bad[] = {
		"", "0", "K", "-1", "+1", " 4K", "4K ", "4k", "4KB", "4KiB", "1.5G", "1e9", "511", "1000", "4194305T",
		"18446744073709551616", "99999999999999999999999", "0x1000", "4P", "4,096", "4\n",
	};
	uint64_t bytes;

	(void)state;
	EACH(i, good) {
		assert_null(parse_size(good[i].text, &bytes));
		assert_true(bytes == good[i].bytes);
	}
	EACH(i, bad)
		assert_non_null(parse_size(bad[i], &bytes));
}

static void durations(void **state)
{
	static const struct { const char *text; int64_t ns; } good[] = {
		{ "0", 0 }, { "0s", 0 }, { "50ms", 50000000 }, { "1us", 1000 }, { "4m", 240000000000 },
		{ "30s", 30000000000 }, { "18h", 64800000000000 }, { "87600h", 315360000000000000 },
	};
	static const char *const bad[] = {
		"", "1", "50", "ms", "-1s", "1.5s", "50 ms", "1d", "1h30m", "50MS", "87601h", "9223372036854775808us",
		"00x", "0x0",
	};
	int64_t ns;

	(void)state;
	EACH(i, good) {
		assert_null(parse_duration(good[i].text, &ns));
		assert_true(ns == good[i].ns);
	}
	EACH(i, bad)
		assert_non_null(parse_duration(bad[i], &ns));
}

static void paths(void **state)
{
	static const char *const good[] = {
		"/", "/a b", "/\xC3\xA4", "/\xE2\x82\xAC", "/\xF0\x9F\x92\xBE", "/\xED\x9F\xBF"
	};
	/* Relative; control characters; cut short, overlong, half of a pair, beyond the last; a byte of no use. */
	static const char *const bad[] = {
		"",
		"a",
		"./a",
		"/a\n",
		"/\x7F",
		"/\xC3",
		"/\xC3(",
		"/\xE2\x82",
		"/\xE2\x28\xA1",
		"/\xC0\xAF",
		"/\xC1\xBF",
		"/\xE0\x80\xAF",
		"/\xF0\x80\x80\xAF",
		"/\xED\xA0\x80",
		"/\xF4\x90\x80\x80",
		"/\xF5\x80\x80\x80",
		"/\xFF",
		"/\x80",
	};
	char long_path[XDC_PATH_MAX + 1];

	(void)state;
	EACH(i, good)
		assert_null(parse_path(good[i]));
	EACH(i, bad)
		assert_non_null(parse_path(bad[i]));
	memset(long_path, '/', sizeof(long_path));
	long_path[XDC_PATH_MAX] = '\0';
	assert_non_null(parse_path(long_path));
	long_path[XDC_PATH_MAX - 1] = '\0';
	assert_null(parse_path(long_path));
}

static void ids(void **state)
{
	static const char *const bad_volumes[] = { "", "150", "15000", "FF00", "ff01", "15g0", "0x15", "-150", "15 0" };
	static const char *const bad_lss[] = { "", "1", "FF", "ff", "115", "1G", "-1" };
	static const char *const bad_sessions[] = { "", "0", "256", "-1", "0x1", "1 ", "a", "99999999999999999999" };
	uint16_t id;
	uint8_t small;

	(void)state;
	assert_null(parse_volume_id("15aF", &id));
	assert_int_equal(id, 0x15AF);
	assert_null(parse_volume_id("FEFF", &id));
	assert_int_equal(id, 0xFEFF);
	EACH(i, bad_volumes)
		assert_non_null(parse_volume_id(bad_volumes[i], &id));
	assert_null(parse_lss("fe", &small));
	assert_int_equal(small, 0xFE);
	EACH(i, bad_lss)
		assert_non_null(parse_lss(bad_lss[i], &small));
	assert_null(parse_session("255", &small));
	assert_int_equal(small, 255);
	EACH(i, bad_sessions)
		assert_non_null(parse_session(bad_sessions[i], &small));
	assert_null(parse_ssid("FF15", &id));
	assert_int_equal(id, 0xFF15);
	assert_non_null(parse_ssid("0000", &id));
}

static void systems(void **state)
{
	static const char *const good[] = { "2105.FA120", "2107.1", "0000.A", "2105.0123456789" };
	static const char *const bad[] = {
		"", "2105", "2105.", ".FA120",
		"210.FA120", "21055.FA120", "2105.fa120", "2105.FA 20", "2105.01234567890",
		"2105.FA120 ", "A105.FA120", "2105:FA120", "2105.FA_20",
	};
	char system[XDC_SYSTEM_ID_MAX];
	uint8_t lss;

	(void)state;
	EACH(i, good)
		assert_null(parse_system(good[i]));
	EACH(i, bad)
		assert_non_null(parse_system(bad[i]));
	assert_null(parse_subordinate("2105.FA121:16", system, &lss));
	assert_string_equal(system, "2105.FA121");
	assert_int_equal(lss, 0x16);
	assert_non_null(parse_subordinate("2105.FA121", system, &lss));
	assert_non_null(parse_subordinate("2105.FA121:FF", system, &lss));
	assert_non_null(parse_subordinate("2105.FA121:1600", system, &lss));
	assert_non_null(parse_subordinate(":16", system, &lss));
}

/* A name never looks like an id, so that nobody ever means the one and gets the other. */
static void names(void **state)
{
	static const char *const good[] = { "db", "db-1", "a.b_c", "1", "12345", "g123", "cafe1", "x" };
	static const char *const ids_in_disguise[] = { "dead", "CAFE", "1500", "0000", "FFFF", "beef" };
	static const char *const bad[] = { "", "-db", ".db", "_x", "a b", "a/b", "a\n", "\xc3\xa4", "a:b", "a,b" };
	char longest[XDC_NAME_MAX + 1];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[XDC_NAME_MAX] = '\0';
	assert_non_null(parse_volume_name(longest));
	longest[XDC_NAME_MAX - 1] = '\0';
	assert_null(parse_volume_name(longest));
	EACH(i, good) {
		assert_null(parse_volume_name(good[i]));
		assert_null(parse_volume(good[i]));
	}
	EACH(i, ids_in_disguise) {
		assert_non_null(parse_volume_name(ids_in_disguise[i]));
		assert_null(parse_pool_name(ids_in_disguise[i]));
		assert_null(parse_volume(ids_in_disguise[i]));
	}
	EACH(i, bad) {
		assert_non_null(parse_volume_name(bad[i]));
		assert_non_null(parse_pool_name(bad[i]));
		assert_non_null(parse_volume(bad[i]));
	}
}

static void addresses(void **state)
{
	static const struct {
		const char *text;
		struct parsed_address address;
	} good[] = {
		{ "unix:/run/xdc", { .is_unix = true } },
		{ "unix:relative", { .is_unix = true } },
		{ "127.0.0.1:10809", { .is_loopback = true, .port = 10809 } },
		{ "127.255.3.4:1", { .is_loopback = true, .port = 1 } },
		{ "[::1]:7001", { .is_loopback = true, .port = 7001 } },
		{ "0.0.0.0:7001", { .is_wildcard = true, .port = 7001 } },
		{ "[::]:7001", { .is_wildcard = true, .port = 7001 } },
		{ "10.1.2.3:0", { .port = 0 } },
		{ "far.example:7001", { .port = 7001 } },
		/* Not literals: what the names lead to is not known here. */
		{ "localhost:1", { .port = 1 } },
		{ "127.evil.example:1", { .port = 1 } },
		{ "127.0.0.1.example:1", { .port = 1 } },
		{ "127.0.0.256:1", { .port = 1 } },
		{ "[fe80::1%eth0]:9", { .port = 9 } },
	};
	static const char *const bad[] = {
		"", "unix:", ":1", "host", "host:", "host:65536", "host:-1", "host:1x", "[::1]", "[]:1", "[::1:1",
		"ho st:1", "[::1/64]:1", "::1:1",
	};
	struct parsed_address found;
	char text[200] = "unix:";

	(void)state;
	EACH(i, good) {
		assert_null(parse_address(good[i].text, &found));
		assert_int_equal(found.is_unix, good[i].address.is_unix);
		assert_int_equal(found.is_loopback, good[i].address.is_loopback);
		assert_int_equal(found.is_wildcard, good[i].address.is_wildcard);
		assert_int_equal(found.port, good[i].address.port);
	}
	EACH(i, bad)
		assert_non_null(parse_address(bad[i], &found));
	memset(text + 5, 'p', 108);
	assert_non_null(parse_address(text, &found));
	text[5 + 107] = '\0';
	assert_null(parse_address(text, &found));
	assert_null(parse_remote_address("far.example:7001"));
	assert_non_null(parse_remote_address("unix:/run/x"));
	assert_non_null(parse_remote_address("0.0.0.0:7001"));
	assert_non_null(parse_remote_address("far.example:0"));
}

static void back_to_text(void **state)
{
	static const struct { uint64_t bytes; const char *text; } sizes_out[] = {
		{ 0, "0" }, { 512, "512" }, { 4096, "4K" }, { 1536, "1.5K" }, { UINT64_C(10) << 30, "10G" },
		{ (UINT64_C(10) << 30) + (1 << 29), "10G" }, { UINT64_C(1) << 62, "4194304T" }, { 1023, "1023" },
	};
	static const struct { int64_t ns; const char *text; } durations_out[] = {
		{ 0, "0" }, { 1, "1ns" }, { 1500, "1.5us" }, { 250000000, "250ms" }, { 30000000000, "30s" },
		{ 240000000000, "4m" }, { 245000000000, "4m5s" }, { 64800000000000, "18h" }, { 5400000000000, "1h30m" },
	};
	char text[FORMAT_MAX];

	(void)state;
	EACH(i, sizes_out) {
		format_size(sizes_out[i].bytes, text);
		assert_string_equal(text, sizes_out[i].text);
	}
	EACH(i, durations_out) {
		format_duration(durations_out[i].ns, text);
		assert_string_equal(text, durations_out[i].text);
	}
	format_wall(INT64_C(1763856000123456789), text);
	assert_string_equal(text, "2025-11-23T00:00:00.123Z");
}

static void distances(void **state)
{
	(void)state;
	assert_int_equal(parse_distance("volume", "volume"), 0);
	assert_int_equal(parse_distance("volumee", "volume"), 1);
	assert_int_equal(parse_distance("grwo", "grow"), 2);
	assert_int_equal(parse_distance("", "pool"), 4);
	assert_int_equal(parse_distance("kitten", "sitting"), 3);
}

/* Whatever a fault is made of, JSON can be made of it. */
static void faults(void **state)
{
	static const struct { const char *text, *shown; } texts[] = {
		{ "a\xFFz", "a?z" }, { "\xC3\xA4", "\xC3\xA4" }, { "a\xC3", "a" }, { "\xE2\x82", "" },
		{ "\xE2\x82 ", "?? " }, { "\xED\xA0\x80", "???" },
	};
	char umlauts[1024] = "";
	struct fault fault;

	(void)state;
	EACH(i, texts) {
		fault_set(&fault, FAULT_FAILED, texts[i].text, texts[i].text, "%s", texts[i].text);
		assert_string_equal(fault.object, texts[i].shown);
		assert_string_equal(fault.remedy, texts[i].shown);
		assert_string_equal(fault.message, texts[i].shown);
	}
	for (unsigned i = 0; i < sizeof(umlauts) - 1; i++)
		umlauts[i] = i % 2 ? '\xA4' : '\xC3';
	for (unsigned shift = 0; shift < 2; shift++) {
		fault_set(&fault, FAULT_FAILED, "", "", "%s%s", shift ? "x" : "", umlauts);
		assert_true(utf8_is_valid(fault.message));
		assert_int_equal(strlen(fault.message), sizeof(fault.message) - 2 + shift);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes), cmocka_unit_test(durations), cmocka_unit_test(paths), cmocka_unit_test(ids),
		cmocka_unit_test(systems), cmocka_unit_test(names), cmocka_unit_test(addresses),
		cmocka_unit_test(back_to_text), cmocka_unit_test(distances), cmocka_unit_test(faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
