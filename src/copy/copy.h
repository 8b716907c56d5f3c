/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy.h - the copy services of one system, as the control plane sees them: paths, pairs, sessions, and recovery at
 * the far side. What an administrator may do, one function each; all else in copy/ carries it out.
 *
 * All functions are called on reactor 0 (the first), on any fiber, and suspend. Those with a fault return 0, or -1
 * with the fault filled in; nothing is half done then. Changes are durable in the metadata before they return.
 */
#ifndef XDC_COPY_COPY_H
#define XDC_COPY_COPY_H

#include "copy/history.h"
#include "copy/link.h"
#include "copy/session_table.h"
#include "copy/state_table.h"
#include "rt/fault.h"
#include "rt/file.h"
#include "rt/net.h"
#include "rt/rt.h"
#include "store/records.h"

#define XDC_SESSION_MEMBERS_MAX	16u

struct copy;
struct meta;
struct volume;

/*
 * A pair as it is named at one of its ends: by the volume there, and the system of the other volume, with which it has
 * no other pair. system empty: its only one.
 */
struct copy_pair_name {
	uint16_t volume;
	char system[XDC_SYSTEM_ID_MAX];
};
struct copy_pair_name copy_pair_name_of(uint16_t volume, const char *system);

/* Volumes by id, as the control plane holds them. NULL: there is none. Reactor 0; does not suspend. */
typedef struct volume *(*copy_find_volume)(void *arg, uint16_t id);

/*
 * What a volume has lost of what was written to it, until an administrator accepts that: when, 0: nothing. With the
 * power: writes of hosts that were not flushed. By its disk: what a sync that failed was to make durable.
 */
struct copy_losses {
	int64_t power_wall_ns, sync_wall_ns;
};

/* Above these something is an event (copy_config.tell). */
struct copy_limits {
	int64_t rpo_ns;				/* of a session, at its master; RT_NEVER: none */
	unsigned cg_failures;			/* in a row; 0: none */
	unsigned journal_percent;		/* of a journal that is used; 0: none */
};

enum copy_work { COPY_WORK_BEGINS, COPY_WORK_ENDS, COPY_WORK_CUT };

/* A volume of a practice copy. */
struct copy_practice_volume {
	uint8_t session;
	uint16_t volume;			/* that hosts may write */
	uint16_t source;			/* the target volume that it shows as it was */
};

struct copy_config {
	const char *system;			/* own id */
	uint8_t boot_id[16];			/* random, chosen at this start of the program */
	const char *state_folder;		/* dirty logs and journals live below it */
	const char *link_address;		/* what this system tells others; NULL: no far side can be here */
	struct meta *meta;
	copy_find_volume find_volume;
	/* Makes a target larger, durably, since its source grows. Reactor 0; suspends. NULL: targets do not grow. */
	int (*grow_volume)(void *arg, uint16_t id, uint64_t size_bytes, struct fault *fault);
	/*
	 * Closes a volume to hosts, since it becomes a target; refused while hosts have it open. Reactor 0; suspends.
	 * NULL: no host has one.
	 */
	int (*close_volume)(void *arg, uint16_t id, struct fault *fault);
	/*
	 * For practice copies: makes a volume of the size of its source, closed to hosts, which takes its space when it
	 * is written, in this pool (NULL: that of the source); wanted->volume is its id then. Deletes one; 0 also when
	 * there is none. The first one, of any session, whose id is not below from; false: there is none. Reactor 0;
	 * the first two suspend.
	 */
	int (*make_practice)(void *arg, struct copy_practice_volume *wanted, const char *pool, struct fault *fault);
	int (*delete_practice)(void *arg, uint16_t volume, struct fault *fault);
	bool (*next_practice)(void *arg, uint32_t from, struct copy_practice_volume *out);
	/* There is such a volume, also one that is offline. Reactor 0; does not suspend. NULL: they all are. */
	bool (*has_volume)(void *arg, uint16_t id);
	/* Reactor 0; does not suspend. NULL: nothing is ever lost. */
	struct copy_losses (*get_losses)(void *arg, uint16_t id);
	/* The volume holds what its other side held: its losses are none any more. Reactor 0; suspends. NULL too. */
	void (*end_losses)(void *arg, uint16_t id);
	/* Something happened that an administrator should know of. Reactor 0; does not suspend. NULL: only the log. */
	void (*tell)(void *arg, const struct record_event *event);
	/*
	 * Long work on a pair that goes on by itself, a first copy or a resync, begins (bytes: what is to be done;
	 * also again), or has ended. Reactor 0; does not suspend. NULL too.
	 */
	void (*work)(void *arg, enum job_kind kind, const struct copy_pair_name *pair, enum copy_work step,
		     uint64_t bytes);
	/*
	 * The same of the background copy of a FlashCopy (also again); it ends when all is copied, or failed says why
	 * it never will be. Cut: it is not copied any more. Reactor 0; does not suspend. NULL too.
	 */
	void (*flash_work)(void *arg, const struct record_flash *record, enum copy_work step,
			   const struct fault *failed);
	const struct copy_limits *limits;	/* as long as the copy services; see copy_limits_changed. NULL: none */
	void *find_arg;				/* of all of these */
	int (*wrap)(void *arg, struct rt_stream *plain, struct rt_stream **out);	/* as in link_config */
	void *wrap_arg;
	struct link_timing timing;
	uint64_t journal_bytes;			/* limit of each journal; 0: the default of journal.h */
	uint32_t journal_segment_bytes;		/* 0: the default */
	uint64_t flash_log_bytes;		/* limit of the log of a FlashCopy; 0: the default of flash_maps.c */
	unsigned flash_files_max;		/* maps and logs of FlashCopies that are open at a time; 0: likewise */
};

