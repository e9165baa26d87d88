# SPDX-License-Identifier: MIT
"""What the tests of faults share: runs of a program of which a system call
fails, Berth's files around them, and the plan of all faults.

Inside in_namespace -t, which empties /dev/shm and /run.
"""
import collections
import contextlib
import ctypes
import errno
import mmap
import os
import shutil
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'preload'))

import manual
from harness import HANG_SECONDS, STATUS_SKIP, Tap, skip_all

SERVER_PORT = 7900      # and the next
PAGE_PATH = '/dev/shm/fault-page'
MAX_ATTEMPTS = 8        # what the clock or chance decides may come later
MAX_DETAILS = 12

# As in fault.c.
SPAN_START, SPAN_PASS, SPAN_COMMAND = range(3)
BERTH, PASSED_ON = 1, 2
Layout = collections.namedtuple(
    'Layout', 'map_size spaces space_size uses uses_size counter '
    'n_counters n_spaces kernel_asked foreign swept policy_size edition '
    'has_moved')


class Page(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in
                ('span', 'n_starts', 'number', 'origin', 'nth', 'always',
                 'error', 'size_argument', 'n_alike', 'n_injected',
                 'n_calls')] + [('calls', (ctypes.c_uint16 * 2) * 2048)]


# The nth call of its kind fails, or it and all that follow; error '' = it is
# cut short.
Fault = collections.namedtuple('Fault', 'name origin nth always error')
Outcome = collections.namedtuple('Outcome',
                                 'status hung output errors injected calls')


