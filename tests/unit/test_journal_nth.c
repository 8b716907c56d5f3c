/* SPDX-License-Identifier: Apache-2.0 */
/* The journal when the n-th call of a kind fails, for every n: an allowed error, and what was answered holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdio.h>

#include <cmocka.h>

#include "journal_check.h"

/* A short life of a journal. */
struct life {
	uint64_t committed;		/* answered */
	uint64_t attempted;
	uint64_t number;
	bool opened;
};

static int live(struct life *life, struct journal *journal)
{
	MEM_OWNED uint8_t *buf = mem_alloc(JOURNAL_RUN_MAX);
	struct journal_run run;
	int rc;

	if (!buf)
		return -ENOMEM;
	for (unsigned round = 0; round < 8; round++) {
		life->number++;
		for (unsigned i = 0; i < 6; i++) {
			static uint8_t data[BLOCK];
			memset(data, 'a' + (int)(life->number % 26), sizeof(data));
			rc = journal_append(journal, 1, i * BLOCK, BLOCK, life->number, data);
			if (rc < 0)
				return rc;
		}
		life->attempted = life->number;
		rc = prepare(journal, life->number);
		if (rc == 0)
			rc = commit_cg(journal, life->number);
		if (rc < 0)
			return rc;
		life->committed = life->number;
		while (round % 3 == 2 && (rc = journal_apply_next(journal, &run, buf)) == 1)
			;
		if (rc == 0 && round % 3 == 2)
			rc = journal_apply_done(journal, run.up_to);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int main_lives(void *arg)
{
	struct life *life = arg;
	struct journal_info info;
	struct journal *journal;
	int rc = journal_open("/", LEG, &small_limits, &journal);

	if (rc == 0) {
		char letters[7] = "", shown[7];
		info = info_of(journal);
		life->opened = true;
		CHECK(info.committed == life->committed || info.committed == life->attempted);
		life->committed = info.committed;
		life->number = info.prepared > info.committed ? info.prepared : info.committed;
		if (info.committed > info.applied) {
			memset(letters, 'a' + (int)(info.committed % 26), 6);
			show(journal, 1, 0, 6, shown);
			CHECK(strchr(shown, '?') || strcmp(shown, letters) == 0);
		}
		rc = live(life, journal);
		journal_close(journal);
	}
	CHECK(rc == 0 || rc == -EIO || rc == -ENOMEM || rc == -ENOSPC || rc == -EMFILE);
	return 0;
}

struct nth {
	enum sim_call_kind kind;
	uint64_t n;
	bool happened;
};

static int scenario_nth(void *arg)
{
	struct nth *nth = arg;
	struct life life = { 0 };
	struct sim_system *system = sim_add_system(sim_world(), "b1", 1);

	/* the first life, then one that recovers; the call that fails may be in either */
	sim_fail_nth(system, nth->kind, nth->n);
	for (unsigned i = 0; i < 2; i++) {
		sim_boot(system, main_lives, &life);
		CHECK_EQUAL(sim_wait_ended(system), 0);
		sim_crash(system, i ? SIM_POWER_LOSS : SIM_DEATH);
	}
	nth->happened = sim_fault_count(sim_world(), SIM_FAULT_NTH_CALL) > 0;
	sim_fail_nth(system, nth->kind, 0);
	life.opened = false;
	sim_boot(system, main_lives, &life);
	CHECK_EQUAL(sim_wait_ended(system), 0);
	CHECK(life.opened);
	return 0;
}

static void any_call_may_fail(void **state)
{
	static const enum sim_call_kind kinds[] = {
		SIM_ALLOC, SIM_OPEN, SIM_READ, SIM_WRITE, SIM_SYNC, SIM_ALLOCATE, SIM_CHANGE_NAME, SIM_GET_INFO,
		SIM_SYNC_FOLDER,
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct nth nth = { .kind = kinds[i], .n = 1 };
		for (; nth.n == 1 || nth.happened; nth.n++)
			in_sim(nth.n, scenario_nth, &nth);
		print_message("# %s: %u\n", sim_call_name(kinds[i]), (unsigned)nth.n - 2);
		CHECK(nth.n > 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_call_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
