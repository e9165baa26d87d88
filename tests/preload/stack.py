# SPDX-License-Identifier: MIT
"""stack.py IN_NAMESPACE LIBBERTH ASSERT_STACK BERTH: edge case 48.

Every hooked call of a process in which Berth has started, in every path that
needs more than the common one, takes less than 2 KiB of the program's stack.
"""

import os
import shlex
import sys

from harness import Namespace, Tap, report_verdicts

# Two ports each: inside the kernel's range, outside, inside and bound.
VARIANTS = {
    'inside': {'BERTH_RANGE': '40000-40001'},
    'outside': {'BERTH_RANGE': '20000-20001'},
    'unpinned': {'BERTH_RANGE': '40000-40001', 'BERTH_PIN': 'no'},
}
N_PORTS = '2'

# Those that choose a port, and those that do not.
CHOOSING = ['bind', 'bind6', 'connect', 'connect6', 'connect-mptcp',
            'connect-udp', 'connect-sctp', 'listen', 'listen-sctp', 'sendto',
            'sendto6', 'sendto-sctp', 'fastopen', 'sendmsg', 'sendmmsg',
            'syscall', 'bindx', 'bindx-long', 'connectx']
OTHERS = ['socket', 'bind-explicit', 'connect-self', 'setsockopt',
          'getsockopt', 'bindresvport', 'bindresvport_sa', 'rresvport', 'dup',
          'dup2', 'fcntl', 'close', 'close_range', 'closefrom']
# One of each way through the code.
FEW = ['bind', 'connect', 'listen', 'sendto', 'connect-sctp', 'bindx-long',
       'connectx', 'fastopen']

CONFIGURATION = '''
range = "%s"
log = "stderr"
reserve shop { ports = "8020" }
'''
# All behind the header, which has the edition.
DAMAGE = ('head -c 65536 /dev/zero | tr "\\0" "\\377" | '
          'dd of="$(echo */policy)" bs=4096 seek=1 conv=notrunc status=none')


class Stack:
    def __init__(self, space, library, probe, berth):
        self.space, self.library, self.probe = space, library, probe
        self.berth, self.tap = berth, Tap()

    def measure(self, name, call, n_ports, environment, words=()):
        command = [self.probe, call, n_ports, *words]
        run = self.space.run(command, self.library, environment)
        run.errors = ''     # the lines that are asked for
        report_verdicts(self.tap, run, name)

    def ranges(self):
        for name, variant in VARIANTS.items():
            told = dict(variant, BERTH_LOG='stderr')
            for call in CHOOSING + OTHERS:
                self.measure(name, call, '0', told)
            for call in CHOOSING:
                self.measure(name + ', no port left', call, N_PORTS, told)
            for call in FEW:
                self.measure(name + ', no port left, log by syslog', call,
                             N_PORTS, dict(variant, BERTH_LOG='syslog'))
                for word in ('no-diag', 'no-memory'):
                    self.measure('%s, no port left, %s' % (name, word), call,
                                 N_PORTS, told, [word])

    def observed(self):
        for call in CHOOSING:
            self.measure('observe', call, '0', {}, [self.load(
                'mode = "observe"\nlog = "stderr"\nrange = "20000-20001"\n')])

    def load(self, text):
        """The word that has the probe publish a configuration."""
        return ('run=printf %%s %s >conf; LD_PRELOAD= %s load conf >load 2>&1 '
                '|| { cat load; exit 1; }' % (shlex.quote(text), self.berth))

    def policies(self):
        for name, variant in VARIANTS.items():
            load = self.load(CONFIGURATION % variant['BERTH_RANGE'])
            for call in FEW + ['bind-reserved']:
                self.measure(name + ', a policy is new', call, '0', {}, [load])
            damage = '; '.join((load, DAMAGE))
            for call in FEW:
                self.measure(name + ', a policy is damaged', call, '0',
                             {'BERTH_LOG': 'stderr'}, [damage])


def main():
    space = Namespace(sys.argv[1])
    stack = Stack(space, *map(os.path.abspath, sys.argv[2:5]))
    if space.refused():
        stack.tap.skip('no network namespaces here')
    else:
        stack.ranges()
        stack.observed()
        stack.policies()
    stack.tap.end()


main()
