#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ip_local_port_range moves away while a program runs: edge case 2.

range_moves.py IN_NAMESPACE LIBBERTH

The pins of the program are ignored from then on, in silence. That is noticed, said,
and the next ports are bound explicitly: inside the range again.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time

from harness import Tap, has_pin, skip_all

LO, HI = 40000, 40999
PATH = "/proc/sys/net/ipv4/ip_local_port_range"


def inside():
    """Runs under Berth, in a namespace of its own."""
    server = socket.socket()
    server.bind(("127.0.0.1", 7000))
    server.listen(100)
    before = socket.create_connection(("127.0.0.1", 7000))
    with open(PATH, "w", encoding="ascii") as file:
        file.write("20000 21000")
    # The pin is looked at once in a tick of the clock: let it pass.
    time.sleep(0.05)
    noticed = socket.create_connection(("127.0.0.1", 7000))
    after = [socket.create_connection(("127.0.0.1", 7000)) for _ in range(20)]
    bound = socket.socket()
    bound.bind(("", 0))
    ports = [sock.getsockname()[1] for sock in [before, *after, bound]]
    assert all(LO <= port <= HI for port in ports), ports
    assert 20000 <= noticed.getsockname()[1] <= 21000


def main():
    if len(sys.argv) == 2:
        inside()
        return 0
    if not has_pin():
        skip_all("no IP_LOCAL_PORT_RANGE (Linux 6.3)")
        return 0
    in_namespace, libberth = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="berth-test-") as folder:
        run = subprocess.run(
            [in_namespace, "-p", libberth, sys.executable, __file__, "inside"],
            env=dict(os.environ, BERTH_DIR=folder, BERTH_RANGE=f"{LO}-{HI}", BERTH_LOG="stderr"),
            capture_output=True, text=True, check=False)
    tap = Tap()
    tap.ok(run.returncode == 0,
           "the ports after it are inside the range again",
           run.stderr.splitlines())
    tap.ok(run.stderr.count("though pinned") == 1, "it is said, once",
           run.stderr.splitlines())
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
