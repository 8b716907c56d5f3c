/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control.h - the control plane of one system: the model of its pools, LSSs and volumes, loaded from the metadata at
 * the start, and every operation on it, one function each. Faces translate what managers ask into these calls; hosts
 * reach volumes by attaching.
 *
 * All functions are called on reactor 0, on any fiber, and suspend unless they say otherwise. Operations return 0, or
 * -1 with the fault filled in; then nothing has changed. A change is durable before its function returns, and is a
 * line in the log. Operations that change the model are done one after the other.
 */
#ifndef XDC_CONTROL_CONTROL_H
#define XDC_CONTROL_CONTROL_H

#include "copy/copy.h"
#include "copy/link.h"
#include "rt/fault.h"
#include "rt/rt.h"
#include "store/records.h"
#include "volume/volume.h"

struct control;
struct events;
struct jobs;
struct subscriptions;

struct control_options {
	const char *state_folder;	/* made when it does not exist */
	const char *id;			/* of the system; must be that of the state */
	const char *link_address;	/* that other systems are told; NULL: none */
	int (*wrap)(void *arg, struct rt_stream *plain, struct rt_stream **out);	/* as in copy_config */
	void *wrap_arg;
	struct link_timing link_timing;
};

/*
 * Loads the metadata or makes them, opens pools and volumes, starts the copy services. A pool or volume that cannot
 * be opened is offline, with a line in the log; the rest works. The texts of options are copied, the fault is
 * FAULT_INVALID_PARAMETER when the id is not that of the state.
 */
RT_MUST_CHECK int control_start(const struct control_options *options, struct control **out, struct fault *fault);

/*
 * Makes everything durable and closes it. No operation is under way and no host attached any more. NULL is allowed.
 */
void control_stop(struct control *control);

/* The id of this system. Does not suspend. */
const char *control_system_id(const struct control *control);

/* Does not suspend. Paths, pairs and sessions: those operations that need nothing of the model are called there. */
struct copy *control_copy(struct control *control);

/* Do not suspend. Long work, as job.h has it; what happens, as event.h has it. */
struct jobs *control_jobs(struct control *control);
struct events *control_events(struct control *control);

/* Does not suspend. What managers want to be told, as subscription.h has it. */
struct subscriptions *control_subscriptions(struct control *control);

/* An administrator has changed something: an event; in the log it is already. Does not suspend. */
void control_note_change(struct control *control, const char *object, const char *sentence);

/* The system is going to stop: what waits for news waits no longer. Does not suspend. */
void control_end_waits(struct control *control);

/* ---- the system ---- */

struct system_info {
	const struct record_system *record;	/* as long as the control */
	uint8_t boot_id[16];			/* of this run */
	int64_t started_wall_ns, uptime_ns;
	const char *link_address;		/* NULL: none */
	unsigned reactors, pools, lsss, volumes, attached;
	struct volume_counters counters; /* sums over the volumes that are open, what hosts did; the longest hold */
};
int control_system_get(struct control *control, struct system_info *info, struct fault *fault);

/* Above what something is an event; how long a job is kept after its end. */
#define CONTROL_LIMIT_OFF	((uint64_t)INT64_MAX)
struct control_limits {
	struct copy_limits watched;
	unsigned pool_percent;		/* of the file system of a pool that is used; 0: none */
	int64_t keep_jobs_ns;
};
void control_limits_get(struct control *control, struct control_limits *limits);

/* NULL: as it was; a value may be CONTROL_LIMIT_OFF, or 0 for the default. Durable. */
struct control_limits_change {
	const uint64_t *rpo_ns, *cg_failures, *journal_percent, *pool_percent, *keep_jobs_ns;
};
int control_limits_set(struct control *control, const struct control_limits_change *wanted, struct fault *fault);

/* As meta_dump. */
RT_MUST_CHECK int control_system_dump(struct control *control, int (*emit)(void *arg, const char *line), void *arg,
				      struct fault *fault);

/* ---- pools ---- */

struct pool_info {
	struct record_pool record;
	int error;				/* negative errno: offline, or its folder has gone since */
	unsigned volumes;
	uint64_t volume_bytes;			/* sum of the sizes of its volumes */
	uint64_t pool_bytes;			/* and of the pools made from it */
	bool has_limit;				/* of its own, or of its extents: */
	uint64_t size_bytes, left_bytes;	/* left for volumes and for pools made from it */
	bool has_space;				/* kind dir and online: these are known */
	uint64_t total_bytes, free_bytes;	/* of its file system */
};

