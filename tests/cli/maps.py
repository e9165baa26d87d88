#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The maps of several users: what status, log and sweep show and mend of them
together, and that a user who shortens or replaces a map ends no command of root's.
Edge cases 50 and 51.

In a network namespace with a /run and a /dev/shm of its own, where systemd's file
has made /run/berth. Needs BERTH and LIBBERTH, TMPFILES, and root.
"""
import contextlib
import json
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import time
from builtins import range as each

from fixture import BERTH, HANG_SECONDS, LIBBERTH, Program, drop, main, same

RESERVED = 30510
POLICY = ('range = "30000-30499"\n'
          f'reserve r {{ ports = "{RESERVED}" }}\n')
ONE, OTHER = 1000, 1001
REFUSED = (f's = socket.socket(); s.bind(("127.0.0.1", {RESERVED}))')
WAY = '/run/way'        # what all users may read
CLOCK_REALTIME_COARSE = 5       # clock_gettime(2), by which events have their time


def command(*words, uid=0):
    env = {'PATH': os.environ['PATH']}
    return subprocess.run([BERTH, *words], env=env, text=True, cwd='/',
                          capture_output=True, timeout=HANG_SECONDS,
                          preexec_fn=drop(uid))


def answer(*words, uid=0):
    """The standard output of a command that has nothing else to say."""
    result = command(*words, uid=uid)
    same((words, result.returncode, result.stderr), (words, 0, ''))
    return result.stdout


def status(uid=0):
    return json.loads(answer('status', '--json', uid=uid))


def program(uid):
    """A program of a user's under Berth."""
    wrapper = f'{WAY}/as-{uid}'
    with open(wrapper, 'w') as file:
        file.write('#!/bin/sh\n'
                   f'exec setpriv --reuid {uid} --regid {uid} --clear-groups '
                   f'env LD_PRELOAD={WAY}/libberth.so /usr/bin/python3 "$@"\n')
    os.chmod(wrapper, 0o755)
    return Program(preload=False, range=None, name=wrapper)


def folder(uid):
    return f'/dev/shm/berth-{uid}/{os.stat("/proc/self/ns/net").st_ino}'


def name(uid):
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


@contextlib.contextmanager
def machine(policy=POLICY):
    """Nobody has made anything yet; root's policy is in force."""
    kept = os.environ.pop('BERTH_DIR')
    for entry in os.listdir('/dev/shm'):
        path = f'/dev/shm/{entry}'
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    shutil.rmtree('/run/berth', ignore_errors=True)
    shutil.rmtree(WAY, ignore_errors=True)
    os.mkdir(WAY)
    os.chmod(WAY, 0o755)
    os.chmod(shutil.copy(LIBBERTH, f'{WAY}/libberth.so'), 0o755)
    with open(f'{WAY}/a.conf', 'w') as file:
        file.write(policy)
    try:
        same(command('load', f'{WAY}/a.conf').returncode, 0)
        yield
    finally:
        os.environ['BERTH_DIR'] = kept


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


# A sweep has a line for each protocol that the kernel has, UDP-Lite and SCTP or
# neither, and some around them.
SWEEP_LINES = range(5, 8)


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


# --- those who mean harm ------------------------------------------------------

SHORTEN = '''
import os, sys, time
path = sys.argv[1]
with open(path, "rb") as file:
    whole = file.read()
fd = os.open(path, os.O_RDWR)
turn = 0
while True:
    turn += 1
    os.ftruncate(fd, 0)
    os.pwrite(fd, whole, 0)
    # Long enough to be found whole, and then at another moment each time.
    time.sleep(0.0005 * (turn % 40))
'''


def shortened():
    """a map that its user shortens all the time ends no command of root's, and
    what is in the others is shown and mended"""
    with machine(), program(0) as root, program(ONE) as one:
        port = root.bind('a', listen=True)
        one.bind('a')
        same(root.outcome(REFUSED), 'EACCES')
        one.process.kill()
        hostile = subprocess.Popen(
            ['/usr/bin/python3', '-c', SHORTEN, folder(ONE) + '/map'],
            preexec_fn=drop(ONE), cwd='/', env={})
        said, end = False, time.monotonic() + HANG_SECONDS
        try:
            while not said and time.monotonic() < end:
                for words in ['status'], ['log'], ['sweep']:
                    result = command(*words, '--porcelain')
                    same((words, result.returncode in (0, 1)), (words, True))
                    fields = [line.split('\t')
                              for line in result.stdout.splitlines()]
                    same({'status': ['lease', 'tcp', str(port)] in
                          [f[:3] for f in fields],
                          'log': [f[-1] for f in fields] == ['root'],
                          'sweep': len(fields) >= 3}[words[0]], True)
                    said |= 'shortened meanwhile' in result.stderr
                    same((words, result.returncode),
                         (words, int('cannot use' in result.stderr)))
            same((said, hostile.poll()), (True, None))
        finally:
            hostile.kill()
            hostile.wait()


