#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Processes that use sockets at random under libberth.so, and are stopped and
killed at random, some of them between any two instructions.

stress_storm.py BERTH LIBBERTH WORKER TRACER [ROUNDS [SEED]]

Nobody waits for one that is stopped. Every port lies in the range, no two
sockets have one port that the kernel would not give to both, and a call fails
with an errno that it has without Berth, too. Afterwards two sweeps make the map
agree with the kernel's table, while some sockets live on, and when all are gone
every port of the range is had again.
"""

import collections
import ctypes
import itertools
import mmap
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))

import servers
from storm_parts import (Counts, KERNEL_RANGE, Keeper, N_TRACED, N_WORKERS,
                         SECONDS_OF_A_HANG, SECONDS_OF_A_LONG_STOP,
                         SERVER_PORTS, STEPS_OF_OTHERS, Worker, is_alone,
                         is_lookup, overlap, table)
from tap import Tap, skip_all


class Failure(Exception):
    pass


class Storm:
    def __init__(self, tools, kind, rng, preload):
        ports, _, self.connects_again, _ = kind
        self.berth, self.libberth, self.worker, self.tracer = tools
        self.lo, self.hi = ports
        self.rng, self.preload = rng, preload
        self.happened = collections.Counter()
        self.env = dict(os.environ, BERTH_RANGE=f'{self.lo}-{self.hi}')
        if preload:
            self.env['LD_PRELOAD'] = self.libberth
        # Neither a socket nor a file that could be used up.
        self.page_fd = os.memfd_create('storm', 0)
        os.ftruncate(self.page_fd, ctypes.sizeof(Counts))
        self.counts = Counts.from_buffer(
            mmap.mmap(self.page_fd, ctypes.sizeof(Counts)))
        self.life = os.pipe()
        self.keeper = Keeper()
        self.server = servers.start()
        self.workers = [self.start(slot) for slot in
                        range(N_WORKERS + N_TRACED)]

    def start(self, slot):
        return Worker(self, slot, slot >= N_WORKERS)

    # --- observers --------------------------------------------------------------

    def wrong(self):
        """Sockets outside the range, and pairs that have one port and should
        not."""
        outside, by_port = set(), collections.defaultdict(set)
        for one in table():
            if is_lookup(one) or one.port in SERVER_PORTS:
                continue
            if not self.lo <= one.port <= self.hi:
                outside.add(frozenset([one]))
            if is_alone(one):
                by_port[one.protocol, one.port].add(one)
        return outside | {
            frozenset(pair) for several in by_port.values()
            for pair in itertools.combinations(several, 2)
            if pair[0].inode != pair[1].inode and overlap(*pair)}

    def look_at_table(self):
        wrong = self.wrong()
        # A listing takes its time: two were there at once if they still are. And
        # Berth's own lookup is not connected at first.
        wrong = wrong and wrong & self.wrong()
        if wrong:
            raise Failure(f'outside the range, or given twice: '
                          f'{[tuple(each) for each in wrong]}')

    def look_at_workers(self):
        """Nobody ends by himself."""
        for worker in self.workers:
            status = worker.ended()
            if status is not None:
                raise Failure(f'worker {worker.slot} ended: {status:#x}')
        if self.preload and self.counts.n_outside:
            raise Failure(f'port {self.counts.outside} is outside')

    def others_get_on(self, stopped):
        """Waits until all but one have made so many steps."""
        others = [w for w in self.workers if w is not stopped]
        goals = {w: self.counts.steps[w.slot] + STEPS_OF_OTHERS[w.traced]
                 for w in others}
        deadline = time.monotonic() + SECONDS_OF_A_HANG
        while others:
            # A tracer may have stopped another one.
            others = [w for w in others if not w.is_held()
                      and self.counts.steps[w.slot] < goals[w]]
            self.look_at_workers()
            if time.monotonic() > deadline:
                raise Failure(f'{[w.slot for w in others]} wait for '
                              f'{stopped.slot}')
            time.sleep(0.0005)

    # --- what happens -------------------------------------------------------------

    def stop_one(self):
        victim = self.rng.choice(self.workers[:N_WORKERS])
        self.happened['stopped'] += 1
        os.kill(victim.pid, signal.SIGSTOP)
        self.others_get_on(victim)
        self.end_hold(victim, lambda: os.kill(victim.pid, signal.SIGCONT))

    def stop_for_long(self):
        victim = self.rng.choice(self.workers[:N_WORKERS])
        self.happened['stopped for seconds'] += 1
        os.kill(victim.pid, signal.SIGSTOP)
        end = time.monotonic() + SECONDS_OF_A_LONG_STOP
        while time.monotonic() < end:
            self.others_get_on(victim)
        self.end_hold(victim, lambda: os.kill(victim.pid, signal.SIGCONT))

    def stop_traced(self):
        held = [w for w in self.workers if w.traced and w.is_held()]
        if not held:
            return self.others_get_on(self.workers[-1])
        victim = self.rng.choice(held)
        self.happened['stopped at an instruction'] += 1
        self.others_get_on(victim)
        self.end_hold(victim, victim.release)

    def end_hold(self, victim, go_on):
        if self.rng.random() < 0.5:
            go_on()
        else:
            self.replace(victim)

    def replace(self, victim):
        self.happened['killed'] += 1
        victim.kill()
        self.workers[victim.slot] = self.start(victim.slot)

    def kill_one(self):
        victim = self.rng.choice(self.workers[:N_WORKERS])
        self.replace(victim)
        self.others_get_on(victim)

    def blow(self, n_rounds):
        happenings = [self.rng.choice((self.stop_one, self.stop_traced,
                                       self.stop_traced, self.kill_one))
                      for _ in range(n_rounds)]
        for happen in [self.stop_for_long] + happenings:
            happen()
            if self.preload:
                self.look_at_table()

    def kill_workers(self):
        for worker in self.workers:
            worker.kill()
        self.workers = []

    def end(self):
        """Ends all, survivors too, and waits for them."""
        self.kill_workers()
        os.kill(self.server, signal.SIGKILL)
        os.close(self.life[1])
        self.keeper.end()
        while True:
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                break
        os.close(self.life[0])
        os.close(self.page_fd)

    # --- afterwards ---------------------------------------------------------------

    def run_berth(self, *words):
        env = {k: v for k, v in self.env.items() if k != 'LD_PRELOAD'}
        done = subprocess.run([self.berth, *words, '--porcelain'], env=env,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=SECONDS_OF_A_HANG)
        if done.returncode != 0 or done.stderr:
            raise Failure(f'berth {words}: {done.returncode} {done.stderr}')
        return [line.split('\t') for line in done.stdout.splitlines()]

    def ports_in_use(self):
        return {(one.protocol, one.port) for one in table()
                if one.port not in SERVER_PORTS and not is_lookup(one)}

    def expect_agreement(self):
        """Two sweeps, and no lease lacks a socket, no socket a lease."""
        before = self.ports_in_use()
        self.run_berth('sweep')
        self.run_berth('sweep')
        leases = {(row[1], int(row[2])) for row in self.run_berth('status')
                  if row[0] == 'lease'}
        # TIME_WAIT may have ended in between.
        after = self.ports_in_use()
        if not after <= leases <= before:
            raise Failure(f'sockets without a lease {after - leases}, leases '
                          f'without a socket {leases - before}')
        again = self.run_berth('sweep')
        if {row[5] for row in again if row[0] == 'sweep'} != {'0'}:
            raise Failure(f'a third sweep finds sockets to mark: {again}')
        return len(leases)

    def expect_all(self):
        """Every port is had again, but for those in TIME_WAIT."""
        source = (
            'import socket, sys\n'
            'held = []\n'
            'for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:\n'
            '    try:\n'
            '        while True:\n'
            '            held.append(socket.socket(type=kind))\n'
            '            held[-1].bind(("", 0))\n'
            '    except OSError:\n'
            '        held.pop()\n'
            '    print(len({s.getsockname()[1] for s in held\n'
            '               if s.type == kind}))\n')
        waiting = {one.port for one in table() if one.protocol == 'tcp'
                   and one.port not in SERVER_PORTS}
        done = subprocess.run([sys.executable, '-c', source], env=self.env,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=SECONDS_OF_A_HANG)
        n_ports = self.hi - self.lo + 1
        got = [int(word) for word in done.stdout.split()]
        if got[1:] != [n_ports] or \
                not n_ports - len(waiting) <= got[0] <= n_ports:
            raise Failure(f'had again: {got} of {n_ports}, {len(waiting)} in '
                          f'TIME_WAIT; {done.stderr[-300:]}')


def write_kernel_range(text):
    with open('/proc/sys/net/ipv4/ip_local_port_range', 'w') as file:
        file.write(text)


def bare_failures(tools, kind, rng, n_rounds):
    """What fails, and how, when the kernel chooses from the same ports."""
    write_kernel_range('%d %d' % kind[0])
    storm = Storm(tools, kind, rng, preload=False)
    try:
        storm.blow(n_rounds)
        failures = storm.counts.failures()
        return failures | {('connect again', name) for call, name in failures
                           if call == 'connect'}
    finally:
        storm.end()
        write_kernel_range(KERNEL_RANGE)


def run_storm(tools, kind, rng, n_rounds, allowed):
    """Raises Failure, or returns what there was, for the record."""
    storm = Storm(tools, kind, rng, preload=True)
    try:
        storm.blow(n_rounds)
        failures = storm.counts.failures()
        if not failures <= allowed:
            raise Failure(f'errnos {sorted(failures - allowed)}, which are not '
                          f'among {sorted(allowed)}')
        storm.kill_workers()
        n_left = storm.expect_agreement()
    finally:
        storm.end()
    storm.expect_agreement()
    storm.expect_all()
    return (f'{dict(storm.happened)}; {sum(storm.counts.steps)} steps, '
            f'{storm.counts.n_ports} ports, {n_left} left for the sweep; '
            f'failed: {sorted(failures)}')


# Ports to be had, whether they are scarce, and what is special about them. A
# port that was bound stays with a socket that is refused, and may be another's
# towards the next destination: there no socket connects again.
STORMS = (
    ((40000, 40399), False, True, 'ports that are pinned'),
    ((20000, 20399), False, False, 'ports that are bound'),
    ((40000, 40039), True, True, 'fewer ports than are asked for'),
)


def inside(tools, n_rounds, seed, number):
    """As the first process of its namespaces, to which all orphans fall."""
    kind = STORMS[number - 1]
    rng = random.Random(seed + number)
    allowed = {('connect', 'ECONNREFUSED')}
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    write_kernel_range(KERNEL_RANGE)
    with tempfile.TemporaryDirectory(prefix='berth-storm-') as folder:
        os.environ['BERTH_DIR'] = folder
        try:
            if kind[1]:
                allowed |= bare_failures(tools, kind, rng, n_rounds)
            Tap.note([run_storm(tools, kind, rng, n_rounds, allowed)])
        except Failure as failure:
            Tap.note([failure])
            return 1
    return 0


def main():
    tools = [os.path.abspath(path) for path in sys.argv[1:5]]
    n_rounds = int(sys.argv[5]) if len(sys.argv) > 5 else 40
    seed = int(sys.argv[6]) if len(sys.argv) > 6 else time.time_ns() % 10**9
    if 'STORM_INSIDE' in os.environ:
        return inside(tools, n_rounds, seed, int(os.environ['STORM_INSIDE']))
    for name in [n for n in os.environ if n.startswith('BERTH_')]:
        del os.environ[name]
    os.environ.pop('LD_PRELOAD', None)
    # A PID namespace too: whatever happens, nobody is left behind.
    unshare = ['unshare', '-n', '-p', '-f', '--kill-child', '--mount-proc']
    if os.geteuid() != 0:
        unshare.insert(1, '-r')
    if subprocess.run([*unshare, 'true'], stderr=subprocess.DEVNULL).returncode:
        skip_all('no network and PID namespaces (unshare)')
        return 0
    if subprocess.run([tools[3], '1', '/bin/true'], stdout=subprocess.DEVNULL,
                      stdin=subprocess.DEVNULL).returncode == 77:
        skip_all('ptrace is not allowed')
        return 0
    tap = Tap()
    # Each in namespaces of its own: TIME_WAIT outlives its processes.
    for number, (_, _, _, what) in enumerate(STORMS, 1):
        status = subprocess.run(
            [*unshare, sys.executable, __file__, *tools, str(n_rounds),
             str(seed)], env=dict(os.environ, STORM_INSIDE=str(number)))
        tap.ok(status.returncode == 0,
               f'processes stopped and killed at random, {what}, '
               f'{n_rounds} rounds, seed {seed}')
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
