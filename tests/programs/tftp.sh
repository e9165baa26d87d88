#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tftp and tftpd-hpa: the server answers each request from a port of its own,
# which a process chooses that has left its root folder and its user behind.

. "$(dirname "$0")/lib.sh"

needs tftp in.tftpd
fixed_ports 69

transfer()
{
	rm -f copy
	client tftp -m octet "$1" -c get page copy
	same_as page <copy
}

scenario()
{
	served page 100000
	mkdir -m 777 "$work/files/in"
	server tftpd in.tftpd --foreground --address ":69" --user nobody \
		--create --secure "$work/files"
	wait_bound udp 69
	local address n=0
	for address in $loopbacks; do
		for _ in 1 2 3 4 5; do
			transfer "$address"
		done
		client tftp -m octet "$address" -c put files/page in/$((n += 1))
		same_as page <"files/in/$n"
		expect "Error code 1: File not found" \
			client tftp -m octet "$address" -c get none
	done
}

program_test
