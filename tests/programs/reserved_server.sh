#!/bin/bash
# SPDX-License-Identifier: MIT
#
# redis-server on a port in the middle of the range that its neighbours' ports
# come from, started 100 times while two clients burn through that range: with
# the port reserved and the clients under Berth it starts each time, and without
# Berth it fails sooner or later. burn.c is the client. The server itself is
# under Berth every other time.
#
# Each run has its own network and process namespace, so that nothing outlives
# it. Environment: LIBBERTH, the path of libberth.so, and BURN, that of the
# client. By hand, without LIBBERTH, only the bare run takes place.

. "$(dirname "$0")/lib.sh"

n_starts=100		# under Berth
n_starts_bare=500	# at most, until one has failed
n_clients=2
n_held=100		# ports of either kind that a client keeps
service_port=7001	# and the next: what the clients connect to

# --- one run, inside its namespaces -----------------------------------------

# Sets the environment of what runs under Berth: a word each of env's.
set_under_berth()
{
	under_berth=(env)
	[ "$range" = bare ] ||
		under_berth+=(LD_PRELOAD="$LIBBERTH" BERTH_RANGE="$range"
			BERTH_RESERVE="$port" BERTH_DIR="$map_dir")
}

is_burning()
{
	grep -q ready "$work/burn.$1.log" 2>/dev/null
}

start_clients()
{
	local i
	mkfifo "$work/go"
	exec 9<>"$work/go"
	for ((i = 0; i < n_clients; i++)); do
		"${under_berth[@]}" "$BURN" $((service_port + i)) $n_held \
			"$port" <"$work/go" >"$work/burn.$i.log" 2>&1 9>&- &
		client_pids+=($!)
	done
	exec 8>"$work/go" 9>&-
	for ((i = 0; i < n_clients; i++)); do
		wait_until is_burning $i
	done
}

end_clients()
{
	exec 8>&-
	wait "${client_pids[@]}"
}

server_has_answered()
{
	grep -q -e "Ready to accept connections" -e "Address already in use" \
		"$work/redis.log" || ! kill -0 "$server_pid" 2>/dev/null
}

# start_server ENV...: 0 = it is ready.
start_server()
{
	: >"$work/redis.log"
	"$@" redis-server --port "$port" --dir "$work" --save '' \
		--bind 127.0.0.1 >>"$work/redis.log" 2>&1 8>&- &
	server_pid=$!
	wait_until server_has_answered
	grep -q "Ready to accept connections" "$work/redis.log"
}

# end_server N: in good order, or killed, by turns of two.
end_server()
{
	local signals=(TERM TERM KILL KILL)
	kill -"${signals[$(($1 % 4))]}" "$server_pid" 2>/dev/null
	wait "$server_pid" 2>/dev/null
}

# Prints STARTED FAILED.
start_many()
{
	local i started=0 failed=0 n=$n_starts
	[ "$range" != bare ] || n=$n_starts_bare
	for ((i = 0; i < n; i++)); do
		local how=(env)
		[ $((i % 2)) -eq 0 ] || how=("${under_berth[@]}")
		if start_server "${how[@]}"; then
			started=$((started + 1))
		else
			failed=$((failed + 1))
			sed 's/^/failed start: /' "$work/redis.log" >&2
		fi
		end_server $i
		[ "$range" != bare ] || [ $failed -eq 0 ] || break
	done
	echo $started $failed
}

# run_inside KERNEL_RANGE RANGE PORT; RANGE "bare" is without Berth.
run_inside()
{
	range=$2 port=$3 work=$results map_dir=$results/map client_pids=()
	ip link set lo up || exit 1
	echo "$1" >/proc/sys/net/ipv4/ip_local_port_range || exit 1
	mkdir "$map_dir"
	set_under_berth
	start_clients
	start_many >"$work/starts"
	end_clients
	exit 0
}

# --- the test, outside ------------------------------------------------------

read_clients()
{
	local connects binds failures watched neighbours i
	n_connects=0 n_binds=0 n_watched=0 n_neighbours=0
	for ((i = 0; i < n_clients; i++)); do
		read -r connects binds failures watched neighbours \
			< <(sed 1d "$results/burn.$i.log") || return 1
		n_connects=$((n_connects + connects - failures))
		n_binds=$((n_binds + binds))
		n_watched=$((n_watched + watched))
		n_neighbours=$((n_neighbours + neighbours))
	done
	[ $n_connects -gt 0 ]
}

# Leaves what a run has counted in n_started, n_start_failures, n_connects, ...
run_ends_well()
{
	rm -rf "${results:?}"/*
	n_started=-1 n_start_failures=-1 n_watched=-1 n_neighbours=-1
	n_connects=-1 n_binds=-1
	results=$results unshare --net --pid --fork --kill-child --mount-proc \
		bash "$script" inside "$@" \
		</dev/null >/dev/null 2>"$results/stderr" &&
		read -r n_started n_start_failures <"$results/starts" &&
		read_clients && return
	tail -n 20 "$results/stderr" | diagnose
	return 1
}

report()
{
	echo "# $n_started starts and $n_start_failures failures, beside" \
		"$n_connects connects and $n_binds bind(0)"
}

test_bare()
{
	check "bare: the clients run" run_ends_well "40000 40499" bare 40251
	report
	check "bare: they are given the server's port" test "$n_watched" -gt 0
	check "bare: the server finds its port in use" \
		grep -q "Address already in use" "$results/stderr"
}

started_each_time()
{
	[ "$n_started" = $n_starts ] && return
	grep -A 20 "^failed start" "$results/stderr" | head -n 20 | diagnose
	return 1
}

# test_under_berth WHAT RANGE PORT
test_under_berth()
{
	check "$1: the clients run" run_ends_well "32768 60999" "$2" "$3"
	report
	check "$1: they are never given the server's port" test "$n_watched" = 0
	check "$1: they are given those beside it" test "$n_neighbours" -gt 0
	check "$1: the server starts $n_starts times" started_each_time
}

main()
{
	local program
	: "${BURN:?is the path of the client}"
	for program in unshare ip redis-server; do
		command -v $program >/dev/null || skip_all "no $program here"
	done
	unshare --net --pid --fork --mount-proc true 2>/dev/null ||
		skip_all "needs a network and a process namespace"
	make_results
	test_bare
	if [ -n "${LIBBERTH-}" ]; then
		test_under_berth "inside the kernel's range" 40000-40499 40251
		test_under_berth "outside the kernel's range" 20000-20499 20251
	fi
	echo "1..$n_tests"
	[ "$n_failed" -eq 0 ]
}

if [ "${1-}" = inside ]; then
	run_inside "${@:2}"
fi
main
