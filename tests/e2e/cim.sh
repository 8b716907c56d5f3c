#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Classes over CIM-XML: a client that knows nothing reads them, every answer is valid by our grammar of the CIM DTD,
# only users come in, and requests that are slow, half, huge or no requests harm nobody.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cim.sh"
requires wbemcli xmllint jq

port=$(free_port)
users=$tmp/users
url=http://$loopback:$port
grammar=$top/tests/cim/response.rng

# ---- nobody comes in without a file of users, and the log says what to do ----
system_start A --id 2105.FA120 --cim "$loopback:$port" --users "$users"
# wbemcli tells what went wrong, but not by its exit code.
wbemcli ecn "http://ann:secret@$loopback:$port/root/ibm" </dev/null >"$tmp/out" 2>&1 || true
grep -q 'Invalid username/password' "$tmp/out" || fail "let in: $(cat "$tmp/out")"
grep -q 'xdc user add NAME --role admin' "$tmp/A/log" || fail 'the log does not say how to add a user'

# ---- a user is added while the system runs ----
echo secret | "$xdc" user add ann --role reader --users "$users"
echo other >"$tmp/password"
"$xdc" user add bob --role admin --users "$users" --password-file "$tmp/password"
echo changed | "$xdc" user add ann --role operator --users "$users"
expect_equal 600 "$(stat -c %a "$users")" 'mode of the file of users'
expect_equal 2 "$(grep -c ':\$y\$' "$users")" 'users'
expect_exit 2 'a role is reader, operator or admin' "$xdc" user add eve --role root --users "$users"
expect_exit 2 'name of a user' "$xdc" user add a:b --role admin --users "$users"

# cim VERB OBJECT [OPTION]...: what wbemcli says, as ann.
cim()
{
	wbemcli "$1" "http://ann:changed@$loopback:$port/$2" "${@:3}" </dev/null
}

# ---- what wbemcli reads ----
"$xdc" cim classes root/ibm --json | jq -r '.[].name' | sort >"$tmp/wanted" || fail 'xdc cim classes'
cim ecn root/ibm | sed 's/.*://' | sort >"$tmp/found"
[ -s "$tmp/found" ] || fail 'ecn lists nothing'
diff "$tmp/wanted" "$tmp/found" >&2 || fail 'ecn lists other classes than xdc cim'
cim gc root/ibm:IBMTSESS_AsyncPPRCService >"$tmp/class"
grep -q 'ElementName=' "$tmp/class" || fail "gc: $(cat "$tmp/class")"
cim ec interop:CIM_RegisteredProfile >"$tmp/below" || fail "ec: $(cat "$tmp/below")"

# ---- what is sent, byte by byte ----
cim_20='<CIM CIMVERSION="2.0" DTDVERSION="2.0">'
message='<MESSAGE ID="7" PROTOCOLVERSION="1.0">'
login="Authorization: Basic $(printf bob:other | base64)"

