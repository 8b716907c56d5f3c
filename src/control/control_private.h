/* SPDX-License-Identifier: Apache-2.0 */
/* control_private.h - the model, shared by the files control*.c alone. All on reactor 0. */
#ifndef XDC_CONTROL_CONTROL_PRIVATE_H
#define XDC_CONTROL_CONTROL_PRIVATE_H

#include "control/control.h"
#include "control/event.h"
#include "control/job.h"
#include "control/subscription.h"
#include "rt/file.h"
#include "rt/list.h"
#include "store/meta.h"

#define LSS_COUNT	255u	/* 00..FE */
#define LSS_VOLUMES	256u

#define CONTROL_DISK_PATH_MAX	(XDC_PATH_MAX + 64u)

struct control_pool {
	struct list_head link;		/* of the control, in order of names */
	struct record_pool record;
	struct rt_file *lock;		/* of the folder; NULL: offline, or of devices */
	int error;
	unsigned volumes;
	uint64_t volume_bytes;		/* sizes of the volumes, and what those that grow will have */
	struct list_head extents;	/* struct control_extent, in order of paths; kind device */
	bool told_full;			/* that its file system fills up */
};

struct control_extent {
	struct list_head link;
	struct record_extent record;
	bool is_new;			/* not durable yet */
};

struct control_set {
	struct list_head link;		/* of the control, in order of names */
	struct record_set record;
	struct list_head members;	/* struct control_set_member, in order of volumes */
	unsigned count;
	bool busy;			/* a command works on its members without the lock */
};

struct control_set_member {
	struct list_head link;
	struct record_set_member record;
};

struct control_retired {
	struct list_head link;		/* of the control */
	struct record_retired record;
};

struct control_volume {
	struct record_volume record;
	struct control *control;
	struct control_pool *pool;
	struct volume *volume;		/* NULL: offline */
	int error;			/* why */
	unsigned attached;
	uint64_t attaches;		/* since the start */
	const char *busy;		/* what a command does with it, without the lock: it is not deleted. NULL */
	bool hidden;			/* being made or deleted: copy services and hosts do not find it */
};

struct control_lss {
	struct record_lss record;
	unsigned pins;			/* commands that use it without the lock: it is not deleted */
	unsigned count;
	struct control_volume *volumes[LSS_VOLUMES];
};

struct control {
	char *state_folder, *link_address;
	struct record_system system;
	bool has_system;		/* the metadata had a record of it */
	uint8_t boot_id[16];
	int64_t started_ns, started_wall_ns;
	struct meta *meta;
	struct record_management management;
	struct jobs *jobs;
	struct events *events;
	struct subscriptions *subscriptions;
	struct copy_limits limits;	/* the copy services look at them */
	unsigned pool_percent;
	unsigned commands;		/* under way (service.c) */
	unsigned session_commands[2][UINT8_MAX + 1];	/* under way of each session: pauses, swaps */
	enum service_state service_last;	/* to be entered when nothing is under way any more */
	struct rt_group fibers;
	struct rt_cond pools_filled;
	struct copy *copy;
	struct volume_load *loads;	/* what hosts ask, one a reactor */
	/*
	 * Of operations that change the model, and of lists that wait. Never held while another system is asked, nor
	 * while the data of a volume are made durable.
	 */
	struct rt_mutex lock;
	struct rt_mutex records;	/* of changes to the record of a volume; within the other */
	struct list_head pools;
	struct list_head retired;
	struct list_head sets;
	struct control_lss *lsss[LSS_COUNT];
	bool hosts_refused;
};

/* ---- what all of them stand on (control_model.c); it calls none of the others ---- */

/* Takes the lock to the end of the block: if (control_enter(...)) return -1; with CONTROL_ENTERED behind. */
int control_enter(struct control *control, struct fault *fault);
void control_leave(struct control **control);
#define CONTROL_ENTERED(control) \
	__attribute__((cleanup(control_leave), unused)) struct control *RT_UNIQUE(entered_) = (control)

/* FAULT_FAILED "what: why" for a negative errno, which has a remedy of its own when that is empty. */
int control_fault_errno(struct fault *fault, const char *object, const char *remedy, int rc, const char *what);

/* Commits the changes, -1 with the fault of the object. */
int control_commit(struct control *control, const struct meta_change *changes, unsigned count, const char *object,
		   struct fault *fault);

/* Makes a folder, durably, unless it exists; the one above it does. Negative errno. */
RT_MUST_CHECK int control_make_folder(const char *path);

