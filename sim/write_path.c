/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The write path under a made-up coordination, in the simulator.
 *
 * Goal: whatever the order of events, every consistency group is one moment in time. Method: chains of dependent
 * writes run over all volumes of two or three systems; write k + 1 of a chain is issued when somebody got the answer
 * to write k or read it. A master closes, releases, prepares, commits and forgets, or aborts, with every message late
 * by chance; systems leave attempts by their own timers; sends are delayed and lost; far sides restart and lose what
 * is not prepared; systems die and start again from their dirty log. Whenever a far side has prepared or committed,
 * the checker recovers from all far sides (highest tag up to the CG on top) and demands that the image holds a prefix
 * of each chain, with everything that was answered before the CG began. In some runs there are two such masters, each
 * with far sides, targets and groups of its own; the second one's targets may come while hosts write. In some runs the
 * hosts are elsewhere, and what they write comes as that of a far side does that has targets of its own. In some the
 * volumes are sources of FlashCopies, and hosts are answered before their writes are on the disk.
 *
 * Errors of reads and writes and lack of memory (--fail) are answers to one request: the host tries again, a system
 * that does not start is started again. (A failed sync loses data: that is not for this scenario.)
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "rt/mem.h"
#include "write_path_flash.h"

static void send_one(struct leg *leg, struct volume_send *send)
{
	unsigned generation = leg->generation;
	bool up = leg->up;

	leg->flying++;
	if (up)
		delay(400 * RT_US);
	if (up && generation == leg->generation) {
		receive(leg, send);
		delay(200 * RT_US);
	}
	if (up && generation == leg->generation)
		volume_send_acked(leg->target, send);
	else
		volume_send_failed(leg->target, send);
	leg->flying--;
}

static void sender(void *arg)
{
	struct leg *leg = arg;
	struct volume_target *target = leg->target;

	while (!rt_cancelled()) {
		struct volume_send *send = NULL;

		if (leg->up && (!scene.lazy || volume_closing_number(target) != 0 || scene.quiet))
			if (volume_send_next(target, (1 + (uint32_t)below(4)) * XDC_BLOCK_SIZE, &send) < 0)
				send = NULL;
		if (send) {
			send_one(leg, send);
			continue;
		}
		RT_LIMIT(rt_now_ns() + 300 * RT_US);
		(void)!rt_cond_wait(volume_changed(target));
	}
}

static void cleaner(void *arg)
{
	struct site *site = arg;

	while (!rt_cancelled()) {
		delay(5 * RT_MS);
		(void)!volume_clean_regions(site->volume);
	}
}

/* ---- a system ---- */

/* Above all CGs that its far side holds, and not below any tag. */
static uint64_t next_number(const struct leg *leg)
{
	uint64_t number = (leg->prepared > leg->committed ? leg->prepared : leg->committed) + 1;

	for (uint64_t tag = number; tag < TAGS; tag++)
		for (unsigned block = 0; block < BLOCKS; block++)
			if (leg->pending[tag][block])
				number = tag;
	return number;
}

static int open_volume(struct site *site)
{
	struct vdisk_options disk = { .kind = POOL_DIR, .path = "disk", .size = DISK_BYTES };
	struct volume_options options = {
		.id = (uint16_t)(0x1500 + site->index),
		.sidefile_bytes = below(4) * 2 * XDC_BLOCK_SIZE,
		.sidefile_wait_ms = 3,
	};
	int rc = vdisk_create(&disk);

	if (rc == 0 || rc == -EEXIST)
		rc = vdisk_open(&disk, &options.disk);
	if (rc < 0)
		return rc;
	rc = volume_open(&options, &site->volume);
	if (rc < 0)
		vdisk_close(options.disk);
	return rc;
}

/* Nobody finds what is being closed: that suspends. */
static void close_site(struct site *site)
{
	struct volume *volume = site->volume;

	rt_group_stop(&site->fibers);
	for (unsigned i = 0; i < SESSIONS_MAX; i++)
		site->legs[i].target = NULL;
	close_flash(site);
	site->volume = NULL;
	if (volume)
		volume_close(volume);
	if (site->log)
		dirtylog_close(site->log);
	site->log = NULL;
}

/*
 * Its far side has nothing of the volume yet, or may lack what was in no group. After an error the target may be there:
 * at a start it is closed with the volume, and what the log holds stays there for the next one.
 */
