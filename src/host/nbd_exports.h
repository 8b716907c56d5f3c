/* SPDX-License-Identifier: Apache-2.0 */
/* nbd_exports.h - the volumes of the control plane, as the NBD server knows them: exports by id or name. */
#ifndef XDC_HOST_NBD_EXPORTS_H
#define XDC_HOST_NBD_EXPORTS_H

#include "control/control.h"
#include "host/nbd.h"

/* The functions work on this control plane, which lives longer than the server. Does not suspend. */
void nbd_exports_of(struct control *control, struct nbd_exports *exports);

#endif
