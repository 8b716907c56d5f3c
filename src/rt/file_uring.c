/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of the real backend. O_DIRECT goes through the ring. Buffered files are served from the page cache inline,
 * without a switch: reads when the bytes are there (else through the ring), writes while they are quick. What may block
 * for long (opening, syncing, allocating, all work on names) runs on helper threads.
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "rt/mem.h"
#include "rt/uring.h"

/* Of one system call; the kernel itself takes a little less than 2 GiB. */
#define PIECE_BYTES_MAX		((size_t)1 << 30)

/*
 * A buffered write runs inline, where what it writes is in the caches of the processor, unless the kernel is near the
 * point where it makes writers wait for the disk (dirty.h), or an inline write took long lately: longer than another
 * thread has the processor for its turn. Whether the range is allocated says nothing (docs/choices.md). After so many
 * bytes of a long one others have their turn on the reactor.
 */
#define INLINE_BYTES_MAX	((size_t)128 << 10)
#define INLINE_SLOW_NS		(10 * RT_MS)
#define INLINE_PAUSE_NS		(100 * RT_MS)

/*
 * A buffered write goes to the kernel in pieces. The page cache keeps what one call brings as one large folio, and a
 * file system that keeps records of each block of it (ext4) goes through them all at every later small write into it:
 * 28 us for 4 KiB into what came as 1 MiB, 4 us into what came as 64 KiB.
 */
#define BUFFERED_BYTES_MAX	((size_t)64 << 10)

struct uring_file {
	struct rt_file base;
	int fd;
	struct helpers *helpers;	/* of its disk */
	struct helpers_line writes;	/* by helper threads: the kernel lets only one in at a time */
	bool no_nowait;			/* atomic: the file system has no RWF_NOWAIT reads */
};

static struct uring_file *from_base(struct rt_file *file)
{
	return container_of(file, struct uring_file, base);
}

static size_t piece(size_t len)
{
	return len < PIECE_BYTES_MAX ? len : PIECE_BYTES_MAX;
}

/* ---- open and close ---- */

struct open_job {
	const char *path;
	unsigned flags;
	int fd;
};

static int open_flags(unsigned flags)
{
	int result = O_CLOEXEC | ((flags & RT_FILE_WRITE) ? O_RDWR : O_RDONLY);

	result |= (flags & RT_FILE_CREATE) ? O_CREAT : 0;
	result |= (flags & RT_FILE_NEW) ? O_EXCL : 0;
	result |= (flags & RT_FILE_DIRECT) ? O_DIRECT : 0;
	result |= (flags & RT_FILE_DSYNC) ? O_DSYNC : 0;
	return result;
}

/* For a block device O_EXCL without O_CREAT means: nobody else, no mounted file system. */
static int open_locked_device(const char *path, unsigned flags)
{
	int fd = open(path, open_flags(flags & ~(unsigned)(RT_FILE_CREATE | RT_FILE_NEW)) | O_EXCL);

	return fd >= 0 ? fd : -errno;
}

/*
 * To open a FIFO or a terminal may take for ever, and with it the thread. The kernel takes O_NONBLOCK for a wish about
 * each read too, so it is there only while the file is opened.
 */
static int open_plain(const char *path, unsigned flags)
{
	int fd = open(path, open_flags(flags) | O_NONBLOCK | O_NOCTTY, 0600), rc = 0;
	struct stat info;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &info) != 0 || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) != 0)
		rc = -errno;
	else if (S_ISFIFO(info.st_mode))
		rc = -EINVAL;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

static int open_file(void *arg)
{
	struct open_job *job = arg;
	struct stat info;
	int fd;

	if ((job->flags & RT_FILE_LOCK) && stat(job->path, &info) == 0 && S_ISBLK(info.st_mode)) {
		fd = open_locked_device(job->path, job->flags);
		job->fd = fd;
		return fd >= 0 ? 0 : fd;
	}
	fd = open_plain(job->path, job->flags);
	if (fd < 0)
		return fd;
	if ((job->flags & RT_FILE_LOCK) && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		int rc = errno == EWOULDBLOCK ? -EBUSY : -errno;

		close(fd);
		return rc;
	}
	job->fd = fd;
	return 0;
}

static uint64_t find_disk(int fd)
{
	struct stat info;

	if (fstat(fd, &info) != 0)
		return 0;
	return S_ISBLK(info.st_mode) ? info.st_rdev : info.st_dev;
}

