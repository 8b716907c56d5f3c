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

/* ---- on the way there; all suspend, and return 0 or an error ---- */

/* The two boxes, which are not running yet; number: none has it in this world. Does not suspend. */
void scene_add_boxes(struct scene *scene, unsigned number);

/* A pair of their first volumes, which is full-duplex, or follows, or is in the groups of a session of a. */
RT_MUST_CHECK int scene_pair_to_end(struct scene *scene, enum pair_type type, bool in_session);

/* Production comes to b. */
RT_MUST_CHECK int scene_fail_over(struct scene *scene);

/* Runs the command until that holds, and then what is given; the command comes to its end, however. */
RT_MUST_CHECK int scene_interrupt(struct scene *scene, int (*fn)(struct scene *scene),
				  bool (*holds)(const struct scene *scene), void (*cut)(struct scene *scene));

/* For it: the commands of a swap and a return, that the pair was given away, and that the link is cut. */
int scene_give_swap(struct scene *scene);
int scene_give_return(struct scene *scene);
bool scene_is_away(const struct scene *scene);
void scene_cut_link(struct scene *scene);

#endif
