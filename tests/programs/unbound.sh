#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A resolver that draws its source ports itself, and binds to them by their number:
# unbound stays in the range by the configuration that libberth(7) gives. Edge case
# 58. Each question goes on to dnsmasq, from another port each time.

. "$(dirname "$0")/lib.sh"

needs dig dnsmasq unbound
fixed_ports 53 5353

configuration()
{
	cat <<-EOF_CONF
		server:
		    username: ""
		    chroot: ""
		    directory: "$work"
		    pidfile: ""
		    use-syslog: no
		    interface: 127.0.0.1
		    interface: ::1
		    do-not-query-localhost: no
		    module-config: "iterator"
		    outgoing-port-avoid: "0-65535"
		    outgoing-port-permit: "$range"
		forward-zone:
		    name: "."
		    forward-addr: 127.0.0.1@5353
	EOF_CONF
}

scenario()
{
	server dnsmasq dnsmasq --keep-in-foreground --conf-file=/dev/null \
		--pid-file= --user=root --no-resolv --no-hosts --cache-size=0 \
		--log-facility=- --port=5353 --address=/far.example/192.0.2.2
	wait_bound udp 5353
	wait_bound tcp 5353
	configuration >"$work/unbound.conf"
	server unbound unbound -d -c "$work/unbound.conf"
	wait_bound udp 53
	wait_bound tcp 53
	local i way
	for way in +notcp +tcp; do
		for i in 1 2 3 4 5 6 7 8 9 10; do
			expect 192.0.2.2 client dig +short +tries=2 \
				+time="$hang_seconds" -p 53 @127.0.0.1 $way \
				"$i${way#+}.far.example" A
		done
	done
}

program_test
