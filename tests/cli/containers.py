#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs in namespaces and on devices of their own. Edge cases 26, 34 and 38.

Needs BERTH and LIBBERTH, and root.
"""
import os
import shutil
import subprocess
import sys
import tempfile
from builtins import range as each

from fixture import HANG_SECONDS, LO, HI, Program, berth, main, same, wait_until

SETNS = ('import ctypes, os; '
         'fd = os.open("/proc/%d/ns/net", os.O_RDONLY); '
         'print(ctypes.CDLL(None).setns(fd, 0)); os.close(fd)')


class Container(Program):
    """A program that is pid 1 of a pid namespace of its own, and shares the
    network namespace; folder is where its map lies."""

    def __init__(self, folder, range):
        # One each: the shell of another may not have read its own yet.
        number, wrapper = tempfile.mkstemp(suffix='.sh',
                                           dir=os.environ['BERTH_DIR'])
        with open(number, 'w') as file:
            file.write('#!/bin/sh\n'
                       'exec unshare --pid --fork --mount-proc '
                       f'--kill-child {sys.executable} "$@"\n')
        os.chmod(wrapper, 0o755)
        super().__init__(name=wrapper, range=range, BERTH_DIR=folder)


def pids(program):
    return program.do('import os; print(os.getpid())')


def share(folders, range, n):
    """n binds and connects each, in turns: no call fails, no port twice."""
    lo, hi = map(int, range.split('-'))
    with Container(folders[0], range) as one, \
            Container(folders[1], range) as two:
        same((pids(one), pids(two)), (1, 1))
        ports = []
        for i in each(n):
            ports += [one.bind(f'b{i}', listen=not i),
                      two.bind(f'b{i}', listen=not i)]
        same(len(set(ports)), 2 * n)
        same([p for p in ports if not lo <= p <= hi], [])
        listener = ports[0]
        for i in each(n):
            ports += [one.connect(f'c{i}', listener),
                      two.connect(f'c{i}', listener)]
        same(len(set(ports)), 4 * n)
        return one.pid


def one_folder():
    """two containers, both pid 1, with one folder mounted into both"""
    folder = os.environ['BERTH_DIR']
    share([folder, folder], '22000-22099', 20)
    swept = berth('sweep', '--porcelain', BERTH_DIR=folder)
    same(swept.returncode, 0)
    status = berth('status', '--porcelain', range='22000-22099').stdout
    whole = [line.split('\t')[3] for line in status.splitlines()
             if line.startswith('ports\ttcp')]
    same(whole, ['0'])


def a_folder_each():
    """two containers with a /dev/shm each: the kernel alone keeps them apart"""
    folders = [tempfile.mkdtemp(dir=os.environ['BERTH_DIR'])
               for _ in range(2)]
    share(folders, '23000-23099', 20)


def cleared(range):
    """Leases without a socket that sweeps have found so far."""
    berth('sweep', range=range)
    status = berth('status', '--porcelain').stdout
    return [int(line.split('\t')[2]) for line in status.splitlines()
            if line.startswith('counter\tswept')][0]


def died_as_pid_1():
    """of two that are pid 1, the one that dies takes nothing of the other"""
    folder = os.environ['BERTH_DIR']
    with Container(folder, '24000-24009') as lives:
        kept = lives.bind('kept', listen=True)
        dies = Container(folder, '24000-24009')
        lost = {dies.bind(f'b{i}') for i in range(5)}
        dies.process.kill()
        dies.process.wait(HANG_SECONDS)

        def all_cleared():
            return cleared('24000-24009') >= 5

        wait_until(all_cleared)
        same(lives.connect('c', kept) != kept, True)
        again = {lives.bind(f'b{i}') for i in range(8)}
        same(lost <= again and kept not in again, True)


def moved():
    """a program that goes to another network namespace after its start"""
    with subprocess.Popen(['unshare', '-n', 'sh', '-c',
                           'ip link set lo up; echo; cat'], text=True,
                          stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        with Program() as p:
            before = p.bind('a', listen=True)
            same(p.do(SETNS % other.pid), 0)
            after = [p.bind(f'b{i}', listen=True) for i in range(20)]
            same([port for port in after if not LO <= port <= HI], [])
            after.append(p.connect('c', after[0]))
            same(LO <= after[-1] <= HI, True)
            # The number is free there, unless it was drawn again: the kernel is
            # the judge.
            same(p.outcome('s = socket.socket(); '
                           f's.bind(("127.0.0.1", {before}))'),
                 'EADDRINUSE' if before in after else 'OK')
        other.stdin.close()


def devices():
    """sockets that are bound to a device each: the kernel decides"""
    subprocess.run(['ip', 'link', 'add', 'berth0', 'type', 'veth', 'peer',
                    'name', 'berth1'], check=True)
    line = ('s = kept["%s"] = socket.socket(); '
            's.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"%s"); '
            's.bind(("", %d)); s.listen(); print(s.getsockname()[1])')
    with Program() as p:
        ports = [p.do(line % (f'{device}{i}', device, 0))
                 for i in range(20) for device in ('lo', 'berth0')]
        same(len(set(ports)), 40)
        same([port for port in ports if not LO <= port <= HI], [])
        # One number on two devices, named by the program.
        same([p.do(line % (f'{device}x', device, 25000))
              for device in ('lo', 'berth0')], [25000, 25000])


if shutil.which('unshare') is None or os.geteuid() != 0:
    print('1..0 # SKIP needs root, for pid namespaces')
else:
    main([one_folder, a_folder_each, died_as_pid_1, moved, devices])
