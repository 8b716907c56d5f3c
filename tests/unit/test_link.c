/* SPDX-License-Identifier: Apache-2.0 */
/* The link in the simulator: requests, data frames, breaks, silence, fencing, refusals. */
#include "link_near.h"

static void wait_connected(struct link *link, bool connected)
{
	struct link_state state;

	for (;;) {
		link_get_state(link, &state);
		if (state.connected == connected)
			return;
		CHECK_EQUAL(rt_cond_wait(link_changed(link)), 0);
	}
}

static struct link_channel *wait_channel(struct link *link, bool connected)
{
	struct link_channel *channel = link_channel_here(link);
	struct link_state state;

	for (;;) {
		link_channel_get_state(channel, &state);
		if (state.connected == connected)
			return channel;
		CHECK_EQUAL(rt_cond_wait(link_channel_changed(channel)), 0);
	}
}

/* Boots far, opens a link, runs the test, closes all and looks for what is left. */
static void with_link(const struct link_config *config, void (*body)(struct link *link))
{
	size_t pieces = sim_memory_pieces(sim_outside(world));
	struct link *link;

	boot_far();
	link = open_link(config);
	wait_connected(link, true);
	CHECK_EQUAL(link_start_data(link), 0);
	wait_channel(link, true);
	body(link);
	link_close(link);
	CHECK_EQUAL(sim_memory_pieces(sim_outside(world)), pieces);
	CHECK_EQUAL(sim_stop_and_wait(far_system), 0);
}

static int ask_status(struct link *link, uint16_t target, uint64_t *size, char *why, bool *answered)
{
	struct wire_pair_request request = { .source_volume = 0x1500, .target_volume = target };
	struct wire_pair_reply reply;
	int rc = link_request(link, WIRE_PAIR_STATUS, &request, &reply, why, answered);

	if (!rc) {
		*size = reply.size_bytes;
		link_reply_free(WIRE_PAIR_STATUS, &reply);
	}
	return rc;
}

/* ---- requests ---- */

static void requests(struct link *link)
{
	struct wire_empty empty = { 0 };
	struct wire_pair_reply unserved = { 0 };
	struct wire_system_reply reply;
	struct link_state state;
	char why[WIRE_TEXT_SIZE];
	bool answered;
	uint64_t size;

	CHECK_EQUAL(link_request(link, WIRE_SYSTEM_SHOW, &empty, &reply, why, &answered), 0);
	CHECK(answered && !strcmp(reply.version, "0.1"));
	link_get_state(link, &state);
	CHECK(!memcmp(reply.boot_id, state.peer_boot_id, sizeof(reply.boot_id)));
	CHECK(state.connected && state.connects == 1 && state.sent_bytes && state.received_bytes);
	CHECK_EQUAL(ask_status(link, FAR_QUICK, &size, NULL, NULL), 0);
	CHECK_EQUAL(size, 0x1500);
	CHECK_EQUAL(ask_status(link, FAR_FULL, &size, why, &answered), -ENOSPC);
	CHECK(answered && !strcmp(why, "volume 4 is full"));
	/* One that far has no handler for. */
	CHECK_EQUAL(link_request(link, WIRE_PAIR_GROW, &(struct wire_pair_grow){ 0 }, &unserved, why, &answered),
		    -EOPNOTSUPP);
	CHECK(answered && strstr(why, "pair_grow"));
}

static void long_lists(struct link *link)
{
	static uint16_t ids[WIRE_VOLUMES_MAX + 1];
	struct wire_volumes_sync request = { .targets = { WIRE_VOLUMES_MAX, ids } };
	struct wire_volumes_sync_reply reply;

	for (uint32_t i = 0; i < WIRE_VOLUMES_MAX; i++)
		ids[i] = (uint16_t)(i * 7);
	CHECK_EQUAL(link_request(link, WIRE_VOLUMES_SYNC, &request, &reply, NULL, NULL), 0);
	CHECK_EQUAL(reply.failed.count, WIRE_VOLUMES_MAX);
	CHECK(!memcmp(reply.failed.ids, ids, WIRE_VOLUMES_MAX * sizeof(ids[0])));
	link_reply_free(WIRE_VOLUMES_SYNC, &reply);
	request.targets.count++;
	CHECK_EQUAL(link_request(link, WIRE_VOLUMES_SYNC, &request, &reply, NULL, NULL), -EMSGSIZE);
}

