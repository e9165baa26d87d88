#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How a policy comes into force and goes, and what it tells.

The programs are Python under libberth.so; each case has a map of its own.
Edge case 24. Needs BERTH and LIBBERTH; run as root, since root's policies bind.
"""
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

from fixture import (BERTH, berth, bind_to, conf, counts, events, find,
                     HANG_SECONDS, kinds, LIBBERTH, load, main, Program,
                     program, RESERVING, same, wait_until)

HERE = os.path.dirname(os.path.abspath(__file__))
REJECTED = ('range = "30000-30099"\n'
            'reserve a { ports = "30010" }\n')


def follows():
    """a running program follows load and unload, without a restart"""
    with Program(range='20000-20009') as p:
        same(p.bind('a') // 10, 2000)
        load('range = "30000-30009"')
        same(p.bind('b') // 10, 3000)
        load('range = "31000-31009"')
        same(p.bind('c') // 10, 3100)
        same(berth('unload').returncode, 0)
        same(p.bind('d') // 10, 2000)
        same(berth('unload').stdout, 'berth: no policy is in force\n')


def unread():
    """what cannot tell the policy in force says so, and changes nothing"""
    load('range = "30000-30009"')
    commands = [(words, 'private', 1) for words in (
        ['unload'], ['sweep'], ['status'], ['explain'], ['port'],
        ['load', '--dry-run', conf('range = "31000-31009"')],
        ['load', conf('range = "31000-31009"')])]
    # A program starts, as the library does without the policy.
    commands += [(['run', 'true'], 'private', 0),
                 (['run', 'true'], 'refuse', 125)]
    for command, on_error, status in commands:
        # One descriptor at a time for the loader, too few for two folders.
        result = subprocess.run(
            [BERTH, *command], text=True, capture_output=True, timeout=HANG_SECONDS,
            env=dict(os.environ, BERTH_ON_ERROR=on_error),
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE,
                                                  (4, 4)))
        same((command, result.returncode), (command, status))
        same('Too many open files' in result.stderr, True)
    with program() as p:
        same(p.bind('a') // 10, 3000)
    same(berth('unload').returncode, 0)


CONFINED = '''
import ctypes, os, socket, struct
def confine():
    """Into an empty folder, out of root, and behind a seccomp filter that kills
    for open, mmap, prctl and socket of netlink: all that Berth could ask."""
    os.chroot(os.environ["EMPTY"]); os.chdir("/")
    os.setgid(65534); os.setuid(65534)
    libc = ctypes.CDLL(None)
    def s(code, jt, jf, k): return struct.pack("HBBI", code, jt, jf, k)
    kill = [2, 257, 9, 4, 5, 262, 332]
    n = len(kill)
    code = [s(0x20, 0, 0, 0)]
    for i, nr in enumerate(kill):
        code.append(s(0x15, n - i, 0, nr))
    code.append(s(6, 0, 0, 0x7fff0000))
    code.append(s(6, 0, 0, 0x80000000))
    buffer = ctypes.create_string_buffer(b"".join(code))
    program = struct.pack("HxxxxxxQ", len(code), ctypes.addressof(buffer))
    libc.prctl(38, 1, 0, 0, 0)
    assert libc.prctl(22, 2, ctypes.c_char_p(program), 0, 0) == 0
'''


def follows_confined():
    """a program that is chrooted, without privileges and under a filter that
    kills follows too"""
    empty = tempfile.mkdtemp(dir=os.environ['BERTH_DIR'])
    load('range = "30000-30009"')
    with program(EMPTY=empty) as p:
        p.do(f'exec({CONFINED!r}); confine()')
        same(p.bind('a') // 10, 3000)
        load('range = "31000-31009"')
        same(p.bind('b') // 10, 3100)
        # That the filter is one that kills:
        p.process.stdin.write('open("/x")\n')
        p.process.stdin.flush()
        same(p.process.wait(HANG_SECONDS), -signal.SIGSYS)


def refused_file():
    """a file that is refused leaves the old policy in force"""
    load('range = "30000-30009"')
    with program() as p:
        same(p.bind('a') // 10, 3000)
        result = berth('load', conf(REJECTED), range=None)
        same(result.returncode, 1)
        same(re.search(r'test.conf:1: .*30010.*', result.stderr) is not None,
             True)
        same(p.bind('b') // 10, 3000)
        for wrong in ('', 'range = ', 'process {', 'range = "x"'):
            same(berth('load', conf(wrong)).returncode, 1)
        same(berth('load', '/nowhere.conf').returncode, 1)
        same(p.bind('c') // 10, 3000)


def dry_run():
    """load --dry-run changes nothing, and tells what would be"""
    load('range = "30000-30009"')
    result = berth('load', '--dry-run', conf('range = "31000-31009"'))
    same((result.returncode, 'berth: would be put in force' in result.stdout),
         (0, True))
    with program() as p:
        same(p.bind('a') // 10, 3000)
    result = berth('load', '--dry-run', conf('range = "30000-30009"'))
    same('berth: in force already' in result.stdout, True)
    same(berth('load', '--dry-run', conf('range = "9-8"')).returncode, 1)


def under_load():
    """load under load: no call fails, and no port of the old range is given out
    by a call that begins afterwards"""
    ranges = [(31000, 31999), (33000, 33999)]
    load('range = "31000-31999"')
    worker = [sys.executable, os.path.join(HERE, 'policy_worker.py')]
    env = dict(os.environ, LD_PRELOAD=LIBBERTH)
    workers = [subprocess.Popen(worker, env=env, stdout=subprocess.PIPE,
                                stdin=subprocess.PIPE, text=True)
               for _ in range(3)]
    # Each has made its first calls.
    for p in workers:
        same(p.stdout.readline(), 'ready\n')
    loads = []
    for i in range(1, 31):
        lo, hi = ranges[i % 2]
        begin = time.monotonic_ns()
        load(f'range = "{lo}-{hi}"')
        loads.append((begin, time.monotonic_ns(), lo))
    for p in workers:
        p.stdin.close()
    calls = 0
    for p in workers:
        for line in p.stdout:
            begin, end, port = map(int, line.split())
            calls += 1
            same(port > 0, True)
            allowed = {31000 if port < 32000 else 33000}
            before = [lo for _, done, lo in loads if done <= begin]
            during = [lo for start, done, lo in loads
                      if start <= end and done > begin]
            wanted = set(during) | {before[-1] if before else 31000}
            same(allowed <= wanted, True)
        same(p.wait(HANG_SECONDS), 0)
    same(calls > 100, True)


def damaged():
    """a damaged policy is reported, and the old one kept"""
    load('range = "30000-30009"')
    with program() as p:
        same(p.bind('a') // 10, 3000)
        with open(find('policy'), 'r+b') as file:
            file.seek(24 + 8)
            edition = int.from_bytes(file.read(8), 'little')
            same(edition % 2, 1)
            # The next slot is a hole: all zeros.
            file.seek(24 + 8)
            file.write((edition + 2).to_bytes(8, 'little'))
        same(p.bind('b') // 10, 3000)
        same(kinds(), [('bad-policy', 'allowed')])
        same(p.bind('c') // 10, 3000)
        same(len(events()), 1)
    same('damaged' in berth('status', range=None).stderr, True)
    load('range = "31000-31009"')
    with program() as p:
        same(p.bind('d') // 10, 3100)


def map_options():
    """map-mode and map-group are those of the shared map"""
    load('map-mode = "0660"\nmap-group = "daemon"\n')
    status = os.stat(find('map'))
    same((oct(status.st_mode & 0o777), status.st_gid), ('0o660', 1))


def rest_time():
    """rest-time is how long a port rests, and rest which ports do"""
    def resting():
        return counts('tcp', range=None)[4]
    def no_port_rests():
        return resting() == 0

    load('range = "30000-30009"\nrest-time = 600\n')
    with program() as p:
        p.bind('a')
        p.close('a')
        same(resting(), 1)
        load('range = "30000-30009"\nrest-time = 1\n')
        p.bind('a')
        p.close('a')
        wait_until(no_port_rests)
        load('range = "30000-30009"\nrest = "none"\n')
        p.bind('a')
        p.close('a')
        same(resting(), 0)


# --- events -------------------------------------------------------------------

def log_formats():
    """berth log: text, --porcelain, --json, -n, and -f waits for more"""
    load(RESERVING)
    follower = subprocess.Popen([BERTH, 'log', '-f', '--json'], text=True,
                                stdout=subprocess.PIPE)
    with program() as p:
        for port in (30010, 30011, 30012):
            same(p.outcome(bind_to(port)), 'EACCES')
        text = berth('log').stdout.splitlines()
        same(len(text), 3)
        same(re.fullmatch(
            r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+\[%d\]: bind to '
            r'127\.0\.0\.1:30010/tcp refused: the port is reserved for others; '
            r'rule "default"' % p.pid, text[0]) is not None, True)
        records = berth('log', '--porcelain', '-n', '2').stdout.splitlines()
        same([record.split('\t')[5] for record in records],
             ['127.0.0.1:30011', '127.0.0.1:30012'])
        lines = [json.loads(follower.stdout.readline()) for _ in range(3)]
        same([line['address'] for line in lines],
             ['127.0.0.1:30010', '127.0.0.1:30011', '127.0.0.1:30012'])
    follower.kill()
    follower.wait()


def to_stderr():
    """BERTH_LOG=stderr and log = stderr: each refusal a line, ten a second at
    most"""
    load(RESERVING)
    with program(BERTH_LOG='stderr', stderr=subprocess.PIPE) as p:
        same(p.outcome(bind_to(30010)), 'EACCES')
        line = p.process.stderr.readline()
        same(line.startswith('berth: ') and 'reserved for others' in line,
             True)
    load(RESERVING + 'log = "stderr"\n')
    with program(stderr=subprocess.PIPE) as p:
        begin = time.monotonic()
        for _ in range(200):
            same(p.outcome(bind_to(30010)), 'EACCES')
        seconds = time.monotonic() - begin
        p.process.stdin.close()
        lines = p.process.stderr.read().splitlines()
        same(0 < len(lines) <= 11 * (seconds + 2), True)


def to_syslog():
    """log = syslog: to /dev/log, as a datagram of RFC 3164"""
    script = f'''
import os, socket, subprocess, sys
os.makedirs("/mnt/dev", exist_ok=True)
daemon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
daemon.bind("/dev/log")
child = subprocess.run([sys.executable, "-c", """
import socket
s = socket.socket()
try:
    s.bind(("127.0.0.1", 30010))
except PermissionError:
    pass
"""], env=dict(os.environ, LD_PRELOAD={LIBBERTH!r}))
daemon.settimeout({HANG_SECONDS})
print(daemon.recv(600).decode())
'''
    load(RESERVING + 'log = "syslog"\n')
    result = subprocess.run(
        ['unshare', '-m', 'sh', '-c',
         'mkdir -p "$BERTH_DIR/dev" && mount -t tmpfs none "$BERTH_DIR/dev" && '
         'cp -a /dev/null /dev/urandom "$BERTH_DIR/dev/" && '
         'mount --bind "$BERTH_DIR/dev" /dev && exec "$0" -c "$1"',
         sys.executable, script], text=True, capture_output=True, timeout=HANG_SECONDS)
    same(result.stdout.startswith('<12>berth: python3'), True)
    same('bind to 127.0.0.1:30010/tcp refused' in result.stdout, True)


main([follows, unread, follows_confined, refused_file, dry_run, under_load,
      damaged, map_options, rest_time, log_formats, to_stderr, to_syslog])
