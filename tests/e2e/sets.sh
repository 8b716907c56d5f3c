#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Sets: what may be in them, what is done to all of their pairs at one moment under load, and that they outlive a kill.
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
