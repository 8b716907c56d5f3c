#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Everything at once on systems of two reactors each, for ThreadSanitizer, with which scripts/check builds this one: any
# report of it fails the test. Hosts write to volumes of all reactors, others come and go, everything is asked for all
# the time; under that a session runs at interval 0, volumes join and leave it and grow, pairs are suspended and go on,
# the far side dies and comes back, is recovered, fails back and returns, and all stop while it stands still.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq nbdinfo
stop_seconds=10

declare -A lss=([A1]=15 [A2]=16 [B1]=25) volumes=([A1]="1500 1501 1502" [A2]="1600 1601")
n=120
for name in A1 A2 B1; do
	site "$name" "2105.FA$((n++))" --reactors 2
done
# far_volume VOLUME: its target, at B1.
far_volume()
{
	echo "25${1:1:1}${1:3:1}"
}
for name in A1 A2; do
	path "$name" "${lss[$name]}" B1 25
	path B1 25 "$name" "${lss[$name]}"
	for volume in ${volumes[$name]} "${lss[$name]}09"; do
		on "$name" volume create "$volume" --pool p1 --size 4M
		on B1 volume create "$(far_volume "$volume")" --pool p1 --size 4M
		pair "$name" "$volume" B1 "$(far_volume "$volume")" async
	done
	on "$name" session open 1 --lss "${lss[$name]}"
done
path A1 15 A2 16
for name in A1 A2 B1; do
	expect_equal 0,1 "$(json "$name" '[.[].reactor] | unique | join(",")' volume list)" "reactors used at $name"
done

uris=() far_uris=()
for name in A1 A2; do
	for volume in ${volumes[$name]}; do
		uris+=("$(uri "$name" "$volume")")
		far_uris+=("$(uri B1 "$(far_volume "$volume")")")
	done
done

# ---- what goes on all the time ----

background=()
end_background()
{
	[ ${#background[@]} -eq 0 ] || kill "${background[@]}" 2>/dev/null || true
	[ ${#background[@]} -eq 0 ] || wait "${background[@]}" 2>/dev/null || true
	background=()
}
at_end end_background
ask_everything()
{
	trap - ERR
	while :; do
		for name in A1 A2 B1; do
			for what in 'pair list' 'session show 1' 'volume list' 'path list' 'system show'; do
				# shellcheck disable=SC2086 # words
				on "$name" $what --json || true
			done
		done
	done >/dev/null 2>&1
}
hosts_come_and_go()
{
	trap - ERR
	while :; do
		for uri in "${uris[@]}" "${far_uris[@]}"; do
			nbdinfo --size "$uri" || true
		done
		nbdinfo --list "nbd+unix:///?socket=$tmp/A1/nbd" || true
	done >/dev/null 2>&1
}
start_background()
{
	ask_everything &
	background+=($!)
	hosts_come_and_go &
	background+=($!)
}

start_session()
{
	for name in A1 A2; do
		# shellcheck disable=SC2086 # words
		on "$name" session add 1 ${volumes[$name]}
	done
	on A1 session start 1 --master 15 --subordinate "${id_of[A2]}:16" --interval 0 --coordination 2s
	wait_until 60 is A1 '.joined_count == 5 and .sequence > 0' session show 1
}

start_background
rm -f "$tmp/ordered.log"
start_writer "${uris[@]}"
start_session

# ---- volumes join, leave and grow, pairs are suspended and go on ----
more_groups 5
for name in A1 A2; do
	on "$name" session add 1 "${lss[$name]}09"
done
wait_until 30 is A1 '.joined_count == 7' session show 1
for name in A1 A2; do
	on "$name" session remove 1 "${lss[$name]}09"
done
more_groups 2
for name in A1 A2; do
	on "$name" pair delete "${lss[$name]}09"
	pair "$name" "${lss[$name]}09" B1 "$(far_volume "${lss[$name]}09")" global-copy
	on "$name" volume grow "${lss[$name]}09" --size 8M
	on "$name" pair suspend "${lss[$name]}09"
	on "$name" volume rename "${lss[$name]}09" "name-of-$name"
	on "$name" pair resume "${lss[$name]}09"
	wait_until 30 quiet "$name" "${lss[$name]}09"
done
on A1 session pause 1
on A1 session resume 1
more_groups 5

# ---- the far side dies and comes back ----
system_kill B1
wait_until 20 is A2 'any(.state != "connected")' path list
system_restart B1
more_groups 5

# ---- the source site dies; the far side takes over, fails back and returns ----
system_kill A1 A2
stop_writer
on B1 session recover 1
"$ordered" audit "${far_uris[@]}"
rm -f "$tmp/ordered.log"
start_writer "${far_uris[@]}"
system_restart A1
system_restart A2
on B1 session failback 1
wait_until 30 is A1 '.state == "fatal"' session show 1
wait_until 30 connected A1
on A1 session terminate 1
stop_writer
on B1 session return 1
start_session
rm -f "$tmp/ordered.log"
start_writer "${uris[@]}"
more_groups 5

# ---- all stop, under load, while the far side stands still ----
system_pause B1
system_stop A1 A2
system_continue B1
system_stop B1
end_background
