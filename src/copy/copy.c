/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/copy.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/dirty_logs.h"
#include "copy/engine.h"
#include "copy/flash.h"
#include "copy/group.h"
#include "copy/leg.h"
#include "copy/leg_compare.h"
#include "copy/leg_show.h"
#include "copy/pair.h"
#include "copy/pair_far.h"
#include "copy/pair_left.h"
#include "copy/pair_standby.h"
#include "copy/peer_watch.h"
#include "copy/practice.h"
#include "copy/practice_part.h"
#include "copy/recover.h"
#include "copy/session.h"
#include "copy/session_entry.h"
#include "copy/source.h"
#include "copy/swap.h"
#include "copy/verify_member.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/dirtylog.h"
#include "store/meta.h"

#define CLEAN_NS	(100 * RT_MS)	/* between two tries to make room in a dirty log */
#define REFINE_NS	(5 * RT_SECOND)	/* between two tries to note single regions instead of a whole volume */

static int on_system_show(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	struct wire_system_reply *answer = reply;
	struct copy *copy = arg;

	(void)peer;
	(void)request;
	(void)why;
	memcpy(answer->boot_id, copy->config.boot_id, WIRE_ID_SIZE);
	snprintf(answer->version, sizeof(answer->version), "%s", XDC_VERSION);
	snprintf(answer->link_address, sizeof(answer->link_address), "%s",
		 copy->config.link_address ? copy->config.link_address : "");
	return 0;
}

/* What other systems may ask of this one. */
static const struct link_handler handlers[] = {
	{ WIRE_SYSTEM_SHOW, on_system_show },
	{ WIRE_PAIR_ESTABLISH, pair_far_on_establish },
	{ WIRE_PAIR_REMOVE, pair_far_on_remove },
	{ WIRE_PAIR_STATUS, pair_far_on_status },
	{ WIRE_PAIR_CHANGES, pair_far_on_changes },
	{ WIRE_PAIR_GROW, pair_far_on_grow },
	{ WIRE_VOLUMES_SYNC, leg_on_volumes_sync },
	{ WIRE_STANDBY_LOOK, standby_near_on_look },
	{ WIRE_STANDBY_TAKE, standby_far_on_take },
	{ WIRE_LEG_OPEN, leg_on_open },
	{ WIRE_LEG_STATUS, leg_on_status },
	{ WIRE_LEG_PREPARE, leg_on_prepare },
	{ WIRE_LEG_COMMIT, leg_on_commit },
	{ WIRE_LEG_ABORT, leg_on_abort },
	{ WIRE_SESSION_JOIN, source_on_join },
	{ WIRE_SESSION_STATUS, source_on_status },
	{ WIRE_SESSION_CLOSE, source_on_close },
	{ WIRE_SESSION_RELEASE, source_on_release },
	{ WIRE_SESSION_DRAIN, source_on_drain },
	{ WIRE_SESSION_PREPARE, source_on_prepare },
	{ WIRE_SESSION_COMMIT, source_on_commit },
	{ WIRE_SESSION_ABORT, source_on_abort },
	{ WIRE_SESSION_EXISTS, source_on_exists },
	{ WIRE_SESSION_LEAVE, source_on_leave },
	{ WIRE_SESSION_SUSPEND, source_on_suspend },
	{ WIRE_SESSION_RESUME, source_on_resume },
	{ WIRE_LEG_SHOW, leg_on_show },
	{ WIRE_LEG_HIDE, leg_on_hide },
	{ WIRE_SESSION_SWAP, swap_on_session },
	{ WIRE_PAIR_SWAP, swap_on_pair },
	{ WIRE_RECOVER_PROBE, recover_on_probe },
	{ WIRE_RECOVER_FENCE, recover_on_fence },
	{ WIRE_RECOVER_DECIDE, recover_on_decide },
	{ WIRE_SESSION_KEEP, source_on_keep },
	{ WIRE_LEG_KEEP, leg_on_keep },
	{ WIRE_RECOVER_POINTS, recover_on_points },
	{ WIRE_RECOVER_POINT, recover_on_point },
	{ WIRE_PRACTICE, practice_on_step },
	{ WIRE_SESSION_VERIFY, verify_on_session },
	{ WIRE_GROUP_ORDER, group_on_order },
	{ 0, NULL },
};

