#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Production moves to the other site by one command, and back: four source systems, two far ones, ordered writes over
# all volumes. Refused while hosts have a volume open, and without paths back; nothing that was answered is lost, both
# sides are equal, and the session runs the other way. The master dies in the middle, and the command goes on.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq

sources=(A1 A2 A3 A4)
declare -A lss=([A1]=15 [A2]=16 [A3]=17 [A4]=18 [B1]=25 [B2]=26) far=([A1]=B1 [A2]=B2 [A3]=B1 [A4]=B2)
declare -A target=([A1]=2500 [A2]=2600 [A3]=2510 [A4]=2610)
n=0
for name in A1 A2 A3 A4 B1 B2; do
	site "$name" "2105.F$name$((n++))"
done
for name in "${sources[@]}"; do
	to=${far[$name]}
	on "$name" volume create "${lss[$name]}00" --pool p1 --size 4M
	on "$to" volume create "${target[$name]}" --pool p1 --size 4M
	path "$name" "${lss[$name]}" "$to" "${lss[$to]}"
	[ "$name" = A1 ] || path A1 15 "$name" "${lss[$name]}"
	pair "$name" "${lss[$name]}00" "$to" "${target[$name]}" async
	on "$name" session open 1 --lss "${lss[$name]}"
	on "$name" session add 1 "${lss[$name]}00"
done
on A1 session start 1 --master 15 --interval 10ms --subordinate "${id_of[A2]}:16" --subordinate "${id_of[A3]}:17" \
	--subordinate "${id_of[A4]}:18"
wait_until 60 is A1 '.joined_count == 4 and .sequence > 0' session show 1

uris=() far_uris=()
for name in "${sources[@]}"; do
	uris+=("$(uri "$name" "${lss[$name]}00")")
	far_uris+=("$(uri "${far[$name]}" "${target[$name]}")")
done

# Every write that was answered is there, and it is one moment.
expect_all()
{
	local answered shown
	answered=$(awk '{ number = $1 } END { print number + 0 }' "$tmp/ordered.log")
	shown=$("$ordered" audit "$@" | grep -o '[0-9]*')
	[ "$shown" -ge "$answered" ] || fail "write $answered was answered, and $shown is the newest there"
}
# opened NAME VOLUME: hosts may write to it. For wait_until.
opened()
{
	is "$1" '.access == "write"' volume show "$2"
}

# ---- refused: no way back, then hosts ----
start_writer "${uris[@]}"
wait_until 60 has_answers 300
expect_refused 'xdc path create 25 15' A1 session swap 1
for name in "${sources[@]}"; do
	path "${far[$name]}" "${lss[${far[$name]}]}" "$name" "${lss[$name]}"
done
expect_refused 'no path leads from LSS 25' A1 session swap 1
path B1 25 B2 26
expect_refused 'disconnect those hosts' A1 session swap 1
is A1 '.state == "running"' session show 1 || fail "a refused swap has stopped the session"
wait_until 60 has_answers $(($(wc -l <"$tmp/ordered.log") + 100))
stop_writer

# ---- there ----
no_hosts "${sources[@]}"
on A1 session swap 1
for name in "${sources[@]}"; do
	wait_until 30 opened "${far[$name]}" "${target[$name]}"
	is "$name" '.access == "none"' volume show "${lss[$name]}00" || fail "hosts are let in at both sides"
done
expect_all "${far_uris[@]}"
is B1 '.role == "master" and .state == "running" and .interval_us == 10000' session show 1 ||
	fail "B1 is not the master, or not with the same tunables"
is A1 '.role == "far"' session show 1 || fail "A1 is not a far side"
expect_refused "${id_of[B1]}" A1 session swap 1
start_writer "${far_uris[@]}"
wait_until 60 has_answers 300
wait_until 60 is B1 '.cg_good > 3 and .joined_count == 4' session show 1
stop_writer

# ---- and back, by a master that dies when it has begun ----
no_hosts B1 B2
{ on B1 session swap 1 || true; } &
command=$!
wait_until 20 is B1 '.state != "running" or .role != "master"' session show 1
system_kill B1
wait "$command" || true
system_restart B1
swapped()
{
	is B1 '.role != "master"' session show 1 || on B1 session swap 1
}
wait_until 60 swapped
for name in "${sources[@]}"; do
	wait_until 30 opened "$name" "${lss[$name]}00"
done
expect_all "${uris[@]}"
is A1 '.role == "master" and .state == "running"' session show 1 || fail "A1 is not the master again"
start_writer "${uris[@]}"
wait_until 60 has_answers 300
more_groups 3
stop_writer
for name in "${sources[@]}"; do
	wait_until 30 quiet "$name" "${lss[$name]}00"
	wait_until 20 is "${far[$name]}" '.unapplied_bytes == 0' session show 1
	expect_equal_images "$name" "${lss[$name]}00" "${far[$name]}" "${target[$name]}"
done
