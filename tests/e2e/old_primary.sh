#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A source site that is not dead while its far side is recovered without its knowledge: the link stays up, or it sleeps
# (SIGSTOP), or the link comes back later. It finds out and never overwrites the new primary; from then on its hosts are
# refused writes, also after a restart, until production is back. Both ends show both histories with times and sizes. A
# failback gives nothing up that both sides wrote, unless --discard says so; where only the far side was written, or
# nobody, it needs no such word.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq qemu-io perl
ordered=$build/ordered

declare -A lss=([A1]=15 [A2]=16 [B1]=25 [B2]=26) far=([A1]=B1 [A2]=B2)
n=0
for name in A1 A2 B1 B2; do
	site "$name" "2105.F$name$((n++))"
	on "$name" volume create "${lss[$name]}00" --pool p1 --size 4M
done
far_gate=$(free_port)
gate "$far_gate" B1 65536
on A1 path create 15 25 --system "${id_of[B1]}" --to "$loopback:$far_gate"
path A2 16 B2 26
for name in A1 A2; do
	to=${far[$name]}
	path "$to" "${lss[$to]}" "$name" "${lss[$name]}"
	pair "$name" "${lss[$name]}00" "$to" "${lss[$to]}00" async
	on "$name" session open 1 --lss "${lss[$name]}"
	on "$name" session add 1 "${lss[$name]}00"
done
path A1 15 A2 16
uris=("$(uri A1 1500)" "$(uri A2 1600)")
far_uris=("$(uri B1 2500)" "$(uri B2 2600)")
start_session()
{
	on A1 session start 1 --master 15 --subordinate "${id_of[A2]}:16"
	wait_until 60 is A1 '.joined_count == 2 and .sequence > 0' session show 1
}
start_session

writer=
stop_writer()
{
	[ -z "$writer" ] || kill "$writer" 2>/dev/null || true
	[ -z "$writer" ] || wait "$writer" 2>/dev/null || true
	writer=
}
at_end stop_writer
# start_writer URI...
start_writer()
{
	(trap - ERR && exec "$ordered" write "$tmp/ordered.log" "$@" 2>"$tmp/writer.err") &
	writer=$!
	wait_until 20 has_answers 100
}
has_answers()
{
	[ -e "$tmp/ordered.log" ] && [ "$(wc -l <"$tmp/ordered.log")" -ge "$1" ]
}
writer_ended()
{
	! kill -0 "$writer" 2>/dev/null
}
# refused NAME VOLUME: the host may read it but not write.
refused()
{
	qemu-io -r -f raw -c 'read 0 4k' "$(uri "$1" "$2")" >"$tmp/io" 2>&1 || fail "$(cat "$tmp/io")"
	expect_exit 1 'read-only|Permission denied|not permitted' qemu-io -f raw -c 'write 2M 4k' "$(uri "$1" "$2")"
}
# write_block NAME VOLUME PATTERN, has_block NAME VOLUME PATTERN
write_block()
{
	qemu-io -f raw -c "write -P $3 2M 4k" "$(uri "$1" "$2")" >"$tmp/io" 2>&1 || fail "$(cat "$tmp/io")"
}
has_block()
{
	qemu-io -r -f raw -c "read -P $3 2M 4k" "$(uri "$1" "$2")" >"$tmp/io" 2>&1 || fail "$(cat "$tmp/io")"
	! grep -q 'verification failed' "$tmp/io" || fail "volume $2 of $1 does not hold $3 at 2M"
}
write_far()
{
	write_block B1 2500 "$1"
	write_block B2 2600 "$1"
}
note_far()
{
	sha256sum "$(image B1 2500)" "$(image B2 2600)" >"$tmp/sums"
}
far_is_as_noted()
{
	sha256sum --quiet -c "$tmp/sums" || fail 'the old primary has written to the new one'
}
# gave_way VERDICT: the old site has found out. Its session is over, its hosts are refused, it shows what the far side
# says and how its own history stands to that; so does the far side, the other way round.
gave_way()
{
	local name to opposite=$1
	[ "$1" != 'other newer' ] || opposite='mine newer'
	for name in A1 A2; do
		to=${far[$name]}
		wait_until 60 is "$name" '.state == "suspended" and .reason == "history"' pair show "${lss[$name]}00"
		wait_until 20 is "$name" '.access == "read"' volume show "${lss[$name]}00"
		wait_until 20 is "$name" '.state == "fatal"' session show 1
		refused "$name" "${lss[$name]}00"
		wait_until 20 is "$name" ".far.verdict == \"$1\"" pair show "${lss[$name]}00"
		is "$name" '.far.state == "failed-over" and (.far.history[0].began_at | length) > 0 and
			(.far.noted_bytes | type) == "number" and (.history[0].began_at | length) > 0' \
			pair show "${lss[$name]}00" || fail "$(on "$name" pair show "${lss[$name]}00")"
		wait_until 20 is "$to" ".far.verdict == \"$opposite\" and .far.state == \"suspended\"" \
			pair show "${lss[$to]}00"
	done
	on A1 pair show 1500 >"$tmp/shown"
	grep -Eq "^ +verdict +$1" "$tmp/shown" || fail "$(cat "$tmp/shown")"
}
failback()
{
	local name
	for name in B1 B2; do
		on "$name" session failback 1 "$@"
	done
	# The old site follows now; its hosts have nothing to write there.
	for name in A1 A2; do
		is "$name" '.role == "target"' pair show "${lss[$name]}00" ||
			fail "$(on "$name" pair show "${lss[$name]}00")"
		is "$name" '.access == "none"' volume show "${lss[$name]}00" || fail "$name is open to hosts"
	done
}
come_back()
{
	local name
	for name in B1 B2; do
		on "$name" session return 1
	done
	for name in A1 A2; do
		expect_equal_images "$name" "${lss[$name]}00" "${far[$name]}" "${lss[${far[$name]}]}00"
	done
	wait_until 30 connected A1
	on A1 session terminate 1
	for name in A1 A2; do
		write_block "$name" "${lss[$name]}00" 0
		on "$name" session add 1 "${lss[$name]}00"
	done
	start_session
}
restart_old_site()
{
	local name
	for name in A1 A2; do
		system_stop "$name"
		system_restart "$name"
		refused "$name" "${lss[$name]}00"
	done
}
one='.* since .* from CG [0-9]+, [0-9]+ KiB'
failback_is_refused()
{
	expect_refused "both sides were written: here $one; on 2105.FA10 $one" B1 session failback 1
	expect_refused '--discard' B1 session failback 1
	expect_refused '--discard' B2 session failback 1
	expect_equal failed-over "$(json B1 .state pair show 2500)" 'state after the refusal'
}

