#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes random sequences of socket calls on the bare kernel and under libberth.so,
and prints those that differ, made as small as they can be.

drive.py [--build FOLDER] [--control] MODE FIRST END
    the seeds FIRST to END - 1; MODE is one of side.py's, some with commas
    between, or "all"; --control compares bare with bare, which shows the
    test's own noise
drive.py [--build FOLDER] --tap FIRST|new N
    N sequences over all modes as a TAP test, from the seed FIRST or a new one
drive.py [--build FOLDER] MODE show SEED KEEP PLAIN [PAUSE]
    what both sides say of one sequence, as a finding names it; PAUSE is in
    milliseconds, before each call

A sequence differs by the result of a call, or by what the program can ask about its
sockets after it. Ports are compared by who has the same, not by their number. What
differs is repeated, with pauses between the calls and without, since some of what
the kernel does depends on the number or on time: it counts where the bare kernel
always says the same, and the other side never does. Needs root.
"""

import argparse
import concurrent.futures
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'preload'))

import differences
from comparison import Comparison
from harness import STATUS_SKIP, Namespace, Tap
from pair import Pair
from side import MODES

N_PAIRS = 3             # at work at the same time
N_CONTROL = 1000        # sequences of each mode, bare against bare
CONTROL_MODES = ['pin', 'exhausted']
N_DETAILS = 120         # lines of a mode that has failed


def compare(build, runs, is_control=False):
    """runs: (mode, first seed, end). Yields their comparisons, in this order."""
    def run(one):
        mode, first, end = one
        return Comparison(build, mode, is_control).run(first, end)
    with concurrent.futures.ThreadPoolExecutor(N_PAIRS) as executor:
        yield from executor.map(run, runs)


def report(build, modes, first, end, is_control):
    start = time.monotonic()
    n_bad = 0
    for comparison in compare(build, [(mode, first, end) for mode in modes],
                              is_control):
        print('\n'.join(comparison.report()), flush=True)
        n_bad += comparison.n_differ + comparison.n_strays
    print('%d differ, %.0f s' % (n_bad, time.monotonic() - start))
    return 1 if n_bad else 0


def show(build, mode, words):
    pair = Pair(build, mode, False)
    for name, lines in zip(('bare', 'hooked'), pair.ask(' '.join(words))):
        print('\n'.join([name] + lines))
    pair.stop()
    return 0


def test_control(tap, build):
    runs = [(mode, 1, 1 + N_CONTROL) for mode in CONTROL_MODES]
    for comparison in compare(build, runs, True):
        tap.ok(comparison.n_differ == 0,
               '%s: the bare kernel does not differ from itself, in %d '
               'sequences' % (comparison.mode, comparison.n_sequences),
               comparison.report()[:N_DETAILS])


def test(build, first, n):
    """n sequences, divided among the modes."""
    tap = Tap()
    if Namespace(build + '/tests/preload/in_namespace').refused():
        return STATUS_SKIP
    for sentence in differences.sentences():
        tap.ok(differences.is_in_manual(sentence),
               'libberth(7) says: ' + sentence)
    test_control(tap, build)
    share = -(-n // len(MODES))
    runs = [(mode, first + i * share, first + (i + 1) * share)
            for i, mode in enumerate(MODES)]
    for comparison in compare(build, runs):
        lines = comparison.report()
        seeds = '%d sequences from seed %d' % (comparison.n_sequences,
                                               comparison.first)
        tap.ok(comparison.n_differ == 0,
               '%s, %s: no difference but those that the manual names'
               % (comparison.mode, seeds), lines[:N_DETAILS])
        tap.ok(comparison.n_strays == 0,
               '%s, %s: no port outside the range'
               % (comparison.mode, seeds), lines[:N_DETAILS])
        print('# ' + lines[0], flush=True)
    tap.end()
    return 0


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', default='build', metavar='FOLDER')
    parser.add_argument('--control', action='store_true')
    parser.add_argument('--tap', action='store_true')
    parser.add_argument('words', nargs='+')
    given = parser.parse_args()
    build, words = os.path.abspath(given.build), given.words
    if given.tap:
        first = (int.from_bytes(os.urandom(5), 'little') if words[0] == 'new'
                 else int(words[0]))
        return test(build, first, int(words[1]))
    if 'show' in words:
        return show(build, words[0], words[1:])
    modes = list(MODES) if words[0] == 'all' else words[0].split(',')
    return report(build, modes, int(words[1]), int(words[2]), given.control)


if __name__ == '__main__':
    sys.exit(main())
