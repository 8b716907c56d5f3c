/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every step may be the last before a crash, and the next start must not take for clean what was not. So a log that
 * must be there and is not is made last, with all that is in doubt in it from its first moment; what moves is durable
 * at its new place before it leaves the old one; and the metadata follow when all is in place.
 */
#include "copy/dirty_logs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/volume_set.h"
#include "rt/file.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/dirtylog.h"
#include "store/meta.h"
#include "volume/volume.h"

#define REGIONS_MAX	1024u			/* in a log: 4 GiB */
#define PATH_MAX_	(XDC_PATH_MAX + 32)

struct log_set {
	struct copy *copy;
	const struct dirty_logs_known *known;
	unsigned reactors;
	uint64_t must, there;			/* bits of logs */
	struct volume_set followed;		/* volumes whose changes are followed, as known has them */
	struct dirtylog *logs[DIRTY_LOGS_MAX];	/* those that are open, by number */
};

static bool has(uint64_t set, unsigned number)
{
	return set >> number & 1;
}

static void name_log(const struct log_set *set, unsigned number, const char *suffix, char path[PATH_MAX_])
{
	snprintf(path, PATH_MAX_, "%s/dirty-%u.log%s", set->copy->config.state_folder, number, suffix);
}

/* Logs of reactors that are no more are looked after by others. */
static struct rt_reactor *reactor_of(const struct log_set *set, unsigned number)
{
	return rt_reactor(number % set->reactors);
}

/* The log that a volume belongs to; of one that is not open, the one where it is, or any. */
static unsigned home_of(const struct log_set *set, uint16_t id, unsigned at)
{
	const struct volume *volume = set->copy->config.find_volume(set->copy->config.find_arg, id);

	if (volume)
		return rt_reactor_index(volume_reactor(volume));
	return at < set->reactors ? at : 0;
}

/* ---- one log, on its reactor ---- */

struct log_order {
	const char *path;
	struct dirtylog *log;
	uint16_t volume;
	const uint32_t *regions;
	uint32_t count;
};

static int do_open(void *arg)
{
	struct log_order *order = arg;

	return dirtylog_open(order->path, REGIONS_MAX, &order->log);
}

static int do_close(void *arg)
{
	dirtylog_close(arg);
	return 0;
}

static int do_mark_whole(void *arg)
{
	struct log_order *order = arg;

	return dirtylog_mark_whole(order->log, order->volume);
}

static int do_take_over(void *arg)
{
	struct log_order *order = arg;

	return dirtylog_take_over(order->log, order->volume, order->regions, order->count);
}

static int do_forget(void *arg)
{
	struct log_order *order = arg;

	dirtylog_forget_volume(order->log, order->volume);
	return 0;
}

static int open_at(struct log_set *set, unsigned number, const char *path)
{
	struct log_order order = { .path = path };
	int rc = rt_call(reactor_of(set, number), do_open, &order);

	if (rc == 0)
		set->logs[number] = order.log;
	return rc;
}

static void close_log(struct log_set *set, unsigned number)
{
	int rc = set->logs[number] ? rt_call(reactor_of(set, number), do_close, set->logs[number]) : 0;

	(void)rc;	/* what is to be said the log has said */
	set->logs[number] = NULL;
}

/* ---- which are there ---- */

static int note_name(void *arg, const char *name)
{
	struct log_set *set = arg;

	for (unsigned i = 0; i < DIRTY_LOGS_MAX && !strncmp(name, "dirty-", 6); i++) {
		char own[32];

		snprintf(own, sizeof(own), "dirty-%u.log", i);
		if (!strcmp(name, own))
			set->there |= UINT64_C(1) << i;
	}
	return 0;
}

/* Makes the metadata say which logs must be there. */
static int save_must(struct log_set *set, uint64_t must)
{
	struct record_dirty_log records[DIRTY_LOGS_MAX];
	struct meta_change changes[DIRTY_LOGS_MAX];
	unsigned count = 0;
	int rc;

	for (unsigned i = 0; i < DIRTY_LOGS_MAX; i++) {
		if (has(must, i) == has(set->must, i))
			continue;
		records[count] = (struct record_dirty_log){ .number = (uint16_t)i };
		changes[count] = (struct meta_change){
			.op = has(must, i) ? META_PUT : META_DELETE, .kind = META_DIRTY_LOG, .record = &records[count],
		};
		count++;
	}
	rc = count > 0 ? meta_commit(set->copy->config.meta, changes, count) : 0;
	if (rc == 0)
		set->must = must;
	return rc;
}

/*
 * Which must be there when that was never noted: without pairs none; else, since a system has always had one a reactor,
 * all up to the last that is there.
 */
static uint64_t guess_must(const struct log_set *set)
{
	uint64_t must = 1;

	if (set->known->count == 0)
		return 0;
	while (must < set->there)
		must = must << 1 | 1;
	return must;
}

