#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Hosts write to more regions than the dirty log has room for while the far side is away: they go on. The source is
# killed; when both are back the whole volume is compared, what differs is sent, and both sides are equal.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq qemu-img qemu-io

regions=1100 region=$((4 << 20))

# write_regions PATTERN: one block of each region.
write_regions()
{
	local i
	for ((i = 0; i < regions; i++)); do
		echo "write -P $1 $((i * region + 8192)) 4k"
	done | timeout 60 qemu-io -f raw -t none "$(uri A 1500)" >"$tmp/io" 2>&1 || fail "$(tail -n 2 "$tmp/io")"
	expect_equal "$regions" "$(grep -c '^qemu-io> *wrote 4096\|^wrote 4096' "$tmp/io")" 'writes answered'
}

site A 2105.FA120
site B 2105.FB230
path A 15 B 25
on A volume create 1500 --pool p1 --size 5G
on B volume create 2500 --pool p1 --size 5G
on A pair create 1500 2500 --system 2105.FB230 --type global-copy
wait_until 120 quiet A 1500

system_kill B
write_regions 0x21
grep -q 'volume 1500 has no room for more regions: all of it is in doubt' "$tmp/A/log" || fail 'the log did not fill up'
system_kill A
system_restart A
write_regions 0x22
system_restart B
wait_until 120 quiet A 1500
qemu-img compare -f raw -F raw "$(image A 1500)" "$(image B 2500)" >"$tmp/compare" || fail "$(cat "$tmp/compare")"
sent=$(json A .sent_bytes pair show 1500)
[ "$sent" -lt $((regions * 4096 * 2)) ] || fail "$((regions * 4096)) bytes differed, $sent were sent"
