#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""berth sweep, and the sweep that a program makes: nothing is lost, whatever
dies, and whatever its pid was: edge case 26. Needs BERTH and LIBBERTH.
"""
import json
import signal
import socket
import time

from fixture import (HANG_SECONDS, LO, HI, Program, berth, counts, fresh_folder,
                     lists_bound, main, records, same)

FRESH = '21000-21099'


def sweep(*words):
    result = berth('sweep', '--json', *words)
    same((result.returncode, result.stderr), (0, ''))
    return {row['protocol']: row for row in
            json.loads(result.stdout)['sweeps']}


def counter(name):
    [[_, count]] = [row for row in records('counter') if row[0] == name]
    return int(count)


def kill(program):
    program.process.send_signal(signal.SIGKILL)
    program.process.wait(HANG_SECONDS)


def fill(program):
    """Sockets of every kind, which leave leases of every use."""
    listener = program.bind('l', listen=True)
    for i in range(10):
        program.connect(f'c{i}', listener)
        program.bind(f'a{i}', address='127.0.0.1')
        program.bind(f'u{i}', 'DGRAM')
        program.bind(f'v{i}', 'DGRAM', address='127.0.0.1')


def killed(*words):
    program = Program()
    fill(program)
    # /proc/net/tcp does not have the ten that are bound and nothing else.
    has_all = lists_bound() and not words
    same(sweep(*words)['tcp']['cleared'], 0 if has_all else 10)
    before = records('ports')
    kill(program)
    same(records('ports'), before)
    swept = sweep(*words)
    same(swept['udp']['cleared'], 20)
    same(swept['tcp']['cleared'] > 0, True)
    again = sweep(*words)
    same((again['tcp']['cleared'], again['udp']['cleared']), (0, 0))
    free, whole, bound, connect, rest = counts('udp')
    same((free + rest, whole, bound, connect), (HI - LO + 1, 0, 0, 0))
    # Of TCP there may be TIME_WAIT, which the sweep has marked.
    free, whole, bound, connect, rest = counts('tcp')
    same(whole + bound, 0)


def killed_netlink():
    """what a killed process had leased goes to rest"""
    killed()


def killed_proc():
    """the same from /proc/net"""
    killed('--proc')


def foreign():
    """a socket in a range that the map does not show is marked, and unmarked"""
    with Program() as p:
        p.bind('a')
    # TIME_WAIT of other cases.
    sweep()
    for words in ([], ['--proc']):
        with socket.socket() as one, \
                socket.socket(type=socket.SOCK_DGRAM) as two:
            one.bind(('127.0.0.1', LO + 50))
            one.listen()
            two.bind(('0.0.0.0', LO + 51))
            swept = sweep(*words)
            same((swept['tcp']['marked'] >= 1, swept['udp']['marked']),
                 (True, 1))
            same(counts('udp')[1], 1)
            same(sweep(*words)['tcp']['marked'], 0)
        swept = sweep(*words)
        same(swept['udp']['cleared'], 1)
        same(counts('udp')[1], 0)


def recovers():
    """a range whose holder was killed is had again at once, and the map is made
    right by the one who finds it dry"""
    # Listening: not every kernel lists what is only bound.
    program = Program(range=FRESH)
    for i in range(100):
        program.bind(f'b{i}', listen=True)
    kill(program)
    with Program(range=FRESH) as p:
        same({p.bind(f'b{i}', listen=True) for i in range(100)},
             set(range(21000, 21100)))
        same(counter('swept'), 100)
        same(counter('kernel-asked'), 0)


def dries_up_twice():
    """Whether a range could be used up twice within a second."""
    program = Program(range=FRESH)
    for i in range(50):
        program.bind(f'b{i}', listen=True)
    with Program(range=FRESH) as p:
        for i in range(50):
            p.bind(f'b{i}', listen=True)
        line = 's = socket.socket(); s.bind(("", 0)); s.listen()'
        begin = time.monotonic()
        same(p.outcome(line), 'EADDRINUSE')
        # The turn has just been taken: the kernel is asked, and serves.
        kill(program)
        same(p.outcome(line), 'OK')
        if time.monotonic() - begin >= 1:
            return False
        same((counter('swept'), counter('kernel-asked')), (0, 2))
        p.do('del s')
        time.sleep(1.1)
        same(p.outcome(line), 'OK')
        same(counter('swept') >= 49, True)
        same(counter('kernel-asked'), 2)
    return True


def once_a_second():
    """a dry map is swept once a second, not at each call"""
    # A busy machine may take longer: then nothing is known, and it tries again.
    while not dries_up_twice():
        fresh_folder()


def nothing():
    """without a map there is nothing to sweep"""
    result = berth('sweep')
    same((result.returncode, 'no shared map' in result.stderr), (0, True))
    same(json.loads(berth('sweep', '--json').stdout), {'sweeps': []})


main([killed_netlink, killed_proc, foreign, recovers, once_a_second, nothing])
