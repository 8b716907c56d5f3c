#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# CIM over HTTPS: with a certificate that the system makes itself and keeps, or with a given one; users by password or
# by certificate; nothing older than TLS 1.2; half handshakes keep nobody out.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cim.sh"
requires wbemcli certtool gnutls-cli jq

port=$(free_port)
users=$tmp/users
echo secret | "$xdc" user add ann --role reader --users "$users"
echo secret | "$xdc" user add carol --role operator --users "$users"

# lists OPTION...: is ann let in, and gets classes? wbemcli does not say it by its exit code.
lists()
{
	wbemcli ecn "https://ann:secret@$loopback:$port/root/ibm" "$@" </dev/null >"$tmp/out" 2>&1 || true
	grep -q 'IBMTSESS_AsyncPPRCService' "$tmp/out"
}

# certificate FOLDER NAME TEMPLATE-LINE...: FOLDER/NAME-key.pem and FOLDER/NAME-cert.pem, signed by the authority there.
certificate()
{
	local folder=$1 name=$2
	shift 2
	printf '%s\n' "cn = $name" 'expiration_days = 2' "$@" >"$tmp/template"
	certtool --generate-privkey --key-type ecdsa --curve secp256r1 --outfile "$folder/$name-key.pem" 2>/dev/null
	if [ "$name" = ca ]; then
		certtool --generate-self-signed --load-privkey "$folder/ca-key.pem" --template "$tmp/template" \
			--outfile "$folder/ca-cert.pem" 2>/dev/null
	else
		certtool --generate-certificate --load-privkey "$folder/$name-key.pem" \
			--load-ca-privkey "$folder/ca-key.pem" --load-ca-certificate "$folder/ca-cert.pem" \
			--template "$tmp/template" --outfile "$folder/$name-cert.pem" 2>/dev/null
	fi
}

fingerprint()
{
	grep -oE 'SHA-256 [0-9A-F:]{95}' "$tmp/$1/log" | tail -1
}

# ---- a certificate of its own, kept ----
system_start A --id 2105.FA120 --cims "$loopback:$port" --users "$users"
own=$tmp/A/state/cim-tls
expect_equal 600 "$(stat -c %a "$own/server-key.pem")" 'mode of the key'
grep -q 'certificate that was made now' "$tmp/A/log" || fail 'the log does not say that a certificate was made'
made=$(fingerprint A)
expect_equal "SHA-256 $(certtool --fingerprint --hash sha256 --infile "$own/server-cert.pem" | tr a-f A-F |
	sed 's/../&:/g; s/:$//')" "$made" 'the fingerprint in the log'
lists -noverify || fail "not verified: $(cat "$tmp/out")"
lists -cacert "$own/server-cert.pem" || fail "verified: $(cat "$tmp/out")"
! lists || fail 'a client trusts a certificate that it does not know'
# A half handshake, and what is none, keep nobody out.
exec {half}<>"/dev/tcp/$loopback/$port" {none}<>"/dev/tcp/$loopback/$port"
printf '\x16\x03\x01\x02' >&"$half"
printf 'POST /cimom HTTP/1.1\r\n\r\n' >&"$none" 2>/dev/null || true
lists -noverify || fail 'shut out by half a handshake'
exec {half}>&- {none}>&-
for version in TLS1.0 TLS1.1; do
	expect_exit 1 . gnutls-cli --insecure --priority "NORMAL:-VERS-ALL:+VERS-$version:%ALLOW_SMALL_RECORDS" \
		-p "$port" "$loopback" </dev/null
done
for version in TLS1.2 TLS1.3; do
	gnutls-cli --insecure --priority "NORMAL:-VERS-ALL:+VERS-$version" -p "$port" "$loopback" \
		</dev/null >"$tmp/out" 2>&1 || fail "no $version: $(cat "$tmp/out")"
done
system_stop A
system_restart A
expect_equal "$made" "$(fingerprint A)" 'the certificate after a restart'
expect_equal 1 "$(grep -c 'made now' "$tmp/A/log")" 'certificates made'
lists -cacert "$own/server-cert.pem" || fail 'another certificate after a restart'
system_stop A

