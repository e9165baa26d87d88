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

from fixture import HANG_SECONDS, drop, main, same
from machine import (CONF, ONE, POLICY, REFUSED, WAY, command, folder, machine,
                     program, status)

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


def shortened():
    """a map that its user shortens all the time ends no command of root's, and
    what is in the others is shown and mended"""
    with machine(), program(0) as root, program(ONE) as one:
        port = root.bind('a', listen=True)
        one.bind('a')
        same(root.outcome(REFUSED), 'EACCES')
        one.process.kill()

        def attempt():
            said = ''
            for words in ['status'], ['log'], ['sweep']:
                result = command(*words, '--porcelain')
                fields = [line.split('\t')
                          for line in result.stdout.splitlines()]
                same({'status': ['lease', 'tcp', str(port)] in
                      [f[:3] for f in fields],
                      'log': [f[-1] for f in fields] == ['root'],
                      'sweep': len(fields) >= 3}[words[0]], True)
                same((words, result.returncode),
                     (words, int('cannot use' in result.stderr)))
                said += result.stderr
            return said

        with shortening(SHORTEN_ANEW, folder(ONE) + '/map', ONE):
            until_said('shortened meanwhile', attempt)


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
            same(command('load', CONF).returncode, 0)
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
        theirs = {'BERTH_DIR': f'{WAY}/theirs'}
        same(command('load', CONF, uid=ONE, **theirs).returncode, 0)
        [space] = os.listdir(f'{WAY}/theirs')
        path = f'{WAY}/theirs/{space}/policy'
        same(os.stat(path).st_uid, ONE)

        def attempt(*words):
            result = command(*words, **theirs)
            same((words, result.returncode in (0, 1, 127)), (words, True))
            return result.stderr

        with shortening(SHORTEN_OPEN, path, ONE):
            for words in (['status'], ['explain', '--', 'true'], ['sweep'],
                          ['run', '--', 'nosuch'], ['port']):
                for _ in each(10):
                    attempt(*words)
            until_said('cannot be read', lambda: attempt('status'))
            for _ in each(5):
                attempt('load', CONF)


main([shortened, shortened_for_all, shortened_policy], as_root=True)
