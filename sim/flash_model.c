/* SPDX-License-Identifier: Apache-2.0 */
#include "flash_model.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

_Static_assert(FLASH_CHAINS == FLASH_VOLUMES, "each chain has each unit on one volume");

#define ZONE_BYTES	(UINT64_C(1) << 20)

/* ---- where sectors are ---- */

uint64_t flash_unit_offset(unsigned unit)
{
	return unit * ZONE_BYTES + (unit % 2 ? 17 * XDC_BLOCK_SIZE : ZONE_BYTES - XDC_BLOCK_SIZE);
}

unsigned flash_sector_of(uint64_t offset)
{
	for (unsigned unit = 0; unit < FLASH_UNITS; unit++) {
		uint64_t begin = flash_unit_offset(unit);

		if (offset >= begin && offset < begin + FLASH_UNIT_SECTORS * XDC_SECTOR_SIZE)
			return unit * FLASH_UNIT_SECTORS + (unsigned)((offset - begin) / XDC_SECTOR_SIZE);
	}
	assert(false);
	return 0;
}

unsigned flash_owner(unsigned volume, unsigned unit)
{
	return (unit + volume) % FLASH_CHAINS;
}

void flash_fill_sector(uint8_t *bytes, uint32_t value)
{
	for (size_t at = 0; at < XDC_SECTOR_SIZE; at += sizeof(value))
		memcpy(bytes + at, &value, sizeof(value));
}

uint32_t flash_value_of(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return memcmp(bytes, bytes + sizeof(value), XDC_SECTOR_SIZE - sizeof(value)) == 0 ? value : UINT32_MAX;
}

/* ---- what chains do ---- */

static bool covers(const struct flash_request *request, unsigned volume, unsigned sector)
{
	return request->volume == volume && sector >= request->first && sector - request->first < request->count;
}

static void log_request(struct flash_chain *chain)
{
	assert(chain->logged < FLASH_LOG_MAX);
	chain->log[chain->logged++] = chain->request;
}

const struct flash_request *flash_begin_write(struct flash_model *model, unsigned index, unsigned volume,
					      unsigned first, unsigned count, bool zero)
{
	struct flash_sector *sectors = &model->volumes[volume].sectors[first];
	struct flash_chain *chain = &model->chains[index];

	for (unsigned i = 0; i < count; i++)
		if (sectors[i].maybes == FLASH_MAYBES)
			return NULL;
	assert(!chain->pending);
	chain->request = (struct flash_request) {
		.volume = volume, .first = first, .count = count, .value = zero ? 0 : ++model->last_value,
	};
	chain->pending = true;
	for (unsigned i = 0; i < count; i++)
		sectors[i].maybe[sectors[i].maybes++] = chain->request.value;
	if (model->moment)
		log_request(chain);
	return &chain->request;
}

static void make_durable(struct flash_sector *sector)
{
	sector->durable = sector->now;
	sector->maybes = 0;
}

void flash_end_write(struct flash_model *model, unsigned index, bool durable)
{
	struct flash_chain *chain = &model->chains[index];
	struct flash_sector *sectors = &model->volumes[chain->request.volume].sectors[chain->request.first];

	assert(chain->pending);
	for (unsigned i = 0; i < chain->request.count; i++) {
		sectors[i].now = chain->request.value;
		if (durable || model->direct)
			make_durable(&sectors[i]);
	}
	chain->pending = false;
}

bool flash_has_pending(const struct flash_model *model, unsigned volume)
{
	for (unsigned i = 0; i < FLASH_CHAINS; i++)
		if (model->chains[i].pending && model->chains[i].request.volume == volume)
			return true;
	return false;
}

void flash_flushed(struct flash_model *model, unsigned chain, unsigned volume)
{
	for (unsigned i = 0; i < FLASH_SECTORS; i++)
		if (flash_owner(volume, i / FLASH_UNIT_SECTORS) == chain)
			make_durable(&model->volumes[volume].sectors[i]);
}

/* ---- crashes ---- */

