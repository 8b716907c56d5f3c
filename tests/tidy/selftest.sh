#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every rule of tidy.sh bites: a clean made-up tree passes, and each planted breach in it is reported at its place, and
# nothing else. Breaches that are found in the same way are planted together, each in a file of its own: running tidy
# for each of them took so long that a busy machine did not come to the end.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
trees=$(mktemp -d)
trap 'rm -rf "$trees"' EXIT
tree=$trees/clean
spdx='/* SPDX-License-Identifier: Apache-2.0 */'
failed=0
cases=0

# A tree that keeps all rules, among them code that only looks like a breach.
make_clean()
{
	mkdir -p "$tree"/{src/{rt,store,volume,copy,host,face},sim,scripts,docs,tests/{unit,fuzz,e2e}}
	printf '# SPDX-License-Identifier: Apache-2.0\n\n\nsim_sources = files(\n\t%s,\n)\n' "'sim/main.c'" \
		>"$tree/meson.build"
	printf '# SPDX-License-Identifier: Apache-2.0\n\n\nstore_sources = files(\n\t%s,\n)\n' "'good.c'" \
		>"$tree/src/store/meson.build"
	printf '# SPDX-License-Identifier: Apache-2.0\n\n\nunit_tests = [\n\t%s,\n]\n' "'good'" \
		>"$tree/tests/unit/meson.build"
	printf '# SPDX-License-Identifier: Apache-2.0\n\n\nfuzz_targets = [\n]\n' >"$tree/tests/fuzz/meson.build"
	printf '%s\n' "$spdx" '#include "rt/rt.h"' '' '/* To free() or to sleep(1) is rt'\''s. */' 'int good(void)' '{' \
		$'\treturn ops->read(text("malloc(1) // no"), mem_free(x));' '}' >"$tree/src/store/good.c"
	printf '%s\n' "$spdx" '#include "store/good.h"' '' '/* nothing */' >"$tree/tests/unit/test_good.c"
	printf '%s\n' "$spdx" '#include "copy/x.h"' '' '/* nothing */' >"$tree/sim/main.c"
	printf '%s\n' '#!/bin/sh' '# SPDX-License-Identifier: Apache-2.0' '# no sleep here' 'echo sleepless' \
		>"$tree/scripts/good.sh"
	printf '%s\n' '#!/bin/sh' '# SPDX-License-Identifier: Apache-2.0' 'stages=(builds e2e)' >"$tree/scripts/check"
	printf 'good\n' >"$tree/tests/e2e/list"
	cp "$tree/scripts/good.sh" "$tree/tests/e2e/good.sh"
	chmod +x "$tree/tests/e2e/good.sh"
	cp "$tree/scripts/good.sh" "$tree/tests/e2e/lib.sh"
	printf '# A page\n' >"$tree/docs/page.md"
}

# The tree as it is before anything is planted in it.
make_tree()
{
	tree=$trees/planted
	rm -rf "$tree"
	cp -a "$trees/clean" "$tree"
}

names=()
reports=()
copies=0

# breach WHAT REPORT: what is planted by now is to be reported by one line that begins with REPORT.
breach()
{
	names+=("$1")
	reports+=("$2")
}

