#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# qemu-img and qemu-io: convert, compare, map, unaligned requests, zeroes, discard, FUA, flush.
. "$(dirname "$0")/lib.sh"
requires qemu-img qemu-io jq

port=$(free_port)
system_start A --id 2105.FA120 --nbd "unix:$tmp/nbd" --nbd "$loopback:$port"
mkdir "$tmp/pool"
on A pool create p1 --dir "$tmp/pool"
on A volume create 1500 --pool p1 --size 256M

# qemu OPTION... COMMAND...: qemu-io on the volume; it exits with 0 even when a pattern is not found.
qemu()
{
	local place=$1 args=() command
	shift
	for command; do
		args+=(-c "$command")
	done
	qemu-io -f raw "${args[@]}" "$place" >"$tmp/qemu" 2>&1 || { cat "$tmp/qemu"; fail "qemu-io $*"; }
	! grep -qiE 'failed|error|pattern verif' "$tmp/qemu" || { cat "$tmp/qemu"; fail "qemu-io $*"; }
}

# map PLACE: "start length data zero" of each run
map()
{
	qemu-img map -f raw --output=json "$1" | jq -r '.[] | "\(.start) \(.length) \(.data) \(.zero)"'
}

for place in "nbd+unix:///1500?socket=$tmp/nbd" "nbd://$loopback:$port/1500"; do
	expect_equal 268435456 "$(qemu-img info -f raw --output=json "$place" | jq '."virtual-size"')" 'size'

	qemu "$place" 'write -P 0x11 0 1M' 'read -P 0x11 0 1M' \
		'write -P 0x22 1 511' 'write -P 0x33 4095 2' 'write -f -P 0x44 65535 131074' \
		'read -P 0x11 0 1' 'read -P 0x22 1 511' 'read -P 0x11 512 3583' 'read -P 0x33 4095 2' \
		'read -P 0x11 4097 61438' 'read -P 0x44 65535 131074' 'read -P 0x11 196609 851967' 'flush'

	# Zeroes with and without keeping the space, discard; then what the volume says is where.
	qemu "$place" 'write -P 0x55 16M 4M' 'write -z 16M 1M' 'write -z -u 17M 1M' 'discard 18M 1M' \
		'write -z -f 19M 4097' 'read -P 0 16M 3M' 'read -P 0 19M 4097' 'read -P 0x55 19927041 1044479' \
		'write -z 12345 54321' 'read -P 0 12345 54321' 'read -P 0x11 8192 4153'
	qemu "$place" 'write -z -u 0 256M' 'write -P 0x66 64M 64k' 'write -P 0x77 128M 128k' 'flush'
	expect_equal "0 67108864 false true
67108864 65536 true false
67174400 67043328 false true
134217728 131072 true false
134348800 134086656 false true" "$(map "$place")" 'map'

	# A request over the end is refused by qemu itself; the last byte is not.
	qemu "$place" 'write -P 0x88 268435455 1' 'read -P 0x88 268435455 1'
done

# What hosts did is counted, over all connections of a volume and over all volumes.
on A volume create 1501 --pool p1 --size 1M
before=$(json A .counters system show)
for place in "nbd+unix:///1500?socket=$tmp/nbd" "nbd://$loopback:$port/1501"; do
	qemu "$place" 'write -P 1 0 64k' 'write -P 2 64k 64k' 'read -P 1 0 4k' 'flush'
done
qemu "nbd+unix:///1501?socket=$tmp/nbd" 'read -P 2 64k 32k'
expect_equal '2 131072 2 36864' "$(json A '.counters | "\(.writes) \(.written_bytes) \(.reads) \(.read_bytes)"' \
	volume show 1501)" 'counters of a volume'
expect_equal '4 262144 3 40960' "$(json A ".counters as \$now | $before | \"\(\$now.writes - .writes) \
	\(\$now.written_bytes - .written_bytes) \(\$now.reads - .reads) \(\$now.read_bytes - .read_bytes)\"" \
	system show | xargs)" 'counters of the system'

# Zeroes that must be fast are refused where no hole can be made, and changed is nothing; other zeroes are written.
qemu "nbd://$loopback:$port/1501" 'write -z -u -n 0 64k' 'read -P 0 0 64k'
if [ "$(id -u)" -eq 0 ] && mkdir "$tmp/flat" && mount -t ramfs none "$tmp/flat" 2>"$tmp/mount"; then
	at_end umount -l "$tmp/flat"
	on A pool create flat --dir "$tmp/flat"
	on A volume create 1502 --pool flat --size 1M
	qemu "nbd://$loopback:$port/1502" 'write -P 3 0 128k'
	qemu-io -f raw -c 'write -z -u -n 0 64k' "nbd://$loopback:$port/1502" >"$tmp/qemu" 2>&1 || true
	grep -q 'Operation not supported' "$tmp/qemu" || fail "slow zeroes were done as fast ones: $(cat "$tmp/qemu")"
	qemu "nbd://$loopback:$port/1502" 'read -P 3 0 128k' 'write -z 0 64k' 'read -P 0 0 64k' 'read -P 3 64k 64k'
	no_hosts A
	on A volume delete 1502
	on A pool delete flat
fi

# A real image, sparse, there and compared over the other transport.
qemu-img create -q -f qcow2 "$tmp/image.qcow2" 256M
for i in 0 1 2 3 4 5 6 7; do
	qemu-io -f qcow2 -c "write -P $((i + 1)) $((i * 33 * 1048576 + i * 512)) 3M" "$tmp/image.qcow2" >/dev/null
done
qemu-img convert -n -f qcow2 -O raw "$tmp/image.qcow2" "nbd+unix:///1500?socket=$tmp/nbd"
qemu-img compare -f qcow2 -F raw "$tmp/image.qcow2" "nbd://$loopback:$port/1500" >&2 || fail 'compare after convert'
qemu-img convert -f raw -O qcow2 "nbd://$loopback:$port/1500" "$tmp/back.qcow2"
qemu-img compare -f qcow2 -F qcow2 "$tmp/image.qcow2" "$tmp/back.qcow2" >&2 || fail 'compare after convert back'
system_stop A
