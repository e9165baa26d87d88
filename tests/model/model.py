#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Has spin check a model in full, and find each of its mutations. Usage:
model.py SPIN MODEL, MODEL being ledger, rest, sweep, turn or shared_file.
"""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))

from tap import Tap

HANG_SECONDS = 3000
MAX_DEPTH = 2000000
HASH_BITS = 22

# How pan is built and started, and what it says of an error of each kind.
SEARCHES = {
    'safety': (['-DSAFETY', '-DNOCLAIM'], []),
    'progress': (['-DNP', '-DNOCLAIM'], ['-l']),
    'ltl': ([], ['-a', '-f']),
}
ERRORS = {
    'assertion': 'pan:1: assertion violated',
    'end state': 'pan:1: invalid end state',
    'no progress': 'pan:1: non-progress cycle',
    'acceptance': 'pan:1: acceptance cycle',
}
# What pan says when it has not looked at every state.
UNFINISHED = ['not completed', 'too small', 'Bit statespace', 'Hash-Compact',
              'out of memory', 'truncated', 'VECTORSZ', 'aborting']

# model: (what is searched, in words; the search; definitions)
CHECKS = {
    'ledger': [
        ('leases of a whole port and of two planes', 'safety', ['USES=1']),
        ('leases of two uses, on two planes', 'safety', ['USES=2']),
        ('somebody gets on, whoever has died', 'progress', ['USES=3']),
    ],
    'rest': [
        ('nobody takes a port that rests, and rest ends', 'safety', []),
    ],
    'sweep': [
        ('two of a port\'s planes', 'safety', ['USES=1']),
        ('a plane beside a whole port', 'safety', ['USES=2']),
        ('connections to two destinations', 'safety', ['USES=3']),
        ('a connection beside a bound socket', 'safety', ['USES=4']),
        ('two sweeps at once', 'safety', ['USES=5', 'N_WORKERS=1']),
    ],
    'turn': [
        ('one turn in an interval, and always another', 'safety', []),
    ],
    'shared_file': [
        ('one map, whole and accepted', 'safety', []),
        ('a good map stays', 'ltl stays', []),
        ('everybody comes to an end', 'ltl ends', []),
    ],
}

# How a mutation is found: the search, and the error that it must lead to.
FOUND = {
    'FOLLOW_LOCKED': ('progress', 'no progress'),
    'LOCK_WAITS': ('ltl ends', 'acceptance'),
}
FOUND_BY_DEFAULT = 'safety', 'assertion'

# And the definitions; USES=1 if they are not here.
DEFINITIONS = {
    'USES=2': 'JOIN_ANY PLANE_APART PLANE_LEFT SETTLE_STORES NO_SETTLE',
    'USES=3': 'FOLLOW_LOCKED KERNEL_FIRST TAKES_UNCONNECTED MARK_AT_ONCE',
    'USES=4': 'NO_MARK NO_CLEAR',
    'USES=5 N_WORKERS=1': 'NOT_ASKED',
}


class Search:
    """One search of a model. error: its kind, a text, or None."""

    def __init__(self, spin, path, search, definitions, optimise):
        self.details = []
        self.n_states = 0
        self.seconds = 0.0
        with tempfile.TemporaryDirectory(prefix='berth-model-') as folder:
            self.spin = [spin] + ['-D' + name for name in definitions]
            self.folder, self.path = folder, path
            self.error = self.make(search, optimise) or self.run(search)

    def call(self, *command):
        try:
            return subprocess.run(
                command, cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                errors='replace', timeout=HANG_SECONDS)
        except subprocess.TimeoutExpired as expired:
            output = (expired.stdout or b'').decode(errors='replace')
            return subprocess.CompletedProcess(command, 'hang', output)

    def make(self, search, optimise):
        flags, _ = SEARCHES[search.split()[0]]
        for command in (self.spin + ['-a', self.path],
                        ['cc', optimise, '-w', *flags, '-o', 'pan', 'pan.c']):
            made = self.call(*command)
            if made.returncode != 0 or 'Error' in made.stdout:
                self.details = made.stdout.splitlines()[-20:]
                return 'cannot be made'
        return None

    def run(self, search):
        _, arguments = SEARCHES[search.split()[0]]
        if search.startswith('ltl '):
            arguments = arguments + ['-N', search.split()[1]]
        done = self.call('./pan', f'-m{MAX_DEPTH}', f'-w{HASH_BITS}',
                         *arguments)
        output = done.stdout
        self.details = output.splitlines()[-40:]
        found = re.search(r'errors: (\d+)', output)
        states = re.search(r'(\S+) states, stored', output)
        time = re.search(r'elapsed time (\S+)', output)
        if done.returncode != 0 or not (found and states and time):
            return f'pan ends with {done.returncode}'
        self.n_states = int(float(states.group(1)))
        self.seconds = float(time.group(1))
        if found.group(1) != '0':
            self.details = self.trail()
            return next((kind for kind, text in ERRORS.items()
                         if text in output), 'an error')
        if 'Full statespace search' not in output:
            return 'not a full search'
        return next((text for text in UNFINISHED if text in output), None)

    def trail(self):
        shown = self.call(*self.spin, '-t', '-p', '-g', '-l', '-k',
                          os.path.basename(self.path) + '.trail', self.path)
        return shown.stdout.splitlines()[-60:]


def described(path):
    """The mutations that a model has, with the comment beside each."""
    with open(path, encoding='utf-8') as file:
        return dict(re.findall(r'^#define (\w+) \d+\t+/\* (.*) \*/$',
                               file.read(), re.MULTILINE))


def main():
    _, spin, model = sys.argv
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        model + '.pml')
    mutations = described(path)
    tap = Tap()
    for words, kind, definitions in CHECKS[model]:
        search = Search(spin, path, kind, definitions, '-O2')
        tap.ok(search.error is None,
               f'{words}: {search.n_states} states, {search.seconds:.1f} s'
               + (f': {search.error}' if search.error else ''),
               search.details)
    tap.ok(len(mutations) > 0, 'the model has mutations')
    for name, sentence in mutations.items():
        kind, error = FOUND.get(name, FOUND_BY_DEFAULT)
        definitions = next((words for words, names in DEFINITIONS.items()
                            if name in names.split()), 'USES=1').split()
        search = Search(spin, path, kind, definitions + ['MUTATION=' + name],
                        '-O0')
        tap.ok(search.error == error,
               f'{name} is found, by its {error}: {sentence}'
               + (f': instead: {search.error}' if search.error != error
                  else ''), search.details)
    return tap.end()


sys.exit(main())
