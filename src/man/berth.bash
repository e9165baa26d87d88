# SPDX-License-Identifier: MIT
# bash completion for berth(1)

# Completes the word from a list of words.
_berth_words()
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}")
}

_berth_run()
{
	local word=${COMP_WORDS[COMP_CWORD]}
	local ranges="iana freebsd windows linux linux-classic solaris aix
		rfc6056 bsd-classic windows-classic windows-2003
		windows-2008-exchange kernel"
	local i

	case ${COMP_WORDS[COMP_CWORD - 1]} in
	--range | --reserve)
		_berth_words "$ranges"
		return ;;
	--algorithm)
		_berth_words "sequential random hash double-hash
			random-increments"
		return ;;
	--config)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return ;;
	esac
	# Behind the options comes a command with words of its own.
	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--range | --reserve | --algorithm | --config) i=$((i + 1)) ;;
		--) i=$((i + 1)); break ;;
		-*) ;;
		*) break ;;
		esac
	done
	if ((i < COMP_CWORD)); then
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	elif [[ $word == -* ]]; then
		_berth_words "--range --reserve --algorithm --config --strict
			--help --"
	else
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -c -- "$word" | sort -u)
	fi
}

_berth()
{
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		_berth_words "run status port help --help --version"
		return
	fi
	case ${COMP_WORDS[1]} in
	run) _berth_run ;;
	status) _berth_words "--porcelain --json --help" ;;
	port)
		if [[ ${COMP_WORDS[COMP_CWORD - 1]} == --protocol ]]; then
			_berth_words "tcp udp"
		else
			_berth_words "--protocol --help"
		fi ;;
	help) _berth_words "run status port" ;;
	esac
}

complete -F _berth berth
