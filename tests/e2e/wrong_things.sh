#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Things that go wrong in daily life: each is answered by one sentence that names the object, and by what to do; nothing
# hangs, nothing dies, and what is well goes on. (Arguments: cli_usage. Full disks: full_disk. Keys: link_tls.)
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
requires jq qemu-io perl

# complains WHAT REMEDY NAME ARGUMENT...: refused, with these in its two lines, for people and as JSON.
complains()
{
	local what=$1 remedy=$2
	shift 2
	expect_exit 1 "^xdc: .*$what" on "$@"
	grep -qE "^try: .*$remedy" "$tmp/stderr" || fail "$*: no remedy with '$remedy': $(cat "$tmp/stderr")"
	expect_equal 2 "$(wc -l <"$tmp/stderr")" "lines of: $*"
	expect_exit 1 '"code": [0-9]' on "$@" --json
	jq -e '.object != null and .message != null and .remedy != null and (.code | type) == "number"' "$tmp/stderr" \
		>"$tmp/judged" || fail "$*: $(cat "$tmp/stderr")"
}
# does_not_start WHAT ARGUMENT...: xdcd says why not, in one line of its log.
does_not_start()
{
	local what=$1
	shift
	expect_exit 1 "^ERROR xdcd: .*$what" timeout 20 "$xdcd" --id 2105.FC000 "$@"
}

site A 2105.FA120
site B 2105.FB230
on A volume create 1500 --pool p1 --size 16M --name db
on A volume create 1501 --pool p1 --size 16M
on B volume create 2500 --pool p1 --size 16M
path A 15 B 25

# ---- no xdcd, or not this one ----
expect_exit 1 'cannot reach the system at .*No such file' on nobody pool list
grep -q '^try: start xdcd' "$tmp/stderr" || fail "$(cat "$tmp/stderr")"
expect_exit 1 'did not answer as a system does' "$xdc" --control "unix:$tmp/A/nbd" pool list
grep -q 'is this its control socket' "$tmp/stderr" || fail "$(cat "$tmp/stderr")"
if [ "$(id -u)" -eq 0 ]; then
	chmod 711 "$tmp"
	expect_exit 1 'Permission denied' runuser -u nobody -- "$xdc" --control "unix:$tmp/A/control" pool list
	grep -q 'in its group' "$tmp/stderr" || fail "$(cat "$tmp/stderr")"
fi

# ---- a second xdcd ----
does_not_start 'another xdcd uses it; stop the other' --state "$tmp/A/state" --control "unix:$tmp/second"
does_not_start 'Address already in use; choose another' --state "$tmp/new" --control "unix:$tmp/A/control"
does_not_start 'Address already in use; choose another' --state "$tmp/new" --control "unix:$tmp/second" \
	--nbd "unix:$tmp/A/nbd"
does_not_start 'Address already in use; choose another' --state "$tmp/new" --control "unix:$tmp/second" \
	--link "$loopback:${link_port[A]}"
does_not_start 'make the folder of the socket' --state "$tmp/new" --control "unix:$tmp/none/second"
does_not_start 'make the folder above it' --state "$tmp/none/state" --control "unix:$tmp/second"
touch "$tmp/file"
does_not_start 'state folder: .*file: Not a directory' --state "$tmp/file" --control "unix:$tmp/second"
does_not_start 'cannot listen there: .*choose an address of this machine' --state "$tmp/new" \
	--control "unix:$tmp/second" --nbd 192.0.2.1:10809 --allow-plain nbd
[ ! -e "$tmp/second" ] || fail 'a system that did not start left its socket'
system_start C --id 2105.FC000
complains 'pool p: .* used by another pool or system' 'choose another folder' C pool create p --dir "$tmp/A/pool"

# ---- wrong addresses of another system ----
closed=$(free_port)
on A path create 15 31 --system 2105.DEAD0 --to "$loopback:$closed"
complains "system 2105.DEAD0: .*$loopback:$closed: Connection refused" 'xdcd must run there' \
	A pair create 1500 3100 --system 2105.DEAD0 --type async
on A path create 15 32 --system 2105.FX999 --to "$loopback:${link_port[B]}"
complains 'system 2105.FX999: .*this is 2105.FB230, not 2105.FX999' 'with the id of the path' \
	A pair create 1500 3200 --system 2105.FX999 --type async
