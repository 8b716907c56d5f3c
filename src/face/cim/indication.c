/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/indication.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/event.h"
#include "control/subscription.h"
#include "face/cim/indication_round.h"
#include "rt/log.h"
#include "rt/mem.h"

#define PERIOD_NS	(2 * RT_SECOND)		/* what changes without an event is found so late at most */
#define GAP_NS		(100 * RT_MS)		/* between two rounds, and: */
#define GAP_ROUNDS	9			/* so many times what the last one took */
#define EVENTS_AT_ONCE	32u
#define QUERIES_BYTES	(16u * 1024 * 1024)
#define INSTANCE_BYTES	(4u * 1024 * 1024)

struct cim_indications {
	struct control *control;
	struct cim_engine *engine;
	struct deliveries *deliveries;
	int64_t started_wall_ns;
	struct rt_group fibers;
	struct rt_cond changed;		/* there is news, or a round has ended */
	bool news;			/* since the last round began */
	bool ending;
	uint64_t version_done;		/* of the subscriptions that are in force */
	struct indication_round round;
	uint64_t version_taken;		/* the round's; of version_done when it has ended */
	uint64_t event_seen;
};

/* ---- on reactor 0, for a round ---- */

struct some_events {
	struct cim_indications *indications;
	bool skip;			/* nobody is to be told of what was so far */
	unsigned count;
	struct record_event events[EVENTS_AT_ONCE];
};

static void take_event(void *arg, const struct record_event *event)
{
	struct some_events *some = arg;

	if (some->count < EVENTS_AT_ONCE)
		some->events[some->count++] = *event;
}

static int fetch_events(struct control *control, void *arg)
{
	struct some_events *some = arg;
	struct cim_indications *indications = some->indications;
	const struct events *events = control_events(control);

	some->count = 0;
	if (some->skip)
		indications->event_seen = events_last(events);
	else
		events_each(events, indications->event_seen, EVENT_INFO, take_event, some);
	if (some->count)
		indications->event_seen = some->events[some->count - 1].number;
	return 0;
}

static int post_messages(struct control *control, void *arg)
{
	struct cim_indications *indications = arg;
	struct indication_round *round = &indications->round;

	(void)control;
	for (unsigned i = 0; i < round->message_count; i++) {
		deliveries_post(indications->deliveries, round->messages[i].listener, round->messages[i].head,
				"</VALUE></PROPERTY></INSTANCE></EXPPARAMVALUE></EXPMETHODCALL></SIMPLEEXPREQ>"
				"</MESSAGE></CIM>\n");
		round->messages[i].head = NULL;
	}
	return 0;
}

/* What is enabled, as copies. */
struct wanted {
	struct record_filter filter;
	char listener[XDC_WATCH_NAME_MAX];
	int64_t listener_created_wall_ns;
};

struct collection {
	struct cim_indications *indications;
	struct wanted *list;		/* of mem_alloc */
	unsigned count;
	uint64_t version;
};

static bool collect_one(const struct subscriptions *subscriptions, const struct record_subscription *subscription,
			struct wanted *wanted)
{
	const struct record_filter *filter = subscriptions_find(subscriptions, META_FILTER, subscription->filter);
	const struct record_listener *listener =
		subscriptions_find(subscriptions, META_LISTENER, subscription->listener);

	if (subscription->disabled || !listener)
		return false;
	if (filter)
		wanted->filter = *filter;
	else if (!cim_filter_find_own(subscription->filter, &wanted->filter))
		return false;
	memcpy(wanted->listener, listener->name, sizeof(wanted->listener));
	wanted->listener_created_wall_ns = listener->created_wall_ns;
	return true;
}

/* Deliveries are made to just those listeners that there are. */
static void match_deliveries(struct deliveries *deliveries, const struct subscriptions *subscriptions)
{
	struct record_listener listener;
	const struct record_listener *found = NULL;
	char name[XDC_WATCH_NAME_MAX];
	const char *next = NULL;

	while ((found = subscriptions_next(subscriptions, META_LISTENER, found ? &listener : NULL)) != NULL) {
		int rc;

		listener = *found;
		rc = deliveries_add(deliveries, listener.name, listener.url, listener.created_wall_ns);
		if (rc)
			log_line(LOG_WARNING, "cim", "listener %s: %s", listener.name, strerrordesc_np(-rc));
	}
	while ((next = deliveries_next(deliveries, next)) != NULL) {
		snprintf(name, sizeof(name), "%s", next);
		next = name;
		if (!subscriptions_find(subscriptions, META_LISTENER, name))
			deliveries_remove(deliveries, name);
	}
}

