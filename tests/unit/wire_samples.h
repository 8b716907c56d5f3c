/* SPDX-License-Identifier: Apache-2.0 */
/* wire_samples.h - one filled-in struct for every message of the link, for tests: each field has a value of its own. */
#ifndef XDC_TESTS_WIRE_SAMPLES_H
#define XDC_TESTS_WIRE_SAMPLES_H

#include "copy/wire_message.h"

#define BOOT	{ 0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf }
#define KEY	{ 0x11, 0x22, 0x33, [31] = 0x99 }
#define HEAD	{ .session = 201, .master = "2105.FA120:15", .incarnation = 0x1122, .attempt = 0x3344, \
		  .exists = 0x3343, .member_version = 5 }
#define STATE	{ .boot_id = BOOT, .committed = 1, .prepared = 2, .highest_tag = 3, .incarnation = 4, \
		  .recovery_epoch = 5, .applied = 6, .journal_used_bytes = 7, .journal_free_bytes = 8 }
#define HISTORY	{ .count = 2, .entries = { \
		  { .generation = { 1, 2, 3 }, .sequence = 77, .began_wall_ns = 0x0102030405060708 }, \
		  { .generation = { 4, 5, 6 }, .sequence = 0, .began_wall_ns = -1 } } }

static struct wire_member sample_members[] = {
	{ .source = "2105.FA120", .far = "2105.FB230", .far_address = "10.0.0.1:7000", .first = 9 },
	{ .source = "2105.FA121", .far = "2105.FB231", .far_address = "[fd00::1]:7000", .first = 0 },
};
#define MEMBERS	{ .count = 2, .items = sample_members }
static uint16_t sample_ids[] = { 0x2500, 0x2501, 0xfeff };
#define VOLUMES	{ .count = 3, .ids = sample_ids }

