# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The scenario of the clients in several languages: each is a program that is
# given a port and addresses, and says to the echo server there, for each
# address, over TCP and UDP, in every way that its language has, "hello".
# Nobody listens on the next port.

. "$(dirname "$0")/lib.sh"

needs python3
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

# A test of one client: language_test PROGRAM FILE
language_test()
{
	needs "$1"
	language_client=("$@")
	scenario()
	{
		start_echo_server
		talk client "${language_client[@]}" 7000 $loopbacks
	}
	program_test
}
