# SPDX-License-Identifier: MIT
"""The parts of stress_storm.py: its workers, what they count and keep, and the
kernel's table of sockets."""

import array
import collections
import ctypes
import errno
import os
import signal
import socket
import struct
import threading

import sock_diag
from servers import PORTS as SERVER_PORTS

N_WORKERS, N_TRACED = 6, 2
STEPS_OF_OTHERS = 12, 3     # while one is stopped; those that are traced: few
SECONDS_OF_A_HANG = 900
SECONDS_OF_A_LONG_STOP = 3   # sweeps come and go
KEPT = 10                   # descriptors that the keeper has
DEAD_TCP_PORT = 9           # as in storm_worker.c
KERNEL_RANGE = '32768 60999'

# As in storm.h.
SLOTS, ERRNOS = 32, 160
CALLS = ('bind', 'listen', 'connect', 'connect again', 'UDP connect', 'sendto',
         'other')


class Counts(ctypes.Structure):
    _fields_ = [('steps', ctypes.c_uint * SLOTS),
                ('errors', (ctypes.c_uint * ERRNOS) * len(CALLS)),
                ('n_ports', ctypes.c_uint),
                ('n_outside', ctypes.c_uint),
                ('outside', ctypes.c_uint),
                ('n_survivors', ctypes.c_uint)]

    def failures(self):
        """{(call, errno name)}"""
        return {(call, errno.errorcode.get(number, str(number)))
                for call, row in zip(CALLS, self.errors)
                for number, count in enumerate(row) if count}


# --- the kernel's table ---------------------------------------------------------

TCP_TIME_WAIT, TCP_CLOSE, TCP_LISTEN, TCP_BOUND = 6, 7, 10, 13


def table():
    """All sockets of this namespace that have a port, from NETLINK_SOCK_DIAG."""
    return [one for name in sock_diag.PROTOCOLS
            for family in (socket.AF_INET, socket.AF_INET6)
            for one in sock_diag.sockets(name, family) if one.port]


def is_alone(one):
    """Not one end of a connection: its port is a matter of its address alone."""
    return one.protocol == 'udp' or one.state in (TCP_CLOSE, TCP_LISTEN,
                                                  TCP_BOUND)


def is_lookup(one):
    """Berth's own, while it asks for the source address of a TCP connect."""
    return one.protocol == 'udp' and (one.remote_port == DEAD_TCP_PORT or
                                      one.remote_port in SERVER_PORTS)


def overlap(one, other):
    """Whether the kernel would not let both have a port (without SO_REUSE*)."""
    if one.family == other.family:
        return one.address == other.address or \
            not any(one.address) or not any(other.address)
    # IPv6's wildcard is that of IPv4, too.
    six = one if one.family == socket.AF_INET6 else other
    return not any(six.address)


# --- processes ------------------------------------------------------------------

class Keeper(threading.Thread):
    """Takes descriptors that workers pass on, and keeps some of them."""

    def __init__(self):
        super().__init__(daemon=True)
        self.mine, self.theirs = socket.socketpair(socket.AF_UNIX,
                                                   socket.SOCK_SEQPACKET)
        self.kept = collections.deque()
        self.start()

    def run(self):
        size = socket.CMSG_SPACE(struct.calcsize('i'))
        while True:
            data, messages, _, _ = self.mine.recvmsg(1, size)
            if not data:
                return
            for _, _, payload in messages:
                for fd in array.array('i', payload):
                    self.kept.append(fd)
            while len(self.kept) > KEPT:
                os.close(self.kept.popleft())

    def end(self):
        self.theirs.close()
        self.join()
        while self.kept:
            os.close(self.kept.popleft())
        self.mine.close()


class Worker:
    def __init__(self, storm, slot, traced):
        self.storm, self.slot, self.traced = storm, slot, traced
        self.held, self.status = False, None
        argv = [storm.worker, str(slot), str(storm.rng.randrange(1 << 30)),
                str(storm.lo), str(storm.hi), str(int(storm.connects_again))] \
            + [str(port) for port in SERVER_PORTS]
        env = dict(storm.env)
        if traced:
            argv = [storm.tracer, str(storm.rng.randrange(1 << 30))] + argv
            env['STORM_PRELOAD'] = env.pop('LD_PRELOAD', '')
        orders, self.orders = os.pipe()
        self.reports, reports = os.pipe()
        os.set_blocking(self.reports, False)
        self.pid = os.fork()
        if self.pid == 0:
            self.become(argv, env, orders, reports)
        os.close(orders)
        os.close(reports)

    def become(self, argv, env, orders, reports):
        try:
            # Above all that they are copied to.
            high = [os.dup2(fd, 100 + i) for i, fd in enumerate(
                (orders, reports, 2, self.storm.page_fd, self.storm.life[0],
                 self.storm.keeper.theirs.fileno()))]
            for fd, source in enumerate(high):
                os.dup2(source, fd)
            os.closerange(6, 200)
            os.execve(argv[0], argv, env)
        finally:
            os._exit(127)

    def is_held(self):
        """Whether its tracer has stopped it."""
        try:
            self.held = self.held or os.read(self.reports, 64) != b''
        except BlockingIOError:
            pass
        return self.held

    def release(self):
        self.held = False
        os.write(self.orders, b'on\n')

    def kill(self):
        """At once, wherever it is. The end of its orders has a tracer do it."""
        if self.status is None and not self.held:
            os.kill(self.pid, signal.SIGKILL)
        os.close(self.orders)
        os.close(self.reports)
        if self.status is None:
            os.waitpid(self.pid, 0)

    def ended(self):
        """Its status, as of wait(2), or None."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = status if pid else None
        return self.status
