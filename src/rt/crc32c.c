/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/crc32c.h"

#include <stdbool.h>

#include "rt/bytes.h"

#define POLYNOMIAL	UINT32_C(0x82f63b78)	/* 0x1edc6f41 with its bits reversed */

/* tables[k][b]: the checksum's change by byte b followed by k zero bytes, so eight bytes are looked up side by side. */
static uint32_t tables[8][256];

uint32_t crc32c_portable(uint32_t crc, const void *buf, size_t len)
{
	const uint8_t *from = buf;

	crc = ~crc;
	for (; len >= 8; len -= 8, from += 8) {
		uint32_t low = crc ^ get_le32(from), high = get_le32(from + 4);

		crc = tables[7][low & 255] ^ tables[6][low >> 8 & 255] ^
		      tables[5][low >> 16 & 255] ^ tables[4][low >> 24] ^
		      tables[3][high & 255] ^ tables[2][high >> 8 & 255] ^ tables[1][high >> 16 & 255] ^
		      tables[0][high >> 24];
	}
	for (; len > 0; len--, from++)
		crc = tables[0][(crc ^ *from) & 255] ^ crc >> 8;
	return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t crc32c_hardware(uint32_t crc, const void *buf, size_t len)
{
	const uint8_t *from = buf;
	uint64_t wide = ~crc;

	for (; len >= 8; len -= 8, from += 8)
		wide = _mm_crc32_u64(wide, get_le64(from));
	crc = (uint32_t)wide;
	for (; len > 0; len--, from++)
		crc = _mm_crc32_u8(crc, *from);
	return ~crc;
}

static bool has_hardware(void)
{
	return __builtin_cpu_supports("sse4.2");
}
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>

__attribute__((target("+crc"))) static uint32_t crc32c_hardware(uint32_t crc, const void *buf, size_t len)
{
	const uint8_t *from = buf;

	crc = ~crc;
	for (; len >= 8; len -= 8, from += 8)
		crc = __crc32cd(crc, get_le64(from));
	for (; len > 0; len--, from++)
		crc = __crc32cb(crc, *from);
	return ~crc;
}

static bool has_hardware(void)
{
	return (getauxval(AT_HWCAP) & (1UL << 7)) != 0;		/* HWCAP_CRC32 */
}
#endif

static uint32_t (*implementation)(uint32_t crc, const void *buf, size_t len) = crc32c_portable;

/* Before main, so that no thread ever sees half of it. */
__attribute__((constructor)) static void crc32c_choose(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		tables[0][byte] = crc;
	}
	for (int k = 1; k < 8; k++) {
		for (int byte = 0; byte < 256; byte++)
			tables[k][byte] = tables[k - 1][byte] >> 8 ^ tables[0][tables[k - 1][byte] & 255];
	}
#if defined(__x86_64__) || defined(__aarch64__)
	if (has_hardware())
		implementation = crc32c_hardware;
#endif
}

uint32_t crc32c(uint32_t crc, const void *buf, size_t len)
{
	return implementation(crc, buf, len);
}
