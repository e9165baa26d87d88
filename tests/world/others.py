# SPDX-License-Identifier: MIT
"""What the tests with other people's tests share.

A suite of theirs runs bare and under Berth, part by part, each run with a
network, mount and process namespace and a map of its own. The list of what
became of each case has to be the same, and the ports on loopback have to be
those of the range.

A list that differs is looked at again, RERUNS times bare and under Berth. A case
whose bare runs are not all the same proves nothing and is left out; so is one
that does not differ again under Berth, and a line says so.
"""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))

from tap import Tap

HERE = os.path.dirname(os.path.abspath(__file__))
LIBBERTH = os.path.abspath(os.environ['LIBBERTH'])

# Most of what they do is to wait.
WORKERS = 16
RERUNS = 3

# As seen from the kernel's range in a fresh namespace, 32768-60999: partly
# outside (the default), outside, and inside but without the pin.
KERNEL_RANGE = range(32768, 61000)
VARIANTS = {
    'default': ('49152-65535', {}),
    'small': ('20000-20999', {'BERTH_RANGE': '20000-20999'}),
    'unpinned': ('40000-40999', {'BERTH_RANGE': '40000-40999',
                                 'BERTH_PIN': 'no'}),
}
BARE_RANGE = '1'

NAMESPACES = ['unshare', '--net', '--mount', '--ipc', '--pid', '--fork',
              '--kill-child', '--mount-proc']


def missing(programs):
    """Why the tests cannot run here, or None."""
    for name in programs + ['unshare', 'mount', 'nft', 'ip']:
        if shutil.which(name) is None:
            return 'no %s here' % name
    if subprocess.run(NAMESPACES + ['nft', 'list', 'tables'],
                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL, check=False).returncode:
        return 'needs a network namespace with nftables in it'
    return None


class Run:
    """What became of one run.

    outcomes: {case: outcome}; status; complaints: the end of its stderr;
    in_range: packets with a port in the range; strays: (protocol, source,
    destination) of those with one outside.
    """

    def __init__(self, part, variant):
        self.part, self.variant = part, variant
        self.range, extra = VARIANTS.get(variant, (BARE_RANGE, {}))
        self.folder = tempfile.mkdtemp(prefix='berth-world-')
        try:
            self.start(part, extra)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, part, extra):
        work = os.path.join(self.folder, 'work')
        os.mkdir(work)
        keep = ('PATH', 'HOME', 'USER', 'TERM')
        env = {name: os.environ[name] for name in keep if name in os.environ}
        env.update(LC_ALL='C.UTF-8', TMPDIR=work, **extra)
        if self.variant != 'bare':
            env.update(PRELOAD=LIBBERTH, BERTH_DIR=self.folder)
        done = subprocess.run(
            NAMESPACES + [os.path.join(HERE, 'watched.sh'), self.range,
                          self.folder] + part.command(self.folder),
            cwd=work, env={**env, **part.environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, errors='replace', check=False)
        self.status, self.output = done.returncode, done.stdout
        self.outcomes = part.outcomes(self)
        self.in_range = int(self.read('range') or 0)
        self.strays = sorted(
            tuple(map(lambda word: int(word) if word.isdigit() else word,
                      match.groups()))
            for match in re.finditer(r'(\w+) \. (\d+) \. (\d+)',
                                     self.read('strays')))

    def read(self, name):
        try:
            with open(os.path.join(self.folder, name),
                      encoding='utf-8') as file:
                return file.read()
        except FileNotFoundError:
            return ''


    def named_ports(self):
        """Of a bare run: the ports that the kernel has not chosen."""
        return {port for stray in self.strays for port in stray[1:]
                if port not in KERNEL_RANGE}


def differences(one, two):
    """Cases that did not end alike."""
    return [case for case in sorted(set(one.outcomes) | set(two.outcomes))
            if one.outcomes.get(case) != two.outcomes.get(case)]


def look_again(pool, bare, hooked):
    """Returns (cases that really differ, lines about the others)."""
    cases = differences(bare, hooked)
    runs = {variant: [pool.submit(Run, bare.part, variant)
                      for _ in range(RERUNS)]
            for variant in ('bare', hooked.variant)}
    again = {variant: [one.result() for one in futures]
             for variant, futures in runs.items()}
    differ, notes = [], []
    for case in cases:
        plain = {run.outcomes.get(case) for run in again['bare'] + [bare]}
        under = [run.outcomes.get(case) for run in again[hooked.variant]]
        if len(plain) > 1:
            notes.append('left out, bare runs differ: ' + case)
        elif plain == set(under):
            notes.append('left out, did not differ again: ' + case)
        else:
            differ.append('%s: bare %s, under Berth %s, then %s' % (
                case, bare.outcomes.get(case), hooked.outcomes.get(case),
                ', '.join(map(str, under))))
    return differ, notes


def tell(report, pool, bare, hooked):
    """A line of TAP for a part under Berth."""
    complaints, notes = [], []
    if differences(bare, hooked):
        complaints, notes = look_again(pool, bare, hooked)
        if complaints:
            complaints += hooked.output.splitlines()[-60:]
    named_ports = bare.named_ports()
    complaints += ['outside %s: %s' % (hooked.range, stray)
                   for stray in hooked.strays
                   if not set(stray[1:]) & named_ports]
    if bare.strays and not hooked.in_range:
        complaints.append('no port of %s was used' % hooked.range)
    report.note(notes)
    report.ok(not complaints,
              '%s, %s: %d cases end as they do bare, in %s (%d packets)' % (
                  bare.part.name, hooked.variant, len(bare.outcomes),
                  hooked.range, hooked.in_range), complaints)


def main(parts):
    """Runs the parts, the slowest first in the list."""
    report = Tap()
    again = concurrent.futures.ThreadPoolExecutor(2 * RERUNS)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        runs = [(part, {variant: pool.submit(Run, part, variant)
                        for variant in ['bare', *part.variants]})
                for part in parts]
        for part, futures in runs:
            bare = futures['bare'].result()
            bad = 'passed' not in bare.outcomes.values()
            report.ok(not bad, '%s: runs bare' % part.name,
                      bare.output.splitlines()[-20:] if bad else ())
            for variant in () if bad else part.variants:
                tell(report, again, bare, futures[variant].result())
    sys.exit(report.end())
