#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Users who shorten a map or a policy all the time, while commands of root's read
it, end none of them. Edge case 51.
"""
import contextlib
import os
import subprocess
import time
from builtins import range as each

from fixture import BERTH, HANG_SECONDS, drop, main, same
from machine import (ONE, POLICY, REFUSED, WAY, command, folder, machine,
                     program, status)

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


if os.geteuid() != 0:
    print('1..0 # SKIP needs root, for other users')
else:
    main([shortened, shortened_for_all, shortened_policy])
