/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flash_copy.c - background copies: one fiber a relation, which gives way to hosts. Whoever shows long work hears of
 * each when it begins, and when it is over.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/flash.h"
#include "rt/log.h"

#define RETRY_NS	RT_SECOND	/* after a piece for which there was no memory, or no space */

static int do_copy(void *arg)
{
	struct flash *flash = arg;

	return volume_flash_copy(&flash->data, &flash->done);
}

static int pause_for(int64_t ns)
{
	return rt_sleep_until(rt_now_ns() + ns);
}

/* Not again and again. */
static void note_hindered(struct flash *flash, int rc)
{
	if (rc && rc != -ECANCELED && rc != flash->copy_error)
		log_line(LOG_WARNING, "flash", "volume %04X is not copied to %04X for now: %s", flash->record.source,
			 flash->record.target, strerrordesc_np(-rc));
	flash->copy_error = rc;
}

/* 0 when all is copied; -EIO: the relation has failed. */
static int copy_all(struct flash *flash)
{
	int step, rc = 0;

	pace_init(&flash->pace, flash->data.target, flash->record.priority);
	while (!rc && !flash->stop_copying) {
		pace_begin(&flash->pace);
		step = rt_call(volume_reactor(flash->data.target), do_copy, flash);
		note_hindered(flash, step < 0 ? step : 0);
		flash->seen_blocks = flash->done.next;
		if (flash->record.state == FLASH_FAILED)
			return -EIO;
		if (step == 0 || step == -ECANCELED)
			return step;
		rc = step < 0 ? pause_for(RETRY_NS) : pace_rest(&flash->pace);
	}
	return rc ? rc : -ECANCELED;
}

/* ---- whoever shows long work ---- */

static void tell(const struct flash *flash, enum copy_work step, const struct fault *failed)
{
	const struct copy_config *config = &flash->copy->config;

	if (config->flash_work)
		config->flash_work(config->find_arg, &flash->record, step, failed);
}

static void tell_failed(const struct flash *flash)
{
	char object[16], remedy[80];
	struct fault fault;

	snprintf(object, sizeof(object), "volume %04X", flash->record.target);
	snprintf(remedy, sizeof(remedy), "xdc flash delete %04X, mend that, and make it anew", flash->record.target);
	fault_set(&fault, FAULT_FAILED, object, remedy, "the FlashCopy has failed (%s)",
		  flash_reason_names[flash->record.reason]);
	tell(flash, COPY_WORK_ENDS, &fault);
}

/* All is copied; and yet the relation goes on, so that a restore keeps what it was to give back. */
static void tell_not_over(const struct flash *flash, int rc)
{
	struct fault fault;
	char object[16];

	snprintf(object, sizeof(object), "volume %04X", flash->record.target);
	fault_set(&fault, FAULT_FAILED, object, "mend that, and restart xdcd, which ends it then",
		  "it is copied, but that its FlashCopy is over cannot be noted: %s", strerrordesc_np(-rc));
	log_line(LOG_ERROR, "flash", "%s: %s", object, fault.message);
	tell(flash, COPY_WORK_ENDS, &fault);
}

void flash_end_work(const struct flash *flash)
{
	tell(flash, flash->is_copied ? COPY_WORK_ENDS : COPY_WORK_CUT, NULL);
}

/* ---- the fiber ---- */

/* The relation is over when it was only to last until here. Commands may have ended it meanwhile, and its work. */
static void let_go(struct copy *copy, const struct record_flash *copied)
{
	struct flash *flash;
	int rc = rt_mutex_lock(&copy->flashing);

	if (rc)
		return;
	flash = flash_find_target(copy, copied->target);
	if (flash && flash->is_copied && !memcmp(flash->record.map, copied->map, sizeof(copied->map)))
		rc = flash_let_go(flash);
	if (rc)
		tell_not_over(flash, rc);
	rt_mutex_unlock(&copy->flashing);
}

