#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A whole story over CIM, by clients that know nothing but interop of two systems: they find the array and its services,
# make pools, volumes, pairs and a session, watch its groups while a host writes, lose the source, fail over at the far
# side, and what hosts find there is one moment of what they wrote. The command line only makes what has no method: the
# folder that pools take their space from, and paths.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires wbemcli jq

declare -A at=()	# NAME -> address of its CIM server
for name in A:2105.FA120 B:2105.FB230; do
	at[${name%:*}]=$loopback:$(free_port)
	site "${name%:*}" "${name#*:}" --cim "${at[${name%:*}]}" --anonymous admin
done

# cim NAME VERB OBJECT [OPTION]...: what wbemcli says of a system.
cim()
{
	wbemcli "$2" "http://${at[$1]}/$3" "${@:4}" </dev/null
}

# ends NAME OBJECT ASSOCIATION CLASS: what an association leads to, without the host.
ends()
{
	cim "$1" ain "$2" -ac "$3" -arc "$4" | sed 's/^[^/]*\///'
}

# cm NAME CODE SERVICE METHOD[.PARAMETER=VALUE,...]: what it returns; the rest is in $tmp/out.
cm()
{
	cim "$1" cm "$3" "$4" >"$tmp/out" 2>&1 || true
	grep -q "${4%%.*}: $2\(,\|\$\)" "$tmp/out" || fail "$1: $4 returns not $2: $(cut -c1-900 "$tmp/out")"
}

# result PARAMETER: a reference of the last call. says PATTERN: it is in what came out.
result()
{
	sed -n "s/.*$1 (reference): \([^ ]*\).*/\1/p" "$tmp/out"
}
says()
{
	grep -qE -- "$1" "$tmp/out" || fail "no '$1' in: $(cut -c1-1500 "$tmp/out")"
}

# ---- from the profile to the services ----
declare -A array=() service=() replication=()
for name in A B; do
	profile=$(cim "$name" ein interop:CIM_RegisteredProfile | sed -n 's/^[^/]*\/\(.*"SNIA:Array:.*\)/\1/p')
	array[$name]=$(ends "$name" "$profile" CIM_ElementConformsToProfile CIM_ComputerSystem)
	service[$name]=$(ends "$name" "${array[$name]}" CIM_HostedService CIM_StorageConfigurationService)
	replication[$name]=$(ends "$name" "${array[$name]}" CIM_HostedService CIM_ReplicationService)
	for found in "${array[$name]}" "${service[$name]}" "${replication[$name]}"; do
		expect_equal 1 "$(grep -c '^root/ibm:' <<<"$found")" "not one: $found"
	done
done

# ---- a pool in the one that there is, and two volumes in it, at each site ----
declare -A volume=()
for name in A B; do
	parent=$(ends "$name" "${array[$name]}" CIM_HostedStoragePool CIM_StoragePool | grep ':pool:p1"$')
	cm "$name" 0 "${service[$name]}" "CreateOrModifyStoragePool.ElementName=app,Size=67108864,InPools=$parent"
	pool=$(result Pool)
	for number in 1 2; do
		wanted=ElementName=disk$number,Size=4194304,InPool=${at[$name]}/$pool
		cm "$name" 0 "${service[$name]}" "CreateOrModifyElementFromStoragePool.$wanted"
		says 'Size \(uint64\): 4194304'
		volume[$name$number]=$(result TheElement)
	done
	expect_equal 2 "$(ends "$name" "${array[$name]}" CIM_SystemDevice CIM_StorageVolume | wc -l)" "volumes of $name"
done

# ---- pairs; a session over both ----
path A 00 B 00
path B 00 A 00
session='SessionNumber=1,SessionType=0x40'
lss=2105.FA120:00:
cm A 0 "${service[A]}" "ManageSession.$session,LSS=$lss,Operation=1"
cm A 0 "${service[A]}" QueryAsyncPPRCStatus
says 'LastConsistencyGroupTimes \(datetime\): 00000000000000.000000:000'
members=()
for number in 1 2; do
	id=$(sed 's/.*DeviceID="\([0-9A-F]*\)-.*/\1/' <<<"${volume[B$number]}")
	target="${at[A]}/root/ibm:IBMTSESS_RemoteVolume.InstanceID=\"xdc:2105.FB230:volume:$id\""
	cm A 4096 "${service[A]}" \
		"AttachReplica.SourceElement=${at[A]}/${volume[A$number]},TargetElement=$target,CopyType=2"
	says 'Job \(reference\): '
	members+=("Volumes=${volume[A$number]#*:}")
