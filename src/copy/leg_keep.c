/* SPDX-License-Identifier: Apache-2.0 */
/* A far side is told how long to keep what its groups overwrite, so that older ones can be shown. */
#include <errno.h>
#include <string.h>

#include "copy/leg.h"
#include "rt/log.h"

int leg_set_keep(struct leg *leg)
{
	const struct journal_keep keep = {
		.time_us = (uint64_t)(leg->record.keep_ns / RT_US), .bytes = leg->record.keep_bytes,
	};

	return journal_set_keep(leg->journal, &keep);
}

/* The record first: the journal is told by it at each start. */
static int keep_as(struct leg *leg, const struct wire_keep *keep)
{
	struct record_leg before = leg->record;
	int rc = 0;

	leg->record.keep_ns = (int64_t)keep->keep_us * RT_US;
	leg->record.keep_bytes = keep->keep_bytes;
	if (before.keep_ns != leg->record.keep_ns || before.keep_bytes != leg->record.keep_bytes) {
		rc = leg_save(leg);
		if (rc)
			leg->record = before;
	}
	return rc ? rc : leg_set_keep(leg);
}

int leg_on_keep(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_keep *keep = request;
	LEG_PINNED struct leg *leg = NULL;
	int rc;
	RT_SHIELD();

	if (keep->keep_us > INT64_MAX / RT_US || keep->keep_bytes > INT64_MAX)
		return copy_refuse(why, -EINVAL, "nothing is kept for so long");
	rc = leg_admit(arg, peer, &keep->head, &leg, why);
	if (rc)
		return rc;
	rc = keep_as(leg, keep);
	if (rc)
		return copy_refuse(why, rc, "session %u: what to keep is not noted: %s", keep->head.session,
				   strerror(-rc));
	leg_fill_state(leg, reply);
	return 0;
}
