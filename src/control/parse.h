/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse.h - what people write on the command line and in requests, as values: sizes, durations, ids, names, addresses.
 * Pure functions, shared by the command line and the server so that they cannot disagree. Each returns NULL when the
 * text is good and *out is set, else one sentence (a literal) that says what the text should look like.
 */
#ifndef XDC_CONTROL_PARSE_H
#define XDC_CONTROL_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/words.h"

/* "4096", "4K", "10G": bytes; K, M, G, T are powers of 1024. Not zero, a multiple of 512, at most 2^62. */
const char *parse_size(const char *text, uint64_t *bytes);

/* "250ms", "30s", "4m", "18h", "100us", "0": ns. A bare number other than 0 is refused. At most 10 years. */
const char *parse_duration(const char *text, int64_t *ns);

/* "15": hexadecimal, 00 to FE. */
const char *parse_lss(const char *text, uint8_t *lss);

/* "1500": hexadecimal LLVV, LL as above. */
const char *parse_volume_id(const char *text, uint16_t *id);

/* "FF15": hexadecimal, four digits, not 0000. */
const char *parse_ssid(const char *text, uint16_t *ssid);

/* "17": decimal, up to INT64_MAX. */
const char *parse_number(const char *text, uint64_t *number);

/* "17", above 0, or "2026-11-23T00:18:59.123Z", where the point and what follows may be left out: ns since 1970. */
const char *parse_moment(const char *text, uint64_t *number, bool *is_time);

/* "1": decimal, 1 to 255. */
const char *parse_session(const char *text, uint8_t *session);

/* "2105.FA120": four digits of type, a point, 1 to 10 digits and capital letters of serial number. */
const char *parse_system(const char *text);

/* "2105.FA121:16", the master's subordinate: system gets XDC_SYSTEM_ID_MAX characters. */
const char *parse_subordinate(const char *text, char *system, uint8_t *lss);

/* 1 to 63 letters, digits, '.', '_' and '-', the first a letter or digit; and as a regular expression. */
const char *parse_pool_name(const char *text);
#define PARSE_POOL_NAME_MASK	"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"

/* The same, and not four hexadecimal digits: a name never looks like an id. */
const char *parse_volume_name(const char *text);

/* The id or the name of a volume. */
const char *parse_volume(const char *text);

/* "SOURCE:TARGET", two of these; each gets XDC_NAME_MAX characters. */
const char *parse_volume_pair(const char *text, char *source, char *target);

/* An absolute path, shorter than XDC_PATH_MAX, printable UTF-8: requests are JSON, which has no other texts. */
const char *parse_path(const char *text);

struct parsed_address {
	bool is_unix;
	bool is_loopback;	/* a literal of 127.0.0.0/8 or ::1 */
	bool is_wildcard;	/* 0.0.0.0 or :: */
	uint16_t port;		/* 0 with unix, and when any free port is to be taken */
};

/* "unix:PATH", "HOST:PORT", "[V6]:PORT". */
const char *parse_address(const char *text, struct parsed_address *address);

/* HOST:PORT with a port and a host that another machine can dial: what a path leads to. */
const char *parse_remote_address(const char *text);

/* One of the words; *index says which. */
const char *parse_word(const char *text, const char *const *words, unsigned count, unsigned *index);

/* How many letters make b of a: changed, added or taken away. At most 32 of each count. */
unsigned parse_distance(const char *a, const char *b);

/* ---- the way back, for people ---- */

#define FORMAT_MAX	32u

/* "10G", "1.5M", "4096" where no unit fits within three digits. text gets FORMAT_MAX characters. */
void format_size(uint64_t bytes, char *text);

/* "250ms", "1.5s", "4m", "2h30m". */
void format_duration(int64_t ns, char *text);

/* "2026-11-23T00:18:59.123Z"; ns since 1970. */
void format_wall(int64_t wall_ns, char *text);

#define FORMAT_UUID_MAX	37u
void format_uuid(const uint8_t uuid[16], char *text);

#endif
