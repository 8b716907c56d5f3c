/* SPDX-License-Identifier: Apache-2.0 */
#include "control/service.h"

const unsigned service_state_values[] = { 2, 3, 4, 9 };
const unsigned service_request_values[] = { 5, 2, 3, 4, 6, 7, 8, 9, 10, 11 };

/* ---- the decision ---- */

static struct service_verdict refuse(enum service_state state, enum fault_code code)
{
	return (struct service_verdict){ code, state, state, false };
}

static struct service_verdict go(enum service_state next)
{
	return (struct service_verdict){ FAULT_NONE, next, next, false };
}

/* In order: what is under way ends first. */
static struct service_verdict shut_down(enum service_state last, bool busy)
{
	if (!busy)
		return go(last);
	return (struct service_verdict){ FAULT_JOB_STARTED, SERVICE_SHUTTING_DOWN, last, false };
}

struct service_verdict service_decide(enum service_state state, enum service_request request, bool busy)
{
	bool disabled = state == SERVICE_DISABLED;

	switch (request) {
	case REQUEST_NO_CHANGE:
	case SERVICE_REQUEST_COUNT:
		return refuse(state, FAULT_INVALID_PARAMETER);
	case REQUEST_OFFLINE:
	case REQUEST_TEST:
	case REQUEST_DEFERRED:
		return refuse(state, FAULT_NOT_SUPPORTED);
	default:
		break;
	}
	if (state == SERVICE_SHUTTING_DOWN && request != REQUEST_DISABLED)
		return refuse(state, FAULT_BUSY);
	switch (request) {
	case REQUEST_ENABLED:
		return go(SERVICE_ENABLED);
	case REQUEST_DISABLED:
		return (struct service_verdict){ FAULT_NONE, SERVICE_DISABLED, SERVICE_DISABLED, !disabled };
	case REQUEST_RESET:
		return (struct service_verdict){ FAULT_NONE, SERVICE_ENABLED, SERVICE_ENABLED, !disabled };
	case REQUEST_SHUT_DOWN:
		return disabled ? go(SERVICE_DISABLED) : shut_down(SERVICE_DISABLED, busy);
	case REQUEST_REBOOT:
		return disabled ? refuse(state, FAULT_INVALID_TRANSITION) : shut_down(SERVICE_ENABLED, busy);
	default:
		return disabled ? refuse(state, FAULT_INVALID_TRANSITION) : go(SERVICE_QUIESCE);
	}
}
