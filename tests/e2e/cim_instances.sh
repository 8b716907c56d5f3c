#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Instances over CIM-XML: what wbemcli enumerates in both namespaces is what xdc says; every path that is ever returned
# is found by GetInstance; the pull family gives the same in pieces. Every answer is valid by our grammar.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
. "$(dirname "$0")/lib_cim.sh"
requires wbemcli xmllint jq

port=$(free_port)
far_port=$(free_port)
grammar=$top/tests/cim/response.rng
ibm=root/ibm
iscsitarget=root/cimv2/storage/iscsitarget
site A 2105.FA120 --cim "$loopback:$port" --anonymous admin
site B 2105.FB230 --cim "$loopback:$far_port" --anonymous reader
path A 15 B 15
for id in 1500 1501 1502 1503; do
	on A volume create "$id" --pool p1 --size 4M --name "vol$id"
	on B volume create "$id" --pool p1 --size 4M
done
on A pair create 1500 1500 --system 2105.FB230 --type sync --wait
in_step() { is A '.state == "full-duplex"' pair show 1500; }
wait_until 30 in_step
on A pair create 1501 1501 --system 2105.FB230 --type async
on A flash create 1502 1503 --no-copy --persistent
on A session open 1 --lss 15
on A session add 1 1501
on A set create s1 --kind synchronized --of pairs

# cim VERB OBJECT...: what wbemcli says of A.
cim()
{
	wbemcli "$1" "http://$loopback:$port/$2" "${@:3}" </dev/null
}

# property CLASS NAME: its values in all instances of a class of A, sorted.
property()
{
	cim ei "$1" -nl >"$tmp/instances"
	sed -n "s/^-$2=//p" "$tmp/instances" | sort
}

# ---- what is shown is what there is ----
for class in $ibm:CIM_StorageVolume $iscsitarget:CIM_StorageVolume; do
	property $class ElementName >"$tmp/found"
	on A volume list --json | jq '.[].name' | sort >"$tmp/wanted"
	diff "$tmp/wanted" "$tmp/found" >&2 || fail "other volumes in $class"
	expect_equal '8192 8192 8192 8192' "$(property $class NumberOfBlocks | xargs)" "blocks in $class"
	on A volume list --json | jq '.[].naa | ascii_upcase' | sort >"$tmp/wanted"
	property $class Name >"$tmp/found"
	diff "$tmp/wanted" "$tmp/found" >&2 || fail "other names in $class"
done
for class in $ibm:IBMTSESS_StorageSynchronized $iscsitarget:MSISCSITARGET_StorageSynchronized; do
	expect_equal '2 3 4' "$(property $class CopyType | xargs)" "types of copies in $class"
	expect_equal '11 6 6' "$(property $class SyncState | xargs)" "their states"
	expect_equal '15 15 15' "$(property $class RequestedCopyState | xargs)" "what they are to be"
	expect_equal '100 100 100' "$(property $class PercentSynced | xargs)" "how far they are"
done
property $ibm:IBMTSESS_RemoteVolume InstanceID >"$tmp/found"
printf '"xdc:2105.FB230:volume:%s"\n' 1500 1501 | diff - "$tmp/found" >&2 || fail 'other remote volumes'
expect_equal '"0x40"' "$(property $ibm:IBMTSESS_Session SessionType)" 'type of the session'
expect_equal '"s1"' "$(property $ibm:IBMTSESS_SynchronizedSet ElementName)" 'the set'
expect_equal TRUE "$(property $ibm:IBMTSESS_AsyncPPRCService Started)" 'the service'
on A pair suspend 1500
expect_equal '11 13 6' "$(property $ibm:CIM_Synchronized SyncState | xargs)" 'states after a suspension'
property $iscsitarget:CIM_Synchronized WhenSuspended | grep -q '^20' || fail 'it does not say since when'
expect_equal 'TRUE TRUE' "$(wbemcli ei "http://$loopback:$far_port/$ibm:IBMTSESS_StorageSynchronized" -nl </dev/null |
	sed -n 's/^-isStateFromSecondary=//p' | xargs)" 'the other end'

# ---- every path is found ----
for namespace in $ibm $iscsitarget; do
	for class in CIM_ManagedElement CIM_Synchronized; do
		cim ein "$namespace:$class" >"$tmp/paths"
		[ -s "$tmp/paths" ] || fail "no instances of $class in $namespace"
		while read -r path; do
			wbemcli gi "http://$path" </dev/null >"$tmp/out" 2>&1 || true
			[ "$(cut -c1-${#path} "$tmp/out")" = "$path" ] || fail "gi $path: $(cat "$tmp/out")"
		done <"$tmp/paths"
	done