static int begin_leg(struct leg *leg)
{
	struct site *site = leg->site;
	int rc;

	assert(!leg->target);
	rc = volume_add_target(site->volume, site->log, next_number(leg), &leg->target);
	if (rc < 0)
		return rc;
	if (leg->session > 0 && scene.sessions[leg->session].reported == 0)
		rc = volume_mark(leg->target, (uint64_t)FIRST_BLOCK * XDC_BLOCK_SIZE, BLOCKS * XDC_BLOCK_SIZE);
	if (rc == 0)
		rc = rt_group_start(&site->fibers, "sender", sender, leg);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < 2; i++)	/* more of them when there is memory */
		(void)!rt_group_start(&site->fibers, "sender", sender, leg);
	leg->up = true;
	return 0;
}

static int open_site(struct site *site)
{
	int rc = dirtylog_open("dirty", 1024, &site->log);

	/* As if the log had had no room in the run before. */
	if (rc == 0 && below(4) == 0)
		rc = dirtylog_mark_whole(site->log, (uint16_t)(0x1500 + site->index));
	if (rc == 0)
		rc = open_volume(site);
	if (rc == 0 && scene.flashed)
		rc = open_flash(site);
	for (unsigned i = 0; rc == 0 && i < scene.session_count; i++)
		if (scene.sessions[i].begun)
			rc = begin_leg(&site->legs[i]);
	if (rc == 0)
		rc = volume_set_access(site->volume, VOLUME_ACCESS_WRITE);
	if (rc == 0)
		rc = rt_group_start(&site->fibers, "cleaner", cleaner, site);
	if (rc == 0 && scene.flashed)
		rc = rt_group_start(&site->fibers, "flasher", flasher, site);
	return rc;
}

static int run_site(void *arg)
{
	struct site *site = arg;
	int rc;

	for (unsigned i = 0; i < SESSIONS_MAX; i++) {
		site->legs[i].attempt_seen = scene.sessions[i].attempt;
		site->legs[i].flying = 0;
		site->legs[i].target = NULL;
	}
	site->log = NULL;
	site->volume = site->copy = NULL;
	site->flash.map = NULL;
	site->flash.log = NULL;
	site->flashed = false;
	rt_group_init(&site->fibers);
	rc = open_site(site);
	site->starting = false;
	site->up = rc == 0;
	if (rc == 0)
		rc = rt_wait_stop();
	close_site(site);
	return rc;
}

static void boot(struct site *site)
{
	while (!site->up) {
		site->starting = true;
		sim_boot(site->system, run_site, site);
		while (site->starting && sim_is_running(site->system))
			delay(RT_MS);
		if (!site->up)
			(void)!sim_wait_ended(site->system);
	}
}

/* ---- what is done to a system, there ---- */

struct order {
	struct leg *leg;
	uint64_t number, exists;
};

/* The session begins here: a target more. What fails is tried again. A start of the system does it by itself. */
static int begin_there(void *arg)
{
	struct leg *leg = ((struct order *)arg)->leg;
	int rc;

	if (!leg->site->up)
		return -ENOTCONN;
	if (leg->target)
		return 0;
	leg->attempt_seen = scene.sessions[leg->session].attempt;
	rc = begin_leg(leg);
	if (rc < 0 && leg->target) {
		volume_remove_target(leg->target);
		leg->target = NULL;
	}
	return rc;
}

static int close_there(void *arg)
{
	const struct order *order = arg;
	struct volume_target *target = order->leg->target;

	if (!target || order->number <= order->leg->attempt_seen ||
	    order->number < volume_open_number(target))
		return 0;
	if (order->exists != 0 && volume_closing_number(target) == order->exists)
		volume_forget(target);
	order->leg->attempt_seen = order->number;
	volume_close_increment(target, order->number);
	return 0;
}

static int release_there(void *arg)
{
	const struct order *order = arg;
	struct volume_target *target = order->leg->target;

	if (!target || volume_closing_number(target) != order->number)
		return 0;
	volume_release(target);
	order->leg->released = order->number;
	return 0;
}

static int merge_there(void *arg)
{
	const struct order *order = arg;
	struct volume_target *target = order->leg->target;

	if (target && volume_closing_number(target) == order->number)
		volume_merge(target);
	return 0;
}

static int forget_there(void *arg)
{
	const struct order *order = arg;
	struct volume_target *target = order->leg->target;

	if (target && volume_closing_number(target) == order->number)
		volume_forget(target);
	return 0;
}

