#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What no good client sends: bodies that are no requests (tests/cim/bodies, named STATUS.ERROR.what), headers that are
# none, and clients that are slow, half or too many. Each gets the right refusal; the others notice nothing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cim.sh"
requires wbemcli xmllint

port=$(free_port)
users=$tmp/users
echo secret | "$xdc" user add ann --role reader --users "$users"
system_start A --id 2105.FA120 --cim "$loopback:$port" --users "$users"
pid=${system_pid[A]}
login="Authorization: Basic $(printf ann:secret | base64)"
call="POST /cimom HTTP/1.1\r\nHost: x\r\n$login\r\nCIMOperation: MethodCall\r\n"
grammar=$top/tests/cim/response.rng

others_are_served()
{
	wbemcli ecn "http://ann:secret@$loopback:$port/root/ibm" </dev/null >"$tmp/out" 2>&1 || true
	grep -q 'IBMTSESS_AsyncPPRCService' "$tmp/out" || fail "$1: others are not served: $(cat "$tmp/out")"
}

memory_kb()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"
}

# ---- bodies ----
# send_body FILE: as it is, whatever bytes are in it.
send_body()
{
	local fd
	exec {fd}<>"/dev/tcp/$loopback/$port"
	{ printf '%bContent-Length: %d\r\n\r\n' "$call" "$(stat -c %s "$1")"; cat "$1"; } >&"$fd" 2>/dev/null || true
	take_answer "$fd"
	exec {fd}<&-
}

count=0
for file in "$top"/tests/cim/bodies/*.xml; do
	name=${file##*/}
	IFS=. read -r wanted error _ <<<"$name"
	send_body "$file"
	expect_equal "$wanted" "$status" "$name"
	if [ "$wanted" = 200 ]; then
		xmllint --noout --relaxng "$grammar" "$tmp/body" 2>"$tmp/lint" || fail "$name: $(head -3 "$tmp/lint")"
		if [[ $error =~ ^[0-9]+$ ]]; then
			grep -q "<ERROR CODE=\"$error\" " "$tmp/body" || fail "$name: $(head -c 600 "$tmp/body")"
		else
			grep -q '<IRETURNVALUE>' "$tmp/body" || fail "$name: $(head -c 600 "$tmp/body")"
		fi
	else
		grep -qi "^CIMError: $error" "$tmp/headers" || fail "$name: $(cat "$tmp/headers")"
	fi
	count=$((count + 1))
done
[ "$count" -gt 60 ] || fail "only $count bodies"
others_are_served bodies

# ---- headers ----
# refuses STATUS HEADERS [BODY]
refuses()
{
	exchange "$2" "${3-}"
	expect_equal "$1" "$status" "status after $(head -c 200 <<<"$2")"
}
good=$(cat "$top/tests/cim/bodies/200.odd_no_declaration.xml")
length="Content-Length: ${#good}\r\n"
long=$(printf 'x%.0s' {1..40000})
refuses 200 "$call$length" "$good"
refuses 200 "${call}CIMObject: root%2Fibm\r\nCIMMethod: EnumerateClassNames\r\n$length" "$good"
refuses 400 "${call}CIMObject: root/cimv2\r\n$length" "$good"
grep -qi '^CIMError: header-mismatch' "$tmp/headers" || fail 'no header-mismatch'
refuses 400 "${call}CIMMethod: GetClass\r\n$length" "$good"
refuses 400 "${call}CIMObject: %00%ff%\r\n$length" "$good"
refuses 501 "${call}CIMBatch: CIMBatch\r\n$length" "$good"
extended="M-POST /x HTTP/1.1\r\nHost: x\r\n$login\r\n"
refuses 400 "${extended}Man: ns=%n%s\r\n$length" "$good"
refuses 200 "${extended}Man: x; ns=07\r\n07-CIMOperation: MethodCall\r\n$length" "$good"
for method in GET PUT DELETE OPTIONS CONNECT BREW; do
	refuses 405 "$method /cimom HTTP/1.1\r\nHost: x\r\n$login\r\n"
	grep -q '^Allow: POST, M-POST' "$tmp/headers" || fail "$method: no Allow"
