/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/pace.h"

#include <stdatomic.h>

#include "volume/volume.h"

#define HOSTS_NS	(50 * RT_MS)	/* after its last request a host may send the next soon */
#define REST_MIN_NS	(500 * RT_US)	/* shorter ones are added up */
#define REST_MAX_NS	(50 * RT_MS)	/* a piece that had to wait for something itself was not all work */
#define AHEAD_NS	(10 * RT_MS)	/* what was not used of a limit so long ago may be used still */

/* ---- giving way to hosts ---- */

void pace_init(struct pace *pace, const struct volume *volume, enum copy_priority priority)
{
	*pace = (struct pace){ .volume = volume, .priority = priority, .hosts_ns = INT64_MIN };
	(void)volume_get_load(volume, &pace->seen);
	pace_begin(pace);
}

void pace_begin(struct pace *pace)
{
	pace->began_ns = rt_now_ns();
}

static bool are_hosts_served(struct pace *pace, int64_t now_ns)
{
	uint64_t requests;
	bool under_way = volume_get_load(pace->volume, &requests);

	if (under_way || requests != pace->seen)
		pace->hosts_ns = now_ns;
	pace->seen = requests;
	return pace->hosts_ns > now_ns - HOSTS_NS;
}

static int64_t rest_after(enum copy_priority priority, int64_t worked_ns)
{
	switch (priority) {
	case COPY_LOW:
		return worked_ns * 4;
	case COPY_SAME:
		return worked_ns;
	case COPY_HIGH:
		return worked_ns / 4;
	default:
		return 0;
	}
}

int pace_rest(struct pace *pace)
{
	int64_t now_ns = rt_now_ns(), rest_ns = rest_after(pace->priority, now_ns - pace->began_ns);
	int rc;

	if (!are_hosts_served(pace, now_ns)) {
		pace->owed_ns = 0;
		return 0;
	}
	pace->owed_ns += rest_ns < REST_MAX_NS ? rest_ns : REST_MAX_NS;
	if (pace->owed_ns < REST_MIN_NS)
		return 0;
	rc = rt_sleep_until(now_ns + pace->owed_ns);
	pace->owed_ns = 0;
	pace_begin(pace);
	return rc;
}

/* ---- the limit of a path ---- */

/* True: *start_ns is when they may go. False: others came first meanwhile. */
static bool take_turn(struct pace_limit *limit, int64_t *free_ns, int64_t now_ns, int64_t cost_ns, int64_t *start_ns)
{
	*start_ns = *free_ns > now_ns - AHEAD_NS ? *free_ns : now_ns - AHEAD_NS;
	return atomic_compare_exchange_strong(&limit->free_ns, free_ns, *start_ns + cost_ns);
}

int pace_pass(struct pace_limit *limit, uint64_t bytes, bool gives_way)
{
	int64_t free_ns, start_ns;

	for (;;) {
		uint64_t rate = limit ? atomic_load_explicit(&limit->bytes_per_s, memory_order_relaxed) : 0;
		int64_t now_ns = rt_now_ns();
		int rc;

		if (!rate)
			return 0;
		free_ns = atomic_load(&limit->free_ns);
		if (gives_way && free_ns > now_ns) {
			rc = rt_sleep_until(free_ns);
			if (rc)
				return rc;
			continue;
		}
		if (take_turn(limit, &free_ns, now_ns, (int64_t)((double)bytes * RT_SECOND / (double)rate), &start_ns))
			return start_ns > now_ns ? rt_sleep_until(start_ns) : 0;
	}
}
