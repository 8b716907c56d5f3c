# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Completion of xdc in bash: nouns, their verbs, the options that "xdc NOUN VERB --help" names, and files.

_xdc_verbs()
{
	case $1 in
	system) echo show ;;
	pool | lss | volume | path) echo create list show delete ;;
	pair) echo create list show delete suspend resume failover failback ;;
	session) echo open close add remove start pause resume terminate show recover failback ;;
	esac
}

_xdc()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} i options words=()
	COMPREPLY=()
	case $before in
	--dir | --device)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	--cache) mapfile -t COMPREPLY < <(compgen -W 'writeback direct' -- "$word") && return ;;
	--type) mapfile -t COMPREPLY < <(compgen -W 'global-copy async' -- "$word") && return ;;
	esac
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--control) i=$((i + 1)) ;;
		-*) ;;
		*) words+=("${COMP_WORDS[i]}") ;;
		esac
	done
	if [[ $word == -* ]]; then
		options=$("${COMP_WORDS[0]}" "${words[@]:0:2}" --help 2>/dev/null |
			grep -o -- '--[a-z][a-z-]*' | sort -u)
		mapfile -t COMPREPLY < <(compgen -W "--help --json $options" -- "$word")
	elif [ ${#words[@]} -eq 0 ]; then
		mapfile -t COMPREPLY < <(compgen -W 'system pool lss volume path pair session' -- "$word")
	elif [ ${#words[@]} -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_xdc_verbs "${words[0]}")" -- "$word")
	fi
}
complete -F _xdc xdc
