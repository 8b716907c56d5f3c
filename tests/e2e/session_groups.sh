#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A session over four source and two far systems, under ordered writes over all its volumes: groups form, volumes come
# and go live, pause, resume and terminate, and `session show` says all that it must. Negative controls with the same
# load: plain global-copy pairs, and one volume of a group beside others of the next, are judged inconsistent.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq

sources=(A1 A2 A3 A4)
declare -A lss=([A1]=15 [A2]=16 [A3]=17 [A4]=18 [B1]=25 [B2]=26) far=([A1]=B1 [A2]=B2 [A3]=B1 [A4]=B2)
declare -A target=([A1]=2500 [A2]=2600 [A3]=2510 [A4]=2610)
n=120
for name in A1 A2 A3 A4 B1 B2; do
	site "$name" "2105.FA$((n++))"
done
for name in "${sources[@]}"; do
	on "$name" volume create "${lss[$name]}00" --pool p1 --size 4M
	on "${far[$name]}" volume create "${target[$name]}" --pool p1 --size 4M
	path "$name" "${lss[$name]}" "${far[$name]}" "${lss[${far[$name]}]}"
	[ "$name" = A1 ] || path A1 15 "$name" "${lss[$name]}"
done

uris=() far_uris=()
for name in "${sources[@]}"; do
	uris+=("$(uri "$name" "${lss[$name]}00")")
	far_uris+=("$(uri "${far[$name]}" "${target[$name]}")")
done


answers()
{
	wc -l <"$tmp/ordered.log"
}
more_answers()
{
	local from
	from=$(answers)
	wait_until 60 has_answers $((from + $1))
}

# ---- negative control: the same load over global-copy pairs, then the source site stops ----
# The far system B1 stands still while all blocks of all volumes are written more than twice. A block is on its way once
# at a time, so B1 ends with older content than B2, which follows.
for name in "${sources[@]}"; do
	pair "$name" "${lss[$name]}00" "${far[$name]}" "${target[$name]}" global-copy
	wait_until 30 quiet "$name" "${lss[$name]}00"
done
start_writer "${uris[@]}"
system_pause B1
more_answers 3100
kill -STOP "${system_pid[A1]}" "${system_pid[A2]}" "${system_pid[A3]}" "${system_pid[A4]}"
system_continue B1
for name in "${sources[@]}"; do
	on "${far[$name]}" pair failover "${target[$name]}"
done
expect_exit 1 'newest write|torn' "$ordered" audit "${far_uris[@]}"
kill "$writer"
for name in "${sources[@]}"; do
	system_continue "$name"
done
stop_writer
for name in "${sources[@]}"; do
	on "${far[$name]}" pair delete "${target[$name]}" --force
	on "$name" pair delete "${lss[$name]}00" --force
done

# ---- a session ----
for name in "${sources[@]}"; do
	pair "$name" "${lss[$name]}00" "${far[$name]}" "${target[$name]}" async
	expect_refused "xdc session open 1" "$name" session add 1 "${lss[$name]}00"
	on "$name" session open 1 --lss "${lss[$name]}"
done
start=(session start 1 --master 15 --subordinate "${id_of[A2]}:16" --subordinate "${id_of[A3]}:17"
	--subordinate "${id_of[A4]}:18")
expect_exit 2 'interval' on A1 "${start[@]}" --interval 19h
expect_exit 2 'coordination' on A1 "${start[@]}" --coordination 0
expect_exit 2 'coordination' on A1 "${start[@]}" --coordination 65536ms
expect_exit 2 'drain' on A1 "${start[@]}" --drain 0
expect_exit 2 'unit' on A1 "${start[@]}" --interval 5
expect_refused 'session 2' A1 session start 2 --master 15
expect_exit 2 '1 to 255|session' on A1 session open 256 --lss 15
expect_refused 'LSS 99|lss 99' A1 session open 1 --lss 99
for name in A1 A2 A3; do
	on "$name" session add 1 "${lss[$name]}00"
done
start_writer "${uris[@]}"
on A1 "${start[@]}" --interval 0 --coordination 50ms --drain 4m
expect_refused 'started already' A1 "${start[@]}"

groups()
{
	json A1 .cg_good session show 1
}
# more_groups COUNT: so many more groups form.
more_groups 5
wait_until 30 is A1 '.volume_count == 3 and .joined_count == 3' session show 1

