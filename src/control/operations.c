/* SPDX-License-Identifier: Apache-2.0 */
#include "control/operations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/parse.h"
#include "copy/copy.h"
#include "copy/pace.h"
#include "store/vdisk.h"

const char *const op_role_names[] = { "reader", "operator", "admin" };
_Static_assert(sizeof(op_role_names) / sizeof(op_role_names[0]) == ROLE_COUNT, "a word for each");

const char *const arg_kind_names[] = {
	"", "N", "LL", "XXXX", "LLVV", "VOLUME", "POOL", "NAME", "PATH", "SIZE",
	"DURATION", "DURATION", "DURATION", "SYSTEM", "SYSTEM:LL", "HOST:PORT", "writeback|direct",
	"global-copy|async|sync",
	"JOB", "SET", "consistency|synchronized", "volumes|pairs|flashcopies", "xdc|flashcopy|pprc|xrc",
	"DURATION", "SEQUENCE", "SOURCE:TARGET",
	"NUMBER", "info|warning|error", "DURATION", "DURATION", "DURATION|off", "COUNT|off", "PERCENT|off",
	"not-managed|low|same|high|urgent", "SIZE|none",
	"enabled|disabled|shut-down|offline|test|deferred|quiesce|reboot|reset", "DURATION",
	"SEQUENCE|TIME", "DURATION",
};
_Static_assert(sizeof(arg_kind_names) / sizeof(arg_kind_names[0]) == ARG_KIND_COUNT, "a word for each");

#define POSITION	(USE_REQUIRED | USE_POSITION)

#define POOL_ARG	{ "pool", ARG_POOL, POSITION, "the name of the pool" }
#define LSS_ARG		{ "lss", ARG_LSS, POSITION, "the LSS" }
#define VOLUME_ARG	{ "volume", ARG_VOLUME, POSITION, "id or name of the volume" }
#define SESSION_ARG	{ "session", ARG_SESSION, POSITION, "the number of the session, 1 to 255" }
#define JOB_ARG		{ "job", ARG_JOB, POSITION, "the number of the job" }
#define SET_ARG		{ "set", ARG_SET, POSITION, "the name of the set" }
#define WATCH_ARG	{ "watch", ARG_FLAG, USE_CLIENT, "show it again and again until Ctrl-C" }

#define FLASH_TARGET_ARG	{ "volume", ARG_VOLUME, POSITION, "id or name of the target" }
#define FLASH_PRIORITY_ARG \
	{ "priority", ARG_PRIORITY, 0, "of the background copy beside hosts; low (default) gives way to them" }
#define FLASH_ARGS \
	{ "no-copy", ARG_FLAG, 0, "copy only what is about to be overwritten in the source" }, \
	{ "persistent", ARG_FLAG, 0, "keep the FlashCopy when all is copied" }, \
	{ "record", ARG_FLAG, 0, "remember what is written in either, for flash resync; it is persistent then" }, \
	{ "revertible", ARG_FLAG, 0, "neither is written until it is committed or reverted" }, \
	{ "sequence", ARG_SEQUENCE, 0, "a number for flash commit and flash revert" }, \
	{ "inhibit-target-writes", ARG_FLAG, 0, "hosts only read the target" }, \
	FLASH_PRIORITY_ARG
#define PAIR_ARGS \
	VOLUME_ARG, \
	{ "to", ARG_SYSTEM, 0, "which, if it has several: the system of the other end" }
#define PRIORITY_ARG \
	{ "priority", ARG_PRIORITY, 0, "of first copy and resync beside hosts; low (default) gives way to them" }
#define LIMIT_ARG \
	{ "limit", ARG_PATH_LIMIT, 0, "send at most so many bytes a second over it, from 64K on; none (default)" }

#define GROUP_TIMEOUT_ARG \
	{ "timeout", ARG_HOLD, 0, "of a group: hosts wait so long for that at most; 30s (default)" }

#define PATH_ARGS \
	{ "source-lss", ARG_LSS, POSITION, "the LSS here" }, \
	{ "target-lss", ARG_LSS, POSITION, "the LSS at the other system" }, \
	{ "system", ARG_SYSTEM, USE_REQUIRED, "the other system" }

#define TUNABLE_ARGS \
	{ "interval", ARG_INTERVAL, 0, "pause between consistency groups, 0 to 18h (default 0)" }, \
	{ "coordination", ARG_COORDINATION, 0, "longest hold of host writes, 1ms to 65535ms (default 50ms)" }, \
	{ "drain", ARG_DRAIN, 0, "longest time to send an increment (default 4m)" }, \
	{ "keep", ARG_KEEP, 0, "for so long groups can be gone back to, up to 87600h (default 0: only to the last)" }, \
	{ "keep-size", ARG_SIZE, 0, "and as long as that takes at most so much of the journal of each source" }

#define VERIFY_ARGS \
	{ "repair", ARG_FLAG, 0, "send again what differs" }, \
	{ "rate", ARG_SIZE, 0, "read at most so many bytes a second on each side" }, \
	{ "wait", ARG_FLAG, USE_CLIENT, "wait for its end, with its progress" }

