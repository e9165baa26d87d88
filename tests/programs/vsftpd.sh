#!/bin/bash
# SPDX-License-Identifier: MIT
#
# vsftpd keeps its passive ports in the range that the policy gives it, though
# its own file says nothing of them. It makes up a number from rand(3), binds to
# it and tells its client that number, without a look at what it was given: so
# no answer of bind() could lead it, and the rule's arguments do.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/vsftpd_server.sh"

needs tnftp vsftpd
fixed_ports 21

policy()
{
	cat <<-END
	range = "$((${range%-*} + 200))-${range#*-}"
	outside = "refuse"
	reserve control { ports = "21" owners = {"vsftpd"} }
	process vsftpd {
	    exe = {"/usr/sbin/vsftpd"}
	    listen = "${range%-*}-$((${range%-*} + 199))"
	    arguments = {"-opasv_min_port=%lo", "-opasv_max_port=%hi"}
	}
	END
}

start_vsftpd()
{
	configure_vsftpd </dev/null
	by_berth_run vsftpd "$work/vsftpd.conf" >"$work/vsftpd.log" 2>&1 &
	newest_server=$!
	wait_bound tcp 21
}

# In no case may a client's part of the range be listened at.
watch_parts()
{
	local clients=$((${range%-*} + 200))-${range#*-}
	nft -f - <<-END
	table inet parts {
		counter beside { }
		chain flows {
			type filter hook output priority filter
			tcp flags & (syn | ack) == syn tcp dport $clients \
				counter name beside
		}
	}
	END
}

scenario()
{
	served page 300000
	start_vsftpd
	watch_parts
	local address beside
	for address in $loopbacks; do
		for _ in 1 2 3 4 5 6 7 8; do
			session passive "$address" 21
		done
	done
	beside=$(packets parts beside)
	[ "$phase" = bare ] || [ "$beside" = 0 ] ||
		complain "$beside connections to ports of the clients"
}

program_test
