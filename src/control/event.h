/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event.h - what administrators should know of: the last events in order, each with a number that rises for ever, told
 * to whoever waits for them. Whatever happens anywhere in the system comes here as one call that does not suspend; what
 * happens below the control plane comes up by copy_config.tell. All on reactor 0.
 *
 * Each is also a line in the log. They are made durable behind (keeper.h), so a crash may take the last moments of them
 * from the list, and never from the log; their numbers are not given again, so after a crash some are missing.
 */
#ifndef XDC_CONTROL_EVENT_H
#define XDC_CONTROL_EVENT_H

#include "rt/fault.h"
#include "rt/rt.h"
#include "store/meta.h"
#include "store/records.h"

#define EVENTS_MAX		1024u	/* that are kept: the last ones */
#define EVENT_FOLLOWERS_MAX	16u	/* that wait at a time */

struct events;

/* Made first, then given each record of the metadata in order of numbers, then started. -ENOMEM. */
RT_MUST_CHECK int events_create(struct events **out);
RT_MUST_CHECK int events_load(struct events *events, const struct record_event *record);

/*
 * management is the control plane's, and lives longer; it is made durable. What is posted before this, or after the
 * stop, is only in the log. Negative errno. Suspends.
 */
RT_MUST_CHECK int events_start(struct events *events, struct meta *meta, struct record_management *management);

/* Makes durable what there is. Suspends, shielded. events_free comes after. */
void events_stop(struct events *events);
void events_free(struct events *events);	/* NULL is allowed */

/* Something has happened. Without memory it is only in the log. Does not suspend. */
__attribute__((format(printf, 6, 7)))
void event_post(struct events *events, enum event_kind kind, enum event_level level, const char *object,
		const char *remedy, const char *format, ...);

/* The same of one that is made already, but for its number and time. logged: it is in the log. */
void event_take(struct events *events, const struct record_event *event, bool logged);

/* The number of the last; 0: there was none. */
uint64_t events_last(const struct events *events);

/* Those above number since, in order, of this level or above. Does not suspend; nor does each. */
void events_each(const struct events *events, uint64_t since, enum event_level level,
		 void (*each)(void *arg, const struct record_event *event), void *arg);

/*
 * Suspends until there is one above number since, of this level or above; until_ns; or the stop of the system: 0. -1:
 * FAULT_IN_USE, as many wait as may.
 */
int events_wait(struct events *events, uint64_t since, enum event_level level, int64_t until_ns, struct fault *fault);

/* The system is going to stop: nobody waits any more. Does not suspend. */
void events_end_waits(struct events *events);

#endif
