#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Synchronous pairs with real hosts: first copy, full-duplex, what is answered is at the far side at that moment; the
# far side goes and comes back; go-to-sync and back; critical pairs; freeze and run; failover of the far side with an
# ext4 on it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq qemu-io mke2fs e2fsck

site A 2105.FA120
site B 2105.FB230

# io NAME VOLUME COMMAND...: qemu-io on a volume.
io()
{
	local commands=() name=$1 volume=$2 command
	shift 2
	for command; do
		commands+=(-c "$command")
	done
	qemu-io -f raw -t none "${commands[@]}" "$(uri "$name" "$volume")" >"$tmp/io" 2>&1 || fail "$(cat "$tmp/io")"
	! grep -qi 'failed' "$tmp/io" || fail "$(cat "$tmp/io")"
}
# expect_failing VOLUME COMMAND: a host gets an error.
expect_failing()
{
	! qemu-io -f raw -t none -c "$2" "$(uri A "$1")" >"$tmp/io" 2>&1 || fail "$2 on $1 succeeded"
	grep -q 'Input/output error' "$tmp/io" || fail "$(cat "$tmp/io")"
}
full_duplex()
{
	is A '.state == "full-duplex" and .reason == null' pair show "$1"
}

for volume in 00 01 02 03; do
	on A volume create "15$volume" --pool p1 --size 64M
	on B volume create "25$volume" --pool p1 --size 64M
done
path A 15 B 25

# ---- first copy, then full-duplex: what is answered is there ----
io A 1500 'write -P 0x21 0 8M'
pair A 1500 B 2500 sync
wait_until 30 full_duplex 1500
expect_equal '"target-full-duplex"' "$(json A '.far.state | tojson' pair show 1500)" 'the far side says so'
expect_equal target-full-duplex "$(json B .state pair show 2500)" 'the far side shows it'
expect_equal 'failover delete --force' "$(json B '.allowed | join(" ")' pair show 2500)" 'what is allowed there'
for i in 1 2 3 4 5; do
	io A 1500 "write -P 0x3$i $((i * 4096)) 4k" "write -P 0x4$i $((i * 1048576 + 512)) 3k" "discard $((i * 2))M 1M"
	expect_equal_images A 1500 B 2500
done
expect_refused 'suspend' A pair leave-sync 1500
told_duplex()
{
	on A events --json | jq -e 'any(.kind == "pair-full-duplex" and .object == "volume 1500")' >/dev/null
}
wait_until 10 told_duplex

# ---- whether a path is a group can be changed ----
on A path set 15 25 --system 2105.FB230 --group
expect_equal true "$(json A .group path show 15 25 --system 2105.FB230)" 'a path that became a group'
expect_equal 30000 "$(json A .group_timeout_ms path show 15 25 --system 2105.FB230)" 'how long its hosts wait'
on A path set 15 25 --system 2105.FB230 --timeout 2s
expect_equal 2000 "$(json A .group_timeout_ms path show 15 25 --system 2105.FB230)" 'how long hosts of a group wait'
on A path set 15 25 --system 2105.FB230 --no-group --limit 100M
is A '.group == false and .limit_bytes == 104857600' path show 15 25 --system 2105.FB230 ||
	fail "$(on A path show 15 25 --system 2105.FB230)"
on A path set 15 25 --system 2105.FB230 --limit none
expect_exit 2 'give one of them' on A path set 15 25 --system 2105.FB230 --no-group --group

# ---- an ext4 made on it, and found at the far side after a failover ----
mke2fs -qq -t ext4 -d "$top/docs" "$tmp/ext4" 48M >"$tmp/mke2fs" 2>&1 || fail "$(cat "$tmp/mke2fs")"
qemu-img convert -n -f raw -O raw "$tmp/ext4" "$(uri A 1500)"
full_duplex 1500 || fail "$(on A pair show 1500)"

# ---- the far side goes: the pair is suspended, hosts go on, and what has changed is sent when it is back ----
system_kill B
io A 1500 'write -P 0x51 60M 64k'
is A '.state == "suspended" and .reason == "link" and .out_of_sync_blocks >= 16' pair show 1500 ||
	fail "$(on A pair show 1500)"
system_restart B
wait_until 30 full_duplex 1500
expect_equal_images A 1500 B 2500