done
basic() { printf 'Basic %s' "$(printf "$@" | base64 -w0)"; }
for authorization in '' Basic 'Basic !!!' 'Bearer x' 'Digest x=y' "$(basic ann)" "$(basic :secret)" \
	"$(basic 'ann:%0300d' 1)" "$(basic '%0300d:secret' 1)" "$(basic 'ann\nx:secret')"; do
	refuses 401 "POST / HTTP/1.1\r\nAuthorization: $authorization\r\nCIMOperation: MethodCall\r\n$length" "$good"
	grep -qi '^WWW-Authenticate: Basic realm=' "$tmp/headers" || fail 'Basic is not offered'
done
refuses 413 "${call}Content-Length: 4194305\r\n"
refuses 413 "${call}Content-Length: 18446744073709551615\r\n"
refuses 413 "${call}Content-Length: 18446744073709551616\r\n"
# Where a body ends is beyond doubt.
refuses 400 "${call}Content-Length: 5\r\n$length" "$good"
refuses 400 "${call}Transfer-Encoding: chunked\r\n$length" "$good"
refuses 400 "${call}Content-Length: -1\r\n"
refuses 400 "${call}Content-Length: 1x\r\n"
refuses 501 "${call}Transfer-Encoding: gzip\r\n"
refuses 400 "${call}Transfer-Encoding: chunked\r\n" 'zz'$'\r\n'
# What is no HTTP the library refuses.
refuses 431 "${call}X: $long\r\n$length"
refuses 414 "POST /$long HTTP/1.1\r\nHost: x\r\n"
refuses 505 "POST / HTTP/9.9\r\nHost: x\r\n"
refuses 400 "${call}no colon\r\n$length"
for bad in 'POST\r\n' '\x16\x03\x01\x02\x00\x01\r\n'; do
	exec {fd}<>"/dev/tcp/$loopback/$port"
	printf '%b\r\n' "$bad" >&"$fd" 2>/dev/null || true
	! IFS= read -r -t 30 -u "$fd" line || [[ $line == 'HTTP/1.1 4'* ]] || fail "taken: $bad: $line"
	exec {fd}<&-
done
others_are_served headers

