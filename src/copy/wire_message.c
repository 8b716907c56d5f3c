/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of all messages: the order of the fields here is their order on the wire. */
#include "copy/wire_message.h"

#include "copy/wire_layout.h"

#define SIZE_OF(type, member)	sizeof(((type *)0)->member)

/* What all kinds have. */
#define FIELD(type, member, of_kind) \
	.name = #member, .kind = (of_kind), .size = SIZE_OF(type, member), .offset = offsetof(type, member)

#define UINT(type, member)	{ FIELD(type, member, WIRE_FIELD_UINT) }
#define BOOL(type, member)	{ FIELD(type, member, WIRE_FIELD_BOOL) }
#define BYTES(type, member)	{ FIELD(type, member, WIRE_FIELD_BYTES) }
#define TEXT(type, member)	{ FIELD(type, member, WIRE_FIELD_TEXT) }
#define STRUCT(type, member, layout) \
	{ FIELD(type, member, WIRE_FIELD_STRUCT), .items = &(layout) }
#define LIST(type, count, member, layout, max) \
	{ .name = #member, .kind = WIRE_FIELD_LIST, .size = (max), .offset = offsetof(type, member), \
	  .count_offset = offsetof(type, count), .items = &(layout) }
#define ARRAY(type, count, member, layout) \
	{ .name = #member, .kind = WIRE_FIELD_ARRAY, .size = SIZE_OF(type, member) / SIZE_OF(type, member[0]), \
	  .offset = offsetof(type, member), .count_offset = offsetof(type, count), .items = &(layout) }

