#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# SIGTERM under load ends a system cleanly (how soon, the scenario "stop" tells in its own time); the next start takes
# up pairs and sessions by itself, whoever it was: source, far side or master. A second program on the same state is
# refused, and so is another id.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq
ordered=$build/ordered

n=0
declare -A lss=([A1]=15 [A2]=16 [B1]=25) target=([A1]=2500 [A2]=2510)
for name in A1 A2 B1; do
	site "$name" "2105.F$name$((n++))"
done
for name in A1 A2; do
	on "$name" volume create "${lss[$name]}00" --pool p1 --size 4M
	on B1 volume create "${target[$name]}" --pool p1 --size 4M
	path "$name" "${lss[$name]}" B1 25
	pair "$name" "${lss[$name]}00" B1 "${target[$name]}" async
	on "$name" session open 7 --lss "${lss[$name]}"
	on "$name" session add 7 "${lss[$name]}00"
done
path A1 15 A2 16
on A1 session start 7 --master 15 --subordinate "${id_of[A2]}:16" --interval 5ms --coordination 70ms --drain 3m
uris=("$(uri A1 1500)" "$(uri A2 1600)")

start_writer()
{
	rm -f "$tmp/ordered.log"
	(trap - ERR && exec "$ordered" write "$tmp/ordered.log" "${uris[@]}" 2>"$tmp/writer.err") &
	writer=$!
	wait_until 20 has_answers 100
}
more_groups()
{
	local from
	from=$(json A1 .sequence session show 7)
	wait_until 60 is A1 ".state == \"running\" and .sequence > $from and .rpo_ms != null" session show 7
}

# ---- the same state twice, another id ----
second=("$xdcd" --state "$tmp/A1/state" --control "unix:$tmp/second")
expect_exit 1 'state|use|lock' "${second[@]}" --id "${id_of[A1]}"
wait_until 60 is A1 '.state == "running" and .sequence > 0' session show 7

# ---- each of them stops under load and comes back ----
for name in B1 A2 A1; do
	start_writer
	more_groups
	starts=$(json "$name" .starts system show)
	boot=$(json "$name" .boot_id system show)
	system_stop "$name"
	expect_exit 2 "is the state of system ${id_of[$name]}, not of 2105.FX999" \
		"$xdcd" --state "$tmp/$name/state" --control "unix:$tmp/second" --id 2105.FX999
	system_restart "$name"
	expect_equal $((starts + 1)) "$(json "$name" .starts system show)" 'starts'
	[ "$boot" != "$(json "$name" .boot_id system show)" ] || fail 'the same boot id'
	# The far side may come and go; without a source its host ends.
	if [ "$name" != B1 ]; then
		stop_writer
		start_writer
	fi
	more_groups
	stop_writer
done
expect_equal '5000 70 180000' "$(json A1 '"\(.interval_us) \(.coordination_ms) \(.drain_ms)"' session show 7)" \
	'tunables after the restart of the master'

# All at once, under load; the sources are one moment, and the far sides become equal.
start_writer
system_stop A1 A2 B1
stop_writer
for name in B1 A2 A1; do
	system_restart "$name"
done
"$ordered" check "$tmp/ordered.log" "${uris[@]}" | grep -q ' 0 lost' || fail 'an orderly stop lost answered writes'
start_writer
more_groups
stop_writer
equal()
{
	local name
	for name in A1 A2; do
		cmp "$(image "$name" "${lss[$name]}00")" "$(image B1 "${target[$name]}")" || return
	done
}
wait_until 30 equal

# ---- each stops while another one stands still: nothing that it waits for there keeps it ----
for still in B1 A1; do
	start_writer
	more_groups
	system_pause "$still"
	for name in A2 B1 A1; do
		[ "$name" = "$still" ] || system_stop "$name"
	done
	system_continue "$still"
	stop_writer
	for name in B1 A2 A1; do
		[ "$name" = "$still" ] || system_restart "$name"
	done
	start_writer
	more_groups
	stop_writer
done

# ---- the sources stop while the far side and a host stand still, and commands wait for them ----
on A1 volume create 1501 --pool p1 --size 4M
start_writer
more_groups
system_pause B1
# A group that cannot end without B1: hosts go on, and it is the same one.
sequence=
stands_still()
{
	local before=$sequence
	sequence=$(json A1 .sequence session show 7)
	wait_until 30 has_answers $(($(wc -l <"$tmp/ordered.log") + 50))
	[ "$sequence" = "$before" ] &&
		is A1 '.phase == "drain" or .phase == "prepare" or .phase == "commit"' session show 7
}
wait_until 60 stands_still
kill -STOP "$writer"
on A1 session pause 7 2>"$tmp/pause.err" &
pause=$!
on A1 pair create 1501 2501 --system "${id_of[B1]}" --type async 2>"$tmp/create.err" &
create=$!
wait_until 10 is A1 '.state == "pausing"' session show 7
system_stop A1 A2
! wait "$pause" || fail 'a pause that could not be ended well'
! wait "$create" || fail 'a pair was made without its far side'
system_continue B1
kill -CONT "$writer"
stop_writer
for name in A2 A1; do
	system_restart "$name"
done
wait_until 20 is A1 '.state == "paused" or .state == "running"' session show 7
! is A1 '.state == "paused"' session show 7 >/dev/null || on A1 session resume 7
start_writer
more_groups
stop_writer

# A paused session stays paused.
on A1 session pause 7
system_stop A1
system_restart A1
expect_equal paused "$(json A1 .state session show 7)" 'state after a restart'
on A1 session resume 7
start_writer
more_groups
stop_writer
system_stop A1 A2 B1
