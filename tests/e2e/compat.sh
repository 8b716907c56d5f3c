#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What earlier versions left on disk, and said over links, is read by this one and shows what it showed then: images of
# a source and of a far side that were killed, with a group that is committed and one that is prepared, and the two
# directions of a control and of a data connection. Made by tests/compat/make.sh; and of a far side that keeps older
# groups.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_sites.sh"
. "$(dirname "$0")/../compat/lib_compat.sh"
requires jq qemu-io

# same_as KEPT FOUND WHAT
same_as()
{
	diff -u "$1" "$2" >&2 || fail "$3 shows something else than it showed"
}

# ---- far sides that keep older groups (make_points.sh) ----
for kept in "$top"/tests/compat/[0-9]*-points; do
	version=$(basename "$kept")
	compat_place "$version"
	compat_open "$kept" B1
	compat_show_points >"$tmp/shows"
	same_as "$kept/B1.shows" "$tmp/shows" "the image of a far side with older groups, of $version,"
	system_stop B1
done

# ---- sources, far sides and what they said (make.sh) ----
versions=0
for kept in "$top"/tests/compat/[0-9]*; do
	[ "$kept" = "${kept%-points}" ] || continue
	version=$(basename "$kept")
	versions=$((versions + 1))
	compat_place "$version"

	compat_open "$kept" A1
	compat_show_source >"$tmp/shows"
	same_as "$kept/A1.shows" "$tmp/shows" "the image of a source, of $version,"
	compat_open "$kept" B1
	compat_show_far >"$tmp/shows"
	same_as "$kept/B1.shows" "$tmp/shows" "the image of a far side, of $version,"
	system_stop A1
	system_stop B1

	# The image again, and what its source had said to it: every request is answered, and every answer is one.
	for said in "$kept"/*.gz; do
		said=$(basename "$said" .gz)
		[ "$said" != "${said%.tar}" ] && continue
		gzip -dc "$kept/$said.gz" >"$tmp/$said"
		"$build/transcript" show "$tmp/$said" >"$tmp/shows" || fail "$(tail -n 1 "$tmp/shows")"
		same_as "$kept/$said.shows" "$tmp/shows" "$said, of $version,"
	done
	compat_open "$kept" B1
	"$build/transcript" replay "$loopback:${link_port[B1]}" "$tmp/0.dialer" "$tmp/answers" ||
		fail "what $version said was not answered"
	"$build/transcript" show "$tmp/answers" >"$tmp/shows" || fail "$(tail -n 1 "$tmp/shows")"
	expect_equal "$(grep -c REQUEST "$kept/0.dialer.shows")" "$(grep -c REPLY "$tmp/shows")" 'replies'
	system_stop B1
done
[ "$versions" -gt 0 ] || fail 'nothing was kept of any version'
