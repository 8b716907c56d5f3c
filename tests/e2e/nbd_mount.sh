#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A file system on a volume: nbdfuse makes it a file, a loop device a disk, ext4 lives on it; e2fsck finds it clean,
# also after the server was killed and started again.
. "$(dirname "$0")/lib.sh"
requires nbdfuse losetup mkfs.ext4 e2fsck fusermount3 sha256sum
requires_root 'loop devices'
[ -e /dev/fuse ] || skip 'needs /dev/fuse'

port=$(free_port)
system_start A --id 2105.FA120 --nbd "unix:$tmp/nbd" --nbd "$loopback:$port"
mkdir "$tmp/pool" "$tmp/fuse" "$tmp/mnt"
on A pool create p1 --dir "$tmp/pool"
on A volume create 1500 --pool p1 --size 256M

loop=
fuse_pid=

detach()
{
	mountpoint -q "$tmp/mnt" && umount -l "$tmp/mnt"
	[ -z "$loop" ] || losetup -d "$loop"
	loop=
	! mountpoint -q "$tmp/fuse" || fusermount3 -u -z "$tmp/fuse"
	[ -z "$fuse_pid" ] || wait "$fuse_pid" || true
	fuse_pid=
}
at_end detach

# attach URI: the volume as a disk, in $loop
attach()
{
	nbdfuse "$tmp/fuse/disk" "$1" 2>"$tmp/nbdfuse.err" &
	fuse_pid=$!
	wait_until 20 test -e "$tmp/fuse/disk"
	loop=$(losetup --find --show "$tmp/fuse/disk")
}

for uri in "nbd+unix:///1500?socket=$tmp/nbd" "nbd://$loopback:$port/1500"; do
	attach "$uri"
	mkfs.ext4 -q -F "$loop"
	mount "$loop" "$tmp/mnt"
	mkdir "$tmp/mnt/dir"
	for i in $(seq 200); do
		head -c $((i * 997)) /dev/urandom >"$tmp/mnt/dir/$i"
	done
	rm "$tmp"/mnt/dir/*7
	(cd "$tmp/mnt/dir" && sha256sum ./*) >"$tmp/sums"
	umount "$tmp/mnt"
	detach
	system_kill A
	system_restart A
	attach "$uri"
	e2fsck -f -n "$loop" >"$tmp/fsck" 2>&1 || { cat "$tmp/fsck"; fail 'e2fsck'; }
	mount "$loop" "$tmp/mnt"
	(cd "$tmp/mnt/dir" && sha256sum --quiet -c "$tmp/sums") >&2 || fail 'contents'
	fstrim "$tmp/mnt" || true
	umount "$tmp/mnt"
	e2fsck -f -n "$loop" >"$tmp/fsck" 2>&1 || { cat "$tmp/fsck"; fail 'e2fsck after trim'; }
	detach
done
system_stop A
