#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Links with shared keys: the two ends find one another, and data pass; a wrong key, or none, does not get in.
. "$(dirname "$0")/lib.sh"
requires jq psktool nbdcopy

for id in 2105.FA120 2105.FB230; do
	psktool -u "$id" -p "$tmp/site.psk" >/dev/null 2>&1
done
psktool -u 2105.FA120 -p "$tmp/wrong.psk" >/dev/null 2>&1
port=$(free_port)
system_start B --id 2105.FB230 --link "$loopback:$port" --link-psk "$tmp/site.psk" --nbd "unix:$tmp/nbd.B"

connects()
{
	is "$1" '.[0].state == "connected"' path list
}
mkdir "$tmp/pool.A" "$tmp/pool.B"
on B pool create p1 --dir "$tmp/pool.B"
on B volume create 2500 --pool p1 --size 8M

# The same id with another key, no key, and a key of another system.
says()
{
	on A path list --json |
		jq -e --arg what "$1" '.[0] | .state == "disconnected" and .error != null and (.error | test($what))'
}
tries()
{
	local id=$1 what=$2
	shift 2
	system_start A --id "$id" "$@"
	on A path create 15 25 --system 2105.FB230 --to "$loopback:$port"
	wait_until 20 says "$what"
	system_stop A
	rm -rf "$tmp/A"
}
tries 2105.FA120 'no TLS with .*: one side does not accept the key' --link-psk "$tmp/wrong.psk"
tries 2105.FA120 'no answer to the greeting'
sed -n 's/^2105.FB230/2105.FX999/p' "$tmp/site.psk" >"$tmp/stranger.psk"
expect_exit 2 'every user may read it; chmod o= ' timeout 20 "$xdcd" --state "$tmp/S" --id 2105.FX999 \
	--control "unix:$tmp/S.control" --link-psk "$tmp/stranger.psk"
chmod o= "$tmp/stranger.psk"
tries 2105.FX999 'no TLS with .*: one side does not accept the key' --link-psk "$tmp/stranger.psk"

# The right one; and data pass.
system_start A --id 2105.FA120 --link-psk "$tmp/site.psk" --nbd "unix:$tmp/nbd.A"
on A path create 15 25 --system 2105.FB230 --to "$loopback:$port"
wait_until 20 connects A
on A pool create p1 --dir "$tmp/pool.A"
on A volume create 1500 --pool p1 --size 8M
head -c 8M /dev/urandom >"$tmp/image"
nbdcopy --flush "$tmp/image" "nbd+unix:///1500?socket=$tmp/nbd.A"
on A pair create 1500 2500 --system 2105.FB230 --type global-copy
wait_until 60 is A '.out_of_sync_blocks == 0 and .first_copy_done' pair show 1500
system_stop A
on B pair delete 2500 --force
nbdcopy "nbd+unix:///2500?socket=$tmp/nbd.B" "$tmp/copy"
expect_same "$tmp/image" "$tmp/copy" 'the far side'
system_stop B

# A system is not to be dialled in the clear from another machine, nor is a key file to be guessed at.
expect_exit 2 'link-psk' "$xdcd" --state "$tmp/C" --id 2105.FC000 --control "unix:$tmp/C.control" --link 0.0.0.0:0 \
	--link-address example.org:7000
echo nonsense >"$tmp/bad.psk"
expect_exit 2 'bad.psk' "$xdcd" --state "$tmp/C" --id 2105.FC000 --control "unix:$tmp/C.control" \
	--link-psk "$tmp/bad.psk"
