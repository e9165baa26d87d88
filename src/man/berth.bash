# SPDX-License-Identifier: MIT
# bash completion for berth(1)

# Completes the word from a list of words.
_berth_words()
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}")
}

_berth_files()
{
	compopt -o filenames
	mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
}

_berth_programs()
{
	compopt -o filenames
	mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}" |
		sort -u)
}

# Completes an option from a list, any other word as a file.
_berth_options_or_files()
{
	if [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
		_berth_words "$1"
	else
		_berth_files
	fi
}

_berth_run()
{
	local ranges="iana freebsd windows linux linux-classic solaris aix
		rfc6056 bsd-classic windows-classic windows-2003
		windows-2008-exchange kernel"
	local i

	# Behind the options comes a command with words of its own.
	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--range | --reserve | --algorithm | --config | --profile)
			i=$((i + 1)) ;;
		--) i=$((i + 1)); break ;;
		-*) ;;
		*) break ;;
		esac
	done
	if ((i < COMP_CWORD)); then
		_berth_files
		return
	fi
	if ((i == COMP_CWORD)); then
		case ${COMP_WORDS[COMP_CWORD]},${COMP_WORDS[COMP_CWORD - 1]} in
		*,--) _berth_programs ;;
		-*) _berth_words "--range --reserve --algorithm --config
			--profile --strict --help --" ;;
		*) _berth_programs ;;
		esac
		return
	fi
	# The value of an option; a profile is a word of the policy's own.
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	--range | --reserve) _berth_words "$ranges" ;;
	--algorithm)
		_berth_words "sequential random hash double-hash
			random-increments" ;;
	--config) _berth_files ;;
	esac
}

_berth_check()
{
	# The number of connections is not to be guessed.
	[[ ${COMP_WORDS[COMP_CWORD - 1]} == --rate ]] ||
		_berth_options_or_files "--print --porcelain --json --rate
			--help"
}

# The numbers of processes, as in /proc.
_berth_pids()
{
	local pids

	pids=$(cd /proc && compgen -G "[0-9]*")
	_berth_words "$pids"
}

_berth_explain()
{
	local i

	for ((i = 2; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -- ]] || continue
		((i + 1 == COMP_CWORD)) && _berth_programs
		return
	done
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	--pid) _berth_pids ;;
	--port) ;;
	*) _berth_words "--pid --port --porcelain --json --help --" ;;
	esac
}

_berth()
{
	local commands="run check load unload explain log status port
		sweep"

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		_berth_words "$commands help --help --version"
		return
	fi
	case ${COMP_WORDS[1]} in
	run) _berth_run ;;
	check) _berth_check ;;
	load) _berth_options_or_files "--dry-run --help" ;;
	unload) _berth_words "--help" ;;
	explain) _berth_explain ;;
	log)
		[[ ${COMP_WORDS[COMP_CWORD - 1]} == -n ]] ||
			_berth_words "-f --follow -n --porcelain --json
				--help" ;;
	sweep) _berth_words "--proc --porcelain --json --help" ;;
	status) _berth_words "--porcelain --json --help" ;;
	port)
		if [[ ${COMP_WORDS[COMP_CWORD - 1]} == --protocol ]]; then
			_berth_words "tcp udp"
		else
			_berth_words "--protocol --help"
		fi ;;
	help) _berth_words "$commands" ;;
	esac
}

complete -F _berth berth
