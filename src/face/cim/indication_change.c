/* SPDX-License-Identifier: Apache-2.0 */
/* Filters, destinations and subscriptions that clients make, change and delete. */
#include <stdio.h>
#include <string.h>

#include "control/subscription.h"
#include "face/cim/change.h"
#include "face/cim/deliver.h"
#include "face/cim/indication.h"
#include "face/cim/query.h"
#include "rt/door.h"

/* ---- the way to the records ---- */

enum what { MAKE, CHANGE, DELETE };

struct order {
	enum what what;
	enum meta_kind kind;
	const void *record;
	struct cim_indications *indications;
	struct fault fault;
	bool refused, exists;
};

/* On reactor 0. What was subscribed to is in force when the client is told that it is made. */
static int carry_out(struct control *control, void *arg)
{
	struct order *order = arg;
	struct subscriptions *subscriptions = control_subscriptions(control);
	int rc;

	order->exists = subscriptions_find(subscriptions, order->kind, order->record);
	if (order->what == DELETE)
		rc = subscriptions_delete(subscriptions, order->kind, order->record, &order->fault);
	else
		rc = subscriptions_put(subscriptions, order->kind, order->record, order->what == MAKE, &order->fault);
	order->refused = rc != 0;
	if (rc || !order->indications || order->kind != META_SUBSCRIPTION)
		return 0;
	return cim_indications_settle(order->indications);
}

static bool fail_order(struct cim_operation_call *call, const struct order *order)
{
	enum cim_error code = CIM_ERR_FAILED;

	if (order->what == MAKE && order->exists)
		code = CIM_ERR_ALREADY_EXISTS;
	else if (order->what != MAKE && !order->exists)
		code = CIM_ERR_NOT_FOUND;
	else if (order->fault.code == FAULT_INVALID_PARAMETER)
		code = CIM_ERR_INVALID_PARAMETER;
	return cim_fail(&call->failure, code, "%s: %s%s%s", order->fault.object, order->fault.message,
			*order->fault.remedy ? "; " : "", order->fault.remedy);
}

static bool give_order(struct cim_operation_call *call, enum what what, enum meta_kind kind, const void *record)
{
	struct order order = { .what = what, .kind = kind, .record = record,
			       .indications = cim_engine_indications(call->engine) };
	int rc = cim_engine_call(call->engine, carry_out, &order);

	if (rc < 0)
		return cim_engine_fail(rc, &call->failure);
	return !order.refused || fail_order(call, &order);
}

/* ---- what is given ---- */

static bool need_text(struct cim_operation_call *call, const struct cim_given *given, const char *property, char *to,
		      size_t size)
{
	const char *text = cim_given_text(given, property);

	if (!text || !*text)
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "%s is missing", property);
	if ((size_t)snprintf(to, size, "%s", text) >= size)
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "%s has %zu bytes at most", property,
				size - 1);
	return true;
}

static bool take_text(struct cim_operation_call *call, const struct cim_given *given, const char *property, char *to,
		      size_t size)
{
	const char *text = cim_given_text(given, property);

	return !text || !*text || need_text(call, given, property, to, size);
}

/* One of two numbers, or not given: then the first. */
static bool take_choice(struct cim_operation_call *call, const struct cim_given *given, const char *property,
			uint64_t first, uint64_t second, bool *is_second)
{
	const struct cim_value *value = cim_given_value(given, property);

	*is_second = value && value->one.number == second && second != first;
	if (!value || value->one.number == first || value->one.number == second)
		return true;
	return cim_fail(&call->failure, CIM_ERR_NOT_SUPPORTED, "%s cannot be %llu", property,
			(unsigned long long)value->one.number);
}

static bool delete_named(struct cim_operation_call *call, const struct cim_path *path, enum meta_kind kind,
			 char name[XDC_WATCH_NAME_MAX], const void *record)
{
	/* It is there, so its name is none that is too long. */
	snprintf(name, XDC_WATCH_NAME_MAX, "%s", cim_path_key_text(path, "Name"));
	return give_order(call, DELETE, kind, record);
}

/* ---- filters ---- */

static bool add_namespace(struct cim_operation_call *call, const char *name, struct record_filter *filter)
{
	int ns = cim_schema_find_namespace(name);
	size_t used = strlen(filter->namespaces);

	if (ns < 0)
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "there is no namespace %.64s", name);
	if ((size_t)snprintf(filter->namespaces + used, sizeof(filter->namespaces) - used, "%s%s", used ? " " : "",
			     cim_schema_namespaces[ns]) >= sizeof(filter->namespaces) - used)
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "a namespace is named twice");
	return true;
}

