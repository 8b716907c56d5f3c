/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nbd_budget.h - the memory that the requests of all connections of a reactor may take together. Who needs some waits
 * for it in the order of asking, and reads nothing from its client meanwhile; so a large request is not overtaken for
 * ever by small ones, and nobody who has many under way keeps out who has few. One a reactor, used by it alone.
 */
#ifndef XDC_HOST_NBD_BUDGET_H
#define XDC_HOST_NBD_BUDGET_H

#include "rt/rt.h"

/* As often somebody who waits has a look at who keeps the memory. */
#define NBD_BUDGET_LOOK_NS	(5 * RT_SECOND)

struct nbd_budget {
	size_t bytes, taken;
	struct list_head waiting;
	void (*look)(void *arg);	/* somebody has waited for NBD_BUDGET_LOOK_NS. Does not suspend */
	void *arg;
};

void nbd_budget_init(struct nbd_budget *budget, size_t bytes, void (*look)(void *arg), void *arg);

/* Suspends until len (<= bytes) are the caller's: 0. -ETIMEDOUT, -ECANCELED: none are. */
RT_MUST_CHECK int nbd_budget_take(struct nbd_budget *budget, size_t len);

/* Does not suspend. */
void nbd_budget_give(struct nbd_budget *budget, size_t len);

#endif