static void on_event(void *arg, struct link *link, uint16_t type, const void *event)
{
	const struct wire_event_session *written = event;
	struct session_entry *entry;

	if (type == WIRE_EVENT_PAIRS_CHANGED)
		peers_on_changed(arg, link);
	if (type != WIRE_EVENT_FIRST_WRITE)
		return;
	entry = session_entry_find(arg, written->session);
	if (entry && entry->master)
		session_wake(entry->master);
}

static void lose_session(struct copy *copy, uint8_t session)
{
	struct source *source = source_find(copy, session);

	if (session_entry_lose(copy, session))
		log_line(LOG_ERROR, "copy", "that session %u is over is not durable", session);
	/* An attempt under way would wait for data that nobody sends. */
	if (source)
		source_leave(source);
}

static const struct copy_above above = {
	.handlers = handlers,
	.on_event = on_event,
	.watch_peer = peer_watch,
	.sync_peer = peer_sync,
	.lose_session = lose_session,
	.break_group = group_break,
};

void copy_before_accept(struct copy *copy, uint16_t volume)
{
	const struct pair *pair = pair_first_of(copy, volume);

	while (pair && (pair->record.role != PAIR_TARGET || pair->record.state == PAIR_FAILED_OVER))
		pair = pair_next_of(pair);
	if (pair)
		copy_void_acks(copy);
}

/* ---- dirty logs: one a reactor ---- */

/* A log without room tells reactor 0, where the pairs are; what they make clean gives room. One a reactor. */
struct log_watch {
	struct dirtylog *log;
	struct rt_group fibers;
	struct notice notice;
};

/* What the logs need: somebody waits for a slot; or a volume that is noted as a whole could be noted by its regions. */
enum log_need { LOG_NEEDS_NOTHING, LOG_NEEDS_REGIONS, LOG_NEEDS_ROOM };

static int do_ask_need(void *arg)
{
	const struct dirtylog *log = arg;

	if (dirtylog_has_waiters(log))
		return LOG_NEEDS_ROOM;
	return dirtylog_count_whole(log) > 0 ? LOG_NEEDS_REGIONS : LOG_NEEDS_NOTHING;
}

static enum log_need ask_need(struct copy *copy)
{
	int most = LOG_NEEDS_NOTHING;

	for (unsigned i = 0; i < rt_reactor_count(); i++) {
		int need = rt_call(rt_reactor(i), do_ask_need, copy->dirtylogs[i]);

		most = need > most ? need : most;
	}
	return (enum log_need)most;
}

static void watch_pressure(void *arg)
{
	struct log_watch *watch = arg;
	int rc = 0;

	while (!rc) {
		if (dirtylog_has_waiters(watch->log))
			notice_give(&watch->notice);
		rc = rt_cond_wait(dirtylog_pressure(watch->log));
	}
}

static int do_watch_log(void *arg)
{
	struct log_watch *watch = arg;

	rt_group_init(&watch->fibers);
	return rt_group_start(&watch->fibers, "dirty log", watch_pressure, watch);
}

static int do_unwatch_log(void *arg)
{
	struct log_watch *watch = arg;

	rt_group_stop(&watch->fibers);
	return 0;
}

/*
 * While a log has no room it is tried again and again: regions become clean as far sides make data durable. Now and
 * then while the volume of a pair is noted as a whole.
 */
static void clean_regions(void *arg)
{
	struct copy *copy = arg;
	bool whole;
	int rc = 0;

	while (!rc) {
		enum log_need need = ask_need(copy);

		if (need == LOG_NEEDS_NOTHING) {
			rc = notice_wait(&copy->pressed);
			continue;
		}
		whole = pair_clean_all(copy);
		if (need == LOG_NEEDS_ROOM) {
			rc = rt_sleep_until(rt_now_ns() + CLEAN_NS);
		} else {
			RT_LIMIT(whole ? rt_now_ns() + REFINE_NS : RT_NEVER);
			rc = notice_wait(&copy->pressed);
			rc = rc == -ETIMEDOUT ? 0 : rc;
		}
	}
}