/* The far side has restarted: what it held unprepared is gone. */
static int reconnect_there(void *arg)
{
	struct leg *leg = ((struct order *)arg)->leg;
	uint64_t closing;

	if (!leg->target)
		return 0;
	closing = volume_closing_number(leg->target);
	if (closing != 0 && leg->prepared != closing && leg->committed < closing)
		volume_merge(leg->target);
	volume_resend_open(leg->target);
	return 0;
}

static bool is_there(struct leg *leg, uint64_t number)
{
	return leg->target && volume_closing_number(leg->target) == number;
}

/* ---- messages: an order that arrives late ---- */

struct message {
	struct order order;
	int (*fn)(void *arg);
	int64_t delay_ns;
};

static void carry(void *arg)
{
	struct message *message = arg;

	int rc;

	do {	/* any message may get lost, but not at the end */
		delay(message->delay_ns);
		rc = sim_call(message->order.leg->site->system, message->fn, &message->order);
	} while (rc == -ENOMEM && scene.quiet);
	mem_free(message);
}

static void post(struct leg *leg, int (*fn)(void *arg), uint64_t number, uint64_t exists, int64_t delay_ns)
{
	struct message *message = mem_alloc_zeroed(sizeof(*message));

	message->order = (struct order) { .leg = leg, .number = number, .exists = exists };
	message->fn = fn;
	message->delay_ns = delay_ns;
	start(&scene.messages, "message", carry, message);
}

static void post_to_all(const struct session *session, int (*fn)(void *arg), uint64_t number, uint64_t exists,
			int64_t delay_ns)
{
	for (unsigned s = 0; s < scene.site_count; s++)
		post(&scene.sites[s].legs[session->index], fn, number, exists, delay_ns);
}

/* ---- the master ---- */

/* Until all sites say so, or the time is up. */
static bool wait_for_all(const struct session *session, bool (*says)(struct leg *leg, uint64_t number),
			 uint64_t number, int64_t limit_ns)
{
	int64_t until_ns = rt_now_ns() + limit_ns;

	for (;;) {
		bool all = true;

		for (unsigned s = 0; s < scene.site_count; s++)
			all = all && says(&scene.sites[s].legs[session->index], number);
		if (all || rt_now_ns() >= until_ns)
			return all;
		delay(100 * RT_US);
	}
}

static bool says_drained(struct leg *leg, uint64_t number)
{
	if (leg->drained != number && is_there(leg, number) && leg->released == number &&
	    volume_is_drained(leg->target))
		leg->drained = number;
	return leg->drained == number;
}

/* Goes through the source, which knows whether it is still in the attempt, and over its present connection. */
static bool prepare(const struct session *session, struct leg *leg, uint64_t number)
{
	unsigned generation = leg->generation;

	delay(200 * RT_US);
	if (!is_there(leg, number) || leg->drained != number || !leg->up || generation != leg->generation)
		return false;
	delay(200 * RT_US);
	if (generation != leg->generation || number <= leg->prepared || number <= leg->committed)
		return false;
	leg->prepared = number;
	check(session);
	return true;
}

static void commit(const struct session *session, struct leg *leg)
{
	delay(200 * RT_US);
	for (unsigned block = 0; block < BLOCKS; block++)
		leg->image[block] = shown(leg, block, leg->prepared);
	memset(leg->pending, 0, (leg->prepared + 1) * sizeof(leg->pending[0]));
	leg->committed = leg->prepared;
	leg->prepared = 0;
	check(session);
}

static bool form_group(const struct session *session, uint64_t number)
{
	bool patient = scene.quiet;

	post_to_all(session, close_there, number, session->reported, 600 * RT_US);
	if (!wait_for_all(session, is_there, number, patient ? RT_SECOND : (int64_t)below(3 * RT_MS)))
		return false;
	post_to_all(session, release_there, number, 0, 600 * RT_US);
	if (!wait_for_all(session, says_drained, number, patient ? RT_SECOND : (int64_t)below(20 * RT_MS)))
		return false;
	for (unsigned s = 0; s < scene.site_count; s++)
		if (!prepare(session, &scene.sites[s].legs[session->index], number))
			return false;
	return true;
}

static void abort_attempt(const struct session *session, uint64_t number)
{
	post_to_all(session, merge_there, number, 0, 600 * RT_US);
	for (unsigned s = 0; s < scene.site_count; s++)
		if (scene.sites[s].legs[session->index].prepared == number)
			scene.sites[s].legs[session->index].prepared = 0;
	scenario_count("attempts aborted", 1);
}

