/* SPDX-License-Identifier: Apache-2.0 */
/* links.h - the lists that cim_links is made of, each ended by an empty link. */
#ifndef XDC_FACE_CIM_LINKS_H
#define XDC_FACE_CIM_LINKS_H

#include "face/cim/link.h"

extern const struct cim_link cim_links_discovery[], cim_links_profile[];
extern const struct cim_link cim_links_storage[], cim_links_volume[], cim_links_pool[];
extern const struct cim_link cim_links_indication[];
extern const struct cim_link cim_links_capabilities[];
extern const struct cim_link cim_links_peer[], cim_links_setting[], cim_links_copy_kind[];

#endif
