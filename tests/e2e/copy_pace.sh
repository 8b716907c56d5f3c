#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How a pair is copied: a first copy that compares sends only what differs, also over a restart of the source; none at
# all by the administrator's word; the limit of a path is kept and can be changed while data flow; a priority can be
# changed and is remembered.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq nbdcopy

site A1 2105.FA120
site B1 2105.FB230
path A1 15 B1 25
wait_until 20 connected A1

for i in 0 1 2; do
	on A1 volume create 150$i --pool p1 --size 64M
	on B1 volume create 250$i --pool p1 --size 64M
done
create=(--system 2105.FB230 --type global-copy)
head -c 48M /dev/urandom >"$tmp/data"

# differ FILE: 3 blocks are other than in the data.
differ()
{
	local at
	for at in 0 5242880 50331647; do
		printf 'x' | dd of="$1" bs=1 seek=$at conv=notrunc status=none
	done
}

# ---- compared ----
nbdcopy --flush "$tmp/data" "$(uri A1 1500)"
cp "$tmp/data" "$tmp/similar"
differ "$tmp/similar"
nbdcopy --flush "$tmp/similar" "$(uri B1 2500)"
no_hosts B1
expect_exit 2 'either both sides are compared, or nothing is copied' \
	on A1 pair create 1500 2500 "${create[@]}" --compare --no-copy
on A1 pair create 1500 2500 "${create[@]}" --compare --wait
expect_equal "[$((64 << 20)),$(((64 << 20) - 3 * 4096)),$((3 * 4096))]" \
	"$(json A1 '[.compared_bytes, .same_bytes, .sent_bytes] | tojson' pair show 1500)" 'compared, same, and sent'
expect_equal low "$(json A1 .priority pair show 1500)" 'the priority, when none is given'
on A1 pair verify 1500 --wait

# ---- nothing is copied: both are the same, or so somebody says ----
nbdcopy --flush "$tmp/data" "$(uri A1 1501)"
nbdcopy --flush "$tmp/data" "$(uri B1 2501)"
no_hosts B1
on A1 pair create 1501 2501 "${create[@]}" --no-copy --priority urgent --wait
expect_equal '[true,0,0]' "$(json A1 '[.first_copy_done, .sent_bytes, .compared_bytes] | tojson' pair show 1501)" \
	'a pair without a first copy'
on A1 pair verify 1501 --wait
on A1 pair set 1501 --priority same
system_kill A1
system_restart A1
wait_until 20 quiet A1 1501
expect_equal '[true,"same"]' "$(json A1 '[.first_copy_done, .priority] | tojson' pair show 1501)" 'after a restart'
on B1 pair failover 2501
on A1 pair delete 1501 --force
expect_exit 2 'a priority is not-managed, low, same, high or urgent' on A1 pair set 1500 --priority higher

# ---- the limit of a path ----
expect_exit 2 'a limit is at least 64K' on A1 path set 15 25 --system 2105.FB230 --limit 1K
on A1 path set 15 25 --system 2105.FB230 --limit 16M
expect_equal $((16 << 20)) "$(json A1 '.[0].limit_bytes' path list)" 'the limit'
nbdcopy --flush "$tmp/data" "$(uri A1 1502)"
began=$(date +%s%N)
on A1 pair create 1502 2502 "${create[@]}" --priority not-managed
half()
{
	is A1 '.sent_bytes >= 16 * 1048576' pair show 1502
}
wait_until 20 half
took=$((($(date +%s%N) - began) / 1000000))
[ "$took" -ge 900 ] || fail "16 MiB took $took ms over a path of 16 MiB a second"
expect_equal false "$(json A1 .first_copy_done pair show 1502)" 'the first copy has ended'
on A1 path set 15 25 --system 2105.FB230 --limit none
expect_equal null "$(json A1 '.[0].limit_bytes' path list)" 'no limit'
wait_until 20 quiet A1 1502
expect_equal_images A1 1502 B1 2502
system_stop A1
system_stop B1
