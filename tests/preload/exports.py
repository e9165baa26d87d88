# SPDX-License-Identifier: MIT
"""exports.py LIBBERTH: what the library exports, imports and needs.

The names are compared with src/preload/hooks.def: a hook that is not marked HOOK
is not exported, and nothing else says so. Edge cases 22 and 37.
"""

import os
import re
import subprocess
import sys

from harness import Tap

HOOKS_DEF = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..',
                         'src', 'preload', 'hooks.def')

# What may be imported: none of it makes a system call, or only in the constructor.
HARMLESS = re.compile(
    r'__errno_location$|_?_?environ$|mem(chr|cmp|cpy|move|set)$|getauxval$|'
    r'strn?(cmp|len|spn|cspn)$|strcspn$|dl(open|sym|error)$|'
    r'_ITM_|__cxa_finalize$|__gmon_start__$')

# No heap, no stdio, no lock, and no name that other libcs lack. (dlopen() gives the
# constructor a handle of the vDSO, which is there: src/base/clock.c.)
FORBIDDEN = re.compile(
    r'__.*_chk$|(m|c|re)alloc$|free$|aligned_alloc$|posix_memalign$|str'
    r'n?dup$|v?[fsd]?n?printf$|(f|fd)open$|f?puts$|fputc$|fwrite$|perror$|'
    r'pthread_mutex|pthread_create$|exit$|_exit$|abort$|__assert_fail$')


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE,
                          universal_newlines=True).stdout


def symbols(library, *options):
    lines = output('nm', '-D', *options, library).splitlines()
    return {line.split()[-1].split('@')[0] for line in lines
            if len(line.split()) < 3 or line.split()[-2] != 'w'}


def hooks():
    with open(HOOKS_DEF, encoding='utf-8') as file:
        found = re.findall(r'^(?:SYSTEM_CALL|LIBC_CALL)\(\w+, (\w+)|'
                           r'^LIBC_ALIAS\((\w+)\)', file.read(), re.MULTILINE)
    return {call or alias for call, alias in found}


def main():
    library, tap = sys.argv[1], Tap()
    hooked_calls = hooks()
    exported = symbols(library, '--defined-only')
    tap.ok(exported == hooked_calls, 'the exported names are the hooked calls',
           ['missing: %s' % sorted(hooked_calls - exported),
            'too many: %s' % sorted(exported - hooked_calls)])
    imported = symbols(library, '--undefined-only')
    forbidden = sorted(name for name in imported if FORBIDDEN.match(name))
    tap.ok(not forbidden, 'no heap, stdio, lock, exit or __*_chk is imported',
           forbidden)
    strange = sorted(name for name in imported if not HARMLESS.match(name))
    tap.ok(not strange, 'libc makes no system call for the library', strange)
    hooked = sorted(imported & hooked_calls)
    tap.ok(not hooked, 'no hooked call is imported', hooked)
    needed = re.findall(r'\(NEEDED\).*\[(.*)\]',
                        output('readelf', '-d', library))
    tap.ok(needed == ['libc.so.6'], 'libc is the one library needed', needed)
    tap.ok('TEXTREL' not in output('readelf', '-d', library),
           'there are no text relocations')
    stack = re.search(r'GNU_STACK.*\n?.*?(RWE|RW)',
                      output('readelf', '-lW', library))
    tap.ok(stack and stack.group(1) == 'RW', 'the stack is not executable')
    tap.end()


main()