def open_page():
    fd = os.open(PAGE_PATH, os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(fd, ctypes.sizeof(Page))
    return Page.from_buffer(mmap.mmap(fd, ctypes.sizeof(Page)))


class Tools:
    """The paths of what is built, and what they tell."""

    def __init__(self, compiler, libberth, berth, fault, target):
        self.libberth, self.berth, self.fault, self.target = map(
            os.path.abspath, (libberth, berth, fault, target))
        self.names = manual.names_of_calls(compiler)
        self.numbers = {name: n for n, name in self.names.items()}
        words = (ctypes.c_ulong * len(Layout._fields)).in_dll(
            ctypes.CDLL(self.fault), 'fault_layout')
        self.layout = Layout(*words)
        self.page = open_page()
        status = subprocess.run(
            [self.target, '-s', '1-2', 'none'], stdout=subprocess.DEVNULL,
            env={'LD_PRELOAD': self.fault, 'FAULT_PAGE': PAGE_PATH}).returncode
        if status == STATUS_SKIP:
            skip_all('no PR_SET_SYSCALL_USER_DISPATCH: Linux 5.11')
            sys.exit(0)
        assert status == 0


class Program:
    """Starts a program for each run, or (SPAN_PASS) once: it forks then."""

    def __init__(self, tools, argv, env, span):
        self.tools, self.argv, self.span = tools, argv, span
        self.env = {**env, 'FAULT_PAGE': PAGE_PATH}
        self.pid = None

    def start(self):
        orders, self.orders = os.pipe()
        self.output, output = os.pipe()
        self.errors, errors = os.pipe()
        self.pid = os.posix_spawn(
            self.argv[0], self.argv, self.env, setpgroup=0,
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
            file_actions=[(os.POSIX_SPAWN_DUP2, fd, i)
                          for i, fd in enumerate((orders, output, errors))])
        for fd in (orders, output, errors):
            os.close(fd)
        os.set_blocking(self.errors, self.span != SPAN_PASS)

    def end(self):
        """Returns the status, as of wait(2)."""
        for fd in (self.orders, self.output, self.errors):
            os.close(fd)
        pid, self.pid = self.pid, None
        return os.waitpid(pid, 0)[1]

    def set_fault(self, fault):
        page = self.tools.page
        ctypes.memset(ctypes.addressof(page), 0, Page.calls.offset)
        page.span = self.span
        if fault:
            page.number, page.nth = self.tools.numbers[fault.name], fault.nth
            page.origin, page.always = fault.origin, fault.always
            page.error = getattr(errno, fault.error) if fault.error else 0
            page.size_argument = manual.PAGES[fault.name][0] or 0

    def collect(self):
        """All of the output; of one that serves, to its line of the status."""
        output = b''
        while not (self.span == SPAN_PASS and b'\nstatus ' in output
                   and output.endswith(b'\n')):
            part = os.read(self.output, 1 << 16)
            if not part:
                break
            output += part
        errors = b''
        with contextlib.suppress(BlockingIOError):
            while part := os.read(self.errors, 1 << 16):
                errors += part
        return output.decode(), errors.decode()

    def run(self, fault=None):
        hung = []

        def ring(*_):
            hung.append(True)
            os.killpg(self.pid, signal.SIGKILL)

        self.set_fault(fault)
        if self.pid is None:
            self.start()
        signal.signal(signal.SIGALRM, ring)
        signal.alarm(HANG_SECONDS)
        if self.span == SPAN_PASS:
            os.write(self.orders, b'\n')
        output, errors = self.collect()
        if self.span == SPAN_PASS and not hung:
            output, _, status = output.rpartition('status ')
        else:
            status = self.end()
        signal.alarm(0)
        page = self.tools.page
        return Outcome(int(status), bool(hung), output, errors,
                       page.n_injected > 0,
                       [tuple(call) for call in page.calls[:page.n_calls]])


# --- Berth's files ---------------------------------------------------------

MAP, POLICY = 'map', 'policy'


class Kept:
    """A file as every run is to find it."""

    def __init__(self, path, size):
        self.path = path
        with open(path, 'r+b') as file:
            self.inode = os.fstat(file.fileno()).st_ino
            self.memory = mmap.mmap(file.fileno(), size)
        self.content = bytes(self.memory)


class Surroundings:
    """Berth's folder, with its files as they were before each run, and the
    servers that target talks to."""

    def __init__(self, layout, folder):
        # Where Berth goes as root when the first does not serve.
        self.layout, self.roots = layout, (folder, '/dev/shm/berth-0')
        self.folder, self.kept = None, {}
        self.sizes = {MAP: layout.map_size, POLICY: layout.policy_size}
        self.servers = [open_server(kind, SERVER_PORT + i) for i in (0, 1)
                        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]

    @staticmethod
    def find_folder(root):
        """The namespace's own folder, which its inode names: a number."""
        names = os.listdir(root) if os.path.isdir(root) else []
        return next((os.path.join(root, name) for name in names
                     if name[0].isdigit()), None)

    def drain(self):
        """Who has no /proc, or cannot use the folder, makes another: no other
        run is to find it."""
        for root in self.roots:
            for name in os.listdir(root) if os.path.isdir(root) else []:
                path = os.path.join(root, name)
                if name[0] != '.' and path != self.folder:
                    shutil.rmtree(path)
        for server in self.servers:
            with contextlib.suppress(OSError):
                while True:
                    server.accept()[0].close()

    def clear(self):
        self.kept, self.folder = {}, None
        self.drain()
        with contextlib.suppress(OSError):
            os.rmdir(self.roots[0])

    def keep(self):
        """The files as they are now are those that restore() brings back. A
        file lies in the first of the folders that has it."""
        self.folder, self.kept = self.find_folder(self.roots[0]), {}
        for folder in filter(None, map(self.find_folder, self.roots)):
            for name, size in self.sizes.items():
                path = os.path.join(folder, name)
                if name not in self.kept and os.path.exists(path):
                    self.kept[name] = Kept(path, size)

    def restore(self):
        self.drain()
        for file in self.kept.values():
            file.memory[:] = file.content

    def word(self, name, offset, size):
        memory = self.kept[name].memory if name in self.kept else bytes(1 << 16)
        return int.from_bytes(memory[offset:offset + size], 'little')

    def has_moved(self):
        return self.word(POLICY, self.layout.has_moved, 4) != 0

    def edition(self):
        return self.word(POLICY, self.layout.edition, 8)

    def edition_moved(self):
        folder = self.find_folder(self.roots[1])
        path = os.path.join(folder or '', POLICY)
        if folder is None or not os.path.exists(path):
            return 0
        with open(path, 'rb') as file:
            file.seek(self.layout.edition)
            return int.from_bytes(file.read(8), 'little')

    def counters(self):
        if MAP not in self.kept:
            return [0] * self.layout.n_counters
        return [self.word(MAP, self.layout.counter + 8 * i, 8)
                for i in range(self.layout.n_counters)]

    def count_leases(self):
        at, n = self.layout, 0
        for i in range(at.n_spaces if MAP in self.kept else 0):
            start = at.spaces + i * at.space_size + at.uses
            uses = self.kept[MAP].memory[start:start + at.uses_size]
            if uses.count(0) < len(uses):
                n += sum(1 for use in memoryview(uses).cast('H') if use)
        return n

    def complaint(self):
        """None, or what is wrong with the folder after a run."""
        for name, file in self.kept.items():
            if not os.path.lexists(file.path):
                # A policy that has moved is told to all that follow it.
                if name == POLICY and self.has_moved() and \
                        self.edition_moved() % 2 == 1:
                    continue
                return 'a file that all programs use is gone'
            if os.lstat(file.path).st_ino != file.inode:
                return 'a file that all programs use was replaced'
        for folder in filter(None, map(self.find_folder, self.roots)):
            for name in os.listdir(folder):
                if name in self.sizes:
                    # A policy's grows with its images.
                    if os.lstat(os.path.join(folder, name)).st_size < \
                            self.sizes[name]:
                        return 'a file that is not whole has a name'
                # Whose lock loaders take; it stays.
                elif name != 'lock' and name[0] != '.':
                    return 'a file was left that nobody asked for'
        return None


def open_server(kind, port):
    # Both families: IPV6_V6ONLY is off by default.
    server = socket.socket(socket.AF_INET6, kind | socket.SOCK_NONBLOCK)
    server.bind(('', port))
    if kind == socket.SOCK_STREAM:
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 1)
        server.listen(4096)
    return server


