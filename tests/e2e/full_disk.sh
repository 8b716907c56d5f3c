#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Disks that are full. At a source a host gets ENOSPC for its write, reads and writes to space it has go on, and so do
# other volumes. At a far side whose journal finds no room the consistency group stays, the RPO grows, hosts are served,
# the state says so, and groups go on by themselves once there is space.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq qemu-io mkfs.ext4
requires_root 'small file systems'
losetup -f >/dev/null 2>&1 || skip 'needs loop devices'
ordered=$build/ordered

# small_disk NAME SIZE: an ext4 of that size at $tmp/NAME.
small_disk()
{
	truncate -s "$2" "$tmp/$1.disk"
	mkfs.ext4 -q -F -O ^has_journal -m 0 "$tmp/$1.disk"
	mkdir "$tmp/$1"
	mount -o loop "$tmp/$1.disk" "$tmp/$1"
	at_end umount -l "$tmp/$1"
}
io()
{
	local name=$1 volume=$2 commands=() command
	shift 2
	for command; do
		commands+=(-c "$command")
	done
	qemu-io -f raw -t none "${commands[@]}" "$(uri "$name" "$volume")" >"$tmp/io" 2>&1 &&
		! grep -q 'failed' "$tmp/io"
}

# ---- a source: ENOSPC for that write, and for no other ----
small_disk small 32M
site A 2105.FA120
site B 2105.FB230
for cache in writeback direct; do
	on A pool create "$cache" --dir "$tmp/small/$cache" --cache "$cache"
done
on A volume create 1500 --pool writeback --size 64M
on A volume create 1501 --pool direct --size 64M
on A volume create 1502 --pool p1 --size 8M
io A 1500 'write -P 1 0 4M' flush
io A 1501 'write -P 2 0 4M' flush
rm -f "$tmp/filler"
dd if=/dev/zero of="$tmp/small/filler" bs=64k 2>/dev/null || true
for volume in 1500 1501; do
	! io A $volume 'write -P 3 32M 1M' flush || fail "volume $volume took more than there is room for"
	grep -q 'No space left' "$tmp/io" || fail "$(cat "$tmp/io")"
	io A $volume 'read -P 1 0 4k' || io A $volume 'read -P 2 0 4k' || fail "$(cat "$tmp/io")"
	io A $volume 'write -P 4 1M 64k' flush 'read -P 4 1M 64k' || fail "room that it has: $(cat "$tmp/io")"
	expect_equal online "$(json A .state volume show $volume)" "state of volume $volume"
done
io A 1502 'write -P 5 0 8M' flush 'read -P 5 0 8M' || fail "another pool: $(cat "$tmp/io")"
rm "$tmp/small/filler"
for volume in 1500 1501; do
	io A $volume 'write -P 6 32M 1M' flush 'read -P 6 32M 1M' 'read -P 4 1M 64k' ||
		fail "after space returned: $(cat "$tmp/io")"
done

# ---- a far side: its state folder, where the journals are, is full ----
small_disk C 96M
site C 2105.FC000
on A volume create 1600 --pool p1 --size 4M
on C volume create 2600 --pool p1 --size 4M
path A 16 C 26
pair A 1600 C 2600 async
on A session open 1 --lss 16
on A session add 1 1600
on A session start 1 --master 16
wait_until 60 is A '.joined_count == 1 and .sequence > 0' session show 1
(trap - ERR && exec "$ordered" write "$tmp/ordered.log" "$(uri A 1600)" 2>"$tmp/writer.err") &
writer=$!
stop_writer()
{
	kill "$writer" 2>/dev/null || true
	wait "$writer" 2>/dev/null || true
}
at_end stop_writer
has_answers()
{
	[ -e "$tmp/ordered.log" ] && [ "$(wc -l <"$tmp/ordered.log")" -ge "$1" ]
}
more_answers()
{
	wait_until 30 has_answers $(($(wc -l <"$tmp/ordered.log" || echo 0) + $1))
}
wait_until 20 has_answers 100
dd if=/dev/zero of="$tmp/C/filler" bs=64k 2>/dev/null || true
wait_until 60 is A '.state == "copy-pending" and .reason == "far-full"' pair show 1600
# What was in the journal already may still become a group; then there are no more, whatever hosts write.
stuck=
stands_still()
{
	local before=$stuck
	stuck=$(json A .sequence session show 1)
	more_answers 300
	[ "$stuck" = "$before" ] && is A '.rpo_ms == null or .rpo_ms > 2000' session show 1
}
wait_until 60 stands_still
expect_equal "$stuck" "$(json C .sequence session show 1)" 'the group that the far side keeps'
# Its connections were cut when it dropped what was in no group; it may have no room to take the pair up, either.
wait_until 20 is A '.reason == "far-full"' pair show 1600
grep -qiE 'full|No space' "$tmp/A/log" "$tmp/C/log" || fail 'no log line says that it is full'
stuck_ms=$(json A '.rpo_ms // 2000' session show 1)
rm "$tmp/C/filler"
wait_until 60 is A '.state == "copy-pending" and .reason == null' pair show 1600
# Groups are formed again, each as old as it takes to form one, and not as the one that was kept.
wait_until 60 is A ".sequence > $stuck + 3 and .rpo_ms != null and .rpo_ms < $stuck_ms" session show 1
stop_writer
equal()
{
	cmp "$(image A 1600)" "$(image C 2600)"
}
wait_until 30 equal
system_stop A B C
