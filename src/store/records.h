/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records.h - what the metadata database keeps: one struct a kind of record, as the control plane and the copy
 * services hold them in memory. Plain values, no pointers; a record begins zeroed. Texts end with a zero byte.
 *
 * A new field is a member here and one line in meta_tables.c, and META_VERSION rises with it: test_meta holds that
 * the tables of a version stay as they are.
 */
#ifndef XDC_STORE_RECORDS_H
#define XDC_STORE_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/vdisk.h"
#include "store/words.h"

/* Of the tables: a database of a newer one is refused, one of an older is brought to this when it is opened. */
#define META_VERSION	4

#define XDC_UUID_LEN	16u

enum meta_kind {
	META_SYSTEM, META_POOL, META_EXTENT, META_LSS, META_VOLUME, META_RETIRED, META_PATH, META_PAIR, META_HISTORY,
	META_SESSION, META_SESSION_LSS, META_SESSION_VOLUME, META_SESSION_SUBORDINATE, META_LEG, META_MEMBER,
	META_DIRTY_LOG, META_MANAGEMENT, META_JOB, META_SET, META_SET_MEMBER, META_FLASH,
	META_EVENT, META_PRACTICE, META_STANDBY, META_FILTER, META_LISTENER, META_SUBSCRIPTION, META_KIND_COUNT
};

/* This system; one record. */
struct record_system {
	char id[XDC_SYSTEM_ID_MAX];		/* key */
	uint8_t uuid[XDC_UUID_LEN];
	uint64_t starts;			/* of xdcd on this state */
	uint8_t kernel_boot_id[16];		/* of the last start */
	bool stopped_cleanly;			/* the last run made all durable; false while one runs */
	int64_t created_wall_ns;
};

struct record_pool {
	char name[XDC_NAME_MAX];		/* key */
	enum pool_kind kind;
	enum cache_mode cache;
	char folder[XDC_PATH_MAX];		/* kind dir */
	char parent[XDC_NAME_MAX];		/* the pool that its space is of; empty: none */
	uint64_t size_bytes;			/* kind dir: of volumes and pools made from it, at most; 0: no limit */
	char label[XDC_NAME_MAX];		/* for people; empty: none */
	int64_t created_wall_ns;
};

/* A device or file that belongs to a pool of kind device: a volume takes all of it. */
struct record_extent {
	char path[XDC_PATH_MAX];		/* key */
	char pool[XDC_NAME_MAX];
	uint64_t size_bytes;			/* when it was added */
	int64_t created_wall_ns;
};

struct record_lss {
	uint8_t id;				/* key */
	uint16_t ssid;				/* 0: none */
	int64_t created_wall_ns;
};

struct record_volume {
	uint16_t id;				/* key; LLVV */
	char name[XDC_NAME_MAX];		/* empty: none */
	uint8_t uuid[XDC_UUID_LEN];
	uint8_t naa[16];
	char pool[XDC_NAME_MAX];
	uint64_t size_bytes;
	char adopted_path[XDC_PATH_MAX];	/* empty: a file of the pool */
	enum volume_access access;
	bool unsynced;				/* writeback: hosts may have written what is not yet durable */
	int64_t unflushed_lost_wall_ns;		/* writes were lost with the power; 0: none, or accepted */
	int64_t sync_failed_wall_ns;		/* a sync failed; 0: none, or accepted */
	uint8_t practice;			/* made for the practice copy of this session; 0: it is not */
	int64_t created_wall_ns;
};

/* A deleted volume whose files are still to be removed: its id is not given to a new volume before. */
struct record_retired {
	uint16_t volume;			/* key */
	uint8_t uuid[XDC_UUID_LEN];
	char pool[XDC_NAME_MAX];
	int64_t retired_wall_ns;
};

/* Key: source_lss, system, target_lss. */
struct record_path {
	uint8_t source_lss, target_lss;
	char system[XDC_SYSTEM_ID_MAX];
	char address[XDC_ADDRESS_MAX];
	bool compress;				/* payloads by zstd, where that makes them smaller */
	uint64_t limit_bytes;			/* a second; 0: no limit */
	bool group;				/* its synchronous pairs are suspended together, at one moment */
	int64_t group_timeout_ns;		/* so long hosts wait for that; 0: not set */
	int64_t created_wall_ns;
};

#define XDC_VERIFY_RANGES_MAX	320u