static const struct wire_empty sample_empty;
static const struct wire_system_reply sample_system_reply = {
	.boot_id = BOOT, .version = "0.1.0", .link_address = "host.example:7000",
};
static const struct wire_pair_establish sample_pair_establish = {
	.source_volume = 0x1500, .target_volume = 0x2500, .size_bytes = 1ULL << 40, .type = WIRE_PAIR_ASYNC,
	.flags = WIRE_PAIR_FAILBACK | WIRE_PAIR_RESUME, .history = HISTORY,
};
static const struct wire_pair_reply sample_pair_reply = {
	.boot_id = BOOT, .state = 3, .size_bytes = 4096, .noted_bytes = 8192, .history = HISTORY,
};
static const struct wire_pair_request sample_pair_request = { .source_volume = 0x1501, .target_volume = 0x2502 };
static const struct wire_pair_grow sample_pair_grow = {
	.source_volume = 0x1501, .target_volume = 0x2502, .size_bytes = 0x8000,
};
static const struct wire_pair_changes_request sample_changes_request = {
	.source_volume = 0x1501, .target_volume = 0x2502, .from_offset = 0x10000,
};
static struct wire_range sample_ranges[] = { { 0x10000, 0x4000 }, { 0x20000, 0x1000 } };
static const struct wire_pair_changes_reply sample_changes_reply = {
	.next_offset = UINT64_MAX, .count = 2, .ranges = sample_ranges,
};
static const struct wire_volumes_sync sample_sync = { .targets = VOLUMES };
static const struct wire_volumes_sync_reply sample_sync_reply = { .boot_id = BOOT, .failed = VOLUMES };
static const struct wire_standby_look sample_standby_look = {
	.source_volume = 0x1501, .target_volume = 0x2502, .system = "2105.FC340", .remote_volume = 0x3503,
};
static const struct wire_standby_state sample_standby_state = {
	.boot_id = BOOT, .generation = BOOT, .mark = 12, .covered = 11, .exists = 10,
};
static const struct wire_standby_take sample_standby_take = {
	.source_volume = 0x1501, .target_volume = 0x3503, .near_system = "2105.FB230", .size_bytes = 0x8000,
	.discard = true, .sequence = 10, .generation = BOOT, .history = HISTORY,
};
static const struct wire_standby_taken sample_standby_taken = { .known = true };
static const struct wire_leg_open sample_leg_open = {
	.head = HEAD, .source_boot_id = BOOT, .key = KEY, .members = MEMBERS,
};
static const struct wire_leg_request sample_leg_request = { .head = HEAD };
static const struct wire_leg_state sample_leg_state = STATE;
static struct wire_channel_mark sample_marks[] = { { 0, 10, 11, 12 }, { 1, 20, 21, 22 } };
static const struct wire_leg_prepare sample_leg_prepare = {
	.head = HEAD, .source = "2105.FA120", .far_boot_id = BOOT, .session_time_us = 1700000000000001,
	.wall_us = 1700000000000002, .members = MEMBERS, .volumes = VOLUMES, .mark_count = 2, .marks = sample_marks,
};
static struct wire_leg_report sample_reports[] = {
	{ .far = "2105.FB230", .far_address = "h:1", .connected = true, .volumes = 4, .joining = 1, .state = STATE },
};
static const struct wire_session_join sample_join = { .head = HEAD, .key = KEY, .members = MEMBERS };
static const struct wire_session_report sample_session_report = {
	.boot_id = BOOT, .state = 2, .open_number = 3, .closing_number = 4, .out_of_sync_blocks = 5,
	.unsent_blocks = 6, .collisions_sidefile = 7, .collisions_waited = 8, .held_writes = 9, .held_reads = 10,
	.hold_max_us = 11, .leg_count = 1, .legs = sample_reports,
};
static const struct wire_session_close sample_close = { .head = HEAD, .coordination_ms = 50, .join = true };
static const struct wire_session_drain sample_drain = { .head = HEAD, .limit_ms = 240000 };
static const struct wire_session_prepare sample_prepare = {
	.head = HEAD, .session_time_us = 1700000000000003, .limit_ms = 1000, .members = MEMBERS,
};
static const struct wire_session_request sample_session_request = { .head = HEAD };
static const struct wire_session_swap sample_swap = {
	.head = HEAD, .step = WIRE_SWAP_PLAN, .key = KEY, .master_lss = 0x25,
	.interval_ns = 1, .coordination_ns = 50000000,
	.drain_ns = 240000000000, .keep_ns = 2, .keep_bytes = 3, .reserved = 2048, .members = MEMBERS,
};
static const struct wire_pair_swap sample_pair_swap = {
	.head = HEAD, .key = KEY, .source_volume = 0x1501, .target_volume = 0x2502, .check = true,
};
static const struct wire_group_order sample_group_order = {
	.head = HEAD, .step = WIRE_GROUP_HOLD, .type = 0x20, .broken = true, .limit_ms = 10000, .hold_ms = 60000,
};
static const struct wire_group_answer sample_group_answer = {
	.boot_id = BOOT, .volumes = 3, .pairs = 4, .frozen = 2, .duplex = 1, .moment = 77, .held = true,
};
static const struct wire_session_answer sample_answer = {
	.boot_id = BOOT, .reason = 4, .empty = true, .legs = 2, .hold_us = 700,
};
static const struct wire_recover_request sample_recover_request = {
	.session = 1, .master = "2105.FA120:15", .key = KEY, .epoch = 6, .initiator = "2105.FB230",
};
static struct wire_recover_leg sample_recover_legs[] = {
	{ .source = "2105.FA120", .master = "2105.FA120:15", .incarnation = 1, .committed = 2, .prepared = 3,
	  .committed_us = 4, .prepared_us = 5, .highest_tag = 6, .epoch = 7, .initiator = "2105.FB231", .decided = 8,
	  .forced = true, .member_version = 9, .members = MEMBERS, .volumes = 300, .missing = VOLUMES },
	{ .source = "2105.FA121", .master = "2105.FA120:15" },
};
static const struct wire_recover_legs sample_legs = { .boot_id = BOOT, .count = 2, .items = sample_recover_legs };
static const struct wire_recover_decide sample_decide = {
	.session = 1, .master = "2105.FA120:15", .key = KEY, .epoch = 6, .initiator = "2105.FB230", .number = 7,
	.forced = true,
};
static const struct wire_recover_done sample_done = {
	.boot_id = BOOT, .committed = 7, .volumes = 300, .inconsistent = 2, .missing = VOLUMES, .outside = VOLUMES,
	.heard_us = 1700000000000004,
};
static const struct wire_keep sample_keep = { .head = HEAD, .keep_us = 86400000000, .keep_bytes = 1 << 30 };
static const struct wire_points_request sample_points_request = { .session = 1, .key = KEY, .below = 900 };
static struct wire_point sample_point_items[] = { { 8, 1700000000000005, 4096 }, { 7, 1700000000000004, 12288 } };
static struct wire_leg_points sample_leg_points[] = {
	{ .source = "2105.FA120", .more = true, .oldest = { 5, 1700000000000001, 65536 },
	  .count = 2, .items = sample_point_items },
	{ .source = "2105.FA121" },
};
static const struct wire_points sample_points = { .boot_id = BOOT, .count = 2, .legs = sample_leg_points };
static const struct wire_point_request sample_point_request = { .session = 1, .key = KEY, .number = 900 };
static struct wire_point_leg sample_point_leg[] = {
	{ .source = "2105.FA120", .time_us = 1700000000000005, .members = MEMBERS, .volumes = 3, .missing = VOLUMES },
};
static const struct wire_point_legs sample_point_legs = { .boot_id = BOOT, .count = 1, .items = sample_point_leg };
static const struct wire_practice sample_practice = {
	.session = 1, .key = KEY, .attempt = 77, .step = WIRE_PRACTICE_BRING, .at = 899, .number = 900, .pool = "p1",
};
static struct wire_practice_leg sample_practice_leg[] = {
	{ .source = "2105.FA120", .committed = 900, .prepared = 901, .member_version = 9, .members = MEMBERS },
};
static const struct wire_practice_reply sample_practice_reply = {
	.boot_id = BOOT, .more = true, .volumes = 3, .count = 1, .legs = sample_practice_leg,
};
static const struct wire_verify sample_verify = {
	.session = 1, .id = 77, .step = WIRE_VERIFY_LOOK, .repair = true, .rate_bytes = 1 << 20,
};
static const struct wire_verify_report sample_verify_report = {
	.boot_id = BOOT, .done = true, .waits = true, .volumes = 3, .done_bytes = 4096, .total_bytes = 12288,
	.differing_blocks = 5, .repaired_blocks = 4, .code = 4, .object = "pair of volume 1500",
	.message = "5 blocks of volume 1500 differ", .remedy = "xdc pair verify 1500 --repair",
};
static const struct wire_event_session sample_event = {
	.session = 1, .master = "2105.FA120:15", .boot_id = BOOT, .open_number = 8,
};

