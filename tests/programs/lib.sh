# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The driver of the tests with real programs. A test sources this file and says
#
#     needs PROGRAM...      what it runs; where one is missing it is skipped
#     fixed_ports PORT...   the ports that it names itself: those of its servers
#     policy()              prints a berth.conf, with ports of $range in it;
#                           without it the range comes by BERTH_RANGE
#     scenario()            runs servers and clients; what it prints is its
#                           outcome, and so has no port number or time in it;
#                           a complaint among it fails the run
#     program_test
#
# The scenario runs three times: bare, under Berth with a range inside the
# kernel's ip_local_port_range, and with one outside of it. Its outcome has to
# be the same each time. Each run has its own network, mount and process
# namespace, so that tests may run side by side and nothing outlives one, however
# it ends.
#
# In each namespace nftables looks at every TCP SYN and every UDP packet that
# loopback carries. A port at either end that is neither fixed nor in the range
# is a stray. Under Berth there may be none; bare there must be some, or the
# check could not fail.
#
# Environment: LIBBERTH, the path of libberth.so, and BERTH, that of berth. By
# hand, without them, only the bare run takes place.

set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
export LC_ALL=C
unset LD_PRELOAD BERTH_RANGE BERTH_RESERVE BERTH_ALGORITHM BERTH_DIR \
	BERTH_PROFILE

here=$(cd "$(dirname "$0")" && pwd)
script=$here/$(basename "$0")
programs_needed=(unshare mount nft ip ss)
ports_fixed=()

# How long to wait for a server, and for a client to end, at most. Nothing is
# measured by this: it ends a test that hangs, on a busy machine too.
hang_seconds=900
newest_server=

needs()
{
	programs_needed+=("$@")
}

fixed_ports()
{
	ports_fixed+=("$@")
}

# --- for scenarios ----------------------------------------------------------

# The scenario's own folder, empty and in memory: $work.
# The addresses of loopback, 127.0.0.1 and ::1: $loopbacks.

has_policy()
{
	[ "$(type -t policy)" = function ]
}

# Runs a command under Berth, by the environment alone; bare in the bare run.
preloaded()
{
	if [ "$phase" = bare ]; then
		"$@"
	elif has_policy; then
		LD_PRELOAD=$LIBBERTH BERTH_DIR=$map_dir "$@"
	else
		LD_PRELOAD=$LIBBERTH BERTH_RANGE=$range \
			BERTH_DIR=$map_dir "$@"
	fi
}

# The same by berth run, which adds the arguments of the policy.
by_berth_run()
{
	if [ "$phase" = bare ]; then
		"$@"
	elif has_policy; then
		BERTH_DIR=$map_dir BERTH_LIBRARY=$LIBBERTH \
			"$BERTH" run -- "$@"
	else
		BERTH_DIR=$map_dir BERTH_LIBRARY=$LIBBERTH \
			"$BERTH" run --range "$range" -- "$@"
	fi
}

# The same, for a client: it is ended if it hangs.
client()
{
	by_berth_run timeout "$hang_seconds" "$@"
}

# Starts a server under Berth in the background: server LOG COMMAND...
server()
{
	local log=$work/$1.log
	shift
	preloaded "$@" >"$log" 2>&1 </dev/null &
	newest_server=$!
}

# The server that was started last has ended with a failure. One that goes on in
# the background by itself ends with none.
server_failed()
{
	[ -n "$newest_server" ] || return
	kill -0 "$newest_server" 2>/dev/null && return 1
	! wait "$newest_server"
}

