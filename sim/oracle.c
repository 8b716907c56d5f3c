/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rt/bytes.h"
#include "rt/crc32c.h"
#include "rt/mem.h"
#include "scenarios.h"
#include "volume/volume.h"

/* ---- what a block holds ---- */

#define DAMAGED	0x80000000u		/* no write of the chain, or parts of several: with a checksum */

static void fill(uint8_t data[XDC_BLOCK_SIZE], unsigned chain, uint32_t value)
{
	for (unsigned i = 0; i < XDC_BLOCK_SIZE; i += 8) {
		put_le32(data + i, value);
		put_le32(data + i + 4, chain + 1);
	}
}

/* A block never written is 0. */
static uint32_t value_of(const uint8_t data[XDC_BLOCK_SIZE], unsigned chain)
{
	uint32_t value = get_le32(data), owner = value ? chain + 1 : 0;

	for (unsigned i = 0; i < XDC_BLOCK_SIZE; i += 8) {
		if (get_le32(data + i) != value || get_le32(data + i + 4) != owner)
			return DAMAGED | crc32c(0, data, XDC_BLOCK_SIZE);
	}
	return value;
}

uint64_t oracle_block(unsigned chain, unsigned block)
{
	/* Far apart, so that chains are in regions and tracks of their own, and some blocks share a track. */
	return chain * 1100u + (block / 4) * 300u + block % 4;
}

/* ---- events ---- */

/* What was known of a chain before it never becomes unknown. */
static struct oracle_event *add_event(struct oracle *oracle, unsigned chain_index, unsigned place, unsigned block,
				      uint32_t value)
{
	struct oracle_chain *chain = &oracle->chains[chain_index];
	struct oracle_event *event;

	assert(chain->issued < ORACLE_EVENTS_MAX);
	event = &chain->events[chain->issued + 1];
	*event = (struct oracle_event){ .place = (uint8_t)place, .block = (uint8_t)block, .value = value };
	memcpy(event->seen, chain->events[chain->issued].seen, sizeof(event->seen));
	chain->issued++;
	chain->latest[place][block] = chain->issued;
	return event;
}

static void raise_to(uint32_t *value, uint32_t least)
{
	if (*value < least)
		*value = least;
}

static uint32_t value_at(const struct oracle_chain *chain, unsigned place, unsigned block)
{
	return chain->events[chain->latest[place][block]].value;
}

static void note_answer(struct oracle_chain *chain, uint32_t event)
{
	if (chain->answered >= event)
		return;
	chain->answered = event;
	chain->events[event].answered_ns = rt_now_ns();
}

static bool is_full(const struct oracle_chain *chain)
{
	/* Crashes add some. */
	return chain->issued >= ORACLE_EVENTS_MAX - 512;
}

bool oracle_is_spent(const struct oracle *oracle)
{
	for (unsigned c = 0; c < ORACLE_CHAINS; c++) {
		if (!is_full(&oracle->chains[c]))
			return false;
	}
	return true;
}

/* ---- the writers ---- */

struct writer {
	struct oracle *oracle;
	unsigned chain;
};

struct reader {
	struct oracle *oracle;
	unsigned chain;
	uint32_t event;
};

/* Another host reads the block and finds the write there before it is answered: whoever reads has seen it. */
static void read_ahead(void *arg)
{
	struct reader reader = *(struct reader *)arg;
	struct oracle_chain *chain = &reader.oracle->chains[reader.chain];
	const struct oracle_event event = chain->events[reader.event];
	const struct oracle_place place = reader.oracle->places[event.place];
	uint8_t data[XDC_BLOCK_SIZE];

	mem_free(arg);
	if (rt_sleep_until(rt_now_ns() + (int64_t)sim_random_below(sim_world(), 3000) * RT_US))
		return;
	if (box_read(place.box, place.volume, oracle_block(reader.chain, event.block), data))
		return;
	scenario_count("host reads", 1);
	if (reader.oracle->blind_at_errors && sim_disk_errors(place.box->system))
		return;
	if (value_of(data, reader.chain) != event.value || chain->answered >= reader.event)
		return;
	note_answer(chain, reader.event);
	scenario_count("writes seen by a reader first", 1);
}

