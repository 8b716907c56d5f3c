/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/fault.h"

#include <stdarg.h>
#include <stdio.h>

#include "rt/utf8.h"

static void fill(struct fault *fault, enum fault_code code, const char *object, const char *remedy,
		 const char *message, va_list args)
{
	fault->code = code;
	fault->nearest_bytes = 0;
	snprintf(fault->object, sizeof(fault->object), "%s", object);
	snprintf(fault->remedy, sizeof(fault->remedy), "%s", remedy);
	vsnprintf(fault->message, sizeof(fault->message), message, args);
	utf8_repair(fault->object);
	utf8_repair(fault->remedy);
	utf8_repair(fault->message);
}

int fault_set(struct fault *fault, enum fault_code code, const char *object, const char *remedy,
	      const char *message, ...)
{
	va_list args;

	va_start(args, message);
	fill(fault, code, object, remedy, message, args);
	va_end(args);
	return -1;
}

int fault_set_size(struct fault *fault, const char *object, uint64_t nearest_bytes, const char *remedy,
		   const char *message, ...)
{
	va_list args;

	va_start(args, message);
	fill(fault, FAULT_SIZE_NOT_SUPPORTED, object, remedy, message, args);
	va_end(args);
	fault->nearest_bytes = nearest_bytes;
	return -1;
}
