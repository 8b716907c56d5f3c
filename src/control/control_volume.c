/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes: the operations on them. */
#include "control/control_private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/parse.h"
#include "rt/log.h"
#include "rt/mem.h"

#define LARGE_BYTES	(UINT64_C(64) << 30)

static void name_object(uint16_t id, char object[16])
{
	snprintf(object, 16, "volume %04X", id);
}

/* The record of a volume with changes, durably, and then in the model. */
static int update_record(struct control_volume *volume, void (*change)(struct record_volume *record, const void *arg),
			 const void *arg, struct fault *fault)
{
	struct control *control = volume->control;
	struct record_volume record;
	struct meta_change put = { META_PUT, META_VOLUME, &record };
	char object[16];
	int rc = rt_mutex_lock(&control->records);

	name_object(volume->record.id, object);
	if (rc < 0)
		return fault_set(fault, FAULT_TIMEOUT, object, "try again", "another operation is still under way");
	record = volume->record;
	change(&record, arg);
	rc = control_commit(control, &put, 1, object, fault);
	if (rc == 0)
		volume->record = record;
	rt_mutex_unlock(&control->records);
	return rc;
}

/* ---- create ---- */

static int fault_too_large(const char *object, struct fault *fault)
{
	return fault_set_size(fault, object, VOLUME_SIZE_MAX, "give a size of at most 1024T",
			      "a volume has at most %llu bytes, 1 PiB", (unsigned long long)VOLUME_SIZE_MAX);
}

static int fault_not_blocks(uint64_t size, const char *object, struct fault *fault)
{
	return fault_set_size(fault, object, size - size % XDC_BLOCK_SIZE + XDC_BLOCK_SIZE, "give a multiple of 4K",
			      "the size is not a multiple of 4 KiB");
}

/* What is wrong with the request, of which the model knows. */
static int check_create(struct control *control, const struct volume_create *request, const struct control_pool *pool,
			const char *object, struct fault *fault)
{
	const struct control_volume *other = request->name ? control_volume_named(control, request->name) : NULL;

	if (control_volume_at(control, request->id))
		return fault_set(fault, FAULT_IN_USE, object, "choose another id: xdc volume list",
				 "there is this volume already");
	if (other)
		return fault_set(fault, FAULT_IN_USE, object, "choose another name", "%s is the name of volume %04X",
				 request->name, other->record.id);
	if (pool->record.kind == POOL_DIR && request->adopt)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc pool create NAME --device",
				 "only a pool of devices adopts, and pool %s is a folder", pool->record.name);
	if (pool->record.kind == POOL_DEVICE && !request->adopt && list_empty(&pool->extents))
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "give the device: --adopt PATH",
				 "pool %s is of devices, and has none of its own", pool->record.name);
	if (!request->adopt && !request->size_bytes)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "give its size: --size SIZE",
				 "a new volume needs a size");
	if (request->size_bytes > VOLUME_SIZE_MAX)
		return fault_too_large(object, fault);
	if (pool->record.kind == POOL_DIR && request->size_bytes % XDC_BLOCK_SIZE)
		return fault_not_blocks(request->size_bytes, object, fault);
	if (pool->record.kind == POOL_DIR &&
	    control_pool_check_room(control, pool, 0, request->size_bytes, object, fault))
		return -1;
	if (pool->error)
		return fault_set(fault, FAULT_FAILED, object, "see the log", "pool %s is offline: %s",
				 pool->record.name, strerrordesc_np(-pool->error));
	if (copy_remembers_volume(control->copy, request->id, fault))
		return -1;
	return control_retired_clear(control, request->id, NULL, object, fault);
}

/* size: as wanted, 0: all of it; and what it will be. */
static int check_adopted(struct control *control, const struct control_pool *pool, const char *adopt, uint64_t *size,
			 const char *object, struct fault *fault)
{
	uint64_t found;
	int rc = control_measure_device(adopt, &found);

	if (rc < 0)
		return control_fault_errno(fault, object, "name a block device or file that xdcd may open", rc, adopt);
	if (*size > found)
		return fault_set_size(fault, object, found, "leave --size out to take all of it",
				      "%s has only %llu bytes", adopt, (unsigned long long)found);
	if (!*size && found > VOLUME_SIZE_MAX)
		return fault_too_large(object, fault);
	if (control_check_not_adopted(control, adopt, object, fault) ||
	    control_check_extent(control, pool, adopt, object, fault))
		return -1;
	*size = *size ? *size : found;
	return 0;
}

