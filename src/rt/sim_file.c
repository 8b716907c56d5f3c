/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of simulated systems: what sim_names and sim_content do, at a time and with failures that chance or the
 * scenario choose. A call takes effect at its beginning or at its end, by chance, so all orders of overlapping
 * calls occur.
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "rt/sim_impl.h"
#include "rt/sim_memory.h"

struct sim_file {
	struct rt_file file;
	struct list_head link;		/* of the system */
	struct sim_system *system;
	struct sim_inode *inode;
	char *path;			/* as it was opened, for sim_set_disk */
};

static struct sim_file *sim_file_of(struct rt_file *file)
{
	return container_of(file, struct sim_file, file);
}

static bool coin(struct sim_world *world)
{
	return sim_rand_u64(&world->rand) & 1;
}

static int64_t pick_slowed(struct sim_world *world, const struct sim_range *range, const struct sim_disk_state *state)
{
	return sim_pick(world, range) * (state->slower > 1 ? state->slower : 1);
}

/* Of a call that may fail by count, by the state of the disk, or by chance. */
static bool io_fails(struct sim_system *system, enum sim_call_kind kind, bool broken, uint32_t millionths,
	enum sim_fault fault)
{
	bool fails = sim_call_fails(system, kind);

	fails |= broken;
	if (!fails && system->index != 0)
		fails = sim_rand_chance(&system->world->rand, millionths);
	if (fails)
		sim_count_fault(system->world, fault);
	if (fails)
		system->disk_errors++;
	return fails;
}

static int count_no_space(struct sim_system *system, int rc)
{
	if (rc == -ENOSPC)
		sim_count_fault(system->world, SIM_FAULT_NO_SPACE);
	return rc;
}

/* ---- reading ---- */

static size_t read_now(const struct sim_file *file, void *buf, size_t len, uint64_t offset)
{
	const struct sim_content *content = &file->inode->content;

	if (offset >= content->size)
		return 0;
	if (len > content->size - offset)
		len = (size_t)(content->size - offset);
	sim_content_read(content, buf, len, offset, file->file.flags & RT_FILE_DIRECT);
	return len;
}

ssize_t sim_file_read(struct rt_file *base, void *buf, size_t len, uint64_t offset)
{
	struct sim_file *file = sim_file_of(base);
	struct sim_world *world = file->system->world;
	const struct sim_disk_state *state = sim_disk_state_of(file->system, file->path);
	bool fails = io_fails(file->system, SIM_READ, state->read_fails, world->config.read_errors,
		SIM_FAULT_READ_ERROR);
	int64_t delay_ns = pick_slowed(world, &world->config.disk_read_ns, state);
	bool first = coin(world);
	size_t got = 0;

	sim_trace(world, offset, len);
	if (base->flags & RT_FILE_DIRECT)
		delay_ns += pick_slowed(world, &world->config.disk_direct_ns, state);
	if (first && !fails)
		got = read_now(file, buf, len, offset);
	sim_pass_time("a read", delay_ns);
	if (fails)
		return -EIO;
	if (!first)
		got = read_now(file, buf, len, offset);
	return (ssize_t)got;
}

/* ---- writing ---- */

struct write_wait {
	struct sim_wait wait;
	struct sim_file *file;
	const uint8_t *buf;
	size_t len;
	uint64_t offset;
	bool done;
	bool lies;
};

static int write_now(struct sim_file *file, const void *buf, size_t len, uint64_t offset, bool lies)
{
	struct sim_content *content = &file->inode->content;
	int rc;

	if (file->inode->is_device && (offset > content->size || len > content->size - offset))
		return -ENOSPC;
	if ((file->file.flags & RT_FILE_DIRECT) && !lies)
		rc = sim_content_write_direct(content, buf, len, offset);
	else
		rc = sim_content_write(content, buf, len, offset);
	if (file->file.flags & RT_FILE_DSYNC) {
		if (lies)
			sim_count_fault(file->system->world, SIM_FAULT_SYNC_LIE);
		else if (rc == 0)
			sim_content_sync_range(content, offset, len);
	}
	return rc;
}