static bool may_be(const struct flash_model *model, unsigned volume, unsigned at, uint32_t found, bool power)
{
	const struct flash_chain *chain = &model->chains[flash_owner(volume, at / FLASH_UNIT_SECTORS)];
	const struct flash_sector *sector = &model->volumes[volume].sectors[at];

	if (found == sector->now || (power && found == sector->durable))
		return true;
	if (chain->pending && covers(&chain->request, volume, at) && found == chain->request.value)
		return true;
	for (unsigned i = 0; power && i < sector->maybes; i++)
		if (found == sector->maybe[i])
			return true;
	return false;
}

static const char *settle(struct flash_model *model, unsigned volume, const uint32_t *found, bool lost, bool durable)
{
	for (unsigned i = 0; i < FLASH_SECTORS; i++) {
		struct flash_sector *sector = &model->volumes[volume].sectors[i];

		if (!may_be(model, volume, i, found[i], lost))
			return "shows after a crash what was not there, or lacks what was durable";
		sector->now = found[i];
		if (durable)
			make_durable(sector);
	}
	return NULL;
}

const char *flash_settle(struct flash_model *model, unsigned volume, const uint32_t *found, bool power)
{
	return settle(model, volume, found, power, power);
}

const char *flash_settle_failed(struct flash_model *model, unsigned volume, const uint32_t *found)
{
	return settle(model, volume, found, true, false);
}

void flash_end_crash(struct flash_model *model)
{
	for (unsigned i = 0; i < FLASH_CHAINS; i++)
		model->chains[i].pending = false;
}

void flash_learn(struct flash_model *model, unsigned volume, const uint32_t *found)
{
	for (unsigned i = 0; i < FLASH_SECTORS; i++) {
		model->volumes[volume].sectors[i].now = found[i];
		make_durable(&model->volumes[volume].sectors[i]);
	}
	model->volumes[volume].unknown = false;
}

/* ---- copies ---- */

void flash_begin_moment(struct flash_model *model)
{
	for (unsigned volume = 0; volume < FLASH_VOLUMES; volume++)
		for (unsigned i = 0; i < FLASH_SECTORS; i++)
			model->base[volume][i] = model->volumes[volume].sectors[i].now;
	for (unsigned i = 0; i < FLASH_CHAINS; i++) {
		model->chains[i].logged = 0;
		if (model->chains[i].pending)
			log_request(&model->chains[i]);
	}
	model->moment = true;
}

void flash_end_moment(struct flash_model *model)
{
	model->moment = false;
}

/* The copies have what the chain had written with its first requests; of the next one any part. */
static bool shows(const struct flash_model *model, unsigned index, unsigned requests,
		  uint32_t state[FLASH_VOLUMES][FLASH_SECTORS], const struct flash_copy *copies, unsigned count)
{
	const struct flash_chain *chain = &model->chains[index];
	const struct flash_request *next = requests < chain->logged ? &chain->log[requests] : NULL;

	for (unsigned c = 0; c < count; c++) {
		unsigned source = copies[c].source;

		for (unsigned i = 0; i < FLASH_SECTORS; i++) {
			uint32_t found = copies[c].found[i];

			if (flash_owner(source, i / FLASH_UNIT_SECTORS) == index && found != state[source][i] &&
			    !(next && covers(next, source, i) && found == next->value))
				return false;
		}
	}
	return true;
}

static bool shows_some_moment(const struct flash_model *model, unsigned index, const struct flash_copy *copies,
			      unsigned count)
{
	static uint32_t state[FLASH_VOLUMES][FLASH_SECTORS];
	const struct flash_chain *chain = &model->chains[index];

	memcpy(state, model->base, sizeof(state));
	for (unsigned requests = 0; requests <= chain->logged; requests++) {
		const struct flash_request *done = requests > 0 ? &chain->log[requests - 1] : NULL;

		for (unsigned i = 0; done && i < done->count; i++)
			state[done->volume][done->first + i] = done->value;
		if (shows(model, index, requests, state, copies, count))
			return true;
	}
	return false;
}

const char *flash_judge(const struct flash_model *model, const struct flash_copy *copies, unsigned count)
{
	for (unsigned chain = 0; chain < FLASH_CHAINS; chain++)
		if (!shows_some_moment(model, chain, copies, count))
			return "does not show its source as it was at one moment of the command";
	return NULL;
}