# ---- given certificates, and users by theirs ----
mkdir "$tmp/tls" "$tmp/other"
for folder in "$tmp/tls" "$tmp/other"; do
	certificate "$folder" ca ca cert_signing_key crl_signing_key
	certificate "$folder" carol tls_www_client signing_key
done
certificate "$tmp/tls" server tls_www_server signing_key "ip_address = $loopback"
certificate "$tmp/tls" mallory tls_www_client signing_key
certificate "$tmp/tls" ann tls_www_server signing_key
system_start B --id 2105.FB230 --cims "$loopback:$port" --cims-tls "$tmp/tls" --users "$users"
[ ! -e "$tmp/B/state/cim-tls" ] || fail 'a certificate was made beside the given one'
lists -cacert "$tmp/tls/ca-cert.pem" || fail "by password: $(cat "$tmp/out")"

# as FOLDER NAME [OPERATION]: what the server answers (the first line) to whoever shows this certificate.
as()
{
	local body='<CIM CIMVERSION="2.0" DTDVERSION="2.0"><MESSAGE ID="1" PROTOCOLVERSION="1.0"><SIMPLEREQ>'
	body+='<IMETHODCALL NAME="EnumerateQualifiers"><LOCALNAMESPACEPATH><NAMESPACE NAME="interop"/>'
	body+='</LOCALNAMESPACEPATH></IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>'
	printf 'POST /cimom HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCIMOperation: MethodCall\r\n%s\r\n\r\n%s' \
		"Content-Length: ${#body}" "$body" |
		gnutls-cli --logfile "$tmp/cli" --x509cafile "$tmp/tls/ca-cert.pem" -p "$port" "$loopback" \
			${1:+--x509certfile "$1/$2-cert.pem" --x509keyfile "$1/$2-key.pem"} >"$tmp/out" || true
	head -1 "$tmp/out" | tr -d '\r'
}
expect_equal 'HTTP/1.1 200 OK' "$(as "$tmp/tls" carol)" 'a user by certificate'
expect_equal 'HTTP/1.1 401 Unauthorized' "$(as '')" 'nobody'
expect_equal 'HTTP/1.1 401 Unauthorized' "$(as "$tmp/tls" mallory)" 'a certificate of no user'
expect_equal 'HTTP/1.1 401 Unauthorized' "$(as "$tmp/tls" ann)" 'a certificate of a server'
grep -q 'not good: it is not for clients' "$tmp/B/log" || fail 'the log does not say why'
expect_equal 'HTTP/1.1 401 Unauthorized' "$(as "$tmp/other" carol)" 'a certificate of a stranger'
system_stop B

# ---- a certificate that was revoked ----
printf '%s\n' 'crl_next_update = 2' >"$tmp/template"
certtool --generate-crl --load-ca-privkey "$tmp/tls/ca-key.pem" --load-ca-certificate "$tmp/tls/ca-cert.pem" \
	--load-certificate "$tmp/tls/carol-cert.pem" --template "$tmp/template" \
	--outfile "$tmp/tls/ca-crl.pem" 2>/dev/null
system_restart B
expect_equal 'HTTP/1.1 401 Unauthorized' "$(as "$tmp/tls" carol)" 'a revoked certificate'
system_stop B

# ---- what is refused at once ----
cannot()
{
	expect_exit 2 "$1" "$xdcd" --state "$tmp/C" --id 2105.FC340 --control "unix:$tmp/x" "${@:2}"
}
cannot 'HTTP is not encrypted' --cim "0.0.0.0:$port"
cannot 'is for --cims' --cims-tls "$tmp/tls" --cim "$loopback:$port"
cannot 'it is HOST:PORT' --cims "unix:$tmp/cims"
mkdir "$tmp/empty"
cannot 'server-cert.pem' --cims "$loopback:$port" --cims-tls "$tmp/empty"
chmod o+r "$tmp/tls/server-key.pem"
cannot 'every user may read it' --cims "$loopback:$port" --cims-tls "$tmp/tls"
chmod o= "$tmp/tls/server-key.pem"
cp "$tmp/tls/carol-key.pem" "$tmp/tls/server-key.pem"
cannot 'of no use' --cims "$loopback:$port" --cims-tls "$tmp/tls"
