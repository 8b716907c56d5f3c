/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator may do with FlashCopies (copy.h). */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/flash.h"
#include "copy/leg.h"
#include "copy/pair.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/meta.h"
#include "store/planted.h"

#define FREEZE_NS	(5 * RT_SECOND)		/* writes under way end within this, or nothing is established */

static const char *object_of(uint16_t volume, char text[64])
{
	snprintf(text, 64, "volume %04X", volume);
	return text;
}

int flash_fault(uint16_t volume, int rc, const char *what, struct fault *fault)
{
	const char *remedy = "see the log, and try again";
	char object[64];

	if (rc == -ENOSPC)
		remedy = "make space in the state folder of xdcd";
	if (rc == -EMFILE)
		remedy = "raise the limit of open files of xdcd (LimitNOFILE=, ulimit -n), and start it again";
	return fault_set(fault, FAULT_FAILED, object_of(volume, object), remedy, "%s: %s", what, strerrordesc_np(-rc));
}

/* One command at a time. */
int flash_begin(struct copy *copy, uint16_t target, struct fault *fault)
{
	int rc = rt_mutex_lock(&copy->flashing);

	return rc ? flash_fault(target, rc, "another command on FlashCopies does not end", fault) : 0;
}

int flash_end_command(struct copy *copy, int rc)
{
	rt_mutex_unlock(&copy->flashing);
	return rc;
}

/* Where it is in the state table. True when it is whole. Suspends. */
static bool look(struct flash *flash, enum copy_type *type, enum copy_state *state, uint64_t *own_blocks)
{
	const struct copy_flash_facts facts = {
		.whole = flash_is_whole(flash, own_blocks), .record = &flash->record,
		.target_attached = flash->target_attached, .source_attached = flash->source_attached,
	};

	copy_table_of_flash(&facts, type, state);
	return facts.whole;
}

int flash_check(struct flash *flash, enum copy_verb verb, bool force, struct fault *fault)
{
	const struct record_flash *record = &flash->record;
	char object[64];
	struct copy_words words = {
		.object = object_of(record->target, object), .volume = record->target, .remote = record->source,
		.session = record->practice,
	};
	enum copy_type type;
	enum copy_state state;

	(void)look(flash, &type, &state, &words.blocks);
	words.state = flash_state_names[record->state];
	force = force || planted(PLANTED_FORCE_ASSUMED);
	return copy_table_check(type, state, verb, force, &words, fault);
}

struct flash *flash_need(struct copy *copy, uint16_t target, enum copy_verb verb, bool force, struct fault *fault)
{
	struct flash *flash = flash_find_target(copy, target);
	char object[64];

	if (!flash)
		fault_set(fault, FAULT_INVALID_PARAMETER, object_of(target, object), "xdc flash list",
			  "it is the target of no FlashCopy");
	return flash && !flash_check(flash, verb, force, fault) ? flash : NULL;
}

struct flash *flash_begin_command(struct copy *copy, uint16_t target, enum copy_verb verb, bool force,
				  struct fault *fault)
{
	struct flash *flash;

	if (flash_begin(copy, target, fault))
		return NULL;
	flash = flash_need(copy, target, verb, force, fault);
	if (!flash)
		rt_mutex_unlock(&copy->flashing);
	return flash;
}

/* ---- create: what is asked for ---- */

/* A chain of sources leads back to the target, or is as long as it may be. */
static int check_cascade(const struct copy *copy, uint16_t source, uint16_t target, struct fault *fault)
{
	const struct flash *above = flash_find_target(copy, source);
	uint16_t first = source;
	unsigned depth = 1;
	char object[64];

	for (; above && first != target && depth <= FLASH_DEPTH_MAX; above = flash_find_target(copy, first), depth++)
		first = above->record.source;
	if (first == target)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object_of(target, object), "take another target",
				 source == target ? "a volume is no copy of itself" : "the source is a copy of it");
	if (depth > FLASH_DEPTH_MAX)
		return fault_set(fault, FAULT_NOT_SUPPORTED, object_of(target, object),
				 "take a source that is a copy of fewer others: xdc flash list",
				 "its source %04X is the last of %u FlashCopies, each of the one before, and there "
				 "may be no more", source, FLASH_DEPTH_MAX);
	return 0;
}

