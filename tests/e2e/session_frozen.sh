#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Sessions of type pprc over two systems with real hosts: a freeze by command under load, and by a far side that goes;
# what is refused; and that it is known after a kill. And of type flashcopy.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq qemu-io

site A 2105.FA120
site C 2105.FA121
site B 2105.FB230
for volume in 1500 1501; do
	on A volume create "$volume" --pool p1 --size 16M
done
on C volume create 1600 --pool p1 --size 16M
for volume in 2500 2501 2600; do
	on B volume create "$volume" --pool p1 --size 16M
done
path A 15 B 25
path C 16 B 26
path A 15 C 16
path C 16 A 15
pair A 1500 B 2500 sync
pair A 1501 B 2501 global-copy
pair C 1600 B 2600 sync
well()
{
	is A '.state == "full-duplex"' pair show 1500 && is A .first_copy_done pair show 1501 &&
		is C '.state == "full-duplex"' pair show 1600
}
wait_until 30 well

# ---- open, add, start: and what is refused ----
expect_exit 1 'xrc' on A session open 7 --lss 15 --type xrc
on A session open 7 --lss 15 --type pprc
on A lss create 17
expect_refused 'type pprc' A session open 7 --lss 17
expect_refused 'no volumes' A session freeze 7
on A session add 7 1500 1501
expect_refused 'it is in session 7' A pair delete 1500
expect_refused 'not for sessions of type pprc' A session pause 7
expect_refused 'not for sessions of type pprc' A session swap 7
expect_refused 'not for sessions of type pprc' A session practice 7
expect_refused 'for sessions of type xdc' A session start 7 --master 15 --interval 0
expect_refused 'not open' A session start 7 --master 15 --subordinate 2105.FA121:16
expect_equal 'none open' "$(json A '"\(.role) \(.state)"' session show 7)" 'a session whose start was refused'
on C session open 7 --lss 16 --type pprc
on C session add 7 1600
on A session start 7 --master 15 --subordinate 2105.FA121:16
expect_refused 'its master, 2105.FA120' C session freeze 7
expect_equal 'pprc master running 3 2' \
	"$(json A '"\(.type) \(.role) \(.state) \(.volume_count) \(.joined_count)"' session show 7)" 'the session'

# ---- freeze under load, run, resume ----
frozen()
{
	is A '.state == "frozen" and ([.members[].state] == ["frozen", "frozen"])' session show 7
}
start_writer "$(uri A 1500)" "$(uri A 1501)" "$(uri C 1600)"
wait_until 30 has_answers 100
on A session freeze 7 --hold 1m
frozen || fail "$(on A session show 7)"
is A .held session show 7 || fail "hosts go on"
expect_equal 'open add remove resume run terminate' "$(json A '.allowed | join(" ")' session show 7)" 'what is allowed'
is C '.state == "suspended" and .reason == "freeze"' pair show 1600 || fail "$(on C pair show 1600)"
expect_refused 'frozen already' A session freeze 7
for volume in 2500 2501 2600; do
	cp "$(image B "$volume")" "$tmp/frozen-$volume"
done
on A session run 7
expect_refused 'no hosts of it are held' A session run 7
wait_until 30 has_answers "$(($(wc -l <"$tmp/ordered.log") + 100))"
for volume in 2500 2501 2600; do
	expect_same "$tmp/frozen-$volume" "$(image B "$volume")" "frozen volume $volume and itself"
done
expect_refused 'it is suspended' A session freeze 7
system_kill C
system_restart C
wait_until 30 frozen
stop_writer
on A session resume 7
wait_until 30 well
expect_equal '"running"' "$(json A '.state | tojson' session show 7)" 'after the resume'

# ---- the far side goes: all are suspended with the first that cannot go on; what is not full-duplex lags ----
system_kill B
qemu-io -f raw -t none -c 'write -P 0x51 0 4k' "$(uri C 1600)" >"$tmp/io" 2>&1 || fail "$(cat "$tmp/io")"
is A '.state == "mixed" and ([.members[].state] == ["mixed", "frozen"])' session show 7 || fail "$(on A session show 7)"
is A '.state == "suspended" and .reason == "group"' pair show 1500 || fail "$(on A pair show 1500)"
system_restart B
wait_until 30 on A session resume 7
wait_until 30 well
wait_until 30 quiet A 1501
expect_equal_images A 1500 B 2500
expect_equal_images A 1501 B 2501
expect_equal_images C 1600 B 2600

# ---- the end ----
expect_refused 'it is started' A session close 7 --lss 15
on A session terminate 7
expect_refused 'is in it' A session close 7 --lss 15
expect_equal '"none"' "$(json C '.role | tojson' session show 7)" 'the subordinate'
on A session remove 7 1500 1501
on A session close 7 --lss 15
on C session remove 7 1600
on C session close 7 --lss 16
on A pair delete 1500

# ---- type flashcopy: FlashCopies of both systems at one moment, again and again ----
on A volume create 1510 --pool p1 --size 16M
on C volume create 1610 --pool p1 --size 16M
on A flash create 1501 1510 --record
on A session open 8 --lss 15 --type flashcopy
expect_refused 'is open as one of type flashcopy' A session open 8 --lss 17 --type pprc
expect_refused 'the source of no FlashCopy' A session add 8 1500
on A session add 8 1501
on C session open 8 --lss 16 --type flashcopy
on C flash create 1600 1610 --record
on C session add 8 1600
on A session start 8 --master 15 --subordinate 2105.FA121:16
expect_refused 'not for sessions of type flashcopy' A session freeze 8
for pattern in 0x71 0x72; do
	qemu-io -f raw -t none -c "write -P $pattern 1M 64k" "$(uri A 1501)" >"$tmp/io" 2>&1 || fail "$(cat "$tmp/io")"
	qemu-io -f raw -t none -c "write -P $pattern 1M 64k" "$(uri C 1600)" >"$tmp/io" 2>&1 || fail "$(cat "$tmp/io")"
	on A session flash 8
	for uri in "$(uri A 1510)" "$(uri C 1610)"; do
		qemu-io -r -f raw -c "read -P $pattern 1M 64k" "$uri" >"$tmp/io" 2>&1 || fail "$(cat "$tmp/io")"
		! grep -q 'Pattern verification failed' "$tmp/io" || fail "$uri: $(cat "$tmp/io")"
	done
done
system_kill C
expect_refused 'nothing was changed' A session flash 8
system_restart C
