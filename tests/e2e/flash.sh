#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# FlashCopy with ext4 on top: the copy of a mounted file system has what was synced before it was taken, whatever the
# source and the copy are written afterwards, and also after the server was killed; commands on the way.
. "$(dirname "$0")/lib.sh"
requires nbdfuse losetup mkfs.ext4 e2fsck fusermount3 sha256sum jq qemu-io
requires_root 'loop devices'
[ -e /dev/fuse ] || skip 'needs /dev/fuse'

system_start A --id 2105.FA120 --nbd "unix:$tmp/nbd"
on A pool create p1 --dir "$tmp/pool1"
on A pool create p2 --dir "$tmp/pool2" --cache direct
on A volume create 1500 --pool p1 --size 64M
on A volume create 1501 --pool p1 --size 64M
on A volume create 1600 --pool p2 --size 64M --name copy
on A volume create 1601 --pool p1 --size 64M
on A volume create 1602 --pool p1 --size 32M

declare -A loops=() fuses=()

# attach VOLUME: mounted at $tmp/VOLUME, after a look at its file system, which may only need its journal.
attach()
{
	local rc=0
	mkdir -p "$tmp/fuse-$1" "$tmp/$1"
	nbdfuse "$tmp/fuse-$1/disk" "nbd+unix:///$1?socket=$tmp/nbd" 2>>"$tmp/nbdfuse.err" &
	fuses[$1]=$!
	wait_until 20 test -e "$tmp/fuse-$1/disk"
	loops[$1]=$(losetup --find --show "$tmp/fuse-$1/disk")
	[ "${2-}" != new ] || mkfs.ext4 -q -F "${loops[$1]}"
	e2fsck -p "${loops[$1]}" >"$tmp/e2fsck" 2>&1 || rc=$?
	[ "$rc" -le 1 ] || fail "volume $1: $(cat "$tmp/e2fsck")"
	mount "${loops[$1]}" "$tmp/$1"
}

detach()
{
	local volume
	for volume; do
		[ -n "${fuses[$volume]-}" ] || continue
		mountpoint -q "$tmp/$volume" && umount "$tmp/$volume"
		losetup -d "${loops[$volume]}"
		fusermount3 -u -z "$tmp/fuse-$volume"
		wait "${fuses[$volume]}" || true
		unset "fuses[$volume]"
	done
}
at_end detach 1500 1600

# write_files VOLUME WORD: thirty files, other ones for each word
write_files()
{
	local i
	for i in $(seq 30); do
		{ echo "$2 $i"; head -c $((i * 1997)) /dev/urandom; } >"$tmp/$1/$2$i"
	done
}

attach 1500 new
write_files 1500 before
(cd "$tmp/1500" && sha256sum before*) >"$tmp/sums"
sync -f "$tmp/1500"

# ---- taken while it is mounted, then both are written ----
expect_refused 'volume 1602: it has 33554432 bytes, and the source 67108864' A flash create 1500 1602 --no-copy
expect_equal 'active 1500 1600 false' "$(json A '"\(.state) \(.source) \(.target) \(.copy)"' \
	flash create 1500 copy --no-copy)" 'the FlashCopy'
