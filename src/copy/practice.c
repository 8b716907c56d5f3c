/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/practice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/flash.h"
#include "copy/leg_hold.h"
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

static bool has_volumes(struct copy *copy, uint8_t session)
{
	uint32_t from = 0;
	uint16_t volume;

	return next_volume(copy, session, &from, &volume);
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

static void open_all(struct copy *copy, uint8_t session)
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
	if (rc && find(copy, session))
		open_all(copy, session);
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

/* The record goes first: what is there without it is left over. */
static int remove_all(struct copy *copy, uint8_t session, struct fault *fault)
{
	struct practice *practice = find(copy, session);
	char object[64];
	int rc = close_all(copy, session, fault);

	if (!rc && practice) {
		const struct meta_change gone = { META_DELETE, META_PRACTICE, &practice->record };

		rc = meta_commit(copy->config.meta, &gone, 1);
		if (rc) {
			open_all(copy, session);
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

struct making {
	struct copy *copy;
	uint8_t session;
	struct leg_hold hold;
	struct copy_flash_request *requests;	/* in order of sources */
	unsigned count;
};

static int make_volumes(struct making *making, const char *pool, struct fault *fault)
{
	const struct copy_config *config = &making->copy->config;
	const struct leg_hold *hold = &making->hold;
	char object[64];
	int rc = 0;

	object_of(making->session, object);
	if (hold->volume_count > COPY_FLASHES_MAX)
		return fault_set(fault, FAULT_NOT_SUPPORTED, object, "xdc flash group copies some of them",
				 "more than %u volumes cannot be copied at one moment, and it has %u", COPY_FLASHES_MAX,
				 hold->volume_count);
	making->requests = mem_alloc_zeroed(hold->volume_count * sizeof(making->requests[0]));
	if (!making->requests)
		return fault_set(fault, FAULT_FAILED, object, "try again", "no memory");
	for (; making->count < hold->volume_count && !rc; making->count += !rc) {
		struct copy_practice_volume wanted = {
			.session = making->session, .source = hold->volumes[making->count],
		};

		rc = config->make_practice(config->find_arg, &wanted, pool, fault);
		making->requests[making->count] = (struct copy_flash_request){
			.source = wanted.source, .target = wanted.volume, .no_copy = true, .practice = making->session,
		};
	}
	return rc;
}

/* The group at which it is held may not be the one for which they were made. */
static int check_same(const struct making *making, struct fault *fault)
{
	const struct leg_hold *hold = &making->hold;
	bool same = hold->volume_count == making->count;
	char object[64];

	for (unsigned i = 0; same && i < making->count; i++)
		same = hold->volumes[i] == making->requests[i].source;
	return same ? 0 : fault_set(fault, FAULT_IN_USE, object_of(making->session, object), "repeat the command",
				    "its volumes change just now");
}

static int flash_all(struct making *making, struct fault *fault)
{
	struct copy *copy = making->copy;
	struct record_practice record = {
		.session = making->session, .sequence = making->hold.number, .cg_wall_ns = making->hold.cg_wall_ns,
		.created_wall_ns = rt_wall_ns(),
	};
	const struct meta_change put = { META_PUT, META_PRACTICE, &record };
	struct practice *practice = mem_alloc_zeroed(sizeof(*practice));
	char object[64];

	if (!practice)
		return fault_set(fault, FAULT_FAILED, object_of(making->session, object), "try again", "no memory");
	if (flash_create_with(copy, making->requests, making->count, &put, fault)) {
		mem_free(practice);
		return -1;
	}
	practice->record = record;
	list_add_last(&copy->practices, &practice->link);
	log_line(LOG_NOTICE, "practice", "session %u: %u volumes show CG %llu to practise with", making->session,
		 making->count, (unsigned long long)record.sequence);
	return 0;
}

static int make_all(struct making *making, const char *pool, struct fault *fault)
{
	int rc = make_volumes(making, pool, fault);

	if (!rc)
		rc = leg_hold_begin(&making->hold, fault);
	if (!rc)
		rc = check_same(making, fault);
	if (!rc)
		rc = flash_all(making, fault);
	return rc;
}

/* What was refused leaves nothing. */
static void undo(struct making *making)
{
	struct fault fault;
	RT_SHIELD();

	if (remove_all(making->copy, making->session, &fault))
		log_line(LOG_WARNING, "practice", "session %u: what is left of its practice copy stays: %s: %s",
			 making->session, fault.object, fault.message);
}

static int practise(struct making *making, const char *pool, struct fault *fault)
{
	int rc = leg_hold_find(&making->hold, making->copy, making->session, fault);

	if (!rc)
		rc = remove_all(making->copy, making->session, fault);
	if (!rc) {
		rc = make_all(making, pool, fault);
		leg_hold_end(&making->hold);
		if (rc)
			undo(making);
	} else {
		leg_hold_end(&making->hold);
	}
	mem_free(making->requests);
	return rc;
}

static int begin(struct copy *copy, uint8_t session, struct fault *fault)
{
	char object[64];
	int rc = rt_mutex_lock(&copy->practising);

	return rc ? fault_set(fault, FAULT_TIMEOUT, object_of(session, object), "try again",
			      "another command on practice copies does not end") : 0;
}

int copy_session_practice(struct copy *copy, uint8_t session, const char *pool, struct fault *fault)
{
	struct making *making = mem_alloc_zeroed(sizeof(*making));
	char object[64];
	int rc;

	if (!making)
		return fault_set(fault, FAULT_FAILED, object_of(session, object), "try again", "no memory");
	making->copy = copy;
	making->session = session;
	rc = begin(copy, session, fault);
	if (!rc) {
		rc = practise(making, pool, fault);
		rt_mutex_unlock(&copy->practising);
	}
	mem_free(making);
	return rc;
}

int copy_session_unpractice(struct copy *copy, uint8_t session, struct fault *fault)
{
	char object[64];
	int rc = begin(copy, session, fault);

	if (rc)
		return rc;
	if (!find(copy, session) && !has_volumes(copy, session))
		rc = fault_set(fault, FAULT_INVALID_PARAMETER, object_of(session, object), "xdc session practice",
			       "it has no practice copy here");
	else
		rc = remove_all(copy, session, fault);
	rt_mutex_unlock(&copy->practising);
	return rc;
}

void copy_practices_settle(struct copy *copy)
{
	struct copy_practice_volume left;
	struct fault fault;
	uint32_t from = 0;

	while (copy->config.next_practice(copy->config.find_arg, from, &left)) {
		from = left.volume + 1u;
		if (!find(copy, left.session) && remove_all(copy, left.session, &fault))
			log_line(LOG_WARNING, "practice", "session %u: what is left of a practice copy stays: %s: %s",
				 left.session, fault.object, fault.message);
	}
}

/* ---- show ---- */

bool copy_practice_get(struct copy *copy, uint8_t session, struct copy_practice_info *info)
{
	const struct practice *practice = find(copy, session);
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

		if (flash->record.practice == session && find(copy, session))
			each(arg, &volume);
	}
}
