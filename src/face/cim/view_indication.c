/* SPDX-License-Identifier: Apache-2.0 */
/* Filters, destinations, subscriptions, and the service that sends indications: in interop. */
#include "face/cim/views.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/subscription.h"
#include "face/cim/discovery.h"
#include "face/cim/indication.h"
#include "face/cim/links.h"

/* ---- rows: the records ---- */

static int fetch_records(struct control *control, enum meta_kind kind, size_t bytes, const void *after, void *rows,
			 unsigned max)
{
	const struct subscriptions *subscriptions = control_subscriptions(control);
	const void *record = subscriptions_next(subscriptions, kind, after);
	unsigned count = 0;

	for (; record && count < max; record = subscriptions_next(subscriptions, kind, record))
		memcpy((char *)rows + count++ * bytes, record, bytes);
	return (int)count;
}

static int find_record(struct control *control, enum meta_kind kind, size_t bytes, void *row)
{
	const void *record = subscriptions_find(control_subscriptions(control), kind, row);

	if (!record)
		return 0;
	memcpy(row, record, bytes);
	return 1;
}

/* The name of a key that is a path. */
static bool read_name(const struct cim_path *path, char *name, size_t size)
{
	const char *text = path ? cim_path_key_text(path, "Name") : NULL;

	return text && (size_t)snprintf(name, size, "%s", text) < size;
}

/* ---- filters: those that are there by themselves, then the others ---- */

/* The number of the own filter behind this row; what is no own one is behind all of them. */
static unsigned own_behind(const struct record_filter *after)
{
	struct record_filter own;
	unsigned index = 0;

	if (!after)
		return 0;
	while (cim_filter_own(index, &own) && strcmp(own.name, after->name) != 0)
		index++;
	return index + 1;
}

static int fetch_filters(struct control *control, const void *after, void *rows, unsigned max)
{
	const struct record_filter *last = after;
	struct record_filter *filters = rows;
	unsigned count = 0, index = own_behind(last);
	bool was_own = last && !strncmp(last->name, SUBSCRIPTION_OWN, strlen(SUBSCRIPTION_OWN));

	while (count < max && cim_filter_own(index, &filters[count])) {
		index++;
		count++;
	}
	return (int)count + fetch_records(control, META_FILTER, sizeof(*filters), was_own ? NULL : after,
					  &filters[count], max - count);
}

static int find_filter(struct control *control, void *row)
{
	struct record_filter *filter = row;
	char name[sizeof(filter->name)];

	memcpy(name, filter->name, sizeof(name));
	if (cim_filter_find_own(name, filter))
		return 1;
	memcpy(filter->name, name, sizeof(name));
	return find_record(control, META_FILTER, sizeof(*filter), filter);
}

static bool key_filter(const struct cim_path *path, void *row)
{
	return read_name(path, ((struct record_filter *)row)->name, XDC_WATCH_NAME_MAX);
}

static const struct cim_source filters = { sizeof(struct record_filter), fetch_filters, find_filter };

static void fill_filter_label(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct record_filter *filter = row;

	(void)place;
	cim_set_text(value, *filter->label ? filter->label : filter->name);
}

static void fill_namespaces(const struct cim_place *place, const void *row, struct cim_value *value)
{
	unsigned namespaces = cim_filter_namespaces(row), count = 0;
	const char *names[CIM_NAMESPACE_COUNT];

	for (enum cim_namespace ns = 0; ns < CIM_NAMESPACE_COUNT; ns++)
		if (namespaces >> ns & 1)
			names[count++] = cim_schema_namespaces[ns];
	cim_set_texts(place->arena, value, names, count);
}

static const struct cim_column filter_columns[] = {
	CIM_TEXT("SystemCreationClassName", DISCOVERY_SYSTEM_CLASS), CIM_SYSTEM("SystemName"),
	CIM_CLASS("CreationClassName"), CIM_ROW_TEXT("Name", struct record_filter, name),
	CIM_FILL("ElementName", fill_filter_label), CIM_FILL("SourceNamespaces", fill_namespaces),
	CIM_ROW_TEXT("Query", struct record_filter, query),
	CIM_ROW_TEXT("QueryLanguage", struct record_filter, language),
	CIM_END,
};

