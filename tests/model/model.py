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

# model: mutation: (search, definitions, the error that it must lead to)
MUTATIONS = {
    'ledger': {
        'FOLLOW_TWICE': ('safety', ['USES=1'], 'assertion'),
        'FOLLOW_ONCE': ('safety', ['USES=1'], 'assertion'),
        'FOLLOW_LOCKED': ('progress', ['USES=3'], 'no progress'),
        'JOIN_STORES': ('safety', ['USES=1'], 'assertion'),
        'LEAVE_STORES': ('safety', ['USES=1'], 'assertion'),
        'JOIN_ANY': ('safety', ['USES=2'], 'assertion'),
        'WHOLE_JOINED': ('safety', ['USES=1'], 'assertion'),
        'PLANE_APART': ('safety', ['USES=2'], 'assertion'),
        'PLANE_LEFT': ('safety', ['USES=2'], 'assertion'),
        'LEAVE_ALL': ('safety', ['USES=1'], 'assertion'),
    },
    'rest': {
        'EXACT': ('safety', [], 'assertion'),
        'LATE_DROPS': ('safety', [], 'assertion'),
        'ONE_EPOCH': ('safety', [], 'assertion'),
        'FREE_FIRST': ('safety', [], 'assertion'),
        'NO_SECOND_LOOK': ('safety', [], 'assertion'),
        'REST_STORES': ('safety', [], 'assertion'),
        'FORGETS': ('safety', [], 'assertion'),
        'RESTS_ON': ('safety', [], 'assertion'),
    },
    'sweep': {
        'CLEAR_LEAVES': ('safety', ['USES=1'], 'assertion'),
        'MARK_GIVES_UP': ('safety', ['USES=1'], 'assertion'),
        'LOW_STAYS': ('safety', ['USES=1'], 'assertion'),
        'SETTLE_STORES': ('safety', ['USES=2'], 'assertion'),
        'KERNEL_FIRST': ('safety', ['USES=3'], 'assertion'),
        'NOT_ASKED': ('safety', ['USES=5', 'N_WORKERS=1'], 'assertion'),
        'NO_SETTLE': ('safety', ['USES=2'], 'assertion'),
        'NO_MARK': ('safety', ['USES=4'], 'assertion'),
        'TAKES_UNCONNECTED': ('safety', ['USES=3'], 'assertion'),
        'NO_CLEAR': ('safety', ['USES=4'], 'assertion'),
        'MARK_AT_ONCE': ('safety', ['USES=3'], 'assertion'),
    },
    'turn': {
        'AHEAD_TAKES': ('safety', [], 'assertion'),
        'AHEAD_WAITS': ('safety', [], 'assertion'),
        'TURN_STORES': ('safety', [], 'assertion'),
        'TURN_HELD': ('safety', [], 'assertion'),
        'NO_LIMIT': ('safety', [], 'assertion'),
    },
    'shared_file': {
        'LINK_FIRST': ('safety', [], 'assertion'),
        'RENAMES': ('safety', [], 'assertion'),
        'MAPS_OWN': ('safety', [], 'assertion'),
        'NOT_CHECKED': ('safety', [], 'assertion'),
        'UNLOCKED': ('safety', [], 'assertion'),
        'NOT_COMPARED': ('safety', [], 'assertion'),
        'LINK_UNLOOKED': ('safety', [], 'assertion'),
        'LOCK_WAITS': ('ltl ends', [], 'acceptance'),
        'TRIES_ONCE': ('safety', [], 'assertion'),
    },
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
    tap.ok(list(mutations) == list(MUTATIONS[model]),
           'every mutation of the model is tried', sorted(mutations))
    for words, kind, definitions in CHECKS[model]:
        search = Search(spin, path, kind, definitions, '-O2')
        tap.ok(search.error is None,
               f'{words}: {search.n_states} states, {search.seconds:.1f} s'
               + (f': {search.error}' if search.error else ''),
               search.details)
    for name, (kind, definitions, error) in MUTATIONS[model].items():
        search = Search(spin, path, kind, definitions + ['MUTATION=' + name],
                        '-O0')
        tap.ok(search.error == error,
               f'{name} is found, by its {error}: {mutations.get(name)}'
               + (f': instead: {search.error}' if search.error != error
                  else ''), search.details)
    return tap.end()


sys.exit(main())
