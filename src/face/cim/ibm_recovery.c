/* SPDX-License-Identifier: Apache-2.0 */
/* IBMTSESS_Session: its recovery at a far side, and the way back. */
#include "face/cim/ibm.h"

#include <stdio.h>
#include <stdlib.h>

#include "face/cim/thing.h"

/* By whichever of its LSSs it is named. */
static int find_session(struct cim_call *call, uint8_t *session, struct fault *fault)
{
	char system[XDC_SYSTEM_ID_MAX];
	const char *name = cim_thing_name(call->object, "session", system);
	unsigned long number = name ? strtoul(name, NULL, 10) : 0;

	if (number < 1 || number > UINT8_MAX)
		return ibm_bad(fault, "InstanceID", "it is no session");
	*session = (uint8_t)number;
	return 0;
}

static int carry_out(struct cim_call *call, enum control_session_order order, const char *verb, struct fault *fault)
{
	struct session_start of = { 0 };
	char object[16];
	uint64_t job = 0;
	int rc;

	if (find_session(call, &of.session, fault) || cim_command_begin(call, "session", verb, fault))
		return -1;
	snprintf(object, sizeof(object), "session %u", of.session);
	rc = control_session_order(call->control, order, &of, &job, fault);
	if (cim_command_end(call, "session", verb, object, rc))
		return -1;
	ibm_return_job(call, job);
	return 0;
}

int ibm_recover_session(struct cim_call *call, struct fault *fault)
{
	return carry_out(call, cim_in_flag(call, "Force") ? SESSION_ORDER_RECOVER_FORCE : SESSION_ORDER_RECOVER,
			 "recover", fault);
}

int ibm_fail_session_back(struct cim_call *call, struct fault *fault)
{
	return carry_out(call, cim_in_flag(call, "Discard") ? SESSION_ORDER_FAILBACK_DISCARD : SESSION_ORDER_FAILBACK,
			 "failback", fault);
}

int ibm_return_session(struct cim_call *call, struct fault *fault)
{
	return carry_out(call, SESSION_ORDER_RETURN, "return", fault);
}
