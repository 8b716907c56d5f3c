/* SPDX-License-Identifier: Apache-2.0 */
#include "control/subscription.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rt/list.h"
#include "rt/log.h"
#include "rt/mem.h"

struct entry {
	struct list_head link;		/* of its kind, in order of keys */
	union {
		struct record_filter filter;
		struct record_listener listener;
		struct record_subscription subscription;
	};
};

/* Each record begins with the texts of its key. */
_Static_assert(offsetof(struct record_filter, name) == 0 && offsetof(struct record_listener, name) == 0 &&
	       offsetof(struct record_subscription, filter) == 0 &&
	       offsetof(struct record_subscription, listener) == XDC_WATCH_NAME_MAX, "where keys are");

static const struct kind {
	const char *noun, *table;
	size_t size;
	unsigned keys, max;
} kinds[] = {
	{ "filter", "filters", sizeof(struct record_filter), 1, SUBSCRIPTION_FILTERS_MAX },
	{ "listener", "listeners", sizeof(struct record_listener), 1, SUBSCRIPTION_LISTENERS_MAX },
	{ "subscription", "subscriptions", sizeof(struct record_subscription), 2, SUBSCRIPTIONS_MAX },
};
#define KINDS	(sizeof(kinds) / sizeof(kinds[0]))

struct subscriptions {
	struct meta *meta;
	struct rt_mutex changing;	/* held while a change becomes durable */
	struct list_head entries[KINDS];
	unsigned counts[KINDS];
	uint64_t version;
	struct rt_cond changed;
};

static unsigned index_of(enum meta_kind kind)
{
	assert(kind >= META_FILTER && kind <= META_SUBSCRIPTION);
	return kind - META_FILTER;
}

/* ---- the lists ---- */

static int compare_keys(unsigned index, const void *a, const void *b)
{
	int order = strcmp(a, b);

	if (order || kinds[index].keys == 1)
		return order;
	return strcmp((const char *)a + XDC_WATCH_NAME_MAX, (const char *)b + XDC_WATCH_NAME_MAX);
}

/* The first with this key or a later one (strictly: later only); NULL: none. */
static struct entry *seek(const struct subscriptions *subscriptions, unsigned index, const void *key, bool strictly)
{
	struct entry *entry;

	list_for_each(entry, &subscriptions->entries[index], link) {
		int order = key ? compare_keys(index, &entry->filter, key) : 1;

		if (order > 0 || (order == 0 && !strictly))
			return entry;
	}
	return NULL;
}

static struct entry *find(const struct subscriptions *subscriptions, unsigned index, const void *key)
{
	struct entry *entry = seek(subscriptions, index, key, false);

	return entry && !compare_keys(index, &entry->filter, key) ? entry : NULL;
}

static void link_entry(struct subscriptions *subscriptions, unsigned index, struct entry *entry)
{
	struct entry *next = seek(subscriptions, index, &entry->filter, false);

	list_add_last(next ? &next->link : &subscriptions->entries[index], &entry->link);
	subscriptions->counts[index]++;
}

static void drop_entry(struct subscriptions *subscriptions, unsigned index, struct entry *entry)
{
	list_remove(&entry->link);
	subscriptions->counts[index]--;
	mem_free(entry);
}

static struct entry *make_entry(unsigned index, const void *record)
{
	struct entry *entry = mem_alloc_zeroed(sizeof(*entry));

	if (entry)
		memcpy(&entry->filter, record, kinds[index].size);
	return entry;
}

/* ---- life ---- */

int subscriptions_create(struct subscriptions **out)
{
	struct subscriptions *subscriptions = mem_alloc_zeroed(sizeof(*subscriptions));

	if (!subscriptions)
		return -ENOMEM;
	rt_mutex_init(&subscriptions->changing);
	rt_cond_init(&subscriptions->changed);
	for (unsigned i = 0; i < KINDS; i++)
		list_init(&subscriptions->entries[i]);
	subscriptions->version = 1;
	*out = subscriptions;
	return 0;
}

int subscriptions_load(struct subscriptions *subscriptions, enum meta_kind kind, const void *record)
{
	unsigned index = index_of(kind);
	struct entry *entry = make_entry(index, record);

	if (!entry)
		return -ENOMEM;
	link_entry(subscriptions, index, entry);
	return 0;
}

void subscriptions_start(struct subscriptions *subscriptions, struct meta *meta)
{
	subscriptions->meta = meta;
}

void subscriptions_free(struct subscriptions *subscriptions)
{
	if (!subscriptions)
		return;
	for (unsigned i = 0; i < KINDS; i++)
		while (subscriptions->counts[i])
			drop_entry(subscriptions, i, seek(subscriptions, i, NULL, false));
	mem_free(subscriptions);
}

/* ---- changes ---- */

static void name_object(unsigned index, const void *record, char object[64])
{
	snprintf(object, 64, "%s %.48s", kinds[index].noun, (const char *)record);
}

static bool is_own(const char *filter)
{
	return !strncmp(filter, SUBSCRIPTION_OWN, strlen(SUBSCRIPTION_OWN));
}

static int check_new(const struct subscriptions *subscriptions, unsigned index, const void *record, const char *object,
		     struct fault *fault)
{
	const struct record_subscription *subscription = record;

