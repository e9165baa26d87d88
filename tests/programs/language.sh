# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The scenario of the clients in several languages: each is a program that is
# given a port and addresses, and says to the echo server there, for each
# address, over TCP and UDP, in every way that its language has, "hello".
# Nobody listens on the next port.

fixed_ports 7000 7001

start_echo_server()
{
	server echo /usr/bin/python3 "$here/echo_server.py" 7000 $loopbacks
	wait_bound tcp 7000
	wait_bound udp 7000
}

# Runs a client: every answer is hello, or that a connection was refused.
#     talk COMMAND...
talk()
{
	"$@" >answers
	local status=$?
	cat answers
	[ $status -eq 0 ] || complain "$1 $2 ends with $status"
	! grep -qviE '(hello|refused)$' answers ||
		complain "not every answer is the right one"
}
