#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Processes that use sockets at random under libberth.so, on one map.

stress_preload.py LIBBERTH [ROUNDS [SEED]]

Each port that bind(0) or listen() has chosen is entered into a table that the
processes share: nobody may be given one that another one holds. Every automatic
port lies in the range; and no call fails, since the range has plenty.
"""

import ctypes
import multiprocessing
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))

import servers
from tap import Tap

LO, HI = 40000, 41999
N_PROCESSES = 6


class Worker:
    def __init__(self, held, servers, rng):
        self.held, self.servers, self.rng = held, servers, rng
        self.sockets = []

    def check(self, sock):
        port = sock.getsockname()[1]
        assert LO <= port <= HI, f"port {port} is outside"
        return port

    def hold(self, sock, table):
        """A port of its own: nobody else may have it."""
        port = self.check(sock)
        with self.held.get_lock():
            index = table * 65536 + port
            assert self.held[index] == 0, f"port {port} is given twice"
            self.held[index] = 1
        self.sockets.append((sock, index))

    def bind(self):
        kind = self.rng.choice((socket.SOCK_STREAM, socket.SOCK_DGRAM))
        family = self.rng.choice((socket.AF_INET, socket.AF_INET6))
        sock = socket.socket(family, kind)
        if self.rng.random() < 0.5:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.rng.random() < 0.3 and kind == socket.SOCK_STREAM:
            sock.listen(1)
        else:
            sock.bind(("", 0))
        self.hold(sock, 0 if kind == socket.SOCK_STREAM else 1)

    def connect(self):
        sock = socket.create_connection(self.rng.choice(self.servers))
        self.check(sock)
        # Closed by a reset: TIME_WAIT would use the range up, for the kernel too.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
        self.sockets.append((sock, None))

    def send(self):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.sendto(b"x", ("127.0.0.1", 9))
        self.hold(sock, 1)

    def dup(self):
        if self.sockets:
            at = self.rng.randrange(len(self.sockets))
            sock, index = self.sockets[at]
            self.sockets[at] = sock.dup(), index
            sock.close()

    def fork(self):
        """A child closes what it inherits: the parent lives on."""
        child = os.fork()
        if child == 0:
            for sock, _ in self.sockets:
                sock.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0

    def close(self):
        if not self.sockets:
            return
        sock, index = self.sockets.pop(self.rng.randrange(len(self.sockets)))
        if index is not None:
            with self.held.get_lock():
                self.held[index] = 0
        sock.close()

    def run(self, n_rounds):
        calls = (self.bind, self.connect, self.send, self.dup, self.close)
        for _ in range(n_rounds):
            if len(self.sockets) > 40:
                self.close()
            self.fork() if self.rng.random() < 0.01 else \
                self.rng.choice(calls)()
        while self.sockets:
            self.close()


def storm(n_rounds, seed):
    server = servers.start()
    places = [(address, port) for address in ("127.0.0.1", "::1")
              for port in servers.PORTS]
    held = multiprocessing.Array(ctypes.c_ubyte, 2 * 65536)
    workers = [multiprocessing.Process(
        target=lambda i=i: Worker(held, places,
                                  random.Random(seed + i)).run(n_rounds))
        for i in range(N_PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    os.kill(server, signal.SIGKILL)
    os.waitpid(server, 0)
    return all(worker.exitcode == 0 for worker in workers)


def under_berth(libberth, arguments):
    """Runs this script again, in a network namespace and under Berth."""
    folder = tempfile.mkdtemp(prefix="berth-stress-")
    environment = dict(os.environ, LD_PRELOAD=libberth, BERTH_DIR=folder,
                       BERTH_RANGE=f"{LO}-{HI}", STRESS_INSIDE="1")
    try:
        return subprocess.run(
            ["unshare", "-n", "sh", "-c",
             'ip link set lo up && exec "$@"', "sh", sys.executable]
            + arguments, env=environment, check=False).returncode
    finally:
        shutil.rmtree(folder)


def main():
    n_rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 1500
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else time.time_ns() % 10**9
    if "STRESS_INSIDE" not in os.environ:
        return under_berth(sys.argv[1], [__file__, sys.argv[1], str(n_rounds),
                                         str(seed)])
    tap = Tap()
    tap.ok(storm(n_rounds, seed),
           f"{N_PROCESSES} processes with sockets at random, seed {seed}")
    return tap.end()


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    sys.exit(main())
