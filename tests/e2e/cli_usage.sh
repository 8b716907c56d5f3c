#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Wrong usage of xdc and xdcd: exit code 2 and a message that says what; a system that cannot be reached is exit code 1.
# And right usage that asks for help.
. "$(dirname "$0")/lib.sh"
requires jq
unset XDC_CONTROL

# ---- xdc ----
while IFS='|' read -r pattern arguments; do
	read -ra words <<<"$arguments"
	expect_exit 2 "$pattern" "$xdc" --control "unix:$tmp/none" "${words[@]}"
done <<'TABLE'
usage: xdc NOUN VERB|
no noun 'volumes'; did you mean volume\?|volumes list
no noun 'frobnicate'$|frobnicate
volume: what is to be done with it\?|volume
no option '-v'|-v
no verb 'creat'; did you mean create\?|volume creat 1500
no verb 'grwo'; did you mean grow\?|volume grwo 1500
volume create: volume: it is missing|volume create
volume create: --pool: it is missing|volume create 1500
volume create: volume 15000: a volume id is four|volume create 15000 --pool p --size 1G
volume create: volume FF00: a volume id is four|volume create FF00 --pool p --size 1G
volume create: --size 10X: a size is a number|volume create 1500 --pool p --size 10X
volume create: --size 1000: a size is a number|volume create 1500 --pool p --size 1000
volume create: --name 1501: .*must not look like a volume id|volume create 1500 --pool p --size 1G --name 1501
no option --sise; did you mean --size\?|volume create 1500 --pool p --sise 1G
no option --volume$|volume create --volume 1500
volume create: --size: it needs a value|volume create 1500 --pool p --size
it is given twice|volume create 1500 --pool p --size 1G --size 2G
volume show: 1501: too many arguments|volume show 1500 1501
options begin with --|volume show -v
pool create: --cache fast: a cache mode is|pool create p --dir /x --cache fast
pool create: --device: it takes no value|pool create p --device=/dev/sdb
pair create: --type xrc: the type of a pair is|pair create 1500 2500 --system 2105.FB230 --type xrc
pair create: --system fb230: a system id is|pair create 1500 2500 --system fb230 --type async
path create: --to /x: the address of another|path create 15 25 --system 2105.FB230 --to /x
path create: --to unix:/x: the address of|path create 15 25 --system 2105.FB230 --to unix:/x
path create: source-lss FF: an LSS is|path create FF 25 --system 2105.FB230 --to far:7001
session start: session 256: a session is|session start 256 --master 15
session start: session 0x1: a session is|session start 0x1 --master 15
session start: --coordination 50: a duration|session start 1 --master 15 --coordination 50
session start: --subordinate 2105.FA1: a sub|session start 1 --master 15 --subordinate 2105.FA1
session start: --interval 19h: an interval is at most 18h|session start 1 --master 15 --interval 19h
session start: --coordination 0: a coordination time is from 1ms|session start 1 --master 15 --coordination 0
session resume: --coordination 66s: a coordination time is|session resume 1 --coordination 66s
session resume: --drain 0s: a drain time is longer than 0|session resume 1 --drain 0s
A1 is named twice|session start 1 --master 15 --subordinate 2105.FA1:16 --drain 4m --subordinate 2105.FA1:17
pool create: pool: a pool is of a folder|pool create p
pool create: pool: a pool is of a folder|pool create p --dir /x --device
volume create: size: a new volume needs a size|volume create 1500 --pool p
volume create: size: the size is not a multiple of 4 KiB|volume create 1500 --pool p --size 512
volume grow: size: the size is not a multiple of 4 KiB|volume grow 1500 --size 5120
volume rename: name 15FF: .*must not look like|volume rename 1500 15FF
lss create: --ssid 0000: an SSID is|lss create 15 --ssid 0000
volume list: --lss 100: an LSS is|volume list --lss 100
session add: volumes a/b: a volume is named|session add 1 1500 a/b
path create: --to 0.0.0.0:7000: the address|path create 15 25 --system 2105.FB230 --to 0.0.0.0:7000
path create: --to far:0: the address|path create 15 25 --system 2105.FB230 --to far:0
path create: --to far: the address|path create 15 25 --system 2105.FB230 --to far
path create: --to far:70000: the address|path create 15 25 --system 2105.FB230 --to far:70000
no shell 'fish'|completion fish
cim: what is to be done with it|cim
cim: there is no verb 'list'|cim list
no noun 'cims'; did you mean cim\?|cims classes
CIM_Nothing: there is no such class or namespace|cim mof CIM_Nothing
root: there is no such namespace|cim classes root
cim: 'c' is not expected here|cim classes root/ibm c
cim: '--all' is not expected here|cim mof --all
cim call: which method of which object\?|cim call root/ibm:IBMTSESS_AsyncPPRCService
there is no namespace nowhere|cim call nowhere:IBMTSESS_AsyncPPRCService ManageSession
root/ibm has no class CIM_Nothing|cim call CIM_Nothing ManageSession
IBMTSESS_LSS.InstanceID: a path ends within a key|cim call IBMTSESS_LSS.InstanceID ManageSession
Operation: it is one value, and given twice|cim call IBMTSESS_AsyncPPRCService ManageSession Operation=1 Operation=2
Operation: it is a uint16, and not '70000'|cim call IBMTSESS_AsyncPPRCService ManageSession Operation=70000
--user: it needs a value|cim call IBMTSESS_AsyncPPRCService ManageSession --user
ftp://far: it is http://HOST|cim call IBMTSESS_AsyncPPRCService GetSupportedSetTypes --url ftp://far
TABLE
expect_exit 2 'which system\?' "$xdc" pool list
expect_exit 2 "it is unix:PATH" "$xdc" --control 127.0.0.1:1 pool list
expect_exit 2 '--control needs a value' "$xdc" pool list --control
expect_exit 2 "volume show: volume '': a volume is named" "$xdc" --control "unix:$tmp/none" volume show ''
expect_exit 2 'a path is UTF-8' "$xdc" --control "unix:$tmp/none" pool create p --dir $'/p\xff'
mapfile -t many < <(printf '15%02X\n' {0..255})
expect_exit 2 'session add: volumes: at most 256 of them' "$xdc" --control "unix:$tmp/none" session add 1 "${many[@]}" x
expect_exit 1 'cannot reach' "$xdc" --control "unix:$tmp/none" session add 1 "${many[@]}"
mapfile -t many < <(printf -- '--subordinate 2105.FA%03X:16\n' {1..16} | tr ' ' '\n')
expect_exit 2 'session start: subordinate: at most 15 of them' "$xdc" --control "unix:$tmp/none" session start 1 \
	--master 15 "${many[@]}"
