/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.h - the states, roles and reasons that are kept in the metadata, and the one word that each has there, in the
 * log, on the command line and on the link. What they mean is decided above: here is only the vocabulary.
 */
#ifndef XDC_STORE_WORDS_H
#define XDC_STORE_WORDS_H

/* Room for names, the end of the text included. */
#define XDC_SYSTEM_ID_MAX	16u	/* "2105.FA120" */
#define XDC_ADDRESS_MAX		128u
#define XDC_NAME_MAX		64u	/* of a pool or a volume */
#define XDC_PATH_MAX		1024u

/* What hosts may do with a volume. NONE: the target of a pair. */
enum volume_access { VOLUME_ACCESS_NONE, VOLUME_ACCESS_READ, VOLUME_ACCESS_WRITE, VOLUME_ACCESS_COUNT };
extern const char *const volume_access_names[VOLUME_ACCESS_COUNT];

/* ---- pairs ---- */

enum pair_role { PAIR_SOURCE, PAIR_TARGET, PAIR_ROLE_COUNT };
extern const char *const pair_role_names[PAIR_ROLE_COUNT];

enum pair_type { PAIR_GLOBAL_COPY, PAIR_ASYNC, PAIR_SYNC, PAIR_TYPE_COUNT };
extern const char *const pair_type_names[PAIR_TYPE_COUNT];	/* "global-copy", "async", "sync" */

enum pair_state {
	PAIR_COPY_PENDING,		/* source: copying, for ever in global-copy and async */
	PAIR_SUSPENDED,
	PAIR_TARGET_COPY_PENDING,
	PAIR_TARGET_SUSPENDED,
	PAIR_FAILED_OVER,		/* the former target, writable, noting what hosts change */
	PAIR_FULL_DUPLEX,		/* source, sync: no write is answered that is not at the far side */
	PAIR_TARGET_FULL_DUPLEX,
	PAIR_STATE_COUNT
};
extern const char *const pair_state_names[PAIR_STATE_COUNT];

enum pair_reason {
	PAIR_REASON_NONE,
	PAIR_REASON_COMMAND,		/* an administrator suspended it */
	PAIR_REASON_LINK,		/* no connection; resyncs by itself */
	PAIR_REASON_FAR_FULL,		/* the far side has no space */
	PAIR_REASON_FAR_DISK,		/* the far side cannot write */
	PAIR_REASON_DISK,		/* the volume here cannot be read, or its disk failed to keep writes */
	PAIR_REASON_HISTORY,		/* the far side is newer, or both were written: an administrator decides */
	PAIR_REASON_FAR_GONE,		/* the far side does not know the pair */
	PAIR_REASON_GROUP_LOST,		/* the far side gave a group up that was not yet in the volume: copy it anew */
	PAIR_REASON_WRITES_LOST,	/* sync: this side lost writes with the power, the far side has them */
	PAIR_REASON_SESSION,		/* its session was paused with a consistent target */
	PAIR_REASON_FREEZE,		/* sync: an administrator froze the pairs of its path */
	PAIR_REASON_GROUP,		/* sync: a pair of its group could not go on; the far sides are of one moment */
	PAIR_REASON_COUNT
};
extern const char *const pair_reason_names[PAIR_REASON_COUNT];

/* ---- sets (CIM_ConsistencySet and SynchronizedSet of the seed page) ---- */

enum set_kind { SET_CONSISTENCY, SET_SYNCHRONIZED, SET_KIND_COUNT };
extern const char *const set_kind_names[SET_KIND_COUNT];

/* What is in a set: MemberType 0, or of 1 remote copies, or FlashCopies. */
enum set_member_kind { SET_OF_VOLUMES, SET_OF_PAIRS, SET_OF_FLASHCOPIES, SET_MEMBER_KIND_COUNT };
extern const char *const set_member_kind_names[SET_MEMBER_KIND_COUNT];

/* CopyPriority: the numbers are those of CIM. */
enum copy_priority { COPY_NOT_MANAGED, COPY_LOW, COPY_SAME, COPY_HIGH, COPY_URGENT, COPY_PRIORITY_COUNT };
extern const char *const copy_priority_names[COPY_PRIORITY_COUNT];	/* "not-managed", "low", ... */

