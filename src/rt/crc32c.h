/* SPDX-License-Identifier: Apache-2.0 */
/* crc32c.h - the Castagnoli checksum (RFC 3720 appendix B.4) that guards every record on disk and every link frame. */
#ifndef XDC_RT_CRC32C_H
#define XDC_RT_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * Continues from crc (0 to begin): crc32c(crc32c(0, a), b) is that of a followed by b. Any thread; uses SSE 4.2 if
 * there.
 */
uint32_t crc32c(uint32_t crc, const void *buf, size_t len);

/* The same without help of the processor, for tests. */
uint32_t crc32c_portable(uint32_t crc, const void *buf, size_t len);

#endif