/* Key: volume, system, remote_volume. */
struct record_pair {
	uint16_t volume;			/* of this system */
	char system[XDC_SYSTEM_ID_MAX];		/* of the remote volume */
	uint16_t remote_volume;
	enum pair_role role;
	enum pair_type type;
	enum pair_state state;
	enum pair_reason reason;		/* why suspended */
	int64_t since_wall_ns;			/* in this state */
	uint8_t session;			/* 0: none */
	bool joined;				/* in the groups of the session; a target: it may be in a kept one */
	bool given_away;			/* a target: in a swap of the session that it is in */
	bool first_copy_done;
	uint64_t first_copy_bytes;		/* all before is at the far side, durably */
	bool first_copy_compares;		/* the target may hold much of it: only what differs is sent */
	bool verified;				/* the last comparison of both sides came to its end */
	int64_t verify_began_wall_ns, verify_ended_wall_ns;
	uint64_t verify_compared_bytes, verify_differing_blocks, verify_repaired_blocks, verify_open_blocks;
	char verify_ranges[XDC_VERIFY_RANGES_MAX];	/* "OFFSET+BYTES OFFSET+BYTES", the first that differed */
	uint8_t unshown[XDC_UUID_LEN];		/* a generation that began here and was never shown to the far side */
	bool critical;				/* sync: a write that the far side cannot get fails */
	uint8_t heard[XDC_UUID_LEN];		/* the newest when the far side answered last */
	enum copy_priority priority;		/* of its first copy and of resyncs, beside hosts */
	uint64_t moment; /* suspended by its session: names the moment, all pairs have the same */
	int64_t created_wall_ns;
};

/* The generations of a pair's data; the highest ordinal is the newest. Key: that of the pair, and ordinal. */
struct record_history {
	uint16_t volume;
	char system[XDC_SYSTEM_ID_MAX];
	uint16_t remote_volume;
	uint32_t ordinal;
	uint8_t generation[XDC_UUID_LEN];
	uint64_t sequence;			/* the CG that it began from; 0: none */
	int64_t began_wall_ns;
};

struct record_failure {
	enum cg_failure reason;			/* NONE: there was none */
	enum session_phase phase;
	char system[XDC_SYSTEM_ID_MAX];
	uint8_t lss;
	uint64_t sequence;			/* of the attempt */
	int64_t at_wall_ns;
};

struct record_session {
	uint8_t number;				/* key */
	uint8_t type;				/* 0x40 XDC */
	enum session_role role;			/* of this system */
	enum session_state state;
	int64_t state_since_wall_ns;		/* 0: not known */
	bool hosts_stopped;			/* its source volumes here are closed: it is being swapped */
	bool hosts_awaited;			/* and are opened with the first group that has them all */
	char swap_system[XDC_SYSTEM_ID_MAX];	/* master: the next one, from the beginning of a swap on */
	char master_system[XDC_SYSTEM_ID_MAX];	/* empty: never started */
	uint8_t master_lss;
	int64_t interval_ns;
	int64_t coordination_ns;
	int64_t drain_ns;
	int64_t keep_ns;			/* CGs can be shown for so long; 0: without limit of time */
	uint64_t keep_bytes;			/* the same in bytes of each journal; both 0: none but the last */
	bool keep_told;				/* far sides may keep some */
	uint64_t incarnation;			/* of the master: one more at each start of it */
	uint64_t recovery_epoch;		/* far side: the highest it was told; masters are refused since */
	uint8_t key[32];			/* secret that the far sides of the session share */
	uint64_t reserved_attempt;		/* numbers up to this may have been used */
	uint64_t sequence;			/* the last CG; 0: none */
	int64_t session_wall_ns;		/* its session time */
	uint64_t member_version;		/* of the member list in force */
	uint64_t cg_good, cg_failed, cg_failed_since_good;
	struct record_failure first_failure, previous_failure, last_failure;
	int64_t created_wall_ns;
};

/* The LSSs on which a session is open. Key: both. */
struct record_session_lss {
	uint8_t session;
	uint8_t lss;
};

/* Key: session, volume. */
struct record_session_volume {
	uint8_t session;
	uint16_t volume;
	bool joined;				/* else join pending */
	uint64_t joined_sequence;
};

/* At the master. Key: session, system. */
struct record_session_subordinate {
	uint8_t session;
	char system[XDC_SYSTEM_ID_MAX];
	uint8_t lss;
};