static void fill_record(const struct volume_create *request, struct record_volume *record)
{
	*record = (struct record_volume){
		.id = request->id,
		.size_bytes = request->size_bytes,
		.access = request->practice ? VOLUME_ACCESS_NONE : VOLUME_ACCESS_WRITE,
		.practice = request->practice,
		.created_wall_ns = rt_wall_ns(),
	};
	snprintf(record->name, sizeof(record->name), "%s", request->name ? request->name : "");
	snprintf(record->pool, sizeof(record->pool), "%s", request->pool);
	snprintf(record->adopted_path, sizeof(record->adopted_path), "%s", request->adopt ? request->adopt : "");
	rt_random_bytes(record->uuid, sizeof(record->uuid));
	record->uuid[6] = (uint8_t)(0x40 | (record->uuid[6] & 0x0F));
	record->uuid[8] = (uint8_t)(0x80 | (record->uuid[8] & 0x3F));
	/* NAA 6 with a locally administered company id; unique by what it takes from the UUID. */
	memcpy(record->naa, record->uuid, sizeof(record->naa));
	record->naa[0] = 0x60;
	record->naa[1] = 0x25;
	record->naa[2] = 0x84;
	record->naa[3] = (uint8_t)(0x40 | (record->naa[3] & 0x0F));
}

/* Its file, open, and in the metadata; on an error nothing of it is left. */
static int bring_up(struct control_volume *volume, const char *object, struct fault *fault)
{
	struct meta_change change = { META_PUT, META_VOLUME, &volume->record };
	char path[CONTROL_DISK_PATH_MAX];
	struct vdisk_options options;
	int rc = 0, left;

	control_disk_options(volume, path, &options);
	if (options.kind == POOL_DIR)
		rc = vdisk_create(&options);
	if (rc == -ENOENT)
		return fault_set(fault, FAULT_FAILED, object, "put the folder back, and restart xdcd",
				 "the folder of pool %s is not there", volume->pool->record.name);
	if (rc < 0)
		return control_fault_errno(fault, object, "", rc, "its file cannot be made");
	rc = control_volume_open(volume, true);
	if (rc == 0 && control_commit(volume->control, &change, 1, object, fault) == 0)
		return 0;
	if (rc == -EBUSY)
		fault_set(fault, FAULT_IN_USE, object, "end the other use", "%s is in use", path);
	else if (rc < 0)
		control_fault_errno(fault, object, "see the log", rc, "it cannot be opened");
	control_volume_close(volume);
	left = vdisk_destroy(&options);
	if (left < 0)
		log_line(LOG_WARNING, "control", "%s is of no use and could not be removed", path);
	return -1;
}

/* Under the lock. */
static int create(struct control *control, const struct volume_create *request, struct fault *fault)
{
	struct volume_create wanted = *request;
	struct control_pool *pool;
	struct control_volume *volume;
	struct record_volume record;
	char object[16];

	name_object(request->id, object);
	pool = control_pool_need(control, request->pool, fault);
	if (!pool || check_create(control, request, pool, object, fault))
		return -1;
	if (pool->record.kind == POOL_DEVICE && !wanted.adopt)
		wanted.adopt = control_extent_choose(control, pool, wanted.size_bytes, object, fault);
	if (pool->record.kind == POOL_DEVICE &&
	    (!wanted.adopt || check_adopted(control, pool, wanted.adopt, &wanted.size_bytes, object, fault)))
		return -1;
	if (control_lss_ensure(control, (uint8_t)(request->id >> 8), fault))
		return -1;
	fill_record(&wanted, &record);
	if (control_volume_enter(control, &record, &volume) != 0)
		return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	/* The copy services do not look under this lock: they find it when it is durable. */
	volume->hidden = true;
	if (bring_up(volume, object, fault)) {
		control_volume_leave(volume);
		return -1;
	}
	volume->hidden = false;
	control_pools_look(control);
	log_line(LOG_NOTICE, "control", "%s made in pool %s, %llu bytes%s%s", object, request->pool,
		 (unsigned long long)wanted.size_bytes, wanted.adopt ? ", adopted from " : "",
		 wanted.adopt ? wanted.adopt : "");
	return 0;
}

int control_volume_create(struct control *control, const struct volume_create *request, struct fault *fault)
{
	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	return create(control, request, fault);
}

