# SPDX-License-Identifier: MIT
"""Binds and connects until standard input ends. Prints "ready" after the first
of these calls, and at the end for each when it began, when it ended
(CLOCK_MONOTONIC, ns), and the port, 0 for a failure."""
import select
import socket
import sys
import time

server = socket.socket()
server.bind(('127.0.0.1', 1000 + time.monotonic_ns() % 20000 + 2000))
server.listen(512)
calls = []


def timed(call):
    sock = socket.socket()
    begin = time.monotonic_ns()
    try:
        call(sock)
        port = sock.getsockname()[1]
    except OSError:
        port = 0
    calls.append((begin, time.monotonic_ns(), port))
    sock.close()


def connect(sock):
    sock.connect(server.getsockname())
    server.accept()[0].close()


while not select.select([sys.stdin], [], [], 0)[0]:
    timed(lambda sock: sock.bind(('127.0.0.1', 0)))
    timed(connect)
    if len(calls) == 2:
        print('ready', flush=True)
for call in calls:
    print(*call)
