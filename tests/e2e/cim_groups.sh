#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Replication Services from wbemcli, in both namespaces: what the capabilities say, a group from its making to its end,
# copies of it at one moment, mirrors as a group, a session; and their instances and associations meanwhile.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires wbemcli jq

port=$(free_port)
users=$tmp/users
echo secret | "$xdc" user add eve --role admin --users "$users"
site A 2105.FA120 --cim "$loopback:$port" --users "$users"
site B 2105.FB230
path A 15 B 25
url=http://eve:secret@$loopback:$port
for id in 1500 1501 1600 1601; do
	on A volume create "$id" --pool p1 --size 4M
done
on B volume create 2500 --pool p1 --size 4M

# cim VERB ARGUMENT...: what wbemcli says, in $tmp/out; says PATTERN: and it said that.
cim()
{
	wbemcli "$1" "$url/$2" "${@:3}" </dev/null >"$tmp/out" 2>&1 || true
}
says()
{
	grep -qE -- "$1" "$tmp/out" || fail "no '$1' in: $(cut -c1-1500 "$tmp/out")"
}

# call OBJECT METHOD [NAME=VALUE]...: by the schema; $code, and the answer in $tmp/out.
call()
{
	code=0
	echo secret | "$xdc" cim call "$@" --json --url "http://$loopback:$port" --user eve >"$tmp/out" 2>"$tmp/err" ||
		code=$?
}
# returns CODE OBJECT METHOD...
returns()
{
	call "${@:2}"
	expect_equal "$1" "$(jq .return_code "$tmp/out")" "$3: $(cat "$tmp/out" "$tmp/err")"
}
out()
{
	jq -r ".out.$1" "$tmp/out"
}

# ---- capabilities, in both namespaces ----
capabilities=('root/ibm:IBMTSESS' 'root/cimv2/storage/iscsitarget:MSISCSITARGET')
for of in "${capabilities[@]}"; do
	object="${of}_ReplicationServiceCapabilities.InstanceID=\"xdc:2105.FA120:capabilities:replication\""
	cim cm "$object" 'ConvertSyncTypeToReplicationType.SyncType=8,Mode=3,LocalOrRemote=2'
	says 'ConvertSyncTypeToReplicationType: 0, SupportedReplicationTypes \(uint16\): 11'
	cim cm "$object" 'GetSupportedCopyStates.ReplicationType=7'
	says 'GetSupportedCopyStates: 0, SupportedCopyStates \(uint16\): 4,5'
	cim cm "$object" 'GetSupportedGroupFeatures.ReplicationType=11'
	says 'GetSupportedGroupFeatures: 0, GroupFeatures \(uint16\): 3,4,5,14,23'
	cim cm "$object" 'GetSupportedGroupOperations.ReplicationType=4,CopyState=4'
	says 'SupportedGroupOperations \(uint16\): 22,10,8'
	cim cm "$object" 'GetSupportedMaximum.ReplicationType=7,Component=3'
	says 'GetSupportedMaximum: 0, MaxValue \(uint64\): 256'
	cim cm "$object" 'GetSupportedCopyStates.ReplicationType=8'
	says 'GetSupportedCopyStates: 1'
	cim gi "$object"
	says 'SupportedSynchronousActions=2,3,5,6,(9,)?10,(11,)?12,13,14,15,19,20,28'
done

# ---- peers, and each of their paths has its instance ----
service=IBMTSESS_ReplicationService
service+='.SystemCreationClassName="IBMTSESS_StorageSystem",SystemName="2105.FA120",'
service+='CreationClassName="IBMTSESS_ReplicationService",Name="IBMTSESS_ReplicationService"'
service=root/ibm:$service
returns 0 "$service" GetPeerSystems Options=3
peer=$(out 'Systems[0]') access=$(out 'RemoteAccessPoints[0]')
cim gi "$peer"
says 'Name="2105.FB230"'
cim gi "$access"
says 'Name="2105.FB230"'

# ---- a group, and its members in order ----
volume()
{
	wbemcli ein "$url/root/ibm:IBMTSESS_Volume" </dev/null | sed "s/^[^/]*\///" | grep "DeviceID=\"$1-"
}
returns 0 "$service" CreateGroup GroupName=db "Members=$(volume 1501)" "Members=$(volume 1500)"
group=$(out ReplicationGroup)
[[ $group == *'"xdc:2105.FA120:group:db"' ]] || fail "the group is $group"
for of in "${capabilities[@]}"; do
	cim ein "${of}_ReplicationGroup"
	says 'xdc:2105.FA120:group:db'
	cim rin "${of}_ReplicationGroup.InstanceID=\"xdc:2105.FA120:group:db\"" -arc CIM_OrderedMemberOfCollection
	expect_equal 2 "$(wc -l <"$tmp/out")" "members: $(cat "$tmp/out")"
	cim ri "${of}_ReplicationGroup.InstanceID=\"xdc:2105.FA120:group:db\"" -arc CIM_OrderedMemberOfCollection
	says 'DeviceID=.?"1501-.*AssignedSequence=2'