static const struct wire_sample {
	uint16_t type;
	const void *request, *reply;
} wire_samples[] = {
	{ WIRE_SYSTEM_SHOW, &sample_empty, &sample_system_reply },
	{ WIRE_PAIR_ESTABLISH, &sample_pair_establish, &sample_pair_reply },
	{ WIRE_PAIR_REMOVE, &sample_pair_request, &sample_empty },
	{ WIRE_PAIR_STATUS, &sample_pair_request, &sample_pair_reply },
	{ WIRE_PAIR_GROW, &sample_pair_grow, &sample_pair_reply },
	{ WIRE_PAIR_CHANGES, &sample_changes_request, &sample_changes_reply },
	{ WIRE_VOLUMES_SYNC, &sample_sync, &sample_sync_reply },
	{ WIRE_STANDBY_LOOK, &sample_standby_look, &sample_standby_state },
	{ WIRE_STANDBY_TAKE, &sample_standby_take, &sample_standby_taken },
	{ WIRE_LEG_OPEN, &sample_leg_open, &sample_leg_state },
	{ WIRE_LEG_STATUS, &sample_leg_request, &sample_leg_state },
	{ WIRE_LEG_PREPARE, &sample_leg_prepare, &sample_leg_state },
	{ WIRE_LEG_COMMIT, &sample_leg_request, &sample_leg_state },
	{ WIRE_LEG_ABORT, &sample_leg_request, &sample_leg_state },
	{ WIRE_SESSION_JOIN, &sample_join, &sample_session_report },
	{ WIRE_SESSION_STATUS, &sample_session_request, &sample_session_report },
	{ WIRE_SESSION_CLOSE, &sample_close, &sample_answer },
	{ WIRE_SESSION_RELEASE, &sample_session_request, &sample_answer },
	{ WIRE_SESSION_DRAIN, &sample_drain, &sample_answer },
	{ WIRE_SESSION_PREPARE, &sample_prepare, &sample_answer },
	{ WIRE_SESSION_COMMIT, &sample_session_request, &sample_answer },
	{ WIRE_SESSION_ABORT, &sample_session_request, &sample_answer },
	{ WIRE_SESSION_EXISTS, &sample_session_request, &sample_answer },
	{ WIRE_SESSION_LEAVE, &sample_session_request, &sample_answer },
	{ WIRE_SESSION_SUSPEND, &sample_session_request, &sample_answer },
	{ WIRE_SESSION_RESUME, &sample_session_request, &sample_answer },
	{ WIRE_LEG_SHOW, &sample_leg_request, &sample_leg_state },
	{ WIRE_LEG_HIDE, &sample_leg_request, &sample_leg_state },
	{ WIRE_SESSION_SWAP, &sample_swap, &sample_answer },
	{ WIRE_PAIR_SWAP, &sample_pair_swap, &sample_pair_reply },
	{ WIRE_RECOVER_PROBE, &sample_recover_request, &sample_legs },
	{ WIRE_RECOVER_FENCE, &sample_recover_request, &sample_legs },
	{ WIRE_RECOVER_DECIDE, &sample_decide, &sample_done },
	{ WIRE_SESSION_KEEP, &sample_keep, &sample_answer },
	{ WIRE_LEG_KEEP, &sample_keep, &sample_leg_state },
	{ WIRE_RECOVER_POINTS, &sample_points_request, &sample_points },
	{ WIRE_RECOVER_POINT, &sample_point_request, &sample_point_legs },
	{ WIRE_PRACTICE, &sample_practice, &sample_practice_reply },
	{ WIRE_SESSION_VERIFY, &sample_verify, &sample_verify_report },
	{ WIRE_GROUP_ORDER, &sample_group_order, &sample_group_answer },
	{ WIRE_EVENT_FIRST_WRITE, &sample_event, NULL },
	{ WIRE_EVENT_PAIRS_CHANGED, &sample_empty, NULL },
};
#define WIRE_SAMPLE_COUNT	(sizeof(wire_samples) / sizeof(wire_samples[0]))

#endif
