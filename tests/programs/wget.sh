#!/bin/bash
# SPDX-License-Identifier: MIT
#
# wget gets files from nginx, one by one and over one kept connection.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/nginx.sh"

needs wget nginx
fixed_ports 8080 8081

get()
{
	client wget --quiet --no-proxy --tries=1 "$@"
	local status=$?
	[ $status -eq 0 ] || echo "wget ends with $status"
}

scenario()
{
	served page 300000
	start_nginx 8080
	local address
	for address in $loopbacks; do
		local site
		site=http://$(in_url "$address"):8080
		for _ in 1 2 3 4 5; do
			get --output-document=- "$site/page" | same_as page
		done
		get --output-document=- "$site/page" "$site/page" |
			expect 600000 wc -c
		get --bind-address="$address" --output-document=- "$site/page" |
			same_as page
		expect "wget ends with 8" get --output-document=- "$site/none"
		expect "wget ends with 4" get "http://$(in_url "$address"):8081/"
	done
}

program_test