static void start_reader(struct writer *writer, struct rt_group *readers, uint32_t event)
{
	struct reader *reader = mem_alloc(sizeof(*reader));

	if (!reader)
		return;
	*reader = (struct reader){ .oracle = writer->oracle, .chain = writer->chain, .event = event };
	if (rt_group_start(readers, "reader", read_ahead, reader))
		mem_free(reader);
}

/*
 * What failed may have changed any part of any block; after a crash oracle_note_crash has seen to that. What another
 * host has read, and a failed disk lost thereafter, may live on at the far side: that it is gone here is noted when the
 * disk is mended.
 */
static void note_failed_request(struct oracle *oracle, unsigned chain_index, const struct oracle_request *request)
{
	const struct oracle_place *place = &oracle->places[request->place];
	struct oracle_chain *chain = &oracle->chains[chain_index];
	uint8_t data[XDC_BLOCK_SIZE];

	if (chain->answered >= request->last && box_has_failed(place->box))
		return;
	for (unsigned block = request->first; block < request->end; block++) {
		uint32_t value;

		if (box_peek(place->box, place->volume, oracle_block(chain_index, block), data))
			return;
		value = value_of(data, chain_index);
		if (value != value_at(chain, request->place, block))
			add_event(oracle, chain_index, request->place, block, value);
	}
}

/* Zeroes may end within a block, where the next one is not of the chain. */
static uint64_t choose_tail(const struct oracle_request *request)
{
	return request->end % 4 ? 0 : sim_random_below(sim_world(), XDC_BLOCK_SIZE / 512) * 512;
}

static int ask_volume(const struct oracle *oracle, unsigned chain_index, const struct oracle_request *request,
		      unsigned flags)
{
	const struct oracle_place *place = &oracle->places[request->place];
	uint64_t first = oracle_block(chain_index, request->first);
	uint64_t count = oracle_block(chain_index, request->end - 1u) + 1 - first;
	uint8_t data[XDC_BLOCK_SIZE];

	scenario_count("host writes over 1 MiB", request->kind == ORACLE_WRITE && count * XDC_BLOCK_SIZE > 1u << 20);
	switch (request->kind) {
	case ORACLE_WRITE:
		fill(data, chain_index, request->value);
		return box_write_many(place->box, place->volume, first, count, data, flags);
	case ORACLE_ZERO:
		scenario_count("host zeroes", 1);
		flags |= sim_random_below(sim_world(), 4) == 0 ? VOLUME_NO_HOLE : 0;
		return box_zero(place->box, place->volume, first * XDC_BLOCK_SIZE,
				count * XDC_BLOCK_SIZE + choose_tail(request), flags);
	default:
		scenario_count("host discards", 1);
		return box_discard(place->box, place->volume, first * XDC_BLOCK_SIZE,
				   count * XDC_BLOCK_SIZE + choose_tail(request), flags);
	}
}

/* The host has its answer. */
static void note_done(struct oracle_chain *chain, const struct oracle_request *request, bool is_durable)
{
	note_answer(chain, request->last);
	for (unsigned block = request->first; block < request->end; block++) {
		uint32_t latest = chain->latest[request->place][block];

		/* A crash that came after the answer and before this has noted what is left. */
		if (chain->events[latest].value != request->value)
			continue;
		raise_to(&chain->kept[request->place][block], latest);
		if (is_durable)
			raise_to(&chain->durable[request->place][block], latest);
	}
}

