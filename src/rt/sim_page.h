/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_page.h - one page of a simulated file. A sector that repeats the same eight bytes from its beginning to its end,
 * as most of what scenarios write does, takes no more room than those. Private to the simulator.
 */
#ifndef XDC_RT_SIM_PAGE_H
#define XDC_RT_SIM_PAGE_H

#include <stddef.h>
#include <stdint.h>

#define SIM_PAGE_BYTES		4096u
#define SIM_SECTOR_BYTES	512u
#define SIM_PAGE_SECTORS	(SIM_PAGE_BYTES / SIM_SECTOR_BYTES)

struct sim_page {
	uint8_t whole;			/* one bit a sector: has bytes */
	union {
		uint64_t word;		/* that is repeated */
		uint8_t *bytes;
	} sectors[SIM_PAGE_SECTORS];
};

/* A copy of the page; NULL stands for a page of zeros. */
struct sim_page *sim_page_copy(const struct sim_page *page) __attribute__((returns_nonnull));
void sim_page_free(struct sim_page *page);		/* NULL is allowed */

/* A part of it; of NULL: zeros. */
void sim_page_read(const struct sim_page *page, void *to, size_t from, size_t len);

/* bytes NULL: zeros. */
void sim_page_write(struct sim_page *page, const void *bytes, size_t from, size_t len);

#endif
