#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a command on another kernel.

run.py [-k KERNEL] [-c CACHE] [-e NAME=VALUE]... [-f FILE]... [-b GLOB]...
       [-t SECONDS] [-v] [--] COMMAND...

The programs and files among the words and the values of the variables go into
the guest, at the same paths, with the libraries that they need; -f adds more
files or folders. Its output and its exit status come back, and so do the files
that GLOB matches then, to the same paths: .gcda files are added to the ones
here. 124: it took longer than SECONDS; 125: no kernel, or the guest did not
boot, twice.
"""

import argparse
import os
import sys

# Nothing is written beside the sources.
sys.dont_write_bytecode = True

import guests
import kernels
import machine

CACHE = os.path.join(guests.HERE, '../../build/tests/vm/kernels')


def arguments():
    parser = argparse.ArgumentParser(
        description='Runs a command on another kernel, in qemu.')
    parser.add_argument('-k', '--kernel', choices=list(kernels.KERNELS),
                        default='6.12')
    parser.add_argument('-c', '--cache', metavar='FOLDER',
                        default=os.environ.get('VM_KERNELS', CACHE),
                        help='where the kernels are kept; without it '
                        'VM_KERNELS, or build/tests/vm/kernels')
    parser.add_argument('-e', '--environment', metavar='NAME=VALUE',
                        action='append', default=[])
    parser.add_argument('-f', '--file', action='append', default=[],
                        help='a file or folder that the command needs')
    parser.add_argument('-b', '--bring-back', metavar='GLOB', action='append',
                        default=[], help='files that come back at the end; **'
                        ' matches any folders')
    parser.add_argument('-t', '--timeout', type=int, default=120)
    parser.add_argument('-v', '--verbose', action='store_true')
    parser.add_argument('command', nargs='+')
    return parser.parse_args()


def main():
    words = arguments()
    environment = dict(pair.split('=', 1) for pair in words.environment)
    job = guests.Job(words.command, os.getcwd(), environment, words.timeout)
    status = machine.STATUS_BOOT

    def report(what):
        nonlocal status
        if 'output' in what:
            sys.stdout.buffer.write(what['output'].encode('latin-1'))
            sys.stdout.flush()
        elif 'status' in what:
            status = 124 if what['status'] == 'timeout' else what['status']
        if words.verbose and 'output' not in what:
            print('run.py:', what, file=sys.stderr)

    try:
        guests.run(words.cache, words.kernel, [job], report,
                   files=words.file,
                   back=map(os.path.abspath, words.bring_back))
    except (kernels.Unavailable, machine.Died) as reason:
        print('run.py: %s: %s' % (words.kernel, reason), file=sys.stderr)
        return 124 if isinstance(reason, machine.Late) else 125
    return status if status >= 0 else 128 - status


if __name__ == '__main__':
    sys.exit(main())
