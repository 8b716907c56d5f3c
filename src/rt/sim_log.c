/* SPDX-License-Identifier: Apache-2.0 */
/* What is shown of a run: log lines, the reason of a failure, what fibers wait for. */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "rt/hooks.h"
#include "rt/sim_impl.h"
#include "rt/sim_memory.h"

#define LINES_MAX	4096u
#define LINE_BYTES_MAX	1200u

struct sim_log {
	char *lines[LINES_MAX];		/* a ring */
	uint64_t count;
	FILE *shown_on;
	char *failure;
};

static void add_line(struct sim_world *world, const char *name, const char *text)
{
	struct sim_log *log = world->log;
	char line[LINE_BYTES_MAX + 64], **place = &log->lines[log->count % LINES_MAX];

	snprintf(line, sizeof(line), "%lld.%09lld %s %s", (long long)(world->now_ns / RT_SECOND),
		(long long)(world->now_ns % RT_SECOND), name, text);
	sim_free(*place);
	*place = sim_copy_text(line);
	log->count++;
	if (log->shown_on != NULL)
		fprintf(log->shown_on, "%s\n", line);
}

static void sink(enum log_level level, const char *line)
{
	(void)level;
	add_line(sim_world(), sim_here()->name, line);
}

void sim_note(struct sim_world *world, const char *format, ...)
{
	char text[LINE_BYTES_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	add_line(world, "--", text);
}

void sim_log_create(struct sim_world *world)
{
	world->log = sim_alloc(sizeof(*world->log));
	log_set_sink(sink);
}

void sim_log_destroy(struct sim_world *world)
{
	log_set_sink(NULL);
	for (unsigned i = 0; i < LINES_MAX; i++)
		sim_free(world->log->lines[i]);
	sim_free(world->log->failure);
	sim_free(world->log);
}

void sim_show_log(struct sim_world *world, FILE *out)
{
	world->log->shown_on = out;
}

void sim_print_log(const struct sim_world *world, FILE *out)
{
	const struct sim_log *log = world->log;
	uint64_t first = log->count > LINES_MAX ? log->count - LINES_MAX : 0;

	for (uint64_t i = first; i < log->count; i++)
		fprintf(out, "%s\n", log->lines[i % LINES_MAX]);
}

/* ---- failures ---- */

static void set_failure(struct sim_world *world, char *failure)
{
	if (world->log->failure != NULL) {
		sim_free(failure);
		return;
	}
	world->log->failure = failure;
	sim_note(world, "FAILED: %s", failure);
}

void sim_fail(struct sim_world *world, const char *format, ...)
{
	char text[LINE_BYTES_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	set_failure(world, sim_copy_text(text));
}

void sim_fail_waiting(struct sim_world *world, const char *text)
{
	char *failure = NULL;
	size_t len;
	FILE *out = open_memstream(&failure, &len);

	if (out == NULL)
		abort();
	fprintf(out, "%s\n", text);
	sim_print_waits(world, out);
	fclose(out);
	set_failure(world, sim_copy_text(failure));
	free(failure);
}

const char *sim_failure(const struct sim_world *world)
{
	return world->log->failure;
}

/* ---- waits ---- */

static const char *what_it_waits_for(const struct sim_system *system, const struct rt_fiber *fiber)
{
	const struct sim_wait *wait;

	if (fiber->wait == NULL)
		return "its turn";
	list_for_each(wait, &system->waits, link)
		if (&wait->core == fiber->wait)
			return wait->what;
	return fiber->timer.is_set && fiber->timer_is_sleep ? "a moment" : "another fiber";
}

static void print_fiber(const struct sim_system *system, const struct rt_fiber *fiber, FILE *out)
{
	fprintf(out, "  %s/%u %s: waits for %s", system->name, fiber->reactor->index, fiber->name,
		what_it_waits_for(system, fiber));
	if (fiber->timer.is_set)
		fprintf(out, ", at most until %.6f", (double)(fiber->timer.when_ns - system->clock_ahead_ns) / 1e9);
	if (fiber->shielded)
		fprintf(out, ", shielded");
	fprintf(out, "\n");
}

void sim_print_waits(const struct sim_world *world, FILE *out)
{
	for (unsigned i = 0; i < world->system_count; i++) {
		const struct sim_system *system = world->systems[i];

		if (!system->running || system->paused)
			fprintf(out, "  %s is %s\n", system->name, system->paused ? "paused" : "not running");
		for (unsigned r = 0; system->running && r < system->reactor_count; r++) {
			const struct rt_fiber *fiber;

			list_for_each(fiber, &system->reactors[r].core.fibers, all)
				print_fiber(system, fiber, out);
		}
	}
}
