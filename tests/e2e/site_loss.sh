#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two sites of two systems each, under ordered writes over both sources. Round after round, at random moments: one
# system dies and comes back, then the whole source site dies; the far side recovers by one command, shows one moment,
# and lacks only the tail; production goes on there, fails back, returns, and the session begins again. With root, one
# round has ext4 on a volume: clean by e2fsck, and its data a prefix of what was written.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq

declare -A lss=([A1]=15 [A2]=16 [B1]=25 [B2]=26) far=([A1]=B1 [A2]=B2) home=([B1]=A1 [B2]=A2)
n=0
for name in A1 A2 B1 B2; do
	site "$name" "2105.F$name$((n++))"
	on "$name" volume create "${lss[$name]}00" --pool p1 --size 4M
	on "$name" volume create "${lss[$name]}01" --pool p1 --size 32M
done
for name in A1 A2; do
	to=${far[$name]}
	path "$name" "${lss[$name]}" "$to" "${lss[$to]}"
	path "$to" "${lss[$to]}" "$name" "${lss[$name]}"
	for number in 00 01; do
		pair "$name" "${lss[$name]}$number" "$to" "${lss[$to]}$number" async
	done
	on "$name" session open 1 --lss "${lss[$name]}"
done
path A1 15 A2 16

uris=("$(uri A1 1500)" "$(uri A2 1600)")
far_uris=("$(uri B1 2500)" "$(uri B2 2600)")

# 0: no write was answered yet.
newest()
{
	awk '{ number = $1 } END { print number + 0 }' "$tmp/ordered.log"
}
# A moment that nobody chose: after some more writes were answered.
random_moment()
{
	wait_until 60 has_answers $(($(wc -l <"$tmp/ordered.log") + RANDOM % ${1-400} + 1))
}
start_session()
{
	for name in A1 A2; do
		on "$name" session add 1 "${lss[$name]}00" "${lss[$name]}01"
	done
	on A1 session start 1 --master 15 --subordinate "${id_of[A2]}:16"
	wait_until 60 is A1 '.joined_count == 4 and .sequence > 0' session show 1
}

# The file system: mounted by nbdfuse and a loop device.
mounted=
detach()
{
	[ -n "$mounted" ] || return 0
	umount -l "$tmp/mnt" 2>/dev/null || true
	kill -KILL "$fuse" 2>/dev/null || true
	wait "$fuse" 2>/dev/null || true
	losetup -d "$loop" 2>/dev/null || true
	fusermount3 -u -z "$tmp/fuse" 2>/dev/null || umount -l "$tmp/fuse" 2>/dev/null || true
	mounted=
}
at_end detach
attach()
{
	mkdir -p "$tmp/fuse" "$tmp/mnt"
	nbdfuse "$tmp/fuse/disk" "$1" 2>>"$tmp/nbdfuse.log" &
	fuse=$!
	wait_until 20 test -e "$tmp/fuse/disk"
	loop=$(losetup --find --show "$tmp/fuse/disk")
	mounted=yes
}
can_mount()
{
	[ "$(id -u)" -eq 0 ] && [ -e /dev/fuse ] && command -v nbdfuse mkfs.ext4 >/dev/null &&
		losetup -f >/dev/null 2>&1
}
# Numbered files, each synced before the next begins: what is there later must be the first so many, and whole.
write_files()
{
	local number
	for ((number = 1; ; number++)); do
		printf '%08d\n' $number{,,,,,,,} >"$tmp/mnt/$number" && sync "$tmp/mnt/$number" "$tmp/mnt" || return 0
		echo $number >>"$tmp/files.log"
	done
}

stop_files()
{
	kill "$files_writer" 2>/dev/null || true
}

# recovered_after NUMBER: the far side is one moment, not older than that write.
recovered_after()
{
	local present
	"$ordered" check "$tmp/ordered.log" "${far_uris[@]}" | tee "$tmp/verdict"
	present=$(sed -n 's/.* \([0-9]*\) present.*/\1/p' "$tmp/verdict")
	[ "$present" -ge "$1" ] || fail "write $1 was answered before the last group began, but only $present are there"
}

burn_and_return()
{
	local least at=$1
	least=$(newest)
	more_groups 2
	random_moment 50
	system_kill A1 A2
	stop_writer
	detach
	on "$at" session probe 1 --json >"$tmp/probe"
	on "$at" session recover 1
	recovered_after "$least"
	[ -z "${after_recovery-}" ] || "$after_recovery"
	# Production goes on there.
	start_writer "${far_uris[@]}"
	random_moment
	system_restart A1
	system_restart A2
	for name in B1 B2; do
		on "$name" session failback 1
	done
	random_moment
	# The old master has found out by itself, and gives up by name only.
	wait_until 30 is A1 '.state == "fatal"' session show 1
	wait_until 30 connected A1
	on A1 session terminate 1
	stop_writer
	for name in B1 B2; do
		on "$name" session return 1
	done
	"$ordered" check "$tmp/ordered.log" "${uris[@]}" | grep -q ' 0 lost' || fail 'the old site lacks writes'
	for number in 00 01; do
		expect_equal_images A1 "15$number" B1 "25$number"
		expect_equal_images A2 "16$number" B2 "26$number"
	done
	start_session
}

check_files()
{
	local number present
	attach "$(uri B1 2501)"
	e2fsck -fn "$loop" >"$tmp/fsck" 2>&1 || {
		# The journal is replayed first, as a mount does.
		mount "$loop" "$tmp/mnt"
		umount "$tmp/mnt"
		e2fsck -fn "$loop" >"$tmp/fsck" 2>&1 || fail "$(cat "$tmp/fsck")"
	}
	mount "$loop" "$tmp/mnt"
	present=$(find "$tmp/mnt" -name '[0-9]*' | wc -l)
	for ((number = 1; number < present; number++)); do
		printf '%08d\n' $number{,,,,,,,} | cmp - "$tmp/mnt/$number" ||
			fail "file $number of $present is damaged"
	done
	umount "$tmp/mnt"
	detach
	echo "files: $(tail -n 1 "$tmp/files.log") synced, $present present"
}

start_session
start_writer "${uris[@]}"

# ---- one system dies and comes back; groups go on by themselves ----
random_moment
system_kill B2
random_moment
system_restart B2
more_groups 3
random_moment
for name in A2 A1; do
	system_kill "$name"
	stop_writer
	system_restart "$name"
	start_writer "${uris[@]}"
	more_groups 3
	random_moment
done

# ---- the site dies ----
if can_mount; then
	attach "$(uri A1 1501)"
	mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$loop"
	mount "$loop" "$tmp/mnt"
	: >"$tmp/files.log"
	write_files 2>/dev/null &
	files_writer=$!
	at_end stop_files
	wait_until 30 test -s "$tmp/files.log"
	after_recovery=check_files
fi
for at in B1 B2 B1; do
	burn_and_return "$at"
	after_recovery=
	start_writer "${uris[@]}"
done
stop_writer
for name in A1 A2 B1 B2; do
	system_stop "$name"
done
