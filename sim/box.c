/* SPDX-License-Identifier: Apache-2.0 */
#include "box.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copy/pair.h"
#include "rt/mem.h"
#include "scenarios.h"
#include "store/meta.h"
#include "volume/volume.h"

#define STATE		"state"
#define JOURNAL_BYTES	(64u << 20)
#define SIDEFILE_BYTES	(64u << 10)
#define FLASH_LOG_BYTES	(80u << 10)	/* full, and written over, after a few dozen blocks */
#define FLASH_FILES_MAX		4u		/* so few that they are closed and opened again all the time */
#define SEGMENT_BYTES	(2u << 20)	/* at least: the longest frame takes an eighth of one */

/* ---- what runs in the system ---- */

struct serving {
	struct box *box;
	struct rt_listener *listener;
	struct rt_group acceptor, connections;
};

struct connection {
	struct box *box;
	struct rt_stream *stream;
};

static void serve_connection(void *arg)
{
	struct connection connection = *(struct connection *)arg;

	mem_free(arg);
	copy_serve_link(connection.box->copy, connection.stream, NULL);
}

static void accept_all(void *arg)
{
	struct serving *serving = arg;

	while (!rt_cancelled()) {
		struct connection *connection;
		struct rt_stream *stream;

		if (rt_accept(serving->listener, &stream)) {
			if (rt_sleep_until(rt_now_ns() + 10 * RT_MS))
				break;
			continue;
		}
		connection = mem_alloc(sizeof(*connection));
		if (connection) {
			*connection = (struct connection){ .box = serving->box, .stream = stream };
			if (!rt_group_start(&serving->connections, "serve link", serve_connection, connection))
				continue;
		}
		mem_free(connection);
		rt_stream_close(stream);
	}
}

static struct rt_reactor *reactor_of(unsigned index)
{
	return rt_reactor(index % rt_reactor_count());
}

/* ---- what volumes have lost ---- */

static int index_of(const struct box *box, uint16_t id)
{
	for (unsigned i = 0; i < box->volume_count; i++) {
		if (box->volumes[i] == id)
			return (int)i;
	}
	return -1;
}

static struct copy_losses get_losses(void *arg, uint16_t id)
{
	struct box *box = arg;
	int index = index_of(box, id);

	return index < 0 ? (struct copy_losses){ 0 } : box->losses[index];
}

static void end_losses(void *arg, uint16_t id)
{
	struct box *box = arg;
	int index = index_of(box, id);

	if (index >= 0)
		box->losses[index] = (struct copy_losses){ 0 };
}

static void sync_has_failed(void *arg)
{
	struct copy_losses *losses = arg;

	if (!losses->sync_wall_ns)
		losses->sync_wall_ns = rt_wall_ns();
}

/* After a loss of power: what hosts wrote to a volume of cache writeback may be gone. */
static void mark_lost(struct box *box)
{
	uint8_t boot_id[16];

	rt_kernel_boot_id(boot_id);
	for (unsigned i = 0; i < box->volume_count; i++) {
		if (box->written[i] && box->cache == CACHE_WRITEBACK && !box->losses[i].power_wall_ns &&
		    memcmp(boot_id, box->kernel_boot_id, sizeof(boot_id)) != 0)
			box->losses[i].power_wall_ns = rt_wall_ns();
	}
	memcpy(box->kernel_boot_id, boot_id, sizeof(boot_id));
}

static int accept_loss(void *arg)
{
	return volume_accept_loss(arg);
}

static int accept_all_losses(void *arg)
{
	struct box *box = arg;
	int rc = box->ready ? 0 : -ECONNABORTED;

	for (unsigned i = 0; i < box->volume_count && !rc; i++) {
		struct copy_losses before = box->losses[i];

		if (before.sync_wall_ns)
			copy_before_accept(box->copy, box->volumes[i]);
		box->losses[i] = (struct copy_losses){ 0 };
		if (before.sync_wall_ns)
			rc = rt_call(reactor_of(i), accept_loss, box->open[i]);
		if (rc)
			box->losses[i] = before;
	}
	box->lost = box->lost && rc;
	return rc;
}

int box_accept_losses(struct box *box)
{
	return box_call(box, accept_all_losses, box);
}

/* ---- volumes ---- */

