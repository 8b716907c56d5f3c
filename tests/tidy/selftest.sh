#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every rule of tidy.sh bites: a clean made-up tree passes, and each planted breach in it is reported at its place.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
spdx='/* SPDX-License-Identifier: Apache-2.0 */'
failed=0
cases=0

# A tree that keeps all rules, among them code that only looks like a breach.
make_tree()
{
	rm -rf "${tree:?}"/*
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

# bites WHAT REPORT: the tree as it is now is refused with a line that begins with REPORT.
bites()
{
	local out
	cases=$((cases + 1))
	if out=$("$here/tidy.sh" "$tree"); then
		echo "not ok $cases - $1: passed"
		failed=$((failed + 1))
	elif ! grep -qF -- "$2" <<<"$out"; then
		printf 'not ok %d - %s: no line "%s" in:\n%s\n' "$cases" "$1" "$2" "$out"
		failed=$((failed + 1))
	else
		echo "ok $cases - $1"
	fi
	make_tree
}

# bad_line WHAT PATH REPORT LINE...: the lines appended to a file of the tree are reported.
bad_line()
{
	local what=$1 path=$2 report=$3
	shift 3
	printf '%s\n' "$@" >>"$tree/$path"
	bites "$what" "$report"
}

repeat()
{
	local i
	for ((i = 0; i < $1; i++)); do
		printf '%s\n' "$2"
	done
}

good=src/store/good.c
make_tree
if ! "$here/tidy.sh" "$tree"; then
	echo "not ok - the clean tree is refused"
	exit 1
fi

bad_line 'long file' $good "$good:801: longer than 800 lines" "$(repeat 793 'int x;')"
bad_line 'long function' $good "$good:82: function of 71 lines" 'int f(void)' '{' "$(repeat 71 $'\tx();')" '}'
bad_line 'long line' $good "$good:9: longer than 120 columns" "$(printf '\t/* %0110d */' 0)"
bad_line 'space at the end' docs/page.md 'docs/page.md:2: space at the end' 'text '
bad_line 'unfinished' $good "$good:9: a mark of unfinished" '/* TODO: more */'
bad_line 'unsafe call' sim/main.c 'sim/main.c:5: banned call: strcpy' $'\tstrcpy(a, b);'
for name in malloc free calloc strdup time gettimeofday clock_gettime open read write pread pwrite socket sleep; do
	bad_line "$name above rt" $good "$good:9: call that belongs to rt: $name" "	x = $name (1);"
done
bad_line 'code after a comment' $good "$good:9: call that belongs to rt: free" '/* a "text" */ free(x); /* more'
bad_line 'code after a text' $good "$good:9: call that belongs to rt: free" 'f("a \" /* b"); free(x);'
bad_line 'sleep in C' tests/unit/test_good.c 'tests/unit/test_good.c:5: sleep in a test' $'\tusleep(1);'
bad_line 'sleep in a script' tests/e2e/good.sh 'tests/e2e/good.sh:5: sleep in a test' 'while true; do sleep 1; done'
bad_line 'upward include' $good "$good:9: upward include: store must not include volume/x.h" '#include "volume/x.h"'
bad_line 'host is a leaf' $good "$good:9: upward include" '#include "host/nbd.h"'
bad_line 'path upward' $good "$good:9: include with ../" '#include "../rt/rt.h"'
bad_line 'private header' $good "$good:9: private header of another module" '#include "store/pool_private.h"'
printf '%s\n' "$spdx" '#include "copy/session.h"' '' >"$tree/src/host/nbd.c"
bites 'host does not copy' 'src/host/nbd.c:2: upward include: host must not include copy/session.h'
printf 'int x;\n\n\n\n' >"$tree/src/store/bare.h"
bites 'no licence line' 'src/store/bare.h:1: no SPDX-License-Identifier'
printf 'int x;\n' >"$tree/src/store/bare.h"
bites 'no licence line in a short file' 'src/store/bare.h:1: no SPDX-License-Identifier'
mkdir -p "$tree/schema" && printf 'class A { };\n' >"$tree/schema/bare.mof"
bites 'no licence line in MOF' 'schema/bare.mof:1: no SPDX-License-Identifier'
printf '%s\n' "$spdx" '' '' >"$tree/src/store/lost.c"
bites 'source not listed' "src/store/meson.build: 'lost.c' is a file but not in the list"
rm "$tree/src/store/good.c"
bites 'listed but absent' "src/store/meson.build: 'good.c' is in the list but not a file"
cp "$tree/tests/unit/test_good.c" "$tree/tests/unit/test_lost.c"
bites 'unit test not listed' "tests/unit/meson.build: 'lost' is a file but not in the list"
cp "$tree/tests/unit/test_good.c" "$tree/tests/fuzz/fuzz_lost.c"
bites 'fuzz target not listed' "tests/fuzz/meson.build: 'lost' is a file but not in the list"
cp "$tree/scripts/good.sh" "$tree/tests/e2e/lost.sh"
bites 'end-to-end test not listed' "tests/e2e/list: 'lost' is a file but not in the list"
chmod -x "$tree/tests/e2e/good.sh"
bites 'end-to-end test not executable' 'tests/e2e/good.sh: not executable'
printf 'good\ngone\n' >"$tree/tests/e2e/list"
bites 'end-to-end test absent' "tests/e2e/list: 'gone' is in the list but not a file"

sed -i 's/builds e2e/builds/' "$tree/scripts/check"
bites 'stage left out' 'scripts/check: the stage e2e is not in stages'
touch "$tree/sim/batches"
bites 'simulator left out' 'scripts/check: the stage simulator is not in stages'

echo "1..$cases"
[ "$failed" -eq 0 ]
