#!/bin/bash
# SPDX-License-Identifier: MIT
#
# redis-benchmark and redis-cli against redis-server, and a replica that makes a
# connection of its own to its master.

. "$(dirname "$0")/lib.sh"

needs redis-server redis-benchmark redis-cli
fixed_ports 6379 6380

start_redis()
{
	local port=$1
	shift
	mkdir "$work/$port"
	server "redis-$port" redis-server --port "$port" --dir "$work/$port" \
		--bind 127.0.0.1 -::1 --save '' --repl-diskless-sync-delay 0 "$@"
	wait_bound tcp "$port"
}

# How many of its tests redis-benchmark completed: benchmark N OPTION...
benchmark()
{
	local n=$1
	shift
	client redis-benchmark --csv "$@" | sed 1d | expect "$n" grep -c '^"'
}

replica_follows()
{
	client redis-cli -p 6380 info replication |
		grep -q 'master_link_status:up' &&
		[ "$(client redis-cli -p 6380 get last)" = done ]
}

scenario()
{
	start_redis 6379
	start_redis 6380 --replicaof 127.0.0.1 6379
	local address
	for address in $loopbacks; do
		expect OK client redis-cli -h "$address" set counter 0
		local n
		for n in 1 2 3 4 5; do
			expect $n client redis-cli -h "$address" incr counter
		done
		benchmark 4 -h "$address" -c 50 -n 3000 -t set,get,incr,lpush
		benchmark 3 -h "$address" -c 20 -n 400 -k 0 -t ping,set
	done
	expect OK client redis-cli set last done
	wait_until replica_follows
	expect 5 client redis-cli -p 6380 get counter
}

program_test
