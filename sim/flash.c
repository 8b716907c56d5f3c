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

#include "flash_scene.h"
#include "rt/mem.h"
#include "scenarios.h"
#include "volume/volume.h"

#define COMMANDS	30u

struct flash_scene scene;

uint64_t below(uint64_t bound)
{
	return sim_random_below(sim_world(), bound);
}

void pause_for(int64_t ns)
{
	(void)!rt_sleep_until(rt_now_ns() + (int64_t)below((uint64_t)ns) + 1);
}

bool disk_has_failed(void)
{
	scene.failed = scene.failed || sim_disk_errors(scene.box.system) > 0;
	return scene.failed;
}

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
	unsigned tries = 0;
	int rc;

	scene.busy++;
	scene.on[request->volume]++;
	do {
		rc = sim_call(scene.box.system, in_box, request);
	} while (rc && rc != -ECONNABORTED && !disk_has_failed() && scenario_try_again(&tries));
	scene.on[request->volume]--;
	scene.busy--;
	return rc;
}

/* ---- chains ---- */

/*
 * A part of a unit of the chain on some volume; every other time whole blocks. Often of the unit that others are at,
 * each on its volume: copies and what they are copies of.
 */
static void choose_range(unsigned chain, struct request *request)
{
	unsigned unit = below(3) ? scene.unit : (unsigned)below(FLASH_UNITS);
	unsigned first = (unsigned)below(FLASH_UNIT_SECTORS);
	unsigned granule = below(2) ? 1 : FLASH_BLOCK_SECTORS, end;

	if (below(8) == 0)
		scene.unit = (unsigned)below(FLASH_UNITS);
	for (request->volume = 0; flash_owner(request->volume, unit) != chain; request->volume++)
		;
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

		if (request->found[i] != sector->now && !disk_has_failed()) {
			flash_wrong("volume %u, sector %u reads %u where %u was written", request->volume,
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
	if (scene.closed[request.volume] || (is_write(&request) && scene.read_only[request.volume]))
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
		flash_wrong("volume %u: a request is answered %s", request.volume, strerrorname_np(-rc));
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

int read_volume(unsigned volume, uint32_t *found)
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
void read_surely(unsigned volume, uint32_t *found, bool flush)
{
	int rc = -ECONNABORTED;

	while (rc == -ECONNABORTED && !sim_failure(sim_world())) {
		rc = scene.rest ? -ECONNABORTED : read_volume(volume, found);
		if (rc == 0 && flush)
			rc = flush_volume(volume);
		if (rc == -ECONNABORTED)
			pause_for(RT_MS);
	}
	if (rc == 0 || rc == -ECONNABORTED)
		return;
	flash_wrong("volume %u cannot be read: %s", volume, strerrorname_np(-rc));
	scene.unjudged[volume] = true;
}

/* ---- crashes ---- */

static void settle(bool power)
{
	static uint32_t found[FLASH_SECTORS];

	for (unsigned i = 0; i < FLASH_VOLUMES && !sim_failure(sim_world()); i++) {
		const char *wrong;

		if (scene.model.volumes[i].unknown || scene.unjudged[i])
			continue;
		if (read_volume(i, found) != 0) {
			flash_wrong("volume %u cannot be read after a crash", i);
			scene.unjudged[i] = true;
			continue;
		}
		wrong = disk_has_failed() && !power ? flash_settle_failed(&scene.model, i, found) :
			flash_settle(&scene.model, i, found, power);
		if (wrong)
			scenario_wrong("volume %u %s", i, wrong);
	}
	flash_end_crash(&scene.model);
}

static void crash(enum sim_crash how)
{
	scene.rest = true;
	(void)disk_has_failed();	/* what is counted of it goes with the process */
	box_crash(&scene.box, how);
	scene.losses += how == SIM_POWER_LOSS;
	while (scene.busy > 0)
		pause_for(100 * RT_US);
	if (box_boot(&scene.box) != 0)
		flash_wrong("it does not start");
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

/* What was not durable may be gone, as after a loss of power; nothing else is shown. */
static void judge_after_failure(void)
{
	unsigned unjudged = 0;

	settle(false);
	for (unsigned i = 0; i < FLASH_VOLUMES; i++)
		unjudged += scene.unjudged[i];
	scenario_count("runs with a disk that failed", 1);
	scenario_count("volumes that are not judged", unjudged);
}

/* ---- the whole ---- */

static void start(void)
{
	enum cache_mode cache = below(2) ? CACHE_DIRECT : CACHE_WRITEBACK;

	memset(&scene, 0, sizeof(scene));
	scene.model.direct = cache == CACHE_DIRECT;
	box_init(&scene.box, "a1", "2105.A1", 1 + (unsigned)below(3), FLASH_BASE, FLASH_VOLUMES, FLASH_BYTES, cache);
	if (below(2)) {
		sim_set_disk(scene.box.system, "pool", &(struct sim_disk_state) { .clones = true });
		scene.clones = cache == CACHE_WRITEBACK;
	}
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
	for (unsigned i = 0; i < COMMANDS && !sim_failure(sim_world()) && !disk_has_failed(); i++) {
		flash_command();
		pause_for(20 * RT_MS);
	}
	scene.stop = true;
	(void)!rt_group_wait(&faults);
	(void)!rt_group_wait(&scene.chains);
	if (!sim_failure(sim_world()) && disk_has_failed())
		judge_after_failure();
	if (!sim_failure(sim_world()))
		crash(SIM_POWER_LOSS);
	if (!sim_failure(sim_world()) && box_stop(&scene.box) != 0)
		flash_wrong("it does not stop");
	return 0;
}

static const char *const must_happen[] = {
	"requests", "FlashCopies", "FlashCopies withdrawn", "groups", "cascades", "resyncs", "reverses",
	"commits", "reverts", "copies stopped or begun", "clones", "death", "power-loss", NULL
};

static const char *const rarely_happens[] = {
	"FlashCopies that never were", "fast reverses", "clones cut short", NULL
};

const struct scenario scenario_flash = {
	.name = "flash",
	.about = "a FlashCopy equals the moment of its establish and its own writes, whatever crashes when",
	.until_ns = 100 * RT_SECOND,
	.run = run_flash,
	.must_happen = must_happen,
	.rarely_happens = rarely_happens,
};
