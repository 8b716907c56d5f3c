/* SPDX-License-Identifier: Apache-2.0 */
/* IBMTSESS_AsyncPPRCService: the state of the service itself. */
#include "face/cim/ibm.h"

#include "control/service.h"

static int request(struct cim_call *call, enum service_request wanted, int64_t timeout_ns, const char *verb,
		   uint64_t *job, struct fault *fault)
{
	int rc;

	if (cim_command_begin(call, "service", verb, fault))
		return -1;
	rc = control_service_request(call->control, wanted, timeout_ns, job, fault);
	return cim_command_end(call, "service", verb, "service", rc);
}

/* Their page has no return codes and no job: what is still under way is seen in EnabledState. */
int ibm_start_service(struct cim_call *call, struct fault *fault)
{
	uint64_t job;

	return request(call, REQUEST_ENABLED, 0, "start", &job, fault);
}

int ibm_stop_service(struct cim_call *call, struct fault *fault)
{
	uint64_t job;

	return request(call, REQUEST_SHUT_DOWN, 0, "stop", &job, fault);
}

static bool find_request(uint64_t number, enum service_request *wanted)
{
	for (unsigned i = REQUEST_NO_CHANGE + 1; i < SERVICE_REQUEST_COUNT; i++) {
		if (service_request_values[i] != number)
			continue;
		*wanted = (enum service_request)i;
		return true;
	}
	return false;
}

int ibm_request_state(struct cim_call *call, struct fault *fault)
{
	const struct cim_value *timeout = cim_in(call, "TimeoutPeriod");
	enum service_request wanted;
	uint64_t job;

	if (!find_request(cim_in_number(call, "RequestedState"), &wanted))
		return ibm_bad(fault, "RequestedState", "there is no such state");
	if (!timeout->is_null && !timeout->one.datetime.is_interval)
		return ibm_bad(fault, "TimeoutPeriod", "it is an interval, and not a moment");
	if (request(call, wanted, timeout->is_null ? 0 : timeout->one.datetime.us, "request-state", &job, fault))
		return -1;
	if (job)
		ibm_return_job(call, job);
	return 0;
}
