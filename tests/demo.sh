#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Installs what is missing, builds into build-demo/, and lets a client and a server
# talk under Berth, each on a port that Berth has chosen for it.

set -eu -o pipefail
cd "$(dirname "$0")/.."

fail()
{
	echo "demo.sh: $*" >&2
	exit 1
}

# Says nothing where the command passes, and all that it said where it does not.
quietly()
{
	local said
	said=$("$@" 2>&1) && return
	printf '%s\n' "$said" >&2
	return 1
}

# A folder that this run has made does not outlive its failure: it would be
# neither missing nor usable in the next run.
build()
{
	if [ ! -e build-demo ]; then
		trap 'rm -rf build-demo' EXIT
		trap 'exit 1' HUP INT TERM
	fi
	if [ ! -e build-demo/build.ninja ]; then
		quietly meson setup build-demo ||
			fail 'meson cannot configure build-demo/'
	fi
	quietly ninja -C build-demo ||
		fail 'ninja cannot build; if build-demo/ is an old one, remove it'
	trap - EXIT HUP INT TERM
}

tests/install-packages.sh build
build

berth=build-demo/src/cli/berth
server='
import socket
with socket.socket() as listener:
    listener.settimeout(60)
    listener.listen()
    print(listener.getsockname()[1], flush=True)
    connection, peer = listener.accept()
    print("server: port", listener.getsockname()[1],
          "accepted a connection from port", peer[1], flush=True)
    connection.sendall(b"hello")
    connection.close()
'
client='
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
    print("client: port", connection.getsockname()[1], "received",
          repr(connection.recv(5).decode()), flush=True)
'

echo "\$ berth run -- python3 server   # names no port"
"$berth" run -- python3 -c "$server" | {
	read -r port || fail 'the server names no port'
	echo "\$ berth run -- python3 client $port"
	"$berth" run -- python3 -c "$client" "$port"
	cat
}
