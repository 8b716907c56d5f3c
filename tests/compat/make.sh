#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Makes what tests/e2e/compat.sh opens: images of systems as this version leaves them behind, and transcripts of a link,
# in tests/compat/VERSION. Run once for each version that is released, with its own programs; never again for a version
# that is out. VERSION is what xdcd says that it is.
#
#	XDC_BUILD=build tests/compat/make.sh
#
# Two sites of two systems; B2 stands still while A1 and A2 go on, so that the next group is prepared at B1 and cannot
# be committed; then all of them die. Kept are A1 (a master, its dirty log) and B1 (a far side, its journal: a group
# that is committed and one that is prepared), each state folder with its pool, and what A1 and B1 said to one another.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/../e2e/lib_sites.sh"
. "$(dirname "$0")/lib_compat.sh"
requires jq qemu-io

version=$("$xdcd" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)
out=$top/tests/compat/$version
compat_place "$version"
mkdir "$place/A1" "$place/B1"

declare -A lss=([A1]=15 [A2]=16 [B1]=25 [B2]=26)
n=0
for name in A1 A2 B1 B2; do
	id_of[$name]=2105.F$name$((n++))
	link_port[$name]=$(free_port)
	system_start "$name" --id "${id_of[$name]}" --nbd "unix:$tmp/$name/nbd" --reactors 1 \
		--link "$loopback:${link_port[$name]}"
	folder=$tmp/$name/pool
	[ ! -d "$place/$name" ] || folder=$place/$name/pool
	on "$name" pool create p1 --dir "$folder"
	on "$name" volume create "${lss[$name]}00" --pool p1 --size 1M --name "${name,,}"
done

# What A1 says to B1 passes through the recorder.
mkdir "$tmp/said"
relay=$(free_port)
"$build/transcript" record "$loopback:$relay" "$loopback:${link_port[B1]}" "$tmp/said" &
recorder=$!
at_end kill "$recorder"
listens()
{
	grep -q "$(printf ':%04X 00000000:0000 0A' "$relay")" /proc/net/tcp
}
wait_until 20 listens
on A1 path create 15 25 --system "${id_of[B1]}" --to "$loopback:$relay"
path A2 16 B2 26
path A1 15 A2 16
for name in A1 A2; do
	far=${name/A/B}
	pair "$name" "${lss[$name]}00" "$far" "${lss[$far]}00" async
	on "$name" session open 1 --lss "${lss[$name]}"
	on "$name" session add 1 "${lss[$name]}00"
done
write()
{
	qemu-io -f raw -c "write -P $3 $4 4k" "$(uri "$1" "$2")" >"$tmp/io" 2>&1 || fail "$(cat "$tmp/io")"
}
on A1 session start 1 --master 15 --subordinate "${id_of[A2]}:16"
wait_until 30 is A1 '.joined_count == 2 and .sequence > 0' session show 1
write A1 1500 0x11 0
write A2 1600 0x11 0
wait_until 30 is A1 '.out_of_sync_blocks == 0' session show 1
wait_until 30 is A2 '.out_of_sync_blocks == 0' session show 1

system_pause B2
write A1 1500 0x22 64k
wait_until 30 is B1 '.prepared_sequence > .sequence' session show 1
kill -KILL "${system_pid[B1]}"
kill -KILL "${system_pid[A1]}" "${system_pid[A2]}" "${system_pid[B2]}"
for name in A1 A2 B1 B2; do
	wait "${system_pid[$name]}" || true
	unset "system_pid[$name]"
done

mkdir -p "$out"
for name in A1 B1; do
	rm -f "$place/$name"/{control,nbd,log,out}*
	tar -C "$place" --sparse --sort=name --owner=0 --group=0 --numeric-owner -cf - "$name" |
		gzip -9n >"$out/$name.tar.gz"
done
for number in 0 1; do
	for who in dialer acceptor; do
		gzip -9nc "$tmp/said/$number.$who" >"$out/$number.$who.gz"
		"$build/transcript" show "$tmp/said/$number.$who" >"$out/$number.$who.shows"
	done
done

# What they show, by this version's own word.
compat_open "$out" A1
compat_show_source >"$out/A1.shows"
compat_open "$out" B1
compat_show_far >"$out/B1.shows"
system_stop A1
system_stop B1
ls -l "$out"
