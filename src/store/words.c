/* SPDX-License-Identifier: Apache-2.0 */
#include "store/words.h"

#define NAME_EACH(table, count) \
	_Static_assert(sizeof(table) / sizeof((table)[0]) == (count), "a word for each")

const char *const volume_access_names[] = { "none", "read", "write" };
NAME_EACH(volume_access_names, VOLUME_ACCESS_COUNT);

const char *const pair_role_names[] = { "source", "target" };
NAME_EACH(pair_role_names, PAIR_ROLE_COUNT);

const char *const pair_type_names[] = { "global-copy", "async", "sync" };
NAME_EACH(pair_type_names, PAIR_TYPE_COUNT);

const char *const pair_state_names[] = {
	"copy-pending", "suspended", "target-copy-pending", "target-suspended", "failed-over",
	"full-duplex", "target-full-duplex",
};
NAME_EACH(pair_state_names, PAIR_STATE_COUNT);

const char *const pair_reason_names[] = {
	"none", "command", "link", "far-full", "far-disk", "disk", "history", "far-gone", "group-lost",
	"writes-lost", "session", "freeze", "group",
};
NAME_EACH(pair_reason_names, PAIR_REASON_COUNT);

const char *const set_kind_names[] = { "consistency", "synchronized" };
NAME_EACH(set_kind_names, SET_KIND_COUNT);

const char *const set_member_kind_names[] = { "volumes", "pairs", "flashcopies" };
NAME_EACH(set_member_kind_names, SET_MEMBER_KIND_COUNT);

const char *const copy_priority_names[] = { "not-managed", "low", "same", "high", "urgent" };
NAME_EACH(copy_priority_names, COPY_PRIORITY_COUNT);

const char *const session_state_names[] = {
	"open", "running", "pausing", "paused", "fatal", "recovered", "suspending", "paused-consistent", "resuming",
	"swapping", "frozen", "mixed",
};
NAME_EACH(session_state_names, SESSION_STATE_COUNT);

const char *const session_type_names[] = { "xdc", "flashcopy", "pprc", "xrc" };
NAME_EACH(session_type_names, SESSION_TYPE_COUNT);

const char *const session_role_names[] = { "none", "master", "subordinate", "far" };
NAME_EACH(session_role_names, SESSION_ROLE_COUNT);

const char *const session_phase_names[] = { "idle", "coordinate", "drain", "prepare", "commit", "wait" };
NAME_EACH(session_phase_names, PHASE_COUNT);

const char *const cg_failure_names[] = {
	"none", "max coordination time exceeded", "max drain time exceeded", "communication failure", "wrong state",
	"pair suspended", "far side restarted", "prepare failed at far side", "journal full", "sidefile full",
	"disk failed", "superseded", "unflushed writes lost",
};
NAME_EACH(cg_failure_names, CG_FAILURE_COUNT);

const char *const flash_state_names[] = { "active", "failed", "withdrawing", "revertible" };
NAME_EACH(flash_state_names, FLASH_STATE_COUNT);

const char *const flash_reason_names[] = { "none", "target-full", "target-disk", "target-offline" };
NAME_EACH(flash_reason_names, FLASH_REASON_COUNT);

const char *const service_state_names[] = { "enabled", "disabled", "shutting-down", "quiesce" };
NAME_EACH(service_state_names, SERVICE_STATE_COUNT);

const char *const service_request_names[] = {
	"no-change", "enabled", "disabled", "shut-down", "offline", "test", "deferred", "quiesce", "reboot", "reset",
};
NAME_EACH(service_request_names, SERVICE_REQUEST_COUNT);

const char *const event_level_names[] = { "info", "warning", "error" };
NAME_EACH(event_level_names, EVENT_LEVEL_COUNT);

const char *const event_kind_names[] = {
	"change", "system-started", "system-stopped", "pair-suspended", "pair-resumed", "pair-copied", "pair-resynced",
	"session-started", "session-paused", "session-ended", "session-fatal", "session-recovered", "far-recovered",
	"cg-failing", "cg-formed", "rpo-high", "rpo-normal", "journal-full", "journal-room", "pool-full", "pool-room",
	"volume-sync-failed", "volume-writes-lost", "link-lost", "link-returned", "far-restarted", "flash-failed",
	"job-failed", "service-state", "pair-differs",
	"points-dropped", "pair-full-duplex",
};
NAME_EACH(event_kind_names, EVENT_KIND_COUNT);

const char *const job_kind_names[] = {
	"first-copy", "resync", "recover", "failback", "return", "volume-delete", "service-stop",
	"verify", "flash-copy", "flash-restore",
	"swap", "pause", "resume", "terminate", "practice", "freeze",
};
NAME_EACH(job_kind_names, JOB_KIND_COUNT);

const char *const job_state_names[] = {
	"new", "starting", "running", "suspended", "shutting-down", "completed", "terminated", "killed", "exception",
};
NAME_EACH(job_state_names, JOB_STATE_COUNT);
