#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Hosts that ask for much and take nothing: what the system keeps for them stays below one bound for all, and another
# host is served as soon as they are gone.
. "$(dirname "$0")/lib.sh"
requires nbdinfo nbdcopy jq

hosts=16 requests=64
port=$(free_port)
# So many reactors that each has the least that it may have: 72 MiB.
system_start A --id 2105.FA120 --reactors 4 --nbd "$loopback:$port"
grep -q 'asan\|tsan' "/proc/${system_pid[A]}/maps" && skip 'needs a build without sanitizers'
mkdir "$tmp/pool"
on A pool create p1 --dir "$tmp/pool"
on A volume create 1500 --pool p1 --size 64M

# The greeting's answer, the name of the export, and then reads of 1 MiB each.
{
	printf '\0\0\0\3IHAVEOPT\0\0\0\1\0\0\0\0041500'
	for ((i = 0; i < requests; i++)); do
		printf '\x25\x60\x95\x13\0\0\0\0AAAAAAAA\0\0\0\0\0\0\0\0\0\x10\0\0'
	done
} >"$tmp/asks"
connections=()
for ((i = 0; i < hosts; i++)); do
	exec {connection}<>"/dev/tcp/$loopback/$port"
	cat "$tmp/asks" >&"$connection"
	connections+=("$connection")
done

reads()
{
	on A volume show 1500 --json | jq .counters.reads
}
# Nothing more is read, three looks in a row: no host has room for more.
before=0 same=0
stands_still()
{
	local now
	now=$(reads)
	if [ "$now" -gt 50 ] && [ "$now" -eq "$before" ]; then same=$((same + 1)); else same=0; fi
	before=$now
	[ "$same" -ge 3 ]
}
wait_until 30 stands_still
[ "$before" -lt $((hosts * requests)) ] || fail 'all was read, so nothing was bounded'

below_bound()
{
	local most
	most=$(awk '/^VmHWM/ { print $2 }' "/proc/${system_pid[A]}/status")
	# 72 MiB of requests, 32 MiB of buffers for the next ones, as much again that the C library keeps, and the
	# program; the hosts asked for 1 GiB.
	[ "$most" -lt $((256 * 1024)) ] || fail "$most KiB of memory were in use"
}
below_bound
for connection in "${connections[@]}"; do
	exec {connection}>&-
done
timeout 30 nbdcopy "nbd://$loopback:$port/1500" "$tmp/copy" || fail 'another host is not served'
below_bound
system_stop A
