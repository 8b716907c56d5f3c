/* SPDX-License-Identifier: Apache-2.0 */
/* discovery.h - what interop tells of this server: the paths that the registration of profiles leads to. */
#ifndef XDC_FACE_CIM_DISCOVERY_H
#define XDC_FACE_CIM_DISCOVERY_H

#include "face/cim/view.h"

#define DISCOVERY_SYSTEM_CLASS	"CIM_ComputerSystem"

/* What runs the server; in the arena of the place. NULL: it is full. */
const struct cim_path *cim_path_of_manager(const struct cim_place *place);

#endif
