/* SPDX-License-Identifier: Apache-2.0 */
/* table_scene.h - how a copy comes to each state of the state table, for scenario `table`. */
#ifndef XDC_SIM_TABLE_SCENE_H
#define XDC_SIM_TABLE_SCENE_H

#include "box.h"

#define SCENE_SESSION	1u

/* Two boxes of their own, and the end of a copy on one of them. */
struct scene {
	enum copy_type type;
	enum copy_state state;			/* that it is brought to */
	struct box a, b;			/* the source of pairs, and their target; FlashCopies are on a */
	struct box *at;				/* where the end is */
	uint16_t volume;			/* of the pair there, or the target of the FlashCopy */
};

/* What the box says of it. */
struct scene_look {
	bool found;
	enum copy_type type;
	enum copy_state state;
};

bool scene_is_flash(const struct scene *scene);

/* In the box: its end there. */
int scene_look_here(const struct scene *scene, uint16_t volume, struct scene_look *look);

/* Asks the box. 0 or an error. Suspends. */
RT_MUST_CHECK int scene_look(struct scene *scene, struct scene_look *look);

/* Makes the copy and brings it to the state. 0, -EOPNOTSUPP: no way is known, or an error. Suspends. */
RT_MUST_CHECK int scene_make(struct scene *scene);

#endif
