/* SPDX-License-Identifier: Apache-2.0 */
/* list.h - doubly linked lists whose links are part of their elements. No memory, no failure. */
#ifndef XDC_RT_LIST_H
#define XDC_RT_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name)	{ &(name), &(name) }

#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#define list_first(head, type, member)	container_of((head)->next, type, member)
#define list_last(head, type, member)	container_of((head)->prev, type, member)

/* Over all elements in order; the body must not remove elements. */
#define list_for_each(pos, head, member) \
	for (pos = container_of((head)->next, __typeof__(*pos), member); &pos->member != (head); \
	     pos = container_of(pos->member.next, __typeof__(*pos), member))

/* The same; the body may remove and free pos. */
#define list_for_each_safe(pos, tmp, head, member) \
	for (pos = container_of((head)->next, __typeof__(*pos), member), \
	     tmp = container_of(pos->member.next, __typeof__(*pos), member); &pos->member != (head); \
	     pos = tmp, tmp = container_of(tmp->member.next, __typeof__(*tmp), member))

static inline void list_init(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline void list_insert(struct list_head *item, struct list_head *before, struct list_head *after)
{
	item->prev = before;
	item->next = after;
	before->next = item;
	after->prev = item;
}

static inline void list_add_first(struct list_head *head, struct list_head *item)
{
	list_insert(item, head, head->next);
}

static inline void list_add_last(struct list_head *head, struct list_head *item)
{
	list_insert(item, head->prev, head);
}

/* Takes item out of its list; afterwards it is an empty list of its own, so removing it again does no harm. */
static inline void list_remove(struct list_head *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

/* Moves all elements of from to the end of to; from is empty afterwards. */
static inline void list_append_all(struct list_head *to, struct list_head *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#endif