static void run_copy(void *arg)
{
	struct flash *flash = arg;
	struct copy *copy = flash->copy;
	struct record_flash record = flash->record;
	int rc = copy_all(flash);

	flash->copying = false;
	flash->is_copied = !rc;
	if (rc == -EIO)
		tell_failed(flash);
	else if (!rc && record.persistent)
		flash_end_work(flash);
	/* It may be put down from here on. */
	rt_cond_wake_all(&flash->copied);
	if (rc)
		return;
	log_line(LOG_NOTICE, "flash", "volume %04X is a whole copy of %04X", record.target, record.source);
	if (!record.persistent)
		let_go(copy, &record);
}

static void start_copy(struct flash *flash)
{
	int rc;

	flash->copying = true;
	flash->stop_copying = flash->is_copied = false;
	flash->done = (struct volume_flash_copying){ .next = 0 };
	flash->seen_blocks = 0;
	tell(flash, COPY_WORK_BEGINS, NULL);
	rc = rt_group_start(&flash->copy->flash_fibers, "flash copy", run_copy, flash);
	if (!rc)
		return;
	flash->copying = false;
	tell(flash, COPY_WORK_CUT, NULL);
	log_line(LOG_ERROR, "flash", "volume %04X is not copied until the next start: out of memory",
		 flash->record.target);
}

void flash_begin_copy(struct flash *flash)
{
	const struct record_flash *record = &flash->record;
	uint64_t own_blocks;

	if (flash->copying)
		return;
	if (record->no_copy || record->state != FLASH_ACTIVE)
		tell(flash, COPY_WORK_CUT, NULL);
	else if (record->persistent && flash_is_whole(flash, &own_blocks))
		tell(flash, COPY_WORK_ENDS, NULL);
	else
		start_copy(flash);
}

void flash_end_copy(struct flash *flash)
{
	RT_SHIELD();

	flash->stop_copying = true;
	while (flash->copying)
		(void)!rt_cond_wait(&flash->copied);
}

bool copy_flash_get_copied(struct copy *copy, uint16_t target, uint64_t *copied_bytes, int *error)
{
	const struct flash *flash = flash_find_target(copy, target);

	if (!flash || !flash->copying)
		return false;
	*copied_bytes = flash->seen_blocks * XDC_BLOCK_SIZE;
	*error = flash->copy_error;
	return true;
}

/* ---- what an administrator may change of it ---- */

static int check_stop(const struct flash *flash, struct fault *fault)
{
	char object[16], remedy[64];

	if (!flash->record.restore)
		return 0;
	snprintf(object, sizeof(object), "volume %04X", flash->record.target);
	snprintf(remedy, sizeof(remedy), "xdc flash set %04X --priority low slows it down", flash->record.target);
	return fault_set(fault, FAULT_IN_USE, object, remedy,
			 "it is being restored from volume %04X, which gives back what it had kept",
			 flash->record.source);
}

static int set(struct flash *flash, const struct copy_flash_change *change, struct fault *fault)
{
	struct record_flash next = flash->record;
	int rc;

	if (change->copying == COPY_FLASH_STOP && check_stop(flash, fault))
		return -1;
	if (change->copying != COPY_FLASH_AS_IT_IS)
		next.no_copy = change->copying == COPY_FLASH_STOP;
	if (change->has_priority)
		next.priority = change->priority;
	rc = flash_change_record(flash, &next);
	if (rc)
		return flash_fault(next.target, rc, "that it is changed cannot be noted", fault);
	flash->pace.priority = next.priority;
	if (next.no_copy)
		flash_end_copy(flash);
	flash_begin_copy(flash);
	return 0;
}

int copy_flash_set(struct copy *copy, uint16_t target, const struct copy_flash_change *change, struct fault *fault)
{
	struct flash *flash = flash_begin_command(copy, target, COPY_SET, false, fault);

	return flash ? flash_end_command(copy, set(flash, change, fault)) : -1;
}
