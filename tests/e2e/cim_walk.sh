#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Discovery over CIM: a client that knows nothing but interop walks from the registered profiles to the systems, and
# every operation along associations tells the same as the enumerations do, for every instance there is.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
. "$(dirname "$0")/lib_cim.sh"
requires wbemcli xmllint python3 jq

port=$(free_port)
url=http://$loopback:$port
grammar=$top/tests/cim/response.rng

site A 2105.FA120 --cim "$loopback:$port" --anonymous reader
site B 2105.FB230
path A 15 B 25
mkdir -p "$tmp/A/pool2"
on A pool create p2 --dir "$tmp/A/pool2"
for id in 1500 1501 1502; do
	on A volume create "$id" --pool p1 --size 16M
done
on A volume create 1600 --pool p2 --size 16M
for id in 2500 2501; do
	on B volume create "$id" --pool p1 --size 16M
done
pair A 1500 B 2500 async
pair A 1501 B 2501 global-copy
on A flash create 1501 1502 --no-copy
on A session open 1 --lss 15
on A session add 1 1500
on A set create backup --kind synchronized
on A set add backup 1501
on A set create app --kind consistency --of volumes
on A set add app 1600
wait_until 20 is A '.first_copy_done' pair show 1500
wait_until 20 is A '.first_copy_done' pair show 1501

# cim VERB OBJECT [OPTION]...: what wbemcli says; wanted PATTERN: and it said that.
cim()
{
	wbemcli "$1" "$url/$2" "${@:3}" </dev/null >"$tmp/out" 2>&1 || true
}
wanted()
{
	grep -q -- "$1" "$tmp/out" || fail "no '$1' in: $(cat "$tmp/out")"
}

# ---- profiles, and what they lead to ----
profile=interop:CIM_RegisteredProfile.InstanceID
cim ain "$profile=\"SNIA:SMI-S:1.6.1\"" -ac CIM_ElementConformsToProfile -arc CIM_RegisteredProfile
wanted 'SNIA:Array:1.6.1'
wanted 'SNIA:Server:1.6.1'
cim ai "$profile=\"SNIA:Server:1.6.1\"" -ac CIM_ElementConformsToProfile
wanted 'CIM_ObjectManager.*Started=TRUE'
cim ain "$profile=\"SNIA:Array:1.6.1\"" -ac CIM_ReferencedProfile -ar Antecedent
wanted 'SNIA:Copy Services:1.6.1'
wanted 'SNIA:Replication Services:1.6.1'
cim rin "$profile=\"SNIA:Array:1.6.1\"" -arc CIM_ReferencedProfile
wanted 'CIM_SubProfileRequiresProfile'
cim ri "$profile=\"SNIA:Server:1.6.1\"" -ar ConformantStandard
wanted 'CIM_ElementConformsToProfile'

# ---- from the array to its volumes, as a client of SMI-S goes ----
cim ain "$profile=\"SNIA:Array:1.6.1\"" -ac CIM_ElementConformsToProfile -arc CIM_ComputerSystem
expect_equal 1 "$(grep -c root/ibm:IBMTSESS_StorageSystem "$tmp/out")" "systems: $(cat "$tmp/out")"
expect_equal 1 "$(wc -l <"$tmp/out")" 'systems of all namespaces'
system='root/ibm:IBMTSESS_StorageSystem.CreationClassName="IBMTSESS_StorageSystem",Name="2105.FA120"'
cim ain "$system" -ac CIM_ElementConformsToProfile
wanted 'interop:CIM_RegisteredProfile.InstanceID="SNIA:Array:1.6.1"'
cim ai "$system" -ac CIM_HostedStoragePool -arc CIM_StoragePool
expect_equal 3 "$(grep -c IBMTSESS_StoragePool "$tmp/out")" "pools: $(cat "$tmp/out")"
cim ain 'root/ibm:IBMTSESS_StoragePool.InstanceID="xdc:2105.FA120:pool:p1"' -ac CIM_AllocatedFromStoragePool \
	-arc CIM_StorageVolume