static int scenario_requests(void *arg)
{
	struct link_config config = near_config();

	(void)arg;
	with_link(&config, requests);
	with_link(&config, long_lists);
	return 0;
}

static void requests_are_answered(void **state)
{
	(void)state;
	run(scenario_requests, NULL);
}

struct asker {
	struct link *link;
	uint16_t volume;
	int rc;
	bool done;
};

static void ask(void *arg)
{
	struct asker *asker = arg;
	uint64_t size;

	asker->rc = ask_status(asker->link, asker->volume, &size, NULL, NULL);
	asker->done = true;
}

static void start_askers(struct rt_group *group, struct asker *askers, unsigned count, struct link *link,
			 uint16_t volume)
{
	rt_group_init(group);
	for (unsigned i = 0; i < count; i++) {
		askers[i] = (struct asker){ .link = link, .volume = volume };
		CHECK_EQUAL(rt_group_start(group, "asker", ask, &askers[i]), 0);
	}
}

static void many_outstanding(struct link *link)
{
	struct asker askers[50];
	struct rt_group group;

	start_askers(&group, askers, 50, link, FAR_SLOW);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	for (unsigned i = 0; i < 50; i++)
		CHECK_EQUAL(askers[i].rc, 0);
	CHECK_EQUAL(far.requests_done, 50);
}

static int scenario_many(void *arg)
{
	struct link_config config = near_config();

	(void)arg;
	far.requests_max = 4;
	with_link(&config, many_outstanding);
	return 0;
}

/* More than the far side takes at a time: the others wait on this side. */
static void outstanding_requests_are_bounded(void **state)
{
	(void)state;
	run(scenario_many, NULL);
}

static void late_replies(struct link *link)
{
	struct link_state before, after;
	uint64_t size;
	bool answered;

	link_get_state(link, &before);
	for (unsigned i = 0; i < 3; i++) {
		RT_LIMIT(rt_now_ns() + 500 * RT_MS);
		CHECK_EQUAL(ask_status(link, FAR_STUBBORN, &size, NULL, &answered), -ETIMEDOUT);
		CHECK(!answered);
	}
	sleep_ms(3000);
	CHECK_EQUAL(far.requests_done, 3);
	CHECK_EQUAL(ask_status(link, FAR_QUICK, &size, NULL, NULL), 0);
	link_get_state(link, &after);
	CHECK(after.connected && after.generation == before.generation);
}

static int scenario_late(void *arg)
{
	struct link_config config = near_config();

	(void)arg;
	with_link(&config, late_replies);
	return 0;
}

static void a_late_reply_is_dropped(void **state)
{
	(void)state;
	run(scenario_late, NULL);
}

/* ---- events ---- */

static unsigned events_seen;

static void on_event(void *arg, struct link *link, uint16_t type, const void *event)
{
	const struct wire_event_session *session = event;

	CHECK(arg == &events_seen && link);
	CHECK_EQUAL(type, WIRE_EVENT_FIRST_WRITE);
	CHECK_EQUAL(session->open_number, events_seen + 1);
	events_seen++;
}

static int send_events(void *arg)
{
	struct wire_event_session event = { .session = 1, .master = NEAR_ID ":15" };

	(void)arg;
	CHECK_EQUAL(link_server_event(far.server, "2105.OTHER", WIRE_EVENT_FIRST_WRITE, &event), -ENOTCONN);
	for (event.open_number = 1; event.open_number <= 100; event.open_number++)
		CHECK_EQUAL(link_server_event(far.server, NEAR_ID, WIRE_EVENT_FIRST_WRITE, &event), 0);
	return 0;
}

