/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/sim.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rt/sim_impl.h"
#include "rt/sim_memory.h"

#define FIBERS_MAX	65536u

/* One world runs at a time; stacks stay for the next one, as making them costs more than many a scenario. */
static struct sim_world *current;
static struct fiber_pool pool;
static bool pool_made;

struct fiber_pool *sim_fiber_pool(void)
{
	if (!pool_made)
		core_pool_init(&pool, FIBERS_MAX);
	pool_made = true;
	return &pool;
}

struct sim_world *sim_world(void)
{
	assert(current != NULL);
	return current;
}

struct sim_system *sim_outside(struct sim_world *world)
{
	return world->systems[0];
}

struct sim_system *sim_here(void)
{
	struct rt_reactor *here = core_here();

	return here != NULL ? sim_system_of(here) : sim_outside(sim_world());
}

int64_t sim_now_ns(const struct sim_world *world)
{
	return world->now_ns;
}

uint64_t sim_trace_hash(const struct sim_world *world)
{
	return world->trace_hash;
}

int64_t sim_pick(struct sim_world *world, const struct sim_range *range)
{
	return range->low == range->high ? range->low : sim_rand_between(&world->rand, range->low, range->high);
}

uint64_t sim_random_below(struct sim_world *world, uint64_t bound)
{
	return sim_rand_below(&world->rand, bound);
}

/* ---- waits ---- */

static void wait_event(struct sim_event *event)
{
	struct sim_wait *wait = container_of(event, struct sim_wait, event);

	wait->step(wait);
}

static void wait_interrupted(struct core_wait *core)
{
	struct sim_wait *wait = container_of(core, struct sim_wait, core);

	if (wait->cancelled != NULL)
		wait->cancelled(wait);
}

void sim_wait_begin(struct sim_wait *wait, const char *what)
{
	struct sim_system *system = sim_here();

	*wait = (struct sim_wait){ .event.fn = wait_event, .system = system, .what = what };
	core_wait_init(&wait->core, wait_interrupted);
	list_add_last(&system->waits, &wait->link);
}

int64_t sim_wait_for(struct sim_wait *wait)
{
	return core_suspend(&wait->core);
}

void sim_wait_end(struct sim_wait *wait, int64_t result)
{
	sim_queue_remove(&wait->system->world->queue, &wait->event);
	list_remove(&wait->link);
	core_wake(&wait->core, result);
	sim_need_turn(wait->core.fiber->reactor);
}

static void time_has_passed(struct sim_wait *wait)
{
	sim_wait_end(wait, 0);
}

void sim_pass_time(const char *what, int64_t delay_ns)
{
	struct sim_wait wait;

	sim_wait_begin(&wait, what);
	wait.step = time_has_passed;
	sim_after(wait.system->world, &wait.event, delay_ns);
	(void)sim_wait_for(&wait);
}

/* ---- what reactors ask of the world ---- */

static int64_t backend_now(struct rt_reactor *reactor)
{
	const struct sim_system *system = sim_system_of(reactor);

	return system->world->now_ns + system->clock_ahead_ns;
}

static int64_t backend_wall(struct rt_reactor *reactor)
{
	const struct sim_system *system = sim_system_of(reactor);

	return system->world->now_ns + system->wall_ahead_ns;
}

static void backend_boot_id(struct rt_reactor *reactor, uint8_t id[16])
{
	memcpy(id, sim_system_of(reactor)->boot_id, 16);
}

static void backend_random(struct rt_reactor *reactor, void *buf, size_t len)
{
	struct sim_rand *rand = &sim_system_of(reactor)->world->rand;
	uint8_t *to = buf;

	while (len > 0) {
		uint64_t bits = sim_rand_u64(rand);
		size_t part = len < sizeof(bits) ? len : sizeof(bits);

		memcpy(to, &bits, part);
		to += part;
		len -= part;
	}
}

static void backend_post(struct rt_reactor *to, struct rt_message *message)
{
	if (core_deliver(to, message))
		sim_need_turn(to);
}

static bool backend_allow_fiber(struct rt_reactor *reactor)
{
	return !sim_call_fails(sim_system_of(reactor), SIM_FIBER);
}

static int backend_help(int (*fn)(void *arg), void *arg)
{
	struct sim_world *world = sim_world();
	int rc = fn(arg);

	sim_pass_time("help", sim_pick(world, &world->config.help_ns));
	return rc;
}

const struct rt_backend sim_backend = {
	.now_ns = backend_now,
	.wall_ns = backend_wall,
	.kernel_boot_id = backend_boot_id,
	.random_bytes = backend_random,
	.post = backend_post,
	.allow_fiber = backend_allow_fiber,
	.help = backend_help,
	.file_open = sim_file_open,
	.file_close = sim_file_close,
	.file_read = sim_file_read,
	.file_write = sim_file_write,
	.file_sync = sim_file_sync,
	.file_start_writeout = sim_file_start_writeout,
	.file_drop_cached = sim_file_drop_cached,
	.file_allocate = sim_file_allocate,
	.file_clone = sim_file_clone,
	.file_punch = sim_file_punch,
	.file_set_size = sim_file_set_size,
	.file_get_info = sim_file_get_info,
	.file_get_run = sim_file_get_run,
	.files_max = sim_files_max,
	.path_info = sim_path_info,
	.path_unlink = sim_path_unlink,
	.path_rename = sim_path_rename,
	.path_make_folder = sim_path_make_folder,
	.path_sync_folder = sim_path_sync_folder,
	.path_list = sim_path_list,
	.path_space = sim_path_space,
	.listen = sim_listen,
	.accept = sim_accept,
	.listener_close = sim_listener_close,
	.connect = sim_connect_here,
};

