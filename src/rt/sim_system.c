/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rt/sim_impl.h"
#include "rt/sim_memory.h"

#define WALL_START_NS	(INT64_C(1750000000) * RT_SECOND)	/* some day in 2025 */

/* ---- turns of reactors ---- */

static bool turn_is_due_by(const struct sim_reactor *reactor, int64_t when_ns)
{
	return sim_event_queued(&reactor->turn) && reactor->turn.when_ns <= when_ns;
}

void sim_need_turn(struct rt_reactor *core)
{
	struct sim_system *system = sim_system_of(core);
	struct sim_reactor *reactor = sim_reactor_of(core);
	int64_t when_ns;

	if (system->paused || core == core_here())
		return;		/* sim_resume, or the end of this turn, looks after it */
	when_ns = system->world->now_ns + sim_pick(system->world, &system->world->config.turn_ns);
	if (!turn_is_due_by(reactor, when_ns))
		sim_queue_set(&system->world->queue, &reactor->turn, when_ns);
}

static void plan_next_turn(struct sim_system *system, struct sim_reactor *reactor)
{
	struct sim_world *world = system->world;
	int64_t timer_ns = core_next_timer(&reactor->core);

	if (core_has_work(&reactor->core)) {
		sim_need_turn(&reactor->core);
	} else if (timer_ns != RT_NEVER) {
		timer_ns -= system->clock_ahead_ns;
		if (timer_ns < world->now_ns)
			timer_ns = world->now_ns;
		if (!turn_is_due_by(reactor, timer_ns))
			sim_queue_set(&world->queue, &reactor->turn, timer_ns);
	}
}

static void reactor_turn(struct sim_event *event)
{
	struct sim_reactor *reactor = container_of(event, struct sim_reactor, turn);
	struct sim_system *system = sim_system_of(&reactor->core);

	if (system->paused)
		return;
	sim_trace(system->world, system->index, reactor->core.index);
	/* Mostly on without a pause, as a real loop does; but never so long that time stands still. */
	do
		(void)core_turn(&reactor->core);
	while (core_has_work(&reactor->core) && sim_rand_below(&system->world->rand, 8) != 0);
	plan_next_turn(system, reactor);
}

void sim_pause(struct sim_system *system)
{
	assert(system->index != 0);
	if (!system->running || system->paused)
		return;
	system->paused = true;
	sim_count_fault(system->world, SIM_FAULT_PAUSE);
	sim_note(system->world, "%s is paused", system->name);
}

void sim_resume(struct sim_system *system)
{
	if (!system->paused)
		return;
	system->paused = false;
	sim_note(system->world, "%s goes on", system->name);
	for (unsigned i = 0; i < system->reactor_count; i++)
		sim_need_turn(&system->reactors[i].core);
}

/* ---- boot ---- */

static void power_on(struct sim_system *system)
{
	struct sim_world *world = system->world;

	if (system->powered)
		return;
	system->powered = true;
	for (unsigned i = 0; i < 16; i++)
		system->boot_id[i] = (uint8_t)sim_rand_u64(&world->rand);
	/* Clocks since boot of two machines have nothing to do with one another. */
	if (system->index != 0)
		system->clock_ahead_ns = sim_rand_between(&world->rand, RT_SECOND, 1000 * RT_SECOND) - world->now_ns;
	sim_net_powered(system);
}

static void main_of_system(void *arg)
{
	struct sim_system *system = arg;

	system->exit_code = system->main(system->main_arg);
	sim_after(system->world, &system->phase, 0);
}

static unsigned count_fibers(const struct sim_system *system)
{
	unsigned count = 0;

	for (unsigned i = 0; i < system->reactor_count; i++)
		count += system->reactors[i].core.fiber_count;
	return count;
}

