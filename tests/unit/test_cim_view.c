/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that instances and associations come from name what the schema has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "face/cim/link.h"

static void views_name_what_the_schema_has(void **state)
{
	const char *wrong = cim_views_check();

	(void)state;
	if (wrong)
		fail_msg("a view: %s", wrong);
}

static void links_name_what_the_schema_has(void **state)
{
	const char *wrong = cim_links_check();

	(void)state;
	if (wrong)
		fail_msg("a link: %s", wrong);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(views_name_what_the_schema_has),
		cmocka_unit_test(links_name_what_the_schema_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