/* Names and paths are checked (parse.h). */
struct pool_create {
	const char *name;
	enum pool_kind kind;			/* not looked at with from: as that */
	bool has_cache;				/* else that of from, or writeback */
	enum cache_mode cache;
	const char *folder;			/* kind dir: made when it does not exist (the folder above it does) */
	const char *from;			/* in place of a folder: the pool that its space is taken from */
	uint64_t size_bytes; /* kind dir: its limit; 0: none. from devices: of the extents taken. Not 0 with from */
	const char *const *extents;		/* kind device: only these are adopted; none: any */
	unsigned extent_count;
};

/*
 * FAULT_SIZE_NOT_SUPPORTED: it cannot have that size, and nothing is made; fault->nearest_bytes is one that it can
 * have.
 */
int control_pool_create(struct control *control, const struct pool_create *request, struct fault *fault);

struct pool_modify {
	const char *name;
	const char *label;			/* NULL: as it is; empty: none */
	uint64_t size_bytes;			/* 0: as it is */
	const char *const *extents;		/* to be added */
	unsigned extent_count;
};

/* All or nothing, with faults as of create. */
int control_pool_modify(struct control *control, const struct pool_modify *request, struct fault *fault);

/* FAULT_IN_USE while it has volumes, or pools were made from it. What it had goes back where it came from. */
int control_pool_delete(struct control *control, const char *name, struct fault *fault);
int control_pool_get(struct control *control, const char *name, struct pool_info *info, struct fault *fault);

/* In order of paths; volume: that it is, -1: free. each does not suspend. */
int control_pool_each_extent(struct control *control, const char *name,
			     void (*each)(void *arg, const struct record_extent *extent, int volume), void *arg,
			     struct fault *fault);

/* each does not suspend; in order of names. */
int control_pool_each(struct control *control, void (*each)(void *arg, const struct pool_info *info), void *arg,
		      struct fault *fault);

/* ---- LSSs ---- */

struct lss_info {
	struct record_lss record;
	unsigned volumes;
	uint64_t volume_bytes;
};
int control_lss_create(struct control *control, uint8_t id, uint16_t ssid, struct fault *fault);
int control_lss_delete(struct control *control, uint8_t id, struct fault *fault);
int control_lss_get(struct control *control, uint8_t id, struct lss_info *info, struct fault *fault);

/* Does not suspend. */
void control_lss_each(struct control *control, void (*each)(void *arg, const struct lss_info *info), void *arg);

/* ---- volumes ---- */

enum volume_state {
	VOLUME_ONLINE,
	VOLUME_WRITES_LOST,	/* the power failed, and writes that were not flushed may be lost; hosts may go on */
	VOLUME_SYNC_FAILED,	/* every write and flush fails until it is accepted */
	VOLUME_OFFLINE,		/* it cannot be opened */
	VOLUME_STATE_COUNT
};
extern const char *const volume_state_names[VOLUME_STATE_COUNT];

struct volume_info {
	struct record_volume record;
	enum volume_state state;
	enum volume_access access;		/* what hosts may do now */
	int error;				/* negative errno, when offline */
	unsigned attached;			/* hosts */
	unsigned reactor;
	bool has_allocated;
	uint64_t allocated_bytes;		/* that it takes in its pool */
	struct volume_counters counters;
};

struct volume_create {
	uint16_t id;
	const char *pool;
	uint64_t size_bytes;			/* 0: that of what is adopted */
	const char *name;			/* NULL: none */
	const char *adopt;			/* NULL: a new file in the pool */
	uint8_t practice; /* for the practice copy of this session: closed to hosts; 0: it is not */
};
int control_volume_create(struct control *control, const struct volume_create *request, struct fault *fault);

/* The same with an id that is free: request->id is not looked at. */
int control_volume_create_any(struct control *control, const struct volume_create *request, uint16_t *id,
			      struct fault *fault);
int control_volume_grow(struct control *control, uint16_t id, uint64_t size_bytes, struct fault *fault);

/* name NULL: none from now on. */
int control_volume_rename(struct control *control, uint16_t id, const char *name, struct fault *fault);

/* Ends VOLUME_WRITES_LOST and VOLUME_SYNC_FAILED by the administrator's word. */
int control_volume_accept(struct control *control, uint16_t id, struct fault *fault);
int control_volume_delete(struct control *control, uint16_t id, struct fault *fault);
int control_volume_get(struct control *control, uint16_t id, struct volume_info *info, struct fault *fault);
#define CONTROL_VOLUMES_MAX	(255u * 256u)	/* of LSSs 00 to FE */

/* In order of ids; each does not suspend. pool NULL and lss -1: of all. */
int control_volume_each(struct control *control, int lss, const char *pool,
			void (*each)(void *arg, const struct volume_info *info), void *arg, struct fault *fault);

