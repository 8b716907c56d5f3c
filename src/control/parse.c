/* SPDX-License-Identifier: Apache-2.0 */
#include "control/parse.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "rt/utf8.h"

#define NS_PER_US	INT64_C(1000)
#define NS_PER_MS	INT64_C(1000000)
#define NS_PER_S	INT64_C(1000000000)

/* The C library's are bound to a locale. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The decimal number at *text, which moves behind it. False: no digit, or above max. */
static bool take_number(const char **text, uint64_t max, uint64_t *number)
{
	if (!is_digit(**text))
		return false;
	*number = 0;
	for (; is_digit(**text); (*text)++) {
		uint64_t digit = (uint64_t)(**text - '0');

		if (*number > (max - digit) / 10)
			return false;
		*number = *number * 10 + digit;
	}
	return true;
}

/* Exactly `digits` hexadecimal digits and the end of the text. */
static bool take_hex(const char *text, unsigned digits, unsigned *number)
{
	*number = 0;
	for (unsigned i = 0; i < digits; i++) {
		int digit = hex_value(text[i]);

		if (digit < 0)
			return false;
		*number = *number * 16 + (unsigned)digit;
	}
	return text[digits] == '\0';
}

const char *parse_size(const char *text, uint64_t *bytes)
{
	static const char *const wrong =
		"a size is a number with K, M, G or T (powers of 1024), such as 10G, and a multiple of 512 bytes";
	static const char units[] = "KMGT";
	const uint64_t max = UINT64_C(1) << 62;
	const char *unit;
	uint64_t number;
	unsigned shift = 0;

	if (!take_number(&text, max, &number))
		return wrong;
	if (*text) {
		unit = strchr(units, *text);
		if (!unit || text[1])
			return wrong;
		shift = 10u * (unsigned)(unit - units + 1);
	}
	if (!number || number > max >> shift || (number << shift) % 512)
		return wrong;
	*bytes = number << shift;
	return NULL;
}

const char *parse_duration(const char *text, int64_t *ns)
{
	static const char *const wrong = "a duration needs a unit, such as 250ms, 30s, 4m or 18h; only 0 may be bare";
	static const struct { const char *name; int64_t ns; } units[] = {
		{ "us", NS_PER_US }, { "ms", NS_PER_MS }, { "s", NS_PER_S }, { "m", 60 * NS_PER_S },
		{ "h", 3600 * NS_PER_S },
	};
	const int64_t max = 10 * 365 * 24 * 3600 * NS_PER_S;
	uint64_t number;

	if (!take_number(&text, (uint64_t)max, &number))
		return wrong;
	if (!*text && !number) {
		*ns = 0;
		return NULL;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(text, units[i].name)) {
			if (number > (uint64_t)(max / units[i].ns))
				return wrong;
			*ns = (int64_t)number * units[i].ns;
			return NULL;
		}
	return wrong;
}

const char *parse_lss(const char *text, uint8_t *lss)
{
	unsigned number;

	if (!take_hex(text, 2, &number) || number > 0xFE)
		return "an LSS is two hexadecimal digits, 00 to FE";
	*lss = (uint8_t)number;
	return NULL;
}

const char *parse_volume_id(const char *text, uint16_t *id)
{
	unsigned number;

	if (!take_hex(text, 4, &number) || number >> 8 > 0xFE)
		return "a volume id is four hexadecimal digits, two of the LSS (00 to FE) and two of the volume";
	*id = (uint16_t)number;
	return NULL;
}

const char *parse_ssid(const char *text, uint16_t *ssid)
{
	unsigned number;

	if (!take_hex(text, 4, &number) || !number)
		return "an SSID is four hexadecimal digits, not 0000";
	*ssid = (uint16_t)number;
	return NULL;
}

const char *parse_number(const char *text, uint64_t *number)
{
	return take_number(&text, INT64_MAX, number) && !*text ? NULL : "it is a number";
}

const char *parse_moment(const char *text, uint64_t *number, bool *is_time)
{
	static const char *const wrong =
		"it is the sequence of a group, or a time in UTC such as 2026-11-23T00:18:59.123Z";
	struct tm tm = { 0 };
	char again[FORMAT_MAX], with_ms[FORMAT_MAX];
	int ms = 0, end = 0;

	*is_time = !parse_number(text, number) ? false : true;
	if (!*is_time)
		return *number ? NULL : wrong;
	if (strlen(text) >= FORMAT_MAX - 4 ||
	    sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
		   &tm.tm_sec, &end) != 6)
		return wrong;
	if (strcmp(text + end, "Z") != 0 && sscanf(text + end, ".%3dZ", &ms) != 1)
		return wrong;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	if (timegm(&tm) < 0 || ms < 0)
		return wrong;
	*number = (uint64_t)timegm(&tm) * NS_PER_S + (uint64_t)ms * NS_PER_MS;
	/* What was read leniently does not come out as it went in. */
	format_wall((int64_t)*number, again);
	snprintf(with_ms, sizeof(with_ms), "%.*s%s", end, text, text[end] == 'Z' ? ".000Z" : text + end);
	return strcmp(again, with_ms) == 0 ? NULL : wrong;
}