/*
 * Takes up what the metadata hold: links are dialled, journals recovered, pairs resume where they stopped, sessions
 * of which this is the master go on. Volumes are open already; those that are targets are closed to hosts before this
 * returns. Negative errno, after a line in the log.
 */
RT_MUST_CHECK int copy_start(const struct copy_config *config, struct copy **out);

/* Stops everything cleanly: nothing is under way afterwards. */
void copy_stop(struct copy *copy);

/* What copy_config.limits points to is different now. Does not suspend. */
void copy_limits_changed(struct copy *copy);

/*
 * Serves a connection that was accepted on a link listener (after TLS) to its end, and closes it. identity: the
 * system that the other side proved to be by its credentials, NULL if they do not say. Reactor 0, on a fiber of the
 * listener's own.
 */
void copy_serve_link(struct copy *copy, struct rt_stream *stream, const char *identity);

/* True when a pair, a session or a journal remembers the volume: it must not be deleted then. fault says which. */
bool copy_remembers_volume(struct copy *copy, uint16_t volume, struct fault *fault);

/*
 * The volume is durably deleted, and closed, or the program starts: what the copy services keep of it in files goes. It
 * must, before its id is given to another, which would be written over by it. Errors of the file, in the log. Suspends.
 */
RT_MUST_CHECK int copy_remove_files(const char *state_folder, uint16_t volume);

/* True when a FlashCopy needs the volume: neither of its two grows. Does not suspend. */
bool copy_is_flashed(struct copy *copy, uint16_t volume, struct fault *fault);

/* The same of an LSS: paths from it, sessions on it. Does not suspend. */
bool copy_remembers_lss(struct copy *copy, uint8_t lss, struct fault *fault);

/*
 * Before an administrator's word that the losses of the volume are accepted is taken: what was written into it for
 * another system, and acknowledged, is asked for again. Suspends.
 */
void copy_before_accept(struct copy *copy, uint16_t volume);

/*
 * Before a volume grows: its targets are grown first, durably; their systems are asked, so no lock of the caller's is
 * held. 0 also when it has no pair. -1: refused, and the volume must not grow. as_target: it grows since its own source
 * does.
 */
int copy_grow_targets(struct copy *copy, uint16_t volume, uint64_t size_bytes, bool as_target, struct fault *fault);

/* Whether it may grow to that size now: copy_grow_targets grew all that it has. Does not suspend. */
bool copy_targets_have_grown(struct copy *copy, uint16_t volume, uint64_t size_bytes);

/* ---- paths ---- */

struct copy_path {
	uint8_t source_lss, target_lss;
	char system[XDC_SYSTEM_ID_MAX];
	char address[XDC_ADDRESS_MAX];
	bool compress;				/* zstd on the link; the first path to a system decides for all */
	uint64_t limit_bytes;			/* a second, before compression; 0: no limit */
	bool group;				/* its synchronous pairs are suspended together, at one moment */
	int64_t group_timeout_ns;		/* hosts wait so long for that; 0: as long as by default */
};

#define COPY_GROUP_TIMEOUT_NS	(30 * RT_SECOND)	/* by default */

struct copy_path_info {
	struct copy_path path;
	bool connected;
	int64_t since_wall_ns;			/* connected, or not, since */
	char error[128];			/* why not connected; empty when it is */
	uint64_t round_trip_us;			/* 0: not measured yet */
	uint64_t sent_bytes, received_bytes;	/* of the link that the path uses */
};

/* Of a path that exists another address is that of the system from now on, for all paths to it. One at a time. */
int copy_path_create(struct copy *copy, const struct copy_path *path, struct fault *fault);

/* The address is not looked at. Not while one is created. */
int copy_path_delete(struct copy *copy, const struct copy_path *path, struct fault *fault);

/* What is to be another from now on. */
struct copy_path_change {
	bool sets_limit, sets_group, sets_timeout;
	uint64_t limit_bytes;
	bool group;				/* pairs that are suspended already stay so */
	int64_t group_timeout_ns;
};

