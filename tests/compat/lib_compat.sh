# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# lib_compat.sh - opens an image that make.sh made, and says what it shows; on top of tests/e2e/lib.sh and lib_sites.sh.
# Both make.sh and tests/e2e/compat.sh stand on it, so that what is compared is the same.

# compat_place VERSION: makes the name under which the images of this version are opened, since pools are known by
# absolute paths. It leads to $tmp, where systems of lib.sh live, so that their logs are shown when something fails.
compat_place()
{
	place=/tmp/xdc-compat-$1
	ln -sT "$tmp" "$place" || fail "$place is in use: by another run, or left by one that was killed"
	at_end rm -f "$place"
}

# compat_open FOLDER NAME: what is in FOLDER/NAME.tar.gz, as it was, is started. Its log goes on.
compat_open()
{
	local id=2105.FA10
	[ "$2" = A1 ] || id=2105.FB12
	rm -rf "${place:?}/$2/state" "$place/$2/pool"
	tar -C "$place" -xzf "$1/$2.tar.gz"
	id_of[$2]=$id
	link_port[$2]=$(free_port)
	system_start "$2" --id "$id" --nbd "unix:$tmp/$2/nbd" --link "$loopback:${link_port[$2]}"
}

# compat_block NAME VOLUME OFFSET: the first bytes there, as hosts read them.
compat_block()
{
	local shown
	shown=$(qemu-io -r -f raw -c "read -v $3 16" "$(uri "$1" "$2")" | sed -n 's/^[0-9a-f]*:  *//p')
	echo "block of $1 at $3: $shown"
}

# What does not depend on when and where the image is opened.
compat_common()
{
	on "$1" --json volume show "$2" | jq -S '{volume, name, pool, size_bytes, uuid, naa, created_at}'
	on "$1" --json pair show "$2" |
		jq -S '{volume, remote_volume, system, role, type, session, joined, size_bytes, history}'
	on "$1" --json path list | jq -S 'map({source_lss, target_lss, system, address, compress})'
}

# compat_show_source, compat_show_far: what the two images show, which are open. The far one is recovered by that.
compat_show_source()
{
	compat_common A1 1500
	on A1 --json pair show 1500 | jq -S '{first_copy_done, out_of_sync_blocks}'
	on A1 --json session show 1 | jq -S '{session, role, master, master_lss, members: (.members | map(.system)),
		interval_us, coordination_ms, drain_ms, sequence, cg_at}'
	compat_block A1 1500 0
	compat_block A1 1500 64k
}
compat_show_far()
{
	compat_common B1 2500
	on B1 --json session show 1 | jq -S '{session, role, sequence, cg_at, prepared_sequence}'
	! on B1 session recover 1 >"$tmp/recovery" 2>&1 || fail 'recovered although a system is missing'
	on B1 --json session recover 1 --force | jq -S '{session, sequence, cg_at, systems, systems_missing, volumes}'
	compat_block B1 2500 0
	compat_block B1 2500 64k
}
# What the image of a far side that keeps older groups shows. It is recovered to the oldest of them by that.
compat_show_points()
{
	on B1 --json session show 1 | jq -S '{session, role, sequence, cg_at}'
	on B1 --json session points 1 | jq -S 'map({sequence, cg_at})'
	on B1 --json session recover 1 --at "$(json B1 '.[-1].sequence' session points 1)" |
		jq -S '{session, sequence, cg_at, systems, systems_missing, volumes}'
	compat_block B1 2500 0
	compat_block B1 2500 64k
	compat_block B1 2500 128k
}