/*
 * A call that failed or was cut short has written any of its pages: the kernel splits what is long, and the parts are
 * written in whatever order. A page is there as a whole or not at all; power may tear it later.
 */
static void write_part(struct sim_file *file, const uint8_t *buf, size_t len, uint64_t offset)
{
	struct sim_content *content = &file->inode->content;
	struct sim_rand *rand = &file->system->world->rand;
	uint64_t of_four = 1 + sim_rand_below(rand, 3);

	if (file->inode->is_device && (offset > content->size || len > content->size - offset))
		return;
	for (size_t at = 0, part; at < len; at += part) {
		part = SIM_PAGE_BYTES - (offset + at) % SIM_PAGE_BYTES;
		if (part > len - at)
			part = len - at;
		if (sim_rand_below(rand, 4) < of_four && sim_content_write(content, buf + at, part, offset + at) != 0)
			return;		/* no space: then less of it */
	}
}

static void write_ends(struct sim_wait *wait)
{
	struct write_wait *w = container_of(wait, struct write_wait, wait);
	int rc = w->done ? 0 : write_now(w->file, w->buf, w->len, w->offset, w->lies);

	sim_wait_end(wait, count_no_space(w->file->system, rc));
}

static void write_dropped(struct sim_wait *wait)
{
	struct write_wait *w = container_of(wait, struct write_wait, wait);

	if (!w->done)
		write_part(w->file, w->buf, w->len, w->offset);
}

int sim_file_write(struct rt_file *base, const void *buf, size_t len, uint64_t offset)
{
	struct sim_file *file = sim_file_of(base);
	struct sim_world *world = file->system->world;
	const struct sim_disk_state *state = sim_disk_state_of(file->system, file->path);
	bool fails = io_fails(file->system, SIM_WRITE, state->write_fails, world->config.write_errors,
		SIM_FAULT_WRITE_ERROR);
	int64_t delay_ns = pick_slowed(world, &world->config.disk_write_ns, state);
	struct write_wait w;

	sim_trace(world, offset, len);
	if (base->flags & RT_FILE_DIRECT)
		delay_ns += pick_slowed(world, &world->config.disk_direct_ns, state);
	if (base->flags & RT_FILE_DSYNC)
		delay_ns += pick_slowed(world, &world->config.disk_direct_ns, state);
	if (fails) {
		write_part(file, buf, len, offset);
		sim_pass_time("a write", delay_ns);
		return -EIO;
	}
	w.file = file;
	w.buf = buf;
	w.len = len;
	w.offset = offset;
	w.lies = state->sync_lies;
	/* Only with the space for it is it sure that an early one is good. */
	w.done = coin(world) && len > 0 && write_now(file, buf, len, offset, w.lies) == 0;
	sim_wait_begin(&w.wait, "a write");
	w.wait.step = write_ends;
	w.wait.dropped = write_dropped;
	sim_after(world, &w.wait.event, delay_ns);
	return (int)sim_wait_for(&w.wait);
}

/* ---- syncing ---- */

struct sync_wait {
	struct sim_wait wait;
	struct sim_file *file;
	struct sim_sync sync;
	bool fails, lies;
};

static void sync_ends(struct sim_wait *wait)
{
	struct sync_wait *w = container_of(wait, struct sync_wait, wait);
	struct sim_content *content = &w->file->inode->content;

	if (w->fails)
		sim_content_sync_fail(content, &w->sync);
	else if (!w->lies)
		sim_content_sync_end(content, &w->sync);
	sim_wait_end(wait, w->fails ? -EIO : 0);
}

