#!/bin/bash
# SPDX-License-Identifier: MIT
# tor with Sandbox 1: a filter that names each call, each option and even the
# addresses of the paths that it opens. It connects to a relay. Edge case 42.
. "$(dirname "$0")/lib.sh"

needs tor python3
fixed_ports 9055 9101

nobody=0000000000000000000000000000000000000001

configuration()
{
	cat <<-END
	DataDirectory $work/tor
	Sandbox 1
	TestingTorNetwork 1
	ClientUseIPv6 0
	UseMicrodescriptors 0
	SocksPort 127.0.0.1:9055
	DirAuthority here orport=9101 v3ident=$nobody 127.0.0.1:9100 $nobody
	Log notice stdout
	END
}

# Takes connections and has nothing to say.
relay()
{
	cat >"$work/relay.py" <<-END
	import socket
	with socket.create_server(("127.0.0.1", 9101)) as listener:
	    while True:
	        listener.accept()[0].close()
	        print("connected")
	END
	server relay python3 -u "$work/relay.py"
}

was_reached()
{
	grep -q connected "$work/relay.log"
}

# tor answers on its own port: nothing has ended it.
answers()
{
	client python3 - <<-END
	import socket
	with socket.create_connection(("127.0.0.1", 9055)) as sock:
	    sock.sendall(b"\5\1\0")
	    print("socks", sock.recv(2).hex())
	END
}

scenario()
{
	mkdir -m 700 "$work/tor"
	configuration >"$work/torrc"
	relay
	wait_bound tcp 9101 127.0.0.1
	server tor tor -f "$work/torrc"
	wait_bound tcp 9055 127.0.0.1
	wait_until was_reached
	echo "the relay was reached"
	expect "socks 0500" answers
	grep -i 'sandbox).*bad\|syscall' "$work/tor.log" &&
		complain "the sandbox has caught something"
}

program_test