static unsigned count_targets(const struct copy *copy, uint16_t source)
{
	const struct flash *flash;
	unsigned count = 0;

	for (flash = flash_first_of(copy, source); flash; flash = flash->next_of_source)
		count++;
	return count;
}

static int check_volumes(const struct copy_flash_request *request, const struct volume *source,
			 const struct volume *target, struct fault *fault)
{
	const struct { uint16_t id; const struct volume *volume; } both[] = {
		{ request->source, source }, { request->target, target },
	};
	char object[64];

	for (unsigned i = 0; i < 2; i++)
		if (!both[i].volume)
			return fault_set(fault, FAULT_INVALID_PARAMETER, object_of(both[i].id, object),
					 "xdc volume list", "there is no such volume, or it is offline");
	if (volume_size(source) != volume_size(target))
		return fault_set(fault, FAULT_SIZE_NOT_SUPPORTED, object_of(request->target, object),
				 "make both of one size", "it has %llu bytes, and the source %llu",
				 (unsigned long long)volume_size(target), (unsigned long long)volume_size(source));
	return 0;
}

/* Not of the same command. */
static bool has_revertible(const struct copy *copy, uint16_t source)
{
	const struct flash *flash;

	for (flash = flash_first_of(copy, source); flash; flash = flash->next_of_source)
		if (flash->is_durable && flash->record.state == FLASH_REVERTIBLE)
			return true;
	return false;
}

static int check_request(struct copy *copy, const struct copy_flash_request *request, struct fault *fault)
{
	const struct copy_config *config = &copy->config;
	const struct flash *of_source = flash_find_target(copy, request->source);
	struct flash *of_target = flash_find_target(copy, request->target);
	char object[64];

	object_of(request->target, object);
	if (of_target)
		return flash_check(of_target, COPY_CREATE, false, fault);
	if (check_volumes(request, config->find_volume(config->find_arg, request->source),
			  config->find_volume(config->find_arg, request->target), fault))
		return -1;
	if (check_cascade(copy, request->source, request->target, fault))
		return -1;
	if (flash_has_source(copy, request->target))
		return fault_set(fault, FAULT_IN_USE, object, "delete those first: xdc flash list",
				 "it is the source of another FlashCopy, whose target would change");
	if (pair_uses_volume(copy, request->target) || leg_owns_volume(copy, request->target))
		return fault_set(fault, FAULT_IN_USE, object, "take another target: xdc pair list",
				 "it is in a pair or in a consistency group that is kept");
	if (has_revertible(copy, request->source) || (of_source && of_source->record.state != FLASH_ACTIVE))
		return fault_set(fault, FAULT_IN_USE, object_of(request->source, object), "xdc flash list",
				 "it is in a FlashCopy that is not committed, or has failed");
	if (request->revertible && (pair_uses_volume(copy, request->source) || leg_owns_volume(copy, request->source)))
		return fault_set(fault, FAULT_IN_USE, object_of(request->source, object), "leave --revertible out",
				 "it is in a pair, and would not be written while the FlashCopy is not committed");
	if (count_targets(copy, request->source) >= FLASH_TARGETS_MAX)
		return fault_set(fault, FAULT_NOT_SUPPORTED, object_of(request->source, object),
				 "delete one of them: xdc flash list", "it has %u targets already", FLASH_TARGETS_MAX);
	return 0;
}

/* ---- create: step by step, all relations of a command together ---- */

struct create {
	struct copy *copy;
	const struct meta_change *with;
	unsigned count, made, closed;
	struct flash *flashes[COPY_FLASHES_MAX];
	struct flash_freeze freezes[COPY_FLASHES_MAX];
};