static void sync_dropped(struct sim_wait *wait)
{
	struct sync_wait *w = container_of(wait, struct sync_wait, wait);
	struct sim_content *content = &w->file->inode->content;

	if (w->lies)
		return;
	if (coin(w->file->system->world) && !w->fails)
		sim_content_sync_end(content, &w->sync);
	else
		sim_content_sync_drop(content, &w->sync);
}

int sim_file_sync(struct rt_file *base)
{
	struct sim_file *file = sim_file_of(base);
	struct sim_world *world = file->system->world;
	const struct sim_disk_state *state = sim_disk_state_of(file->system, file->path);
	struct sync_wait w = { .file = file };
	int64_t delay_ns = pick_slowed(world, &world->config.disk_sync_ns, state);

	w.fails = io_fails(file->system, SIM_SYNC, state->sync_fails, world->config.sync_errors, SIM_FAULT_SYNC_ERROR);
	w.lies = !w.fails && state->sync_lies;
	if (w.lies)
		sim_count_fault(world, SIM_FAULT_SYNC_LIE);
	delay_ns += (int64_t)file->inode->content.unsynced * world->config.disk_sync_page_ns;
	if (!w.lies)
		w.sync = sim_content_sync_begin(&file->inode->content);
	sim_trace(world, w.sync.upto, w.sync.size);
	sim_wait_begin(&w.wait, "a sync");
	w.wait.step = sync_ends;
	w.wait.dropped = sync_dropped;
	sim_after(world, &w.wait.event, delay_ns);
	return (int)sim_wait_for(&w.wait);
}

void sim_file_start_writeout(struct rt_file *file, uint64_t offset, uint64_t len)
{
	/* Any unsynced page may have reached the device at any time: there is nothing to add to that. */
	(void)file;
	(void)offset;
	(void)len;
}

/* Takes no time, as it waits for nothing. */
int sim_file_drop_cached(struct rt_file *file)
{
	sim_content_drop_cached(&sim_file_of(file)->inode->content);
	return 0;
}

/* ---- calls that change one thing: at the beginning or at the end of their time ---- */

struct request {
	struct sim_system *system;
	struct sim_inode *inode;
	const char *path, *other_path;
	uint64_t offset, len;
	unsigned flags;
};

static int perform(struct request *request, enum sim_call_kind kind, int failure, int (*fn)(struct request *request))
{
	struct sim_system *system = request->system;
	struct sim_world *world = system->world;
	int64_t delay_ns = sim_pick(world, &world->config.disk_name_ns);
	bool fails = sim_call_fails(system, kind), first = coin(world);
	int rc = failure;

	if (first && !fails)
		rc = fn(request);
	sim_pass_time(sim_call_name(kind), delay_ns);
	if (!first && !fails)
		rc = fn(request);
	sim_trace(world, (uint64_t)kind, (uint64_t)rc);
	return count_no_space(system, rc);
}

static int allocate_now(struct request *request)
{
	if (request->inode->is_device)
		return -EOPNOTSUPP;
	return sim_content_allocate(&request->inode->content, request->offset, request->len);
}

int sim_file_allocate(struct rt_file *file, uint64_t offset, uint64_t len)
{
	struct request request = { sim_file_of(file)->system, sim_file_of(file)->inode, .offset = offset, .len = len };

	return perform(&request, SIM_ALLOCATE, -ENOSPC, allocate_now);
}

static int punch_now(struct request *request)
{
	struct sim_content *content = &request->inode->content;

	if (request->offset >= content->size)
		return 0;
	if (request->len > content->size - request->offset)
		request->len = content->size - request->offset;
	sim_content_punch(content, request->offset, request->len);
	return 0;
}

int sim_file_punch(struct rt_file *base, uint64_t offset, uint64_t len)
{
	struct sim_file *file = sim_file_of(base);
	struct request request = { file->system, file->inode, .offset = offset, .len = len };

	if (sim_disk_state_of(file->system, file->path)->cannot_punch)
		return -EOPNOTSUPP;
	return perform(&request, SIM_PUNCH, -EIO, punch_now);
}