struct open_order {
	struct box *box;
	unsigned index;
};

unsigned box_practice_of(unsigned volume)
{
	return BOX_VOLUMES_MAX + volume;
}

static uint16_t id_at(const struct box *box, unsigned index)
{
	return index < BOX_VOLUMES_MAX ? box->volumes[index] : box->volumes[index - BOX_VOLUMES_MAX] | 0x80;
}

static void fill_path(const struct box *box, unsigned index, char path[64])
{
	snprintf(path, 64, "pool/%04X.vol", id_at(box, index));
}

static int open_volume(void *arg)
{
	struct open_order *order = arg;
	struct box *box = order->box;
	char path[64];
	struct vdisk_options disk_options = {
		.kind = POOL_DIR, .cache = box->cache, .path = path, .size = box->volume_bytes,
		.failed = box->losses[order->index].sync_wall_ns != 0,
		.sync_failed = sync_has_failed, .sync_failed_arg = &box->losses[order->index],
	};
	struct volume_options options = {
		.id = id_at(box, order->index), .sidefile_bytes = SIDEFILE_BYTES, .sidefile_wait_ms = 500,
		.loads = box->loads,
	};
	int rc;

	fill_path(box, order->index, path);
	rc = vdisk_create(&disk_options);
	if (rc && rc != -EEXIST)
		return rc;
	rc = vdisk_open(&disk_options, &options.disk);
	if (rc)
		return rc;
	rc = volume_open(&options, &box->open[order->index]);
	if (!rc)
		rc = volume_set_access(box->open[order->index],
				       order->index < BOX_VOLUMES_MAX ? VOLUME_ACCESS_WRITE : VOLUME_ACCESS_NONE);
	return rc;
}

static int close_volume(void *arg)
{
	volume_close(arg);
	return 0;
}

static int open_volumes(struct box *box)
{
	int rc = rt_path_make_folder("pool");

	if (rc == -EEXIST)
		rc = 0;
	for (unsigned i = 0; i < box->volume_count && !rc; i++) {
		struct open_order order = { .box = box, .index = i };

		if (!box->away[i])
			rc = rt_call(reactor_of(i), open_volume, &order);
		order.index = box_practice_of(i);
		if (!rc && box->practice[i])
			rc = rt_call(reactor_of(order.index), open_volume, &order);
	}
	return rc;
}

static void close_at(struct box *box, unsigned index)
{
	if (box->open[index] && rt_call(reactor_of(index), close_volume, box->open[index]))
		abort();
	box->open[index] = NULL;
}

static void close_volumes(struct box *box)
{
	for (unsigned i = 0; i < 2 * BOX_VOLUMES_MAX; i++)
		close_at(box, i);
}

static struct volume *find_volume(void *arg, uint16_t id)
{
	struct box *box = arg;

	for (unsigned i = 0; i < box->volume_count; i++) {
		if (box->volumes[i] == id)
			return box->open[i];
		if (box->practice[i] && id_at(box, box_practice_of(i)) == id)
			return box->open[box_practice_of(i)];
	}
	return NULL;
}

static void tell(void *arg, const struct record_event *event)
{
	struct box *box = arg;

	log_line(LOG_NOTICE, "event", "%s: %s: %s", event_kind_names[event->kind], event->object, event->text);
	alarms_note(&box->alarms, event, !box->ready);
}

/* ---- volumes of practice copies ---- */

static int destroy_file(struct box *box, unsigned index)
{
	char path[64];
	struct vdisk_options options = { .kind = POOL_DIR, .cache = box->cache, .path = path };
	int rc;

	fill_path(box, index, path);
	rc = vdisk_destroy(&options);
	return rc == -ENOENT ? 0 : rc;
}

static int make_practice(void *arg, struct copy_practice_volume *wanted, const char *pool, struct fault *fault)
{
	struct box *box = arg;
	int of = index_of(box, wanted->source), rc;
	struct open_order order = { .box = box, .index = box_practice_of((unsigned)of) };

	(void)pool;
	assert(of >= 0 && !box->practice[of]);
	box->losses[order.index] = (struct copy_losses){ 0 };
	/* What a crash has left of another one. */
	rc = destroy_file(box, order.index);
	if (!rc)
		rc = rt_call(reactor_of(order.index), open_volume, &order);
	if (rc)
		return fault_set(fault, FAULT_FAILED, "volume", "", "it cannot be made: %s", strerrordesc_np(-rc));
	box->practice[of] = wanted->session;
	wanted->volume = id_at(box, order.index);
	return 0;
}

