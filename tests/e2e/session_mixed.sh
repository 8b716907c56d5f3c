#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Sessions of type pprc that cannot be suspended at one moment when a pair of them is broken: an administrator is told,
# wherever the break came from. Nobody was when a subordinate's pair broke while one of the master was suspended
# already, and when the others had been suspended together before; and a pair that only follows counted as frozen.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq qemu-io

site A 2105.FA120
site C 2105.FA121
site B 2105.FB230
site D 2105.FD230
for volume in 1500 1501; do
	on A volume create "$volume" --pool p1 --size 4M
	on B volume create "2${volume:1}" --pool p1 --size 4M
done
on C volume create 1600 --pool p1 --size 4M
on D volume create 2600 --pool p1 --size 4M
path A 15 B 25
path C 16 D 26
path A 15 C 16
path C 16 A 15
pair A 1500 B 2500 sync
pair A 1501 B 2501 sync
pair C 1600 D 2600 sync
duplex()
{
	is "$1" '.state == "full-duplex"' pair show "$2"
}
well()
{
	duplex A 1500 && duplex A 1501 && duplex C 1600
}
wait_until 30 well
on A session open 7 --lss 15 --type pprc
on A session add 7 1500 1501
on C session open 7 --lss 16 --type pprc
on C session add 7 1600
on A session start 7 --master 15 --subordinate 2105.FA121:16

# told NAME: how often it was said there that the far sides are of no one moment.
told()
{
	on "$1" events --json | jq -s '[flatten[] | select(.kind == "pair-suspended" and .object == "session 7" and
		(.text | contains("of no one moment")))] | length'
}
told_of()
{
	[ "$(told "$1")" -ge "$2" ]
}
# broken NAME NAME VOLUME: a host writes to a volume whose far side has gone.
broken()
{
	system_kill "$1"
	qemu-io -f raw -t none -c 'write -P 0x51 0 4k' "$(uri "$2" "$3")" >"$tmp/io" 2>&1 || fail "$(cat "$tmp/io")"
}
mixed()
{
	is A '.state == "mixed"' session show 7
}
all_resumed()
{
	on A session resume 7 && well
}

# ---- one of the master was suspended before: told at the master, and where it broke ----
on A pair suspend 1501
broken D C 1600
wait_until 20 told_of A 1
wait_until 20 told_of C 1
mixed || fail "$(on A session show 7)"
is A '.state == "suspended" and .reason == "group"' pair show 1500 || fail "$(on A pair show 1500)"
is C '.state == "suspended" and .reason == "group"' pair show 1600 || fail "$(on C pair show 1600)"
on A events --json | jq -se 'flatten | map(select(.object == "volume 1500" and .kind == "pair-suspended"))[-1].remedy |
	contains("suspended with it")' >/dev/null || fail "$(on A events)"
system_restart D
wait_until 30 all_resumed

# ---- all are suspended at one moment: nobody is told ----
before="$(told A) $(told C)"
broken B A 1500
is A '.state == "frozen"' session show 7 || fail "$(on A session show 7)"
expect_equal "$before" "$(told A) $(told C)" 'what was told of a session that was suspended whole'

# ---- another moment for some: all but one are resumed, and one breaks again ----
system_restart B
again()
{
	on A pair resume 1500 && on C pair resume 1600 && duplex A 1500 && duplex C 1600
}
wait_until 30 again
before=$(told A)
broken B A 1500
wait_until 20 told_of A $((before + 1))
mixed || fail "$(on A session show 7)"
expect_equal 'suspended suspended suspended' \
	"$(json A .state pair show 1500) $(json A .state pair show 1501) $(json C .state pair show 1600)" 'the pairs'

# ---- one that is not full-duplex is suspended with the others, and not of their moment ----
system_restart B
wait_until 30 all_resumed
on A volume create 1502 --pool p1 --size 4M
on B volume create 2502 --pool p1 --size 4M
pair A 1502 B 2502 global-copy
on A session add 7 1502
wait_until 30 quiet A 1502
before=$(told A)
broken D C 1600
wait_until 20 told_of A $((before + 1))
mixed || fail "$(on A session show 7)"
is A '.state == "suspended" and .reason == "group"' pair show 1502 || fail "$(on A pair show 1502)"