complains 'and 2105.FA120 is this one' 'name another system' \
	A path create 15 16 --system 2105.FA120 --to "$loopback:${link_port[A]}"

# ---- pairs that cannot be ----
complains 'volume 1500: .*2105.FA120 is this one' 'name another system' \
	A pair create 1500 1501 --system 2105.FA120 --type async
complains 'volume 1500: no path leads from LSS 15 to LSS 35' 'xdc path create 15 35 --system 2105.FB230' \
	A pair create 1500 3500 --system 2105.FB230 --type async
complains '2105.FB230 has no volume 2599' 'xdc volume create 2599 --pool POOL --size 16777216' \
	A pair create 1500 2599 --system 2105.FB230 --type async
on B volume create 2501 --pool p1 --size 8M
complains 'volume 2501 .* has 8388608 bytes, the source 16777216' 'make both of one size' \
	A pair create 1500 2501 --system 2105.FB230 --type async
# The other system stands still: told in seconds; and what it does with the request when it wakes is in nobody's way.
on B volume create 2502 --pool p1 --size 16M
system_pause B
expect_exit 1 '^xdc: system 2105.FB230: it does not answer' on A pair create 1501 2502 --system 2105.FB230 --type async
grep -q '^try: .*repeat the command' "$tmp/stderr" || fail "$(cat "$tmp/stderr")"
on A volume rename 1501 other
system_continue B
wait_until 30 is A 'any(.system == "2105.FB230" and .state == "connected")' path list
wait_until 30 is B '.access == "none"' volume show 2502
pair A 1501 B 2502 async
on A pair delete 1501
is B '.access == "write"' volume show 2502
# A host has the target open.
mkfifo "$tmp/host"
(trap - ERR && exec qemu-io -f raw "$(uri B 2500)" <"$tmp/host" >"$tmp/host.out" 2>&1) &
host=$!
exec {host_in}>"$tmp/host"
wait_until 20 is B '.attached == 1' volume show 2500
complains 'volume 2500 .*1 host connection has it open' 'disconnect the hosts of volume 2500' \
	A pair create 1500 2500 --system 2105.FB230 --type async
complains 'volume 2500: 1 host connection has it open' 'disconnect them' B volume delete 2500
exec {host_in}>&-
wait "$host"
no_hosts B
for event in 'attached to 2500' 'detached from 2500'; do
	wait_until 20 grep -q "^NOTICE nbd: unix: $event" "$tmp/B/log"
done
pair A 1500 B 2500 async
complains 'volume 1500: it is paired with volume 2500' 'xdc pair delete 1500' \
	A pair create 1500 2501 --system 2105.FB230 --type async
complains 'volume 2500 .*is paired with volume 1500' 'take another volume' \
	A pair create 1501 2500 --system 2105.FB230 --type async
complains 'volume 2500: it is the target' 'on 2105.FA120: xdc pair delete 1500' B volume delete 2500
complains 'volume 2500: this is the far side' 'on 2105.FA120: xdc pair suspend 1500' B pair suspend 2500
complains 'volume 1500: this is the source' 'on 2105.FB230: xdc pair failover 2500' A pair failover 1500
expect_exit 1 'hosts may not use this volume: it is the target of a pair' \
	qemu-io -r -f raw -c 'read 0 4k' "$(uri B 2500)"

# ---- sessions ----
on A session open 1 --lss 15
complains 'LSS 15: it has 2 volumes' 'delete them first' A lss delete 15
complains 'session 1: it has no volumes' 'xdc session add' A session start 1 --master 15
complains 'session 1: it is not started' 'xdc session start 1' A session terminate 1
complains 'volume 1501: it is not the source' 'xdc pair create 1501' A session add 1 1501
on A session add 1 1500
complains 'session 1: no path leads from LSS 15 to system 2105.FA121' 'xdc path create 15 16 --system 2105.FA121' \
	A session start 1 --master 15 --subordinate 2105.FA121:16