static int start_cleaner(struct copy *copy)
{
	int rc = 0;

	copy->watches = mem_alloc_zeroed(rt_reactor_count() * sizeof(copy->watches[0]));
	if (!copy->watches)
		return -ENOMEM;
	notice_board_init(&copy->pressed);
	for (unsigned i = 0; i < rt_reactor_count() && !rc; i++) {
		copy->watches[i].log = copy->dirtylogs[i];
		notice_init(&copy->watches[i].notice, &copy->pressed);
		rc = rt_call(rt_reactor(i), do_watch_log, &copy->watches[i]);
		if (rc)
			copy->watches[i].log = NULL;	/* nothing to stop */
	}
	return rc ? rc : rt_group_start(&copy->fibers, "clean regions", clean_regions, copy);
}

static int start_mirror_watch(struct copy *copy)
{
	copy->mirror_notices = mem_alloc_zeroed(rt_reactor_count() * sizeof(copy->mirror_notices[0]));
	if (!copy->mirror_notices)
		return -ENOMEM;
	notice_board_init(&copy->mirrors);
	for (unsigned i = 0; i < rt_reactor_count(); i++)
		notice_init(&copy->mirror_notices[i], &copy->mirrors);
	return rt_group_start(&copy->fibers, "watch mirrors", pair_watch_mirrors, copy);
}

static int start_standbys(struct copy *copy)
{
	copy->standby_notices = mem_alloc_zeroed(rt_reactor_count() * sizeof(copy->standby_notices[0]));
	if (!copy->standby_notices)
		return -ENOMEM;
	notice_board_init(&copy->standbys_due);
	for (unsigned i = 0; i < rt_reactor_count(); i++)
		notice_init(&copy->standby_notices[i], &copy->standbys_due);
	return standbys_begin_work(copy);
}

static void stop_cleaner(struct copy *copy)
{
	rt_group_stop(&copy->fibers);
	for (unsigned i = 0; copy->watches && i < rt_reactor_count(); i++) {
		int rc = copy->watches[i].log ? rt_call(rt_reactor(i), do_unwatch_log, &copy->watches[i]) : 0;

		assert(!rc);
	}
	mem_free(copy->watches);
}

/* ---- taking up what the metadata hold ---- */

struct load {
	struct copy *copy;
	struct list_head rows;		/* struct row, in the order of the metadata */
};

/* Records are kept while they are read, since visiting must not suspend and taking up does. */
struct row {
	struct list_head link;
	enum meta_kind kind;
	union {
		struct record_path path;
		struct record_flash flash;
		struct record_practice practice;
		struct record_standby standby;
		struct record_pair pair;
		struct record_history history;
		struct record_session session;
		struct record_session_lss session_lss;
		struct record_session_subordinate subordinate;
		struct record_session_volume session_volume;
		struct record_leg leg;
		struct record_dirty_log dirty_log;
	};
};

static size_t row_bytes(enum meta_kind kind)
{
	switch (kind) {
	case META_PATH:
	case META_PAIR:
	case META_HISTORY:
	case META_SESSION:
	case META_SESSION_LSS:
	case META_SESSION_SUBORDINATE:
	case META_SESSION_VOLUME:
	case META_LEG:
	case META_DIRTY_LOG:
	case META_FLASH:
	case META_PRACTICE:
	case META_STANDBY:
		return meta_tables[kind].record_size;
	default:
		return 0;	/* the control plane's */
	}
}

static int keep_row(void *arg, enum meta_kind kind, const void *record)
{
	struct load *load = arg;
	struct row *row;

	if (!row_bytes(kind))
		return 0;
	row = mem_alloc_zeroed(sizeof(*row));
	if (!row)
		return -ENOMEM;
	row->kind = kind;
	memcpy(&row->path, record, row_bytes(kind));
	list_add_last(&load->rows, &row->link);
	return 0;
}

/* The generations of a pair, newest first. */
static void collect_history(const struct load *load, const struct record_pair *pair, struct history *history)
{
	struct row *row;

	*history = (struct history){ 0 };
	list_for_each(row, &load->rows, link) {
		if (row->kind == META_HISTORY && row->history.volume == pair->volume &&
		    row->history.remote_volume == pair->remote_volume && !strcmp(row->history.system, pair->system))
			history_begin(history, row->history.generation, row->history.sequence,
				      row->history.began_wall_ns);
	}
}