# ---- slow, half, and gone ----
exec {fd}<>"/dev/tcp/$loopback/$port"
request="$call$length\r\n"
printf '%b' "$request" | while IFS= read -r -n 1 -d '' byte; do printf '%s' "$byte" >&"$fd"; done
for ((i = 0; i < ${#good}; i++)); do printf '%s' "${good:i:1}" >&"$fd"; done
take_answer "$fd"
expect_equal 200 "$status" 'a byte at a time'
exec {fd}<&-
for ((i = 1; i < ${#good}; i += 37)); do
	exec {fd}<>"/dev/tcp/$loopback/$port"
	printf '%b%s' "$request" "${good:0:i}" >&"$fd"
	exec {fd}>&-
done
others_are_served 'half requests'
# Two requests at once, and one behind a refusal, on one connection.
exec {fd}<>"/dev/tcp/$loopback/$port"
printf '%b%s%b%s' "$request" "$good" "$request" "$good" >&"$fd"
take_answer "$fd"
take_answer "$fd"
printf '%b' "GET / HTTP/1.1\r\nHost: x\r\n\r\n" >&"$fd"
take_answer "$fd"
expect_equal 405 "$status" 'in between'
printf '%b%s' "$request" "$good" >&"$fd"
take_answer "$fd"
expect_equal 200 "$status" 'behind a refusal'
exec {fd}<&-
# Chunks that never end stop at the limit.
exec {fd}<>"/dev/tcp/$loopback/$port"
{
	printf '%bTransfer-Encoding: chunked\r\n\r\n' "$call"
	for ((i = 0; i < 130; i++)); do
		printf '9c40\r\n%s\r\n' "$long"
	done
} >&"$fd" 2>/dev/null || true
timeout 30 cat <&"$fd" >"$tmp/raw" 2>/dev/null || true
! head -1 "$tmp/raw" | grep -q ' 200 ' || fail 'more than 4 MiB were taken'
exec {fd}>&-

# ---- answers that nobody takes ----
large='<CIM CIMVERSION="2.0" DTDVERSION="2.0"><MESSAGE ID="1" PROTOCOLVERSION="1.0"><SIMPLEREQ>'
large+='<IMETHODCALL NAME="EnumerateClasses"><LOCALNAMESPACEPATH><NAMESPACE NAME="root"/><NAMESPACE NAME="ibm"/>'
large+='</LOCALNAMESPACEPATH><IPARAMVALUE NAME="DeepInheritance"><VALUE>true</VALUE></IPARAMVALUE><IPARAMVALUE '
large+='NAME="LocalOnly"><VALUE>false</VALUE></IPARAMVALUE></IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>'
asked="Content-Length: ${#large}\r\n"
exchange "$call$asked" "$large"
grep -qi '^transfer-encoding: chunked' "$tmp/headers" || fail 'a large answer is kept whole'
cp "$tmp/body" "$tmp/whole"
whole=$(stat -c %s "$tmp/whole")
[ "$whole" -gt 1000000 ] || fail "a large answer has $whole bytes"
xmllint --noout --huge --relaxng "$grammar" "$tmp/whole" 2>"$tmp/lint" || fail "in pieces: $(head -3 "$tmp/lint")"
before=$(memory_kb)
slow=()
for ((i = 0; i < 12; i++)); do
	exec {fd}<>"/dev/tcp/$loopback/$port"
	printf '%b\r\n%s' "$call$asked" "$large" >&"$fd"
	IFS= read -r -t 30 -u "$fd" line || fail 'no answer'
	slow+=("$fd")
done
others_are_served 'slow readers'
grown=$(($(memory_kb) - before))
# The sanitizers have memory of their own.
grep -q "asan\|tsan" "/proc/$pid/maps" || [ "$grown" -lt 12000 ] || fail "12 slow readers take $grown KiB"
# One goes on and gets all of it; the others leave in the middle.
fd=${slow[0]}
while IFS= read -r -t 30 -u "$fd" line && [ -n "${line%$'\r'}" ]; do :; done
take_chunks "$fd" >"$tmp/body"
expect_same "$tmp/whole" "$tmp/body" 'what a slow reader got'
for fd in "${slow[@]}"; do
	exec {fd}>&-
done
others_are_served 'readers that left'

# To HTTP/1.0 there are no chunks: the answer ends with the connection.
exec {fd}<>"/dev/tcp/$loopback/$port"
printf 'POST /cimom HTTP/1.0\r\n%b\r\nCIMOperation: MethodCall\r\n%b\r\n%s' "$login" "$asked" "$large" >&"$fd"
timeout 60 cat <&"$fd" >"$tmp/raw"
exec {fd}>&-
! sed '/^\r$/q' "$tmp/raw" | grep -qi 'transfer-encoding' || fail 'chunks for HTTP/1.0'
sed '1,/^\r$/d' "$tmp/raw" >"$tmp/body"
expect_same "$tmp/whole" "$tmp/body" 'for HTTP/1.0'
# Who reads trailers is told which may come.
exchange "${call}TE: trailers\r\n$asked" "$large"
grep -qi '^Trailer: CIMStatusCode, CIMStatusCodeDescription' "$tmp/headers" || fail 'no Trailer'
[ ! -s "$tmp/trailers" ] || fail "trailers of a good answer: $(cat "$tmp/trailers")"

# ---- one address does not take all connections ----
held=()
for ((i = 0; i < 40; i++)); do
	exec {fd}<>"/dev/tcp/$loopback/$port"
	printf 'POST /cimom HTTP/1.1\r\nHost: x\r\n' >&"$fd" 2>/dev/null || true
	held+=("$fd")
done
others_are_served 'one address with 40 connections'
few()
{
	[ "$(cat /proc/"$pid"/task/*/comm 2>/dev/null | grep -c '^MHD-')" -le 20 ]
}
wait_until 30 few
for fd in "${held[@]}"; do
	exec {fd}>&-
done
# The system stops whoever reads slowly, logs in half, or has said nothing.
slow=()
for ((i = 0; i < 3; i++)); do
	exec {fd}<>"/dev/tcp/$loopback/$port" {half}<>"/dev/tcp/$loopback/$port"
	printf '%b\r\n%s' "$call$asked" "$large" >&"$fd"
	printf '%b' "$call" >&"$half"
	IFS= read -r -t 30 -u "$fd" line || fail 'no answer'
	slow+=("$fd" "$half")
done
system_stop A