const struct operation operations[] = {
	{ "system", "show", ROLE_MONITOR, ANSWER_OBJECT, "Show this system", { { 0 } } },
	{ "system", "dump", ROLE_ADMIN, ANSWER_LIST, "Show every record of the metadata, as JSON", { { 0 } } },
	{ "system", "set", ROLE_ADMIN, ANSWER_CHANGED, "Set above what something is an event, and what is kept", {
		{ "rpo-limit", ARG_LIMIT_DURATION, 0, "RPO of a session whose master is here (default 5m)" },
		{ "cg-failures-limit", ARG_LIMIT_COUNT, 0, "consistency groups that fail in a row (default 5)" },
		{ "journal-limit", ARG_LIMIT_PERCENT, 0, "use of a journal, 1 to 99 (default 80)" },
		{ "pool-limit", ARG_LIMIT_PERCENT, 0, "use of the file system of a pool, 1 to 99 (default 85)" },
		{ "keep-jobs", ARG_KEEP_JOBS, 0, "how long a job is kept after its end, 1s to 8760h (default 1h)" },
	} },

	{ "pool", "create", ROLE_ADMIN, ANSWER_CHANGED, "Make a pool: of a folder, of devices, or of another pool", {
		POOL_ARG,
		{ "dir", ARG_PATH, 0, "keep volumes as files in this folder, which is made if need be" },
		{ "device", ARG_FLAG, 0, "adopt existing devices as volumes, see volume create --adopt" },
		{ "extent", ARG_PATH, USE_REPEATED, "a device that belongs to the pool; then it adopts no other" },
		{ "from", ARG_POOL, 0, "take its space from this pool" },
		{ "size", ARG_SIZE, 0, "its volumes have at most so much; of devices: what the extents taken come to" },
		{ "cache", ARG_CACHE, 0, "writeback (default): durable at flush; direct: durable when answered" },
	} },
	{ "pool", "list", ROLE_MONITOR, ANSWER_LIST, "List the pools", { { 0 } } },
	{ "pool", "show", ROLE_MONITOR, ANSWER_OBJECT, "Show a pool", { POOL_ARG } },
	{ "pool", "modify", ROLE_ADMIN, ANSWER_CHANGED, "Give a pool another size or label, or more extents", {
		POOL_ARG,
		{ "size", ARG_SIZE, 0, "its volumes have at most so much" },
		{ "label", ARG_NAME, 0, "a name for people" },
		{ "extent", ARG_PATH, USE_REPEATED, "another device that belongs to the pool" },
	} },
	{ "pool", "delete", ROLE_ADMIN, ANSWER_NOTHING, "Delete a pool that has no volumes", { POOL_ARG } },

	{ "lss", "create", ROLE_ADMIN, ANSWER_CHANGED, "Make an LSS", {
		LSS_ARG,
		{ "ssid", ARG_SSID, 0, "its subsystem id" },
	} },
	{ "lss", "list", ROLE_MONITOR, ANSWER_LIST, "List the LSSs", { { 0 } } },
	{ "lss", "show", ROLE_MONITOR, ANSWER_OBJECT, "Show an LSS", { LSS_ARG } },
	{ "lss", "delete", ROLE_ADMIN, ANSWER_NOTHING, "Delete an LSS that nothing uses", { LSS_ARG } },

	{ "volume", "create", ROLE_ADMIN, ANSWER_CHANGED, "Make a volume, and its LSS when that is missing", {
		{ "volume", ARG_VOLUME_ID, POSITION, "the id of the new volume" },
		{ "pool", ARG_POOL, USE_REQUIRED, "where it takes its space" },
		{ "size", ARG_SIZE, 0, "its size, a multiple of 4K; of what is adopted, at most its size (default)" },
		{ "name", ARG_NAME, 0, "a name for people and hosts" },
		{ "adopt", ARG_PATH, 0, "take over this block device or file with its data (pool of devices)" },
	} },
	{ "volume", "list", ROLE_MONITOR, ANSWER_LIST, "List the volumes", {
		{ "lss", ARG_LSS, 0, "only those of this LSS" },
		{ "pool", ARG_POOL, 0, "only those of this pool" },
	} },
	{ "volume", "show", ROLE_MONITOR, ANSWER_OBJECT, "Show a volume", { VOLUME_ARG } },
	{ "volume", "grow", ROLE_ADMIN, ANSWER_CHANGED, "Make a volume larger", {
		VOLUME_ARG,
		{ "size", ARG_SIZE, USE_REQUIRED, "the new size, a multiple of 4K" },
	} },
	{ "volume", "rename", ROLE_ADMIN, ANSWER_CHANGED, "Give a volume another name, or none", {
		VOLUME_ARG,
		{ "name", ARG_NAME, USE_POSITION, "the new name; without it the volume has none" },
	} },
	{ "volume", "accept", ROLE_ADMIN, ANSWER_CHANGED, "Accept that a volume lost writes, and go on with it", {
		VOLUME_ARG
	} },
	{ "volume", "delete", ROLE_ADMIN, ANSWER_NOTHING, "Delete a volume and its data; what was adopted is kept", {
		VOLUME_ARG
	} },

	{ "path", "create", ROLE_ADMIN, ANSWER_CHANGED,
	  "Let an LSS here send to one of another system; again: move that to another address", {
		PATH_ARGS,
		{ "to", ARG_REMOTE_ADDRESS, USE_REQUIRED, "the link address of the other system" },
		{ "compress", ARG_FLAG, 0, "zstd on the link; the first path to a system decides for all" },
		{ "group", ARG_FLAG, 0, "its synchronous pairs are a group: suspended together, at one moment" },
		GROUP_TIMEOUT_ARG,
		LIMIT_ARG,
	} },
	{ "path", "set", ROLE_ADMIN, ANSWER_CHANGED, "Change the limits of a path, or whether it is a group", {
		PATH_ARGS,
		{ "group", ARG_FLAG, 0, "its synchronous pairs are a group: suspended together, at one moment" },
		{ "no-group", ARG_FLAG, 0, "they are none" },
		GROUP_TIMEOUT_ARG,
		LIMIT_ARG,
	} },
	{ "path", "list", ROLE_MONITOR, ANSWER_LIST, "List the paths", { { 0 } } },
	{ "path", "show", ROLE_MONITOR, ANSWER_OBJECT, "Show a path", { PATH_ARGS } },
	{ "path", "delete", ROLE_ADMIN, ANSWER_NOTHING, "Delete a path that nothing uses", { PATH_ARGS } },

	{ "pair", "create", ROLE_OPERATOR, ANSWER_CHANGED, "Copy a volume here to a volume of another system", {
		{ "volume", ARG_VOLUME, POSITION, "the source: id or name" },
		{ "target", ARG_VOLUME_ID, POSITION, "the id of the target" },
		{ "system", ARG_SYSTEM, USE_REQUIRED, "the system of the target" },
		{ "type", ARG_PAIR_TYPE, USE_REQUIRED,
		  "global-copy: no order kept; async: for sessions; sync: answered when both sides have it" },
		{ "critical", ARG_FLAG, 0, "sync: a write fails that the other side cannot get" },
		PRIORITY_ARG,
		{ "compare", ARG_FLAG, 0, "the target holds similar data: send only what differs" },
		{ "no-copy", ARG_FLAG, 0, "both hold the same, by your word: send nothing" },
		{ "wait", ARG_FLAG, USE_CLIENT, "wait for the first copy, with a progress bar" },
	} },
	{ "pair", "list", ROLE_MONITOR, ANSWER_LIST, "List the pairs", { { 0 } } },
	{ "pair", "show", ROLE_MONITOR, ANSWER_OBJECT, "Show the pair of a volume", { PAIR_ARGS, WATCH_ARG } },
	{ "pair", "delete", ROLE_OPERATOR, ANSWER_NOTHING, "End a pair; both volumes keep their data", {
		PAIR_ARGS,
		{ "force", ARG_FLAG, 0, "end only this side, when the other cannot be reached" },
	} },
	{ "pair", "suspend", ROLE_OPERATOR, ANSWER_CHANGED, "Stop sending, and note what hosts change", { PAIR_ARGS } },
	{ "pair", "resume", ROLE_OPERATOR, ANSWER_CHANGED, "Send what has changed, and go on", { PAIR_ARGS } },
	{ "pair", "set", ROLE_OPERATOR, ANSWER_CHANGED, "Change how a pair is copied beside what hosts do", {
		PAIR_ARGS,
		PRIORITY_ARG,
	} },
	{ "pair", "go-to-sync", ROLE_OPERATOR, ANSWER_CHANGED,
	  "Make a global-copy pair synchronous: full-duplex when all is there", { PAIR_ARGS } },
	{ "pair", "leave-sync", ROLE_OPERATOR, ANSWER_CHANGED, "Make a suspended synchronous pair a global-copy pair", {
		PAIR_ARGS
	} },
	{ "pair", "freeze", ROLE_OPERATOR, ANSWER_NOTHING,
	  "Hold hosts on all synchronous pairs of a path, and suspend these at one moment", {
		PATH_ARGS,
		{ "hold", ARG_HOLD, 0, "hosts go on after this time without pair run; 60s (default)" },
	} },
	{ "pair", "run", ROLE_OPERATOR, ANSWER_NOTHING, "Let hosts go on that pair freeze holds", { PATH_ARGS } },
	{ "pair", "failover", ROLE_OPERATOR, ANSWER_CHANGED, "Make a target writable (in a session: session recover)", {
		PAIR_ARGS,
		{ "force", ARG_FLAG, 0, "also when its first copy never ended: as it is, of no one moment" },
	} },
	{ "pair", "failback", ROLE_OPERATOR, ANSWER_CHANGED,
	  "After failover, send what has changed to the old source", {
		PAIR_ARGS,
		{ "discard", ARG_FLAG, 0, "give up what the old source alone wrote" },
	} },
	{ "pair", "verify", ROLE_OPERATOR, ANSWER_OBJECT, "Compare both sides of a pair while hosts write, as a job", {
		PAIR_ARGS, VERIFY_ARGS,
	} },

	{ "standby", "create", ROLE_OPERATOR, ANSWER_CHANGED, "In a cascade, note what its far side may lack", {
		{ "volume", ARG_VOLUME, POSITION, "id or name of the first volume of the cascade" },
		{ "target", ARG_VOLUME_ID, POSITION, "the last one" },
		{ "system", ARG_SYSTEM, USE_REQUIRED, "its system" },
		{ "near", ARG_SYSTEM, 0, "the system between, if the volume has several pairs" },
	} },
	{ "standby", "list", ROLE_MONITOR, ANSWER_LIST, "List the standbys", { { 0 } } },
	{ "standby", "show", ROLE_MONITOR, ANSWER_OBJECT, "Show the standby of a volume", { VOLUME_ARG } },
	{ "standby", "take-over", ROLE_OPERATOR, ANSWER_LIST,
	  "The system between is lost: serve the far side from here, with what that lacks alone", {
		{ "volumes", ARG_VOLUME, POSITION | USE_REPEATED, "ids or names of volumes" },
		{ "force", ARG_FLAG, 0, "also while the system between is there" },
		{ "discard", ARG_FLAG, 0, "also when the far side holds what is not known here: that is given up" },
	} },
	{ "standby", "delete", ROLE_OPERATOR, ANSWER_NOTHING, "No longer note that", {
		VOLUME_ARG,
		{ "force", ARG_FLAG, 0, "also while it is being taken over" },
	} },

	{ "flash", "create", ROLE_OPERATOR, ANSWER_CHANGED, "Let a volume show another as it is now, at once", {
		{ "source", ARG_VOLUME, POSITION, "id or name of the source" },
		{ "target", ARG_VOLUME, POSITION, "id or name of the target: what it holds is given up" },
		FLASH_ARGS,
	} },
	{ "flash", "group", ROLE_OPERATOR, ANSWER_LIST, "The same of many volumes, all at one moment", {
		{ "pairs", ARG_VOLUME_PAIR, POSITION | USE_REPEATED, "source and target, by id or name" },
		FLASH_ARGS,
	} },
	{ "flash", "list", ROLE_MONITOR, ANSWER_LIST, "List the FlashCopies", { { 0 } } },
	{ "flash", "show", ROLE_MONITOR, ANSWER_OBJECT, "Show the FlashCopy of a target", {
		FLASH_TARGET_ARG, WATCH_ARG,
	} },
	{ "flash", "set", ROLE_OPERATOR, ANSWER_CHANGED, "Change how a FlashCopy is copied in the background", {
		FLASH_TARGET_ARG,
		FLASH_PRIORITY_ARG,
		{ "copy", ARG_FLAG, 0, "copy all of the source, from here on" },
		{ "no-copy", ARG_FLAG, 0, "stop that: copy only what is about to be overwritten in the source" },
	} },
	{ "flash", "resync", ROLE_OPERATOR, ANSWER_CHANGED,
	  "Let a target show its source as it is now (needs --record)", {
		FLASH_TARGET_ARG,
		{ "revertible", ARG_FLAG, 0, "neither is written until it is committed or reverted" },
		{ "sequence", ARG_SEQUENCE, 0, "a number for flash commit and flash revert" },
	} },
	{ "flash", "reverse", ROLE_OPERATOR, ANSWER_CHANGED, "Let the source show what the target shows: a restore", {
		FLASH_TARGET_ARG,
	} },
	{ "flash", "commit", ROLE_OPERATOR, ANSWER_CHANGED, "What was established or resynced revertibly is for good", {
		FLASH_TARGET_ARG,
		{ "sequence", ARG_SEQUENCE, 0, "only if it was given this number" },
	} },
	{ "flash", "revert", ROLE_OPERATOR, ANSWER_NOTHING, "Take it back: the target is what it was before", {
		FLASH_TARGET_ARG,
		{ "sequence", ARG_SEQUENCE, 0, "only if it was given this number" },
	} },
	{ "flash", "delete", ROLE_OPERATOR, ANSWER_NOTHING, "End a FlashCopy; a target that is whole keeps its data", {
		FLASH_TARGET_ARG,
		{ "force", ARG_FLAG, 0, "also when the target is not whole: it is empty afterwards" },
	} },

	{ "session", "open", ROLE_OPERATOR, ANSWER_CHANGED, "Open a session on an LSS of this system", {
		SESSION_ARG,
		{ "lss", ARG_LSS, USE_REQUIRED, "the LSS" },
		{ "type", ARG_SESSION_TYPE, 0,
		  "xdc (0x40, default): consistency groups; pprc (0x20): frozen together; flashcopy (0x30)" },
	} },
	{ "session", "close", ROLE_OPERATOR, ANSWER_NOTHING, "Close a session on an LSS of this system", {
		SESSION_ARG,
		{ "lss", ARG_LSS, USE_REQUIRED, "the LSS" },
	} },
	{ "session", "add", ROLE_OPERATOR, ANSWER_CHANGED, "Add volumes to a session; each joins when it is copied", {
		SESSION_ARG,
		{ "volumes", ARG_VOLUME, POSITION | USE_REPEATED, "ids or names of volumes" },
	} },
	{ "session", "remove", ROLE_OPERATOR, ANSWER_CHANGED, "Take volumes out of a session", {
		SESSION_ARG,
		{ "volumes", ARG_VOLUME, POSITION | USE_REPEATED, "ids or names of volumes" },
	} },
	{ "session", "start", ROLE_OPERATOR, ANSWER_CHANGED, "Form consistency groups; this system is the master", {
		SESSION_ARG,
		{ "master", ARG_LSS, USE_REQUIRED, "the LSS of the master" },
		{ "subordinate", ARG_SUBORDINATE, USE_REPEATED, "another source system and an LSS of it" },
		TUNABLE_ARGS,
	} },
	{ "session", "list", ROLE_MONITOR, ANSWER_LIST, "List the sessions", { { 0 } } },
	{ "session", "show", ROLE_MONITOR, ANSWER_OBJECT, "Show a session", { SESSION_ARG, WATCH_ARG } },
	{ "session", "pause", ROLE_OPERATOR, ANSWER_CHANGED, "Form no more consistency groups for now", {
		SESSION_ARG,
		{ "consistent", ARG_FLAG, 0, "after a last one, which hosts may read in the targets meanwhile" } } },
	{ "session", "resume", ROLE_OPERATOR, ANSWER_CHANGED, "Form consistency groups again", {
		SESSION_ARG, TUNABLE_ARGS,
	} },
	{ "session", "freeze", ROLE_OPERATOR, ANSWER_CHANGED,
	  "Type pprc: hold hosts on all volumes, on all systems, and suspend all pairs at one moment", {
		SESSION_ARG,
		{ "hold", ARG_HOLD, 0, "hosts go on after this time without session run; 60s (default)" },
	} },
	{ "session", "flash", ROLE_OPERATOR, ANSWER_CHANGED,
	  "Type flashcopy: resync all FlashCopies of its volumes, on all systems, at one moment", { SESSION_ARG } },
	{ "session", "run", ROLE_OPERATOR, ANSWER_CHANGED, "Let hosts go on that session freeze holds", {
		SESSION_ARG
	} },
	{ "session", "swap", ROLE_OPERATOR, ANSWER_CHANGED,
	  "At the master, hosts stopped: sources and targets exchange their roles", {
		SESSION_ARG,
	} },
	{ "session", "terminate", ROLE_OPERATOR, ANSWER_CHANGED, "End a session that was started", {
		SESSION_ARG,
		{ "force", ARG_FLAG, 0, "also when members do not answer" },
	} },
	{ "session", "probe", ROLE_MONITOR, ANSWER_OBJECT, "At a far side: is recovery possible, and to what moment", {
		SESSION_ARG
	} },
	{ "session", "recover", ROLE_OPERATOR, ANSWER_OBJECT, "At any far side: make all far sides writable", {
		SESSION_ARG,
		{ "at", ARG_MOMENT, 0, "to this group, or the last one not later than 2026-11-23T00:18:59.123Z" },
		{ "force", ARG_FLAG, 0, "decide without the systems that are missing" },
	} },
	{ "session", "points", ROLE_MONITOR, ANSWER_LIST, "At a far side: the groups that can be gone back to", {
		SESSION_ARG,
		{ "below", ARG_SEQUENCE, 0, "only those before this one; at most 1000 are listed, newest first" },
	} },
	{ "session", "practice", ROLE_OPERATOR, ANSWER_CHANGED, "At any far side: a writable copy of a group", {
		SESSION_ARG,
		{ "at", ARG_MOMENT, 0, "of this group, or the last one not later than 2026-11-23T00:18:59.123Z" },
		{ "pool", ARG_POOL, 0, "where its volumes are made (default: each in the pool of its target volume)" },
	} },
	{ "session", "unpractice", ROLE_OPERATOR, ANSWER_CHANGED, "Delete that copy and its volumes", {
		SESSION_ARG
	} },
	{ "session", "failback", ROLE_OPERATOR, ANSWER_CHANGED,
	  "After recovery, send what has changed to the old site", {
		SESSION_ARG,
		{ "discard", ARG_FLAG, 0, "give up what the old site alone wrote" },
	} },
	{ "session", "verify", ROLE_OPERATOR, ANSWER_OBJECT,
	  "Compare both sides of all its pairs; at the master: on all systems", {
		SESSION_ARG, VERIFY_ARGS,
	} },
	{ "session", "return", ROLE_OPERATOR, ANSWER_CHANGED, "After failback, hosts stopped: back to the old site", {
		SESSION_ARG
	} },

	{ "service", "show", ROLE_MONITOR, ANSWER_OBJECT, "Show whether commands are carried out", { { 0 } } },
	{ "service", "start", ROLE_ADMIN, ANSWER_CHANGED, "Carry out commands (StartService)", { { 0 } } },
	{ "service", "stop", ROLE_ADMIN, ANSWER_CHANGED,
	  "Refuse commands; it is disabled when those under way have ended (StopService)", {
		{ "wait", ARG_FLAG, USE_CLIENT, "wait until it is" },
	} },
	{ "service", "request-state", ROLE_ADMIN, ANSWER_CHANGED, "Ask for a state (RequestStateChange)", {
		{ "state", ARG_SERVICE_STATE, POSITION, "the state that is asked for" },
		{ "timeout", ARG_TIMEOUT, 0, "as CIM has it: only 0 is supported" },
		{ "wait", ARG_FLAG, USE_CLIENT, "wait until it is entered" },
	} },
	{ "events", "list", ROLE_MONITOR, ANSWER_LIST, "List what has happened: the last events", {
		{ "follow", ARG_FLAG, USE_CLIENT, "go on with those to come, until Ctrl-C" },
		{ "since", ARG_NUMBER, 0, "only those behind the event of this number" },
		{ "level", ARG_EVENT_LEVEL, 0, "only those of this level or above (default info)" },
		{ "wait", ARG_WAIT, 0, "when there is none, wait for one, at most so long (up to 5m)" },
	} },
	{ "job", "list", ROLE_MONITOR, ANSWER_LIST,
	  "List long work: what is under way, and for a while what has ended", {
		{ "running", ARG_FLAG, 0, "only what has not ended" },
	} },
	{ "job", "show", ROLE_MONITOR, ANSWER_OBJECT, "Show a job", {
		JOB_ARG,
		{ "wait", ARG_FLAG, USE_CLIENT, "wait for its end, with a line of progress" },
	} },
	{ "job", "cancel", ROLE_OPERATOR, ANSWER_CHANGED, "End a job where that is safe", { JOB_ARG } },

	{ "set", "create", ROLE_OPERATOR, ANSWER_CHANGED, "Make a set of volumes, of pairs or of FlashCopies", {
		SET_ARG,
		{ "kind", ARG_SET_KIND, USE_REQUIRED, "consistency or synchronized: as CIM has them" },
		{ "of", ARG_SET_OF, 0, "pairs (default), flashcopies, or volumes: of a consistency set" },
		{ "type", ARG_PAIR_TYPE, 0, "only pairs of this type" },
	} },
	{ "set", "list", ROLE_MONITOR, ANSWER_LIST, "List the sets", { { 0 } } },
	{ "set", "show", ROLE_MONITOR, ANSWER_OBJECT, "Show a set", { SET_ARG } },
	{ "set", "add", ROLE_OPERATOR, ANSWER_CHANGED, "Add volumes, their pairs, or FlashCopies to a set", {
		SET_ARG,
		{ "volumes", ARG_VOLUME, POSITION | USE_REPEATED, "ids or names of volumes" },
	} },
	{ "set", "remove", ROLE_OPERATOR, ANSWER_CHANGED, "Take volumes, their pairs, or FlashCopies out of a set", {
		SET_ARG,
		{ "volumes", ARG_VOLUME, POSITION | USE_REPEATED, "ids or names of volumes" },
	} },
	{ "set", "fracture", ROLE_OPERATOR, ANSWER_CHANGED, "Suspend all its pairs at one moment", { SET_ARG } },
	{ "set", "resync", ROLE_OPERATOR, ANSWER_CHANGED,
	  "Resume all its pairs, or resync all its FlashCopies at one moment", { SET_ARG } },
	{ "set", "restore", ROLE_OPERATOR, ANSWER_CHANGED,
	  "Reverse all its FlashCopies at one moment: their sources show what the targets do", { SET_ARG } },
	{ "set", "prepare", ROLE_OPERATOR, ANSWER_CHANGED, "Make what hosts wrote to its volumes durable", {
		SET_ARG
	} },
	{ "set", "delete-pairs", ROLE_OPERATOR, ANSWER_CHANGED, "End all its pairs or FlashCopies", {
		SET_ARG,
		{ "force", ARG_FLAG, 0, "only this side of pairs; also targets that are not whole: empty then" },
	} },
	{ "set", "delete", ROLE_OPERATOR, ANSWER_NOTHING, "Delete a set that is empty", { SET_ARG } },
};
const unsigned operation_count = sizeof(operations) / sizeof(operations[0]);

