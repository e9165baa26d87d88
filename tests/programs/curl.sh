#!/bin/bash
# SPDX-License-Identifier: MIT
#
# curl gets files from nginx, and the ports that it is told to use stay its own.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/nginx.sh"

needs curl nginx
fixed_ports 8080 8081 7001 7002

get()
{
	client curl --silent --show-error --noproxy '*' "$@"
	local status=$?
	[ $status -eq 0 ] || echo "curl ends with $status"
}

scenario()
{
	served page 300000
	start_nginx 8080
	local address own_port=7001
	for address in $loopbacks; do
		local site
		site=http://$(in_url "$address"):8080
		for _ in 1 2 3 4 5; do
			get "$site/page" | same_as page
		done
		expect 404 get --write-out '%{http_code}' --output /dev/null \
			"$site/none"
		get "$site/page" "$site/page" | expect 600000 wc -c
		get --parallel --parallel-immediate --no-progress-meter \
			--output "#1" "$site/page?{a,b,c,d,e,f,g,h}"
		cat a b c d e f g h | expect 2400000 wc -c
		get --interface "$address" "$site/page" | same_as page
		get --local-port $own_port "$site/page" | same_as page
		own_port=$((own_port + 1))
		expect "curl ends with 7" \
			get "http://$(in_url "$address"):8081/" 2>/dev/null
	done
}

program_test
