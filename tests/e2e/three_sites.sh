#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Three sites: a volume with a synchronous pair near and one in a session far away. Both follow, each by itself;
# commands say which is meant; the far sides, and the source, go and come back; growth; a failover at the near side and
# the way home.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq qemu-io

site A1 2105.FA120
site B 2105.FB230
site C 2105.FC340
for volume in A1:1500 A1:1501 B:2500 B:2501 C:3500 C:3501; do
	on "${volume%:*}" volume create "${volume#*:}" --pool p1 --size 64M
done
path A1 15 B 25
path A1 15 C 35
path B 25 A1 15
near=2105.FB230
far=2105.FC340

# io NAME VOLUME COMMAND: qemu-io on a volume.
io()
{
	qemu-io -f raw -t none -c "$3" "$(uri "$1" "$2")" >"$tmp/io" 2>&1 || fail "$(cat "$tmp/io")"
	! grep -qi 'failed' "$tmp/io" || fail "$(cat "$tmp/io")"
}
full_duplex()
{
	is A1 '.state == "full-duplex" and .reason == null' pair show 1500 --to $near
}
# far_has_all: what hosts have written is in the far volume; nobody writes.
far_has_all()
{
	cmp -s "$(image A1 1500)" "$(image C 3500)"
}

# ---- two pairs of one volume: both copy it, and follow ----
io A1 1500 'write -P 0x21 16M 8M'
pair A1 1500 B 2500 sync
pair A1 1500 C 3500 async
wait_until 30 full_duplex
wait_until 30 is A1 .first_copy_done pair show 1500 --to $far
expect_refused 'has no standby' A1 standby take-over 1500
expect_equal "2500 sync, 3500 async" \
	"$(json A1 '[.pairs[] | "\(.remote_volume) \(.type)"] | join(", ")' volume show 1500)" 'its pairs'
expect_refused '2 pairs: with 2500 of 2105.FB230, 3500 of 2105.FC340.*' A1 pair show 1500
expect_refused 'to SYSTEM' A1 pair suspend 1500
expect_refused 'no pair with system 2105.FD450' A1 pair show 1500 --to 2105.FD450
expect_refused 'paired with volume 2500' A1 pair create 1500 2501 --system $near --type global-copy
expect_refused 'async already' A1 pair create 1500 4500 --system 2105.FD450 --type async
expect_refused 'can have no more' A1 pair create 1500 4500 --system 2105.FD450 --type sync
on A1 set create s --kind consistency
expect_refused 'more than one pair' A1 set add s 1500
io A1 1500 'write -P 0x22 24M 1M'
expect_equal_images A1 1500 B 2500
wait_until 30 far_has_all

# ---- one is suspended, and the other goes on ----
on A1 pair suspend 1500 --to $near
io A1 1500 'write -P 0x23 20M 1M'
wait_until 30 far_has_all
is A1 '.remedy | test("pair resume 1500 --to 2105.FB230")' pair show 1500 --to $near || fail 'the remedy names no pair'
on A1 pair resume 1500 --to $near
wait_until 30 full_duplex
expect_equal_images A1 1500 B 2500

# ---- in a session by the async one ----
on A1 session open 1 --lss 15
on A1 session add 1 1500
on A1 session start 1 --master 15
wait_until 30 is A1 '.sequence > 0 and .joined_count == 1' session show 1
expect_refused 'has another pair' A1 session swap 1
on A1 volume grow 1500 --size 96M
expect_equal '100663296 100663296' \
	"$(json B .size_bytes volume show 2500) $(json C .size_bytes volume show 3500)" 'the sizes of both targets'

# ---- each far side goes, and the other one follows; the source dies ----
start_writer "$(uri A1 1500)"
more_groups 2
system_kill C
wait_until 30 is A1 '.reason == "link"' pair show 1500 --to $far
wait_until 30 has_answers "$(($(wc -l <"$tmp/ordered.log") + 100))"
full_duplex || fail "$(on A1 pair show 1500 --to $near)"
system_restart C
more_groups 2
system_kill B
more_groups 2
system_restart B
wait_until 30 full_duplex
stop_writer
system_kill A1
system_restart A1
wait_until 30 full_duplex
wait_until 30 far_has_all
expect_equal_images A1 1500 B 2500

# ---- a cascade: the near target is the source of the far one ----
path B 25 C 35
pair A1 1501 B 2501 sync
wait_until 30 is A1 '.state == "full-duplex"' pair show 1501
pair B 2501 C 3501 async
on B session open 2 --lss 25
on B session add 2 2501
on B session start 2 --master 25
wait_until 30 is B '.sequence > 0 and .joined_count == 1' session show 2
cascade_has_all()
{
	cmp -s "$(image A1 1501)" "$(image B 2501)" && cmp -s "$(image A1 1501)" "$(image C 3501)"
}
io A1 1501 'write -P 0x31 0 1M'
wait_until 30 cascade_has_all
expect_refused 'that pair is async' C pair create 3501 4501 --system 2105.FD450 --type sync
on A1 volume grow 1501 --size 80M
expect_equal '83886080 83886080' \
	"$(json B .size_bytes volume show 2501) $(json C .size_bytes volume show 3501)" 'the sizes along the cascade'
