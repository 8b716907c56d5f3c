/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/notice.h"

#include <assert.h>
#include <errno.h>

static void arrive(struct rt_message *message)
{
	struct notice *notice = container_of(message, struct notice, message);

	/* First: who finds it posted has said before whether it is urgent. */
	bool was_posted = __atomic_exchange_n(&notice->posted, false, __ATOMIC_ACQ_REL);

	assert(was_posted);
	if (__atomic_exchange_n(&notice->urgent, false, __ATOMIC_ACQ_REL))
		notice->board->urgent = true;
	notice_due(notice->board);
}

void notice_due(struct notice_board *board)
{
	board->due = true;
	rt_cond_wake_all(&board->woken);
}

void notice_due_urgent(struct notice_board *board)
{
	board->urgent = true;
	notice_due(board);
}

void notice_board_init(struct notice_board *board)
{
	*board = (struct notice_board){ 0 };
	rt_cond_init(&board->woken);
}

void notice_init(struct notice *notice, struct notice_board *board)
{
	*notice = (struct notice){ .message = { .fn = arrive }, .board = board };
	list_init(&notice->message.link);
}

void notice_give(struct notice *notice)
{
	if (!__atomic_exchange_n(&notice->posted, true, __ATOMIC_ACQ_REL))
		rt_post(rt_reactor(0), &notice->message);
}

void notice_give_urgent(struct notice *notice)
{
	__atomic_store_n(&notice->urgent, true, __ATOMIC_RELEASE);
	notice_give(notice);
}

int notice_wait(struct notice_board *board)
{
	int rc = 0;

	while (!board->due && !rc)
		rc = rt_cond_wait(&board->woken);
	if (!rc)
		board->due = false;
	return rc;
}

int notice_wait_more(struct notice_board *board, int64_t when_ns)
{
	int rc = 0;
	RT_LIMIT(when_ns);

	while (!board->urgent && !rc)
		rc = rt_cond_wait(&board->woken);
	board->urgent = false;
	return rc == -ETIMEDOUT && rt_now_ns() >= when_ns ? 0 : rc;
}