const struct op_noun operation_nouns[] = {
	{ "system", "this storage system" },
	{ "pool", "where volumes take their space" },
	{ "lss", "logical subsystems: up to 256 volumes each" },
	{ "volume", "disks of a fixed size" },
	{ "path", "permission and route of an LSS here to an LSS of another system" },
	{ "pair", "a source volume and its target volume" },
	{ "standby", "the last volume of a cascade, to be served from here when the one between is lost" },
	{ "flash", "volumes that show others as they were at one moment" },
	{ "session", "volumes that are kept consistent together" },
	{ "set", "volumes, pairs or FlashCopies that are named together" },
	{ "service", "whether commands are carried out" },
	{ "events", "what has happened" },
	{ "job", "long work" },
};
const unsigned operation_noun_count = sizeof(operation_nouns) / sizeof(operation_nouns[0]);

const char *operation_noun_verb(const char *noun)
{
	return !strcmp(noun, "events") ? "list" : !strcmp(noun, "service") ? "show" : NULL;
}

const struct operation *operation_find(const char *noun, const char *verb)
{
	for (unsigned i = 0; i < operation_count; i++)
		if (!strcmp(operations[i].noun, noun) && !strcmp(operations[i].verb, verb))
			return &operations[i];
	return NULL;
}

unsigned operation_arg_count(const struct operation *operation)
{
	unsigned count = 0;

	while (count < OP_ARGS_MAX && operation->args[count].name)
		count++;
	return count;
}