static bool is_free(struct control *control, uint16_t id)
{
	const struct control_retired *retired;
	struct fault none;

	list_for_each(retired, &control->retired, link)
		if (retired->record.volume == id)
			return false;
	return !control_volume_at(control, id) && !copy_remembers_volume(control->copy, id, &none);
}

/* The first one that nothing remembers, in an LSS that exists, or else in the first that does not. */
static int choose_id(struct control *control, uint16_t *id, struct fault *fault)
{
	unsigned missing = LSS_COUNT;

	for (unsigned lss = 0; lss < LSS_COUNT; lss++) {
		if (!control->lsss[lss] && missing == LSS_COUNT)
			missing = lss;
		for (unsigned i = 0; control->lsss[lss] && i < LSS_VOLUMES; i++) {
			*id = (uint16_t)(lss << 8 | i);
			if (is_free(control, *id))
				return 0;
		}
	}
	for (unsigned i = 0; missing < LSS_COUNT && i < LSS_VOLUMES; i++) {
		*id = (uint16_t)(missing << 8 | i);
		if (is_free(control, *id))
			return 0;
	}
	return fault_set(fault, FAULT_FAILED, "volume", "delete one: xdc volume list", "no id is free");
}

int control_volume_create_any(struct control *control, const struct volume_create *request, uint16_t *id,
			      struct fault *fault)
{
	struct volume_create wanted = *request;

	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	if (choose_id(control, &wanted.id, fault))
		return -1;
	*id = wanted.id;
	return create(control, &wanted, fault);
}

/* ---- change ---- */

/* Whoever works on a volume without the lock has it alone. */
static int check_busy(const struct control_volume *volume, const char *object, struct fault *fault)
{
	if (!volume->busy)
		return 0;
	return fault_set(fault, FAULT_IN_USE, object, "wait for that, then try again", "%s", volume->busy);
}

struct grow {
	struct volume *volume;
	uint64_t size;
};

static int grow_here(void *arg)
{
	struct grow *grow = arg;

	return volume_grow(grow->volume, grow->size);
}

static void change_size(struct record_volume *record, const void *size)
{
	record->size_bytes = *(const uint64_t *)size;
}

static int check_grow(const struct control_volume *volume, uint64_t size, const char *object, struct fault *fault)
{
	if (!volume->volume)
		return fault_set(fault, FAULT_FAILED, object, "see the log", "it is offline");
	if (check_busy(volume, object, fault) || copy_is_flashed(volume->control->copy, volume->record.id, fault))
		return -1;
	if (*volume->record.adopted_path)
		return fault_set(fault, FAULT_NOT_SUPPORTED, object, "make a larger volume and copy the data",
				 "what was adopted keeps its size");
	if (size > VOLUME_SIZE_MAX)
		return fault_too_large(object, fault);
	if (size % XDC_BLOCK_SIZE)
		return fault_not_blocks(size, object, fault);
	/* The disk may be larger than the record, when an earlier command was cut midway. */
	if (size < volume_size(volume->volume))
		return fault_set_size(fault, object, volume_size(volume->volume), "give a larger size",
				      "a volume never shrinks, and it has %llu bytes",
				      (unsigned long long)volume_size(volume->volume));
	return control_pool_check_room(volume->control, volume->pool, volume->record.size_bytes, size, object, fault);
}

/* Without the lock, as it waits for the disk. */
static int grow_volume(struct control_volume *volume, uint64_t size_bytes, struct fault *fault)
{
	struct grow grow = { .volume = volume->volume, .size = size_bytes };
	char object[16];
	int rc;

	name_object(volume->record.id, object);
	if (size_bytes == volume->record.size_bytes)
		return 0;
	rc = rt_call(volume_reactor(volume->volume), grow_here, &grow);
	if (rc < 0)
		return control_fault_errno(fault, object, "", rc, "it cannot grow");
	if (update_record(volume, change_size, &size_bytes, fault))
		return -1;
	log_line(LOG_NOTICE, "control", "%s grown to %llu bytes", object, (unsigned long long)size_bytes);
	return 0;
}

/* The volume that may grow now, and is kept for that; NULL: it must not. */
static struct control_volume *begin_grow(struct control *control, uint16_t id, uint64_t size_bytes, bool as_target,
					 struct fault *fault)
{
	struct control_volume *volume;
	char object[16];

