/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alarms.h - the checker of what a system tells its administrators: what begins is told once, and its end is told once
 * and only after it; what a lost link does to many pairs is told at once. Of all scenarios that run boxes.
 */
#ifndef XDC_SIM_ALARMS_H
#define XDC_SIM_ALARMS_H

#include "store/records.h"

#define ALARMS_MAX	32u	/* that have begun at a time, on one system */

struct alarms {
	unsigned count;
	struct alarm {
		enum event_kind kind;
		char object[XDC_EVENT_OBJECT_MAX];
	} begun[ALARMS_MAX];
	char link_told[XDC_EVENT_TEXT_MAX];	/* the far side whose pair was last told to be suspended by the link */
	int64_t link_told_ns;			/* and when */
};

/* The system has started: nothing has begun. */
void alarms_clear(struct alarms *alarms);

/* It has told this. stops: what is still to be told then is told at once, soon after other news or not. */
void alarms_note(struct alarms *alarms, const struct record_event *event, bool stops);

#endif