int operation_arg_find(const struct operation *operation, const char *name)
{
	for (unsigned i = 0; i < operation_arg_count(operation); i++)
		if (!strcmp(operation->args[i].name, name))
			return (int)i;
	return -1;
}

void operation_arg_json_name(const struct op_arg *arg, char *name)
{
	snprintf(name, OP_NAME_MAX, "%s", arg->name);
	for (; *name; name++)
		if (*name == '-')
			*name = '_';
}

/* One of a few words; its index. */
static const char *parse_choice(enum arg_kind kind, const char *text, uint64_t *number)
{
	static const struct {
		const char *const *words;
		unsigned count;
		const char *wrong;
	} choices[ARG_KIND_COUNT] = {
		[ARG_CACHE] = { cache_mode_names, CACHE_MODE_COUNT, "a cache mode is writeback or direct" },
		[ARG_SET_KIND] = { set_kind_names, SET_KIND_COUNT,
				   "the kind of a set is consistency or synchronized" },
		[ARG_SET_OF] = { set_member_kind_names, SET_MEMBER_KIND_COUNT,
				 "a set is of volumes, pairs or flashcopies" },
		[ARG_SESSION_TYPE] = { session_type_names, SESSION_TYPE_COUNT,
				       "the type of a session is xdc, flashcopy, pprc or xrc" },
		[ARG_PAIR_TYPE] = { pair_type_names, PAIR_TYPE_COUNT,
				    "the type of a pair is global-copy, async or sync" },
		[ARG_EVENT_LEVEL] = { event_level_names, EVENT_LEVEL_COUNT, "a level is info, warning or error" },
		[ARG_PRIORITY] = { copy_priority_names, COPY_PRIORITY_COUNT,
				   "a priority is not-managed, low, same, high or urgent" },
		[ARG_SERVICE_STATE] = { service_request_names, SERVICE_REQUEST_COUNT,
					"a state is enabled, disabled, shut-down, offline, test, deferred, quiesce, "
					"reboot or reset" },
	};
	unsigned index;

	if (parse_word(text, choices[kind].words, choices[kind].count, &index))
		return choices[kind].wrong;
	*number = index;
	return NULL;
}

