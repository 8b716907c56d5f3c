/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FlashCopies on one system, in the simulator.
 *
 * Goal: a target shows its source as it was at the moment of establish, with what was written to the target since,
 * and the source shows what was written to the source; always, whatever crashes when. Targets that are established
 * together show one moment of all their sources.
 *
 * Method: full copies. A model has for each sector of each volume what a read shows, and what a crash may leave of it.
 * Chains write, zero, discard, flush and read pieces of any length over all volumes, one request after the other, each
 * chain on sectors of its own. Commands establish and withdraw relations meanwhile; the process dies, the power fails,
 * at any moment or in the middle of the n-th write or sync. What a target shows first has to be its sources after some
 * number of requests of each chain; from there on it is the model's like any other volume.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "box.h"
#include "flash_model.h"
#include "rt/mem.h"
#include "scenarios.h"
#include "volume/volume.h"

#define BASE		0x1500u
#define COMMANDS	12u

static uint64_t below(uint64_t bound)
{
	return sim_random_below(sim_world(), bound);
}

static void pause_for(int64_t ns)
{
	(void)!rt_sleep_until(rt_now_ns() + (int64_t)below((uint64_t)ns) + 1);
}

static struct {
	struct box box;
	struct flash_model model;
	struct rt_group chains;
	bool rest;				/* chains issue nothing */
	bool stop;
	unsigned busy;				/* requests and commands under way */
	unsigned on[FLASH_VOLUMES];		/* requests under way on each volume */
	bool closed[FLASH_VOLUMES];		/* to hosts, by a command */
	unsigned losses;			/* of power */
} scene;

/* ---- requests ---- */

enum request_kind { READ, WRITE, ZERO, DISCARD, FLUSH };

struct request {
	unsigned volume;
	uint64_t offset, len;
	uint32_t value;
	enum request_kind kind;
	unsigned flags;
	uint32_t found[FLASH_UNIT_SECTORS];
};

static int carry_out(struct request *request, struct volume *volume)
{
	MEM_OWNED uint8_t *data = mem_alloc_pages(FLASH_UNIT_SECTORS * XDC_SECTOR_SIZE);
	int rc;

	if (!data)
		return -ENOMEM;
	switch (request->kind) {
	case READ:
		rc = volume_read(volume, data, request->len, request->offset);
		for (uint64_t at = 0; rc == 0 && at < request->len; at += XDC_SECTOR_SIZE)
			request->found[at / XDC_SECTOR_SIZE] = flash_value_of(data + at);
		return rc;
	case WRITE:
		for (uint64_t at = 0; at < request->len; at += XDC_SECTOR_SIZE)
			flash_fill_sector(data + at, request->value);
		return volume_write(volume, data, request->len, request->offset, request->flags);
	case ZERO:
		return volume_zero(volume, request->len, request->offset, request->flags);
	case DISCARD:
		return volume_discard(volume, request->len, request->offset, request->flags);
	default:
		return volume_flush(volume);
	}
}

static int on_reactor(void *arg)
{
	struct request *request = arg;
	struct volume *volume = scene.box.open[request->volume];

	return volume ? carry_out(request, volume) : -ECONNABORTED;
}

static int in_box(void *arg)
{
	struct request *request = arg;
	struct volume *volume = scene.box.ready ? scene.box.open[request->volume] : NULL;

	return volume ? rt_call(volume_reactor(volume), on_reactor, request) : -ECONNABORTED;
}

static int ask(struct request *request)
{
	int rc;

	scene.busy++;
	scene.on[request->volume]++;
	rc = sim_call(scene.box.system, in_box, request);
	scene.on[request->volume]--;
	scene.busy--;
	return rc;
}

/* ---- chains ---- */

