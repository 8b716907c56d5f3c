#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Both sides of pairs are compared: differences that somebody made in the files behind the back of the systems are
# found, also in a last block that is short, and in a session while hosts write; repaired on request; a verify is
# seen as a job, goes on over the restart of the far side, and can be cancelled.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq qemu-io nbdcopy

site A1 2105.FA120
site B1 2105.FB230
path A1 15 B1 25
wait_until 20 connected A1

# plant FILE OFFSET BYTES: changes them where they are.
plant()
{
	head -c "$3" /dev/urandom | dd of="$1" bs=1M seek="$2" oflag=seek_bytes conv=notrunc status=none
}

# found VOLUME: what the last verify says of it.
found()
{
	json A1 '.verify | [.state, .differing_blocks, .repaired_blocks, .open_blocks] | tojson' pair show "$1"
}

# ---- files of a size that ends within a block ----
for name in A1 B1; do
	on "$name" pool create devices --device --cache direct
done
size=$((16 * 1048576 + 1536))
for name in A1 B1; do
	truncate -s $size "$tmp/disk.$name"
done
plant "$tmp/disk.A1" 1M $((4 << 20))
on A1 volume create 1502 --pool devices --adopt "$tmp/disk.A1"
on B1 volume create 2502 --pool devices --adopt "$tmp/disk.B1"
pair A1 1502 B1 2502 global-copy
wait_until 60 quiet A1 1502
expect_equal null "$(json A1 .verify pair show 1502)" 'before the first verify'
on A1 pair verify 1502 --wait
expect_equal '["done",0,0,0]' "$(found 1502)" 'both are the same'

plant "$tmp/disk.B1" $((size - 7)) 7
plant "$tmp/disk.B1" 2M 8192
plant "$tmp/disk.A1" 9M 1
printf '\0' | dd of="$tmp/disk.B1" bs=1 seek=$((12 << 20)) conv=notrunc status=none
expect_refused '4 blocks of volume 1502 differ at its far side, the first at byte 2097152' A1 pair verify 1502 --wait
expect_equal '["done",4,0,0]' "$(found 1502)" 'what was planted'
expect_equal '[[2097152,8192],[9437184,4096],[16777216,1536]]' \
	"$(json A1 '[.verify.ranges[] | [.offset, .length_bytes]] | tojson' pair show 1502)" 'ranges'
on A1 pair verify 1502 --repair --wait
expect_equal '["done",4,4,0]' "$(found 1502)" 'repaired'
wait_until 60 quiet A1 1502
expect_same "$tmp/disk.A1" "$tmp/disk.B1" 'adopted files after the repair'

system_stop A1
system_restart A1
wait_until 20 quiet A1 1502
expect_equal '["done",4,4,0]' "$(found 1502)" 'after a restart'
expect_equal 2097152 "$(json A1 '.verify.ranges[0].offset' pair show 1502)" 'the first range after a restart'

# ---- refused ----
expect_refused 'on 2105.FA120: xdc pair verify 1502' B1 pair verify 2502
expect_refused 'volume 1509: there is no such volume' A1 pair verify 1509
on A1 pair suspend 1502
expect_refused 'suspended.*has not been sent' A1 pair verify 1502
on A1 pair resume 1502

# ---- a session, under load ----
for i in 0 1; do
	on A1 volume create 150$i --pool p1 --size 256M
	on B1 volume create 250$i --pool p1 --size 256M
	pair A1 150$i B1 250$i async
done
on A1 session open 1 --lss 15
on A1 session add 1 1500 1501
on A1 session start 1 --master 15
wait_until 20 is A1 '.joined_count == 2' session show 1
start_writer "$(uri A1 1500)" "$(uri A1 1501)"
more_groups 3
# Where no host writes: build/ordered has its blocks at the beginning.
plant "$(image B1 2500)" 200M 4096
plant "$(image B1 2501)" $(((256 << 20) - 1)) 1
plant "$(image A1 1501)" 128M 65536
expect_refused '1 blocks of volume 1500 differ' A1 session verify 1 --wait
expect_equal '["done",1,0,0]' "$(found 1500)" 'volume 1500 under load'
expect_equal '["done",17,0,0]' "$(found 1501)" 'volume 1501 under load'
on A1 session verify 1 --repair --wait
expect_equal '["done",1,1,0]' "$(found 1500)" 'volume 1500, repaired'
expect_equal '["done",17,17,0]' "$(found 1501)" 'volume 1501, repaired'

# ---- the far side goes in the middle, and comes back; a job that is cancelled ----
job=$(json A1 .job session verify 1 --rate 64M)
wait_until 20 is A1 '.done_bytes > 0' job show "$job"
expect_refused 'verify of it runs already|being compared' A1 session verify 1
system_kill B1
system_restart B1
on A1 job show "$job" --wait
expect_equal '["done",0,0,0]' "$(found 1500)" 'volume 1500 over a restart of the far side'
job=$(json A1 .job pair verify 1500 --rate 1M)
wait_until 20 is A1 '.done_bytes > 0' job show "$job"
on A1 job cancel "$job"
wait_until 20 is A1 '.state == "terminated"' job show "$job"
expect_equal stopped "$(json A1 .verify.state pair show 1500)" 'a verify that was cancelled'

stop_writer
wait_until 20 quiet A1 1500 1501
wait_until 20 is B1 '.unapplied_bytes == 0' session show 1
on A1 session verify 1 --wait
system_stop A1
system_stop B1
for i in 0 1; do
	expect_equal_images A1 150$i B1 250$i
done
