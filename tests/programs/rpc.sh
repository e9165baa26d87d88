#!/bin/bash
# SPDX-License-Identifier: MIT
#
# RPC services that register with rpcbind. rpc.statd takes its ports by
# libtirpc's bindresvport(3): it stays in the range of its rule and so off what is
# reserved. rpc.rusersd, which is not root any more, has libtirpc try one port
# after the other: outside = "refuse" leads it into its range. Edge cases 13
# and 30.

. "$(dirname "$0")/lib.sh"

statd_range=690-699
rusersd_range=50000-50009

needs rpcbind rpcinfo rpc.rusersd rpc.statd
# rpcinfo looks at these ports, which are outside $range.
# shellcheck disable=SC2046
fixed_ports 111 $(seq 512 1023) \
	$(seq "${rusersd_range%-*}" "${rusersd_range#*-}")

policy()
{
	cat <<-END
	range = "$range"
	reserve ours { ports = "512-689,700-1023" }
	process statd {
	    name = {"rpc.statd"}
	    listen = "$statd_range"
	    privileged = "yes"
	}
	process rusersd {
	    name = {"rpc.rusersd"}
	    listen = "$rusersd_range"
	    outside = "refuse"
	}
	END
}

start_rpcbind()
{
	mount -t tmpfs none /run
	server rpcbind rpcbind -f -w
	wait_bound tcp 111
	wait_bound udp 111
}

prepare_statd()
{
	mkdir -p "$work/statd/sm" "$work/statd/sm.bak"
	chown -R nobody "$work/statd"
	chmod 755 "$work"
}

# The ports under which a program is registered: ports_of NUMBER.
ports_of()
{
	rpcinfo -p 127.0.0.1 2>/dev/null |
		awk -v program="$1" '$1 == program { print $4 }' | sort -u
}

is_registered()
{
	[ -n "$(ports_of "$1")" ]
}

is_unregistered()
{
	! is_registered "$1"
}

has_ended()
{
	! pgrep -x "$1" >/dev/null
}

# In the bare run they have any port.
check_ports()
{
	local port
	[ "$phase" = bare ] && return
	for port in $(ports_of "$2"); do
		[ "$port" -ge "${3%-*}" ] && [ "$port" -le "${3#*-}" ] ||
			complain "$1 has port $port, which is not in $3"
	done
}

answers()
{
	client rpcinfo -T udp 127.0.0.1 "$1" "$2" | sed 's/ *$//'
}

# A service in the foreground or not, looked at and ended: round NAME PROGRAM
# VERSION RANGE COMMAND...
round()
{
	local name=$1 program=$2 version=$3 ports=$4
	shift 4
	server "$name" "$@"
	wait_until is_registered "$program"
	check_ports "$name" "$program" "$ports"
	answers "$program" "$version"
	pkill -x "$name"
	newest_server=
	wait_until has_ended "$name"
	for version in 1 2 3; do
		client rpcinfo -d "$program" "$version" 2>/dev/null
	done
	wait_until is_unregistered "$program"
}

scenario()
{
	start_rpcbind
	prepare_statd
	for _ in 1 2 3 4 5 6; do
		round rpc.statd 100024 1 "$statd_range" \
			rpc.statd -F -L -P "$work/statd"
		round rpc.rusersd 100002 3 "$rusersd_range" rpc.rusersd
	done
}

program_test
