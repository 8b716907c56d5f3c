/* SPDX-License-Identifier: Apache-2.0 */
/* bytes.h - numbers as bytes: little-endian on disk and on the link, big-endian where NBD or iSCSI ask for it. */
#ifndef XDC_RT_BYTES_H
#define XDC_RT_BYTES_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define BYTES_ACCESSORS(bits, order) \
	static inline uint##bits##_t get_##order##bits(const void *from) \
	{ \
		uint##bits##_t value; \
		memcpy(&value, from, sizeof(value)); \
		return order##bits##toh(value); \
	} \
	static inline void put_##order##bits(void *to, uint##bits##_t value) \
	{ \
		uint##bits##_t bytes = hto##order##bits(value); \
		memcpy(to, &bytes, sizeof(bytes)); \
	}

BYTES_ACCESSORS(16, le)
BYTES_ACCESSORS(32, le)
BYTES_ACCESSORS(64, le)
BYTES_ACCESSORS(16, be)
BYTES_ACCESSORS(32, be)
BYTES_ACCESSORS(64, be)

#endif
