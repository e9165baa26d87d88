#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a policy that is in force does to programs.

The programs are Python under libberth.so; each case has a map of its own.
Edge cases 9, 30 and 40. Needs BERTH and LIBBERTH; run as root, since root's
policies bind.
"""
import os
import shutil
import subprocess
import sys

from fixture import (BERTH, berth, BIND, bind_to, conf, drop, events, find,
                     HANG_SECONDS, kinds, LIBBERTH, load, main, named, program,
                     RESERVING, same)


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
    result = berth('run', '--profile', 'ci-1', sys.executable, '-c', BIND,
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
    map_file = find('map')
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
LD_PRELOAD={LIBBERTH} BERTH_RANGE=40000-40009 {sys.executable} -c '{BIND}'
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

    def as_nobody(*words, **variables):
        env = dict(os.environ, **variables)
        return subprocess.run(words, env=env, text=True, capture_output=True,
                              preexec_fn=drop(65534), cwd='/', timeout=HANG_SECONDS)

    same(as_nobody(command, 'load', path).returncode, 0)
    for variables, place in (({}, '3000'),
                             ({'BERTH_RANGE': '40000-40009'}, '4000')):
        result = as_nobody('/usr/bin/python3', '-c', BIND,
                           LD_PRELOAD=library, **variables)
        same((result.stdout.strip(), result.stderr), (place, ''))


main([assigned, profile, by_exe_and_uid, every_port, bindresvport, reserved,
      self_connect, server_in_range, outside, observe, on_error,
      environment_of_root, other_folder, environment_of_others])