static int delete_practice(void *arg, uint16_t volume, struct fault *fault)
{
	struct box *box = arg;
	int of = index_of(box, (uint16_t)(volume & ~0x80)), rc;

	if (of < 0 || !box->practice[of])
		return 0;
	box->practice[of] = 0;
	close_at(box, box_practice_of((unsigned)of));
	rc = destroy_file(box, box_practice_of((unsigned)of));
	return rc ? fault_set(fault, FAULT_FAILED, "volume", "", "it cannot be removed: %s", strerrordesc_np(-rc)) : 0;
}

static bool next_practice(void *arg, uint32_t from, struct copy_practice_volume *out)
{
	const struct box *box = arg;

	for (unsigned i = 0; i < box->volume_count; i++) {
		uint16_t id = id_at(box, box_practice_of(i));

		if (!box->practice[i] || id < from)
			continue;
		*out = (struct copy_practice_volume){ .session = box->practice[i], .volume = id };
		return true;
	}
	return false;
}

static int start_copy(struct box *box)
{
	static const struct copy_limits limits = {
		.rpo_ns = 2 * RT_SECOND, .cg_failures = 3, .journal_percent = 60,
	};
	struct copy_config config = {
		.system = box->id, .state_folder = STATE, .link_address = box->address, .meta = box->meta,
		.find_volume = find_volume, .get_losses = get_losses, .end_losses = end_losses, .find_arg = box,
		.tell = tell, .limits = &limits,
		.make_practice = make_practice, .delete_practice = delete_practice, .next_practice = next_practice,
		.timing = link_timing_default,
		.journal_bytes = box->journal_bytes, .journal_segment_bytes = (uint32_t)(box->journal_bytes / 16),
	};

	config.flash_log_bytes = FLASH_LOG_BYTES;
	config.flash_files_max = FLASH_FILES_MAX;
	if (config.journal_segment_bytes < SEGMENT_BYTES)
		config.journal_segment_bytes = SEGMENT_BYTES;
	rt_random_bytes(config.boot_id, sizeof(config.boot_id));
	alarms_clear(&box->alarms);
	return copy_start(&config, &box->copy);
}

static int serve(struct box *box)
{
	struct serving serving = { .box = box };
	int rc = rt_listen(box->address, &serving.listener);

	if (rc)
		return rc;
	rt_group_init(&serving.acceptor);
	rt_group_init(&serving.connections);
	rc = rt_group_start(&serving.acceptor, "accept links", accept_all, &serving);
	box->ready = !rc;
	if (!rc)
		rc = rt_wait_stop();
	box->ready = false;
	rt_group_stop(&serving.acceptor);
	rt_listener_close(serving.listener);
	/* Ends the connections, those too that are served on other reactors. */
	copy_stop(box->copy);
	box->copy = NULL;
	rt_group_stop(&serving.connections);
	return rc;
}

static int box_main(void *arg)
{
	struct box *box = arg;
	int rc = rt_path_make_folder(STATE);

	if (rc == -EEXIST)
		rc = 0;
	mark_lost(box);
	box->loads = volume_loads_make();
	if (!rc && !box->loads)
		rc = -ENOMEM;
	if (!rc)
		rc = meta_open(STATE, &box->meta);
	if (!rc)
		rc = open_volumes(box);
	if (!rc)
		rc = start_copy(box);
	if (!rc)
		copy_practices_settle(box->copy);
	if (!rc)
		rc = serve(box);
	if (box->copy)
		copy_stop(box->copy);
	box->copy = NULL;
	close_volumes(box);
	meta_close(box->meta);
	box->meta = NULL;
	volume_loads_free(box->loads);
	box->loads = NULL;
	return rc;
}

/* ---- life ---- */

