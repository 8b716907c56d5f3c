/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rt/hooks.h"

#define LINE_MAX_BYTES	1024

static enum log_level level_set = LOG_NOTICE;
static void (*sink_set)(enum log_level level, const char *line);

static const char *const level_names[] = {
	[LOG_ERROR] = "ERROR",
	[LOG_WARNING] = "WARNING",
	[LOG_NOTICE] = "NOTICE",
	[LOG_DEBUG] = "DEBUG",
};
_Static_assert(sizeof(level_names) / sizeof(level_names[0]) == LOG_DEBUG + 1, "a name for each level");

void log_set_level(enum log_level level)
{
	__atomic_store_n(&level_set, level, __ATOMIC_RELAXED);
}

void log_set_sink(void (*sink)(enum log_level level, const char *line))
{
	sink_set = sink;
}

/* Names and addresses in a line may come from outside: none can begin a line of its own or steer a terminal. */
static void replace_controls(char *line)
{
	for (; *line != '\0'; line++) {
		if ((unsigned char)*line < 0x20 || *line == 0x7f)
			*line = '?';
	}
}

void log_line(enum log_level level, const char *module, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;
	size_t used;

	if (level > __atomic_load_n(&level_set, __ATOMIC_RELAXED))
		return;
	snprintf(line, sizeof(line) - 1, "%s %s: ", level_names[level], module);
	used = strlen(line);
	va_start(args, format);
	vsnprintf(line + used, sizeof(line) - 1 - used, format, args);
	va_end(args);
	replace_controls(line);
	if (sink_set != NULL) {
		sink_set(level, line);
		return;
	}
	used = strlen(line);
	line[used] = '\n';
	/* One write, so that lines of several threads do not mix; a stderr that is gone is nobody's fault here. */
	if (write(STDERR_FILENO, line, used + 1) < 0)
		return;
}
