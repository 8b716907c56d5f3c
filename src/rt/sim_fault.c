/* SPDX-License-Identifier: Apache-2.0 */
/* Which calls fail, and what has been counted. */
#include <stdlib.h>
#include <string.h>

#include "rt/sim_impl.h"
#include "rt/sim_memory.h"

static const char *const call_names[] = {
	[SIM_ALLOC] = "alloc",
	[SIM_FIBER] = "fiber",
	[SIM_OPEN] = "open",
	[SIM_READ] = "read",
	[SIM_WRITE] = "write",
	[SIM_SYNC] = "sync",
	[SIM_ALLOCATE] = "allocate",
	[SIM_PUNCH] = "punch",
	[SIM_CLONE] = "clone",
	[SIM_SET_SIZE] = "set_size",
	[SIM_CHANGE_NAME] = "change_name",
	[SIM_GET_INFO] = "get_info",
	[SIM_GET_RUN] = "get_run",
	[SIM_SYNC_FOLDER] = "sync_folder",
	[SIM_LISTEN] = "listen",
	[SIM_ACCEPT] = "accept",
	[SIM_CONNECT] = "connect",
	[SIM_SEND] = "send",
	[SIM_RECEIVE] = "receive",
};
_Static_assert(sizeof(call_names) / sizeof(call_names[0]) == SIM_CALL_KINDS, "a name for each kind");

static const char *const fault_names[] = {
	[SIM_FAULT_DEATH] = "death",
	[SIM_FAULT_POWER_LOSS] = "power-loss",
	[SIM_FAULT_PAUSE] = "pause",
	[SIM_FAULT_WALL_JUMP] = "wall-jump",
	[SIM_FAULT_PAGE_LOST] = "page-lost",
	[SIM_FAULT_PAGE_TORN] = "page-torn",
	[SIM_FAULT_NAME_LOST] = "name-lost",
	[SIM_FAULT_READ_ERROR] = "read-error",
	[SIM_FAULT_WRITE_ERROR] = "write-error",
	[SIM_FAULT_SYNC_ERROR] = "sync-error",
	[SIM_FAULT_SYNC_LIE] = "sync-lie",
	[SIM_FAULT_NO_SPACE] = "no-space",
	[SIM_FAULT_CUT] = "cut",
	[SIM_FAULT_BREAK] = "break",
	[SIM_FAULT_REFUSED] = "refused",
	[SIM_FAULT_NTH_CALL] = "nth-call",
};
_Static_assert(sizeof(fault_names) / sizeof(fault_names[0]) == SIM_FAULTS, "a name for each fault");

const char *sim_call_name(enum sim_call_kind kind)
{
	return call_names[kind];
}

const char *sim_fault_name(enum sim_fault fault)
{
	return fault_names[fault];
}

uint64_t sim_fault_count(const struct sim_world *world, enum sim_fault fault)
{
	return world->faults[fault];
}

uint64_t sim_calls(const struct sim_system *system, enum sim_call_kind kind)
{
	return system->calls_made[kind];
}

uint64_t sim_disk_errors(const struct sim_system *system)
{
	return system->disk_errors;
}

void sim_fail_nth(struct sim_system *system, enum sim_call_kind kind, uint64_t n)
{
	system->fail_in[kind] = n;
}

void sim_fail_nth_of_all(struct sim_world *world, enum sim_call_kind kind, uint64_t n)
{
	world->fail_at[kind] = n;
}

uint64_t sim_calls_of_all(const struct sim_world *world, enum sim_call_kind kind)
{
	return world->calls_made[kind];
}

void sim_crash_at_nth(struct sim_system *system, enum sim_call_kind kind, uint64_t n, enum sim_crash how)
{
	system->crash_in[kind] = n;
	system->crash_how = how;
}

bool sim_call_fails(struct sim_system *system, enum sim_call_kind kind)
{
	struct sim_world *world = system->world;
	bool fails = false;

	system->calls_made[kind]++;
	if (system->index != 0)
		fails = ++world->calls_made[kind] == world->fail_at[kind];
	if (system->crash_in[kind] > 0 && --system->crash_in[kind] == 0)
		sim_after(world, &system->crash, sim_rand_between(&world->rand, 0, 20 * RT_US));
	if (system->fail_in[kind] > 0)
		fails |= --system->fail_in[kind] == 0;
	if (fails)
		sim_count_fault(world, SIM_FAULT_NTH_CALL);
	if (fails && kind >= SIM_OPEN && kind <= SIM_SYNC_FOLDER)
		system->disk_errors++;
	return fails;
}

/* ---- disks ---- */

const struct sim_disk_state *sim_disk_state_of(const struct sim_system *system, const char *path)
{
	static const struct sim_disk_state healthy;
	const struct sim_disk_state *state = &healthy;
	size_t longest = 0;

	for (unsigned i = 0; i < system->rule_count; i++) {
		size_t len = strlen(system->rules[i].prefix);

		if (len >= longest && strncmp(path, system->rules[i].prefix, len) == 0) {
			state = &system->rules[i].state;
			longest = len;
		}
	}
	return state;
}

void sim_set_disk(struct sim_system *system, const char *prefix, const struct sim_disk_state *state)
{
	for (unsigned i = 0; i < system->rule_count; i++) {
		if (strcmp(system->rules[i].prefix, prefix) == 0) {
			system->rules[i].state = *state;
			return;
		}
	}
	if (system->rule_count == SIM_DISK_RULES_MAX)
		abort();
	system->rules[system->rule_count++] = (struct sim_disk_rule){ sim_copy_text(prefix), *state };
}

void sim_set_disk_bytes(struct sim_system *system, uint64_t bytes)
{
	system->disk.space.total = bytes / SIM_PAGE_BYTES;
}

int sim_add_device(struct sim_system *system, const char *path, uint64_t bytes)
{
	return sim_names_add_device(&system->disk, path, bytes);
}