# ask METHOD NAMESPACE OPERATION PARAMETERS: as bob. The answer is valid.
ask()
{
	local body part path='' prefix='' man='' headers
	for part in ${2//\// }; do
		path+="<NAMESPACE NAME=\"$part\"/>"
	done
	body="<?xml version=\"1.0\"?>$cim_20$message<SIMPLEREQ><IMETHODCALL NAME=\"$3\">"
	body+="<LOCALNAMESPACEPATH>$path</LOCALNAMESPACEPATH>$4</IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>"
	if [ "$1" = M-POST ]; then
		prefix=42-
		man='Man: http://www.dmtf.org/cim/mapping/http/v1.0 ; ns=42\r\n'
	fi
	headers="$1 /cimom HTTP/1.1\r\nHost: x\r\n$login\r\n$man${prefix}CIMOperation: MethodCall\r\n"
	headers+="${prefix}CIMMethod: $3\r\n${prefix}CIMObject: ${2//\//%2F}\r\nContent-Length: ${#body}\r\n"
	exchange "$headers" "$body"
	expect_equal 200 "$status" "$3"
	xmllint --noout --relaxng "$grammar" "$tmp/body" 2>"$tmp/lint" ||
		fail "$3: not valid: $(head -5 "$tmp/lint")"
}

# answers PATTERN: it is in the body; refused CODE: it is that error.
answers()
{
	grep -qE -- "$1" "$tmp/body" || fail "no '$1' in: $(head -c 600 "$tmp/body")"
}
refused()
{
	answers "<ERROR CODE=\"$1\" "
}

false_of() { printf '<IPARAMVALUE NAME="%s"><VALUE>false</VALUE></IPARAMVALUE>' "$1"; }
true_of() { printf '<IPARAMVALUE NAME="%s"><VALUE>TRUE</VALUE></IPARAMVALUE>' "$1"; }
class() { printf '<IPARAMVALUE NAME="ClassName"><CLASSNAME NAME="%s"/></IPARAMVALUE>' "$1"; }

for namespace in interop root/interop root/ibm root/cimv2 root/cimv2/storage/iscsitarget; do
	ask POST "$namespace" EnumerateClasses "$(true_of DeepInheritance)$(true_of IncludeClassOrigin)"
	answers '<CLASS NAME='
done
ask M-POST root/ibm EnumerateQualifiers ''
answers '<QUALIFIER.DECLARATION NAME="Description"'
ask M-POST root/ibm GetClass "$(class ibmtsess_asyncpprcservice)$(true_of IncludeClassOrigin)"
answers '<METHOD NAME="ManageSession" TYPE="uint32" CLASSORIGIN="IBMTSESS_AsyncPPRCService" PROPAGATED="false">'
ask POST root/ibm GetClass "$(class IBMTSESS_StoragePool)"
! grep -q 'PROPERTY NAME="Primordial"' "$tmp/body" || fail 'LocalOnly is the default, and an inherited property came'
started='<IPARAMVALUE NAME="PropertyList"><VALUE.ARRAY><VALUE>Started</VALUE></VALUE.ARRAY></IPARAMVALUE>'
ask POST root/ibm GetClass \
	"$(class IBMTSESS_AsyncPPRCService)$(false_of LocalOnly)$(false_of IncludeQualifiers)$started"
answers '<PROPERTY NAME="Started" TYPE="boolean" PROPAGATED="(true|false)"></PROPERTY>'
! grep -qE '<QUALIFIER|NAME="EnabledState"' "$tmp/body" || fail 'more than was asked for'
ask POST root/ibm GetClass "$(class IBMTSESS_StoragePool)<IPARAMVALUE NAME=\"PropertyList\"/>"
ask POST root/ibm EnumerateClassNames "$(class CIM_Service)"
answers '<CLASSNAME NAME='
ask POST root/ibm GetClass "$(class CIM_Nothing)"
refused 6
ask POST root/ibm EnumerateClasses "$(class CIM_Nothing)"
refused 5
ask POST root/nowhere EnumerateClasses ''
refused 3
ask POST root/ibm GetClass ''
refused 4
ask POST root/ibm GetClass "$(class A)$(class B)"
refused 4
ask POST root/ibm GetClass "$(class A)$(true_of Scope)"
refused 4
ask POST root/ibm CreateClass ''
refused 7

# ---- what changes something is not for readers, and leaves a line in the log ----
echo third | "$xdc" user add rob --role reader --users "$users"
new='<IPARAMVALUE NAME="NewInstance"><INSTANCE CLASSNAME="CIM_RegisteredProfile"/></IPARAMVALUE>'
as_bob=$login
login="Authorization: Basic $(printf rob:third | base64)"
ask POST interop CreateInstance "$new"
refused 2
login=$as_bob
ask POST interop CreateInstance "$new"
answers '<ERROR CODE="(7|4)"'
for line in 'rob at 127[0-9.]*: CreateInstance of CIM_RegisteredProfile: error 2, CreateInstance is for the role ' \
	'bob at 127[0-9.]*: CreateInstance of CIM_RegisteredProfile: error [47], '; do
	grep -qE "audit: $line" "$tmp/A/log" || fail "not in the log: $line"
done

# ---- classes as they were judged right: tests/cim/golden/NAMESPACE.CLASS.LOCALONLY.xml, without the descriptions ----
without_descriptions()
{
	xmllint --format "$1" | sed '/<QUALIFIER NAME="Description"/,/<\/QUALIFIER>/d'
}
count=0
for golden in "$top"/tests/cim/golden/*.xml; do
	IFS=. read -r namespace name local _ <<<"${golden##*/}"
	ask POST "${namespace//-//}" GetClass \
		"$(class "$name")$(true_of IncludeClassOrigin)$([ "$local" = local ] || false_of LocalOnly)"
	without_descriptions "$tmp/body" >"$tmp/found"
	[ "${GOLDEN-}" != write ] || cp "$tmp/found" "$golden"
	diff "$golden" "$tmp/found" >&2 || fail "$name is not as in ${golden#"$top"/}; if it is meant: GOLDEN=write $0"
	count=$((count + 1))