/* May have to write back or to free the space of a file without a name. Closes the descriptor whatever it returns. */
static int close_file(void *arg)
{
	return close(*(int *)arg) == 0 ? 0 : -errno;
}

/* Of those that the process may have: for all that is no RT_FILE_ONE_OF_MANY, at most FILES_SPARE. */
#define FILES_SPARE		2048u
#define FILES_SPARE_PART	4u

static unsigned uring_files_max(struct rt_reactor *reactor)
{
	(void)reactor;
	return uring_system()->files_max;
}

static unsigned files_spare(void)
{
	unsigned spare = uring_system()->files_max / FILES_SPARE_PART;

	return spare < FILES_SPARE ? spare : FILES_SPARE;
}

/* The kernel gives the lowest number that is free: when it is one of the last, few are left. */
static bool is_one_too_many(int fd)
{
	return (unsigned)fd >= uring_system()->files_max - files_spare();
}

bool uring_is_for_files(int fd)
{
	return (unsigned)fd >= uring_system()->files_max - files_spare() / 2;
}

static int open_one_of_many(struct open_job *job)
{
	int rc = uring_help_names(open_file, job);

	if (rc != 0 || !(job->flags & RT_FILE_ONE_OF_MANY) || !is_one_too_many(job->fd))
		return rc;
	(void)!uring_help_names(close_file, &job->fd);
	return -EMFILE;
}

static int uring_file_open(const char *path, unsigned flags, struct rt_file **out)
{
	struct open_job job = { .path = path, .flags = flags };
	struct uring_file *file = mem_alloc_zeroed(sizeof(*file));
	int rc;

	if (file == NULL)
		return -ENOMEM;
	rc = open_one_of_many(&job);
	if (rc != 0) {
		mem_free(file);
		return rc;
	}
	file->base.flags = flags;
	file->fd = job.fd;
	file->helpers = disk_helpers_get(&uring_system()->data_helpers, find_disk(job.fd));
	helpers_line_init(&file->writes);
	*out = &file->base;
	return 0;
}

static void uring_file_close(struct rt_file *base)
{
	struct uring_file *file = from_base(base);

	int rc = uring_help_names(close_file, &file->fd);

	(void)rc;	/* what was not synced was not promised */
	mem_free(file);
}

/* ---- reading ---- */

/* What the page cache holds: bytes read, 0 at the end of the file, -EAGAIN when the disk must be asked. */
static ssize_t read_cached(struct uring_file *file, void *buf, size_t len, uint64_t offset)
{
	struct iovec part = { .iov_base = buf, .iov_len = piece(len) };
	ssize_t got;

	if (__atomic_load_n(&file->no_nowait, __ATOMIC_RELAXED))
		return -EAGAIN;
	do {
		got = preadv2(file->fd, &part, 1, (off_t)offset, RWF_NOWAIT);
	} while (got < 0 && errno == EINTR);
	if (got >= 0)
		return got;
	if (errno == EOPNOTSUPP) {
		__atomic_store_n(&file->no_nowait, true, __ATOMIC_RELAXED);
		return -EAGAIN;
	}
	return -errno;
}

static ssize_t read_by_ring(struct uring_file *file, void *buf, size_t len, uint64_t offset)
{
	struct uring_op op;
	struct io_uring_sqe *sqe = uring_begin();

	uring_check_buffer(buf, len);
	io_uring_prep_read(sqe, file->fd, buf, (unsigned)piece(len), offset);
	return uring_wait(&op, sqe);
}

static ssize_t uring_file_read(struct rt_file *base, void *buf, size_t len, uint64_t offset)
{
	struct uring_file *file = from_base(base);
	bool direct = base->flags & RT_FILE_DIRECT;
	size_t done = 0;

	while (done < len) {
		ssize_t got = direct ? -EAGAIN : read_cached(file, (char *)buf + done, len - done, offset + done);

		if (got == -EAGAIN)
			got = read_by_ring(file, (char *)buf + done, len - done, offset + done);
		if (got == -EINTR)
			continue;
		if (got < 0)
			return got;
		if (got == 0)
			break;
		done += (size_t)got;
		/* O_DIRECT ends with the file; the rest of a sector that is half inside cannot be asked for again. */
		if (direct && done % 512 != 0)
			break;
	}
	return (ssize_t)done;
}

/* ---- writing ---- */

struct write_job {
	int fd;
	const char *buf;
	size_t len;
	uint64_t offset;
	struct dirty *ask;
};

