/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/notice.h"

static void arrive(struct rt_message *message)
{
	struct notice *notice = container_of(message, struct notice, message);

	__atomic_store_n(&notice->posted, false, __ATOMIC_RELEASE);
	notice_due(notice->board);
}

void notice_due(struct notice_board *board)
{
	board->due = true;
	rt_cond_wake_all(&board->woken);
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

int notice_wait(struct notice_board *board)
{
	int rc = 0;

	while (!board->due && !rc)
		rc = rt_cond_wait(&board->woken);
	if (!rc)
		board->due = false;
	return rc;
}
