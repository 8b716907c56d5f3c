/* SPDX-License-Identifier: Apache-2.0 */
#include "control/keeper.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/log.h"

#define AGAIN_NS	(30 * RT_SECOND)
#define GATHER_NS	(50 * RT_MS)	/* a script's commands, one after the other, share a transaction */

/* All that is due now, in as many transactions as it takes. */
static int keep(struct keeper *keeper)
{
	const struct keeper_source *source = &keeper->source;
	struct meta_change changes[KEEPER_CHANGES_MAX];
	unsigned count;
	int rc = 0;

	while (!rc && (count = source->collect(source->arg, changes)) > 0) {
		assert(count <= KEEPER_CHANGES_MAX);
		rc = meta_commit(keeper->meta, changes, count);
		source->done(source->arg, rc);
	}
	if (rc && rc != -ECANCELED && !keeper->failing)
		log_line(LOG_WARNING, "control", "jobs and events are not durable: %s", strerrordesc_np(-rc));
	keeper->failing = rc != 0;
	return rc;
}

/* Until something is due, or what failed is to be tried again; and a little longer. -ECANCELED. */
static int wait_until_due(struct keeper *keeper)
{
	RT_LIMIT(keeper->failing ? rt_now_ns() + AGAIN_NS : RT_NEVER);

	if (!keeper->due && rt_cond_wait(&keeper->woken) == -ECANCELED)
		return -ECANCELED;
	return rt_sleep_until(rt_now_ns() + GATHER_NS) == -ECANCELED ? -ECANCELED : 0;
}

static void run_keeper(void *arg)
{
	struct keeper *keeper = arg;

	while (!wait_until_due(keeper)) {
		keeper->due = false;
		if (keep(keeper) == -ECANCELED)
			break;
	}
}

int keeper_start(struct keeper *keeper, struct meta *meta, const struct keeper_source *source)
{
	*keeper = (struct keeper){ .meta = meta, .source = *source };
	rt_group_init(&keeper->fibers);
	rt_cond_init(&keeper->woken);
	return rt_group_start(&keeper->fibers, "keeper", run_keeper, keeper);
}

void keeper_wake(struct keeper *keeper)
{
	keeper->due = true;
	rt_cond_wake_all(&keeper->woken);
}

void keeper_stop(struct keeper *keeper)
{
	RT_SHIELD();

	rt_group_stop(&keeper->fibers);
	(void)keep(keeper);		/* what is lost then is in the log */
}
