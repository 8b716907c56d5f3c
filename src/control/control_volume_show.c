/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes: what is shown of them. */
#include "control/control_private.h"

#include <assert.h>
#include <string.h>

/* As xdcd allows. */
#define REACTORS_MAX	64u

/* Volumes whose counters and the like are read where they are. */
struct inspection {
	const struct control_volume *volumes[CONTROL_LIST_MAX];
	struct volume_info *infos;
	unsigned count;
};

static void inspect(const struct control_volume *volume, struct volume_info *info)
{
	struct vdisk *disk = volume_disk(volume->volume);

	info->access = volume_get_access(volume->volume);
	info->reactor = rt_reactor_index(rt_here());
	volume_get_counters(volume->volume, &info->counters);
	if (vdisk_failed(disk))
		info->state = VOLUME_SYNC_FAILED;
	info->has_allocated = vdisk_allocated(disk, &info->allocated_bytes) == 0;
}

/* Those of this reactor. */
static int inspect_here(void *arg)
{
	const struct inspection *inspection = arg;

	for (unsigned i = 0; i < inspection->count; i++)
		if (inspection->volumes[i]->volume && volume_reactor(inspection->volumes[i]->volume) == rt_here())
			inspect(inspection->volumes[i], &inspection->infos[i]);
	return 0;
}

static void begin_info(const struct control_volume *volume, struct volume_info *info)
{
	*info = (struct volume_info){
		.record = volume->record,
		.access = volume->record.access,
		.error = volume->error,
		.attached = volume->attached,
	};
	if (!volume->volume)
		info->state = VOLUME_OFFLINE;
	else if (volume->record.sync_failed_wall_ns)
		info->state = VOLUME_SYNC_FAILED;
	else if (volume->record.unflushed_lost_wall_ns)
		info->state = VOLUME_WRITES_LOST;
}

static void add_to_inspection(struct inspection *inspection, const struct control_volume *volume)
{
	begin_info(volume, &inspection->infos[inspection->count]);
	inspection->volumes[inspection->count++] = volume;
}

/* Under the lock: none of them is closed meanwhile. */
static void end_inspection(struct inspection *inspection)
{
	bool visited[REACTORS_MAX] = { false };

	for (unsigned i = 0; i < inspection->count; i++) {
		struct volume *volume = inspection->volumes[i]->volume;
		unsigned reactor = volume ? rt_reactor_index(volume_reactor(volume)) : 0;
		int rc;

		if (!volume || visited[reactor])
			continue;
		visited[reactor] = true;
		rc = rt_call(volume_reactor(volume), inspect_here, inspection);
		assert(rc == 0);
	}
}

static void get_info(const struct control_volume *volume, struct volume_info *info)
{
	struct inspection inspection = { .infos = info };

	add_to_inspection(&inspection, volume);
	end_inspection(&inspection);
}

int control_volume_list(struct control *control, uint32_t from, struct volume_info *infos, unsigned max,
			struct fault *fault)
{
	struct inspection inspection = { .infos = infos };

	assert(max <= CONTROL_LIST_MAX);
	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	for (uint32_t lss = from >> 8; lss < LSS_COUNT && inspection.count < max; lss++, from = lss << 8)
		for (unsigned i = from & 0xFF; control->lsss[lss] && i < LSS_VOLUMES && inspection.count < max; i++)
			if (control->lsss[lss]->volumes[i])
				add_to_inspection(&inspection, control->lsss[lss]->volumes[i]);
	end_inspection(&inspection);
	return (int)inspection.count;
}

const struct record_volume *control_volume_record(struct control *control, uint16_t id)
{
	const struct control_volume *volume = control_volume_at(control, id);

	return volume ? &volume->record : NULL;
}

int control_volume_get(struct control *control, uint16_t id, struct volume_info *info, struct fault *fault)
{
	struct control_volume *volume;

	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	volume = control_volume_need(control, id, fault);
	if (!volume)
		return -1;
	get_info(volume, info);
	return 0;
}

int control_volume_each(struct control *control, int lss, const char *pool,
			void (*each)(void *arg, const struct volume_info *info), void *arg, struct fault *fault)
{
	struct volume_info info;

	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	if (lss >= 0 && control_lss_need(control, (uint8_t)lss, fault))
		return -1;
	if (pool && !control_pool_need(control, pool, fault))
		return -1;
	for (int i = 0; i < (int)LSS_COUNT; i++)
		for (unsigned j = 0; control->lsss[i] && j < LSS_VOLUMES; j++) {
			const struct control_volume *volume = control->lsss[i]->volumes[j];

			if (!volume || (lss >= 0 && lss != i) || (pool && strcmp(volume->record.pool, pool)))
				continue;
			get_info(volume, &info);
			each(arg, &info);
		}
	return 0;
}

/* ---- all of them together ---- */

struct count {
	const struct control *control;
	struct volume_counters sums;
};

static void add_counters(struct volume_counters *sums, const struct volume_counters *counters)
{
	sums->reads += counters->reads;
	sums->writes += counters->writes;
	sums->flushes += counters->flushes;
	sums->discards += counters->discards;
	sums->read_bytes += counters->read_bytes;
	sums->written_bytes += counters->written_bytes;
	sums->collisions_sidefile += counters->collisions_sidefile;
	sums->collisions_waited += counters->collisions_waited;
	sums->held_writes += counters->held_writes;
	sums->held_reads += counters->held_reads;
	if (counters->hold_max_ns > sums->hold_max_ns)
		sums->hold_max_ns = counters->hold_max_ns;
}

/* Those of one reactor, on it: what it reads of the model does not change under the lock. */
static int count_here(void *arg)
{
	struct count *count = arg;

	for (unsigned lss = 0; lss < LSS_COUNT; lss++)
		for (unsigned i = 0; count->control->lsss[lss] && i < LSS_VOLUMES; i++) {
			const struct control_volume *volume = count->control->lsss[lss]->volumes[i];
			struct volume_counters counters;

			if (!volume || !volume->volume || volume_reactor(volume->volume) != rt_here())
				continue;
			volume_get_counters(volume->volume, &counters);
			add_counters(&count->sums, &counters);
		}
	return 0;
}

void control_volumes_count(struct control *control, struct volume_counters *sums)
{
	struct count count = { .control = control };

	for (unsigned i = 0; i < rt_reactor_count(); i++) {
		int rc = rt_call(rt_reactor(i), count_here, &count);

		assert(rc == 0);
	}
	*sums = count.sums;
}
