/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/sim_names.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rt/sim_memory.h"

#define NAME_BYTES_MAX	255u
#define UNDO_MAX	4096u	/* a journal is not endless: older changes have become durable */

/* One change of one name; a rename is two of them. */
struct change {
	struct sim_inode *folder;
	char *name;
	struct sim_inode *before, *after;	/* NULL: no such name */
};

struct undo {
	struct list_head link;
	unsigned count;
	struct change changes[2];
};

/* ---- inodes ---- */

static struct sim_inode *inode_new(struct sim_disk *disk)
{
	struct sim_inode *inode = sim_alloc(sizeof(*inode));

	inode->disk = disk;
	sim_content_init(&inode->content, &disk->space, disk->rand);
	list_add_last(&disk->inodes, &inode->link);
	return inode;
}

static void inode_free(struct sim_inode *inode)
{
	sim_content_destroy(&inode->content);
	for (size_t i = 0; i < inode->entry_count; i++)
		sim_free(inode->entries[i].name);
	sim_free(inode->entries);
	list_remove(&inode->link);
	sim_free(inode);
}

static void inode_hold(struct sim_inode *inode)
{
	if (inode != NULL)
		inode->references++;
}

static void inode_release(struct sim_inode *inode)
{
	if (inode == NULL)
		return;
	assert(inode->references > 0);
	if (--inode->references == 0)
		inode_free(inode);
}

static void inode_count_space(struct sim_inode *inode)
{
	sim_content_hold_space(&inode->content, inode->names + inode->opens > 0);
}

void sim_inode_open(struct sim_inode *inode)
{
	inode->opens++;
	inode_hold(inode);
	inode_count_space(inode);
}

void sim_inode_close(struct sim_inode *inode)
{
	assert(inode->opens > 0);
	inode->opens--;
	inode_count_space(inode);
	inode_release(inode);
}

/* ---- entries of a folder ---- */

/* Where name is, or would be inserted. */
static size_t entry_place(const struct sim_inode *folder, const char *name, bool *found)
{
	size_t low = 0, high = folder->entry_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(folder->entries[middle].name, name);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found = false;
	return low;
}

static struct sim_inode *entry_get(const struct sim_inode *folder, const char *name)
{
	bool found;
	size_t place = entry_place(folder, name, &found);

	return found ? folder->entries[place].inode : NULL;
}

static void entry_insert(struct sim_inode *folder, size_t place, const char *name)
{
	if (folder->entry_count == folder->entry_room) {
		folder->entry_room = folder->entry_room == 0 ? 8 : 2 * folder->entry_room;
		folder->entries = sim_resize(folder->entries, folder->entry_room * sizeof(*folder->entries));
	}
	memmove(&folder->entries[place + 1], &folder->entries[place],
		(folder->entry_count - place) * sizeof(*folder->entries));
	folder->entry_count++;
	folder->entries[place] = (struct sim_entry){ .name = sim_copy_text(name) };
}

static void entry_remove(struct sim_inode *folder, size_t place)
{
	sim_free(folder->entries[place].name);
	folder->entry_count--;
	memmove(&folder->entries[place], &folder->entries[place + 1],
		(folder->entry_count - place) * sizeof(*folder->entries));
}

/* The name means inode from now on; NULL removes it. */
static void entry_set(struct sim_inode *folder, const char *name, struct sim_inode *inode)
{
	bool found;
	size_t place = entry_place(folder, name, &found);
	struct sim_inode *before = found ? folder->entries[place].inode : NULL;

	inode_hold(inode);
	if (inode != NULL) {
		if (!found)
			entry_insert(folder, place, name);
		folder->entries[place].inode = inode;
		inode->names++;
		inode_count_space(inode);
	} else if (found) {
		entry_remove(folder, place);
	}
	if (before != NULL) {
		before->names--;
		inode_count_space(before);
		inode_release(before);
	}
}

/* ---- the order of changes ---- */

static void undo_forget(struct sim_disk *disk, struct undo *undo)
{
	list_remove(&undo->link);
	disk->undo_count--;
	for (unsigned i = 0; i < undo->count; i++) {
		inode_release(undo->changes[i].before);
		inode_release(undo->changes[i].after);
		inode_release(undo->changes[i].folder);
		sim_free(undo->changes[i].name);
	}
	sim_free(undo);
}