/* One attempt. True: the CG exists. */
static bool attempt(struct session *session)
{
	uint64_t number = session->attempt + 1 + below(2);

	if (number >= TAGS - 1) {
		sim_fail(sim_world(), "no end of attempts");
		return false;
	}
	session->attempt = number;
	for (unsigned c = 0; c < CHAINS; c++)
		session->answered_at[number][c] = scene.chains[c].answered;
	if (!form_group(session, number)) {
		abort_attempt(session, number);
		return false;
	}
	for (unsigned s = 0; s < scene.site_count; s++)
		commit(session, &scene.sites[s].legs[session->index]);
	session->reported = number;
	scenario_count("CGs committed", 1);
	check(session);
	if (scene.quiet || below(2) == 0)	/* or with the next close */
		post_to_all(session, forget_there, number, 0, 500 * RT_US);
	return true;
}

/* ---- faults ---- */

/* The site leaves the attempt by its own timer. */
static void strike(struct leg *leg)
{
	struct order order = { .leg = leg, .number = leg->attempt_seen };

	scenario_count("sources timed out", 1);
	(void)!sim_call(leg->site->system, merge_there, &order);
}

static void restart_far_side(struct leg *leg)
{
	struct order order = { .leg = leg };

	scenario_count("far sides restarted", 1);
	leg->up = false;
	leg->generation++;
	for (uint64_t tag = leg->prepared + 1; tag < TAGS; tag++)
		memset(leg->pending[tag], 0, sizeof(leg->pending[tag]));
	if (leg->prepared == 0)
		memset(leg->pending, 0, TAGS * sizeof(leg->pending[0]));
	while (leg->flying > 0)
		delay(300 * RT_US);
	while (sim_call(leg->site->system, reconnect_there, &order) == -ENOMEM)
		delay(RT_MS);
	leg->up = leg->target != NULL;
}

/* The process dies; the page cache stays. It starts again from its dirty log. */
static void die(struct site *site)
{
	site->up = false;
	sim_crash(site->system, SIM_DEATH);
	site->volume = NULL;
	for (unsigned i = 0; i < SESSIONS_MAX; i++) {
		struct leg *leg = &site->legs[i];

		leg->up = false;
		leg->generation++;
		leg->target = NULL;
		leg->drained = 0;
		leg->released = 0;
	}
	delay(2 * RT_MS);
	boot(site);
}

static void trouble(void *arg)
{
	(void)arg;
	while (!scene.quiet) {
		struct site *site = &scene.sites[below(scene.site_count)];
		struct leg *leg = &site->legs[below(scene.session_count)];

		delay(3 * RT_MS);
		switch (below(30)) {
		case 0 ... 11:
			strike(leg);
			break;
		case 12 ... 20:
			scenario_count("links cut", 1);
			leg->generation++;
			break;
		case 21 ... 26:
			restart_far_side(leg);
			break;
		case 27:
			die(site);
			break;
		default:
			break;
		}
	}
}

/* ---- the end: both sides are equal, nothing is needed any more ---- */

static int inspect_there(void *arg)
{
	struct site *site = arg;
	struct volume_counters counters;
	uint8_t data[XDC_BLOCK_SIZE];
	uint64_t value;

	for (unsigned block = 0; block < BLOCKS; block++) {
		if (volume_read(site->volume, data, sizeof(data), offset_of(block)) != 0)
			return -EIO;
		memcpy(&value, data, sizeof(value));
		for (unsigned i = 0; i < scene.session_count; i++)
			if (value != site->legs[i].image[block])
				scenario_wrong("block %u of site %u: far side %u shows %u, the volume %u", block,
					       site->index, i, (unsigned)site->legs[i].image[block], (unsigned)value);
	}
	volume_get_counters(site->volume, &counters);
	if (counters.open_blocks != 0 || counters.closing_blocks != 0 || counters.sending_blocks != 0)
		scenario_wrong("site %u: blocks are needed after the last CG", site->index);
	if (volume_clean_regions(site->volume) != 0)
		return -EIO;
	if (dirtylog_count(site->log) != 0 || dirtylog_count_whole(site->log) != 0)
		scenario_wrong("site %u: regions stay in the dirty log", site->index);
	scenario_count("collisions kept", counters.collisions_sidefile);
	scenario_count("collisions waited", counters.collisions_waited);
	scenario_count("reads held", counters.held_reads);
	scenario_count("answers held", counters.held_writes);
	return 0;
}

