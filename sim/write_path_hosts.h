/* SPDX-License-Identifier: Apache-2.0 */
/* write_path_hosts.h - for write_path.c: the hosts, which write their chains and read what others have written. */
#ifndef XDC_SIM_WRITE_PATH_HOSTS_H
#define XDC_SIM_WRITE_PATH_HOSTS_H

#include <errno.h>

#include "rt/mem.h"
#include "write_path_far.h"

struct request {
	struct chain *chain;
	unsigned number;
	struct volume *volume;
	uint8_t *data;
};

static uint64_t offset_of(unsigned block)
{
	return (uint64_t)(FIRST_BLOCK + block) * XDC_BLOCK_SIZE;
}

static struct site *site_of(const struct chain *chain, unsigned number)
{
	return &scene.sites[chain->where[number].site];
}

static int write_there(void *arg)
{
	struct request *request = arg;
	struct chain *chain = request->chain;
	struct volume *volume = site_of(chain, request->number)->volume;
	unsigned first = chain->where[request->number].first, count = chain->where[request->number].count;
	uint64_t value = value_of(chain->index, request->number);

	if (!site_of(chain, request->number)->up || volume_get_access(volume) != VOLUME_ACCESS_WRITE)
		return -ECONNABORTED;
	if (scene.applied && chain->where[request->number].zero)
		return volume_apply_zero(volume, NULL, count * XDC_BLOCK_SIZE, offset_of(first));
	if (chain->where[request->number].discard)
		return volume_discard(volume, count * XDC_BLOCK_SIZE, offset_of(first), 0);
	if (chain->where[request->number].zero)
		return volume_zero(volume, count * XDC_BLOCK_SIZE, offset_of(first), 0);
	for (size_t at = 0; at < count * XDC_BLOCK_SIZE; at += sizeof(value))
		memcpy(request->data + at, &value, sizeof(value));
	if (scene.applied)
		return volume_apply(volume, NULL, request->data, count * XDC_BLOCK_SIZE, offset_of(first));
	return volume_write(volume, request->data, count * XDC_BLOCK_SIZE, offset_of(first), 0);
}

/* After the death of the system, or an error, the host writes again what nobody has seen. */
static void write_until_answered(void *arg)
{
	struct request *request = arg;
	struct chain *chain = request->chain;
	int rc;

	for (;;) {
		rc = sim_call(site_of(chain, request->number)->system, write_there, request);
		if (rc == 0 || chain->seen >= request->number)
			break;
		chain->where[request->number].failed = true;
		delay(5 * RT_MS);
	}
	if (rc == 0) {
		delay(20 * RT_US);
		if (chain->answered < request->number)
			chain->answered = request->number;
		if (chain->seen < request->number)
			chain->seen = request->number;
	}
	rt_cond_wake_all(&chain->changed);
	mem_free(request->data);
	mem_free(request);
}

static int read_there(void *arg)
{
	struct request *request = arg;
	const struct chain *chain = request->chain;
	struct volume *volume = site_of(chain, request->number)->volume;

	if (!site_of(chain, request->number)->up || volume_get_access(volume) != VOLUME_ACCESS_WRITE)
		return -ECONNABORTED;
	return volume_read(volume, request->data, chain->where[request->number].count * XDC_BLOCK_SIZE,
		offset_of(chain->where[request->number].first));
}

/* It is there to be seen. Not while the host may still write it again, over what depends on it. */
static bool holds(const struct request *request)
{
	const struct chain *chain = request->chain;

	if (chain->where[request->number].failed)
		return false;
	for (unsigned i = 0; i < chain->where[request->number].count; i++) {
		uint64_t value;

		memcpy(&value, request->data + i * XDC_BLOCK_SIZE, sizeof(value));
		if (value != value_of(chain->index, request->number))
			return false;
	}
	return true;
}

/* Somebody else reads until the write is there to be seen. */
static void look_for(struct chain *chain, unsigned number)
{
	struct request request = { .chain = chain, .number = number };

	request.data = mem_alloc_pages(BLOCKS * XDC_BLOCK_SIZE);
	while (chain->seen < number) {
		if (sim_call(site_of(chain, number)->system, read_there, &request) == 0 && holds(&request) &&
		    chain->seen < number)
			chain->seen = number;
		delay(20 * RT_US);
	}
	mem_free(request.data);
}

static void issue(struct chain *chain)
{
	struct request *request = mem_alloc_zeroed(sizeof(*request));
	unsigned number = chain->issued + 1, first = (unsigned)below(BLOCKS / CHAINS);

	chain->where[number].site = (unsigned)below(scene.site_count);
	chain->where[number].first = chain->index * (BLOCKS / CHAINS) + first;
	chain->where[number].count = 1 + (unsigned)below(BLOCKS / CHAINS - first);
	chain->where[number].zero = below(8) == 0;
	chain->where[number].discard = chain->where[number].zero && below(2);
	scenario_count("zeroes and discards", chain->where[number].zero);
	request->chain = chain;
	request->number = number;
	request->data = mem_alloc_pages(BLOCKS * XDC_BLOCK_SIZE);
	chain->issued = number;
	start(&scene.hosts, "write", write_until_answered, request);
}

static void host(void *arg)
{
	struct chain *chain = arg;

	while (chain->issued < WRITES) {
		issue(chain);
		/* Zeroes look like what was never written. */
		if (!chain->where[chain->issued].zero && below(2) == 0)
			look_for(chain, chain->issued);
		while (chain->seen < chain->issued)
			if (rt_cond_wait(&chain->changed) != 0)
				return;
		if (below(8) == 0)
			delay(2 * RT_MS);
	}
}

#endif
