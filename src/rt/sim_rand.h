/* SPDX-License-Identifier: Apache-2.0 */
/* sim_rand.h - the simulator's only source of chance: a splitmix64 sequence that is the same on every machine. */
#ifndef XDC_RT_SIM_RAND_H
#define XDC_RT_SIM_RAND_H

#include <stdbool.h>
#include <stdint.h>

struct sim_rand {
	uint64_t state;
};

static inline uint64_t sim_rand_mix(uint64_t value)
{
	value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
	return value ^ (value >> 31);
}

static inline uint64_t sim_rand_u64(struct sim_rand *rand)
{
	rand->state += UINT64_C(0x9e3779b97f4a7c15);
	return sim_rand_mix(rand->state);
}

/* 0..bound-1; bound > 0. The bias of the multiplication is far below what any scenario could notice. */
static inline uint64_t sim_rand_below(struct sim_rand *rand, uint64_t bound)
{
	return (uint64_t)(((unsigned __int128)sim_rand_u64(rand) * bound) >> 64);
}

/* low..high, both included. */
static inline int64_t sim_rand_between(struct sim_rand *rand, int64_t low, int64_t high)
{
	return low + (int64_t)sim_rand_below(rand, (uint64_t)(high - low) + 1);
}

/* True with the chance of millionths in a million; takes no bits when that is 0. */
static inline bool sim_rand_chance(struct sim_rand *rand, uint32_t millionths)
{
	return millionths != 0 && sim_rand_below(rand, 1000000) < millionths;
}

#endif