/*
 * The things of the model: NULL (or -1), with the fault where it is needed. load and enter bring a record into it, in
 * the pool and LSS that it names: -ENOMEM; -EBADMSG: they are not there, or it is already.
 */
struct control_pool *control_pool_find(struct control *control, const char *name);
struct control_pool *control_pool_need(struct control *control, const char *name, struct fault *fault);
RT_MUST_CHECK int control_pool_load(struct control *control, const struct record_pool *record);
RT_MUST_CHECK int control_extent_load(struct control *control, const struct record_extent *record, bool is_new);
RT_MUST_CHECK int control_lss_load(struct control *control, const struct record_lss *record);
int control_lss_need(struct control *control, uint8_t id, struct fault *fault);
struct control_volume *control_volume_at(const struct control *control, uint16_t id);
struct control_volume *control_volume_named(const struct control *control, const char *name);
struct control_volume *control_volume_need(struct control *control, uint16_t id, struct fault *fault);
RT_MUST_CHECK int control_volume_enter(struct control *control, const struct record_volume *record,
				       struct control_volume **out);
void control_volume_leave(struct control_volume *volume);
RT_MUST_CHECK int control_retired_load(struct control *control, const struct record_retired *record);
void control_retired_drop(struct control_retired *retired);

/* Of a volume of kind dir; path gets CONTROL_DISK_PATH_MAX characters. */
void control_file_path(const char *folder, uint16_t id, const uint8_t uuid[XDC_UUID_LEN], char *path);

/* ---- what the copy services work at for long (control_copy.c, control_flash.c) ---- */

/* For copy_config: a job shows it. */
void control_copy_work(void *arg, enum job_kind kind, const struct copy_pair_name *pair, enum copy_work step,
		       uint64_t bytes);

void control_flash_work(void *arg, const struct record_flash *record, enum copy_work step, const struct fault *failed);

/* At the start: resyncs that were cut go on when their link is there, and so do their jobs. */
void control_claim_resyncs(struct control *control);

/* The same of swaps and pauses (control_session.c): they wait for their command to be given again. */
void control_claim_session_work(struct control *control);

/* ---- limits, and pools that fill up (control_limits.c) ---- */

/* As the metadata have them: in force from here on. */
void control_limits_apply(struct control *control);

/* A fiber of control->fibers that looks at the pools, as often as one could have come to its limit. -ENOMEM. */
RT_MUST_CHECK int control_pools_watch(struct control *control);

/* There may be more to look at. Does not suspend. */
void control_pools_look(struct control *control);

/* ---- pools (control_pool.c) ---- */
void control_pools_open(struct control *control);
void control_pools_close(struct control *control);

/* ---- the space of pools (control_space.c); all under the lock, those with a path suspend ---- */

/* What pools made from this one have; with its volumes: what is taken of it. */
uint64_t control_pool_given(const struct control *control, const struct control_pool *pool);
uint64_t control_pool_taken(const struct control *control, const struct control_pool *pool);

/* False: it has no limit of its own. */
bool control_pool_left(const struct control *control, const struct control_pool *pool, uint64_t *bytes);

/* A volume of it may have that size in place of the one before. Does not suspend. */
int control_pool_check_room(const struct control *control, const struct control_pool *pool, uint64_t before,
			    uint64_t size, const char *object, struct fault *fault);

/* The pool, of kind dir, may have this limit. */
int control_pool_check_limit(struct control *control, const struct control_pool *pool, uint64_t size,
			     const char *object, struct fault *fault);

/* The device or file at the path is no volume; it is free for the pool, as an extent of it where that has any. */
int control_check_not_adopted(const struct control *control, const char *path, const char *object,
			      struct fault *fault);
int control_check_extent(const struct control *control, const struct control_pool *pool, const char *path,
			 const char *object, struct fault *fault);

/* In whole sectors; negative errno. */
RT_MUST_CHECK int control_measure_device(const char *path, uint64_t *size);

/* Changes of the model alone; after an error some may have been made. Those added are new until they are kept. */
int control_extents_add(struct control *control, struct control_pool *pool, const char *const *paths,
			unsigned count, const char *object, struct fault *fault);
int control_extents_take(struct control *control, struct control_pool *from, struct control_pool *to,
			 uint64_t size_bytes, const char *object, struct fault *fault);
void control_extents_give_back(struct control_pool *from, struct control_pool *to);
void control_extents_drop(struct control_pool *pool, bool only_new);
void control_extents_keep(struct control_pool *pool);