static void events(struct link *link)
{
	(void)link;
	CHECK_EQUAL(sim_call(far_system, send_events, NULL), 0);
	sleep_ms(1000);
	CHECK_EQUAL(events_seen, 100);
}

static int scenario_events(void *arg)
{
	struct link_config config = near_config();

	(void)arg;
	events_seen = 0;
	config.event = on_event;
	config.event_arg = &events_seen;
	with_link(&config, events);
	return 0;
}

static void events_arrive_in_order(void **state)
{
	(void)state;
	run(scenario_events, NULL);
}

/* ---- breaks and silence ---- */

static int scenario_no_connection(void *arg)
{
	struct link_config config = near_config();
	struct link *link = open_link(&config);
	char why[WIRE_TEXT_SIZE];
	bool answered = true;
	uint64_t size;

	(void)arg;
	CHECK_EQUAL(ask_status(link, FAR_QUICK, &size, why, &answered), -ENOTCONN);
	CHECK(!answered && strstr(why, FAR_ID " is not connected"));
	sleep_ms(10000);
	CHECK_EQUAL(ask_status(link, FAR_QUICK, &size, why, NULL), -ENOTCONN);
	CHECK(strstr(why, FAR_ADDRESS));
	link_close(link);
	return 0;
}

static void without_connection_a_request_fails_at_once(void **state)
{
	(void)state;
	run(scenario_no_connection, NULL);
}

static void break_under_requests(struct link *link)
{
	struct link_state before, after;
	struct asker askers[10];
	struct rt_group group;
	int64_t broken_ns;
	uint64_t size;

	link_get_state(link, &before);
	start_askers(&group, askers, 10, link, FAR_NEVER);
	sleep_ms(1000);
	CHECK_EQUAL(far.running, 10);
	sim_break(sim_outside(world), far_system);
	broken_ns = rt_now_ns();
	CHECK_EQUAL(rt_group_wait(&group), 0);
	for (unsigned i = 0; i < 10; i++)
		CHECK_EQUAL(askers[i].rc, -ENOTCONN);
	wait_connected(link, true);
	CHECK(rt_now_ns() - broken_ns < 1000 * RT_MS);
	CHECK_EQUAL(far.running, 0);
	CHECK_EQUAL(far.cancelled, 10);
	link_get_state(link, &after);
	CHECK(after.generation > before.generation && after.connects == 2 && after.last_error);
	CHECK(!memcmp(before.peer_boot_id, after.peer_boot_id, WIRE_ID_SIZE));
	CHECK_EQUAL(ask_status(link, FAR_QUICK, &size, NULL, NULL), 0);
}

static int scenario_break(void *arg)
{
	struct link_config config = near_config();

	(void)arg;
	with_link(&config, break_under_requests);
	return 0;
}

static void a_break_ends_requests_and_handlers(void **state)
{
	(void)state;
	run(scenario_break, NULL);
}

static void far_dies(struct link *link)
{
	struct link_state before, after;

	link_get_state(link, &before);
	sim_crash(far_system, SIM_DEATH);
	wait_connected(link, false);
	sleep_ms(10000);
	boot_far();
	wait_connected(link, true);
	wait_channel(link, true);
	link_get_state(link, &after);
	CHECK(memcmp(before.peer_boot_id, after.peer_boot_id, WIRE_ID_SIZE));
}

static int scenario_far_dies(void *arg)
{
	struct link_config config = near_config();

	(void)arg;
	with_link(&config, far_dies);
	return 0;
}

static void another_boot_id_after_a_restart(void **state)
{
	(void)state;
	run(scenario_far_dies, NULL);
}