long=unix:$tmp/$(printf '%0120d' 0)
expect_exit 2 'the path of a Unix socket has 1 to 107 characters' "$xdc" --control "$long" pool list
expect_exit 2 'the path of a Unix socket has 1 to 107 characters' \
	"$xdcd" --state "$tmp/S" --id 2105.FA120 --control "$long"
expect_exit 1 'cannot reach the system at unix:.*none: No such file' "$xdc" --control "unix:$tmp/none" pool list
XDC_CONTROL=unix:$tmp/none expect_exit 1 'cannot reach' "$xdc" pool list

# ---- help at every level, by the same table ----
"$xdc" --version | grep -qE '^xdc [0-9]+\.[0-9]+\.[0-9]+$'
verbs=0
for noun in $("$xdc" --help | awk '/^Nouns:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }'); do
	for verb in $("$xdc" "$noun" --help | awk '/^Verbs:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }'); do
		"$xdc" "$noun" "$verb" --help >"$tmp/help"
		grep -q "^usage: xdc $noun $verb" "$tmp/help" || fail "no usage of $noun $verb"
		"$xdc" help "$noun" "$verb" | cmp - "$tmp/help" || fail "xdc help $noun $verb is not its --help"
		verbs=$((verbs + 1))
	done
done
[ "$verbs" -ge 40 ] || fail "only $verbs verbs"
"$xdc" help | cmp - <("$xdc" --help)

