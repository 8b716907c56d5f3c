#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# nbdcopy both ways, over a Unix socket and TCP: contents are equal, holes stay holes, and data survive kill -9 and a
# stop.
. "$(dirname "$0")/lib.sh"
requires nbdcopy nbdinfo jq

port=$(free_port)
system_start A --id 2105.FA120 --nbd "unix:$tmp/nbd" --nbd "$loopback:$port"
mkdir "$tmp/pool"
on A pool create p1 --dir "$tmp/pool"
on A volume create 1500 --pool p1 --size 256M
unix="nbd+unix:///1500?socket=$tmp/nbd"
tcp="nbd://$loopback:$port/1500"

# A sparse image: data at the beginning, in the middle (at no round place) and at the end.
truncate -s 256M "$tmp/image"
dd if=/dev/urandom of="$tmp/image" bs=1M count=24 conv=notrunc status=none
dd if=/dev/urandom of="$tmp/image" bs=1000 seek=100001 count=5000 conv=notrunc status=none
dd if=/dev/urandom of="$tmp/image" bs=1M seek=255 count=1 conv=notrunc status=none

nbdcopy --flush "$tmp/image" "$unix"
nbdcopy "$unix" "$tmp/back"
expect_same "$tmp/image" "$tmp/back" 'there and back over a Unix socket'
nbdcopy "$tcp" "$tmp/back_tcp"
expect_same "$tmp/image" "$tmp/back_tcp" 'and over TCP'

# What is a hole in the image is one in the volume: about 30 MiB of data.
data=$(nbdinfo --map --totals --json "$unix" | jq '[.[] | select(.type == 0) | .size] | add')
[ "$data" -ge $((29 << 20)) ] && [ "$data" -le $((34 << 20)) ] || fail "$data bytes of data, wanted about 30 MiB"

# Over the same volume again, other data over TCP with several connections.
dd if=/dev/urandom of="$tmp/image2" bs=1M count=256 status=none
nbdcopy --connections=4 --flush "$tmp/image2" "$tcp"
nbdcopy --connections=4 "$tcp" "$tmp/back"
expect_same "$tmp/image2" "$tmp/back" 'with four connections'

# The death of the process loses nothing that was answered, and neither does a stop.
system_kill A
system_restart A
nbdcopy "$unix" "$tmp/back"
expect_same "$tmp/image2" "$tmp/back" 'after kill -9'
system_stop A
system_restart A
nbdcopy "$unix" "$tmp/back"
expect_same "$tmp/image2" "$tmp/back" 'after a stop'
system_stop A