/* A part of a unit of the chain on some volume; every other time whole blocks. */
static void choose_range(unsigned chain, struct request *request)
{
	unsigned unit = (unsigned)below(FLASH_UNITS), first = (unsigned)below(FLASH_UNIT_SECTORS);
	unsigned granule = below(2) ? 1 : FLASH_BLOCK_SECTORS, end;

	request->volume = (unsigned)below(FLASH_VOLUMES);
	while (flash_owner(request->volume, unit) != chain)
		unit = (unit + 1) % FLASH_UNITS;
	end = first + 1 + (unsigned)below(FLASH_UNIT_SECTORS - first);
	first -= first % granule;
	end += (granule - end % granule) % granule;
	request->offset = flash_unit_offset(unit) + first * XDC_SECTOR_SIZE;
	request->len = (uint64_t)(end - first) * XDC_SECTOR_SIZE;
}

static void choose(unsigned chain, struct request *request)
{
	static const enum request_kind kinds[] = { READ, READ, READ, WRITE, WRITE, WRITE, WRITE, ZERO, DISCARD, FLUSH };

	choose_range(chain, request);
	request->kind = kinds[below(sizeof(kinds) / sizeof(kinds[0]))];
	request->flags = below(4) == 0 ? VOLUME_FUA : 0;
}

static void judge_read(const struct request *request)
{
	unsigned first = flash_sector_of(request->offset), count = (unsigned)(request->len / XDC_SECTOR_SIZE);

	for (unsigned i = 0; i < count; i++) {
		const struct flash_sector *sector = &scene.model.volumes[request->volume].sectors[first + i];

		if (request->found[i] != sector->now) {
			scenario_wrong("volume %u, sector %u reads %u where %u was written", request->volume,
				       first + i, request->found[i], sector->now);
			return;
		}
	}
}

static bool is_write(const struct request *request)
{
	return request->kind == WRITE || request->kind == ZERO || request->kind == DISCARD;
}

static void judge_answer(unsigned chain, const struct request *request)
{
	scenario_count("requests", 1);
	if (is_write(request))
		flash_end_write(&scene.model, chain, request->flags & VOLUME_FUA);
	else if (request->kind == FLUSH)
		flash_flushed(&scene.model, chain, request->volume);
	else
		judge_read(request);
}

static void issue(unsigned chain)
{
	const struct flash_request *written = NULL;
	struct request request;
	int rc;

	choose(chain, &request);
	if (scene.closed[request.volume])
		return;
	if (is_write(&request)) {
		written = flash_begin_write(&scene.model, chain, request.volume, flash_sector_of(request.offset),
					    (unsigned)(request.len / XDC_SECTOR_SIZE), request.kind != WRITE);
		if (!written)
			return;
		request.value = written->value;
	}
	rc = ask(&request);
	if (rc == 0)
		judge_answer(chain, &request);
	else if (rc != -ECONNABORTED)	/* what a crash does is judged then */
		scenario_wrong("volume %u: a request is answered %s", request.volume, strerrorname_np(-rc));
}

static void run_chain(void *arg)
{
	unsigned chain = (unsigned)(uintptr_t)arg;

	while (!scene.stop && !sim_failure(sim_world())) {
		/* What became of a write at a crash is settled first. */
		if (!scene.rest && scene.box.ready && !scene.model.chains[chain].pending)
			issue(chain);
		pause_for(below(4) ? 200 * RT_US : 3 * RT_MS);
	}
}

/* ---- what volumes show, from outside ---- */

static int read_volume(unsigned volume, uint32_t *found)
{
	int rc = 0;

	for (unsigned unit = 0; rc == 0 && unit < FLASH_UNITS; unit++) {
		struct request request = {
			.kind = READ, .volume = volume, .offset = flash_unit_offset(unit),
			.len = FLASH_UNIT_SECTORS * XDC_SECTOR_SIZE,
		};

		rc = ask(&request);
		memcpy(found + unit * FLASH_UNIT_SECTORS, request.found, sizeof(request.found));
	}
	return rc;
}

static int flush_volume(unsigned volume)
{
	struct request request = { .kind = FLUSH, .volume = volume };

	return ask(&request);
}

