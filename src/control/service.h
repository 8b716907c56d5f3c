/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.h - start, stop and state of the service: whether administrators' commands are carried out. It is the state
 * of the management, as IBMTSESS_AsyncPPRCService has it: hosts, pairs and sessions go on whatever it is. Reactor 0.
 *
 * enabled: commands are carried out. quiesce and disabled: those that change something are refused, but for the
 * service's own, those on jobs, and system set; what is under way comes to its end (quiesce), or jobs that can be
 * cancelled are (disabled). shutting-down: the same, and when nothing is under way any more it is disabled.
 *
 * All is durable before it is in force. What was shutting down when xdcd ended is disabled at the next start, or
 * enabled when a reboot was asked for.
 */
#ifndef XDC_CONTROL_SERVICE_H
#define XDC_CONTROL_SERVICE_H

#include "control/operations.h"
#include "rt/fault.h"
#include "store/records.h"

struct control;

/* The numbers of CIM for EnabledState and RequestedState. */
extern const unsigned service_state_values[SERVICE_STATE_COUNT];
extern const unsigned service_request_values[SERVICE_REQUEST_COUNT];

/* ---- the decision ---- */

struct service_verdict {
	enum fault_code code;		/* 0; FAULT_JOB_STARTED: when what is under way has ended; or why not */
	enum service_state next;	/* at once */
	enum service_state last;	/* when what is under way has ended; as next unless a job was started */
	bool cancels;			/* jobs that can be are cancelled */
};

/* What becomes of a request in this state; busy: something is under way. A pure function. */
struct service_verdict service_decide(enum service_state state, enum service_request request, bool busy);

/* ---- the service ---- */

/* What managers note about it. */
struct service_about {
	char owner_name[XDC_OWNER_NAME_MAX], owner_contact[XDC_OWNER_CONTACT_MAX];
	uint8_t enabled_default;	/* EnabledDefault of CIM; 3: it is disabled at each start, others: as it was */
};

struct service_info {
	enum service_state state;
	enum service_request requested;
	int64_t since_wall_ns;		/* 0: since ever */
	unsigned running;		/* commands and jobs under way */
	uint64_t job;			/* that stops it; 0: none */
	struct service_about about;
};
void control_service_get(const struct control *control, struct service_info *info);

/* RequestStateChange: 0 or -1. timeout_ns other than 0 is not supported. The number of a job that was started, or 0. */
int control_service_request(struct control *control, enum service_request request, int64_t timeout_ns, uint64_t *job,
			    struct fault *fault);

/* Durable before it returns. */
int control_service_note(struct control *control, const struct service_about *about, struct fault *fault);

/*
 * Before a command is carried out, and after it. -1: the service refuses it; then there is no end. Commands that only
 * show are not asked for. end does not suspend.
 */
int control_command_begin(struct control *control, const struct operation *operation, struct fault *fault);
void control_command_end(struct control *control, const struct operation *operation);

/* At the start, before commands come: as the metadata have it. */
void control_service_take_up(struct control *control);

#endif
