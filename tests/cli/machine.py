# SPDX-License-Identifier: MIT
"""A machine with several users, for tests of their maps: in a network namespace
with a /run and a /dev/shm of its own. Needs BERTH and LIBBERTH, and root.
"""
import contextlib
import json
import os
import pwd
import shutil
import subprocess

from fixture import BERTH, HANG_SECONDS, LIBBERTH, Program, drop, same

RESERVED = 30510
POLICY = ('range = "30000-30499"\n'
          f'reserve r {{ ports = "{RESERVED}" }}\n')
ONE, OTHER = 1000, 1001
REFUSED = (f's = socket.socket(); s.bind(("127.0.0.1", {RESERVED}))')
WAY = '/run/way'        # what all users may read
LIBRARY, CONF = WAY + '/libberth.so', WAY + '/a.conf'
# A sweep has a line for each protocol that the kernel has, UDP-Lite and SCTP or
# neither, and some around them.
SWEEP_LINES = range(5, 8)


def run(*words, uid=0, **variables):
    """A user's program, which has no other variables."""
    env = {'PATH': os.environ['PATH'], **variables}
    return subprocess.run(words, env=env, text=True, cwd='/',
                          capture_output=True, timeout=HANG_SECONDS,
                          preexec_fn=drop(uid))


def command(*words, **options):
    return run(BERTH, *words, **options)


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
                   f'env LD_PRELOAD={LIBRARY} /usr/bin/python3 "$@"\n')
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
    os.chmod(shutil.copy(LIBBERTH, LIBRARY), 0o755)
    with open(CONF, 'w') as file:
        file.write(policy)
    try:
        same(command('load', CONF).returncode, 0)
        yield
    finally:
        os.environ['BERTH_DIR'] = kept