/*
 * As if each page of the other file were written, which takes space here; a real one does so when it is written. Of one
 * that is cut short or fails any page may be there.
 */
static int clone_pages(struct sim_content *to, const struct sim_content *from, uint64_t len, struct sim_rand *some)
{
	uint8_t page[SIM_PAGE_BYTES];
	uint64_t end;
	bool data;
	int rc = 0;

	for (uint64_t at = 0; rc == 0 && at < len; at += SIM_PAGE_BYTES) {
		if (some && sim_rand_below(some, 2))
			continue;
		sim_content_get_run(from, at, &data, &end);
		sim_content_read(from, page, sizeof(page), at, false);
		if (data)
			rc = sim_content_write(to, page, sizeof(page), at);
		else
			sim_content_punch(to, at, sizeof(page));
	}
	return rc;
}

struct clone_wait {
	struct sim_wait wait;
	struct sim_file *file, *from;
	uint64_t len;
	bool fails;
};

static void clone_ends(struct sim_wait *wait)
{
	struct clone_wait *w = container_of(wait, struct clone_wait, wait);
	struct sim_rand *some = w->fails ? &w->file->system->world->rand : NULL;
	int rc = clone_pages(&w->file->inode->content, &w->from->inode->content, w->len, some);

	sim_wait_end(wait, w->fails ? -EIO : count_no_space(w->file->system, rc));
}

static void clone_dropped(struct sim_wait *wait)
{
	struct clone_wait *w = container_of(wait, struct clone_wait, wait);

	(void)clone_pages(&w->file->inode->content, &w->from->inode->content, w->len, &w->file->system->world->rand);
}

int sim_file_clone(struct rt_file *base, struct rt_file *from, uint64_t len)
{
	struct sim_file *file = sim_file_of(base);
	struct sim_world *world = file->system->world;
	struct clone_wait w = { .file = file, .from = sim_file_of(from), .len = len };

	if (!sim_disk_state_of(file->system, file->path)->clones)
		return -EOPNOTSUPP;
	w.fails = sim_call_fails(file->system, SIM_CLONE);
	sim_trace(world, (uint64_t)SIM_CLONE, len);
	sim_wait_begin(&w.wait, "a clone");
	w.wait.step = clone_ends;
	w.wait.dropped = clone_dropped;
	sim_after(world, &w.wait.event, sim_pick(world, &world->config.disk_name_ns));
	return (int)sim_wait_for(&w.wait);
}

static int set_size_now(struct request *request)
{
	if (request->inode->is_device)
		return -EINVAL;
	sim_content_set_size(&request->inode->content, request->len);
	return 0;
}

int sim_file_set_size(struct rt_file *file, uint64_t size)
{
	struct request request = { sim_file_of(file)->system, sim_file_of(file)->inode, .len = size };

	return perform(&request, SIM_SET_SIZE, -EIO, set_size_now);
}

static void fill_info(const struct sim_inode *inode, struct rt_file_info *info)
{
	*info = (struct rt_file_info){
		.size = inode->content.size,
		.allocated = inode->is_device ? inode->content.size : inode->content.allocated * SIM_PAGE_BYTES,
		.is_device = inode->is_device,
		.is_folder = inode->is_folder,
	};
}

/* For calls that only look: they look after the time has passed, as nobody holds what they found meanwhile. */
static void pass_name_time(struct sim_system *system)
{
	sim_pass_time("the file system", sim_pick(system->world, &system->world->config.disk_name_ns));
}

/* The same for those that may fail: 0 or -EIO. */
static int look(struct sim_system *system, enum sim_call_kind kind)
{
	bool fails = sim_call_fails(system, kind);

	pass_name_time(system);
	return fails ? -EIO : 0;
}

