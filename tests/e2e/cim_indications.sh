#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Indications: a client makes a filter, a destination and a subscription, and its listener is told what happens, in
# messages that are valid; queries; what is not allowed is refused; subscriptions outlive a restart; a listener that is
# dead disturbs nobody.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cim.sh"
requires wbemcli xmllint jq python3

port=$(free_port)
system_start A --id 2105.FA120 --cim "$loopback:$port" --anonymous admin
on A pool create p0 --dir "$tmp/A/p0" >/dev/null
on A lss create 15 >/dev/null

# ---- asking ----

# ask NAMESPACE OPERATION PARAMETERS
ask()
{
	local part path='' body
	for part in ${1//\// }; do
		path+="<NAMESPACE NAME=\"$part\"/>"
	done
	body='<?xml version="1.0"?><CIM CIMVERSION="2.0" DTDVERSION="2.0"><MESSAGE ID="7" PROTOCOLVERSION="1.0">'
	body+="<SIMPLEREQ><IMETHODCALL NAME=\"$2\"><LOCALNAMESPACEPATH>$path</LOCALNAMESPACEPATH>$3</IMETHODCALL>"
	body+="</SIMPLEREQ></MESSAGE></CIM>"
	exchange "POST /cimom HTTP/1.1\r\nHost: x\r\nCIMOperation: MethodCall\r\nContent-Length: ${#body}\r\n" "$body"
	expect_equal 200 "$status" "$2"
	xmllint --noout --relaxng "$top/tests/cim/response.rng" "$tmp/body" 2>"$tmp/lint" ||
		fail "$2: not valid: $(head -5 "$tmp/lint") in $(cat "$tmp/body")"
}

# answers PATTERN: it is in the body; refused CODE PATTERN: it is that error, and says that.
answers()
{
	grep -qE -- "$1" "$tmp/body" || fail "no '$1' in: $(head -c 900 "$tmp/body")"
}
refused()
{
	answers "<ERROR CODE=\"$1\" DESCRIPTION=\"[^\"]*${2-}"
}

# value PROPERTY VALUE; parameter NAME ELEMENT
value() { printf '<PROPERTY NAME="%s" TYPE="string"><VALUE>%s</VALUE></PROPERTY>' "$1" "$2"; }
parameter() { printf '<IPARAMVALUE NAME="%s">%s</IPARAMVALUE>' "$1" "$2"; }
create() { ask interop CreateInstance "$(parameter NewInstance "<INSTANCE CLASSNAME=\"$1\">$2</INSTANCE>")"; }

# name CLASS NAME: INSTANCENAME of a filter or destination.
name()
{
	printf '<INSTANCENAME CLASSNAME="%s">' "$1"
	printf '<KEYBINDING NAME="%s"><KEYVALUE VALUETYPE="string">%s</KEYVALUE></KEYBINDING>' \
		SystemCreationClassName CIM_ComputerSystem SystemName 2105.FA120 CreationClassName "$1" Name "$2"
	printf '</INSTANCENAME>'
}
reference()
{
	printf '<PROPERTY.REFERENCE NAME="%s"><VALUE.REFERENCE>%s</VALUE.REFERENCE></PROPERTY.REFERENCE>' "$1" "$2"
}
binding() { printf '<KEYBINDING NAME="%s"><VALUE.REFERENCE>%s</VALUE.REFERENCE></KEYBINDING>' "$1" "$2"; }

filter() # NAME LANGUAGE QUERY
{
	create CIM_IndicationFilter "$(value Name "$1")$(value QueryLanguage "$2")$(value Query "<![CDATA[$3]]>")"
}
destination() # NAME URL
{
	create CIM_ListenerDestinationCIMXML "$(value Name "$1")$(value Destination "$2")"
}
subscribe() # FILTER DESTINATION
{
	create CIM_IndicationSubscription "$(reference Filter "$(name CIM_IndicationFilter "$1")")$(
		reference Handler "$(name CIM_ListenerDestinationCIMXML "$2")")"
}
subscription() # FILTER DESTINATION: INSTANCENAME
{
	printf '<INSTANCENAME CLASSNAME="CIM_IndicationSubscription">%s%s</INSTANCENAME>' \
		"$(binding Filter "$(name CIM_IndicationFilter "$1")")" \
		"$(binding Handler "$(name CIM_ListenerDestinationCIMXML "$2")")"
}
delete() { ask interop DeleteInstance "$(parameter InstanceName "$1")"; }

