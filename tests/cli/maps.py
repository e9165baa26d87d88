#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The maps of several users: what status, log and sweep show and mend of them
together. Edge case 50.

Needs TMPFILES: systemd's file makes /run/berth.
"""
import json
import os
import re
import shutil
import stat
import subprocess
import time
from builtins import range as each

from fixture import BERTH, HANG_SECONDS, main, same
from machine import (ONE, OTHER, POLICY, REFUSED, SWEEP_LINES, answer,
                     command, folder, machine, name, program, status)

CLOCK_REALTIME_COARSE = 5       # clock_gettime(2), by which events have their time


def at_boot():
    """systemd's file makes /run/berth, which is root's alone to write"""
    with machine():
        shutil.rmtree('/run/berth')
        tool = shutil.which('systemd-tmpfiles')
        if tool is None:
            with open(os.environ['TMPFILES']) as file:
                lines = [line for line in file if not line.startswith('#')]
            same(lines, ['d /run/berth 0755 root root -\n'])
            return
        subprocess.run([tool, '--create', os.environ['TMPFILES']], check=True,
                       timeout=HANG_SECONDS)
        made = os.stat('/run/berth')
        same((stat.S_IMODE(made.st_mode), made.st_uid), (0o755, 0))
        with program(0) as p:
            p.bind('a')
            same(status()['own_map']['path'].startswith('/run/berth/'), True)


def all_together():
    """root's status has the ports, holders, counters and maps of all users"""
    with machine(), program(0) as root, program(ONE) as one, \
            program(OTHER) as other:
        programs = (root, one, other)
        ports = [p.bind('a', listen=True) for p in programs]
        same([p.outcome(REFUSED) for p in programs], ['EACCES'] * 3)
        report = status()
        same({row['port']: row['pid'] for row in report['leases']},
             {port: p.pid for port, p in zip(ports, programs)})
        same([(row['whole'], row['free']) for row in report['ports']
              if row['protocol'] == 'tcp'], [(3, 497)])
        same([row['count'] for row in report['counters']
              if row['counter'] == 'reserved'], [3])
        same([(row['user'], row['state']) for row in report['maps']],
             [(name(uid), 'shared') for uid in (0, ONE, OTHER)])
        same(report['maps'][1]['path'], folder(ONE) + '/map')
        one.close('a')
        [tcp] = [row for row in status()['ports'] if row['protocol'] == 'tcp']
        same((tcp['whole'], tcp['rest']), (2, 1))


def of_a_user():
    """a user's status has what is this user's, and says which maps are not"""
    with machine(), program(0) as root, program(ONE) as one, \
            program(OTHER) as other:
        ports = [p.bind('a', listen=True) for p in (root, one, other)]
        report = status(ONE)
        same([row['port'] for row in report['leases']], [ports[1]])
        same([(row['user'], row['state']) for row in report['maps']],
             [(name(0), 'Permission denied'), (name(ONE), 'shared'),
              (name(OTHER), 'Permission denied')])
        same(one.outcome(REFUSED), 'EACCES')
        for words, lines in (('log', [1]), ('sweep', SWEEP_LINES)):
            result = command(words, uid=ONE)
            same((result.returncode, len(result.stdout.splitlines()) in lines),
                 (0, True))
            same('left out' in result.stderr, True)


def of_one_map():
    """a map that root shares is everybody's, and of its events nobody knows whose
    they are"""
    with machine(POLICY + 'map-mode = "0666"\n'), program(0) as root, \
            program(ONE) as one:
        ports = {p.bind('a', listen=True) for p in (root, one)}
        same(one.outcome(REFUSED), 'EACCES')
        for uid in 0, OTHER:
            same({row['port'] for row in status(uid)['leases']}, ports)
            same(json.loads(answer('log', '--json', uid=uid))['user'], None)
            same(answer('log', '--porcelain', uid=uid).split('\t')[-1], '-\n')


