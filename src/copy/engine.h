/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.h - what the modules of copy/ share: the copy services of one system and their parts, private to copy/. All
 * of it lives on reactor 0 unless a comment says otherwise; the parts that touch volumes do so by rt_call to the
 * volume's reactor.
 */
#ifndef XDC_COPY_ENGINE_H
#define XDC_COPY_ENGINE_H

#include "copy/copy.h"
#include "copy/link.h"
#include "copy/link_server.h"
#include "copy/notice.h"
#include "copy/pace.h"
#include "copy/peer_news.h"

struct dirtylog;
struct filepool;
struct session;

/* A path: permission and route of one LSS to one LSS of another system. */
struct path {
	struct list_head link;
	struct record_path record;
	struct peer *peer;
	struct pace_limit limit;		/* used on any reactor, by those who send over the path */
	bool going;				/* being deleted: nothing new may need it */
};

/*
 * What the lower modules of copy/ do not know: who answers requests, and what becomes of news. copy.c says it, and is
 * the only one that knows all modules.
 */
struct copy_above {
	const struct link_handler *handlers;	/* what systems may ask of this one, this one too; ends with type 0 */
	void (*on_event)(void *copy, struct link *link, uint16_t type, const void *event);	/* link.h */
	void (*watch_peer)(void *peer);		/* the two fibers of each peer (peer_watch.h) */
	void (*sync_peer)(void *peer);
	/* A volume of the session here was taken over by its far side. Suspends. */
	void (*lose_session)(struct copy *copy, uint8_t session);
	/* A pair of the session, whose type is pprc, is broken: all of it are suspended. Does not suspend. */
	void (*break_group)(struct copy *copy, uint8_t session);
};

struct copy {
	struct copy_config config;
	const struct copy_above *above;
	/* Of what was acknowledged here: that of this start, until a journal threw away what was not prepared. */
	uint8_t far_boot_id[WIRE_ID_SIZE];
	struct link_server *server;
	struct dirtylog **dirtylogs;		/* one a reactor */
	struct rt_group fibers;
	struct notice_board pressed;		/* a dirty log has no room: regions must become clean */
	struct log_watch *watches;		/* one a reactor */
	struct notice_board mirrors;		/* one of a synchronous pair is broken */
	struct notice *mirror_notices;		/* one a reactor */
	struct list_head freezes;		/* struct freeze: paths whose hosts are held */
	struct rt_cond thawed;			/* one of them is over */
	struct list_head peers;			/* struct peer: systems that this one dials */
	struct rt_mutex dialing;		/* one at a time gets or puts back a peer */
	struct list_head paths;			/* struct path */
	struct list_head pairs;			/* struct pair: both ends */
	bool pairs_end;				/* they are put down, with all that they are owed */
	struct pair **pair_table[256];		/* the first of each volume, by LSS and number; NULL: none yet */
	struct list_head flashes;		/* struct flash: FlashCopies, in the order of their targets */
	struct flash_slot *flash_table[256];	/* those of each volume, by LSS and number; NULL: none yet */
	struct filepool **flash_files;		/* one a reactor: of their maps and logs */
	struct rt_mutex flashing;		/* of commands on them, one at a time */
	struct rt_group flash_fibers;		/* background copies */
	struct list_head practices;		/* struct practice */
	struct list_head practice_parts;	/* struct practice_part: those that are being made */
	struct rt_mutex practising;		/* of commands on them given here, one at a time */
	struct rt_mutex practice_steps;		/* of what those order here, one at a time */
	struct rt_group practice_fibers;	/* one a part */
	struct list_head verify_members;	/* struct verify_member: comparisons that a master has asked for */
	struct rt_group verify_fibers;		/* one each */
	struct list_head standbys;		/* struct standby: far sides of others, that this one may serve */
	struct notice_board standbys_due;	/* for one of them something was noted */
	struct notice *standby_notices;		/* one a reactor */
	struct list_head left_pairs;		/* struct left_pair: those whose volume is not open */
	struct list_head sources;		/* struct source: sessions with volumes here */
	struct list_head sessions;		/* struct session_entry: all that this system knows by number */
	struct list_head session_lsses;		/* struct session_lss */
	struct list_head subordinates;		/* struct subordinate */
	struct list_head group_volumes;		/* struct group_volume: of sessions that form no groups */
	struct list_head legs;			/* struct leg: journals here */
	struct rt_mutex planning;		/* one order at a time changes what is planned for a swap */
	struct rt_mutex making_legs;		/* one at a time is made or forgotten: their files have one name */
};

/* The LSSs on which a session is open, and the other systems that a master coordinates, as they are durable. */
struct session_lss {
	struct list_head link;
	struct record_session_lss record;
};
struct subordinate {
	struct list_head link;
	struct record_session_subordinate record;
};

/* ---- peers (peers.c): links by system, shared by all that use them ---- */

