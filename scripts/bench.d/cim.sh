# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The rows of scripts/bench about CIM; a part of scripts/bench.d/copy, which reads it. The client is
# tests/tools/cim_load.c, which reads answers without looking into them.
#
# XDC_BENCH_VOLUMES: how many volumes, and how many FlashCopies (10,000), to see that the rows run.
# shellcheck disable=SC2154 # what copy sets

# shellcheck disable=SC2034 # for copy
cim_rows='
cim-volumes|CIM: EnumerateInstances of 10,000 volumes, s|<=0.25
cim-volumes-rate|the same, MB/s|>=200
cim-volumes-memory|the same, growth of memory, MiB|<=64
cim-pull|CIM: the same, pulled by 1,000, s|-
cim-pull-memory|the same, growth of memory, MiB|<=64
cim-synchronizations|CIM: EnumerateInstances of 10,000 synchronizations, s|<=0.4
cim-synchronizations-rate|the same, MB/s|-
cim-synchronizations-memory|the same, growth of memory, MiB|<=64
cim-pull-synchronizations|CIM: the same, pulled by 1,000, s|-
cim-pull-synchronizations-memory|the same, growth of memory, MiB|<=64
cim-get|CIM: GetInstance over 4 connections beside a session with interval 0, 1/s|>=5000
cim-get-p99|the same, p99, ms|<=2
cim-hold|hold of a coordination, p99, us: beside those 4, without|<=1.10
cim-failed|groups that failed: beside those 4, more than without|0
cim-hold-all|hold p99, us: beside EnumerateInstances of all, without|<=1.10
cim-failed-all|groups that failed: beside EnumerateInstances of all, more than without|0
'
cim_count=${XDC_BENCH_VOLUMES:-10000}

# ---- ten thousand of them ----

# make_volumes FIRST COUNT: thin ones of 1 MiB, with numbers from FIRST on.
make_volumes()
{
	awk -v first="$1" -v n="$2" 'BEGIN {
		for (i = first; i < first + n; i++) {
			printf "{\"op\":\"volume create\",\"args\":{\"volume\":\"%04X\",", i
			print "\"pool\":\"p1\",\"size\":\"1M\"}}"
		}
	}' | "$build/commands" "$tmp/A/control"
}

# All volumes become targets, ten of each source; the sources have the numbers behind all.
make_synchronizations()
{
	make_volumes "$cim_count" $(((cim_count + 9) / 10))
	awk -v n="$cim_count" -v sources="$cim_count" 'BEGIN {
		for (i = 0; i < n; i++) {
			printf "{\"op\":\"flash create\",\"args\":{\"source\":\"%04X\",\"target\":\"%04X\",",
				sources + int(i / 10), i
			print "\"no_copy\":true,\"persistent\":true}}"
		}
	}' | "$build/commands" "$tmp/A/control"
}

# status_mib SYSTEM FIELD: of /proc/PID/status.
status_mib()
{
	awk -v field="$2:" '$1 == field { print $2 / 1024 }' "/proc/${system_pid[$1]}/status"
}

# all FILE CLASS VERB [MAX]: seconds to FILE, MB/s to FILE-rate, and to FILE-memory by how much the system was larger
# at its largest than before.
all()
{
	local before pid=${system_pid[A]}
	echo 5 >"/proc/$pid/clear_refs"
	before=$(status_mib A VmRSS)
	"$build/cim_load" "$3" "$loopback" "${cim_port[A]}" root/ibm "$2" "${@:4}" >"$tmp/answer"
	jq -e ".objects == $cim_count" "$tmp/answer" >"$tmp/out" || fail "$3 $2: $(cat "$tmp/answer")"
	jq .seconds "$tmp/answer" >>"$tmp/$1"
	jq '.bytes / .seconds / 1e6' "$tmp/answer" >>"$tmp/$1-rate"
	awk -v before="$before" -v peak="$(status_mib A VmHWM)" 'BEGIN { print peak - before }' >>"$tmp/$1-memory"
}

