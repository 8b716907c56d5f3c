/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/dirty.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rt/rt.h"

/* The kernel is asked after so many bytes, and once it has said "high", at least so often. */
#define ASK_BYTES	((uint64_t)16 << 20)
#define ASK_HIGH_NS	(100 * RT_MS)

bool dirty_note(struct dirty *dirty, size_t len, int64_t now_ns)
{
	uint64_t bytes = __atomic_add_fetch(&dirty->bytes, len, __ATOMIC_RELAXED);
	bool stale = dirty_is_high(dirty) &&
		     now_ns - __atomic_load_n(&dirty->asked_ns, __ATOMIC_RELAXED) >= ASK_HIGH_NS;

	if (bytes < ASK_BYTES && !stale)
		return false;
	__atomic_store_n(&dirty->bytes, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&dirty->asked_ns, now_ns, __ATOMIC_RELAXED);
	return true;
}

/* The number behind a name at the beginning of a line, or 0. */
static uint64_t value_of(const char *vmstat, const char *name)
{
	const char *at = vmstat;
	size_t len = strlen(name);

	while ((at = strstr(at, name)) != NULL) {
		if ((at == vmstat || at[-1] == '\n') && at[len] == ' ')
			return strtoull(at + len, NULL, 10);
		at += len;
	}
	return 0;
}

bool dirty_text_is_high(const char *vmstat)
{
	uint64_t limit = value_of(vmstat, "nr_dirty_threshold");
	uint64_t background = value_of(vmstat, "nr_dirty_background_threshold");
	uint64_t waiting = value_of(vmstat, "nr_dirty") + value_of(vmstat, "nr_writeback");

	/* Writers run freely up to the middle of the two limits; a quarter of that is kept for what comes between. */
	return limit > 0 && waiting > (limit + background) / 2 / 4 * 3;
}

void dirty_ask(struct dirty *dirty)
{
	char text[16384];
	int fd = open("/proc/vmstat", O_RDONLY | O_CLOEXEC);
	ssize_t got = 0;
	size_t len = 0;

	if (fd < 0)
		return;
	while (len < sizeof(text) - 1 && (got = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)got;
	close(fd);
	text[len] = '\0';
	__atomic_store_n(&dirty->high, dirty_text_is_high(text), __ATOMIC_RELAXED);
}
