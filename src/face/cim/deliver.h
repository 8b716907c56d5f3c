/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deliver.h - indications on their way to listeners: a bounded queue and a fiber for each, and the HTTP that they speak
 * (CIM-XML exports, DSP0200). A listener that is slow, dead or says no delays nobody but itself: what does not get
 * through is tried again, later each time, and given up after some attempts; when the queue is full the oldest goes.
 * Every message of a listener has a number, one more than the one before it: a gap shows what was lost.
 *
 * All on one reactor.
 */
#ifndef XDC_FACE_CIM_DELIVER_H
#define XDC_FACE_CIM_DELIVER_H

#include "rt/rt.h"

#define DELIVER_MESSAGES_MAX	1024u			/* that wait for one listener */
#define DELIVER_BYTES_MAX	(4u * 1024 * 1024)

/* An address "http://HOST[:PORT][/PATH]"; false: it is none. */
#define DELIVER_HOST_MAX	264u
struct deliver_url {
	char host[DELIVER_HOST_MAX];	/* HOST:PORT */
	const char *path;		/* of the text that was read; "/" */
};
bool deliver_url_read(const char *text, struct deliver_url *url);

struct deliver_options {
	unsigned retries;		/* of a message, after its first attempt */
	int64_t interval_ns;		/* until the first of them; twice that until the next, and so on, up to: */
	int64_t interval_max_ns;
	int64_t attempt_ns;		/* one attempt takes at most */
};

struct deliveries;

/* -ENOMEM. */
RT_MUST_CHECK int deliveries_create(const struct deliver_options *options, struct deliveries **out);

/* What has not been sent yet is lost. Suspends. NULL is allowed. */
void deliveries_stop(struct deliveries *deliveries);

/*
 * The listener begins with number 0, unless it is there and has the same stamp; in place of one with another stamp.
 * -EINVAL: no address; -ENOMEM; -ECANCELED. Suspends.
 */
RT_MUST_CHECK int deliveries_add(struct deliveries *deliveries, const char *name, const char *url, int64_t stamp);

/* What waits for it is lost. Nothing when it is not there. Suspends. */
void deliveries_remove(struct deliveries *deliveries, const char *name);

/* By names; after NULL: the first. NULL: there are no more. */
const char *deliveries_next(const struct deliveries *deliveries, const char *after);

/*
 * A message for a listener (to none that is there: it is lost): head, its number, tail. head is memory of mem_alloc and
 * belongs to the deliveries from now on; tail is constant. Does not suspend.
 */
void deliveries_post(struct deliveries *deliveries, const char *name, char *head, const char *tail);

struct delivery_state {
	unsigned waiting;		/* messages */
	uint64_t posted, delivered, lost;
	unsigned failures;		/* in a row */
	int64_t failing_since_ns;	/* rt_now_ns of the first of them; 0: it does not fail */
};
bool deliveries_look(const struct deliveries *deliveries, const char *name, struct delivery_state *state);

#endif
