# SPDX-License-Identifier: MIT
"""verdicts.py IN_NAMESPACE LIBBERTH PROBE [SCENES | MODULE]: its own verdicts.

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


def small(n, *words, kinds=(), **more):
    """The first n ports of each variant: to be used up, or tried one by one."""
    for name, environment in VARIANTS.items():
        low = int(environment['BERTH_RANGE'].split('-')[0])
        ports = '%d-%d' % (low, low + n - 1) if n > 1 else str(low)
        for kind in kinds or ([],):
            yield (', '.join([name, *words]),
                   dict(environment, BERTH_RANGE=ports, **more),
                   [*kind, ports, *words])


def variants(*words):
    for name, environment in VARIANTS.items():
        yield name, environment, [environment['BERTH_RANGE'], *words]


def ranges():
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


def lists():
    for ports in LISTS:
        for pin in ('yes', 'no'):
            for algorithm in ALGORITHMS:
                yield ('%s, pin %s' % (algorithm, pin),
                       {'BERTH_RANGE': ports, 'BERTH_PIN': pin,
                        'BERTH_ALGORITHM': algorithm}, [ports])


# (name, environment, arguments) of each run. What one kind leaves in TIME_WAIT
# stops no other where each has a namespace of its own.
KINDS = [[kind] for kind in KIND_NAMES]
STREAMS = KINDS[:4]
CASES = {
    'range': [*variants(), *ranges()],
    'self': small(4, kinds=KINDS),
    'share': small(1, kinds=STREAMS),
    'alone': small(1, kinds=STREAMS),
    'assert_full': lists(),
    'assert_sctp': [
        *small(6), ('astride', {'BERTH_RANGE': '32764-32770'},
                    ['32764-32770'])],
    'assert_exclusive': [
        *((name, environment, []) for name, environment in VARIANTS.items()),
        *small(20)],
    # It starts itself, with settings of its own.
    'assert_stderr': [('standard error', {'BERTH_LOG': 'none'}, [])],
    'assert_rest': small(250, kinds=KINDS, BERTH_ALGORITHM='random'),
    'assert_leases': [*variants('500', '1'),
                      *variants('500', str(random.randrange(2, 1 << 30)))],
    'assert_locked': small(8),
    'assert_arrivals': [*variants(), *small(8, 'away')],
    'assert_copies': [*variants(), *small(8, 'dry')],
}


def run_early(tap, space, library, module):
    """Edge case 21; listed later in LD_PRELOAD is initialised earlier."""
    for preload in (library + ' ' + module, module + ':' + library):
        for name, environment in VARIANTS.items():
            environment = dict(environment,
                               EARLY_RANGE=environment['BERTH_RANGE'])
            run = space.run(['true'], preload, environment)
            report_verdicts(tap, run, name)
            tap.ok(len(run.lines()) == 3 * 38, name + ': all verdicts are there',
                   run.lines())


def run_second(tap, space, library, *probe):
    """Edge case 36: a space or a colon, before or behind."""
    module = probe[-1]
    for preload in (library + ' ' + module, module + ':' + library):
        for name, environment, arguments in variants():
            run = space.run([*probe[:-1], 'any', *arguments], preload,
                            environment)
            report_verdicts(tap, run, name)
            tap.ok(len(run.lines()) == 2, name + ': the calls are counted',
                   run.lines())


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
    library, *probe = map(os.path.abspath, sys.argv[2:])
    name, tap = os.path.basename(probe[-1]), Tap()
    if space.refused():
        tap.skip('no network namespaces here')
    elif name == 'early.so':
        run_early(tap, space, library, *probe)
    elif name == 'second.so':
        run_second(tap, space, library, *probe)
    elif name == 'assert_quiet':
        run_quiet(tap, space, library, *probe)
    else:
        for case, environment, arguments in CASES.get(name) or variants():
            if len(probe) == 2 and len(arguments) == 1:
                arguments = ['any', *arguments]
            run = space.run(probe + arguments, library, environment)
            report_verdicts(tap, run, case)
    tap.end()


main()
