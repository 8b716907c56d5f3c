/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_queue.h - what will happen, in order of virtual time: a heap of events that are part of their owners.
 * Events of one moment happen in the order in which they were put in. Private to the simulator.
 */
#ifndef XDC_RT_SIM_QUEUE_H
#define XDC_RT_SIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_event {
	void (*fn)(struct sim_event *event);
	int64_t when_ns;
	uint64_t order;
	size_t place;		/* in the heap, counted from 1; 0: not queued */
};

struct sim_queue {
	struct sim_event **heap;
	size_t count, room;
	uint64_t order;
};

/* Gives back the heap; the events belong to their owners. */
void sim_queue_destroy(struct sim_queue *queue);

/* Queues the event, or moves it when it is queued already. Memory that is short ends the program. */
void sim_queue_set(struct sim_queue *queue, struct sim_event *event, int64_t when_ns);

/* Does nothing when it is not queued. */
void sim_queue_remove(struct sim_queue *queue, struct sim_event *event);

/* The next event, or NULL; it stays queued. */
static inline struct sim_event *sim_queue_first(const struct sim_queue *queue)
{
	return queue->count == 0 ? NULL : queue->heap[0];
}

static inline bool sim_event_queued(const struct sim_event *event)
{
	return event->place != 0;
}

#endif
