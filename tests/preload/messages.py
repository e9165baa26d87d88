# SPDX-License-Identifier: MIT
"""messages.py IN_NAMESPACE LIBBERTH PLAY SCENES: wrong settings.

Each gives one line on standard error that quotes the word, and the default is
used in its place. Edge case 37: nothing else is ever printed.
"""

import os
import re
import sys

from harness import Namespace, Tap

DEFAULT = '49152-65535'
WRONG_RANGES = ['bogus', '70000', '5000-4000', '0', '40000-', '-', '40000,,x',
                '1-65536', '80-90', '99999999999999999999', '40000-40010;']
WRONG_ALGORITHMS = ['bogus', 'Double-Hash', '3']
WRONG_PINS = ['maybe', '2']


def word_of(value):
    """What at least has to be quoted of the value."""
    return [part for part in re.split('[,;]', value) if part]


def check(tap, space, library, probe, variable, value, ports):
    run = space.run([*probe, 'any', ports], library, {variable: value})
    name = '%s=%s' % (variable, value)
    bad = [line for line in run.lines() if line.startswith('not ok')]
    tap.ok(run.status == 0 and not bad, name + ': the default is used',
           bad or run.details())
    lines = run.errors.splitlines()
    tap.ok(len(lines) == 1, name + ': one line on standard error',
           lines or ['none'])
    tap.ok(any(word in run.errors for word in word_of(value)) and
           variable in run.errors, name + ': the line quotes the word', lines)
    quiet = space.run([*probe, 'any', ports], library,
                      {variable: value, 'BERTH_LOG': 'none'})
    tap.ok(quiet.errors == '', name + ': BERTH_LOG=none prints nothing',
           quiet.errors.splitlines())


def main():
    space = Namespace(sys.argv[1])
    library, *probe = map(os.path.abspath, sys.argv[2:])
    tap = Tap()
    if space.refused():
        tap.skip('no network namespaces here')
    else:
        for value in WRONG_RANGES:
            check(tap, space, library, probe, 'BERTH_RANGE', value, DEFAULT)
        for value in WRONG_ALGORITHMS:
            check(tap, space, library, probe, 'BERTH_ALGORITHM', value,
                  DEFAULT)
        for value in WRONG_PINS:
            check(tap, space, library, probe, 'BERTH_PIN', value, DEFAULT)
    tap.end()


main()