write_files 1500 after
rm "$tmp"/1500/before*
sync -f "$tmp/1500"
attach 1600
(cd "$tmp/1600" && sha256sum --quiet -c "$tmp/sums") || fail 'the copy has not what the source had'
! ls "$tmp"/1600/after* 2>/dev/null || fail 'the copy has what came later'
write_files 1600 own
rm "$tmp"/1600/before1?
(cd "$tmp/1600" && sha256sum ./*[0-9]) >"$tmp/own-sums"
(cd "$tmp/1500" && sha256sum ./*[0-9]) >"$tmp/source-sums"
detach 1500 1600

# ---- the server is killed ----
system_kill A
system_restart A
attach 1500
attach 1600
(cd "$tmp/1600" && sha256sum --quiet -c "$tmp/own-sums") || fail 'the copy is another after the server was killed'
(cd "$tmp/1500" && sha256sum --quiet -c "$tmp/source-sums") || fail 'the source is another after the server was killed'

# ---- what stands in the way, and the end ----
expect_refused 'host connection' A flash delete copy --force
detach 1500 1600
no_hosts A
expect_refused 'volume 1600: it is the target of volume 1500 already' A flash create 1501 1600
expect_refused 'volume 1500: the source is a copy of it|volume 1500' A flash create 1600 1500
expect_refused 'volume 1500: it is the source of the FlashCopy' A volume delete 1500
expect_refused 'volume 1600: it is the target of the FlashCopy' A volume grow 1600 --size 128M
expect_refused 'xdc flash delete 1600 --force' A flash delete copy
on A flash delete copy --force
expect_equal '[]' "$(json A . flash list)" 'the list'
qemu-io -f raw -r -c 'read -P 0 0 64M' "nbd+unix:///1600?socket=$tmp/nbd" | grep -q '^read 67108864' ||
	fail 'a target that was not whole is not empty'
no_hosts A

# ---- many at one moment, copied in the background, which ends by itself; and one that stays ----
qemu-io -f raw -c 'write -P 7 1M 1M' "nbd+unix:///1501?socket=$tmp/nbd" >/dev/null
expect_equal '1600 1601' "$(json A '[.[].target] | join(" ")' flash group 1500:1600 1501:1601)" 'the group'
wait_until 30 is A 'length == 0' flash list
qemu-io -f raw -c 'write -P 8 1M 1M' "nbd+unix:///1501?socket=$tmp/nbd" >/dev/null
qemu-io -f raw -r -c 'read -P 7 1M 1M' "nbd+unix:///1601?socket=$tmp/nbd" | grep -q '^read 1048576' ||
	fail 'the copy is not what its source was'
no_hosts A
on A flash create 1501 1601 --persistent --inhibit-target-writes --priority urgent
wait_until 30 is A '.own_bytes == .size_bytes' flash show 1601
of_1601='map(select(.object == "volume 1501 to 1601")) | last | "\(.kind) \(.state) \(.percent)"'
wait_until 30 is A "($of_1601) == \"flash-copy completed 100\"" job list
expect_equal 'urgent same null' "$(json A .priority flash show 1601) $(json A '"\(.priority) \(.job)"' \
	flash set 1601 --priority same)" 'the priority'
expect_exit 2 'either all is copied, or nothing in the background' on A flash set 1601 --copy --no-copy
expect_equal false "$(json A .copy flash set 1601 --no-copy)" 'a copy that was stopped'
expect_equal read "$(json A .access volume show 1601)" 'access of the target'
on A flash delete 1601
expect_equal write "$(json A .access volume show 1601)" 'access of what was the target'
qemu-io -f raw -r -c 'read -P 8 1M 1M' "nbd+unix:///1601?socket=$tmp/nbd" | grep -q '^read 1048576' ||
	fail 'a target that was whole has lost its data'
no_hosts A

# ---- recorded: again as it is now, only what changed; taken back; and the source restored ----
fill()
{
	qemu-io -f raw -c "write -P $2 $3 64k" "nbd+unix:///$1?socket=$tmp/nbd" >/dev/null
	no_hosts A
}

# shows VOLUME BYTE OFFSET
shows()
{
	qemu-io -f raw -r -c "read -P $2 $3 64k" "nbd+unix:///$1?socket=$tmp/nbd" | grep -q '^read 65536' ||
		fail "volume $1 at $3 is not $2"
	no_hosts A
}

on A flash create 1501 1601 --record
wait_until 30 is A '.own_bytes == .size_bytes' flash show 1601
fill 1501 9 1M
fill 1601 10 4M
on A flash resync 1601 --revertible --sequence 7
expect_equal 'revertible 7' "$(json A '"\(.state) \(.sequence)"' flash show 1601)" 'the resynced FlashCopy'
expect_equal read "$(json A .access volume show 1501)" 'access of the source of what is not committed'
shows 1601 9 1M
expect_refused 'its sequence number is 7' A flash commit 1601 --sequence 8
on A flash revert 1601 --sequence 7
shows 1601 8 1M
shows 1601 10 4M
expect_equal write "$(json A .access volume show 1501)" 'access of the source'
on A flash resync 1601 --revertible
system_kill A
system_restart A
expect_equal revertible "$(json A .state flash show 1601)" 'the state after the server was killed'
expect_equal 'revertible set commit revert' "$(json A '"\(.copy_state) \(.allowed | join(" "))"' flash show 1601)" \
	'what is allowed'
on A flash show 1601 | grep -q '^allowed  *set, commit, revert$' || fail 'a list of words is not on one line'
on A flash commit 1601
shows 1601 9 1M
shows 1601 0 4M
fill 1601 11 2M
expect_equal '1501 1601' "$(json A '"\(.target) \(.source)"' flash reverse 1601)" 'the FlashCopy the other way round'
shows 1501 11 2M
shows 1501 9 1M
wait_until 30 is A '.own_bytes == .size_bytes' flash show 1501
on A flash delete 1501
shows 1601 11 2M

# One that was not copied gives back what it had kept.
on A flash create 1501 1601 --no-copy
fill 1501 12 2M
fill 1601 13 3M
on A flash reverse 1601
shows 1501 11 2M
shows 1501 13 3M
wait_until 30 is A 'length == 0' flash list
shows 1501 11 2M
shows 1501 13 3M
shows 1601 0 2M

# ---- where the file system can share space nothing is copied: whole at once, and a volume of its own ----
# space: bytes that the file system of the pool has in use.
space()
{
	df --output=used -B1 "$tmp/xfs" | tail -1
}

if command -v mkfs.xfs >/dev/null; then
	truncate -s 512M "$tmp/xfs.img"
	mkfs.xfs -q "$tmp/xfs.img"
	mkdir "$tmp/xfs"
	mount -o loop "$tmp/xfs.img" "$tmp/xfs"
	at_end umount -l "$tmp/xfs"
	on A pool create shared --dir "$tmp/xfs/pool"
	on A volume create 1700 --pool shared --size 64M
	on A volume create 1701 --pool shared --size 64M
	qemu-io -f raw -c 'write -P 7 0 64M' -c flush "nbd+unix:///1700?socket=$tmp/nbd" >/dev/null
	before=$(space)
	expect_equal null "$(json A . flash create 1700 1701)" 'a FlashCopy that is over'
	[ $(($(space) - before)) -lt 4000000 ] || fail "the copy took $(($(space) - before)) bytes"
	qemu-io -f raw -c 'write -P 8 1M 1M' -c flush "nbd+unix:///1700?socket=$tmp/nbd" >/dev/null
	qemu-io -f raw -c 'write -P 9 2M 1M' -c flush "nbd+unix:///1701?socket=$tmp/nbd" >/dev/null
	system_kill A
	system_restart A
	qemu-io -f raw -r -c 'read -P 7 0 1M' -c 'read -P 8 1M 1M' -c 'read -P 7 2M 62M' \
		"nbd+unix:///1700?socket=$tmp/nbd" >"$tmp/source"
	qemu-io -f raw -r -c 'read -P 7 0 2M' -c 'read -P 9 2M 1M' -c 'read -P 7 3M 61M' \
		"nbd+unix:///1701?socket=$tmp/nbd" >"$tmp/clone"
	! grep -q 'Pattern verification failed' "$tmp/source" "$tmp/clone" ||
		fail 'the clone and its source are not two'
	on A volume delete 1700
	on A volume delete 1701
fi
system_stop A
