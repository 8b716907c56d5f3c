#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Production went to the other site by failover and failback, volume by volume, and a session of that site's own runs
# the other way: its groups count from 1, where those of the old direction came to a hundred. When that site is lost,
# the old one is recovered to the last of the new groups, never taken for a side that a swap has left behind.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq

for name in A B; do
	site "$name" "2105.F$name"
done
path A 15 B 25
path B 25 A 15
volumes="00 01 02"
for volume in $volumes; do
	on A volume create "15$volume" --pool p1 --size 4M
	on B volume create "25$volume" --pool p1 --size 4M
	pair A "15$volume" B "25$volume" async
done
on A session open 1 --lss 15
on A session add 1 1500 1501 1502
on A session start 1 --master 15
start_writer "$(uri A 1500)" "$(uri A 1501)" "$(uri A 1502)"
wait_until 60 is A '.joined_count == 3 and .sequence > 100' session show 1
stop_writer
wait_until 30 quiet A 1500 1501 1502
on A session terminate 1
old=$(json A .sequence session show 1)

# ---- the other way round ----
on B session terminate 1 --force
for volume in $volumes; do
	on B pair failover "25$volume"
	on B pair failback "25$volume" >"$tmp/out"
	wait_until 30 quiet B "25$volume"
done
on B session open 1 --lss 25
on B session add 1 2500 2501 2502
on B session start 1 --master 25 --interval 50ms
wait_until 60 is B '.joined_count == 3 and .sequence > 0' session show 1
start_writer "$(uri B 2500)" "$(uri B 2501)" "$(uri B 2502)"
wait_until 60 has_answers $(($(wc -l <"$tmp/ordered.log") + 100))
answered=$(wc -l <"$tmp/ordered.log")
wait_until 60 is B ".cg_good >= $(json B .cg_good session show 1) + 2" session show 1
sequence=$(json B .sequence session show 1)
[ "$sequence" -lt "$old" ] || fail "CG $sequence is not below $old of the old direction: nothing is shown by this"

# ---- that site is lost ----
system_kill B
stop_writer
json A . session recover 1 >"$tmp/recovered"
jq -e ".sequence >= $sequence and .sequence < $old and .volumes == 3" "$tmp/recovered" >"$tmp/out" ||
	fail "$(cat "$tmp/recovered")"
shown=$("$ordered" audit "$(uri A 1500)" "$(uri A 1501)" "$(uri A 1502)" | grep -o '[0-9]*')
[ "$shown" -ge "$answered" ] || fail "write $answered was answered, and $shown is the newest there"