/* The kinds that are small numbers. */
static const char *parse_id(enum arg_kind kind, const char *text, uint64_t *number)
{
	const char *wrong;
	uint16_t id = 0;
	uint8_t small = 0;

	if (kind == ARG_VOLUME_ID || kind == ARG_SSID) {
		wrong = kind == ARG_VOLUME_ID ? parse_volume_id(text, &id) : parse_ssid(text, &id);
		*number = id;
	} else {
		wrong = kind == ARG_LSS ? parse_lss(text, &small) : parse_session(text, &small);
		*number = small;
	}
	return wrong;
}

/* Durations, each with its range. */
static const char *parse_tunable(enum arg_kind kind, const char *text, uint64_t *number)
{
	static const struct {
		int64_t min_ns, max_ns;
		const char *wrong;
	} ranges[ARG_KIND_COUNT] = {
		[ARG_INTERVAL] = { 0, 18 * 3600 * RT_SECOND, "an interval is at most 18h" },
		[ARG_COORDINATION] = { RT_MS, 65535 * RT_MS, "a coordination time is from 1ms to 65535ms" },
		[ARG_DRAIN] = { 1, RT_NEVER, "a drain time is longer than 0" },
		[ARG_KEEP] = { 0, 87600 * 3600 * RT_SECOND, "groups are kept for at most 87600h" },
		[ARG_WAIT] = { 0, 5 * 60 * RT_SECOND, "it is at most 5m" },
		[ARG_KEEP_JOBS] = { RT_SECOND, 8760 * 3600 * RT_SECOND, "it is from 1s to 8760h" },
		[ARG_TIMEOUT] = { 0, RT_NEVER, "" },
		[ARG_HOLD] = { RT_MS, 3600 * RT_SECOND, "hosts are held for 1ms to 1h" },
		[ARG_LIMIT_DURATION] = { RT_SECOND, 8760 * 3600 * RT_SECOND, "a limit is from 1s to 8760h, or off" },
	};
	int64_t ns = 0;
	const char *wrong = parse_duration(text, &ns);

	*number = (uint64_t)ns;
	if (!wrong && (ns < ranges[kind].min_ns || ns > ranges[kind].max_ns))
		wrong = ranges[kind].wrong;
	return wrong;
}

