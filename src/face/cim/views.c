/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/views.h"

const struct cim_view *const cim_views[] = {
	cim_views_system,
	cim_views_pool,
	cim_views_volume,
	cim_views_copy,
	cim_views_session,
	cim_views_group,
	cim_views_job,
	cim_views_discovery,
	cim_views_profile,
	cim_views_indication,
	cim_views_capabilities,
	cim_views_member,
	cim_views_peer,
	cim_views_copy_kind,
	cim_views_setting,
};
const unsigned cim_view_list_count = sizeof(cim_views) / sizeof(cim_views[0]);