/* Those with ids not below from, in order, at most max (CONTROL_LIST_MAX). How many; -1 with the fault. */
#define CONTROL_LIST_MAX	64u
int control_volume_list(struct control *control, uint32_t from, struct volume_info *infos, unsigned max,
			struct fault *fault);

/* NULL: there is no such volume. Until the caller suspends; does not suspend. */
const struct record_volume *control_volume_record(struct control *control, uint16_t id);

/* The id of the volume with this id or name. Does not suspend. */
int control_volume_find(struct control *control, const char *id_or_name, uint16_t *id, struct fault *fault);

/* ---- hosts ---- */

struct attachment {
	uint16_t id;
	struct volume *volume;			/* stays open until control_detach */
	uint64_t size_bytes;
	enum volume_access access;		/* when it was attached; the volume has the last word on each request */
	bool makes_holes;			/* zeroes need not be written */
	char name[XDC_NAME_MAX];		/* empty: none */
};

/*
 * A host opens a volume by id or name. -ENOENT, -EPERM (a target), -ESHUTDOWN; -EIO (offline) and
 * others (that it may write cannot be noted), which the log tells.
 */
RT_MUST_CHECK int control_attach(struct control *control, const char *id_or_name, struct attachment *out);

/* What it would get: nothing is attached, and out->volume is of no use. The same errors. Does not suspend. */
RT_MUST_CHECK int control_look(struct control *control, const char *id_or_name, struct attachment *out);

/* The host has gone: with the last one what it wrote is made durable. */
void control_detach(struct control *control, uint16_t id);

/* Calls each for every volume that hosts may open, until it returns non-zero, which is returned. Does not suspend. */
int control_attachable_each(struct control *control, int (*each)(void *arg, uint16_t id, const char *name), void *arg);

/* Hosts attach no more: -ESHUTDOWN. Does not suspend. */
void control_refuse_hosts(struct control *control);

/* ---- sets: volumes, pairs or FlashCopies that are named together, by the methods of the seed page ---- */

#define CONTROL_SETS_MAX	1024u
#define CONTROL_SET_MEMBERS_MAX	256u

struct set_info {
	struct record_set record;
	unsigned members;
};

/* FAULT_INVALID_PARAMETER: the name is taken. created_wall_ns is not looked at. */
int control_set_create(struct control *control, const struct record_set *wanted, struct fault *fault);

/* FAULT_IN_USE: it is not empty. */
int control_set_delete(struct control *control, const char *name, struct fault *fault);

/*
 * All or none. A pair is named by its volume here, a FlashCopy by its target. FAULT_IN_USE (6): wrong member type;
 * FAULT_IN_A_SET: it is in this set, or its pair or FlashCopy is in another; FAULT_NOT_IN_SET.
 */
int control_set_add(struct control *control, const char *name, const uint16_t *volumes, unsigned count,
		    struct fault *fault);
int control_set_remove(struct control *control, const char *name, const uint16_t *volumes, unsigned count,
		       struct fault *fault);

/*
 * To all pairs, or FlashCopies, of a set; FAULT_IN_USE (6) when it is one of volumes or not for sets of its kind, or a
 * member is in use.
 *
 * fracture, of pairs: suspended at one moment, in which no write of a host is under way at any of them. resync: each
 * pair is resumed, also after one could not be, and the first fault is told; the targets of FlashCopies show their
 * sources at one moment, or nothing is changed. FAULT_TIMEOUT of both: that took so long that hosts went on. restore,
 * of FlashCopies: as copy_flashes_reverse; the members are the new targets, but for those that end by themselves, which
 * leave the set. prepare: what hosts have written to the sources is on disk. delete-pairs: as copy_pair_delete and
 * copy_flash_delete of each, also after one could not be, and the first fault is told.
 */
int control_set_fracture(struct control *control, const char *name, struct fault *fault);
int control_set_resync(struct control *control, const char *name, struct fault *fault);
int control_set_restore(struct control *control, const char *name, struct fault *fault);
int control_set_prepare(struct control *control, const char *name, struct fault *fault);
int control_set_delete_pairs(struct control *control, const char *name, bool force, struct fault *fault);

/* These do not suspend; in order of names, of volumes. */
int control_set_get(struct control *control, const char *name, struct set_info *info, struct fault *fault);
void control_set_each(struct control *control, void (*each)(void *arg, const struct set_info *info), void *arg);
const char *control_set_of(const struct control *control, enum set_member_kind of, uint16_t volume);	/* NULL: none */
int control_set_each_member(struct control *control, const char *name, void (*each)(void *arg, uint16_t volume),
			    void *arg, struct fault *fault);

/* ---- copy services, where the model is needed ---- */

/* Makes the source LSS when it is missing. */
int control_path_create(struct control *control, const struct copy_path *path, struct fault *fault);
int control_path_set(struct control *control, const struct copy_path *path, const struct copy_path_change *change,
		     struct fault *fault);
