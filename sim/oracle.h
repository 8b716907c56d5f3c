/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oracle.h - the proof that an image over many volumes is one moment. Writers (chains) write numbered blocks over all
 * volumes of all source boxes, one after the other: a write is issued after the one before it was answered, or after
 * somebody read it, and remembers how far every other chain had been seen at that time. So an image is a moment
 * exactly if it is closed under "had seen": of each chain it shows a prefix, and every event that any shown event had
 * seen.
 *
 * Most requests write one block. Some write many, also more than 1 MiB; some discard them or write zeroes, which read
 * as 0 from then on. Each block of a request is an event of its own, from the first to the last, as a long one passes
 * in pieces.
 *
 * What happens to the blocks of a chain is a list of events: writes, and what a crash left of writes that were under
 * way or, across the power loss of a `writeback` box, not flushed. A crash is an event of all chains at once, which
 * has seen all that was answered before it. That a crash took nothing else is checked on the spot.
 */
#ifndef XDC_SIM_ORACLE_H
#define XDC_SIM_ORACLE_H

#include "box.h"

#define ORACLE_CHAINS		4u
#define ORACLE_EVENTS_MAX	20000u
#define ORACLE_BLOCKS		8u		/* of each chain on each volume */
#define ORACLE_PLACES_MAX	16u		/* volumes of all source boxes */

struct oracle_place {
	struct box *box;
	unsigned volume;
	bool ignored;			/* an image may show anything there */
};

/* What a writer asks of a volume: the blocks of its chain from first on, before end, with all that lies between. */
struct oracle_request {
	enum { ORACLE_WRITE, ORACLE_ZERO, ORACLE_DISCARD } kind;
	uint8_t place, first, end;
	uint32_t value;				/* of its blocks from there on */
	uint32_t from, last;			/* its events */
};

struct oracle_event {
	uint8_t place, block;
	uint32_t value;				/* of the block from here on */
	int64_t answered_ns; /* when the first host knew of it, by the clock of outside; 0: none did */
	uint32_t seen[ORACLE_CHAINS];		/* events of every chain that an image with this one holds */
};

struct oracle_chain {
	uint32_t issued, answered;		/* events; 0: none */
	uint32_t required;			/* must be in every image: answered before a CG that was reported */
	struct oracle_request pending;		/* that its writer is at */
	uint32_t last_value;			/* that was ever used */
	uint32_t latest[ORACLE_PLACES_MAX][ORACLE_BLOCKS];	/* the last event of the block */
	uint32_t kept[ORACLE_PLACES_MAX][ORACLE_BLOCKS];	/* that survives the death of the process */
	uint32_t durable[ORACLE_PLACES_MAX][ORACLE_BLOCKS];	/* that survives the loss of power */
	struct oracle_event events[ORACLE_EVENTS_MAX + 1];
};

struct oracle {
	unsigned place_count;
	struct oracle_place places[ORACLE_PLACES_MAX];
	struct oracle_chain chains[ORACLE_CHAINS];
	struct rt_group writers;
	bool blind;				/* nobody reads ahead: a write that fails may show, or not */
	bool blind_at_errors;			/* what is read ahead proves nothing where a disk has failed */
	bool rest;				/* writers issue nothing for the time */
	bool calm;				/* they issue little: nothing happens that they could meet */
	bool stop;				/* writers end; crashes are not noted any more */
};

/* The content of all blocks of all chains on all places. */
struct oracle_image {
	uint32_t values[ORACLE_CHAINS][ORACLE_PLACES_MAX][ORACLE_BLOCKS];
};

/* The last event of each block that survives the loss of power. */
struct oracle_durable {
	uint32_t events[ORACLE_CHAINS][ORACLE_PLACES_MAX][ORACLE_BLOCKS];
};

void oracle_init(struct oracle *oracle);
void oracle_add_box(struct oracle *oracle, struct box *box);

/* Starts the writers, on outside; those that have used all their numbers stop by themselves. -ENOMEM. */
RT_MUST_CHECK int oracle_start(struct oracle *oracle);

/* All writers have used their numbers: nobody writes any more. */
bool oracle_is_spent(const struct oracle *oracle);

/* Hosts are quiet when it returns: each writer has got its last answer. Suspends. -ECANCELED: some may go on. */
RT_MUST_CHECK int oracle_stop(struct oracle *oracle);

/* The same at once, whatever the writers wait for; before the oracle is freed. Suspends. */
void oracle_end(struct oracle *oracle);

/* What the box has is its own affair from here on. */
void oracle_ignore(struct oracle *oracle, const struct box *box);

/* The box has just crashed: what it lost becomes part of history, or is a failure of the run. */
void oracle_note_crash(struct oracle *oracle, struct box *box, enum sim_crash how);

/* The block of a chain on a volume. */
uint64_t oracle_block(unsigned chain, unsigned block);

/*
 * Takes an image: read(arg, place, block, data) gives the block of what was the volume of that place. NULL, or a
 * sentence why it cannot be read. May suspend, if read does.
 */
typedef int (*oracle_read)(void *arg, unsigned place, uint64_t block, void *data);
const char *oracle_take(struct oracle *oracle, oracle_read read, void *arg, struct oracle_image *image);

/*
 * NULL, or a sentence why the image is no moment, or lacks what it must have. position: the events of each chain that
 * it shows (may be NULL).
 */
const char *oracle_judge(const struct oracle *oracle, const struct oracle_image *image,
			 uint32_t position[ORACLE_CHAINS]);

/* What is durable now. */
void oracle_note_durable(const struct oracle *oracle, struct oracle_durable *durable);

/* NULL, or a sentence why a block of the place does not hold what was durable there then, or something newer. */
const char *oracle_judge_durable(const struct oracle *oracle, const struct oracle_durable *then, unsigned place,
				 const struct oracle_image *image);

/* The block has this event, or of what came after it anything, also in parts. */
bool oracle_may_hold(const struct oracle_chain *chain, unsigned place, unsigned block, uint32_t least, uint32_t value);

/* Both, for those who need no more than the sentence. */
const char *oracle_check(struct oracle *oracle, oracle_read read, void *arg);

/* Every image from now on holds what was answered before this time of the clock of outside. */
void oracle_require_before(struct oracle *oracle, int64_t time_ns);

/*
 * The image at this position is the truth from here on, on other boxes: what came later never was. Places are for the
 * caller to change. No writer runs.
 */
void oracle_restart_at(struct oracle *oracle, const uint32_t position[ORACLE_CHAINS]);

#endif
