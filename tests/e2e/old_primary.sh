#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A source site that is cut off, not dead: it stands still (SIGSTOP) while the far side is recovered, and wakes up
# without knowing. It must never overwrite the new primary; once it finds out its hosts are refused writes, also after a
# restart; both histories are shown, and a failback of what both sides wrote needs --discard.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq qemu-io
ordered=$build/ordered

declare -A lss=([A1]=15 [A2]=16 [B1]=25 [B2]=26) far=([A1]=B1 [A2]=B2)
n=0
for name in A1 A2 B1 B2; do
	site "$name" "2105.F$name$((n++))"
	on "$name" volume create "${lss[$name]}00" --pool p1 --size 4M
done
for name in A1 A2; do
	to=${far[$name]}
	path "$name" "${lss[$name]}" "$to" "${lss[$to]}"
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
write_block()
{
	qemu-io -f raw -c "write -P $3 2M 4k" "$(uri "$1" "$2")" >"$tmp/io" 2>&1 || fail "$(cat "$tmp/io")"
}
# while_old_site_sleeps: production moves to the far side under load.
recover_behind_its_back()
{
	rm -f "$tmp/ordered.log"
	start_writer "${uris[@]}"
	kill -STOP "${system_pid[A1]}" "${system_pid[A2]}"
	on B1 session recover 1
	"$ordered" audit "${far_uris[@]}"
	write_block B1 2500 0x51
	write_block B2 2600 0x52
	sha256sum "$(image B1 2500)" "$(image B2 2600)" >"$tmp/sums"
	system_continue A1
	system_continue A2
}
# The old site has found out: its hosts' writes end, the new primary is as it was.
old_site_gives_way()
{
	wait_until 60 is A1 '.state == "fatal"' session show 1
	for name in A1 A2; do
		wait_until 60 is "$name" '.state == "suspended" and .reason == "history"' pair show "${lss[$name]}00"
		wait_until 20 is "$name" '.access == "read"' volume show "${lss[$name]}00"
	done
	wait_until 20 writer_ended
	stop_writer
	for name in A1 A2; do
		refused "$name" "${lss[$name]}00"
	done
	sha256sum --quiet -c "$tmp/sums" || fail 'the old primary has written to the new one'
}

# ---- it finds out by itself; nothing was written there meanwhile but what the far side never got ----
recover_behind_its_back
old_site_gives_way
expect_refused 'newer' A1 pair resume 1500
# It knows after a restart, before anybody tells it.
for name in A1 A2; do
	system_stop "$name"
	system_restart "$name"
	refused "$name" "${lss[$name]}00"
done
sha256sum --quiet -c "$tmp/sums" || fail 'the old primary has written to the new one after its restart'

# Both ends show their histories; the far side's is the newer by one generation.
newest_at_far=$(json B1 '.history[0].generation' pair show 2500)
is B1 '.state == "failed-over" and .history[0].sequence > 0' pair show 2500 || fail "$(on B1 pair show 2500)"
[ "$(json A1 ".history | any(.generation == \"$newest_at_far\")" pair show 1500)" = false ] ||
	fail 'the old site has the history of the new one'

failback_and_return()
{
	local name
	for name in B1 B2; do
		on "$name" session failback 1 "$@"
	done
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
failback_and_return

# ---- both sides are written while neither hears the other: an administrator decides ----
# The far side gets another address while the old site stands still, so that it does not find out.
recover_behind_its_back_unheard()
{
	rm -f "$tmp/ordered.log"
	start_writer "${uris[@]}"
	kill -STOP "${system_pid[A1]}" "${system_pid[A2]}"
	on B1 session recover 1
	for name in B1 B2; do
		write_block "$name" "${lss[$name]}00" 0x61
		system_stop "$name"
	done
	system_continue A1
	system_continue A2
}
declare -A generation=()
for name in A1 A2; do
	generation[$name]=$(json "$name" '.history[0].generation' pair show "${lss[$name]}00")
done
recover_behind_its_back_unheard
answered=$(wc -l <"$tmp/ordered.log")
wait_until 20 has_answers $((answered + 200))
# That it was written without the far side is on its record within a second or two.
for name in A1 A2; do
	wait_until 20 is "$name" ".reason == \"link\" and .history[0].generation != \"${generation[$name]}\"" \
		pair show "${lss[$name]}00"
done
stop_writer
"$ordered" audit "${uris[@]}" >"$tmp/old"
for name in B1 B2; do
	system_restart "$name"
done
old_site_gives_way_quietly()
{
	for name in A1 A2; do
		wait_until 60 is "$name" '.state == "suspended" and .reason == "history"' pair show "${lss[$name]}00"
	done
}
old_site_gives_way_quietly
one='.* since .* from CG [0-9]+, [0-9]+ KiB'
expect_refused "both sides were written: here $one; on 2105.FA10 $one" B1 session failback 1
expect_refused '--discard' B1 session failback 1
expect_refused '--discard' B2 session failback 1
expect_equal failed-over "$(json B1 .state pair show 2500)" 'state after the refusal'
"$ordered" audit "${uris[@]}" | cmp - "$tmp/old" || fail 'a refused failback changed the old site'
failback_and_return --discard

for name in A1 A2 B1 B2; do
	system_stop "$name"
done
