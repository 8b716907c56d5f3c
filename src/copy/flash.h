/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flash.h - FlashCopy relations of this system: what is durable of them, and their life between the start and the stop
 * of xdcd. Private to copy/; the commands are in copy.h, the data in volume/flash.h. Reactor 0.
 *
 * Order of what is durable: a relation is established when its record is; its source is synced before that, so that
 * what the target shows of it survives the power. A relation ends when its record says so, and only then stops its
 * source to keep blocks.
 */
#ifndef XDC_COPY_FLASH_H
#define XDC_COPY_FLASH_H

#include "copy/engine.h"
#include "copy/pace.h"
#include "volume/flash.h"

struct flash {
	struct list_head link;			/* of the copy services */
	struct flash *next_of_source;		/* of those of one source */
	struct copy *copy;
	struct record_flash record;
	struct rt_mutex changing;		/* the record; held only while that is made durable */
	bool is_durable;			/* the record was */
	bool is_clone;				/* being established by sharing space (flash_clone.c) */
	struct volume_flash data;
	bool target_attached, source_attached;
	bool copying;				/* its background copy runs */
	bool is_copied;				/* it has come to its end */
	bool stop_copying;
	int copy_error;				/* what hinders it, as it was logged; 0: nothing */
	struct rt_cond copied;			/* that has ended */
	struct volume_flash_copying done;	/* of its copy so far; the target's reactor, in a step */
	uint64_t seen_blocks;			/* how far that is, for reactor 0 */
	struct pace pace;
};

/* A relation in memory, of which nothing is attached yet. NULL: no memory. */
struct flash *flash_make(struct copy *copy, const struct record_flash *record);

/* Detaches it and frees it; what is durable stays. Suspends, shielded. */
void flash_put_down(struct flash *flash);

/*
 * At the start, before anything else writes volumes: relations go on where their volumes are open, a target without its
 * source is closed to hosts, and what an earlier run left of ended ones is removed. Negative errno. Suspends.
 */
RT_MUST_CHECK int flash_take_up(struct copy *copy, const struct record_flash *record);
RT_MUST_CHECK int flashes_resume(struct copy *copy);
void flashes_stop(struct copy *copy);

/* ---- which relations a volume is in (flash_table.c). None suspends. ---- */

/* NULL: it is no target. */
struct flash *flash_find_target(const struct copy *copy, uint16_t volume);

/* Those that it is the source of: the first; the others are its next_of_source. NULL: none. */
struct flash *flash_first_of(const struct copy *copy, uint16_t source);
bool flash_has_source(const struct copy *copy, uint16_t volume);

/* The first in the order of targets, from this one on. NULL: none. */
struct flash *flash_first_from(const struct copy *copy, uint32_t volume);

/* It is a target, or the source of one that is not committed, or gives back what it had kept: no target of a pair. */
bool flash_forbids_target(const struct copy *copy, uint16_t volume);

/* True when a relation needs the volume; fault says which. */
bool flash_remembers_volume(const struct copy *copy, uint16_t volume, struct fault *fault);

/* For flash_make and flash_put_down, and the end of the copy services. False: no memory. */
RT_MUST_CHECK bool flash_table_add(struct flash *flash);
void flash_table_remove(struct flash *flash);
void flash_table_free(struct copy *copy);

/* ---- steps of commands, each on the reactor where it belongs. Suspend. ---- */

/* Of a map, "map", or its log, "kept"; path gets FLASH_PATH_MAX characters. */
#define FLASH_PATH_MAX	(XDC_PATH_MAX + 64u)
void flash_map_path(const struct copy *copy, const uint8_t map[XDC_UUID_LEN], const char *what, char *path);

/* copy->flash_files. -ENOMEM: to be freed all the same. */
RT_MUST_CHECK int flash_make_file_pools(struct copy *copy);
void flash_free_file_pools(struct copy *copy);

/* The options of a map of the relation, with their path. */
struct flash_map_order {
	struct flashmap_options options;
	char path[FLASH_PATH_MAX];
};
void flash_fill_map_order(const struct flash *flash, const uint8_t id[XDC_UUID_LEN], uint64_t granule_bytes,
			  struct flash_map_order *order);

/* The maps of a record, opened on the target's reactor, and the log; changed is NULL where that is not recorded. */
struct flash_maps {
	struct flashmap *map, *changed;
	struct keptlog *log;
};
RT_MUST_CHECK int flash_open_maps(struct flash *flash, const struct record_flash *record, struct flash_maps *maps);
void flash_close_maps(struct flash *flash, struct flash_maps *maps);

/* Instead of those that it has, which are closed; neither volume is written meanwhile, and nobody reads the target. */
void flash_use_maps(struct flash *flash, struct flash_maps *maps);

/* Makes the folder of the maps if need be, and removes what no record names. Negative errno. */
RT_MUST_CHECK int flash_settle_maps(struct copy *copy);

/*
 * Makes new maps without a bit, and an empty log, durably, and names them in this record. Errors of flashmap_create:
 * nothing is left.
 */
RT_MUST_CHECK int flash_make_maps(struct flash *flash, struct record_flash *record);

RT_MUST_CHECK int flash_attach_target(struct flash *flash);	/* opens the maps; errors of that */
RT_MUST_CHECK int flash_attach_source(struct flash *flash);	/* while it is frozen. -ENOMEM */
void flash_detach(struct flash *flash);				/* both, and closes the map */

/*
 * Writes of the source are answered before old blocks are kept, if that can be. And at the start, when all relations
 * are attached: what was so answered when the last run died is written. Negative errno.
 */