/* ---- opening those that are there ---- */

/* A damaged log is kept, for whoever wants to look at it, and counts as lost. */
static int put_aside(struct log_set *set, unsigned number)
{
	char path[PATH_MAX_], aside[PATH_MAX_];
	int rc;

	name_log(set, number, "", path);
	name_log(set, number, ".damaged", aside);
	rc = rt_path_rename(path, aside);
	if (rc == 0)
		rc = rt_path_sync_parent(path);
	if (rc == 0)
		set->there &= ~(UINT64_C(1) << number);
	return rc;
}

static int open_those_there(struct log_set *set)
{
	int rc = 0;

	for (unsigned i = 0; i < DIRTY_LOGS_MAX && rc == 0; i++) {
		char path[PATH_MAX_];

		if (!has(set->there, i))
			continue;
		name_log(set, i, "", path);
		rc = open_at(set, i, path);
		/* It must be there, so that a crash before the doubts are noted does not hide that it was lost. */
		if (rc == -EBADMSG && !has(set->must, i))
			rc = save_must(set, set->must | UINT64_C(1) << i) == 0 ? -EBADMSG : -EIO;
		if (rc == -EBADMSG)
			rc = put_aside(set, i);
	}
	return rc;
}

/* ---- all in doubt ---- */

static int doubt_volume(struct log_set *set, unsigned number, uint16_t volume)
{
	struct log_order order = { .log = set->logs[number], .volume = volume };

	return rt_call(reactor_of(set, number), do_mark_whole, &order);
}

/* All volumes that belong to the log. */
static int doubt_in(struct log_set *set, unsigned number)
{
	int rc = 0;

	for (uint32_t i = 0; i < set->known->count && rc == 0; i++) {
		if (home_of(set, set->known->volumes[i], 0) == number)
			rc = doubt_volume(set, number, set->known->volumes[i]);
	}
	return rc;
}

/* A log that has the doubts in it when it takes its name. */
static int make_in_doubt(struct log_set *set, unsigned number)
{
	char path[PATH_MAX_], fresh[PATH_MAX_];
	int rc;

	name_log(set, number, "", path);
	name_log(set, number, ".doubts", fresh);
	rc = rt_path_unlink(fresh);
	if (rc == 0 || rc == -ENOENT)
		rc = open_at(set, number, fresh);
	if (rc == 0)
		rc = doubt_in(set, number);
	if (rc == 0)
		rc = rt_path_rename(fresh, path);
	return rc == 0 ? rt_path_sync_parent(path) : rc;
}

static int make_log(struct log_set *set, unsigned number, bool in_doubt)
{
	char path[PATH_MAX_];

	if (in_doubt)
		return make_in_doubt(set, number);
	name_log(set, number, "", path);
	return open_at(set, number, path);
}

/* Those of reactors that have none: first the others, then those that were lost. */
static int make_missing(struct log_set *set, uint64_t lost)
{
	bool in_doubt = lost != 0 && set->known->count > 0;
	int rc = 0;

	if (in_doubt)
		log_line(LOG_ERROR, "copy",
			 "dirty logs are missing or damaged: all paired volumes are in doubt and are compared");
	for (unsigned i = 0; i < set->reactors && in_doubt && rc == 0; i++)
		rc = set->logs[i] ? doubt_in(set, i) : 0;
	for (unsigned turn = 0; turn < 2; turn++) {
		for (unsigned i = 0; i < set->reactors && rc == 0; i++) {
			if (!set->logs[i] && has(lost, i) == (turn == 1))
				rc = make_log(set, i, in_doubt);
		}
	}
	return rc;
}

/* ---- what lies in another log than its volume's ---- */

struct entry {
	uint32_t region;
	uint16_t volume;
	bool stays;
};

struct entries {
	struct entry *entry;			/* NULL: they are only counted */
	uint32_t count;
};

static void take_entry(void *arg, uint16_t volume, uint32_t region)
{
	struct entries *entries = arg;

	if (entries->entry)
		entries->entry[entries->count] = (struct entry){ .volume = volume, .region = region };
	entries->count++;
}

struct list_order {
	struct dirtylog *log;
	struct entries entries;
};

static int do_list(void *arg)
{
	struct list_order *order = arg;

	dirtylog_each(order->log, take_entry, &order->entries);
	order->entries.entry = mem_alloc((order->entries.count + 1) * sizeof(order->entries.entry[0]));
	if (!order->entries.entry)
		return -ENOMEM;
	order->entries.count = 0;
	dirtylog_each(order->log, take_entry, &order->entries);
	return 0;
}