static int make_flash(struct create *create, const struct copy_flash_request *request, struct fault *fault)
{
	struct record_flash record = {
		.source = request->source, .target = request->target, .no_copy = request->no_copy,
		.persistent = request->persistent || request->record, .inhibit = request->inhibit,
		.record = request->record, .sequence = request->sequence, .practice = request->practice,
		.priority = request->priority,
		.state = request->revertible ? FLASH_REVERTIBLE : FLASH_ACTIVE,
	};
	struct flash *flash;
	int rc;

	if (check_request(create->copy, request, fault))
		return -1;
	record.since_wall_ns = rt_wall_ns();
	flash = flash_make(create->copy, &record);
	if (!flash)
		return flash_fault(request->target, -ENOMEM, "it cannot become a target", fault);
	create->flashes[create->made++] = flash;
	rc = flash_make_maps(flash, &flash->record);
	return rc ? flash_fault(request->target, rc, "its map cannot be made", fault) : 0;
}

/* Hosts have it no more, and what it held is given up; later, when that can be reverted. */
static int take_target(struct flash *flash, struct fault *fault)
{
	uint16_t target = flash->record.target;
	bool revertible;
	int rc;

	if (flash_close_volume(flash, target, fault))
		return -1;
	revertible = flash->record.state == FLASH_REVERTIBLE;
	rc = flash_begin_clone(flash);
	if (!rc && revertible)
		rc = flash_set_access(flash->data.source, VOLUME_ACCESS_READ);
	else if (!rc && !flash->is_clone)
		rc = flash_clear_unseen(flash->data.target);
	if (!rc && !flash->is_clone)
		rc = flash_attach_target(flash);
	if (!rc && !flash->is_clone)
		flash_open_late(flash);
	return rc ? flash_fault(target, rc, revertible ? "it cannot become a target" :
				"it cannot become a target, and may be empty now", fault) : 0;
}

/* The one moment: no write is under way on any source when the first target is attached, nor until the last is. */
static int attach_all(struct create *create)
{
	int64_t until_ns = rt_now_ns() + FREEZE_NS;
	int rc = 0;

	for (unsigned i = 0; !rc && i < create->count; i++)
		rc = flash_freeze(&create->freezes[i], create->flashes[i]->data.source, until_ns);
	for (unsigned i = 0; !rc && i < create->count; i++) {
		create->flashes[i]->record.created_wall_ns = rt_wall_ns();
		rc = create->flashes[i]->is_clone ? flash_clone(create->flashes[i]) :
			flash_attach_source(create->flashes[i]);
	}
	for (unsigned i = 0; !rc && i < create->count; i++)
		if (!volume_is_frozen(&create->freezes[i].freeze))
			rc = -ETIMEDOUT;
	for (unsigned i = 0; i < create->count; i++)
		flash_thaw(&create->freezes[i]);
	return rc;
}

/* What the targets show survives the power: on the sources' disks, of clones on their own. */
static int sync_shown(const struct create *create)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < create->count; i++) {
		const struct flash *flash = create->flashes[i];

		if (flash->is_clone && planted(PLANTED_CLONE_UNSYNCED))
			continue;
		rc = flash_sync(flash->is_clone ? flash->data.target : flash->data.source);
	}
	return rc;
}

/* From here on a failure of one of them waits for the records, and is durable itself. Clones are whole, and over. */
static int put_records(const struct create *create, struct meta_change *changes)
{
	unsigned locked;
	int rc = 0;

	for (locked = 0; !rc && locked < create->count; locked++) {
		struct flash *flash = create->flashes[locked];

		rc = rt_mutex_lock(&flash->changing);
		if (rc)
			break;
		changes[locked] = (struct meta_change) {
			flash->is_clone ? META_DELETE : META_PUT, META_FLASH, &flash->record,
		};
		rc = flash->record.state == FLASH_FAILED ? -EIO : 0;
	}
	if (create->with)
		changes[create->count] = *create->with;
	if (!rc)
		rc = meta_commit(create->copy->config.meta, changes, create->count + (create->with != NULL));
	while (locked > 0) {
		struct flash *flash = create->flashes[--locked];

		flash->is_durable = flash->is_clone ? rc != 0 : !rc;
		/* Hosts write to its source until it is detached, and find its maps gone: that is no failure of it. */
		if (rc && flash->record.state == FLASH_ACTIVE)
			flash->record.state = FLASH_WITHDRAWING;
		rt_mutex_unlock(&flash->changing);
	}
	for (unsigned i = 0; rc && i < create->count; i++)
		flash_void_maps(create->copy, &create->flashes[i]->record);
	return rc;
}

