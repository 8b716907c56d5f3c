/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_impl.h - what the files of the simulator share: the world, systems, and waits whose end is an event.
 * Private to sim*.c.
 *
 *	sim.c		the world and its loop, the clock
 *	sim_system.c	the life of systems: boot, end, crash, pause
 *	sim_mem.c	memory of systems
 *	sim_log.c	log lines, failures, what fibers wait for
 *	sim_fault.c	which calls fail
 *	sim_file.c	files; over sim_names and sim_content
 *	sim_net.c	addresses, listeners, connecting; sim_stream.c connections
 */
#ifndef XDC_RT_SIM_IMPL_H
#define XDC_RT_SIM_IMPL_H

#include "rt/core.h"
#include "rt/sim.h"
#include "rt/sim_names.h"
#include "rt/sim_queue.h"
#include "rt/sim_rand.h"

#define SIM_SYSTEMS_MAX		32u
#define SIM_DISK_RULES_MAX	8u

struct sim_reactor {
	struct rt_reactor core;
	struct sim_event turn;
};

/* One direction between two machines. */
struct sim_link {
	bool cut;
	struct sim_range delay_ns;
	uint64_t bytes_per_s;		/* 0: no limit */
	int64_t busy_until_ns;
};

struct sim_disk_rule {
	char *prefix;
	struct sim_disk_state state;
};

struct sim_system {
	struct sim_world *world;
	unsigned index;
	char *name;

	/* The machine. */
	bool powered;
	uint8_t boot_id[16];
	int64_t clock_ahead_ns;		/* rt_now_ns minus virtual time */
	int64_t wall_ahead_ns;		/* rt_wall_ns minus virtual time */
	struct sim_disk disk;
	struct sim_disk_rule rules[SIM_DISK_RULES_MAX];
	unsigned rule_count;
	struct list_head listeners;
	unsigned next_port;
	bool refuses;

	/* The process. */
	bool running, paused;
	int exit_code;
	struct rt_system core;
	unsigned reactor_count;
	struct sim_reactor *reactors;	/* while it runs */
	int (*main)(void *arg);
	void *main_arg;
	struct sim_event phase;		/* main is to start, or has returned */
	struct rt_cond end_waiters;	/* fibers of outside */
	struct list_head waits;		/* of its fibers, struct sim_wait: a crash ends them first */
	struct list_head calls;		/* sim_call, from outside */
	struct list_head files;
	unsigned files_max;		/* 0: any number */
	struct list_head ends;		/* of connections */
	struct list_head memory;
	size_t memory_bytes, memory_pieces;

	uint64_t calls_made[SIM_CALL_KINDS];
	uint64_t disk_errors;
	uint64_t fail_in[SIM_CALL_KINDS];	/* 0: none */
	uint64_t crash_in[SIM_CALL_KINDS];
	enum sim_crash crash_how;
	struct sim_event crash;
};

struct sim_log;

struct sim_world {
	uint64_t seed;
	struct sim_rand rand;
	struct sim_config config;
	struct sim_queue queue;
	int64_t now_ns;
	uint64_t trace_hash;
	struct sim_system *systems[SIM_SYSTEMS_MAX];	/* [0] is outside */
	unsigned system_count;
	struct sim_link links[SIM_SYSTEMS_MAX][SIM_SYSTEMS_MAX];	/* [from][to] */
	struct list_head connections;
	unsigned next_stream_port;
	struct sim_log *log;
	uint64_t faults[SIM_FAULTS];
	uint64_t calls_made[SIM_CALL_KINDS];	/* of all systems but outside */
	uint64_t fail_at[SIM_CALL_KINDS];	/* 0: none */
	bool scenario_done;
	int scenario_rc;
};

/* ---- sim.c ---- */

extern const struct rt_backend sim_backend;

static inline struct sim_reactor *sim_reactor_of(struct rt_reactor *reactor)
{
	return container_of(reactor, struct sim_reactor, core);
}

static inline struct sim_system *sim_system_of(const struct rt_reactor *reactor)
{
	return container_of(reactor->system, struct sim_system, core);
}

/* The system whose code runs; outside when that is the thread itself. */
struct sim_system *sim_here(void);

int64_t sim_pick(struct sim_world *world, const struct sim_range *range);

static inline void sim_after(struct sim_world *world, struct sim_event *event, int64_t delay_ns)
{
	sim_queue_set(&world->queue, event, world->now_ns + delay_ns);
}

/* What happened becomes part of the trace hash. Values must not depend on addresses. */
static inline void sim_trace(struct sim_world *world, uint64_t a, uint64_t b)
{
	world->trace_hash = sim_rand_mix(world->trace_hash ^ a) + b;
}

/*
 * Sees to it that the reactor takes a turn soon; for whatever made one of its fibers ready from outside its own
 * turn.
 */