/* main has returned; a process that ends in order has nothing left. */
static void main_has_returned(struct sim_event *event)
{
	struct sim_system *system = container_of(event, struct sim_system, phase);
	struct sim_world *world = system->world;
	char text[512];

	sim_note(world, "%s has ended with %d", system->name, system->exit_code);
	if (count_fibers(system) > 0) {
		sim_fail_waiting(world, "a system ended with fibers left");
	} else if (!list_empty(&system->files)) {
		sim_fail(world, "%s ended with a file open", system->name);
	} else if (!list_empty(&system->ends) || !list_empty(&system->listeners)) {
		sim_fail(world, "%s ended with a stream or listener open", system->name);
	} else if (system->memory_pieces > 0) {
		sim_mem_describe(system, text, sizeof(text));
		sim_fail(world, "%s ended without freeing its memory: %s", system->name, text);
	}
	sim_process_end(system, SIM_DEATH);
}

static void main_starts(struct sim_event *event)
{
	struct sim_system *system = container_of(event, struct sim_system, phase);
	int rc;

	system->phase.fn = main_has_returned;
	rc = core_spawn(&system->reactors[0].core, "main", main_of_system, system);
	if (rc < 0) {
		system->exit_code = 1;
		sim_after(system->world, &system->phase, 0);
		return;
	}
	sim_need_turn(&system->reactors[0].core);
}

static void make_reactors(struct sim_system *system)
{
	core_system_init(&system->core, &sim_backend);
	system->reactors = sim_alloc(system->reactor_count * sizeof(*system->reactors));
	for (unsigned i = 0; i < system->reactor_count; i++) {
		system->reactors[i].turn.fn = reactor_turn;
		core_reactor_init(&system->reactors[i].core, &system->core, sim_fiber_pool());
	}
}

void sim_boot(struct sim_system *system, int (*main)(void *arg), void *arg)
{
	assert(!system->running);
	power_on(system);
	system->running = true;
	system->paused = false;
	system->exit_code = -ECONNABORTED;
	memset(system->calls_made, 0, sizeof(system->calls_made));
	system->disk_errors = 0;
	make_reactors(system);
	if (system->index == 0)
		return;
	system->main = main;
	system->main_arg = arg;
	system->phase.fn = main_starts;
	sim_after(system->world, &system->phase, sim_pick(system->world, &system->world->config.boot_ns));
	sim_note(system->world, "%s boots", system->name);
}

/* ---- end ---- */

static void drop_waits(struct sim_system *system)
{
	while (!list_empty(&system->waits)) {
		struct sim_wait *wait = list_first(&system->waits, struct sim_wait, link);

		list_remove(&wait->link);
		sim_queue_remove(&system->world->queue, &wait->event);
		if (wait->dropped != NULL)
			wait->dropped(wait);
	}
}

void sim_process_end(struct sim_system *system, enum sim_crash how)
{
	struct sim_world *world = system->world;

	if (!system->running)
		return;
	drop_waits(system);
	sim_calls_abort(system);
	sim_queue_remove(&world->queue, &system->phase);
	sim_queue_remove(&world->queue, &system->crash);
	for (unsigned i = 0; i < system->reactor_count; i++) {
		sim_queue_remove(&world->queue, &system->reactors[i].turn);
		core_reactor_destroy(&system->reactors[i].core);
	}
	sim_free(system->reactors);
	system->reactors = NULL;
	sim_files_close_all(system);
	sim_net_close_all(system, how);
	sim_mem_drop_all(system);
	system->running = false;
	system->paused = false;
	if (system->index != 0) {
		rt_cond_wake_all(&system->end_waiters);
		sim_need_turn(&sim_outside(world)->reactors[0].core);
	}
}

static void lose_power(struct sim_system *system)
{
	struct sim_world *world = system->world;
	struct sim_loss loss = { 0 };
	uint64_t names_lost = 0;

	system->powered = false;
	sim_disk_lose_power(&system->disk, &loss, &names_lost);
	world->faults[SIM_FAULT_PAGE_LOST] += loss.dropped;
	world->faults[SIM_FAULT_PAGE_TORN] += loss.torn;
	world->faults[SIM_FAULT_NAME_LOST] += names_lost;
	sim_trace(world, loss.dropped, loss.torn);
	sim_note(world, "%s: unsynced pages kept %llu, lost %llu, torn %llu; names lost %llu", system->name,
		(unsigned long long)loss.kept, (unsigned long long)loss.dropped, (unsigned long long)loss.torn,
		(unsigned long long)names_lost);
}