def merged():
    """root's log has the events of all users in the order of their times, and
    whose they are, as the last column"""
    users = [ONE, OTHER, 0, OTHER, ONE, 0]
    with machine(), program(0) as root, program(ONE) as one, \
            program(OTHER) as other:
        programs = {0: root, ONE: one, OTHER: other}
        for uid in users:
            same(programs[uid].outcome(REFUSED), 'EACCES')
            # Events of one tick of the clock have the same time.
            tick = time.clock_gettime(CLOCK_REALTIME_COARSE)
            while time.clock_gettime(CLOCK_REALTIME_COARSE) == tick:
                time.sleep(0.001)
        names = [name(uid) for uid in users]
        records = [json.loads(line)
                   for line in answer('log', '--json').splitlines()]
        same([list(record)[-1] for record in records], ['user'] * 6)
        same([(record['user'], record['pid']) for record in records],
             list(zip(names, [programs[uid].pid for uid in users])))
        same([line.split('\t')[-1] for line in
              answer('log', '--porcelain', '-n', '4').splitlines()], names[2:])
        same([re.search('rule "default"(.*)', line)[1]
              for line in answer('log').splitlines()],
             [f'; user {name(uid)}' if uid else '' for uid in users])


def followed():
    """log -f has them too, of maps that come later"""
    with machine(), subprocess.Popen(
            [BERTH, 'log', '-f', '--json'], stdout=subprocess.PIPE, text=True,
            env={}) as log:
        try:
            for uid in ONE, OTHER, ONE:
                with program(uid) as p:
                    same(p.outcome(REFUSED), 'EACCES')
                    event = json.loads(log.stdout.readline())
                    same((event['user'], event['pid']), (name(uid), p.pid))
        finally:
            log.kill()


def all_swept():
    """root's sweep mends the maps of all users, a user's the own one"""
    with machine():
        for uid in ONE, OTHER:
            p = program(uid)
            for i in each(5):
                p.bind(f'a{i}', 'DGRAM')
            p.process.kill()
            p.process.wait(HANG_SECONDS)

        def swept(uid):
            result = command('sweep', '--json', uid=uid)
            same(result.returncode, 0)
            return [(row['leases'], row['cleared']) for row in
                    json.loads(result.stdout)['sweeps']
                    if row['protocol'] == 'udp']

        same(swept(OTHER), [(5, 5)])
        same(len(status()['leases']), 5)
        same(swept(0), [(5, 5)])
        same(status()['leases'], [])


def no_maps():
    """what is no map of the user's whose name it has is not taken for one"""
    with machine(), program(0) as root, program(ONE) as one:
        ports = {p.bind('a', listen=True) for p in (root, one)}
        mine = folder(ONE)
        os.makedirs(folder(OTHER))
        # Another user's folder, link, and file; what is no file; a short one.
        os.chown(f'/dev/shm/berth-{OTHER}', ONE, ONE)
        os.symlink(f'/dev/shm/berth-{ONE}', '/dev/shm/berth-1002')
        for uid in each(1003, 1008):
            os.makedirs(folder(uid))
            for path in f'/dev/shm/berth-{uid}', folder(uid):
                os.chown(path, uid, uid)
        os.link(f'{mine}/map', folder(1003) + '/map')
        os.symlink(f'{mine}/map', folder(1004) + '/map')
        os.mkfifo(folder(1005) + '/map')
        with open(folder(1006) + '/map', 'w'):
            pass
        for uid in each(1004, 1007):
            os.chown(folder(uid) + '/map', uid, uid, follow_symlinks=False)
        report = status()
        same({row['port'] for row in report['leases']}, ports)
        same(len(report['leases']), 2)
        same([row['user'] for row in report['maps']
              if row['state'] == 'shared'], [name(0), name(ONE)])
        same(sorted(row['path'] for row in report['maps'][2:]),
             sorted(folder(uid) + '/map' for uid in (1004, 1005, 1006)))
        for words, lines in (('log', [0]), ('sweep', SWEEP_LINES)):
            result = command(words)
            same((result.returncode, len(result.stdout.splitlines()) in lines),
                 (0, True))
            same('left out' in result.stderr, True)


main([at_boot, all_together, of_a_user, of_one_map, merged, followed, all_swept,
      no_maps], as_root=True)
