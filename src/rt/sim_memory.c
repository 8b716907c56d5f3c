/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/sim_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt/sim_content.h"

#define KEPT_PAGES_MAX	16384u

/* One world runs at a time, on one thread; the pool only saves the machine's allocator work. */
static struct kept_page {
	struct kept_page *next;
} *kept_pages;
static unsigned kept_count;

static void *insist(void *ptr)
{
	if (ptr == NULL) {
		fputs("simulator: out of memory\n", stderr);
		abort();
	}
	return ptr;
}

void *sim_alloc(size_t len)
{
	return insist(calloc(1, len));
}

void *sim_resize(void *ptr, size_t len)
{
	return insist(realloc(ptr, len));
}

char *sim_copy_text(const char *text)
{
	return insist(strdup(text));
}

void *sim_page_take(void)
{
	struct kept_page *page = kept_pages;

	if (page == NULL)
		return insist(malloc(SIM_PAGE_BYTES));
	kept_pages = page->next;
	kept_count--;
	return page;
}

void sim_page_give(void *page)
{
	struct kept_page *kept = page;

	if (page == NULL)
		return;
	if (kept_count == KEPT_PAGES_MAX) {
		free(page);
		return;
	}
	kept->next = kept_pages;
	kept_pages = kept;
	kept_count++;
}

void sim_page_pool_empty(void)
{
	while (kept_pages != NULL) {
		struct kept_page *page = kept_pages;

		kept_pages = page->next;
		free(page);
	}
	kept_count = 0;
}
