/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/utf8.h"

#include <string.h>

/* By the first byte: how long the character is, and what the second byte may be, which excludes overlong ones. */
static const struct range {
	unsigned char first, last, second_min, second_max, len;
} ranges[] = {
	{ 0x01, 0x7F, 0x00, 0xFF, 1 }, { 0xC2, 0xDF, 0x80, 0xBF, 2 },
	{ 0xE0, 0xE0, 0xA0, 0xBF, 3 }, { 0xE1, 0xEC, 0x80, 0xBF, 3 }, { 0xED, 0xED, 0x80, 0x9F, 3 },
	{ 0xEE, 0xEF, 0x80, 0xBF, 3 }, { 0xF0, 0xF0, 0x90, 0xBF, 4 }, { 0xF1, 0xF3, 0x80, 0xBF, 4 },
	{ 0xF4, 0xF4, 0x80, 0x8F, 4 },
};

static const struct range *find_range(unsigned char first)
{
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (first >= ranges[i].first && first <= ranges[i].last)
			return &ranges[i];
	return NULL;
}

size_t utf8_character_len(const char *text)
{
	const unsigned char *bytes = (const unsigned char *)text;
	const struct range *range = find_range(bytes[0]);

	if (!range)
		return 0;
	for (size_t i = 1; i < range->len; i++)
		if (bytes[i] < (i == 1 ? range->second_min : 0x80) || bytes[i] > (i == 1 ? range->second_max : 0xBF))
			return 0;
	return range->len;
}

bool utf8_is_valid(const char *text)
{
	size_t len;

	for (; *text; text += len) {
		len = utf8_character_len(text);
		if (!len)
			return false;
	}
	return true;
}

/* Good as far as it goes, but the text ends in the middle of it. */
static bool is_cut(const char *text)
{
	const struct range *range = find_range((unsigned char)*text);

	return range && strlen(text) < range->len;
}

void utf8_repair(char *text)
{
	size_t len;

	for (; *text; text += len) {
		len = utf8_character_len(text);
		if (len)
			continue;
		if (is_cut(text)) {
			*text = '\0';
			return;
		}
		*text = '?';
		len = 1;
	}
}
