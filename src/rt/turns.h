/* SPDX-License-Identifier: Apache-2.0 */
/*
 * turns.h - for threads that are no reactors: a function that makes something piece by piece, on a stack of its own,
 * and the thread that takes the pieces, by turns. So an answer is written by code that reads from top to bottom, while
 * a library asks for its next bytes. All on one thread at a time; a lock is never held over a turn.
 */
#ifndef XDC_RT_TURNS_H
#define XDC_RT_TURNS_H

#include <stdbool.h>

struct turns;

/* NULL: no memory. Its stack is used for one function after the other. */
struct turns *turns_create(void);
void turns_destroy(struct turns *turns);	/* none is under way; NULL is allowed */

/* fn(arg) is to be run; none is under way. It begins with the first turns_go_on. */
void turns_begin(struct turns *turns, void (*fn)(void *arg), void *arg);

/* Lets it run until it gives way: true; or has returned: false. */
bool turns_go_on(struct turns *turns);

/* Within the function: the thread's turn. */
void turns_give_way(struct turns *turns);

#endif
