/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim.h - the simulated twin of the runtime: a world of systems on one thread, with virtual time, disks that
 * lose and tear what was not synced, and networks that delay, cut and heal. Everything follows from the seed:
 * the same program with the same seed does the same, bit for bit. Code above rt runs in it unchanged.
 *
 * A scenario is a fiber of the system "outside", which has a disk and a network of its own and never crashes;
 * it uses rt.h, file.h, net.h and mem.h like everybody, starts more fibers, and does with the other systems
 * what this header offers:
 *
 *	struct sim_world *world = sim_create(seed, NULL);
 *	struct sim_system *a1 = sim_add_system(world, "a1", 1);
 *	rc = sim_run(world, scenario, arg, 60 * RT_SECOND);	boots, cuts, crashes and checks
 *	sim_destroy(world);
 *
 * One world at a time. Functions that suspend say so; all others may be called on a fiber of outside and,
 * between runs, from the thread itself. Nothing here may be called from a fiber of another system unless its
 * comment says so.
 */
#ifndef XDC_RT_SIM_H
#define XDC_RT_SIM_H

#include <stdio.h>

#include "rt/log.h"
#include "rt/net.h"
#include "rt/rt.h"

struct sim_world;
struct sim_system;

/* ---- the world ---- */

struct sim_range {
	int64_t low, high;	/* both included */
};

struct sim_config {
	struct sim_range turn_ns;		/* from a reactor's having something to do to its turn */
	struct sim_range boot_ns;		/* from sim_boot to the first step of main */
	struct sim_range help_ns;		/* rt_help */
	struct sim_range disk_read_ns, disk_write_ns;
	struct sim_range disk_direct_ns;	/* added for DIRECT, and again for DSYNC */
	struct sim_range disk_sync_ns;
	int64_t disk_sync_page_ns;		/* added for each unsynced page */
	struct sim_range disk_name_ns;		/* opening, names, sizes, allocation */
	struct sim_range net_local_ns;		/* one way, within one machine */
	struct sim_range net_far_ns;		/* one way, between machines */
	uint64_t disk_bytes;			/* of the file system of each machine */
	size_t net_window_bytes;		/* of one direction of a connection: sent and not yet read */

	/* Faults that come by themselves, in a million calls, in systems other than outside. */
	uint32_t read_errors, write_errors, sync_errors, connection_breaks;
};

/* What NULL stands for: latencies of ordinary machines, no faults that come by themselves. */
void sim_config_default(struct sim_config *config);

struct sim_world *sim_create(uint64_t seed, const struct sim_config *config);

/* Ends all systems where they are; nothing may run. */
void sim_destroy(struct sim_world *world);

/* The world, for code that runs in it. From any fiber. */
struct sim_world *sim_world(void);
struct sim_system *sim_outside(struct sim_world *world);

enum sim_end {
	SIM_DONE,	/* the scenario returned 0 */
	SIM_FAILED,	/* it returned something else, or sim_fail was called */
	SIM_TIME_UP,	/* until_ns was reached */
	SIM_STUCK,	/* nothing will ever happen again */
};

/*
 * Runs the scenario as the main fiber of outside until it returns, a failure, or until_ns (of virtual time,
 * from the creation of the world). On anything but SIM_DONE the reason is in sim_failure, for SIM_STUCK and
 * SIM_TIME_UP with what every fiber waits for. After SIM_DONE it may be called again; what else runs in outside
 * stays.
 */
enum sim_end sim_run(struct sim_world *world, int (*scenario)(void *arg), void *arg, int64_t until_ns);

