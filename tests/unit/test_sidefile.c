/* SPDX-License-Identifier: Apache-2.0 */
/* The sidefile: what is entered is found until it is dropped or cleared, and never more memory than the limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/vdisk.h"
#include "volume/sidefile.h"

static void keep(struct sidefile *sidefile, uint64_t first, uint32_t count)
{
	struct sidefile_room *room = sidefile_reserve(sidefile, count);

	assert_non_null(room);
	for (uint32_t i = 0; i < count; i++) {
		memset(room->data + i * XDC_BLOCK_SIZE, (int)((first + i) % 251), XDC_BLOCK_SIZE);
		sidefile_enter(sidefile, room, i, first + i);
	}
	sidefile_leave(sidefile, room);
}

static void check_kept(const struct sidefile *sidefile, uint64_t block)
{
	const uint8_t *data = sidefile_find(sidefile, block);

	assert_non_null(data);
	for (unsigned i = 0; i < XDC_BLOCK_SIZE; i++)
		assert_int_equal(data[i], block % 251);
}

/* Rooms of several blocks, far apart and near, through several growths of the table. */
static void what_is_kept_is_found(void **state)
{
	struct sidefile sidefile;

	(void)state;
	sidefile_init(&sidefile, 64u << 20);
	assert_null(sidefile_find(&sidefile, 0));
	for (uint32_t i = 0; i < 500; i++)
		keep(&sidefile, UINT64_C(1000003) * i, 1 + i % 7);
	for (uint32_t i = 0; i < 500; i++) {
		check_kept(&sidefile, UINT64_C(1000003) * i + i % 7);
		assert_null(sidefile_find(&sidefile, UINT64_C(1000003) * i + i % 7 + 1));
	}
	for (uint32_t i = 0; i < 500; i += 2)
		sidefile_drop(&sidefile, UINT64_C(1000003) * i);
	for (uint32_t i = 0; i < 500; i++) {
		if (i % 2 == 0)
			assert_null(sidefile_find(&sidefile, UINT64_C(1000003) * i));
		else
			check_kept(&sidefile, UINT64_C(1000003) * i);
	}
	sidefile_destroy(&sidefile);
}

/* All blocks of a write or none; the room comes back with the last of them. */
static void never_above_the_limit(void **state)
{
	struct sidefile sidefile;
	struct sidefile_room *room;

	(void)state;
	sidefile_init(&sidefile, 10 * XDC_BLOCK_SIZE);
	keep(&sidefile, 100, 4);
	keep(&sidefile, 200, 4);
	assert_null(sidefile_reserve(&sidefile, 3));
	room = sidefile_reserve(&sidefile, 2);
	assert_non_null(room);
	assert_null(sidefile_reserve(&sidefile, 1));
	sidefile_leave(&sidefile, room);	/* nothing collided any more */
	for (uint64_t block = 100; block < 104; block++) {
		assert_null(sidefile_reserve(&sidefile, 6));
		sidefile_drop(&sidefile, block);
	}
	keep(&sidefile, 300, 6);
	assert_int_equal(sidefile.used_bytes, 10 * XDC_BLOCK_SIZE);
	sidefile_destroy(&sidefile);
}

/* Clearing while a write fills its room: the room is not touched, and may be used for the next increment. */
static void clearing_spares_rooms_being_filled(void **state)
{
	struct sidefile sidefile;
	struct sidefile_room *room;

	(void)state;
	sidefile_init(&sidefile, 300 * XDC_BLOCK_SIZE);
	for (uint32_t i = 0; i < 200; i++)
		keep(&sidefile, i, 1);
	room = sidefile_reserve(&sidefile, 2);
	assert_non_null(room);
	sidefile_clear(&sidefile);
	assert_null(sidefile_find(&sidefile, 7));
	memset(room->data, 7, XDC_BLOCK_SIZE);
	sidefile_enter(&sidefile, room, 0, 7);
	sidefile_leave(&sidefile, room);
	check_kept(&sidefile, 7);
	while (sidefile.used_bytes > 2 * XDC_BLOCK_SIZE)
		sidefile_free_dropped(&sidefile);
	check_kept(&sidefile, 7);

	/* Dropped memory is freed for those who need it. */
	for (uint32_t i = 100; i < 398; i++)
		keep(&sidefile, i, 1);
	sidefile_clear(&sidefile);
	keep(&sidefile, 0, 300);
	check_kept(&sidefile, 299);
	sidefile_destroy(&sidefile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_kept_is_found),
		cmocka_unit_test(never_above_the_limit),
		cmocka_unit_test(clearing_spares_rooms_being_filled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
