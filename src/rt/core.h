/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core.h - what the io_uring backend and the simulator share, private to rt: systems, reactors, fibers and their waits.
 * The core switches fibers and keeps groups, limits, shields, conds, timers and messages; it makes no system call. A
 * backend gives it a clock, randomness, files and sockets (struct rt_backend) and drives it:
 *
 *	core_system_init, core_reactor_init		for each reactor
 *	core_spawn(reactor, ...)			the first fiber
 *	loop:	while (core_turn(reactor)) ...		on the reactor's thread
 *		wait for I/O, a message or core_next_timer(reactor), then core_wake what is complete
 *	core_reactor_destroy, core_system_destroy
 *
 * How a backend's call waits, on the fiber that called it:
 *
 *	struct my_wait { struct core_wait wait; ... };	on the stack of the fiber
 *	int rc = core_check();				cancelled already, or past the limit? then begin nothing
 *	core_wait_init(&w.wait, my_cancel);
 *	submit the operation with &w as its tag
 *	return core_suspend(&w.wait);			the result given to core_wake
 *
 * When the fiber is cancelled or reaches its limit, my_cancel(&w.wait) is called once, and the wait still lasts until
 * the backend calls core_wake: with the operation's result if it happened all the same, or with -ECANCELED, for which
 * core_suspend then returns the reason (-ETIMEDOUT or -ECANCELED). my_cancel may call core_wake itself when nothing is
 * under way any more. With NULL for my_cancel the wait ends at once, for waits in which nobody else uses the fiber's
 * memory; what queues it must use wait.link, which core_wake takes out of its list.
 *
 * Threads: a reactor, the fibers that are on it and their waits are touched by one thread only (the one that runs
 * core_turn for it), except by core_deliver. A fiber changes its reactor in rt_call alone, so every frame above that of
 * rt_call sees one thread from its begin to its end. The simulator runs the reactors of many systems on one thread.
 */
#ifndef XDC_RT_CORE_H
#define XDC_RT_CORE_H

#include "rt/fiber.h"
#include "rt/file.h"
#include "rt/net.h"
#include "rt/rt.h"
#include "rt/timers.h"

#define CORE_REACTORS_MAX	64U

struct rt_system;

/*
 * What a backend provides. Called on a fiber of the calling reactor (rt_here()) unless said otherwise, and by the
 * functions of rt.h, file.h and net.h of the same names, whose comments say what each must do. Those of files, paths,
 * listeners and connections, and help, are entered only after core_check() was good, except the closing ones.
 */
struct rt_backend {
	/* From anywhere on the reactor's thread, also outside fibers. */
	int64_t (*now_ns)(struct rt_reactor *reactor);
	int64_t (*wall_ns)(struct rt_reactor *reactor);
	void (*kernel_boot_id)(struct rt_reactor *reactor, uint8_t id[16]);
	void (*random_bytes)(struct rt_reactor *reactor, void *buf, size_t len);

	/*
	 * Brings message to the reactor, in order of posting per sender: core_deliver now (or later, in the simulator),
	 * and wakes the loop of the reactor when core_deliver says so. From any thread of the system.
	 */
	void (*post)(struct rt_reactor *to, struct rt_message *message);

	/* NULL, or false to make this start of a fiber fail with -ENOMEM ("fail the n-th"). */
	bool (*allow_fiber)(struct rt_reactor *reactor);

	int (*help)(int (*fn)(void *arg), void *arg);

	unsigned (*files_max)(struct rt_reactor *reactor);
	int (*file_open)(const char *path, unsigned flags, struct rt_file **out);
	void (*file_close)(struct rt_file *file);		/* not NULL; shielded by the caller */
	ssize_t (*file_read)(struct rt_file *file, void *buf, size_t len, uint64_t offset);
	int (*file_write)(struct rt_file *file, const void *buf, size_t len, uint64_t offset);
	int (*file_sync)(struct rt_file *file);
	void (*file_start_writeout)(struct rt_file *file, uint64_t offset, uint64_t len);
	int (*file_drop_cached)(struct rt_file *file);
	int (*file_allocate)(struct rt_file *file, uint64_t offset, uint64_t len);
	int (*file_clone)(struct rt_file *file, struct rt_file *from, uint64_t len);
	int (*file_punch)(struct rt_file *file, uint64_t offset, uint64_t len);
	int (*file_set_size)(struct rt_file *file, uint64_t size);
	int (*file_get_info)(struct rt_file *file, struct rt_file_info *info);
	int (*file_get_run)(struct rt_file *file, uint64_t offset, bool *data, uint64_t *end);

	int (*path_info)(const char *path, struct rt_file_info *info);
	int (*path_unlink)(const char *path);
	int (*path_rename)(const char *from, const char *to);
	int (*path_make_folder)(const char *path);
	int (*path_sync_folder)(const char *path);
	int (*path_list)(const char *path, int (*each)(void *arg, const char *name), void *arg);
	int (*path_space)(const char *path, uint64_t *total, uint64_t *free);

	int (*listen)(const char *address, struct rt_listener **out);
	int (*listen_inherited)(int fd, struct rt_listener **out);	/* NULL: -EOPNOTSUPP */
	int (*accept)(struct rt_listener *listener, struct rt_stream **out);
	void (*listener_close)(struct rt_listener *listener);	/* not NULL; shielded by the caller */
	int (*connect)(const char *address, struct rt_stream **out);
};

/*
 * The first members of what a backend keeps of an open file and of a listener. Streams: struct rt_stream_ops in net.h.
 */
