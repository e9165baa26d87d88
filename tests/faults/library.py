# SPDX-License-Identifier: MIT
"""library.py start|calls CC LIBBERTH BERTH FAULT TARGET: every system call
that libberth.so makes fails, while a program starts or calls it. A TAP line
for each kind of call of each scenario.

A program has to end well and to leave no descriptor open. A line of its first
pass may differ from the same run without a fault where
- a call that Berth only passes on failed: the program gets that very errno, or
  Berth has got round it;
- Berth's own bind or connect failed, which stands for the program's: the same;
- a call of Berth's failed: then a port may lie outside the range, if a line on
  standard error or a counter says so. EBADF, ENOTSOCK and EFAULT need no
  telling, as they are about the program's own call, which then goes on as it
  is.

Where it is told, a call may also find no port left, or with on-error = refuse
be refused. A success leaves errno alone. After EINTR of an
  allocation, or of a socket of Berth's own, nothing at all may differ. What
  follows the line in its scene follows from it. The second pass is as without
  the fault, unless it lasts.
"""
import collections
import os
import subprocess
import sys

from fault import (BERTH, PASSED_ON, SERVER_PORT, SPAN_PASS, SPAN_START,
                   Injection, Program, Surroundings, Tap, Tools)

FOLDER = '/dev/shm/faults'
INSIDE, OUTSIDE = '40000-40099', '20000-20099'  # of ip_local_port_range

# See target.c. Numbers are those of Linux: AF_INET 2, SOCK_STREAM 1, ...
TCP4, TCP6, MPTCP = 'socket:2:1:0', 'socket:10:1:0', 'socket:2:1:262'
UDP4, UDP6, LATER = 'socket:2:2:0', 'socket:10:2:0', 'socket:2:2049:0'
CONNECT, SEND = 'connect:%d' % SERVER_PORT, 'sendto:%d:0' % SERVER_PORT
ANY, HERE = 'bind:0:0', 'bind:1:0'
CALLS = {
    'bind4': [TCP4, ANY, 'listen'], 'bind6': [TCP6, ANY, 'listen'],
    'bind_udp': [UDP4, HERE], 'bind_named': [TCP4, 'bind:1:7001'],
    'bind_shared': [TCP4, 'setsockopt:1:2:1', 'setsockopt:1:15:1', ANY, '|',
                    'getsockopt:1:2', '|', 'getsockopt:1:15'],
    'bind_no_port': [TCP4, 'setsockopt:0:24:1', HERE, CONNECT],
    'connect4': [TCP4, CONNECT, 'getsockopt:1:2', '|', 'getsockopt:0:51'],
    'connect6': [TCP6, CONNECT], 'connect_mptcp': [MPTCP, CONNECT],
    'connect_bound': [TCP4, HERE, CONNECT],
    'connect_refused': [TCP4, 'connect:7950', '|', CONNECT],
    'connect_later': [LATER, CONNECT],
    'connect_udp': [UDP4, CONNECT, 'disconnect_udp', CONNECT],
    'disconnect': [TCP4, CONNECT, 'disconnect', CONNECT],
    'listen4': [TCP4, 'listen'], 'listen6': [TCP6, 'listen'],
    'send_udp': [UDP4, SEND, '|', SEND],
    'send_message': [UDP6, 'sendmsg:%d' % SERVER_PORT],
    'send_messages': [UDP4, 'sendmmsg:%d' % SERVER_PORT],
    'fast_open': [TCP4, 'sendto:%d:536870912' % SERVER_PORT],
    'copies': [TCP4, HERE, 'dup', '|', 'dup2', '|', 'dup3', '|', 'fcntl', '|',
               CONNECT],
    'close_many': [TCP4, ANY, '|', UDP4, ANY, '|', 'close_range'],
    'resvport': [TCP4, 'bindresvport', '|', 'rresvport'],
    'self_connect': [TCP4, 'bind:0:7001', 'connect:7001'],
    'own_range': [TCP4, 'setsockopt:0:51:%d' % (50005 << 16 | 50000), CONNECT],
    'by_number': [TCP4, 'bind_by_number'],
}
SCENES = {
    **CALLS, 'bind_reserved': [TCP4, 'bind:0:7990'],
    # For ranges of two ports: the third finds none, and sweeps. Beyond the
    # kernel's own range, ports are shared by destination.
    'use_up_binds': 3 * [TCP4, ANY, '|'],
    'use_up_sends': 3 * [UDP4, SEND, '|', SEND, '|'],
    'use_up_connects': 3 * [TCP4, CONNECT, '|'] +
                       [TCP4, 'connect:%d' % (SERVER_PORT + 1)],
}
USE_UP = ['use_up_binds', 'use_up_sends', 'use_up_connects']
START = ['bind4', 'connect4', 'send_udp']

