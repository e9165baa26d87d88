#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Python: blocking sockets, asyncio, sockets of its own with port 0.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/language.sh"

needs python3

scenario()
{
	start_echo_server
	talk client /usr/bin/python3 "$here/client.py" 7000 $loopbacks
}

program_test
