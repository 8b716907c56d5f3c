/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rt_check.h - for tests that run on fibers of real reactors: a failed check says where and ends the process, because
 * cmocka's own way, a jump to the test's frame, must not leave a fiber or a thread.
 */
#ifndef XDC_TESTS_RT_CHECK_H
#define XDC_TESTS_RT_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(what) \
	do { \
		if (!(what)) \
			check_failed(__FILE__, __LINE__, #what); \
	} while (0)

#define CHECK_EQUAL(value, expected) \
	do { \
		long long check_value = (long long)(value), check_expected = (long long)(expected); \
		if (check_value != check_expected) { \
			fprintf(stderr, "%lld instead of %lld\n", check_value, check_expected); \
			check_failed(__FILE__, __LINE__, #value); \
		} \
	} while (0)

__attribute__((noreturn)) static inline void check_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: check failed: %s\n", file, line, what);
	abort();
}

#endif