int sim_file_get_info(struct rt_file *file, struct rt_file_info *info)
{
	int rc = look(sim_file_of(file)->system, SIM_GET_INFO);

	if (rc == 0)
		fill_info(sim_file_of(file)->inode, info);
	return rc;
}

int sim_file_get_run(struct rt_file *file, uint64_t offset, bool *data, uint64_t *end)
{
	int rc = look(sim_file_of(file)->system, SIM_GET_RUN);

	if (rc < 0)
		return rc;
	if (offset >= sim_file_of(file)->inode->content.size)
		return -ENXIO;
	sim_content_get_run(&sim_file_of(file)->inode->content, offset, data, end);
	return 0;
}

/* ---- opening and closing ---- */

static int open_now(struct request *request)
{
	struct sim_disk *disk = &request->system->disk;
	struct sim_inode *inode;
	int rc;

	if (request->flags & RT_FILE_CREATE) {
		rc = sim_names_make_file(disk, request->path, &inode);
		if (rc == -EEXIST && !(request->flags & RT_FILE_NEW))
			rc = 0;
	} else {
		rc = sim_names_find(disk, request->path, &inode);
	}
	if (rc < 0)
		return rc;
	if (inode->is_folder)
		return -EISDIR;
	if ((request->flags & RT_FILE_LOCK) && inode->locked)
		return -EBUSY;
	if (request->flags & RT_FILE_LOCK)
		inode->locked = true;
	sim_inode_open(inode);
	request->inode = inode;
	return 0;
}

/* A quarter is spared for all that is not one of many. */
static bool has_too_many(const struct sim_system *system, unsigned flags)
{
	unsigned max = system->files_max, open = 0;
	const struct sim_file *file;

	if (max == 0)
		return false;
	list_for_each(file, &system->files, link)
		open++;
	return open >= (flags & RT_FILE_ONE_OF_MANY ? max - max / 4 : max);
}

int sim_file_open(const char *path, unsigned flags, struct rt_file **out)
{
	struct request request = { sim_here(), .path = path, .flags = flags };
	struct sim_system *system = request.system;
	bool fails = sim_call_fails(system, SIM_OPEN);
	struct sim_file *file;
	int rc;

	/* Always at the end: a crash while it waits must not find something half open. */
	sim_pass_time("open", sim_pick(system->world, &system->world->config.disk_name_ns));
	rc = fails || has_too_many(system, flags) ? -EMFILE : open_now(&request);
	sim_trace(system->world, flags, (uint64_t)rc);
	if (rc < 0)
		return rc;
	file = sim_alloc(sizeof(*file));
	file->file.flags = flags;
	file->system = system;
	file->inode = request.inode;
	file->path = sim_copy_text(path);
	list_add_last(&system->files, &file->link);
	*out = &file->file;
	return 0;
}

static void close_now(struct sim_file *file)
{
	if (file->file.flags & RT_FILE_LOCK)
		file->inode->locked = false;
	sim_inode_close(file->inode);
	list_remove(&file->link);
	sim_free(file->path);
	sim_free(file);
}

void sim_file_close(struct rt_file *base)
{
	struct sim_world *world = sim_file_of(base)->system->world;

	close_now(sim_file_of(base));
	sim_pass_time("close", sim_pick(world, &world->config.disk_name_ns));
}

void sim_files_close_all(struct sim_system *system)
{
	while (!list_empty(&system->files))
		close_now(list_first(&system->files, struct sim_file, link));
}

/* ---- names ---- */

static int find_now(struct request *request)
{
	return sim_names_find(&request->system->disk, request->path, &request->inode);
}

int sim_path_info(const char *path, struct rt_file_info *info)
{
	struct request request = { sim_here(), .path = path };
	int rc = look(request.system, SIM_GET_INFO);

	if (rc == 0)
		rc = find_now(&request);
	if (rc == 0)
		fill_info(request.inode, info);
	return rc;
}

static int unlink_now(struct request *request)
{
	return sim_names_unlink(&request->system->disk, request->path);
}

