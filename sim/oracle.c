/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rt/bytes.h"
#include "rt/mem.h"
#include "scenarios.h"
#include "volume/volume.h"

/* ---- what a block holds ---- */

static void fill(uint8_t data[XDC_BLOCK_SIZE], unsigned chain, uint32_t number)
{
	for (unsigned i = 0; i < XDC_BLOCK_SIZE; i += 8) {
		put_le32(data + i, number);
		put_le32(data + i + 4, chain + 1);
	}
}

/* The number in a block of the chain; -1: torn or foreign. A block never written is number 0. */
static int64_t number_of(const uint8_t data[XDC_BLOCK_SIZE], unsigned chain)
{
	uint32_t number = get_le32(data), owner = number ? chain + 1 : 0;

	for (unsigned i = 0; i < XDC_BLOCK_SIZE; i += 8) {
		if (get_le32(data + i) != number || get_le32(data + i + 4) != owner)
			return -1;
	}
	return number;
}

uint64_t oracle_block(unsigned chain, unsigned block)
{
	/* Far apart, so that chains are in regions and tracks of their own, and some blocks share a track. */
	return chain * 1100u + (block / 4) * 300u + block % 4;
}

/* ---- the writers ---- */

struct writer {
	struct oracle *oracle;
	unsigned chain;
};

static void note_seen(struct oracle *oracle, struct oracle_write *write)
{
	for (unsigned i = 0; i < ORACLE_CHAINS; i++)
		write->seen[i] = oracle->chains[i].answered;
}

/* Another host reads the block and finds the write there before it is answered: whoever reads has seen it. */
static bool is_seen_by_reading(struct oracle *oracle, unsigned chain, uint32_t number)
{
	const struct oracle_write *write = &oracle->chains[chain].writes[number];
	const struct oracle_place *place = &oracle->places[write->place];
	uint8_t data[XDC_BLOCK_SIZE];

	if (box_read(place->box, place->volume, oracle_block(chain, write->block), data))
		return false;
	scenario_count("host reads", 1);
	return number_of(data, chain) == number;
}

struct reader {
	struct oracle *oracle;
	unsigned chain;
	uint32_t number;
};

static void read_ahead(void *arg)
{
	struct reader reader = *(struct reader *)arg;
	struct oracle_chain *chain = &reader.oracle->chains[reader.chain];

	mem_free(arg);
	if (rt_sleep_until(rt_now_ns() + (int64_t)sim_random_below(sim_world(), 3000) * RT_US))
		return;
	if (is_seen_by_reading(reader.oracle, reader.chain, reader.number) && chain->answered < reader.number) {
		chain->answered = reader.number;
		scenario_count("writes seen by a reader first", 1);
	}
}

static void start_reader(struct writer *writer, struct rt_group *readers, uint32_t number)
{
	struct reader *reader = mem_alloc(sizeof(*reader));

	if (!reader)
		return;
	*reader = (struct reader){ .oracle = writer->oracle, .chain = writer->chain, .number = number };
	if (rt_group_start(readers, "reader", read_ahead, reader))
		mem_free(reader);
}

static int write_once(struct writer *writer, struct rt_group *readers, uint32_t number)
{
	struct oracle_chain *chain = &writer->oracle->chains[writer->chain];
	const struct oracle_write *write = &chain->writes[number];
	const struct oracle_place *place = &writer->oracle->places[write->place];
	uint8_t data[XDC_BLOCK_SIZE];
	unsigned flags = place->box->cache == CACHE_DIRECT || sim_random_below(sim_world(), 3) == 0 ? VOLUME_FUA : 0;
	int rc;

	fill(data, writer->chain, number);
	if (sim_random_below(sim_world(), 2))
		start_reader(writer, readers, number);
	rc = box_write(place->box, place->volume, oracle_block(writer->chain, write->block), data, flags);
	if (!rc && chain->answered < number)
		chain->answered = number;
	return rc;
}

/* Writes number after number. What was not answered is written again: the host cannot know whether it arrived. */
static void run_writer(void *arg)
{
	struct writer writer = *(struct writer *)arg;
	struct oracle *oracle = writer.oracle;
	struct oracle_chain *chain = &oracle->chains[writer.chain];
	struct rt_group readers;
	int rc = 0;

	mem_free(arg);
	rt_group_init(&readers);
	oracle->running++;
	while (!oracle->stop && chain->issued < ORACLE_WRITES_MAX && rc != -ECANCELED) {
		uint32_t number = chain->answered + 1;
		struct oracle_write *write = &chain->writes[number];

		if (number > chain->issued) {
			write->place = (uint8_t)sim_random_below(sim_world(), oracle->place_count);
			write->block = (uint8_t)sim_random_below(sim_world(), ORACLE_BLOCKS);
			note_seen(oracle, write);
			chain->issued = number;
		}
		rc = write_once(&writer, &readers, number);
		scenario_count(rc ? "host writes that failed" : "host writes", 1);
		if (rc != -ECANCELED)
			rc = rt_sleep_until(rt_now_ns() +
					    (int64_t)sim_random_below(sim_world(), rc ? 100000 : 2000) * RT_US);
	}
	rt_group_stop(&readers);
	oracle->running--;
}