done
volume=$(cim ein $ibm:CIM_StorageVolume | head -1)
expect_equal 512 "$(wbemcli gp "http://$volume" BlockSize </dev/null)" 'gp'

# ---- what is writable is written, in force and kept ----
flash=$(cim ein $iscsitarget:CIM_Synchronized | grep 'SyncedElement=.*1503-')
wbemcli sp "http://$flash" CopyPriority=3 </dev/null
expect_equal high "$(on A flash show 1503 --json | jq -r .priority)" 'priority of a FlashCopy'
pair=$(cim ein $ibm:CIM_Synchronized | grep 'volume:1501')
wbemcli mi "http://$pair" CopyPriority=4 </dev/null
expect_equal urgent "$(on A pair show 1501 --json | jq -r .priority)" 'priority of a pair'
wbemcli sp "http://$pair" CopyPriority=5 </dev/null >"$tmp/out" 2>&1 || true
grep -q INVALID_PARAMETER "$tmp/out" || fail "CopyPriority 5: $(cat "$tmp/out")"
wbemcli sp "http://$pair" SyncState=5 </dev/null >"$tmp/out" 2>&1 || true
grep -q NOT_SUPPORTED "$tmp/out" || fail "SyncState: $(cat "$tmp/out")"
pprc=$(cim ein $ibm:IBMTSESS_AsyncPPRCService)
wbemcli mi "http://$pprc" PrimaryOwnerName=Ann,PrimaryOwnerContact=ann@example.org </dev/null
wbemcli sp "http://$pprc" EnabledDefault=3 </dev/null
wbemcli sp "http://$pprc" EnabledDefault=9 </dev/null >"$tmp/out" 2>&1 || true
grep -q INVALID_PARAMETER "$tmp/out" || fail "EnabledDefault 9: $(cat "$tmp/out")"
system_stop A
system_restart A
expect_equal '"Ann"' "$(property $ibm:IBMTSESS_ReplicationService PrimaryOwnerName)" 'owner after a restart'
expect_equal '"ann@example.org"' "$(property $ibm:IBMTSESS_AsyncPPRCService PrimaryOwnerContact)" 'contact'
expect_equal '3 3' "$(property $ibm:CIM_Service EnabledState | xargs)" 'the service is disabled at the start'
wbemcli sp "http://$pair" CopyPriority=1 </dev/null >"$tmp/out" 2>&1 || true
expect_equal urgent "$(on A pair show 1501 --json | jq -r .priority)" 'priority while the service is disabled'
wbemcli sp "http://$pprc" EnabledDefault=7 </dev/null
on A service start

