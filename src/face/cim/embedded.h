/* SPDX-License-Identifier: Apache-2.0 */
/*
 * embedded.h - instances that clients give as the text of a parameter: read on the client's thread, before the method
 * runs.
 */
#ifndef XDC_FACE_CIM_EMBEDDED_H
#define XDC_FACE_CIM_EMBEDDED_H

#include "face/cim/change.h"

/*
 * The instance, of this class or one below it, that the text is the INSTANCE of. false: CIM_ERR_INVALID_PARAMETER, and
 * what cim_given_read fails with.
 */
bool cim_embedded_read(struct cim_arena *arena, enum cim_namespace ns, const char *class_name, const char *text,
		       struct cim_given *given, struct cim_failure *failure);

#endif
