#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The methods of IBMTSESS_AsyncPPRCService from wbemcli: a pool, volumes, a pair, a session from its opening to its end,
# what the queries say meanwhile, and who may call what. Every answer is valid by our grammar of the CIM DTD.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
. "$(dirname "$0")/lib_cim.sh"
requires wbemcli xmllint jq

port=$(free_port)
service=root/ibm:IBMTSESS_AsyncPPRCService
users=$tmp/users
echo secret | "$xdc" user add ann --role operator --users "$users"
echo secret | "$xdc" user add bob --role reader --users "$users"
echo secret | "$xdc" user add eve --role admin --users "$users"
site A 2105.FA120 --cim "$loopback:$port" --users "$users"
site B 2105.FB230
path A 15 B 25

# cm USER METHOD[.PARAMETER=VALUE,...]: what it returns, and what comes out.
cm()
{
	wbemcli cm "http://$1:secret@$loopback:$port/$service" "$2" </dev/null 2>&1
}

# returns CODE USER METHOD...: the code, and the rest in $tmp/out.
returns()
{
	cm "$2" "$3" >"$tmp/out" || true
	grep -q "${3%%.*}: $1\(,\|\$\)" "$tmp/out" || fail "$3 returns not $1: $(cut -c1-600 "$tmp/out")"
}

# says PATTERN
says()
{
	grep -qE -- "$1" "$tmp/out" || fail "no '$1' in: $(cut -c1-1500 "$tmp/out")"
}

# change_volumes OPERATION LLVV: ManageSessionVolume, whose list of references wbemcli cannot write. As ann; $code.
cim_20='<CIM CIMVERSION="2.0" DTDVERSION="2.0"><MESSAGE ID="7" PROTOCOLVERSION="1.0"><SIMPLEREQ>'
login="Authorization: Basic $(printf ann:secret | base64)"
change_volumes()
{
	local path='<LOCALNAMESPACEPATH><NAMESPACE NAME="root"/><NAMESPACE NAME="ibm"/></LOCALNAMESPACEPATH>' body name
	body="<?xml version=\"1.0\"?>$cim_20<METHODCALL NAME=\"ManageSessionVolume\"><LOCALCLASSPATH>$path"
	body+='<CLASSNAME NAME="IBMTSESS_AsyncPPRCService"/></LOCALCLASSPATH>'
	for name in SessionNumber:7 SessionType:0x40 "LSS:$lss" "Operation:$1"; do
		body+="<PARAMVALUE NAME=\"${name%%:*}\"><VALUE>${name#*:}</VALUE></PARAMVALUE>"
	done
	body+='<PARAMVALUE NAME="Volumes" PARAMTYPE="reference"><VALUE.REFARRAY><VALUE.REFERENCE><LOCALINSTANCEPATH>'
	body+="$path<INSTANCENAME CLASSNAME=\"IBMTSESS_Volume\">"
	for name in SystemCreationClassName:IBMTSESS_StorageSystem SystemName:2105.FA120 \
		CreationClassName:IBMTSESS_Volume "DeviceID:$2"; do
		body+="<KEYBINDING NAME=\"${name%%:*}\"><KEYVALUE>${name#*:}</KEYVALUE></KEYBINDING>"
	done
	body+='</INSTANCENAME></LOCALINSTANCEPATH></VALUE.REFERENCE></VALUE.REFARRAY></PARAMVALUE></METHODCALL>'
	body+='</SIMPLEREQ></MESSAGE></CIM>'
	exchange "POST / HTTP/1.1\r\nHost: x\r\n$login\r\nCIMOperation: MethodCall\r\nContent-Length: ${#body}\r\n" \
		"$body"
	expect_equal 200 "$status" ManageSessionVolume
	xmllint --noout --relaxng "$top/tests/cim/response.rng" "$tmp/body" 2>"$tmp/lint" ||
		fail "not valid: $(head -5 "$tmp/lint"): $(head -c 400 "$tmp/body")"
	# What is in its first copy joins by a job.
	grep -qE '<VALUE>(0|4096)</VALUE></RETURNVALUE>' "$tmp/body" || fail "ManageSessionVolume: $(cat "$tmp/body")"
}