/* Again and again, over crashes. */
static void read_surely(unsigned volume, uint32_t *found, bool flush)
{
	int rc = -ECONNABORTED;

	while (rc == -ECONNABORTED && !sim_failure(sim_world())) {
		rc = scene.rest ? -ECONNABORTED : read_volume(volume, found);
		if (rc == 0 && flush)
			rc = flush_volume(volume);
		if (rc == -ECONNABORTED)
			pause_for(RT_MS);
	}
	if (rc != 0 && rc != -ECONNABORTED)
		scenario_wrong("volume %u cannot be read: %s", volume, strerrorname_np(-rc));
}

/* ---- relations, as the system has them ---- */

struct relations {
	bool is_target[FLASH_VOLUMES];
	unsigned source[FLASH_VOLUMES];
};

static void note_relation(void *arg, const struct copy_flash_info *info)
{
	struct relations *relations = arg;
	unsigned target = info->record.target - BASE;

	if (info->record.state != FLASH_ACTIVE)
		scenario_wrong("volume %u: its relation is %s", target, flash_state_names[info->record.state]);
	relations->is_target[target] = true;
	relations->source[target] = info->record.source - BASE;
}

static int list_there(void *arg)
{
	if (!scene.box.ready)
		return -ECONNABORTED;
	copy_flash_each(scene.box.copy, note_relation, arg);
	return 0;
}

static void look(struct relations *relations)
{
	int rc = -ECONNABORTED;

	while (rc && !sim_failure(sim_world())) {
		*relations = (struct relations) { .is_target = { false } };
		rc = scene.rest ? -ECONNABORTED : sim_call(scene.box.system, list_there, relations);
		if (rc)
			pause_for(RT_MS);
	}
}

static bool is_source(const struct relations *relations, unsigned volume)
{
	for (unsigned i = 0; i < FLASH_VOLUMES; i++)
		if (relations->is_target[i] && relations->source[i] == volume)
			return true;
	return false;
}

/* ---- commands ---- */

struct command {
	struct copy_flash_request requests[FLASH_VOLUMES];
	unsigned count;
	bool is_delete;
};

static unsigned target_of(const struct command *command, unsigned index)
{
	return command->requests[index].target - BASE;
}

static unsigned source_of(const struct command *command, unsigned index)
{
	return command->requests[index].source - BASE;
}

static int command_there(void *arg)
{
	struct command *command = arg;
	struct fault fault = { 0 };
	int rc;

	if (!scene.box.ready)
		return -ECONNABORTED;
	rc = command->is_delete ? copy_flash_delete(scene.box.copy, command->requests[0].target, true, &fault) :
		copy_flash_create(scene.box.copy, command->requests, command->count, &fault);
	if (rc)
		log_line(LOG_NOTICE, "command", "%s: %s", fault.object, fault.message);
	return rc;
}

static int give(struct command *command)
{
	int rc;

	scene.busy++;
	rc = sim_call(scene.box.system, command_there, command);
	scene.busy--;
	return rc;
}

/* No host has it, and what it holds is not the model's until it is learned. */
static void close_volume(unsigned volume)
{
	scene.closed[volume] = true;
	while (scene.on[volume] > 0 || flash_has_pending(&scene.model, volume))
		pause_for(100 * RT_US);
	scene.model.volumes[volume].unknown = true;
}

static void open_volume(unsigned volume)
{
	scene.model.volumes[volume].unknown = false;
	scene.closed[volume] = false;
}

/* ---- establish ---- */

/* Within one command no volume is source and target. */
static bool fits(const struct command *command, unsigned source, unsigned target)
{
	for (unsigned i = 0; i < command->count; i++)
		if (target_of(command, i) == target || target_of(command, i) == source ||
		    source_of(command, i) == target)
			return false;
	return source != target;
}