/* Marks the run as failed, with a sentence; the first one counts. From any fiber; does not suspend. */
void sim_fail(struct sim_world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Why the run failed, or NULL. Lives as long as the world. */
const char *sim_failure(const struct sim_world *world);

/* Virtual time since the creation of the world, and a number over all that happened: equal for equal runs. */
int64_t sim_now_ns(const struct sim_world *world);
uint64_t sim_trace_hash(const struct sim_world *world);

/* Chance for scenarios, from the seed: 0 ... bound - 1. */
uint64_t sim_random_below(struct sim_world *world, uint64_t bound);

/*
 * Log lines ("12.345678901 a1 NOTICE volume: ...") are kept, the newest some thousand of them; or written to
 * out as they come, when that is not NULL. sim_note adds a line of the scenario's own.
 */
void sim_show_log(struct sim_world *world, FILE *out);
void sim_print_log(const struct sim_world *world, FILE *out);
void sim_note(struct sim_world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What every fiber of every system waits for. */
void sim_print_waits(const struct sim_world *world, FILE *out);

/* ---- systems ---- */

/*
 * A machine with its own disk and clock and the name as its host name ("a1:7000"). The name is copied. At most
 * 31.
 */
struct sim_system *sim_add_system(struct sim_world *world, const char *name, unsigned reactors);
const char *sim_name(const struct sim_system *system);

/*
 * Switches the machine on if need be and starts the process: main runs as a fiber on reactor 0, as by rt_run.
 * arg must outlive it. When main returns the process ends; it must then have closed and freed all it had, else
 * the run fails.
 */
void sim_boot(struct sim_system *system, int (*main)(void *arg), void *arg);

bool sim_is_running(const struct sim_system *system);

/* What main returned; valid once it has ended without a crash. */
int sim_exit_code(const struct sim_system *system);

/* Ends rt_wait_stop in the system, as SIGTERM does. */
void sim_stop(struct sim_system *system);

/* Suspends until the system does not run (any more): 0. -ETIMEDOUT, -ECANCELED. */
RT_MUST_CHECK int sim_wait_ended(struct sim_system *system);

/*
 * sim_stop and sim_wait_ended; what main returned. Suspends. -ETIMEDOUT, -ECANCELED; -ECONNABORTED if it was
 * crashed.
 */
RT_MUST_CHECK int sim_stop_and_wait(struct sim_system *system);

enum sim_crash {
	SIM_DEATH,		/* of the process (SIGKILL): the kernel goes on, the page cache stays */
	SIM_POWER_LOSS,		/* of the machine: what was not synced may be lost; a new boot id follows */
};

/*
 * Does nothing to a system that is not running, except that SIM_POWER_LOSS also hits an idle machine's page
 * cache.
 */
void sim_crash(struct sim_system *system, enum sim_crash how);

/* SIGSTOP and SIGCONT: no fiber runs, time and the kernel go on. */
void sim_pause(struct sim_system *system);
void sim_resume(struct sim_system *system);

/* Moves rt_wall_ns of the machine, not rt_now_ns. */
void sim_jump_wall(struct sim_system *system, int64_t by_ns);

/*
 * Runs fn(arg) in a fiber of the system, on reactor 0, and suspends until it has returned; its result.
 * -ECONNABORTED when the system is not running, or crashes first. Not cancelled and not limited.
 */
RT_MUST_CHECK int sim_call(struct sim_system *system, int (*fn)(void *arg), void *arg);

/* Bytes and pieces of mem.h that the system holds now. */
size_t sim_memory_bytes(const struct sim_system *system);
size_t sim_memory_pieces(const struct sim_system *system);

/* ---- faults ---- */

/* Kinds of calls that can fail, and are counted. */
enum sim_call_kind {
	SIM_ALLOC,		/* of mem.h: NULL */
	SIM_FIBER,		/* rt_group_start: -ENOMEM */
	SIM_OPEN,		/* -EMFILE */
	SIM_READ,		/* -EIO */
	SIM_WRITE,		/* -EIO; any of its pages may be written */
	SIM_SYNC,		/* -EIO; the kernel then forgets what was not synced, and the next sync is good */
	SIM_ALLOCATE,		/* -ENOSPC */
	SIM_PUNCH,		/* -EIO */
	SIM_CLONE,		/* -EIO; any of its pages may be cloned */
	SIM_SET_SIZE,		/* -EIO */
	SIM_CHANGE_NAME,	/* unlink, rename, make_folder: -EIO */
	SIM_GET_INFO,		/* of a file or path: -EIO */
	SIM_GET_RUN,		/* -EIO */
	SIM_SYNC_FOLDER,	/* -EIO */
	SIM_LISTEN,		/* -EADDRINUSE */
	SIM_ACCEPT,		/* -EMFILE */
	SIM_CONNECT,		/* -ECONNREFUSED */
	SIM_SEND,		/* the connection breaks: -ECONNRESET */
	SIM_RECEIVE,		/* the same */
	SIM_CALL_KINDS
};
const char *sim_call_name(enum sim_call_kind kind);

/* Calls of the kind that the system made since it was last booted (outside: since the beginning). */
uint64_t sim_calls(const struct sim_system *system, enum sim_call_kind kind);

/* Calls to its disk that were made to fail since it was last booted; not those that found no space. */
uint64_t sim_disk_errors(const struct sim_system *system);

/* The n-th such call from now on fails (1: the next), once. 0 takes it back. Survives boots. */
void sim_fail_nth(struct sim_system *system, enum sim_call_kind kind, uint64_t n);

/*
 * The n-th such call of all systems but outside, counted from the creation of the world, fails; and how many
 * there were. For runs that fail every call once.
 */
void sim_fail_nth_of_all(struct sim_world *world, enum sim_call_kind kind, uint64_t n);
uint64_t sim_calls_of_all(const struct sim_world *world, enum sim_call_kind kind);

/* The system crashes during the n-th such call from now on. 0 takes it back. */
void sim_crash_at_nth(struct sim_system *system, enum sim_call_kind kind, uint64_t n, enum sim_crash how);

/* What has happened so far, for "this run was not empty". */
enum sim_fault {
	SIM_FAULT_DEATH, SIM_FAULT_POWER_LOSS, SIM_FAULT_PAUSE, SIM_FAULT_WALL_JUMP,
	SIM_FAULT_PAGE_LOST, SIM_FAULT_PAGE_TORN, SIM_FAULT_NAME_LOST,
	SIM_FAULT_READ_ERROR, SIM_FAULT_WRITE_ERROR, SIM_FAULT_SYNC_ERROR, SIM_FAULT_SYNC_LIE, SIM_FAULT_NO_SPACE,
	SIM_FAULT_CUT, SIM_FAULT_BREAK, SIM_FAULT_REFUSED, SIM_FAULT_NTH_CALL,
	SIM_FAULTS
};
const char *sim_fault_name(enum sim_fault fault);
uint64_t sim_fault_count(const struct sim_world *world, enum sim_fault fault);

/* ---- disks ---- */

/* What is wrong with a disk. */
struct sim_disk_state {
	bool read_fails, write_fails, sync_fails;	/* -EIO, every time */
	bool sync_lies;					/* syncs and DSYNC writes say yes and keep nothing */
	bool cannot_punch;				/* -EOPNOTSUPP */
	bool clones;					/* its files may share space */
	unsigned slower;				/* times; 0 and 1: as configured */
};

/*
 * For all files whose path begins with prefix ("" for all); the longest prefix counts. At most 8 prefixes a
 * system.
 */
void sim_set_disk(struct sim_system *system, const char *prefix, const struct sim_disk_state *state);

/* Files that its process may have open; 0: any number, as at first. */
void sim_set_files_max(struct sim_system *system, unsigned max);

/* Space of the file system. Less than is used: full. */
void sim_set_disk_bytes(struct sim_system *system, uint64_t bytes);

/* A file that looks like a block device (is_device); makes the folders above it. 0, -EEXIST. */
RT_MUST_CHECK int sim_add_device(struct sim_system *system, const char *path, uint64_t bytes);

/*
 * Looks at a file, or changes it behind the back of the system, without time passing. Peeking beyond the end
 * gives zeros; what is poked is durable at once. 0 or a negative errno.
 */
RT_MUST_CHECK int sim_peek(struct sim_system *system, const char *path, void *buf, size_t len, uint64_t offset);
RT_MUST_CHECK int sim_poke(struct sim_system *system, const char *path, const void *buf, size_t len, uint64_t offset);

/* ---- networks ---- */

/*
 * Addresses: "NAME:PORT" reaches the system of that name; "127.0.0.1", "[::1]" and "localhost" the own machine;
 * a listener may also name "0.0.0.0" or "[::]", and port 0. "unix:PATH" is reached on the own machine only.
 */

/* As rt_connect, from the machine of another system: how a scenario reaches a Unix socket. Suspends. */
RT_MUST_CHECK int sim_connect(struct sim_system *machine, const char *address, struct rt_stream **out);

/* Both ways; NULL stands for all other systems. Cut: nothing arrives until sim_heal, and nobody is told. */
void sim_cut(struct sim_system *a, struct sim_system *b);
void sim_cut_one_way(struct sim_system *from, struct sim_system *to);
void sim_heal(struct sim_system *a, struct sim_system *b);

/* Breaks all connections between the two at once; both ends see -ECONNRESET, data under way are lost. */
void sim_break(struct sim_system *a, struct sim_system *b);

/* Connections to the system are refused. */
void sim_refuse(struct sim_system *system, bool refuse);

/* Of the direct way between two machines, both directions: one-way delay, and bytes per second (0: no limit). */
void sim_set_link(struct sim_system *a, struct sim_system *b, struct sim_range delay_ns, uint64_t bytes_per_s);

#endif