static int write_once(struct writer *writer, struct rt_group *readers)
{
	struct oracle *oracle = writer->oracle;
	struct oracle_chain *chain = &oracle->chains[writer->chain];
	const struct oracle_request request = chain->pending;
	bool fua = sim_random_below(sim_world(), 3) == 0;
	int rc;

	if (!oracle->blind && request.from <= request.last && sim_random_below(sim_world(), 2))
		start_reader(writer, readers,
			     request.from + (uint32_t)sim_random_below(sim_world(), request.last - request.from + 1));
	rc = ask_volume(oracle, writer->chain, &request, fua ? VOLUME_FUA : 0);
	if (rc)
		note_failed_request(oracle, writer->chain, &request);
	else
		note_done(chain, &request, fua || oracle->places[request.place].box->cache == CACHE_DIRECT);
	return rc;
}

/* Covers all that was answered before it, by whomever it was written. */
static void flush_some(struct oracle *oracle)
{
	unsigned at = (unsigned)sim_random_below(sim_world(), oracle->place_count);
	const struct oracle_place place = oracle->places[at];
	uint32_t kept[ORACLE_CHAINS][ORACLE_BLOCKS];

	for (unsigned chain = 0; chain < ORACLE_CHAINS; chain++)
		memcpy(kept[chain], oracle->chains[chain].kept[at], sizeof(kept[chain]));
	if (box_flush(place.box, place.volume) || place.box != oracle->places[at].box)
		return;
	scenario_count("host flushes", 1);
	for (unsigned chain = 0; chain < ORACLE_CHAINS; chain++) {
		for (unsigned block = 0; block < ORACLE_BLOCKS; block++)
			raise_to(&oracle->chains[chain].durable[at][block], kept[chain][block]);
	}
}

/* An event for each block that is not yet as the request wants it. */
static void issue(struct oracle *oracle, unsigned chain_index)
{
	struct oracle_chain *chain = &oracle->chains[chain_index];
	struct oracle_request *request = &chain->pending;

	request->from = chain->issued + 1;
	for (unsigned block = request->first; block < request->end; block++) {
		struct oracle_event *event;

		if (value_at(chain, request->place, block) == request->value)
			continue;
		event = add_event(oracle, chain_index, request->place, block, request->value);
		for (unsigned i = 0; i < ORACLE_CHAINS; i++) {
			raise_to(&event->seen[i], oracle->chains[i].answered);
			raise_to(&event->seen[i], oracle->places[request->place].box->lost_at[i]);
		}
	}
	request->last = chain->issued;
}

/* Of 256 requests eight make zeroes, and one writes several blocks: what is long costs the run most. */
static void choose_request(struct oracle *oracle, unsigned chain_index)
{
	struct oracle_chain *chain = &oracle->chains[chain_index];
	uint64_t roll = sim_random_below(sim_world(), 256);
	struct oracle_request request = {
		.kind = roll < 4 ? ORACLE_ZERO : roll < 8 ? ORACLE_DISCARD : ORACLE_WRITE,
		.place = (uint8_t)sim_random_below(sim_world(), oracle->place_count),
		.first = (uint8_t)sim_random_below(sim_world(), ORACLE_BLOCKS),
	};

	request.end = (uint8_t)(request.first + 1u);
	if (roll < 9)
		request.end += (uint8_t)sim_random_below(sim_world(), ORACLE_BLOCKS - request.first);
	if (request.kind == ORACLE_WRITE)
		request.value = ++chain->last_value;
	chain->pending = request;
	issue(oracle, chain_index);
}

static bool is_there(const struct oracle_chain *chain, const struct oracle_request *request)
{
	for (unsigned block = request->first; block < request->end; block++) {
		if (value_at(chain, request->place, block) != request->value)
			return false;
	}
	return true;
}

/* The next request; or the one that was not answered again, since the host cannot know whether it arrived. */
static void choose_next(struct oracle *oracle, unsigned chain_index)
{
	struct oracle_chain *chain = &oracle->chains[chain_index];

	if (chain->answered >= chain->pending.last)
		choose_request(oracle, chain_index);
	else if (!is_there(chain, &chain->pending))
		issue(oracle, chain_index);
}