static int take_up_pair(struct load *load, const struct record_pair *record)
{
	struct copy *copy = load->copy;
	struct volume *volume = copy->config.find_volume(copy->config.find_arg, record->volume);
	struct history history;
	struct pair *pair;
	int rc;

	if (!volume)
		return pair_leave_out(copy, record);
	if (pair_find(copy, record->volume, record->system)) {
		log_line(LOG_ERROR, "copy", "volume %04X has two pairs with system %s in the metadata", record->volume,
			 record->system);
		return -EBADMSG;
	}
	collect_history(load, record, &history);
	pair = pair_take_up(copy, record, &history, volume);
	if (!pair)
		return -ENOMEM;
	/* Before it may send, or find that there is nothing to be sent. */
	rc = legs_back_note(copy, pair);
	return rc ? rc : pair_resume_work(pair);
}

static int take_up_row(struct load *load, struct row *row)
{
	struct copy *copy = load->copy;
	struct session_lss *lss;
	struct subordinate *subordinate;
	struct standby *standby;

	switch (row->kind) {
	case META_PATH:
		return path_take_up(copy, &row->path);
	case META_LEG:
		return leg_take_up(copy, &row->leg);
	case META_PRACTICE:
		return practice_take_up(copy, &row->practice);
	case META_STANDBY:
		return standby_take_up(copy, &row->standby, &standby);
	case META_PAIR:
		return take_up_pair(load, &row->pair);
	case META_SESSION:
		return session_entry_take_up(copy, &row->session);
	case META_SESSION_LSS:
		lss = mem_alloc_zeroed(sizeof(*lss));
		if (!lss)
			return -ENOMEM;
		lss->record = row->session_lss;
		list_add_last(&copy->session_lsses, &lss->link);
		return 0;
	case META_SESSION_VOLUME:
		return group_volume_take_up(copy, &row->session_volume);
	case META_SESSION_SUBORDINATE:
		subordinate = mem_alloc_zeroed(sizeof(*subordinate));
		if (!subordinate)
			return -ENOMEM;
		subordinate->record = row->subordinate;
		list_add_last(&copy->subordinates, &subordinate->link);
		return 0;
	default:
		return 0;
	}
}

static int load_rows(struct load *load, struct copy *copy)
{
	*load = (struct load){ .copy = copy };
	list_init(&load->rows);
	return meta_load(copy->config.meta, keep_row, load);
}

static void free_rows(struct load *load)
{
	struct row *row, *tmp;

	list_for_each_safe(row, tmp, &load->rows, link) {
		list_remove(&row->link);
		mem_free(row);
	}
}

/* As pair_resume_work has it: a target follows changes once it was failed over, or when it was a source. */
static bool is_followed(const struct record_pair *record)
{
	return record->role == PAIR_SOURCE || record->state == PAIR_FAILED_OVER || record->first_copy_done;
}

static int open_logs(struct load *load)
{
	struct dirty_logs_known known = { 0 };
	struct row *row;
	uint32_t pairs = 0;
	int rc;

	list_for_each(row, &load->rows, link)
		pairs += row->kind == META_PAIR;
	known.volumes = mem_alloc((pairs + 1) * sizeof(known.volumes[0]));
	if (!known.volumes)
		return -ENOMEM;
	list_for_each(row, &load->rows, link) {
		/* Those of a volume come one after the other. */
		if (row->kind == META_PAIR && is_followed(&row->pair) &&
		    !(known.count && known.volumes[known.count - 1] == row->pair.volume))
			known.volumes[known.count++] = row->pair.volume;
		if (row->kind == META_DIRTY_LOG && row->dirty_log.number < DIRTY_LOGS_MAX)
			known.must |= UINT64_C(1) << row->dirty_log.number;
	}
	rc = dirty_logs_open(load->copy, &known);
	mem_free(known.volumes);
	return rc;
}

/* Before anything writes a volume: its targets may need what is overwritten. */
static int take_up_flashes(struct load *load)
{
	struct row *row;
	int rc = 0;

	list_for_each(row, &load->rows, link)
		if (!rc && row->kind == META_FLASH)
			rc = flash_take_up(load->copy, &row->flash);
	return rc ? rc : flashes_resume(load->copy);
}

static int take_up(struct load *load)
{
	/*
	 * Paths before pairs, since pairs need links; legs before pairs, since a leg may own a pair's volume; standbys
	 * before pairs, since those clean regions of the dirty log.
	 */
	static const enum meta_kind order[] = {
		META_PATH, META_LEG, META_SESSION, META_SESSION_LSS, META_SESSION_SUBORDINATE, META_SESSION_VOLUME,
		META_STANDBY, META_PAIR, META_PRACTICE,
	};
	struct row *row;
	int rc = take_up_flashes(load);

	for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		list_for_each(row, &load->rows, link) {
			if (!rc && row->kind == order[i])
				rc = take_up_row(load, row);
		}
	}
	return rc ? rc : legs_begin_work(load->copy);
}

