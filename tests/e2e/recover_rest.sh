#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The site is lost while one volume of the far side is offline and another is still being copied for the first time:
# the others are recovered, and the command names both. What was not there is recovered by the same command later,
# which leaves alone what hosts have written meanwhile; before that nothing goes home. Half a copy is taken over by
# force only.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq qemu-io nbdcopy perl

site A1 2105.FA120
site B1 2105.FB230
far_gate=$(free_port)
gate "$far_gate" B1 8
on A1 path create 15 25 --system 2105.FB230 --to "$loopback:$far_gate"
path B1 25 A1 15

# Its first copy is in its middle, since the link has let 8 MiB through and no more.
on A1 volume create 1502 --pool p1 --size 128M
on B1 volume create 2502 --pool p1 --size 128M
head -c 128M /dev/urandom >"$tmp/random"
nbdcopy "$tmp/random" "$(uri A1 1502)"
rm "$tmp/random"
pair A1 1502 B1 2502 async
wait_until 60 gate_is_full
gate_close
on A1 pair suspend 1502
expect_equal false "$(json A1 .first_copy_done pair show 1502)" 'the first copy is done'
gate "$far_gate" B1 65536

for number in 00 01; do
	on A1 volume create "15$number" --pool p1 --size 4M
	on B1 volume create "25$number" --pool p1 --size 4M
	pair A1 "15$number" B1 "25$number" async
done
on A1 session open 1 --lss 15
on A1 session add 1 1500 1501
on A1 session start 1 --master 15
wait_until 30 is A1 '.joined_count == 2 and .sequence > 0' session show 1
start_writer "$(uri A1 1500)" "$(uri A1 1501)"
more_groups 5

system_kill B1
hidden=$(image B1 2501)
mv "$hidden" "$tmp/hidden"
system_restart B1
wait_until 30 is B1 '[.problems[] | select(.kind == "volume-offline" and .volume == "2501")] | length == 1' \
	session show 1
expect_refused '2501 on 2105.FB230' B1 session probe 1
system_kill A1
stop_writer
expect_refused 'its first copy had not ended' B1 pair failover 2502
on B1 session recover 1 --json >"$tmp/first"
jq -e '.volumes == 1 and .volumes_missing == 1 and .missing == "2501 on 2105.FB230" and .volumes_outside == 1 and
	.outside == "2502 on 2105.FB230" and (.next | test("session recover 1 again"))' "$tmp/first" >/dev/null ||
	fail "$(cat "$tmp/first")"
expect_equal write "$(json B1 .access volume show 2500)" 'what hosts may do with the volume that was recovered'
expect_equal none "$(json B1 .access volume show 2502)" 'what hosts may do with half a copy'
expect_refused '2501 --force goes on without it' B1 session failback 1

# io COMMAND [-c COMMAND]...: on the volume that was recovered.
io()
{
	qemu-io -f raw -c "$@" "$(uri B1 2500)" >"$tmp/io" 2>&1 || fail "$(cat "$tmp/io")"
	! grep -qi 'failed' "$tmp/io" || fail "$(cat "$tmp/io")"
}

# Production goes on there, at a place that the journal has too.
io 'read 0 4k' -c 'write -f -P 0x77 0 4k'
system_kill B1
mv "$tmp/hidden" "$hidden"
system_restart B1
on B1 session recover 1 --json >"$tmp/second"
jq -e --slurpfile first "$tmp/first" '.volumes == 2 and .volumes_missing == 0 and .missing == null and
	.sequence == $first[0].sequence and (.next | test("session failback 1"))' "$tmp/second" >/dev/null ||
	fail "$(cat "$tmp/second")"
expect_equal write "$(json B1 .access volume show 2501)" 'what hosts may do with the volume that was recovered later'
# What was written after the recovery is still there.
io 'read -P 0x77 0 4k'
on B1 pair failover 2502 --force
expect_equal write "$(json B1 .access volume show 2502)" 'what hosts may do with half a copy that was taken as it is'
system_stop B1
