#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A journal of a far side is damaged while that is down: in each way the system starts all the same and serves what does
# not need it, the session says what is wrong since when and what to do, its groups are refused, and all goes on when
# the journal is back as it was. When it does not come back, recovery counts it as missing, or the group is given up by
# name and the volumes are copied anew.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq nbdinfo qemu-io

declare -A lss=([A1]=15 [A2]=16 [B1]=25)
n=120
for name in A1 A2 B1; do
	site "$name" "2105.FA$((n++))"
done
for name in A1 A2; do
	path "$name" "${lss[$name]}" B1 25
	on "$name" volume create "${lss[$name]}00" --pool p1 --size 4M
	on B1 volume create "25${lss[$name]}" --pool p1 --size 4M
	pair "$name" "${lss[$name]}00" B1 "25${lss[$name]}" async
	on "$name" session open 1 --lss "${lss[$name]}"
	on "$name" session add 1 "${lss[$name]}00"
done
path A1 15 A2 16
# What has nothing to do with the session.
on A1 volume create 1509 --pool p1 --size 4M
on B1 volume create 2509 --pool p1 --size 4M
on B1 volume create 2508 --pool p1 --size 4M
pair A1 1509 B1 2509 global-copy
on A1 session start 1 --master 15 --subordinate "${id_of[A2]}:16"
wait_until 30 is A1 '.joined_count == 2 and .sequence > 0' session show 1

uris=("$(uri A1 1500)" "$(uri A2 1600)")
far_uris=("$(uri B1 2515)" "$(uri B1 2516)")
start_writer "${uris[@]}"

journals=$tmp/B1/state/journals
# flip FILE AT: one bit.
flip()
{
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf "\\x$(printf %02x $((byte ^ 4)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

damage_flip()
{
	local file
	# The checkpoint, with which each begins.
	for file in "$journals/1-${id_of[A1]}"-*.seg; do
		flip "$file" 8300
	done
}
damage_truncate()
{
	truncate -s 1M "$journals/1-${id_of[A1]}-0000.seg"
}
damage_remove()
{
	rm "$journals/1-${id_of[A1]}-0000.seg"
}
damage_vanish()
{
	rm "$journals/1-${id_of[A1]}"-*.seg
}
damage_folder()
{
	rm -r "$journals"
}

for how in flip truncate remove vanish folder; do
	more_groups 2
	system_kill B1
	cp -r --sparse=always "$journals" "$tmp/kept"
	"damage_$how"
	system_restart B1
	wait_until 30 connected A1
	on B1 session show 1 --json >"$tmp/shown"
	jq -e --arg system "${id_of[A1]}" '[.problems[] | select(.kind == "journal-offline" and
		.system == $system and .since != null and (.reason | length) > 10 and
		(.remedy | test("session terminate 1 --force")))] | length == 1' "$tmp/shown" >/dev/null ||
		fail "$how: $(cat "$tmp/shown")"
	# Everything else is served, and goes on.
	nbdinfo --size "$(uri B1 2508)" >/dev/null
	qemu-io -f raw -c "write -P $((RANDOM % 250 + 1)) 0 64k" "$(uri A1 1509)" >/dev/null
	wait_until 30 quiet A1 1509
	# The groups are refused, with the reason.
	wait_until 30 is A1 '[.problems[] | select(.kind == "far-refuses" and
		(.reason | test("offline")))] | length == 1' session show 1
	before=$(json A1 .cg_good session show 1)
	expect_refused 'offline|missing|cannot be reached' B1 session probe 1
	expect_refused 'target' B1 volume delete 2515
	expect_equal "$before" "$(json A1 .cg_good session show 1)" "$how: groups formed meanwhile"
	system_kill B1
	# The other journal may have taken a commit meanwhile, which its older copy would take back.
	if [ "$how" = folder ]; then
		rm -rf "$journals"
		mv "$tmp/kept" "$journals"
	else
		rm -f "$journals/1-${id_of[A1]}"-*
		mv "$tmp/kept/1-${id_of[A1]}"-* "$journals"
		rm -r "$tmp/kept"
	fi
	system_restart B1
	wait_until 60 is B1 '.problems == []' session show 1
	more_groups 2
	wait_until 30 is A1 '.problems == []' session show 1
done

# ---- it does not come back: the group is given up by name, and copied anew ----
system_kill B1
damage_vanish
system_restart B1
on B1 session terminate 1 --force >/dev/null
expect_equal group-lost "$(json B1 .reason pair show 2515)" 'the pair of a volume that lacks a part of its group'
expect_refused 'target' B1 volume delete 2515
copy_anew()
{
	wait_until 30 is A1 '.reason == "group-lost"' pair show 1500
	on A1 session remove 1 1500 >/dev/null
	on A1 pair delete 1500
	pair A1 1500 B1 2515 async
	on A1 session add 1 1500 >/dev/null
	wait_until 60 is A1 '.joined_count == 2 and .problems == []' session show 1
	more_groups 2
}
copy_anew

# ---- a volume is offline while its group is given up: what it lacks nobody knows ----
system_kill B1
file=$(image B1 2515)
mv "$file" "$tmp/kept.vol"
system_restart B1
on B1 session terminate 1 --force >/dev/null
system_kill B1
mv "$tmp/kept.vol" "$file"
system_restart B1
expect_equal group-lost "$(json B1 .reason pair show 2515)" 'the pair of a volume that was offline then'
copy_anew

# ---- nor this time, and the site burns: the others are recovered, and say who is missing ----
system_kill B1
damage_vanish
system_restart B1
system_kill A1 A2
stop_writer
# Where all others are prepared with one more group only force decides; else it is certain without the missing one.
on B1 session recover 1 --json >"$tmp/recovered" 2>"$tmp/refused" || {
	grep -q 'is missing: whether CG' "$tmp/refused" || fail "$(cat "$tmp/refused")"
	on B1 session recover 1 --force --json >"$tmp/recovered"
}
jq -e '.systems_missing == 1 and .volumes == 1' "$tmp/recovered" >/dev/null || fail "$(cat "$tmp/recovered")"
expect_equal write "$(json B1 .access volume show 2516)" 'what hosts may do with the volume that was recovered'
expect_equal none "$(json B1 .access volume show 2515)" 'what hosts may do with the volume that was not'
system_stop B1
