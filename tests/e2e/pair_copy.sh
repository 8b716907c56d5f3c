#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A global-copy pair: what is refused before, first copy with progress, kill -9 of either end in its middle, suspend and
# resume that move changed blocks only, resync by itself when the far side comes back, zeros and discards as such,
# adopted files at both ends. Both sides are equal at the end.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq qemu-io nbdcopy perl

site A 2105.FA120
site B 2105.FB230

# io NAME VOLUME COMMAND...: qemu-io on a volume.
io()
{
	local commands=() name=$1 volume=$2 command
	shift 2
	for command; do
		commands+=(-c "$command")
	done
	qemu-io -f raw -t none "${commands[@]}" "$(uri "$name" "$volume")" >"$tmp/io" 2>&1 || fail "$(cat "$tmp/io")"
	! grep -qi 'failed' "$tmp/io" || fail "$(cat "$tmp/io")"
}

# ---- refused ----
on A volume create 1500 --pool p1 --size 512M
create=(pair create 1500 2500 --system 2105.FB230 --type global-copy)
expect_refused 'no path leads from LSS 15 to LSS 25 of system 2105.FB230' A "${create[@]}"
expect_refused 'xdc path create 15 25 --system 2105.FB230 --to HOST:PORT' A "${create[@]}"
far_gate=$(free_port)
gate "$far_gate" B 40
on A path create 15 25 --system 2105.FB230 --to "$loopback:$far_gate"
wait_until 20 connected A
expect_refused 'on 2105.FB230: xdc volume create 2500 --pool POOL --size 536870912' A "${create[@]}"
on B volume create 2500 --pool p1 --size 256M
expect_refused '(256|268435456).*(512|536870912)' A "${create[@]}"
expect_refused 'xdc volume grow' A "${create[@]}"
on B volume grow 2500 --size 512M
expect_refused 'volume 1509: there is no such volume' A pair create 1509 2500 --system 2105.FB230 --type global-copy
expect_equal 0 "$(json A length pair list)" 'pairs after refusals'
expect_equal 0 "$(json B length pair list)" 'pairs at the far side after refusals'

# ---- first copy; the far side dies in its middle, then the source ----
# Each time the link lets so much through and no more, so that it is the middle however fast the machine is.
head -c 400M /dev/urandom >"$tmp/random"
nbdcopy --flush "$tmp/random" "$(uri A 1500)"
rm "$tmp/random"
on A "${create[@]}"
wait_until 60 gate_is_full
is A '.state == "copy-pending" and .first_copy_done == false and .first_copy_bytes == 0' pair show 1500 ||
	fail "$(on A pair show 1500)"
# Its job is there, and cannot be cancelled; it outlives what follows.
job=$(json A '.[] | select(.kind == "first-copy" and .object == "volume 1500 to 2105.FB230") | .job' job list --running)
expect_equal '["running",536870912,false]' "$(json A '[.state, .total_bytes, .cancellable] | tojson' job show "$job")" \
	'the job'
expect_refused 'xdc pair suspend stops it' A job cancel "$job"
expect_refused 'source|pair' A volume delete 1500
system_kill B
wait_until 20 is A '.reason == "link"' pair show 1500
expect_equal '["suspended","link of system 2105.FB230"]' \
	"$(json A '[.state, .waiting_for] | tojson' job show "$job")" 'the job without a link'
on A pair show 1500 | grep -qE 'copy-pending' || fail "$(on A pair show 1500)"
system_restart B
expect_equal false "$(json B '.access == "write"' volume show 2500)" 'the target is not writable'
expect_refused 'target|pair' B volume delete 2500
# What is durable at the far side is noted in steps of 256 MiB; 40 and 320 are less than the 400 that there are.
gate_close
gate "$far_gate" B 320
wait_until 60 is A '.first_copy_bytes >= 256 * 1048576 and .first_copy_done == false' pair show 1500
system_kill A
gate_close
gate "$far_gate" B 4096
system_restart A
on A job show "$job" --wait 2>"$tmp/job" || fail "$(cat "$tmp/job")"
wait_until 60 quiet A 1500
expect_equal '["first-copy","completed",100]' "$(json A '[.kind, .state, .percent] | tojson' job show "$job")" 'the job'
expect_equal_images A 1500 B 2500
# What was noted is not sent again: of 400 MiB of data 144 are left.
resent=$(sent_bytes A)
[ "$resent" -le $((145 << 20)) ] || fail "after the restart $resent bytes were sent"
expect_exit 1 'hosts may not use this volume: it is the target of a pair' qemu-io -f raw -c 'write 0 4k' "$(uri B 2500)"