# While the near side is being copied no group is formed of what it holds.
on A1 pair suspend 1501
io A1 1501 'write -P 0x32 40M 1M'
on A1 pair resume 1501
wait_until 30 cascade_has_all
# The near side starts anew, and does not know what its source has answered until that says so.
system_kill A1
system_kill B
system_restart B
wait_until 30 is B 'any(.problems[]; .kind == "target-behind" and .volume == "2501")' session show 2
system_restart A1
wait_until 30 is B '.problems == []' session show 2
io A1 1501 'write -P 0x33 50M 1M'
wait_until 30 cascade_has_all

# ---- production moves to the near side, the old source goes on to the far one, and all is brought home ----
system_kill A1
on B pair failover 2500
io B 2500 'write -P 0x24 30M 1M'
system_restart A1
wait_until 30 is A1 '.reason == "history"' pair show 1500 --to $near
on B pair failback 2500
wait_until 30 is B '.out_of_sync_blocks == 0 and .state == "full-duplex"' pair show 2500
expect_equal_images A1 1500 B 2500
wait_until 30 far_has_all
on A1 pair failover 1500 --to $near
on A1 pair failback 1500 --to $near
wait_until 30 full_duplex
io A1 1500 'write -P 0x25 31M 1M'
expect_equal_images A1 1500 B 2500
wait_until 30 far_has_all

# ---- the near side of the cascade is lost for good, and the source serves the far one ----
expect_refused 'has no standby' A1 standby show 1501
expect_refused 'has no standby' A1 standby take-over 1500
expect_refused 'does not send to volume 3500' A1 standby create 1501 3500 --system $far
on A1 standby create 1501 3501 --system $far
expect_refused 'can have no other target' A1 pair create 1501 4501 --system 2105.FD450 --type global-copy
expect_refused 'rests on it' A1 pair delete 1501
nothing_lacks()
{
	is A1 '.state == "standing-by" and .out_of_sync_blocks == 0 and .waiting_for == null' standby show 1501
}
on A1 volume grow 1501 --size 96M
io A1 1501 'write -P 0x34 90M 1M'
wait_until 30 nothing_lacks
expect_refused 'is there, and serves' A1 standby take-over 1501
# What C cannot give is refused before B loses it: C has grown, and B could not.
on B volume create 2509 --pool p1 --size 96M
on B flash create 2501 2509 --no-copy
expect_refused 'volume 2501' A1 volume grow 1501 --size 112M
expect_equal 117440512 "$(json C .size_bytes volume show 3501)" 'the size of volume 3501 of C'
expect_refused 'has 117440512 bytes, the source 100663296' A1 standby take-over 1501 --force
on B flash delete 2509 --force
on A1 volume grow 1501 --size 112M
io A1 1501 'write -P 0x38 91M 64k'
wait_until 30 cascade_has_all
is B '.problems == [] and .joined_count == 1' session show 2 || fail "$(on B session show 2)"
wait_until 30 nothing_lacks
system_pause C
io A1 1501 'write -P 0x35 8M 2M'
is A1 '.state == "standing-by" and .out_of_sync_blocks == 512' standby show 1501 || fail "$(on A1 standby show 1501)"
system_kill B
system_continue C
io A1 1501 'write -P 0x36 20M 64k'
# What C showed last is kept, until it shows a moment again.
on C session recover 2 >/dev/null
on C volume create 3509 --pool p1 --size 112M
on C flash create 3501 3509 --no-copy
# What is noted is in the dirty log, by its regions; what differs in these is found out.
system_kill A1
system_restart A1
is A1 '.known and .out_of_sync_blocks >= 528' standby show 1501 || fail "$(on A1 standby show 1501)"
on A1 standby take-over 1501 --force --json >"$tmp/taken"
jq -e '.[0].type == "async" and .[0].remote_volume == "3501"' "$tmp/taken" >/dev/null || fail "$(cat "$tmp/taken")"
on A1 standby take-over 1501
wait_until 30 is A1 '.first_copy_done' pair show 1501 --to $far
far_has_both()
{
	cmp -s "$(image A1 1500)" "$(image C 3500)" && cmp -s "$(image A1 1501)" "$(image C 3501)"
}
wait_until 30 far_has_both
sent=$(json A1 .sent_bytes pair show 1501 --to $far)
[ "$sent" -ge $((2112 << 10)) ] && [ "$sent" -le $((3 << 20)) ] || fail "$sent bytes were sent, 2112 KiB were lacking"
expect_equal '[]' "$(json A1 . standby list)" 'standbys'
io C 3509 'read -P 0x34 90M 1M'
io C 3509 'read -P 0 20M 64k'
on C flash delete 3509 --force
on A1 session add 1 1501
wait_until 30 is A1 '.joined_count == 2 and (.volumes | length) == 2' session show 1
io A1 1501 'write -P 0x37 21M 64k'
wait_until 30 far_has_both

# ---- both near sites are lost, and the far one shows what was answered ----
cp "$(image A1 1501)" "$tmp/answered"
system_kill A1
on C session recover 1
expect_same "$tmp/answered" "$(image C 3501)" 'what was answered and volume 3501 of C'