/* interop alone stands for all: nothing that is told of is in there. */
static bool take_namespaces(struct cim_operation_call *call, const struct cim_given *given,
			    struct record_filter *filter)
{
	const struct cim_value *list = cim_given_value(given, "SourceNamespaces");
	const char *one = cim_given_text(given, "SourceNamespace");

	for (unsigned i = 0; list && i < list->count; i++)
		if (!list->list[i].is_null && !add_namespace(call, list->list[i].text, filter))
			return false;
	if (one && *one && !*filter->namespaces && !add_namespace(call, one, filter))
		return false;
	if (!strcmp(filter->namespaces, cim_schema_namespaces[CIM_NAMESPACE_INTEROP]))
		filter->namespaces[0] = '\0';
	return true;
}

static bool check_query(struct cim_operation_call *call, const struct record_filter *filter)
{
	struct query query;

	if (!query_parse(call->arena, cim_filter_namespaces(filter), filter->language, filter->query, &query,
			 &call->failure))
		return false;
	return query.class->is_indication ||
	       cim_fail(&call->failure, CIM_ERR_INVALID_QUERY, "%s is no indication", query.class->name);
}

static bool create_filter(struct cim_operation_call *call, const struct cim_given *given, const struct cim_path **made)
{
	struct record_filter filter = { .created_wall_ns = door_wall_ns() };

	if (!need_text(call, given, "Name", filter.name, sizeof(filter.name)) ||
	    !need_text(call, given, "Query", filter.query, sizeof(filter.query)) ||
	    !need_text(call, given, "QueryLanguage", filter.language, sizeof(filter.language)) ||
	    !take_text(call, given, "ElementName", filter.label, sizeof(filter.label)) ||
	    !take_namespaces(call, given, &filter) || !check_query(call, &filter) ||
	    !give_order(call, MAKE, META_FILTER, &filter))
		return false;
	*made = cim_path_of_filter(call->arena, cim_engine_system(call->engine), arena_copy(call->arena, filter.name));
	return *made || cim_out_of_memory(call);
}

static bool delete_filter(struct cim_operation_call *call, const struct cim_path *path)
{
	struct record_filter filter = { .created_wall_ns = 0 };

	if (cim_filter_find_own(cim_path_key_text(path, "Name"), &filter))
		return cim_fail(&call->failure, CIM_ERR_NOT_SUPPORTED, "%s is there by itself", filter.name);
	return delete_named(call, path, META_FILTER, filter.name, &filter);
}

/* ---- destinations ---- */

static bool create_listener(struct cim_operation_call *call, const struct cim_given *given,
			    const struct cim_path **made)
{
	struct record_listener listener = { .created_wall_ns = door_wall_ns() };
	struct deliver_url url;
	bool ignored;

	if (!need_text(call, given, "Name", listener.name, sizeof(listener.name)) ||
	    !need_text(call, given, "Destination", listener.url, sizeof(listener.url)) ||
	    !take_text(call, given, "ElementName", listener.label, sizeof(listener.label)) ||
	    !take_choice(call, given, "PersistenceType", 2, 3, &listener.transient) ||
	    !take_choice(call, given, "Protocol", 2, 2, &ignored))
		return false;
	if (!deliver_url_read(listener.url, &url))
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER,
				"Destination is http://HOST[:PORT][/PATH]; HTTPS is not spoken to listeners");
	if (!give_order(call, MAKE, META_LISTENER, &listener))
		return false;
	*made = cim_path_of_listener(call->arena, cim_engine_system(call->engine),
				     arena_copy(call->arena, listener.name));
	return *made || cim_out_of_memory(call);
}

static bool delete_listener(struct cim_operation_call *call, const struct cim_path *path)
{
	struct record_listener listener = { .created_wall_ns = 0 };

	return delete_named(call, path, META_LISTENER, listener.name, &listener);
}

/* ---- subscriptions ---- */

/* The name of what a key leads to, which has to be of this class. */
static bool need_end(struct cim_operation_call *call, const struct cim_path *path, const char *key, const char *class,
		     char name[XDC_WATCH_NAME_MAX])
{
	const char *text = path && !strcmp(path->class->name, class) ? cim_path_key_text(path, "Name") : NULL;

	if (!text || snprintf(name, XDC_WATCH_NAME_MAX, "%s", text) >= (int)XDC_WATCH_NAME_MAX)
		return cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "%s is the path of a %s", key, class);
	return true;
}

static bool need_ends(struct cim_operation_call *call, const struct cim_path *filter, const struct cim_path *handler,
		      struct record_subscription *subscription)
{
	return need_end(call, filter, "Filter", "CIM_IndicationFilter", subscription->filter) &&
	       need_end(call, handler, "Handler", "CIM_ListenerDestinationCIMXML", subscription->listener);
}

static const struct cim_path *given_path(const struct cim_given *given, const char *property)
{
	const struct cim_value *value = cim_given_value(given, property);

	return value ? value->one.path : NULL;
}

