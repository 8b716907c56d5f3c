/* SPDX-License-Identifier: Apache-2.0 */
/* Filters, listeners and subscriptions: kept over a restart, bounded, and never one that leads nowhere. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/subscription.h"
#include "control_check.h"
#include "rt/file.h"

static struct meta *meta;
static struct subscriptions *subscriptions;

static int load(void *arg, enum meta_kind kind, const void *record)
{
	(void)arg;
	return kind >= META_FILTER && kind <= META_SUBSCRIPTION ? subscriptions_load(subscriptions, kind, record) : 0;
}

static void open_subscriptions(void)
{
	int rc = rt_path_make_folder("/state");

	CHECK(rc == 0 || rc == -EEXIST);
	CHECK_EQUAL(rt_path_sync_parent("/state"), 0);
	CHECK_EQUAL(meta_open("/state", &meta), 0);
	CHECK_EQUAL(subscriptions_create(&subscriptions), 0);
	CHECK_EQUAL(meta_load(meta, load, NULL), 0);
	subscriptions_start(subscriptions, meta);
}

static void close_subscriptions(void)
{
	subscriptions_free(subscriptions);
	meta_close(meta);
}

static struct record_filter make_filter(const char *name)
{
	struct record_filter filter = { .query = "SELECT * FROM CIM_InstCreation", .language = "WQL" };

	snprintf(filter.name, sizeof(filter.name), "%s", name);
	return filter;
}

static struct record_listener make_listener(const char *name)
{
	struct record_listener listener = { .url = "http://10.0.0.1:5990/" };

	snprintf(listener.name, sizeof(listener.name), "%s", name);
	return listener;
}

static struct record_subscription make_subscription(const char *filter, const char *listener)
{
	struct record_subscription subscription = { .disabled = false };

	snprintf(subscription.filter, sizeof(subscription.filter), "%s", filter);
	snprintf(subscription.listener, sizeof(subscription.listener), "%s", listener);
	return subscription;
}

/* 0, or the code of the fault. */
static int put_filter(const char *name)
{
	struct record_filter filter = make_filter(name);
	struct fault fault;

	return subscriptions_put(subscriptions, META_FILTER, &filter, true, &fault) ? (int)fault.code : 0;
}

static int put_listener(const char *name)
{
	struct record_listener listener = make_listener(name);
	struct fault fault;

	return subscriptions_put(subscriptions, META_LISTENER, &listener, true, &fault) ? (int)fault.code : 0;
}

static int subscribe(const char *filter, const char *listener, bool is_new)
{
	struct record_subscription subscription = make_subscription(filter, listener);
	struct fault fault;

	subscription.disabled = !is_new;
	return subscriptions_put(subscriptions, META_SUBSCRIPTION, &subscription, is_new, &fault) ? (int)fault.code : 0;
}

static int delete(enum meta_kind kind, const char *name, const char *second)
{
	struct record_subscription key = make_subscription(name, second);
	struct fault fault;

	return subscriptions_delete(subscriptions, kind, &key, &fault) ? (int)fault.code : 0;
}

static int run_alone(struct sim_system *system, int (*fn)(void *arg))
{
	sim_boot(system, fn, NULL);
	CHECK_EQUAL(sim_wait_ended(system), 0);
	CHECK_EQUAL(sim_exit_code(system), 0);
	return 0;
}

/* ---- what is kept ---- */

static int make_some(void *arg)
{
	uint64_t version;

	(void)arg;
	open_subscriptions();
	version = subscriptions_version(subscriptions);
	CHECK_EQUAL(put_filter("b"), 0);
	CHECK_EQUAL(put_filter("a"), 0);
	CHECK_EQUAL(put_listener("l"), 0);
	CHECK_EQUAL(subscribe("a", "l", true), 0);
	CHECK_EQUAL(subscribe("b", "l", true), 0);
	CHECK_EQUAL(subscribe("xdc:own", "l", true), 0);
	CHECK_EQUAL(subscribe("a", "l", false), 0);
	CHECK_EQUAL(subscriptions_version(subscriptions), version + 7);
	/* Once each; no others than there are; none that leads nowhere. */
	CHECK_EQUAL(put_filter("a"), FAULT_IN_USE);
	CHECK_EQUAL(put_filter("xdc:mine"), FAULT_INVALID_PARAMETER);
	CHECK_EQUAL(subscribe("a", "l", true), FAULT_IN_USE);
	CHECK_EQUAL(subscribe("c", "l", true), FAULT_INVALID_PARAMETER);
	CHECK_EQUAL(subscribe("a", "m", true), FAULT_INVALID_PARAMETER);
	CHECK_EQUAL(subscribe("a", "m", false), FAULT_INVALID_PARAMETER);
	CHECK_EQUAL(delete(META_FILTER, "a", ""), FAULT_IN_USE);
	CHECK_EQUAL(delete(META_LISTENER, "l", ""), FAULT_IN_USE);
	CHECK_EQUAL(delete(META_LISTENER, "m", ""), FAULT_INVALID_PARAMETER);
	CHECK_EQUAL(delete(META_SUBSCRIPTION, "b", "l"), 0);
	CHECK_EQUAL(delete(META_SUBSCRIPTION, "b", "l"), FAULT_INVALID_PARAMETER);
	CHECK_EQUAL(delete(META_FILTER, "b", ""), 0);
	close_subscriptions();
	return 0;
}

static int find_them(void *arg)
{
	const struct record_subscription *first, *second;
	const struct record_filter *filter;

	(void)arg;
	open_subscriptions();
	filter = subscriptions_next(subscriptions, META_FILTER, NULL);
	CHECK(filter && !strcmp(filter->name, "a") && !strcmp(filter->language, "WQL"));
	CHECK(!subscriptions_next(subscriptions, META_FILTER, filter));
	CHECK_EQUAL(subscriptions_count(subscriptions, META_LISTENER), 1);
	first = subscriptions_next(subscriptions, META_SUBSCRIPTION, NULL);
	CHECK(first && !strcmp(first->filter, "a") && first->disabled);
	second = subscriptions_next(subscriptions, META_SUBSCRIPTION, first);
	CHECK(second && !strcmp(second->filter, "xdc:own") && !second->disabled);
	CHECK(subscriptions_find(subscriptions, META_SUBSCRIPTION, second) == second);
	CHECK(!subscriptions_next(subscriptions, META_SUBSCRIPTION, second));
	close_subscriptions();
	return 0;
}

static int test_keep(void *arg)
{
	run_alone(arg, make_some);
	return run_alone(arg, find_them);
}

static void they_are_kept_over_a_restart_and_lead_somewhere(void **state)
{
	(void)state;
	run_world(1, 1, test_keep);
}

/* ---- how many ---- */

static int make_many(void *arg)
{
	char name[16];

	(void)arg;
	open_subscriptions();
	for (unsigned i = 0; i < SUBSCRIPTION_LISTENERS_MAX; i++) {
		snprintf(name, sizeof(name), "%u", i);
		CHECK_EQUAL(put_listener(name), 0);
	}
	CHECK_EQUAL(put_listener("more"), FAULT_FAILED);
	CHECK_EQUAL(delete(META_LISTENER, "7", ""), 0);
	CHECK_EQUAL(put_listener("more"), 0);
	close_subscriptions();
	return 0;
}

static int test_many(void *arg)
{
	return run_alone(arg, make_many);
}

static void there_are_so_many_at_most(void **state)
{
	(void)state;
	run_world(2, 1, test_many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_are_kept_over_a_restart_and_lead_somewhere),
		cmocka_unit_test(there_are_so_many_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