#define LAYOUT(of, type, ...) \
	static const struct wire_field of##_fields[] = { __VA_ARGS__ }; \
	static const struct wire_layout of = { \
		.name = #of, .size = sizeof(type), .fields = of##_fields, \
		.field_count = sizeof(of##_fields) / sizeof(of##_fields[0]), \
	}

/* ---- parts ---- */

static const struct wire_layout empty = { .name = "empty", .size = sizeof(struct wire_empty) };

static const struct wire_field volume_id_fields[] = {
	{ .name = "id", .kind = WIRE_FIELD_UINT, .size = sizeof(uint16_t) },
};
static const struct wire_layout volume_id = {
	.name = "volume_id", .size = sizeof(uint16_t), .fields = volume_id_fields, .field_count = 1,
};

LAYOUT(volumes, struct wire_volumes,
	LIST(struct wire_volumes, count, ids, volume_id, WIRE_VOLUMES_MAX));

LAYOUT(member, struct wire_member,
	TEXT(struct wire_member, source),
	TEXT(struct wire_member, far),
	TEXT(struct wire_member, far_address),
	UINT(struct wire_member, first));

LAYOUT(members, struct wire_members,
	LIST(struct wire_members, count, items, member, WIRE_MEMBERS_MAX));

LAYOUT(session_head, struct wire_session_head,
	UINT(struct wire_session_head, session),
	TEXT(struct wire_session_head, master),
	UINT(struct wire_session_head, incarnation),
	UINT(struct wire_session_head, attempt),
	UINT(struct wire_session_head, exists),
	UINT(struct wire_session_head, member_version));

LAYOUT(history_entry, struct history_entry,
	BYTES(struct history_entry, generation),
	UINT(struct history_entry, sequence),
	UINT(struct history_entry, began_wall_ns));

LAYOUT(history, struct history,
	ARRAY(struct history, count, entries, history_entry));

LAYOUT(range, struct wire_range,
	UINT(struct wire_range, offset),
	UINT(struct wire_range, bytes));

/* ---- systems and paths ---- */

LAYOUT(system_reply, struct wire_system_reply,
	BYTES(struct wire_system_reply, boot_id),
	TEXT(struct wire_system_reply, version),
	TEXT(struct wire_system_reply, link_address));

/* ---- pairs ---- */

LAYOUT(pair_establish, struct wire_pair_establish,
	UINT(struct wire_pair_establish, source_volume),
	UINT(struct wire_pair_establish, target_volume),
	UINT(struct wire_pair_establish, size_bytes),
	UINT(struct wire_pair_establish, type),
	UINT(struct wire_pair_establish, flags),
	STRUCT(struct wire_pair_establish, history, history));

LAYOUT(pair_reply, struct wire_pair_reply,
	BYTES(struct wire_pair_reply, boot_id),
	UINT(struct wire_pair_reply, state),
	UINT(struct wire_pair_reply, size_bytes),
	UINT(struct wire_pair_reply, noted_bytes),
	STRUCT(struct wire_pair_reply, history, history));

LAYOUT(pair_request, struct wire_pair_request,
	UINT(struct wire_pair_request, source_volume),
	UINT(struct wire_pair_request, target_volume));

LAYOUT(pair_grow, struct wire_pair_grow,
	UINT(struct wire_pair_grow, source_volume),
	UINT(struct wire_pair_grow, target_volume),
	UINT(struct wire_pair_grow, size_bytes));

LAYOUT(pair_changes_request, struct wire_pair_changes_request,
	UINT(struct wire_pair_changes_request, source_volume),
	UINT(struct wire_pair_changes_request, target_volume),
	UINT(struct wire_pair_changes_request, from_offset));

LAYOUT(pair_changes_reply, struct wire_pair_changes_reply,
	UINT(struct wire_pair_changes_reply, next_offset),
	LIST(struct wire_pair_changes_reply, count, ranges, range, WIRE_RANGES_MAX));

LAYOUT(volumes_sync, struct wire_volumes_sync,
	STRUCT(struct wire_volumes_sync, targets, volumes));

LAYOUT(volumes_sync_reply, struct wire_volumes_sync_reply,
	BYTES(struct wire_volumes_sync_reply, boot_id),
	STRUCT(struct wire_volumes_sync_reply, failed, volumes));

/* ---- standbys ---- */

LAYOUT(standby_look, struct wire_standby_look,
	UINT(struct wire_standby_look, source_volume),
	UINT(struct wire_standby_look, target_volume),
	TEXT(struct wire_standby_look, system),
	UINT(struct wire_standby_look, remote_volume));

LAYOUT(standby_state, struct wire_standby_state,
	BYTES(struct wire_standby_state, boot_id),
	BYTES(struct wire_standby_state, generation),
	UINT(struct wire_standby_state, mark),
	UINT(struct wire_standby_state, covered),
	UINT(struct wire_standby_state, exists));

LAYOUT(standby_take, struct wire_standby_take,
	UINT(struct wire_standby_take, source_volume),
	UINT(struct wire_standby_take, target_volume),
	TEXT(struct wire_standby_take, near_system),
	UINT(struct wire_standby_take, size_bytes),
	BOOL(struct wire_standby_take, discard),
	UINT(struct wire_standby_take, sequence),
	BYTES(struct wire_standby_take, generation),
	STRUCT(struct wire_standby_take, history, history));

LAYOUT(standby_taken, struct wire_standby_taken,
	BOOL(struct wire_standby_taken, known));

/* ---- legs ---- */

LAYOUT(leg_open, struct wire_leg_open,
	STRUCT(struct wire_leg_open, head, session_head),
	BYTES(struct wire_leg_open, source_boot_id),
	BYTES(struct wire_leg_open, key),
	STRUCT(struct wire_leg_open, members, members));

LAYOUT(leg_request, struct wire_leg_request,
	STRUCT(struct wire_leg_request, head, session_head));

LAYOUT(leg_state, struct wire_leg_state,
	BYTES(struct wire_leg_state, boot_id),
	UINT(struct wire_leg_state, committed),
	UINT(struct wire_leg_state, prepared),
	UINT(struct wire_leg_state, highest_tag),
	UINT(struct wire_leg_state, incarnation),
	UINT(struct wire_leg_state, recovery_epoch),
	UINT(struct wire_leg_state, applied),
	UINT(struct wire_leg_state, journal_used_bytes),
	UINT(struct wire_leg_state, journal_free_bytes));

LAYOUT(channel_mark, struct wire_channel_mark,
	UINT(struct wire_channel_mark, reactor),
	UINT(struct wire_channel_mark, generation),
	UINT(struct wire_channel_mark, frames),
	UINT(struct wire_channel_mark, digest));

LAYOUT(leg_prepare, struct wire_leg_prepare,
	STRUCT(struct wire_leg_prepare, head, session_head),
	TEXT(struct wire_leg_prepare, source),
	BYTES(struct wire_leg_prepare, far_boot_id),
	UINT(struct wire_leg_prepare, session_time_us),
	UINT(struct wire_leg_prepare, wall_us),
	STRUCT(struct wire_leg_prepare, members, members),
	STRUCT(struct wire_leg_prepare, volumes, volumes),
	LIST(struct wire_leg_prepare, mark_count, marks, channel_mark, WIRE_CHANNELS_MAX));

/* ---- sessions ---- */

LAYOUT(leg_report, struct wire_leg_report,
	TEXT(struct wire_leg_report, far),
	TEXT(struct wire_leg_report, far_address),
	BOOL(struct wire_leg_report, connected),
	UINT(struct wire_leg_report, volumes),
	UINT(struct wire_leg_report, joining),
	STRUCT(struct wire_leg_report, state, leg_state));

LAYOUT(session_join, struct wire_session_join,
	STRUCT(struct wire_session_join, head, session_head),
	BYTES(struct wire_session_join, key),
	STRUCT(struct wire_session_join, members, members));

LAYOUT(session_report, struct wire_session_report,
	BYTES(struct wire_session_report, boot_id),
	UINT(struct wire_session_report, state),
	UINT(struct wire_session_report, open_number),
	UINT(struct wire_session_report, closing_number),
	UINT(struct wire_session_report, out_of_sync_blocks),
	UINT(struct wire_session_report, unsent_blocks),
	UINT(struct wire_session_report, collisions_sidefile),
	UINT(struct wire_session_report, collisions_waited),
	UINT(struct wire_session_report, held_writes),
	UINT(struct wire_session_report, held_reads),
	UINT(struct wire_session_report, hold_max_us),
	LIST(struct wire_session_report, leg_count, legs, leg_report, WIRE_LEGS_MAX));

LAYOUT(session_close, struct wire_session_close,
	STRUCT(struct wire_session_close, head, session_head),
	UINT(struct wire_session_close, coordination_ms),
	BOOL(struct wire_session_close, join));

LAYOUT(session_drain, struct wire_session_drain,
	STRUCT(struct wire_session_drain, head, session_head),
	UINT(struct wire_session_drain, limit_ms));

LAYOUT(session_prepare, struct wire_session_prepare,
	STRUCT(struct wire_session_prepare, head, session_head),
	UINT(struct wire_session_prepare, session_time_us),
	UINT(struct wire_session_prepare, limit_ms),
	STRUCT(struct wire_session_prepare, members, members));

LAYOUT(session_request, struct wire_session_request,
	STRUCT(struct wire_session_request, head, session_head));

LAYOUT(session_answer, struct wire_session_answer,
	BYTES(struct wire_session_answer, boot_id),
	UINT(struct wire_session_answer, reason),
	BOOL(struct wire_session_answer, empty),
	UINT(struct wire_session_answer, legs),
	UINT(struct wire_session_answer, hold_us));

LAYOUT(session_swap, struct wire_session_swap,
	STRUCT(struct wire_session_swap, head, session_head),
	UINT(struct wire_session_swap, step),
	BYTES(struct wire_session_swap, key),
	UINT(struct wire_session_swap, master_lss),
	UINT(struct wire_session_swap, interval_ns),
	UINT(struct wire_session_swap, coordination_ns),
	UINT(struct wire_session_swap, drain_ns),
	UINT(struct wire_session_swap, keep_ns),
	UINT(struct wire_session_swap, keep_bytes),
	UINT(struct wire_session_swap, reserved),
	STRUCT(struct wire_session_swap, members, members));

LAYOUT(pair_swap, struct wire_pair_swap,
	STRUCT(struct wire_pair_swap, head, session_head),
	BYTES(struct wire_pair_swap, key),
	UINT(struct wire_pair_swap, source_volume),
	UINT(struct wire_pair_swap, target_volume),
	BOOL(struct wire_pair_swap, check));

/* ---- groups ---- */

LAYOUT(group_order, struct wire_group_order,
	STRUCT(struct wire_group_order, head, session_head),
	UINT(struct wire_group_order, step),
	UINT(struct wire_group_order, type),
	BOOL(struct wire_group_order, broken),
	UINT(struct wire_group_order, limit_ms),
	UINT(struct wire_group_order, hold_ms));

LAYOUT(group_answer, struct wire_group_answer,
	BYTES(struct wire_group_answer, boot_id),
	UINT(struct wire_group_answer, volumes),
	UINT(struct wire_group_answer, pairs),
	UINT(struct wire_group_answer, frozen),
	UINT(struct wire_group_answer, duplex),
	UINT(struct wire_group_answer, moment),
	BOOL(struct wire_group_answer, held));

/* ---- recovery ---- */

LAYOUT(recover_request, struct wire_recover_request,
	UINT(struct wire_recover_request, session),
	TEXT(struct wire_recover_request, master),
	BYTES(struct wire_recover_request, key),
	UINT(struct wire_recover_request, epoch),
	TEXT(struct wire_recover_request, initiator));

LAYOUT(recover_leg, struct wire_recover_leg,
	TEXT(struct wire_recover_leg, source),
	TEXT(struct wire_recover_leg, master),
	UINT(struct wire_recover_leg, incarnation),
	UINT(struct wire_recover_leg, committed),
	UINT(struct wire_recover_leg, prepared),
	UINT(struct wire_recover_leg, committed_us),
	UINT(struct wire_recover_leg, prepared_us),
	UINT(struct wire_recover_leg, highest_tag),
	UINT(struct wire_recover_leg, epoch),
	TEXT(struct wire_recover_leg, initiator),
	UINT(struct wire_recover_leg, decided),
	BOOL(struct wire_recover_leg, forced),
	UINT(struct wire_recover_leg, member_version),
	STRUCT(struct wire_recover_leg, members, members),
	UINT(struct wire_recover_leg, volumes),
	STRUCT(struct wire_recover_leg, missing, volumes));

LAYOUT(recover_legs, struct wire_recover_legs,
	BYTES(struct wire_recover_legs, boot_id),
	LIST(struct wire_recover_legs, count, items, recover_leg, WIRE_LEGS_MAX));

LAYOUT(recover_decide_request, struct wire_recover_decide,
	UINT(struct wire_recover_decide, session),
	TEXT(struct wire_recover_decide, master),
	BYTES(struct wire_recover_decide, key),
	UINT(struct wire_recover_decide, epoch),
	TEXT(struct wire_recover_decide, initiator),
	UINT(struct wire_recover_decide, number),
	BOOL(struct wire_recover_decide, forced));

LAYOUT(recover_done, struct wire_recover_done,
	BYTES(struct wire_recover_done, boot_id),
	UINT(struct wire_recover_done, committed),
	UINT(struct wire_recover_done, volumes),
	UINT(struct wire_recover_done, inconsistent),
	STRUCT(struct wire_recover_done, missing, volumes),
	STRUCT(struct wire_recover_done, outside, volumes),
	UINT(struct wire_recover_done, heard_us));

/* ---- points ---- */

LAYOUT(keep, struct wire_keep,
	STRUCT(struct wire_keep, head, session_head),
	UINT(struct wire_keep, keep_us),
	UINT(struct wire_keep, keep_bytes));

LAYOUT(points_request, struct wire_points_request,
	UINT(struct wire_points_request, session),
	BYTES(struct wire_points_request, key),
	UINT(struct wire_points_request, below));

LAYOUT(point, struct wire_point,
	UINT(struct wire_point, number),
	UINT(struct wire_point, time_us),
	UINT(struct wire_point, bytes));

LAYOUT(leg_points, struct wire_leg_points,
	TEXT(struct wire_leg_points, source),
	BOOL(struct wire_leg_points, more),
	STRUCT(struct wire_leg_points, oldest, point),
	LIST(struct wire_leg_points, count, items, point, WIRE_POINTS_MAX));

LAYOUT(points, struct wire_points,
	BYTES(struct wire_points, boot_id),
	LIST(struct wire_points, count, legs, leg_points, WIRE_LEGS_MAX));

LAYOUT(point_request, struct wire_point_request,
	UINT(struct wire_point_request, session),
	BYTES(struct wire_point_request, key),
	UINT(struct wire_point_request, number));

LAYOUT(point_leg, struct wire_point_leg,
	TEXT(struct wire_point_leg, source),
	UINT(struct wire_point_leg, time_us),
	STRUCT(struct wire_point_leg, members, members),
	UINT(struct wire_point_leg, volumes),
	STRUCT(struct wire_point_leg, missing, volumes));

LAYOUT(point_legs, struct wire_point_legs,
	BYTES(struct wire_point_legs, boot_id),
	LIST(struct wire_point_legs, count, items, point_leg, WIRE_LEGS_MAX));

/* ---- practice copies ---- */

LAYOUT(practice, struct wire_practice,
	UINT(struct wire_practice, session),
	BYTES(struct wire_practice, key),
	UINT(struct wire_practice, attempt),
	UINT(struct wire_practice, step),
	UINT(struct wire_practice, at),
	UINT(struct wire_practice, number),
	TEXT(struct wire_practice, pool));

LAYOUT(practice_leg, struct wire_practice_leg,
	TEXT(struct wire_practice_leg, source),
	UINT(struct wire_practice_leg, committed),
	UINT(struct wire_practice_leg, prepared),
	UINT(struct wire_practice_leg, member_version),
	STRUCT(struct wire_practice_leg, members, members));

LAYOUT(practice_reply, struct wire_practice_reply,
	BYTES(struct wire_practice_reply, boot_id),
	BOOL(struct wire_practice_reply, more),
	UINT(struct wire_practice_reply, volumes),
	LIST(struct wire_practice_reply, count, legs, practice_leg, WIRE_LEGS_MAX));

/* ---- comparing ---- */

LAYOUT(verify, struct wire_verify,
	UINT(struct wire_verify, session),
	UINT(struct wire_verify, id),
	UINT(struct wire_verify, step),
	BOOL(struct wire_verify, repair),
	UINT(struct wire_verify, rate_bytes));

LAYOUT(verify_report, struct wire_verify_report,
	BYTES(struct wire_verify_report, boot_id),
	BOOL(struct wire_verify_report, done),
	BOOL(struct wire_verify_report, waits),
	UINT(struct wire_verify_report, volumes),
	UINT(struct wire_verify_report, done_bytes),
	UINT(struct wire_verify_report, total_bytes),
	UINT(struct wire_verify_report, differing_blocks),
	UINT(struct wire_verify_report, repaired_blocks),
	UINT(struct wire_verify_report, code),
	TEXT(struct wire_verify_report, object),
	TEXT(struct wire_verify_report, message),
	TEXT(struct wire_verify_report, remedy));

/* ---- events ---- */

LAYOUT(event_session, struct wire_event_session,
	UINT(struct wire_event_session, session),
	TEXT(struct wire_event_session, master),
	BYTES(struct wire_event_session, boot_id),
	UINT(struct wire_event_session, open_number));

/* ---- all of them ---- */

static const struct wire_type types[] = {
	{ WIRE_SYSTEM_SHOW, "system_show", &empty, &system_reply },
	{ WIRE_PAIR_ESTABLISH, "pair_establish", &pair_establish, &pair_reply },
	{ WIRE_PAIR_REMOVE, "pair_remove", &pair_request, &empty },
	{ WIRE_PAIR_STATUS, "pair_status", &pair_request, &pair_reply },
	{ WIRE_PAIR_GROW, "pair_grow", &pair_grow, &pair_reply },
	{ WIRE_PAIR_CHANGES, "pair_changes", &pair_changes_request, &pair_changes_reply },
	{ WIRE_VOLUMES_SYNC, "volumes_sync", &volumes_sync, &volumes_sync_reply },
	{ WIRE_STANDBY_LOOK, "standby_look", &standby_look, &standby_state },
	{ WIRE_STANDBY_TAKE, "standby_take", &standby_take, &standby_taken },
	{ WIRE_LEG_OPEN, "leg_open", &leg_open, &leg_state },
	{ WIRE_LEG_STATUS, "leg_status", &leg_request, &leg_state },
	{ WIRE_LEG_PREPARE, "leg_prepare", &leg_prepare, &leg_state },
	{ WIRE_LEG_COMMIT, "leg_commit", &leg_request, &leg_state },
	{ WIRE_LEG_ABORT, "leg_abort", &leg_request, &leg_state },
	{ WIRE_SESSION_JOIN, "session_join", &session_join, &session_report },
	{ WIRE_SESSION_STATUS, "session_status", &session_request, &session_report },
	{ WIRE_SESSION_CLOSE, "session_close", &session_close, &session_answer },
	{ WIRE_SESSION_RELEASE, "session_release", &session_request, &session_answer },
	{ WIRE_SESSION_DRAIN, "session_drain", &session_drain, &session_answer },
	{ WIRE_SESSION_PREPARE, "session_prepare", &session_prepare, &session_answer },
	{ WIRE_SESSION_COMMIT, "session_commit", &session_request, &session_answer },
	{ WIRE_SESSION_ABORT, "session_abort", &session_request, &session_answer },
	{ WIRE_SESSION_EXISTS, "session_exists", &session_request, &session_answer },
	{ WIRE_SESSION_LEAVE, "session_leave", &session_request, &session_answer },
	{ WIRE_SESSION_SUSPEND, "session_suspend", &session_request, &session_answer },
	{ WIRE_SESSION_RESUME, "session_resume", &session_request, &session_answer },
	{ WIRE_LEG_SHOW, "leg_show", &leg_request, &leg_state },
	{ WIRE_LEG_HIDE, "leg_hide", &leg_request, &leg_state },
	{ WIRE_SESSION_SWAP, "session_swap", &session_swap, &session_answer },
	{ WIRE_PAIR_SWAP, "pair_swap", &pair_swap, &pair_reply },
	{ WIRE_RECOVER_PROBE, "recover_probe", &recover_request, &recover_legs },
	{ WIRE_RECOVER_FENCE, "recover_fence", &recover_request, &recover_legs },
	{ WIRE_RECOVER_DECIDE, "recover_decide", &recover_decide_request, &recover_done },
	{ WIRE_SESSION_KEEP, "session_keep", &keep, &session_answer },
	{ WIRE_LEG_KEEP, "leg_keep", &keep, &leg_state },
	{ WIRE_RECOVER_POINTS, "recover_points", &points_request, &points },
	{ WIRE_RECOVER_POINT, "recover_point", &point_request, &point_legs },
	{ WIRE_PRACTICE, "practice", &practice, &practice_reply },
	{ WIRE_SESSION_VERIFY, "session_verify", &verify, &verify_report },
	{ WIRE_GROUP_ORDER, "group_order", &group_order, &group_answer },
	{ WIRE_EVENT_FIRST_WRITE, "event_first_write", &event_session, NULL },
	{ WIRE_EVENT_PAIRS_CHANGED, "event_pairs_changed", &empty, NULL },
};

const struct wire_type *wire_type_find(uint16_t number)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].number == number)
			return &types[i];
	}
	return NULL;
}

const struct wire_type *wire_types(size_t *count)
{
	*count = sizeof(types) / sizeof(types[0]);
	return types;
}