static int64_t choose_pause_ns(const struct oracle *oracle, bool failed)
{
	uint64_t most_us = failed ? 100000 : oracle->calm ? 50000 : 2000;

	return (int64_t)sim_random_below(sim_world(), most_us) * RT_US;
}

static void run_writer(void *arg)
{
	struct writer writer = *(struct writer *)arg;
	struct oracle *oracle = writer.oracle;
	struct oracle_chain *chain = &oracle->chains[writer.chain];
	struct rt_group readers;
	int rc = 0;

	mem_free(arg);
	rt_group_init(&readers);
	while (!oracle->stop && !is_full(chain) && rc != -ECANCELED) {
		if (oracle->rest) {
			rc = rt_sleep_until(rt_now_ns() + 10 * RT_MS);
			continue;
		}
		choose_next(oracle, writer.chain);
		rc = write_once(&writer, &readers);
		scenario_count(rc ? "host writes that failed" : "host writes", 1);
		if (rc != -ECANCELED && !sim_random_below(sim_world(), 20))
			flush_some(oracle);
		if (rc != -ECANCELED)
			rc = rt_sleep_until(rt_now_ns() + choose_pause_ns(oracle, rc));
	}
	rt_group_stop(&readers);
}

void oracle_init(struct oracle *oracle)
{
	memset(oracle, 0, sizeof(*oracle));
	rt_group_init(&oracle->writers);
}

void oracle_add_box(struct oracle *oracle, struct box *box)
{
	assert(oracle->place_count + box->volume_count <= ORACLE_PLACES_MAX);
	for (unsigned i = 0; i < box->volume_count; i++)
		oracle->places[oracle->place_count++] = (struct oracle_place){ .box = box, .volume = i };
}

void oracle_ignore(struct oracle *oracle, const struct box *box)
{
	for (unsigned i = 0; i < oracle->place_count; i++)
		oracle->places[i].ignored = oracle->places[i].ignored || oracle->places[i].box == box;
}

int oracle_start(struct oracle *oracle)
{
	oracle->stop = false;
	for (unsigned i = 0; i < ORACLE_CHAINS; i++) {
		struct writer *writer = mem_alloc(sizeof(*writer));
		int rc = writer ? 0 : -ENOMEM;

		if (!rc) {
			*writer = (struct writer){ .oracle = oracle, .chain = i };
			rc = rt_group_start(&oracle->writers, "writer", run_writer, writer);
		}
		if (rc) {
			mem_free(writer);
			return rc;
		}
	}
	return 0;
}

int oracle_stop(struct oracle *oracle)
{
	oracle->stop = true;
	return rt_group_wait(&oracle->writers);
}

void oracle_end(struct oracle *oracle)
{
	oracle->stop = true;
	rt_group_stop(&oracle->writers);
}

/* ---- crashes ---- */

bool oracle_may_hold(const struct oracle_chain *chain, unsigned place, unsigned block, uint32_t least, uint32_t value)
{
	if (chain->events[least].value == value)
		return true;
	if (value & DAMAGED)
		return chain->latest[place][block] > least;
	for (uint32_t i = least + 1; i <= chain->issued; i++) {
		const struct oracle_event *event = &chain->events[i];

		if (event->place == place && event->block == block && event->value == value)
			return true;
	}
	return false;
}