/* ---- sessions ---- */

enum session_state {
	SESSION_OPEN, SESSION_RUNNING, SESSION_PAUSING, SESSION_PAUSED, SESSION_FATAL, SESSION_RECOVERED,
	SESSION_SUSPENDING,		/* some of its pairs may be suspended, and some targets show the last group */
	SESSION_PAUSED_CONSISTENT,	/* all pairs are suspended, and all targets show the last group */
	SESSION_RESUMING,		/* on the way from there to running */
	SESSION_SWAPPING,		/* sources and targets exchange their roles: there is no way back */
	SESSION_FROZEN,			/* type pprc: its pairs were suspended at one moment */
	SESSION_MIXED,			/* likewise, of some systems or pairs; others go on, or were so by themselves */
	SESSION_STATE_COUNT
};
extern const char *const session_state_names[SESSION_STATE_COUNT];

enum session_type { SESSION_XDC, SESSION_FLASHCOPY, SESSION_PPRC, SESSION_XRC, SESSION_TYPE_COUNT };
extern const char *const session_type_names[SESSION_TYPE_COUNT];	/* "xdc", "flashcopy", "pprc", "xrc" */

enum session_role { SESSION_NO_ROLE, SESSION_MASTER, SESSION_SUBORDINATE, SESSION_FAR, SESSION_ROLE_COUNT };
extern const char *const session_role_names[SESSION_ROLE_COUNT];	/* "none", "master", "subordinate", "far" */

enum session_phase {
	PHASE_IDLE, PHASE_COORDINATE, PHASE_DRAIN, PHASE_PREPARE, PHASE_COMMIT, PHASE_WAIT, PHASE_COUNT
};
extern const char *const session_phase_names[PHASE_COUNT];

/* Why an attempt to form a consistency group failed (research: "failure reasons" of the original). */
enum cg_failure {
	CG_FAILURE_NONE,
	CG_FAILURE_COORDINATION_TIME,	/* not all systems had closed and heard the release in MaxXDCCoordinationTime */
	CG_FAILURE_DRAIN_TIME,		/* MaxConsistencyGroupDrain went by before all was sent */
	CG_FAILURE_COMMUNICATION,	/* a member did not answer or cannot be reached */
	CG_FAILURE_WRONG_STATE,		/* a member or a pair is not in the state that it needs */
	CG_FAILURE_PAIR_SUSPENDED,
	CG_FAILURE_FAR_RESTARTED,	/* a far side lost what was not yet prepared */
	CG_FAILURE_FAR_PREPARE,		/* a far side could not make the group durable */
	CG_FAILURE_JOURNAL_FULL,
	CG_FAILURE_SIDEFILE_FULL,	/* a host write could not wait longer for the drain of its blocks */
	CG_FAILURE_DISK,		/* a source volume cannot be read, or its last sync failed */
	CG_FAILURE_SUPERSEDED,		/* a newer attempt or master was heard of */
	CG_FAILURE_WRITES_LOST,		/* a source volume lost unflushed writes with the power: until accepted */
	CG_FAILURE_COUNT
};
extern const char *const cg_failure_names[CG_FAILURE_COUNT];

/* ---- FlashCopies ---- */

enum flash_state {
	FLASH_ACTIVE,
	FLASH_FAILED,			/* the target lacks old blocks of the source: it is of no use */
	FLASH_WITHDRAWING,		/* what was not copied is given up: the target becomes empty */
	FLASH_REVERTIBLE,		/* neither volume is written until it is committed or reverted */
	FLASH_STATE_COUNT
};
extern const char *const flash_state_names[FLASH_STATE_COUNT];

enum flash_reason {
	FLASH_REASON_NONE,
	FLASH_REASON_TARGET_FULL,	/* its pool has no space */
	FLASH_REASON_TARGET_DISK,	/* the target, or the map, cannot be written or read */
	FLASH_REASON_TARGET_OFFLINE,	/* the target was not there when the source was written */
	FLASH_REASON_COUNT
};
extern const char *const flash_reason_names[FLASH_REASON_COUNT];

/* ---- the service ---- */