on A session start 1 --master 15
wait_until 60 is A '.sequence > 0' session show 1
complains 'session 1: this system is a far side of it' 'on its master, 2105.FA120' B session pause 1
complains 'session 1: this system is not a far side' 'on a far side' A session recover 1
complains 'volume 1500: it is in session 1' 'xdc session remove 1 1500' A pair delete 1500
# Of a long path the reason is told, and the end; also where it is cut between the two bytes of a letter.
long=/none/$(printf 'ä%.0s' {1..300})
for folder in "$long" "${long}x"; do
	complains 'pool p: .*ääx?: No such file' 'make the folder above it' A pool create p --dir "$folder"
done
expect_exit 1 'standard output cannot be written' bash -c '"$@" >/dev/full' _ "$xdc" \
	--control "unix:$tmp/A/control" pool list --json
complains 'file cannot be made: File too large' 'a smaller size' A volume create 1502 --pool p1 --size 1000T

# ---- a path moved to where nobody is: it is told at once, whatever connection there was; and back ----
on A path create 15 25 --system 2105.FB230 --to "$loopback:$closed"
wait_until 20 is A 'any(.system == "2105.FB230" and .state == "disconnected" and (.error | test("refused")))' path list
on A path create 15 25 --system 2105.FB230 --to "$loopback:${link_port[B]}"
wait_until 20 is A 'any(.system == "2105.FB230" and .state == "connected")' path list

# ---- garbage on every socket, and a line that does not end: told so where there is a language, and cut off ----
head -c 300000 /dev/urandom >"$tmp/garbage"
head -c 300000 /dev/zero | tr '\0' ' ' >"$tmp/long"
# send FILE SOCKET: all of it, as far as it is taken; what is answered meanwhile goes to $tmp/answer.
send()
{
	timeout 20 perl -MIO::Socket::UNIX -e '
		$SIG{PIPE} = "IGNORE";
		my $socket = IO::Socket::UNIX->new(Peer => $ARGV[1]) or die "$ARGV[1]: $!";
		open(my $file, "<", $ARGV[0]) or die;
		local $/;
		my $data = <$file>;
		my $reader = fork // die;
		if (!$reader) {
			print while sysread($socket, $_, 65536);
			exit;
		}
		for (my $at = 0; $at < length($data);) {
			my $sent = syswrite($socket, $data, 65536, $at) or last;
			$at += $sent;
		}
		shutdown($socket, 1);
		waitpid($reader, 0);
	' "$1" "$2" >"$tmp/answer" || fail "$2 keeps who sends $1 waiting"
}
for input in garbage long; do
	send "$tmp/$input" "$tmp/A/control"
	send "$tmp/$input" "$tmp/A/nbd"
	timeout 20 bash -c 'cat "$1" >"$2"' _ "$tmp/$input" "/dev/tcp/$loopback/${link_port[A]}" 2>"$tmp/sent" ||
		[ $? -ne 124 ] || fail 'the link keeps who speaks nonsense waiting'
done
send "$tmp/long" "$tmp/A/control"
jq -e '.error.message == "a request is at most 64 KiB long" and .error.remedy != null' "$tmp/answer" >"$tmp/judged" ||
	fail "a line that does not end: $(cat "$tmp/answer")"
printf '%s\n' '{"op":"volume list"}' >"$tmp/short"
send "$tmp/short" "$tmp/A/control"
jq -e '.ok' "$tmp/answer" >"$tmp/judged"

# ---- the folder of a pool is taken away under its open files ----
on A pool create gone --dir "$tmp/gone"
on A volume create 1510 --pool gone --size 1M
mv "$tmp/gone" "$tmp/away"
complains 'volume 1511: the folder of pool gone is not there' 'put the folder back' \
	A volume create 1511 --pool gone --size 1M
is A '.state == "offline" and .error == "No such file or directory"' pool show gone
mv "$tmp/away" "$tmp/gone"
is A '.state == "online" and .error == null' pool show gone

# ---- after all that: hosts are served, and groups go on ----
from=$(json A .sequence session show 1)
qemu-io -f raw -c 'write -P 9 0 64k' -c 'read -P 9 0 64k' "$(uri A 1500)" >"$tmp/io" 2>&1 || fail "$(cat "$tmp/io")"
wait_until 30 is A ".sequence > $from" session show 1
system_stop A B C
