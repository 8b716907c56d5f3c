#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A session with two sources and two far sides. Practice: one command, at either far side, makes one group of both, and
# removes it from both; with --at an older group that is kept. A far side that is not there is named, and keeps its
# part. Verify: given at the master it compares what both sources send.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq qemu-io

site A1 2105.FA120
site A2 2105.FA121
site B1 2105.FB230
site B2 2105.FB231
for i in 1 2; do
	path "A$i" 15 "B$i" 25
	on "A$i" volume create 1500 --pool p1 --size 4M
	on "B$i" volume create 2500 --pool p1 --size 4M
	pair "A$i" 1500 "B$i" 2500 async
	on "A$i" session open 1 --lss 15
	on "A$i" session add 1 1500
done
path A1 15 A2 15
on A1 session start 1 --master 15 --subordinate 2105.FA121:15 --keep 24h
wait_until 30 is A1 '.joined_count == 2 and .sequence > 0' session show 1

# write_both PATTERN: one after the other, and in a group then.
write_both()
{
	for name in A1 A2; do
		qemu-io -f raw -c "write -P $1 1M 64k" "$(uri $name 1500)" >"$tmp/io" 2>&1 || fail "$(cat "$tmp/io")"
	done
	wait_until 20 in_group
}
in_group()
{
	for name in A1 A2; do
		is $name '.out_of_sync_blocks == 0' session show 1 || return
	done
	for name in B1 B2; do
		is $name '.unapplied_bytes == 0' session show 1 || return
	done
}
# both_read PATTERN
both_read()
{
	for name in B1 B2; do
		qemu-io -r -f raw -c "read -P $1 1M 64k" "$(uri $name practice-1-2500)" >"$tmp/io" 2>&1 &&
			! grep -q failed "$tmp/io" || fail "the copy on $name: $(cat "$tmp/io")"
	done
}
# expect_copies SEQUENCE: of both far sides; null: there is none.
expect_copies()
{
	for name in B1 B2; do
		expect_equal "$1" "$(json $name .practice.sequence session show 1)" "the practice copy on $name"
	done
}

write_both 1
moment=$(json B1 '.[0].cg_at' session points 1)
old=$(json B1 '.[0].sequence' session points 1)
write_both 2

on B2 session practice 1
sequence=$(json B2 .practice.sequence session show 1)
[ "$sequence" -gt "$old" ] || fail "the copy shows CG $sequence, not a newer one than $old"
expect_copies "$sequence"
write_both 3
both_read 2

# ---- of an older group, in its place ----
expect_refused 'cannot be shown' B1 session practice 1 --at 999999
expect_copies "$sequence"
expect_equal "$old" "$(json B1 .practice.sequence session practice 1 --at "$moment")" 'the group by time'
expect_copies "$old"
both_read 1
on B1 session practice 1 --at "$sequence"
both_read 2

# ---- a far side is not there ----
system_kill B2
expect_refused 'far side 2105.FB231 is not reached' B1 session unpractice 1
expect_equal null "$(json B1 .practice session show 1)" 'the part of the far side that is there'
system_restart B2
wait_until 20 is B2 ".practice.sequence == $sequence" session show 1
on B1 session unpractice 1
expect_copies null
for name in B1 B2; do
	expect_equal 2500 "$(json $name 'map(.volume) | join(" ")' volume list)" "the volumes of $name"
done
on B1 session practice 1
both_read 3
on B2 session unpractice 1
expect_refused 'has no practice copy' B1 session unpractice 1

# ---- both are compared ----
wait_until 20 quiet A1 1500
wait_until 20 quiet A2 1500
size=$(json A1 .total_bytes session verify 1 --wait)
expect_equal 8388608 "$size" 'what is compared of both sources'
expect_equal 4194304 "$(json A2 .total_bytes session verify 1 --wait)" 'what is compared by one that is not the master'
printf x | dd of="$(image B2 2500)" bs=1M seek=3 conv=notrunc status=none
expect_refused 'system 2105.FA121: 1 blocks of volume 1500 differ' A1 session verify 1 --wait
expect_equal 1 "$(json A2 .verify.differing_blocks pair show 1500)" 'what was found at the other source'
on A1 session verify 1 --repair --wait
system_kill A2
expect_refused '2105.FA121' A1 session verify 1 --wait
system_restart A2
system_stop A1 A2 B1 B2
