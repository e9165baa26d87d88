#!/bin/bash
# SPDX-License-Identifier: MIT
#
# dig asks dnsmasq, over UDP and TCP; dnsmasq asks a second one, from sockets that
# it binds to ports of its own choice or leaves to the kernel.

. "$(dirname "$0")/lib.sh"

needs dig dnsmasq
fixed_ports 53 5353

start_dnsmasq()
{
	local port=$1
	shift
	server "dnsmasq-$port" dnsmasq --keep-in-foreground --conf-file=/dev/null \
		--pid-file= --user=root --no-resolv --no-hosts --cache-size=0 \
		--log-facility=- --port="$port" "$@"
	wait_bound udp "$port"
	wait_bound tcp "$port"
}

# ask ANSWERS QUESTION...
ask()
{
	local answers=$1
	shift
	expect "$answers" client dig +short +tries=2 +time="$hang_seconds" -p 53 "$@"
}

scenario()
{
	start_dnsmasq 5353 --host-record=far.test,192.0.2.2,2001:db8::2
	start_dnsmasq 53 --host-record=near.test,192.0.2.1,2001:db8::1 \
		--server=/far.test/127.0.0.1#5353 \
		--min-port="${range%-*}" --max-port="${range#*-}"
	local address way
	for address in $loopbacks; do
		for way in +notcp +tcp; do
			for _ in 1 2 3 4 5; do
				ask 192.0.2.1 @"$address" $way near.test A
				ask 2001:db8::1 @"$address" $way near.test AAAA
			done
			ask near.test. @"$address" $way -x 192.0.2.1
			ask 192.0.2.2 @"$address" $way far.test A
			ask 2001:db8::2 @"$address" $way far.test AAAA
			ask $'192.0.2.1\n192.0.2.2' @"$address" $way \
				near.test A far.test A
		done
	done
}

program_test
