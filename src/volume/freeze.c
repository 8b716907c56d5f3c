/* SPDX-License-Identifier: Apache-2.0 */
/* freeze.c - moments in which no write of a volume is under way. */
#include <assert.h>
#include <errno.h>

#include "volume/volume_internal.h"

/* When the last of the freezes ends by itself; 0: nothing is frozen now. */
static int64_t frozen_until_ns(const struct volume *volume)
{
	const struct volume_freeze *freeze;
	int64_t until_ns = 0;

	list_for_each(freeze, &volume->freezes, link)
		if (freeze->until_ns > until_ns)
			until_ns = freeze->until_ns;
	return until_ns > rt_now_ns() ? until_ns : 0;
}

int volume_begin_piece(struct volume *volume)
{
	int64_t until_ns;

	while ((until_ns = frozen_until_ns(volume)) != 0) {
		RT_LIMIT(until_ns);
		int rc = rt_cond_wait(&volume->thawed);

		if (rc < 0 && (rc != -ETIMEDOUT || rt_now_ns() < until_ns))
			return rc;
	}
	volume->pieces++;
	return 0;
}

void volume_end_piece(struct volume *volume)
{
	assert(volume->pieces > 0);
	if (--volume->pieces == 0)
		rt_cond_wake_all(&volume->idle);
}

int volume_freeze(struct volume *volume, struct volume_freeze *freeze, int64_t until_ns)
{
	int rc = 0;

	assert(volume->reactor == rt_here());
	freeze->until_ns = until_ns;
	list_add_last(&volume->freezes, &freeze->link);
	RT_LIMIT(until_ns);
	while (rc == 0 && volume->pieces > 0)
		rc = rt_cond_wait(&volume->idle);
	if (rc < 0)
		volume_thaw(volume, freeze);
	return rc;
}

bool volume_is_frozen(const struct volume_freeze *freeze)
{
	return rt_now_ns() < freeze->until_ns;
}

int volume_freeze_until(struct volume *volume, struct volume_freeze *freeze, int64_t until_ns)
{
	assert(volume->reactor == rt_here());
	if (!volume_is_frozen(freeze))
		return -ETIMEDOUT;
	freeze->until_ns = until_ns;
	return 0;
}

void volume_thaw(struct volume *volume, struct volume_freeze *freeze)
{
	assert(volume->reactor == rt_here());
	list_remove(&freeze->link);
	rt_cond_wake_all(&volume->thawed);
}