const char *parse_session(const char *text, uint8_t *session)
{
	uint64_t number;

	if (!take_number(&text, 255, &number) || *text || !number)
		return "a session is a number from 1 to 255";
	*session = (uint8_t)number;
	return NULL;
}

/* Length of the system id that the text begins with, 0 if none. */
static size_t system_len(const char *text)
{
	size_t len = 0;

	while (len < 4 && is_digit(text[len]))
		len++;
	if (len != 4 || text[len] != '.')
		return 0;
	for (len = 5; is_digit(text[len]) || (text[len] >= 'A' && text[len] <= 'Z'); len++)
		;
	return len > 5 && len < XDC_SYSTEM_ID_MAX ? len : 0;
}

const char *parse_system(const char *text)
{
	size_t len = system_len(text);

	return len && !text[len] ? NULL : "a system id is TYPE.SERIAL, such as 2105.FA120";
}

const char *parse_subordinate(const char *text, char *system, uint8_t *lss)
{
	size_t len = system_len(text);

	if (!len || text[len] != ':' || parse_lss(text + len + 1, lss))
		return "a subordinate is SYSTEM:LSS, such as 2105.FA121:16";
	memcpy(system, text, len);
	system[len] = '\0';
	return NULL;
}

const char *parse_pool_name(const char *text)
{
	size_t len = 0;

	for (; text[len]; len++)
		if (!is_letter(text[len]) && !is_digit(text[len]) && (!len || !strchr("._-", text[len])))
			break;
	return len && !text[len] && len < XDC_NAME_MAX ? NULL :
		"a name is 1 to 63 letters, digits, '.', '_' and '-', and begins with a letter or digit";
}

const char *parse_volume_name(const char *text)
{
	unsigned number;

	if (take_hex(text, 4, &number))
		return "a volume's name must not look like a volume id (four hexadecimal digits)";
	return parse_pool_name(text);
}

const char *parse_volume(const char *text)
{
	unsigned number;

	return take_hex(text, 4, &number) || !parse_pool_name(text) ? NULL :
		"a volume is named by its id (four hexadecimal digits) or its name";
}

const char *parse_volume_pair(const char *text, char *source, char *target)
{
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;

	if (len == 0 || len >= XDC_NAME_MAX || strlen(colon + 1) >= XDC_NAME_MAX)
		return "two volumes are named SOURCE:TARGET, such as 1500:1600";
	memcpy(source, text, len);
	source[len] = '\0';
	memcpy(target, colon + 1, strlen(colon + 1) + 1);
	return parse_volume(source) ? parse_volume(source) : parse_volume(target);
}

const char *parse_path(const char *text)
{
	size_t len = 0;

	if (!utf8_is_valid(text))
		return "a path is UTF-8";
	for (; text[len]; len++)
		if ((unsigned char)text[len] < ' ' || text[len] == 0x7F)
			return "a path has no control characters";
	return text[0] == '/' && len < XDC_PATH_MAX ? NULL : "a path is absolute and shorter than 1024 characters";
}

/* A literal of 127.0.0.0/8: four decimal numbers. */
static bool is_loopback_v4(const char *host, size_t len)
{
	char text[16];
	const char *at = text;
	uint64_t number;

	if (len >= sizeof(text) || strncmp(host, "127.", 4))
		return false;
	memcpy(text, host, len);
	text[len] = '\0';
	for (int i = 0; i < 4; i++) {
		if (!take_number(&at, 255, &number) || *at != (i < 3 ? '.' : '\0'))
			return false;
		at++;
	}
	return true;
}

static bool host_is(const char *host, size_t len, const char *literal)
{
	return len == strlen(literal) && !memcmp(host, literal, len);
}

static bool host_is_good(const char *host, size_t len, bool bracketed)
{
	if (!len)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool good = bracketed ? hex_value(host[i]) >= 0 || strchr(":.%", host[i]) || is_letter(host[i])
				      : is_letter(host[i]) || is_digit(host[i]) || strchr(".-_", host[i]);
		if (!good)
			return false;
	}
	return true;
}