/* One to three targets; whatever is no target yet may become one, and sources may be anything. */
static void choose_create(const struct relations *relations, struct command *command)
{
	unsigned wanted = 1 + (unsigned)below(3);

	for (unsigned tries = 0; tries < 8 && command->count < wanted; tries++) {
		unsigned target = (unsigned)below(FLASH_VOLUMES), source = (unsigned)below(FLASH_VOLUMES);

		if (relations->is_target[target] || is_source(relations, target) || !fits(command, source, target))
			continue;
		scenario_count("cascades", relations->is_target[source]);
		command->requests[command->count++] = (struct copy_flash_request) {
			.source = (uint16_t)(BASE + source), .target = (uint16_t)(BASE + target),
			.no_copy = below(3) > 0, .persistent = below(2) == 0,
		};
	}
}

/* The targets show their sources in one moment since the command was given, and that is what they hold from now on. */
static void judge_targets(const struct command *command)
{
	static uint32_t found[FLASH_VOLUMES][FLASH_SECTORS];
	struct flash_copy copies[FLASH_VOLUMES];
	const char *wrong;

	for (unsigned i = 0; i < command->count; i++) {
		copies[i] = (struct flash_copy) { .source = source_of(command, i), .found = found[i] };
		read_surely(target_of(command, i), found[i], false);
	}
	wrong = flash_judge(&scene.model, copies, command->count);
	if (wrong)
		scenario_wrong("a target, volume %u, %s", target_of(command, 0), wrong);
	for (unsigned i = 0; i < command->count; i++)
		flash_learn(&scene.model, target_of(command, i), found[i]);
	scenario_count("FlashCopies", command->count);
	scenario_count("groups", command->count > 1);
}

/* They are no targets: they hold anything. */
static void learn_targets(const struct command *command)
{
	static uint32_t found[FLASH_SECTORS];

	for (unsigned i = 0; i < command->count; i++) {
		read_surely(target_of(command, i), found, true);
		flash_learn(&scene.model, target_of(command, i), found);
	}
	scenario_count("FlashCopies that never were", command->count);
}

static void create(const struct relations *before)
{
	struct command command = { .count = 0 };
	struct relations after;
	unsigned there = 0;
	int rc;

	choose_create(before, &command);
	if (command.count == 0)
		return;
	for (unsigned i = 0; i < command.count; i++)
		close_volume(target_of(&command, i));
	flash_begin_moment(&scene.model);
	rc = give(&command);
	flash_end_moment(&scene.model);
	look(&after);
	for (unsigned i = 0; i < command.count; i++)
		there += after.is_target[target_of(&command, i)];
	if (rc == -1)
		scenario_wrong("a command fails");
	if (rc != 0 && there != 0 && there != command.count)
		scenario_wrong("of %u relations of one command there are %u", command.count, there);
	if (rc == 0 || there > 0)
		judge_targets(&command);
	else
		learn_targets(&command);
	for (unsigned i = 0; i < command.count; i++)
		open_volume(target_of(&command, i));
}

/* ---- withdraw ---- */

static bool is_empty(const uint32_t *found)
{
	for (unsigned i = 0; i < FLASH_SECTORS; i++)
		if (found[i] != 0)
			return false;
	return true;
}

/* A target that was copied as a whole, or still is one, has what it had; else it is empty. */
static void withdraw(const struct relations *relations)
{
	static uint32_t found[FLASH_SECTORS];
	struct command command = { .count = 1, .is_delete = true };
	unsigned target = (unsigned)below(FLASH_VOLUMES), losses;
	const char *wrong;

	if (!relations->is_target[target] || is_source(relations, target))
		return;
	command.requests[0].target = (uint16_t)(BASE + target);
	close_volume(target);
	losses = scene.losses;
	(void)!give(&command);		/* its copy may have ended it just before */
	read_surely(target, found, false);
	if (is_empty(found)) {
		flash_learn(&scene.model, target, found);
	} else {
		wrong = flash_settle(&scene.model, target, found, scene.losses != losses);
		if (wrong)
			scenario_wrong("volume %u, no target any more, %s", target, wrong);
	}
	open_volume(target);
	scenario_count("FlashCopies withdrawn", 1);
}

/* ---- crashes ---- */