void sim_need_turn(struct rt_reactor *reactor);

/* ---- waits ---- */

/*
 * A wait of a fiber that lasts until an event. step is called at the event and either calls sim_wait_end or
 * queues the event again; cancelled at most once, when the fiber is interrupted: may call sim_wait_end
 * (-ECANCELED); NULL: the wait cannot be interrupted. dropped when the system crashes, before its memory goes.
 * what shows in sim_print_waits.
 */
struct sim_wait {
	struct core_wait core;
	struct list_head link;		/* of the system */
	struct sim_event event;
	struct sim_system *system;
	const char *what;
	void (*step)(struct sim_wait *wait);
	void (*cancelled)(struct sim_wait *wait);
	void (*dropped)(struct sim_wait *wait);
};

/* On the waiting fiber; the caller sets step, cancelled and dropped afterwards. */
void sim_wait_begin(struct sim_wait *wait, const char *what);

/* Suspends until sim_wait_end; its result. */
int64_t sim_wait_for(struct sim_wait *wait);
void sim_wait_end(struct sim_wait *wait, int64_t result);

/* Suspends the fiber for a time, not interrupted. */
void sim_pass_time(const char *what, int64_t delay_ns);

/* ---- sim.c, sim_system.c ---- */

struct fiber_pool *sim_fiber_pool(void);
void sim_system_init(struct sim_system *system, struct sim_world *world, const char *name, unsigned reactors);
void sim_system_destroy(struct sim_system *system);

/*
 * The process is gone from one moment to the next, without a word in the log. Nothing to do when it does not
 * run.
 */
void sim_process_end(struct sim_system *system, enum sim_crash how);
void sim_calls_abort(struct sim_system *system);

/* ---- sim_mem.c ---- */

void sim_mem_install(bool install);
void sim_mem_drop_all(struct sim_system *system);
void sim_mem_describe(const struct sim_system *system, char *text, size_t len);

/* ---- sim_log.c ---- */

void sim_log_create(struct sim_world *world);
void sim_log_destroy(struct sim_world *world);
/* As sim_fail, with what every fiber waits for. */
void sim_fail_waiting(struct sim_world *world, const char *text);

/* ---- sim_fault.c ---- */

/* Counts the call; true when it is to fail. */
bool sim_call_fails(struct sim_system *system, enum sim_call_kind kind);

static inline void sim_count_fault(struct sim_world *world, enum sim_fault fault)
{
	world->faults[fault]++;
}

/* ---- sim_file.c ---- */

int sim_file_open(const char *path, unsigned flags, struct rt_file **out);
void sim_file_close(struct rt_file *file);
ssize_t sim_file_read(struct rt_file *file, void *buf, size_t len, uint64_t offset);
int sim_file_write(struct rt_file *file, const void *buf, size_t len, uint64_t offset);
int sim_file_sync(struct rt_file *file);
void sim_file_start_writeout(struct rt_file *file, uint64_t offset, uint64_t len);
int sim_file_drop_cached(struct rt_file *file);
int sim_file_allocate(struct rt_file *file, uint64_t offset, uint64_t len);
int sim_file_clone(struct rt_file *file, struct rt_file *from, uint64_t len);
int sim_file_punch(struct rt_file *file, uint64_t offset, uint64_t len);
int sim_file_set_size(struct rt_file *file, uint64_t size);
int sim_file_get_info(struct rt_file *file, struct rt_file_info *info);
int sim_file_get_run(struct rt_file *file, uint64_t offset, bool *data, uint64_t *end);
int sim_path_info(const char *path, struct rt_file_info *info);
int sim_path_unlink(const char *path);
int sim_path_rename(const char *from, const char *to);
int sim_path_make_folder(const char *path);
int sim_path_sync_folder(const char *path);
int sim_path_list(const char *path, int (*each)(void *arg, const char *name), void *arg);
unsigned sim_files_max(struct rt_reactor *reactor);
int sim_path_space(const char *path, uint64_t *total, uint64_t *free);

void sim_files_close_all(struct sim_system *system);
const struct sim_disk_state *sim_disk_state_of(const struct sim_system *system, const char *path);

/* ---- sim_net.c, sim_stream.c ---- */

int sim_listen(const char *address, struct rt_listener **out);
int sim_accept(struct rt_listener *listener, struct rt_stream **out);
void sim_listener_close(struct rt_listener *listener);
int sim_connect_here(const char *address, struct rt_stream **out);
void sim_streams_end(struct sim_system *system, enum sim_crash how);
void sim_streams_destroy(struct sim_world *world);
void sim_net_close_all(struct sim_system *system, enum sim_crash how);
void sim_net_powered(struct sim_system *system);	/* the machine is back: stalled packets now meet a new kernel */
void sim_net_destroy(struct sim_world *world);

#endif
