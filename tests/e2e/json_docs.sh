#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every object that a system shows has the keys that docs/cli-json.md names, no more and no fewer.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq

# keys_of: of the object on stdin, or of all in a list, a line each: "state", "counters.reads", "volumes[].joined".
keys_of()
{
	jq -r 'if type == "array" then .[] else . end |
		paths | map(if type == "number" then "[]" else "." + . end) | join("") | ltrimstr(".") |
		select(endswith("[]") | not)' | sort -u
}
# shows OBJECT NAME ARGUMENT...: adds what the command shows to the keys that were seen of the object.
shows()
{
	local object=$1
	shift
	on "$@" --json | keys_of >>"$tmp/$object.seen"
}

# ---- one of everything ----
site A 2105.FA120
site B 2105.FB230
on A volume create 1500 --pool p1 --size 1M
on A volume create 1501 --pool p1 --size 1M
on B volume create 2500 --pool p1 --size 1M
on B volume create 2501 --pool p1 --size 1M
path A 15 B 25
pair A 1500 B 2500 async
pair A 1501 B 2501 async
wait_until 30 quiet A 1500 1501
on A session open 1 --lss 15
on A session add 1 1500 1501
on A session start 1 --master 15 --keep 1h --keep-size 1G
wait_until 60 is A '.sequence > 0 and .joined_count == 2' session show 1
# A volume that is offline: a problem, and groups that fail.
file=$(image A 1501)
system_kill A
mv "$file" "$tmp/away"
system_restart A
wait_until 60 is A '.last_failure != null and (.problems | length) > 0' session show 1

truncate -s 1M "$tmp/device"
on A pool create devices --device --extent "$tmp/device"
for command in list 'show p1' 'show devices'; do
	# shellcheck disable=SC2086 # words
	shows pool A pool $command
done
on A volume create 1502 --pool p1 --size 1M
on A flash create 1500 1502 --no-copy
for command in list 'show 1502'; do
	# shellcheck disable=SC2086 # words
	shows flash A flash $command
done
on A set create all --kind consistency --of volumes
on A set add all 1500
for command in list 'show all'; do
	# shellcheck disable=SC2086 # words
	shows set A set $command
done
# A verify that finds something: a target whose file was written behind its back.
printf x | dd of="$(image B 2500)" bs=1 seek=4096 conv=notrunc status=none
! on A pair verify 1500 --wait 2>/dev/null || fail 'a verify found no difference'
shows system A system show
shows lss A lss list
shows lss A lss show 15
shows volume A volume list
shows volume A volume show 1500
shows path A path list
shows path A path show 15 25 --system 2105.FB230
on B session practice 1
for name in A B; do
	shows pair $name pair list
	shows session $name session list
	shows session $name session show 1
done
shows pair A pair show 1500
shows recovery B session probe 1
shows point B session points 1
shows recovery B session recover 1
shows event A events list
shows job B job list
shows service A service show

# ---- what the page says; where it says "as above" or "as of a volume" those keys may follow ----
for object in system pool lss volume path pair flash set session recovery point event job service; do
	sed -n "/^### Object: $object\$/,/^##* /{/^### Object: $object\$/b;p}" "$top/docs/cli-json.md" |
		grep '^| `' | cut -d'`' -f2 | sort -u >"$tmp/$object.said"
	sed -E 's/^(first|previous)_failure\..*/last_failure.at/; s/^far\.history.+/far.history/' "$tmp/$object.seen" |
		if [ "$object" = system ]; then grep -v '^counters\.'; else cat; fi | sort -u >"$tmp/$object.keys"
	diff "$tmp/$object.said" "$tmp/$object.keys" >&2 || fail "docs/cli-json.md (<) and object $object (>) differ"
	[ -s "$tmp/$object.said" ] || fail "docs/cli-json.md says nothing of object $object"
done
system_stop A B
