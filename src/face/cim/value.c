/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/value.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "face/cim/path.h"
#include "rt/utf8.h"

#define SPACES		" \t\r\n"
#define SECOND_US	INT64_C(1000000)
#define DAY_SECONDS	INT64_C(86400)
#define NUMBER_LEN	40u

/* ---- numbers and words ---- */

/* The text without the spaces around it; false: it is empty, or longer than any number. */
static bool trim(const char *text, char out[NUMBER_LEN])
{
	size_t len;

	text += strspn(text, SPACES);
	len = strlen(text);
	while (len && strchr(SPACES, text[len - 1]))
		len--;
	if (!len || len >= NUMBER_LEN)
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

static bool read_boolean(const char *word, bool *value)
{
	*value = !strcasecmp(word, "true");
	return *value || !strcasecmp(word, "false");
}

/* Decimal or 0x, without sign. */
static bool read_magnitude(const char *word, uint64_t *value)
{
	bool is_hex = word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
	const char *digits = is_hex ? word + 2 : word;
	char *end;

	if (!*digits || digits[strspn(digits, is_hex ? "0123456789abcdefABCDEF" : "0123456789")])
		return false;
	errno = 0;
	*value = strtoull(digits, &end, is_hex ? 16 : 10);
	return errno == 0 && !*end;
}

static unsigned bits_of(enum cim_type type)
{
	switch (type) {
	case CIM_TYPE_UINT8:
	case CIM_TYPE_SINT8:
		return 8;
	case CIM_TYPE_UINT16:
	case CIM_TYPE_SINT16:
		return 16;
	case CIM_TYPE_UINT32:
	case CIM_TYPE_SINT32:
		return 32;
	default:
		return 64;
	}
}

static bool read_unsigned(enum cim_type type, const char *word, uint64_t *value)
{
	if (*word == '+')
		word++;
	return read_magnitude(word, value) && (bits_of(type) == 64 || *value >> bits_of(type) == 0);
}

static bool read_signed(enum cim_type type, const char *word, int64_t *value)
{
	uint64_t limit = UINT64_C(1) << (bits_of(type) - 1), magnitude;
	bool is_negative = *word == '-';

	if (*word == '-' || *word == '+')
		word++;
	if (!read_magnitude(word, &magnitude) || magnitude > limit - !is_negative)
		return false;
	*value = is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	return true;
}

static bool read_real(const char *word, double *value)
{
	char *end;

	if (word[strspn(word, "0123456789+-.eE")])
		return false;
	*value = strtod(word, &end);
	return end != word && !*end && isfinite(*value);
}

/* One character of UCS-2. */
static bool read_char16(const char *text, uint64_t *value)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t len = utf8_character_len(text);

	if (len == 0 || len > 3 || text[len])
		return false;
	*value = len == 1 ? bytes[0] : len == 2 ? (bytes[0] & 0x1fu) << 6 | (bytes[1] & 0x3fu) :
		 (bytes[0] & 0x0fu) << 12 | (bytes[1] & 0x3fu) << 6 | (bytes[2] & 0x3fu);
	return true;
}

static void print_char16(uint64_t value, char text[4])
{
	size_t len = 0;

	if (value < 0x80) {
		text[len++] = (char)value;
	} else if (value < 0x800) {
		text[len++] = (char)(0xc0 | value >> 6);
		text[len++] = (char)(0x80 | (value & 0x3f));
	} else {
		text[len++] = (char)(0xe0 | value >> 12);
		text[len++] = (char)(0x80 | (value >> 6 & 0x3f));
		text[len++] = (char)(0x80 | (value & 0x3f));
	}
	text[len] = '\0';
}

/* ---- moments and intervals ---- */

/* Days from 1970 to a date of the Gregorian calendar, also before it began. */
static int64_t count_days(int64_t year, int64_t month, int64_t day)
{
	int64_t years = month > 2 ? year : year - 1, era = (years + 400) / 400 - 1, in_era = years - era * 400;
	int64_t in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

static void find_date(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
	int64_t shifted = days + 719468, era = (shifted + 146097) / 146097 - 1, in_era = shifted - era * 146097;
	int64_t years = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * years + years / 4 - years / 100), from_march = (5 * in_year + 2) / 153;

	*day = in_year - (153 * from_march + 2) / 5 + 1;
	*month = from_march < 10 ? from_march + 3 : from_march - 9;
	*year = years + era * 400 + (*month <= 2);
}

