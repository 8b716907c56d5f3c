#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# More FlashCopies than files that the process may open: their maps and logs are open only while they are used. A volume
# too many is refused with the limit and the remedy, and all else goes on at the limit, also after a restart.
. "$(dirname "$0")/lib.sh"
requires jq nbdcopy qemu-io

# Of this shell and of the system: a quarter is spared for all that is not one of many.
limit=240
ulimit -n "$limit"
system_start A --id 2105.FA120 --nbd "unix:$tmp/nbd" --reactors 2
on A pool create p1 --dir "$tmp/pool1"

# ---- volumes, until one is refused ----
on A lss create 15
count=0
while "$xdc" --control "unix:$tmp/A/control" volume create "$(printf '15%02X' "$count")" --pool p1 --size 1M \
	>"$tmp/created" 2>"$tmp/refused"; do
	count=$((count + 1))
	[ "$count" -lt "$limit" ] || fail 'no volume is refused at the limit of open files'
done
[ "$count" -gt $((limit / 2)) ] || fail "only $count volumes with $limit files: $(cat "$tmp/refused")"
grep -q "limit of open files of xdcd, $limit" "$tmp/refused" || fail "the limit is not named: $(cat "$tmp/refused")"
expect_equal "$count" "$(json A length volume list)" 'the volumes'

# ---- a FlashCopy of each to one of a few that are left, from few sources: each has a map and a log ----
write()
{
	qemu-io -f raw -c "write -P $2 0 64k" "nbd+unix:///$1?socket=$tmp/nbd" >/dev/null
}
shows()
{
	qemu-io -f raw -r -c "read -P $2 0 64k" "nbd+unix:///$1?socket=$tmp/nbd" | grep -q '^read 65536' ||
		fail "volume $1 does not show $2"
}
sources=$(((count + 12) / 13))
targets=$((count - sources))
for ((i = 0; i < sources; i++)); do
	write "$(printf '15%02X' "$i")" 7
done
for ((i = 0; i < targets; i++)); do
	on A flash create "$(printf '15%02X' $((i % sources)))" "$(printf '15%02X' $((sources + i)))" --no-copy
done
for ((i = 0; i < sources; i++)); do
	write "$(printf '15%02X' "$i")" 8
done
for ((i = 0; i < targets; i++)); do
	shows "$(printf '15%02X' $((sources + i)))" 7
done
no_hosts A
opened=$(find "/proc/${system_pid[A]}/fd" -mindepth 1 | wc -l)
[ "$opened" -le "$limit" ] || fail "$opened files are open"

# ---- again after it was killed ----
system_kill A
system_restart A
expect_equal "$targets" "$(json A '[.[] | select(.state == "active" and (.offline | not))] | length' flash list)" \
	'the FlashCopies after a restart'
shows "$(printf '15%02X' $((count - 1)))" 7
shows 1500 8
no_hosts A