# ---- a listener ----
listen_port=$(free_port)
mkdir "$tmp/told"
listen()
{
	local line
	exec {listener_out}< <(exec python3 "$top/tests/cim/listener.py" "$loopback" "$listen_port" "$tmp/told" /told)
	listener=$!
	IFS= read -r -t 30 -u "$listener_out" line && [ "$line" = ready ] || fail 'the listener does not start'
}
listen
at_end kill "$listener"

# told PATTERN...: a line of what the listener has seen meets each.
is_told()
{
	local pattern lines
	lines=$(cat "$tmp/told/seen" 2>/dev/null) || return 1
	for pattern; do
		lines=$(grep -E -- "$pattern" <<<"$lines") || return 1
	done
}
told()
{
	wait_until 30 is_told "$@"
}

# ---- queries ----
for i in 00 01 02; do
	on A volume create "15$i" --pool p0 --size "$((16 << 10#$i))M" --name "vol-$i" >/dev/null
done
query()
{
	ask root/ibm ExecQuery "$(parameter QueryLanguage "<VALUE>$1</VALUE>")$(
		parameter Query "<VALUE><![CDATA[$2]]></VALUE>")"
}
query WQL "SELECT * FROM CIM_StorageVolume WHERE ElementName = 'vol-01'"
answers '<VALUE.OBJECT><INSTANCE CLASSNAME="IBMTSESS_Volume">.*NAME="VolumeID" TYPE="string"><VALUE>1501</VALUE>'
expect_equal 1 "$(grep -o '<INSTANCE ' "$tmp/body" | wc -l)" 'volumes of that name'
query DMTF:CQL 'SELECT DeviceID, NumberOfBlocks FROM CIM_StorageVolume AS d
	WHERE d.NumberOfBlocks >= 65536 AND d ISA IBMTSESS_Volume'
answers '^.*<VALUE>65536</VALUE>.*<VALUE>131072</VALUE>'
! grep -q 'NAME="Name"' "$tmp/body" || fail 'more than was selected'
query WQL "SELECT * FROM CIM_StorageVolume WHERE ElementName LIKE 'none%'"
answers '<IRETURNVALUE></IRETURNVALUE>'
query WQL 'SELECT * FROM CIM_StorageVolume WHERE Nothing = 1'
refused 15 'at character 39: CIM_StorageVolume has no property Nothing'
query SQL 'SELECT * FROM CIM_StorageVolume'
refused 14 'only WQL and DMTF:CQL'


# The same, one after the other.
filter_query="$(parameter FilterQueryLanguage '<VALUE>WQL</VALUE>')$(parameter FilterQuery \
	"<VALUE>SELECT DeviceID FROM CIM_StorageVolume WHERE ElementName LIKE 'vol-%'</VALUE>")"
ask root/ibm OpenQueryInstances "$filter_query$(parameter MaxObjectCount '<VALUE>2</VALUE>')"
expect_equal 2 "$(grep -o '<INSTANCE [^>]*><PROPERTY NAME="DeviceID"' "$tmp/body" | wc -l)" 'opened'
context=$(sed -n 's/.*NAME="EnumerationContext"[^>]*><VALUE>\([^<]*\)<.*/\1/p' "$tmp/body")
ask root/ibm PullInstances "$(parameter EnumerationContext "<VALUE>$context</VALUE>")$(
	parameter MaxObjectCount '<VALUE>2</VALUE>')"
expect_equal 1 "$(grep -o '<INSTANCE ' "$tmp/body" | wc -l)" 'pulled'
answers 'NAME="EndOfSequence" PARAMTYPE="boolean"><VALUE>TRUE</VALUE>'
ask root/ibm OpenQueryInstances "$filter_query$(parameter ReturnQueryResultClass '<VALUE>TRUE</VALUE>')"
refused 7

