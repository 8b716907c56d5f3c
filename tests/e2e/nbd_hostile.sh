#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Clients that speak nonsense, stop in the middle or never begin lose their connection and nothing else: others are
# served all the time, and the server stops in time with such clients attached.
. "$(dirname "$0")/lib.sh"
requires nbdinfo qemu-io

port=$(free_port)
system_start A --id 2105.FA120 --nbd "unix:$tmp/nbd" --nbd "$loopback:$port"
mkdir "$tmp/pool"
on A pool create p1 --dir "$tmp/pool"
on A volume create 1500 --pool p1 --size 256M
uri="nbd://$loopback:$port/1500"

serves()
{
	expect_equal 268435456 "$(nbdinfo --size "$uri")" "size after $1"
}

# hung_up TEXT-OF-PRINTF: the server ends the connection soon after it was told this.
hung_up()
{
	local connection rc=0
	exec {connection}<>"/dev/tcp/$loopback/$port"
	# shellcheck disable=SC2059 # the bytes are the format
	printf "$1" >&"$connection" 2>/dev/null || true
	timeout 20 cat <&"$connection" >/dev/null 2>&1 || rc=$?
	[ "$rc" -ne 124 ] || fail "still connected after: $1"
	exec {connection}>&-
}

# Each attached to the export, and then silent.
silent=()
for _ in 1 2 3; do
	exec {connection}<>"/dev/tcp/$loopback/$port"
	silent+=("$connection")
done
exec {attached}<>"/dev/tcp/$loopback/$port"
printf '\0\0\0\3IHAVEOPT\0\0\0\1\0\0\0\0041500' >&"$attached"
printf '\x25\x60\x95\x13\0\0\0\1' >&"$attached"

hung_up 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
serves 'a browser'
hung_up '\xff\xff\xff\xff'
serves 'unknown flags'
hung_up '\0\0\0\3IHAVEOPT\0\0\0\7\xff\xff\xff\xff'
serves 'an option of 4 GiB'
hung_up '\0\0\0\3IHAVEOPT\0\0\0\1\0\0\0\00415ff'
serves 'an export that is not there'
hung_up '\0\0\0\3IHAVEOPT\0\0\0\1\0\0\0\0041500garbage that is no request at all, but long'
serves 'garbage for requests'
hung_up '\0\0\0\3IHAVEOPT\0\0\0\1\0\0\0\0041500\x25\x60\x95\x13\0\0\0\1AAAAAAAA\0\0\0\0\0\0\0\0\xff\xff\xff\xff'
serves 'a write of 4 GiB'
qemu-io -f raw -c 'write -P 0x5a 0 64M' -c 'read -P 0x5a 0 64M' "$uri" >"$tmp/qemu" 2>&1 || fail "$(cat "$tmp/qemu")"
! grep -q 'verification failed' "$tmp/qemu" || fail 'the volume holds something else'

grep -q 'what it sends is not NBD' "$tmp/A/log" || fail 'no line in the log says who spoke nonsense'
system_stop A
for connection in "${silent[@]}" "$attached"; do
	exec {connection}>&-
done
