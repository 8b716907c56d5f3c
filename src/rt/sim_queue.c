/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/sim_queue.h"

#include <assert.h>
#include <stdlib.h>

#include "rt/sim_memory.h"

#define CHILDREN	4	/* a flat heap touches fewer cache lines */

static bool comes_before(const struct sim_event *a, const struct sim_event *b)
{
	return a->when_ns < b->when_ns || (a->when_ns == b->when_ns && a->order < b->order);
}

static void put_at(struct sim_queue *queue, size_t index, struct sim_event *event)
{
	queue->heap[index] = event;
	event->place = index + 1;
}

static void move_up(struct sim_queue *queue, size_t index, struct sim_event *event)
{
	while (index > 0) {
		size_t parent = (index - 1) / CHILDREN;

		if (!comes_before(event, queue->heap[parent]))
			break;
		put_at(queue, index, queue->heap[parent]);
		index = parent;
	}
	put_at(queue, index, event);
}

static void move_down(struct sim_queue *queue, size_t index, struct sim_event *event)
{
	for (;;) {
		size_t first = index * CHILDREN + 1, best = first, child;

		if (first >= queue->count)
			break;
		for (child = first + 1; child < first + CHILDREN && child < queue->count; child++)
			if (comes_before(queue->heap[child], queue->heap[best]))
				best = child;
		if (!comes_before(queue->heap[best], event))
			break;
		put_at(queue, index, queue->heap[best]);
		index = best;
	}
	put_at(queue, index, event);
}

void sim_queue_destroy(struct sim_queue *queue)
{
	sim_free(queue->heap);
	*queue = (struct sim_queue){ 0 };
}

void sim_queue_remove(struct sim_queue *queue, struct sim_event *event)
{
	size_t index;
	struct sim_event *last;

	if (event->place == 0)
		return;
	index = event->place - 1;
	assert(queue->heap[index] == event);
	event->place = 0;
	last = queue->heap[--queue->count];
	if (last == event)
		return;
	if (index > 0 && comes_before(last, queue->heap[(index - 1) / CHILDREN]))
		move_up(queue, index, last);
	else
		move_down(queue, index, last);
}

void sim_queue_set(struct sim_queue *queue, struct sim_event *event, int64_t when_ns)
{
	sim_queue_remove(queue, event);
	if (queue->count == queue->room) {
		queue->room = queue->room == 0 ? 64 : 2 * queue->room;
		queue->heap = sim_resize(queue->heap, queue->room * sizeof(*queue->heap));
	}
	event->when_ns = when_ns;
	event->order = ++queue->order;
	move_up(queue, queue->count++, event);
}