# Polls for a condition. The run has failed when the server has, and after very
# long.
wait_until()
{
	local end=$((SECONDS + hang_seconds))
	until "$@"; do
		if server_failed || [ $SECONDS -ge $end ]; then
			echo "waited in vain: $*" >&2
			tail -n 20 "$work"/*.log >&2
			exit 1
		fi
		sleep 0.05
	done
}

# A socket that takes what comes to an address and port:
#     bound tcp|udp PORT ADDRESS
# Asks the kernel, and makes no connection, which would count.
bound()
{
	local states=listening any=0.0.0.0
	[ "$1" = udp ] && states=all
	[[ $3 != *:* ]] || any=[::]
	ss -Hn --"$1" state $states "sport = :$2" 2>/dev/null |
		grep -qF -e " $(in_url "$3"):$2 " -e " $any:$2 " -e " *:$2 "
}

# A server may bind one address after the other: wait_bound tcp|udp PORT
# [ADDRESS...] waits for each of them, and without any for all of loopback.
wait_bound()
{
	local protocol=$1 port=$2 address
	shift 2
	for address in ${*:-$loopbacks}; do
		wait_until bound "$protocol" "$port" "$address"
	done
}

# An address as it is written in a URL.
in_url()
{
	case $1 in
	*:*) echo "[$1]" ;;
	*) echo "$1" ;;
	esac
}

# A folder that a server which is no longer root may read: served NAME SIZE
# makes $work/files/NAME.
served()
{
	mkdir -p "$work/files"
	head -c "$2" /dev/urandom >"$work/files/$1"
	chmod -R a+rX "$work/files"
}

# What is wrong becomes part of the outcome, and fails the run.
complain()
{
	echo "$*" | tee -a "$results/complaints.$phase"
}

# Runs a command that has to print exactly this: expect TEXT COMMAND...
expect()
{
	local wanted=$1 got
	shift
	got=$("$@")
	if [ "$got" = "$wanted" ]; then
		echo "$got"
	else
		complain "$* printed '$got', and not '$wanted'"
	fi
}

# Reads a copy on standard input, which has to be the original.
same_as()
{
	if cmp -s - "$work/files/$1"; then
		echo "$1 arrived whole"
	else
		complain "$1 did not arrive whole"
	fi
}

# --- one run, inside its namespaces -------------------------------------------

watch_ports()
{
	local fixed
	fixed=$(IFS=,; echo "${ports_fixed[*]}")
	nft -f - <<-END
	table inet watch {
		counter stray { }
		counter held { }
		set assigned {
			type inet_service; flags interval
			elements = { $range }
		}
		set fixed {
			type inet_service
			elements = { $fixed }
		}
		set strays {
			type inet_proto . inet_service . inet_service
			size 65535
		}
		chain stray {
			counter name stray
			update @strays { meta l4proto . th sport . th dport }
		}
		chain flows {
			type filter hook output priority filter
			meta l4proto != { tcp, udp } accept
			tcp flags & (syn | ack) != syn accept
			th sport @assigned counter name held
			th dport @assigned counter name held
			th sport != @assigned th sport != @fixed goto stray
			th dport != @assigned th dport != @fixed goto stray
		}
	}
	END
}

# Of a counter of nftables: packets TABLE NAME
packets()
{
	nft list counter inet "$1" "$2" | sed -n 's/.*packets \([0-9]*\).*/\1/p'
}

# The machine's names and resolver play no part.
hide_names()
{
	echo "127.0.0.1 localhost" >"$work/.hosts"
	printf '%s: files\n' passwd group shadow hosts services protocols \
		>"$work/.nsswitch"
	mount --bind "$work/.hosts" /etc/hosts
	[ ! -e /etc/nsswitch.conf ] ||
		mount --bind "$work/.nsswitch" /etc/nsswitch.conf
}

# Of lo, which is up. A kernel that has IPv6 may keep it off the devices
# (disable_ipv6), and then nothing is ever bound to ::1.
loopback_addresses()
{
	echo 127.0.0.1
	ip -6 -o address show dev lo 2>/dev/null | grep -o "::1"
}

put_policy_in_force()
{
	has_policy || return 0
	policy >"$work/.berth.conf"
	BERTH_DIR=$map_dir "$BERTH" load "$work/.berth.conf" >/dev/null
}