static int64_t read_digits(const char *digits, unsigned from, unsigned count)
{
	int64_t value = 0;

	for (unsigned i = from; i < from + count; i++)
		value = value * 10 + (digits[i] - '0');
	return value;
}

/* The form of both; stars become zeros. */
static bool check_form(const char *text, char digits[CIM_DATETIME_LEN + 1])
{
	bool starred = false;

	if (strlen(text) != CIM_DATETIME_LEN || text[14] != '.' || !strchr("+-:", text[21]))
		return false;
	memcpy(digits, text, CIM_DATETIME_LEN + 1);
	for (unsigned i = 0; i < CIM_DATETIME_LEN; i++) {
		if (i == 14 || i == 21)
			continue;
		if (digits[i] == '*' && i < 21) {
			starred = true;
			digits[i] = '0';
		} else if (digits[i] < '0' || digits[i] > '9' || (starred && i < 21)) {
			return false;
		}
	}
	return true;
}

bool cim_datetime_read(const char *text, struct cim_datetime *datetime)
{
	static const unsigned char month_days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	char digits[CIM_DATETIME_LEN + 1];
	int64_t days, month, day, hours, minutes, seconds;

	if (!check_form(text, digits))
		return false;
	hours = read_digits(digits, 8, 2);
	minutes = read_digits(digits, 10, 2);
	seconds = read_digits(digits, 12, 2);
	*datetime = (struct cim_datetime){ .is_interval = digits[21] == ':' };
	if (hours > 23 || minutes > 59 || seconds > 59)
		return false;
	if (datetime->is_interval) {
		if (read_digits(digits, 22, 3) != 0)
			return false;
		days = read_digits(digits, 0, 8);
	} else {
		/* Those left open by stars are the first. */
		month = text[4] == '*' ? 1 : read_digits(digits, 4, 2);
		day = text[6] == '*' ? 1 : read_digits(digits, 6, 2);
		if (month < 1 || month > 12 || day < 1 || day > month_days[month - 1])
			return false;
		days = count_days(read_digits(digits, 0, 4), month, day);
		datetime->utc_minutes = (int16_t)read_digits(digits, 22, 3);
		if (digits[21] == '-')
			datetime->utc_minutes = (int16_t)-datetime->utc_minutes;
		minutes -= datetime->utc_minutes;
	}
	datetime->us = ((days * DAY_SECONDS + hours * 3600 + minutes * 60 + seconds) * SECOND_US) +
		       read_digits(digits, 15, 6);
	return true;
}

void cim_datetime_print(const struct cim_datetime *datetime, char text[CIM_DATETIME_LEN + 1])
{
	int64_t us = datetime->us + datetime->utc_minutes * 60 * SECOND_US, days, rest, year = 0, month = 0, day = 0;
	char digits[96];

	days = us / (DAY_SECONDS * SECOND_US) - (us % (DAY_SECONDS * SECOND_US) < 0);
	rest = us - days * DAY_SECONDS * SECOND_US;
	if (!datetime->is_interval)
		find_date(days, &year, &month, &day);
	/* What has no eight digits of days, or no four of a year, is shown as the end of what has. */
	if (datetime->is_interval ? days > 99999999 : year > 9999)
		snprintf(digits, sizeof(digits), "%s235959.999999", datetime->is_interval ? "99999999" : "99991231");
	else if (datetime->is_interval ? days < 0 : year < 0)
		snprintf(digits, sizeof(digits), "%s000000.000000", datetime->is_interval ? "00000000" : "00000101");
	else
		snprintf(digits, sizeof(digits), "%08" PRId64 "%02d%02d%02d.%06d",
			 datetime->is_interval ? days : year * 10000 + month * 100 + day,
			 (int)(rest / SECOND_US / 3600), (int)(rest / SECOND_US / 60 % 60),
			 (int)(rest / SECOND_US % 60), (int)(rest % SECOND_US));
	snprintf(text, CIM_DATETIME_LEN + 1, "%.21s%c%03d", digits,
		 datetime->is_interval ? ':' : datetime->utc_minutes < 0 ? '-' : '+',
		 datetime->is_interval ? 0 : abs(datetime->utc_minutes) % 1000);
}

