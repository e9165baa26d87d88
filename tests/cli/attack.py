#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a user can do to others by the files of Berth. Edge case 51.

In a network namespace with a /run and a /dev/shm of its own, an attacker (uid
65534) makes names first, puts symbolic links in the way, locks, shortens and
scribbles over whatever it may open, and fills /dev/shm up, all the time. Root
loads and unloads, and programs of root and of uid 1000 take ports. Nothing of
these ends, hangs, leaves its range or is taken away. ATTACK_SECONDS: each try
takes milliseconds, so that ten seconds are thousands of them; 60 by hand.

Needs BERTH and LIBBERTH, and root.
"""
import contextlib
import os
import stat
import subprocess
import time

from fixture import BERTH, drop, main, same
from machine import CONF, LIBRARY, machine, run

SECONDS = float(os.environ.get('ATTACK_SECONDS', '10'))
ATTACKER, USER = 65534, 1000

ATTACK = '''
import fcntl, os, random, signal
names = [f"/dev/shm/berth-{n}" for n in ("0", "1000", "1000-0", "0-0")]
names += ["/dev/shm/berth", "/run/berth", "/run/ci/berth"]
kept = []
signal.signal(signal.SIGTERM, lambda *a: os._exit(0))

def attempt(call, *arguments):
    try:
        return call(*arguments)
    except OSError:
        return None

def use(path):
    for flags in os.O_RDWR, os.O_RDONLY:
        fd = attempt(os.open, path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
        if fd is None:
            continue
        attempt(fcntl.flock, fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        attempt(fcntl.lockf, fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        attempt(os.ftruncate, fd, random.choice((0, 100, 4096)))
        attempt(os.pwrite, fd, os.urandom(256), 0)
        kept.append(fd)
    attempt(os.unlink, path)
    attempt(os.rename, path, path + ".old")
    while len(kept) > 50:
        os.close(kept.pop(0))

while True:
    for name in names:
        attempt(os.symlink, "/run/secret", name)
        attempt(os.unlink, name)
        attempt(os.mkdir, name, 0o777)
        attempt(os.mkdir, f"{name}/{os.environ['NS']}", 0o777)
        attempt(os.chmod, name, 0o777)
        if random.random() < 0.3:
            attempt(os.rename, name, name + ".aside")
        for top, folders, files in os.walk(name):
            for file in files + folders:
                use(os.path.join(top, file))
        use(name)
    if random.random() < 0.05:
        fd = attempt(os.open, "/dev/shm/filler", os.O_RDWR | os.O_CREAT)
        if fd is not None:
            end, size = 0, 32 << 20
            while size >= 4096:
                try:
                    os.posix_fallocate(fd, end, size)
                    end += size
                except OSError:
                    size //= 2
            os.close(fd)
        attempt(os.unlink, "/dev/shm/filler")
'''

PROGRAM = '''
import os, socket, sys
lo, hi = 30000, 30499
for i in range(20):
    s = socket.socket(); s.bind(("127.0.0.1", 0))
    if not lo <= s.getsockname()[1] <= hi:
        sys.exit("a port outside the range: %d" % s.getsockname()[1])
    t = socket.socket()
    try:
        t.bind(("127.0.0.1", 30510)); sys.exit("a reserved port")
    except PermissionError:
        pass
    s.close(); t.close()
'''


def succeed(*words, **options):
    """What must end well, whatever the attacker does."""
    result = run(*words, **options)
    same((words[0:2], result.returncode, result.stderr[-300:]
          if result.returncode else ''), (words[0:2], 0, ''))


def hostile_user():
    """an attacker of another user ends, hangs, widens and takes nothing"""
    os.mkdir('/run/secret', 0o700)
    os.mkdir('/run/ci')
    os.chmod('/run/ci', 0o777)
    env = {'NS': str(os.stat('/proc/self/ns/net').st_ino)}
    with machine(), contextlib.ExitStack() as stack:
        attackers = [stack.enter_context(subprocess.Popen(
            ['/usr/bin/python3', '-c', ATTACK], env=env, cwd='/',
            preexec_fn=drop(ATTACKER))) for _ in range(2)]
        for attacker in attackers:
            stack.callback(attacker.kill)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            succeed(BERTH, 'load', CONF)
            for uid in 0, USER:
                succeed('/usr/bin/python3', '-c', PROGRAM, uid=uid,
                        LD_PRELOAD=LIBRARY)
            succeed('/bin/true', LD_PRELOAD=LIBRARY, BERTH_DIR='/run/ci/berth')
            succeed(BERTH, 'unload')
            succeed('/bin/true', uid=USER, LD_PRELOAD=LIBRARY)
        same([attacker.poll() for attacker in attackers], [None, None])
    same(stat.S_IMODE(os.stat('/run/secret').st_mode), 0o700)
    same(os.listdir('/run/secret'), [])


def small_shm():
    """So that the attacker can fill it."""
    subprocess.run(['mount', '-o', 'remount,size=64m', '/dev/shm'], check=True)


main([hostile_user], prepare=small_shm, as_root=True)
