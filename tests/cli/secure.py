#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whose word counts: set-user-ID programs, user namespaces, few descriptors, and
where no random bytes are to be had. Edge cases 49, 50 and 51.

Each in a mount namespace with a /run, a /dev/shm and an /etc of its own. Needs
BERTH, LIBBERTH and FIRST_PORT, and root.
"""
import errno
import os
import subprocess
import sys

from fixture import BERTH, LIBBERTH, main, same

FIRST_PORT = os.environ['FIRST_PORT']
USER, NOBODY = '1000', '65534'
DEFAULT = range(49152, 65536)
ROOTS = range(32000, 32100)     # of its rule

CONFIGURATION = '''
range = "30000-30099"
process user { uid = {"1000"} range = "31000-31099" }
process root { uid = {"0"} range = "32000-32099" }
'''

# $T is a file system that programs of others may be in; $T/p is set-user-ID.
PROLOGUE = '''
set -e
export T=/mnt PATH
mount -t tmpfs -o mode=0755 none /run
mount -t tmpfs -o mode=1777 none /dev/shm
mount -t tmpfs -o mode=0755,suid none $T
cp "$LIBBERTH" $T/libberth.so
cp "$FIRST_PORT" $T/first_port
cp "$FIRST_PORT" $T/p
chmod 0755 $T/libberth.so $T/first_port
chmod 4755 $T/p
mkdir -m 1777 $T/theirs
printf '%s' "$CONFIGURATION" >$T/berth.conf
load() { "$BERTH" load $T/berth.conf >/dev/null; }
preload_all() {
        cp -a /etc $T/etc
        echo $T/libberth.so >$T/etc/ld.so.preload
        mount --bind $T/etc /etc
}
as() { uid=$1; shift; setpriv --reuid $uid --regid $uid --clear-groups "$@"; }
files() { find /run /dev/shm $T/theirs | sort | xargs stat -c '%n %i %a %s %u'; }
under='env LD_PRELOAD=/mnt/libberth.so'
'''


def play(script):
    """Returns the lines that a script prints; there are no errors."""
    env = {'PATH': os.environ['PATH'], 'BERTH': BERTH, 'LIBBERTH': LIBBERTH,
           'FIRST_PORT': FIRST_PORT, 'CONFIGURATION': CONFIGURATION}
    done = subprocess.run(['unshare', '-m', 'sh', '-c', PROLOGUE + script],
                          env=env, text=True, capture_output=True, cwd='/')
    same((done.returncode, done.stderr, done.stdout if done.returncode else ''),
         (0, '', ''))
    return done.stdout.splitlines()


def answer(line):
    """AT_SECURE, AT_RANDOM, and the port or, below 0, the error."""
    secure, random, port = line.split()
    return secure == '1', bytes.fromhex(random), int(port)


def within(port, ports):
    if port not in ports:
        raise AssertionError(f'{port} is not in {ports}')


# Neither shell has the preload, nor have their own commands: what is made is made
# by $T/p. Root's find(1) makes what root's programs make, before the first list.
BEFORE = '''
mkfifo $T/ready $T/go
exec 3<>$T/ready 4<>$T/go
as 65534 sh -c 'echo >&3; read go <&4
        export BERTH_DIR=$T/theirs BERTH_RANGE=20000-20099
        export BERTH_LOG=stderr BERTH_ON_ERROR=refuse BERTH_ALGORITHM=nonsense
        exec $T/p' &
read ready <&3
preload_all
'''


def port_of_theirs(before, after):
    lines = play(BEFORE + before + 'echo >&4; wait $!\n' + after)
    same(lines[1:], [])
    is_secure, _, port = answer(lines[0])
    same(is_secure, True)
    return port


def secure():
    """a set-user-ID program follows root's policy, or none that is not in force
    any more, and no variable, and makes and changes no file"""
    for unload, ports in ('', ROOTS), ('"$BERTH" unload >/dev/null', DEFAULT):
        within(port_of_theirs(
            f'load; {unload}\nfiles >/dev/null; files >$T/before\n',
            'files | diff $T/before -\n'), ports)


def secure_alone():
    """a set-user-ID program without a policy has the default range, and makes
    no file"""
    within(port_of_theirs(
        # The first rm(1) makes a map, which the second removes.
        'rm -rf /run/*; rm -rf /run/* /dev/shm/*\n',
        'for name in /run/* /dev/shm/* $T/theirs/*; do\n'
        '        [ ! -e "$name" ] || echo "$name is there"\n'
        'done\n'), DEFAULT)


def user_namespaces():
    """root's policy binds where root is not mapped, whatever the environment
    says, and a rule's uid is that of the initial namespace: no number that a
    namespace shows makes a program somebody else"""
    wanted = {'as 0': 32000, 'as 1000': 31000, 'as 1001': 30000}
    wanted.update((f'as {uid} unshare -U {mapping}', 30000) for uid, mapping in (
        (1000, ''), (1000, '-r'), (1001, ''), (1001, '-r'), (0, '-r'),
        (1001, '--map-user=1000'), (0, '--map-user=1000')))
    lines = play('load\n' + ''.join(
        f'{words} $under BERTH_RANGE=40000-40099 $T/first_port\n'
        for words in wanted))
    same({words: answer(line)[2] // 100 * 100
          for words, line in zip(wanted, lines)}, wanted)


def few_descriptors():
    """with a soft limit of 4 descriptors at the start root's policy is
    followed"""
    lines = play('load; ulimit -S -n 4; exec $under $T/first_port')
    within(answer(lines[0])[2], ROOTS)


def no_descriptors():
    """with a hard limit of 4 descriptors root's policy is followed; else that is
    told, and where the environment wants so the program is refused"""
    for variables, refused in ('', False), ('BERTH_ON_ERROR=refuse', True):
        *said, last = play('load; exec 2>&1; ulimit -n 4\n'
                           f'exec $under BERTH_LOG=stderr {variables} '
                           '$T/first_port')
        port = answer(last)[2]
        if port in ROOTS:
            continue
        same([line for line in said if 'no shared map (EMFILE)' in line],
             said[:1])
        same(len(said) > 0, True)
        if refused:
            same(port, -errno.EACCES)


def no_random():
    """without getrandom() the map's key is not AT_RANDOM's bytes"""
    lines = play('$T/first_port $under BERTH_DIR=$T/theirs $T/first_port\n'
                 # Behind magic, version, size, cookie and inode.
                 'od -An -v -tx1 -j32 -N16 $T/theirs/*/map | tr -d " "\n')
    random, key = answer(lines[0])[1], bytes.fromhex(lines[1])
    same(len(key), 16)
    halves = {key[:8], key[8:]}
    same(halves & {random[:8], random[8:], bytes(8)}, set())
    same(len(halves), 2)


if os.geteuid() != 0 or subprocess.run(
        ['unshare', '-m', 'setpriv', '--reuid', USER, 'unshare', '-Ur', 'true'],
        check=False, stderr=subprocess.DEVNULL).returncode:
    print('1..0 # SKIP needs root and user namespaces (CONFIG_USER_NS)')
    sys.exit()
main([secure, secure_alone, user_namespaces, few_descriptors, no_descriptors,
      no_random])