/* What is watched: a number in its range, or not at all. */
static const char *parse_limit(enum arg_kind kind, const char *text, uint64_t *number)
{
	uint64_t max = kind == ARG_LIMIT_PERCENT ? 99 : 1000000;

	*number = INT64_MAX;
	if (!strcmp(text, "off"))
		return NULL;
	if (kind == ARG_LIMIT_DURATION)
		return parse_tunable(kind, text, number);
	if (!parse_number(text, number) && *number >= 1 && *number <= max)
		return NULL;
	return kind == ARG_LIMIT_PERCENT ? "a limit is 1 to 99, or off" : "a limit is 1 to 1000000, or off";
}

static const char *parse_path_limit(const char *text, uint64_t *bytes)
{
	const char *wrong = NULL;

	*bytes = 0;
	if (strcmp(text, "none") != 0)
		wrong = parse_size(text, bytes);
	if (!wrong && *bytes && *bytes < PACE_LIMIT_MIN_BYTES)
		wrong = "a limit is at least 64K, bytes a second";
	return wrong;
}

const char *arg_parse(enum arg_kind kind, const char *text, struct arg_value *value)
{
	const char *wrong;
	char source[XDC_NAME_MAX], target[XDC_NAME_MAX];
	uint8_t lss = 0;

	*value = (struct arg_value){ .text = text };
	switch (kind) {
	case ARG_SESSION:
	case ARG_LSS:
	case ARG_SSID:
	case ARG_VOLUME_ID:
		return parse_id(kind, text, &value->number);
	case ARG_VOLUME:
		return parse_volume(text);
	case ARG_POOL:
	case ARG_SET:
		return parse_pool_name(text);
	case ARG_NAME:
		return parse_volume_name(text);
	case ARG_PATH:
		return parse_path(text);
	case ARG_SIZE:
		return parse_size(text, &value->number);
	case ARG_INTERVAL:
	case ARG_COORDINATION:
	case ARG_DRAIN:
	case ARG_WAIT:
	case ARG_KEEP_JOBS:
	case ARG_KEEP:
	case ARG_TIMEOUT:
	case ARG_HOLD:
		return parse_tunable(kind, text, &value->number);
	case ARG_SYSTEM:
		return parse_system(text);
	case ARG_SUBORDINATE:
		wrong = parse_subordinate(text, value->system, &lss);
		value->number = lss;
		return wrong;
	case ARG_REMOTE_ADDRESS:
		return parse_remote_address(text);
	case ARG_CACHE:
	case ARG_SET_KIND:
	case ARG_SESSION_TYPE:
	case ARG_SET_OF:
	case ARG_PAIR_TYPE:
	case ARG_EVENT_LEVEL:
	case ARG_PRIORITY:
	case ARG_SERVICE_STATE:
		return parse_choice(kind, text, &value->number);
	case ARG_VOLUME_PAIR:
		return parse_volume_pair(text, source, target);
	case ARG_JOB:
	case ARG_SEQUENCE:
	case ARG_NUMBER:
		return parse_number(text, &value->number);
	case ARG_LIMIT_DURATION:
	case ARG_LIMIT_COUNT:
	case ARG_LIMIT_PERCENT:
		return parse_limit(kind, text, &value->number);
	case ARG_PATH_LIMIT:
		return parse_path_limit(text, &value->number);
	case ARG_MOMENT:
		return parse_moment(text, &value->number, &value->is_time);
	case ARG_FLAG:
	case ARG_KIND_COUNT:
		break;
	}
	abort();
}