/* ---- one value ---- */

bool cim_scalar_read(enum cim_type type, const char *text, struct cim_scalar *scalar)
{
	char word[NUMBER_LEN];

	*scalar = (struct cim_scalar){ 0 };
	if (type == CIM_TYPE_STRING) {
		scalar->text = text;
		return true;
	}
	if (type == CIM_TYPE_CHAR16)
		return read_char16(text, &scalar->number);
	if (!trim(text, word))
		return false;
	switch (type) {
	case CIM_TYPE_BOOLEAN:
		return read_boolean(word, &scalar->boolean);
	case CIM_TYPE_UINT8:
	case CIM_TYPE_UINT16:
	case CIM_TYPE_UINT32:
	case CIM_TYPE_UINT64:
		return read_unsigned(type, word, &scalar->number);
	case CIM_TYPE_SINT8:
	case CIM_TYPE_SINT16:
	case CIM_TYPE_SINT32:
	case CIM_TYPE_SINT64:
		return read_signed(type, word, &scalar->signed_number);
	case CIM_TYPE_REAL32:
	case CIM_TYPE_REAL64:
		return read_real(word, &scalar->real);
	case CIM_TYPE_DATETIME:
		return cim_datetime_read(word, &scalar->datetime);
	default:
		return false;
	}
}

static bool is_signed(enum cim_type type)
{
	return type >= CIM_TYPE_SINT8 && type <= CIM_TYPE_SINT64;
}

bool cim_scalar_equal(enum cim_type type, const struct cim_scalar *a, const struct cim_scalar *b)
{
	if (a->is_null || b->is_null)
		return a->is_null && b->is_null;
	switch (type) {
	case CIM_TYPE_BOOLEAN:
		return a->boolean == b->boolean;
	case CIM_TYPE_STRING:
		return !strcmp(a->text, b->text);
	case CIM_TYPE_REAL32:
	case CIM_TYPE_REAL64:
		return !(a->real < b->real) && !(a->real > b->real);
	case CIM_TYPE_DATETIME:
		return a->datetime.us == b->datetime.us && a->datetime.is_interval == b->datetime.is_interval;
	case CIM_TYPE_REFERENCE:
		return cim_path_equal(a->path, b->path);
	default:
		return is_signed(type) ? a->signed_number == b->signed_number : a->number == b->number;
	}
}

bool cim_value_equal(const struct cim_value *a, const struct cim_value *b)
{
	assert(a->type == b->type && a->is_array == b->is_array);
	if (a->is_null || b->is_null)
		return a->is_null && b->is_null;
	if (!a->is_array)
		return cim_scalar_equal(a->type, &a->one, &b->one);
	if (a->count != b->count)
		return false;
	for (unsigned i = 0; i < a->count; i++)
		if (!cim_scalar_equal(a->type, &a->list[i], &b->list[i]))
			return false;
	return true;
}

/* ---- reading ---- */

static bool is_wrong(const struct cim_slot *slot, const struct xml_node *node, struct cim_failure *failure)
{
	return cim_fail(failure, CIM_ERR_INVALID_PARAMETER, "%.64s is %s %s%s and not %.64s", slot->name,
			slot->is_array ? "an array of" : "a", cim_type_name(slot->type), slot->is_array ? "s" : "",
			node->first || !*node->text ? node->name : node->text);
}

static bool read_reference(struct cim_arena *arena, const struct xml_node *node, const struct cim_slot *slot,
			   enum cim_namespace ns, struct cim_scalar *scalar, struct cim_failure *failure)
{
	*scalar = (struct cim_scalar){ 0 };
	if (strcmp(node->name, "VALUE.REFERENCE") != 0)
		return is_wrong(slot, node, failure);
	if (!cim_path_read(arena, node, ns, &scalar->path, failure))
		return false;
	if (slot->reference_class && !cim_schema_is_named(scalar->path->class, slot->reference_class))
		return cim_fail(failure, CIM_ERR_INVALID_PARAMETER, "%.64s leads to a %s and not to a %s", slot->name,
				slot->reference_class, scalar->path->class->name);
	return true;
}

