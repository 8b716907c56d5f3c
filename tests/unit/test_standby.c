/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cascade, A to B to C, whose middle is lost: A takes C over. Over three whole systems in the simulator, each of the
 * ways in which it may go wrong: whatever breaks off when, in the end C has what A has, or it was refused and nothing
 * has changed.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "copy/pair.h"
#include "two_systems.h"

#define BLOCKS		256u
#define STANDBY(verb)	"{\"op\":\"standby " verb "\",\"args\":{\"volume\":\"1500\"}}"
#define CREATE		"{\"op\":\"standby create\",\"args\":{\"volume\":\"1500\",\"target\":\"3500\"," \
			"\"system\":\"2105.FC340\"}}"
#define TAKE_OVER(how)	"{\"op\":\"standby take-over\",\"args\":{\"volumes\":[\"1500\"]" how "}}"
#define FORCE		",\"force\":true"
#define DISCARD		",\"discard\":true"
#define SESSION(verb)	"{\"op\":\"session " verb "\",\"args\":{\"session\":\"2\"}}"
#define TO_C(verb)	"{\"op\":\"pair " verb "\",\"args\":{\"volume\":\"1500\",\"to\":\"2105.FC340\"}}"
#define TO_B(verb)	"{\"op\":\"pair " verb "\",\"args\":{\"volume\":\"1500\",\"to\":\"2105.FB230\"}}"
#define AT_B(verb)	"{\"op\":\"pair " verb "\",\"args\":{\"volume\":\"2500\",\"to\":\"2105.FC340\"}}"
#define AT_C(verb)	"{\"op\":\"pair " verb "\",\"args\":{\"volume\":\"3500\"}}"
#define PATH(from, to, system, host) \
	"{\"op\":\"path create\",\"args\":{\"source_lss\":\"" from "\",\"target_lss\":\"" to "\"," \
	"\"system\":\"" system "\",\"to\":\"" host ":7000\"}}"
#define PAIR_TO_C	"{\"op\":\"pair create\",\"args\":{\"volume\":\"2500\",\"target\":\"3500\"," \
			"\"system\":\"2105.FC340\",\"type\":\"async\"}}"

static struct site c = { .id = "2105.FC340", .link = "c1:7000" };

/* ---- volumes ---- */

struct access {
	struct site *site;
	const char *name;
	uint16_t volume;
	unsigned block;
	uint8_t value;
	uint8_t *values;		/* of all blocks, as they lie on the disk */
};

static int write_there(void *arg)
{
	const struct access *access = arg;
	struct control *control = system_control(access->site->system);
	struct attachment attachment;
	uint8_t data[XDC_BLOCK_SIZE];
	int rc = control_attach(control, access->name, &attachment);

	if (rc)
		return rc;
	memset(data, access->value, sizeof(data));
	rc = volume_write(attachment.volume, data, sizeof(data), (uint64_t)access->block * XDC_BLOCK_SIZE, 0);
	control_detach(control, access->volume);
	return rc;
}

static void write_at(struct site *site, const char *name, unsigned block, uint8_t value)
{
	struct access access = {
		.site = site, .name = name, .volume = (uint16_t)strtoul(name, NULL, 16), .block = block,
		.value = value,
	};

	CHECK_EQUAL(sim_call(site->sim, write_there, &access), 0);
}

static void write_a(unsigned block, uint8_t value)
{
	write_at(&a, "1500", block, value);
}

static int read_disk(void *arg)
{
	const struct access *access = arg;
	uint8_t data[XDC_BLOCK_SIZE];
	int rc = 0;

	for (unsigned i = 0; !rc && i < BLOCKS; i++) {
		rc = vdisk_read(volume_disk(pair_first_of(control_copy(system_control(access->site->system)),
							  access->volume)->volume),
				data, sizeof(data), (uint64_t)i * XDC_BLOCK_SIZE);
		access->values[i] = data[0];
		CHECK(!memcmp(data, data + 1, sizeof(data) - 1));
	}
	return rc;
}

static int read_there(void *arg)
{
	const struct access *access = arg;
	struct copy *copy = control_copy(system_control(access->site->system));

	return rt_call(volume_reactor(pair_first_of(copy, access->volume)->volume), read_disk, arg);
}

