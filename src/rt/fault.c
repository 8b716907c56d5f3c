/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/fault.h"

#include <stdarg.h>
#include <stdio.h>

#include "rt/utf8.h"

int fault_set(struct fault *fault, enum fault_code code, const char *object, const char *remedy,
	      const char *message, ...)
{
	va_list args;

	fault->code = code;
	snprintf(fault->object, sizeof(fault->object), "%s", object);
	snprintf(fault->remedy, sizeof(fault->remedy), "%s", remedy);
	va_start(args, message);
	vsnprintf(fault->message, sizeof(fault->message), message, args);
	va_end(args);
	utf8_repair(fault->object);
	utf8_repair(fault->remedy);
	utf8_repair(fault->message);
	return -1;
}
