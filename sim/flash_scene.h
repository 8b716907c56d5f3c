/* SPDX-License-Identifier: Apache-2.0 */
/* flash_scene.h - what the chains and the commands of the scenario flash share. */
#ifndef XDC_SIM_FLASH_SCENE_H
#define XDC_SIM_FLASH_SCENE_H

#include "box.h"
#include "flash_model.h"
#include "rt/rt.h"
#include "scenarios.h"

#define FLASH_BASE	0x1500u		/* the id of the first volume */

struct flash_scene {
	struct box box;
	struct flash_model model;
	struct rt_group chains;
	bool clones;				/* volumes may share space */
	bool rest;				/* chains issue nothing */
	bool stop;
	unsigned unit;				/* that chains are at now */
	unsigned busy;				/* requests and commands under way */
	unsigned on[FLASH_VOLUMES];		/* requests under way on each volume */
	bool closed[FLASH_VOLUMES];		/* to hosts, by a command */
	bool read_only[FLASH_VOLUMES];		/* in a relation that is not committed */
	bool giving_back[FLASH_VOLUMES];	/* what it had kept: empty when that relation is over */
	uint32_t saved[FLASH_VOLUMES][FLASH_SECTORS];	/* of targets: what a revert brings back */
	unsigned losses;			/* of power */
	unsigned losses_closed[FLASH_VOLUMES];	/* of them before the volume was closed, and the model knows of them */
	bool failed;				/* the disk has failed a call */
	bool unjudged[FLASH_VOLUMES];		/* since then: not to be read, or of a command that failed */
};
extern struct flash_scene scene;

/*
 * True from the first call on that the disk failed. What commands and hosts find after that is no fault; only at the
 * end it is judged: a volume shows what it may, or cannot be read.
 */
bool disk_has_failed(void);

#define flash_wrong(...)	(disk_has_failed() ? (void)0 : scenario_wrong(__VA_ARGS__))

uint64_t below(uint64_t bound);
void pause_for(int64_t ns);

/* What a volume shows, sector by sector; -ECONNABORTED: the system went down. The second tries again, over crashes. */
RT_MUST_CHECK int read_volume(unsigned volume, uint32_t *found);
void read_surely(unsigned volume, uint32_t *found, bool flush);

/* One command of an administrator, and what has to hold afterwards (flash_commands.c). */
void flash_command(void);

#endif
