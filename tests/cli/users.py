#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs in user namespaces, and set-user-ID programs: edge cases 49 and 50.

With a /run and an /etc of their own. Root has put a policy in force. In the
namespaces root is not mapped, or a number that a rule names stands for somebody
else. /etc/ld.so.preload names the library for set-user-ID programs, whose
environment is the caller's. Needs BERTH and LIBBERTH, and root.
"""
import os
import shutil
import subprocess

from fixture import BERTH, HANG_SECONDS, LIBBERTH, main, same

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


def berth_of_root(*words):
    result = subprocess.run([BERTH, *words], capture_output=True,
                            timeout=HANG_SECONDS,
                            env={'PATH': os.environ['PATH']})
    same((result.returncode, result.stderr), (0, b''))


def loaded():
    os.makedirs('/run/library', exist_ok=True)
    shutil.copy(LIBBERTH, LIBRARY)
    os.chmod(LIBRARY, 0o755)
    with open('/run/library/conf', 'w') as file:
        file.write(POLICY)
    berth_of_root('load', '/run/library/conf')


def port_of(uid, *words, **variables):
    """The number that the program is shown, and the first port of its range."""
    env = {'PATH': os.environ['PATH'], **variables}
    result = subprocess.run([*words, '-c', PROGRAM], env=env, text=True,
                            capture_output=True, timeout=HANG_SECONDS,
                            user=uid, group=uid, extra_groups=[], cwd='/')
    same((result.returncode, result.stderr), (0, ''))
    return tuple(int(word) for word in result.stdout.split())


def outcome(uid, *words, **variables):
    return port_of(uid, *words, 'env', 'LD_PRELOAD=' + LIBRARY,
                   '/usr/bin/python3', **variables)


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


def set_user_id():
    """a set-user-ID program follows root's policy alone, and makes nothing where
    its caller says"""
    loaded()
    program = shutil.copy(os.path.realpath('/usr/bin/python3'), '/run/library')
    os.chmod(program, 0o4755)
    os.mkdir('/run/callers')
    os.chmod('/run/callers', 0o777)
    caller = {'BERTH_DIR': '/run/callers', 'BERTH_RANGE': '40000-40099',
              'BERTH_ALGORITHM': 'nonsense', 'BERTH_ON_ERROR': 'refuse'}
    with open('/etc/ld.so.preload', 'w') as file:
        file.write(LIBRARY + '\n')
    try:
        same(port_of(1000, program, **caller), (0, 32000))
        same(port_of(1000, '/usr/bin/python3'), (1000, 31000))
        berth_of_root('unload')
        shown, range = port_of(1000, program, **caller)
        same((shown, 49100 <= range, os.listdir('/run/callers')),
             (0, True, []))
    finally:
        os.remove('/etc/ld.so.preload')


def own_etc():
    subprocess.run(['cp', '-a', '/etc', '/run/etc'], check=True)
    subprocess.run(['mount', '--bind', '/run/etc', '/etc'], check=True)


if os.geteuid() != 0:
    print('1..0 # SKIP needs root, for other users')
elif subprocess.run(['unshare', '-U', 'true'],
                    stderr=subprocess.DEVNULL).returncode:
    print('1..0 # SKIP no user namespaces (CONFIG_USER_NS)')
else:
    main([initial, not_mapped, of_the_initial_namespace, set_user_id],
         prepare=own_etc)