static void settle(bool power)
{
	static uint32_t found[FLASH_SECTORS];

	for (unsigned i = 0; i < FLASH_VOLUMES && !sim_failure(sim_world()); i++) {
		const char *wrong;

		if (scene.model.volumes[i].unknown)
			continue;
		if (read_volume(i, found) != 0) {
			scenario_wrong("volume %u cannot be read after a crash", i);
			return;
		}
		wrong = flash_settle(&scene.model, i, found, power);
		if (wrong)
			scenario_wrong("volume %u %s", i, wrong);
	}
	flash_end_crash(&scene.model);
}

static void crash(enum sim_crash how)
{
	scene.rest = true;
	box_crash(&scene.box, how);
	scene.losses += how == SIM_POWER_LOSS;
	while (scene.busy > 0)
		pause_for(100 * RT_US);
	if (box_boot(&scene.box) != 0)
		scenario_wrong("it does not start");
	settle(how == SIM_POWER_LOSS);
	scene.rest = false;
}

/* In the middle of some call to the disk, or between two. */
static void crash_somewhen(void)
{
	enum sim_crash how = below(2) ? SIM_POWER_LOSS : SIM_DEATH;
	enum sim_call_kind kind = below(2) ? SIM_WRITE : SIM_SYNC;

	pause_for(60 * RT_MS);
	if (below(3) > 0) {
		sim_crash_at_nth(scene.box.system, kind, 1 + below(12), how);
		for (unsigned i = 0; i < 50 && sim_is_running(scene.box.system); i++)
			pause_for(2 * RT_MS);
		sim_crash_at_nth(scene.box.system, kind, 0, how);
	}
	crash(how);
}

static void trouble(void *arg)
{
	(void)arg;
	while (!scene.stop && !sim_failure(sim_world()))
		crash_somewhen();
}

/* ---- the whole ---- */

static void start(void)
{
	enum cache_mode cache = below(2) ? CACHE_DIRECT : CACHE_WRITEBACK;

	memset(&scene, 0, sizeof(scene));
	scene.model.direct = cache == CACHE_DIRECT;
	box_init(&scene.box, "a1", "2105.A1", 1 + (unsigned)below(3), BASE, FLASH_VOLUMES, FLASH_BYTES, cache);
	rt_group_init(&scene.chains);
	if (box_boot(&scene.box) != 0)
		sim_fail(sim_world(), "the system does not start");
	for (uintptr_t i = 0; i < FLASH_CHAINS; i++)
		if (rt_group_start(&scene.chains, "chain", run_chain, (void *)i) != 0)
			sim_fail(sim_world(), "no chain");
}

static int run_flash(void *arg)
{
	struct rt_group faults;

	(void)arg;
	start();
	rt_group_init(&faults);
	if (rt_group_start(&faults, "trouble", trouble, NULL) != 0)
		sim_fail(sim_world(), "no trouble");
	for (unsigned i = 0; i < COMMANDS && !sim_failure(sim_world()); i++) {
		struct relations relations;

		look(&relations);
		if (below(3) > 0)
			create(&relations);
		else
			withdraw(&relations);
		pause_for(40 * RT_MS);
	}
	scene.stop = true;
	(void)!rt_group_wait(&faults);
	(void)!rt_group_wait(&scene.chains);
	if (!sim_failure(sim_world()))
		crash(SIM_POWER_LOSS);
	if (!sim_failure(sim_world()) && box_stop(&scene.box) != 0)
		scenario_wrong("it does not stop");
	return 0;
}

static const char *const must_happen[] = {
	"requests", "FlashCopies", "FlashCopies withdrawn", "groups", "cascades", "death", "power-loss", NULL
};

static const char *const rarely_happens[] = {
	"FlashCopies that never were", NULL
};

const struct scenario scenario_flash = {
	.name = "flash",
	.about = "a FlashCopy equals the moment of its establish and its own writes, whatever crashes when",
	.until_ns = 100 * RT_SECOND,
	.run = run_flash,
	.must_happen = must_happen,
	.rarely_happens = rarely_happens,
};