/* Do not suspend. left: of those that are no volume; volume: that it is, -1: none. */
unsigned control_extents_count(const struct control_pool *pool);
uint64_t control_extents_bytes(const struct control_pool *pool);
uint64_t control_extents_left(const struct control *control, const struct control_pool *pool);
int control_extent_volume(const struct control *control, const struct control_extent *extent);

/* The path of a free extent of just this size; NULL: none, with the fault. Does not suspend. */
const char *control_extent_choose(const struct control *control, const struct control_pool *pool, uint64_t size,
				  const char *object, struct fault *fault);

/* ---- files of volumes that are no more (control_files.c) ---- */

/* Removes the files of a deleted volume and frees the record. Negative errno, in the log: it stays. */
int control_retired_remove(struct control *control, struct control_retired *retired);

/*
 * The same of all with this id, or in this pool (id -1); those in a pool that is offline are only forgotten. -1 with
 * the fault of the object while one stays.
 */
int control_retired_clear(struct control *control, int id, const char *pool, const char *object, struct fault *fault);

/*
 * At the start, when the pools are open: those are removed, and what else belongs to no volume is removed or named.
 */
void control_files_settle(struct control *control);

/* ---- LSSs (control_lss.c) ---- */

/* Under the lock: makes it, durably, when it is missing. */
int control_lss_ensure(struct control *control, uint8_t id, struct fault *fault);

/* ---- sets (control_set.c) ---- */

/* Into the model: -ENOMEM; -EBADMSG: there is no such set. */
RT_MUST_CHECK int control_set_load(struct control *control, const struct record_set *record);
RT_MUST_CHECK int control_set_member_load(struct control *control, const struct record_set_member *record);
void control_sets_drop(struct control *control);

/* "set NAME". */
void control_set_name_object(const char *name, char object[64]);

/* The set, free for a change; under the lock. NULL: there is none, or a command works on it. Does not suspend. */
struct control_set *control_set_need_idle(struct control *control, const char *name, struct fault *fault);

/* Durably put or deleted, all or nothing: records has as many. And in the model, of a member that there is. */
int control_set_commit_members(struct control *control, enum meta_op op, const struct record_set_member *records,
			       unsigned count, const char *object, struct fault *fault);
void control_set_drop_member(struct control_set *set, uint16_t volume);
void control_set_move_member(struct control_set *set, uint16_t volume, uint16_t to);

/* FAULT_IN_USE when the volume, or its pair, or its FlashCopy, is in a set. Does not suspend. */
int control_check_no_set(const struct control *control, uint16_t volume, enum set_member_kind kind,
			 const char *object, struct fault *fault);

/* ---- volumes (control_volume.c, control_open.c) ---- */

/* The vdisk of a volume; path gets CONTROL_DISK_PATH_MAX characters and must live as long as the options. */
void control_disk_options(const struct control_volume *volume, char *path, struct vdisk_options *options);

/* Opens it on its reactor; is_new: as a vdisk. Negative errno; also in volume->error. */
RT_MUST_CHECK int control_volume_open(struct control_volume *volume, bool is_new);

/* Closes it; makes nothing durable. Nothing when it is offline. */
void control_volume_close(struct control_volume *volume);

/* Makes all writes durable; the volume is open. Errors of vdisk_sync. */
RT_MUST_CHECK int control_volume_sync(struct control_volume *volume);

/*
 * At the start: after a loss of power, volumes with writes that were not synced are marked. Before the volumes open.
 */
RT_MUST_CHECK int control_mark_lost_writes(struct control *control);

/* The events of that: when there can be events, at the same start. */
void control_tell_lost_writes(struct control *control);
void control_volumes_open(struct control *control);
void control_volumes_close(struct control *control);

/* Under the lock: what hosts did with the volumes that are open, and the longest hold (control_volume_show.c). */
void control_volumes_count(struct control *control, struct volume_counters *sums);

/* For copy_config, arg is the control: as described there. */
int control_volume_grow_target(void *arg, uint16_t id, uint64_t size_bytes, struct fault *fault);

/* FAULT_IN_USE when a host has it open (control_attach.c). Does not suspend. */
int control_check_hosts(const struct control_volume *volume, struct fault *fault);

/* For the copy services (copy_config); the next three in control_practice.c. */
int control_practice_make(void *arg, struct copy_practice_volume *wanted, const char *pool, struct fault *fault);
int control_practice_delete(void *arg, uint16_t volume, struct fault *fault);
bool control_practice_next(void *arg, uint32_t from, struct copy_practice_volume *out);
void control_volume_end_losses(void *arg, uint16_t id);
int control_close_to_hosts(void *arg, uint16_t id, struct fault *fault);

#endif
