/* SPDX-License-Identifier: Apache-2.0 */
#include "host/nbd_budget.h"

#include <assert.h>
#include <errno.h>

struct claim {
	struct list_head link;		/* in waiting, until it is granted */
	size_t len;
	bool granted;
	struct rt_cond changed;
};

void nbd_budget_init(struct nbd_budget *budget, size_t bytes, void (*look)(void *arg), void *arg)
{
	*budget = (struct nbd_budget){ .bytes = bytes, .look = look, .arg = arg };
	list_init(&budget->waiting);
}

static bool fits(const struct nbd_budget *budget, size_t len)
{
	return len <= budget->bytes - budget->taken;
}

/* To those in front, as long as there is enough for the first. */
static void grant(struct nbd_budget *budget)
{
	while (!list_empty(&budget->waiting)) {
		struct claim *claim = list_first(&budget->waiting, struct claim, link);

		if (!fits(budget, claim->len))
			break;
		list_remove(&claim->link);
		budget->taken += claim->len;
		claim->granted = true;
		rt_cond_wake_all(&claim->changed);
	}
}

/* Until it is granted, or the end of the caller's own limit. */
static int wait_for(struct nbd_budget *budget, struct claim *claim)
{
	int64_t limit_ns = rt_limit_ns();
	int rc = 0;

	while (!rc && !claim->granted) {
		RT_LIMIT(rt_now_ns() + NBD_BUDGET_LOOK_NS);

		rc = rt_cond_wait(&claim->changed);
		if (rc == -ETIMEDOUT && rt_now_ns() < limit_ns) {
			budget->look(budget->arg);
			rc = 0;
		}
	}
	return rc;
}

int nbd_budget_take(struct nbd_budget *budget, size_t len)
{
	struct claim claim = { .len = len };
	int rc;

	assert(len <= budget->bytes);
	if (list_empty(&budget->waiting) && fits(budget, len)) {
		budget->taken += len;
		return 0;
	}
	rt_cond_init(&claim.changed);
	list_add_last(&budget->waiting, &claim.link);
	rc = wait_for(budget, &claim);
	if (!rc)
		return 0;
	if (claim.granted) {
		nbd_budget_give(budget, len);
	} else {
		list_remove(&claim.link);
		grant(budget);
	}
	return rc;
}

void nbd_budget_give(struct nbd_budget *budget, size_t len)
{
	assert(len <= budget->taken);
	budget->taken -= len;
	grant(budget);
}