/* Reactor 0; pairs use the link and the notice of their volume's reactor there, which stay as long as they do. */
struct peer {
	struct list_head link;
	struct copy *copy;
	char system[XDC_SYSTEM_ID_MAX];
	struct link *to;
	struct rt_group watch;			/* its fibers */
	struct notice_board acked;		/* pairs have something to be made durable there */
	struct notice *notices;			/* one a reactor */
	unsigned uses;
	bool look_again;			/* a pair is new to the link, which may be connected already */
	int64_t asked_ns;			/* pairs that wait were tried again */
	int64_t silent_ns;			/* it gave no answer in time how far its own far sides are */
	int64_t lost_ns;			/* it is not connected, since then; 0: it is */
	bool told_lost;
	struct peer_news news;			/* of its pairs, to be told */
	bool mirrors_due, settling;		/* mirrors of its pairs are broken; a fiber sees to them */
	bool ask_pairs;				/* the far side has refused a leg: it may have been recovered */
	uint8_t boot_id[WIRE_ID_SIZE];		/* that the pairs' acknowledgements came from; zeros: none yet */
};

/*
 * Finds or dials; each get is given back by a put. address NULL: an existing one only. NULL: no memory, or none there.
 * Suspends.
 */
struct peer *peer_get(struct copy *copy, const char *system, const char *address, bool compress);
void peer_put(struct peer *peer);		/* suspends when it was the last use */

/* At the stop of the system: links break, and the peers' fibers end; uses are given back later. Suspends. */
void peers_hang_up(struct copy *copy);

/* There is a pair that has not asked its far side yet: as if the link had just been connected. Does not suspend. */
void peer_look_again(struct peer *peer);

/* The same, but not at once: for what may happen again and again. Does not suspend. */
void peer_ask_pairs(struct peer *peer);

/* The far side of pairs says that it has changed something about them: an event. Neither suspends. */
void peers_tell_changed(struct copy *copy, const char *system);
void peers_on_changed(struct copy *copy, const struct link *link);

/* Tries to connect at once, and suspends until the system is reached, at most so long. */
bool peer_wait_connected(struct peer *peer, int64_t limit_ns);

/* The same for a person who waits: ends as soon as it is certain that who answers there is not the system. */
bool peer_wait_answer(struct peer *peer, int64_t limit_ns);

/*
 * As link_request; the own system is asked by calling the handler. -ENOTCONN also when no link to the system exists.
 */
RT_MUST_CHECK int copy_ask(struct copy *copy, const char *system, uint16_t type, const void *request, void *reply,
			   char why[WIRE_TEXT_SIZE]);

/* The dirty log of a reactor (reactor 0 may ask for any; used on its own reactor only). */
struct dirtylog *copy_dirtylog(struct copy *copy, struct rt_reactor *reactor);

/* The table of pairs, when no pair is left (pair.c). */
void pairs_free_table(struct copy *copy);

/* ---- paths (paths.c) ---- */

RT_MUST_CHECK int path_take_up(struct copy *copy, const struct record_path *record);
void path_put_down(struct path *path);

/* Where paths from this LSS to this system lead; NULL: there is none. */
const char *copy_path_address(struct copy *copy, uint8_t source_lss, const char *system);

/* True when a path leads from this LSS to that LSS. */
bool path_exists(struct copy *copy, uint8_t source_lss, const char *system, uint8_t target_lss);

/* Of that path, which stays as long as a pair needs it. NULL: there is no such path. */
struct pace_limit *path_limit(struct copy *copy, uint8_t source_lss, const char *system, uint8_t target_lss);

/* The synchronous pairs of its path are a group. */
bool path_is_group(struct copy *copy, const struct record_pair *pair);

/* So long hosts wait at most until these are suspended together. */
int64_t path_group_timeout(struct copy *copy, const struct record_pair *pair);

/* ---- sessions (session_ops.c) ---- */

/* After everything is taken up: sessions that were running here go on. */
RT_MUST_CHECK int session_entries_resume(struct copy *copy);
void session_entries_stop(struct copy *copy);

/* What the volume has lost, and nobody has accepted yet. Does not suspend. */
struct copy_losses copy_get_losses(struct copy *copy, uint16_t volume);

/*
 * What this system has acknowledged and not made durable is lost. To those that send here it is as if it had restarted:
 * it takes another boot id, and all their connections break. Suspends.
 */
void copy_void_acks(struct copy *copy);

/*
 * Something happened that an administrator should know of (copy_config.tell); it is in the log then. remedy may be "".
 */
__attribute__((format(printf, 6, 7)))
void copy_tell(struct copy *copy, enum event_kind kind, enum event_level level, const char *object, const char *remedy,
	       const char *format, ...);

/* As copy_config.work. Does not suspend. */
void copy_tell_work(struct copy *copy, enum job_kind kind, const struct record_pair *pair, enum copy_work step,
		    uint64_t bytes);

/* Says no: fills in why (WIRE_TEXT_SIZE) and returns error. */
__attribute__((format(printf, 3, 4))) int copy_refuse(char *why, int error, const char *format, ...);

#endif
