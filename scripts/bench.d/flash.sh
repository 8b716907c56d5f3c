# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The rows of scripts/bench about FlashCopy; a part of scripts/bench.d/copy, which reads it.
# shellcheck disable=SC2154 # what copy sets

# shellcheck disable=SC2034 # for copy
flash_rows='
flash-establish|establish a FlashCopy of a thin volume of 1 TiB, ms|<=10
flash-write|4 KiB random write, depth 32, writeback: after flash --no-copy, without|0.5
flash-write-direct|4 KiB random write, depth 32, direct: after flash --no-copy, without|-
flash-ios-direct|writes of the device a write, direct: after flash --no-copy, without|-
flash-copied|4 KiB random write, depth 32, writeback: all copied, without|1
flash-copied-direct|4 KiB random write, depth 32, direct: all copied, without|1
flash-qcow2|4 KiB random write, depth 32: after flash --no-copy, qcow2 by qemu-nbd|1
'

establish_once()
{
	local began
	on A volume create 1600 --pool p1 --size 1T
	sync -f "$tmp"
	began=${EPOCHREALTIME/./}
	on A flash create 1500 1600 --no-copy
	awk -v us=$((${EPOCHREALTIME/./} - began)) 'BEGIN { print us / 1000 }' >>"$tmp/establish"
	on A flash delete 1600 --force
	on A volume delete 1600
}

establish_row()
{
	local i
	reactors=1
	start A 2105.FA120
	on A volume create 1500 --pool p1 --size 1T
	for ((i = 0; i < pairs; i++)); do
		establish_once
	done
	print_row flash-establish establish
	end A
}

# Writes that the device of the folder has carried out since it was started.
device_writes()
{
	awk '{ print $5 }' "/sys/dev/block/$(findmnt -no MAJ:MIN -T "$tmp" | tr -d ' ')/stat"
}

# random_writes URI FILE: operations a second; writes of the device for each of them to FILE-ios.
random_writes()
{
	local before
	sync -f "$tmp"
	before=$(device_writes)
	fio --name=host --ioengine=nbd --uri="$1" --rw=randwrite --bs=4k --iodepth=32 --size="$size" --randrepeat=0 \
		--time_based --runtime="$seconds" --output-format=json 2>"$tmp/fio.err" | sed -n '/^{/,$p' >"$tmp/fio"
	jq '.jobs[0].write.iops' "$tmp/fio" >>"$tmp/$2"
	jq --argjson n $(($(device_writes) - before)) '$n / .jobs[0].write.total_ios' "$tmp/fio" >>"$tmp/$2-ios"
}

fill()
{
	fio --name=fill --ioengine=nbd --uri="$1" --rw=write --bs=1m --iodepth=4 --size="$size" --refill_buffers \
		--end_fsync=1 >"$tmp/fio" 2>&1 || { cat "$tmp/fio"; fail "fill $1"; }
}

without()
{
	random_writes "$(uri A 1500)" "$1-without"
}

# after MODE: its target is new each time, and takes the space for what it keeps.
after()
{
	on A volume create 1600 --pool "$1" --size "$size"
	on A flash create 1500 1600 --no-copy
	random_writes "$(uri A 1500)" "$1-after"
	on A flash delete 1600 --force
	on A volume delete 1600
}

copied()
{
	on A volume create 1600 --pool "$1" --size "$size"
	on A flash create 1500 1600 --persistent
	wait_until 600 is A '.own_bytes == .size_bytes' flash show 1600
	random_writes "$(uri A 1500)" "$1-copied"
	on A flash delete 1600
	on A volume delete 1600
}

# The same base each time, and a new snapshot on top of it.
qcow2()
{
	local qemu
	rm -f "$tmp/top.qcow2" "$tmp/qemu"
	qemu-img create -q -f qcow2 -b "$tmp/base" -F raw "$tmp/top.qcow2"
	qemu-nbd --persistent --shared=8 --socket="$tmp/qemu" --format=qcow2 "$tmp/top.qcow2" >"$tmp/qemu.log" 2>&1 &
	qemu=$!
	kits+=("$qemu")
	wait_until 20 test -S "$tmp/qemu"
	random_writes "nbd+unix:///?socket=$tmp/qemu" qcow2
	kill "$qemu"
	wait "$qemu" || true
}

flash_mode_rows()
{
	local i mode=$1
	reactors=1
	start A 2105.FA120
	mkdir -p "$tmp/A/$mode"
	on A pool create "$mode" --dir "$tmp/A/$mode" --cache "$mode"
	on A volume create 1500 --pool "$mode" --size "$size"
	fill "$(uri A 1500)"
	for ((i = 0; i < pairs; i++)); do
		without "$mode"
		! wanted flash-write flash-write-direct flash-ios-direct flash-qcow2 || after "$mode"
		! wanted flash-copied flash-copied-direct || copied "$mode"
		! [ "$mode" = writeback ] || ! wanted flash-qcow2 || qcow2
	done
	end A
}

flash_writeback_rows()
{
	requires fio qemu-nbd qemu-img
	at_end stop_kits
	if wanted flash-qcow2; then
		truncate -s "$size" "$tmp/base"
		fio --name=fill --ioengine=psync --filename="$tmp/base" --rw=write --bs=1m --size="$size" \
			--refill_buffers --end_fsync=1 >"$tmp/fio"
	fi
	flash_mode_rows writeback
	print_row flash-write writeback-after writeback-without
	print_row flash-copied writeback-copied writeback-without
	print_row flash-qcow2 writeback-after qcow2
	rm -f "$tmp/base" "$tmp/top.qcow2"
}

flash_direct_rows()
{
	requires fio
	flash_mode_rows direct
	print_row flash-write-direct direct-after direct-without
	print_row flash-ios-direct direct-after-ios direct-without-ios
	print_row flash-copied-direct direct-copied direct-without
}
