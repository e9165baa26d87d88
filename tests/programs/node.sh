#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Node.js: net, dgram and http, on top of libuv.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/language.sh"

needs node python3

scenario()
{
	start_echo_server
	talk client node "$here/client.js" 7000 $loopbacks
}

program_test
