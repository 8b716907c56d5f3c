#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is installed is whole and serves: the unit file names it and is right, an upgrade keeps what the administrator
# wrote, and sockets that the service manager hands over are served as if xdcd had made them.
. "$(dirname "$0")/lib.sh"
requires jq meson perl nbdinfo

# ---- install ----
DESTDIR=$tmp/root meson install -C "$build" --no-rebuild >"$tmp/install" 2>&1 || fail "$(cat "$tmp/install")"
prefix=$(meson introspect "$build" --buildoptions | jq -r '.[] | select(.name == "prefix").value')
etc=$(meson introspect "$build" --buildoptions | jq -r '.[] | select(.name == "sysconfdir").value')
[[ $etc == /* ]] || etc=$prefix/$etc
installed=$tmp/root$prefix
for file in bin/xdcd bin/xdc lib/systemd/system/xdcd.service lib/sysusers.d/xdc.conf share/man/man1/xdc.1 \
	share/man/man8/xdcd.8 share/bash-completion/completions/xdc; do
	[ -s "$installed/$file" ] || fail "$file is not installed"
done
expect_same "$installed/bin/xdc" "$xdc" 'the installed xdc'
"$installed/bin/xdc" completion bash | cmp - "$installed/share/bash-completion/completions/xdc"
unit=$installed/lib/systemd/system/xdcd.service
grep -qx "EnvironmentFile=$etc/xdc/xdcd.conf" "$unit" && [ -s "$tmp/root$etc/xdc/xdcd.conf" ] ||
	fail 'the unit does not read the configuration that is installed'
grep -q '^User=xdc$' "$unit" && grep -q '^u xdc ' "$installed/lib/sysusers.d/xdc.conf" || fail 'the user xdc is missing'
echo 'XDC_ID=2105.FA120' >"$tmp/root$etc/xdc/xdcd.conf"
DESTDIR=$tmp/root meson install -C "$build" --no-rebuild >"$tmp/install" 2>&1
expect_equal 'XDC_ID=2105.FA120' "$(cat "$tmp/root$etc/xdc/xdcd.conf")" 'the configuration after an upgrade'
if command -v systemd-analyze >"$tmp/which"; then
	sed "s|$prefix/bin|$installed/bin|" "$unit" >"$tmp/xdcd.service"
	systemd-analyze verify --man=no "$tmp/xdcd.service" >"$tmp/verify" 2>&1 && [ ! -s "$tmp/verify" ] ||
		fail "the unit: $(cat "$tmp/verify")"
	systemd-analyze syscall-filter @system-service @aio | grep -q io_uring_setup || fail 'no io_uring in the filter'
fi
# What ExecStart says, with the state and the control socket elsewhere, is a good command line.
exec_start=$(sed -n 's/^ExecStart=//p' "$unit")
exec_start=${exec_start/"$prefix"/"$installed"}
exec_start=${exec_start//\/var\/lib\/xdc/$tmp/state}
exec_start=${exec_start//\/run\/xdc/$tmp}
expect_exit 2 '^xdcd: --id : a system id is' env XDC_ID= XDC_OPTIONS= bash -c "${exec_start/'${XDC_ID}'/'"$XDC_ID"'}"

# ---- sockets that are handed over, as systemd does it: from descriptor 3 on, with their names ----
cat >"$tmp/activate" <<'PERL'
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
# KIND=ADDRESS... -- COMMAND...: NAME=unix:PATH or NAME=PORT
my (@sockets, @names);
while (@ARGV && (my $arg = shift @ARGV) ne '--') {
	my ($name, $address) = split /=/, $arg, 2;
	my $socket = $address =~ /^unix:(.*)/ ? IO::Socket::UNIX->new(Local => $1, Listen => 16)
		: IO::Socket::INET->new(LocalAddr => $address, Listen => 16, ReuseAddr => 1);
	push @sockets, $socket or die "$arg: $!";
	push @names, $name;
}
my @far = map { fcntl($_, 0, 100) // die } @sockets;	# F_DUPFD: out of the way
POSIX::dup2($far[$_], 3 + $_) // die for 0 .. $#far;
POSIX::close($_) for @far;
$ENV{LISTEN_PID} = $$;
$ENV{LISTEN_FDS} = @far;
$ENV{LISTEN_FDNAMES} = join ':', @names;
exec @ARGV or die;
PERL
real=$xdcd port=$(free_port)
cat >"$tmp/xdcd" <<SH
#!/bin/bash
# As the service manager starts it: without the options that sockets stand for.
args=()
while [ \$# -gt 0 ]; do
	case \$1 in
	--control) shift ;;
	*) args+=("\$1") ;;
	esac
	shift
done
exec perl "$tmp/activate" \$(cat "$tmp/sockets") -- "$real" "\${args[@]}"
SH
chmod +x "$tmp/xdcd"
xdcd=$tmp/xdcd
mkdir "$tmp/A"
echo "control=unix:$tmp/A/control nbd=unix:$tmp/A/nbd link=$loopback:$port nbd=127.0.0.1:0 other=unix:$tmp/A/other" \
	>"$tmp/sockets"
system_start A --id 2105.FA120
expect_equal "$loopback:$port" "$(json A .link_address system show)" 'the link address'
grep -q 'socket 7 of the service manager is not used' "$tmp/A/log" || fail 'the socket nobody knows is not named'
on A pool create p --dir "$tmp/pool"
on A volume create 1500 --pool p --size 1M
expect_equal 1048576 "$(nbdinfo --size "nbd+unix:///1500?socket=$tmp/A/nbd")" 'the volume over the socket handed over'
# The link: a second system finds it there.
xdcd=$real
system_start B --id 2105.FB230
on B path create 25 15 --system 2105.FA120 --to "$loopback:$port"
wait_until 20 is B '.[0].state == "connected"' path list
# The sockets are the service manager's: they stay when xdcd ends.
system_stop A
[ -S "$tmp/A/control" ] && [ -S "$tmp/A/nbd" ] || fail 'a socket of the service manager was removed'

# What the service manager listens on is reached from afar as much as what --nbd names; the control socket is a file's.
refused()
{
	local what=$1 sockets=$2
	shift 2
	# shellcheck disable=SC2086
	expect_exit 2 "$what" timeout "$start_seconds" perl "$tmp/activate" $sockets -- "$real" --state "$tmp/S" \
		--id 2105.FC000 "$@"
}
refused 'nbd: the socket of the service manager at .* is reached from other machines; give its credentials' \
	"control=unix:$tmp/c1 nbd=0.0.0.0:0"
refused 'link: .*reached from other machines' "control=unix:$tmp/c2 link=0.0.0.0:0" --link-address far:1
refused 'control: .*not a Unix socket' 'control=127.0.0.1:0'
refused 'control is missing' "nbd=unix:$tmp/n1"
system_stop B

# ---- without any privilege; and where the kernel gives it too little, it says what ----
if [ "$(id -u)" -eq 0 ] && ! (ulimit -l 8192) 2>"$tmp/limit"; then
	echo 'the limit of locked memory cannot be raised here' >&2
elif [ "$(id -u)" -eq 0 ]; then
	chmod 711 "$tmp"
	mkdir -m 777 "$tmp/N"
	install -m 755 "$real" "$tmp/xdcd-for-all"
	cat >"$tmp/unprivileged" <<-SH
		#!/bin/bash
		ulimit -l 8192
		exec setpriv --reuid nobody --regid nogroup --clear-groups --inh-caps=-all --bounding-set=-all \\
			--no-new-privs "$tmp/xdcd-for-all" "\$@"
	SH
	chmod 755 "$tmp/unprivileged"
	xdcd=$tmp/unprivileged
	system_start N --id 2105.FE000 --nbd "unix:$tmp/N/nbd"
	on N pool create p --dir "$tmp/N/pool"
	on N volume create 1500 --pool p --size 1M
	expect_equal 1048576 "$(nbdinfo --size "nbd+unix:///1500?socket=$tmp/N/nbd")" 'a volume without root'
	expect_equal 'nobody 660' "$(stat -c '%U %a' "$tmp/N/control")" 'the control socket'
	expect_equal 'nobody 600' "$(stat -c '%U %a' "$tmp"/N/pool/1500-*)" 'the file of a volume'
	system_stop N
	sed -i 's/ulimit -l 8192/ulimit -l 64/' "$tmp/unprivileged"
	# Not every kernel counts the rings of io_uring as locked memory; where it does, that is said.
	mkfifo "$tmp/N/out2"
	"$xdcd" --state "$tmp/N/state" --id 2105.FE000 --control "unix:$tmp/N/control" >"$tmp/N/out2" \
		2>"$tmp/stderr" &
	limited=$!
	# A line, or its end.
	read -r -t "$start_seconds" said <"$tmp/N/out2" || said=
	kill "$limited" 2>"$tmp/killed" || true
	wait "$limited" || true
	[ "$said" = ready ] || grep -q 'Cannot allocate memory; allow more locked memory' "$tmp/stderr" ||
		fail "$(cat "$tmp/stderr")"
	xdcd=$real
fi

# ---- the same by systemd's own program, where there is one: xdcd starts with the first connection ----
if command -v systemd-socket-activate >"$tmp/which"; then
	mkdir "$tmp/D"
	systemd-socket-activate --listen="$tmp/D/control" --fdname=control \
		"$real" --state "$tmp/D/state" --id 2105.FD000 >"$tmp/D/out" 2>"$tmp/D/log" </dev/null &
	activated=$!
	stop_activated()
	{
		kill "$activated" 2>/dev/null || true
		wait "$activated" 2>/dev/null || true
	}
	at_end stop_activated
	wait_until 20 test -S "$tmp/D/control"
	expect_equal 2105.FD000 "$(json D .system system show)" 'the system that the connection started'
	stop_activated
	grep -q 'stopping' "$tmp/D/log" || fail "it did not stop in order: $(cat "$tmp/D/log")"
fi