static void read_all(struct site *site, uint16_t volume, uint8_t values[BLOCKS])
{
	struct access access = { .site = site, .volume = volume, .values = values };

	CHECK_EQUAL(sim_call(site->sim, read_there, &access), 0);
}

/* ---- the cascade ---- */

static long long number_of(struct site *site, const char *request, const char *key)
{
	char part[64];
	const char *at;

	expect(site, request, DONE);
	snprintf(part, sizeof(part), "\"%s\":", key);
	at = strstr(last_reply, part);
	CHECK(at);
	return strtoll(at + strlen(part), NULL, 10);
}

static void make_cascade(void)
{
	prepare();
	c.sim = sim_add_system(sim_world(), "c1", 2);
	boot(&c);
	expect(&c, "{\"op\":\"pool create\",\"args\":{\"pool\":\"p\",\"dir\":\"/pool\"}}", DONE);
	expect(&c, "{\"op\":\"volume create\",\"args\":{\"volume\":\"3500\",\"pool\":\"p\",\"size\":\"1M\"}}", DONE);
	expect(&a, PATH("15", "35", "2105.FC340", "c1"), DONE);
	expect(&b, PATH("25", "35", "2105.FC340", "c1"), DONE);
	expect(&a, "{\"op\":\"pair create\",\"args\":{\"volume\":\"1500\",\"target\":\"2500\","
	       "\"system\":\"2105.FB230\",\"type\":\"sync\"}}", DONE);
	await(&a, OF_PAIR("show"), "\"state\":\"full-duplex\"");
	expect(&b, PAIR_TO_C, DONE);
	expect(&b, "{\"op\":\"session open\",\"args\":{\"session\":\"2\",\"lss\":\"25\"}}", DONE);
	expect(&b, "{\"op\":\"session add\",\"args\":{\"session\":\"2\",\"volumes\":[\"2500\"]}}", DONE);
	expect(&b, "{\"op\":\"session start\",\"args\":{\"session\":\"2\",\"master\":\"25\"}}", DONE);
	await(&b, SESSION("show"), "\"joined_count\":1");
}

static void await_known(void)
{
	await(&a, STANDBY("show"), "\"state\":\"standing-by\"");
	while (number_of(&a, STANDBY("show"), "out_of_sync_blocks"))
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_MS), 0);
}

/* Standing by, and C has all. */
static void make_standby(void)
{
	make_cascade();
	for (unsigned i = 0; i < 40; i++)
		write_a(i, 0x10);
	expect(&a, CREATE, DONE);
	await_known();
}

static void await_equal(void)
{
	uint8_t here[BLOCKS], there[BLOCKS];

	while (number_of(&a, TO_C("show"), "out_of_sync_blocks") || strstr(last_reply, "\"first_copy_done\":false"))
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_MS), 0);
	read_all(&a, 0x1500, here);
	read_all(&c, 0x3500, there);
	for (unsigned i = 0; i < BLOCKS; i++)
		if (here[i] != there[i]) {
			fprintf(stderr, "block %u: %02x at A, %02x at C\n", i, here[i], there[i]);
			check_failed(__FILE__, __LINE__, "C has not what A has");
		}
}

/* As its administrator does: until it is done. */
static void take_over_at_last(void)
{
	await(&a, TAKE_OVER(FORCE), DONE);
	expect(&a, STANDBY("show"), "has no standby");
}

static void stop(struct site *site)
{
	if (sim_is_running(site->sim))
		CHECK_EQUAL(sim_stop_and_wait(site->sim), 0);
}

static int stop_all(void)
{
	stop(&a);
	stop(&b);
	stop(&c);
	return 0;
}

/* ---- groups in flight ---- */

struct loss {
	int64_t after_ns;
	bool parted;			/* B and C, before */
};