struct rt_file {
	unsigned flags;			/* enum rt_file_flags; the core asserts by it */
};
struct rt_listener {
	char address[256];		/* as rt_listener_address gives it */
};

/* One xdcd: its reactors. Embedded in what a backend keeps of a system. */
struct rt_system {
	const struct rt_backend *backend;
	unsigned reactor_count;
	struct rt_reactor *reactors[CORE_REACTORS_MAX];
	bool stop_asked;		/* atomic */
};

/* The waiting of one fiber, on its stack. */
struct core_wait {
	struct list_head link;		/* for the queue of whoever will wake it; a list of its own at first */
	struct rt_fiber *fiber;
	void (*cancel)(struct core_wait *wait);
	int64_t result;
	int reason;			/* 0; -ETIMEDOUT or -ECANCELED once it was interrupted */
	bool done;
};

/*
 * A fiber; lies at the upper end of its own stack. Only core.c touches it; a debugger reads it. All of it belongs to
 * the reactor where the fiber is, but for its place in `all`, which stays with the reactor that it was started on.
 */
struct rt_fiber {
	struct fiber_stack stack;
	struct list_head all;		/* of the reactor that it was started on */
	struct list_head ready;		/* in the reactor's run queue */
	struct list_head member;	/* of the group; of none during a call to another reactor */
	struct rt_group *group;		/* NULL during a call to another reactor: nobody can cancel it there */
	struct rt_reactor *reactor;	/* where it is, or arrives with move */
	struct rt_reactor *goes_to;	/* set while it leaves its stack, until move is posted */
	struct rt_message move;
	const char *name;
	void (*fn)(void *arg);
	void *arg;
	struct core_wait *wait;		/* NULL while it runs or is ready */
	int64_t limit_ns;
	struct timer timer;		/* in the reactor's heap: when its wait is to be interrupted */
	bool timer_is_sleep;		/* reaching it is what was waited for, not the limit */
	bool shielded;			/* limit_ns is then one that was set inside the shield */
	bool ended;
};

/* One reactor. Embedded in what a backend keeps of it. */
struct rt_reactor {
	struct rt_system *system;
	unsigned index;
	struct fiber_pool *pool;
	struct fiber_context loop;	/* the thread's stack, under core_turn */
	struct rt_fiber *running;
	struct list_head fibers;
	struct list_head ready;
	unsigned fiber_count;		/* started here, also while they are away, and those that came in a call */
	struct timers timers;
	struct list_head *inbox;	/* newest message first, linked by next; atomic */
	struct rt_cond stopped;
	struct rt_message stop_message;
	bool stopping;
};

/* ---- systems and reactors (outside fibers) ---- */

/* Prepares a pool of fiber stacks that reactors of one thread may share; fiber_pool_destroy when they are gone. */
void core_pool_init(struct fiber_pool *pool, unsigned count_max);

/* The backend's structs are zeroed memory before. Reactors are numbered in the order of their initialisation. */
void core_system_init(struct rt_system *system, const struct rt_backend *backend);
void core_reactor_init(struct rt_reactor *reactor, struct rt_system *system, struct fiber_pool *pool);

/*
 * Forgets all fibers where they stand, without running them (a crash of the system), and all undelivered messages;
 * stacks go back to the pool. Completions that still arrive must no longer be given
 * to core_wake. From outside the reactor's fibers. A reactor that ended in order has no fibers left.
 */
void core_reactor_destroy(struct rt_reactor *reactor);

/* Starts a fiber in no group, which nobody can cancel: the main fiber of a system. 0, -ENOMEM. */
RT_MUST_CHECK int core_spawn(struct rt_reactor *reactor, const char *name, void (*fn)(void *arg), void *arg);

/* ---- the loop ---- */

/*
 * Runs the messages that have arrived, then each fiber that is ready now, then fires the timers that are due. True when
 * it did anything: then there may be more to do at once.
 */
bool core_turn(struct rt_reactor *reactor);

/* When the next timer is due, RT_NEVER if there is none. */
int64_t core_next_timer(const struct rt_reactor *reactor);

/* True when core_turn would find a message or a ready fiber. */
bool core_has_work(const struct rt_reactor *reactor);

/* Puts message into the inbox; true when the inbox was empty, so that the loop must be woken. Any thread. */
RT_MUST_CHECK bool core_deliver(struct rt_reactor *to, struct rt_message *message);

/* Ends rt_wait_stop on all reactors, now and for ever. Any thread of the system, not from a signal handler. */
void core_stop(struct rt_system *system);

/*
 * The reactor whose code runs on this thread, NULL outside. core_turn sets it and puts it back afterwards;
 * core_set_here is for backends that call something outside core_turn. Returns what was set before.
 */
struct rt_reactor *core_here(void);
struct rt_reactor *core_set_here(struct rt_reactor *reactor);

/* The running fiber of the running reactor, NULL outside fibers. */
struct rt_fiber *core_fiber(void);

/* ---- waits ---- */

/* 0, or what a wait begun now would return: -ECANCELED, -ETIMEDOUT. */
RT_MUST_CHECK int core_check(void);

/* cancel: see above. The calling fiber is the one that waits. */
void core_wait_init(struct core_wait *wait, void (*cancel)(struct core_wait *wait));

/* Suspends the calling fiber until core_wake(wait), which may have been called already; its result. */
int64_t core_suspend(struct core_wait *wait);

/* Ends the wait with result, takes wait->link out of its list and makes the fiber ready. Once for each wait. */
void core_wake(struct core_wait *wait, int64_t result);

#endif