# ---- a pool of the one that there is, a volume in it, a larger volume ----
pool='root/ibm:IBMTSESS_StoragePool.InstanceID="xdc:2105.FA120:pool:p1"'
returns 0 eve "CreateOrModifyStoragePool.ElementName=small,Size=67108864,InPools=$pool"
on A pool show small --json | jq -e '.size_bytes == 67108864' >/dev/null || fail 'the pool is not there'
pool=$loopback:$port/root/ibm:IBMTSESS_StoragePool.InstanceID='"xdc:2105.FA120:pool:small"'
returns 0 eve "CreateOrModifyElementFromStoragePool.ElementName=disk,ElementType=2,Size=4194304,InPool=$pool"
says 'Size \(uint64\): 4194304'
on A volume show disk --json | jq -r .volume >"$tmp/id"
expect_equal 1500 "$(cat "$tmp/id")" 'the first number of the LSS that there is'
source=$(wbemcli ein "http://ann:secret@$loopback:$port/root/ibm:IBMTSESS_Volume" </dev/null)
returns 4097 eve "CreateOrModifyElementFromStoragePool.Size=1,InPool=$pool"
says 'Size \(uint64\): 4096'

# ---- a pair, a session ----
on B volume create 2500 --pool p1 --size 4M
target=$loopback:$port/root/ibm:IBMTSESS_RemoteVolume.InstanceID='"xdc:2105.FB230:volume:2500"'
returns 4096 ann "AttachReplica.SourceElement=$source,TargetElement=$target,CopyType=2"
says 'ConcreteJob.InstanceID=.*xdc:2105.FA120:job:'
job=$(grep -o 'xdc:2105.FA120:job:[0-9]*' "$tmp/out" | head -n 1)
wbemcli gi "http://bob:secret@$loopback:$port/root/ibm:IBMTSESS_ConcreteJob.InstanceID=\"$job\"" </dev/null >"$tmp/out"
says 'JobState='
session='SessionNumber=7,SessionType=0x40'
lss=2105.FA120:15:
returns 0 ann "ManageSession.$session,LSS=$lss,Operation=1"
returns 6 ann "ManageSession.$session,LSS=$lss,Operation=1"
change_volumes 1 1500
limits='ConsistencyGroupInterval=0,MaxXDCCoordinationTime=50,MaxConsistencyGroupDrain=4'
returns 5 ann "ManageAsyncPPRC.$session,MasterLSS=$lss,Operation=1"
returns 0 ann "ManageAsyncPPRC.$session,MasterLSS=$lss,Operation=1,$limits"
joined()
{
	cm bob "QueryXDCSessionsAndDevices.$session,Scope=2105.FA120" >"$tmp/out"
	grep -q 'VolumeStatuses (string): joined' "$tmp/out"
}
wait_until 60 joined
says 'SessionStatuses \(string\): running'
says 'SecondarySystems \(string\): 2105.FB230'
returns 0 bob "QueryXDCIncrementStatus.$session"
says 'Volumes \(string\): 2105.FA120:1500'
returns 0 bob "QueryXDCOutOfSyncStatus.$session"
says 'TotalVolumes \(uint32\): 1'
returns 0 ann "ManageAsyncPPRC.$session,MasterLSS=$lss,Operation=2"
returns 0 bob 'QueryAsyncPPRCStatus.Scope=2105.FA120'
says 'CopyStates \(string\): paused'
says 'MaxXDCCoordinationTimes \(uint16\): 50'
returns 0 ann "ManageAsyncPPRC.$session,MasterLSS=$lss,Operation=3"
on A session show 7 --json | jq -e '.state == "running"' >/dev/null || fail 'it does not run again'
returns 0 ann "ManageAsyncPPRC.$session,MasterLSS=$lss,Operation=4"
change_volumes 2 1500
returns 0 ann "ManageSession.$session,LSS=$lss,Operation=2"
expect_equal '[]' "$(on A session list --json | jq -c .)" 'sessions'

# ---- on the path of the instance, and on that of one that is not there ----
path=$(wbemcli ein "http://bob:secret@$loopback:$port/$service" </dev/null)
wbemcli cm "http://bob:secret@$path" GetSupportedSetTypes </dev/null >"$tmp/out" 2>&1
says 'GetSupportedSetTypes: 0, SetTypes \(uint16\): 0,1,2'
wbemcli cm "http://bob:secret@${path/2105.FA120/2105.FB230}" GetSupportedSetTypes </dev/null >"$tmp/out" 2>&1 || true
says 'not found|CIM_ERR_NOT_FOUND'