/* ---- values together ---- */

static const struct arg_value *find_value(const struct operation *operation, const struct op_given *given,
					  const char *name)
{
	int index = operation_arg_find(operation, name);

	return index >= 0 && given->count[index] ? given->values[index] : NULL;
}

static int check_pool(const struct operation *operation, const struct op_given *given, struct fault *fault)
{
	bool dir = find_value(operation, given, "dir"), device = find_value(operation, given, "device");
	bool from = find_value(operation, given, "from");

	if (dir + device + from != 1)
		return fault_set(fault, FAULT_INVALID_PARAMETER, "pool", "xdc pool create NAME --dir PATH",
				 "a pool is of a folder (dir), of devices (device), or made from a pool (from)");
	if (find_value(operation, given, "extent") && !device)
		return fault_set(fault, FAULT_INVALID_PARAMETER, "extent", "give --device with it",
				 "only a pool of devices has extents");
	if (find_value(operation, given, "size") ? device : from)
		return fault_set(fault, FAULT_INVALID_PARAMETER, "size",
				 device ? "leave --size out" : "give its size: --size SIZE",
				 device ? "a pool of devices has the size of its extents"
					: "a pool that is made from another needs a size");
	return 0;
}

/* What is adopted has the size that it has. */
static int check_size(const struct operation *operation, const struct op_given *given, struct fault *fault)
{
	const struct arg_value *size = find_value(operation, given, "size");

	if (find_value(operation, given, "adopt"))
		return 0;
	if (!size)
		return fault_set(fault, FAULT_INVALID_PARAMETER, "size", "give its size: --size SIZE",
				 "a new volume needs a size");
	if (size->number % XDC_BLOCK_SIZE)
		return fault_set_size(fault, "size", size->number - size->number % XDC_BLOCK_SIZE + XDC_BLOCK_SIZE,
				      "give a multiple of 4K", "the size is not a multiple of 4 KiB");
	return 0;
}