enum service_state {
	SERVICE_ENABLED, SERVICE_DISABLED, SERVICE_SHUTTING_DOWN, SERVICE_QUIESCE,
	SERVICE_STATE_COUNT
};
extern const char *const service_state_names[SERVICE_STATE_COUNT];

/* As CIM's RequestedState. */
enum service_request {
	REQUEST_NO_CHANGE,			/* none was made yet */
	REQUEST_ENABLED, REQUEST_DISABLED, REQUEST_SHUT_DOWN, REQUEST_OFFLINE, REQUEST_TEST, REQUEST_DEFERRED,
	REQUEST_QUIESCE, REQUEST_REBOOT, REQUEST_RESET,
	SERVICE_REQUEST_COUNT
};
extern const char *const service_request_names[SERVICE_REQUEST_COUNT];

/* ---- events ---- */

enum event_level { EVENT_INFO, EVENT_WARNING, EVENT_ERROR, EVENT_LEVEL_COUNT };
extern const char *const event_level_names[EVENT_LEVEL_COUNT];

/* What begins, and what ends it, stand together. */
enum event_kind {
	EVENT_CHANGE,			/* an administrator has changed something */
	EVENT_SYSTEM_STARTED, EVENT_SYSTEM_STOPPED,
	EVENT_PAIR_SUSPENDED, EVENT_PAIR_RESUMED,
	EVENT_PAIR_COPIED,		/* its first copy is done */
	EVENT_PAIR_RESYNCED,		/* after it was suspended or broken: the far side has all again */
	EVENT_SESSION_STARTED, EVENT_SESSION_PAUSED, EVENT_SESSION_ENDED,
	EVENT_SESSION_FATAL,
	EVENT_SESSION_RECOVERED,	/* at a far side */
	EVENT_FAR_RECOVERED,		/* at a source: its far side was */
	EVENT_CG_FAILING, EVENT_CG_FORMED,	/* so many in a row; one again */
	EVENT_RPO_HIGH, EVENT_RPO_NORMAL,
	EVENT_JOURNAL_FULL, EVENT_JOURNAL_ROOM,
	EVENT_POOL_FULL, EVENT_POOL_ROOM,
	EVENT_VOLUME_SYNC_FAILED,
	EVENT_VOLUME_WRITES_LOST,
	EVENT_LINK_LOST, EVENT_LINK_RETURNED,	/* or nothing here needs it any more */
	EVENT_FAR_RESTARTED,
	EVENT_FLASH_FAILED,
	EVENT_JOB_FAILED,
	EVENT_SERVICE_STATE,
	EVENT_PAIR_DIFFERS,		/* a comparison of both its sides found what is not the same */
	EVENT_POINTS_DROPPED,		/* older groups that were to be kept, since there was no room for them */
	EVENT_PAIR_DUPLEX,		/* a synchronous pair: from now on the far side has all that is answered */
	EVENT_KIND_COUNT
};
extern const char *const event_kind_names[EVENT_KIND_COUNT];

/* ---- jobs ---- */

enum job_kind {
	JOB_FIRST_COPY, JOB_RESYNC, JOB_RECOVER, JOB_FAILBACK, JOB_RETURN, JOB_VOLUME_DELETE, JOB_SERVICE_STOP,
	JOB_VERIFY, JOB_FLASH_COPY, JOB_FLASH_RESTORE,
	JOB_SWAP, JOB_PAUSE, JOB_RESUME, JOB_TERMINATE, JOB_PRACTICE, JOB_FREEZE,
	JOB_KIND_COUNT
};
extern const char *const job_kind_names[JOB_KIND_COUNT];

/* As CIM_ConcreteJob.JobState, whose numbers begin with 2. */
enum job_state {
	JOB_NEW, JOB_STARTING, JOB_RUNNING,
	JOB_SUSPENDED,			/* it waits for something that an administrator or another system has to end */
	JOB_SHUTTING_DOWN,		/* it was cancelled, and has not ended yet */
	JOB_COMPLETED,
	JOB_TERMINATED,			/* by an administrator */
	JOB_KILLED,
	JOB_EXCEPTION,			/* it failed */
	JOB_STATE_COUNT
};
extern const char *const job_state_names[JOB_STATE_COUNT];

#endif
