#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# fio's nbd engine with verification: mixed sizes at depth 32 and 1, flushes, several connections to one volume.
. "$(dirname "$0")/lib.sh"
requires fio
fio --enghelp 2>/dev/null | grep -qw nbd || skip 'fio has no nbd engine'

port=$(free_port)
system_start A --id 2105.FA120 --nbd "unix:$tmp/nbd" --nbd "$loopback:$port" --reactors 2
mkdir "$tmp/pool"
on A pool create p1 --dir "$tmp/pool"
on A volume create 1500 --pool p1 --size 256M

# load URI OPTION...: fio must not fail, and must say so in a way that a mismatch cannot hide.
load()
{
	local uri=$1
	shift
	timeout 100 fio --name=load --ioengine=nbd --uri="$uri" --size=64m --verify=crc32c --verify_fatal=1 \
		--do_verify=1 --verify_state_save=0 --output="$tmp/fio" "$@" >"$tmp/fio.err" 2>&1 ||
		{ cat "$tmp/fio" "$tmp/fio.err"; fail "fio $*"; }
	grep -q 'err= 0' "$tmp/fio" || { cat "$tmp/fio"; fail "fio $*"; }
	# It read back what it had written, and did not just find nothing to do.
	grep -qE 'READ: .*io=[1-9]' "$tmp/fio" || { cat "$tmp/fio"; fail "nothing was verified: fio $*"; }
}

for uri in "nbd+unix:///1500?socket=$tmp/nbd" "nbd://$loopback:$port/1500"; do
	load "$uri" --rw=randwrite --bs=4k --iodepth=32 --fsync=1000
	load "$uri" --rw=randwrite --bsrange=512-128k --blockalign=512 --iodepth=32
	load "$uri" --rw=write --bs=1m --iodepth=8
	load "$uri" --rw=randwrite --bs=4k --iodepth=1 --io_size=8m
	# Four connections, each with a part of the volume.
	load "$uri" --rw=randwrite --bs=8k --iodepth=16 --numjobs=4 --offset_increment=64m --size=16m --group_reporting
done
system_stop A