static void note_block(struct oracle *oracle, unsigned chain_index, unsigned place, unsigned block, enum sim_crash how)
{
	struct oracle_chain *chain = &oracle->chains[chain_index];
	const struct oracle_place *at = &oracle->places[place];
	bool power = how == SIM_POWER_LOSS;
	uint32_t *least = power ? &chain->durable[place][block] : &chain->kept[place][block], value;
	uint8_t data[XDC_BLOCK_SIZE];

	if (box_peek(at->box, at->volume, oracle_block(chain_index, block), data)) {
		sim_fail(sim_world(), "a volume of %s cannot be read after its crash", at->box->id);
		return;
	}
	value = value_of(data, chain_index);
	if (!at->box->lied && !oracle_may_hold(chain, place, block, *least, value))
		scenario_wrong("%s lost write %u of chain %u, which it had to keep: block %u of volume %u holds %u",
			       at->box->id, chain->events[*least].value, chain_index, block, at->volume, value);
	if (value != value_at(chain, place, block)) {
		add_event(oracle, chain_index, place, block, value);
		scenario_count("blocks changed by a crash", 1);
	}
	chain->kept[place][block] = chain->latest[place][block];
	if (power)
		chain->durable[place][block] = chain->latest[place][block];
}

/* Until the loss is accepted, what is recovered is of a time before it. */
static void note_power_loss(const struct oracle *oracle, struct box *box)
{
	bool written = false;

	for (unsigned i = 0; i < box->volume_count; i++)
		written = written || box->written[i];
	if (box->lost || !written || box->cache != CACHE_WRITEBACK)
		return;
	box->lost = true;
	for (unsigned chain = 0; chain < ORACLE_CHAINS; chain++)
		box->kept_to[chain] = oracle->chains[chain].issued;
}

static void note_losses(struct oracle *oracle, struct box *box, enum sim_crash how)
{
	uint32_t before[ORACLE_CHAINS];

	for (unsigned chain = 0; chain < ORACLE_CHAINS; chain++) {
		before[chain] = oracle->chains[chain].issued;
		for (unsigned place = 0; place < oracle->place_count; place++) {
			for (unsigned block = 0; oracle->places[place].box == box && block < ORACLE_BLOCKS; block++)
				note_block(oracle, chain, place, block, how);
		}
	}
	/* Before it is back no CG closes: an image with its losses has all, and all that was answered before. */
	for (unsigned chain = 0; chain < ORACLE_CHAINS; chain++) {
		if (oracle->chains[chain].issued > before[chain])
			box->lost_at[chain] = oracle->chains[chain].issued;
	}
	for (unsigned chain = 0; chain < ORACLE_CHAINS; chain++) {
		for (uint32_t i = before[chain] + 1; i <= oracle->chains[chain].issued; i++) {
			struct oracle_event *event = &oracle->chains[chain].events[i];

			for (unsigned other = 0; other < ORACLE_CHAINS; other++) {
				raise_to(&event->seen[other], oracle->chains[other].answered);
				raise_to(&event->seen[other], box->lost_at[other]);
			}
		}
	}
}

void oracle_note_crash(struct oracle *oracle, struct box *box, enum sim_crash how)
{
	if (how == SIM_POWER_LOSS)
		note_power_loss(oracle, box);
	note_losses(oracle, box, how);
}

/* ---- the judgement ---- */

const char *oracle_take(struct oracle *oracle, oracle_read read, void *arg, struct oracle_image *image)
{
	uint8_t data[XDC_BLOCK_SIZE];

	memset(image, 0, sizeof(*image));
	for (unsigned chain = 0; chain < ORACLE_CHAINS; chain++) {
		for (unsigned place = 0; place < oracle->place_count; place++) {
			for (unsigned block = 0; block < ORACLE_BLOCKS && !oracle->places[place].ignored; block++) {
				unsigned tries = 0;
				int rc;

				do {
					rc = read(arg, place, oracle_block(chain, block), data);
				} while (rc && scenario_try_again(&tries));
				if (rc) {
					static char why[80];

					snprintf(why, sizeof(why), "the image of volume %u of %s cannot be read: %s",
						oracle->places[place].volume, oracle->places[place].box->id,
						strerror(-rc));
					return why;
				}
				image->values[chain][place][block] = value_of(data, chain);
			}
		}
	}
	return NULL;
}

