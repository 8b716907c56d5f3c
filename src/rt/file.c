/* SPDX-License-Identifier: Apache-2.0 */
/* The door to files: each call is checked here once, for every backend, and handed to the backend of the reactor. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/core.h"

static const struct rt_backend *backend(void)
{
	return rt_here()->system->backend;
}

/* What O_DIRECT asks for, so that the simulator refuses what a real disk would. */
static bool is_aligned(const struct rt_file *file, const void *buf, size_t len, uint64_t offset)
{
	return !(file->flags & RT_FILE_DIRECT) || (((uintptr_t)buf | len | offset) & 4095) == 0;
}

unsigned rt_files_max(void)
{
	return backend()->files_max(rt_here());
}

int rt_file_open(const char *path, unsigned flags, struct rt_file **out)
{
	int rc = core_check();

	assert((flags & RT_FILE_CREATE) || !(flags & RT_FILE_NEW));
	return rc != 0 ? rc : backend()->file_open(path, flags, out);
}

void rt_file_close(struct rt_file *file)
{
	RT_SHIELD();

	if (file != NULL)
		backend()->file_close(file);
}

ssize_t rt_file_read(struct rt_file *file, void *buf, size_t len, uint64_t offset)
{
	int rc = core_check();

	assert(is_aligned(file, buf, len, offset));
	return rc != 0 ? rc : backend()->file_read(file, buf, len, offset);
}

int rt_file_write(struct rt_file *file, const void *buf, size_t len, uint64_t offset)
{
	int rc = core_check();

	assert(file->flags & RT_FILE_WRITE);
	assert(is_aligned(file, buf, len, offset));
	return rc != 0 ? rc : backend()->file_write(file, buf, len, offset);
}

int rt_file_sync(struct rt_file *file)
{
	int rc = core_check();

	return rc != 0 ? rc : backend()->file_sync(file);
}

void rt_file_start_writeout(struct rt_file *file, uint64_t offset, uint64_t len)
{
	if (core_check() == 0)
		backend()->file_start_writeout(file, offset, len);
}

int rt_file_drop_cached(struct rt_file *file)
{
	int rc = core_check();

	return rc != 0 ? rc : backend()->file_drop_cached(file);
}

int rt_file_allocate(struct rt_file *file, uint64_t offset, uint64_t len)
{
	int rc = core_check();

	assert(file->flags & RT_FILE_WRITE);
	assert(len > 0);
	return rc != 0 ? rc : backend()->file_allocate(file, offset, len);
}

int rt_file_punch(struct rt_file *file, uint64_t offset, uint64_t len)
{
	int rc = core_check();

	assert(file->flags & RT_FILE_WRITE);
	assert(len > 0);
	return rc != 0 ? rc : backend()->file_punch(file, offset, len);
}

int rt_file_clone(struct rt_file *file, struct rt_file *from, uint64_t len)
{
	int rc = core_check();

	assert(file->flags & RT_FILE_WRITE);
	assert(file != from);
	return rc != 0 ? rc : backend()->file_clone(file, from, len);
}

int rt_file_set_size(struct rt_file *file, uint64_t size)
{
	int rc = core_check();

	assert(file->flags & RT_FILE_WRITE);
	return rc != 0 ? rc : backend()->file_set_size(file, size);
}

int rt_file_get_info(struct rt_file *file, struct rt_file_info *info)
{
	int rc = core_check();

	return rc != 0 ? rc : backend()->file_get_info(file, info);
}

int rt_file_get_run(struct rt_file *file, uint64_t offset, bool *data, uint64_t *end)
{
	int rc = core_check();

	return rc != 0 ? rc : backend()->file_get_run(file, offset, data, end);
}

int rt_path_info(const char *path, struct rt_file_info *info)
{
	int rc = core_check();

	return rc != 0 ? rc : backend()->path_info(path, info);
}

int rt_path_unlink(const char *path)
{
	int rc = core_check();

	return rc != 0 ? rc : backend()->path_unlink(path);
}

int rt_path_rename(const char *from, const char *to)
{
	int rc = core_check();

	return rc != 0 ? rc : backend()->path_rename(from, to);
}

int rt_path_make_folder(const char *path)
{
	int rc = core_check();

	return rc != 0 ? rc : backend()->path_make_folder(path);
}

int rt_path_sync_folder(const char *path)
{
	int rc = core_check();

	return rc != 0 ? rc : backend()->path_sync_folder(path);
}

int rt_path_sync_parent(const char *path)
{
	size_t len = strlen(path);
	char folder[4096];

	if (len >= sizeof(folder))
		return -ENAMETOOLONG;
	while (len > 1 && path[len - 1] == '/')
		len--;
	while (len > 0 && path[len - 1] != '/')
		len--;
	while (len > 1 && path[len - 1] == '/')
		len--;
	memcpy(folder, path, len);
	folder[len] = '\0';
	return rt_path_sync_folder(len > 0 ? folder : ".");
}

int rt_path_list(const char *path, int (*each)(void *arg, const char *name), void *arg)
{
	int rc = core_check();

	return rc != 0 ? rc : backend()->path_list(path, each, arg);
}

int rt_path_space(const char *path, uint64_t *total, uint64_t *free)
{
	int rc = core_check();

	return rc != 0 ? rc : backend()->path_space(path, total, free);
}