	if (control_enter(control, fault))
		return NULL;
	CONTROL_ENTERED(control);
	name_object(id, object);
	volume = control_volume_need(control, id, fault);
	if (!volume || check_grow(volume, size_bytes, object, fault))
		return NULL;
	/* The target was asked without the lock, so what it was asked for may not be true any more. */
	if (!as_target && !copy_targets_have_grown(control->copy, id, size_bytes)) {
		fault_set(fault, FAULT_IN_USE, object, "repeat the command", "its pair has changed meanwhile");
		return NULL;
	}
	volume->busy = "it is growing";
	volume->pool->volume_bytes += size_bytes - volume->record.size_bytes;
	return volume;
}

static int grow(struct control *control, uint16_t id, uint64_t size_bytes, bool as_target, struct fault *fault)
{
	struct control_volume *volume = begin_grow(control, id, size_bytes, as_target, fault);
	uint64_t before;
	int rc;

	if (!volume)
		return -1;
	before = volume->record.size_bytes;
	rc = grow_volume(volume, size_bytes, fault);
	if (rc)
		volume->pool->volume_bytes -= size_bytes - before;
	volume->busy = NULL;
	return rc;
}

/* For the copy services: a target grows because its source does. */
int control_volume_grow_target(void *arg, uint16_t id, uint64_t size_bytes, struct fault *fault)
{
	return grow(arg, id, size_bytes, true, fault);
}

int control_volume_grow(struct control *control, uint16_t id, uint64_t size_bytes, struct fault *fault)
{
	struct control_volume *volume = control_volume_need(control, id, fault);
	char object[16];

	name_object(id, object);
	if (!volume || check_grow(volume, size_bytes, object, fault) ||
	    copy_grow_targets(control->copy, id, size_bytes, false, fault))
		return -1;
	return grow(control, id, size_bytes, false, fault);
}

static void change_name(struct record_volume *record, const void *name)
{
	snprintf(record->name, sizeof(record->name), "%s", (const char *)name);
}

int control_volume_rename(struct control *control, uint16_t id, const char *name, struct fault *fault)
{
	struct control_volume *volume, *other;
	char object[16];

	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	name_object(id, object);
	volume = control_volume_need(control, id, fault);
	if (!volume)
		return -1;
	other = name ? control_volume_named(control, name) : NULL;
	if (other && other != volume)
		return fault_set(fault, FAULT_IN_USE, object, "choose another name", "%s is the name of volume %04X",
				 name, other->record.id);
	if (update_record(volume, change_name, name ? name : "", fault))
		return -1;
	log_line(LOG_NOTICE, "control", "%s is named '%s' now", object, volume->record.name);
	return 0;
}

/* failed_wall_ns: of the failed sync that is accepted; one that failed since is not. */
static void change_accepted(struct record_volume *record, const void *failed_wall_ns)
{
	record->unflushed_lost_wall_ns = 0;
	if (record->sync_failed_wall_ns == *(const int64_t *)failed_wall_ns)
		record->sync_failed_wall_ns = 0;
}

static int accept_here(void *arg)
{
	return volume_accept_loss(arg);
}

void control_volume_end_losses(void *arg, uint16_t id)
{
	struct control_volume *volume = control_volume_at(arg, id);
	int64_t failed_wall_ns;
	struct fault fault;

	if (!volume || (!volume->record.unflushed_lost_wall_ns && !volume->record.sync_failed_wall_ns))
		return;
	failed_wall_ns = volume->record.sync_failed_wall_ns;
	if (update_record(volume, change_accepted, &failed_wall_ns, &fault))
		log_line(LOG_WARNING, "control", "volume %04X: that its losses are made good cannot be noted", id);
	else
		log_line(LOG_NOTICE, "control", "volume %04X holds what its other side held: its losses are none", id);
}

/* The volume whose losses may be accepted now, and which is kept for that; NULL: not. */
static struct control_volume *begin_accept(struct control *control, uint16_t id, struct fault *fault)
{
	struct control_volume *volume;
	char object[16];

	if (control_enter(control, fault))
		return NULL;
	CONTROL_ENTERED(control);
	name_object(id, object);
	volume = control_volume_need(control, id, fault);
	if (!volume || check_busy(volume, object, fault))
		return NULL;
	if (!volume->record.unflushed_lost_wall_ns && !volume->record.sync_failed_wall_ns) {
		fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc volume show says how it is",
			  "it has lost nothing");
		return NULL;
	}
	if (volume->record.sync_failed_wall_ns && !volume->volume) {
		fault_set(fault, FAULT_FAILED, object, "mend that and restart xdcd", "it is not open");
		return NULL;
	}
	volume->busy = "its loss is being accepted";
	return volume;
}