# ---- the classes of CIM ----
[ "$("$xdc" cim classes | wc -l)" -ge 150 ] || fail 'too few classes'
"$xdc" cim classes root/ibm >"$tmp/classes"
grep -qx ' *IBMTSESS_AsyncPPRCService' "$tmp/classes" || fail 'root/ibm lacks its service'
"$xdc" cim classes root/cimv2 >"$tmp/classes"
! grep -q IBMTSESS "$tmp/classes" || fail 'root/cimv2 has classes of root/ibm'
"$xdc" cim classes interop --json | jq -e '.[] | select(.name == "CIM_HostedService") | .kind == "association" and
	.superclass == "CIM_HostedDependency" and (.namespaces | length == 4)' >/dev/null
"$xdc" cim mof ibmtsess_lss >"$tmp/class"
diff - "$tmp/class" <<'MOF'
[Version("1.0.0"),
 Description("A logical subsystem: up to 256 volumes whose numbers begin alike. Its members are these volumes.")]
class IBMTSESS_LSS : CIM_SystemSpecificCollection {
	[Description("As methods take it: ESSID:LSSID:SSID.")]
	string LSS;

	[Description("The number of the LSS within its system, 2 hexadecimal digits.")]
	string LSSID;

	[Description("The subsystem number, 4 hexadecimal digits; empty: it has none.")]
	string SSID;
};
MOF
"$xdc" cim mof IBMTSESS_LSS --json | jq -j .mof | cmp - "$tmp/class"
"$xdc" cim mof root/ibm >"$tmp/namespace"
grep -qx '#pragma namespace ("root/ibm")' "$tmp/namespace" || fail 'no pragma'
expect_equal "$("$xdc" cim classes root/ibm | wc -l)" "$(grep -c '^class ' "$tmp/namespace")" 'classes of root/ibm'

