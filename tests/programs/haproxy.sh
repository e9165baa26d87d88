#!/bin/bash
# SPDX-License-Identifier: MIT
#
# haproxy in front of nginx, with a new connection for each request: haproxy's
# own connections to nginx are as many as its clients'.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/nginx.sh"

needs haproxy nginx ab curl
fixed_ports 8000 8080

start_haproxy()
{
	cat >"$work/haproxy.cfg" <<-END
	global
		nbthread 2
		maxconn 500
	defaults
		mode http
		timeout connect ${hang_seconds}s
		timeout client ${hang_seconds}s
		timeout server ${hang_seconds}s
		retries 0
		option http-server-close
		http-reuse never
	frontend clients
		bind 127.0.0.1:8000
		bind ::1:8000 v6only
		default_backend pages
	backend pages
		server four 127.0.0.1:8080
		server six ::1:8080
	END
	[ "$loopbacks" != 127.0.0.1 ] || sed -i '/::1/d' "$work/haproxy.cfg"
	server haproxy haproxy -db -f "$work/haproxy.cfg"
	wait_bound tcp 8000
}

# ab's 1,000 requests have to succeed.
load()
{
	expect "Complete requests: 1000
Failed requests: 0" requests -n 1000 -c 20 "$@"
}

requests()
{
	client ab -q -s "$hang_seconds" "$@" |
		sed -n '/^\(Complete\|Failed\|Non-2xx\)/s/  */ /gp'
}

scenario()
{
	served page 2000
	start_nginx 8080
	start_haproxy
	local address
	for address in $loopbacks; do
		local url
		url=http://$(in_url "$address"):8000/page
		client curl --silent --noproxy '*' "$url" | same_as page
		load "$url"
		load -k "$url"
	done
}

program_test
