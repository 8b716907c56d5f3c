#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The power of a source of cache writeback fails (its kernel has another boot id afterwards, by a mount over the file
# that tells it): the session keeps its last group, says why and what to do, and data go on flowing. Once an
# administrator accepts, groups go on. The second time the far side is recovered instead, to the group from before.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq unshare

# xdcd under a kernel that was started anew whenever the file changes.
uuid()
{
	cat /proc/sys/kernel/random/uuid
}
uuid >"$tmp/boot_id"
real_xdcd=$xdcd
cat >"$tmp/xdcd" <<-END
	#!/bin/sh
	mount --bind "$tmp/boot_id" /proc/sys/kernel/random/boot_id || exit 70
	exec "$real_xdcd" "\$@"
END
chmod +x "$tmp/xdcd"
own_mounts="unshare --mount"
[ "$(id -u)" -eq 0 ] || own_mounts="unshare --map-root-user --mount"
$own_mounts mount --bind "$tmp/boot_id" /proc/sys/kernel/random/boot_id 2>/dev/null || skip 'needs mounts of its own'
cat >"$tmp/power" <<-END
	#!/bin/sh
	exec $own_mounts "$tmp/xdcd" "\$@"
END
chmod +x "$tmp/power"

site B1 2105.FB230
xdcd=$tmp/power
site A1 2105.FA120
path A1 15 B1 25
path B1 25 A1 15
for number in 00 01; do
	on A1 volume create "15$number" --pool p1 --size 4M
	on B1 volume create "25$number" --pool p1 --size 4M
	pair A1 "15$number" B1 "25$number" async
done
on A1 session open 1 --lss 15
on A1 session add 1 1500 1501
on A1 session start 1 --master 15
wait_until 30 is A1 '.joined_count == 2 and .sequence > 0' session show 1

uris=("$(uri A1 1500)" "$(uri A1 1501)")
has_lost_the_source()
{
	[ "$(grep -c 'control connection of 2105.FA120 has ended' "$tmp/B1/log")" -gt "$1" ]
}
# The machine goes down under load and comes back. Both volumes have writes that the far side cannot have.
lose_power()
{
	local ended
	more_groups 3
	ended=$(grep -c 'control connection of 2105.FA120 has ended' "$tmp/B1/log" || true)
	system_pause B1
	wait_until 30 has_answers $(($(wc -l <"$tmp/ordered.log") + 50))
	system_kill A1
	stop_writer
	system_continue B1
	wait_until 30 has_lost_the_source "$ended"
	kept=$(json B1 .sequence session show 1)
	prepared=$(json B1 .prepared_sequence session show 1)
	uuid >"$tmp/boot_id"
	system_restart A1
}
# Writes go on, and groups do not.
expect_held()
{
	wait_until 30 is A1 '.state == "running" and .last_failure.reason == "unflushed writes lost" and
		.last_failure.system == "2105.FA120"' session show 1
	on A1 session show 1 --json >"$tmp/shown"
	jq -e '[.problems[] | select(.kind == "writes-lost" and .since != null and
		(.remedy | test("volume accept 150[01];? .*session recover 1")))] | length == 2' \
		"$tmp/shown" >/dev/null || fail "$(cat "$tmp/shown")"
	is A1 '[.[] | select(.state == "writes-lost")] | length == 2' volume list || fail 'states of the volumes'
	start_writer "${uris[@]}"
	wait_until 30 has_answers $(($(wc -l <"$tmp/ordered.log") + 500))
	# What was prepared when the power failed may have been committed by the new master: it is of before.
	sequence=$(json B1 .sequence session show 1)
	[ "$sequence" -eq "$kept" ] || [ "$sequence" -eq "$prepared" ] ||
		fail "CG $sequence is there instead of $kept or $prepared"
	on B1 session probe 1 --json | jq -e ".sequence == $sequence" >/dev/null || fail 'recovery is not possible now'
}

start_writer "${uris[@]}"
# A death of the process alone loses nothing.
more_groups 3
system_kill A1
stop_writer
system_restart A1
start_writer "${uris[@]}"
more_groups 3

lose_power
expect_held
on A1 volume accept 1500 >/dev/null
on A1 session show 1 --json | jq -e '[.problems[].volume] == ["1501"]' >/dev/null || fail 'one is still to be accepted'
on A1 volume accept 1501 >/dev/null
more_groups 3
on A1 session show 1 --json | jq -e '.problems == []' >/dev/null || fail 'problems after they were accepted'

# An orderly stop loses nothing, whatever the machine does afterwards.
stop_writer
system_stop A1
uuid >"$tmp/boot_id"
system_restart A1
start_writer "${uris[@]}"
more_groups 3

lose_power
least=$(tail -n 1 "$tmp/ordered.log" | cut -d' ' -f1)
cp "$tmp/ordered.log" "$tmp/before.log"
expect_held
system_kill A1
stop_writer
on B1 session recover 1 --json | jq -e ".sequence == $sequence" >/dev/null || fail 'recovered to another group'
"$ordered" check "$tmp/before.log" "$(uri B1 2500)" "$(uri B1 2501)" | tee "$tmp/verdict"
present=$(sed -n 's/.* \([0-9]*\) present.*/\1/p' "$tmp/verdict")
[ "$present" -le $((least + 1)) ] || fail "the image has $present writes, of which the power took all after $least"

# Production comes back with what the far side has: nothing is left to accept.
system_restart A1
on B1 session failback 1 >"$tmp/said"
grep -q '^the old site gets .*; next: .*xdc session return 1 on each far side$' "$tmp/said" ||
	fail 'what comes next is not told'
wait_until 30 is A1 '.state == "fatal"' session show 1
on A1 session terminate 1 >/dev/null
on B1 session return 1 >"$tmp/said"
grep -q 'sources again; next: start the hosts there' "$tmp/said" || fail 'what comes next is not told'
is A1 'all(.state == "online")' volume list || fail 'losses that were made good are still there'
on A1 session add 1 1500 1501 >/dev/null
on A1 session start 1 --master 15 >/dev/null
wait_until 60 is A1 '.joined_count == 2 and .sequence > 0' session show 1
for number in 00 01; do
	wait_until 30 quiet A1 "15$number"
	expect_equal_images A1 "15$number" B1 "25$number"
done

# ---- a synchronous pair: what was lost here is not overwritten there before somebody has looked, nor by command ----
on A1 volume create 1502 --pool p1 --size 4M
on B1 volume create 2502 --pool p1 --size 4M
pair A1 1502 B1 2502 sync
full_duplex()
{
	is A1 '.state == "full-duplex" and .reason == null' pair show 1502
}
wait_until 30 full_duplex
rm "$tmp/ordered.log"
start_writer "$(uri A1 1502)"
on A1 pair suspend 1502
system_kill A1
stop_writer
uuid >"$tmp/boot_id"
system_restart A1
expect_refused 'this side lost writes with the power, and the far side has them' A1 pair resume 1502
expect_refused 'xdc volume accept 1502; or xdc pair failover 2502 on 2105.FB230' A1 pair resume 1502
on A1 volume accept 1502 >/dev/null
on A1 pair resume 1502
wait_until 30 full_duplex
expect_equal_images A1 1502 B1 2502
system_stop A1 B1
