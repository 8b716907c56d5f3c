/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leg_compare.h - what a far side would show, compared with what a source has: after a crash of the source only blocks
 * that differ travel. Private to copy/.
 *
 * What counts is the image that the next group would show, not the one in the volumes: for each block the newest data
 * with a tag up to the frame's that the journal has, whether prepared, committed or neither, over what is applied. The
 * source does not send a block that is the same there, and counts it as acknowledged by this start of the far side: it
 * forgets it only when a group exists that was made of this, and if the far side restarts before, and loses what was
 * not prepared, it sends it. So the same boot id, the journal and the order of frames on their connection carry a
 * comparison as they carry data.
 */
#ifndef XDC_COPY_LEG_COMPARE_H
#define XDC_COPY_LEG_COMPARE_H

#include "copy/link_server.h"

/* For link_server.h; any reactor. */
int leg_on_compare(void *arg, const struct link_peer *peer, const struct wire_data *frame, const uint8_t *sums,
		   uint8_t same[WIRE_SAME_MAX]);

#endif