# Of whatever file has the name, and may be written.
SHORTEN_ANEW = '''
import os, sys, time
path = sys.argv[1]
turn = 0
print(flush=True)
while True:
    turn += 1
    try:
        fd = os.open(path, os.O_RDWR)
    except OSError:
        continue
    whole = os.pread(fd, 64 << 20, 0)
    time.sleep(0.0005 * (turn % 40))
    os.ftruncate(fd, 0)
    time.sleep(0.0001)
    os.pwrite(fd, whole, 0)
    os.close(fd)
'''


# As soon as somebody has opened it, and so while it is read. IN_OPEN of inotify(7).
SHORTEN_OPEN = '''
import ctypes, os, select, sys, time
path, libc = sys.argv[1], ctypes.CDLL(None)
fd = os.open(path, os.O_RDWR)
whole = os.pread(fd, 64 << 20, 0)
watch = libc.inotify_init()
libc.inotify_add_watch(watch, path.encode(), 0x20)
print(flush=True)
while True:
    os.read(watch, 65536)
    os.ftruncate(fd, 4096)
    time.sleep(0.01)
    os.pwrite(fd, whole, 0)
    while select.select([watch], [], [], 0)[0]:
        os.read(watch, 65536)
'''


@contextlib.contextmanager
def shortening(how, path, uid):
    with subprocess.Popen(['/usr/bin/python3', '-c', how, path], env={},
                          stdout=subprocess.PIPE, preexec_fn=drop(uid),
                          cwd='/') as hostile:
        try:
            hostile.stdout.readline()
            yield
            same(hostile.poll(), None)
        finally:
            hostile.kill()


def until_said(words, attempt):
    """Tries until the words are said, as long as it may take."""
    end = time.monotonic() + HANG_SECONDS
    while words not in attempt():
        same(time.monotonic() < end, True)


def shortened_for_all():
    """a map that root shares, and another user shortens all the time, ends
    neither explain nor port: that one then does without it"""
    with machine('range = "10000-39999"\nmap-mode = "0666"\n'):
        path = status()['own_map']['path']

        def explain():
            result = command('explain', '--port', '30000')
            same((result.returncode, result.stderr), (0, ''))

        def port():
            # It makes another one of a short map, of which the mode is 0600.
            same(command('load', f'{WAY}/a.conf').returncode, 0)
            result = command('port', '5000')
            same((result.returncode, len(result.stdout.splitlines())),
                 (0, 5000))
            return result.stderr

        with shortening(SHORTEN_OPEN, path, ONE):
            for _ in each(50):
                explain()
        with shortening(SHORTEN_ANEW, path, ONE):
            until_said('shortened meanwhile', port)


# So large that it takes a while to be read.
LARGE = POLICY + ''.join(
    f'process p{i} {{ name = {{"n{i}"}} range = "{20000 + i}-{30000 + i}" }}\n'
    for i in each(400))


def shortened_policy():
    """a policy in BERTH_DIR that its owner shortens all the time ends no command
    of root's, which say that it cannot be read"""
    with machine(LARGE):
        same(command('unload').returncode, 0)
        os.mkdir(f'{WAY}/theirs')
        os.chown(f'{WAY}/theirs', ONE, ONE)
        env = {'PATH': os.environ['PATH'], 'BERTH_DIR': f'{WAY}/theirs'}

        def berth(*words, uid=0):
            return subprocess.run([BERTH, *words], env=env, text=True, cwd='/',
                                  capture_output=True, timeout=HANG_SECONDS,
                                  preexec_fn=drop(uid))

        same(berth('load', f'{WAY}/a.conf', uid=ONE).returncode, 0)
        [space] = os.listdir(f'{WAY}/theirs')
        path = f'{WAY}/theirs/{space}/policy'
        same(os.stat(path).st_uid, ONE)

        def attempt(*words):
            result = berth(*words)
            same((words, result.returncode in (0, 1, 127)), (words, True))
            return result.stderr

        with shortening(SHORTEN_OPEN, path, ONE):
            for words in (['status'], ['explain', '--', 'true'], ['sweep'],
                          ['run', '--', 'nosuch'], ['port']):
                for _ in each(10):
                    attempt(*words)
            until_said('cannot be read', lambda: attempt('status'))
            for _ in each(5):
                attempt('load', f'{WAY}/a.conf')


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


if os.geteuid() != 0:
    print('1..0 # SKIP needs root, for other users')
else:
    main([at_boot, all_together, of_a_user, of_one_map, merged, followed,
          all_swept, shortened, shortened_for_all, shortened_policy,
          no_maps])
