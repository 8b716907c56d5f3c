/* SPDX-License-Identifier: Apache-2.0 */
/* docs_check.h - for tests of pages that have to say what the code says: the page, and what is wanted of it. */
#ifndef XDC_TESTS_DOCS_CHECK_H
#define XDC_TESTS_DOCS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char page[200000], wanted[200000];

__attribute__((format(printf, 1, 2)))
static void say(const char *format, ...)
{
	size_t len = strlen(wanted);
	va_list args;

	va_start(args, format);
	vsnprintf(wanted + len, sizeof(wanted) - len, format, args);
	va_end(args);
	assert_true(strlen(wanted) + 1 < sizeof(wanted));
}

/* The page docs/NAME. */
static void read_page(const char *name)
{
	const char *top = getenv("XDC_TOP");
	char path[4096];
	FILE *file;

	assert_non_null(top);
	snprintf(path, sizeof(path), "%s/docs/%s", top, name);
	file = fopen(path, "r");
	assert_non_null(file);
	page[fread(page, 1, sizeof(page) - 1, file)] = '\0';
	fclose(file);
}

/* From the line begin on, to its end, the page says what is wanted. Returns where that begins. */
static char *check_page(const char *begin)
{
	char *found = strstr(page, begin);

	assert_non_null(found);
	if (strcmp(found, wanted) != 0) {
		fputs(wanted, stderr);
		fail_msg("the page must say this from its line \"%.*s\" on", (int)strcspn(begin, "\n"), begin);
	}
	return found;
}

#endif
