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

/*
 * The processor begins a step each cycle but ends it three cycles later, so three stretches are checksummed side by
 * side; a third of a block, so that two of them joined are little work.
 */
#define STRETCH	((size_t)1360)

/* skips[k][b]: byte k of a checksum, being b, once STRETCH zero bytes have followed. */
static uint32_t skips[4][256];

static uint32_t skip_stretch(uint32_t crc)
{
	return skips[0][crc & 255] ^ skips[1][crc >> 8 & 255] ^ skips[2][crc >> 16 & 255] ^ skips[3][crc >> 24];
}

#if defined(__x86_64__)
#include <nmmintrin.h>

#define HARDWARE	__attribute__((target("sse4.2")))

HARDWARE static inline uint32_t add_word(uint32_t crc, const uint8_t *from)
{
	return (uint32_t)_mm_crc32_u64(crc, get_le64(from));
}

HARDWARE static inline uint32_t add_byte(uint32_t crc, uint8_t byte)
{
	return _mm_crc32_u8(crc, byte);
}

static bool has_hardware(void)
{
	return __builtin_cpu_supports("sse4.2");
}
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>

#define HARDWARE	__attribute__((target("+crc")))

HARDWARE static inline uint32_t add_word(uint32_t crc, const uint8_t *from)
{
	return __crc32cd(crc, get_le64(from));
}

HARDWARE static inline uint32_t add_byte(uint32_t crc, uint8_t byte)
{
	return __crc32cb(crc, byte);
}

static bool has_hardware(void)
{
	return (getauxval(AT_HWCAP) & (1UL << 7)) != 0;		/* HWCAP_CRC32 */
}
#endif

#ifdef HARDWARE
HARDWARE static uint32_t crc32c_hardware(uint32_t crc, const void *buf, size_t len)
{
	const uint8_t *from = buf;

	crc = ~crc;
	for (; len >= 3 * STRETCH; len -= 3 * STRETCH, from += 2 * STRETCH) {
		const uint8_t *end = from + STRETCH;
		uint32_t second = 0, third = 0;

		for (; from < end; from += 8) {
			crc = add_word(crc, from);
			second = add_word(second, from + STRETCH);
			third = add_word(third, from + 2 * STRETCH);
		}
		crc = skip_stretch(skip_stretch(crc) ^ second) ^ third;
	}
	for (; len >= 8; len -= 8, from += 8)
		crc = add_word(crc, from);
	for (; len > 0; len--, from++)
		crc = add_byte(crc, *from);
	return ~crc;
}
#endif

static uint32_t (*implementation)(uint32_t crc, const void *buf, size_t len) = crc32c_portable;

#ifdef HARDWARE
/* What a checksum becomes is the sum of what each of its bits becomes. */
static void make_skips(void)
{
	static const uint8_t zeros[STRETCH];

	for (unsigned bit = 0; bit < 32; bit++) {
		uint32_t skipped = ~crc32c_portable(~(UINT32_C(1) << bit), zeros, STRETCH);

		for (unsigned byte = 0; byte < 256; byte++)
			skips[bit / 8][byte] ^= byte >> bit % 8 & 1 ? skipped : 0;
	}
}
#endif

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
#ifdef HARDWARE
	make_skips();
	if (has_hardware())
		implementation = crc32c_hardware;
#endif
}

uint32_t crc32c(uint32_t crc, const void *buf, size_t len)
{
	return implementation(crc, buf, len);
}