int control_path_delete(struct control *control, const struct copy_path *path, struct fault *fault);
int control_pair_create(struct control *control, const struct copy_pair_request *request, struct fault *fault);
int control_pair_delete(struct control *control, const struct copy_pair_name *name, bool force, struct fault *fault);

/*
 * The same, and into this set (NULL: none), or not at all. A FlashCopy is made of volumes that exist; or, as a replica,
 * of its source and a new volume of that size in this pool (NULL: that of the source), with this name or none.
 */
int control_pair_create_in(struct control *control, const struct copy_pair_request *request, const char *set,
			   struct fault *fault);
int control_flash_create_in(struct control *control, const struct copy_flash_request *request, const char *set,
			    struct fault *fault);
int control_replica_create(struct control *control, struct copy_flash_request *request, const char *pool,
			   const char *name, struct fault *fault);

/*
 * Many at once (at most CONTROL_SET_MEMBERS_MAX), and a new synchronized set of them (set NULL: none); all, or nothing.
 * FlashCopies show one moment. targets: first a new volume for each, of its source's size and in this pool (NULL: that
 * of its source); the requests have their ids then.
 */
struct control_replicas {
	struct copy_flash_request *requests;
	unsigned count;
	const char *set, *pool;
	bool targets;
};
int control_flashes_create(struct control *control, const struct control_replicas *wanted, struct fault *fault);
int control_pairs_create(struct control *control, const struct copy_pair_request *requests, unsigned count,
			 const char *set, struct fault *fault);

/* The number of the job of its first copy or resync; 0: none runs. Does not suspend. */
uint64_t control_pair_job(struct control *control, const struct copy_pair_name *pair);

/* As those of copy.h. FAULT_IN_USE: it is in a set. */
int control_flash_delete(struct control *control, uint16_t target, bool force, struct fault *fault);
int control_flash_reverse(struct control *control, uint16_t target, uint16_t *restored, struct fault *fault);
int control_flash_set(struct control *control, uint16_t target, const struct copy_flash_change *change,
		      struct fault *fault);

/* The number of the job of its background copy or restore; 0: none runs. Does not suspend. */
uint64_t control_flash_job(struct control *control, const struct record_flash *record);

int control_session_open(struct control *control, uint8_t session, uint8_t lss, enum session_type type,
			 struct fault *fault);

/* As those of copy.h, each with a job beside it while it is under way. */
int control_session_recover(struct control *control, uint8_t session, const struct recovery_at *at, bool force,
			    struct recovery_result *result, struct fault *fault);
int control_session_failback(struct control *control, uint8_t session, bool discard, struct fault *fault);
int control_session_return(struct control *control, uint8_t session, struct fault *fault);
int control_session_resume(struct control *control, const struct session_start *start, struct fault *fault);
int control_session_terminate(struct control *control, uint8_t session, bool force, struct fault *fault);
int control_session_freeze(struct control *control, uint8_t session, int64_t hold_ns, struct fault *fault);
int control_session_practice(struct control *control, uint8_t session, const char *pool,
			     const struct recovery_at *at, struct fault *fault);

/*
 * The same, and while they are cut off in the middle, too, until they are given again or up: also over a restart. To
 * cancel the job is to resume the session.
 */
int control_session_pause(struct control *control, uint8_t session, bool consistent, struct fault *fault);

/*
 * One of these (pause is not consistent), for those who do not wait long: what has not ended after some seconds goes on
 * by itself, and *job is the number of its job; else 0.
 */
enum control_session_order {
	SESSION_ORDER_PAUSE, SESSION_ORDER_PAUSE_CONSISTENT, SESSION_ORDER_RESUME,
	SESSION_ORDER_TERMINATE, SESSION_ORDER_FORCE,
	SESSION_ORDER_RECOVER, SESSION_ORDER_RECOVER_FORCE, SESSION_ORDER_FAILBACK, SESSION_ORDER_FAILBACK_DISCARD,
	SESSION_ORDER_RETURN,
};
int control_session_order(struct control *control, enum control_session_order order,
			  const struct session_start *start, uint64_t *job, struct fault *fault);
int control_session_swap(struct control *control, uint8_t session, struct fault *fault);

/*
 * As copy_pair_verify, of one pair or of all pairs of the session that this system sends, by a job: 0 and its number.
 * The job fails when something differs and is not repaired.
 */
int control_pair_verify(struct control *control, const struct copy_pair_name *pair,
			const struct copy_verify_request *request,
			uint64_t *job, struct fault *fault);
int control_session_verify(struct control *control, uint8_t session, const struct copy_verify_request *request,
			   uint64_t *job, struct fault *fault);

#endif