/* ---- destinations ---- */

static int fetch_listeners(struct control *control, const void *after, void *rows, unsigned max)
{
	return fetch_records(control, META_LISTENER, sizeof(struct record_listener), after, rows, max);
}

static int find_listener(struct control *control, void *row)
{
	return find_record(control, META_LISTENER, sizeof(struct record_listener), row);
}

static bool key_listener(const struct cim_path *path, void *row)
{
	return read_name(path, ((struct record_listener *)row)->name, XDC_WATCH_NAME_MAX);
}

static const struct cim_source listeners = { sizeof(struct record_listener), fetch_listeners, find_listener };

static void fill_listener_label(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct record_listener *listener = row;

	(void)place;
	cim_set_text(value, *listener->label ? listener->label : listener->name);
}

/* 2 Permanent, 3 Transient. */
static void fill_persistence(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_number(value, ((const struct record_listener *)row)->transient ? 3 : 2);
}

static const struct cim_column listener_columns[] = {
	CIM_TEXT("SystemCreationClassName", DISCOVERY_SYSTEM_CLASS), CIM_SYSTEM("SystemName"),
	CIM_CLASS("CreationClassName"), CIM_ROW_TEXT("Name", struct record_listener, name),
	CIM_FILL("ElementName", fill_listener_label), CIM_FILL("PersistenceType", fill_persistence),
	CIM_ROW_TEXT("Destination", struct record_listener, url), CIM_NUMBER("Protocol", 2),
	CIM_END,
};

/* ---- subscriptions ---- */

static int fetch_subscriptions(struct control *control, const void *after, void *rows, unsigned max)
{
	return fetch_records(control, META_SUBSCRIPTION, sizeof(struct record_subscription), after, rows, max);
}

static int find_subscription(struct control *control, void *row)
{
	return find_record(control, META_SUBSCRIPTION, sizeof(struct record_subscription), row);
}

static const struct cim_path *key_path(const struct cim_path *path, const char *key)
{
	const struct cim_scalar *value = cim_path_key(path, key);

	return value && !value->is_null ? value->path : NULL;
}

static bool key_subscription(const struct cim_path *path, void *row)
{
	struct record_subscription *subscription = row;

	return read_name(key_path(path, "Filter"), subscription->filter, XDC_WATCH_NAME_MAX) &&
	       read_name(key_path(path, "Handler"), subscription->listener, XDC_WATCH_NAME_MAX);
}

static const struct cim_source subscriptions = {
	sizeof(struct record_subscription), fetch_subscriptions, find_subscription,
};

static void fill_filter(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct record_subscription *subscription = row;

	cim_set_path(value, cim_path_of_filter(place->arena, place->system, subscription->filter));
}

static void fill_handler(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct record_subscription *subscription = row;

	cim_set_path(value, cim_path_of_listener(place->arena, place->system, subscription->listener));
}

/* 2 Enabled, 4 Disabled. */
static void fill_state(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_number(value, ((const struct record_subscription *)row)->disabled ? 4 : 2);
}

static void fill_since(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_time(value, ((const struct record_subscription *)row)->since_wall_ns);
}

static void fill_created(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_time(value, ((const struct record_subscription *)row)->created_wall_ns);
}

/* OnFatalErrorPolicy 2 Ignore; RepeatNotificationPolicy 2 None. */
static const struct cim_column subscription_columns[] = {
	CIM_FILL("Filter", fill_filter), CIM_FILL("Handler", fill_handler), CIM_NUMBER("OnFatalErrorPolicy", 2),
	CIM_FILL("SubscriptionState", fill_state), CIM_FILL("TimeOfLastStateChange", fill_since),
	CIM_FILL("SubscriptionStartTime", fill_created), CIM_NUMBER("RepeatNotificationPolicy", 2),
	CIM_ROW_TEXT("SubscriptionInfo", struct record_subscription, info),
	CIM_END,
};

