/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group_volume.h - the volumes of sessions of type pprc and flashcopy, as they are durable. Those of a session that
 * forms consistency groups are known by their pairs (struct record_pair). Reactor 0; private to copy/.
 */
#ifndef XDC_COPY_GROUP_VOLUME_H
#define XDC_COPY_GROUP_VOLUME_H

#include "copy/engine.h"

/* What is kept of the type, as the seed page has it: 0x40 xdc, 0x30 flashcopy, 0x20 pprc, 0x10 xrc. */
#define SESSION_TYPE_XDC	0x40u
#define SESSION_TYPE_FLASH	0x30u
#define SESSION_TYPE_PPRC	0x20u

static inline uint8_t session_type_code(enum session_type type)
{
	return (uint8_t)(SESSION_TYPE_XDC - 0x10u * (unsigned)type);
}

static inline enum session_type session_type_of_code(uint8_t code)
{
	return (enum session_type)((SESSION_TYPE_XDC - code) / 0x10u);
}

struct group_volume {
	struct list_head link;			/* of copy->group_volumes, in the order of sessions and volumes */
	struct record_session_volume record;
};

/* NULL: it is not in it. Neither suspends. */
struct group_volume *group_volume_find(struct copy *copy, uint8_t session, uint16_t volume);

/* The session of this type that has the volume; 0: none. */
uint8_t group_of_volume(struct copy *copy, uint16_t volume, uint8_t type);

/* The first of the session on this LSS (lss < 0: on any). NULL: there is none. */
struct group_volume *group_volume_on(struct copy *copy, uint8_t session, int lss);
unsigned group_volume_count(struct copy *copy, uint8_t session);

/* As the metadata have it. -ENOMEM. */
RT_MUST_CHECK int group_volume_take_up(struct copy *copy, const struct record_session_volume *record);
void group_volumes_free(struct copy *copy);

/* Durably, all or none: they are in the session from here on, or not any more. Negative errno. Suspend. */
RT_MUST_CHECK int group_volumes_add(struct copy *copy, uint8_t session, const uint16_t *volumes, unsigned count);
RT_MUST_CHECK int group_volumes_remove(struct copy *copy, uint8_t session, const uint16_t *volumes, unsigned count);

#endif