/* After which events of its chain the blocks look like in the image. */
struct matches {
	uint32_t least_wrong, closest;		/* for people: where the fewest blocks were wrong */
	bool at[ORACLE_EVENTS_MAX + 1];
};

static void find_matches(const struct oracle *oracle, const struct oracle_chain *chain,
			 const uint32_t values[ORACLE_PLACES_MAX][ORACLE_BLOCKS], struct matches *matches)
{
	uint32_t now[ORACLE_PLACES_MAX][ORACLE_BLOCKS] = { 0 }, wrong = 0;

	for (unsigned place = 0; place < oracle->place_count; place++) {
		for (unsigned block = 0; block < ORACLE_BLOCKS && !oracle->places[place].ignored; block++)
			wrong += values[place][block] != 0;
	}
	matches->at[0] = !wrong;
	matches->least_wrong = wrong;
	matches->closest = 0;
	for (uint32_t i = 1; i <= chain->issued; i++) {
		const struct oracle_event *event = &chain->events[i];
		uint32_t *block = &now[event->place][event->block], want = values[event->place][event->block];

		if (!oracle->places[event->place].ignored)
			wrong = wrong - (*block != want) + (event->value != want);
		*block = event->value;
		matches->at[i] = !wrong;
		if (wrong <= matches->least_wrong) {
			matches->least_wrong = wrong;
			matches->closest = i;
		}
	}
}

/* Says what is wrong where the image is nearest to some state of the chain. */
static const char *explain(const struct oracle *oracle, unsigned chain_index, const struct oracle_image *image,
			   const struct matches *matches, uint32_t from)
{
	static char why[320];
	const struct oracle_chain *chain = &oracle->chains[chain_index];
	uint32_t now[ORACLE_PLACES_MAX][ORACLE_BLOCKS] = { 0 };
	int used;

	used = snprintf(why, sizeof(why),
			"chain %u: the image is no state after event %u or later (required %u, answered %u, "
			"issued %u); nearest is %u with %u wrong",
			chain_index, from, chain->required, chain->answered, chain->issued, matches->closest,
			matches->least_wrong);
	for (uint32_t i = 1; i <= matches->closest; i++)
		now[chain->events[i].place][chain->events[i].block] = chain->events[i].value;
	for (unsigned i = 0; i < ORACLE_PLACES_MAX * ORACLE_BLOCKS; i++) {
		unsigned place = i / ORACLE_BLOCKS, block = i % ORACLE_BLOCKS;

		if (now[place][block] == image->values[chain_index][place][block] ||
		    oracle->places[place].ignored)
			continue;
		snprintf(why + used, sizeof(why) - (size_t)used,
			 ": block %u of volume %04X of %s holds %u instead of %u", block,
			 oracle->places[place].box->volumes[oracle->places[place].volume],
			 oracle->places[place].box->id, image->values[chain_index][place][block], now[place][block]);
		break;
	}
	return why;
}

static uint32_t next_match(const struct oracle_chain *chain, const struct matches *matches, uint32_t from)
{
	while (from <= chain->issued && !matches->at[from])
		from++;
	return from;
}

/* The last group before a loss of power is what is recovered, as long as nobody has accepted the loss. */
static const char *check_losses(const struct oracle *oracle, const uint32_t at[ORACLE_CHAINS])
{
	static char why[160];

	for (unsigned place = 0; place < oracle->place_count; place++) {
		const struct box *box = oracle->places[place].box;

		for (unsigned chain = 0; box->lost && chain < ORACLE_CHAINS; chain++) {
			if (oracle->places[place].ignored || at[chain] <= box->kept_to[chain])
				continue;
			snprintf(why, sizeof(why),
				 "the image shows event %u of chain %u, after the loss of power of %s at event %u "
				 "that nobody has accepted", at[chain], chain, box->id, box->kept_to[chain]);
			return why;
		}
	}
	return NULL;
}