/* ---- life ---- */

static int make_folder(struct copy *copy)
{
	char path[XDC_PATH_MAX + 32];
	int rc;

	snprintf(path, sizeof(path), "%s/journals", copy->config.state_folder);
	rc = rt_path_make_folder(path);
	/* One that is there may be from a start that was cut short before it was durable. */
	return rc && rc != -EEXIST ? rc : rt_path_sync_folder(copy->config.state_folder);
}

static int start_server(struct copy *copy)
{
	struct link_server_config config = {
		.handlers = handlers, .data = leg_on_data, .compare = leg_on_compare, .arg = copy,
		.timing = copy->config.timing,
	};

	snprintf(config.own, sizeof(config.own), "%s", copy->config.system);
	memcpy(copy->far_boot_id, copy->config.boot_id, WIRE_ID_SIZE);
	memcpy(config.boot_id, copy->far_boot_id, WIRE_ID_SIZE);
	return link_server_start(&config, &copy->server);
}

int copy_start(const struct copy_config *config, struct copy **out)
{
	struct copy *copy = mem_alloc_zeroed(sizeof(*copy));
	int rc = copy ? 0 : -ENOMEM;
	struct load load;

	if (rc)
		return rc;
	copy->config = *config;
	copy->above = &above;
	rt_group_init(&copy->fibers);
	list_init(&copy->peers);
	rt_mutex_init(&copy->dialing);
	rt_mutex_init(&copy->planning);
	rt_mutex_init(&copy->making_legs);
	list_init(&copy->paths);
	list_init(&copy->pairs);
	list_init(&copy->freezes);
	rt_cond_init(&copy->thawed);
	list_init(&copy->left_pairs);
	list_init(&copy->standbys);
	list_init(&copy->flashes);
	rt_mutex_init(&copy->flashing);
	rt_group_init(&copy->flash_fibers);
	list_init(&copy->practices);
	list_init(&copy->practice_parts);
	rt_mutex_init(&copy->practising);
	rt_mutex_init(&copy->practice_steps);
	rt_group_init(&copy->practice_fibers);
	list_init(&copy->verify_members);
	rt_group_init(&copy->verify_fibers);
	list_init(&copy->sources);
	list_init(&copy->sessions);
	list_init(&copy->session_lsses);
	list_init(&copy->subordinates);
	list_init(&copy->group_volumes);
	list_init(&copy->legs);
	copy->dirtylogs = mem_alloc_zeroed(rt_reactor_count() * sizeof(struct dirtylog *));
	rc = load_rows(&load, copy);
	if (!rc && !copy->dirtylogs)
		rc = -ENOMEM;
	if (!rc)
		rc = flash_make_file_pools(copy);
	if (!rc)
		rc = make_folder(copy);
	if (!rc)
		rc = open_logs(&load);
	if (!rc)
		rc = start_cleaner(copy);
	if (!rc)
		rc = start_mirror_watch(copy);
	if (!rc)
		rc = start_standbys(copy);
	if (!rc)
		rc = start_server(copy);
	if (!rc)
		rc = take_up(&load);
	free_rows(&load);
	if (!rc)
		rc = session_entries_resume(copy);
	if (rc) {
		log_line(LOG_ERROR, "copy", "the copy services do not start: %s", strerror(-rc));
		copy_stop(copy);
		return rc;
	}
	*out = copy;
	return 0;
}

/*
 * From what asks to what is asked: sessions, the answering side, pairs, journals, links, logs. Attempts are left first
 * and links broken before pairs are put down, so that nothing here waits for another system.
 */
