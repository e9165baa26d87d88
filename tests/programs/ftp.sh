#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The FTP client of NetBSD, active and passive. The servers: vsftpd, which binds
# its passive ports by number and its active data connections to none; and
# pyftpdlib, which leaves the passive ports to bind() with port 0.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/vsftpd_server.sh"

needs tnftp vsftpd python3
fixed_ports 21 2121

# vsftpd picks passive ports itself: it is told the range as an operator would.
start_vsftpd()
{
	configure_vsftpd <<-END
	listen_port=21
	port_enable=YES
	connect_from_port_20=NO
	pasv_enable=YES
	pasv_min_port=${range%-*}
	pasv_max_port=${range#*-}
	END
	server vsftpd vsftpd "$work/vsftpd.conf"
	wait_bound tcp 21
}

start_pyftpdlib()
{
	local address
	for address in $loopbacks; do
		server "pyftpdlib-$address" /usr/bin/python3 -m pyftpdlib \
			--interface="$address" --port=2121 \
			--directory="$work/files"
		wait_bound tcp 2121 "$address"
	done
}

scenario()
{
	served page 300000
	start_vsftpd
	start_pyftpdlib
	local port address way
	for port in 21 2121; do
		for address in $loopbacks; do
			for way in active passive; do
				session $way "$address" $port
			done
		done
	done
}

/usr/bin/python3 -c 'import pyftpdlib' 2>/dev/null || skip_all "no pyftpdlib here"
program_test
