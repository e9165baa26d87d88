#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ports that destinations share, and TIME_WAIT. Edge cases 3, 4 and 5.

Needs BERTH and LIBBERTH.
"""
import contextlib
import socket

from fixture import Program, has_pin, main, same

KERNEL_RANGE = '/proc/sys/net/ipv4/ip_local_port_range'


@contextlib.contextmanager
def servers(n):
    """Ports of n listeners outside Berth, which close what they accept last."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for i, server in enumerate(sockets):
            server.bind(('127.0.0.1', 7000 + i))
            server.listen()
        yield [server.getsockname()[1] for server in sockets], sockets


def in_time_wait(program, name, server):
    """The client closes first."""
    accepted = server.accept()[0]
    program.close(name)
    same(accepted.recv(1), b'')
    accepted.close()


def time_wait():
    """outside the kernel's range a port in TIME_WAIT still serves other
    destinations"""
    with servers(2) as ((one, other), sockets), \
            Program(range='26000-26001') as p:
        used = set()
        for name in 'ab':
            used.add(p.connect(name, one))
        for name in 'ab':
            in_time_wait(p, name, sockets[0])
        same(used, {26000, 26001})
        same({p.connect(name, other) for name in 'cd'}, used)


def rested():
    """a port that was bound for a connect rests: the next to the same place
    comes from another"""
    with servers(1) as ((one,), sockets), Program(range='26010-26011') as p:
        first = p.connect('a', one)
        in_time_wait(p, 'a', sockets[0])
        same(p.connect('b', one), 26010 + (first == 26010))


def left_to_others():
    """within its own range the kernel goes on to choose a port that a connect
    under Berth has"""
    with open(KERNEL_RANGE) as file:
        before = file.read()
    with open(KERNEL_RANGE, 'w') as file:
        file.write('41000 41000')
    try:
        with servers(2) as ((one, other), _), \
                Program(range='41000') as p, \
                Program(preload=False) as bare:
            same(p.connect('a', one), 41000)
            same(bare.connect('b', other), 41000)
    finally:
        with open(KERNEL_RANGE, 'w') as file:
            file.write(before)


# A port that is bound explicitly is no longer in the kernel's search.
main([time_wait, rested] + ([left_to_others] if has_pin() else []))