/* All of it, or the errno of the first call that wrote nothing. */
static int write_all(void *arg)
{
	const struct write_job *job = arg;
	size_t done = 0;

	while (done < job->len) {
		size_t now = job->len - done < BUFFERED_BYTES_MAX ? job->len - done : BUFFERED_BYTES_MAX;
		ssize_t put = pwrite(job->fd, job->buf + done, now, (off_t)(job->offset + done));

		if (put < 0 && errno != EINTR)
			return -errno;
		if (put == 0)
			return -EIO;
		if (put > 0)
			done += (size_t)put;
	}
	return 0;
}

static int write_and_ask(void *arg)
{
	const struct write_job *job = arg;

	dirty_ask(job->ask);
	return write_all(arg);
}

static int write_by_ring(struct uring_file *file, const char *buf, size_t len, uint64_t offset)
{
	uring_check_buffer(buf, len);
	while (len > 0) {
		struct io_uring_sqe *sqe = uring_begin();
		struct uring_op op;
		int put;

		io_uring_prep_write(sqe, file->fd, buf, (unsigned)piece(len), offset);
		put = uring_wait(&op, sqe);
		if (put == -EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? put : -EIO;
		buf += put;
		len -= (size_t)put;
		offset += (size_t)put;
	}
	return 0;
}

static bool may_write_inline(const struct uring_file *file, int64_t now_ns)
{
	struct uring_reactor *reactor = uring_here();

	if ((file->base.flags & RT_FILE_DSYNC) || dirty_is_high(&uring_system()->dirty))
		return false;
	return now_ns >= reactor->slow_until_ns;
}

/* The first piece of what is left of the job. */
static int write_inline(struct write_job *job, int64_t begin_ns)
{
	struct write_job first = *job;
	int64_t end_ns;
	int rc;

	if (first.len > INLINE_BYTES_MAX)
		first.len = INLINE_BYTES_MAX;
	rc = write_all(&first);
	end_ns = rt_now_ns();
	uring_here()->slow_until_ns = end_ns - begin_ns > INLINE_SLOW_NS ? end_ns + INLINE_PAUSE_NS : 0;
	job->buf += first.len;
	job->offset += first.len;
	job->len -= first.len;
	return rc;
}

static int write_by_helper(struct uring_file *file, int (*write)(void *arg), struct write_job *job)
{
	return helpers_run(file->helpers, &file->writes, write, job);
}

static int uring_file_write(struct rt_file *base, const void *buf, size_t len, uint64_t offset)
{
	struct uring_file *file = from_base(base);
	struct dirty *dirty = &uring_system()->dirty;
	struct write_job job = { .fd = file->fd, .buf = buf, .len = len, .offset = offset, .ask = dirty };
	int64_t now_ns;

	if (base->flags & RT_FILE_DIRECT)
		return write_by_ring(file, buf, len, offset);
	now_ns = rt_now_ns();
	if (dirty_note(dirty, len, now_ns))
		return write_by_helper(file, write_and_ask, &job);
	while (may_write_inline(file, now_ns)) {
		int rc = write_inline(&job, now_ns);

		if (rc != 0 || job.len == 0)
			return rc;
		rt_yield();
		now_ns = rt_now_ns();
	}
	return write_by_helper(file, write_all, &job);
}

/* ---- what else is done to an open file: all on helper threads ---- */

struct file_job {
	struct uring_file *file;
	uint64_t offset, len;
	bool data;
	uint64_t end;
};

static int help(int (*fn)(void *arg), struct file_job *job)
{
	return helpers_run(job->file->helpers, NULL, fn, job);
}

static int sync_data(void *arg)
{
	struct file_job *job = arg;

	return fdatasync(job->file->fd) == 0 ? 0 : -errno;
}

static int uring_file_sync(struct rt_file *file)
{
	struct file_job job = { .file = from_base(file) };

	return help(sync_data, &job);
}

static int start_writeout(void *arg)
{
	struct file_job *job = arg;

	return sync_file_range(job->file->fd, (off_t)job->offset, (off_t)job->len, SYNC_FILE_RANGE_WRITE);
}

static void uring_file_start_writeout(struct rt_file *file, uint64_t offset, uint64_t len)
{
	struct file_job job = { .file = from_base(file), .offset = offset, .len = len };
	int rc = help(start_writeout, &job);

	(void)rc;	/* it proves nothing, so its failure means nothing: the sync will tell */
}

static int drop_cached(void *arg)
{
	struct file_job *job = arg;

	return -posix_fadvise(job->file->fd, 0, 0, POSIX_FADV_DONTNEED);
}

static int uring_file_drop_cached(struct rt_file *file)
{
	struct file_job job = { .file = from_base(file) };

	return help(drop_cached, &job);
}

static int allocate(void *arg)
{
	struct file_job *job = arg;

	return fallocate(job->file->fd, 0, (off_t)job->offset, (off_t)job->len) == 0 ? 0 : -errno;
}

static int uring_file_allocate(struct rt_file *file, uint64_t offset, uint64_t len)
{
	struct file_job job = { .file = from_base(file), .offset = offset, .len = len };

	return help(allocate, &job);
}

static int punch(void *arg)
{
	struct file_job *job = arg;
	int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	return fallocate(job->file->fd, mode, (off_t)job->offset, (off_t)job->len) == 0 ? 0 : -errno;
}

static int uring_file_punch(struct rt_file *file, uint64_t offset, uint64_t len)
{
	struct file_job job = { .file = from_base(file), .offset = offset, .len = len };

	return help(punch, &job);
}

struct clone_job {
	int fd, from_fd;
	uint64_t len;
};

static int clone_range(void *arg)
{
	struct clone_job *job = arg;
	struct file_clone_range range = { .src_fd = job->from_fd, .src_length = job->len };
	struct stat info;

	/* For the kernel a length of 0 is all that is left: behind the end that is nothing. */
	if (job->len == 0 && fstat(job->from_fd, &info) == 0)
		range.src_offset = (uint64_t)info.st_size;
	if (ioctl(job->fd, FICLONERANGE, &range) == 0)
		return 0;
	return errno == EXDEV || errno == EINVAL || errno == ENOTTY ? -EOPNOTSUPP : -errno;
}

static int uring_file_clone(struct rt_file *file, struct rt_file *from, uint64_t len)
{
	struct clone_job job = { .fd = from_base(file)->fd, .from_fd = from_base(from)->fd, .len = len };

	return helpers_run(from_base(file)->helpers, NULL, clone_range, &job);
}

static int set_size(void *arg)
{
	struct file_job *job = arg;

	return ftruncate(job->file->fd, (off_t)job->len) == 0 ? 0 : -errno;
}

static int uring_file_set_size(struct rt_file *file, uint64_t size)
{
	struct file_job job = { .file = from_base(file), .len = size };

	return help(set_size, &job);
}

static void fill_info(struct rt_file_info *info, const struct stat *from)
{
	*info = (struct rt_file_info){
		.size = (uint64_t)from->st_size,
		.allocated = (uint64_t)from->st_blocks * 512,
		.is_device = S_ISBLK(from->st_mode),
		.is_folder = S_ISDIR(from->st_mode),
		.others_may_read = from->st_mode & S_IROTH,
	};
}

/* Known to the kernel without asking a disk, so inline. */
static int uring_file_get_info(struct rt_file *base, struct rt_file_info *info)
{
	struct uring_file *file = from_base(base);
	struct stat from;

	if (fstat(file->fd, &from) != 0)
		return -errno;
	fill_info(info, &from);
	if (info->is_device) {
		if (ioctl(file->fd, BLKGETSIZE64, &info->size) != 0)
			return -errno;
		info->allocated = info->size;
	}
	return 0;
}

static int find_run(void *arg)
{
	struct file_job *job = arg;
	int fd = job->file->fd;
	off_t at = (off_t)job->offset, data = lseek(fd, at, SEEK_DATA), end;

	if (data < 0 && errno == ENXIO) {
		end = lseek(fd, 0, SEEK_END);	/* only a hole up to the end */
		data = end;
	} else if (data < 0) {
		return -errno;
	} else {
		end = data > at ? data : lseek(fd, at, SEEK_HOLE);
	}
	if (end < 0)
		return -errno;
	job->data = data == at;
	job->end = (uint64_t)end;
	return end > at ? 0 : -EINVAL;
}

static int uring_file_get_run(struct rt_file *base, uint64_t offset, bool *data, uint64_t *end)
{
	struct file_job job = { .file = from_base(base), .offset = offset };
	struct rt_file_info info;
	int rc = uring_file_get_info(base, &info);

	if (rc != 0)
		return rc;
	if (offset >= info.size)
		return -EINVAL;
	rc = info.is_device ? -EINVAL : help(find_run, &job);
	if (rc == -EINVAL || rc == -EOPNOTSUPP) {
		*data = true;
		*end = info.size;
		return 0;
	}
	*data = job.data;
	*end = job.end < info.size ? job.end : info.size;
	return rc;
}

/* ---- names ---- */

struct path_job {
	const char *path, *to;
	struct rt_file_info *info;
	struct dirent **entries;
	int entry_count;
	uint64_t total, free;
};

static int path_info(void *arg)
{
	struct path_job *job = arg;
	struct stat from;
	int fd, rc = 0;

	if (stat(job->path, &from) != 0)
		return -errno;
	fill_info(job->info, &from);
	if (!job->info->is_device)
		return 0;
	fd = open(job->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, BLKGETSIZE64, &job->info->size) != 0)
		rc = -errno;
	job->info->allocated = job->info->size;
	close(fd);
	return rc;
}