/* While something waits: after one probe's time and one death's. Idle: when the next idle probe is due. */
static void silence(struct link *link)
{
	int64_t begin_ns;
	uint64_t size;

	sleep_ms(100);
	sim_cut(sim_outside(world), far_system);
	begin_ns = rt_now_ns();
	CHECK_EQUAL(ask_status(link, FAR_QUICK, &size, NULL, NULL), -ENOTCONN);
	CHECK(rt_now_ns() - begin_ns >= 5000 * RT_MS);
	CHECK(rt_now_ns() - begin_ns <= 6100 * RT_MS);
	sim_heal(sim_outside(world), far_system);
	wait_connected(link, true);
	sleep_ms(2000);
	sim_cut(sim_outside(world), far_system);
	begin_ns = rt_now_ns();
	wait_connected(link, false);
	CHECK(rt_now_ns() - begin_ns > 20000 * RT_MS);
	CHECK(rt_now_ns() - begin_ns <= 35100 * RT_MS);
	sim_heal(sim_outside(world), far_system);
	wait_connected(link, true);
}

static int scenario_silence(void *arg)
{
	struct link_config config = near_config();

	(void)arg;
	with_link(&config, silence);
	return 0;
}

static void silence_is_noticed(void **state)
{
	(void)state;
	run(scenario_silence, NULL);
}

/* The side that answers gets rid of a dialer that it does not hear of any more. */
static void near_falls_silent(struct link *link)
{
	struct asker asker;
	struct rt_group group;

	start_askers(&group, &asker, 1, link, FAR_NEVER);
	sleep_ms(100);
	CHECK_EQUAL(far.running, 1);
	sim_cut(sim_outside(world), far_system);
	sleep_ms(20000);
	CHECK_EQUAL(asker.rc, -ENOTCONN);
	CHECK_EQUAL(far.running, 1);
	sleep_ms(20000);
	CHECK_EQUAL(far.running, 0);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK_EQUAL(sim_stop_and_wait(far_system), 0);
	sim_heal(sim_outside(world), far_system);
	boot_far();
	wait_connected(link, true);
}

static int scenario_near_silent(void *arg)
{
	struct link_config config = near_config();

	(void)arg;
	with_link(&config, near_falls_silent);
	return 0;
}

static void the_far_side_notices_silence_too(void **state)
{
	(void)state;
	run(scenario_near_silent, NULL);
}

static void a_long_request_outlives_probes(struct link *link)
{
	struct link_state state;
	struct asker asker;
	struct rt_group group;

	start_askers(&group, &asker, 1, link, FAR_NEVER);
	sleep_ms(240000);
	CHECK(!asker.done);
	link_get_state(link, &state);
	CHECK(state.connected && state.connects == 1 && state.round_trip_us > 0);
	rt_group_stop(&group);
	CHECK_EQUAL(asker.rc, -ECANCELED);
}

static int scenario_long(void *arg)
{
	struct link_config config = near_config();

	(void)arg;
	with_link(&config, a_long_request_outlives_probes);
	return 0;
}

static void a_request_may_take_minutes(void **state)
{
	(void)state;
	run(scenario_long, NULL);
}

static int scenario_kick(void *arg)
{
	struct link_config config = near_config();
	struct link_state state;
	struct link *link;
	int64_t begin_ns;

	(void)arg;
	snprintf(config.address, sizeof(config.address), "nowhere:1");
	config.timing.backoff_min_ms = config.timing.backoff_max_ms = 1000000;
	boot_far();
	link = open_link(&config);
	sleep_ms(100000);
	link_get_state(link, &state);
	CHECK(!state.connected && strstr(state.last_error_text, "nowhere:1"));
	begin_ns = rt_now_ns();
	link_kick(link, FAR_ADDRESS);
	wait_connected(link, true);
	CHECK(rt_now_ns() - begin_ns < RT_SECOND);
	link_close(link);
	return sim_stop_and_wait(far_system);
}

static void a_kick_ends_the_pause(void **state)
{
	(void)state;
	run(scenario_kick, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(requests_are_answered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(outstanding_requests_are_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_late_reply_is_dropped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(events_arrive_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_connection_a_request_fails_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_break_ends_requests_and_handlers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_boot_id_after_a_restart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(silence_is_noticed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_far_side_notices_silence_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_request_may_take_minutes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_kick_ends_the_pause, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
