#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What nbdinfo is told about a volume, over a Unix socket and over TCP.
. "$(dirname "$0")/lib.sh"
requires nbdinfo jq

port=$(free_port)
system_start A --id 2105.FA120 --nbd "unix:$tmp/nbd" --nbd "$loopback:$port"
mkdir "$tmp/pool"
on A pool create p1 --dir "$tmp/pool"
on A volume create 1500 --pool p1 --size 256M --name db

# uri TRANSPORT EXPORT
uri()
{
	case $1 in
	unix) echo "nbd+unix:///$2?socket=$tmp/nbd" ;;
	tcp) echo "nbd://$loopback:$port/$2" ;;
	esac
}

for transport in unix tcp; do
	volume=$(uri $transport 1500)
	default=$(uri $transport '')

	expect_equal 268435456 "$(nbdinfo --size "$volume")" 'size'
	nbdinfo --json "$volume" >"$tmp/info"
	for claim in '.protocol == "newstyle-fixed"' '.structured' '.exports[0]."export-size" == 268435456' \
		'.exports[0].is_read_only == false' '.exports[0].can_multi_conn' '.exports[0].can_flush' \
		'.exports[0].can_fua' '.exports[0].can_trim' '.exports[0].can_zero' '.exports[0].can_fast_zero' \
		'.exports[0].can_cache' '.exports[0].can_df' '.exports[0].block_size_minimum == 1' \
		'.exports[0].block_size_preferred == 4096' '.exports[0].block_size_maximum == 33554432' \
		'.exports[0].contexts == ["base:allocation"]'; do
		jq -e "$claim" "$tmp/info" >/dev/null || { cat "$tmp/info"; fail "not so: $claim"; }
	done
	nbdinfo --list --json "$default" >"$tmp/list"
	expect_equal 1500 "$(jq -r '.exports[]."export-name"' "$tmp/list")" 'the list of exports'
	# The empty name is the only export there is.
	expect_equal 268435456 "$(nbdinfo --size "$default")" 'size of the default export'
	expect_exit 1 'No such file' nbdinfo "$(uri $transport 15ff)"
	nbdinfo --map --json "$volume" >"$tmp/map"
	expect_equal '0 268435456 3' "$(jq -r '.[] | "\(.offset) \(.length) \(.type)"' "$tmp/map")" 'map when new'
done

# By the volume's name; and with a second volume the empty name means none.
expect_equal 268435456 "$(nbdinfo --size "$(uri unix db)")" 'size by name'
on A volume create 1501 --pool p1 --size 4K
expect_equal '1500 1501' "$(nbdinfo --list --json "$(uri unix '')" |
	jq -r '[.exports[]."export-name"] | sort | join(" ")')" 'the list of two'
expect_exit 1 'No such file' nbdinfo "$(uri unix '')"

# The sockets' names are free again after a stop.
system_stop A
[ ! -e "$tmp/nbd" ] || fail 'the socket is still there'
system_restart A
expect_equal 268435456 "$(nbdinfo --size "$(uri tcp 1500)")" 'size after a restart'
system_stop A