/* ---- the world ---- */

void sim_config_default(struct sim_config *config)
{
	*config = (struct sim_config){
		.turn_ns = { 500, 3 * RT_US },
		.boot_ns = { 5 * RT_MS, 50 * RT_MS },
		.help_ns = { 10 * RT_US, 200 * RT_US },
		.disk_read_ns = { 2 * RT_US, 100 * RT_US },
		.disk_write_ns = { 2 * RT_US, 30 * RT_US },
		.disk_direct_ns = { 30 * RT_US, 150 * RT_US },
		.disk_sync_ns = { 200 * RT_US, 3 * RT_MS },
		.disk_sync_page_ns = 2 * RT_US,
		.disk_name_ns = { 5 * RT_US, 100 * RT_US },
		.net_local_ns = { 5 * RT_US, 30 * RT_US },
		.net_far_ns = { 50 * RT_US, 500 * RT_US },
		.disk_bytes = UINT64_C(64) << 30,
		.net_window_bytes = 1 << 20,
	};
}

static void init_links(struct sim_world *world)
{
	const struct sim_config *config = &world->config;

	for (unsigned from = 0; from < SIM_SYSTEMS_MAX; from++)
		for (unsigned to = 0; to < SIM_SYSTEMS_MAX; to++)
			world->links[from][to].delay_ns = from == to ? config->net_local_ns : config->net_far_ns;
}

struct sim_world *sim_create(uint64_t seed, const struct sim_config *config)
{
	struct sim_world *world = sim_alloc(sizeof(*world));

	assert(current == NULL);
	current = world;
	world->seed = seed;
	world->rand.state = sim_rand_mix(seed + 1);
	if (config != NULL)
		world->config = *config;
	else
		sim_config_default(&world->config);
	init_links(world);
	list_init(&world->connections);
	sim_mem_install(true);
	sim_log_create(world);
	sim_boot(sim_add_system(world, "outside", 1), NULL, NULL);
	return world;
}

struct sim_system *sim_add_system(struct sim_world *world, const char *name, unsigned reactors)
{
	struct sim_system *system = sim_alloc(sizeof(*system));

	assert(world->system_count < SIM_SYSTEMS_MAX);
	assert(reactors >= 1 && reactors <= CORE_REACTORS_MAX);
	assert(name[0] != '\0' && strlen(name) < 64);
	system->index = world->system_count;
	world->systems[world->system_count++] = system;
	sim_system_init(system, world, name, reactors);
	return system;
}

void sim_destroy(struct sim_world *world)
{
	assert(world == current && core_here() == NULL);
	for (unsigned i = world->system_count; i > 0; i--)
		sim_process_end(world->systems[i - 1], SIM_DEATH);
	sim_net_destroy(world);
	for (unsigned i = 0; i < world->system_count; i++)
		sim_system_destroy(world->systems[i]);
	sim_queue_destroy(&world->queue);
	sim_log_destroy(world);
	sim_mem_install(false);
	sim_free(world);
	current = NULL;
}

/* ---- the loop ---- */

struct scenario {
	struct sim_world *world;
	int (*fn)(void *arg);
	void *arg;
};

static void scenario_main(void *arg)
{
	const struct scenario *scenario = arg;
	int rc = scenario->fn(scenario->arg);

	scenario->world->scenario_rc = rc;
	scenario->world->scenario_done = true;
	if (rc != 0)
		sim_fail(scenario->world, "the scenario returned %d", rc);
}

static enum sim_end run_events(struct sim_world *world, int64_t until_ns)
{
	while (!world->scenario_done && sim_failure(world) == NULL) {
		struct sim_event *event = sim_queue_first(&world->queue);

		if (event == NULL)
			return SIM_STUCK;
		if (event->when_ns > until_ns)
			return SIM_TIME_UP;
		sim_queue_remove(&world->queue, event);
		assert(event->when_ns >= world->now_ns);
		world->now_ns = event->when_ns;
		sim_trace(world, (uint64_t)event->when_ns, event->order);
		event->fn(event);
	}
	return sim_failure(world) != NULL ? SIM_FAILED : SIM_DONE;
}

enum sim_end sim_run(struct sim_world *world, int (*scenario)(void *arg), void *arg, int64_t until_ns)
{
	struct scenario run = { .world = world, .fn = scenario, .arg = arg };
	enum sim_end end;
	int rc;

	assert(world == current && core_here() == NULL);
	world->scenario_done = false;
	rc = core_spawn(&sim_outside(world)->reactors[0].core, "scenario", scenario_main, &run);
	assert(rc == 0);
	sim_need_turn(&sim_outside(world)->reactors[0].core);
	end = run_events(world, until_ns);
	if (end == SIM_STUCK)
		sim_fail_waiting(world, "stuck: nothing will ever happen again");
	else if (end == SIM_TIME_UP)
		sim_fail_waiting(world, "the time is up");
	return end;
}
