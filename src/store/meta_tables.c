/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the metadata database: one line a column. What they become is in meta_schema.c. */
#include "store/records.h"

#define SIZE_OF(record, member)	sizeof(((struct record *)0)->member)

/* A column of the table that is being described (RECORD), named as its field. */
#define FIELD(kind, column, member, ...) \
	{ .name = (column), .type = (kind), .offset = offsetof(struct RECORD, member), \
	  .size = SIZE_OF(RECORD, member), ##__VA_ARGS__ }
#define COLUMN(kind, member, ...)	FIELD(kind, #member, member, ##__VA_ARGS__)
#define WORD(member, count_, names, ...) \
	FIELD(META_WORD, #member, member, .words = (names), .word_count = (count_), ##__VA_ARGS__)
#define KEY		.key = true
#define NOTE(text)	.comment = (text)

#define RECORD record_system
static const struct meta_column system_columns[] = {
	COLUMN(META_TEXT, id, KEY, NOTE("TYPE.SERIAL")),
	COLUMN(META_UUID, uuid),
	COLUMN(META_UINT, starts, NOTE("how often xdcd was started on this state")),
	COLUMN(META_BYTES, kernel_boot_id, NOTE("of the last start; another one now: the power was lost meanwhile")),
	COLUMN(META_BOOL, stopped_cleanly, NOTE("0 while xdcd runs")),
	FIELD(META_TIME, "created", created_wall_ns),
};
#undef RECORD

#define RECORD record_pool
static const struct meta_column pool_columns[] = {
	COLUMN(META_TEXT, name, KEY),
	WORD(kind, POOL_KIND_COUNT, pool_kind_names),
	WORD(cache, CACHE_MODE_COUNT, cache_mode_names),
	COLUMN(META_TEXT, folder, NOTE("kind dir: where the files of the volumes are")),
	COLUMN(META_TEXT, parent, NOTE("the pool that its space is of")),
	COLUMN(META_UINT, size_bytes, NOTE("kind dir: its volumes and pools have at most so much; 0: no limit")),
	COLUMN(META_TEXT, label, NOTE("for people")),
	FIELD(META_TIME, "created", created_wall_ns),
};
#undef RECORD

#define RECORD record_extent
static const struct meta_column extent_columns[] = {
	COLUMN(META_TEXT, path, KEY),
	COLUMN(META_TEXT, pool),
	COLUMN(META_UINT, size_bytes),
	FIELD(META_TIME, "created", created_wall_ns),
};
#undef RECORD

#define RECORD record_lss
static const struct meta_column lss_columns[] = {
	COLUMN(META_HEX, id, KEY),
	COLUMN(META_HEX, ssid, NOTE("0000: none")),
	FIELD(META_TIME, "created", created_wall_ns),
};
#undef RECORD

#define RECORD record_volume
static const struct meta_column volume_columns[] = {
	COLUMN(META_HEX, id, KEY, NOTE("LSS, number")),
	COLUMN(META_TEXT, name),
	COLUMN(META_UUID, uuid),
	COLUMN(META_BYTES, naa),
	COLUMN(META_TEXT, pool),
	COLUMN(META_UINT, size_bytes),
	COLUMN(META_TEXT, adopted_path, NOTE("empty: a file of the pool")),
	WORD(access, VOLUME_ACCESS_COUNT, volume_access_names, NOTE("what hosts may do")),
	COLUMN(META_BOOL, unsynced, NOTE("hosts may have written what is not yet durable")),
	FIELD(META_TIME, "unflushed_lost", unflushed_lost_wall_ns, NOTE("unflushed writes were lost with the power")),
	FIELD(META_TIME, "sync_failed", sync_failed_wall_ns, NOTE("a sync failed; until repaired or accepted")),
	COLUMN(META_UINT, practice, NOTE("made for the practice copy of this session; 0: it is not")),
	FIELD(META_TIME, "created", created_wall_ns),
};
#undef RECORD

#define RECORD record_retired
static const struct meta_column retired_columns[] = {
	COLUMN(META_HEX, volume, KEY),
	COLUMN(META_UUID, uuid),
	COLUMN(META_TEXT, pool),
	FIELD(META_TIME, "retired", retired_wall_ns),
};
#undef RECORD

#define RECORD record_path
static const struct meta_column path_columns[] = {
	COLUMN(META_HEX, source_lss, KEY),
	COLUMN(META_TEXT, system, KEY),
	COLUMN(META_HEX, target_lss, KEY),
	COLUMN(META_TEXT, address),
	COLUMN(META_BOOL, compress),
	COLUMN(META_UINT, limit_bytes, NOTE("a second; 0: no limit")),
	FIELD(META_BOOL, "consistency_group", group, NOTE("its synchronous pairs are suspended together")),
	COLUMN(META_UINT, group_timeout_ns, NOTE("hosts wait so long for that; 0: not set")),
	FIELD(META_TIME, "created", created_wall_ns),
};
#undef RECORD

#define RECORD record_pair
static const struct meta_column pair_columns[] = {
	COLUMN(META_HEX, volume, KEY),
	COLUMN(META_TEXT, system, KEY, NOTE("of the remote volume")),
	COLUMN(META_HEX, remote_volume, KEY),
	WORD(role, PAIR_ROLE_COUNT, pair_role_names, NOTE("of the volume of this system")),
	WORD(type, PAIR_TYPE_COUNT, pair_type_names),
	WORD(state, PAIR_STATE_COUNT, pair_state_names),
	WORD(reason, PAIR_REASON_COUNT, pair_reason_names, NOTE("why suspended")),
	FIELD(META_TIME, "since", since_wall_ns, NOTE("in this state")),
	COLUMN(META_UINT, session, NOTE("0: none")),
	COLUMN(META_BOOL, joined, NOTE("in the consistency groups of the session")),
	COLUMN(META_BOOL, given_away, NOTE("a target: in a swap of the session that it is in")),
	COLUMN(META_BOOL, first_copy_done),
	COLUMN(META_UINT, first_copy_bytes, NOTE("all before is at the far side, durably")),
	COLUMN(META_UUID, unshown, NOTE("a generation that began here and was never shown to the far side")),
	COLUMN(META_BOOL, critical, NOTE("sync: a write that the far side cannot get fails")),
	COLUMN(META_UUID, heard, NOTE("the newest generation when the far side answered last")),
	COLUMN(META_BOOL, first_copy_compares, NOTE("the target may hold much of it: only what differs is sent")),
	COLUMN(META_BOOL, verified, NOTE("the last comparison of both sides came to its end")),
	FIELD(META_TIME, "verify_began", verify_began_wall_ns),
	FIELD(META_TIME, "verify_ended", verify_ended_wall_ns),
	COLUMN(META_UINT, verify_compared_bytes),
	COLUMN(META_UINT, verify_differing_blocks),
	COLUMN(META_UINT, verify_repaired_blocks, NOTE("of these, sent again")),
	COLUMN(META_UINT, verify_open_blocks, NOTE("of which nothing was found out")),
	COLUMN(META_TEXT, verify_ranges, NOTE("OFFSET+BYTES of those that differed, the first")),
	WORD(priority, COPY_PRIORITY_COUNT, copy_priority_names, NOTE("of what is copied, beside hosts")),
	COLUMN(META_UINT, moment, NOTE("suspended with its session: the same of all its pairs")),
	FIELD(META_TIME, "created", created_wall_ns),
};
#undef RECORD

#define RECORD record_history
static const struct meta_column history_columns[] = {
	COLUMN(META_HEX, volume, KEY),
	COLUMN(META_TEXT, system, KEY, NOTE("of the pair")),
	COLUMN(META_HEX, remote_volume, KEY),
	COLUMN(META_UINT, ordinal, KEY, NOTE("the highest is the newest")),
	COLUMN(META_UUID, generation),
	COLUMN(META_UINT, sequence, NOTE("the consistency group that it began from; 0: none")),
	FIELD(META_TIME, "began", began_wall_ns),
};
#undef RECORD

#define FAILURE(which) \
	FIELD(META_WORD, #which "_reason", which.reason, .words = cg_failure_names, .word_count = CG_FAILURE_COUNT), \
	FIELD(META_WORD, #which "_phase", which.phase, .words = session_phase_names, .word_count = PHASE_COUNT), \
	FIELD(META_TEXT, #which "_system", which.system), \
	FIELD(META_HEX, #which "_lss", which.lss), \
	FIELD(META_UINT, #which "_sequence", which.sequence), \
	FIELD(META_TIME, #which "_at", which.at_wall_ns)

#define RECORD record_session
static const struct meta_column session_columns[] = {
	COLUMN(META_UINT, number, KEY),
	COLUMN(META_HEX, type, NOTE("40: XDC")),
	WORD(role, SESSION_ROLE_COUNT, session_role_names, NOTE("of this system")),
	WORD(state, SESSION_STATE_COUNT, session_state_names),
	FIELD(META_TIME, "state_since", state_since_wall_ns),
	COLUMN(META_BOOL, hosts_stopped, NOTE("its source volumes here are closed: it is being swapped")),
	COLUMN(META_BOOL, hosts_awaited, NOTE("and are opened with the first group that has them all")),
	COLUMN(META_TEXT, swap_system, NOTE("the next master, while it is being swapped")),
	COLUMN(META_TEXT, master_system, NOTE("empty: never started")),
	COLUMN(META_HEX, master_lss),
	COLUMN(META_UINT, interval_ns),
	COLUMN(META_UINT, coordination_ns),
	COLUMN(META_UINT, drain_ns),
	COLUMN(META_UINT, keep_ns, NOTE("how long groups can be gone back to; 0: no limit of time")),
	COLUMN(META_UINT, keep_bytes, NOTE("of each journal; 0: no limit of size, both 0: none are kept")),
	COLUMN(META_BOOL, keep_told, NOTE("far sides may keep some")),
	COLUMN(META_UINT, incarnation, NOTE("of the master")),
	COLUMN(META_UINT, recovery_epoch),
	COLUMN(META_BYTES, key, NOTE("secret that the far sides of the session share")),
	COLUMN(META_UINT, reserved_attempt, NOTE("numbers up to this may have been used")),
	COLUMN(META_UINT, sequence, NOTE("the last consistency group; 0: none")),
	FIELD(META_TIME, "session_time", session_wall_ns, NOTE("the moment that it shows")),
	COLUMN(META_UINT, member_version),
	COLUMN(META_UINT, cg_good),
	COLUMN(META_UINT, cg_failed),
	COLUMN(META_UINT, cg_failed_since_good),
	FAILURE(first_failure),
	FAILURE(previous_failure),
	FAILURE(last_failure),
	FIELD(META_TIME, "created", created_wall_ns),
};
#undef RECORD

#define RECORD record_session_lss
static const struct meta_column session_lss_columns[] = {
	COLUMN(META_UINT, session, KEY),
	COLUMN(META_HEX, lss, KEY),
};
#undef RECORD

#define RECORD record_session_volume
static const struct meta_column session_volume_columns[] = {
	COLUMN(META_UINT, session, KEY),
	COLUMN(META_HEX, volume, KEY),
	COLUMN(META_BOOL, joined, NOTE("0: join pending")),
	COLUMN(META_UINT, joined_sequence),
};
#undef RECORD

#define RECORD record_session_subordinate
static const struct meta_column session_subordinate_columns[] = {
	COLUMN(META_UINT, session, KEY),
	COLUMN(META_TEXT, system, KEY),
	COLUMN(META_HEX, lss),
};
#undef RECORD

#define RECORD record_leg
static const struct meta_column leg_columns[] = {
	COLUMN(META_UINT, session, KEY),
	COLUMN(META_TEXT, source_system, KEY),
	WORD(state, SESSION_STATE_COUNT, session_state_names),
	COLUMN(META_TEXT, master_system),
	COLUMN(META_HEX, master_lss),
	COLUMN(META_UINT, incarnation, NOTE("the highest of a master that was obeyed")),
	COLUMN(META_UINT, recovery_epoch),
	COLUMN(META_UINT, first_sequence, NOTE("the first consistency group that it takes part in; 0: none yet")),
	COLUMN(META_UINT, member_version),
	COLUMN(META_UINT, recovered_sequence, NOTE("0: not recovered")),
	COLUMN(META_UINT, forced_sequence, NOTE("decided by force, without all members; 0: not")),
	COLUMN(META_UINT, keep_ns, NOTE("how long groups can be gone back to; 0: no limit of time")),
	COLUMN(META_UINT, keep_bytes, NOTE("of the journal; 0: no limit of size, both 0: none are kept")),
	COLUMN(META_UINT, shown_sequence, NOTE("its volumes show this one to hosts; 0: they do not")),
	FIELD(META_TIME, "shown_since", shown_wall_ns),
	COLUMN(META_BYTES, key, NOTE("of the session: far sides show it to one another at recovery")),
};
#undef RECORD

#define RECORD record_member
static const struct meta_column member_columns[] = {
	COLUMN(META_UINT, session, KEY),
	COLUMN(META_UINT, version, KEY),
	COLUMN(META_TEXT, source_system, KEY),
	COLUMN(META_TEXT, far_system, KEY),
	COLUMN(META_TEXT, far_address, NOTE("of its link")),
	COLUMN(META_BOOL, is_master, NOTE("the source system")),
};
#undef RECORD

#define RECORD record_dirty_log
static const struct meta_column dirty_log_columns[] = {
	COLUMN(META_UINT, number, KEY, NOTE("it is dirty-NUMBER.log")),
};
#undef RECORD

#define RECORD record_management
static const struct meta_column management_columns[] = {
	COLUMN(META_UINT, number, KEY),
	COLUMN(META_UINT, jobs_begun, NOTE("the number of the last job")),
	COLUMN(META_UINT, jobs_keep_ns, NOTE("how long a job is kept after its end; 0: the default")),
	COLUMN(META_UINT, events_reserved, NOTE("numbers up to this may have been used")),
	COLUMN(META_UINT, limit_rpo_ns, NOTE("above these something is an event; 0: the default")),
	COLUMN(META_UINT, limit_cg_failures),
	COLUMN(META_UINT, limit_journal_percent),
	COLUMN(META_UINT, limit_pool_percent),
	WORD(service_state, SERVICE_STATE_COUNT, service_state_names, NOTE("whether commands are carried out")),
	WORD(service_requested, SERVICE_REQUEST_COUNT, service_request_names),
	FIELD(META_TIME, "service_since", service_since_wall_ns),
	COLUMN(META_TEXT, owner_name, NOTE("whom to ask about the service")),
	COLUMN(META_TEXT, owner_contact),
	COLUMN(META_UINT, enabled_default, NOTE("the state it should start in, as CIM has it; 0: enabled")),
};
#undef RECORD

#define RECORD record_job
static const struct meta_column job_columns[] = {
	COLUMN(META_UINT, number, KEY),
	WORD(kind, JOB_KIND_COUNT, job_kind_names),
	COLUMN(META_TEXT, object),
	WORD(state, JOB_STATE_COUNT, job_state_names),
	FIELD(META_TIME, "began", began_wall_ns),
	FIELD(META_TIME, "ended", ended_wall_ns),
	COLUMN(META_UINT, done_bytes, NOTE("when it ended")),
	COLUMN(META_UINT, total_bytes, NOTE("0: not known")),
	COLUMN(META_UINT, code, NOTE("of the fault that ended it")),
	COLUMN(META_TEXT, message),
	COLUMN(META_TEXT, remedy),
};
#undef RECORD

#define RECORD record_event
static const struct meta_column event_columns[] = {
	COLUMN(META_UINT, number, KEY),
	FIELD(META_TIME, "at", at_wall_ns),
	WORD(level, EVENT_LEVEL_COUNT, event_level_names),
	WORD(kind, EVENT_KIND_COUNT, event_kind_names),
	COLUMN(META_TEXT, object),
	COLUMN(META_TEXT, text),
	COLUMN(META_TEXT, remedy),
};
#undef RECORD

#define RECORD record_set
static const struct meta_column set_columns[] = {
	COLUMN(META_TEXT, name, KEY),
	WORD(kind, SET_KIND_COUNT, set_kind_names),
	WORD(of, SET_MEMBER_KIND_COUNT, set_member_kind_names),
	COLUMN(META_BOOL, has_type, NOTE("only pairs of the type are in it")),
	WORD(type, PAIR_TYPE_COUNT, pair_type_names),
	FIELD(META_TIME, "created", created_wall_ns),
};
#undef RECORD

#define RECORD record_set_member
static const struct meta_column set_member_columns[] = {
	FIELD(META_TEXT, "set_name", set, KEY),
	COLUMN(META_HEX, volume, KEY, NOTE("itself, its pair, or its FlashCopy")),
};
#undef RECORD

#define RECORD record_flash
static const struct meta_column flash_columns[] = {
	COLUMN(META_HEX, target, KEY),
	COLUMN(META_HEX, source),
	COLUMN(META_UUID, map, NOTE("it is flash/MAP.map in the state folder")),
	WORD(state, FLASH_STATE_COUNT, flash_state_names),
	WORD(reason, FLASH_REASON_COUNT, flash_reason_names, NOTE("why it has failed")),
	COLUMN(META_BOOL, no_copy, NOTE("blocks are kept only when the source is written")),
	COLUMN(META_BOOL, persistent, NOTE("stays when all is copied")),
	COLUMN(META_BOOL, inhibit, NOTE("hosts only read the target")),
	COLUMN(META_BOOL, record, NOTE("which tracks are written, for a resync")),
	COLUMN(META_UUID, changed, NOTE("the map of these, flash/CHANGED.map")),
	COLUMN(META_BOOL, restore, NOTE("moves back what the source had kept; then that is empty")),
	COLUMN(META_UINT, sequence, NOTE("revertible: of this generation")),
	COLUMN(META_UUID, old_map, NOTE("revertible: the map before; empty: there was no relation")),
	COLUMN(META_UUID, old_changed),
	FIELD(META_TIME, "old_created", old_created_wall_ns),
	FIELD(META_TIME, "created", created_wall_ns, NOTE("the moment that it shows")),
	COLUMN(META_UINT, practice, NOTE("of the practice copy of this session; 0: of none")),
	FIELD(META_TIME, "since", since_wall_ns, NOTE("in this state")),
	WORD(priority, COPY_PRIORITY_COUNT, copy_priority_names, NOTE("of its background copy, beside hosts")),
};
#undef RECORD

#define RECORD record_practice
static const struct meta_column practice_columns[] = {
	COLUMN(META_UINT, session, KEY),
	COLUMN(META_UINT, sequence, NOTE("the group that it shows")),
	FIELD(META_TIME, "cg_at", cg_wall_ns, NOTE("the moment of that")),
	FIELD(META_TIME, "created", created_wall_ns),
	COLUMN(META_UINT, attempt, NOTE("of the command that made it, on all far sides")),
	COLUMN(META_BOOL, pending, NOTE("not all far sides have it yet")),
};
#undef RECORD

#define RECORD record_standby
static const struct meta_column standby_columns[] = {
	COLUMN(META_HEX, volume, KEY),
	COLUMN(META_TEXT, near_system, NOTE("has a copy of it, and sends that on")),
	COLUMN(META_TEXT, system, NOTE("of the remote volume")),
	COLUMN(META_HEX, remote_volume),
	COLUMN(META_BOOL, known, NOTE("that lacks at most what is noted here")),
	COLUMN(META_UUID, generation, NOTE("the newest there, as the near system said")),
	COLUMN(META_UUID, taking, NOTE("it is being taken over, with this generation on top; empty: it is not")),
	COLUMN(META_UINT, sequence, NOTE("a consistency group that it had")),
	FIELD(META_TIME, "created", created_wall_ns),
};
#undef RECORD

#define RECORD record_filter
static const struct meta_column filter_columns[] = {
	COLUMN(META_TEXT, name, KEY),
	COLUMN(META_TEXT, query),
	COLUMN(META_TEXT, language),
	COLUMN(META_TEXT, namespaces, NOTE("whose things are meant")),
	COLUMN(META_TEXT, label, NOTE("for people")),
	FIELD(META_TIME, "created", created_wall_ns),
};
#undef RECORD

#define RECORD record_listener
static const struct meta_column listener_columns[] = {
	COLUMN(META_TEXT, name, KEY),
	COLUMN(META_TEXT, url),
	COLUMN(META_BOOL, transient, NOTE("not meant to outlive a restart of the manager")),
	COLUMN(META_TEXT, label, NOTE("for people")),
	FIELD(META_TIME, "created", created_wall_ns),
};
#undef RECORD

#define RECORD record_subscription
static const struct meta_column subscription_columns[] = {
	COLUMN(META_TEXT, filter, KEY),
	COLUMN(META_TEXT, listener, KEY),
	COLUMN(META_BOOL, disabled),
	COLUMN(META_TEXT, info, NOTE("what the manager wants to remember")),
	FIELD(META_TIME, "since", since_wall_ns, NOTE("disabled, or not")),
	FIELD(META_TIME, "created", created_wall_ns),
};
#undef RECORD

#define TABLE(table, text) { \
	.name = #table, .comment = (text), .record_size = sizeof(struct record_##table), .columns = table##_columns, \
	.column_count = sizeof(table##_columns) / sizeof(table##_columns[0]) \
}
#define CHECK_TABLE(table) \
	_Static_assert(sizeof(struct record_##table) <= META_RECORD_MAX && \
		       sizeof(table##_columns) / sizeof(table##_columns[0]) <= META_COLUMNS_MAX, "room for " #table)

CHECK_TABLE(system);
CHECK_TABLE(pool);
CHECK_TABLE(volume);
CHECK_TABLE(standby);
CHECK_TABLE(path);
CHECK_TABLE(pair);
CHECK_TABLE(session);
CHECK_TABLE(leg);
CHECK_TABLE(member);
CHECK_TABLE(job);
CHECK_TABLE(flash);
CHECK_TABLE(filter);
CHECK_TABLE(subscription);

const struct meta_table meta_tables[META_KIND_COUNT] = {
	[META_SYSTEM] = TABLE(system, "this system"),
	[META_POOL] = TABLE(pool, "where volumes take their space"),
	[META_EXTENT] = TABLE(extent, "devices that belong to a pool"),
	[META_LSS] = TABLE(lss, "logical subsystems"),
	[META_VOLUME] = TABLE(volume, "volumes of this system"),
	[META_RETIRED] = TABLE(retired, "deleted volumes whose files are still to be removed"),
	[META_PATH] = TABLE(path, "from a source LSS to a target LSS of another system"),
	[META_PAIR] = TABLE(pair, "remote copies, as this system sees them"),
	[META_HISTORY] = TABLE(history, "generations of the data of paired volumes"),
	[META_SESSION] = TABLE(session, "sessions that form consistency groups"),
	[META_SESSION_LSS] = TABLE(session_lss, "where a session is open"),
	[META_SESSION_VOLUME] = TABLE(session_volume, "volumes in sessions"),
	[META_SESSION_SUBORDINATE] = TABLE(session_subordinate, "other systems that the master coordinates"),
	[META_LEG] = TABLE(leg, "far side: the state of each source system of a session"),
	[META_MEMBER] = TABLE(member, "who takes part in a session, by version of the list"),
	[META_DIRTY_LOG] = TABLE(dirty_log, "dirty logs that must be in the state folder"),
	[META_SET] = { "copy_set", "volumes or pairs that are named together", sizeof(struct record_set), set_columns,
		       sizeof(set_columns) / sizeof(set_columns[0]) },
	[META_SET_MEMBER] = TABLE(set_member, "what is in them"),
	[META_MANAGEMENT] = TABLE(management, "what the management of this system goes on from"),
	[META_JOB] = TABLE(job, "long work under way, and for a while what has ended"),
	[META_FLASH] = TABLE(flash, "FlashCopies: a volume as it was at one moment"),
	[META_EVENT] = TABLE(event, "what administrators should know of; the last ones"),
	[META_PRACTICE] = TABLE(practice, "copies of groups to practise with, at a far side"),
	[META_STANDBY] = TABLE(standby, "far sides that another system serves, and this one if that is lost"),
	[META_FILTER] = TABLE(filter, "what managers want to be told of"),
	[META_LISTENER] = TABLE(listener, "where managers listen"),
	[META_SUBSCRIPTION] = TABLE(subscription, "which filter is told to which listener"),
};
