#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Practice with ext4 on top: while hosts write at the source, a copy of the last group at the far side is mounted and
# written; the groups go on, the targets and the recovery afterwards know nothing of it. It outlives a kill of the far
# side, is replaced by the next one and goes with its volumes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq qemu-io nbdfuse losetup mkfs.ext4 e2fsck fusermount3 sha256sum
requires_root 'loop devices'
[ -e /dev/fuse ] || skip 'needs /dev/fuse'

site A1 2105.FA120
site B1 2105.FB230
path A1 15 B1 25
for i in 0 1; do
	on A1 volume create "150$i" --pool p1 --size 32M
	on B1 volume create "250$i" --pool p1 --size 32M
	pair A1 "150$i" B1 "250$i" async
done
on A1 session open 1 --lss 15
on A1 session add 1 1500 1501
expect_refused 'not a far side of it' B1 session practice 1
on A1 session start 1 --master 15
wait_until 30 is A1 '.joined_count == 2 and .sequence > 0' session show 1

loop= fuse=
# attach SYSTEM VOLUME [new]: mounted at $tmp/mnt, after a look at its file system, which may only need its journal.
attach()
{
	local rc=0
	mkdir -p "$tmp/fuse" "$tmp/mnt"
	nbdfuse "$tmp/fuse/disk" "$(uri "$1" "$2")" 2>>"$tmp/nbdfuse.err" &
	fuse=$!
	wait_until 20 test -e "$tmp/fuse/disk"
	loop=$(losetup --find --show "$tmp/fuse/disk")
	[ "${3-}" != new ] || mkfs.ext4 -q -F "$loop"
	e2fsck -p "$loop" >"$tmp/e2fsck" 2>&1 || rc=$?
	[ "$rc" -le 1 ] || fail "volume $2: $(cat "$tmp/e2fsck")"
	mount "$loop" "$tmp/mnt"
}
detach()
{
	[ -n "$fuse" ] || return 0
	mountpoint -q "$tmp/mnt" && umount "$tmp/mnt"
	losetup -d "$loop"
	fusermount3 -u -z "$tmp/fuse"
	wait "$fuse" || true
	fuse=
}
at_end detach

# write SYSTEM VOLUME PATTERN
write()
{
	qemu-io -f raw -c "write -P $3 1M 64k" "$(uri "$1" "$2")" >"$tmp/io" 2>&1 || fail "$(cat "$tmp/io")"
}
reads()
{
	qemu-io -r -f raw -c "read -P $3 1M 64k" "$(uri "$1" "$2")" >"$tmp/io" 2>&1 && ! grep -q failed "$tmp/io"
}
in_group()
{
	is A1 '.out_of_sync_blocks == 0' session show 1 && is B1 '.unapplied_bytes == 0' session show 1
}

attach A1 1500 new
for i in $(seq 20); do
	head -c $((i * 3001)) /dev/urandom >"$tmp/mnt/before$i"
done
(cd "$tmp/mnt" && sha256sum before*) >"$tmp/sums"
detach
write A1 1501 1
wait_until 20 in_group

# ---- made, mounted, written, while groups go on ----
on B1 session practice 1
expect_equal usable "$(json B1 .practice.state session show 1)" 'the practice copy'
expect_equal 25FF "$(json B1 .volume volume show practice-1-2500)" 'the volume of the practice copy'
sequence=$(json B1 .practice.sequence session show 1)
write A1 1501 2
wait_until 20 in_group
[ "$(json B1 .sequence session show 1)" -gt "$sequence" ] || fail 'groups do not go on'
attach B1 practice-1-2500
(cd "$tmp/mnt" && sha256sum --quiet -c "$tmp/sums") || fail 'the copy has not what the group had'
rm "$tmp"/mnt/before1?
echo own >"$tmp/mnt/own"
expect_refused 'host' B1 session practice 1
expect_refused 'host' B1 session unpractice 1
expect_equal "$sequence" "$(json B1 .practice.sequence session show 1)" 'the copy after refusals'
detach
reads B1 practice-1-2501 1 || fail 'the copy has what came after its group'
write B1 practice-1-2501 7
no_hosts B1
expect_refused 'xdc session unpractice 1' B1 flash delete practice-1-2500 --force
expect_refused 'xdc session unpractice 1' B1 volume delete practice-1-2500

# ---- the far side is killed ----
system_kill B1
system_restart B1
expect_equal usable "$(json B1 .practice.state session show 1)" 'the copy after a kill'
expect_equal "$sequence" "$(json B1 .practice.sequence session show 1)" 'its group after a kill'
reads B1 practice-1-2501 7 || fail 'what was written to the copy is lost'
attach B1 practice-1-2500
[ "$(cat "$tmp/mnt/own")" = own ] || fail 'a file of the copy is lost'
detach

# ---- replaced, and removed ----
write A1 1501 3
wait_until 20 in_group
no_hosts B1
on B1 session practice 1
reads B1 practice-1-2501 3 || fail 'the next copy does not show the next group'
write B1 practice-1-2501 9
no_hosts B1
on B1 session unpractice 1
expect_equal null "$(json B1 .practice session show 1)" 'the practice copy'
expect_refused 'has no practice copy' B1 session unpractice 1
expect_equal '2500 2501' "$(json B1 'map(.volume) | join(" ")' volume list)" 'the volumes of the far side'
expect_equal 0 "$(json B1 length flash list)" 'the FlashCopies'

# ---- and the real thing ----
on B1 session practice 1
write B1 practice-1-2501 11
write A1 1501 5
wait_until 20 in_group
system_kill A1
on B1 session recover 1
reads B1 2501 5 || fail 'recovery does not show the last group'
reads B1 practice-1-2501 11 || fail 'recovery changed the practice copy'
attach B1 2500
(cd "$tmp/mnt" && sha256sum --quiet -c "$tmp/sums") || fail 'the target has what was done to the copy'
detach
expect_refused 'was recovered here' B1 session practice 1
no_hosts B1
on B1 session unpractice 1
system_stop B1
