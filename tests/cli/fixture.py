# SPDX-License-Identifier: MIT
"""What the tests of berth share: a network namespace and a map folder of
their own, the command, programs under Berth and outside, and TAP.

A test calls main() with its cases, functions whose docstring is the sentence
that they check. Needs BERTH and LIBBERTH, the paths of the build.
"""
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'preload'))

from harness import HANG_SECONDS, Tap, has_pin, skip_all, wait_until

BERTH, LIBBERTH = os.environ['BERTH'], os.environ['LIBBERTH']
RANGE, LO, HI = '20000-20099', 20000, 20099


def berth(*words, range=RANGE, **variables):
    """Runs berth; variables add to the environment or (None) are left out."""
    env = {**os.environ, 'BERTH_RANGE': range, **variables}
    env = {name: value for name, value in env.items() if value is not None}
    return subprocess.run([BERTH, *words], env=env, text=True,
                          capture_output=True, timeout=HANG_SECONDS)


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


def run_cases(cases):
    for name in [n for n in os.environ if n.startswith('BERTH_')]:
        del os.environ[name]
    os.environ.pop('LD_PRELOAD', None)
    tap = Tap()
    try:
        for case in cases:
            fresh_folder()
            sentence = ' '.join(case.__doc__.split())
            try:
                case()
                tap.ok(True, sentence)
            except Exception as error:
                tap.ok(False, sentence, [f'{case.__name__}: {error!r}'])
    finally:
        shutil.rmtree(os.environ['BERTH_DIR'], ignore_errors=True)
    tap.end()


def lists_bound():
    """Whether sock_diag(7) lists TCP sockets that are bound and no more: Linux
    6.8. Of others nobody knows who holds them."""
    with socket.socket() as bound, \
            socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as diag:
        bound.bind(('127.0.0.1', 0))
        # SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP; inet_diag_req_v2.
        diag.send(struct.pack('=IHHII4BI48x', 72, 20, 0x301, 0, 0,
                              socket.AF_INET, socket.IPPROTO_TCP, 0, 0,
                              0xffffffff))
        ports, answer = set(), diag.recv(65536)
        while len(answer) >= 24:
            ports.add(struct.unpack_from('!H', answer, 20)[0])
            answer = answer[struct.unpack_from('=I', answer)[0]:]
        return bound.getsockname()[1] in ports


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


def main(cases, prepare=None):
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
    unshare = ['unshare', '-nm'] if os.geteuid() == 0 else ['unshare', '-rnm']
    if subprocess.run([*unshare, 'true'], stderr=subprocess.DEVNULL).returncode:
        skip_all('no network namespaces (CONFIG_NET_NS)')
        return
    sys.exit(subprocess.run([*unshare, sys.executable, sys.argv[0],
                             'inside']).returncode)
