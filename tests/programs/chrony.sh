#!/bin/bash
# SPDX-License-Identifier: MIT
# chronyd under its own seccomp filters, which kill: -F 1 allows no more than it
# calls itself, -F 2 less. Edge case 42.
. "$(dirname "$0")/lib.sh"

needs chronyd
fixed_ports 11123 11124

configuration()
{
	cat <<-END
	user root
	cmdport 0
	bindaddress $1
	driftfile $work/drift.$2
	pidfile $work/pid.$2
	END
}

serve()
{
	configuration "$1" "$2" >"$work/server.$2"
	cat >>"$work/server.$2" <<-END
	local stratum 3
	allow
	port $2
	END
	server "chronyd.$2" chronyd -d -x -F 1 -f "$work/server.$2"
	wait_bound udp "$2"
}

# Asks three times, says what it found and ends.
ask()
{
	configuration "$1" client >"$work/client"
	echo "server $1 port $2 iburst" >>"$work/client"
	client chronyd -d -Q -t 50 -F "$3" -f "$work/client" \
		>"$work/client.log" 2>&1
	echo "level $3 at $1 ends with $?"
	grep -o 'System clock wrong by' "$work/client.log" ||
		complain "no time: $(cat "$work/client.log")"
}

scenario()
{
	local loopback port=11123
	for loopback in $loopbacks; do
		serve "$loopback" $port
		ask "$loopback" $port 1
		ask "$loopback" $port 2
		port=$((port + 1))
	done
}

program_test
