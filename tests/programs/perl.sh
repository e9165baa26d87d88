#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Perl: IO::Socket::IP and the bare socket calls.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/language.sh"

needs perl python3

scenario()
{
	start_echo_server
	talk client perl "$here/client.pl" 7000 $loopbacks
}

program_test