/* What B has passed on and no group has is what C may lack. */
static int lose_b_in_flight(void *arg)
{
	const struct loss *loss = arg;

	make_standby();
	if (loss->parted)
		sim_cut(b.sim, c.sim);
	for (unsigned i = 0; i < 30; i++) {
		write_a(20 + i, (uint8_t)(0x40 + i));
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + loss->after_ns / 30), 0);
	}
	sim_crash(b.sim, SIM_POWER_LOSS);
	take_over_at_last();
	/* It is known: nothing but what was noted is looked at. */
	await_equal();
	CHECK_EQUAL(number_of(&a, TO_C("show"), "compared_bytes"), 0);
	return stop_all();
}

static void what_was_in_flight_when_the_middle_is_lost_is_sent(void **state)
{
	(void)state;
	for (unsigned parted = 0; parted < 2; parted++)
		for (int64_t ms = 1; ms <= 4000; ms *= 5)
			run_with((uint64_t)ms, lose_b_in_flight, &(struct loss){ ms * RT_MS, parted });
}

/* ---- another history ---- */

/* B has made its pair with C anew while A could not hear of it. */
static int renew_behind_a(void *arg)
{
	(void)arg;
	make_standby();
	sim_cut(a.sim, b.sim);
	sim_cut(a.sim, c.sim);
	expect(&b, SESSION("terminate"), DONE);
	expect(&b, "{\"op\":\"session remove\",\"args\":{\"session\":\"2\",\"volumes\":[\"2500\"]}}", DONE);
	expect(&c, "{\"op\":\"session terminate\",\"args\":{\"session\":\"2\",\"force\":true}}", DONE);
	expect(&b, AT_B("delete"), DONE);
	expect(&b, PAIR_TO_C, DONE);
	await(&b, AT_B("show"), "\"first_copy_done\":true");
	sim_heal(a.sim, c.sim);
	expect(&a, TAKE_OVER(FORCE), "was never what system 2105.FA120 has heard of it");
	expect(&a, TAKE_OVER(FORCE DISCARD), "was never what system 2105.FA120 has heard of it");
	/* Nobody was fenced, and it stands by as before. */
	expect(&c, AT_C("show"), "\"system\":\"2105.FB230\"");
	CHECK(!strstr(last_reply, "failed-over"));
	expect(&a, STANDBY("show"), DONE);
	CHECK(!strstr(last_reply, "taking-over"));
	expect(&a, STANDBY("delete"), DONE);
	return stop_all();
}

static void a_far_side_of_another_history_is_refused_before_anybody_is_fenced(void **state)
{
	(void)state;
	run(renew_behind_a);
}

/* C was recovered and written: what hosts wrote there is given up by whoever says so. */
static int write_at_c(void *arg)
{
	(void)arg;
	make_standby();
	sim_crash(b.sim, SIM_DEATH);
	expect(&c, SESSION("recover"), DONE);
	write_at(&c, "3500", 7, 0xc7);
	expect(&a, TAKE_OVER(FORCE), "was written there");
	expect(&a, STANDBY("show"), "\"state\":\"standing-by\"");
	write_at(&c, "3500", 8, 0xc8);
	expect(&a, TAKE_OVER(FORCE DISCARD), DONE);
	await_equal();
	return stop_all();
}

static void a_far_side_that_was_written_is_taken_over_only_with_discard(void **state)
{
	(void)state;
	run(write_at_c);
}

static int attach_a(void *arg)
{
	(void)arg;
	return control_attach(system_control(a.system), "1500", &(struct attachment){ 0 });
}

/* What hosts had not flushed is gone at A, and C may have it. */
static int lose_writes_at_a(void *arg)
{
	(void)arg;
	make_standby();
	CHECK_EQUAL(sim_call(a.sim, attach_a, NULL), 0);
	write_a(50, 0x50);
	await_known();
	sim_crash(a.sim, SIM_POWER_LOSS);
	sim_crash(b.sim, SIM_DEATH);
	boot(&a);
	expect(&a, TAKE_OVER(FORCE), "has lost writes that volume 3500 of 2105.FC340 may have");
	expect(&c, AT_C("show"), "\"system\":\"2105.FB230\"");
	CHECK(!strstr(last_reply, "failed-over"));
	expect(&a, "{\"op\":\"volume accept\",\"args\":{\"volume\":\"1500\"}}", DONE);
	await(&a, TAKE_OVER(FORCE), DONE);
	await_equal();
	return stop_all();
}

