/* SPDX-License-Identifier: Apache-2.0 */
/* views.h - the lists that cim_views is made of, each ended by an empty view. */
#ifndef XDC_FACE_CIM_VIEWS_H
#define XDC_FACE_CIM_VIEWS_H

#include "face/cim/view.h"

extern const struct cim_view cim_views_system[], cim_views_pool[], cim_views_volume[], cim_views_copy[];
extern const struct cim_view cim_views_session[], cim_views_group[], cim_views_job[];
extern const struct cim_view cim_views_discovery[], cim_views_profile[];
extern const struct cim_view cim_views_indication[];
extern const struct cim_view cim_views_capabilities[], cim_views_member[];
extern const struct cim_view cim_views_peer[], cim_views_setting[], cim_views_copy_kind[];

/* Pools as rows, for what is one of each; the name of one; and to be looked for: false: none has such a name. */
extern const struct cim_source cim_source_pools;
const char *cim_pool_row_name(const void *row);
bool cim_pool_row_want(void *row, const char *name);

/* The same of volumes, whose names are LLVV-TAG; and the path of one. */
extern const struct cim_source cim_source_volumes;
const char *cim_volume_row_name(struct cim_arena *arena, const void *row);
bool cim_volume_row_want(void *row, const char *name);
const struct cim_path *cim_volume_row_path(const struct cim_place *place, const void *row);

#endif