void box_init(struct box *box, const char *name, const char *id, unsigned reactors, uint16_t base, unsigned count,
	      uint64_t bytes, enum cache_mode cache)
{
	assert(count <= BOX_VOLUMES_MAX);
	*box = (struct box){ .volume_count = count, .volume_bytes = bytes, .cache = cache,
			      .journal_bytes = JOURNAL_BYTES };
	snprintf(box->id, sizeof(box->id), "%s", id);
	snprintf(box->address, sizeof(box->address), "%s:7000", name);
	box->system = sim_add_system(sim_world(), name, reactors);
	for (unsigned i = 0; i < count; i++)
		box->volumes[i] = (uint16_t)(base + i);
}

static void forget_memory(struct box *box)
{
	box->copy = NULL;
	box->meta = NULL;
	box->loads = NULL;
	box->ready = false;
	memset(box->open, 0, sizeof(box->open));
}

static int boot_once(struct box *box)
{
	int rc = 0;

	/* Somebody else may have done it while this fiber waited to try again. */
	if (!sim_is_running(box->system)) {
		forget_memory(box);
		box->paused_ns = 0;
		box->boots++;
		sim_boot(box->system, box_main, box);
	}
	/* Nothing in the system may wake a fiber of outside: look at virtual time. */
	while (!box->ready && sim_is_running(box->system) && !rc)
		rc = rt_sleep_until(rt_now_ns() + RT_MS);
	if (rc)
		return rc;
	return box->ready ? 0 : sim_exit_code(box->system) ? sim_exit_code(box->system) : -ECONNABORTED;
}

int box_boot(struct box *box)
{
	unsigned tries = 0;
	int rc;

	do {
		rc = boot_once(box);
	} while (rc && rc != -ECANCELED && scenario_try_again(&tries));
	return rc;
}

int box_stop(struct box *box)
{
	unsigned tries = 0;
	int rc = sim_stop_and_wait(box->system);

	/* What it could not do for the last time does not matter any more. */
	return rc && scenario_try_again(&tries) ? 0 : rc;
}

void box_crash(struct box *box, enum sim_crash how)
{
	sim_crash(box->system, how);
	box->power_losses += how == SIM_POWER_LOSS;
	forget_memory(box);
}

bool box_has_failed(const struct box *box)
{
	for (unsigned i = 0; i < box->volume_count; i++) {
		if (box->losses[i].sync_wall_ns)
			return true;
	}
	return false;
}

bool box_has_lost(const struct box *box)
{
	for (unsigned i = 0; i < box->volume_count; i++) {
		if (box->losses[i].power_wall_ns)
			return true;
	}
	return box_has_failed(box);
}

uint8_t box_lss(const struct box *box)
{
	return (uint8_t)(box->volumes[0] >> 8);
}

/* ---- hosts ---- */

struct io_order {
	struct box *box;
	unsigned index;
	uint64_t offset, len;
	void *data;
	unsigned flags;
	enum { IO_READ, IO_WRITE, IO_ZERO, IO_DISCARD, IO_FLUSH } kind;
};

static int do_io(void *arg)
{
	struct io_order *order = arg;
	struct volume *volume = order->box->open[order->index];

	if (!volume)
		return -ENODEV;
	switch (order->kind) {
	case IO_READ:
		return volume_read(volume, order->data, order->len, order->offset);
	case IO_WRITE:
		return volume_write(volume, order->data, order->len, order->offset, order->flags);
	case IO_ZERO:
		return volume_zero(volume, order->len, order->offset, order->flags);
	case IO_DISCARD:
		return volume_discard(volume, order->len, order->offset, order->flags);
	default:
		return volume_flush(volume);
	}
}

static int in_system(void *arg)
{
	struct io_order *order = arg;

	if (!order->box->ready)
		return -ECONNABORTED;
	return rt_call(reactor_of(order->index), do_io, order);
}

/* The data pass through memory of the simulated system, as a host's would through a socket. */
static int do_write(void *arg)
{
	struct io_order order = *(struct io_order *)arg;
	MEM_OWNED uint8_t *data = mem_alloc_pages(order.len);

	if (!data)
		return -ENOMEM;
	for (uint64_t at = 0; at < order.len; at += XDC_BLOCK_SIZE)
		memcpy(data + at, order.data, XDC_BLOCK_SIZE);
	order.data = data;
	return in_system(&order);
}

