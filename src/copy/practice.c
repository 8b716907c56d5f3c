/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/practice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/flash.h"
#include "copy/leg.h"
#include "copy/pair.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/meta.h"

struct practice {
	struct list_head link;			/* of copy->practices */
	struct record_practice record;
};

static const char *object_of(uint8_t session, char text[64])
{
	snprintf(text, 64, "session %u", session);
	return text;
}

static struct practice *find(struct copy *copy, uint8_t session)
{
	struct practice *practice;

	list_for_each(practice, &copy->practices, link) {
		if (practice->record.session == session)
			return practice;
	}
	return NULL;
}

/* Only those are seen. */
static struct practice *find_whole(struct copy *copy, uint8_t session)
{
	struct practice *practice = find(copy, session);

	return practice && !practice->record.pending ? practice : NULL;
}

const struct record_practice *practice_get(struct copy *copy, uint8_t session)
{
	const struct practice *practice = find(copy, session);

	return practice ? &practice->record : NULL;
}

int practice_take_up(struct copy *copy, const struct record_practice *record)
{
	struct practice *practice = mem_alloc_zeroed(sizeof(*practice));

	if (!practice)
		return -ENOMEM;
	practice->record = *record;
	list_add_last(&copy->practices, &practice->link);
	return 0;
}

static void drop(struct practice *practice)
{
	list_remove(&practice->link);
	mem_free(practice);
}

void practices_drop(struct copy *copy)
{
	while (!list_empty(&copy->practices))
		drop(list_first(&copy->practices, struct practice, link));
}

/* ---- its volumes ---- */

/* The next one of the session whose id is not below *from, which is behind it then. */
static bool next_volume(struct copy *copy, uint8_t session, uint32_t *from, uint16_t *volume)
{
	struct copy_practice_volume found;

	while (copy->config.next_practice(copy->config.find_arg, *from, &found)) {
		*from = found.volume + 1u;
		*volume = found.volume;
		if (found.session == session)
			return true;
	}
	return false;
}

bool practice_is_any(struct copy *copy, uint8_t session)
{
	uint32_t from = 0;
	uint16_t volume;

	return find(copy, session) || next_volume(copy, session, &from, &volume);
}

/* ---- removing ---- */

static int check_volume(struct copy *copy, uint16_t volume, struct fault *fault)
{
	char object[64];

	snprintf(object, sizeof(object), "volume %04X", volume);
	if (flash_has_source(copy, volume))
		return fault_set(fault, FAULT_IN_USE, object, "delete that first: xdc flash list",
				 "it is the source of a FlashCopy");
	if (pair_uses_volume(copy, volume) || leg_owns_volume(copy, volume))
		return fault_set(fault, FAULT_IN_USE, object, "delete that first: xdc pair list", "it is in a pair");
	return 0;
}

void practice_open(struct copy *copy, uint8_t session)
{
	struct flash *flash;
	int rc = rt_mutex_lock(&copy->flashing);

	if (rc)
		return;
	list_for_each(flash, &copy->flashes, link) {
		if (flash->record.practice == session)
			flash_open_volumes(flash);
	}
	rt_mutex_unlock(&copy->flashing);
}

/* No host has any of them open, nor opens it from here on. */
static int close_all(struct copy *copy, uint8_t session, struct fault *fault)
{
	const struct copy_config *config = &copy->config;
	uint32_t from = 0;
	uint16_t volume;
	int rc = 0;

	while (!rc && next_volume(copy, session, &from, &volume)) {
		rc = check_volume(copy, volume, fault);
		if (!rc && config->close_volume && config->find_volume(config->find_arg, volume))
			rc = config->close_volume(config->find_arg, volume, fault);
	}
	/* They are of a copy that is whole still. */
	if (rc && find_whole(copy, session))
		practice_open(copy, session);
	return rc;
}

static int remove_volumes(struct copy *copy, uint8_t session, struct fault *fault)
{
	uint32_t from = 0;
	uint16_t volume;

	while (next_volume(copy, session, &from, &volume)) {
		if (flash_delete_practice(copy, volume, fault) ||
		    copy->config.delete_practice(copy->config.find_arg, volume, fault))
			return -1;
	}
	return 0;
}

int practice_check_remove(struct copy *copy, uint8_t session, struct fault *fault)
{
	int rc = close_all(copy, session, fault);

	if (!rc && find_whole(copy, session))
		practice_open(copy, session);
	return rc;
}

