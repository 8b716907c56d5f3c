/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/views.h"

const struct cim_view *const cim_views[] = {
	cim_views_system,
	cim_views_pool,
	cim_views_volume,
};
const unsigned cim_view_list_count = sizeof(cim_views) / sizeof(cim_views[0]);