void sim_crash(struct sim_system *system, enum sim_crash how)
{
	assert(system->index != 0);
	assert(core_here() == NULL || sim_system_of(core_here()) != system);
	if (!system->powered || (how == SIM_DEATH && !system->running))
		return;
	sim_note(system->world, "%s %s", system->name, how == SIM_DEATH ? "is killed" : "loses power");
	sim_count_fault(system->world, how == SIM_DEATH ? SIM_FAULT_DEATH : SIM_FAULT_POWER_LOSS);
	system->exit_code = -ECONNABORTED;
	sim_process_end(system, how);
	if (how == SIM_POWER_LOSS)
		lose_power(system);
}

static void crash_now(struct sim_event *event)
{
	struct sim_system *system = container_of(event, struct sim_system, crash);

	sim_crash(system, system->crash_how);
}

bool sim_is_running(const struct sim_system *system)
{
	return system->running;
}

int sim_exit_code(const struct sim_system *system)
{
	return system->exit_code;
}

void sim_stop(struct sim_system *system)
{
	if (system->running)
		core_stop(&system->core);
}

int sim_wait_ended(struct sim_system *system)
{
	int rc = 0;

	while (rc == 0 && system->running)
		rc = rt_cond_wait(&system->end_waiters);
	return rc;
}

int sim_stop_and_wait(struct sim_system *system)
{
	int rc;

	sim_stop(system);
	rc = sim_wait_ended(system);
	return rc == 0 ? system->exit_code : rc;
}

void sim_jump_wall(struct sim_system *system, int64_t by_ns)
{
	system->wall_ahead_ns += by_ns;
	sim_count_fault(system->world, SIM_FAULT_WALL_JUMP);
	sim_note(system->world, "%s: wall clock jumps by %lld ms", system->name, (long long)(by_ns / RT_MS));
}

const char *sim_name(const struct sim_system *system)
{
	return system->name;
}

/* ---- calls from outside ---- */

struct call {
	struct list_head link;		/* of the system */
	struct core_wait wait;
	int (*fn)(void *arg);
	void *arg;
};

static void call_ends(struct call *call, int result)
{
	struct rt_reactor *caller = call->wait.fiber->reactor;

	list_remove(&call->link);
	core_wake(&call->wait, result);
	sim_need_turn(caller);
}

static void call_run(void *arg)
{
	struct call *call = arg;

	call_ends(call, call->fn(call->arg));
}

void sim_calls_abort(struct sim_system *system)
{
	while (!list_empty(&system->calls))
		call_ends(list_first(&system->calls, struct call, link), -ECONNABORTED);
}

int sim_call(struct sim_system *system, int (*fn)(void *arg), void *arg)
{
	struct call call = { .fn = fn, .arg = arg };
	RT_SHIELD();
	int rc;

	assert(sim_here()->index == 0);
	if (!system->running)
		return -ECONNABORTED;
	rc = core_spawn(&system->reactors[0].core, "sim_call", call_run, &call);
	if (rc < 0)
		return rc;
	list_add_last(&system->calls, &call.link);
	core_wait_init(&call.wait, NULL);
	sim_need_turn(&system->reactors[0].core);
	return (int)core_suspend(&call.wait);
}

/* ---- creation ---- */

void sim_system_init(struct sim_system *system, struct sim_world *world, const char *name, unsigned reactors)
{
	system->world = world;
	system->name = sim_copy_text(name);
	system->reactor_count = reactors;
	system->wall_ahead_ns = WALL_START_NS;
	system->crash.fn = crash_now;
	sim_disk_init(&system->disk, world->config.disk_bytes, &world->rand);
	rt_cond_init(&system->end_waiters);
	list_init(&system->waits);
	list_init(&system->calls);
	list_init(&system->files);
	list_init(&system->ends);
	list_init(&system->listeners);
	list_init(&system->memory);
}

void sim_system_destroy(struct sim_system *system)
{
	sim_disk_destroy(&system->disk);
	for (unsigned i = 0; i < system->rule_count; i++)
		sim_free(system->rules[i].prefix);
	sim_free(system->name);
	sim_free(system);
}