void copy_stop(struct copy *copy)
{
	RT_SHIELD();

	sources_retire(copy);
	session_entries_stop(copy);
	stop_cleaner(copy);
	link_server_stop(copy->server);
	peers_hang_up(copy);
	practice_parts_stop(copy);
	verify_members_stop(copy);
	sources_stop(copy);
	legs_stop_work(copy);
	copy->pairs_end = true;
	while (!list_empty(&copy->pairs))
		pair_put_down(list_first(&copy->pairs, struct pair, link), false);
	while (!list_empty(&copy->standbys))
		standby_put_down(list_first(&copy->standbys, struct standby, link), false);
	while (!list_empty(&copy->legs))
		leg_put_down(list_first(&copy->legs, struct leg, link));
	while (!list_empty(&copy->paths))
		path_put_down(list_first(&copy->paths, struct path, link));
	practices_drop(copy);
	flashes_stop(copy);
	flash_free_file_pools(copy);
	assert(list_empty(&copy->peers));
	pairs_left_free(copy);
	pairs_free_table(copy);
	mem_free(copy->mirror_notices);
	mem_free(copy->standby_notices);
	session_entries_free(copy);
	group_volumes_free(copy);
	if (copy->dirtylogs)
		dirty_logs_close(copy);
	mem_free(copy->dirtylogs);
	mem_free(copy);
}

void copy_serve_link(struct copy *copy, struct rt_stream *stream, const char *identity)
{
	link_server_serve(copy->server, stream, identity);
}

bool copy_remembers_volume(struct copy *copy, uint16_t volume, struct fault *fault)
{
	struct pair *pair = pair_first_of(copy, volume);
	struct leg *leg = leg_find_owner(copy, volume);
	const struct left_pair *left = pair_left_find(copy, volume, NULL);
	char object[64], remedy[128];

	snprintf(object, sizeof(object), "volume %04X", volume);
	if (!pair && leg) {
		snprintf(remedy, sizeof(remedy), "xdc session terminate %u --force gives it up", leg->record.session);
		fault_set(fault, FAULT_IN_USE, object, remedy,
			  "it is in the consistency group of session %u that is kept", leg->record.session);
	}
	if (left) {
		snprintf(remedy, sizeof(remedy), "mend the volume and restart xdcd, or xdc pair delete %04X --force",
			 volume);
		fault_set(fault, FAULT_IN_USE, object, remedy, "it is the %s of a pair with volume %04X of %s",
			  pair_role_names[left->record.role], left->record.remote_volume, left->record.system);
		return true;
	}
	if (!pair && !leg && pair_uses_volume(copy, volume)) {
		fault_set(fault, FAULT_IN_USE, object, "repeat the command", "its pair is still being put down");
		return true;
	}
	if (!pair && standby_find(copy, volume)) {
		fault_set(fault, FAULT_IN_USE, object, "xdc standby delete", "it has a standby");
		return true;
	}
	if (!pair)
		return leg || flash_remembers_volume(copy, volume, fault);
	if (pair->record.role == PAIR_TARGET && pair->record.state != PAIR_FAILED_OVER)
		snprintf(remedy, sizeof(remedy), "on %s: xdc pair delete %04X", pair->record.system,
			 pair->record.remote_volume);
	else
		snprintf(remedy, sizeof(remedy), "xdc pair delete %04X", volume);
	fault_set(fault, FAULT_IN_USE, object, remedy, "it is the %s of a pair with volume %04X of %s",
		  pair_role_names[pair->record.role], pair->record.remote_volume, pair->record.system);
	return true;
}

bool copy_is_flashed(struct copy *copy, uint16_t volume, struct fault *fault)
{
	return flash_remembers_volume(copy, volume, fault);
}

bool copy_remembers_lss(struct copy *copy, uint8_t lss, struct fault *fault)
{
	const struct session_lss *open;
	const struct path *path;
	char object[64], remedy[128];

	snprintf(object, sizeof(object), "LSS %02X", lss);
	list_for_each(open, &copy->session_lsses, link) {
		if (open->record.lss != lss)
			continue;
		snprintf(remedy, sizeof(remedy), "xdc session close %u --lss %02X", open->record.session, lss);
		fault_set(fault, FAULT_IN_USE, object, remedy, "session %u is open on it", open->record.session);
		return true;
	}
	list_for_each(path, &copy->paths, link) {
		const struct record_path *record = &path->record;

		if (record->source_lss != lss)
			continue;
		snprintf(remedy, sizeof(remedy), "xdc path delete %02X %02X --system %s", lss, record->target_lss,
			 record->system);
		fault_set(fault, FAULT_IN_USE, object, remedy, "a path leads from it to LSS %02X of system %s",
			  record->target_lss, record->system);
		return true;
	}
	return false;
}
