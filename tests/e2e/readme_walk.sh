#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The walk through two machines in README.md, to the letter: every block of it is run by a user without privileges, in
# two network namespaces that are called prod and dr there, each with a home of its own.
. "$(dirname "$0")/lib.sh"
requires jq psktool qemu-io ip unshare setpriv
requires_root 'network namespaces'
id=$RANDOM
ip netns add "walk-prod-$id" 2>"$tmp/ip" || skip "needs network namespaces: $(cat "$tmp/ip")"
drop_namespaces()
{
	ip netns del "walk-prod-$id"
	ip netns del "walk-dr-$id" 2>/dev/null
}
at_end drop_namespaces
ip netns add "walk-dr-$id"
ip -n "walk-prod-$id" link add to-dr type veth peer name to-prod netns "walk-dr-$id"
declare -A address=([prod]=10.77.0.1 [dr]=10.77.0.2) device=([prod]=to-dr [dr]=to-prod)
for name in prod dr; do
	ip -n "walk-$name-$id" link set lo up
	ip -n "walk-$name-$id" address add "${address[$name]}/24" dev "${device[$name]}"
	ip -n "walk-$name-$id" link set "${device[$name]}" up
done
printf '%s %s\n' 127.0.0.1 localhost "${address[prod]}" prod "${address[dr]}" dr >"$tmp/hosts"
chmod 644 "$tmp/hosts"
chmod 711 "$tmp"

# The sources as the user sees them: with a folder build. scp has no ssh here, and copies.
mkdir -p "$tmp/sources/build" "$tmp/programs"
install -m 755 "$xdcd" "$xdc" "$tmp/sources/build"
cat >"$tmp/programs/scp" <<'SH'
#!/bin/bash
# scp -p FILE HOST:FOLDER
cp -p "$2" "$(dirname "$HOME")/${3/://}"
SH
chmod 755 "$tmp/programs/scp"
install -d -o nobody "$tmp/prod" "$tmp/dr"

# A shell in each, which reads blocks and says after each how it went.
declare -A shell_in=() shell_out=()
start_shell()
{
	local name=$1 in out
	mkfifo "$tmp/$name.in" "$tmp/$name.out"
	# What is given up when this script ends, ends with it: jobs of the shell too.
	ip netns exec "walk-$name-$id" unshare --mount --pid --fork --kill-child bash -c '
		mount --bind "$1/hosts" /etc/hosts && mount -t proc proc /proc && cd "$1/sources" &&
		exec setpriv --reuid nobody --regid nogroup --clear-groups --no-new-privs env -i HOME="$1/$2" \
			PATH="$1/programs:$PATH" ASAN_OPTIONS="${ASAN_OPTIONS-}" bash -m' \
		_ "$tmp" "$name" <"$tmp/$name.in" >"$tmp/$name.out" 2>"$tmp/$name.err" &
	shells+=($!)
	exec {in}>"$tmp/$name.in" {out}<"$tmp/$name.out"
	shell_in[$name]=$in
	shell_out[$name]=$out
}
shells=()
end_shells()
{
	kill -KILL "${shells[@]}" 2>/dev/null
	wait "${shells[@]}" 2>/dev/null
}
at_end end_shells
start_shell prod
start_shell dr

# run NAME BLOCK: line by line, as typed; each must end well.
run()
{
	local name=$1 block=$2 line
	printf '%s\n' 'set -e' "$block" 'echo "== done"' >&"${shell_in[$name]}"
	while read -r -t 60 -u "${shell_out[$name]}" line; do
		echo "$name: $line"
		[ "$line" != '== done' ] || return 0
	done
	cat "$tmp/$name.err" >&2
	cat "$tmp/$name/xdc/log" >&2 || true
	fail "README.md, on $name: $block"
}
# The line with & and what follows: people wait for "ready" before they type on.
run_block()
{
	local name=$1 block=$2 head rest line
	if [[ $block != *$'&\n'* && $block != *'&' ]]; then
		run "$name" "$block"
		return
	fi
	head=${block%%$'&\n'*}
	rest=${block#"$head"}
	rest=${rest#$'&\n'}
	printf '%s &\n' "${head%&}" >&"${shell_in[$name]}"
	read -r -t 30 -u "${shell_out[$name]}" line || true
	expect_equal ready "$line" "xdcd on $name"
	[ -z "$rest" ] || [ "$rest" = '&' ] || run "$name" "$rest"
}

blocks=0 block='' where=''
# What the reader is told to wait for before the site is lost.
all_in_groups()
{
	local shown
	shown=$("$xdc" --control "unix:$tmp/prod/xdc/control" session show 1 --json) &&
		jq -e '.joined_count == 1 and .out_of_sync_blocks == 0 and .sequence > 0' <<<"$shown"
}
run_where()
{
	[[ $block != *'kill -KILL'* ]] || wait_until 60 all_in_groups
	case $where in
	both)
		run_block prod "$block"
		run_block dr "$block"
		;;
	prod | dr) run_block "$where" "$block" ;;
	esac
	[ -z "$where" ] || blocks=$((blocks + 1))
	block='' where=''
}
while IFS= read -r line; do
	case $line in
	'    # on both' | '    # on prod' | '    # on dr') where=${line#    # on } ;;
	'    #'*) where='' ;;
	'    '*) [ -z "$where" ] || block+=${block:+$'\n'}${line#    } ;;
	*) run_where ;;
	esac
done < <(sed -n '/^## Ten minutes/,/^## Speed/p' "$top/README.md")
[ "$blocks" -ge 10 ] || fail "only $blocks blocks were found in README.md"

# It ends as it says: groups form again.
walked()
{
	local shown
	shown=$("$xdc" --control "unix:$tmp/prod/xdc/control" session show 1 --json) &&
		jq -e '.state == "running" and .joined_count == 1 and .sequence > 0' <<<"$shown"
}
wait_until 60 walked
! grep -E 'Sanitizer|runtime error:|Assertion .* failed' "$tmp"/*/xdc/log || fail 'a fault of the program'