static int check_subordinates(const struct operation *operation, const struct op_given *given, struct fault *fault)
{
	int index = operation_arg_find(operation, "subordinate");
	const struct arg_value *values = given->values[index];

	for (unsigned i = 0; i < given->count[index]; i++)
		for (unsigned j = 0; j < i; j++)
			if (!strcmp(values[i].system, values[j].system))
				return fault_set(fault, FAULT_INVALID_PARAMETER, "subordinate",
						 "name each system once, with one LSS of it", "%s is named twice",
						 values[i].system);
	return 0;
}

/* A synchronized set aggregates StorageSynchronized, that is pairs or FlashCopies. */
static int check_set(const struct operation *operation, const struct op_given *given, struct fault *fault)
{
	const struct arg_value *kind = find_value(operation, given, "kind"), *of = find_value(operation, given, "of");
	bool of_volumes = of && of->number == SET_OF_VOLUMES;

	if (of_volumes && kind->number == SET_SYNCHRONIZED)
		return fault_set(fault, FAULT_INVALID_PARAMETER, "of", "--kind consistency, or --of pairs",
				 "a synchronized set is of pairs or FlashCopies");
	if (of && of->number != SET_OF_PAIRS && find_value(operation, given, "type"))
		return fault_set(fault, FAULT_INVALID_PARAMETER, "type", "leave it out",
				 "only pairs have a type of pair");
	return 0;
}

static int check_first_copy(const struct operation *operation, const struct op_given *given, struct fault *fault)
{
	if (find_value(operation, given, "compare") && find_value(operation, given, "no-copy"))
		return fault_set(fault, FAULT_INVALID_PARAMETER, "compare", "give one of them",
				 "either both sides are compared, or nothing is copied");
	return 0;
}

static int check_path_set(const struct operation *operation, const struct op_given *given, struct fault *fault)
{
	if (find_value(operation, given, "group") && find_value(operation, given, "no-group"))
		return fault_set(fault, FAULT_INVALID_PARAMETER, "group", "give one of them",
				 "its pairs are a group, or they are none");
	return 0;
}

static int check_flash_set(const struct operation *operation, const struct op_given *given, struct fault *fault)
{
	if (find_value(operation, given, "copy") && find_value(operation, given, "no-copy"))
		return fault_set(fault, FAULT_INVALID_PARAMETER, "copy", "give one of them",
				 "either all is copied, or nothing in the background");
	return 0;
}

int operation_check(const struct operation *operation, const struct op_given *given, struct fault *fault)
{
	static const struct {
		const char *noun, *verb;
		int (*check)(const struct operation *operation, const struct op_given *given, struct fault *fault);
	} checks[] = {
		{ "pool", "create", check_pool },
		{ "volume", "create", check_size },
		{ "volume", "grow", check_size },
		{ "path", "set", check_path_set },
		{ "session", "start", check_subordinates },
		{ "pair", "create", check_first_copy },
		{ "set", "create", check_set },
		{ "flash", "set", check_flash_set },
	};

	for (unsigned i = 0; i < operation_arg_count(operation); i++) {
		unsigned max =
			operation->args[i].kind == ARG_SUBORDINATE ? XDC_SESSION_MEMBERS_MAX - 1 : OP_VOLUMES_MAX;

		if (given->count[i] > max)
			return fault_set(fault, FAULT_INVALID_PARAMETER, operation->args[i].name, "name fewer",
					 "at most %u of them in one command", max);
	}
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (!strcmp(operation->noun, checks[i].noun) && !strcmp(operation->verb, checks[i].verb))
			return checks[i].check(operation, given, fault);
	return 0;
}
