/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.h - texts that people see are UTF-8, since JSON has no others. Pure functions; texts end with a zero byte. */
#ifndef XDC_RT_UTF8_H
#define XDC_RT_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character that the text begins with; 0: the text is empty, or this is no character. */
size_t utf8_character_len(const char *text);

bool utf8_is_valid(const char *text);

/* Puts '?' where no character begins, and takes away one that was cut at the end. */
void utf8_repair(char *text);

#endif