/* All entries of the volume of this one, which is the first of it. */
static int move_volume(struct log_set *set, unsigned from, unsigned to, const struct entries *entries, uint32_t first)
{
	struct log_order order = { .volume = entries->entry[first].volume };
	MEM_OWNED uint32_t *regions = mem_alloc(entries->count * sizeof(*regions));
	int rc;

	if (!regions)
		return -ENOMEM;
	for (uint32_t i = first; i < entries->count; i++) {
		if (entries->entry[i].volume != order.volume)
			continue;
		regions[order.count++] = entries->entry[i].region;
		entries->entry[i].stays = true;		/* it has had its turn */
	}
	order.regions = regions;
	order.log = set->logs[to];
	rc = rt_call(reactor_of(set, to), do_take_over, &order);
	if (rc < 0)
		return rc;
	order.log = set->logs[from];
	return rt_call(reactor_of(set, from), do_forget, &order);
}

/*
 * Nobody follows the volume's changes: its pair was given up while it was offline, or just before a crash. Nothing else
 * would ever make room of what is left of it.
 */
static int drop_volume(struct log_set *set, unsigned number, uint16_t volume)
{
	struct log_order order = { .log = set->logs[number], .volume = volume };

	log_line(LOG_NOTICE, "copy", "volume %04X is in a dirty log, and in no pair: it leaves the log", volume);
	return rt_call(reactor_of(set, number), do_forget, &order);
}

static int move_strays_of(struct log_set *set, unsigned number)
{
	struct list_order order = { .log = set->logs[number] };
	int rc = rt_call(reactor_of(set, number), do_list, &order);
	struct volume_set dropped = { 0 };

	for (uint32_t i = 0; i < order.entries.count && rc == 0; i++) {
		const struct entry *entry = &order.entries.entry[i];
		unsigned home = home_of(set, entry->volume, number);

		if (!volume_set_has(&set->followed, entry->volume)) {
			if (!volume_set_has(&dropped, entry->volume))
				rc = drop_volume(set, number, entry->volume);
			volume_set_add(&dropped, entry->volume);
		} else if (!entry->stays && home != number) {
			rc = move_volume(set, number, home, &order.entries, i);
		}
	}
	mem_free(order.entries.entry);
	return rc;
}

static int move_strays(struct log_set *set)
{
	int rc = 0;

	for (unsigned i = 0; i < DIRTY_LOGS_MAX && rc == 0; i++)
		rc = set->logs[i] ? move_strays_of(set, i) : 0;
	return rc;
}

/* ---- logs of reactors that are no more ---- */

/* They hold nothing any more; one that stays is read again at the next start. */
static void drop_old(struct log_set *set)
{
	for (unsigned i = set->reactors; i < DIRTY_LOGS_MAX; i++) {
		char path[PATH_MAX_];

		if (!set->logs[i])
			continue;
		close_log(set, i);
		name_log(set, i, "", path);
		if (rt_path_unlink(path) != 0)
			log_line(LOG_WARNING, "copy", "%s cannot be removed", path);
	}
}

static uint64_t bits_below(unsigned count)
{
	return count < 64 ? (UINT64_C(1) << count) - 1 : UINT64_MAX;
}

/* What each step is for is told at the top of this file. */
static int open_set(struct log_set *set)
{
	int rc = rt_path_sync_folder(set->copy->config.state_folder);

	if (rc == 0)
		rc = rt_path_list(set->copy->config.state_folder, note_name, set);
	if (rc == 0 && set->known->must == 0)
		rc = save_must(set, guess_must(set));
	if (rc == 0)
		rc = open_those_there(set);
	if (rc == 0)
		rc = make_missing(set, set->must & ~set->there);
	if (rc == 0)
		rc = move_strays(set);
	if (rc == 0)
		rc = save_must(set, bits_below(set->reactors));
	if (rc == 0)
		drop_old(set);
	return rc;
}

int dirty_logs_open(struct copy *copy, const struct dirty_logs_known *known)
{
	struct log_set *set = mem_alloc_zeroed(sizeof(*set));
	int rc;

	if (!set)
		return -ENOMEM;
	*set = (struct log_set){ .copy = copy, .known = known, .reactors = rt_reactor_count(), .must = known->must };
	for (uint32_t i = 0; i < known->count; i++)
		volume_set_add(&set->followed, known->volumes[i]);
	rc = open_set(set);
	if (rc < 0)
		log_line(LOG_ERROR, "copy", "the dirty logs cannot be opened: %s", strerror(-rc));
	for (unsigned i = 0; i < DIRTY_LOGS_MAX; i++) {
		if (i < set->reactors)
			copy->dirtylogs[i] = set->logs[i];
		else
			close_log(set, i);
	}
	mem_free(set);
	return rc;
}

void dirty_logs_close(struct copy *copy)
{
	for (unsigned i = 0; i < rt_reactor_count(); i++) {
		/* A start that has failed did not open all of them. */
		int rc = copy->dirtylogs[i] ? rt_call(rt_reactor(i), do_close, copy->dirtylogs[i]) : 0;

		(void)rc;
		copy->dirtylogs[i] = NULL;
	}
}
