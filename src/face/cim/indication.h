/* SPDX-License-Identifier: Apache-2.0 */
/*
 * indication.h - tells listeners what happens: what subscriptions ask for, of the events of the system (alerts) and
 * of things that come, change and go. While nobody subscribes nothing is done. Else an event, and a time that has
 * passed, lead to a round: the rows of what is asked about are fetched in batches and compared with those of the
 * round before, on a helper thread, so that reactors do little more than copy; a round takes a tenth of the time at
 * most. What a filter picks is handed to deliver.h.
 */
#ifndef XDC_FACE_CIM_INDICATION_H
#define XDC_FACE_CIM_INDICATION_H

#include "face/cim/engine.h"
#include "face/cim/path.h"
#include "store/records.h"

/* DeliveryRetryAttempts, DeliveryRetryInterval. */
#define INDICATION_RETRIES		3u
#define INDICATION_RETRY_SECONDS	30u

struct cim_indications;

/* On a fiber of reactor 0; the engine outlives it. -ENOMEM. */
RT_MUST_CHECK int cim_indications_start(struct control *control, struct cim_engine *engine,
					struct cim_indications **out);

/* Nobody waits in cim_indications_settle any longer. Does not suspend; NULL is allowed. */
void cim_indications_end_waits(struct cim_indications *indications);

/* The engine refuses already. What has not been sent is lost. Suspends. NULL is allowed. */
void cim_indications_stop(struct cim_indications *indications);

/*
 * Suspends until what was subscribed to before is in force: whatever happens from then on is told. Reactor 0.
 * -ETIMEDOUT, -ECANCELED, -ESHUTDOWN.
 */
RT_MUST_CHECK int cim_indications_settle(struct cim_indications *indications);

/* ---- filters that are there by themselves ---- */

/* Number index; false: there are no more. */
bool cim_filter_own(unsigned index, struct record_filter *filter);

/* By name. */
bool cim_filter_find_own(const char *name, struct record_filter *filter);

/* Namespaces of a filter, as bits. Those that it does not name: all that have something to tell. */
unsigned cim_filter_namespaces(const struct record_filter *filter);

/* ---- paths, in interop; NULL: the arena is full ---- */

#define INDICATION_SERVICE_NAME	"xdc:indications"
const struct cim_path *cim_path_of_indication_service(struct cim_arena *arena, const char *system);

const struct cim_path *cim_path_of_filter(struct cim_arena *arena, const char *system, const char *name);
const struct cim_path *cim_path_of_listener(struct cim_arena *arena, const char *system, const char *name);
const struct cim_path *cim_path_of_subscription(struct cim_arena *arena, const char *system, const char *filter,
						const char *listener);

#endif