static int uring_path_info(const char *path, struct rt_file_info *info)
{
	struct path_job job = { .path = path, .info = info };

	return uring_help_names(path_info, &job);
}

static int path_unlink(void *arg)
{
	struct path_job *job = arg;

	return unlink(job->path) == 0 ? 0 : -errno;
}

static int uring_path_unlink(const char *path)
{
	struct path_job job = { .path = path };

	return uring_help_names(path_unlink, &job);
}

static int path_rename(void *arg)
{
	struct path_job *job = arg;

	return rename(job->path, job->to) == 0 ? 0 : -errno;
}

static int uring_path_rename(const char *from, const char *to)
{
	struct path_job job = { .path = from, .to = to };

	return uring_help_names(path_rename, &job);
}

static int path_make_folder(void *arg)
{
	struct path_job *job = arg;

	return mkdir(job->path, 0700) == 0 ? 0 : -errno;
}

static int uring_path_make_folder(const char *path)
{
	struct path_job job = { .path = path };

	return uring_help_names(path_make_folder, &job);
}

static int path_sync_folder(void *arg)
{
	struct path_job *job = arg;
	int fd = open(job->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return -errno;
	if (fsync(fd) != 0)
		rc = -errno;
	close(fd);
	return rc;
}

static int uring_path_sync_folder(const char *path)
{
	struct path_job job = { .path = path };

	return uring_help_names(path_sync_folder, &job);
}

static int is_listed(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* By bytes, not by the order of some language. */
static int compare_entries(const struct dirent **first, const struct dirent **second)
{
	return strcmp((*first)->d_name, (*second)->d_name);
}

static int path_scan(void *arg)
{
	struct path_job *job = arg;

	job->entry_count = scandir(job->path, &job->entries, is_listed, compare_entries);
	return job->entry_count >= 0 ? 0 : -errno;
}

static int uring_path_list(const char *path, int (*each)(void *arg, const char *name), void *arg)
{
	struct path_job job = { .path = path };
	int rc = uring_help_names(path_scan, &job);

	if (rc != 0)
		return rc;
	for (int i = 0; i < job.entry_count; i++) {
		if (rc == 0)
			rc = each(arg, job.entries[i]->d_name);
		free(job.entries[i]);
	}
	free(job.entries);
	return rc;
}

static int path_space(void *arg)
{
	struct path_job *job = arg;
	struct statvfs space;

	if (statvfs(job->path, &space) != 0)
		return -errno;
	job->total = (uint64_t)space.f_blocks * space.f_frsize;
	job->free = (uint64_t)space.f_bavail * space.f_frsize;
	return 0;
}

static int uring_path_space(const char *path, uint64_t *total, uint64_t *free_bytes)
{
	struct path_job job = { .path = path };
	int rc = uring_help_names(path_space, &job);

	*total = job.total;
	*free_bytes = job.free;
	return rc;
}

void uring_add_files(struct rt_backend *backend)
{
	backend->files_max = uring_files_max;
	backend->file_open = uring_file_open;
	backend->file_close = uring_file_close;
	backend->file_read = uring_file_read;
	backend->file_write = uring_file_write;
	backend->file_sync = uring_file_sync;
	backend->file_start_writeout = uring_file_start_writeout;
	backend->file_drop_cached = uring_file_drop_cached;
	backend->file_allocate = uring_file_allocate;
	backend->file_punch = uring_file_punch;
	backend->file_clone = uring_file_clone;
	backend->file_set_size = uring_file_set_size;
	backend->file_get_info = uring_file_get_info;
	backend->file_get_run = uring_file_get_run;
	backend->path_info = uring_path_info;
	backend->path_unlink = uring_path_unlink;
	backend->path_rename = uring_path_rename;
	backend->path_make_folder = uring_path_make_folder;
	backend->path_sync_folder = uring_path_sync_folder;
	backend->path_list = uring_path_list;
	backend->path_space = uring_path_space;
}