static bool check_own(struct cim_operation_call *call, const char *name)
{
	struct record_filter filter;

	return strncmp(name, SUBSCRIPTION_OWN, strlen(SUBSCRIPTION_OWN)) != 0 || cim_filter_find_own(name, &filter) ||
	       cim_fail(&call->failure, CIM_ERR_INVALID_PARAMETER, "there is no filter %.128s", name);
}

static bool create_subscription(struct cim_operation_call *call, const struct cim_given *given,
				const struct cim_path **made)
{
	int64_t now_ns = door_wall_ns();
	struct record_subscription subscription = { .created_wall_ns = now_ns, .since_wall_ns = now_ns };
	bool ignored;

	if (!need_ends(call, given_path(given, "Filter"), given_path(given, "Handler"), &subscription) ||
	    !check_own(call, subscription.filter) ||
	    !take_choice(call, given, "SubscriptionState", 2, 4, &subscription.disabled) ||
	    !take_choice(call, given, "OnFatalErrorPolicy", 2, 2, &ignored) ||
	    !take_choice(call, given, "RepeatNotificationPolicy", 2, 0, &ignored) ||
	    !take_text(call, given, "SubscriptionInfo", subscription.info, sizeof(subscription.info)))
		return false;
	if (cim_given_value(given, "SubscriptionDuration"))
		return cim_fail(&call->failure, CIM_ERR_NOT_SUPPORTED,
				"a subscription lasts until it is deleted: SubscriptionDuration is NULL");
	if (!give_order(call, MAKE, META_SUBSCRIPTION, &subscription))
		return false;
	*made = cim_path_of_subscription(call->arena, cim_engine_system(call->engine),
					 arena_copy(call->arena, subscription.filter),
					 arena_copy(call->arena, subscription.listener));
	return !call->arena->failed || cim_out_of_memory(call);
}

static bool read_key(struct cim_operation_call *call, const struct cim_path *path,
		     struct record_subscription *subscription)
{
	return need_ends(call, cim_path_key(path, "Filter")->path, cim_path_key(path, "Handler")->path, subscription);
}

struct look {
	struct record_subscription *subscription;
	bool found;
};

static int look_up(struct control *control, void *arg)
{
	struct look *look = arg;
	const struct record_subscription *found =
		subscriptions_find(control_subscriptions(control), META_SUBSCRIPTION, look->subscription);

	look->found = found;
	if (found)
		*look->subscription = *found;
	return 0;
}

static bool modify_subscription(struct cim_operation_call *call, const struct cim_path *path,
				const struct cim_given *given)
{
	struct record_subscription subscription = { .disabled = false };
	struct look look = { .subscription = &subscription };
	const struct cim_schema_class *class = given->instance->class;
	bool was_disabled;
	int rc;

	if (!read_key(call, path, &subscription))
		return false;
	rc = cim_engine_call(call->engine, look_up, &look);
	if (rc < 0 || !look.found)
		return rc < 0 ? cim_engine_fail(rc, &call->failure) :
		       cim_fail(&call->failure, CIM_ERR_NOT_FOUND, "it was deleted meanwhile");
	was_disabled = subscription.disabled;
	for (unsigned i = 0; i < class->property_count; i++) {
		const char *name = class->properties[i]->name;
		bool ok = true;

		if (!given->is_given[i])
			continue;
		if (!strcmp(name, "SubscriptionState"))
			ok = take_choice(call, given, name, 2, 4, &subscription.disabled);
		else if (!strcmp(name, "SubscriptionInfo"))
			ok = take_text(call, given, name, subscription.info, sizeof(subscription.info));
		else if (cim_given_value(given, name))
			ok = cim_fail(&call->failure, CIM_ERR_NOT_SUPPORTED, "%s stays NULL", name);
		if (!ok)
			return false;
	}
	if (subscription.disabled != was_disabled)
		subscription.since_wall_ns = door_wall_ns();
	return give_order(call, CHANGE, META_SUBSCRIPTION, &subscription);
}

static bool delete_subscription(struct cim_operation_call *call, const struct cim_path *path)
{
	struct record_subscription subscription = { .disabled = false };

	return read_key(call, path, &subscription) && give_order(call, DELETE, META_SUBSCRIPTION, &subscription);
}

const struct cim_changer cim_changers_indication[] = {
	{ "CIM_IndicationFilter", CIM_IN(INTEROP), create_filter, NULL, delete_filter },
	{ "CIM_ListenerDestinationCIMXML", CIM_IN(INTEROP), create_listener, NULL, delete_listener },
	{ "CIM_IndicationSubscription", CIM_IN(INTEROP), create_subscription, modify_subscription,
	  delete_subscription },
	{ .class_name = NULL },
};
