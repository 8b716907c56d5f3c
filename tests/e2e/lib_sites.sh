# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# lib_sites.sh - several systems that copy to one another, on top of lib.sh: each has a pool p1 of kind dir at
# $tmp/NAME/pool, serves NBD at $tmp/NAME/nbd and takes links on a port of loopback.

declare -A id_of=() link_port=()	# NAME -> system id, port of its link

# site NAME ID [ARGUMENT...]: starts such a system.
site()
{
	local name=$1 id=$2
	shift 2
	id_of[$name]=$id
	link_port[$name]=$(free_port)
	system_start "$name" --id "$id" --nbd "unix:$tmp/$name/nbd" --link "$loopback:${link_port[$name]}" "$@"
	mkdir -p "$tmp/$name/pool"
	on "$name" pool create p1 --dir "$tmp/$name/pool"
}

# path NAME LSS NAME LSS: the first may send to the second.
path()
{
	on "$1" path create "$2" "$4" --system "${id_of[$3]}" --to "$loopback:${link_port[$3]}"
}

# gate PORT NAME MEGABYTES: passes what comes to the port on to the link of the system, until so much has gone over:
# from then on what carries data stands still, and only what carries less than a megabyte goes on. What is seen then is
# seen in the middle, however fast the machine is. Ended by gate_close.
gate_pid=
gate()
{
	rm -f "$tmp/gate.full"
	perl "$top/tests/tools/gate.pl" "$loopback:$1" "$loopback:${link_port[$2]}" $(($3 << 20)) "$tmp/gate.full" \
		>"$tmp/gate.out" &
	gate_pid=$!
	wait_until 20 grep -q ready "$tmp/gate.out"
}
gate_close()
{
	[ -z "$gate_pid" ] || kill "$gate_pid"
	[ -z "$gate_pid" ] || wait "$gate_pid" 2>/dev/null || true
	gate_pid=
}
at_end gate_close
gate_is_full()
{
	[ -e "$tmp/gate.full" ]
}

# pair NAME VOLUME NAME VOLUME TYPE
pair()
{
	on "$1" pair create "$2" "$4" --system "${id_of[$3]}" --type "$5"
}

# uri NAME VOLUME: where hosts find it.
uri()
{
	echo "nbd+unix:///$2?socket=$tmp/$1/nbd"
}

# image NAME VOLUME: the file of a volume of p1.
image()
{
	local found=("$tmp/$1/pool/$2-"*)
	[ -e "${found[0]}" ] && [ ${#found[@]} -eq 1 ] || fail "volume $2 of $1 has no one file: ${found[*]}"
	echo "${found[0]}"
}

# quiet NAME VOLUME...: all pairs are whole: the far side has, durably, what the sources hold. For wait_until.
quiet()
{
	local name=$1
	shift
	for _; do
		is "$name" '.first_copy_done and .state == "copy-pending" and .reason == null and
			.out_of_sync_blocks == 0' pair show "$1" || return
		shift
	done
}

# expect_equal_images NAME VOLUME NAME VOLUME: both files hold the same.
expect_equal_images()
{
	expect_same "$(image "$1" "$2")" "$(image "$3" "$4")" "volume $2 of $1 and volume $4 of $3"
}

# sent_bytes NAME: what its link has sent, over the first path.
sent_bytes()
{
	json "$1" '.[0].sent_bytes' path list
}

connected()
{
	is "$1" 'all(.state == "connected")' path list
}

# ---- a load: dependent writes over several volumes, each logged when it was answered (build/ordered) ----

ordered=$build/ordered
writer=
# One that stands still is continued before: a CONT in the leak check at its end would keep it there for ever.
stop_writer()
{
	[ -z "$writer" ] || kill "$writer" 2>/dev/null || true
	[ -z "$writer" ] || wait "$writer" 2>/dev/null || true
	writer=
}
kill_writer()
{
	[ -z "$writer" ] || kill -KILL "$writer" 2>/dev/null || true
}
at_end kill_writer
# start_writer URI...: goes on with what is in $tmp/ordered.log.
start_writer()
{
	(trap - ERR && exec "$ordered" write "$tmp/ordered.log" "$@" 2>>"$tmp/writer.err") &
	writer=$!
	wait_until 20 has_answers 1
}
# has_answers COUNT: for wait_until.
has_answers()
{
	[ -e "$tmp/ordered.log" ] && [ "$(wc -l <"$tmp/ordered.log")" -ge "$1" ]
}

# more_groups COUNT: so many more of session 1, whose master A1 is.
more_groups()
{
	local from
	from=$(json A1 .cg_good session show 1)
	wait_until 60 is A1 ".state == \"running\" and .cg_good >= $from + $1" session show 1
}