/* Address and compress are not looked at. */
int copy_path_set(struct copy *copy, const struct copy_path *path, const struct copy_path_change *change,
		  struct fault *fault);
void copy_path_each(struct copy *copy, void (*each)(void *arg, const struct copy_path_info *info), void *arg);

/* ---- pairs ---- */

/* What a comparison of both sides has found, or has found so far. */
enum verify_state { VERIFY_NEVER, VERIFY_RUNNING, VERIFY_DONE, VERIFY_STOPPED, VERIFY_STATE_COUNT };
extern const char *const verify_state_names[VERIFY_STATE_COUNT];	/* "never", "running", "done", "stopped" */

#define COPY_VERIFY_RANGES	8u
struct copy_verify_range {
	uint64_t offset, bytes;
};
struct copy_verify_info {
	enum verify_state state;		/* stopped: before its end */
	int64_t began_wall_ns, ended_wall_ns;	/* 0: not, or not yet */
	bool waits;				/* nothing was found out for some seconds */
	uint64_t looked_bytes;			/* of the volume: all before was looked at once */
	uint64_t compared_bytes;		/* those twice that had to be looked at again */
	uint64_t differing_blocks;
	uint64_t repaired_blocks;		/* of these, sent again and the same now */
	uint64_t open_blocks; /* of which it is not known yet: they were on their way, or being written */
	unsigned range_count;
	struct copy_verify_range ranges[COPY_VERIFY_RANGES];	/* of those that differ, the first */
};

struct copy_pair_info {
	uint16_t volume;			/* of this system */
	uint16_t remote_volume;
	char system[XDC_SYSTEM_ID_MAX];		/* of the remote volume */
	bool is_source;
	bool is_one_of_several;			/* the volume has other pairs: commands have to say which */
	enum pair_type type;
	enum pair_state state;
	enum pair_reason reason;
	int64_t since_wall_ns;			/* in this state */
	int64_t created_wall_ns;
	uint8_t session;			/* 0: none */
	bool joined;				/* in the consistency groups of the session */
	bool first_copy_done;
	uint64_t first_copy_bytes;		/* of the first copy: done for good, whoever restarts */
	uint64_t size_bytes;			/* 0: the volume is not open, and the numbers below are not known */
	uint64_t out_of_sync_blocks, unsent_blocks;
	/* of the volume, since this system started: */
	uint64_t sent_bytes;			/* taken by the far side */
	uint64_t compared_bytes, same_bytes;	/* compared by checksum before, and so not sent */
	struct history history;
	struct copy_verify_info verify;		/* the last one, kept over starts when it has ended */
	enum copy_priority priority;		/* of a source */
	bool critical;				/* sync: a write that the far side cannot get fails */
	bool frozen;				/* hosts are held until copy_path_run, or the end of that time */
	enum copy_type copy_type;		/* where it is in the state table, which says what is allowed */
	enum copy_state copy_state;
	unsigned waiting_requests;		/* of hosts, for the far side or what follows when it is not reached */
};

/* What the other end of a pair says of it. */
struct copy_pair_far {
	enum pair_state state;
	uint64_t noted_bytes;			/* written there since, or never sent from there */
	struct history history;
	enum history_verdict verdict;		/* of this side's history over that one */
};

/* Asks the other end, for a few seconds at most. False: there is no such pair here, or no answer. */
bool copy_pair_ask_far(struct copy *copy, const struct copy_pair_name *name, struct copy_pair_far *far);

struct copy_pair_request {
	uint16_t source, target;
	char system[XDC_SYSTEM_ID_MAX];
	enum pair_type type;
	enum copy_priority priority;		/* of its first copy and of resyncs, beside hosts */
	/* The target holds much of what the source holds: only what differs is sent. Or all of it: nothing is. */
	bool compare, no_copy;
	bool critical;				/* sync: a write that the far side cannot get fails */
};
int copy_pair_create(struct copy *copy, const struct copy_pair_request *request, struct fault *fault);

/* On the source (removes both ends when the far side answers), or on the far side with force (this end only). */
int copy_pair_delete(struct copy *copy, const struct copy_pair_name *name, bool force, struct fault *fault);
int copy_pair_suspend(struct copy *copy, const struct copy_pair_name *name, struct fault *fault);
int copy_pair_resume(struct copy *copy, const struct copy_pair_name *name, struct fault *fault);
int copy_pair_set_priority(struct copy *copy, const struct copy_pair_name *name, enum copy_priority priority,
			   struct fault *fault);

/*
 * A pair of no session becomes synchronous, and full-duplex once the far side has all; and, when it is suspended, a
 * global-copy pair again.
 */
