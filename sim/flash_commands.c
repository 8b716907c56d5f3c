/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flash_commands.c - the commands of the scenario flash, in random order, and what has to hold after each of them,
 * whether it was answered or cut short by a crash: then it was done as a whole or not at all.
 */
#include <errno.h>
#include <string.h>

#include "flash_scene.h"
#include "scenarios.h"

/* ---- relations, as the system has them ---- */

struct relations {
	bool is_target[FLASH_VOLUMES];
	unsigned source[FLASH_VOLUMES];
	struct record_flash records[FLASH_VOLUMES];
};

static void note_relation(void *arg, const struct copy_flash_info *info)
{
	struct relations *relations = arg;
	unsigned target = info->record.target - FLASH_BASE;

	if (info->record.state != FLASH_ACTIVE && info->record.state != FLASH_REVERTIBLE)
		flash_wrong("volume %u: its relation is %s", target, flash_state_names[info->record.state]);
	relations->is_target[target] = true;
	relations->source[target] = info->record.source - FLASH_BASE;
	relations->records[target] = info->record;
}

static int list_there(void *arg)
{
	struct fault fault;

	if (!scene.box.ready)
		return -ECONNABORTED;
	return copy_flash_each(scene.box.copy, note_relation, arg, &fault) ? -ECONNABORTED : 0;
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

static bool is_revertible(const struct relations *relations, unsigned target)
{
	return relations->is_target[target] && relations->records[target].state == FLASH_REVERTIBLE;
}

static bool is_source(const struct relations *relations, unsigned volume)
{
	for (unsigned i = 0; i < FLASH_VOLUMES; i++)
		if (relations->is_target[i] && relations->source[i] == volume)
			return true;
	return false;
}

/* ---- commands ---- */

enum command_kind { CREATE, DELETE, RESYNC, REVERSE, COMMIT, REVERT, SET };

struct command {
	enum command_kind kind;
	struct copy_flash_request requests[FLASH_VOLUMES];
	unsigned count;
	struct copy_flash_change change;
};

static unsigned target_of(const struct command *command, unsigned index)
{
	return command->requests[index].target - FLASH_BASE;
}

static unsigned source_of(const struct command *command, unsigned index)
{
	return command->requests[index].source - FLASH_BASE;
}

static int carry_out(const struct command *command, struct fault *fault)
{
	const struct copy_flash_request *first = &command->requests[0];
	struct copy *copy = scene.box.copy;
	uint16_t restored;

	switch (command->kind) {
	case CREATE:
		return copy_flash_create(copy, command->requests, command->count, fault);
	case DELETE:
		return copy_flash_delete(copy, first->target, true, fault);
	case RESYNC:
		return copy_flash_resync(copy, first->target, first->revertible, first->sequence, fault);
	case REVERSE:
		return copy_flash_reverse(copy, first->target, &restored, fault);
	case COMMIT:
		return copy_flash_commit(copy, first->target, first->sequence, fault);
	case SET:
		return copy_flash_set(copy, first->target, &command->change, fault);
	default:
		return copy_flash_revert(copy, first->target, first->sequence, fault);
	}
}

static int command_there(void *arg)
{
	struct command *command = arg;
	struct fault fault = { 0 };
	int rc;

	if (!scene.box.ready)
		return -ECONNABORTED;
	rc = carry_out(command, &fault);
	if (rc)
		log_line(LOG_NOTICE, "command", "%s: %s", fault.object, fault.message);
	return rc;
}

static int give(struct command *command)
{
	unsigned tries = 0;
	int rc;

	scene.busy++;
	do {
		rc = sim_call(scene.box.system, command_there, command);
	} while (rc && rc != -ECONNABORTED && !disk_has_failed() && scenario_try_again(&tries));
	scene.busy--;
	return rc;
}

/* No host has it, and what it holds is not the model's until it is learned; what a crash before has left of it is. */
static void close_volume(unsigned volume)
{
	scene.closed[volume] = true;
	while (scene.rest || scene.on[volume] > 0 || flash_has_pending(&scene.model, volume))
		pause_for(100 * RT_US);
	scene.model.volumes[volume].unknown = true;
	scene.losses_closed[volume] = scene.losses;
}

static void open_volume(unsigned volume)
{
	scene.model.volumes[volume].unknown = false;
	scene.closed[volume] = false;
}

/* A command that the disk made fail may leave anything. */
static void misjudged(unsigned volume, const char *what, const char *wrong)
{
	flash_wrong("volume %u, %s, %s", volume, what, wrong);
	scene.unjudged[volume] = true;
}

/* Nothing of it is unflushed; as it is now a revert brings it back. */
static void save_volume(unsigned volume)
{
	static uint32_t found[FLASH_SECTORS];
	const char *wrong;

	read_surely(volume, found, true);
	wrong = flash_settle(&scene.model, volume, found, scene.losses != scene.losses_closed[volume]);
	if (wrong)
		misjudged(volume, "which a command closed", wrong);
	/* Whatever it was then, it is on the disk now. */
	read_surely(volume, found, true);
	flash_learn(&scene.model, volume, found);
	scene.model.volumes[volume].unknown = true;
	memcpy(scene.saved[volume], found, sizeof(found));
}

/* No host writes it; those that have begun to are done. */
static void stop_writes(unsigned volume)
{
	scene.read_only[volume] = true;
	while (scene.on[volume] > 0 || flash_has_pending(&scene.model, volume))
		pause_for(100 * RT_US);
}

/* As the relations are now, whatever a command was to do. */
static void note_read_only(const struct relations *relations)
{
	for (unsigned i = 0; i < FLASH_VOLUMES; i++)
		scene.read_only[i] = false;
	for (unsigned i = 0; i < FLASH_VOLUMES; i++)
		if (is_revertible(relations, i))
			scene.read_only[i] = scene.read_only[relations->source[i]] = true;
}

/*
 * No crash may change it: it holds what it held when it was closed, but for what a loss of power may take. Whoever
 * judges opens it at once: the next crash finds it in the model.
 */
static void judge_same(unsigned volume)
{
	static uint32_t found[FLASH_SECTORS];
	const char *wrong;

	read_surely(volume, found, false);
	wrong = flash_settle(&scene.model, volume, found, scene.losses != scene.losses_closed[volume]);
	if (wrong)
		misjudged(volume, "which a command did not change", wrong);
}

/* It shows exactly this, and durably. */
static void judge_shows(unsigned volume, const uint32_t *wanted, const char *what)
{
	static uint32_t found[FLASH_SECTORS];

	read_surely(volume, found, false);
	if (memcmp(found, wanted, sizeof(found)) != 0)
		flash_wrong("volume %u does not show %s", volume, what);
	flash_learn(&scene.model, volume, found);
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
	bool plain = scene.clones && below(2), revertible = !plain && below(5) == 0;

	for (unsigned tries = 0; tries < 8 && command->count < wanted; tries++) {
		unsigned target = (unsigned)below(FLASH_VOLUMES), source = (unsigned)below(FLASH_VOLUMES);

		if (relations->is_target[target] || is_source(relations, target) || !fits(command, source, target) ||
		    scene.read_only[source] || scene.closed[source] || scene.closed[target])
			continue;
		scenario_count("cascades", relations->is_target[source]);
		command->requests[command->count++] = (struct copy_flash_request) {
			.source = (uint16_t)(FLASH_BASE + source), .target = (uint16_t)(FLASH_BASE + target),
			.no_copy = !plain && below(3) > 0, .persistent = !plain && below(2) == 0,
			.record = !plain && below(2) == 0,
			.revertible = revertible, .sequence = below(2),
			.priority = (enum copy_priority)below(COPY_PRIORITY_COUNT),
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
		flash_wrong("a target, volume %u, %s", target_of(command, 0), wrong);
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

static bool is_empty(const uint32_t *found)
{
	for (unsigned i = 0; i < FLASH_SECTORS; i++)
		if (found[i] != 0)
			return false;
	return true;
}

/* It may be over already: a whole copy. */
static bool ends_itself(const struct copy_flash_request *request)
{
	return !request->no_copy && !request->persistent && !request->record && !request->revertible;
}

/* It is over when it is established: the target shares the space of its source. */
static bool is_clone(const struct relations *before, const struct copy_flash_request *request)
{
	return scene.clones && ends_itself(request) && !before->is_target[request->source - FLASH_BASE];
}

/*
 * All were to be clones, and a crash cut that short: they are, all of them; or each is empty, or as it was.
 */
static void judge_clones(const struct command *command)
{
	static uint32_t found[FLASH_VOLUMES][FLASH_SECTORS];
	struct flash_copy copies[FLASH_VOLUMES];
	bool same = true;

	for (unsigned i = 0; i < command->count; i++) {
		unsigned target = target_of(command, i);

		copies[i] = (struct flash_copy) { .source = source_of(command, i), .found = found[i] };
		read_surely(target, found[i], true);
		same = same && (is_empty(found[i]) ||
			memcmp(found[i], scene.saved[target], sizeof(found[i])) == 0);
		flash_learn(&scene.model, target, found[i]);
	}
	if (!same && flash_judge(&scene.model, copies, command->count))
		flash_wrong("a clone, volume %u, was cut short and is neither whole, nor empty, nor as it was",
			       target_of(command, 0));
	scenario_count("clones cut short", command->count);
}

static void create(const struct relations *before)
{
	struct command command = { .count = 0 };
	unsigned there = 0, clones = 0, over = 0;
	struct relations after;
	int rc;

	choose_create(before, &command);
	if (command.count == 0)
		return;
	for (unsigned i = 0; i < command.count; i++) {
		close_volume(target_of(&command, i));
		clones += is_clone(before, &command.requests[i]);
		if (command.requests[i].revertible || is_clone(before, &command.requests[i]))
			save_volume(target_of(&command, i));
		if (command.requests[i].revertible)
			stop_writes(source_of(&command, i));
	}
	flash_begin_moment(&scene.model);
	rc = give(&command);
	flash_end_moment(&scene.model);
	look(&after);
	for (unsigned i = 0; i < command.count; i++) {
		there += after.is_target[target_of(&command, i)];
		over += !after.is_target[target_of(&command, i)] && ends_itself(&command.requests[i]);
	}
	if (rc == -1)
		flash_wrong("a command fails");
	if (rc != 0 && there != 0 && there + over < command.count)
		flash_wrong("of %u relations of one command there are %u", command.count - clones, there);
	scenario_count("clones", rc == 0 ? clones : 0);
	if (rc == 0 || there > 0)
		judge_targets(&command);
	else if (clones == command.count)
		judge_clones(&command);
	else
		learn_targets(&command);
	note_read_only(&after);
	for (unsigned i = 0; i < command.count; i++)
		open_volume(target_of(&command, i));
}

/* ---- withdraw ---- */

/* A target that was copied as a whole, or still is one, has what it had; else it is empty. */
static void withdraw(const struct relations *relations)
{
	static uint32_t found[FLASH_SECTORS];
	struct command command = { .kind = DELETE, .count = 1 };
	unsigned target = (unsigned)below(FLASH_VOLUMES);
	const char *wrong;

	if (!relations->is_target[target] || is_source(relations, target) || is_revertible(relations, target))
		return;
	command.requests[0].target = (uint16_t)(FLASH_BASE + target);
	close_volume(target);
	(void)!give(&command);		/* its copy may have ended it just before */
	read_surely(target, found, false);
	if (is_empty(found)) {
		flash_learn(&scene.model, target, found);
	} else {
		wrong = flash_settle(&scene.model, target, found, scene.losses != scene.losses_closed[target]);
		if (wrong)
			misjudged(target, "no target any more", wrong);
	}
	open_volume(target);
	scenario_count("FlashCopies withdrawn", 1);
}

/* ---- resync ---- */

/* True when it shows its source anew, and both may be written. */
static bool resync_one(const struct relations *before, unsigned target)
{
	struct command command = { .kind = RESYNC, .count = 1 };
	struct copy_flash_request *request = &command.requests[0];
	struct relations after;
	int rc;

	if (!before->is_target[target] || is_source(before, target) || is_revertible(before, target) ||
	    !before->records[target].record)
		return false;
	*request = (struct copy_flash_request) {
		.source = (uint16_t)(FLASH_BASE + before->source[target]), .target = (uint16_t)(FLASH_BASE + target),
		.revertible = below(3) == 0, .sequence = below(2),
	};
	close_volume(target);
	if (request->revertible) {
		save_volume(target);
		stop_writes(before->source[target]);
	}
	flash_begin_moment(&scene.model);
	rc = give(&command);
	flash_end_moment(&scene.model);
	look(&after);
	if (rc == -1)
		flash_wrong("a resync fails");
	if (memcmp(after.records[target].map, before->records[target].map, XDC_UUID_LEN) != 0)
		judge_targets(&command);
	else
		judge_same(target);
	scenario_count("resyncs", rc == 0);
	note_read_only(&after);
	open_volume(target);
	return rc == 0 && !request->revertible;
}

/* Mostly again after a moment, when what chains had not written is copied and they write it while its map is made. */
static void resync(const struct relations *before)
{
	unsigned target = (unsigned)below(FLASH_VOLUMES);
	struct relations now = *before;

	for (unsigned i = 0; i < 3 && resync_one(&now, target) && below(4); i++) {
		pause_for(40 * RT_MS);
		look(&now);
	}
}

/* ---- commit and revert ---- */

static void decide(const struct relations *before)
{
	unsigned target = (unsigned)below(FLASH_VOLUMES);
	struct command command = { .kind = below(2) ? COMMIT : REVERT, .count = 1 };
	struct relations after;
	int rc;

	if (!is_revertible(before, target))
		return;
	command.requests[0].target = (uint16_t)(FLASH_BASE + target);
	command.requests[0].sequence = below(2) ? before->records[target].sequence : 0;
	close_volume(target);
	rc = give(&command);
	look(&after);
	if (rc == -1)
		flash_wrong("it cannot be committed or reverted");
	if (command.kind == REVERT && !is_revertible(&after, target))
		judge_shows(target, scene.saved[target], "what it was before");
	else
		judge_same(target);
	scenario_count("commits", command.kind == COMMIT && rc == 0);
	scenario_count("reverts", command.kind == REVERT && rc == 0);
	note_read_only(&after);
	open_volume(target);
}

/* ---- reverse ---- */

/* It gives back what it had kept, and is empty when that is done. */
static void learn_given_back(const struct relations *relations)
{
	static uint32_t found[FLASH_SECTORS];

	for (unsigned i = 0; i < FLASH_VOLUMES; i++) {
		if (!scene.giving_back[i] || is_source(relations, i))
			continue;
		read_surely(i, found, false);
		if (!is_empty(found))
			flash_wrong("volume %u has given all back, and is not empty", i);
		flash_learn(&scene.model, i, found);
		scene.giving_back[i] = false;
		open_volume(i);
		scenario_count("fast reverses", 1);
	}
}

/* The relation may be over already when it is looked at; what became of the former target shows it. */
static void judge_former(unsigned target, const struct relations *after, const uint32_t *shown)
{
	static uint32_t found[FLASH_SECTORS];

	if (is_source(after, target)) {
		for (unsigned i = 0; i < FLASH_VOLUMES; i++)
			scene.giving_back[target] |= after->is_target[i] && after->source[i] == target &&
				after->records[i].restore;
		if (scene.giving_back[target])
			return;
	}
	read_surely(target, found, false);
	if (!is_empty(found) && memcmp(found, shown, sizeof(found)) != 0)
		flash_wrong("volume %u has neither kept what it had nor given it back", target);
	flash_learn(&scene.model, target, found);
	open_volume(target);
}

/* After a crash. Either relation may have ended by itself when all was copied: then the former source says it. */
static bool was_reversed(const struct relations *after, unsigned source, unsigned target, const uint32_t *shown)
{
	static uint32_t found[FLASH_SECTORS];

	if (after->is_target[source] || after->is_target[target])
		return after->is_target[source] && after->source[source] == target;
	read_surely(source, found, false);
	return memcmp(found, shown, sizeof(found)) == 0;
}

static void reverse(const struct relations *before)
{
	static uint32_t shown[FLASH_SECTORS];
	struct command command = { .kind = REVERSE, .count = 1 };
	unsigned target = (unsigned)below(FLASH_VOLUMES), source = before->source[target];
	struct relations after;
	int rc;

	if (!before->is_target[target] || is_revertible(before, target) || scene.closed[source])
		return;
	command.requests[0].target = (uint16_t)(FLASH_BASE + target);
	close_volume(target);
	close_volume(source);
	save_volume(target);
	memcpy(shown, scene.saved[target], sizeof(shown));
	rc = give(&command);
	look(&after);
	if (rc == 0 || was_reversed(&after, source, target, shown)) {
		judge_shows(source, shown, "what its target showed");
		open_volume(source);
		judge_former(target, &after, shown);
		scenario_count("reverses", 1);
	} else {
		judge_same(source);
		open_volume(source);
		judge_same(target);
		open_volume(target);
	}
}

/* ---- set ---- */

/* The background copy stops or goes on; what either volume shows is the model's all the while. */
static void change(const struct relations *before)
{
	struct command command = { .kind = SET, .count = 1 };
	unsigned target = (unsigned)below(FLASH_VOLUMES);
	const struct record_flash *was = &before->records[target];
	bool stop = below(2);
	struct relations after;
	int rc;

	if (!before->is_target[target] || was->restore)
		return;
	command.requests[0].target = was->target;
	command.change = (struct copy_flash_change) {
		.copying = stop ? COPY_FLASH_STOP : COPY_FLASH_START,
		.has_priority = true, .priority = (enum copy_priority)below(COPY_PRIORITY_COUNT),
	};
	rc = give(&command);
	look(&after);
	/* Its copy may have ended it. */
	if (!after.is_target[target] || memcmp(after.records[target].map, was->map, XDC_UUID_LEN) != 0)
		return;
	if (rc == -1 || (rc == 0 && after.records[target].no_copy != stop))
		flash_wrong("volume %u: its copy cannot be %s", target, stop ? "stopped" : "begun");
	scenario_count("copies stopped or begun", rc == 0 && was->no_copy != stop);
}

/* ---- any ---- */

void flash_command(void)
{
	static void (*const commands[])(const struct relations *relations) = {
		create, create, create, withdraw, resync, resync, reverse, decide, decide, change,
	};
	struct relations relations;

	look(&relations);
	learn_given_back(&relations);
	commands[below(sizeof(commands) / sizeof(commands[0]))](&relations);
}