# ---- suspend, write, resume: the changed blocks and no others ----
on A pair suspend 1500
expect_equal '["suspended","command"]' "$(json A '[.state, .reason] | tojson' pair show 1500)" 'suspended'
before=$(sent_bytes A)
io A 1500 'write -P 0x11 0 4k' 'write -P 0x12 100M 64k' 'write -P 0x13 511M 1M' 'write -P 0x14 0 4k'
expect_equal $((1 + 16 + 256)) "$(json A .out_of_sync_blocks pair show 1500)" 'changed blocks'
on A pair resume 1500
wait_until 60 quiet A 1500
resynced()
{
	is A 'map(select(.kind == "resync" and .state == "completed" and .total_bytes == (1 + 16 + 256) * 4096)) |
		length == 1' job list
}
wait_until 20 resynced
moved=$(($(sent_bytes A) - before)) changed=$(((1 + 16 + 256) * 4096))
[ "$moved" -ge "$changed" ] && [ "$moved" -lt $((changed + 65536)) ] || fail "$changed bytes were changed, $moved sent"
expect_equal_images A 1500 B 2500

# What was noted and not sent outlives an orderly stop of the source, and kill -9 of it.
on A pair suspend 1500
io A 1500 'write -P 0x15 64M 1M' 'write -P 0x16 500M 4k'
system_stop A
system_restart A
io A 1500 'write -P 0x17 65M 1M'
system_kill A
system_restart A
on A pair resume 1500
wait_until 60 quiet A 1500
expect_equal_images A 1500 B 2500
# Which blocks of two dirty regions of 4 MiB those were is not known any more: they are compared, and not sent whole.
changed=$((2 * 1048576 + 4096))
expect_equal "[$((8 * 1048576)),$((8 * 1048576 - changed)),$changed]" \
	"$(json A '[.compared_bytes, .same_bytes, .sent_bytes] | tojson' pair show 1500)" 'compared, the same, and sent'
moved=$(sent_bytes A)
[ "$moved" -lt $((changed + 131072)) ] || fail "$changed bytes had changed, $moved were sent"

# ---- zeros and discards go over as what they are ----
before=$(sent_bytes A)
allocated()
{
	stat -c '%b' "$(image "$1" "$2")"
}
held=$(allocated B 2500)
io A 1500 'discard 8M 64M' 'write -z 100M 32M' 'write -P 0 200M 16M'
wait_until 60 quiet A 1500
moved=$(($(sent_bytes A) - before))
[ "$moved" -lt $((1 << 20)) ] || fail "zeros and discards of 112 MiB took $moved bytes on the link"
expect_equal_images A 1500 B 2500
freed=$((held - $(allocated B 2500)))
[ "$freed" -ge $((64 * 2048)) ] || fail "the far side freed $((freed / 2)) KiB after a discard of 64 MiB"

# ---- the far side goes and comes back: resync by itself, of what was changed ----
system_stop B
wait_until 20 is A '.reason == "link"' pair show 1500
io A 1500 'write -P 0x21 0 1M' 'write -P 0x22 300M 1M'
system_restart B
wait_until 60 quiet A 1500
expect_equal_images A 1500 B 2500

# It stands still: hosts are served all the while, and nothing is lost when it goes on.
system_pause B
for number in 1 2 3 4; do
	io A 1500 "write -P $number $((number * 10))M 1M" 'flush'
done
system_continue B
wait_until 60 quiet A 1500
expect_equal_images A 1500 B 2500

# ---- deleted: both go their ways ----
expect_refused 'delete it on the source' B pair delete 2500
on A pair delete 1500
expect_equal 0 "$(json B length pair list)" 'pairs at the far side after the delete'
io B 2500 'write -P 0x31 0 4k'
no_hosts B
on B volume delete 2500

# ---- adopted files at both ends, of a size that ends within a block ----
for name in A B; do
	on "$name" pool create devices --device --cache direct
done
size=$((16 * 1048576 + 1536))
head -c $size /dev/urandom >"$tmp/disk.A"
head -c $size /dev/urandom >"$tmp/disk.B"
on A volume create 1501 --pool devices --adopt "$tmp/disk.A"
on B volume create 2501 --pool devices --adopt "$tmp/disk.B"
pair A 1501 B 2501 global-copy
wait_until 60 quiet A 1501
expect_same "$tmp/disk.A" "$tmp/disk.B" 'adopted files'
io A 1501 'write -P 0x41 16M 1536' 'write -P 0x42 512 512' 'flush'
wait_until 60 quiet A 1501
expect_same "$tmp/disk.A" "$tmp/disk.B" 'adopted files after writes'

system_stop A
system_stop B