# ---- what is refused ----
filter f1 WQL 'SELECT * FROM CIM_StorageVolume'
refused 15 'no indication'
filter f1 WQL 'SELECT * FROM CIM_InstCreation WHERE'
refused 15 'at character 37: expected a name, found the end'
filter f1 CIM:QL 'SELECT * FROM CIM_InstCreation'
refused 14
filter xdc:mine WQL 'SELECT * FROM CIM_InstCreation'
refused 4 'own filters'
create CIM_IndicationFilter "$(value QueryLanguage WQL)$(value Query 'SELECT * FROM CIM_InstCreation')"
refused 4 'Name is missing'
destination d1 https://10.0.0.1/
refused 4 'HTTPS is not spoken'
destination d1 "http://$loopback:$listen_port/told"
answers '<IRETURNVALUE><INSTANCENAME CLASSNAME="CIM_ListenerDestinationCIMXML">'
destination d1 http://elsewhere/
refused 11
subscribe nothing d1
refused 4 'no such filter'
subscribe xdc:nothing d1
refused 4 'no filter'
create CIM_StoragePool ''
refused 7
delete "$(name CIM_IndicationFilter xdc:alert:wql)"
refused 7 'by itself'
delete "$(name CIM_IndicationFilter nothing)"
refused 6

# ---- what happens is told ----
filter created WQL "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_StorageVolume"
filter grown DMTF:CQL "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_StorageVolume AND
	SourceInstance.CIM_StorageVolume::NumberOfBlocks <> PreviousInstance.CIM_StorageVolume::NumberOfBlocks"
for i in created grown xdc:volume-deleted:wql xdc:alert:cql; do
	subscribe "$i" d1
	answers '<IRETURNVALUE><INSTANCENAME CLASSNAME="CIM_IndicationSubscription">'
done
on A volume create 1510 --pool p0 --size 64M --name told >/dev/null
told '^CIM_InstCreation	created	' 'SourceInstance=IBMTSESS_Volume	' 'SourceInstance.ElementName=told	' \
	'SourceInstanceModelPath=root/ibm:IBMTSESS_Volume\.'
told '^CIM_InstCreation	created	' 'SourceInstance=MSISCSITARGET_StorageVolume	'
told '^CIM_AlertIndication	xdc:alert:cql	' 'AlertingManagedElement=volume 1510	' 'EventID=change	'
on A volume grow 1510 --size 128M >/dev/null
told '^CIM_InstModification	grown	' 'SourceInstance.NumberOfBlocks=262144	' \
	'PreviousInstance.NumberOfBlocks=131072	' 'ChangedPropertyNames=([^	]*,)?NumberOfBlocks'
on A volume rename 1510 another >/dev/null
told '^CIM_AlertIndication' 'Message=volume 1510: .*volume rename 1510'
on A volume delete 1510 >/dev/null
told '^CIM_InstDeletion	xdc:volume-deleted:wql	' 'SourceInstance.ElementName=another	'
! is_told '^CIM_InstModification' 'PreviousInstance.ElementName=told' 'SourceInstance.ElementName=another' ||
	fail 'a change that nobody asked for is told'

# Copies, pools and jobs: what is in both namespaces is told of both.
for i in copy-created copy-deleted pool-created job-created; do
	subscribe "xdc:$i:cql" d1
done
on A volume create 1520 --pool p0 --size 16M >/dev/null
on A flash create 1500 1520 --no-copy --persistent >/dev/null
for i in IBMTSESS MSISCSITARGET; do
	told '^CIM_InstCreation	xdc:copy-created:cql	' "SourceInstance=${i}_StorageSynchronized	"
done
on A flash delete 1520 --force >/dev/null
told '^CIM_InstDeletion	xdc:copy-deleted:cql	' 'SourceInstance=MSISCSITARGET_StorageSynchronized	'
on A volume create 1521 --pool p0 --size 32M >/dev/null
on A flash create 1501 1521 >/dev/null
told '^CIM_InstCreation	xdc:job-created:cql	' 'SourceInstance=IBMTSESS_ConcreteJob	'
on A pool create p1 --dir "$tmp/A/p1" >/dev/null
told '^CIM_InstCreation	xdc:pool-created:cql	' 'SourceInstance=IBMTSESS_StoragePool	' \
	'SourceInstance.ElementName=p1	'
