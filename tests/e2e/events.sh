#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Events: what an administrator does and what happens to a pair whose link is cut is told to those that follow, once
# each, also over a kill of the system; limits are kept; jobs show the first copy.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq

site A 2105.FA120
site B 2105.FB230
path A 15 B 25
wait_until 20 connected A

# ---- one that follows: all lines of JSON in $tmp/events ----
control=unix:$tmp/A/control
(trap - ERR && exec "$xdc" --control "$control" events --follow --since 0 --json >"$tmp/events" 2>"$tmp/says") &
follower=$!
kill_follower()
{
	kill "$follower" 2>/dev/null || true
	wait "$follower" 2>/dev/null || true
}
at_end kill_follower

# told COUNT KIND [OBJECT]: so many such events were told.
told()
{
	jq -se --arg kind "$2" --arg object "${3-}" --argjson count "$1" \
		'map(select(.kind == $kind and ($object == "" or .object == $object))) | length == $count' \
		"$tmp/events" >/dev/null
}

on A volume create 1500 --pool p1 --size 1M
on B volume create 2500 --pool p1 --size 1M
pair A 1500 B 2500 async
wait_until 30 quiet A 1500
wait_until 10 told 1 pair-copied 'volume 1500'
wait_until 10 told 1 change 'volume 1500'
jq -se '.[] | select(.kind == "change" and .object == "volume 1500") |
	.text == "user '"$(id -u)"': xdc volume create 1500 --pool p1 --size 1M"' "$tmp/events" >/dev/null ||
	fail "$(jq -c 'select(.kind == "change")' "$tmp/events")"

# ---- limits ----
on A system set --rpo-limit 2s --cg-failures-limit off --pool-limit 99
limits='.limits | [.rpo_ms, .cg_failures, .journal_percent, .pool_percent] | tojson'
expect_equal '[2000,null,80,99]' "$(json A "$limits" system show)" 'limits'
expect_exit 2 'a limit is 1 to 99, or off' "$xdc" --control "$control" system set --pool-limit 100

# ---- the link is cut: lost, and the RPO above its limit; each once; then both are good again ----
on A session open 1 --lss 15
on A session add 1 1500
on A session start 1 --master 15
wait_until 30 is A '.sequence > 0' session show 1
wait_until 10 told 1 session-started 'session 1'
system_kill B
wait_until 30 told 1 link-lost 'system 2105.FB230'
wait_until 30 told 1 rpo-high 'session 1'
system_restart B
wait_until 30 told 1 link-returned 'system 2105.FB230'
wait_until 30 told 1 rpo-normal 'session 1'
told 1 link-lost && told 1 rpo-high || fail "$(cat "$tmp/events")"
jq -se 'map(select(.kind == "link-lost"))[0] | .level == "warning" and .remedy != null' "$tmp/events" >/dev/null ||
	fail "$(jq -c 'select(.kind == "link-lost")' "$tmp/events")"

# ---- suspended by command, and again ----
on A volume create 1501 --pool p1 --size 1M
on B volume create 2501 --pool p1 --size 1M
pair A 1501 B 2501 global-copy
wait_until 30 quiet A 1501
on A pair suspend 1501
wait_until 10 told 1 pair-suspended "volume 1501"
on A pair resume 1501
wait_until 10 told 1 pair-resumed 'volume 1501'

# ---- the system is killed: who follows says so, goes on, and misses nothing that was told before ----
last=$(json A .last_event system show)
system_kill A
wait_until 20 grep -q 'is gone; waiting for its return' "$tmp/says"
system_restart A
wait_until 30 grep -q 'is back' "$tmp/says"
wait_until 20 told 2 system-started
[ "$(json A .last_event system show)" -gt "$last" ] || fail 'numbers went back'
expect_equal '[2000,null,80,99]' "$(json A "$limits" system show)" 'limits after the kill'
# What was told before is still in the list, in order and each number once.
on A events --json | jq -e 'map(.event) | . == (sort | unique)' >/dev/null || fail "$(on A events)"
on A events --json --level warning | jq -e 'length > 0 and all(.level != "info")' >/dev/null || fail 'levels'
on A events | grep -qE 'warning  link-lost  system 2105.FB230: it is not reached' || fail "$(on A events)"
expect_equal 0 "$(on A events --json --since "$(json A .last_event system show)" | jq length)" 'events behind the last'
# An orderly stop ends the waiting of who follows at once.
system_stop A
kill_follower
jq -se 'map(.event) | . == (sort | unique)' "$tmp/events" >/dev/null || fail "told twice: $(jq -c .event "$tmp/events")"
system_stop B
