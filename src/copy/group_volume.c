/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/group_volume.h"

#include <errno.h>

#include "copy/session_entry.h"
#include "rt/mem.h"

struct group_volume *group_volume_find(struct copy *copy, uint8_t session, uint16_t volume)
{
	struct group_volume *item;

	list_for_each(item, &copy->group_volumes, link) {
		if (item->record.session == session && item->record.volume == volume)
			return item;
	}
	return NULL;
}

uint8_t group_of_volume(struct copy *copy, uint16_t volume, uint8_t type)
{
	const struct group_volume *item;

	list_for_each(item, &copy->group_volumes, link) {
		const struct session_entry *entry = session_entry_find(copy, item->record.session);

		if (item->record.volume == volume && entry && entry->record.type == type)
			return item->record.session;
	}
	return 0;
}

struct group_volume *group_volume_on(struct copy *copy, uint8_t session, int lss)
{
	struct group_volume *item;

	list_for_each(item, &copy->group_volumes, link) {
		if (item->record.session == session && (lss < 0 || item->record.volume >> 8 == lss))
			return item;
	}
	return NULL;
}

unsigned group_volume_count(struct copy *copy, uint8_t session)
{
	const struct group_volume *item;
	unsigned count = 0;

	list_for_each(item, &copy->group_volumes, link)
		count += item->record.session == session;
	return count;
}

static unsigned key_of(const struct record_session_volume *record)
{
	return (unsigned)record->session << 16 | record->volume;
}

int group_volume_take_up(struct copy *copy, const struct record_session_volume *record)
{
	struct group_volume *item = mem_alloc_zeroed(sizeof(*item)), *next;

	if (!item)
		return -ENOMEM;
	item->record = *record;
	list_for_each(next, &copy->group_volumes, link) {
		if (key_of(&next->record) > key_of(record))
			break;
	}
	list_add_last(&next->link, &item->link);
	return 0;
}

static void drop(struct group_volume *item)
{
	list_remove(&item->link);
	mem_free(item);
}

void group_volumes_free(struct copy *copy)
{
	while (!list_empty(&copy->group_volumes))
		drop(list_first(&copy->group_volumes, struct group_volume, link));
}

static int commit(struct copy *copy, enum meta_op op, uint8_t session, const uint16_t *volumes, unsigned count)
{
	MEM_OWNED struct record_session_volume *records = mem_alloc_zeroed(count * sizeof(*records));
	MEM_OWNED struct meta_change *changes = mem_alloc(count * sizeof(*changes));

	if (!records || !changes)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		records[i] = (struct record_session_volume){ .session = session, .volume = volumes[i] };
		changes[i] = (struct meta_change){ op, META_SESSION_VOLUME, &records[i] };
	}
	return meta_commit(copy->config.meta, changes, count);
}

static void forget(struct copy *copy, uint8_t session, const uint16_t *volumes, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct group_volume *item = group_volume_find(copy, session, volumes[i]);

		if (item)
			drop(item);
	}
}

int group_volumes_add(struct copy *copy, uint8_t session, const uint16_t *volumes, unsigned count)
{
	unsigned made = 0;
	int rc = 0;

	for (; !rc && made < count; made += !rc) {
		const struct record_session_volume record = { .session = session, .volume = volumes[made] };

		rc = group_volume_take_up(copy, &record);
	}
	if (!rc)
		rc = commit(copy, META_PUT, session, volumes, count);
	if (rc)
		forget(copy, session, volumes, made);
	return rc;
}

int group_volumes_remove(struct copy *copy, uint8_t session, const uint16_t *volumes, unsigned count)
{
	int rc = commit(copy, META_DELETE, session, volumes, count);

	if (!rc)
		forget(copy, session, volumes, count);
	return rc;
}
