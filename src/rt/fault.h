/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault.h - why an operation of an administrator was refused or failed: a code, the object, what is wrong with it and
 * what to do. Built once, where the object is known, and carried up unchanged to whoever asked. No memory, no
 * suspension.
 */
#ifndef XDC_RT_FAULT_H
#define XDC_RT_FAULT_H

#include <stdint.h>

/* The return codes of IBMTSESS_AsyncPPRCService (seed page), used by every face. */
enum fault_code {
	FAULT_NONE = 0,
	FAULT_NOT_SUPPORTED = 1,
	FAULT_UNKNOWN = 2,
	FAULT_TIMEOUT = 3,
	FAULT_FAILED = 4,
	FAULT_INVALID_PARAMETER = 5,
	FAULT_IN_USE = 6,		/* of sets also: wrong member type, not empty, operation not supported */
	FAULT_NOT_IN_SET = 7,		/* ModifySynchronizedSet alone, and the next */
	FAULT_IN_A_SET = 8,
	FAULT_JOB_STARTED = 4096,
	FAULT_SIZE_NOT_SUPPORTED = 4097,	/* of pools and volumes */
	FAULT_INVALID_TRANSITION = 4097,	/* of the service */
	FAULT_TIMEOUT_PARAMETER = 4098,		/* its use is not supported */
	FAULT_BUSY = 4099,
};

struct fault {
	enum fault_code code;
	char object[64];	/* "volume 1500", "session 1", "system 2105.FB230"; may be empty */
	char message[256];	/* one sentence without full stop, naming what is wrong */
	char remedy[256];	/* what to do, best the command itself; may be empty */
	/* FAULT_SIZE_NOT_SUPPORTED: the size nearest to the wanted one that is possible; 0: there is none. */
	uint64_t nearest_bytes;
};

/*
 * Fills in the fault and returns -1, so that a function may end with it. Texts too long are cut, and are UTF-8
 * whatever they were made of.
 */
__attribute__((format(printf, 5, 6)))
int fault_set(struct fault *fault, enum fault_code code, const char *object, const char *remedy,
	      const char *message, ...);

/* The same with FAULT_SIZE_NOT_SUPPORTED, and that size. */
__attribute__((format(printf, 5, 6)))
int fault_set_size(struct fault *fault, const char *object, uint64_t nearest_bytes, const char *remedy,
		   const char *message, ...);

#endif