static void a_source_that_has_lost_writes_takes_nothing_over_before_that_is_accepted(void **state)
{
	(void)state;
	run(lose_writes_at_a);
}

/* Production was at B, which sent on what was written there; A, cut off, has not heard of it. */
static int write_at_b(void *arg)
{
	(void)arg;
	make_standby();
	sim_cut(a.sim, b.sim);
	expect(&b, "{\"op\":\"pair failover\",\"args\":{\"volume\":\"2500\",\"to\":\"2105.FA120\"}}", DONE);
	write_at(&b, "2500", 9, 0xb9);
	while (number_of(&b, AT_B("show"), "out_of_sync_blocks"))
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_MS), 0);
	sim_crash(b.sim, SIM_DEATH);
	expect(&a, TAKE_OVER(FORCE), "is of a generation that is not known here");
	expect(&a, STANDBY("show"), "\"state\":\"standing-by\"");
	expect(&a, TAKE_OVER(FORCE DISCARD), DONE);
	await_equal();
	CHECK(number_of(&a, TO_C("show"), "compared_bytes") > 0);
	return stop_all();
}

static void a_far_side_that_has_what_the_middle_wrote_is_taken_over_only_with_discard(void **state)
{
	(void)state;
	run(write_at_b);
}

/* ---- what breaks off in the middle ---- */

enum victim { VICTIM_A, VICTIM_B, VICTIM_C };

struct trouble {
	enum victim victim;
	enum sim_call_kind kind;
	uint64_t nth;
	bool crash;			/* else the call fails */
	bool happened, done;
};

static struct sim_system *system_of(enum victim victim)
{
	return victim == VICTIM_A ? a.sim : victim == VICTIM_B ? b.sim : c.sim;
}

static void mend(struct site *site)
{
	if (!sim_is_running(site->sim))
		boot(site);
}

struct command {
	const char *request;
	char reply[16384];
};

static int ask_command(void *arg)
{
	struct cli_caller caller = { ROLE_ADMIN, "user 0" };
	struct command *command = arg;
	char *reply = cli_call(system_control(a.system), &caller, command->request, strlen(command->request));

	snprintf(command->reply, sizeof(command->reply), "%s", reply);
	mem_free(reply);
	return 0;
}

/* It may die with A. */
static void run_command(void *arg)
{
	struct command *command = arg;

	(void)!sim_call(a.sim, ask_command, command);
}

static void take_over_in_trouble(struct trouble *trouble)
{
	struct command command = { .request = TAKE_OVER(FORCE) };
	uint64_t calls = sim_calls(system_of(trouble->victim), trouble->kind);
	struct rt_group group;

	if (trouble->crash)
		sim_crash_at_nth(system_of(trouble->victim), trouble->kind, trouble->nth, SIM_DEATH);
	else
		sim_fail_nth(system_of(trouble->victim), trouble->kind, trouble->nth);
	rt_group_init(&group);
	CHECK_EQUAL(rt_group_start(&group, "take-over", run_command, &command), 0);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	calls = sim_calls(system_of(trouble->victim), trouble->kind) - calls;
	trouble->happened = trouble->crash ? !sim_is_running(system_of(trouble->victim)) : calls >= trouble->nth;
	trouble->done = strstr(command.reply, DONE);
	sim_crash_at_nth(system_of(trouble->victim), trouble->kind, 0, SIM_DEATH);
	sim_fail_nth(system_of(trouble->victim), trouble->kind, 0);
}

static int be_in_trouble(void *arg)
{
	struct trouble *trouble = arg;

	make_standby();
	/* C lacks this. */
	sim_cut(b.sim, c.sim);
	for (unsigned i = 0; i < 10; i++)
		write_a(35 + i, (uint8_t)(0x60 + i));
	sim_heal(b.sim, c.sim);
	take_over_in_trouble(trouble);
	/* An answer that is lost is asked for again at once. */
	CHECK(trouble->crash || trouble->done);
	mend(&a);
	mend(&c);
	mend(&b);
	take_over_at_last();
	write_a(60, 0x77);
	await_equal();
	/* What B sends is refused from then on. */
	expect(&c, AT_C("show"), "\"system\":\"2105.FA120\"");
	return stop_all();
}

