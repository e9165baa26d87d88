#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Installs what is missing, builds into build/, and lets a client and a server
# talk under Berth, each on a port that Berth has chosen for it.

set -eu
cd "$(dirname "$0")/.."

tests/install-packages.sh build
[ -d build ] || meson setup build >/dev/null
ninja -C build --quiet

berth=build/src/cli/berth
server='
import socket
with socket.socket() as listener:
    listener.listen()
    print(listener.getsockname()[1], flush=True)
    connection, peer = listener.accept()
    print("server: port", listener.getsockname()[1],
          "takes a connection from port", peer[1], flush=True)
    connection.sendall(b"hello")
    connection.close()
'
client='
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
    print("client: port", connection.getsockname()[1], "is told",
          repr(connection.recv(5).decode()), flush=True)
'

echo "\$ berth run -- python3 server   # listens on no port that it named"
"$berth" run -- python3 -c "$server" | {
	read -r port
	echo "\$ berth run -- python3 client $port"
	"$berth" run -- python3 -c "$client" "$port"
	cat
}
