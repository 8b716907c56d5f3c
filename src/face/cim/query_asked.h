/* SPDX-License-Identifier: Apache-2.0 */
/* query_asked.h - instances as queries see them. Any thread. */
#ifndef XDC_FACE_CIM_QUERY_ASKED_H
#define XDC_FACE_CIM_QUERY_ASKED_H

#include "face/cim/instance.h"
#include "face/cim/query.h"

struct cim_asked {
	struct query_instance asked;
	const struct cim_instance *instance;
	const struct cim_asked *source, *previous;	/* of an indication, what is embedded; NULL: nothing */
};

/* Nothing is embedded. instance may be NULL, and is then not asked. */
struct cim_asked cim_asked_make(const struct cim_instance *instance);

#endif
