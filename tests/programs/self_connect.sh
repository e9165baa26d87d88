#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A client that retries 100,000 times on a loopback port inside its own range,
# where nobody listens: without Berth it connects to itself before long, and
# under Berth never. self_connect.c is the client.
#
# Edge case 8. Each run has a network namespace of its own. Environment: LIBBERTH, the path
# of libberth.so, and SELF_CONNECT, that of the client. By hand, without
# LIBBERTH, only the bare runs take place.

. "$(dirname "$0")/lib.sh"

n_tries=100000		# under Berth
n_tries_bare=20000	# the kernel comes around every 1,000 or 2,000

# --- one run, inside its namespace ------------------------------------------

# run_inside KERNEL_RANGE RANGE ADDRESS PORT; RANGE "bare" is without Berth.
run_inside()
{
	ip link set lo up || exit 1
	echo "$1" >/proc/sys/net/ipv4/ip_local_port_range || exit 1
	[ "$2" != bare ] || exec "$SELF_CONNECT" "$3" "$4" $n_tries_bare
	export LD_PRELOAD=$LIBBERTH BERTH_RANGE=$2 BERTH_DIR=$results
	exec "$SELF_CONNECT" "$3" "$4" $n_tries
}

# --- the test, outside ------------------------------------------------------

# Leaves the counts of a run in chosen, named and refused.
counts_of()
{
	results=$results unshare --net --kill-child \
		bash "$script" inside "$@" \
		</dev/null >"$results/counts" 2>"$results/stderr" &&
		read -r chosen named refused _ <"$results/counts" && return
	diagnose <"$results/stderr"
	chosen=-1 named=-1 refused=-1
	return 1
}

# test_bare ADDRESS
test_bare()
{
	local port=41000
	check "bare, $1: the client runs" \
		counts_of "40000 41999" bare "$1" $port
	check "bare, $1: it connects to itself from a port that it left open" \
		test "$chosen" -gt 0
	check "bare, $1: and from a port that it named" test "$named" -gt 0
	echo "# $chosen and $named times in $n_tries_bare"
}

# test_under_berth WHAT RANGE PORT ADDRESS
test_under_berth()
{
	check "$1, $4: the client runs" \
		counts_of "32768 60999" "$2" "$4" "$3"
	check "$1, $4: it never connects to itself ($chosen, $named)" \
		test "$chosen" = 0 -a "$named" = 0
	check "$1, $4: $n_tries tries are refused, not $refused" \
		test "$refused" = $n_tries
}

addresses()
{
	echo 127.0.0.1
	[ ! -e /proc/net/if_inet6 ] || echo ::1
}

main()
{
	local address
	: "${SELF_CONNECT:?is the path of the client}"
	unshare --net true 2>/dev/null || skip_all "needs a network namespace"
	command -v ip >/dev/null || skip_all "no ip here"
	make_results
	for address in $(addresses); do
		test_bare "$address"
		[ -n "${LIBBERTH-}" ] || continue
		test_under_berth "inside the kernel's range" \
			40000-41999 41000 "$address"
		test_under_berth "outside the kernel's range" \
			20000-21999 21000 "$address"
	done
	echo "1..$n_tests"
	[ "$n_failed" -eq 0 ]
}

if [ "${1-}" = inside ]; then
	run_inside "${@:2}"
fi
main