int copy_pair_go_to_sync(struct copy *copy, const struct copy_pair_name *name, struct fault *fault);
int copy_pair_leave_sync(struct copy *copy, const struct copy_pair_name *name, struct fault *fault);

/*
 * Over a path: no write to its synchronous pairs is answered from here on, and they are suspended, so the far sides
 * are of one moment, also together with those of other paths that are frozen before the first of them runs again. Until
 * run, or for hold_ns (0: 60 s), after which writes go on. 0: the far side keeps that moment, whatever becomes of its
 * power. -1, and frozen nevertheless: it has not said so, or some pairs were not full-duplex, and their far sides are
 * of no one moment with the others.
 */
int copy_path_freeze(struct copy *copy, const struct copy_path *path, int64_t hold_ns, struct fault *fault);
int copy_path_run(struct copy *copy, const struct copy_path *path, struct fault *fault);

/*
 * All pairs of these volumes are suspended at one moment, as by copy_pair_suspend, with what was unsent sent before, or
 * nothing is changed. Hosts wait meanwhile, at most for so long. object: of all of them, for the fault.
 */
int copy_pairs_fracture(struct copy *copy, const char *object, const uint16_t *volumes, unsigned count,
			int64_t limit_ns, struct fault *fault);

/* ---- standbys ---- */

/*
 * In a cascade, A to B (synchronous) to C (in a session of B): A keeps what C may lack, so as to serve C itself when B
 * is lost, with no more than that to be sent.
 */
enum standby_state {
	STANDBY_STANDING_BY,		/* what C may lack is known */
	STANDBY_PREPARING,		/* it is not yet, or not any more: if it came to that, all would be compared */
	STANDBY_TAKING_OVER,		/* C has been asked, and has not answered */
	STANDBY_OFFLINE,		/* the volume is */
	STANDBY_STATE_COUNT
};
extern const char *const standby_state_names[STANDBY_STATE_COUNT];

struct copy_standby_request {
	uint16_t volume, remote_volume;
	char near_system[XDC_SYSTEM_ID_MAX];	/* B; empty: that of its only pair */
	char system[XDC_SYSTEM_ID_MAX];		/* C */
};
struct copy_standby_info {
	uint16_t volume, remote_volume;
	char near_system[XDC_SYSTEM_ID_MAX], system[XDC_SYSTEM_ID_MAX];
	enum standby_state state;
	bool is_known;
	uint64_t noted_blocks;			/* that C may lack, of what was written since it is known */
	uint64_t size_bytes;			/* 0: the volume is not open */
	uint64_t sequence;			/* a group that C is known to have had; 0: none */
	int64_t covered_wall_ns;		/* B said last that C has what it had; 0: not since the start */
	int64_t created_wall_ns;
	char why[256];				/* why B does not say so; empty: it does */
};

/* The cascade exists; B and C are asked. */
int copy_standby_create(struct copy *copy, const struct copy_standby_request *request, struct fault *fault);

/* B serves C as before. Not while it is being taken over: C may be its own by now; force: nevertheless. */
int copy_standby_delete(struct copy *copy, uint16_t volume, bool force, struct fault *fault);

/*
 * B is fenced at C, C recovered to its last group, and the volume has an async pair with C, which sends what that may
 * lack. force: although B is there. discard: although C is newer than is known here. Given again it goes on.
 */
int copy_standby_take_over(struct copy *copy, uint16_t volume, bool force, bool discard, struct fault *fault);

/* False: the volume has none. By volume. */
bool copy_standby_get(struct copy *copy, uint16_t volume, struct copy_standby_info *info);
void copy_standby_each(struct copy *copy, void (*each)(void *arg, const struct copy_standby_info *info), void *arg);

/*
 * On the far side: the target becomes writable, and what hosts change is noted. In a session: session recover
 * instead. force: also when what it holds is of no moment, since its first copy never ended.
 */
int copy_pair_failover(struct copy *copy, const struct copy_pair_name *name, bool force, struct fault *fault);

/*
 * On the far side, after failover: sends differences to the former source, which becomes a target. discard: see
 * history.h.
 */
int copy_pair_failback(struct copy *copy, const struct copy_pair_name *name, bool discard, struct fault *fault);

/*
 * Compares both sides of a pair while hosts write, on its source, to the end. repair: what differs is sent again, and
 * has arrived before this returns. rate_bytes: at most so many a second of each side; 0: no limit. Suspends for as long
 * as that takes, and ends with a fault when it cannot go on, or is cancelled.
 */
struct copy_verify_request {
	bool repair;
	uint64_t rate_bytes;
};
int copy_pair_verify(struct copy *copy, const struct copy_pair_name *name, const struct copy_verify_request *request,
		     struct fault *fault);

/* Whether it would begin now. Does not suspend. */
int copy_pair_may_verify(struct copy *copy, const struct copy_pair_name *name, struct fault *fault);

