/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/engine.h"

#include <stdarg.h>
#include <stdio.h>

int copy_refuse(char *why, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, WIRE_TEXT_SIZE, format, args);
	va_end(args);
	return error;
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
