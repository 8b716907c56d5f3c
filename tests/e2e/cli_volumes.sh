#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Pools, LSSs and volumes on the command line: made, listed, changed, refused, deleted, and the same after a stop and
# after SIGKILL.
. "$(dirname "$0")/lib.sh"
requires jq

system_start A --id 2105.FA120

# ---- system ----
expect_equal 2105.FA120 "$(json A .system system show)" 'id'
expect_equal 1 "$(json A .starts system show)" 'starts'
on A system show | grep -q '^system  *2105.FA120$'

# ---- pools ----
on A pool create p1 --dir "$tmp/pool1"
on A pool create p2 --dir "$tmp/pool2" --cache direct
on A pool create p3 --device
expect_equal '["dir writeback","dir direct","device writeback"]' \
	"$(json A '[.[] | .kind + " " + .cache] | tojson' pool list)" 'kinds and cache modes'
expect_equal true "$(json A '.free_bytes > 0 and .total_bytes >= .free_bytes' pool show p1)" 'space'
expect_refused 'pool p1: there is a pool of this name' A pool create p1 --dir "$tmp/other"
expect_refused 'is used by another pool' A pool create p4 --dir "$tmp/pool1"
expect_refused 'No such file' A pool create p4 --dir "$tmp/none/below"
expect_refused 'a volume has at most 1125899906842624 bytes' A volume create 1502 --pool p1 --size 1025T
expect_refused 'pool nix: there is no such pool' A pool show nix
expect_equal 3 "$(json A length pool list)" 'pools after refusals'

# ---- volumes ----
on A volume create 1500 --pool p1 --size 1G --name db
on A volume create 1501 --pool p2 --size 64M
expect_equal '1073741824 p1 write online 0' \
	"$(json A '"\(.size_bytes) \(.pool) \(.access) \(.state) \(.allocated_bytes)"' volume show db)" 'volume db'
expect_equal 15 "$(json A '.[].lss' lss list)" 'the LSS was made'
expect_refused 'volume 1500: there is this volume already' A volume create 1500 --pool p1 --size 1G
expect_refused 'db is the name of volume 1500' A volume create 1502 --pool p1 --size 1G --name db
expect_refused 'pool nix: there is no such pool' A volume create 1502 --pool nix --size 1G
expect_refused 'only a pool of devices adopts' A volume create 1502 --pool p1 --adopt "$tmp/x"
expect_equal 2 "$(json A length volume list)" 'volumes after refusals'
expect_equal 1501 "$(json A '.[].volume' volume list --pool p2)" 'volumes of a pool'
expect_equal 0 "$(on A volume list --lss 15 --pool p3 --json | jq length)" 'volumes of an empty pool'
expect_refused 'LSS 16: there is no such LSS' A volume list --lss 16

# ---- pools have limits, are made from others, and of devices ----
on A pool create limited --from p1 --size 100M
on A volume create 1700 --pool limited --size 60M
expect_refused 'has 41943040 bytes left of 104857600' A volume create 1701 --pool limited --size 50M
expect_refused '"nearest_bytes": 41943040' A volume create 1701 --pool limited --size 50M --json
on A pool modify limited --size 110M --label sales
expect_equal '115343360 52428800 sales p1' \
	"$(json A '"\(.size_bytes) \(.left_bytes) \(.label) \(.from)"' pool show limited)" 'a modified pool'
on A volume create 1701 --pool limited --size 50M
on A volume delete 1700
on A volume delete 1701
on A pool delete limited
truncate -s 1M "$tmp/extent1"
truncate -s 2M "$tmp/extent2"
on A pool create shelf --device --extent "$tmp/extent1" --extent "$tmp/extent2"
expect_refused 'extents are not divided' A volume create 1700 --pool shelf --size 1536K
on A volume create 1700 --pool shelf --size 2M
expect_equal 1048576 "$(json A .left_bytes pool show shelf)" 'left of the extents'
on A volume delete 1700
on A pool delete shelf

# ---- what is adopted keeps its data ----
head -c 10240 /dev/urandom >"$tmp/disk"
cp "$tmp/disk" "$tmp/copy"
on A volume create 1600 --pool p3 --adopt "$tmp/disk"
expect_equal 10240 "$(json A .size_bytes volume show 1600)" 'size of what was adopted'
expect_refused "is volume 1600" A volume create 1601 --pool p3 --adopt "$tmp/disk"
expect_refused 'has only 10240 bytes' A volume create 1601 --pool p3 --adopt "$tmp/copy" --size 1M
expect_refused 'No such file' A volume create 1601 --pool p3 --adopt "$tmp/none"
expect_refused 'is of devices, and has none of its own' A volume create 1601 --pool p3 --size 1M
expect_refused 'keeps its size' A volume grow 1600 --size 1M
on A volume delete 1600
expect_same "$tmp/disk" "$tmp/copy" 'the adopted file'

# ---- change ----
on A volume grow 1500 --size 2G
expect_refused 'never shrinks' A volume grow 1500 --size 1G
on A volume rename 1500 logs
expect_refused 'volume db: there is no volume of this name' A volume show db
on A volume rename logs
expect_equal null "$(json A .name volume show 1500)" 'no name'
on A volume rename 1500 db
expect_refused 'it has lost nothing' A volume accept db

# ---- LSSs ----
on A lss create 20 --ssid FF20
expect_refused 'there is this LSS already' A lss create 20
expect_refused 'SSID FF20 is that of LSS 20' A lss create 21 --ssid FF20
expect_refused 'LSS 15: it has 2 volumes' A lss delete 15
expect_equal FF20 "$(json A .ssid lss show 20)" 'SSID'

# ---- the same after a stop, after SIGKILL ----
on A volume list --json >"$tmp/before"
on A pool list --json | jq 'map(del(.free_bytes))' >"$tmp/pools"
same_as_before()
{
	on A volume list --json >"$tmp/after"
	expect_same "$tmp/before" "$tmp/after" "volumes after $1"
	on A pool list --json | jq 'map(del(.free_bytes))' >"$tmp/after"
	expect_same "$tmp/pools" "$tmp/after" "pools after $1"
}
system_stop A
system_restart A
same_as_before 'a stop'
system_kill A
system_restart A
same_as_before SIGKILL
expect_equal 3 "$(json A .starts system show)" 'starts'

# ---- delete ----
expect_refused 'pool p1: it has 1 volume' A pool delete p1
file=$(echo "$tmp"/pool1/1500-*.vol)
[ -f "$file" ] || fail "no file $file"
on A volume delete db
[ ! -e "$file" ] || fail "$file is left"
on A pool delete p1
on A volume delete 1501
on A lss delete 15
on A pool create p1 --dir "$tmp/pool1"
on A volume create 1500 --pool p1 --size 4K
expect_equal 4096 "$(json A .size_bytes volume show 1500)" 'a new volume 1500'

# ---- every change is an event in the log ----
for event in 'pool p1 made' 'volume 1500 grown' 'volume 1500 deleted' 'LSS 15 deleted' \
	'volume 1600 deleted, its data' "cli: user $(id -u): volume delete {\"volume\":\"db\"}"; do
	grep -qF "$event" "$tmp/A/log" || fail "no '$event' in the log"
done
system_stop A
