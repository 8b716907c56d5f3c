/* SPDX-License-Identifier: Apache-2.0 */
/*
 * box.h - a simulated storage server for scenarios about the copy services: metadata, volumes and copy/ as in xdcd,
 * without the faces. Boxes outlive the crashes of their systems; what they run is made anew at each boot.
 */
#ifndef XDC_SIM_BOX_H
#define XDC_SIM_BOX_H

#include "alarms.h"
#include "copy/copy.h"
#include "rt/sim.h"

#define BOX_VOLUMES_MAX	4u

struct box {
	char id[XDC_SYSTEM_ID_MAX];		/* "2105.A1" */
	char address[64];			/* of its link: "a1:7000" */
	struct sim_system *system;
	unsigned volume_count;
	uint16_t volumes[BOX_VOLUMES_MAX];	/* ids */
	uint64_t volume_bytes;
	enum cache_mode cache;
	uint64_t journal_bytes;			/* limit of each journal on it */
	bool group, critical;			/* so are the paths, and the synchronous pairs, that are made on it */
	struct alarms alarms;			/* what it has told since its start */
	/* in the system's memory, NULL while it does not run */
	struct copy *copy;
	struct meta *meta;
	struct volume *open[2 * BOX_VOLUMES_MAX];	/* those of a practice copy behind the others */
	struct volume_load *loads;		/* what hosts ask of them */
	bool ready;
	unsigned boots;				/* so far */
	unsigned power_losses;
	uint8_t practice[BOX_VOLUMES_MAX];	/* its practice volume is of a copy of this session; 0: there is none */
	bool away[BOX_VOLUMES_MAX];		/* its disk is not there: not opened at the next boot */
	/* of its volumes, as the control plane keeps it in the metadata */
	uint8_t kernel_boot_id[16];
	bool written[2 * BOX_VOLUMES_MAX];	/* by hosts */
	struct copy_losses losses[2 * BOX_VOLUMES_MAX];
	/* of scenarios */
	bool busy;				/* a fault has it */
	int64_t paused_ns;			/* the longest pause of its process */
	bool lied;				/* its disk did: what it lost with the power is anybody's guess */
	unsigned mends;				/* of its disk, so far */
	bool mended;				/* its disk had failed: it may have forgotten what it could not note */
	uint32_t lost_at[8];			/* oracle.h: events of each chain that its last crash made */
	bool lost;				/* oracle.h: a loss of power is not accepted yet */
	uint32_t kept_to[8];			/* oracle.h: events of each chain when that came */
};

/* Adds the system; name is its host name too. Volumes have ids base, base + 1, ... */
void box_init(struct box *box, const char *name, const char *id, unsigned reactors, uint16_t base, unsigned count,
	      uint64_t bytes, enum cache_mode cache);

/* Boots it and waits until it serves: 0, or what its start returned. Suspends. */
RT_MUST_CHECK int box_boot(struct box *box);

/* Stops it cleanly: 0, or what its main returned. Suspends. */
RT_MUST_CHECK int box_stop(struct box *box);

/* A sync of one of its volumes has failed, and that is not yet accepted. */
bool box_has_failed(const struct box *box);

/* Something that one of its volumes has lost is not yet accepted; known from its next start on. */
bool box_has_lost(const struct box *box);

/* Crashes it; it may be booted again. */
void box_crash(struct box *box, enum sim_crash how);

/*
 * What hosts do, one 4 KiB block: 0, the volume's error, or -ECONNABORTED when the box crashed meanwhile. Suspends.
 */
RT_MUST_CHECK int box_write(struct box *box, unsigned volume, uint64_t block, const void *data, unsigned flags);

/* The same for so many blocks, each with these data; and for bytes that are to read as zeros. */
RT_MUST_CHECK int box_write_many(struct box *box, unsigned volume, uint64_t block, uint64_t count, const void *data,
				 unsigned flags);
RT_MUST_CHECK int box_zero(struct box *box, unsigned volume, uint64_t offset, uint64_t len, unsigned flags);
RT_MUST_CHECK int box_discard(struct box *box, unsigned volume, uint64_t offset, uint64_t len, unsigned flags);
RT_MUST_CHECK int box_read(struct box *box, unsigned volume, uint64_t block, void *data);
RT_MUST_CHECK int box_flush(struct box *box, unsigned volume);

/* An administrator accepts what its volumes have lost. Suspends. */
RT_MUST_CHECK int box_accept_losses(struct box *box);

/* What is in a volume now, seen from behind its back, also of a box that is down. Does not suspend. */
RT_MUST_CHECK int box_peek(struct box *box, unsigned volume, uint64_t block, void *data);

/* Changes what is in a volume behind its back; durable at once. Does not suspend. */
RT_MUST_CHECK int box_poke(struct box *box, unsigned volume, uint64_t block, const void *data);

/* The index of the volume that a practice copy shows this one by, for box_read, box_write and the like. */
unsigned box_practice_of(unsigned volume);

/* The longest time that an answer of the box was held since it was booted. Suspends. */
RT_MUST_CHECK int box_longest_hold(struct box *box, int64_t *hold_ns);

