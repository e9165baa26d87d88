#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs in a user namespace: edge case 49.

With a /run of their own, in which root has put a policy in force. In the
namespaces root is not mapped, or a number that a rule names stands for somebody
else. Needs BERTH and LIBBERTH, and root.
"""
import os
import shutil
import subprocess
import sys

from world import BERTH, HANG_SECONDS, LIBBERTH, main, same

POLICY = '''
range = "30000-30099"
process user { uid = {"1000"} range = "31000-31099" }
process root { uid = {"0"} range = "32000-32099" }
'''
PROGRAM = '''
import os, socket
s = socket.socket()
s.bind(("", 0))
print(os.geteuid(), s.getsockname()[1] // 100 * 100)
'''
LIBRARY = '/run/library/libberth.so'


def loaded():
    os.makedirs(os.path.dirname(LIBRARY), exist_ok=True)
    shutil.copy(LIBBERTH, LIBRARY)
    os.chmod(LIBRARY, 0o755)
    with open('/run/library/conf', 'w') as file:
        file.write(POLICY)
    result = subprocess.run([BERTH, 'load', '/run/library/conf'],
                            capture_output=True, timeout=HANG_SECONDS,
                            env={'PATH': os.environ['PATH']})
    same((result.returncode, result.stderr), (0, b''))


def outcome(uid, *words, **variables):
    """The number that the program is shown, and the first port of its range."""
    env = {'PATH': os.environ['PATH'], **variables}
    result = subprocess.run(
        ['setpriv', f'--reuid={uid}', f'--regid={uid}', '--clear-groups',
         *words, 'env', 'LD_PRELOAD=' + LIBRARY, '/usr/bin/python3', '-c',
         PROGRAM],
        env=env, text=True, capture_output=True, timeout=HANG_SECONDS,
        cwd='/')
    same((result.returncode, result.stderr), (0, ''))
    return tuple(int(word) for word in result.stdout.split())


def initial():
    """without a namespace the rules are those of the users"""
    loaded()
    same(outcome(0), (0, 32000))
    same(outcome(1000), (1000, 31000))
    same(outcome(1001), (1001, 30000))


def not_mapped():
    """root's policy binds where root is not mapped, whatever the environment
    says"""
    loaded()
    for uid in 1000, 1001:
        for words in ['unshare', '-U'], ['unshare', '-U', '-r']:
            same(outcome(uid, *words, BERTH_RANGE='40000-40099')[1], 30000)


def of_the_initial_namespace():
    """a rule's uid is that of the initial namespace: no number that a namespace
    shows makes a program somebody else"""
    loaded()
    same(outcome(1001, 'unshare', '-U', '-r'), (0, 30000))
    same(outcome(1001, 'unshare', '-U', '--map-user=1000'), (1000, 30000))
    same(outcome(0, 'unshare', '-U', '--map-user=1000'), (1000, 30000))


if os.geteuid() != 0:
    print('1..0 # SKIP needs root, for other users')
elif subprocess.run(['unshare', '-U', 'true'],
                    stderr=subprocess.DEVNULL).returncode:
    print('1..0 # SKIP no user namespaces (CONFIG_USER_NS)')
elif os.environ.get('NAMESPACES_INSIDE') != '1':
    script = ('mount --make-rprivate / && '
              'mount -t tmpfs -o mode=1777,size=64m none /dev/shm && '
              'mount -t tmpfs -o mode=755,size=64m none /run && exec "$@"')
    os.environ['NAMESPACES_INSIDE'] = '1'
    os.execvp('unshare', ['unshare', '-m', 'sh', '-c', script, 'sh',
                          sys.executable, *sys.argv])
else:
    main([initial, not_mapped, of_the_initial_namespace])