/* All or none. */
static int make_durable(const struct create *create)
{
	struct meta_change *changes = mem_alloc((create->count + 1) * sizeof(*changes));
	int rc = changes ? put_records(create, changes) : -ENOMEM;

	mem_free(changes);
	return rc;
}

/* Nothing of it was. */
static void undo(struct create *create)
{
	RT_SHIELD();

	while (create->made > 0) {
		struct flash *flash = create->flashes[--create->made];
		struct record_flash record = flash->record;
		struct copy *copy = flash->copy;
		bool closed = create->made < create->closed;

		if (flash->is_clone) {
			flash_undo_clone(flash);
			continue;
		}
		flash_detach(flash);
		if (closed && flash_set_access(flash->data.target, VOLUME_ACCESS_WRITE))
			log_line(LOG_ERROR, "flash", "volume %04X stays closed to hosts until the next start",
				 record.target);
		if (closed && record.state == FLASH_REVERTIBLE &&
		    flash_set_access(flash->data.source, VOLUME_ACCESS_WRITE))
			log_line(LOG_ERROR, "flash", "volume %04X stays closed to writes until the next start",
				 record.source);
		flash_put_down(flash);
		flash_remove_maps(copy, &record);
	}
}

static int establish(struct create *create, struct fault *fault)
{
	uint16_t first = create->flashes[0]->record.target;
	bool revertible = create->flashes[0]->record.state == FLASH_REVERTIBLE;
	int rc;

	for (unsigned i = 0; i < create->count; i++) {
		create->closed = i + 1;
		if (take_target(create->flashes[i], fault))
			return -1;
	}
	rc = attach_all(create);
	if (rc == -ETIMEDOUT)
		return fault_set(fault, FAULT_TIMEOUT, "", "try again", revertible ?
				 "writes of hosts did not end within 5 s" :
				 "writes of hosts did not end within 5 s; the targets are empty now");
	if (!rc)
		rc = sync_shown(create);
	if (!rc)
		rc = make_durable(create);
	return rc ? flash_fault(first, rc, revertible ? "the FlashCopy cannot be made durable" :
				"the FlashCopy cannot be made durable; the targets are empty now", fault) : 0;
}

static void open_targets(const struct create *create)
{
	for (unsigned i = 0; i < create->count; i++) {
		struct flash *flash = create->flashes[i];

		if (flash->is_clone) {
			flash_finish_clone(flash);
			continue;
		}
		/* A practice copy is opened when all far sides have theirs. */
		if (!flash->record.practice)
			flash_open_volumes(flash);
		flash_begin_copy(flash);
		log_line(LOG_NOTICE, "flash", "volume %04X shows %04X as it is now", flash->record.target,
			 flash->record.source);
	}
}

static int create_all(struct create *create, const struct copy_flash_request *requests, struct fault *fault)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < create->count; i++)
		rc = make_flash(create, &requests[i], fault);
	if (!rc)
		rc = establish(create, fault);
	if (rc)
		undo(create);
	else
		open_targets(create);
	return rc;
}

int flash_create_with(struct copy *copy, const struct copy_flash_request *requests, unsigned count,
		      const struct meta_change *with, struct fault *fault)
{
	struct create *create = mem_alloc_zeroed(sizeof(*create));
	int rc;

	assert(count > 0 && count <= COPY_FLASHES_MAX);
	if (!create)
		return flash_fault(requests[0].target, -ENOMEM, "it cannot become a target", fault);
	create->copy = copy;
	create->with = with;
	create->count = count;
	rc = flash_begin(copy, requests[0].target, fault);
	if (!rc)
		rc = flash_end_command(copy, create_all(create, requests, fault));
	mem_free(create);
	return rc;
}

int copy_flash_create(struct copy *copy, const struct copy_flash_request *requests, unsigned count, struct fault *fault)
{
	return flash_create_with(copy, requests, count, NULL, fault);
}

/* ---- delete ---- */

