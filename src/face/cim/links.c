/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/links.h"

const struct cim_link *const cim_links[] = {
	cim_links_discovery, cim_links_profile, cim_links_storage, cim_links_volume, cim_links_pool,
	cim_links_indication,
	cim_links_capabilities, cim_links_peer, cim_links_copy_kind, cim_links_setting,
};
const unsigned cim_link_list_count = sizeof(cim_links) / sizeof(cim_links[0]);
