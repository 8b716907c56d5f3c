#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Start, stop and state of the service: commands are refused with the remedy, hosts and pairs go on, and a kill changes
# nothing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq qemu-io

site A 2105.FA120
site B 2105.FB230
path A 15 B 25
on A volume create 1500 --pool p1 --size 1M
on B volume create 2500 --pool p1 --size 1M
pair A 1500 B 2500 global-copy
wait_until 30 quiet A 1500

# state WANTED: enabled_state, its number, and what was asked for last.
state()
{
	expect_equal "$1" "$(json A '[.enabled_state, .enabled_value, .requested_state] | join(" ")' service)" 'state'
}
state 'enabled 2 no-change'
on A service request-state disabled
state 'disabled 3 disabled'
expect_refused 'it is disabled: volume create is refused' A volume create 1501 --pool p1 --size 1M
expect_refused 'xdc service start' A pair suspend 1500
expect_refused 'cannot be asked for quiesce' A service request-state quiesce
# refused_by CODE ARGUMENT...
refused_by()
{
	if on A service request-state "${@:2}" --json 2>"$tmp/error"; then
		fail "${*:2} was not refused"
	fi
	expect_equal "$1" "$(jq .code "$tmp/error")" "the code of ${*:2}"
}
refused_by 4097 quiesce
refused_by 4098 enabled --timeout 1s
refused_by 1 offline
expect_exit 2 'a state is enabled' "$xdc" --control "unix:$tmp/A/control" service request-state stopped

# ---- hosts and the pair go on, what shows is shown, also after a kill ----
system_kill A
system_restart A
state 'disabled 3 disabled'
qemu-io -f raw -c 'write -P 7 0 1M' -c flush "$(uri A 1500)" >"$tmp/io" || fail "$(cat "$tmp/io")"
wait_until 30 quiet A 1500
expect_equal_images A 1500 B 2500
expect_equal 1 "$(json A length volume list)" 'volumes'

on A service start
state 'enabled 2 enabled'
on A volume create 1501 --pool p1 --size 1M
on A service stop --wait
state 'disabled 3 shut-down'
on A service request-state reset
state 'enabled 2 reset'
told=$(on A events --json | jq -r '.[] | select(.kind == "service-state") | .text' | sed 's/.* and is \(.*\):.*/\1/')
expect_equal $'disabled\nenabled\ndisabled\nenabled' "$told" 'events'
system_stop A
system_stop B