# --- the plan --------------------------------------------------------------

class Injection:
    """Each call that a sound run makes fails once with each errno of its manual
    page, and is once cut short where that is allowed; and the first of a kind,
    and all that follow, for good.

    judge(fault, outcome) returns None or a complaint. prepare() makes the files
    that each run is to find, before the first and after a complaint."""

    def __init__(self, tap, tools, files, case, is_fresh):
        self.tap, self.tools, self.files, self.case = tap, tools, files, case
        self.is_fresh, self.program = is_fresh, None
        self.n_faults = collections.Counter()
        self.n_bad, self.n_missed = collections.Counter(), collections.Counter()

    def run(self, fault=None):
        if self.is_fresh:
            self.files.clear()
        else:
            self.files.restore()
        return self.program.run(fault)

    def play(self):
        self.prepare()
        self.sound = self.run()
        if self.is_sound(self.sound):
            self.note_sound()
            self.try_calls(self.sound)
        else:
            self.tap.ok(False, self.case.name + ': it works without a fault',
                        [self.sound])

    def is_sound(self, outcome):
        return outcome.status == 0

    def note_sound(self):
        """What else is to be compared with the run without a fault."""

    def try_fault(self, *words):
        fault = Fault(*words)
        for _ in range(MAX_ATTEMPTS):
            outcome = self.run(fault)
            complaint = self.judge(fault, outcome)
            if outcome.injected or complaint:
                break
        self.n_faults[fault.name] += 1
        self.n_missed[fault.name] += not outcome.injected
        self.n_bad[fault.name] += complaint is not None
        if complaint:
            if sum(self.n_bad.values()) <= MAX_DETAILS:
                print('# %s %d%s%s, %s: %s' % (
                    fault.name, fault.nth, ' and on' if fault.always else '',
                    ' (passed on)' if fault.origin == PASSED_ON else '',
                    fault.error or 'short', complaint))
                for line in (outcome.output + outcome.errors).splitlines():
                    print('#    ', line)
            self.prepare()

    def try_errors(self, name, origin, nth, always):
        size, errors = manual.PAGES[name]
        for i, error in enumerate(errors):
            # Of the errors, n_skipped out of each + 1 are left out. Who is
            # interrupted for ever may try for ever.
            if (i + nth) % (self.case.n_skipped + 1) == 0 and \
                    not (always and error == 'EINTR'):
                self.try_fault(name, origin, nth, always, error)
        if size is not None:
            self.try_fault(name, origin, nth, always, '')

    def try_calls(self, sound):
        n_alike = collections.Counter()
        for number, origin in sound.calls:
            name = self.tools.names[number]
            n_alike[name, origin] += 1
            nth = n_alike[name, origin]
            if name in manual.NEVER_FAIL:
                continue
            if name not in manual.PAGES:
                print('# no page for', name)
                self.n_bad[name] += 1
                continue
            self.try_errors(name, origin, nth, False)
            if origin == BERTH and nth == 1:
                self.try_errors(name, origin, nth, True)

    def report(self):
        for name in sorted(set(self.n_faults) | set(self.n_bad)):
            self.tap.ok(self.n_bad[name] + self.n_missed[name] == 0,
                        '%s: %s fails %d times, %d badly, %d did not come' %
                        (self.case.name, name, self.n_faults[name],
                         self.n_bad[name], self.n_missed[name]))