/* False: there is no such pair. Does not suspend. */
bool copy_pair_get_verify(struct copy *copy, const struct copy_pair_name *name, struct copy_verify_info *info);

/* What ends the reason for which data do not flow; empty when there is none. */
#define COPY_REMEDY_MAX	160u
void copy_pair_remedy(const struct copy_pair_info *info, char remedy[COPY_REMEDY_MAX]);

/* How many a volume has here. Does not suspend. */
unsigned copy_pair_count(struct copy *copy, uint16_t volume);

/* False: there is no such pair here, or not only one. */
bool copy_pair_get(struct copy *copy, const struct copy_pair_name *name, struct copy_pair_info *info);
void copy_pair_each(struct copy *copy, void (*each)(void *arg, const struct copy_pair_info *info), void *arg);
void copy_pair_each_of(struct copy *copy, uint16_t volume,
		       void (*each)(void *arg, const struct copy_pair_info *info), void *arg);

/* The fault of a command that names none, or not only one. -1. */
int copy_pair_fault_unnamed(struct copy *copy, const struct copy_pair_name *name, struct fault *fault);

/* ---- FlashCopy ---- */

struct copy_flash_request {
	uint16_t source, target;
	bool no_copy;				/* blocks are kept only when the source is written */
	bool persistent;			/* stays when all is copied */
	bool inhibit;				/* hosts only read the target */
	bool record;				/* which tracks are written, for a resync; it is persistent then */
	bool revertible;			/* neither volume is written until it is committed or reverted */
	uint64_t sequence;			/* given again to those commands; 0: none */
	enum copy_priority priority;		/* of its background copy, beside hosts */
	uint8_t practice;			/* of the practice copy of this session; 0: of none */
};

/*
 * Establishes relations, all of them or none: each target shows its source as it was at one moment, the same for all,
 * at which no write was under way on any of the sources. What the targets held before is given up, also when this fails
 * late.
 */
#define COPY_FLASHES_MAX	256u
int copy_flash_create(struct copy *copy, const struct copy_flash_request *requests, unsigned count,
		      struct fault *fault);

/*
 * Ends the relation of a target. What was copied as a whole stays as it is; with force also a target that still needs
 * its source: it is empty afterwards.
 */
int copy_flash_delete(struct copy *copy, uint16_t target, bool force, struct fault *fault);

/*
 * Only with record: the target shows its source as it is now, and only what was written in either since is copied.
 * Hosts must not have the target. revertible: neither is written until it is committed or reverted.
 */
int copy_flash_resync(struct copy *copy, uint16_t target, bool revertible, uint64_t sequence, struct fault *fault);

/*
 * The source becomes the target and shows what the target shows now; only what differs is copied. A target that is not
 * whole gives back what it had kept, and is empty when that is done. Hosts must not have either. *restored: the source,
 * which is the target now.
 */
int copy_flash_reverse(struct copy *copy, uint16_t target, uint16_t *restored, struct fault *fault);

/* The relations of several targets, each named once, resynced or reversed at one moment, or nothing is changed. */
int copy_flashes_resync(struct copy *copy, const uint16_t *targets, unsigned count, int64_t limit_ns,
			struct fault *fault);

/*
 * also: fills in at most so many changes of the metadata, which are durable together with the reversal of the relation
 * with this index, and returns how many. next: what it becomes; with restore it ends by itself. It does not suspend.
 */
#define COPY_FLASH_ALSO_MAX	2u
struct meta_change;
struct copy_flash_reversal {
	const uint16_t *targets;
	unsigned count;
	unsigned (*also)(void *arg, unsigned index, const struct record_flash *next, struct meta_change *changes);
	void *arg;
};
int copy_flashes_reverse(struct copy *copy, const struct copy_flash_reversal *what, struct fault *fault);

/*
 * What was established or resynced revertibly is so for good; or the target is what it was before. sequence: only that
 * which was given this one; 0: any.
 */
int copy_flash_commit(struct copy *copy, uint16_t target, uint64_t sequence, struct fault *fault);
int copy_flash_revert(struct copy *copy, uint16_t target, uint64_t sequence, struct fault *fault);

/*
 * How the source is copied in the background. Stopped, the relation goes on as one without background copy; started,
 * it goes on from where it was. A restore cannot be stopped.
 */
enum copy_flash_copying { COPY_FLASH_AS_IT_IS, COPY_FLASH_START, COPY_FLASH_STOP };
struct copy_flash_change {
	enum copy_flash_copying copying;
	bool has_priority;
	enum copy_priority priority;
};
int copy_flash_set(struct copy *copy, uint16_t target, const struct copy_flash_change *change, struct fault *fault);

/* False: it is the target of none. Does not suspend. */
bool copy_flash_get(struct copy *copy, uint16_t target, struct record_flash *record);

/*
 * How far its background copy has come through the volume, in bytes, and the error for which it tries a piece again; 0:
 * nothing hinders it. False: none runs. Does not suspend.
 */