# ---- byte by byte: ask NAMESPACE OPERATION PARAMETERS ----
ask()
{
	local body part path=''
	for part in ${1//\// }; do
		path+="<NAMESPACE NAME=\"$part\"/>"
	done
	body='<?xml version="1.0"?><CIM CIMVERSION="2.0" DTDVERSION="2.0"><MESSAGE ID="7" PROTOCOLVERSION="1.0">'
	body+="<SIMPLEREQ><IMETHODCALL NAME=\"$2\"><LOCALNAMESPACEPATH>$path</LOCALNAMESPACEPATH>$3"
	body+='</IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>'
	exchange "POST /cimom HTTP/1.1\r\nHost: x\r\nCIMOperation: MethodCall\r\nContent-Length: ${#body}\r\n" "$body"
	expect_equal 200 "$status" "$2"
	xmllint --noout --relaxng "$grammar" "$tmp/body" 2>"$tmp/lint" ||
		fail "$2: not valid: $(head -5 "$tmp/lint"): $(head -c 600 "$tmp/body")"
}
answers()
{
	grep -qE -- "$1" "$tmp/body" || fail "no '$1' in: $(head -c 900 "$tmp/body")"
}
refused()
{
	answers "<ERROR CODE=\"$1\" "
}
count()
{
	{ grep -o "$1" "$tmp/body" || true; } | wc -l
}
class() { printf '<IPARAMVALUE NAME="ClassName"><CLASSNAME NAME="%s"/></IPARAMVALUE>' "$1"; }
value() { printf '<IPARAMVALUE NAME="%s"><VALUE>%s</VALUE></IPARAMVALUE>' "$1" "$2"; }
properties() { printf '<IPARAMVALUE NAME="PropertyList"><VALUE.ARRAY>%s</VALUE.ARRAY></IPARAMVALUE>' "$1"; }

for namespace in $ibm $iscsitarget interop root/cimv2; do
	for class in CIM_ManagedElement CIM_Synchronized; do
		ask "$namespace" EnumerateInstances "$(class "$class")$(value IncludeClassOrigin true)"
		ask "$namespace" EnumerateInstanceNames "$(class "$class")"
	done
done
ask $ibm EnumerateInstances "$(class cim_logicaldevice)$(value DeepInheritance false)"
expect_equal 4 "$(count '<INSTANCE CLASSNAME="IBMTSESS_Volume">')" 'instances of a superclass'
! grep -q 'NAME="NumberOfBlocks"' "$tmp/body" || fail 'DeepInheritance false, and properties of subclasses came'
answers 'NAME="DeviceID"'
ask $ibm EnumerateInstances "$(class IBMTSESS_Volume)$(properties '<VALUE>elementname</VALUE><VALUE>Nothing</VALUE>')"
expect_equal 4 "$(count '<PROPERTY ')" 'properties of a list'
ask $ibm EnumerateInstances "$(class IBMTSESS_Volume)$(properties '')"
expect_equal 0 "$(count '<PROPERTY ')" 'properties of an empty list'
ask $ibm EnumerateInstances "$(class CIM_Nothing)"
refused 5
ask $ibm EnumerateInstances ''
refused 4
key='<KEYBINDING NAME="InstanceID"><KEYVALUE>xdc:2105.FA120:pool:none</KEYVALUE></KEYBINDING>'
name='<IPARAMVALUE NAME="InstanceName"><INSTANCENAME CLASSNAME='
ask $ibm GetInstance "$name\"IBMTSESS_StoragePool\">$key</INSTANCENAME></IPARAMVALUE>"
refused 6
ask $ibm GetInstance "$name\"IBMTSESS_StoragePool\"/></IPARAMVALUE>"
refused 4
ask $ibm GetInstance "$name\"IBMTSESS_Nothing\">$key</INSTANCENAME></IPARAMVALUE>"
refused 5
key=${key/none/p1}
ask $ibm GetProperty "$name\"IBMTSESS_StoragePool\">$key</INSTANCENAME></IPARAMVALUE>$(value PropertyName Kind)"
answers '<VALUE>dir</VALUE>'
ask $ibm GetProperty "$name\"IBMTSESS_StoragePool\">$key</INSTANCENAME></IPARAMVALUE>$(value PropertyName X)"
refused 12

# ---- pulled: pull NAMESPACE FAMILY CLASS: all of it, three at a time, into $tmp/pulled ----
pull()
{
	local context
	ask "$1" "OpenEnumerateInstance$2" "$(class "$3")$(value MaxObjectCount 1)"
	cp "$tmp/body" "$tmp/pulled"
	while ! grep -q 'NAME="EndOfSequence" PARAMTYPE="boolean"><VALUE>TRUE' "$tmp/body"; do
		context=$(sed -n 's/.*NAME="EnumerationContext"[^>]*><VALUE>\([^<]*\).*/\1/p' "$tmp/body")
		ask "$1" "PullInstance$4" "$(value EnumerationContext "$context")$(value MaxObjectCount 3)"
		cat "$tmp/body" >>"$tmp/pulled"
	done
}
pull $ibm s CIM_ManagedElement sWithPath
ask $ibm EnumerateInstanceNames "$(class CIM_ManagedElement)"
expect_equal "$(count '<INSTANCENAME')" "$(grep -o '<VALUE.INSTANCEWITHPATH>' "$tmp/pulled" | wc -l)" 'pulled instances'
pull $ibm Paths CIM_Synchronized Paths
# Three copies, and that of the session as a group.
expect_equal 4 "$(grep -o '<INSTANCEPATH>' "$tmp/pulled" | wc -l)" 'pulled paths'
ask $ibm PullInstancePaths "$(value EnumerationContext nothing)$(value MaxObjectCount 3)"
refused 21
ask $ibm OpenEnumerateInstancePaths "$(class CIM_StorageVolume)"
context=$(sed -n 's/.*NAME="EnumerationContext"[^>]*><VALUE>\([^<]*\).*/\1/p' "$tmp/body")
ask $ibm PullInstancesWithPath "$(value EnumerationContext "$context")$(value MaxObjectCount 3)"
refused 21
ask $ibm CloseEnumeration "$(value EnumerationContext "$context")"
ask $ibm PullInstancePaths "$(value EnumerationContext "$context")$(value MaxObjectCount 3)"
refused 21
ask $ibm OpenEnumerateInstances "$(class CIM_StorageVolume)$(value FilterQuery x)$(value FilterQueryLanguage WQL)"
refused 25
ask $ibm OpenEnumerateInstances "$(class CIM_StorageVolume)$(value OperationTimeout 0)"
refused 22
system_stop B
system_stop A