static void be_in_every_trouble(enum victim victim, enum sim_call_kind kind, bool crash)
{
	struct trouble trouble = { .happened = true };
	unsigned count = 0;

	for (uint64_t nth = 1; trouble.happened && nth <= 60; nth++, count++) {
		trouble = (struct trouble){ .victim = victim, .kind = kind, .nth = nth, .crash = crash };
		run_with(nth, be_in_trouble, &trouble);
	}
	assert_true(count > 1);
}

static void the_source_may_die_at_each_step_of_a_take_over(void **state)
{
	(void)state;
	be_in_every_trouble(VICTIM_A, SIM_WRITE, true);
}

static void the_far_side_may_die_at_each_step_of_a_take_over(void **state)
{
	(void)state;
	be_in_every_trouble(VICTIM_C, SIM_WRITE, true);
	be_in_every_trouble(VICTIM_C, SIM_SYNC, true);
}

static void the_middle_may_die_at_each_step_of_a_take_over(void **state)
{
	(void)state;
	be_in_every_trouble(VICTIM_B, SIM_SEND, true);
	be_in_every_trouble(VICTIM_B, SIM_RECEIVE, true);
}

/* Of its three tries the first loses its answer, wherever the connection breaks. */
static void an_answer_of_the_far_side_that_is_lost_is_asked_for_again(void **state)
{
	(void)state;
	be_in_every_trouble(VICTIM_C, SIM_SEND, false);
}

/* ---- two commands at once ---- */

/* C dies when it has heard of it: the take-over does not end by itself, and the standby stays until it is given up. */
static int delete_meanwhile(void *arg)
{
	struct command taking = { .request = TAKE_OVER(FORCE) }, deleting = { .request = STANDBY("delete") };
	struct rt_group group;

	(void)arg;
	make_standby();
	sim_crash_at_nth(c.sim, SIM_SYNC, 1, SIM_DEATH);
	rt_group_init(&group);
	CHECK_EQUAL(rt_group_start(&group, "take-over", run_command, &taking), 0);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	CHECK(!sim_is_running(c.sim));
	CHECK_EQUAL(rt_group_start(&group, "delete", run_command, &deleting), 0);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK(!strstr(taking.reply, DONE));
	CHECK(strstr(deleting.reply, "it is being taken over"));
	sim_crash(a.sim, SIM_DEATH);
	boot(&a);
	expect(&a, STANDBY("delete"), "it is being taken over");
	expect(&a, "{\"op\":\"standby delete\",\"args\":{\"volume\":\"1500\",\"force\":true}}", DONE);
	expect(&a, STANDBY("show"), "has no standby");
	return stop_all();
}

static void a_standby_is_not_deleted_while_it_is_taken_over_but_by_force(void **state)
{
	(void)state;
	run(delete_meanwhile);
}

static int delete_too_late(void *arg)
{
	struct command taking = { .request = TAKE_OVER(FORCE) }, deleting = { .request = STANDBY("delete") };
	struct rt_group group;

	(void)arg;
	make_standby();
	rt_group_init(&group);
	CHECK_EQUAL(rt_group_start(&group, "take-over", run_command, &taking), 0);
	CHECK_EQUAL(rt_group_start(&group, "delete", run_command, &deleting), 0);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK(strstr(taking.reply, DONE));
	CHECK(strstr(deleting.reply, "has no standby"));
	await_equal();
	return stop_all();
}

static void who_deletes_it_during_a_take_over_finds_none(void **state)
{
	(void)state;
	run(delete_too_late);
}

/* ---- a near pair that is suspended ---- */

/* What B does not get is noted for C, too. While B is there it serves C. */
static int suspend_then_lose(void *arg)
{
	const bool *dies = arg;

	make_standby();
	expect(&a, TO_B("suspend"), DONE);
	for (unsigned i = 0; i < 5; i++)
		write_a(100 + i, 0x51);
	expect(&a, TAKE_OVER(""), "is there, and serves volume 3500");
	expect(&a, STANDBY("show"), "\"state\":\"standing-by\"");
	if (*dies) {
		sim_crash(b.sim, SIM_DEATH);
		await(&a, TAKE_OVER(""), DONE);
	} else {
		expect(&a, TAKE_OVER(FORCE), DONE);
	}
	await_equal();
	CHECK_EQUAL(number_of(&a, TO_C("show"), "compared_bytes"), 0);
	if (*dies)
		return stop_all();
	/* B is refused what it still has for C. */
	expect(&a, TO_B("resume"), DONE);
	write_a(110, 0x52);
	await(&a, TO_B("show"), "\"state\":\"full-duplex\"");
	await_equal();
	return stop_all();
}