/* ---- the service ---- */

/* SubscriptionRemovalAction 4 Ignore: a destination that stays away costs a bounded queue and no more. */
static const struct cim_column service_columns[] = {
	CIM_TEXT("SystemCreationClassName", DISCOVERY_SYSTEM_CLASS), CIM_SYSTEM("SystemName"),
	CIM_CLASS("CreationClassName"), CIM_TEXT("Name", INDICATION_SERVICE_NAME),
	CIM_TEXT("ElementName", "Indications"), CIM_TEXT("Caption", "Indications"),
	CIM_STATUS("OperationalStatus", 2), CIM_NUMBER("HealthState", 5), CIM_NUMBER("EnabledState", 2),
	CIM_NUMBER("RequestedState", 12), CIM_FLAG("Started", true), CIM_FLAG("FilterCreationEnabled", true),
	CIM_NUMBER("DeliveryRetryAttempts", INDICATION_RETRIES),
	CIM_NUMBER("DeliveryRetryInterval", INDICATION_RETRY_SECONDS), CIM_NUMBER("SubscriptionRemovalAction", 4),
	CIM_END,
};

static void fill_capabilities_id(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)row;
	cim_set_text(value, arena_print(place->arena, "xdc:%s:capabilities:indications", place->system));
}

static const struct cim_column capabilities_columns[] = {
	CIM_FILL("InstanceID", fill_capabilities_id), CIM_TEXT("ElementName", "Indications"),
	CIM_FLAG("FilterCreationEnabledIsSettable", false), CIM_FLAG("DeliveryRetryAttemptsIsSettable", false),
	CIM_FLAG("DeliveryRetryIntervalIsSettable", false), CIM_FLAG("SubscriptionRemovalActionIsSettable", false),
	CIM_FLAG("SubscriptionRemovalTimeIntervalIsSettable", false),
	CIM_NUMBER("MaxListenerDestinations", SUBSCRIPTION_LISTENERS_MAX),
	CIM_NUMBER("MaxActiveSubscriptions", SUBSCRIPTIONS_MAX), CIM_FLAG("SubscriptionsPersisted", true),
	CIM_END,
};

static const struct cim_path *to_service(const struct cim_place *place, const struct cim_end *end, unsigned index)
{
	(void)end;
	return index == 0 ? cim_path_of_indication_service(place->arena, place->system) : NULL;
}

const struct cim_link cim_links_indication[] = {
	{ "CIM_ElementCapabilities", CIM_IN(INTEROP), "CIM_IndicationServiceCapabilities", "Capabilities",
	  "CIM_IndicationService", "ManagedElement", to_service, NULL },
	{ "CIM_ServiceAffectsElement", CIM_IN(INTEROP), "CIM_IndicationFilter", "AffectedElement",
	  "CIM_IndicationService", "AffectingElement", to_service, NULL },
	{ "CIM_ServiceAffectsElement", CIM_IN(INTEROP), "CIM_ListenerDestinationCIMXML", "AffectedElement",
	  "CIM_IndicationService", "AffectingElement", to_service, NULL },
	{ .class_name = NULL },
};

const struct cim_view cim_views_indication[] = {
	{ "CIM_IndicationFilter", CIM_IN(INTEROP), &filters, filter_columns, NULL, key_filter, NULL },
	{ "CIM_ListenerDestinationCIMXML", CIM_IN(INTEROP), &listeners, listener_columns, NULL, key_listener, NULL },
	{ "CIM_IndicationSubscription", CIM_IN(INTEROP), &subscriptions, subscription_columns, NULL, key_subscription,
	  NULL },
	{ "CIM_IndicationService", CIM_IN(INTEROP), NULL, service_columns, NULL, NULL, NULL },
	{ "CIM_IndicationServiceCapabilities", CIM_IN(INTEROP), NULL, capabilities_columns, NULL, NULL, NULL },
	{ .class_name = NULL },
};