# ---- the link stays up, nobody writes anywhere: the old site hears of it although it has nothing to send ----
on B1 session recover 1
gave_way 'other newer'
expect_refused 'newer' A1 pair resume 1500
restart_old_site
failback
come_back

# ---- the link stays up, only the far side is written ----
on B1 session recover 1
gave_way 'other newer'
write_far 0x51
note_far
restart_old_site
far_is_as_noted
failback
come_back
# come_back writes zeros there at its end: what the far side had written was checked as equal images before.

# ---- the link stays up, and the old site's hosts write on until they are refused: an administrator decides ----
rm -f "$tmp/ordered.log"
gate_close
gate "$far_gate" B1 1
wait_until 30 connected A1
start_writer "${uris[@]}"
# Whatever is written from here on is in no group.
wait_until 60 gate_is_full
wait_until 30 has_answers $(($(wc -l <"$tmp/ordered.log") + 100))
on B1 session recover 1
"$ordered" audit "${far_uris[@]}"
write_far 0x52
note_far
gave_way 'both written'
gate_close
gate "$far_gate" B1 65536
wait_until 20 writer_ended
stop_writer
far_is_as_noted
"$ordered" audit "${uris[@]}" >"$tmp/old"
failback_is_refused
"$ordered" audit "${uris[@]}" | cmp - "$tmp/old" || fail 'a refused failback changed the old site'
failback --discard
wait_until 30 quiet B1 2500
has_block B1 2500 0x52
come_back

# ---- the old site sleeps under load, and wakes up without knowing ----
recover_behind_its_back()
{
	rm -f "$tmp/ordered.log"
	start_writer "${uris[@]}"
	kill -STOP "${system_pid[A1]}" "${system_pid[A2]}"
	on B1 session recover 1
	"$ordered" audit "${far_uris[@]}"
	write_far 0x53
	note_far
}
recover_behind_its_back
system_continue A1
system_continue A2
for name in A1 A2; do
	wait_until 60 is "$name" '.state == "suspended" and .reason == "history"' pair show "${lss[$name]}00"
done
wait_until 20 writer_ended
stop_writer
far_is_as_noted
failback --discard
come_back

# ---- the link comes back later: the far side is not to be reached when the old site wakes up, and was written ----
far_goes_away()
{
	kill -STOP "${system_pid[A1]}" "${system_pid[A2]}"
	on B1 session recover 1
	write_far "$1"
	note_far
	for name in B1 B2; do
		system_stop "$name"
	done
	system_continue A1
	system_continue A2
}
far_comes_back()
{
	for name in B1 B2; do
		system_restart "$name"
	done
}
far_goes_away 0x54
for name in A1 A2; do
	wait_until 30 is "$name" '.reason == "link" and .far == null' pair show "${lss[$name]}00"
done
far_comes_back
gave_way 'other newer'
far_is_as_noted
failback
come_back

# ---- the same, and the old site's hosts write on meanwhile ----
declare -A generation=()
for name in A1 A2; do
	generation[$name]=$(json "$name" '.history[0].generation' pair show "${lss[$name]}00")
done
far_goes_away 0x55
rm -f "$tmp/ordered.log"
start_writer "${uris[@]}"
wait_until 20 has_answers 200
# That it was written without the far side is on its record within a second or two.
for name in A1 A2; do
	wait_until 20 is "$name" ".reason == \"link\" and .history[0].generation != \"${generation[$name]}\"" \
		pair show "${lss[$name]}00"
done
stop_writer
far_comes_back
gave_way 'both written'
far_is_as_noted
failback_is_refused
failback --discard
come_back

# ---- a pair without a session, suspended by command: what its hosts write then is not followed either ----
on A1 volume create 1501 --pool p1 --size 4M
on B1 volume create 2501 --pool p1 --size 4M
pair A1 1501 B1 2501 global-copy
write_block A1 1501 0x71
wait_until 30 quiet A1 1501
on A1 pair suspend 1501
on B1 pair failover 2501
write_block B1 2501 0x72
write_block A1 1501 0x73
expect_refused "both sides were written" B1 pair failback 2501
refused A1 1501
has_block B1 2501 0x72
on B1 pair failback 2501 --discard
wait_until 30 quiet B1 2501
has_block B1 2501 0x72
expect_equal_images A1 1501 B1 2501

for name in A1 A2 B1 B2; do
	system_stop "$name"
done
