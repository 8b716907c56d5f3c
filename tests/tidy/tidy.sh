#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The rules of the house that a machine can see, over the tree that holds this script (or over the folder given). Prints
# each breach as PATH:LINE: sentence; exit code 1 when there is one.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"
status=0

bad()
{
	echo "$*"
	status=1
}

# All text of ours. The rules themselves name what they forbid, so their folder is left out, and so are test inputs.
files_list()
{
	local folder folders=()
	for folder in src sim tests scripts tools schema docs packaging .ci; do
		[ ! -d "$folder" ] || folders+=("$folder")
	done
	find "${folders[@]}" \( -path tests/tidy -o -path tests/fuzz/corpus -o -path tests/data \) -prune -o \
		-type f \( -name '*.[ch]' -o -name '*.sh' -o -name '*.awk' -o -name '*.mof' -o -name meson.build -o -name '*.md' \
		-o -path 'scripts/*' -o -path '.ci/*' -o -path 'packaging/*' \) -print
	find . -maxdepth 1 -type f \( -name meson.build -o -name '*.md' \) -printf '%P\n'
}

# Quoted names of a list in a meson.build: names_in_list LIST FILE
names_in_list()
{
	awk -v list="$1" '$0 ~ "^" list " = (\\[|files\\()$" { on = 1; next } /^[\])]/ { on = 0 }
		on && match($0, /\047[^\047]+\047/) { print substr($0, RSTART + 1, RLENGTH - 2) }' "$2"
}

# Names of files of a shape, without folder and ends: names_of_files FOLDER PREFIX SUFFIX
names_of_files()
{
	find "$1" -maxdepth 1 -type f -name "$2*$3" -printf '%f\n' | sed -e "s/^$2//" -e "s/$3\$//"
}

# same_names WHERE LISTED FOUND: every file is in its list, every name in the list has its file, and none is there twice.
same_names()
{
	local name
	while read -r name; do
		[ -z "$name" ] || bad "$1: '$name' is a file but not in the list, or in it twice"
	done < <(comm -13 <(sort <<<"$2" | uniq -u) <(sort <<<"$3"))
	while read -r name; do
		[ -z "$name" ] || bad "$1: '$name' is in the list but not a file"
	done < <(comm -23 <(sort -u <<<"$2") <(sort <<<"$3"))
}

mapfile -t files < <(files_list | sort)
breaches=$(awk -f "$here/rules.awk" "${files[@]}")
[ -z "$breaches" ] || bad "$breaches"

for layer in rt store volume copy control host face face/cim; do
	build=src/$layer/meson.build
	[ ! -f "$build" ] || same_names "$build" \
		"$(for list in "${layer##*/}_sources" uring_sources sim_rt_sources; do names_in_list "$list" "$build"; done)" \
		"$(find "src/$layer" -maxdepth 1 -name '*.c' -printf '%f\n')"
done
[ ! -d sim ] || same_names 'sim_sources in meson.build' "$(names_in_list sim_sources meson.build)" \
	"$(find sim -name '*.c')"
[ ! -f tests/unit/meson.build ] || same_names tests/unit/meson.build \
	"$(for list in unit_tests planted_tests compiler_tests; do names_in_list "$list" tests/unit/meson.build; done)" \
	"$(names_of_files tests/unit test_ .c)"
[ ! -f tests/fuzz/meson.build ] || same_names tests/fuzz/meson.build \
	"$(names_in_list fuzz_targets tests/fuzz/meson.build)" "$(names_of_files tests/fuzz fuzz_ .c)"
[ ! -f tests/e2e/list ] || same_names tests/e2e/list "$(grep -v '^#' tests/e2e/list)" \
	"$(names_of_files tests/e2e '' .sh | grep -vxE 'lib(_.*)?')"

while read -r script; do
	[ -x "$script" ] || bad "$script: not executable"
done < <(find tests/e2e -maxdepth 1 -name '*.sh' ! -name lib.sh ! -name 'lib_*.sh' | sort)

# Where tests of a kind are in the tree, scripts/check has their stage: stage_runs STAGE
stage_runs()
{
	grep -qE "^stages=\\((.* )?$1( .*)?\\)$" scripts/check || bad "scripts/check: the stage $1 is not in stages"
}

[ ! -f tests/e2e/list ] || stage_runs e2e
[ ! -f sim/batches ] || stage_runs simulator
[ -z "$(names_in_list fuzz_targets tests/fuzz/meson.build)" ] || stage_runs fuzz

exit $status