bool copy_flash_get_copied(struct copy *copy, uint16_t target, uint64_t *copied_bytes, int *error);

struct copy_flash_info {
	struct record_flash record;
	uint64_t size_bytes, own_bytes;		/* own: that the target holds itself; both 0 when it is offline */
	bool is_offline;			/* the source or the target is */
	enum copy_type copy_type;		/* where it is in the state table, which says what is allowed */
	enum copy_state copy_state;
};

/* That of a target: 1; 0: there is none; -1 with the fault: a command does not end. Suspends. */
RT_MUST_CHECK int copy_flash_show(struct copy *copy, uint16_t target, struct copy_flash_info *info,
				  struct fault *fault);

/* In order of targets. -1 with the fault: a command does not end, and none was told. Suspends; each must not. */
RT_MUST_CHECK int copy_flash_each(struct copy *copy, void (*each)(void *arg, const struct copy_flash_info *info),
				  void *arg, struct fault *fault);

/* The same of those whose targets are not below from, at most max; how many, or -1. Suspends. */
int copy_flash_list(struct copy *copy, uint32_t from, struct copy_flash_info *infos, unsigned max,
		    struct fault *fault);

/* ---- sessions ---- */

#define XDC_COORDINATION_MS_MAX	65535u

/* Defaults and ranges: research/global-mirror.md 1.3. */
struct session_tunables {
	int64_t interval_ns;			/* 0..18 h, default 0 */
	int64_t coordination_ns;		/* 1 ms..65535 ms, default 50 ms */
	int64_t drain_ns;			/* default 4 min */
	int64_t keep_ns;			/* for so long CGs can be gone back to; 0: without limit of time */
	uint64_t keep_bytes;			/* and as long as that takes so much at each far side; both 0: none */
};

struct session_start {
	uint8_t session;
	uint8_t master_lss;
	unsigned subordinate_count;
	struct { char system[XDC_SYSTEM_ID_MAX]; uint8_t lss; } subordinates[XDC_SESSION_MEMBERS_MAX - 1];
	/* Else the default (start), or as it was (resume). Time 0 alone: nothing is kept. */
	bool has_interval, has_coordination, has_drain, has_keep, has_keep_bytes;
	struct session_tunables tunables;
};

/* Of one that is open already the type stays: another is refused. */
int copy_session_open(struct copy *copy, uint8_t session, uint8_t lss, enum session_type type, struct fault *fault);
int copy_session_close(struct copy *copy, uint8_t session, uint8_t lss, struct fault *fault);
int copy_session_add(struct copy *copy, uint8_t session, const uint16_t *volumes, unsigned count, struct fault *fault);
int copy_session_remove(struct copy *copy, uint8_t session, const uint16_t *volumes, unsigned count,
			struct fault *fault);
int copy_session_start(struct copy *copy, const struct session_start *start, struct fault *fault);
/*
 * consistent: with one last group; all pairs are suspended at it then, and hosts may read it in the target volumes.
 */
int copy_session_pause(struct copy *copy, uint8_t session, bool consistent, struct fault *fault);
/*
 * Planned: hosts are stopped here, or it is refused while they have a volume open; then sources and targets exchange
 * their roles, and a far side is the master. Given again it goes on where it was.
 */
int copy_session_swap(struct copy *copy, uint8_t session, struct fault *fault);
int copy_session_resume(struct copy *copy, const struct session_start *start, struct fault *fault);
int copy_session_terminate(struct copy *copy, uint8_t session, bool force, struct fault *fault);

/* What a session is in the middle of, as its master has it durable, whether a command is under way or was cut off. */
enum session_course { SESSION_COURSE_NONE, SESSION_COURSE_PAUSE, SESSION_COURSE_SWAP };
/* Does not suspend. */
enum session_course copy_session_course(struct copy *copy, uint8_t session);

/*
 * Type pprc: all pairs of the session, on all its systems, are suspended at one moment, or nothing is changed. Hosts
 * wait until run, or for hold_ns (0: 60 s). Pairs that are not full-duplex are of that moment, too: what is unsent is
 * sent while hosts wait. A failure after it was decided is told: then some are suspended, and others not.
 */
int copy_session_freeze(struct copy *copy, uint8_t session, int64_t hold_ns, struct fault *fault);
int copy_session_run(struct copy *copy, uint8_t session, struct fault *fault);

/*
 * Type flashcopy: all FlashCopies with record of its volumes, on all its systems, are resynced at one moment, or
 * nothing is changed. A failure after it was decided is told: then some show it, and others not.
 */
int copy_session_flash(struct copy *copy, uint8_t session, struct fault *fault);