static struct undo *undo_new(struct sim_disk *disk)
{
	struct undo *undo = sim_alloc(sizeof(*undo));

	if (disk->undo_count == UNDO_MAX)
		undo_forget(disk, list_first(&disk->undo, struct undo, link));
	list_add_last(&disk->undo, &undo->link);
	disk->undo_count++;
	return undo;
}

static void change_name(struct undo *undo, struct sim_inode *folder, const char *name, struct sim_inode *inode)
{
	struct change *change = &undo->changes[undo->count++];

	*change = (struct change){ folder, sim_copy_text(name), entry_get(folder, name), inode };
	inode_hold(change->folder);
	inode_hold(change->before);
	inode_hold(change->after);
	entry_set(folder, name, inode);
}

static void undo_apply(struct sim_disk *disk, struct undo *undo)
{
	for (unsigned i = undo->count; i > 0; i--)
		entry_set(undo->changes[i - 1].folder, undo->changes[i - 1].name, undo->changes[i - 1].before);
	undo_forget(disk, undo);
}

static bool undo_touches(const struct undo *undo, const struct sim_inode *folder)
{
	for (unsigned i = 0; i < undo->count; i++)
		if (undo->changes[i].folder == folder)
			return true;
	return false;
}

void sim_names_sync_folder(struct sim_inode *folder)
{
	struct sim_disk *disk = folder->disk;
	struct list_head *last = &disk->undo;
	struct undo *undo;

	list_for_each(undo, &disk->undo, link)
		if (undo_touches(undo, folder))
			last = &undo->link;
	while (last != &disk->undo) {
		undo = list_first(&disk->undo, struct undo, link);
		if (&undo->link == last)
			last = &disk->undo;
		undo_forget(disk, undo);
	}
}

/* ---- paths ---- */

/* The folder that holds the last part of path, and that part; "" for the root itself. */
static int walk(struct sim_disk *disk, const char *path, struct sim_inode **folder, char name[NAME_BYTES_MAX + 1])
{
	struct sim_inode *at = disk->root;

	name[0] = '\0';
	for (;;) {
		size_t len;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 0)
			break;
		if (name[0] != '\0') {
			at = entry_get(at, name);
			if (at == NULL)
				return -ENOENT;
			if (!at->is_folder)
				return -ENOTDIR;
		}
		if (len > NAME_BYTES_MAX)
			return -ENAMETOOLONG;
		if (len == 2 && memcmp(path, "..", 2) == 0)
			return -EINVAL;		/* nobody needs it here */
		memcpy(name, path, len);
		name[len] = '\0';
		if (strcmp(name, ".") == 0)
			name[0] = '\0';
		path += len;
	}
	*folder = at;
	return 0;
}

int sim_names_find(struct sim_disk *disk, const char *path, struct sim_inode **out)
{
	char name[NAME_BYTES_MAX + 1];
	struct sim_inode *folder;
	int rc = walk(disk, path, &folder, name);

	if (rc < 0)
		return rc;
	*out = name[0] == '\0' ? folder : entry_get(folder, name);
	return *out == NULL ? -ENOENT : 0;
}

static int make_inode(struct sim_disk *disk, const char *path, bool is_folder, struct sim_inode **out)
{
	char name[NAME_BYTES_MAX + 1];
	struct sim_inode *folder;
	int rc = walk(disk, path, &folder, name);

	if (rc < 0)
		return rc;
	*out = name[0] == '\0' ? folder : entry_get(folder, name);
	if (*out != NULL)
		return -EEXIST;
	*out = inode_new(disk);
	(*out)->is_folder = is_folder;
	change_name(undo_new(disk), folder, name, *out);
	return 0;
}

int sim_names_make_file(struct sim_disk *disk, const char *path, struct sim_inode **out)
{
	return make_inode(disk, path, false, out);
}

int sim_names_make_folder(struct sim_disk *disk, const char *path)
{
	struct sim_inode *inode;

	return make_inode(disk, path, true, &inode);
}

int sim_names_unlink(struct sim_disk *disk, const char *path)
{
	char name[NAME_BYTES_MAX + 1];
	struct sim_inode *folder, *inode;
	int rc = walk(disk, path, &folder, name);

	if (rc < 0)
		return rc;
	inode = name[0] == '\0' ? folder : entry_get(folder, name);
	if (inode == NULL)
		return -ENOENT;
	if (inode->is_folder)
		return -EISDIR;
	change_name(undo_new(disk), folder, name, NULL);
	return 0;
}

