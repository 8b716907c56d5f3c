# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# lib.sh - what every end-to-end script stands on: it starts real systems in a temporary folder, stops them by pid
# whatever happens, and gives the assertions. A script begins with
#
#	. "$(dirname "$0")/lib.sh"
#	requires nbdinfo jq
#	system_start A --id 2105.FA120 --nbd "unix:$tmp/nbd"
#
# and passes by reaching its end. Programs come from the build folder XDC_BUILD (default: build in the tree). Every wait
# has a deadline; nothing waits by guessing how long something takes.
set -eEuo pipefail
export LC_ALL=C

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${XDC_BUILD:-$top/build}
xdcd=$build/xdcd
xdc=$build/xdc

# Sockets and states live here. Short, since the path of a Unix socket has at most 107 characters.
tmp=$(mktemp -d "${TMPDIR:-/tmp}/e2e.XXXXXX")

# How long a system may take to serve or to stop, and an external program to finish: far more than they need.
start_seconds=60
stop_seconds=60

declare -A system_pid=()	# NAME -> pid, while it runs
declare -A system_args=()	# NAME -> its arguments, quoted
declare -A system_out=()	# NAME -> descriptor of its stdout, kept open so that it may write
end_commands=()
exec {stderr}>&2
waiting=			# the condition of wait_until, while it is asked

# ---- the end, whatever happens ----

# at_end COMMAND...: runs when the script ends, the last one first; before the systems are killed.
at_end()
{
	end_commands+=("$(printf '%q ' "$@")")
}

# say_why SENTENCE: why the test ends, on its stderr, wherever that of the caller goes.
say_why()
{
	echo "FAIL: $*" >&"$stderr"
	: >"$tmp/said"
}

# fail SENTENCE: ends the test.
fail()
{
	say_why "$*"
	exit 1
}

# skip SENTENCE: ends the test as skipped.
skip()
{
	echo "skipped: $*" >&2
	exit 77
}

# What a system said before it died, or all sanitizer reports.
show_logs()
{
	local log
	for log in "$tmp"/*/log; do
		[ -f "$log" ] || continue
		echo "---- log of $(basename "$(dirname "$log")") (last 40 lines)" >&2
		tail -n 40 "$log" >&2
	done
}

# No test ends without a word: what a condition that was waited for said, or else at least where the test was.
show_end()
{
	if [ "$1" -eq 0 ] || [ "$1" -eq 77 ]; then
		return
	fi
	if [ -n "$waiting" ]; then
		echo "FAIL: while it waited for: $waiting" >&2
		[ ! -e "$tmp/waited" ] || cat "$tmp/waited" >&2
	elif [ ! -e "$tmp/said" ]; then
		echo "FAIL: exit code $1 without a word" >&2
	fi
}

finish()
{
	local rc=$? i name
	trap - EXIT ERR
	set +e
	# Whoever failed in a function whose output goes elsewhere would take all of this there.
	exec 2>&"$stderr"
	show_end "$rc"
	for ((i = ${#end_commands[@]} - 1; i >= 0; i--)); do
		eval "${end_commands[i]}"
	done
	for name in "${!system_pid[@]}"; do
		if [ "$rc" -eq 0 ] && ! kill -0 "${system_pid[$name]}" 2>/dev/null; then
			echo "FAIL: system $name died during the test" >&2
			rc=1
		fi
		kill -KILL "${system_pid[$name]}" 2>/dev/null
		wait "${system_pid[$name]}" 2>/dev/null
	done
	if grep -qE 'Sanitizer|runtime error:|Assertion .* failed' "$tmp"/*/log 2>/dev/null; then
		echo "FAIL: a system reported a fault of the program" >&2
		rc=1
	fi
	[ "$rc" -eq 0 ] || [ "$rc" -eq 77 ] || show_logs
	rm -rf "$tmp"
	exit "$rc"
}
trap finish EXIT
trap 'say_why "line $LINENO of ${BASH_SOURCE[0]##*/}: $BASH_COMMAND"' ERR
trap 'say_why "ended by a signal at line $LINENO of ${BASH_SOURCE[0]##*/}: $BASH_COMMAND"; exit 143' TERM INT

# ---- needs ----

# requires COMMAND...: skips the test where one is absent.
requires()
{
	local command
	for command; do
		command -v "$command" >/dev/null || skip "needs $command"
	done
}

requires_root()
{
	[ "$(id -u)" -eq 0 ] || skip "needs root${1:+: $1}"
}

# An address of loopback for this script alone, made of its pid: what listens here meets no other script's ports,
# however many run at once.
loopback=127.$((64 + ($$ >> 16))).$(($$ >> 8 & 255)).$(($$ & 255))

# free_port: a TCP port of $loopback that was not given before. Below the range that the kernel gives out by itself, and
# nobody listens there on all addresses.
free_port()
{
	local port hex
	while :; do
		port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
		hex=$(printf ':%04X ' "$port")
		if ! grep -qF "$hex" /proc/net/tcp /proc/net/tcp6 && ! grep -qsx "$port" "$tmp/ports"; then
			echo "$port" | tee -a "$tmp/ports"
			return
		fi
	done
}

# ---- systems ----