	if (find(subscriptions, index, record))
		return fault_set(fault, FAULT_IN_USE, object, "choose another name", "there is such a %s already",
				 kinds[index].noun);
	if (subscriptions->counts[index] >= kinds[index].max)
		return fault_set(fault, FAULT_FAILED, object, "delete one that nobody needs",
				 "a system has at most %u %s", kinds[index].max, kinds[index].table);
	if (index == index_of(META_FILTER) && is_own(record))
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "choose another name",
				 "names that begin with " SUBSCRIPTION_OWN " are those of its own filters");
	if (index != index_of(META_SUBSCRIPTION))
		return 0;
	if (!is_own(subscription->filter) && !find(subscriptions, index_of(META_FILTER), subscription->filter))
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "make it first", "there is no such filter");
	if (!find(subscriptions, index_of(META_LISTENER), subscription->listener))
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "make it first", "there is no listener %.64s",
				 subscription->listener);
	return 0;
}

static int commit(struct subscriptions *subscriptions, enum meta_op op, enum meta_kind kind, const void *record,
		  const char *object, struct fault *fault)
{
	const struct meta_change change = { op, kind, record };
	int rc = meta_commit(subscriptions->meta, &change, 1);

	if (rc)
		return fault_set(fault, FAULT_FAILED, object, "see the log", "it cannot be kept: %s",
				 strerrordesc_np(-rc));
	log_line(LOG_NOTICE, "control", "%s %s", object, op == META_PUT ? "kept" : "deleted");
	subscriptions->version++;
	rt_cond_wake_all(&subscriptions->changed);
	return 0;
}

static int put(struct subscriptions *subscriptions, enum meta_kind kind, const void *record, bool is_new,
	       struct fault *fault)
{
	unsigned index = index_of(kind);
	struct entry *entry, *before = find(subscriptions, index, record);
	char object[64];

	name_object(index, record, object);
	if (is_new && check_new(subscriptions, index, record, object, fault))
		return -1;
	if (!is_new && !before)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "", "there is no such %s", kinds[index].noun);
	entry = make_entry(index, record);
	if (!entry)
		return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	if (commit(subscriptions, META_PUT, kind, &entry->filter, object, fault)) {
		mem_free(entry);
		return -1;
	}
	if (before)
		drop_entry(subscriptions, index, before);
	link_entry(subscriptions, index, entry);
	return 0;
}

/* One change after the other. */
static int enter(struct subscriptions *subscriptions, struct fault *fault)
{
	if (rt_mutex_lock(&subscriptions->changing) == 0)
		return 0;
	return fault_set(fault, FAULT_TIMEOUT, "", "try again", "another operation is still under way");
}

int subscriptions_put(struct subscriptions *subscriptions, enum meta_kind kind, const void *record, bool is_new,
		      struct fault *fault)
{
	int rc;

	if (enter(subscriptions, fault))
		return -1;
	rc = put(subscriptions, kind, record, is_new, fault);
	rt_mutex_unlock(&subscriptions->changing);
	return rc;
}

/* Does a subscription name it? */
static bool is_subscribed(const struct subscriptions *subscriptions, enum meta_kind kind, const char *name)
{
	const struct entry *entry;

	list_for_each(entry, &subscriptions->entries[index_of(META_SUBSCRIPTION)], link) {
		const struct record_subscription *subscription = &entry->subscription;

		if (!strcmp(kind == META_FILTER ? subscription->filter : subscription->listener, name))
			return true;
	}
	return false;
}

static int delete(struct subscriptions *subscriptions, enum meta_kind kind, const void *record, struct fault *fault)
{
	unsigned index = index_of(kind);
	struct entry *entry = find(subscriptions, index, record);
	char object[64];

	name_object(index, record, object);
	if (!entry)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "", "there is no such %s", kinds[index].noun);
	if (kind != META_SUBSCRIPTION && is_subscribed(subscriptions, kind, record))
		return fault_set(fault, FAULT_IN_USE, object, "delete its subscriptions first", "it is subscribed to");
	if (commit(subscriptions, META_DELETE, kind, &entry->filter, object, fault))
		return -1;
	drop_entry(subscriptions, index, entry);
	return 0;
}

int subscriptions_delete(struct subscriptions *subscriptions, enum meta_kind kind, const void *record,
			 struct fault *fault)
{
	int rc;

	if (enter(subscriptions, fault))
		return -1;
	rc = delete(subscriptions, kind, record, fault);
	rt_mutex_unlock(&subscriptions->changing);
	return rc;
}

/* ---- who wants to know ---- */

const void *subscriptions_find(const struct subscriptions *subscriptions, enum meta_kind kind, const void *record)
{
	const struct entry *entry = find(subscriptions, index_of(kind), record);

	return entry ? &entry->filter : NULL;
}

const void *subscriptions_next(const struct subscriptions *subscriptions, enum meta_kind kind, const void *after)
{
	const struct entry *entry = seek(subscriptions, index_of(kind), after, true);

	return entry ? &entry->filter : NULL;
}

unsigned subscriptions_count(const struct subscriptions *subscriptions, enum meta_kind kind)
{
	return subscriptions->counts[index_of(kind)];
}

uint64_t subscriptions_version(const struct subscriptions *subscriptions)
{
	return subscriptions->version;
}

int subscriptions_wait(struct subscriptions *subscriptions, uint64_t version)
{
	int rc = 0;

	while (!rc && subscriptions->version == version)
		rc = rt_cond_wait(&subscriptions->changed);
	return rc;
}