const char *oracle_judge(const struct oracle *oracle, const struct oracle_image *image,
			 uint32_t position[ORACLE_CHAINS])
{
	MEM_OWNED struct matches *matches = mem_alloc_zeroed(ORACLE_CHAINS * sizeof(*matches));
	uint32_t at[ORACLE_CHAINS] = { 0 }, least[ORACLE_CHAINS];
	bool changed = true;

	if (!matches)
		return "no memory for the judgement";
	for (unsigned c = 0; c < ORACLE_CHAINS; c++) {
		find_matches(oracle, &oracle->chains[c], image->values[c], &matches[c]);
		least[c] = oracle->chains[c].required;
	}
	/* The earliest state of each chain that shows all that the others had seen. */
	while (changed) {
		changed = false;
		for (unsigned c = 0; c < ORACLE_CHAINS; c++) {
			const struct oracle_chain *chain = &oracle->chains[c];

			at[c] = next_match(chain, &matches[c], least[c]);
			if (at[c] > chain->issued)
				return explain(oracle, c, image, &matches[c], least[c]);
			for (unsigned d = 0; d < ORACLE_CHAINS; d++) {
				changed = changed || chain->events[at[c]].seen[d] > least[d];
				raise_to(&least[d], chain->events[at[c]].seen[d]);
			}
		}
	}
	if (position)
		memcpy(position, at, sizeof(at));
	return check_losses(oracle, at);
}

void oracle_note_durable(const struct oracle *oracle, struct oracle_durable *durable)
{
	for (unsigned c = 0; c < ORACLE_CHAINS; c++)
		memcpy(durable->events[c], oracle->chains[c].durable, sizeof(durable->events[c]));
}

const char *oracle_judge_durable(const struct oracle *oracle, const struct oracle_durable *then, unsigned place,
				 const struct oracle_image *image)
{
	static char why[160];

	for (unsigned c = 0; c < ORACLE_CHAINS; c++) {
		const struct oracle_chain *chain = &oracle->chains[c];

		for (unsigned block = 0; block < ORACLE_BLOCKS; block++) {
			uint32_t durable = then->events[c][place][block], value = image->values[c][place][block];

			if (oracle_may_hold(chain, place, block, durable, value))
				continue;
			snprintf(why, sizeof(why), "block %u of chain %u of volume %u holds %u, but %u was durable",
				 block, c, place, value, chain->events[durable].value);
			return why;
		}
	}
	return NULL;
}

const char *oracle_check(struct oracle *oracle, oracle_read read, void *arg)
{
	struct oracle_image image;
	const char *bad = oracle_take(oracle, read, arg, &image);

	return bad ? bad : oracle_judge(oracle, &image, NULL);
}

void oracle_require_before(struct oracle *oracle, int64_t time_ns)
{
	for (unsigned c = 0; c < ORACLE_CHAINS; c++) {
		struct oracle_chain *chain = &oracle->chains[c];
		uint32_t event = chain->answered;

		while (event > chain->required &&
		       (!chain->events[event].answered_ns || chain->events[event].answered_ns >= time_ns))
			event--;
		raise_to(&chain->required, event);
	}
}

void oracle_restart_at(struct oracle *oracle, const uint32_t position[ORACLE_CHAINS])
{
	for (unsigned c = 0; c < ORACLE_CHAINS; c++) {
		struct oracle_chain *chain = &oracle->chains[c];

		chain->issued = chain->answered = chain->required = position[c];
		chain->pending = (struct oracle_request){ 0 };
		memset(chain->latest, 0, sizeof(chain->latest));
		for (uint32_t i = 1; i <= chain->issued; i++)
			chain->latest[chain->events[i].place][chain->events[i].block] = i;
		memcpy(chain->kept, chain->latest, sizeof(chain->kept));
		memcpy(chain->durable, chain->latest, sizeof(chain->durable));
	}
}
