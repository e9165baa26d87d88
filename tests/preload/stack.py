# SPDX-License-Identifier: MIT
"""stack.py IN_NAMESPACE LIBBERTH ASSERT_STACK BERTH: edge case 48.

Every hooked call, in every path that needs more than the common one, takes less
than 2 KiB of the program's stack.
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
CHOOSING = ['bind', 'bind6', 'connect', 'connect6', 'connect_mptcp',
            'connect_udp', 'connect_sctp', 'listen', 'listen_sctp', 'sendto',
            'sendto6', 'sendto_sctp', 'fastopen', 'sendmsg', 'sendmmsg',
            'syscall', 'bindx', 'bindx_long', 'connectx']
OTHERS = ['socket', 'bind_explicit', 'connect_self', 'setsockopt',
          'getsockopt', 'bindresvport', 'bindresvport_sa', 'rresvport', 'dup',
          'dup2', 'fcntl', 'close', 'close_range', 'closefrom']
# One of each way through the code.
FEW = ['bind', 'connect', 'listen', 'sendto', 'connect_sctp', 'bindx_long',
       'connectx', 'fastopen']

CONFIGURATION = '''
range = "%s"
log = "stderr"
reserve shop { ports = "8020" }
'''
# All behind the header, which has the edition.
DAMAGE = ('head -c 65536 /dev/zero | tr "\\0" "\\377" | '
          'dd of="$(echo */policy)" bs=4096 seek=1 conv=notrunc status=none')
# Every other port, of a few: more than fits into a short buffer.
LONG_LIST = ','.join(str(port) for port in range(50000, 51000, 2))


class Stack:
    def __init__(self, space, library, probe, berth):
        self.space, self.library, self.probe = space, library, probe
        self.berth, self.tap = berth, Tap()

    def measure(self, name, call, n_ports, environment, words=(), before=''):
        command = [self.probe, call, n_ports, *words]
        if before:
            command = ['sh', '-c', before + '; exec "$@"', 'sh'] + command
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

    def early(self):
        told = dict(VARIANTS['inside'], BERTH_LOG='stderr')
        wrong = {'BERTH_RANGE': '40000-' + 'x' * 400, 'BERTH_LOG': 'stderr'}
        sysctl = '/proc/sys/net/ipv4/ip_local_reserved_ports'
        long_list = 'echo %s >%s' % (LONG_LIST, sysctl)
        for call in CHOOSING + OTHERS:
            self.measure('the first call', call, '0', told, ['early'])
        for call in FEW:
            self.measure('the first call, no folder', call, '0',
                         dict(told, BERTH_DIR='/proc'), ['early'])
            self.measure('the first call, a wrong range', call, '0', wrong,
                         ['early'])
            self.measure('the first call, many reserved ports', call, '0',
                         told, ['early'], long_list)

    def load(self, text):
        """The word that has the probe publish a configuration."""
        return ('run=printf %%s %s >conf; LD_PRELOAD= %s load conf >load 2>&1 '
                '|| { cat load; exit 1; }' % (shlex.quote(text), self.berth))

    def policies(self):
        for name, variant in VARIANTS.items():
            load = self.load(CONFIGURATION % variant['BERTH_RANGE'])
            for call in FEW + ['bind_reserved']:
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
        stack.early()
        stack.policies()
    stack.tap.end()


main()
