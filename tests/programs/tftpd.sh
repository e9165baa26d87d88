#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A tftpd answers from the range of its rule, which is not its clients': a part
# of the range each.

. "$(dirname "$0")/lib.sh"

needs tftp in.tftpd
fixed_ports 69

server_part()
{
	echo "${range%-*}-$((${range%-*} + 99))"
}

client_part()
{
	echo "$((${range%-*} + 100))-${range#*-}"
}

policy()
{
	cat <<-END
	range = "$(client_part)"
	process tftpd {
	    name = {"in.tftpd"}
	    udp { range = "$(server_part)" }
	}
	END
}

# Answers from the server's part, and from anywhere else.
watch_answers()
{
	nft -f - <<-END
	table inet parts {
		counter right { }
		counter wrong { }
		chain flows {
			type filter hook output priority filter
			udp sport $(server_part) udp dport $(client_part) \\
				counter name right accept
			udp sport $(client_part) udp dport { 69, $(server_part) } \\
				accept
			meta l4proto udp counter name wrong
		}
	}
	END
}

transfer()
{
	rm -f copy
	client tftp -m octet "$1" -c get page copy
	same_as page <copy
}

scenario()
{
	served page 100000
	server tftpd in.tftpd --foreground --address ":69" --user nobody \
		--secure "$work/files"
	wait_bound udp 69
	watch_answers
	local address
	for address in $loopbacks; do
		for _ in 1 2 3 4 5; do
			transfer "$address"
		done
	done
	[ "$phase" = bare ] && return
	[ "$(packets parts wrong)" = 0 ] ||
		complain "$(packets parts wrong) packets beside the parts"
	[ "$(packets parts right)" -gt 1000 ] || complain "too few answers were seen"
}

program_test