int sim_path_unlink(const char *path)
{
	struct request request = { sim_here(), .path = path };

	return perform(&request, SIM_CHANGE_NAME, -EIO, unlink_now);
}

static int rename_now(struct request *request)
{
	return sim_names_rename(&request->system->disk, request->path, request->other_path);
}

int sim_path_rename(const char *from, const char *to)
{
	struct request request = { sim_here(), .path = from, .other_path = to };

	return perform(&request, SIM_CHANGE_NAME, -EIO, rename_now);
}

static int make_folder_now(struct request *request)
{
	return sim_names_make_folder(&request->system->disk, request->path);
}

int sim_path_make_folder(const char *path)
{
	struct request request = { sim_here(), .path = path };

	return perform(&request, SIM_CHANGE_NAME, -EIO, make_folder_now);
}

static int sync_folder_now(struct request *request)
{
	int rc = find_now(request);

	if (rc < 0)
		return rc;
	if (!request->inode->is_folder)
		return -ENOTDIR;
	if (sim_disk_state_of(request->system, request->path)->sync_fails) {
		sim_count_fault(request->system->world, SIM_FAULT_SYNC_ERROR);
		request->system->disk_errors++;
		return -EIO;
	}
	if (!sim_disk_state_of(request->system, request->path)->sync_lies)
		sim_names_sync_folder(request->inode);
	return 0;
}

int sim_path_sync_folder(const char *path)
{
	struct request request = { sim_here(), .path = path };

	return perform(&request, SIM_SYNC_FOLDER, -EIO, sync_folder_now);
}

int sim_path_list(const char *path, int (*each)(void *arg, const char *name), void *arg)
{
	struct request request = { sim_here(), .path = path };
	int rc;

	pass_name_time(request.system);
	rc = find_now(&request);
	if (rc == 0 && !request.inode->is_folder)
		rc = -ENOTDIR;
	for (size_t i = 0; rc == 0 && i < request.inode->entry_count; i++)
		rc = each(arg, request.inode->entries[i].name);
	return rc;
}

unsigned sim_files_max(struct rt_reactor *reactor)
{
	const struct sim_system *system = sim_here();

	(void)reactor;
	return system->files_max ? system->files_max : UINT_MAX;
}

void sim_set_files_max(struct sim_system *system, unsigned max)
{
	system->files_max = max;
}

int sim_path_space(const char *path, uint64_t *total, uint64_t *free_bytes)
{
	struct request request = { sim_here(), .path = path };
	const struct sim_space *space = &request.system->disk.space;
	int rc;

	pass_name_time(request.system);
	rc = find_now(&request);
	*total = space->total * SIM_PAGE_BYTES;
	*free_bytes = space->used < space->total ? (space->total - space->used) * SIM_PAGE_BYTES : 0;
	return rc;
}

/* ---- behind the back of the system ---- */

int sim_peek(struct sim_system *system, const char *path, void *buf, size_t len, uint64_t offset)
{
	struct sim_inode *inode;
	int rc = sim_names_find(&system->disk, path, &inode);

	if (rc < 0)
		return rc;
	if (inode->is_folder)
		return -EISDIR;
	memset(buf, 0, len);
	if (offset >= inode->content.size)
		return 0;
	if (len > inode->content.size - offset)
		len = (size_t)(inode->content.size - offset);
	sim_content_read(&inode->content, buf, len, offset, false);
	return 0;
}

int sim_poke(struct sim_system *system, const char *path, const void *buf, size_t len, uint64_t offset)
{
	struct sim_inode *inode;
	int rc = sim_names_find(&system->disk, path, &inode);

	if (rc < 0)
		return rc;
	if (inode->is_folder)
		return -EISDIR;
	rc = sim_content_write(&inode->content, buf, len, offset);
	if (rc == 0)
		sim_content_sync_range(&inode->content, offset, len);
	return rc;
}