# All fields that others script against, with their types.
on A1 session show 1 --json >"$tmp/shown"
# shellcheck disable=SC2016
jq -e '
	def number: type == "number";
	def null_or(f): . == null or f;
	.session == 1 and .role == "master" and
	(.state | IN("open", "running", "pausing", "paused", "fatal", "recovered")) and
	(.phase | IN("idle", "coordinate", "drain", "prepare", "commit", "wait")) and
	(.sequence | number and . > 0) and (.rpo_ms | null_or(number)) and (.out_of_sync_blocks | number) and
	(.hold_us_p99 | number) and (.cg_good | number and . >= 5) and (.cg_failed | number) and
	has("last_failure") and (.last_failure | null_or(type == "object" and
		([.reason, .phase, .at] | all(type == "string")) and has("system") and has("lss") and
		(.sequence | number))) and
	.interval_us == 0 and .coordination_ms == 50 and .drain_ms == 240000 and .master == "2105.FA120" and
	.master_lss == "15" and ([.members[].system] | sort) == ["2105.FA120", "2105.FA121", "2105.FA122", "2105.FA123"]
	' "$tmp/shown" >/dev/null || fail "session show: $(cat "$tmp/shown")"
on A1 session show 1 | grep -qiE 'phase' || fail "$(on A1 session show 1)"

# ---- volumes come and go live; all groups go on ----
on A4 session add 1 1800
more_groups 5
wait_until 30 is A4 '.volumes == [{volume: "1800", joined: true}]' session show 1
on A2 volume create 1601 --pool p1 --size 4M
on B2 volume create 2601 --pool p1 --size 4M
pair A2 1601 B2 2601 async
on A2 session add 1 1601
expect_refused 'in session 1' A2 session add 1 1601
wait_until 30 is A2 '[.volumes[] | select(.volume == "1601")] == [{volume: "1601", joined: true}]' session show 1
more_groups 5
expect_refused 'in session 1' A2 pair delete 1601
on A2 session remove 1 1601
more_groups 5
expect_equal 1 "$(json A2 '.volumes | length' session show 1)" 'volumes at A2'
expect_refused 'not in session 1' A2 session remove 1 1601

# ---- pause and resume, which keeps the tunables unless told ----
expect_refused 'not its master|master' A2 session pause 1
on A1 session pause 1
is A1 '.state == "paused"' session show 1 || fail 'not paused'
paused_at=$(groups)
expect_refused 'not running' A1 session pause 1
expect_equal "$paused_at" "$(groups)" 'groups while paused'
on A1 session resume 1 --interval 10ms
more_groups 3
expect_equal '10000 50 240000' "$(json A1 '"\(.interval_us) \(.coordination_ms) \(.drain_ms)"' session show 1)" \
	'tunables'
expect_exit 2 'coordination' on A1 session resume 1 --coordination 0
on A1 session pause 1
on A1 session resume 1
expect_equal 10000 "$(json A1 .interval_us session show 1)" 'interval after resume'
more_groups 3

# ---- one volume of a group beside others of an earlier one ----
# While the writer stands still, the last group shows what the sources hold; the far sides have applied it when they
# show the same. Two such groups, each taken from the far side, are each one moment; mixed they are not.
same_images()
{
	local name
	for name in "${sources[@]}"; do
		cmp "$(image "$name" "${lss[$name]}00")" "$(image "${far[$name]}" "${target[$name]}")" || return
	done
}
# take_group FOLDER: files and uris of such a group, served by a system of their own.
take_group()
{
	local name
	kill -STOP "$writer"
	wait_until 30 same_images
	mkdir "$tmp/$1"
	for name in "${sources[@]}"; do
		cp --sparse=always "$(image "${far[$name]}" "${target[$name]}")" "$tmp/$1/${target[$name]}"
		on C volume create "$2${target[$name]:1}" --pool groups --adopt "$tmp/$1/${target[$name]}"
	done
	kill -CONT "$writer"
}
# group_uri DIGIT NAME: a volume of the group that was taken with this digit.
group_uri()
{
	uri C "$1${target[$2]:1}"
}
site C 2105.FC000
on C pool create groups --device
take_group first 3
more_answers 64
more_groups 1
take_group second 4
for digit in 3 4; do
	whole=()
	for name in "${sources[@]}"; do
		whole+=("$(group_uri $digit "$name")")
	done
	"$ordered" audit "${whole[@]}"
done
for earlier in A1 A4; do
	mixed=()
	for name in "${sources[@]}"; do
		digit=4
		[ "$name" != "$earlier" ] || digit=3
		mixed+=("$(group_uri $digit "$name")")
	done
	expect_exit 1 'newest write' "$ordered" audit "${mixed[@]}"
done

stop_writer
"$ordered" check "$tmp/ordered.log" "${uris[@]}" | grep -q ' 0 lost' || fail 'the sources themselves'

# ---- terminate ----
on A1 session terminate 1
expect_refused 'session 1' A1 session terminate 1
expect_equal open "$(json A1 .state session show 1)" 'state after terminate'
for name in "${sources[@]}" B1 B2 C; do
	system_stop "$name"
done