for i in copy-created copy-deleted pool-created job-created; do
	delete "$(subscription "xdc:$i:cql" d1)"
done

# Each once, and in order.
cut -f3,4 "$tmp/told/seen" | sort -u | wc -l >"$tmp/distinct"
expect_equal "$(wc -l <"$tmp/told/seen")" "$(cat "$tmp/distinct")" 'distinct messages'
expect_equal "$(cut -f4 "$tmp/told/seen" | sort -n)" "$(seq 0 $(($(wc -l <"$tmp/told/seen") - 1)))" 'sequence numbers'
for file in "$tmp"/told/[0-9]*.xml; do
	grammar=export
	[[ $file != *Instance.xml ]] || grammar=embedded
	xmllint --noout --relaxng "$top/tests/cim/$grammar.rng" "$file" 2>"$tmp/lint" ||
		fail "$file is not valid: $(head -5 "$tmp/lint"): $(head -c 600 "$file")"
done

# ---- a dead listener ----
destination dead "http://$loopback:$(free_port)/"
subscribe created dead
subscribe xdc:volume-created:wql dead
on A volume create 1511 --pool p0 --size 16M --name beside >/dev/null
told '^CIM_InstCreation	created	' 'SourceInstance.ElementName=beside	'

# ---- disabled, and enabled again ----
state()
{
	local instance='<INSTANCE CLASSNAME="CIM_IndicationSubscription">'
	instance+="<PROPERTY NAME=\"SubscriptionState\" TYPE=\"uint16\"><VALUE>$1</VALUE></PROPERTY></INSTANCE>"
	ask interop ModifyInstance "$(parameter ModifiedInstance \
		"<VALUE.NAMEDINSTANCE>$(subscription created d1)$instance</VALUE.NAMEDINSTANCE>")"
}
state 3
refused 7
state 4
answers '<IMETHODRESPONSE NAME="ModifyInstance"></IMETHODRESPONSE>'
ask interop GetInstance "$(parameter InstanceName "$(subscription created d1)")"
answers 'NAME="SubscriptionState" TYPE="uint16"><VALUE>4</VALUE>'
on A volume create 1512 --pool p0 --size 16M --name unheard >/dev/null
state 2
delete "$(name CIM_IndicationFilter created)"
refused 1 'it is subscribed to'

# ---- after a restart all is there ----
system_stop A
system_restart A
wbemcli ei "http://$loopback:$port/interop:CIM_IndicationSubscription" </dev/null >"$tmp/out"
expect_equal 6 "$(grep -c 'SubscriptionState=2' "$tmp/out")" 'subscriptions after a restart'
wbemcli ein "http://$loopback:$port/interop:CIM_IndicationFilter" </dev/null >"$tmp/out"
grep -q 'Name="grown"' "$tmp/out" || fail "a filter is lost: $(cat "$tmp/out")"
subscribe xdc:pool-created:wql d1
on A volume create 1513 --pool p0 --size 16M --name after >/dev/null
told '^CIM_InstCreation	created	' 'SourceInstance.ElementName=after	' 'SequenceNumber=0$|SequenceNumber=[0-9]+'
! is_told '^CIM_InstCreation' 'SourceInstance.ElementName=unheard' || fail 'told to a subscription that was disabled'
expect_equal 2 "$(cut -f3 "$tmp/told/seen" | sort -u | wc -l)" 'a restart begins another context'
for i in created grown xdc:volume-deleted:wql xdc:alert:cql xdc:pool-created:wql; do
	delete "$(subscription "$i" d1)"
	answers '<IMETHODRESPONSE NAME="DeleteInstance"></IMETHODRESPONSE>'
done
delete "$(name CIM_ListenerDestinationCIMXML d1)"
delete "$(name CIM_IndicationFilter grown)"
delete "$(subscription created d1)"
refused 6
system_stop A
