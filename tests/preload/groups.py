# SPDX-License-Identifier: MIT
"""groups.py LIBBERTH FILTERED LEASES MANUAL: groups of system calls as filters.

Those of systemd's SystemCallFilter, whatever is in them here; all else kills. The
program sets the filter itself, or was started under it. Wherever it lives bare,
it lives under Berth, and its calls say what they say bare. The calls that a start
takes are those that MANUAL names. Edge case 41.
"""

import ctypes
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

from filters import LINE, Program, check, least_inside, n_inside
from harness import Tap

LEAST = ('@default', '@basic-io', '@file-system', '@network-io')
# What the log takes to keep signals away.
LOG = LEAST + ('@signal', '@io-event')
SERVICE = ('@system-service',)
USUAL = LOG + ('@ipc', '@process', '@timer')

STARTS = {'nothing there': None, 'all there': 'whole', 'a stale map': 'stale'}
OWN = ('@default @network-io', '@default @network-io @basic-io',
       ' '.join(LEAST), ' '.join(LOG), ' '.join(USUAL), '@system-service')


class Groups:
    """Calls by the names of their groups, as FILTERED takes them."""

    def __init__(self):
        self.resolve = ctypes.CDLL('libseccomp.so.2')\
            .seccomp_syscall_resolve_name

    def names(self, group):
        lines = subprocess.run(
            ['systemd-analyze', 'syscall-filter', group], check=True,
            stdout=subprocess.PIPE, universal_newlines=True).stdout
        for word in re.findall(r'^    ([-@a-z_0-9]+)', lines, re.M):
            if word.startswith('@'):
                yield from self.names(word)
            else:
                yield word

    def calls(self, groups):
        numbers = {self.resolve(name.encode()) for group in groups
                   for name in self.names(group)}
        # Below 0 are those of other architectures.
        return [str(number) for number in sorted(numbers) if number >= 0]


class Launched(Program):
    """FILTERED, started by a launcher that Berth is not in."""

    def __init__(self, library, program, folder, state):
        super().__init__(library, program, folder)
        self.state = state

    def prepare(self):
        """Makes the folder what it is to be when the program starts."""
        for name in os.listdir(self.folder):
            shutil.rmtree(os.path.join(self.folder, name))
        if self.state is not None:
            start(self.library, self.folder)
        if self.state == 'stale':
            for name in os.listdir(self.folder):
                path = os.path.join(self.folder, name, 'map')
                os.truncate(path, 64)

    def environment(self, hooked, variables):
        full = super().environment(hooked, variables)
        if hooked:
            self.prepare()
            full['FILTERED_PRELOAD'] = self.library
        return full

    def run(self, hooked, variables, arguments):
        return self.command(False, arguments,
                            self.environment(hooked, variables))


def start(library, folder, before=()):
    subprocess.run([*before, '/usr/bin/env', 'LD_PRELOAD=' + library, 'true'],
                   env=dict(os.environ, BERTH_DIR=folder), check=True)


def set_itself(tap, program, groups, scenarios):
    for combination in OWN:
        calls = groups.calls(combination.split())
        for way in ('prctl', 'libseccomp'):
            for scenario in scenarios:
                for case in ('inside', 'outside', 'dry'):
                    check(tap, program, case, scenario, way, 'only', calls,
                          '%s by %s' % (combination, way))


def inherited(tap, launched, groups, scenarios, cases, combination):
    calls = groups.calls(combination)
    for scenario in scenarios:
        for case in cases:
            run = check(tap, launched, case, scenario, 'inherited', 'only',
                        calls, 'started under ' + ' '.join(combination))
            if run is None:
                tap.ok(False, '%s: it lives bare' % scenario)
            elif run.returncode == 0:
                tap.ok(n_inside(run) >= least_inside('', case, scenario),
                       '%s, %s: the ports are in the range' % (case, scenario),
                       run.stdout.splitlines())


def tells(tap, library, filtered, groups):
    """A start that has something to say lives where no signal can come of it."""
    command = [filtered, 'connect', 'inherited', 'only', '1-65535',
               *groups.calls(LEAST)]
    ours, theirs = socket.socketpair()
    with tempfile.TemporaryDirectory(prefix='berth-') as folder, \
            tempfile.TemporaryFile() as file, open(os.devnull, 'wb') as null:
        environment = dict(os.environ, FILTERED_PRELOAD=library,
                           BERTH_DIR=folder, BERTH_ALGORITHM='none such')
        for name, stream in (('a file', file), ('a socket', theirs),
                             ('/dev/null', null)):
            run = subprocess.run(command, env=environment, stderr=stream,
                                 stdout=subprocess.DEVNULL, check=False)
            tap.ok(run.returncode == 0, 'a line for %s ends nothing' % name)
        theirs.close()
        file.seek(0)
        lines = file.read(), ours.recv(4096)
    ours.close()
    tap.ok(all(b'BERTH_ALGORITHM' in line for line in lines),
           'and the line is there', [str(line) for line in lines])


