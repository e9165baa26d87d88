# SPDX-License-Identifier: MIT
"""compare.py IN_NAMESPACE LIBBERTH PROGRAM [SCENES]: its lines, bare and hooked.

Every line must be the same, whichever way Berth takes to the port. SCENES is
the file that the program play.c plays.
"""

import os
import re
import sys

from harness import KERNEL_RANGE, KIND_NAMES, VARIANTS, Namespace, Tap

# What a bind leaves behind: (name of the scenes' file, or of the program;
# pattern of the bare line; replacement, or None where the hooked line may be
# anything). An explicit port outlives a
# failed connect and AF_UNSPEC (edge case 1), so that without
# IP_LOCAL_PORT_RANGE these cannot be the same.
KNOWN_BOUND = [
    ('connect', r'( connect \[.*: -1 ENETUNREACH .*)/0$', r'\1/auto'),
    ('connect', r'( connect \[fe80::1\]:.*: -1 EINVAL .*)/0$', r'\1/auto'),
    ('connect', r'( mapped wildcard: .*: -1 EAFNOSUPPORT .*)/0$', r'\1/auto'),
    ('connect', r' (refused once|unspec): bind | address lock: ', None),
    ('udp', r'( connect unspec: 0 .*)/0$', r'\1/auto'),
    ('udp', r' unspec: bind ', None),
    ('order', r'( connect unspec: 0 .*)/0$', r'\1/auto'),
    ('order', r' sent before: bind ', None),
    # A child has connected the socket with SO_REUSEADDR set.
    ('exhausted', r'( connected by a child: .* reuseaddr=)0 (.*)$', r'\g<1>1 \2'),
    # So does the port of a SCTP send that the kernel refuses; sctp_autobind().
    ('sctp', r'( \[224.0.0.1\]:.*: -1 EINVAL .*)/0$', r'\1/auto'),
    ('sctp', r' (nobody|wrong|send, multicast): bind ', None),
    # A child has connected the parent's socket: its parent sees the option.
    ('dup', r'( fork: .* reuseaddr=)0 (.*)$', r'\g<1>1 \2'),
]

N_SHOWN = 10

TWO_PORTS = {
    'inside': {'BERTH_RANGE': '40000-40001'},
    'outside': {'BERTH_RANGE': '20000-20001'},
    'unpinned': {'BERTH_RANGE': '40000-40001', 'BERTH_PIN': 'no'},
}


def same(probe, variant, bare, hooked):
    if bare == hooked:
        return True
    pinned = variant == 'inside' and 'range=ENOPROTOOPT' not in bare
    known = [] if pinned else KNOWN_BOUND
    for known_probe, pattern, replacement in known:
        if known_probe == probe and re.search(pattern, bare):
            return (replacement is None or
                    re.sub(pattern, replacement, bare) == hooked)
    return False


def differences(probe, variant, bare, hooked):
    """Lines that tell the first N_SHOWN, and how many there are."""
    pairs = [(one, two) for one, two in zip(bare, hooked)
             if not same(probe, variant, one, two)]
    found = [line for one, two in pairs[:N_SHOWN]
             for line in ('bare:   ' + one, 'hooked: ' + two)]
    if len(pairs) > N_SHOWN:
        found.append('%d lines differ' % len(pairs))
    if len(bare) != len(hooked):
        found.append('bare %d lines, hooked %d; the last of these: %s'
                     % (len(bare), len(hooked), (hooked or ['(none)'])[-1]))
    return found


def compare(tap, space, library, probe, variants, bare_range):
    files = [word for word in probe if '/' in word]
    name = os.path.basename(files[-1])
    words = ' '.join([name] + probe[len(files):])
    bare = space.run(probe, kernel_range=bare_range)
    tap.ok(bare.status == 0 and bare.errors == '' and bare.output != '',
           words + ' runs bare', bare.details())
    for line in bare.lines():
        if line.startswith('skip '):
            tap.skip(line[5:])
    for variant, environment in variants.items():
        hooked = space.run(probe, library, environment)
        found = differences(name, variant, bare.lines(), hooked.lines())
        tap.ok(not found, '%s looks the same, %s' % (words, variant), found)
        tap.ok(hooked.status == bare.status and hooked.errors == '',
               '%s ends well, %s' % (words, variant), hooked.details())


def main():
    space = Namespace(sys.argv[1])
    library, *probe = map(os.path.abspath, sys.argv[2:])
    tap = Tap()
    if space.refused():
        tap.skip('no network namespaces here')
    elif probe[-1].endswith('/exhausted'):
        for kind in KIND_NAMES:
            compare(tap, space, library, probe + [kind], TWO_PORTS,
                    '40000 40001')
    else:
        compare(tap, space, library, probe, VARIANTS, KERNEL_RANGE)
    tap.end()


main()