run_inside()
{
	work=$results/run
	mount -t tmpfs -o mode=755 none "$work" || exit 1
	map_dir=$work/.map
	mkdir -m 1777 "$map_dir"
	hide_names
	ip link set lo up || exit 1
	loopbacks=$(loopback_addresses)
	watch_ports || exit 1
	cd "$work" || exit 1
	[ "$phase" = bare ] || put_policy_in_force || exit 1

	scenario >"$results/outcome.$phase"

	packets watch stray >"$results/stray.$phase"
	packets watch held >"$results/held.$phase"
	nft list set inet watch strays >"$results/strays.$phase"
	[ ! -e "$results/complaints.$phase" ]
	exit
}

# --- the test, outside ----------------------------------------------------------

skip_all()
{
	echo "1..0 # SKIP $*"
	exit 0
}

check_needs()
{
	local program
	for program in "${programs_needed[@]}"; do
		command -v "$program" >/dev/null || skip_all "no $program here"
	done
	unshare --net --mount nft list tables >/dev/null 2>&1 ||
		skip_all "needs a network namespace with nftables in it"
	read -r kernel_low kernel_high </proc/sys/net/ipv4/ip_local_port_range
}

# Each run in a range of its own.
range_of()
{
	case $1 in
	inside) echo 40000-43999 ;;
	*) echo 20000-23999 ;;
	esac
}

n_tests=0
n_failed=0

check()
{
	local what=$1
	shift
	n_tests=$((n_tests + 1))
	if "$@"; then
		echo "ok $n_tests - $what"
	else
		echo "not ok $n_tests - $what"
		n_failed=$((n_failed + 1))
	fi
}

diagnose()
{
	sed 's/^/# /'
}

make_results()
{
	results=$(mktemp -d)
	trap 'rm -rf "$results"' EXIT
	trap 'exit 1' HUP INT TERM
}

run_phase()
{
	phase=$1 range=$(range_of "$1") results=$results \
		unshare --net --mount --ipc --pid --fork --kill-child \
		--mount-proc bash "$script" </dev/null 2>"$results/stderr.$1"
}

scenario_ends_well()
{
	run_phase "$1" && return
	diagnose <"$results/outcome.$1"
	diagnose <"$results/stderr.$1"
	return 1
}

same_outcome()
{
	diff -u "$results/outcome.bare" "$results/outcome.$1" \
		>"$results/diff" && return
	diagnose <"$results/diff"
	diagnose <"$results/stderr.$1"
	return 1
}

# A run that failed has counted nothing.
count()
{
	local n
	n=$(cat "$results/$1.$2" 2>/dev/null)
	echo "${n:--1}"
}

strays_seen()
{
	[ "$(count stray "$1")" -gt 0 ]
}

no_stray()
{
	[ "$(count stray "$1")" = 0 ] && return
	sed -n '/elements/,/}/p' "$results/strays.$1" | head -n 12 | diagnose
	return 1
}

range_used()
{
	[ "$(count held "$1")" -gt 0 ]
}

test_bare()
{
	check "$name runs without Berth" scenario_ends_well bare
	check "its outcome is not empty" test -s "$results/outcome.bare"
	check "the kernel's choice is seen as stray" strays_seen bare
}

test_under_berth()
{
	local where="$1 the kernel's range"
	check "$name runs under Berth, $where" scenario_ends_well "$1"
	check "its outcome is the same as without" same_outcome "$1"
	check "no port outside $(range_of "$1") is chosen" no_stray "$1"
	check "ports in $(range_of "$1") are chosen" range_used "$1"
}

program_test()
{
	[ -z "${phase-}" ] || run_inside
	check_needs
	name=$(basename "$script" .sh)
	make_results
	chmod 755 "$results"
	mkdir "$results/run"

	if [ "$kernel_low" -gt 40000 ] || [ "$kernel_high" -lt 43999 ] ||
	    [ "$kernel_low" -le 23999 ]; then
		skip_all "ip_local_port_range is $kernel_low-$kernel_high"
	fi

	if [ -z "${LIBBERTH-}" ] || [ -z "${BERTH-}" ]; then
		echo 1..3
		test_bare
	else
		echo 1..11
		test_bare
		test_under_berth inside
		test_under_berth outside
	fi
	[ "$n_failed" -eq 0 ]
}