/* A coordination holds hosts of the box at this moment. Does not suspend. */
bool box_is_held(const struct box *box);

/* Commands of an administrator on this box: 0; -1 with the fault noted in the log; -ECONNABORTED. Suspend. */
RT_MUST_CHECK int box_path(struct box *box, const struct box *to);
RT_MUST_CHECK int box_pair(struct box *box, unsigned volume, const struct box *to, unsigned target,
			   enum pair_type type);
/* The far side of near's far side, and the volume there that this one's content comes to. */
RT_MUST_CHECK int box_standby(struct box *box, unsigned volume, const struct box *near, const struct box *far,
			      unsigned target);
/* Whether near is thought to be there or not. */
RT_MUST_CHECK int box_standby_take_over(struct box *box, unsigned volume, bool discard);
RT_MUST_CHECK int box_standby_delete(struct box *box, unsigned volume);
RT_MUST_CHECK int box_standby_info(struct box *box, unsigned volume, struct copy_standby_info *info);
RT_MUST_CHECK int box_pair_failover(struct box *box, unsigned volume, const struct box *source);
RT_MUST_CHECK int box_pair_resume(struct box *box, unsigned volume, const struct box *to);
RT_MUST_CHECK int box_pair_freeze(struct box *box, const struct box *to, int64_t hold_ns);
RT_MUST_CHECK int box_pair_run(struct box *box, const struct box *to);
RT_MUST_CHECK int box_fracture(struct box *box);	/* all pairs, as those of a set */
RT_MUST_CHECK int box_session_open(struct box *box, uint8_t session);
RT_MUST_CHECK int box_session_open_as(struct box *box, uint8_t session, enum session_type type);
RT_MUST_CHECK int box_session_freeze(struct box *box, uint8_t session, int64_t hold_ns);
/* As when a system says to the master that a pair of it is broken. */
RT_MUST_CHECK int box_session_break(struct box *box, uint8_t session);
/* A command on the pair of a volume that takes so long. */
RT_MUST_CHECK int box_keep_turn(struct box *box, unsigned volume, int64_t keep_ns);
RT_MUST_CHECK int box_flash(struct box *box, unsigned source, unsigned target, bool no_copy);	/* with record */
RT_MUST_CHECK int box_flash_again(struct box *box, unsigned source, unsigned target);	/* when it has failed */
RT_MUST_CHECK int box_session_flash(struct box *box, uint8_t session);
/* Those of so many targets from this one on, as those of a set. */
RT_MUST_CHECK int box_flash_together(struct box *box, unsigned target, unsigned count);
RT_MUST_CHECK int box_session_run(struct box *box, uint8_t session);
RT_MUST_CHECK int box_session_resume(struct box *box, uint8_t session);
RT_MUST_CHECK int box_session_add(struct box *box, uint8_t session);	/* all volumes */
RT_MUST_CHECK int box_session_add_but(struct box *box, uint8_t session, unsigned left_out);	/* without so many */
RT_MUST_CHECK int box_session_start(struct box *box, const struct session_start *start);

/* shown_ns: the time of the clock of outside that the last CG is known to show; 0: unknown. */
RT_MUST_CHECK int box_session_info(struct box *box, uint8_t session, struct copy_session_info *info, int64_t *shown_ns);
RT_MUST_CHECK int box_session_pause(struct box *box, uint8_t session, bool consistent);
RT_MUST_CHECK int box_session_terminate(struct box *box, uint8_t session, bool force);
RT_MUST_CHECK int box_session_recover(struct box *box, uint8_t session, bool force, struct recovery_result *result);
RT_MUST_CHECK int box_session_practice(struct box *box, uint8_t session, const struct recovery_at *at);
RT_MUST_CHECK int box_session_unpractice(struct box *box, uint8_t session);
RT_MUST_CHECK int box_session_failback(struct box *box, uint8_t session, bool discard);
RT_MUST_CHECK int box_session_return(struct box *box, uint8_t session);

/* Runs fn(box) in the system: for commands that have no function here. Suspends. */
RT_MUST_CHECK int box_call(struct box *box, int (*fn)(void *arg), void *arg);

/*
 * The pair of the volume is full-duplex, as this source has it in memory, with the far side as it runs now. Does not
 * suspend.
 */
bool box_is_full_duplex(const struct box *box, unsigned volume, const struct box *far);

/* It is suspended until a command resumes it, with the others of its path. Likewise; the second: by a freeze. */
bool box_is_frozen(const struct box *box, unsigned volume);
bool box_is_frozen_by_command(const struct box *box, unsigned volume);

/* None of the pairs of its volume is suspended until a command resumes it. Likewise. */
bool box_pairs_go_on(const struct box *box, unsigned volume);

/* A freeze of some of its pairs has not ended. Likewise. */
/* A pair of it is broken, and all are being suspended. */
bool box_session_breaks(const struct box *box, uint8_t session);
bool box_holds_hosts(const struct box *box);

/* Hosts may write to its volume now. Does not suspend. */
bool box_lets_write(const struct box *box, unsigned volume);

/* The LSS of its volumes. */
uint8_t box_lss(const struct box *box);

#endif
