/* SPDX-License-Identifier: Apache-2.0 */
/* recover.h - a site that is lost, recovered at two far sides and brought home, for scenarios. All suspend. */
#ifndef XDC_SIM_RECOVER_H
#define XDC_SIM_RECOVER_H

#include "sites.h"

void recover_lose_sources(struct sites *sites);

/*
 * Recovers to this group (NULL: the last one), now and then cut off by the crash of a far side. Anything else than all
 * systems and volumes fails the run; outside (NULL: there is none): so many that came to the session later.
 */
RT_MUST_CHECK int recover_sites(struct sites *sites, const struct recovery_at *at, uint64_t *sequence,
				unsigned *outside);
bool recover_is_refused(struct sites *sites, const struct recovery_at *at);

/* Hosts write at the far sides, the old site comes back, gets the differences, and is the source again. */
RT_MUST_CHECK int recover_go_home(struct sites *sites);

#endif
