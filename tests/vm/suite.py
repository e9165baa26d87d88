#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tests of a build on another kernel, as TAP: all their points are its own.

suite.py KERNEL BUILD SOURCE PROBE_DESCRIPTORS

What is run is what meson knows of the suites below, so a test that is added to
one of them is run here too. What gcov counts in the guest is added to what it
has counted here. The kernels are kept in VM_KERNELS, else below BUILD; where
one is not to be had, the suite is skipped, but fails if CI is set. VM_ONLY, a
regular expression, chooses among the tests by "suite / name".
"""

import json
import os
import re
import sys

# Nothing is written beside the sources.
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))

import guests
import image
import kernels
import machine
from tap import Tap, skip_all

# What features.py has to find: without it, this would be some other kernel. Edge
# cases 1, 2 and 33: without the pin, without MPTCP or UDP-Lite, with SCTP.
EXPECTED = {
    '5.10': {'IP_LOCAL_PORT_RANGE': 'no', 'MPTCP': 'no', 'UDPLITE': 'yes',
             'SCTP': 'yes', 'SO_NETNS_COOKIE': 'no', 'BOUND_LISTED': 'no'},
    '6.12': {'IP_LOCAL_PORT_RANGE': 'yes', 'MPTCP': 'yes', 'UDPLITE': 'yes',
             'SCTP': 'yes', 'SO_NETNS_COOKIE': 'yes', 'BOUND_LISTED': 'yes'},
    'newest': {'IP_LOCAL_PORT_RANGE': 'yes', 'MPTCP': 'yes', 'UDPLITE': 'no',
               'SCTP': 'yes', 'SO_NETNS_COOKIE': 'yes',
               'BOUND_LISTED': 'yes'},
}

# Of these suites every test is run but the ones named, which say nothing of a
# kernel: they read files, compute, or wait for a moment that slow guests seldom
# have.
SUITES = {
    'preload': {'names exported and needed'},
    'unit': {'choice', 'choice_hash', 'config', 'config_file', 'edge cases',
             'glob', 'includes', 'policy_image', 'policy_rule', 'port_set',
             'ports_text', 'protocol', 'reserved_set', 'rules', 'rules_check',
             'rules_print', 'rules_warn', 'setting', 'siphash', 'text'},
    'cli': {'check', 'cover', 'run', 'shortened'},
}

# Of suite stress: name and rounds.
STRESS = {'ledger, threads': '20000', 'ledger, processes': '20000',
          'sockets': '200'}

# On the kernel that is the most unlike the ones that programs of today run on.
# On the others they would cost a minute each.
ONLY_5_10 = re.compile('unit / (policy_|refusal)|cli / (?!sweep)')

# A guest is slow, and slower beside other work.
TEST_SECONDS = 900
SECONDS = 3000

STATUS_SKIP = 77

POINT = re.compile(r'(ok|not ok)\b *\d* *(?:- *)?(.*)')
PLAN = re.compile(r'1\.\.(\d+) *(# *SKIP.*)?', re.IGNORECASE)


class Points(Tap):
    """The lines of many tests as those of one: points numbered through."""

    def point(self, verdict, name, text):
        """text: a sentence, or with the "# SKIP why" of the test as a whole."""
        sentence, is_skip, why = re.split('(# *SKIP|$)', text, maxsplit=1,
                                          flags=re.I)
        if is_skip:
            self.skip('%s: %s' % (name, (sentence + why).strip()))
        else:
            self.ok(verdict == 'ok', '%s: %s' % (name, sentence))


class Test:
    def __init__(self, name, job, protocol='tap'):
        self.name, self.job = name.replace('#', ''), job
        self.is_tap = protocol == 'tap'
        self.output, self.status, self.seconds = '', None, 0

    def hear(self, what):
        self.output += what.get('output', '')
        if 'status' in what:
            self.status, self.seconds = what['status'], what['seconds']

    def show(self, tap):
        if self.is_tap:
            trouble = self.show_lines(tap)
        else:
            trouble = self.show_status(tap)
        if self.status is None:
            trouble = 'did not come to its end'
        if trouble:
            tap.point('not ok', self.name, trouble)

    def show_lines(self, tap):
        """Returns what is wrong that no line says, None if nothing is."""
        seen, planned, failed = 0, None, False
        for line in self.output.splitlines():
            point, plan = POINT.match(line), PLAN.fullmatch(line)
            if point:
                seen += 1
                failed = failed or point.group(1) == 'not ok'
                tap.point(point.group(1), self.name, point.group(2))
            elif plan:
                planned = int(plan.group(1))
                if plan.group(2):
                    tap.point('ok', self.name, plan.group(2))
            elif not line.startswith('TAP version'):
                tap.note([re.sub('^# ?', '', line)])
        if failed or (self.status == 0 and planned == seen):
            return None
        return 'status %s, %d points of %s' % (self.status, seen, planned)

    def show_status(self, tap):
        for line in self.output.splitlines():
            tap.note([re.sub('^# ?', '', line)])
        if self.status not in (0, STATUS_SKIP):
            return 'status %s' % self.status
        tap.point('ok', self.name,
                  '# SKIP as it says above' if self.status else '')
        return None


def place(entry):
    """The suite that a test is taken from, None when it is not."""
    suites = [name.split(':')[-1] for name in entry['suite']]
    if 'stress' in suites:
        return 'stress' if entry['name'] in STRESS else None
    return next((suite for suite, left_out in SUITES.items()
                 if suite in suites and entry['name'] not in left_out), None)


def command_of(entry):
    """A test's command, for the guest's Python, and with few rounds."""
    command = [image.PYTHON if os.path.basename(word).startswith('python3')
               else word for word in entry['cmd']]
    if place(entry) == 'stress':
        command[-1] = STRESS[entry['name']]
    return command


def tests_of(build, kernel):
    """What meson knows of, and is to be run on a kernel."""
    with open(build + '/meson-info/intro-tests.json',
              encoding='utf-8') as file:
        entries = json.load(file)
    for entry in entries:
        name = '%s / %s' % (place(entry), entry['name'])
        if not place(entry) or (kernel != '5.10' and ONLY_5_10.match(name)):
            continue
        # Berth is preloaded, never linked.
        environment = {key: value for key, value in entry['env'].items()
                       if key != 'LD_LIBRARY_PATH'}
        yield Test(name, guests.Job(command_of(entry), build, environment,
                                    TEST_SECONDS), entry['protocol'])


def own_tests(kernel, build, source, descriptors):
    """What only a guest of one's own can be asked."""
    words = ['%s=%s' % pair for pair in EXPECTED[kernel].items()]
    yield Test('vm / the kernel is the one that is meant',
               guests.Job([image.PYTHON, source + '/tests/vm/features.py']
                          + words, build, {}, TEST_SECONDS))
    limit = ['sh', '-c', 'ulimit -n 1000000 && exec "$@"', 'sh']
    compare = [image.PYTHON, source + '/tests/preload/compare.py',
               'tests/preload/in_namespace', 'src/preload/libberth.so']
    yield Test('vm / looks the same, descriptors up to 999,999',
               guests.Job(limit + compare + [descriptors], build, {},
                          TEST_SECONDS))