static int do_read(void *arg)
{
	struct io_order *asked = arg, order = *asked;
	MEM_OWNED void *data = mem_alloc_pages(XDC_BLOCK_SIZE);
	int rc;

	if (!data)
		return -ENOMEM;
	order.data = data;
	rc = in_system(&order);
	if (!rc)
		memcpy(asked->data, data, XDC_BLOCK_SIZE);
	return rc;
}

int box_write_many(struct box *box, unsigned volume, uint64_t block, uint64_t count, const void *data, unsigned flags)
{
	struct io_order order = {
		.box = box, .index = volume, .offset = block * XDC_BLOCK_SIZE, .len = count * XDC_BLOCK_SIZE,
		.data = (void *)(uintptr_t)data, .flags = flags, .kind = IO_WRITE,
	};

	box->written[volume] = true;
	return sim_call(box->system, do_write, &order);
}

int box_write(struct box *box, unsigned volume, uint64_t block, const void *data, unsigned flags)
{
	return box_write_many(box, volume, block, 1, data, flags);
}

int box_zero(struct box *box, unsigned volume, uint64_t offset, uint64_t len, unsigned flags)
{
	struct io_order order = {
		.box = box, .index = volume, .offset = offset, .len = len, .flags = flags, .kind = IO_ZERO,
	};

	box->written[volume] = true;
	return sim_call(box->system, in_system, &order);
}

int box_discard(struct box *box, unsigned volume, uint64_t offset, uint64_t len, unsigned flags)
{
	struct io_order order = {
		.box = box, .index = volume, .offset = offset, .len = len, .flags = flags, .kind = IO_DISCARD,
	};

	box->written[volume] = true;
	return sim_call(box->system, in_system, &order);
}

int box_read(struct box *box, unsigned volume, uint64_t block, void *data)
{
	struct io_order order = {
		.box = box, .index = volume, .offset = block * XDC_BLOCK_SIZE, .len = XDC_BLOCK_SIZE, .data = data,
		.kind = IO_READ,
	};

	return sim_call(box->system, do_read, &order);
}

int box_flush(struct box *box, unsigned volume)
{
	struct io_order order = { .box = box, .index = volume, .kind = IO_FLUSH };

	return sim_call(box->system, in_system, &order);
}

int box_peek(struct box *box, unsigned volume, uint64_t block, void *data)
{
	char path[64];

	snprintf(path, sizeof(path), "pool/%04X.vol", box->volumes[volume]);
	return sim_peek(box->system, path, data, XDC_BLOCK_SIZE, block * XDC_BLOCK_SIZE);
}

int box_poke(struct box *box, unsigned volume, uint64_t block, const void *data)
{
	char path[64];

	snprintf(path, sizeof(path), "pool/%04X.vol", box->volumes[volume]);
	return sim_poke(box->system, path, data, XDC_BLOCK_SIZE, block * XDC_BLOCK_SIZE);
}

struct hold_order {
	struct box *box;
	unsigned index;
	int64_t longest_ns;
};

static int get_hold(void *arg)
{
	struct hold_order *order = arg;
	struct volume_counters counters;

	if (!order->box->open[order->index])
		return 0;
	volume_get_counters(order->box->open[order->index], &counters);
	if (counters.hold_max_ns > order->longest_ns)
		order->longest_ns = counters.hold_max_ns;
	return 0;
}

static int get_holds(void *arg)
{
	struct hold_order *order = arg;
	int rc = order->box->ready ? 0 : -ECONNABORTED;

	for (; order->index < order->box->volume_count && !rc; order->index++)
		rc = rt_call(reactor_of(order->index), get_hold, order);
	return rc;
}

int box_longest_hold(struct box *box, int64_t *hold_ns)
{
	struct hold_order order = { .box = box };
	int rc = sim_call(box->system, get_holds, &order);

	*hold_ns = order.longest_ns;
	return rc;
}

bool box_is_held(const struct box *box)
{
	for (unsigned i = 0; i < box->volume_count && box->ready && sim_is_running(box->system); i++) {
		if (box->open[i] && volume_is_held(box->open[i]))
			return true;
	}
	return false;
}

bool box_lets_write(const struct box *box, unsigned volume)
{
	return box->ready && sim_is_running(box->system) && box->open[volume] &&
	       volume_get_access(box->open[volume]) == VOLUME_ACCESS_WRITE;
}
