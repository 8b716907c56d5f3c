#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Sets: what may be in them, what is done to all of their pairs, or FlashCopies, at one moment under load, and that they
# outlive a kill.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq qemu-io

site A 2105.FA120
site B 2105.FB230
path A 15 B 25
for id in 0 1 2; do
	on A volume create "150$id" --pool p1 --size 16M
	on B volume create "250$id" --pool p1 --size 16M
done
pair A 1500 B 2500 global-copy
pair A 1501 B 2501 global-copy

# ---- members ----
on A set create backup --kind synchronized --type global-copy
on A set create app --kind consistency --of volumes
expect_refused 'there is a set of this name' A set create app --kind consistency
expect_exit 2 'a synchronized set is of pairs' on A set create x --kind synchronized --of volumes
expect_refused 'it is in none' A set add backup 1500 1502
expect_equal 0 "$(json A .members set show backup)" 'members after a refusal'
on A set add backup 1500 1501
on A set add app 1500 1502
expect_refused 'it is in this set already' A set add backup 1501
on A set create other --kind synchronized
expect_refused 'its pair is in set backup' A set add other 1500
expect_refused 'it is not in set backup' A set remove backup 1502
expect_refused 'it is in set backup' A pair delete 1500
expect_refused 'it is in set app' A volume delete 1502
expect_refused 'it has 2 members' A set delete app
expect_refused 'it is a set of volumes' A set fracture app
expect_refused 'it is empty' A set fracture other
expect_refused 'pair failover, then xdc pair failback' A set restore backup
expect_refused 'it is a set of volumes' A set restore app
expect_refused 'there is no such set' A set show nix
system_kill A
system_restart A
expect_equal '["1500","1501"]' "$(json A '.volumes | tojson' set show backup)" 'members after a kill'
expect_equal 'app backup other' "$(json A '[.[].set] | join(" ")' set list)" 'sets after a kill'

# ---- fracture and resync, with hosts that write ----
wait_until 60 quiet A 1500 1501
start_writer "$(uri A 1500)" "$(uri A 1501)"
wait_until 30 has_answers 100
on A set prepare backup
on A set fracture backup
for id in 1500 1501; do
	expect_equal 'suspended command' "$(json A '"\(.state) \(.reason)"' pair show "$id")" "pair $id, fractured"
done
wait_until 30 has_answers "$(($(wc -l <"$tmp/ordered.log") + 100))"
on A set resync backup
stop_writer
wait_until 60 quiet A 1500 1501
expect_equal_images A 1500 B 2500
expect_equal_images A 1501 B 2501

# ---- FlashCopies ----
# volumes SET: those that it has.
volumes()
{
	json A '.volumes | join(" ")' set show "$1"
}

# shows VOLUME BYTE: at 8 MiB.
shows()
{
	qemu-io -f raw -r -c "read -P $2 8M 64k" "$(uri A "$1")" | grep -q '^read 65536' || fail "volume $1 is not $2"
	no_hosts A
}

# fill VOLUME BYTE
fill()
{
	qemu-io -f raw -c "write -P $2 8M 64k" "$(uri A "$1")" >/dev/null
	no_hosts A
}

for id in 0 1 2 3 4 5; do
	on A volume create "160$id" --pool p1 --size 16M
done
expect_exit 2 'only pairs have a type' on A set create snaps --kind synchronized --of flashcopies --type sync
on A set create snaps --kind synchronized --of flashcopies
expect_refused 'it is the target of none' A set add snaps 1600
on A flash create 1602 1603 --no-copy
fill 1602 1
on A flash create 1600 1601 --revertible --record
expect_refused 'is not committed yet' A set add snaps 1601
on A flash commit 1601
on A flash create 1604 1605 --record
on A set add snaps 1601 1603
on A set create elsewhere --kind consistency --of flashcopies
expect_refused 'its FlashCopy is in set snaps' A set add elsewhere 1603
on A set delete elsewhere
expect_refused 'volume 1601: it is in set snaps' A flash delete 1601 --force
expect_refused 'volume 1601: it is in set snaps' A flash reverse 1601
expect_refused 'nothing to suspend' A set fracture snaps
# One without --record: none is resynced.
wait_until 30 is A '.own_bytes == .size_bytes' flash show 1601
fill 1600 2
expect_refused 'volume 1603' A set resync snaps
shows 1601 0
on A set remove snaps 1603
on A set add snaps 1605
wait_until 30 is A '.own_bytes == .size_bytes' flash show 1605

# At one moment, with a host that writes one source after the other.
rm "$tmp/ordered.log"
start_writer "$(uri A 1600)" "$(uri A 1604)"
wait_until 30 has_answers 100
on A set prepare snaps
on A set resync snaps
wait_until 30 has_answers "$(($(wc -l <"$tmp/ordered.log") + 100))"
stop_writer
no_hosts A
shows 1601 2
"$ordered" audit "$(uri A 1601)" "$(uri A 1605)" >"$tmp/audit" || fail "$(cat "$tmp/audit")"
[ "$(sed 's/ordered: \([0-9]*\) present/\1/' "$tmp/audit")" -ge 100 ] || fail "$(cat "$tmp/audit")"
no_hosts A
system_kill A
system_restart A
expect_equal '1601 1605' "$(volumes snaps)" 'FlashCopies after a kill'

# Restored, all or none: then the members are what was the sources, and may be restored back.
wait_until 30 is A 'all(.own_bytes == .size_bytes or .target == "1603")' flash list
fill 1601 3
fill 1605 4
mkfifo "$tmp/host"
(trap - ERR && exec qemu-io -f raw "$(uri A 1604)" <"$tmp/host" >"$tmp/host.out" 2>&1) &
host=$!
exec {host_in}>"$tmp/host"
wait_until 30 is A '.attached == 1' system show
expect_refused 'host connection' A set restore snaps
exec {host_in}>&-
wait "$host"
no_hosts A
expect_equal '1601 1605' "$(volumes snaps)" 'members after a refusal'
shows 1600 2
on A set restore snaps
expect_equal '1600 1604' "$(volumes snaps)" 'members after the restore'
shows 1600 3
shows 1604 4
system_kill A
system_restart A
expect_equal '1600 1604' "$(volumes snaps)" 'members after the restore and a kill'
wait_until 30 is A 'all(.own_bytes == .size_bytes or .target == "1603")' flash list
fill 1600 5
on A set restore snaps
expect_equal '1601 1605' "$(volumes snaps)" 'members after it was taken back'
shows 1601 5
shows 1605 4

# One that was not whole gives back what it had kept, and leaves the set.
on A set remove snaps 1601 1605
on A set add snaps 1603
on A set restore snaps
expect_equal '' "$(volumes snaps)" 'members after a restore of what was not whole'
wait_until 30 is A 'all(.target != "1602")' flash list
shows 1602 0
on A set add snaps 1601 1605
wait_until 30 is A 'all(.own_bytes == .size_bytes)' flash list
on A flash create 1602 1603 --no-copy
on A set add snaps 1603
expect_refused '--force' A set delete-pairs snaps
expect_equal 1603 "$(volumes snaps)" 'members that need their source'
on A set delete-pairs snaps --force
expect_equal '0 []' "$(json A .members set show snaps) $(json A . flash list)" 'members and FlashCopies that are left'
shows 1601 5
on A set delete snaps

# ---- the end ----
on A set remove backup 1501
on A set delete-pairs backup
expect_equal '0 1' "$(json A .members set show backup) $(json A length pair list)" 'members and pairs that are left'
on A set delete backup
on A set remove app 1500 1502
on A set delete app
on A pair delete 1501
on A volume delete 1502
system_stop A B