done
[ "$count" -ge 3 ] || fail "only $count golden classes"

# ---- what is no request ----

# rejects STATUS CIMERROR HEADERS BODY
rejects()
{
	exchange "$3Content-Length: ${#4}\r\n" "$4"
	expect_equal "$1" "$status" "status after $3"
	[ -z "$2" ] || grep -qi "^CIMError: $2" "$tmp/headers" || fail "no CIMError $2: $(cat "$tmp/headers")"
}
post="POST /cimom HTTP/1.1\r\nHost: x\r\n"
call="${post}${login}\r\nCIMOperation: MethodCall\r\n"
rejects 405 '' "GET /cimom HTTP/1.1\r\nHost: x\r\n" ''
grep -q '^Allow: POST, M-POST' "$tmp/headers" || fail 'no Allow'
rejects 401 '' "${post}CIMOperation: MethodCall\r\n" '<CIM/>'
grep -qi '^WWW-Authenticate: Basic realm=' "$tmp/headers" || fail 'Basic is not offered'
rejects 401 '' "${post}Authorization: Basic $(printf bob:wrong | base64)\r\nCIMOperation: MethodCall\r\n" '<CIM/>'
grep -q 'bob at [0-9.]*: wrong name or password' "$tmp/A/log" || fail 'the log does not say who failed'
rejects 400 unsupported-operation "${post}$login\r\n" '<CIM/>'
rejects 400 request-not-well-formed "$call" 'garbage'
rejects 400 request-not-well-formed "$call" '<CIM><MESSAGE></CIM>'
rejects 400 request-not-well-formed "$call" \
	'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;">]><CIM>&c;</CIM>'
rejects 400 request-not-well-formed "$call" '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><CIM>&b;</CIM>'
rejects 400 unsupported-cim-version "$call" '<CIM CIMVERSION="3.0" DTDVERSION="2.0"/>'
rejects 400 unsupported-dtd-version "$call" '<CIM CIMVERSION="2.0" DTDVERSION="1.0"/>'
rejects 400 unsupported-protocol-version "$call" "$cim_20<MESSAGE ID=\"1\" PROTOCOLVERSION=\"2.0\"/></CIM>"
rejects 501 multiple-requests-unsupported "$call" "$cim_20$message<MULTIREQ/></MESSAGE></CIM>"
rejects 400 request-not-valid "$call" "$cim_20$message<SIMPLEREQ/></MESSAGE></CIM>"
deep=$(printf '<a>%.0s' {1..64})
rejects 413 request-with-too-many-elements "$call" "$deep"
exchange "${call}Content-Length: 99999999999\r\n" ''
expect_equal 413 "$status" 'a huge request'

# ---- clients that begin and do not end lose their places to others ----
held=()
for ((i = 0; i < 80; i++)); do
	exec {fd}<>"/dev/tcp/$loopback/$port"
	printf 'POST /cimom HTTP/1.1\r\nHost: x\r\n' >&"$fd" 2>/dev/null || true
	held+=("$fd")
done
cim ecn root/ibm >"$tmp/again" || fail "shut out: $(cat "$tmp/again")"
expect_equal "$(wc -l <"$tmp/wanted")" "$(wc -l <"$tmp/again")" 'classes while others hold connections'
system_stop A
for fd in "${held[@]}"; do
	exec {fd}<&-
done

# ---- a laboratory ----
system_start B --id 2105.FB230 --cim "$loopback:$port" --anonymous reader
wbemcli ecn "$url/root/cimv2" </dev/null >"$tmp/out" 2>&1 || true
grep -q CIM_ "$tmp/out" || fail "anonymous: $(cat "$tmp/out")"
system_stop B
expect_exit 2 'HTTP is not encrypted' \
	"$xdcd" --state "$tmp/x" --id 2105.FB230 --control "unix:$tmp/x" --cim 0.0.0.0:5988