struct copy_session_info {
	uint8_t session;
	enum session_type type;
	enum session_role role;
	enum session_state state;
	int64_t state_since_wall_ns;		/* 0: not known */
	enum session_phase phase;
	int64_t phase_since_wall_ns;
	char waiting_for[XDC_SYSTEM_ID_MAX];	/* empty: for nobody */
	int64_t waiting_since_wall_ns;		/* for that one */
	uint8_t master_lss;
	char master[XDC_SYSTEM_ID_MAX];
	unsigned member_count;			/* source systems, the master among them */
	char members[XDC_SESSION_MEMBERS_MAX][XDC_SYSTEM_ID_MAX];
	bool member_reached[XDC_SESSION_MEMBERS_MAX];
	enum session_state member_states[XDC_SESSION_MEMBERS_MAX];	/* type pprc: open, running, frozen, mixed */
	bool held;				/* type pprc: hosts wait for run */
	struct session_tunables tunables;
	uint64_t sequence;			/* the last CG; 0: none yet */
	bool sequence_unknown;			/* a source that was in CGs, and has heard no master since its start */
	int64_t cg_wall_ns;			/* the moment it shows; 0: none */
	int64_t rpo_ns;				/* -1: unknown */
	uint64_t out_of_sync_blocks;
	int64_t hold_p99_ns, hold_max_ns;
	uint64_t cg_good, cg_failed, cg_failed_since_good;
	struct record_failure first_failure, last_failure, previous_failure;
	unsigned volumes, joined;		/* joined: type pprc: pairs that are full-duplex */
	/* far role: */
	uint64_t prepared;
	uint64_t journal_bytes, journal_limit_bytes;
	uint64_t unapplied_bytes;		/* of its groups, that are not in the volumes yet; at most so much */
	uint64_t kept_bytes;			/* of the journal, for the sake of older groups */
	unsigned allowed_count;			/* operations that may be given now (session_table.h) */
	const char *allowed[SESSION_VERB_COUNT];
};
/* -1 when this system knows no such session. */
int copy_session_get(struct copy *copy, uint8_t session, struct copy_session_info *info);
void copy_session_each(struct copy *copy, void (*each)(void *arg, const struct copy_session_info *info), void *arg);

/* It is open on this LSS here. Does not suspend. */
bool copy_session_is_open_on(struct copy *copy, uint8_t session, uint8_t lss);

/* Of its master: the other source systems, as they were named at its start. each does not suspend; nor does this. */
void copy_session_each_subordinate(struct copy *copy, uint8_t session,
				   void (*each)(void *arg, const char *system, uint8_t lss), void *arg);

/* What keeps a session from its groups, or its groups from the volumes, until somebody does something. */
enum problem_kind {
	PROBLEM_JOURNAL_OFFLINE,		/* far side: the journal of a source system cannot be used */
	PROBLEM_NOT_APPLIED,			/* far side: a group cannot be brought into the volumes */
	PROBLEM_SYNC_FAILED,			/* the disk of a volume failed to keep writes */
	PROBLEM_WRITES_LOST,			/* a source volume lost unflushed writes with the power */
	PROBLEM_VOLUME_OFFLINE,			/* a volume of the session could not be opened at the start */
	PROBLEM_FAR_REFUSES,			/* source: a far side does not take the session up */
	PROBLEM_PAIR_SUSPENDED,			/* source: the pair of a volume in the groups is suspended */
	PROBLEM_TARGET_BEHIND,			/* source in a cascade: its own source may have more than it has got */
	PROBLEM_KIND_COUNT
};
extern const char *const problem_kind_names[PROBLEM_KIND_COUNT];

struct copy_problem {
	enum problem_kind kind;
	char system[XDC_SYSTEM_ID_MAX];		/* the other one; empty: it is not about one */
	int volume;				/* of this system; -1: it is not about one */
	int64_t since_wall_ns;			/* 0: not known */
	char reason[256], remedy[200];
};
/* As this system knows them. each does not suspend; nor does this. */
void copy_session_each_problem(struct copy *copy, uint8_t session,
			       void (*each)(void *arg, const struct copy_problem *problem), void *arg);

/* A volume of a session on this system: source or target end. */
struct copy_session_volume {
	uint8_t session;
	uint16_t volume;
	const char *system;			/* of the other end */
	bool joined;				/* else join pending */
	bool is_source;
};
void copy_session_each_volume(struct copy *copy, uint8_t session,
			      void (*each)(void *arg, const struct copy_session_volume *volume), void *arg);

/* ---- comparing both sides of all pairs of a session, on its master; on another source system, of its own ---- */

struct session_verify;

/* Over all source systems. */
struct copy_verify_progress {
	unsigned systems;
	uint64_t done_bytes, total_bytes;	/* of the volumes: all that is done was looked at once */
	uint64_t differing_blocks, repaired_blocks;	/* of pairs that are through */
	char waiting_for[64];			/* empty: for nobody */
};