static bool read_item(struct cim_arena *arena, const struct xml_node *node, const struct cim_slot *slot,
		      enum cim_namespace ns, struct cim_scalar *scalar, struct cim_failure *failure)
{
	if (slot->type == CIM_TYPE_REFERENCE)
		return read_reference(arena, node, slot, ns, scalar, failure);
	if (strcmp(node->name, "VALUE") != 0 || !cim_scalar_read(slot->type, node->text, scalar))
		return is_wrong(slot, node, failure);
	return true;
}

static bool read_array(struct cim_arena *arena, const struct xml_node *node, const struct cim_slot *slot,
		       enum cim_namespace ns, struct cim_value *value, struct cim_failure *failure)
{
	struct cim_scalar *list;
	unsigned count = 0;

	if (strcmp(node->name, slot->type == CIM_TYPE_REFERENCE ? "VALUE.REFARRAY" : "VALUE.ARRAY") != 0)
		return is_wrong(slot, node, failure);
	for (const struct xml_node *child = node->first; child; child = child->next)
		count++;
	list = arena_take(arena, (count + 1) * sizeof(*list));
	if (!list)
		return cim_fail(failure, CIM_ERR_FAILED, "out of memory");
	value->list = list;
	for (const struct xml_node *child = node->first; child; child = child->next, value->count++)
		if (!strcmp(child->name, "VALUE.NULL"))
			list[value->count].is_null = true;
		else if (!read_item(arena, child, slot, ns, &list[value->count], failure))
			return false;
	return true;
}

bool cim_value_read(struct cim_arena *arena, const struct xml_node *node, const struct cim_slot *slot,
		    enum cim_namespace ns, struct cim_value *value, struct cim_failure *failure)
{
	*value = (struct cim_value){ .type = slot->type, .is_array = slot->is_array, .is_null = !node };
	if (!node)
		return true;
	if (slot->is_array)
		return read_array(arena, node, slot, ns, value, failure);
	return read_item(arena, node, slot, ns, &value->one, failure);
}

/* ---- writing ---- */

void xml_put_scalar(struct xml_text *text, enum cim_type type, const struct cim_scalar *scalar)
{
	char word[NUMBER_LEN];

	switch (type) {
	case CIM_TYPE_BOOLEAN:
		xml_put(text, scalar->boolean ? "TRUE" : "FALSE");
		return;
	case CIM_TYPE_STRING:
		xml_put_escaped(text, scalar->text);
		return;
	case CIM_TYPE_CHAR16:
		print_char16(scalar->number, word);
		xml_put_escaped(text, word);
		return;
	case CIM_TYPE_REAL32:
	case CIM_TYPE_REAL64:
		snprintf(word, sizeof(word), "%.*e", type == CIM_TYPE_REAL32 ? 8 : 16, scalar->real);
		break;
	case CIM_TYPE_DATETIME:
		cim_datetime_print(&scalar->datetime, word);
		break;
	default:
		assert(type != CIM_TYPE_REFERENCE);
		if (is_signed(type))
			snprintf(word, sizeof(word), "%" PRId64, scalar->signed_number);
		else
			snprintf(word, sizeof(word), "%" PRIu64, scalar->number);
	}
	xml_put(text, word);
}

static void put_item(struct xml_text *text, enum cim_type type, const struct cim_scalar *scalar)
{
	if (type == CIM_TYPE_REFERENCE) {
		xml_put(text, "<VALUE.REFERENCE>");
		xml_put_path_local(text, scalar->path);
		xml_put(text, "</VALUE.REFERENCE>");
		return;
	}
	xml_put(text, "<VALUE>");
	xml_put_scalar(text, type, scalar);
	xml_put(text, "</VALUE>");
}

void xml_put_value(struct xml_text *text, const struct cim_value *value)
{
	bool is_reference = value->type == CIM_TYPE_REFERENCE;

	if (value->is_null)
		return;
	if (!value->is_array) {
		put_item(text, value->type, &value->one);
		return;
	}
	xml_put(text, is_reference ? "<VALUE.REFARRAY>" : "<VALUE.ARRAY>");
	for (unsigned i = 0; i < value->count; i++)
		if (value->list[i].is_null)
			xml_put(text, "<VALUE.NULL/>");
		else
			put_item(text, value->type, &value->list[i]);
	xml_put(text, is_reference ? "</VALUE.REFARRAY>" : "</VALUE.ARRAY>");
}