static int collect(struct control *control, void *arg)
{
	struct collection *collection = arg;
	const struct subscriptions *subscriptions = control_subscriptions(control);
	const struct record_subscription *subscription = NULL;

	collection->version = subscriptions_version(subscriptions);
	if (collection->version == collection->indications->version_done)
		return 0;
	collection->list = mem_alloc_zeroed((subscriptions_count(subscriptions, META_SUBSCRIPTION) + 1) *
					    sizeof(*collection->list));
	if (!collection->list)
		return -ENOMEM;
	while ((subscription = subscriptions_next(subscriptions, META_SUBSCRIPTION, subscription)) != NULL)
		if (collect_one(subscriptions, subscription, &collection->list[collection->count]))
			collection->count++;
	match_deliveries(collection->indications->deliveries, subscriptions);
	return 0;
}

/* ---- a round, on a helper thread ---- */

static bool hand_over(struct indication_round *round)
{
	bool ok = !round->message_count || cim_engine_call(round->engine, post_messages, round->arg) == 0;

	for (unsigned i = 0; i < round->message_count; i++)
		mem_free(round->messages[i].head);
	round->message_count = 0;
	return ok;
}

static bool tell_events(struct cim_indications *indications)
{
	MEM_OWNED struct some_events *some = mem_alloc_zeroed(sizeof(*some));

	if (!some)
		return true;
	some->indications = indications;
	some->skip = !indications->round.watch_count;
	do {
		if (cim_engine_call(indications->engine, fetch_events, some) != 0)
			return false;
		for (unsigned i = 0; i < some->count; i++)
			if (!indication_tell_event(&indications->round, &some->events[i]))
				return false;
	} while (some->count == EVENTS_AT_ONCE);
	return true;
}

static bool make_watch(struct cim_indications *indications, const struct wanted *wanted,
		       struct indication_watch *watch)
{
	const struct record_filter *filter = &wanted->filter;
	struct cim_failure failure;

	*watch = (struct indication_watch){ .namespaces = cim_filter_namespaces(filter) };
	memcpy(watch->filter, filter->name, sizeof(watch->filter));
	memcpy(watch->listener, wanted->listener, sizeof(watch->listener));
	snprintf(watch->context, sizeof(watch->context), "%s:%" PRIx64 ":%" PRIx64,
		 cim_engine_system(indications->engine), (uint64_t)indications->started_wall_ns,
		 (uint64_t)wanted->listener_created_wall_ns);
	if (query_parse(&indications->round.queries, watch->namespaces, filter->language, filter->query,
			&watch->query, &failure))
		return true;
	log_line(LOG_WARNING, "cim", "filter %s: %s", filter->name, failure.text);
	return false;
}

/* The subscriptions have changed: these are in force from now on. */
static bool take_up(struct cim_indications *indications, const struct collection *collection)
{
	struct indication_round *round = &indications->round;

	mem_free(round->watches);
	arena_reset(&round->queries);
	round->watch_count = 0;
	round->watches = mem_alloc_zeroed((collection->count + 1) * sizeof(*round->watches));
	for (unsigned i = 0; round->watches && i < collection->count; i++)
		if (make_watch(indications, &collection->list[i], &round->watches[round->watch_count]))
			round->watch_count++;
	return round->watches && indication_watch_settle(round);
}

static bool look_for_subscriptions(struct cim_indications *indications)
{
	struct collection collection = { .indications = indications };
	int rc = cim_engine_call(indications->engine, collect, &collection);
	bool ok = rc == 0;

	if (ok && collection.list)
		ok = take_up(indications, &collection);
	mem_free(collection.list);
	if (ok)
		indications->version_taken = collection.version;
	return ok;
}

static int run_round(void *arg)
{
	struct cim_indications *indications = arg;
	struct indication_round *round = &indications->round;
	bool ok;

	round->failed = false;
	ok = tell_events(indications) && indication_watch_compare(round);
	ok = hand_over(round) && ok;
	/* Those that are new are told what happens from now on. */
	if (!ok || !look_for_subscriptions(indications))
		round->failed = true;
	return 0;
}

/* ---- fibers ---- */

static void note_news(struct cim_indications *indications)
{
	indications->news = true;
	rt_cond_wake_all(&indications->changed);
}

/* Until the system stops. */
static void follow_events(void *arg)
{
	struct cim_indications *indications = arg;
	struct events *events = control_events(indications->control);
	int64_t pause_ns = 0;

	while (rt_sleep_until(rt_now_ns() + pause_ns) == 0) {
		uint64_t last = events_last(events);
		struct fault fault;

		/* Too many others wait: then a round finds what is new. */
		pause_ns = events_wait(events, last, EVENT_INFO, RT_NEVER, &fault) ? PERIOD_NS : 0;
		if (!pause_ns && events_last(events) == last)
			return;
		note_news(indications);
	}
}