# system_start NAME ARGUMENT...: starts xdcd with a state folder and a control socket of its own and returns when it
# serves. The arguments are kept for system_restart.
system_start()
{
	system_args[$1]=$(shift && printf '%q ' "$@")
	[ $# -gt 1 ] || system_args[$1]=
	mkdir -p "$tmp/$1"
	system_restart "$1"
}

# system_restart NAME: starts a system again that was stopped or killed, on the same state.
system_restart()
{
	local name=$1 line='' args out rc=0
	[ -z "${system_pid[$name]-}" ] || fail "system $name is running already"
	eval "args=(${system_args[$name]})"
	rm -f "$tmp/$name/out"
	mkfifo "$tmp/$name/out"
	"$xdcd" --state "$tmp/$name/state" --control "unix:$tmp/$name/control" "${args[@]}" \
		>"$tmp/$name/out" 2>>"$tmp/$name/log" </dev/null &
	system_pid[$name]=$!
	exec {out}<"$tmp/$name/out"
	system_out[$name]=$out
	read -r -t "$start_seconds" -u "$out" line || rc=$?
	[ "$rc" -le 128 ] || fail "system $name did not say ready within $start_seconds s"
	[ "$line" = ready ] || fail "system $name did not say ready but '$line', and ended"
}

# The descriptors and the pid of a system that has ended.
system_forget()
{
	local out=${system_out[$1]}
	exec {out}<&-
	unset "system_pid[$1]" "system_out[$1]"
}

# system_kill NAME...: SIGKILL for all at once, as when a site burns; returns when they are gone.
system_kill()
{
	local name pids=()
	for name; do
		pids+=("${system_pid[$name]}")
	done
	kill -KILL "${pids[@]}"
	for name; do
		wait "${system_pid[$name]}" 2>/dev/null || true
		system_forget "$name"
	done
}

# system_stop NAME...: SIGTERM for all at once; each must end by itself, in time, with exit code 0.
system_stop()
{
	local name pids=()
	for name; do
		pids+=("${system_pid[$name]}")
	done
	kill -TERM "${pids[@]}"
	for name; do
		wait_stopped "$name"
	done
}

wait_stopped()
{
	local pid=${system_pid[$1]} rc=0
	# Its stdout ends when it does: this is the wait with a deadline that the shell has for a process.
	while read -r -t "$stop_seconds" -u "${system_out[$1]}" _; do :; done || rc=$?
	[ "$rc" -le 128 ] || fail "system $1 did not stop within $stop_seconds s"
	rc=0
	wait "$pid" || rc=$?
	system_forget "$1"
	[ "$rc" -eq 0 ] || fail "system $1 ended with exit code $rc"
}

# system_pause NAME, system_continue NAME: it stands still and goes on.
system_pause()
{
	kill -STOP "${system_pid[$1]}"
}

system_continue()
{
	kill -CONT "${system_pid[$1]}"
}

# on NAME ARGUMENT...: the command line, against a system.
on()
{
	local name=$1
	shift
	"$xdc" --control "unix:$tmp/$name/control" "$@"
}

# json NAME FILTER ARGUMENT...: what "xdc ... --json" says, through a jq filter, as raw text.
json()
{
	local name=$1 filter=$2
	shift 2
	on "$name" "$@" --json | jq -r "$filter"
}

# ---- assertions ----

# expect_equal WANTED FOUND WHAT
expect_equal()
{
	[ "$1" = "$2" ] || fail "$3: wanted '$1', found '$2'"
}

# expect_exit CODE PATTERN COMMAND...: the command ends with this exit code, and its stderr holds the pattern (grep -E).
expect_exit()
{
	local code=$1 pattern=$2 rc=0
	shift 2
	"$@" >"$tmp/stdout" 2>"$tmp/stderr" || rc=$?
	if [ "$rc" -ne "$code" ] || ! grep -qE -- "$pattern" "$tmp/stderr"; then
		cat "$tmp/stdout" "$tmp/stderr" >&2
		fail "$*: exit code $rc, wanted $code and a message with '$pattern'"
	fi
}

# expect_refused PATTERN NAME ARGUMENT...: xdc refuses (exit code 1) with a message that holds the pattern.
expect_refused()
{
	local pattern=$1
	shift
	expect_exit 1 "$pattern" on "$@"
}

# expect_same FILE FILE WHAT
expect_same()
{
	cmp "$1" "$2" >&2 || fail "$3: contents differ"
}

# ---- waiting for a state ----

# A pipe that nobody ever writes to: read -t on it is a pause without a process.
mkfifo "$tmp/never"
exec {never}<>"$tmp/never"

# wait_until SECONDS COMMAND...: returns when the command succeeds, fails the test after so many seconds, or after
# patience_seconds if these are more: a limit is there to name what never comes, and a busy machine may be ten times
# slower than the one where the test was written. It asks again and again, 20 times a second, because a state of a
# system that another process shows has no descriptor to wait on; the pace only bounds what the asking costs, and no
# result depends on it.
patience_seconds=60
wait_until()
{
	local seconds=$(($1 > patience_seconds ? $1 : patience_seconds)) until outer=$waiting
	until=$((SECONDS + seconds))
	shift
	waiting=$*
	until "$@" >"$tmp/waited" 2>&1; do
		if [ "$SECONDS" -gt "$until" ]; then
			fail "not within $seconds s"
		fi
		read -r -t 0.05 -u "$never" _ || true
	done
	waiting=$outer
}

# no_hosts NAME...: returns when no host has a volume of these systems open. One that has ended is gone when its system
# has heard of that and made durable what it wrote; until then a command that needs the volume for itself is refused.
no_hosts()
{
	local name
	for name; do
		wait_until 60 is "$name" '.attached == 0' system show
	done
}

# is NAME FILTER ARGUMENT...: true when the jq filter over "xdc ... --json" is true. For wait_until.
is()
{
	local name=$1 filter=$2 out
	shift 2
	out=$(on "$name" "$@" --json) || return 1
	jq -e "$filter" <<<"$out" >/dev/null || { echo "$out"; return 1; }
}