void flash_open_late(struct flash *flash);
RT_MUST_CHECK int flash_replay_late(struct copy *copy);

RT_MUST_CHECK int flash_set_access(struct volume *volume, enum volume_access access);

/*
 * Closes one of its volumes to hosts; refused while they have it open. And gives both the access that hosts have by the
 * state of the relation; what hinders that is a line in the log.
 */
int flash_close_volume(struct flash *flash, uint16_t volume, struct fault *fault);
void flash_open_volumes(struct flash *flash);

/* A volume whose content is given up reads as zeros. Errors of vdisk_zero. */
RT_MUST_CHECK int flash_clear(struct volume *volume);

/* The same where that costs nothing; else what lies there stays, and every block is written before it is shown. */
RT_MUST_CHECK int flash_clear_unseen(struct volume *volume);

/* Errors of vdisk_sync. */
RT_MUST_CHECK int flash_sync(struct volume *volume);

/* Makes this record durable in place of the present one, which stands after an error. */
RT_MUST_CHECK int flash_change_record(struct flash *flash, const struct record_flash *next);

/* The same with this state and reason. */
RT_MUST_CHECK int flash_set_state(struct flash *flash, enum flash_state state, enum flash_reason reason);

/* All is the target's own. Suspends. */
bool flash_is_whole(struct flash *flash, uint64_t *own_blocks);

/* Ends a relation that is FLASH_WITHDRAWING: empties the target and removes the record. */
RT_MUST_CHECK int flash_finish_withdraw(struct flash *flash);

/* Removes a map with its log, or all of a record, when no record names it any more. Zeros: there is none. */
void flash_remove_map(struct copy *copy, const uint8_t map[XDC_UUID_LEN]);
void flash_remove_maps(struct copy *copy, const struct record_flash *record);

/*
 * This record could not be made durable, and the next start may find it nevertheless. Its maps lack what hosts write
 * from here on, so they must not be found then, also when the power is lost: they are removed durably, before hosts go
 * on. Suspends, shielded; what hinders it is in the log.
 */
void flash_void_maps(struct copy *copy, const struct record_flash *record);

/* No write of the volume is under way, as volume_freeze, from any reactor; until flash_thaw. NULL: it is not. */
struct flash_freeze {
	struct volume *volume;
	struct volume_freeze freeze;
	int64_t until_ns;
};
RT_MUST_CHECK int flash_freeze(struct flash_freeze *freeze, struct volume *volume, int64_t until_ns);
RT_MUST_CHECK int flash_freeze_until(struct flash_freeze *freeze, int64_t until_ns);
void flash_thaw(struct flash_freeze *freeze);		/* NULL in it is allowed; shielded */

/*
 * Steps of establishing one whose target shares the space of its source (flash_clone.c). Before the freeze: sets
 * is_clone if it can be one, and then the record is durable as FLASH_WITHDRAWING; in it: any error; when the record is
 * durably gone: frees it. Instead of that, when the command fails: empties the target, and frees it.
 */
RT_MUST_CHECK int flash_begin_clone(struct flash *flash);
RT_MUST_CHECK int flash_clone(struct flash *flash);
void flash_finish_clone(struct flash *flash);
void flash_undo_clone(struct flash *flash);

/*
 * Begins the background copy of a relation that has one, and says so or that there is none (flash_copy.c). A command
 * that needs it to rest ends it and begins it again. Suspend.
 */
void flash_begin_copy(struct flash *flash);
void flash_end_copy(struct flash *flash);

/*
 * The relation is over, or goes the other way: nothing is copied for it any more, because all is or because it was
 * ended. Does not suspend.
 */
void flash_end_work(const struct flash *flash);

/* FAULT_FAILED "what: why" of a volume. */
int flash_fault(uint16_t volume, int rc, const char *what, struct fault *fault);

/*
 * As copy_flash_create and copy_flash_delete, for those that belong to a practice copy. with: is durable together with
 * the relations, or neither is.
 */
struct meta_change;
int flash_create_with(struct copy *copy, const struct copy_flash_request *requests, unsigned count,
		      const struct meta_change *with, struct fault *fault);
int flash_delete_practice(struct copy *copy, uint16_t target, struct fault *fault);

/*
 * Commands, one at a time, of a target and perhaps others: from flash_begin until flash_end_command. And what the
 * relation of a target is in one: NULL when there is none, or the state table refuses it. Suspend.
 */
RT_MUST_CHECK int flash_begin(struct copy *copy, uint16_t target, struct fault *fault);
struct flash *flash_need(struct copy *copy, uint16_t target, enum copy_verb verb, bool force, struct fault *fault);

/* Both. NULL: it has not begun. */
struct flash *flash_begin_command(struct copy *copy, uint16_t target, enum copy_verb verb, bool force,
				  struct fault *fault);

/* Its target may be whole, and so in use, while its source is not there: refused. Does not suspend. */
int flash_check_source(const struct flash *flash, struct fault *fault);

/* What the volume shows is about to be another, at once: nobody may depend on it. Does not suspend. */
int flash_check_replaced(struct copy *copy, uint16_t volume, struct fault *fault);

/* Whether the state table lets it be done: 0 or -1. Suspends. */
int flash_check(struct flash *flash, enum copy_verb verb, bool force, struct fault *fault);
int flash_end_command(struct copy *copy, int rc);	/* returns rc */

/* Removes the record of a relation that is whole, and puts it down: its target is a volume of its own. */
RT_MUST_CHECK int flash_let_go(struct flash *flash);

#endif