/* A far side's state of one source system of a session. What is prepared and committed stands in its journal. */
struct record_leg {
	uint8_t session;			/* key: session, source_system */
	char source_system[XDC_SYSTEM_ID_MAX];
	enum session_state state;
	char master_system[XDC_SYSTEM_ID_MAX];
	uint8_t master_lss;
	uint64_t incarnation;			/* the highest of a master that was obeyed */
	uint64_t recovery_epoch;
	uint64_t first_sequence;		/* the first CG that this leg takes part in; 0: none yet */
	uint64_t member_version;
	uint64_t recovered_sequence;		/* 0: not recovered */
	uint64_t forced_sequence;		/* decided by force, without all members; 0: not */
	int64_t keep_ns;			/* as in record_session */
	uint64_t keep_bytes;
	uint64_t shown_sequence;		/* its volumes show this CG to hosts; 0: they do not */
	int64_t shown_wall_ns;			/* since when */
	uint8_t key[32];			/* of the session: far sides show it to one another at recovery */
};

/* One row of a member list: who takes part, and where. Key: session, version, source_system, far_system. */
struct record_member {
	uint8_t session;
	uint64_t version;
	char source_system[XDC_SYSTEM_ID_MAX];
	char far_system[XDC_SYSTEM_ID_MAX];
	char far_address[XDC_ADDRESS_MAX];	/* of its link */
	bool is_master;				/* the source system */
};

/* A dirty log that must be in the state folder. */
struct record_dirty_log {
	uint16_t number;			/* key; it is dirty-NUMBER.log */
};

#define XDC_OWNER_NAME_MAX	260u	/* 64 characters of UTF-8 */
#define XDC_OWNER_CONTACT_MAX	1028u	/* 256 */

/* What the management of this system goes on from; one record. */
struct record_management {
	uint8_t number;				/* key; 1 */
	uint64_t jobs_begun;			/* the number of the last job */
	int64_t jobs_keep_ns;			/* how long a job is kept after its end; 0: the default */
	uint64_t events_reserved;		/* numbers up to this may have been used */
	/* Above these something is an event: 0: the default; INT64_MAX: never. */
	uint64_t limit_rpo_ns, limit_cg_failures, limit_journal_percent, limit_pool_percent;
	enum service_state service_state;
	enum service_request service_requested;	/* last */
	int64_t service_since_wall_ns;		/* in this state; 0: since ever */
	/* For managers: whom to ask about the service; EnabledDefault of CIM, 0: 2 (enabled) */
	char owner_name[XDC_OWNER_NAME_MAX], owner_contact[XDC_OWNER_CONTACT_MAX];
	uint8_t enabled_default;
};

/* Long work (control/job.h): as it began, or as it ended. */
struct record_job {
	uint64_t number;			/* key */
	enum job_kind kind;
	char object[64];			/* "volume 1500", "session 1" */
	enum job_state state;			/* of one that has not ended: running */
	int64_t began_wall_ns, ended_wall_ns;	/* 0: it has not */
	uint64_t done_bytes, total_bytes;	/* total 0: it has none, or it is not known */
	uint32_t code;				/* of the fault that ended it; 0: none */
	char message[256], remedy[256];
};

struct record_set {
	char name[XDC_NAME_MAX];		/* key */
	enum set_kind kind;
	enum set_member_kind of;
	bool has_type;				/* only pairs of this type */
	enum pair_type type;
	int64_t created_wall_ns;
};

/* A volume, the pair of a volume, or the FlashCopy of a target. Key: both. */
struct record_set_member {
	char set[XDC_NAME_MAX];
	uint16_t volume;
};

/* A FlashCopy relation of two volumes of this system. */
struct record_flash {
	uint16_t target;			/* key: it has one source */
	uint16_t source;
	uint8_t map[XDC_UUID_LEN];		/* names its map, and is in every unit of it */
	enum flash_state state;
	enum flash_reason reason;		/* why it has failed */
	bool no_copy;				/* blocks are kept only when the source is written */
	bool persistent;			/* stays when all is copied */
	enum copy_priority priority;		/* of its background copy, beside hosts */
	bool inhibit;				/* hosts only read the target */
	bool record;				/* which tracks are written, for a resync */
	uint8_t changed[XDC_UUID_LEN];		/* names the map of these */
	bool restore;				/* the source gives back what it had kept as a target */
	uint64_t sequence;			/* revertible: of this generation */
	uint8_t old_map[XDC_UUID_LEN];		/* revertible: what it was before; zeros: there was no relation */
	uint8_t old_changed[XDC_UUID_LEN];
	int64_t old_created_wall_ns;
	int64_t created_wall_ns;		/* the moment that it shows */
	uint8_t practice;			/* of the practice copy of this session; 0: of none */
	int64_t since_wall_ns;			/* in this state */
};