void oracle_init(struct oracle *oracle)
{
	memset(oracle, 0, sizeof(*oracle));
}

void oracle_add_box(struct oracle *oracle, struct box *box)
{
	for (unsigned i = 0; i < box->volume_count; i++)
		oracle->places[oracle->place_count++] = (struct oracle_place){ .box = box, .volume = i };
}

int oracle_start(struct oracle *oracle, struct rt_group *group)
{
	for (unsigned i = 0; i < ORACLE_CHAINS; i++) {
		struct writer *writer = mem_alloc(sizeof(*writer));
		int rc = writer ? 0 : -ENOMEM;

		if (!rc) {
			*writer = (struct writer){ .oracle = oracle, .chain = i };
			rc = rt_group_start(group, "writer", run_writer, writer);
		}
		if (rc) {
			mem_free(writer);
			return rc;
		}
	}
	return 0;
}

/* ---- the judgement ---- */

struct image {
	uint32_t values[ORACLE_CHAINS][ORACLE_PLACES_MAX][ORACLE_BLOCKS];
	uint32_t newest[ORACLE_CHAINS];
};

static const char *read_image(struct oracle *oracle, oracle_read read, void *arg, struct image *image)
{
	uint8_t data[XDC_BLOCK_SIZE];

	for (unsigned chain = 0; chain < ORACLE_CHAINS; chain++) {
		for (unsigned place = 0; place < oracle->place_count; place++) {
			for (unsigned block = 0; block < ORACLE_BLOCKS; block++) {
				int64_t value;

				if (read(arg, place, oracle_block(chain, block), data))
					return "a block of the image cannot be read";
				value = number_of(data, chain);
				if (value < 0)
					return "a block of the image is torn or foreign";
				image->values[chain][place][block] = (uint32_t)value;
				if (value > image->newest[chain])
					image->newest[chain] = (uint32_t)value;
			}
		}
	}
	return NULL;
}

/* Every block shows the last write to it up to the newest of its chain: the image is a prefix of the chain. */
static bool is_prefix(const struct oracle_chain *chain, const uint32_t values[ORACLE_PLACES_MAX][ORACLE_BLOCKS],
		      uint32_t newest)
{
	uint32_t expected[ORACLE_PLACES_MAX][ORACLE_BLOCKS];

	if (newest > chain->issued)
		return false;
	memset(expected, 0, sizeof(expected));
	for (uint32_t k = 1; k <= newest; k++)
		expected[chain->writes[k].place][chain->writes[k].block] = k;
	return !memcmp(expected, values, sizeof(expected));
}

const char *oracle_check(struct oracle *oracle, oracle_read read, void *arg)
{
	static char why[160];
	MEM_OWNED struct image *image = mem_alloc_zeroed(sizeof(*image));
	const char *bad;

	if (!image)
		return "no memory for the image";
	bad = read_image(oracle, read, arg, image);
	for (unsigned c = 0; c < ORACLE_CHAINS && !bad; c++) {
		const struct oracle_chain *chain = &oracle->chains[c];

		if (!is_prefix(chain, image->values[c], image->newest[c])) {
			snprintf(why, sizeof(why), "chain %u: the image is not a prefix up to write %u", c,
				 image->newest[c]);
			return why;
		}
		for (unsigned d = 0; d < ORACLE_CHAINS; d++) {
			if (image->newest[d] >= chain->writes[image->newest[c]].seen[d])
				continue;
			snprintf(why, sizeof(why),
				 "write %u of chain %u had seen write %u of chain %u, but only %u is there",
				 image->newest[c], c, chain->writes[image->newest[c]].seen[d], d, image->newest[d]);
			return why;
		}
		if (image->newest[c] < chain->required) {
			snprintf(why, sizeof(why),
				 "chain %u: write %u was answered before the last group, only %u is there", c,
				 chain->required, image->newest[c]);
			return why;
		}
	}
	return bad;
}

void oracle_snapshot(const struct oracle *oracle, uint32_t answered[ORACLE_CHAINS])
{
	for (unsigned i = 0; i < ORACLE_CHAINS; i++)
		answered[i] = oracle->chains[i].answered;
}

void oracle_require(struct oracle *oracle, const uint32_t answered[ORACLE_CHAINS])
{
	for (unsigned i = 0; i < ORACLE_CHAINS; i++) {
		if (answered[i] > oracle->chains[i].required)
			oracle->chains[i].required = answered[i];
	}
}
