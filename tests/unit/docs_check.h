/* SPDX-License-Identifier: Apache-2.0 */
/* docs_check.h - for tests of pages that have to say what the code says: the page, and what is wanted of it. */
#ifndef XDC_TESTS_DOCS_CHECK_H
#define XDC_TESTS_DOCS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
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

#endif
