#!/bin/bash
# SPDX-License-Identifier: MIT
#
# RPC services that register with rpcbind, and that take their ports by
# libtirpc's bindresvport(3): one stays within the range of its rule, the other
# keeps off what is reserved, however often they start.

. "$(dirname "$0")/lib.sh"

needs rpcbind rpcinfo rpc.rusersd rpc.rstatd
# Both services have privileged ports, which are looked at here by rpcinfo.
# shellcheck disable=SC2046
fixed_ports 111 $(seq 512 1023)

rusersd=100002
rstatd=100001

policy()
{
	cat <<-END
	range = "$range"
	reserve services-of-ours { ports = "512-689,700-1019" }
	process rusersd {
	    name = {"rpc.rusersd"}
	    listen = "690-699"
	    privileged = "yes"
	}
	END
}

start_rpcbind()
{
	mount -t tmpfs none /run
	server rpcbind rpcbind -f -w
	wait_bound tcp 111
}

registered()
{
	rpcinfo -p 127.0.0.1 2>/dev/null |
		awk -v program="$1" '$1 == program { print $4; exit }'
}

is_registered()
{
	[ -n "$(registered "$1")" ]
}

# In the bare run, where they have any port, nothing is looked at.
check_port()
{
	[ "$phase" = bare ] || { [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; } ||
		complain "$1 has port $2, which is not in $3-$4"
}

answers()
{
	client rpcinfo -T udp 127.0.0.1 "$1" "$2" | sed 's/ *$//'
}

# The service is found by the pid namespace's own numbers: another each time.
round()
{
	preloaded rpc.rusersd
	preloaded rpc.rstatd
	wait_until is_registered $rusersd
	wait_until is_registered $rstatd
	check_port rusersd "$(registered $rusersd)" 690 699
	# 690-699 are not reserved: rstatd may have one of these too.
	local port
	port=$(registered $rstatd)
	[ "$port" -ge 1020 ] || check_port rstatd "$port" 690 699
	answers $rusersd 3
	answers $rstatd 3
	pkill -f 'rpc\.r(users|stat)d'
	while pgrep -f 'rpc\.r(users|stat)d' >/dev/null; do
		sleep 0.05
	done
	client rpcinfo -d $rusersd 3
	client rpcinfo -d $rusersd 2
	client rpcinfo -d $rstatd 1
	client rpcinfo -d $rstatd 2
	client rpcinfo -d $rstatd 3
	client rpcinfo -d $rstatd 4
}

scenario()
{
	start_rpcbind
	for _ in 1 2 3 4 5 6 7 8; do
		round 2>/dev/null
	done
}

program_test