# ---- completion ----
"$xdc" completion bash >"$tmp/completion"
# completes WANTED WORD...: the last word is the one to be completed
completes()
{
	local wanted=$1 words
	shift
	words=$(bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _xdc; echo "${COMPREPLY[*]}"' \
		_ "$tmp/completion" "$@")
	expect_equal "$wanted" "$words" "completion of $*"
}
completes 'volume' xdc vol
completes 'classes call' xdc cim c
completes '--user' xdc cim call --us
completes 'grow' xdc volume gr
completes 'grow' xdc --control unix:/x volume gr
completes '--pool' xdc volume create 1500 --p
completes 'writeback' xdc pool create p1 --cache w
completes 'show set' xdc system s
# Every noun, verb and option is completed, by what help says.
nouns=$("$xdc" --help | awk '/^Nouns:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }' | xargs)
completes "$nouns cim user --help --version --control" xdc ''
for noun in $nouns; do
	verbs=$("$xdc" "$noun" --help | awk '/^Verbs:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }' | xargs)
	completes "$verbs" xdc "$noun" ''
	for verb in $verbs; do
		options=$("$xdc" "$noun" "$verb" --help |
			awk '/^Arguments:/ { on = 1; next } /^$/ { on = 0 } on && /^ *--/ { print $1 }' | xargs)
		completes "${options:+$options }--json --help" xdc "$noun" "$verb" ''
	done
done

# ---- the man page of xdcd has the options that its help has (that of xdc is a unit test's) ----
expect_equal "$("$xdcd" --help | grep -oE '^ +--[a-z-]+|, --[a-z-]+' | tr -d ' ,' | sort)" \
	"$(sed -nE 's/^\.It Fl (-[a-z-]+).*/-\1/p' "$top/docs/xdcd.8" | sort)" 'options in docs/xdcd.8'

# ---- xdcd ----
"$xdcd" --version | grep -qE '^xdcd [0-9]+\.[0-9]+\.[0-9]+$'
"$xdcd" --help | grep -q '^usage: xdcd'
needed=(--state "$tmp/S" --id 2105.FA120 --control "unix:$tmp/S.control")
while IFS='|' read -r pattern arguments; do
	read -ra words <<<"$arguments"
	expect_exit 2 "$pattern" timeout 20 "$xdcd" "${needed[@]}" "${words[@]}"
done <<'TABLE'
no option --nope|--nope
--nbd needs a value|--nbd
'word' is not an option|word
--id 2105: a system id is|--id 2105
--control 127.0.0.1:1: it is unix:PATH|--control 127.0.0.1:1
--reactors 0: a number from 1 to 64|--reactors 0
--reactors 65: a number|--reactors 65
--reactors x: a number|--reactors x
--allow-plain cli: it is nbd, link or cim|--allow-plain cli
--nbd nix: an address is|--nbd nix
--nbd 0.0.0.0:10809 .*--nbd-tls DIR|--nbd 0.0.0.0:10809
--nbd example.com:10809 .*--nbd-tls DIR|--nbd example.com:10809
--nbd localhost:10809 .*--nbd-tls DIR|--nbd localhost:10809
--nbd \[::\]:10809 .*--nbd-tls DIR|--nbd [::]:10809 --allow-plain link
--link 10.0.0.1:7001 .*--link-psk FILE|--link 10.0.0.1:7001
--link 0.0.0.0:7001 .*--link-address|--link 0.0.0.0:7001 --allow-plain link
--link-address 0.0.0.0:1: the address of|--link 127.0.0.1:0 --link-address 0.0.0.0:1
--link-address nix: the address of another system is HOST:PORT|--link 127.0.0.1:0 --link-address nix
--link-address unix:/x: the address of|--link 127.0.0.1:0 --link-address unix:/x
--link-address far:0: the address of|--link 127.0.0.1:0 --link-address far:0
TABLE
expect_exit 2 'state is missing' "$xdcd" --id 2105.FA120 --control "unix:$tmp/c"
expect_exit 2 'id is missing' "$xdcd" --state "$tmp/S" --control "unix:$tmp/c"
expect_exit 2 'control is missing' "$xdcd" --state "$tmp/S" --id 2105.FA120
[ ! -e "$tmp/S" ] || fail 'bad usage made a state folder'

# ---- what the state says ----
system_start A --id 2105.FA120
expect_exit 1 'another xdcd uses it' timeout 20 "$xdcd" --state "$tmp/A/state" --id 2105.FA120 \
	--control "unix:$tmp/second"
expect_equal 2105.FA120 "$(json A .system system show)" 'the first still serves'
system_stop A
expect_exit 2 'is the state of system 2105.FA120, not of 2105.FA121' timeout 20 "$xdcd" --state "$tmp/A/state" \
	--id 2105.FA121 --control "unix:$tmp/second"
system_restart A

# ---- errors for programs ----
expect_exit 1 '"code": 5' on A volume show 1500 --json
jq -e '.object == "volume 1500" and .message != null and .remedy != null' "$tmp/stderr" >"$tmp/judged" ||
	fail 'the error is not as documented'
[ ! -s "$tmp/stdout" ] || fail 'an error on stdout'
XDC_CONTROL=unix:$tmp/A/control "$xdc" pool list --json | jq -e '. == []' >"$tmp/judged"
# Also those that the system never hears of.
expect_exit 2 '"message": "volume: it is missing"' on A --json volume show
expect_exit 2 '"remedy": "xdc --help"' "$xdc" nix --json
expect_exit 1 '"message": "cannot reach the system' "$xdc" --control "unix:$tmp/none" pool list --json

# ---- people: a table where it fits, else a line for each value; wide values in line ----
on A pool create p --dir "$tmp/pool"
on A volume create 1500 --pool p --size 1M --name "$(printf 'n%.0s' {1..63})"
on A volume create 1501 --pool p --size 100G
# on_terminal COLUMNS ARGUMENT...
on_terminal()
{
	local columns=$1
	shift
	script -qec "stty cols $columns && $xdc --control unix:$tmp/A/control $*" /dev/null </dev/null | tr -d '\r'
}
on A volume list >"$tmp/table"
on_terminal 200 volume list | cmp - "$tmp/table"
expect_equal 1 "$(awk '{ print index($0, " p ") }' "$tmp/table" | sort -u | sed 1d | wc -l)" 'columns in line'
on_terminal 60 volume list >"$tmp/lines"
grep -qE '^volume +1501$' "$tmp/lines" && grep -qE '^size +100G$' "$tmp/lines" || fail "$(cat "$tmp/lines")"