const char *parse_address(const char *text, struct parsed_address *address)
{
	static const char *const wrong = "an address is unix:PATH, HOST:PORT or [V6]:PORT";
	/* What fits in a sockaddr_un. */
	const size_t unix_max = 107;
	const char *host = text, *colon = strrchr(text, ':'), *port;
	size_t len;
	uint64_t number;
	bool bracketed = text[0] == '[';

	*address = (struct parsed_address){ 0 };
	if (!strncmp(text, "unix:", 5)) {
		address->is_unix = true;
		return text[5] && strlen(text + 5) <= unix_max ? NULL :
			"the path of a Unix socket has 1 to 107 characters";
	}
	if (strlen(text) >= XDC_ADDRESS_MAX || !colon)
		return wrong;
	len = (size_t)(colon - text);
	port = colon + 1;
	if (!take_number(&port, 65535, &number) || *port)
		return wrong;
	if (bracketed) {
		if (len < 3 || text[len - 1] != ']')
			return wrong;
		host++;
		len -= 2;
	}
	if (!host_is_good(host, len, bracketed))
		return wrong;
	address->port = (uint16_t)number;
	address->is_loopback = bracketed ? host_is(host, len, "::1") : is_loopback_v4(host, len);
	address->is_wildcard = host_is(host, len, bracketed ? "::" : "0.0.0.0");
	return NULL;
}

const char *parse_remote_address(const char *text)
{
	struct parsed_address address;

	return !parse_address(text, &address) && !address.is_unix && !address.is_wildcard && address.port ? NULL :
		"the address of another system is HOST:PORT, such as far.example:7001";
}

const char *parse_word(const char *text, const char *const *words, unsigned count, unsigned *index)
{
	for (*index = 0; *index < count; (*index)++)
		if (!strcmp(text, words[*index]))
			return NULL;
	return "no such word";
}

unsigned parse_distance(const char *a, const char *b)
{
	size_t a_len = strnlen(a, 32), b_len = strnlen(b, 32);
	unsigned row[33];

	for (size_t j = 0; j <= b_len; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned change = diagonal + (a[i - 1] != b[j - 1]);
			unsigned shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = change < shift ? change : shift;
		}
	}
	return row[b_len];
}

/* number in units of unit_size, with one decimal when it is below 10 and not whole. */
static void format_units(uint64_t number, uint64_t unit_size, const char *unit, char *text)
{
	uint64_t whole = number / unit_size, tenths = (number % unit_size) * 10 / unit_size;

	if (whole < 10 && tenths)
		snprintf(text, FORMAT_MAX, "%u.%u%s", (unsigned)whole, (unsigned)tenths, unit);
	else
		snprintf(text, FORMAT_MAX, "%llu%s", (unsigned long long)whole, unit);
}

void format_size(uint64_t bytes, char *text)
{
	static const char *const units[] = { "", "K", "M", "G", "T" };
	unsigned unit = 0;

	while (unit < 4 && bytes >> (10 * unit) >= 1024)
		unit++;
	format_units(bytes, UINT64_C(1) << (10 * unit), units[unit], text);
}

void format_duration(int64_t ns, char *text)
{
	static const struct { int64_t ns; const char *name; } units[] = {
		{ NS_PER_S, "s" }, { NS_PER_MS, "ms" }, { NS_PER_US, "us" }, { 1, "ns" },
	};
	int64_t minutes = ns / (60 * NS_PER_S), seconds = ns / NS_PER_S % 60;

	if (ns <= 0)
		snprintf(text, FORMAT_MAX, "0");
	else if (minutes >= 60)
		snprintf(text, FORMAT_MAX, minutes % 60 ? "%lldh%lldm" : "%lldh", (long long)(minutes / 60),
			 (long long)(minutes % 60));
	else if (minutes)
		snprintf(text, FORMAT_MAX, seconds ? "%lldm%llds" : "%lldm", (long long)minutes, (long long)seconds);
	else
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			if (ns >= units[i].ns) {
				format_units((uint64_t)ns, (uint64_t)units[i].ns, units[i].name, text);
				break;
			}
}

void format_wall(int64_t wall_ns, char *text)
{
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	struct tm tm;
	char day[24];

	gmtime_r(&seconds, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, FORMAT_MAX, "%s.%03uZ", day, (unsigned)(wall_ns % NS_PER_S / NS_PER_MS) % 1000u);
}

void format_uuid(const uint8_t uuid[16], char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*text++ = '-';
		*text++ = digits[uuid[i] >> 4];
		*text++ = digits[uuid[i] & 15];
	}
	*text = '\0';
}
