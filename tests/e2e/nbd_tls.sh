#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TLS for hosts: real clients come in by certificate or by key; without either they get nothing.
. "$(dirname "$0")/lib.sh"
requires nbdinfo nbdcopy jq certtool psktool

# certificate NAME TEMPLATE-LINE...: a key, and a certificate signed by the authority in folder ca.
certificate()
{
	local name=$1
	shift
	printf '%s\n' "cn = $name" 'expiration_days = 2' "$@" >"$tmp/$name.template"
	certtool --generate-privkey --key-type ecdsa --curve secp256r1 --outfile "$tmp/$name-key.pem" 2>/dev/null
	if [ "$name" = ca ]; then
		certtool --generate-self-signed --load-privkey "$tmp/ca-key.pem" --template "$tmp/ca.template" \
			--outfile "$tmp/ca-cert.pem" 2>/dev/null
	else
		certtool --generate-certificate --load-privkey "$tmp/$name-key.pem" \
			--load-ca-privkey "$tmp/ca-key.pem" --load-ca-certificate "$tmp/ca-cert.pem" \
			--template "$tmp/$name.template" --outfile "$tmp/$name-cert.pem" 2>/dev/null
	fi
}
certificate ca ca cert_signing_key
certificate server tls_www_server encryption_key signing_key "ip_address = $loopback"
certificate client tls_www_client encryption_key signing_key
mkdir "$tmp/server" "$tmp/host" "$tmp/stranger"
cp "$tmp"/{ca-cert,server-cert,server-key}.pem "$tmp/server"
cp "$tmp"/{ca-cert,client-cert,client-key}.pem "$tmp/host"
cp "$tmp/ca-cert.pem" "$tmp/stranger"
psktool -u host1 -p "$tmp/server/keys.psk" >/dev/null 2>&1
psktool -u host1 -p "$tmp/wrong.psk" >/dev/null 2>&1

port=$(free_port)
system_start A --id 2105.FA120 --nbd "$loopback:$port" --nbd-tls "$tmp/server"
on A pool create p1 --dir "$tmp/A/pool"
on A volume create 1500 --pool p1 --size 16M

by_certificate="nbds://$loopback:$port/1500?tls-certificates=$tmp/host"
by_key="nbds://host1@$loopback:$port/1500?tls-psk-file=$tmp/server/keys.psk"
head -c 16M /dev/urandom >"$tmp/image"
nbdcopy "$tmp/image" "$by_certificate"
nbdcopy "$by_key" "$tmp/copy"
expect_same "$tmp/image" "$tmp/copy" 'written by certificate, read by key'
nbdinfo --json "$by_key" | jq -e '.TLS' >/dev/null || fail 'nbdinfo says that this is not encrypted'

expect_exit 1 . nbdinfo --size "nbds://$loopback:$port/1500?tls-certificates=$tmp/stranger"
expect_exit 1 . nbdinfo --size "nbds://host1@$loopback:$port/1500?tls-psk-file=$tmp/wrong.psk"
expect_exit 1 . nbdinfo --size "nbds://host2@$loopback:$port/1500?tls-psk-file=$tmp/wrong.psk"
# On loopback plain is allowed beside it.
expect_equal 16777216 "$(nbdinfo --size "nbd://$loopback:$port/1500")" 'size, in the clear'
expect_equal 16777216 "$(nbdinfo --size "$by_certificate")" 'size, encrypted'
# A handshake that stops in the middle ends, and holds up nobody.
exec {silent}<>"/dev/tcp/$loopback/$port"
printf '\0\0\0\3IHAVEOPT\0\0\0\5\0\0\0\0\x16\x03\x01\x02' >&"$silent"
expect_equal 16777216 "$(nbdinfo --size "$by_key")" 'size, beside half a handshake'
timeout 60 cat <&"$silent" >"$tmp/silent" &
ended=$!
exec {silent}>&-
! grep -q 'whoever reaches NBD' "$tmp/A/log" || fail 'hosts are said not to be verified'

# Without an authority anybody is let in, and the log says so.
mkdir "$tmp/open"
cp "$tmp"/server/server-*.pem "$tmp/open"
port=$(free_port)
system_start D --id 2105.FD000 --nbd "$loopback:$port" --nbd-tls "$tmp/open"
on D pool create p1 --dir "$tmp/D/pool"
on D volume create 1500 --pool p1 --size 16M
by_stranger="nbds://$loopback:$port/1500?tls-certificates=$tmp/stranger"
expect_equal 16777216 "$(nbdinfo --size "$by_stranger")" 'size for a stranger'
grep -q 'no .*ca-cert.pem: whoever reaches NBD is let in' "$tmp/D/log" || fail 'the log is silent about strangers'
system_stop D

# Reached from other machines, TLS is demanded unless it was switched off by name.
own=$(hostname -I | cut -d' ' -f1)
if [ -n "$own" ]; then
	expect_exit 2 'nbd-tls' "$xdcd" --state "$tmp/B" --id 2105.FB230 --control "unix:$tmp/B.control" \
		--nbd "$own:$port"
	system_start C --id 2105.FC000 --nbd "$own:$port" --nbd-tls "$tmp/server"
	on C pool create p1 --dir "$tmp/C/pool"
	on C volume create 1600 --pool p1 --size 16M
	expect_exit 1 . nbdinfo --size "nbd://$own:$port/1600"
	by_key="nbds://host1@$own:$port/1600?tls-psk-file=$tmp/server/keys.psk"
	expect_equal 16777216 "$(nbdinfo --size "$by_key")" 'size by key, from afar'
	system_stop C
fi

wait "$ended" || fail 'half a handshake keeps its connection'
system_stop A
