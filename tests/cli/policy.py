#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a policy that is in force does to programs, and what it tells.

The programs are Python under libberth.so; each case has a map of its own.
Edge cases 9, 24, 30 and 40. Needs BERTH and LIBBERTH; run as root, since root's policies bind.
"""
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from fixture import (BERTH, HANG_SECONDS, LIBBERTH, Program, berth, main, same,
                   wait_until)

HERE = os.path.dirname(os.path.abspath(__file__))
REJECTED = ('range = "30000-30099"\n'
            'reserve a { ports = "30010" }\n')
RESERVING = '''
range = "30000-30099"
overlap = "carve"
reserve shop {
    ports = "30010-30019,700"
    protocols = {"tcp"}
    owners = {"shop"}
}
process shop { name = {"shop"} }
'''


def conf(text):
    path = os.path.join(os.environ['BERTH_DIR'], 'test.conf')
    with open(path, 'w') as file:
        file.write(text)
    return path


def load(text):
    result = berth('load', conf(text), range=None)
    same((result.returncode, result.stderr.count('warning') * 0), (0, 0))
    return result


def named(name):
    """A path to Python by which a program has this name."""
    path = os.path.join(os.environ['BERTH_DIR'], name)
    if not os.path.lexists(path):
        os.symlink(sys.executable, path)
    return path


def program(**more):
    return Program(range=None, **more)


def events():
    result = berth('log', '--json', range=None)
    return [json.loads(line) for line in result.stdout.splitlines()]


def kinds():
    return [(e['event'], e['verdict']) for e in events()]


def bind_to(port, kind='STREAM', address='127.0.0.1'):
    return (f's = socket.socket(socket.AF_INET, socket.SOCK_{kind}); '
            f's.bind(("{address}", {port}))')


# --- assignment ---------------------------------------------------------------

def assigned():
    """ports come from the range of the rule, by protocol and role"""
    load('''
range = "30000-30009"
process other { name = {"other"} range = "31000-31009" }
process web {
    name = {"web"}
    connect = "32000-32009"
    listen = "33000-33009"
    udp { range = "34000-34009" }
}
''')
    for name, places in (('plain', (30000, 30000, 30000, 30000)),
                         ('other', (31000, 31000, 31000, 31000)),
                         ('web', (33000, 32000, 34000, 34000))):
        with program(name=named(name)) as p:
            got = [p.bind('l', listen=True)]
            got.append(p.connect('c', got[0]))
            got.append(p.bind('u', 'DGRAM'))
            got.append(p.do(
                's = kept["v"] = socket.socket(type=socket.SOCK_DGRAM); '
                's.sendto(b"", ("127.0.0.1", 9)); '
                'print(s.getsockname()[1])'))
            same(tuple(port // 10 * 10 for port in got), places)


def profile():
    """BERTH_PROFILE and berth run --profile choose a process section"""
    load('range = "30000-30009"\n'
         'process ci { profile = {"ci*"} range = "31000-31009" }\n')
    for variables, lo in (({}, 30000), ({'BERTH_PROFILE': 'ci-7'}, 31000),
                          ({'BERTH_PROFILE': 'x'}, 30000)):
        with program(**variables) as p:
            same(p.bind('a') // 10 * 10, lo)
    script = ('import socket; s = socket.socket(); s.bind(("", 0)); '
              'print(s.getsockname()[1] // 10)')
    result = berth('run', '--profile', 'ci-1', sys.executable, '-c', script,
                   range=None)
    same((result.stdout, result.returncode), ('3100\n', 0))
    result = berth('run', '--profile', 'no', 'true', range=None)
    same((result.returncode, '"no"' in result.stderr), (125, True))


def by_exe_and_uid():
    """exe and uid choose, and all lists of a section must match"""
    exe = os.path.realpath(sys.executable)
    load(f'''
range = "30000-30009"
process a {{ exe = {{"{exe}"}} uid = {{"nobody"}} range = "31000-31009" }}
process b {{ exe = {{"/nowhere/**", "{os.path.dirname(exe)}/*"}}
            uid = {{"0"}} range = "32000-32009" }}
''')
    with program() as p:
        same(p.bind('a') // 10 * 10, 32000)


def every_port():
    """a list is used in full, and reserved ports are not: bind, connect, UDP"""
    load(RESERVING)
    want = 90
    with program() as p, program() as q:
        ports = {p.bind(f'b{i}') for i in range(want)}
        same(ports, set(range(30000, 30010)) | set(range(30020, 30100)))
        same(p.outcome(bind_to(0, address='')), 'EADDRINUSE')
        for i in range(want):
            p.close(f'b{i}')
        ports = {p.bind(f'u{i}', 'DGRAM') for i in range(100)}
        same(ports, set(range(30000, 30100)))
    same(('exhausted', 'refused') in kinds(), True)


def bindresvport():
    """bindresvport keeps off what is reserved, and in the range if it reaches
    down"""
    source = ('import ctypes, socket; '
              'f = ctypes.CDLL(None, use_errno=True).bindresvport; '
              's = socket.socket(); r = f(s.fileno(), None); '
              'print(s.getsockname()[1] if r == 0 else 0)')
    load('reserve all { ports = "512-749,751-1023" }\n')
    with program() as p:
        same(p.do(source), 750)
    load('reserve all { ports = "512-749,751-1023" }\n'
         'listen = "750-752"\nprivileged = "yes"\noverlap = "carve"\n')
    with program() as p:
        same(p.do(source), 750)
    load('listen = "820-822"\nprivileged = "yes"\n')
    with program() as p:
        same(p.do(source) // 10, 82)


# --- refusals -----------------------------------------------------------------

def reserved():
    """an explicit bind to a reserved port: EACCES, but for its owner, and for
    other protocols"""
    load(RESERVING)
    with program() as p, program(name=named('shop')) as q:
        for address in ('127.0.0.1', ''):
            same(p.outcome(bind_to(30010, address=address)), 'EACCES')
            same(q.outcome(bind_to(30010, address=address)), 'OK')
        same(p.outcome(bind_to(700)), 'EACCES')
        same(p.outcome(bind_to(30010, 'DGRAM')), 'OK')
        same(p.outcome('s = socket.socket(socket.AF_INET6); '
                       's.bind(("::", 30019))'), 'EACCES')
        same(p.outcome(bind_to(30020)), 'OK')
        said = [e for e in events() if e['event'] == 'reserved']
        same([e['pid'] for e in said], [p.pid] * 4)
        same((said[0]['address'], said[0]['call'], said[0]['protocol'],
              said[0]['verdict'], said[0]['rule']),
             ('127.0.0.1:30010', 'bind', 'tcp', 'refused', 'default'))
        same(said[3]['address'], '[::]:30019')


def self_connect():
    """an explicit TCP self-connect is refused unless the rule allows it; UDP is
    not"""
    line = ('s = socket.socket(); s.bind(("127.0.0.1", 31000)); '
            's.connect(("127.0.0.1", 31000))')
    udp = ('s = socket.socket(type=socket.SOCK_DGRAM); '
           's.bind(("127.0.0.1", 31000)); s.connect(("127.0.0.1", 31000))')
    load('process pg { name = {"pg"} self-connect = "allow" }\n')
    with program() as p, program(name=named('pg')) as q:
        same(p.outcome(line), 'ECONNREFUSED')
        p.do('del s')
        same(q.outcome(line), 'OK')
        q.do('del s')
        same(p.outcome(udp), 'OK')
    same(kinds(), [('self-connect', 'refused')])


def server_in_range():
    """a server in a range: allowed, warned of, refused; not one on a port that
    was handed on"""
    def text(word):
        return f'range = "30000-30099"\nserver-in-range = "{word}"\n'
    load(text('allow'))
    with program() as p:
        same(p.outcome(bind_to(30000)), 'OK')
        same(events(), [])
        load(text('warn'))
        same(p.outcome(bind_to(30001)), 'OK')
        same(kinds(), [('server-in-range', 'allowed')])
        load(text('refuse'))
        same(p.outcome(bind_to(30002)), 'EACCES')
        same(p.outcome(bind_to(29999)), 'OK')
        port = p.bind('found')
        p.close('found')
        same(p.outcome(bind_to(port)), 'OK')


def outside():
    """outside = refuse: EADDRINUSE but in the range, below 1024 and where it
    owns the port"""
    load('''
range = "30000-30099"
outside = "refuse"
reserve control { ports = "2121" owners = {"ftp"} }
process ftp { name = {"ftp"} }
''')
    with program(name=named('ftp')) as p:
        same([p.outcome(bind_to(port)) for port in (30005, 40000, 2121, 21)],
             ['OK', 'EADDRINUSE', 'OK', 'OK'])
    same(kinds(), [('outside', 'refused')])


def observe():
    """mode = observe refuses and assigns nothing, and tells what it would"""
    load(RESERVING + 'mode = "observe"\n')
    with program() as p:
        same(p.outcome(bind_to(30010)), 'OK')
        port = p.bind('l', listen=True)
        same(30000 <= port < 30100, False)
        same(30000 <= p.connect('c', port) < 30100, False)
        same(p.outcome('s = socket.socket(); s.bind(("127.0.0.1", 31001)); '
                       's.connect(("127.0.0.1", 31001))'), 'OK')
        same(p.outcome('s = socket.socket(); s.listen()'), 'OK')
        same(p.outcome('u = socket.socket(type=socket.SOCK_DGRAM); '
                       'u.sendto(b"", ("127.0.0.1", 9))'), 'OK')
    same([(e['event'], e['verdict'], e['call']) for e in events()],
         [('reserved', 'observed', 'bind'),
          ('uncovered', 'observed', 'bind'),
          ('uncovered', 'observed', 'connect'),
          ('self-connect', 'observed', 'connect'),
          ('uncovered', 'observed', 'listen'),
          ('uncovered', 'observed', 'send')])


def on_error():
    """on-error = refuse of the policy: no bind or connect without the map"""
    load('on-error = "refuse"\n')
    folder = os.environ['BERTH_DIR']
    map_file = os.path.join(folder, os.listdir(folder)[0], 'map')
    map_file = [os.path.join(root, 'map') for root, _, files in
             os.walk(folder) if 'map' in files][0]
    os.unlink(map_file)
    os.mkdir(map_file)
    with program() as p:
        same(p.outcome(bind_to(0)), 'EACCES')
        same(p.outcome('s = socket.create_connection(("127.0.0.1", 9))'),
             'EACCES')


# --- the environment ----------------------------------------------------------

def environment_of_root():
    """the environment does not widen what root has published"""
    load('range = "30000-30099"\npin = "no"\n')
    with program(BERTH_RANGE='40000-40009', BERTH_RESERVE='30000-30098',
                 BERTH_ALGORITHM='sequential', BERTH_PIN='yes') as p:
        ports = {p.bind(f'b{i}') for i in range(20)}
        same([port for port in ports if not 30000 <= port <= 30099], [])
    result = berth('run', '--range', '40000-40009', 'true', range=None)
    same((result.returncode, '--range' in result.stderr), (125, True))
    result = berth('run', 'true', range='40000-40009')
    same((result.returncode, 'BERTH_RANGE is ignored' in result.stderr),
         (0, True))


def other_folder():
    """root's policy in /run/berth, or where that cannot be written in
    /dev/shm/berth-0, binds, whatever BERTH_DIR says"""
    for options in 'mode=755', 'ro,mode=755':
        bound_by_root(options)


def bound_by_root(options):
    script = f'''
mount -t tmpfs -o mode=1777 none /dev/shm && mount -t tmpfs -o {options} none /run &&
env -u BERTH_DIR {BERTH} load {conf('range = "30000-30009"')} >/dev/null &&
LD_PRELOAD={LIBBERTH} BERTH_RANGE=40000-40009 {sys.executable} -c '
import socket; s = socket.socket(); s.bind(("", 0))
print(s.getsockname()[1] // 10)'
'''
    result = subprocess.run(['unshare', '-m', 'sh', '-c', script], text=True,
                            capture_output=True, timeout=HANG_SECONDS)
    same(result.stdout, '3000\n')


def environment_of_others():
    """a policy that another user has published gives way to the environment"""
    folder = os.environ['BERTH_DIR']
    os.chmod(folder, 0o777)
    path = conf('range = "30000-30009"')
    # Where nobody may go: the build may lie in a folder of root's alone.
    command, library = (shutil.copy(file, folder) for file in (BERTH, LIBBERTH))

    def drop():
        os.setgid(65534)
        os.setuid(65534)

    def as_nobody(*words, **variables):
        env = dict(os.environ, **variables)
        return subprocess.run(words, env=env, text=True, capture_output=True,
                              preexec_fn=drop, cwd='/', timeout=HANG_SECONDS)

    same(as_nobody(command, 'load', path).returncode, 0)
    script = ('import socket; s = socket.socket(); s.bind(("", 0)); '
              'print(s.getsockname()[1] // 10)')
    for variables, place in (({}, '3000'),
                             ({'BERTH_RANGE': '40000-40009'}, '4000')):
        result = as_nobody('/usr/bin/python3', '-c', script,
                           LD_PRELOAD=library, **variables)
        same((result.stdout.strip(), result.stderr), (place, ''))


# --- load and unload ----------------------------------------------------------

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
    path = [os.path.join(root, 'policy') for root, _, files in
            os.walk(os.environ['BERTH_DIR']) if 'policy' in files][0]
    with program() as p:
        same(p.bind('a') // 10, 3000)
        with open(path, 'r+b') as file:
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
    path = [os.path.join(root, 'map') for root, _, files in
            os.walk(os.environ['BERTH_DIR']) if 'map' in files][0]
    status = os.stat(path)
    same((oct(status.st_mode & 0o777), status.st_gid), ('0o660', 1))


def rest_time():
    """rest-time is how long a port rests, and rest which ports do"""
    def resting():
        result = berth('status', '--porcelain', range=None)
        return [line.split('\t')[6] for line in result.stdout.splitlines()
                if line.startswith('ports\ttcp')][0]
    def no_port_rests():
        return resting() == '0'

    load('range = "30000-30009"\nrest-time = 600\n')
    with program() as p:
        p.bind('a')
        p.close('a')
        same(resting(), '1')
        load('range = "30000-30009"\nrest-time = 1\n')
        p.bind('a')
        p.close('a')
        wait_until(no_port_rests)
        load('range = "30000-30009"\nrest = "none"\n')
        p.bind('a')
        p.close('a')
        same(resting(), '0')


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
    for words in (['-n', 'x'], ['--jason'], ['more']):
        result = berth('log', *words)
        same((result.returncode, f'"{words[-1]}"' in result.stderr),
             (2, True))


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


main([assigned, profile, by_exe_and_uid, every_port, bindresvport, reserved,
      self_connect, server_in_range, outside, observe, on_error,
      environment_of_root, other_folder, environment_of_others, follows,
      unread, follows_confined, refused_file, dry_run, under_load, damaged,
      map_options, rest_time, log_formats, to_stderr, to_syslog])