/* The target needs its source, or has failed. */
static int withdraw(struct flash *flash, struct fault *fault)
{
	uint16_t target = flash->record.target;
	char object[64];
	int rc;

	if (flash_has_source(flash->copy, target))
		return fault_set(fault, FAULT_IN_USE, object_of(target, object), "delete those first: xdc flash list",
				 "it is the source of another FlashCopy, which needs what it shows");
	if (flash->data.target && flash_close_volume(flash, target, fault))
		return -1;
	rc = flash_set_state(flash, FLASH_WITHDRAWING, flash->record.reason);
	if (!rc)
		rc = flash_finish_withdraw(flash);
	return rc ? flash_fault(target, rc, "the FlashCopy cannot be ended", fault) : 0;
}

static int delete(struct flash *flash, struct fault *fault)
{
	uint16_t target = flash->record.target, source = flash->record.source;
	uint64_t own_blocks;
	int rc;

	if (!flash_is_whole(flash, &own_blocks))
		rc = withdraw(flash, fault);
	else if ((rc = flash_let_go(flash)) != 0)
		rc = flash_fault(target, rc, "the FlashCopy cannot be ended", fault);
	if (!rc)
		log_line(LOG_NOTICE, "flash", "volume %04X is no FlashCopy of %04X any more", target, source);
	return rc;
}

int flash_delete_practice(struct copy *copy, uint16_t target, struct fault *fault)
{
	struct flash *flash;
	int rc = 0;

	if (flash_begin(copy, target, fault))
		return -1;
	flash = flash_find_target(copy, target);
	if (flash && flash->record.practice)
		rc = delete(flash, fault);
	return flash_end_command(copy, rc);
}

int copy_flash_delete(struct copy *copy, uint16_t target, bool force, struct fault *fault)
{
	struct flash *flash = flash_begin_command(copy, target, COPY_DELETE, force, fault);

	return flash ? flash_end_command(copy, delete(flash, fault)) : -1;
}

/* ---- show ---- */

bool copy_flash_get(struct copy *copy, uint16_t target, struct record_flash *record)
{
	const struct flash *flash = flash_find_target(copy, target);

	if (!flash || !flash->is_durable)
		return false;
	*record = flash->record;
	return true;
}

static void get_info(struct flash *flash, struct copy_flash_info *info)
{
	const struct volume *target = flash->data.target;
	uint64_t own_blocks = 0;
	bool whole;

	*info = (struct copy_flash_info){ .record = flash->record };
	whole = look(flash, &info->copy_type, &info->copy_state, &own_blocks);
	info->is_offline = !target || !flash->data.source;
	info->size_bytes = target ? volume_size(target) : 0;
	info->own_bytes = whole ? info->size_bytes : own_blocks * XDC_BLOCK_SIZE;
}

static int begin_list(struct copy *copy, struct fault *fault)
{
	if (rt_mutex_lock(&copy->flashing) == 0)
		return 0;
	return fault_set(fault, FAULT_TIMEOUT, "", "repeat the command",
			 "another command on FlashCopies does not end");
}

int copy_flash_each(struct copy *copy, void (*each)(void *arg, const struct copy_flash_info *info), void *arg,
		    struct fault *fault)
{
	struct copy_flash_info info;
	struct flash *flash;

	if (begin_list(copy, fault))
		return -1;
	list_for_each(flash, &copy->flashes, link) {
		get_info(flash, &info);
		each(arg, &info);
	}
	return flash_end_command(copy, 0);
}

int copy_flash_list(struct copy *copy, uint32_t from, struct copy_flash_info *infos, unsigned max, struct fault *fault)
{
	struct flash *flash;
	unsigned count = 0;

	if (begin_list(copy, fault))
		return -1;
	for (flash = flash_first_from(copy, from); flash && count < max; count++) {
		get_info(flash, &infos[count]);
		flash = flash_first_from(copy, flash->record.target + 1u);
	}
	return flash_end_command(copy, (int)count);
}

int copy_flash_show(struct copy *copy, uint16_t target, struct copy_flash_info *info, struct fault *fault)
{
	struct flash *flash;

	if (begin_list(copy, fault))
		return -1;
	flash = flash_find_target(copy, target);
	if (flash)
		get_info(flash, info);
	return flash_end_command(copy, flash != NULL);
}