# ---- by hand: xdc cim call types by the schema, and names what is returned ----
# call USER ARGUMENT...: $code, and $tmp/out with both outputs.
call()
{
	local user=$1
	shift
	code=0
	echo secret | "$xdc" cim call "$@" --url "http://$loopback:$port" --user "$user" >"$tmp/out" 2>&1 || code=$?
}
call bob "$service" GetSupportedSetTypes
expect_equal 0 "$code" "$(cat "$tmp/out")"
says '^ReturnValue  0 \('
says '^SetTypes     0( \(.*\))?, 1( \(.*\))?, 2'
call bob "${path#*/}" GetSupportedSetTypes --json
jq -e '.return_code == 0 and .method == "GetSupportedSetTypes" and .out.SetTypes == [0, 1, 2]' "$tmp/out" >/dev/null ||
	fail "--json: $(cat "$tmp/out")"
call ann "$service" ManageSession SessionNumber=7 SessionType=0x40 LSS=$lss Operation=1
expect_equal 0 "$code" "$(cat "$tmp/out")"
volume='IBMTSESS_Volume.SystemCreationClassName="IBMTSESS_StorageSystem",SystemName="2105.FA120",'
volume+='CreationClassName="IBMTSESS_Volume",DeviceID="1500"'
call ann "$service" ManageSessionVolume SessionNumber=7 SessionType=0x40 LSS=$lss Operation=1 "Volumes=$volume"
expect_equal 0 "$code" "$(cat "$tmp/out")"
on A session show 7 --json | jq -e '.volumes | length == 1' >/dev/null || fail 'the volume is not in the session'
call ann "$service" ManageSessionVolume SessionNumber=7 SessionType=0x40 LSS=$lss Operation=2 "Volumes=$volume"
call ann "$service" ManageSession SessionNumber=7 SessionType=0x40 LSS=$lss Operation=2
call ann "$service" ManageSession SessionNumber=7 SessionType=0x40 LSS=$lss Operation=2
expect_equal "1:ReturnValue  5" "$code:$(grep -o '^ReturnValue  5' "$tmp/out")" 'a session that is not there'
call bob "$service" ManageSession SessionNumber=7 SessionType=0x40 LSS=$lss Operation=1
expect_equal 1 "$code" 'as a reader'
says 'ManageSession is for the role operator'
call bob "$service" ManageSessions
expect_equal 2 "$code" 'no such method'
says "no method 'ManageSessions'"
says '^try: .*ManageSession, ManageSessionVolume'
call bob "$service" ManageSession Session=7
says "takes no parameter 'Session'"
call bob "$service" ManageSession SessionNumber=many
says "SessionNumber: it is a uint.*, and not 'many'"
call nobody "$service" GetSupportedSetTypes
says 'does not know the user nobody'

# ---- what is not for readers, or not for operators; each change is a line of the log ----
cm bob "ManageSession.$session,LSS=$lss,Operation=1" >"$tmp/out" || true
says 'ManageSession is for the role operator|Access denied|CIM_ERR_ACCESS_DENIED'
cm ann "DeleteStoragePool.Pool=$pool" >"$tmp/out" || true
says 'DeleteStoragePool is for the role admin|Access denied|CIM_ERR_ACCESS_DENIED'
grep -q 'audit: bob at .*: ManageSession of IBMTSESS_AsyncPPRCService: error 2, ' "$tmp/A/log" ||
	fail 'no line of what was refused in the log'
grep -q 'audit: ann at .*: ManageAsyncPPRC of ' "$tmp/A/log" || fail 'no line of ManageAsyncPPRC in the log'

# ---- answers by our grammar ----
wbemcli -dx -dr cm "http://bob:secret@$loopback:$port/$service" GetSupportedSetTypes </dev/null 2>&1 |
	sed -n '/^From server: <?xml/,/<\/CIM>/{s/^From server: //;p}' >"$tmp/answers" || true
awk -v dir="$tmp" '/<\?xml/ { n++ } { print > (dir "/answer" n ".xml") }' "$tmp/answers"
for answer in "$tmp"/answer[0-9]*.xml; do
	xmllint --noout --relaxng "$top/tests/cim/response.rng" "$answer" 2>"$tmp/lint" ||
		fail "not valid: $(head -5 "$tmp/lint"): $(head -c 400 "$answer")"
done
grep -l METHODRESPONSE "$tmp"/answer[0-9]*.xml >/dev/null || fail 'no answer of a method was looked at'
