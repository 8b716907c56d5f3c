/* SPDX-License-Identifier: Apache-2.0 */
/* flash_copy.c - background copies: one fiber a relation, which gives way to hosts. */
#include <errno.h>
#include <string.h>

#include "copy/flash.h"
#include "copy/pace.h"
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

/* 0 when all is copied. */
static int copy_all(struct flash *flash)
{
	struct pace pace;
	int step, rc = 0;

	pace_init(&pace, flash->data.target, COPY_LOW);
	while (!rc && !flash->stop_copying) {
		pace_begin(&pace);
		step = rt_call(volume_reactor(flash->data.target), do_copy, flash);
		note_hindered(flash, step < 0 ? step : 0);
		if (step == 0 || step == -ECANCELED)
			return step;
		rc = step < 0 ? pause_for(RETRY_NS) : pace_rest(&pace);
	}
	return rc ? rc : -ECANCELED;
}

/* The relation is over when it was only to last until here. Commands may have ended it meanwhile. */
static void let_go(struct copy *copy, const struct record_flash *copied)
{
	struct flash *flash;
	int rc = rt_mutex_lock(&copy->flashing);

	if (rc)
		return;
	flash = flash_find_target(copy, copied->target);
	if (flash && !memcmp(flash->record.map, copied->map, sizeof(copied->map)) && !copied->persistent)
		rc = flash_let_go(flash);
	rt_mutex_unlock(&copy->flashing);
	if (rc)
		log_line(LOG_ERROR, "flash", "volume %04X is copied, which cannot be noted: %s", copied->target,
			 strerrordesc_np(-rc));
}

static void run_copy(void *arg)
{
	struct flash *flash = arg;
	struct copy *copy = flash->copy;
	struct record_flash record = flash->record;
	int rc = copy_all(flash);

	flash->copying = false;
	rt_cond_wake_all(&flash->copied);
	if (rc)
		return;
	log_line(LOG_NOTICE, "flash", "volume %04X is a whole copy of %04X", record.target, record.source);
	let_go(copy, &record);
}

void flash_begin_copy(struct flash *flash)
{
	int rc;

	if (flash->record.no_copy || flash->record.state != FLASH_ACTIVE || flash->copying)
		return;
	flash->copying = true;
	flash->stop_copying = false;
	flash->done = (struct volume_flash_copying){ .next = 0 };
	rc = rt_group_start(&flash->copy->flash_fibers, "flash copy", run_copy, flash);
	if (!rc)
		return;
	flash->copying = false;
	log_line(LOG_ERROR, "flash", "volume %04X is not copied until the next start: out of memory",
		 flash->record.target);
}

void flash_end_copy(struct flash *flash)
{
	RT_SHIELD();

	flash->stop_copying = true;
	while (flash->copying)
		(void)!rt_cond_wait(&flash->copied);
}
