# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# lib_cim.sh - HTTP spoken by hand, for scripts that talk to the CIM server at $loopback:$port. Sourced after lib.sh.

# Writing to a connection that the server has ended already is part of it: what it answered before is judged.
trap '' PIPE

# take_chunks FD: a body of chunks, and $tmp/trailers.
take_chunks()
{
	local line
	: >"$tmp/trailers"
	while IFS= read -r -t 30 -u "$1" line && line=${line%$'\r'} && [ "$line" != 0 ]; do
		[[ $line =~ ^[0-9A-Fa-f]+$ ]] || fail "a chunk of '$line'"
		head -c "$((16#$line))" <&"$1"
		IFS= read -r -t 30 -u "$1" line || fail 'half a chunk'
	done
	[ "$line" = 0 ] || fail 'an answer was broken off'
	while IFS= read -r -t 30 -u "$1" line && line=${line%$'\r'} && [ -n "$line" ]; do
		echo "$line" >>"$tmp/trailers"
	done
}

# take_answer FD: $status, headers in $tmp/headers, body in $tmp/body.
take_answer()
{
	local line length=0 fd=$1
	IFS= read -r -t 30 -u "$fd" line || fail 'no answer'
	status=${line#* }
	status=${status%% *}
	: >"$tmp/headers"
	while IFS= read -r -t 30 -u "$fd" line && line=${line%$'\r'} && [ -n "$line" ]; do
		echo "$line" >>"$tmp/headers"
		[[ ${line,,} != content-length:* ]] || length=${line#*: }
	done
	if grep -qi '^transfer-encoding: chunked' "$tmp/headers"; then
		expect_equal 200 "$status" 'status of an answer in chunks'
		take_chunks "$fd" >"$tmp/body"
	else
		grep -qi '^content-length:' "$tmp/headers" || fail "an answer $status without Content-Length"
		head -c "$length" <&"$fd" >"$tmp/body"
	fi
}

# exchange HEADERS BODY: sends both on a connection of its own and takes the answer. The empty line comes in between.
exchange()
{
	local fd
	exec {fd}<>"/dev/tcp/$loopback/$port"
	printf '%b\r\n%s' "$1" "$2" >&"$fd" 2>/dev/null || true
	take_answer "$fd"
	exec {fd}<&-
}