done
# wbemcli writes no arrays of references.
"$xdc" cim call "${service[A]}" ManageSessionVolume SessionNumber=1 SessionType=0x40 "LSS=$lss" Operation=1 \
	"${members[@]}" --url "http://${at[A]}" >"$tmp/out"
says '^ReturnValue  (0|4096) '
limits='ConsistencyGroupInterval=0,MaxXDCCoordinationTime=50,MaxConsistencyGroupDrain=4'
cm A 0 "${service[A]}" "ManageAsyncPPRC.$session,MasterLSS=$lss,Operation=1,$limits"

# ---- groups form while a host writes ----
# column METHOD NAME: the values of one of its arrays, as wbemcli has them.
column()
{
	cm A 0 "${service[A]}" "$1.$session"
	sed -n "s/.*, $2 ([a-z0-9]*): \([^ ]*\).*/\1/p" "$tmp/out" | sed 's/,*$//'
}
# has METHOD NAME PATTERN: for wait_until.
has()
{
	column "$1" "$2" | grep -qE -- "$3"
}
wait_until 60 has QueryXDCSessionsAndDevices VolumeStatuses '^joined,joined$'
sequence()
{
	column QueryXDCIncrementStatus SequenceNumbers | cut -d, -f1
}
# newer_than SEQUENCE: for wait_until.
newer_than()
{
	[ "$(sequence)" -gt "$1" ]
}
start_writer "$(uri A 0000)" "$(uri A 0001)"
wait_until 60 has QueryXDCOutOfSyncStatus VolumeChangeRecordingTracks '[1-9]'
wait_until 60 has QueryXDCIncrementStatus ConsistencyGroupStates '(drain|prepare|commit)'
for _ in 1 2 3; do
	wait_until 60 newer_than "$(sequence)"
done
says 'Volumes \(string\): 2105.FA120:0000,2105.FA120:0001'
wait_until 60 has_answers 300

# ---- the site dies. What was answered before the last group but one began is in the last one ----
least=$(awk '{ number = $1 } END { print number + 0 }' "$tmp/ordered.log")
for _ in 1 2; do
	wait_until 60 newer_than "$(sequence)"
done
system_kill A
stop_writer

# ---- fail over: what discovery finds at the far side is enough ----
far=$(ends B "${array[B]}" CIM_HostedCollection IBMTSESS_Session)
expect_equal 2 "$(ends B "$far" CIM_OrderedMemberOfCollection CIM_StorageVolume | wc -l)" 'volumes of the session there'
# found_group: the copy of the session that discovery finds there, if any.
found_group()
{
	cim B ein root/ibm:CIM_GroupSynchronized | sed 's/^[^/]*\///'
}
# modify OPERATION: of all of the session at once, whose path is then what the call gives for it.
modify()
{
	# wbemcli takes no path with paths in it.
	"$xdc" cim call "${replication[B]}" ModifyReplicaSynchronization "Operation=$1" "Synchronization=$group" \
		--json --url "http://${at[B]}" >"$tmp/out" || fail "operation $1: $(cat "$tmp/out")"
	expect_equal 0 "$(jq .return_code "$tmp/out")" "operation $1"
	group=$(jq -r '.out.UpdatedSynchronization // empty' "$tmp/out")
	# wbemcli quotes nothing in it.
	expect_equal "$(tr -d '\\"' <<<"$group")" "$(found_group | tr -d '"')" "the session after operation $1"
}
group=$(found_group)
modify 10
expect_equal recovered "$(cim B gp "$far" SessionState)" 'the session'
mapfile -t copies < <(cim B ein root/ibm:CIM_StorageSynchronized)
expect_equal 2 "${#copies[@]}" 'copies'
for copy in "${copies[@]}"; do
	expect_equal 10 "$(cim B gp "${copy#*/}" CopyState)" 'CopyState of a copy that is failed over'
done

# ---- what hosts find there is one moment, and hosts go on ----
far_uris=("$(uri B 0000)" "$(uri B 0001)")
"$ordered" check "$tmp/ordered.log" "${far_uris[@]}" | tee "$tmp/verdict"
present=$(sed -n 's/.* \([0-9]*\) present.*/\1/p' "$tmp/verdict")
[ "$present" -ge "$least" ] || fail "write $least is in a group, but only $present are there"
answered=$(wc -l <"$tmp/ordered.log")
start_writer "${far_uris[@]}"
wait_until 60 has_answers "$((answered + 100))"

# ---- the way home ----
system_restart A
modify 11
stop_writer
modify 20
"$ordered" check "$tmp/ordered.log" "$(uri A 0000)" "$(uri A 0001)" | grep -q ' 0 lost' ||
	fail 'the old site lacks writes'
system_stop B
system_stop A
