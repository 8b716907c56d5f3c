/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/engine.h"

#include <stdarg.h>
#include <stdio.h>

#include "rt/log.h"

int copy_refuse(char *why, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, WIRE_TEXT_SIZE, format, args);
	va_end(args);
	return error;
}

void copy_tell(struct copy *copy, enum event_kind kind, enum event_level level, const char *object, const char *remedy,
	       const char *format, ...)
{
	static const enum log_level levels[] = { LOG_NOTICE, LOG_WARNING, LOG_ERROR };
	struct record_event event = { .kind = kind, .level = level };
	va_list args;

	snprintf(event.object, sizeof(event.object), "%s", object);
	snprintf(event.remedy, sizeof(event.remedy), "%s", remedy);
	va_start(args, format);
	vsnprintf(event.text, sizeof(event.text), format, args);
	va_end(args);
	if (copy->config.tell)
		copy->config.tell(copy->config.find_arg, &event);
	else
		log_line(levels[level], "copy", "%s: %s", event.object, event.text);
}

void copy_tell_work(struct copy *copy, enum job_kind kind, const struct record_pair *pair, enum copy_work step,
		    uint64_t bytes)
{
	const struct copy_pair_name name = copy_pair_name_of(pair->volume, pair->system);

	if (copy->config.work)
		copy->config.work(copy->config.find_arg, kind, &name, step, bytes);
}

struct copy_losses copy_get_losses(struct copy *copy, uint16_t volume)
{
	if (!copy->config.get_losses)
		return (struct copy_losses){ 0 };
	return copy->config.get_losses(copy->config.find_arg, volume);
}

void copy_void_acks(struct copy *copy)
{
	RT_SHIELD();

	rt_random_bytes(copy->far_boot_id, sizeof(copy->far_boot_id));
	link_server_restart(copy->server, copy->far_boot_id);
}

struct dirtylog *copy_dirtylog(struct copy *copy, struct rt_reactor *reactor)
{
	return copy->dirtylogs[rt_reactor_index(reactor)];
}
