/* SPDX-License-Identifier: Apache-2.0 */
/* Who may use CIM: the file, what is remembered of it, and who has to wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "face/cim/users.h"

static char path[] = "/tmp/test_cim_users.XXXXXX";

static void write_users(const char *role, const char *password)
{
	char hash[CIM_HASH_MAX];
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(0, cim_password_hash(password, hash));
	fprintf(file, "# those who may\nbad line\nann:root:%s\nann:%s:%s\n", hash, role, hash);
	assert_int_equal(0, fclose(file));
}

static void a_user_comes_in_until_the_file_says_otherwise(void **state)
{
	struct cim_users *users;
	enum op_role role;

	(void)state;
	write_users("operator", "secret");
	users = cim_users_create(path);
	assert_non_null(users);
	assert_true(cim_users_check(users, "h", "ann", "secret", &role));
	assert_int_equal(ROLE_OPERATOR, role);
	assert_true(cim_users_check(users, "h", "ann", "secret", &role));	/* by what is remembered */
	assert_false(cim_users_check(users, "h", "ann", "secret2", &role));
	assert_false(cim_users_check(users, "h", "bob", "secret", &role));
	assert_false(cim_users_check(users, "h", "", "", &role));
	write_users("reader", "newer");
	assert_false(cim_users_check(users, "i", "ann", "secret", &role));
	assert_true(cim_users_check(users, "j", "ann", "newer", &role));
	assert_int_equal(ROLE_MONITOR, role);
	assert_int_equal(0, unlink(path));
	assert_false(cim_users_check(users, "j", "ann", "newer", &role));
	cim_users_destroy(users);
}

/* Who was wrong has to wait before the next try counts; others, and who is known, do not. */
static void guesses_are_slowed_down(void **state)
{
	struct cim_users *users;
	enum op_role role;

	(void)state;
	write_users("admin", "secret");
	users = cim_users_create(path);
	assert_non_null(users);
	for (unsigned i = 0; i < 4; i++)
		assert_false(cim_users_check(users, "thief", "ann", "guess", &role));
	assert_false(cim_users_check(users, "thief", "ann", "secret", &role));
	assert_true(cim_users_check(users, "home", "ann", "secret", &role));
	assert_true(cim_users_check(users, "thief", "ann", "secret", &role));
	cim_users_destroy(users);
	assert_int_equal(0, unlink(path));
}

/* Whoever tries one name after the other from a host has to wait there; elsewhere nobody does. */
static void a_host_that_guesses_names_is_slowed_down(void **state)
{
	struct cim_users *users;
	enum op_role role;
	char name[16];

	(void)state;
	write_users("admin", "secret");
	users = cim_users_create(path);
	assert_non_null(users);
	for (unsigned i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "user%u", i);
		assert_false(cim_users_check(users, "thief", name, "guess", &role));
	}
	assert_false(cim_users_check(users, "thief", "ann", "secret", &role));
	assert_true(cim_users_check(users, "home", "ann", "secret", &role));
	cim_users_destroy(users);
	assert_int_equal(0, unlink(path));
}

static void a_name_beyond_doubt_has_the_role_of_the_file(void **state)
{
	struct cim_users *users;
	enum op_role role;

	(void)state;
	write_users("operator", "secret");
	users = cim_users_create(path);
	assert_non_null(users);
	assert_true(cim_users_find(users, "ann", &role));
	assert_int_equal(ROLE_OPERATOR, role);
	assert_false(cim_users_find(users, "bob", &role));
	assert_false(cim_users_find(users, "", &role));
	assert_int_equal(0, unlink(path));
	assert_false(cim_users_find(users, "ann", &role));
	cim_users_destroy(users);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_comes_in_until_the_file_says_otherwise),
		cmocka_unit_test(guesses_are_slowed_down),
		cmocka_unit_test(a_host_that_guesses_names_is_slowed_down),
		cmocka_unit_test(a_name_beyond_doubt_has_the_role_of_the_file),
	};
	int fd = mkstemp(path);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
