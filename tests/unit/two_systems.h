/* SPDX-License-Identifier: Apache-2.0 */
/* two_systems.h - for tests over two whole systems in the simulator, asked by the control protocol. */
#ifndef XDC_TESTS_TWO_SYSTEMS_H
#define XDC_TESTS_TWO_SYSTEMS_H

#include <stdio.h>
#include <string.h>

#include "face/cli_call.h"
#include "rt/file.h"
#include "rt/mem.h"
#include "rt/sim.h"
#include "rt_check.h"
#include "system.h"

#define MIB	(UINT64_C(1) << 20)

struct site {
	const char *id, *link;
	struct sim_system *sim;
	struct system *system;		/* while it serves */
};

static struct site a = { .id = "2105.FA120", .link = "a1:7000" }, b = { .id = "2105.FB230", .link = "b1:7000" };

static inline int serve(void *arg)
{
	struct site *site = arg;
	struct system_options options = {
		.state_folder = "/state", .id = site->id, .link.address = "0.0.0.0:7000", .link_address = site->link,
		.control.address = "unix:/control",
	};
	struct fault fault = { 0 };

	CHECK_EQUAL(system_start(&options, &site->system, &fault), 0);
	CHECK_EQUAL(rt_wait_stop(), 0);
	system_stop(site->system);
	site->system = NULL;
	return 0;
}

static inline void boot(struct site *site)
{
	site->system = NULL;
	sim_boot(site->sim, serve, site);
	while (!site->system)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
}

struct question {
	struct site *site;
	const char *request;
	char reply[16384];
};

static inline int ask_there(void *arg)
{
	struct cli_caller caller = { ROLE_ADMIN, "user 0" };
	struct question *question = arg;
	char *reply = cli_call(system_control(question->site->system), &caller, question->request,
			       strlen(question->request));

	snprintf(question->reply, sizeof(question->reply), "%s", reply);
	mem_free(reply);
	return 0;
}

static struct question question;
static const char *const last_reply = question.reply;

/* The reply holds the part. */
static inline void expect(struct site *site, const char *request, const char *part)
{
	question = (struct question){ site, request, "" };
	CHECK_EQUAL(sim_call(site->sim, ask_there, &question), 0);
	if (!strstr(question.reply, part)) {
		fprintf(stderr, "%s\n%s", request, question.reply);
		check_failed(__FILE__, __LINE__, part);
	}
}

/* Until the reply holds the part; the world's end is the limit. */
static inline void await(struct site *site, const char *request, const char *part)
{
	for (;;) {
		expect(site, request, "");
		if (strstr(last_reply, part))
			return;
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_MS), 0);
	}
}

#define DONE	"\"ok\":true"

/* Volumes 1500 at A and 2500 at B, of 1 MiB, and a path from one to the other. */
static inline void prepare(void)
{
	a.sim = sim_add_system(sim_world(), "a1", 2);
	b.sim = sim_add_system(sim_world(), "b1", 2);
	boot(&a);
	boot(&b);
	expect(&a, "{\"op\":\"pool create\",\"args\":{\"pool\":\"p\",\"dir\":\"/pool\"}}", DONE);
	expect(&b, "{\"op\":\"pool create\",\"args\":{\"pool\":\"p\",\"dir\":\"/pool\"}}", DONE);
	expect(&a, "{\"op\":\"volume create\",\"args\":{\"volume\":\"1500\",\"pool\":\"p\",\"size\":\"1M\"}}", DONE);
	expect(&b, "{\"op\":\"volume create\",\"args\":{\"volume\":\"2500\",\"pool\":\"p\",\"size\":\"1M\"}}", DONE);
	expect(&a, "{\"op\":\"path create\",\"args\":{\"source_lss\":\"15\",\"target_lss\":\"25\","
	       "\"system\":\"2105.FB230\",\"to\":\"b1:7000\"}}", DONE);
}

#define CREATE_PAIR	"{\"op\":\"pair create\",\"args\":{\"volume\":\"1500\",\"target\":\"2500\"," \
			"\"system\":\"2105.FB230\",\"type\":\"async\"}}"
#define GROW(volume, size) \
			"{\"op\":\"volume grow\",\"args\":{\"volume\":\"" volume "\",\"size\":\"" size "\"}}"
#define SHOW(volume)	"{\"op\":\"volume show\",\"args\":{\"volume\":\"" volume "\"}}"

static inline void run_with(uint64_t seed, int (*scenario)(void *arg), void *arg)
{
	struct sim_world *world = sim_create(seed, NULL);
	enum sim_end end = sim_run(world, scenario, arg, 3600 * RT_SECOND);

	if (end != SIM_DONE) {
		sim_print_log(world, stderr);
		fprintf(stderr, "%s\n", sim_failure(world));
	}
	assert_int_equal(end, SIM_DONE);
	sim_destroy(world);
}

static inline void run(int (*scenario)(void *arg))
{
	run_with(1, scenario, NULL);
}

static inline int stop_both(void)
{
	CHECK_EQUAL(sim_stop_and_wait(a.sim), 0);
	CHECK_EQUAL(sim_stop_and_wait(b.sim), 0);
	return 0;
}

struct file_search {
	char prefix[8], name[128];
};

static inline int note_name(void *arg, const char *name)
{
	struct file_search *search = arg;

	if (!strncmp(name, search->prefix, strlen(search->prefix)))
		snprintf(search->name, sizeof(search->name), "/pool/%s", name);
	return 0;
}

static inline int find_target_file(void *arg)
{
	return rt_path_list("/pool", note_name, arg);
}

/* The dirty logs of a system with two reactors. */
static inline int drop_logs(void *arg)
{
	(void)arg;
	CHECK_EQUAL(rt_path_unlink("/state/dirty-0.log"), 0);
	CHECK_EQUAL(rt_path_unlink("/state/dirty-1.log"), 0);
	return 0;
}

#define OF_PAIR(verb)	"{\"op\":\"pair " verb "\",\"args\":{\"volume\":\"1500\"}}"

static inline bool is_whole(void)
{
	expect(&a, OF_PAIR("show"), DONE);
	return strstr(last_reply, "\"first_copy_done\":true") && strstr(last_reply, "\"out_of_sync_blocks\":0");
}

#endif