int sim_names_rename(struct sim_disk *disk, const char *from, const char *to)
{
	char from_name[NAME_BYTES_MAX + 1], to_name[NAME_BYTES_MAX + 1];
	struct sim_inode *from_folder, *to_folder, *inode, *there;
	struct undo *undo;
	int rc = walk(disk, from, &from_folder, from_name);

	if (rc == 0)
		rc = walk(disk, to, &to_folder, to_name);
	if (rc < 0)
		return rc;
	if (from_name[0] == '\0' || to_name[0] == '\0')
		return -EBUSY;
	inode = entry_get(from_folder, from_name);
	there = entry_get(to_folder, to_name);
	if (inode == NULL)
		return -ENOENT;
	if (inode == there)
		return 0;
	if (there != NULL && there->is_folder)
		return inode->is_folder ? -ENOTEMPTY : -EISDIR;
	if (inode->is_folder && there != NULL)
		return -ENOTDIR;
	if (inode->is_folder && strncmp(to, from, strlen(from)) == 0 && to[strlen(from)] == '/')
		return -EINVAL;
	undo = undo_new(disk);
	change_name(undo, to_folder, to_name, inode);
	change_name(undo, from_folder, from_name, NULL);
	return 0;
}

static int make_folders_above(struct sim_disk *disk, const char *path)
{
	char *part = sim_copy_text(path);
	int rc = 0;

	for (char *end = strchr(part + 1, '/'); end != NULL && (rc == 0 || rc == -EEXIST); end = strchr(end + 1, '/')) {
		*end = '\0';
		rc = sim_names_make_folder(disk, part);
		*end = '/';
	}
	sim_free(part);
	return rc == -EEXIST ? 0 : rc;
}

int sim_names_add_device(struct sim_disk *disk, const char *path, uint64_t size)
{
	struct sim_inode *inode;
	int rc = make_folders_above(disk, path);

	if (rc == 0)
		rc = make_inode(disk, path, false, &inode);
	if (rc < 0)
		return rc;
	inode->is_device = true;
	inode->content.space = NULL;
	sim_content_set_size(&inode->content, size);
	inode->content.durable_size = size;
	while (!list_empty(&disk->undo))
		undo_forget(disk, list_first(&disk->undo, struct undo, link));
	return 0;
}

/* ---- disks ---- */

void sim_disk_init(struct sim_disk *disk, uint64_t total_bytes, struct sim_rand *rand)
{
	*disk = (struct sim_disk){ .space.total = total_bytes / SIM_PAGE_BYTES, .rand = rand };
	list_init(&disk->inodes);
	list_init(&disk->undo);
	disk->root = inode_new(disk);
	disk->root->is_folder = true;
	disk->root->names = 1;
	inode_hold(disk->root);
}

void sim_disk_destroy(struct sim_disk *disk)
{
	while (!list_empty(&disk->undo)) {
		struct undo *undo = list_first(&disk->undo, struct undo, link);

		list_remove(&undo->link);
		for (unsigned i = 0; i < undo->count; i++)
			sim_free(undo->changes[i].name);
		sim_free(undo);
	}
	while (!list_empty(&disk->inodes))
		inode_free(list_first(&disk->inodes, struct sim_inode, link));
}

static void lose_names(struct sim_disk *disk, uint64_t *names_lost)
{
	unsigned keep = disk->undo_count;

	switch (sim_rand_below(disk->rand, 4)) {
	case 0:
		break;
	case 1:
		keep = 0;
		break;
	default:
		keep = (unsigned)sim_rand_below(disk->rand, disk->undo_count + 1);
	}
	while (disk->undo_count > keep) {
		undo_apply(disk, list_last(&disk->undo, struct undo, link));
		(*names_lost)++;
	}
	while (!list_empty(&disk->undo))
		undo_forget(disk, list_first(&disk->undo, struct undo, link));
}

void sim_disk_lose_power(struct sim_disk *disk, struct sim_loss *loss, uint64_t *names_lost)
{
	struct sim_inode *inode;

	lose_names(disk, names_lost);
	list_for_each(inode, &disk->inodes, link) {
		assert(inode->opens == 0);
		inode->locked = false;
		sim_content_lose_power(&inode->content, loss);
	}
}
