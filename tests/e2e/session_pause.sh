#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A session is paused with a consistent target under ordered writes: hosts read one moment in the targets, the same one
# over restarts on both sides, while the writer goes on; a resume is refused while a host reads, and afterwards groups
# go on. Refused with a far side that is not there, and given again.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq qemu-io

declare -A lss=([A1]=15 [A2]=16 [B1]=25 [B2]=26) far=([A1]=B1 [A2]=B2)
n=0
for name in A1 A2 B1 B2; do
	site "$name" "2105.F$name$((n++))"
	on "$name" volume create "${lss[$name]}00" --pool p1 --size 4M
done
path A1 15 A2 16
for name in A1 A2; do
	to=${far[$name]}
	path "$name" "${lss[$name]}" "$to" "${lss[$to]}"
	pair "$name" "${lss[$name]}00" "$to" "${lss[$to]}00" async
	on "$name" session open 1 --lss "${lss[$name]}"
	on "$name" session add 1 "${lss[$name]}00"
done
on A1 session start 1 --master 15 --subordinate "${id_of[A2]}:16" --drain 1s
wait_until 60 is A1 '.joined_count == 2 and .sequence > 0' session show 1

uris=("$(uri A1 1500)" "$(uri A2 1600)")
far_uris=("$(uri B1 2500)" "$(uri B2 2600)")
start_writer "${uris[@]}"
wait_until 60 has_answers 500

# ---- refused without a far side; the session goes on, and the command is given again ----
system_kill B2
expect_refused "xdc session show says what fails" A1 session pause 1 --consistent
is A1 '.state == "running"' session show 1 || fail "the session does not go on"
system_restart B2
wait_until 60 connected A2
more_groups 1

# ---- a far side stands still: the pause waits, says for whom and since when, and is given up by resume ----
kill -STOP "${system_pid[B2]}"
before=$(date -u +%Y-%m-%dT%H:%M:%S)
{ on A1 session pause 1 --consistent >"$tmp/pause" 2>&1 && echo paused >>"$tmp/pause"; } &
command=$!
wait_until 20 is A1 '.state == "pausing" and .waiting_for != null and .waiting_since != null' session show 1
is A1 ".state_since >= \"$before\" and .phase_since != null" session show 1 || fail "$(json A1 . session show 1)"
on A1 session resume 1
wait "$command" || true
grep -q 'given up' "$tmp/pause" || fail "the pause that was given up says: $(cat "$tmp/pause")"
kill -CONT "${system_pid[B2]}"
is A1 '.state == "running"' session show 1 || fail "the session does not go on"
more_groups 1

# ---- paused: one moment, not before the command ----
before=$(awk '{ number = $1 } END { print number + 0 }' "$tmp/ordered.log")
on A1 session pause 1 --consistent
expect_equal 'open close add remove pause --consistent resume verify terminate' \
	"$(json A1 '.allowed | join(" ")' session show 1)" 'what is allowed'
is A1 '.state == "paused-consistent" and .state_since != null and .sequence > 0 and (.problems | length) == 0' \
	session show 1 || fail "what the master shows is not a consistent pause"
for name in B1 B2; do
	is "$name" '.state == "paused-consistent" and .state_since != null' session show 1 ||
		fail "$name does not show a consistent pause"
	is "$name" '.access == "read"' volume show "${lss[$name]}00" || fail "the target on $name is not readable"
done
is A1 '.state == "suspended" and .reason == "session"' pair show 1500 || fail "the pair is not suspended"
"$ordered" audit "${far_uris[@]}" >"$tmp/audit1"
read -r shown _ < <(grep -o '[0-9]*' "$tmp/audit1")
[ "$shown" -ge "$before" ] || fail "the targets show write $shown, and $before was answered before the command"
wait_until 60 has_answers $(($(wc -l <"$tmp/ordered.log") + 200))
expect_exit 1 'Permission denied|read-only' qemu-io -f raw -c 'write 0 4k' "${far_uris[0]}"
for name in B1 A2 A1; do
	system_kill "$name"
	system_restart "$name"
	wait_until 20 is B1 '.access == "read"' volume show 2500
	"$ordered" audit "${far_uris[@]}" >"$tmp/audit2"
	expect_same "$tmp/audit1" "$tmp/audit2" "what the targets show after a restart of $name"
done
expect_refused "xdc session resume" A1 session pause 1
stop_writer	# it lost its systems
start_writer "${uris[@]}"

# ---- resumed: not while a host reads ----
mkfifo "$tmp/hold"
qemu-io -r -f raw "${far_uris[1]}" <"$tmp/hold" >"$tmp/reader.out" &
reader=$!
exec 9>"$tmp/hold"
wait_until 20 is B2 '.attached == 1' volume show 2600
expect_refused "disconnect those hosts" A1 session resume 1
is A1 '.state == "paused-consistent"' session show 1 || fail "a refused resume leaves something else than the pause"
"$ordered" audit "${far_uris[@]}" >"$tmp/audit2"
expect_same "$tmp/audit1" "$tmp/audit2" "what the targets show after a refused resume"
exec 9>&-
wait "$reader"
no_hosts B1 B2
on A1 session resume 1
more_groups 2
is B1 '.access == "none"' volume show 2500 || fail "the target is still open to hosts"
is A1 '(.problems | length) == 0' session show 1 || fail "the session has problems after the resume"
stop_writer
for name in A1 A2; do
	wait_until 30 quiet "$name" "${lss[$name]}00"
done
