/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_names.h - the file system of one simulated machine: a tree of folders and files by path. Private to the
 * simulator; knows nothing of time or fibers.
 *
 * Changes of names are kept in order until they are durable, as in the journal of a file system: syncing a
 * folder makes durable all changes up to the last one in that folder; a power loss undoes some of the newest
 * ones. Syncing a file does not make its name durable.
 */
#ifndef XDC_RT_SIM_NAMES_H
#define XDC_RT_SIM_NAMES_H

#include <sys/types.h>

#include "rt/sim_content.h"

struct sim_disk;

struct sim_inode {
	struct list_head link;		/* of the disk */
	struct sim_disk *disk;
	unsigned references;
	unsigned names;			/* 0 or 1 */
	unsigned opens;
	bool is_folder, is_device;
	bool locked;			/* somebody has it open with RT_FILE_LOCK */
	struct sim_content content;
	struct sim_entry *entries;	/* of a folder, sorted by name */
	size_t entry_count, entry_room;
};

struct sim_entry {
	char *name;
	struct sim_inode *inode;
};

struct sim_disk {
	struct sim_inode *root;
	struct list_head inodes;
	struct list_head undo;		/* changes of names that are not durable, oldest first */
	unsigned undo_count;
	struct sim_space space;
	struct sim_rand *rand;
};

void sim_disk_init(struct sim_disk *disk, uint64_t total_bytes, struct sim_rand *rand);
void sim_disk_destroy(struct sim_disk *disk);

/* All return 0 or the negative errno of the system call. An inode that is found is not yet referenced. */
int sim_names_find(struct sim_disk *disk, const char *path, struct sim_inode **out);
int sim_names_make_file(struct sim_disk *disk, const char *path, struct sim_inode **out); /* -EEXIST: in *out */
int sim_names_make_folder(struct sim_disk *disk, const char *path);
int sim_names_unlink(struct sim_disk *disk, const char *path);
int sim_names_rename(struct sim_disk *disk, const char *from, const char *to);

/* Makes durable what was done in this folder before. */
void sim_names_sync_folder(struct sim_inode *folder);

/* A file of fixed size that takes no space; durable at once, with the folders above it. */
int sim_names_add_device(struct sim_disk *disk, const char *path, uint64_t size);

void sim_inode_open(struct sim_inode *inode);
void sim_inode_close(struct sim_inode *inode);

/* Nothing may be open. Adds to loss; *names_lost counts changes of names that were undone. */
void sim_disk_lose_power(struct sim_disk *disk, struct sim_loss *loss, uint64_t *names_lost);

#endif
