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
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time

from fixture import BERTH, LIBBERTH, drop, main, same

SECONDS = float(os.environ.get('ATTACK_SECONDS', '10'))
ATTACKER, USER = 65534, 1000
LIMIT = 120     # for one command, on a busy machine

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


def run(words, uid=0, **variables):
    """A command that must end well, whatever the attacker does."""
    env = {'PATH': os.environ['PATH'], **variables}
    result = subprocess.run(words, env=env, text=True, capture_output=True,
                            timeout=LIMIT, preexec_fn=drop(uid), cwd='/')
    same((words[0:2], result.returncode, result.stderr[-300:]
          if result.returncode else ''), (words[0:2], 0, ''))


def hostile_user():
    """an attacker of another user ends, hangs, widens and takes nothing"""
    os.mkdir('/run/hb')
    library = shutil.copy(LIBBERTH, '/run/hb/libberth.so')
    os.chmod(library, 0o755)
    os.mkdir('/run/secret', 0o700)
    os.mkdir('/run/ci')
    os.chmod('/run/ci', 0o777)
    with open('/run/hb/a.conf', 'w') as file:
        file.write('range = "30000-30499"\n'
                   'reserve r { ports = "30510" }\n')
    run([BERTH, 'load', '/run/hb/a.conf'])
    env = {'NS': str(os.stat('/proc/self/ns/net').st_ino)}
    attackers = [subprocess.Popen(['/usr/bin/python3', '-c', ATTACK], env=env,
                                  preexec_fn=drop(ATTACKER), cwd='/')
                 for _ in range(2)]
    end = time.monotonic() + SECONDS
    try:
        while time.monotonic() < end:
            run([BERTH, 'load', '/run/hb/a.conf'])
            for uid in 0, USER:
                run(['/usr/bin/python3', '-c', PROGRAM], uid,
                    LD_PRELOAD=library)
            run(['/bin/true'], LD_PRELOAD=library, BERTH_DIR='/run/ci/berth')
            run([BERTH, 'unload'])
            run(['/bin/true'], USER, LD_PRELOAD=library)
        same([a.poll() for a in attackers], [None, None])
    finally:
        for attacker in attackers:
            attacker.kill()
            attacker.wait()
    same(stat.S_IMODE(os.stat('/run/secret').st_mode), 0o700)
    same(os.listdir('/run/secret'), [])


def small_shm():
    """So that the attacker can fill it."""
    subprocess.run(['mount', '-o', 'remount,size=64m', '/dev/shm'], check=True)


if os.geteuid() != 0:
    print('1..0 # SKIP needs root, for other users')
else:
    main([hostile_user], prepare=small_shm)
