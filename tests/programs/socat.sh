#!/bin/bash
# SPDX-License-Identifier: MIT
#
# socat as client, server and relay, over TCP and UDP.

. "$(dirname "$0")/lib.sh"

needs socat
fixed_ports 7000 7001 7002 7009

# An echo server over TCP and UDP, and a relay before it that connects onward.
start_servers()
{
	local any='[::]' family=6
	[ "$loopbacks" != 127.0.0.1 ] || any=0.0.0.0 family=4
	server tcp-echo socat \
		"TCP$family-LISTEN:7000,bind=$any,fork,reuseaddr,backlog=64" PIPE
	server udp-echo socat "UDP$family-RECVFROM:7000,bind=$any,fork" PIPE
	server relay socat TCP4-LISTEN:7001,fork,reuseaddr TCP4:127.0.0.1:7000
	server udp-relay socat UDP4-RECVFROM:7002,fork UDP4-SENDTO:127.0.0.1:7000
	wait_bound tcp 7000
	wait_bound tcp 7001 127.0.0.1
	wait_bound udp 7000
	wait_bound udp 7002 127.0.0.1
}

say()
{
	echo "$1" | expect "$1" client socat -t "$hang_seconds" - "$1"
}

# Ends as soon as the echo is there: UDP has no end of file.
say_datagram()
{
	echo "$1" | expect "$1" \
		client socat -T "$hang_seconds" - \
		"$1,readbytes=$((${#1} + 1)),shut-none"
}

scenario()
{
	start_servers
	local address
	for address in $loopbacks; do
		address=$(in_url "$address")
		for _ in 1 2 3 4 5; do
			say "TCP:$address:7000"
			say "TCP:$address:7000,bind=$address"
			say_datagram "UDP:$address:7000"
			say_datagram "UDP-SENDTO:$address:7000"
			say_datagram "UDP-SENDTO:$address:7000,bind=$address"
		done
	done
	for _ in 1 2 3 4 5; do
		say TCP:127.0.0.1:7001
		say_datagram UDP-SENDTO:127.0.0.1:7002
	done
	client socat - TCP:127.0.0.1:7009 </dev/null 2>/dev/null &&
		complain "a connection that nobody takes succeeds"
}

program_test
