/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subscription.h - what managers want to be told: filters, which pick it, listeners, to which it is sent, and
 * subscriptions, which put the two together. Here they are only kept, durably; what a query means and how a listener
 * is spoken to is the affair of the face that serves managers. All on reactor 0.
 *
 * The three kinds of records are META_FILTER, META_LISTENER and META_SUBSCRIPTION. Names that begin with
 * SUBSCRIPTION_OWN are those of filters that a face has by itself: they are not here, and can be subscribed to.
 */
#ifndef XDC_CONTROL_SUBSCRIPTION_H
#define XDC_CONTROL_SUBSCRIPTION_H

#include "rt/fault.h"
#include "rt/rt.h"
#include "store/meta.h"
#include "store/records.h"

#define SUBSCRIPTION_FILTERS_MAX	128u
#define SUBSCRIPTION_LISTENERS_MAX	32u
#define SUBSCRIPTIONS_MAX		256u
#define SUBSCRIPTION_OWN		"xdc:"

struct subscriptions;

/* Made first, then given each record of the metadata, then started; meta lives longer. -ENOMEM. */
RT_MUST_CHECK int subscriptions_create(struct subscriptions **out);
RT_MUST_CHECK int subscriptions_load(struct subscriptions *subscriptions, enum meta_kind kind, const void *record);
void subscriptions_start(struct subscriptions *subscriptions, struct meta *meta);
void subscriptions_free(struct subscriptions *subscriptions);	/* NULL is allowed */

/*
 * A new record (*is_new), or another one in place of that with its key; durable. Suspends. -1 and the fault: there is
 * one (FAULT_IN_USE) or none (FAULT_INVALID_PARAMETER), there are as many as may be, its filter or listener is not
 * there.
 */
int subscriptions_put(struct subscriptions *subscriptions, enum meta_kind kind, const void *record, bool is_new,
		      struct fault *fault);

/*
 * Of the record only the key is looked at. FAULT_IN_USE: it is subscribed to; FAULT_INVALID_PARAMETER: there is none.
 */
int subscriptions_delete(struct subscriptions *subscriptions, enum meta_kind kind, const void *record,
			 struct fault *fault);

/* By keys; after NULL: the first. NULL: none. They do not suspend, and the record stays only until the next wait. */
const void *subscriptions_find(const struct subscriptions *subscriptions, enum meta_kind kind, const void *record);
const void *subscriptions_next(const struct subscriptions *subscriptions, enum meta_kind kind, const void *after);
unsigned subscriptions_count(const struct subscriptions *subscriptions, enum meta_kind kind);

/* Rises with every change. */
uint64_t subscriptions_version(const struct subscriptions *subscriptions);

/* Suspends while it is this: 0. -ETIMEDOUT, -ECANCELED. */
RT_MUST_CHECK int subscriptions_wait(struct subscriptions *subscriptions, uint64_t version);

#endif
