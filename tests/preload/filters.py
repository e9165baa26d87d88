# SPDX-License-Identifier: MIT
"""filters.py LIBBERTH FILTERED: programs that filter their own system calls.

To be run in a network namespace. Each scenario of FILTERED is traced under Berth
without a filter: that gives the calls that Berth makes, whatever they are. Then
each of them is forbidden, one by one, by a filter that kills; and once all that
the program does not make itself. The program lives, and its calls say what they
say bare. And with those that libberth(7) names beside its own, all is as without a
filter. Edge cases 24, 41 and 42.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

from harness import HANG_SECONDS, Tap, VARIANTS

CASES = dict(VARIANTS)
CASES.update({
    # One port, which is taken: the sweep and the kernel are asked.
    'dry': {'BERTH_RANGE': '7600'},
    'dry, unpinned': {'BERTH_RANGE': '7600', 'BERTH_PIN': 'no'},
    'dry, told': {'BERTH_RANGE': '7600', 'BERTH_LOG': 'stderr'},
    'dry, syslog': {'BERTH_RANGE': '7600', 'BERTH_LOG': 'syslog'},
})

# What the scenarios call themselves, and what Berth calls at a call.
SCENARIO_CALLS = ['SYS_' + name for name in (
    'bind', 'connect', 'listen', 'sendto', 'sendmsg', 'setsockopt', 'dup',
    'close', 'write', 'exit', 'exit_group')]
BERTH_CALLS = ['SYS_' + name for name in (
    'setsockopt', 'getsockopt', 'getsockname', 'bind', 'getpid')]
# What the second socket is told where the only port is the first one's.
USED_UP = {'bind': 98, 'bind6': 98, 'udp-bind': 98, 'connect': 99,
           'connect6': 99, 'udp-connect': 11}

MARK = 'prctl(0x26,'        # PR_SET_NO_NEW_PRIVS
# What a process does not make by itself, or cannot do without to end.
END = {'exit_group', 'exit'}
OPTIONS = ('getsockopt', 'setsockopt')
LINE = re.compile(r'(\d+) +\[ *(\d+)\] (\w+)\((.*)')


class Program:
    def __init__(self, library, program, folder):
        self.library, self.program = library, program
        self.folder = folder

    def environment(self, hooked, variables):
        full = {name: value for name, value in os.environ.items()
                if not name.startswith('BERTH_') and name != 'LD_PRELOAD'}
        if hooked:
            full.update(variables, BERTH_DIR=self.folder)
        return full

    def command(self, hooked, arguments, environment, before=()):
        preload = ['env', 'LD_PRELOAD=' + self.library] if hooked else []
        return subprocess.run(
            [*before, *preload, self.program, *arguments], env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, errors='replace', timeout=HANG_SECONDS,
            check=False)

    def run(self, hooked, variables, arguments):
        return self.command(hooked, arguments,
                            self.environment(hooked, variables))

    def calls(self, hooked, variables, scenario):
        """Names the calls behind the mark, as FILTERED takes them."""
        trace = os.path.join(self.folder, 'trace')
        self.command(hooked, [scenario, 'never', 'none', '1-65535'],
                     self.environment(hooked, variables),
                     ['strace', '-f', '-n', '-X', 'raw', '-o', trace])
        with open(trace, encoding='utf-8', errors='replace') as file:
            return list(read_calls(file))


def read_calls(lines):
    marked, seen = None, set()
    for line in lines:
        match = LINE.match(line)
        if not match:
            continue
        pid, number, name, rest = match.groups()
        if (name + '(' + rest).startswith(MARK):
            marked = pid
        elif pid == marked and name not in END:
            call = number
            if name in OPTIONS:
                level, option = [int(word, 0) for word in
                                 rest.split(', ')[1:3]]
                call = '%s:%d:%d' % (number, level, option)
            if call not in seen:
                seen.add(call)
                yield call, name


def outcome(run):
    """What the program has seen: all but the ports."""
    return [line for line in run.stdout.splitlines()
            if not line.startswith('ports ')], run.returncode


def n_inside(run):
    return int(re.search(r'^ports (\d+)$', run.stdout, re.M).group(1))


def details(run, bare):
    return (['bare: %s %s' % outcome(bare)]
            + ['here: %s %s' % outcome(run)] + run.stderr.splitlines()[:5])


def check(tap, program, case, scenario, way, kind, calls, sentence):
    variables = CASES[case]
    arguments = [scenario, way, kind, variables['BERTH_RANGE'], *calls]
    bare = program.run(False, {}, arguments)
    if 'ended by signal 31' in bare.stdout:
        return None     # it is the program's own call
    run = program.run(True, variables, arguments)
    if case.startswith('dry'):
        good = run.returncode == 0
    else:
        good = outcome(run) == outcome(bare)
    tap.ok(good, '%s, %s: %s' % (case, scenario, sentence),
           details(run, bare))
    return run


def least_inside(name, case, scenario):
    """How many of the 6 sockets get their port from the range all the same."""
    if scenario == 'unix' or case.startswith('dry') or name == 'bind':
        return 0
    # Of a socket that came from elsewhere, nobody knows whether it has one.
    return 3 if name == 'getsockname' else 6


def check_scenario(tap, program, case, scenario):
    exits = ['231', '60']       # exit_group and exit of x86-64
    if os.uname().machine == 'aarch64':
        exits = ['94', '93']
    own = program.calls(False, {}, scenario)
    made = program.calls(True, CASES[case], scenario)
    own_names = {call for call, _ in own}
    extra = [(call, name) for call, name in made if call not in own_names]
    for way in ('prctl', 'seccomp', 'tsync'):
        check(tap, program, case, scenario, way, 'only',
              [*own_names, *exits], 'nothing but its own calls, ' + way)
    for call, name in extra:
        run = check(tap, program, case, scenario, 'prctl', 'none', [call],
                    'no %s %s' % (name, call))
        least = least_inside(name, case, scenario)
        if run is not None and least > 0:
            tap.ok(n_inside(run) >= least,
                   '%s, %s: no %s: another way to the range' %
                   (case, scenario, name), run.stdout.splitlines())


def is_as_unfiltered(tap, program, case, scenario):
    variables = CASES[case]
    allowed = SCENARIO_CALLS + BERTH_CALLS
    run = program.run(True, variables, [
        scenario, 'prctl', 'only', variables['BERTH_RANGE'], *allowed])
    tap.ok(run.returncode == 0 and
           n_inside(run) == least_inside('', case, scenario),
           '%s, %s: in the range with five calls more' % (case, scenario),
           run.stdout.splitlines())
    if scenario not in USED_UP:
        return
    only = variables['BERTH_RANGE'].split('-')[0]
    run = program.run(True, dict(variables, BERTH_RANGE=only),
                      [scenario, 'prctl', 'most', only, *allowed])
    results = [line.split()[-2:] for line in outcome(run)[0]]
    tap.ok(results == [['done', '0']] + 5 * [['failed',
                                              str(USED_UP[scenario])]],
           '%s, %s: the only port is used up' % (case, scenario),
           run.stdout.splitlines())


def main():
    library, filtered = map(os.path.abspath, sys.argv[1:3])
    tap = Tap()
    scenarios = subprocess.run([filtered], stdout=subprocess.PIPE, check=True,
                               universal_newlines=True).stdout.split()
    with tempfile.TemporaryDirectory(prefix='berth-') as folder:
        program = Program(library, filtered, folder)
        for case in VARIANTS:
            for scenario in scenarios:
                is_as_unfiltered(tap, program, case, scenario)
        if not shutil.which('strace'):
            tap.skip('no strace here')
        for case in CASES if shutil.which('strace') else ():
            for scenario in scenarios:
                check_scenario(tap, program, case, scenario)
    tap.end()


if __name__ == '__main__':
    main()