/* The record goes first: what is there without it is left over. */
int practice_remove(struct copy *copy, uint8_t session, struct fault *fault)
{
	struct practice *practice = find(copy, session);
	char object[64];
	int rc = close_all(copy, session, fault);

	if (!rc && practice) {
		const struct meta_change gone = { META_DELETE, META_PRACTICE, &practice->record };

		rc = meta_commit(copy->config.meta, &gone, 1);
		if (rc) {
			if (!practice->record.pending)
				practice_open(copy, session);
			return fault_set(fault, FAULT_FAILED, object_of(session, object), "see the log, and try again",
					 "that its practice copy ends cannot be made durable: %s",
					 strerrordesc_np(-rc));
		}
		drop(practice);
		log_line(LOG_NOTICE, "practice", "session %u: its practice copy is deleted", session);
	}
	return rc ? rc : remove_volumes(copy, session, fault);
}

/* ---- making ---- */

int practice_flash(struct copy *copy, const struct copy_flash_request *requests, unsigned count,
		   const struct record_practice *record, struct fault *fault)
{
	const struct meta_change put = { META_PUT, META_PRACTICE, record };
	struct practice *practice = mem_alloc_zeroed(sizeof(*practice));
	char object[64];

	if (!practice)
		return fault_set(fault, FAULT_FAILED, object_of(record->session, object), "try again", "no memory");
	if (flash_create_with(copy, requests, count, &put, fault)) {
		mem_free(practice);
		return -1;
	}
	practice->record = *record;
	list_add_last(&copy->practices, &practice->link);
	return 0;
}

int practice_commit(struct copy *copy, uint8_t session, struct fault *fault)
{
	struct practice *practice = find(copy, session);
	struct record_practice whole = practice->record;
	const struct meta_change put = { META_PUT, META_PRACTICE, &whole };
	char object[64];
	int rc;

	whole.pending = false;
	whole.created_wall_ns = rt_wall_ns();
	rc = meta_commit(copy->config.meta, &put, 1);
	if (rc)
		return fault_set(fault, FAULT_FAILED, object_of(session, object), "see the log, and try again",
				 "that its practice copy is whole cannot be made durable: %s", strerrordesc_np(-rc));
	practice->record = whole;
	practice_open(copy, session);
	log_line(LOG_NOTICE, "practice", "session %u: volumes show CG %llu to practise with", session,
		 (unsigned long long)whole.sequence);
	return 0;
}

void copy_practices_settle(struct copy *copy)
{
	struct copy_practice_volume left;
	struct fault fault;
	uint32_t from = 0;

	while (copy->config.next_practice(copy->config.find_arg, from, &left)) {
		from = left.volume + 1u;
		if (!find_whole(copy, left.session) && practice_remove(copy, left.session, &fault))
			log_line(LOG_WARNING, "practice", "session %u: what is left of a practice copy stays: %s: %s",
				 left.session, fault.object, fault.message);
	}
}

/* ---- show ---- */

bool copy_practice_get(struct copy *copy, uint8_t session, struct copy_practice_info *info)
{
	const struct practice *practice = find_whole(copy, session);
	struct flash *flash;

	if (!practice)
		return false;
	*info = (struct copy_practice_info){
		.sequence = practice->record.sequence, .cg_wall_ns = practice->record.cg_wall_ns,
		.created_wall_ns = practice->record.created_wall_ns,
	};
	if (rt_mutex_lock(&copy->flashing))
		return true;
	list_for_each(flash, &copy->flashes, link) {
		uint64_t own_blocks = 0;

		if (flash->record.practice != session)
			continue;
		info->volumes++;
		info->failed += flash->record.state != FLASH_ACTIVE || !flash->data.target || !flash->data.source;
		(void)flash_is_whole(flash, &own_blocks);
		info->own_bytes += own_blocks * XDC_BLOCK_SIZE;
	}
	rt_mutex_unlock(&copy->flashing);
	return true;
}

void copy_practice_each_volume(struct copy *copy, uint8_t session,
			       void (*each)(void *arg, const struct copy_practice_volume *volume), void *arg)
{
	const struct flash *flash;

	list_for_each(flash, &copy->flashes, link) {
		const struct copy_practice_volume volume = {
			.session = session, .volume = flash->record.target, .source = flash->record.source,
		};

		if (flash->record.practice == session && find_whole(copy, session))
			each(arg, &volume);
	}
}