def has_leases(tap, library, probe):
    """Forked children, of which libc tells where no madvise() is made."""
    with tempfile.TemporaryDirectory(prefix='berth-') as folder:
        run = subprocess.run(
            ['env', 'LD_PRELOAD=' + library, probe, '40000-43999', '300', '1'],
            env=dict(os.environ, BERTH_DIR=folder, BERTH_RANGE='40000-43999'),
            stdout=subprocess.PIPE, universal_newlines=True,
            preexec_fn=set_no_limit, check=False)
    tap.ok(run.returncode == 0 and 'not ok' not in run.stdout and
           'ok' in run.stdout, 'leases of children under a filter',
           run.stdout.splitlines())


# --- what the start takes ------------------------------------------------------


def set_no_limit():
    """Sets a filter that allows all."""
    library = ctypes.CDLL('libseccomp.so.2')
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(0x7fff0000))
    if library.seccomp_load(context) != 0:
        raise OSError('seccomp_load')


def traced(folder, library, variables=()):
    """Names the calls of a program that does nothing, started under a filter."""
    trace = os.path.join(folder, 'trace')
    environment = dict(os.environ, **dict(variables))
    preload = ['-E', 'LD_PRELOAD=' + library] if library else []
    subprocess.run(['strace', '-f', '-n', '-o', trace, *preload, 'true'],
                   env=environment, check=True, preexec_fn=set_no_limit)
    with open(trace, encoding='utf-8', errors='replace') as file:
        matches = [LINE.match(line) for line in file]
    return {match.group(3) for match in matches if match}


def in_manual(manual, first):
    """The calls that a paragraph of the manual names behind its first words."""
    with open(manual, encoding='utf-8') as file:
        text = file.read()
    paragraph = text[text.index(first):].split('\n.PP')[0].split('\n.S')[0]
    return set(re.findall(r'^\.BR (\w+) \(2\)', paragraph, re.M))


# Folders of namespaces that are gone are looked for where it can be known which
# are: not in every root.
IF_NEEDED = {'getdents64'}


def listed(tap, library, manual):
    with tempfile.TemporaryDirectory(prefix='berth-') as folder, \
            tempfile.TemporaryDirectory(prefix='berth-') as place:
        bare = traced(folder, None)
        first, second = [traced(folder, library, {'BERTH_DIR': place})
                         for _ in range(2)]
    at_start = in_manual(manual, 'A start with the map and the policy')
    for_making = in_manual(manual, 'A start that makes these')
    for made, allowed, sentence in (
            (second, at_start, 'a start makes no call that is not listed'),
            (first, at_start | for_making, 'nor does the first start')):
        tap.ok(made - bare <= allowed, sentence, sorted(made - bare - allowed))
        tap.ok(allowed <= made | bare | IF_NEEDED, 'all that is listed is made',
               sorted(allowed - made))


def main():
    library, filtered, leases, manual = map(os.path.abspath, sys.argv[1:5])
    tap = Tap()
    for tool in ('strace', 'systemd-analyze'):
        if not shutil.which(tool):
            print('1..0 # SKIP no %s here' % tool)
            return
    try:
        groups = Groups()
    except OSError:
        print('1..0 # SKIP no libseccomp here')
        return
    scenarios = subprocess.run([filtered], stdout=subprocess.PIPE, check=True,
                               universal_newlines=True).stdout.split()
    listed(tap, library, manual)
    has_leases(tap, library, leases)
    tells(tap, library, filtered, groups)
    with tempfile.TemporaryDirectory(prefix='berth-') as folder:
        set_itself(tap, Program(library, filtered, folder), groups, scenarios)
    for name, state in STARTS.items():
        with tempfile.TemporaryDirectory(prefix='berth-') as folder:
            launched = Launched(library, filtered, folder, state)
            few = scenarios if state == 'whole' else scenarios[:1]
            print('# ' + name)
            for combination in (LEAST, USUAL, SERVICE):
                inherited(tap, launched, groups, few,
                          ('inside', 'outside', 'dry'), combination)
            inherited(tap, launched, groups, few, ('dry, told', 'dry, syslog'),
                      LOG)
    tap.end()


main()
