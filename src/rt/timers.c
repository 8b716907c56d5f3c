/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/timers.h"

#include <assert.h>
#include <stddef.h>

/* Of two heaps one: the later root becomes the first child of the earlier. */
static struct timer *meld(struct timer *a, struct timer *b)
{
	struct timer *root = a, *child = b;

	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	if (b->when_ns < a->when_ns) {
		root = b;
		child = a;
	}
	child->next = root->child;
	child->prev = root;
	if (child->next != NULL)
		child->next->prev = child;
	root->child = child;
	return root;
}

/* Of siblings one heap: by pairs, then one pair after the other. That order is what keeps the heap flat. */
static struct timer *meld_all(struct timer *first)
{
	struct timer *pairs = NULL, *root = NULL;

	while (first != NULL) {
		struct timer *a = first, *b = a->next, *pair;

		first = b != NULL ? b->next : NULL;
		a->next = a->prev = NULL;
		if (b != NULL)
			b->next = b->prev = NULL;
		pair = meld(a, b);
		pair->next = pairs;
		pairs = pair;
	}
	while (pairs != NULL) {
		struct timer *pair = pairs;

		pairs = pair->next;
		pair->next = NULL;
		root = meld(root, pair);
	}
	return root;
}

void timers_add(struct timers *timers, struct timer *timer, int64_t when_ns)
{
	assert(!timer->is_set);
	*timer = (struct timer){ .when_ns = when_ns, .is_set = true };
	timers->first = meld(timers->first, timer);
}

void timers_remove(struct timers *timers, struct timer *timer)
{
	if (!timer->is_set)
		return;
	if (timer == timers->first) {
		timers->first = meld_all(timer->child);
	} else {
		if (timer->prev->child == timer)
			timer->prev->child = timer->next;
		else
			timer->prev->next = timer->next;
		if (timer->next != NULL)
			timer->next->prev = timer->prev;
		timers->first = meld(timers->first, meld_all(timer->child));
	}
	*timer = (struct timer){ 0 };
}