/* All have begun. -1: what one of them refuses, and then none has. To be given back by the last one. Suspends. */
int copy_session_verify_begin(struct copy *copy, uint8_t session, const struct copy_verify_request *request,
			      struct session_verify **out, struct fault *fault);

/*
 * To the end of all of them; *progress is kept up to date. -1: what was found, by the first that found something, or
 * who was not reached. Suspends.
 */
int copy_session_verify_wait(struct session_verify *verify, struct copy_verify_progress *progress,
			     struct fault *fault);

/* Those that compare still end, and what it is is freed. Suspends, shielded. */
void copy_session_verify_end(struct session_verify *verify);

/* ---- practice, on any one far-side system of the session ---- */

struct recovery_at;

/*
 * A copy of the last CG that hosts may write, while CGs go on: at each far side a FlashCopy of all target volumes, onto
 * volumes that are made for it in this pool (NULL: each in that of its source). at: of this CG, which all far sides
 * keep; NULL: of the last one. A copy that there is already goes first; refused while hosts have it open. After a
 * failure there is none, or on a far side that is not reached what the next command removes.
 */
int copy_session_practice(struct copy *copy, uint8_t session, const char *pool, const struct recovery_at *at,
			  struct fault *fault);

/*
 * Deletes it at all far sides, with its volumes and what hosts wrote there; also what is left of one that did not come
 * about. -1 also when one of them was not reached: given again it goes on.
 */
int copy_session_unpractice(struct copy *copy, uint8_t session, struct fault *fault);

/* At the start, before hosts: removes what is left of practice copies that did not come about. Suspends. */
void copy_practices_settle(struct copy *copy);

struct copy_practice_info {
	uint64_t sequence;			/* the CG that it showed at first */
	int64_t cg_wall_ns;			/* the moment of that */
	int64_t created_wall_ns;
	unsigned volumes;
	unsigned failed;			/* of these, that are of no use any more, or offline */
	uint64_t own_bytes;			/* that its volumes hold themselves */
};

/* False: there is none. Suspends. */
bool copy_practice_get(struct copy *copy, uint8_t session, struct copy_practice_info *info);

/* In order of volumes. Does not suspend, nor must each. */
void copy_practice_each_volume(struct copy *copy, uint8_t session,
			       void (*each)(void *arg, const struct copy_practice_volume *volume), void *arg);

/* ---- recovery, on any one far-side system of the session ---- */

#define RECOVERY_NAMES_MAX	200u

struct recovery_result {
	uint64_t sequence;			/* the CG recovered */
	int64_t cg_wall_ns;			/* the moment it shows, by the clock of the master */
	int64_t lost_ns;			/* from then until a source was heard last; -1: not known */
	unsigned systems, volumes;		/* that show it */
	/*
	 * Those that should and do not: they stay closed to hosts until the command is given again and they are there.
	 */
	unsigned systems_missing, volumes_missing;
	/* Targets that were in no group yet, since their first copy had not ended: they stay closed. */
	unsigned volumes_outside;
	char missing[RECOVERY_NAMES_MAX];	/* names of these; cut when they are too many */
	char outside[RECOVERY_NAMES_MAX];
};

/* Is recovery possible now, and to which moment? Changes nothing. -1: no, because (fault). */
int copy_session_probe(struct copy *copy, uint8_t session, struct recovery_result *result, struct fault *fault);

/* A CG older than the last one that all far sides of a session can show. */
struct copy_point {
	uint64_t sequence;
	int64_t cg_wall_ns;			/* the moment it shows, by the clock of the master */
	uint64_t bytes;				/* to be written, at all far sides, to go back to it, at most */
};
#define COPY_POINTS_MAX	1000u			/* that are listed at once */

/*
 * The newest of them with lower numbers than below, newest first: how many, at most COPY_POINTS_MAX. -1: no, because
 * (fault).
 */
int copy_session_points(struct copy *copy, uint8_t session, uint64_t below, struct copy_point *out,
			struct fault *fault);

/* A CG that all far sides can show. */
struct recovery_at {
	uint64_t sequence;			/* 0: the last one not later than wall_ns, in milliseconds */
	int64_t wall_ns;
};

/*
 * Recovers all far-side systems and makes the volumes writable. at: to this CG; NULL: the last one. force: see
 * recover_rule.h.
 */
int copy_session_recover(struct copy *copy, uint8_t session, const struct recovery_at *at, bool force,
			 struct recovery_result *result, struct fault *fault);

/*
 * After recovery: sends differences to the old site, whose volumes become targets. discard: what it alone wrote is
 * lost.
 */
int copy_session_failback(struct copy *copy, uint8_t session, bool discard, struct fault *fault);

/* After failback, with hosts stopped here: the last differences go over and the old site is the source again. */
int copy_session_return(struct copy *copy, uint8_t session, struct fault *fault);

#endif