Scenario = collections.namedtuple(
    'Scenario', 'name span ports variables scenes policy is_fresh refuses '
    'n_skipped', defaults=[None, False, False, 0])
TOLD = {'BERTH_LOG': 'stderr'}


def ranged(name, span, ports, scenes, more={}, **others):
    return Scenario(name, span, ports, {**TOLD, 'BERTH_RANGE': ports, **more},
                    scenes, **others)


# is_fresh: no run finds a file of Berth's. Those of a start play all scenes in
# one run.
SCENARIOS = {
    'start': [
        ranged('first start', SPAN_START, INSIDE, START, is_fresh=True),
        ranged('first start, on-error = refuse', SPAN_START, INSIDE, START,
               {'BERTH_ON_ERROR': 'refuse'}, is_fresh=True, refuses=True,
               n_skipped=3),
        Scenario('later start', SPAN_START, INSIDE, TOLD, START,
                 policy='range = "%s"\n' % INSIDE),
    ],
    'calls': [
        ranged('inside', SPAN_PASS, INSIDE, list(CALLS)),
        ranged('outside', SPAN_PASS, OUTSIDE, list(CALLS)),
        Scenario('policy, log = syslog', SPAN_PASS, INSIDE, {},
                 ['bind_reserved', 'self_connect', 'bind4', 'connect4'],
                 policy='range = "%s"\nlog = "syslog"\n'
                        'reserve others { ports = "7990" owners = {"x"} }\n'
                        'process x { name = {"x"} }\n' % INSIDE),
        ranged('two ports inside', SPAN_PASS, '40000-40001', USE_UP),
        ranged('two ports outside', SPAN_PASS, '20000-20001', USE_UP),
    ],
}

# --- the judge --------------------------------------------------------------

Line = collections.namedtuple('Line', 'what result error where',
                              defaults=['', '', ''])


def lines_of(text):
    return [Line(*line.split(' ')[:4]) for line in text.splitlines()]


class Judge:
    def __init__(self, fault, is_told, refuses):
        self.fault, self.is_told, self.refuses = fault, is_told, refuses
        self.has_strayed = False

    def is_about_call(self):
        """No socket, or a pointer to nothing: the kernel would tell the program
        so."""
        return self.fault.error in ('EBADF', 'ENOTSOCK', 'EFAULT')

    def is_for_program(self, line):
        """Whether the call that failed was the program's, or one in its place:
        as libtirpc does, bindresvport() asks for the family."""
        return (self.fault.origin == PASSED_ON or
                self.fault.name in ('bind', 'connect') or
                (self.fault.name == 'getsockname' and
                 '/bindresvport' in line.what))

    def port(self, line):
        """Where the port lies, of a call that succeeded or that goes on."""
        if line.where == 'out' and not self.is_told and \
                not self.is_about_call():
            return 'a port outside the range, and nobody is told'
        return None

    def success(self, sound, line):
        if line.error != 'kept':
            return 'a success has changed errno'
        if sound.what == line.what and sound.result == '-1' and \
                not self.is_told and not self.is_about_call():
            return 'what is refused was done'
        return self.port(line)

    def failure(self, sound, line):
        if (line.what, line.error) == (sound.what, sound.error):
            return self.port(line)
        # That no port is left, in the words of each call; or a refusal.
        if self.is_told and line.error in (
                'EADDRINUSE', 'EADDRNOTAVAIL', 'EAGAIN',
                'EACCES' if self.refuses else ''):
            return None
        if line.error == self.fault.error and (self.is_for_program(line) or
                                               self.is_about_call()):
            return None
        return ("the program's call fails by a fault that is none of its own")

    def line(self, sound, line):
        # Calls that a signal does interrupt: fallocate(2) on a tmpfs, sockets.
        if self.fault.error == 'EINTR' and self.fault.origin == BERTH and \
                self.fault.name in ('fallocate', 'recvfrom'):
            return 'an interruption shows'
        if '/' not in line.what:
            return 'a line that does not belong here'
        self.has_strayed = True
        return (self.success if line.result == 'ok' else self.failure)(sound,
                                                                       line)

    def value(self, sound, line):
        """An option that could not be set or looked at is as it is."""
        return None if line in sound or self.fault.name in (
            'setsockopt', 'getsockopt') else "the program's option has changed"

    def lines(self, sound, lines):
        self.has_strayed = False
        for i, line in enumerate(lines):
            expected = sound[i] if i < len(sound) else Line('')
            follows = self.has_strayed and (line.result == '-1' or
                                            line.where != 'out')
            if '/value' in line.what:
                complaint = self.value(sound, line)
            else:
                complaint = None if line == expected or follows \
                    else self.line(expected, line)
            if complaint:
                return '%s: %s' % (complaint, ' '.join(line))
        return None