/* Without the lock, as it waits for the disk. */
static int accept_losses(struct control_volume *volume, struct fault *fault)
{
	int64_t failed_wall_ns = volume->record.sync_failed_wall_ns;
	char object[16];
	int rc;

	name_object(volume->record.id, object);
	if (failed_wall_ns)
		copy_before_accept(volume->control->copy, volume->record.id);
	/*
	 * What a loss of power took is in the dirty log, and was noted at the start. What a sync has lost may still
	 * be in the memory of the kernel, until this: only then the record may say that it is accepted.
	 */
	rc = failed_wall_ns ? rt_call(volume_reactor(volume->volume), accept_here, volume->volume) : 0;
	if (rc != 0)
		return control_fault_errno(fault, object, "mend its disk, and repeat the command", rc,
					   "its loss cannot be accepted");
	if (update_record(volume, change_accepted, &failed_wall_ns, fault))
		return -1;
	log_line(LOG_NOTICE, "control", "%s: its lost writes are accepted", object);
	return 0;
}

int control_volume_accept(struct control *control, uint16_t id, struct fault *fault)
{
	struct control_volume *volume = begin_accept(control, id, fault);
	int rc;

	if (!volume)
		return -1;
	rc = accept_losses(volume, fault);
	volume->busy = NULL;
	return rc;
}

/* ---- delete ---- */

/* Out of the metadata, with a record of the files that are left. NULL: not, with the fault. */
static struct control_retired *commit_delete(struct control_volume *volume, const char *object, struct fault *fault)
{
	const struct record_volume *record = &volume->record;
	struct control *control = volume->control;
	struct record_retired left = { .volume = record->id, .retired_wall_ns = rt_wall_ns() };
	const struct meta_change changes[] = {
		{ META_DELETE, META_VOLUME, record }, { META_PUT, META_RETIRED, &left },
	};
	struct control_retired *retired;

	memcpy(left.uuid, record->uuid, sizeof(left.uuid));
	snprintf(left.pool, sizeof(left.pool), "%s", record->pool);
	if (control_retired_load(control, &left) != 0) {
		fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
		return NULL;
	}
	retired = list_last(&control->retired, struct control_retired, link);
	if (control_commit(control, changes, 2, object, fault) == 0)
		return retired;
	control_retired_drop(retired);
	return NULL;
}

/* The blocks of a large file are freed one after the other: that takes long, and only then it is worth a job. */
static void remove_files(struct control *control, struct control_retired *retired, uint64_t size_bytes,
			 const char *object)
{
	const struct job_spec spec = { .kind = JOB_VOLUME_DELETE, .object = object };
	struct job *job = size_bytes >= LARGE_BYTES ? job_begin(control->jobs, &spec) : NULL;

	/* What keeps them from that is in the log, and they go with the next start. */
	(void)!control_retired_remove(control, retired);
	job_end(job, NULL);
}

int control_volume_delete(struct control *control, uint16_t id, struct fault *fault)
{
	struct control_retired *retired;
	struct control_volume *volume;
	uint64_t size_bytes;
	char object[16];
	bool has_file;

	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	name_object(id, object);
	volume = control_volume_need(control, id, fault);
	if (!volume)
		return -1;
	has_file = volume->pool->record.kind == POOL_DIR;
	size_bytes = has_file ? volume->record.size_bytes : 0;
	if (control_check_hosts(volume, fault))
		return -1;
	if (check_busy(volume, object, fault))
		return -1;
	if (control_check_no_set(control, id, SET_OF_VOLUMES, object, fault) ||
	    control_check_no_set(control, id, SET_OF_PAIRS, object, fault) ||
	    control_check_no_set(control, id, SET_OF_FLASHCOPIES, object, fault))
		return -1;
	if (copy_remembers_volume(control->copy, id, fault))
		return -1;
	/* The copy services do not look under this lock: from here on they do not find it. */
	volume->hidden = true;
	retired = commit_delete(volume, object, fault);
	if (!retired) {
		volume->hidden = false;
		return -1;
	}
	control_volume_close(volume);
	control_volume_leave(volume);
	log_line(LOG_NOTICE, "control", "%s deleted%s", object, has_file ? "" : ", its data are kept");
	remove_files(control, retired, size_bytes, object);
	return 0;
}
