/* SPDX-License-Identifier: Apache-2.0 */
/* What a master watches for the administrator (copy_limits): groups that fail, and an RPO that grows. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "copy/session_private.h"
#include "store/planted.h"

void session_tell(const struct session *session, enum event_kind kind, enum event_level level, const char *remedy,
		  const char *format, ...)
{
	char text[XDC_EVENT_TEXT_MAX];
	va_list args;

	if (!session->config.tell)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	session->config.tell(session->config.arg, kind, level, remedy, text);
}

void session_become_fatal(struct session *session, enum event_kind kind, const char *format, ...)
{
	bool before = session->state == SESSION_FATAL;
	char text[XDC_EVENT_TEXT_MAX], remedy[96];
	va_list args;

	session->state = SESSION_FATAL;
	if (before)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(remedy, sizeof(remedy), "xdc session terminate %u, then add its volumes again",
		 session->config.number);
	session_tell(session, kind, EVENT_ERROR, remedy, "%s", text);
}

static const struct copy_limits no_limits = { .rpo_ns = RT_NEVER };

static const struct copy_limits *limits_of(const struct session *session)
{
	return session->config.limits ? session->config.limits : &no_limits;
}

/* ---- groups that fail ---- */

void session_watch_failed(struct session *session)
{
	const struct record_failure *failure = &session->last_failure;
	unsigned limit = limits_of(session)->cg_failures;
	char remedy[64];

	session->failed_in_row++;
	if (!limit || session->failed_in_row < limit || session->failing_told)
		return;
	session->failing_told = !planted(PLANTED_TOLD_TWICE);
	snprintf(remedy, sizeof(remedy), "xdc session show %u says what stands in the way", session->config.number);
	session_tell(session, EVENT_CG_FAILING, EVENT_WARNING, remedy,
		     "%u consistency groups failed in a row, the last in %s at %s: %s", session->failed_in_row,
		     session_phase_names[failure->phase], failure->system, cg_failure_names[failure->reason]);
}

/* ---- the RPO ---- */

/* Since when it grows: the moment that the last CG shows; of a master that was just started, its start. */
static int64_t grows_since_ns(const struct session *session)
{
	return session->shown_ns ? session->shown_ns : session->started_ns;
}

void session_watch_shown(struct session *session)
{
	session->failed_in_row = 0;
	if (session->failing_told)
		session_tell(session, EVENT_CG_FORMED, EVENT_INFO, "", "consistency groups are formed again");
	session->failing_told = false;
	/* So that one about the limit is one event. */
	if (!session->rpo_told || rt_now_ns() - session->shown_ns > limits_of(session)->rpo_ns / 2)
		return;
	session->rpo_told = false;
	session_tell(session, EVENT_RPO_NORMAL, EVENT_INFO, "", "the RPO is below its limit again");
}

/* A session whose volumes are copied for the first time has no RPO yet. */
static bool has_rpo(const struct session *session)
{
	return session->shown_ns || session->config.durable.cg_good;
}

static void tell_rpo(struct session *session)
{
	int64_t rpo_ns = rt_now_ns() - grows_since_ns(session);
	char remedy[64];

	session->rpo_told = true;
	snprintf(remedy, sizeof(remedy), "xdc session show %u says what stands in the way", session->config.number);
	session_tell(session, EVENT_RPO_HIGH, EVENT_WARNING, remedy,
		     "its RPO is %lld s: what hosts wrote since then would be lost with this site",
		     (long long)(rpo_ns / RT_SECOND));
}

/* Wakes when the limit could be reached, not more often: groups move that moment on. */
void session_watch_rpo(void *arg)
{
	struct session *session = arg;
	int rc = 0;

	while (rc != -ECANCELED && !session->ended) {
		int64_t limit_ns = limits_of(session)->rpo_ns, now_ns = rt_now_ns(), since_ns = grows_since_ns(session);
		bool over = limit_ns != RT_NEVER && now_ns - since_ns >= limit_ns;

		if (over && !session->rpo_told && has_rpo(session))
			tell_rpo(session);
		{
			RT_LIMIT(limit_ns == RT_NEVER ? RT_NEVER : over ? now_ns + limit_ns : since_ns + limit_ns);

			rc = rt_cond_wait(&session->limits_changed);
		}
	}
}
