#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Paths, pairs and sessions on the command line: two systems, one volume copied, one session from open to the end. What
# the copies contain is proved elsewhere; here it is what is said of them, and what is refused.
. "$(dirname "$0")/lib.sh"
requires jq qemu-io

port_a=$(free_port) port_b=$(free_port)
system_start A --id 2105.FA120 --link "$loopback:$port_a" --nbd "unix:$tmp/nbd"
system_start B --id 2105.FB230 --link "$loopback:$port_b"
on A pool create p --dir "$tmp/pool-a"
on B pool create p --dir "$tmp/pool-b"
on A volume create 1500 --pool p --size 16M --name db
on A volume create 1501 --pool p --size 16M

# ---- paths ----
expect_refused 'session 1: there is no such session' A session show 1
on A path create 15 25 --system 2105.FB230 --to "$loopback:$port_b"
wait_until 20 is A '.state == "connected"' path show 15 25 --system 2105.FB230
expect_equal '15 25 2105.FB230' "$(json A '.[] | "\(.source_lss) \(.target_lss) \(.system)"' path list)" 'paths'
on A path create 17 27 --system 2105.FB230 --to "$loopback:$port_b"
expect_equal '15 17' "$(json A '[.[].lss] | join(" ")' lss list)" 'a path makes missing LSSs'
expect_refused 'LSS 17: a path leads from it to LSS 27' A lss delete 17
on A path delete 17 27 --system 2105.FB230
on A lss delete 17
expect_refused 'path 17 27 to 2105.FB230: there is no such path' A path show 17 27 --system 2105.FB230

# ---- pairs: the remote volume is never made ----
expect_refused 'xdc volume create 2500|volume 2500' A pair create db 2500 --system 2105.FB230 --type async
on B volume create 2500 --pool p --size 32M
expect_refused 'volume 2500' A pair create db 2500 --system 2105.FB230 --type async
on B volume delete 2500
on B volume create 2500 --pool p --size 16M
qemu-io -f raw -c 'write -P 7 0 1M' "nbd+unix:///db?socket=$tmp/nbd" >"$tmp/qemu"
on A pair create db 2500 --system 2105.FB230 --type async --wait >"$tmp/bar"
grep -q '^1500 -> 2105.FB230 2500 \[#*\] *100.0 %' "$tmp/bar" || fail "no full bar: $(cat "$tmp/bar")"
on B volume create 2501 --pool p --size 16M
expect_equal '1501 true' "$(json A '"\(.volume) \(.first_copy_done)"' pair create 1501 2501 --system 2105.FB230 \
	--type global-copy --wait)" 'the pair at the end of its first copy'
on A pair delete 1501
expect_equal 'source async true' "$(json A '"\(.role) \(.type) \(.first_copy_done)"' pair show db)" 'the pair at A'
expect_equal 'target 1500' "$(json B '.[] | "\(.role) \(.remote_volume)"' pair list)" 'the pair at B'
expect_refused 'volume 1501: it is in no pair' A pair show 1501
expect_refused 'pair' A volume delete 1500
expect_refused 'pair' B volume delete 2500
expect_equal none "$(json B .access volume show 2500)" 'access of the target'
on A pair suspend 1500
expect_equal 'suspended command' "$(json A '"\(.state) \(.reason)"' pair show 1500)" 'the suspended pair'
on A pair resume 1500
wait_until 20 is A '.state == "copy-pending" and .out_of_sync_blocks == 0' pair show 1500

# ---- sessions ----
expect_refused 'LSS 44: there is no such LSS' A session open 1 --lss 44
on A session open 1 --lss 15
on A session add 1 db
expect_equal 'null' "$(json A '.[] | select(.table == "session") | .key' system dump)" 'the key of the session'
expect_equal 'open 1500' "$(json A '"\(.state) \(.volumes[].volume)"' session show 1)" 'the open session'
on A session start 1 --master 15 --interval 100ms --coordination 40ms --drain 2m
expect_equal '100000 40 120000' "$(json A '"\(.interval_us) \(.coordination_ms) \(.drain_ms)"' session show 1)" \
	'tunables'
wait_until 30 is A '.sequence > 0 and .joined_count == 1' session show 1
wait_until 30 is A '.cg_good > 0 and .rpo_ms != null' session show 1
expect_equal 'far' "$(json B .role session show 1)" 'role of the far side'
on A session list | grep -qE '^ *1 +master +running '
# The keys that others script against.
on A session show 1 --json >"$tmp/session"
jq -e 'has("session") and has("state") and has("phase") and has("sequence") and has("rpo_ms") and
	has("out_of_sync_blocks") and has("hold_us_p99") and has("cg_good") and has("cg_failed") and
	has("last_failure")' "$tmp/session" >"$tmp/judged" || fail "keys are missing: $(cat "$tmp/session")"
# The live view: two lines of it.
on A session show 1 --watch | head -n 2 >"$tmp/watch" || true
expect_equal 2 "$(grep -c '^session 1 running ' "$tmp/watch")" 'lines of the live view'
on A session show 1 --watch --json | head -n 2 >"$tmp/watch" || true
jq -es 'length == 2 and all(.session == 1)' "$tmp/watch" >"$tmp/judged"
wait_until 30 is B '.sequence > 0' session probe 1
on A session pause 1
wait_until 30 is A '.state == "paused"' session show 1
on A session resume 1
wait_until 30 is A '.state == "running"' session show 1
expect_equal 40 "$(json A .coordination_ms session show 1)" 'resume keeps the tunables'

# ---- recovery and the end ----
before=$(json A .sequence session show 1)
system_kill A
recovered=$(json B .sequence session recover 1)
[ "$recovered" -ge "$before" ] || fail "recovered to $recovered, and there was $before"
expect_equal write "$(json B .access volume show 2500)" 'access after recovery'
expect_equal recovered "$(json B .state session show 1)" 'state after recovery'