# say CASE [WHY]: one case, which has failed if there is a reason.
say()
{
	cases=$((cases + 1))
	if [ $# -eq 1 ]; then
		echo "ok $cases - $1"
	else
		printf 'not ok %d - %s: %s\n' "$cases" "$1" "$2"
		failed=$((failed + 1))
	fi
}

# judge WHICH: the tree as it is now is refused, with the lines of all breaches and no others. Then it is clean again.
judge()
{
	local out rc=0 i found others=0
	out=$("$here/tidy.sh" "$tree") || rc=$?
	[ "$rc" -eq 1 ] || others="exit code $rc"
	for i in "${!names[@]}"; do
		found=0
		while IFS= read -r line; do
			[[ $line != "${reports[i]}"* ]] || found=$((found + 1))
		done <<<"$out"
		if [ "$found" -eq 1 ]; then
			say "${names[i]}"
		else
			say "${names[i]}" "$found lines '${reports[i]}' in: $out"
		fi
	done
	i=$(wc -l <<<"$out")
	[ "$i" -eq "${#reports[@]}" ] || others="$i lines, ${#reports[@]} breaches: $out"
	if [ "$others" = 0 ]; then
		say "$1: refused, for nothing else"
	else
		say "$1: refused, for nothing else" "$others"
	fi
	names=()
	reports=()
	make_tree
}

# list_copy PATH COPY: a copy of a file that is in a list stands there, too.
list_copy()
{
	local old=${1##*/} new=${2##*/}
	case $1 in
	src/store/*.c) sed -i "s|^\t'$old',|&\n\t'$new',|" "$tree/src/store/meson.build" ;;
	sim/*.c) sed -i "s|^\t'$1',|&\n\t'$2',|" "$tree/meson.build" ;;
	tests/unit/test_*.c)
		old=${old#test_} new=${new#test_}
		sed -i "s|^\t'${old%.c}',|&\n\t'${new%.c}',|" "$tree/tests/unit/meson.build"
		;;
	tests/e2e/*.sh) echo "${new%.sh}" >>"$tree/tests/e2e/list" ;;
	esac
}

# bad_line WHAT PATH :LINE:REPORT LINE...: a copy of a file of the tree, with these lines at its end, is reported.
bad_line()
{
	local what=$1 path=$2 report=$3 copy
	shift 3
	copies=$((copies + 1))
	copy=${path%.*}_$copies.${path##*.}
	cp "$tree/$path" "$tree/$copy"
	printf '%s\n' "$@" >>"$tree/$copy"
	list_copy "$path" "$copy"
	breach "$what" "$copy$report"
}

repeat()
{
	local i
	for ((i = 0; i < $1; i++)); do
		printf '%s\n' "$2"
	done
}

good=src/store/good.c
make_clean
make_tree
if ! "$here/tidy.sh" "$tree"; then
	echo "not ok - the clean tree is refused"
	exit 1
fi

bad_line 'long file' $good ":801: longer than 800 lines" "$(repeat 793 'int x;')"
bad_line 'long function' $good ":82: function of 71 lines" 'int f(void)' '{' "$(repeat 71 $'\tx();')" '}'
bad_line 'long line' $good ":9: longer than 120 columns" "$(printf '\t/* %0110d */' 0)"
bad_line 'space at the end' docs/page.md ':2: space at the end' 'text '
bad_line 'unfinished' $good ":9: a mark of unfinished" '/* TODO: more */'
bad_line 'unsafe call' sim/main.c ':5: banned call: strcpy' $'\tstrcpy(a, b);'
for name in malloc free calloc strdup time gettimeofday clock_gettime open read write pread pwrite socket sleep; do
	bad_line "$name above rt" $good ":9: call that belongs to rt: $name" "	x = $name (1);"
done
bad_line 'code after a comment' $good ":9: call that belongs to rt: free" '/* a "text" */ free(x); /* more'
bad_line 'code after a text' $good ":9: call that belongs to rt: free" 'f("a \" /* b"); free(x);'
bad_line 'sleep in C' tests/unit/test_good.c ':5: sleep in a test' $'\tusleep(1);'
bad_line 'sleep in a script' tests/e2e/good.sh ':5: sleep in a test' 'while true; do sleep 1; done'
bad_line 'upward include' $good ":9: upward include: store must not include volume/x.h" '#include "volume/x.h"'
bad_line 'host is a leaf' $good ":9: upward include" '#include "host/nbd.h"'
bad_line 'path upward' $good ":9: include with ../" '#include "../rt/rt.h"'
bad_line 'private header' $good ":9: private header of another module" '#include "store/pool_private.h"'
printf '%s\n' "$spdx" '#include "copy/session.h"' '' >"$tree/src/host/nbd.c"
breach 'host does not copy' 'src/host/nbd.c:2: upward include: host must not include copy/session.h'
printf 'int x;\n\n\n\n' >"$tree/src/store/bare.h"
breach 'no licence line' 'src/store/bare.h:1: no SPDX-License-Identifier'
printf 'int x;\n' >"$tree/src/store/short.h"
breach 'no licence line in a short file' 'src/store/short.h:1: no SPDX-License-Identifier'
mkdir -p "$tree/schema"
printf 'class A { };\n' >"$tree/schema/bare.mof"
breach 'no licence line in MOF' 'schema/bare.mof:1: no SPDX-License-Identifier'
judge 'lines'

printf '%s\n' "$spdx" '' '' >"$tree/src/store/lost.c"
breach 'source not listed' "src/store/meson.build: 'lost.c' is a file but not in the list"
rm "$tree/src/store/good.c"
breach 'listed but absent' "src/store/meson.build: 'good.c' is in the list but not a file"
judge 'sources'
cp "$tree/tests/unit/test_good.c" "$tree/tests/unit/test_lost.c"
breach 'unit test not listed' "tests/unit/meson.build: 'lost' is a file but not in the list"
judge 'unit tests'
cp "$tree/tests/unit/test_good.c" "$tree/tests/fuzz/fuzz_lost.c"
breach 'fuzz target not listed' "tests/fuzz/meson.build: 'lost' is a file but not in the list"
judge 'fuzz targets'
cp "$tree/tests/e2e/good.sh" "$tree/tests/e2e/lost.sh"
breach 'end-to-end test not listed' "tests/e2e/list: 'lost' is a file but not in the list"
printf 'good\ngone\n' >"$tree/tests/e2e/list"
breach 'end-to-end test absent' "tests/e2e/list: 'gone' is in the list but not a file"
judge 'end-to-end tests'
chmod -x "$tree/tests/e2e/good.sh"
breach 'end-to-end test not executable' 'tests/e2e/good.sh: not executable'
judge 'modes'

sed -i 's/builds e2e/builds/' "$tree/scripts/check"
breach 'stage left out' 'scripts/check: the stage e2e is not in stages'
judge 'stages'
touch "$tree/sim/batches"
breach 'simulator left out' 'scripts/check: the stage simulator is not in stages'
judge 'simulator'

echo "1..$cases"
[ "$failed" -eq 0 ]