done

# ---- snapshots of it at one moment, from one of the namespaces, seen in both ----
returns 0 "$service" CreateGroupReplica SyncType=7 "SourceGroup=$group" RelationshipName=hourly Consistency=3
copies=$(out Synchronization)
for of in "${capabilities[@]}"; do
	cim ei "${of}_GroupSynchronized"
	says 'RelationshipName="hourly"'
	says 'CopyState=4'
	says 'ConsistencyState=3'
	cim ain "${of}_ReplicationGroup.InstanceID=\"xdc:2105.FA120:group:db\"" -ac CIM_GroupSynchronized
	says 'xdc:2105.FA120:targets:hourly'
	cim ain "${of}_ReplicationGroup.InstanceID=\"xdc:2105.FA120:targets:hourly\"" -ac CIM_OrderedMemberOfCollection
	expect_equal 2 "$(wc -l <"$tmp/out")" "targets: $(cat "$tmp/out")"
done
expect_equal 2 "$(json A length flash list)" 'FlashCopies'
returns 7 "$service" DeleteGroup "ReplicationGroup=$group"
returns 6 "$service" ModifyReplicaSynchronization Operation=8 "Synchronization=$copies"
returns 0 "$service" ModifyReplicaSynchronization Operation=8 Force=true "Synchronization=$copies"
expect_equal 0 "$(json A length flash list)" 'FlashCopies'
cim ein root/ibm:IBMTSESS_GroupSynchronized
expect_equal '' "$(cat "$tmp/out")" 'copies of groups'
returns 0 "$service" DeleteGroup "ReplicationGroup=$group"
cim ein root/ibm:IBMTSESS_ReplicationGroup
expect_equal '' "$(cat "$tmp/out")" 'groups'

# ---- a mirror as a group: suspended, and resumed ----
far='root/ibm:IBMTSESS_RemoteVolume.InstanceID="xdc:2105.FB230:volume:2500"'
returns 4096 "$service" CreateGroupReplicaFromElements SyncType=6 Mode=2 RelationshipName=mirror \
	"SourceElements=$(volume 1500)" "TargetElements=$far"
copies=$(out Synchronization)
wait_until 30 is A '.state == "full-duplex"' pair show 1500
cim ei root/cimv2/storage/iscsitarget:MSISCSITARGET_GroupSynchronized
says 'Skew=0'
says 'RPO=00000000000000.000000:000'
returns 0 "$service" ModifyReplicaSynchronization Operation=22 "Synchronization=$copies"
cim ei root/ibm:IBMTSESS_GroupSynchronized
says 'CopyState=9'
# With a job only as long as something is copied.
call "$service" ModifyReplicaSynchronization Operation=16 WaitForCopyState=4 "Synchronization=$copies"
expect_equal 0 "$code" "$(cat "$tmp/out" "$tmp/err")"
wait_until 30 is A '.state == "full-duplex"' pair show 1500
returns 0 "$service" ModifyReplicaSynchronization Operation=8 "Synchronization=$copies"
expect_equal 0 "$(json A length pair list)" pairs

# ---- a session is a copy of a group, too: consistent, and so far behind ----
pair A 1500 B 2500 async
on A session open 1 --lss 15
on A session add 1 1500
on A session start 1 --master 15 --interval 100ms
wait_until 30 is A '.joined_count == 1 and .sequence > 0' session show 1
session='root/ibm:IBMTSESS_Session.InstanceID="xdc:2105.FA120:session:1:15"'
cim ri "$session" -arc CIM_GroupSynchronized -ar SystemElement
says 'SyncedElement=.*xdc:2105.FA120:session-ends:1:15'
says 'ConsistencyEnabled=TRUE,ConsistencyType=2,ConsistencyState=3'
says 'RPO=0000000000[0-9]{4}\.[0-9]{6}:000'
says 'Skew=[0-9]'
cim ain "$session" -ac CIM_GroupSynchronized
says 'xdc:2105.FA120:session-ends:1:15'
cim ain 'root/ibm:IBMTSESS_ReplicationGroup.InstanceID="xdc:2105.FA120:session-ends:1:15"' \
	-ac CIM_OrderedMemberOfCollection
says 'IBMTSESS_RemoteVolume.InstanceID="xdc:2105.FB230:volume:2500"'
system_stop A
system_stop B