expect_equal 3 "$(grep -c 'DeviceID="150[012]-' "$tmp/out")" "volumes of a pool: $(cat "$tmp/out")"
cim ain "$system" -ac CIM_HostedService -arc CIM_StorageConfigurationService
wanted 'IBMTSESS_AsyncPPRCService'
replication='IBMTSESS_ReplicationService.SystemCreationClassName="IBMTSESS_StorageSystem",SystemName="2105.FA120",'
replication+='CreationClassName="IBMTSESS_ReplicationService",Name="IBMTSESS_ReplicationService"'
cim ai "root/ibm:$replication" -ac CIM_ElementCapabilities -arc CIM_ReplicationServiceCapabilities
wanted 'SupportedReplicationTypes=4,5,7,11'
cim ai 'root/ibm:IBMTSESS_StoragePool.InstanceID="xdc:2105.FA120:pool:p1"' -ac CIM_ElementCapabilities
expect_equal 1 "$(grep -c 'SupportedSynchronousActions=2,3,4,5,6,7,8,9,10,' "$tmp/out")" "of a pool: $(cat "$tmp/out")"
cim ain 'root/ibm:IBMTSESS_Session.InstanceID="xdc:2105.FA120:session:1:15"' -ac CIM_OrderedMemberOfCollection
expect_equal 1 "$(grep -c 'DeviceID="1500-' "$tmp/out")" "volumes of the session: $(cat "$tmp/out")"
for set in SynchronizedSet:backup ConsistencySet:app; do
	cim ain "root/ibm:IBMTSESS_${set%:*}.InstanceID=\"xdc:2105.FA120:set:${set#*:}\"" -ac CIM_MemberOfCollection
	expect_equal 1 "$(wc -l <"$tmp/out")" "members of $set: $(cat "$tmp/out")"
	wanted 'IBMTSESS_Volume.*DeviceID'
done
job=root/ibm:IBMTSESS_ConcreteJob.InstanceID
number=$(json A 'map(select(.object | startswith("volume 1500 to")))[0].job' job list)
cim ain "$job=\"xdc:2105.FA120:job:$number\"" -ac CIM_AffectedJobElement
expect_equal 1 "$(grep -c 'DeviceID="1500-' "$tmp/out")" "what job $number is about: $(cat "$tmp/out")"

# ---- what each kind of copy is able to do ----
cim ain "$system" -ac CIM_HostedService -arc CIM_StorageConfigurationService
cim ai "$(sed 's/^[^/]*\///' "$tmp/out")" -ac CIM_ElementCapabilities -arc CIM_StorageReplicationCapabilities
expect_equal 5 "$(grep -c StorageReplicationCapabilities "$tmp/out")" "kinds of copies: $(cat "$tmp/out")"
wanted 'SupportedSynchronizationType=2,SupportedAsynchronousActions=5,7,.*SupportedModifyOperations=2,3,4,8,9,10,11,'
wanted 'SupportedSynchronizationType=4,.*SupportedModifyOperations=2,4,5,7,12,13,.*HostAccessibleState=4,'

# ---- what the system runs and reaches, and what its volumes are like ----
cim ai "$system" -ac CIM_InstalledSoftwareIdentity
wanted "VersionString=\"$("$xdcd" --version | sed 's/.* //')\""
cim ai "$system" -ac CIM_HostedAccessPoint -arc CIM_RemoteServiceAccessPoint
wanted "AccessInfo=\"$loopback:${link_port[B]}\""
access=$(sed -n 's/^[^/]*\/\([^ ]*\) .*/\1/p' "$tmp/out")
cim ai "$access" -ac CIM_SAPAvailableForElement -arc CIM_ComputerSystem
wanted 'IBMTSESS_RemoteSystem.*ESSID="2105.FB230",Reachable=TRUE'
cim ai "$access" -ac CIM_MemberOfCollection
wanted 'IBMTSESS_Path.*SourceLSS="2105.FA120:15:",TargetLSS="2105.FB230:25:",NumberOfPairs=2,ConnectivityStatus=2'
capabilities='root/ibm:IBMTSESS_StorageCapabilities.InstanceID="xdc:2105.FA120:storage:p1"'
cim ein root/ibm:IBMTSESS_Volume
for element in "$capabilities" "$(sed -n 's/^[^/]*\/\(.*DeviceID="1600-.*\)/\1/p' "$tmp/out")"; do
	cim ai "$element" -ac CIM_ElementSettingData
	expect_equal 1 "$(grep -c 'IBMTSESS_StorageSetting.*RedundancyGoal=1' "$tmp/out")" "setting: $(cat "$tmp/out")"
done
cim cm "$capabilities" CreateSetting.SettingType=3
wanted 'CreateSetting: 0, NewSetting (reference): .*pool-setting:p1'

# ---- all of them, of all there is ----
mkdir "$tmp/answers"
python3 "$top/tests/cim/associations.py" "$loopback:$port" "$tmp/answers" >"$tmp/walked" ||
	fail "associations: $(cat "$tmp/walked")"
xmllint --noout --relaxng "$grammar" "$tmp/answers"/*.xml 2>"$tmp/lint" ||
	fail "answers are not valid: $(grep -v validates "$tmp/lint" | head -5)"
cat "$tmp/walked"
system_stop A
system_stop B
