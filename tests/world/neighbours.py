#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""neighbours.py IN_NAMESPACE FOLDER: other libraries around libberth.so.

Allocators, sanitizers, and other preloads, before it and behind it. FOLDER has
the programs talk, ports and wrapped, and of talk what is built with a sanitizer:
talk_gcc_address, talk_clang_thread and so on, where the compiler has it.

Needs LIBBERTH and BERTH. Libraries are looked for in /usr/lib/*/ and in the
folder LIBRARIES.
"""

import glob
import os
import re
import sys
import tempfile

from own import BERTH, HERE, KERNEL_RANGE, LIBBERTH, VARIANTS, under_berth
from harness import Namespace, Run, Tap, report_verdicts

SMALL_RANGE = '20000-20199'


def library(name):
    """The path of a library of Debian's, or None."""
    folders = ['/usr/lib/*', os.environ.get('LIBRARIES', '/nowhere')]
    found = [path for folder in folders
             for path in glob.glob(os.path.join(folder, name))]
    return found[0] if found else None


def orders(name, path):
    """Before and behind: (words, LD_PRELOAD)."""
    return [('%s before it' % name, path + ':' + LIBBERTH),
            ('%s behind it' % name, LIBBERTH + ':' + path)]


def talk(tap, space, words, program, preload, **more):
    for variant in ('inside', 'outside'):
        environment = dict(VARIANTS[variant], **more)
        under_berth(tap, space, '%s, %s' % (words, variant), environment,
                    preload, [program])


def beside_wrapper(tap, space, folder):
    """socket_wrapper without a folder passes everything on: to libc, which it
    finds by itself. In front of Berth it leaves nothing for Berth to see."""
    path = library('libsocket_wrapper.so')
    if path is None:
        tap.skip('no socket_wrapper here')
        return
    program = os.path.join(folder, 'talk')
    before, behind = orders('idle socket_wrapper', path)
    talk(tap, space, behind[0], program, behind[1])
    run = space.run([program, '1-65535'], before[1], VARIANTS['inside'])
    report_verdicts(tap, run, before[0] + ', which hides it')


def around(tap, space, folder, name, pattern, **more):
    """A library that the program does not know of."""
    path = library(pattern)
    if path is None:
        tap.skip('no %s here' % name)
        return
    for words, preload in orders(name, path):
        talk(tap, space, words, os.path.join(folder, 'talk'), preload, **more)


def sanitized(tap, space, folder):
    """gcc's runtime is a library, which asan wants to be the first; clang's is
    in the program."""
    cases = {'gcc_address': [library('libasan.so.*')],
             'gcc_thread': [library('libtsan.so.*'), ''],
             'clang_address': [''], 'clang_thread': ['']}
    for name, runtimes in cases.items():
        program = os.path.join(folder, 'talk_' + name)
        if not os.path.exists(program) or None in runtimes:
            tap.skip('no program of %s here' % name.replace('_', ', '))
            continue
        for runtime in runtimes:
            words = 'runtime before it' if runtime else 'it is the first'
            talk(tap, space, words, program, (runtime + ':' + LIBBERTH).strip(
                ':'))


def sanitized_by_run(tap, space, folder):
    """berth run puts itself behind that runtime where it is named."""
    program = os.path.join(folder, 'talk_gcc_address')
    runtime = library('libasan.so.*')
    if not os.path.exists(program) or runtime is None:
        tap.skip('no program of gcc, address here')
        return
    under_berth(tap, space, 'run with asan', VARIANTS['inside'], runtime,
                [BERTH, 'run', '--', program])


def lines_of(run):
    """The ports of socket_wrapper's own choice begin at 5001."""
    return [re.sub(r'/50\d\d$', '/auto', line) for line in run.lines()]


def in_wrapper(space, folder, preload, environment):
    with tempfile.TemporaryDirectory(prefix='berth-') as sockets:
        return space.run([os.path.join(folder, 'wrapped')], preload,
                         dict(environment, SOCKET_WRAPPER_DIR=sockets,
                              SOCKET_WRAPPER_DEFAULT_IFACE='2'))


def wrapped(tap, space, folder):
    """socket_wrapper's sockets look the same with Berth before or behind it."""
    path = library('libsocket_wrapper.so')
    if path is None:
        tap.skip('no socket_wrapper here')
        return
    alone = in_wrapper(space, folder, path, {})
    tap.ok(alone.status == 0 and len(alone.lines()) > 20 and not alone.errors,
           'socket_wrapper alone works', alone.details())
    for words, preload in orders('socket_wrapper', path):
        for variant in ('inside', 'outside'):
            both = in_wrapper(space, folder, preload, VARIANTS[variant])
            tap.ok(both.status == 0 and not both.errors and
                   lines_of(both) == lines_of(alone),
                   '%s, %s: the same is seen' % (words, variant),
                   both.details() +
                   ['alone: %s / both: %s' % pair for pair in
                    zip(lines_of(alone), lines_of(both)) if pair[0] != pair[1]])


def rests(tap, space, folder):
    """A program that is told another time gets no port that rests, and takes
    away nobody's rest."""
    path = library('faketime/libfaketime.so.1')
    if path is None:
        tap.skip('no libfaketime here')
        return
    times = ['', '+1h', '', '-10d', '', '@2000-01-01 00:00:00', '']
    for words, preload in orders('libfaketime', path):
        lines = ['%s "%s" 20' % (
            'env LD_PRELOAD="%s" FAKETIME="%s"' % (preload, time) if time
            else 'env LD_PRELOAD="%s"' % LIBBERTH,
            os.path.join(folder, 'ports')) for time in times]
        run = Run([space.program, '-r', KERNEL_RANGE, 'sh', '-ec',
                   '\n'.join(lines)],
                  {'BERTH_RANGE': SMALL_RANGE, 'BERTH_ALGORITHM': 'random'})
        tap.ok(run.status == 0 and not run.errors and
               len(run.lines()) == 20 * len(times), words + ': all are bound',
               run.details())
        tap.ok(len(set(run.lines())) == len(run.lines()),
               words + ': no port that rests is assigned',
               ['%d of %d' % (len(set(run.lines())), len(run.lines()))])


def main():
    space = Namespace(sys.argv[1])
    folder = os.path.abspath(sys.argv[2])
    tap = Tap()
    if space.refused():
        tap.skip('no network namespaces here')
    else:
        bare = space.run([os.path.join(folder, 'talk'), '1-65535'])
        report_verdicts(tap, bare, 'talk, bare')
        around(tap, space, folder, 'jemalloc', 'libjemalloc.so.2')
        around(tap, space, folder, 'tcmalloc', 'libtcmalloc_minimal.so.4')
        around(tap, space, folder, 'libfaketime', 'faketime/libfaketime.so.1',
               FAKETIME='+1h')
        beside_wrapper(tap, space, folder)
        sanitized(tap, space, folder)
        sanitized_by_run(tap, space, folder)
        wrapped(tap, space, folder)
        rests(tap, space, folder)
    tap.end()


main()
