#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Makes one more image that tests/e2e/compat.sh opens, in tests/compat/VERSION-points: a far side that keeps older
# groups, with what they had before in its journal. Run once, as make.sh.
#
#	XDC_BUILD=build tests/compat/make_points.sh
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/../e2e/lib_sites.sh"
. "$(dirname "$0")/lib_compat.sh"
requires jq qemu-io

version=$("$xdcd" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)-points
out=$top/tests/compat/$version
compat_place "$version"
mkdir "$place/A1" "$place/B1"
for name in A1 B1; do
	id_of[$name]=2105.FA10
	[ "$name" = A1 ] || id_of[$name]=2105.FB12
	link_port[$name]=$(free_port)
	system_start "$name" --id "${id_of[$name]}" --nbd "unix:$tmp/$name/nbd" --reactors 1 \
		--link "$loopback:${link_port[$name]}"
	on "$name" pool create p1 --dir "$place/$name/pool"
done
on A1 volume create 1500 --pool p1 --size 1M
on B1 volume create 2500 --pool p1 --size 1M
path A1 15 B1 25
pair A1 1500 B1 2500 async
on A1 session open 1 --lss 15
on A1 session add 1 1500

# write PATTERN OFFSET: in a group then, which is in the volume.
write()
{
	qemu-io -f raw -c "write -P $1 $2 4k" "$(uri A1 1500)" >"$tmp/io" 2>&1 || fail "$(cat "$tmp/io")"
	wait_until 30 is A1 '.out_of_sync_blocks == 0' session show 1
	wait_until 30 is B1 '.unapplied_bytes == 0' session show 1
}
write_first()
{
	qemu-io -f raw -c "write -P 0x11 0 4k" "$(uri A1 1500)" >"$tmp/io" 2>&1 || fail "$(cat "$tmp/io")"
}
write_first
on A1 session start 1 --master 15 --keep 8760h
wait_until 30 is A1 '.joined_count == 1 and .sequence > 0' session show 1
wait_until 30 is B1 '.unapplied_bytes == 0' session show 1
write 0x22 0
write 0x33 64k
write 0x44 0
write 0x55 128k
for name in A1 B1; do
	kill -KILL "${system_pid[$name]}"
	wait "${system_pid[$name]}" || true
	unset "system_pid[$name]"
done

mkdir -p "$out"
rm -f "$place"/B1/{control,nbd,log,out}*
tar -C "$place" --sparse --sort=name --owner=0 --group=0 --numeric-owner -cf - B1 | gzip -9n >"$out/B1.tar.gz"
compat_open "$out" B1
compat_show_points >"$out/B1.shows"
system_stop B1
ls -l "$out"
cat "$out/B1.shows"
