# SPDX-License-Identifier: MIT
"""What the tests of berth share: a network namespace and a map folder of
their own, the command, programs under Berth and outside, and TAP.

A test calls main() with its cases, functions whose docstring, or name, is the
sentence that they check. Needs BERTH and LIBBERTH, the paths of the build.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'preload'))

from harness import HANG_SECONDS, Tap, has_pin, skip_all, wait_until
from sock_diag import lists_bound

BERTH, LIBBERTH = os.environ['BERTH'], os.environ['LIBBERTH']
RANGE, LO, HI = '20000-20099', 20000, 20099


def berth(*words, range=RANGE, **variables):
    """Runs berth; variables add to the environment or (None) are left out."""
    env = {**os.environ, 'BERTH_RANGE': range, **variables}
    env = {name: value for name, value in env.items() if value is not None}
    return subprocess.run([BERTH, *words], env=env, text=True,
                          capture_output=True, timeout=HANG_SECONDS)


# A program that prints the port that it is assigned, without the last digit.
BIND = ('import socket; s = socket.socket(); s.bind(("", 0)); '
        'print(s.getsockname()[1] // 10)')


class Program:
    """A Python program that runs until it is told to end.

    It answers each line of its standard input by evaluating it.
    """
    SOURCE = ('import socket, sys\n'
              'kept = {}\n'
              'for line in sys.stdin:\n'
              '    exec(line)\n'
              '    print(flush=True)\n')

    def __init__(self, preload=True, range=RANGE, name=sys.executable,
                 stderr=None, **variables):
        """name is a path to Python, of which the last part is the program's
        name; variables add to the environment."""
        env = dict(os.environ, **variables)
        if range is not None:
            env['BERTH_RANGE'] = range
        if preload:
            env['LD_PRELOAD'] = LIBBERTH
        self.process = subprocess.Popen(
            [name, '-c', self.SOURCE], env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr)
        self.pid = self.process.pid

    def outcome(self, line):
        """Executes a line and returns 'OK', or the errno that it fails with."""
        return self.do('exec(%r)' % (
            'import errno\n'
            'try:\n'
            '    %s\n'
            '    print("OK")\n'
            'except OSError as error:\n'
            '    print(errno.errorcode[error.errno])\n' % line))

    def do(self, line):
        """Executes a line and returns what it has printed, a number, a word
        or ''."""
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if answer:
            self.process.stdout.readline()
        return int(answer) if answer.isdigit() else answer

    def bind(self, name, kind='STREAM', address='', listen=False):
        """Binds a new socket to port 0; returns the port."""
        return self.do(
            f's = kept["{name}"] = socket.socket('
            f'socket.AF_INET, socket.SOCK_{kind}); s.bind(("{address}", 0)); '
            f'{"s.listen(); " if listen else ""}print(s.getsockname()[1])')

    def connect(self, name, port):
        return self.do(
            f's = kept["{name}"] = socket.create_connection('
            f'("127.0.0.1", {port})); print(s.getsockname()[1])')

    def close(self, name):
        self.do(f'kept.pop("{name}").close()')

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(HANG_SECONDS)


def fresh_folder():
    """A folder for the map, so that a case sees no other case's ports."""
    folder = os.environ.get('BERTH_DIR')
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
    os.environ['BERTH_DIR'] = tempfile.mkdtemp(prefix='berth-cli-')


def path(name='test.conf'):
    """Of a file in that folder."""
    return os.path.join(os.environ['BERTH_DIR'], name)


def conf(text, name='test.conf'):
    with open(path(name), 'w') as file:
        file.write(text)
    return path(name)


def load(text):
    same(berth('load', conf(text), range=None).returncode, 0)


def find(name):
    """The path of a file of Berth's, below that folder."""
    return [os.path.join(root, name) for root, _, names in
            os.walk(os.environ['BERTH_DIR']) if name in names][0]


def records(kind, **options):
    """The porcelain records of a kind of status, their fields without it."""
    result = berth('status', '--porcelain', **options)
    same((result.returncode, result.stderr), (0, ''))
    lines = [line.split('\t') for line in result.stdout.splitlines()]
    return [fields[1:] for fields in lines if fields[0] == kind]


def counts(protocol, **options):
    """Ports that are free, whole, bound, connect, rest."""
    return [[int(field) for field in fields[1:]]
            for fields in records('ports', **options)
            if fields[0] == protocol][0]


# --- a policy that is in force ------------------------------------------------

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


def named(name):
    """A path to Python by which a program has this name."""
    if not os.path.lexists(path(name)):
        os.symlink(sys.executable, path(name))
    return path(name)


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


# --- the cases ---------------------------------------------------------------

class Skip(Exception):
    """Raised by a case: what this machine lacks for it."""


def run_case(tap, case):
    sentence = ' '.join((case.__doc__ or
                         case.__name__.replace('_', ' ')).split())
    try:
        case()
        tap.ok(True, sentence)
    except Skip as reason:
        tap.skip(f'{sentence}: {reason}')
    except Exception:
        tap.ok(False, sentence, traceback.format_exc().splitlines())


def run_cases(cases):
    for name in [n for n in os.environ if n.startswith('BERTH_')]:
        del os.environ[name]
    os.environ.pop('LD_PRELOAD', None)
    tap = Tap()
    try:
        for case in cases:
            fresh_folder()
            run_case(tap, case)
    finally:
        shutil.rmtree(os.environ['BERTH_DIR'], ignore_errors=True)
    tap.end()


def drop(uid):
    """For preexec_fn: the program is this user's."""
    def become():
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    return become


def same(got, wanted):
    if got != wanted:
        raise AssertionError(f'{got!r} is not {wanted!r}')


def hide_other_maps():
    """The inode of a namespace is used again: what another test, or a program,
    has left in /dev/shm or /run may have this one's."""
    subprocess.run(['mount', '--make-rprivate', '/'], check=True)
    for folder, mode in ('/dev/shm', '1777'), ('/run', '755'):
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'mode=' + mode, 'none',
                        folder], check=True)


def main(cases, prepare=None, as_root=False):
    """Starts this test again in a network namespace of its own, with a /run and a
    /dev/shm that are empty, and there runs the cases; prepare() before the first
    changes what only this test sees."""
    if len(sys.argv) > 1 and sys.argv[1] == 'inside':
        subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
        hide_other_maps()
        if prepare is not None:
            prepare()
        run_cases(cases)
        return
    if as_root and os.geteuid() != 0:
        skip_all('needs root, for other users')
        return
    unshare = ['unshare', '-nm'] if os.geteuid() == 0 else ['unshare', '-rnm']
    if subprocess.run([*unshare, 'true'], stderr=subprocess.DEVNULL).returncode:
        skip_all('no network namespaces (CONFIG_NET_NS)')
        return
    sys.exit(subprocess.run([*unshare, sys.executable, sys.argv[0],
                             'inside']).returncode)