def judge(fault, sound, outcome, is_counted, refuses, lasts):
    if outcome.hung:
        return 'the program hangs'
    if not os.WIFEXITED(outcome.status):
        return 'the program is killed'
    if outcome.status != 0:
        return "the program's status is not 0"
    output, _, fds = outcome.output.partition('fds ')
    sound_output, _, sound_fds = sound.output.partition('fds ')
    if fds != sound_fds:
        return 'a descriptor is left open'
    first, _, second = output.partition('pass 2\n')
    sound_first, _, sound_second = sound_output.partition('pass 2\n')
    judging = Judge(fault, is_counted or 'berth: ' in outcome.errors, refuses)
    complaint = judging.lines(lines_of(sound_first), lines_of(first))
    if complaint is None and not lasts:
        return None if second == sound_second \
            else 'the fault still shows afterwards'
    return complaint or judging.lines(lines_of(sound_second), lines_of(second))


# --- a scenario ------------------------------------------------------------

class Calling(Injection):
    def __init__(self, tap, tools, files, scenario):
        super().__init__(tap, tools, files, scenario, scenario.is_fresh)
        self.env = {'LD_PRELOAD': tools.libberth, 'BERTH_DIR': FOLDER,
                    **scenario.variables}

    def prepare(self):
        if self.program.pid:
            self.program.end()
        self.files.clear()
        if self.is_fresh:
            return
        if self.case.policy:
            path = FOLDER + '.conf'
            with open(path, 'w') as file:
                file.write(self.case.policy)
            subprocess.run([self.tools.berth, 'load', path], check=True,
                           env=self.env, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            self.files.keep()
        self.run()
        self.files.keep()

    def lasts(self, fault):
        """ENOPROTOOPT, EOPNOTSUPP: Berth does not ask for the option again."""
        return (fault.always or self.case.span == SPAN_START or
                (fault.name == 'setsockopt' and fault.origin == BERTH and
                 fault.error in ('ENOPROTOOPT', 'EOPNOTSUPP')))

    def judge(self, fault, outcome):
        at, counters = self.tools.layout, self.files.counters()
        complaint = judge(
            fault, self.sound, outcome, any(
                n > self.counters[i] for i, n in enumerate(counters)
                if i not in (at.kernel_asked, at.foreign, at.swept)),
            self.case.refuses, self.lasts(fault)) or self.files.complaint()
        # Who has no table of descriptors leaves all leases to the sweep; and so
        # does who has lost sight of a socket by the fault and meets its port in
        # a search.
        if complaint is None and self.case.span == SPAN_PASS and \
                not counters[at.foreign] and \
                self.files.count_leases() > self.n_leases:
            complaint = 'a lease is left'
        return complaint

    def is_sound(self, outcome):
        """Of the range, but for that of the program's own."""
        return super().is_sound(outcome) and not any(
            line.where == 'out' and line.what.split('/')[0] != 'own_range'
            for line in lines_of(outcome.output))

    def note_sound(self):
        self.n_leases = self.files.count_leases()
        self.counters = self.files.counters()

    def play_scenes(self, names):
        span = self.case.span
        self.program = Program(
            self.tools, [self.tools.target, '-f' if span == SPAN_PASS else '-s',
                         self.case.ports] +
            [' '.join([name] + SCENES[name]) for name in names],
            {**self.env, 'LD_PRELOAD': '%s %s' % (self.tools.libberth,
                                                  self.tools.fault)}, span)
        self.play()
        if self.program.pid:
            self.program.end()


def main():
    tap, tools = Tap(), Tools(*sys.argv[2:])
    surroundings = Surroundings(tools.layout, FOLDER)
    for scenario in SCENARIOS[sys.argv[1]]:
        calling = Calling(tap, tools, surroundings, scenario)
        together = scenario.span == SPAN_START
        for names in [scenario.scenes] if together else \
                [[name] for name in scenario.scenes]:
            calling.play_scenes(names)
        calling.report()
    tap.end()
    return 0


sys.exit(main())