static void follow_subscriptions(void *arg)
{
	struct cim_indications *indications = arg;
	struct subscriptions *subscriptions = control_subscriptions(indications->control);

	while (subscriptions_wait(subscriptions, subscriptions_version(subscriptions)) != -ECANCELED)
		note_news(indications);
}

/* Until there is a reason for a round. -ECANCELED. */
static int wait_for_reason(struct cim_indications *indications, int64_t earliest_ns)
{
	const struct subscriptions *subscriptions = control_subscriptions(indications->control);
	int64_t latest_ns = indications->round.watch_count ? earliest_ns + PERIOD_NS : RT_NEVER;
	int rc = 0;

	while (rc != -ECANCELED) {
		bool is_idle = !indications->round.watch_count;

		if (subscriptions_version(subscriptions) != indications->version_done || rt_now_ns() >= latest_ns ||
		    (indications->news && !is_idle && rt_now_ns() >= earliest_ns))
			return 0;
		RT_LIMIT(indications->news && !is_idle ? earliest_ns : latest_ns);
		rc = rt_cond_wait(&indications->changed);
	}
	return rc;
}

static void run_rounds(void *arg)
{
	struct cim_indications *indications = arg;
	int64_t began_ns, gap_ns;
	bool failing = false;

	do {
		began_ns = rt_now_ns();
		indications->news = false;
		if (rt_help(run_round, indications) == -ECANCELED)
			return;
		if (indications->round.failed && !failing)
			log_line(LOG_WARNING, "cim", "some indications cannot be made");
		failing = indications->round.failed;
		indications->version_done = indications->version_taken;
		rt_cond_wake_all(&indications->changed);
		gap_ns = (rt_now_ns() - began_ns) * GAP_ROUNDS;
		if (gap_ns < GAP_NS)
			gap_ns = GAP_NS;
		if (failing && rt_sleep_until(rt_now_ns() + PERIOD_NS) != 0)
			return;
	} while (wait_for_reason(indications, rt_now_ns() + gap_ns) == 0);
}

int cim_indications_settle(struct cim_indications *indications)
{
	uint64_t version = subscriptions_version(control_subscriptions(indications->control));
	int rc = 0;

	while (!rc && !indications->ending && indications->version_done < version)
		rc = rt_cond_wait(&indications->changed);
	return rc || !indications->ending ? rc : -ESHUTDOWN;
}

void cim_indications_end_waits(struct cim_indications *indications)
{
	if (!indications)
		return;
	indications->ending = true;
	rt_cond_wake_all(&indications->changed);
}

/* ---- life ---- */

static int start_fibers(struct cim_indications *indications)
{
	int rc = rt_group_start(&indications->fibers, "indications", run_rounds, indications);

	if (rc == 0)
		rc = rt_group_start(&indications->fibers, "events", follow_events, indications);
	if (rc == 0)
		rc = rt_group_start(&indications->fibers, "subscriptions", follow_subscriptions, indications);
	return rc;
}

int cim_indications_start(struct control *control, struct cim_engine *engine, struct cim_indications **out)
{
	static const struct deliver_options options = {
		.retries = INDICATION_RETRIES, .interval_ns = INDICATION_RETRY_SECONDS * RT_SECOND,
		.interval_max_ns = 600 * RT_SECOND, .attempt_ns = 30 * RT_SECOND,
	};
	struct cim_indications *indications = mem_alloc_zeroed(sizeof(*indications));
	int rc;

	if (!indications)
		return -ENOMEM;
	indications->control = control;
	indications->engine = engine;
	indications->started_wall_ns = rt_wall_ns();
	rt_group_init(&indications->fibers);
	rt_cond_init(&indications->changed);
	indications->round = (struct indication_round){ .engine = engine, .hand_over = hand_over, .arg = indications };
	arena_init(&indications->round.queries, QUERIES_BYTES);
	arena_init(&indications->round.before, INSTANCE_BYTES);
	arena_init(&indications->round.now, INSTANCE_BYTES);
	rc = deliveries_create(&options, &indications->deliveries);
	if (rc == 0)
		rc = start_fibers(indications);
	if (rc) {
		cim_indications_stop(indications);
		return rc;
	}
	*out = indications;
	return 0;
}

void cim_indications_stop(struct cim_indications *indications)
{
	if (!indications)
		return;
	rt_group_stop(&indications->fibers);
	deliveries_stop(indications->deliveries);
	indication_watch_free(&indications->round);
	mem_free(indications->round.watches);
	arena_free(&indications->round.queries);
	arena_free(&indications->round.before);
	arena_free(&indications->round.now);
	mem_free(indications);
}