static void a_standby_of_a_suspended_pair_is_taken_over_by_force_or_when_the_middle_is_gone(void **state)
{
	(void)state;
	run_with(1, suspend_then_lose, &(bool){ false });
	run_with(1, suspend_then_lose, &(bool){ true });
}

/* What was written while it was suspended, before there was a standby, is noted for B alone. */
static int stand_by_suspended(void *arg)
{
	(void)arg;
	make_cascade();
	expect(&a, TO_B("suspend"), DONE);
	for (unsigned i = 0; i < 5; i++)
		write_a(100 + i, 0x51);
	expect(&a, CREATE, DONE);
	write_a(120, 0x53);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_SECOND), 0);
	expect(&a, STANDBY("show"), "\"state\":\"preparing\"");
	sim_crash(b.sim, SIM_DEATH);
	await(&a, TAKE_OVER(""), DONE);
	await_equal();
	CHECK(number_of(&a, TO_C("show"), "compared_bytes") > 0);
	return stop_all();
}

static void a_standby_that_was_made_while_its_pair_was_suspended_compares_all(void **state)
{
	(void)state;
	run(stand_by_suspended);
}

/* The same, but the pair goes on: what B gets then is not written again, and C may lack it until a group has it. */
static int resume_then_lose(void *arg)
{
	(void)arg;
	make_cascade();
	expect(&a, TO_B("suspend"), DONE);
	for (unsigned i = 0; i < 5; i++)
		write_a(100 + i, 0x51);
	expect(&a, CREATE, DONE);
	sim_cut(b.sim, c.sim);
	expect(&a, TO_B("resume"), DONE);
	await(&a, TO_B("show"), "\"state\":\"full-duplex\"");
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_SECOND), 0);
	expect(&a, STANDBY("show"), "\"state\":\"preparing\"");
	sim_heal(b.sim, c.sim);
	await_known();
	sim_crash(b.sim, SIM_DEATH);
	await(&a, TAKE_OVER(""), DONE);
	await_equal();
	CHECK_EQUAL(number_of(&a, TO_C("show"), "compared_bytes"), 0);
	return stop_all();
}

static void what_a_resumed_pair_sends_is_known_when_a_group_has_it(void **state)
{
	(void)state;
	run(resume_then_lose);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_in_flight_when_the_middle_is_lost_is_sent),
		cmocka_unit_test(a_far_side_of_another_history_is_refused_before_anybody_is_fenced),
		cmocka_unit_test(a_far_side_that_was_written_is_taken_over_only_with_discard),
		cmocka_unit_test(a_far_side_that_has_what_the_middle_wrote_is_taken_over_only_with_discard),
		cmocka_unit_test(a_source_that_has_lost_writes_takes_nothing_over_before_that_is_accepted),
		cmocka_unit_test(the_source_may_die_at_each_step_of_a_take_over),
		cmocka_unit_test(the_far_side_may_die_at_each_step_of_a_take_over),
		cmocka_unit_test(the_middle_may_die_at_each_step_of_a_take_over),
		cmocka_unit_test(an_answer_of_the_far_side_that_is_lost_is_asked_for_again),
		cmocka_unit_test(a_standby_is_not_deleted_while_it_is_taken_over_but_by_force),
		cmocka_unit_test(who_deletes_it_during_a_take_over_finds_none),
		cmocka_unit_test(a_standby_of_a_suspended_pair_is_taken_over_by_force_or_when_the_middle_is_gone),
		cmocka_unit_test(a_standby_that_was_made_while_its_pair_was_suspended_compares_all),
		cmocka_unit_test(what_a_resumed_pair_sends_is_known_when_a_group_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
