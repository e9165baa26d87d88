# SPDX-License-Identifier: MIT
"""verdicts.py IN_NAMESPACE LIBBERTH PROBE [MODULE]: a probe's own verdicts.

The table below says under which configurations each probe runs.
"""

import os
import random
import sys

from harness import KIND_NAMES, VARIANTS, Namespace, Tap, report_verdicts

ALGORITHMS = ['sequential', 'random', 'hash', 'double-hash',
              'random-increments']

# Both ends of a list, gaps, and both ends of what can be configured.
LISTS = ['40000-40003,40010,40020-40022', '40000', '65530-65535', '1024-1030',
         '60990-61010', '20000-20003,40000-40003']


def cases(probe):
    """Yields (name, environment, arguments)."""
    if probe == 'assert_range':
        for name, environment in VARIANTS.items():
            yield name, environment, [environment['BERTH_RANGE']]
        for algorithm in ALGORITHMS:
            for ports in ('40000-40999', '20000-20999'):
                yield (algorithm + ' ' + ports,
                       {'BERTH_RANGE': ports, 'BERTH_ALGORITHM': algorithm},
                       [ports])
        yield 'the default', {}, ['49152-65535']
        ports = '20000-20099,40000-40099,61000-61099'
        yield 'gaps', {'BERTH_RANGE': ports}, [ports]
        for on_error in ('private', 'refuse'):
            yield ('on-error ' + on_error,
                   {'BERTH_RANGE': ports, 'BERTH_ON_ERROR': on_error}, [ports])
    elif probe == 'assert_full':
        for ports in LISTS:
            for pin in ('yes', 'no'):
                for algorithm in ALGORITHMS:
                    yield ('%s, pin %s' % (algorithm, pin),
                           {'BERTH_RANGE': ports, 'BERTH_PIN': pin,
                            'BERTH_ALGORITHM': algorithm}, [ports])
    elif probe == 'assert_sctp':
        for name, ports in (('inside', '40000-40005'),
                            ('outside', '20000-20005'),
                            ('astride', '32764-32770')):
            yield name, {'BERTH_RANGE': ports}, [ports]
        yield ('unpinned', {'BERTH_RANGE': '40000-40005', 'BERTH_PIN': 'no'},
               ['40000-40005'])
    elif probe == 'assert_share':
        for name, environment in VARIANTS.items():
            port = environment['BERTH_RANGE'].split('-')[0]
            for kind in ('tcp4', 'tcp6', 'mptcp4', 'mptcp6'):
                for what in ('share', 'destination'):
                    yield (name, dict(environment, BERTH_RANGE=port),
                           [port, kind, what])
    elif probe == 'assert_exclusive':
        for name, environment in VARIANTS.items():
            yield name, environment, []
            low = int(environment['BERTH_RANGE'].split('-')[0])
            ports = '%d-%d' % (low, low + 19)
            yield (name + ', foreign', dict(environment, BERTH_RANGE=ports),
                   [ports])
    elif probe == 'assert_stderr':
        # It starts itself, with settings of its own.
        yield 'standard error', {'BERTH_LOG': 'none'}, []
    elif probe == 'assert_rest':
        for name, environment in VARIANTS.items():
            low = int(environment['BERTH_RANGE'].split('-')[0])
            for kind in KIND_NAMES:
                yield (name, dict(environment, BERTH_ALGORITHM='random',
                                  BERTH_RANGE='%d-%d' % (low, low + 249)),
                       [kind])
    elif probe == 'assert_leases':
        for name, environment in VARIANTS.items():
            for seed in (1, random.randrange(2, 1 << 30)):
                yield (name, environment,
                       [environment['BERTH_RANGE'], '500', str(seed)])
    elif probe == 'assert_locked':
        for name, environment in VARIANTS.items():
            low = int(environment['BERTH_RANGE'].split('-')[0])
            ports = '%d-%d' % (low, low + 7)
            yield name, dict(environment, BERTH_RANGE=ports), [ports]
    elif probe == 'assert_arrivals':
        for name, environment in VARIANTS.items():
            yield name, environment, [environment['BERTH_RANGE']]
            low = int(environment['BERTH_RANGE'].split('-')[0])
            ports = '%d-%d' % (low, low + 7)
            yield (name + ', away', dict(environment, BERTH_RANGE=ports),
                   [ports, 'away'])
    elif probe in ('assert_copies', 'assert_small'):
        for name, environment in VARIANTS.items():
            yield name, environment, [environment['BERTH_RANGE']]
            low = int(environment['BERTH_RANGE'].split('-')[0])
            n = 8 if probe == 'assert_copies' else 2
            ports = '%d-%d' % (low, low + n - 1)
            yield (name + ', dry', dict(environment, BERTH_RANGE=ports),
                   [ports, 'dry'])
    elif probe == 'assert_self':
        for name, environment in VARIANTS.items():
            ports = environment['BERTH_RANGE'].split('-')[0]
            ports += '-' + str(int(ports) + 3)
            for kind in KIND_NAMES:
                yield (name, dict(environment, BERTH_RANGE=ports),
                       [ports, kind])
    else:
        for name, environment in VARIANTS.items():
            yield name, environment, [environment['BERTH_RANGE']]
            if probe == 'assert_seccomp':
                port = environment['BERTH_RANGE'].split('-')[0]
                yield (name + ', used up', dict(environment, BERTH_RANGE=port),
                       [port, 'errno'])


def run_early(tap, space, library, module):
    """Edge case 21; listed later in LD_PRELOAD is initialised earlier."""
    for preload in (library + ' ' + module, module + ':' + library):
        for name, environment in VARIANTS.items():
            environment = dict(environment,
                               EARLY_RANGE=environment['BERTH_RANGE'])
            run = space.run(['true'], preload, environment)
            report_verdicts(tap, run, name)
            tap.ok(len(run.lines()) == 57, name + ': all verdicts are there',
                   run.lines())


def run_second(tap, space, library, module, probe):
    """Edge case 36: a space or a colon, before or behind."""
    for preload in (library + ' ' + module, module + ':' + library):
        for name, environment in VARIANTS.items():
            run = space.run([probe, environment['BERTH_RANGE']], preload,
                            environment)
            report_verdicts(tap, run, name)


def run_quiet(tap, space, library, probe):
    """Edge case 37."""
    for name, environment in VARIANTS.items():
        run = space.run([probe], library, environment)
        tap.ok(run.status == 0, name + ': no descriptor is left open',
               run.details())
        tap.ok(run.output + run.errors == '', name + ': nothing is printed',
               run.details())


def main():
    space = Namespace(sys.argv[1])
    library, probe = map(os.path.abspath, sys.argv[2:4])
    name, tap = os.path.basename(probe), Tap()
    if space.refused():
        tap.skip('no network namespaces here')
    elif name == 'early.so':
        run_early(tap, space, library, probe)
    elif name == 'assert_second':
        run_second(tap, space, library, os.path.abspath(sys.argv[4]), probe)
    elif name == 'assert_quiet':
        run_quiet(tap, space, library, probe)
    else:
        for case, environment, arguments in cases(name):
            run = space.run([probe] + arguments, library, environment)
            report_verdicts(tap, run, case)
    tap.end()


main()