def chosen(tests):
    pattern = re.compile(os.environ.get('VM_ONLY', ''))
    return [test for test in tests if pattern.search(test.name)]


def run(kernel, cache, tests, files, back):
    tap = Points()

    def report(what):
        if 'failed' in what:
            tap.note(['once more: ' + what['failed']])
        elif 'ready' in what:
            tap.note(['Linux %s, ready after %.1f s' %
                      (what['ready'], what['uptime'])])
        elif 'job' in what:
            test = tests[what['job']]
            test.hear(what)
            if test.status is not None:
                test.show(tap)

    try:
        guests.run(cache, kernel, [test.job for test in tests], report,
                   files=files, back=back, seconds=SECONDS)
    except machine.Died as reason:
        tap.note(str(reason).splitlines())
        for test in tests:
            if test.status is None:
                test.show(tap)
    for test in sorted(tests, key=lambda test: -test.seconds)[:5]:
        tap.note(['%6.1f s %s' % (test.seconds, test.name)])
    tap.end()


def main():
    kernel = sys.argv[1]
    build, source, descriptors = map(os.path.abspath, sys.argv[2:5])
    cache = os.environ.get('VM_KERNELS', build + '/tests/vm/kernels')
    tests = chosen([*own_tests(kernel, build, source, descriptors),
                    *tests_of(build, kernel)])
    files = [source + '/' + name for name in (
        'conf', 'src/man', 'tests/cli', 'tests/preload', 'tests/stress',
        'tests/sock_diag.py', 'tests/tap.py')]
    try:
        run(kernel, cache, tests, files, [build + '/src/**/*.gcda'])
    except kernels.Unavailable as reason:
        if 'CI' in os.environ:
            tap = Tap()
            tap.ok(False, 'there is a kernel %s, and qemu: %s' %
                   (kernel, reason))
            tap.end()
        else:
            skip_all('no kernel %s: %s' % (kernel, reason))


main()
