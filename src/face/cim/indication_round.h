/* SPDX-License-Identifier: Apache-2.0 */
/*
 * indication_round.h - what indication.c, indication_watch.c and indication_message.c share: the subscriptions in
 * force, what is compared, and what comes of it. All of it is touched by a round alone, on its helper thread.
 */
#ifndef XDC_FACE_CIM_INDICATION_ROUND_H
#define XDC_FACE_CIM_INDICATION_ROUND_H

#include "face/cim/deliver.h"
#include "face/cim/indication.h"
#include "face/cim/query.h"
#include "face/cim/view.h"

#define INDICATION_MESSAGES_MAX	64u	/* that are handed over at a time */

/* A subscription that is enabled. */
struct indication_watch {
	struct query query;
	unsigned namespaces;
	char filter[XDC_WATCH_NAME_MAX], listener[XDC_WATCH_NAME_MAX];
	char context[96];		/* SequenceContext */
};

/* The rows of a view as one namespace shows it, as the last round has found them. */
struct indication_series {
	const struct cim_view *view;
	enum cim_namespace ns;
	unsigned char *rows;
	unsigned count;
	bool wanted;
};

struct indication_message {
	const char *listener;		/* of the watch */
	char *head;
};

struct indication_round {
	struct cim_engine *engine;
	struct cim_arena queries;	/* of the watches */
	struct indication_watch *watches;
	unsigned watch_count;
	struct indication_series *series;
	unsigned series_count;
	struct cim_arena before, now;	/* of one instance each */
	struct indication_message messages[INDICATION_MESSAGES_MAX];
	unsigned message_count;
	uint64_t next_identifier;
	bool (*hand_over)(struct indication_round *round);	/* all messages; none are left. false: it is stopping */
	void *arg;
	bool failed;			/* for want of memory: once in the log */
};

/* ---- what is compared (indication_watch.c) ---- */

/* What the watches ask about is fetched for the first time, unless it is known; what none asks about is forgotten. */
bool indication_watch_settle(struct indication_round *round);

/* Compares all series with what is now, and tells what differs. false: the engine refuses, or there is no memory. */
bool indication_watch_compare(struct indication_round *round);
void indication_watch_free(struct indication_round *round);

/* ---- what is told (indication_message.c) ---- */

/*
 * A change of an instance: before NULL: it is new; now NULL: it is gone. It goes to those watches whose query it
 * meets; changed: the names of the properties that have, count of them.
 */
bool indication_tell_change(struct indication_round *round, const struct cim_instance *before,
			    const struct cim_instance *now, const char *const *changed, unsigned count);

/* An event. */
bool indication_tell_event(struct indication_round *round, const struct record_event *event);

#endif
