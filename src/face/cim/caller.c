/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/caller.h"

#include <stdio.h>

#include "rt/log.h"

bool cim_caller_may(const struct cim_caller *caller, enum op_role role, const char *what, struct cim_failure *failure)
{
	if (caller->role >= role)
		return true;
	return cim_fail(failure, CIM_ERR_ACCESS_DENIED, "%.64s is for the role %s; %.64s is %s", what,
			op_role_names[role], caller->user, op_role_names[caller->role]);
}

/* One line stays one line, whatever is in it. */
static void make_plain(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

void cim_caller_audit(const struct cim_caller *caller, const char *what, const char *object, const char *result, ...)
{
	char text[256], line[1024];
	va_list args;

	va_start(args, result);
	vsnprintf(text, sizeof(text), result, args);
	va_end(args);
	snprintf(line, sizeof(line), "%.63s at %.63s: %.127s of %.255s: %s", caller->user, caller->host, what, object,
		 text);
	make_plain(line);
	log_line(LOG_NOTICE, "audit", "%s", line);
}
