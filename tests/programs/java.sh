#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Java: Socket, SocketChannel, DatagramSocket, DatagramChannel. An IPv4 address
# is connected to from an IPv6 socket there, unless told otherwise.

. "$(dirname "$0")/language.sh"

needs java javac

scenario()
{
	javac -J-XX:-UsePerfData -J-XX:TieredStopAtLevel=1 \
		-d "$work/classes" "$here/Client.java"
	local options=(-XX:-UsePerfData -XX:TieredStopAtLevel=1 -Xmx64m
		-cp "$work/classes")
	start_echo_server
	talk client java "${options[@]}" Client 7000 $loopbacks
	talk client java "${options[@]}" -Djava.net.preferIPv4Stack=true \
		Client 7000 127.0.0.1
}

program_test