static void finish(void)
{
	scene.quiet = true;
	(void)!rt_group_wait(&scene.faults);
	(void)!rt_group_wait(&scene.messages);
	for (unsigned i = 0; i < scene.session_count; i++)
		while (!sim_failure(sim_world()) && !attempt(&scene.sessions[i]))
			delay(RT_MS);
	(void)!rt_group_wait(&scene.messages);
	for (unsigned s = 0; s < scene.site_count && !sim_failure(sim_world()); s++)
		while (sim_call(scene.sites[s].system, inspect_there, &scene.sites[s]) != 0)
			delay(10 * RT_MS);
	for (unsigned s = 0; s < scene.site_count && !sim_failure(sim_world()); s++)
		if (sim_stop_and_wait(scene.sites[s].system) != 0)
			sim_fail(sim_world(), "site %u does not stop", s);
}

static bool is_busy(void)
{
	for (unsigned c = 0; c < CHAINS; c++)
		if (scene.chains[c].seen < WRITES)
			return true;
	return scene.hosts.count > 0;
}

static void set_scene(void)
{
	memset(&scene, 0, sizeof(scene));
	scene.site_count = 2 + (unsigned)below(SITES_MAX - 1);
	scene.lazy = below(3) == 0;
	scene.applied = below(4) == 0;
	scene.flashed = below(10) == 0;
	scenario_count("in the middle of a cascade", scene.applied);
	scene.session_count = 1 + (below(3) == 0);
	for (unsigned i = 0; i < scene.session_count; i++) {
		scene.sessions[i].index = i;
		scene.sessions[i].begun = i == 0 || below(2) == 0;
	}
	scenario_count("two targets", scene.session_count == 2);
	rt_group_init(&scene.masters);
	rt_group_init(&scene.hosts);
	rt_group_init(&scene.faults);
	rt_group_init(&scene.messages);
	for (unsigned c = 0; c < CHAINS; c++) {
		scene.chains[c].index = c;
		rt_cond_init(&scene.chains[c].changed);
	}
}

/* One that begins late: all systems have its targets before the first attempt. */
static void begin_session(struct session *session)
{
	delay(20 * RT_MS);
	session->begun = true;
	scenario_count("targets added under load", scene.site_count);
	for (unsigned s = 0; s < scene.site_count; s++) {
		struct order order = { .leg = &scene.sites[s].legs[session->index] };

		while (sim_call(order.leg->site->system, begin_there, &order) != 0)
			delay(RT_MS);
	}
}

static void run_master(void *arg)
{
	struct session *session = arg;

	if (!session->begun)
		begin_session(session);
	while (is_busy() && !sim_failure(sim_world())) {
		attempt(session);
		delay(below(4) == 0 ? 3 * RT_MS : 300 * RT_US);
	}
}

static void make_site(unsigned index)
{
	struct site *site = &scene.sites[index];
	char name[16];

	snprintf(name, sizeof(name), "s%u", index);
	site->index = index;
	for (unsigned i = 0; i < scene.session_count; i++) {
		site->legs[i].site = site;
		site->legs[i].session = i;
		site->legs[i].pending = mem_alloc_zeroed(TAGS * sizeof(site->legs[i].pending[0]));
	}
	site->system = sim_add_system(sim_world(), name, 1);
	boot(site);
}

static int run_write_path(void *arg)
{
	(void)arg;
	set_scene();
	for (unsigned s = 0; s < scene.site_count; s++)
		make_site(s);
	for (unsigned c = 0; c < CHAINS; c++)
		start(&scene.hosts, "host", host, &scene.chains[c]);
	start(&scene.faults, "trouble", trouble, NULL);
	for (unsigned i = 0; i < scene.session_count; i++)
		start(&scene.masters, "master", run_master, &scene.sessions[i]);
	(void)!rt_group_wait(&scene.masters);
	finish();
	for (unsigned s = 0; s < scene.site_count; s++)
		for (unsigned i = 0; i < scene.session_count; i++)
			mem_free(scene.sites[s].legs[i].pending);
	return 0;
}

static const char *const must_happen[] = {
	"CGs committed", "zeroes and discards", "attempts aborted", "sources timed out", "links cut", "two targets",
	"targets added under load", "in the middle of a cascade", "far sides restarted", "collisions kept",
	"collisions waited", "FlashCopies anew", "reads held", "answers held", NULL
};

static const char *const rarely_happens[] = {
	"death", NULL
};

const struct scenario scenario_write_path = {
	.name = "write-path",
	.about = "every CG of a made-up coordination is one moment of the dependent writes over two or three systems",
	.until_ns = 100 * RT_SECOND,
	.run = run_write_path,
	.must_happen = must_happen,
	.rarely_happens = rarely_happens,
};