# all_rows NAME PULL-NAME CLASS
all_rows()
{
	local i
	for ((i = 0; i < pairs; i++)); do
		all "$1" "$3" enumerate
		all "$2" "$3" pull 1000
	done
	print_row "$1" "$1"
	print_row "$1-rate" "$1-rate"
	# What it grows by the first time it keeps: the largest counts.
	sort -n "$tmp/$1-memory" | tail -n 1 >"$tmp/most"
	print_row "$1-memory" most
	print_row "$2" "$2"
	sort -n "$tmp/$2-memory" | tail -n 1 >"$tmp/most"
	print_row "$2-memory" most
}

enumerate_rows()
{
	local began=$SECONDS
	reactors=1
	start A 2105.FA120
	make_volumes 0 "$cim_count"
	echo "$cim_count volumes made in $((SECONDS - began)) s"
	! wanted cim-volumes cim-volumes-rate cim-volumes-memory cim-pull cim-pull-memory ||
		all_rows cim-volumes cim-pull IBMTSESS_Volume
	if wanted cim-synchronizations cim-synchronizations-rate cim-synchronizations-memory \
		cim-pull-synchronizations cim-pull-synchronizations-memory; then
		began=$SECONDS
		make_synchronizations
		echo "$cim_count synchronizations made in $((SECONDS - began)) s"
		all_rows cim-synchronizations cim-pull-synchronizations IBMTSESS_StorageSynchronized
	fi
	end A
}

# ---- beside a session ----

# As long as the load lasts, four connections ask the master for one volume each time.
queries_get()
{
	while [ -e "$tmp/querying" ]; do
		"$build/cim_load" get "$loopback" "${cim_port[A1]}" root/ibm IBMTSESS_Volume 4 "$seconds" >"$tmp/got"
		jq '.answers / .seconds' "$tmp/got" >>"$tmp/gets"
		jq '.us.p99 / 1000' "$tmp/got" >>"$tmp/get-p99"
	done
}

# Everything that the master has, in both namespaces, again and again.
queries_all()
{
	local namespace
	while [ -e "$tmp/querying" ]; do
		for namespace in root/ibm root/cimv2/storage/iscsitarget; do
			"$build/cim_load" enumerate "$loopback" "${cim_port[A1]}" $namespace CIM_ManagedElement \
				>"$tmp/got"
			"$build/cim_load" enumerate "$loopback" "${cim_port[A1]}" $namespace CIM_StorageSynchronized \
				>"$tmp/got"
		done
	done
}

# session_beside NAME [QUERIES]: hold p99 to hold-NAME, groups that failed to failed-NAME. The session is a new one each
# time, so that it tells of nothing else.
session_beside()
{
	local asked=''
	uris=()
	start_session
	wait_until 60 in_sync
	: >"$tmp/querying"
	if [ $# -gt 1 ]; then
		"$2" &
		asked=$!
	fi
	"$paced" 5000 "$seconds" "${uris[@]}" >"$tmp/load"
	json A1 .hold_us_p99 session show 1 >>"$tmp/hold-$1"
	json A1 .cg_failed session show 1 >>"$tmp/failed-$1"
	rm "$tmp/querying"
	[ -z "$asked" ] || wait "$asked"
	end "${sources[@]}" B1 B2
}

queried_rows()
{
	local i
	for ((i = 0; i < pairs; i++)); do
		session_beside get queries_get
		session_beside none
		session_beside all queries_all
	done
	print_row cim-get gets
	print_row cim-get-p99 get-p99
	print_row cim-hold hold-get hold-none
	print_row cim-hold-all hold-all hold-none
	paste "$tmp/failed-get" "$tmp/failed-none" | awk '{ print $1 - $2 }' >"$tmp/failed-more"
	print_row cim-failed failed-more
	paste "$tmp/failed-all" "$tmp/failed-none" | awk '{ print $1 - $2 }' >"$tmp/failed-more"
	print_row cim-failed-all failed-more
}
