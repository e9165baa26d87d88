#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""own.py IN_NAMESPACE PROBE: what a program does to itself, under Berth.

The probe's own verdicts, and that the map shows no lease when it has ended: one
that is left is a port that nobody has and nobody gets before the next sweep.
Bare, the probe has to hold too: it says nothing of Berth, then, but its range.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'preload'))

from harness import KERNEL_RANGE, Namespace, Run, Tap
from harness import report_verdicts

VARIANTS = {
    'inside': {'BERTH_RANGE': '40000-59999'},
    'outside': {'BERTH_RANGE': '10000-29999'},
    'unpinned': {'BERTH_RANGE': '40000-59999', 'BERTH_PIN': 'no'},
}
LIBBERTH, BERTH = os.environ['LIBBERTH'], os.environ['BERTH']


def take_map(run):
    """Takes the lines of the map out of a run's output: {space: leases}."""
    leases = {}
    lines = run.lines()
    for line in lines:
        if line.startswith('map\t'):
            words = line.split('\t')
            leases[words[1]] = [int(word) for word in words[3:6]]
    run.output = '\n'.join(line for line in lines
                           if not line.startswith('map\t'))
    return leases


def under_berth(tap, space, variant, environment, preload, command):
    name = '%s, %s' % (os.path.basename(command[0]), variant)
    run = Run([space.program, '-r', KERNEL_RANGE,
               os.path.join(HERE, 'after.sh'), BERTH, preload] + command
              + [environment['BERTH_RANGE']], environment)
    leases = take_map(run)
    report_verdicts(tap, run, name)
    tap.ok(leases and not any(map(any, leases.values())),
           name + ': no lease is left behind',
           ['%s: %d whole, %d bound, %d connect' % (space_name, *numbers)
            for space_name, numbers in leases.items()])


def main():
    space = Namespace(sys.argv[1])
    probe = os.path.abspath(sys.argv[2])
    tap = Tap()
    if space.refused():
        tap.skip('no network namespaces here')
    else:
        bare = space.run([probe, '1-65535'])
        report_verdicts(tap, bare, os.path.basename(probe) + ', bare')
        for variant, environment in VARIANTS.items():
            under_berth(tap, space, variant, environment, LIBBERTH, [probe])
    tap.end()


if __name__ == '__main__':
    main()
