#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What hosts wrote and the far side has not heard of is noted in the dirty log of the reactor of their volume. It is
# found again after kill -9 when xdcd starts with fewer reactors, or with more; and when a log is gone, or damaged, all
# volumes are in doubt and compared. Each time both sides are equal in the end.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq qemu-io

volumes=(0 1 2 3 4 5 6 7)

write_all()
{
	local i
	for i in "${volumes[@]}"; do
		qemu-io -f raw -t none -c "write -P $1 $((i * 5))M 4k" "$(uri A "150$i")" >"$tmp/io" 2>&1 ||
			fail "$(cat "$tmp/io")"
	done
}

# restart_with REACTORS: A, which was killed.
restart_with()
{
	system_args[A]="${args_A} --reactors $1"
	system_restart A
}

expect_equal_sides()
{
	local i
	for i in "${volumes[@]}"; do
		on A pair resume "150$i"
	done
	for i in "${volumes[@]}"; do
		wait_until 60 quiet A "150$i"
		expect_equal_images A "150$i" B "250$i"
	done
	for i in "${volumes[@]}"; do
		on A pair suspend "150$i"
	done
}

logs()
{
	(cd "$tmp/A/state" && echo dirty-*)
}

compared()
{
	json A 'map(.compared_bytes) | add' pair list
}

site A 2105.FA120
site B 2105.FB230
args_A=${system_args[A]}
system_stop A
restart_with 4
path A 15 B 25
for i in "${volumes[@]}"; do
	on A volume create "150$i" --pool p1 --size 64M
	on B volume create "250$i" --pool p1 --size 64M
	pair A "150$i" B "250$i" global-copy
done
for i in "${volumes[@]}"; do
	wait_until 60 quiet A "150$i"
	on A pair suspend "150$i"
done
expect_equal 'dirty-0.log dirty-1.log dirty-2.log dirty-3.log' "$(logs)" 'logs'

# ---- fewer reactors, more, as many ----
pattern=1
for reactors in 1 3 2 4 4; do
	write_all $((pattern++))
	system_kill A
	restart_with "$reactors"
	expect_equal "$reactors" "$(logs | wc -w)" "logs of $reactors reactors"
	expect_equal_sides
	# A region a volume, and nothing more.
	expect_equal $((8 * 4 << 20)) "$(compared)" 'bytes that were compared'
done

# ---- a log is gone; then one is damaged ----
write_all $((pattern++))
system_kill A
rm "$tmp/A/state/dirty-2.log"
restart_with 4
expect_equal_sides
expect_equal $((8 * 64 << 20)) "$(compared)" 'bytes compared after a log was lost'
write_all $((pattern++))
system_kill A
dd if=/dev/zero of="$tmp/A/state/dirty-1.log" bs=4096 count=32 conv=notrunc status=none
restart_with 2
expect_equal_sides
expect_equal $((8 * 64 << 20)) "$(compared)" 'bytes compared after a log was damaged'
[ -e "$tmp/A/state/dirty-1.log.damaged" ] || fail 'the damaged log was not kept'
expect_equal 'dirty-0.log dirty-1.log dirty-1.log.damaged' "$(logs)" 'logs'
grep -q 'all paired volumes are in doubt' "$tmp/A/log" || fail 'nothing in the log about lost dirty logs'
write_all $((pattern++))
system_kill A
restart_with 2
expect_equal_sides
expect_equal $((8 * 4 << 20)) "$(compared)" 'bytes that were compared later'
