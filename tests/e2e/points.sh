#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Groups are kept: after a mistake at the source has reached the far side, the volumes go back to the group before it,
# by time; the way home moves what later groups had changed too. A moment that is not kept is refused with the range
# that is.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq qemu-io

site A1 2105.FA120
site B1 2105.FB230
path A1 15 B1 25
path B1 25 A1 15
on A1 volume create 1500 --pool p1 --size 4M
on B1 volume create 2500 --pool p1 --size 4M
pair A1 1500 B1 2500 async
on A1 session open 1 --lss 15
on A1 session add 1 1500
on A1 session start 1 --master 15 --keep 24h --keep-size 1G
wait_until 30 is A1 '.joined_count == 1 and .sequence > 0' session show 1
expect_equal 86400000 "$(json A1 .keep_ms session show 1)" 'for so long groups are kept'

# write SYSTEM VOLUME PATTERN OFFSET
write()
{
	qemu-io -f raw -c "write -P $3 $4 64k" "$(uri "$1" "$2")" >"$tmp/io" 2>&1 || fail "$(cat "$tmp/io")"
}
# reads SYSTEM VOLUME PATTERN OFFSET
reads()
{
	qemu-io -r -f raw -c "read -P $3 $4 64k" "$(uri "$1" "$2")" >"$tmp/io" 2>&1 && ! grep -q failed "$tmp/io"
}
# All that was written is in a group, and that in the volumes of the far side.
in_group()
{
	is A1 '.out_of_sync_blocks == 0' session show 1 && is B1 '.unapplied_bytes == 0' session show 1
}
write A1 1500 1 0
write A1 1500 2 1M
wait_until 20 in_group
good=$(json B1 '.[0].sequence' session points 1)
moment=$(json B1 '.[0].cg_at' session points 1)
write A1 1500 3 0
write A1 1500 4 2M
wait_until 20 in_group

on B1 session points 1 >"$tmp/shown"
grep -q "$good" "$tmp/shown" || fail "$(cat "$tmp/shown")"
[ "$(json B1 "map(select(.sequence == $good))[0].back_bytes" session points 1)" -ge 131072 ] ||
	fail 'going back takes less than was written since'
expect_refused 'the oldest that may be is CG' B1 session recover 1 --at 2020-01-01T00:00:00Z
expect_refused 'cannot be shown' B1 session recover 1 --at 999999
system_kill A1
expect_equal "$good" "$(json B1 .sequence session recover 1 --at "$moment")" 'the group that was recovered'
reads B1 2500 1 0 || fail 'the block that was overwritten is not as it was'
reads B1 2500 2 1M || fail 'a block that was not overwritten has changed'
reads B1 2500 0 2M || fail 'a block that was new is still there'
expect_equal "$good" "$(json B1 '.history[0].sequence' pair show 2500)" 'the group in the history'
expect_refused "has decided for CG $good" B1 session recover 1 --at 1
system_kill B1
system_restart B1
expect_equal "$good" "$(json B1 .sequence session recover 1)" 'the group, when the command is repeated'

system_restart A1
on B1 session failback 1
wait_until 30 quiet B1 2500
on B1 session return 1
reads A1 1500 1 0 || fail 'the old site did not go back'
reads A1 1500 0 2M || fail 'the old site has a block that never was'
expect_equal_images A1 1500 B1 2500
system_stop A1 B1