# ---- critical: a write fails that the far side cannot get ----
on A pair create 1501 2501 --system 2105.FB230 --type sync --critical
wait_until 30 full_duplex 1501
expect_equal true "$(json A .critical pair show 1501)" 'critical'
system_kill B
expect_failing 1501 'write -P 0x61 0 4k'
expect_failing 1501 'write -P 0x62 8k 4k'
system_restart B
wait_until 30 full_duplex 1501
io A 1501 'write -P 0x63 0 12k'
expect_equal_images A 1501 B 2501

# ---- from global-copy and back ----
pair A 1502 B 2502 global-copy
wait_until 30 is A .first_copy_done pair show 1502
on A pair go-to-sync 1502
wait_until 30 full_duplex 1502
io A 1502 'write -P 0x71 1M 64k'
expect_equal_images A 1502 B 2502
expect_refused 'synchronous already' A pair go-to-sync 1502
on A pair suspend 1502
on A pair leave-sync 1502
on A pair resume 1502
is A '.type == "global-copy"' pair show 1502 || fail "$(on A pair show 1502)"

# ---- freeze: hosts are held, and the far sides stay as they are; run: hosts go on ----
on A pair freeze 15 25 --system 2105.FB230 --hold 1m
is A '.state == "suspended" and .reason == "freeze" and .waits_for == "pair run"' pair show 1500 ||
	fail "$(on A pair show 1500)"
expect_equal 'frozen suspend run set' "$(json A '"\(.copy_state) \(.allowed | join(" "))"' pair show 1500)" \
	'what is allowed while hosts are held'
expect_refused 'pair run' A pair resume 1500
expect_refused 'frozen already' A pair freeze 15 25 --system 2105.FB230
cp "$(image B 2500)" "$tmp/frozen"
qemu-io -f raw -t none -c 'write -P 0x81 61M 4k' "$(uri A 1500)" >"$tmp/held" 2>&1 &
held=$!
wait_until 20 is A '.waiting_requests == 1' pair show 1500
expect_same "$tmp/frozen" "$(image B 2500)" 'a frozen far side and itself'
kill -0 "$held" 2>/dev/null || fail "a write was answered while frozen: $(cat "$tmp/held")"
on A pair run 15 25 --system 2105.FB230
wait "$held" || fail "$(cat "$tmp/held")"
expect_refused 'not frozen' A pair run 15 25 --system 2105.FB230
# ---- a pair that was not full-duplex is not of the moment: it is frozen with the others, and the command says so ----
on A pair resume 1501
wait_until 30 full_duplex 1501
expect_refused 'not full-duplex: volumes 1500;.*no one moment' A pair freeze 15 25 --system 2105.FB230
is A '.state == "suspended" and .reason == "freeze"' pair show 1501 || fail "$(on A pair show 1501)"
on A pair run 15 25 --system 2105.FB230
on A pair resume 1501
wait_until 30 full_duplex 1501
io A 1500 'write -P 0x91 48M 12M'
on A path set 15 25 --system 2105.FB230 --limit 64K
on A pair resume 1500
is A '.state == "copy-pending"' pair show 1500 || fail "$(on A pair show 1500)"
expect_refused 'not full-duplex: volumes 1500;' A pair freeze 15 25 --system 2105.FB230
is A '.state == "suspended" and .reason == "freeze"' pair show 1500 || fail "$(on A pair show 1500)"
on A pair run 15 25 --system 2105.FB230
on A path set 15 25 --system 2105.FB230 --limit none
on A pair resume 1500
on A pair resume 1501
wait_until 30 full_duplex 1501
wait_until 30 full_duplex 1500
expect_equal_images A 1500 B 2500

# ---- production moves ----
system_kill A
on B pair failover 2500
qemu-img convert -f raw -O raw "$(uri B 2500)" "$tmp/after"
truncate -s 48M "$tmp/after"
e2fsck -fn "$tmp/after" >"$tmp/fsck" 2>&1 || fail "$(cat "$tmp/fsck")"
system_restart A
expect_equal 2000 "$(json A .group_timeout_ms path show 15 25 --system 2105.FB230)" 'that, after a restart'
wait_until 30 is A '.state == "suspended" and .reason == "history"' pair show 1500

# ---- and stays there: the old site follows, synchronously ----
io B 2500 'write -P 0x91 62M 64k'
on B path create 25 15 --system 2105.FA120 --to "$loopback:${link_port[A]}"
on B pair failback 2500 >"$tmp/said"
wait_until 30 is B '.role == "source" and .state == "full-duplex"' pair show 2500
io B 2500 'write -P 0x92 63M 64k'
expect_equal_images B 2500 A 1500
expect_equal target-full-duplex "$(json A .state pair show 1500)" 'the old site'