/* At a far side: a practice copy of a session. Its volumes and FlashCopies name the session. */
struct record_practice {
	uint8_t session;			/* key */
	uint64_t sequence;			/* the CG that it shows */
	int64_t cg_wall_ns;			/* the moment of that */
	int64_t created_wall_ns;
	uint64_t attempt;			/* random: of the command that made it, on all far sides */
	bool pending;				/* not all far sides have it yet: it is not to be seen */
};

/*
 * A far side that another system serves, in a cascade: what is needed to serve it from here when that one is lost.
 */
struct record_standby {
	uint16_t volume;			/* key; a source here */
	char near_system[XDC_SYSTEM_ID_MAX];	/* that has a copy of it, and sends that on */
	char system[XDC_SYSTEM_ID_MAX];		/* the far side of that */
	uint16_t remote_volume;			/* there */
	bool known;				/* it lacks at most what is noted here */
	uint8_t generation[XDC_UUID_LEN];	/* its newest, as the near system said: known is about that one */
	uint8_t taking[XDC_UUID_LEN];		/* it is being taken over, with this one on top; zeros: it is not */
	uint64_t sequence;			/* a consistency group that it had when this was noted */
	int64_t created_wall_ns;
};

#define XDC_EVENT_OBJECT_MAX	64u
#define XDC_EVENT_TEXT_MAX	256u

/* Something that an administrator should know of (control/event.h). */
struct record_event {
	uint64_t number;			/* key */
	int64_t at_wall_ns;
	enum event_level level;
	enum event_kind kind;
	char object[XDC_EVENT_OBJECT_MAX];	/* "volume 1500", "session 1", "system 2105.FB230" */
	char text[XDC_EVENT_TEXT_MAX];		/* a sentence without full stop */
	char remedy[XDC_EVENT_TEXT_MAX];	/* what to do, best the command itself; empty: nothing */
};

#define XDC_WATCH_NAME_MAX	256u
#define XDC_WATCH_QUERY_MAX	1536u
#define XDC_WATCH_LABEL_MAX	128u
#define XDC_WATCH_URL_MAX	512u

/* What a manager wants to be told of, in a language of queries (control/subscription.h). */
struct record_filter {
	char name[XDC_WATCH_NAME_MAX];		/* key */
	char query[XDC_WATCH_QUERY_MAX];
	char language[16];
	char namespaces[XDC_WATCH_LABEL_MAX];	/* whose things are meant, with blanks between; empty: all */
	char label[XDC_WATCH_LABEL_MAX];	/* for people; empty: none */
	int64_t created_wall_ns;
};

/* Where a manager listens. */
struct record_listener {
	char name[XDC_WATCH_NAME_MAX];		/* key */
	char url[XDC_WATCH_URL_MAX];
	bool transient;				/* not meant to be there after a restart of the manager */
	char label[XDC_WATCH_LABEL_MAX];	/* for people; empty: none */
	int64_t created_wall_ns;
};

/* What a filter picks is told to a listener. Key: both. */
struct record_subscription {
	char filter[XDC_WATCH_NAME_MAX];
	char listener[XDC_WATCH_NAME_MAX];
	bool disabled;
	char info[XDC_WATCH_LABEL_MAX];		/* what the manager wants to remember; empty: nothing */
	int64_t since_wall_ns;			/* so */
	int64_t created_wall_ns;
};

/* ---- how they are kept: one table a kind, one column a field ---- */

enum meta_type {
	META_BOOL,		/* bool: 0 or 1 */
	META_UINT,		/* unsigned, or int64_t that is not negative, of size bytes: a number up to INT64_MAX */
	META_HEX,		/* uint8_t or uint16_t: 2 or 4 hexadecimal digits */
	META_WORD,		/* an enum: its word */
	META_TEXT,		/* char[size] */
	META_UUID,		/* 16 bytes in the usual groups; empty when all are zero */
	META_BYTES,		/* size bytes as hexadecimal digits; empty when all are zero */
	META_TIME,		/* int64_t, ns since 1970: 2026-11-23T00:18:59.123456789Z; empty when zero */
};

struct meta_column {
	const char *name;
	enum meta_type type;
	bool key;
	uint16_t offset, size;
	const char *const *words;	/* META_WORD */
	unsigned word_count;
	const char *comment;		/* for the administrator; NULL: the name says it */
};

struct meta_table {
	const char *name;
	const char *comment;
	size_t record_size;
	const struct meta_column *columns;
	unsigned column_count;
};

extern const struct meta_table meta_tables[META_KIND_COUNT];

/* The largest record, and the largest number of columns of one table. */
#define META_RECORD_MAX		2560u
#define META_COLUMNS_MAX	48u

#endif
