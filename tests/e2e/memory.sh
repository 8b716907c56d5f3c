#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Memory that runs out, again and again, on source and far side, with hosts and a session at work: a request may be
# refused, a connection or a group may be lost, but no system ends, and each goes on as soon as there is memory: groups
# form, answered writes are there, both sides become equal.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq prlimit nbdcopy nbdinfo

# Of this shell and of the systems: more connections than are opened below.
ulimit -Sn 4096

declare -A lss=([A1]=15 [A2]=16 [B1]=25) nbd_port=()
n=120
for name in A1 A2 B1; do
	nbd_port[$name]=$(free_port)
	site "$name" "2105.FA$((n++))" --reactors 2 --nbd "$loopback:${nbd_port[$name]}"
done
# The sanitizers' own memory has no bound.
grep -q 'asan\|tsan' "/proc/${system_pid[A1]}/maps" && skip 'needs a build without sanitizers'
for name in A1 A2; do
	path "$name" "${lss[$name]}" B1 25
	for number in 00 01; do
		on "$name" volume create "${lss[$name]}$number" --pool p1 --size 16M
		on B1 volume create "25${lss[$name]:1}${number:1}" --pool p1 --size 16M
		pair "$name" "${lss[$name]}$number" B1 "25${lss[$name]:1}${number:1}" async
	done
	on "$name" session open 1 --lss "${lss[$name]}"
	on "$name" session add 1 "${lss[$name]}00" "${lss[$name]}01"
done
path A1 15 A2 16
on A1 session start 1 --master 15 --subordinate "${id_of[A2]}:16" --interval 0
uris=("$(uri A1 1500)" "$(uri A2 1600)")

# ---- a start without memory is refused, wherever it runs out; with less its libraries are not loaded ----
for megabytes in 60 70 80 90; do
	expect_exit 1 'allocate memory|unavailable' prlimit --as="${megabytes}000000" \
		"$xdcd" --state "$tmp/none" --id 2105.FA999 --control "unix:$tmp/none.control" --reactors 2
done

# ---- hosts ----

background=()
end_background()
{
	[ ${#background[@]} -eq 0 ] || kill "${background[@]}" 2>/dev/null || true
	[ ${#background[@]} -eq 0 ] || wait "${background[@]}" 2>/dev/null || true
	background=()
}
at_end end_background
# as_one COMMAND...: whatever becomes of it; it ends with the loop that it is in, so that nothing is written after that.
as_one()
{
	"$@" &
	one=$!
	trap 'kill $one; wait $one; exit' TERM
	wait "$one" || true
}
# A host that is refused comes again: an ordered writer goes on after what the volumes show.
write_in_order()
{
	trap - ERR
	while :; do
		as_one "$ordered" write "$tmp/ordered.log" "${uris[@]}"
	done 2>>"$tmp/writer.err"
}
write_much()
{
	trap - ERR
	while :; do
		as_one nbdcopy --connections=4 --requests=64 "$tmp/random" "$(uri A1 1501)"
		as_one nbdcopy --connections=4 --requests=64 "$tmp/random" "$(uri A2 1601)"
	done >>"$tmp/copy.err" 2>&1
}
come_and_ask()
{
	trap - ERR
	while :; do
		for name in A1 A2 B1; do
			on "$name" volume list --json || true
			on "$name" session show 1 --json || true
			on "$name" pair list --json || true
			nbdinfo --list "nbd+unix:///?socket=$tmp/$name/nbd" || true
		done
		echo asked >>"$tmp/rounds"
	done >/dev/null 2>&1
}
dd if=/dev/urandom of="$tmp/random" bs=1M count=16 2>/dev/null
: >"$tmp/rounds"
write_in_order &
background+=($!)
write_much &
background+=($!)
come_and_ask &
background+=($!)

# ---- memory ----

# limit NAME BYTES: so much address space more than it uses now, or "unlimited".
limit()
{
	local used=unlimited
	if [ "$2" != unlimited ]; then
		used=$(awk -v more="$2" '/^VmSize/ { print $2 * 1024 + more }' "/proc/${system_pid[$1]}/status")
	fi
	prlimit --pid "${system_pid[$1]}" --as="$used:unlimited"
}
no_memory='Cannot allocate memory|no memory'
complaints()
{
	grep -cE "$no_memory" "$tmp/$1/log" || true
}
complains_more_than()
{
	[ "$(complaints "$1")" -gt "$2" ]
}
# use_up NAME: connections are opened, and kept, until the system has no memory for one more. Each takes a stack, and it
# has a few hundred unused ones at most.
held=()
use_up()
{
	local name=$1 before count connection rc=0
	before=$(complaints "$name")
	for ((count = 0; count < 1000 && rc == 0; count++)); do
		exec {connection}<>"/dev/tcp/$loopback/${nbd_port[$name]}"
		held+=("$connection")
		# The server speaks first.
		read -r -N 8 -t "$patience_seconds" -u "$connection" _ || rc=$?
	done
	[ "$rc" -ne 0 ] || fail "system $name never ran out of memory"
	[ "$rc" -le 128 ] || fail "system $name keeps a host waiting that it has no memory for"
	wait_until 10 complains_more_than "$name" "$before"
}
let_go()
{
	local connection
	for connection in "${held[@]}"; do
		exec {connection}>&-
	done
	held=()
}
has_asked()
{
	[ "$(wc -l <"$tmp/rounds")" -ge "$1" ]
}
alive()
{
	local name
	for name in A1 A2 B1; do
		kill -0 "${system_pid[$name]}" 2>/dev/null || fail "system $name has ended"
	done
}
more_groups 3
for more in 0 64K 256K 1M 4M 0 128K 512K 2M 0; do
	for name in A1 A2 B1; do
		limit "$name" "$(numfmt --from=iec "$more")"
	done
	for name in A1 A2 B1; do
		use_up "$name"
	done
	# Somebody comes and asks for everything, from the first thing to the last.
	wait_until 60 has_asked $(($(wc -l <"$tmp/rounds") + 2))
	alive
	for name in A1 A2 B1; do
		limit "$name" unlimited
	done
	let_go
	more_groups 1
done
end_background
alive
equal()
{
	local name number
	for name in A1 A2; do
		for number in 00 01; do
			cmp "$(image "$name" "${lss[$name]}$number")" \
				"$(image B1 "25${lss[$name]:1}${number:1}")" || return
		done
	done
}
wait_until 60 equal
"$ordered" check "$tmp/ordered.log" "${uris[@]}" | grep -q ' 0 lost' || fail 'answered writes are lost'
system_stop A1 A2 B1
