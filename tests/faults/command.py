# SPDX-License-Identifier: MIT
"""command.py CC LIBBERTH BERTH FAULT TARGET: every system call of berth load,
unload, run, sweep, status and port fails once with some errnos of its manual
page, and is once cut short; and then each kind of call for good. In a pid
namespace of its own, so that status finds a few processes only.

A command ends, and by itself. Its status is 0 only if it has done what it is
for, or says what is different; else it says why, and has changed nothing.

As root without BERTH_DIR: FOLDER is the default, and a policy in another
folder is one that nobody follows.
"""
import collections
import os
import stat
import subprocess
import sys

from fault import SPAN_COMMAND, Injection, Program, Surroundings, Tap, Tools

FOLDER = '/run/berth'
CONFIGURATION, OTHER_CONFIGURATION = FOLDER + '.conf', FOLDER + '-other.conf'
RANGE, LO, HI = '20000-20099', 20000, 20099
RANGES = {CONFIGURATION: (LO, HI), OTHER_CONFIGURATION: (20100, 20199)}
MODE, MODE_LINE = 0o640, 'map-mode = "0640"\n'
DENIED = os.strerror(13)

# A folder that is full, is not to be written, or is none: for good.
LASTING = 'EACCES EROFS ENOSPC EDQUOT ELOOP ENOTDIR ENAMETOOLONG'.split()

# What a command finds: no file of Berth's, no policy in force, or one.
EMPTY, MAP, POLICY = range(3)

# effect: what its status of 0 says. A port of the range in force is printed; a
# program starts, and the policy is known.
NONE, LOADED, UNLOADED, PORT, BOUND_BY = range(5)

Command = collections.namedtuple(
    'Command', 'name beginning effect n_skipped words env', defaults=[{}])
PROGRAM = ['--', 'TARGET', '-p']
SCENES = ['bind4 socket:2:1:0 bind:0:0 listen',
          'connect4 socket:2:1:0 connect:7900 getsockopt:1:2']
COMMANDS = [
    Command('first load', EMPTY, LOADED, 5, ['load', CONFIGURATION]),
    Command('load', POLICY, LOADED, 5, ['load', OTHER_CONFIGURATION]),
    Command('unload', POLICY, UNLOADED, 3, ['unload']),
    Command('run', MAP, NONE, 5, ['run', '--range', '40000-40099', *PROGRAM,
                                  '40000-40099', *SCENES]),
    Command('run, by a policy', POLICY, NONE, 5,
            ['run', *PROGRAM, RANGE, *SCENES]),
    Command('run, which refuses', POLICY, BOUND_BY, 5, ['run', '--', 'true'],
            {'BERTH_ON_ERROR': 'refuse'}),
    Command('sweep', POLICY, NONE, 6, ['sweep']),
    Command('sweep --proc', POLICY, NONE, 7, ['sweep', '--proc']),
    Command('status', POLICY, NONE, 6, ['status']),
    Command('port', POLICY, PORT, 3, ['port']),
]


class Commanding(Injection):
    def __init__(self, tap, tools, files, command):
        super().__init__(tap, tools, files, command,
                         command.beginning == EMPTY)
        self.env = {'BERTH_LIBRARY': os.path.relpath(tools.libberth),
                    'BERTH_LOG': 'stderr'}
        self.program = Program(
            tools, [tools.berth] + [os.path.relpath(tools.target)
                                    if word == 'TARGET' else word
                                    for word in command.words],
            {**self.env, **command.env, 'LD_PRELOAD': tools.fault},
            SPAN_COMMAND)

    def run(self, fault=None):
        outcome = super().run(fault)
        if self.is_fresh:
            self.files.keep()
        return outcome

    def run_berth(self, *words, check=True):
        """Without a fault; returns the output."""
        return subprocess.run([self.tools.berth, *words], env=self.env,
                              check=check, text=True,
                              stdout=subprocess.PIPE).stdout

    def prepare(self):
        """A map and a policy, as every run is to find them."""
        self.files.clear()
        self.edition = 0
        if self.is_fresh:
            return
        self.run_berth('load', CONFIGURATION)
        if self.case.beginning == MAP:
            self.run_berth('unload')
        self.files.keep()
        self.edition = self.files.edition()
        assert self.edition % 2 == (self.case.beginning == POLICY)

    # --- what came of it ----------------------------------------------------

    def is_told(self, outcome):
        """On standard error; or by status, which shows why there is no map."""
        return outcome.errors != self.sound.errors or DENIED in outcome.output

    @staticmethod
    def is_absence(fault):
        """What a command does not find is not there, as far as it can tell."""
        return fault.error == 'ENOENT' and fault.name in ('openat',
                                                          'newfstatat')

    def loaded(self, fault, outcome):
        files = self.files
        moved = files.has_moved()
        edition = files.edition_moved() if moved else files.edition()
        # A folder that cannot be for want of its parent: no program uses it.
        if fault.error == 'ENOENT' and fault.name == 'mkdirat':
            return None
        if (edition == self.edition and not moved) or edition % 2 == 0:
            return 'status 0, and nothing was done'
        if moved and fault.error not in LASTING + ['EPERM', 'EFBIG', 'ENOENT']:
            return 'the policy has moved for a failure that may pass'
        lo, hi = RANGES[self.case.words[-1]]
        port = self.run_berth('port', check=False)
        if not lo <= int('0' + port.strip()) <= hi:
            return 'status 0, and another policy is in force'
        # Without a map, or with one that not all look for, the policy binds all
        # the same: prepare_map() says which of the two it is.
        kept = files.kept.get('map')
        mode = stat.S_IMODE(os.stat(kept.path).st_mode) \
            if kept and os.path.exists(kept.path) else 0
        return None if mode == MODE or 'shared map' in outcome.errors \
            else 'status 0, and the map has another mode'

    def unloaded(self, fault, outcome):
        edition = self.files.edition()
        if (edition != self.edition and edition % 2 == 0) or \
                (self.is_absence(fault) and
                 'no policy is in force' in outcome.output):
            return None
        return 'status 0, and nothing was done'

    def effect(self, fault, outcome):
        effect = self.case.effect
        if effect == LOADED:
            return self.loaded(fault, outcome)
        if effect == UNLOADED:
            return self.unloaded(fault, outcome)
        if effect == PORT and not self.is_told(outcome) and \
                not self.is_absence(fault) and \
                not LO <= int('0' + outcome.output.strip()) <= HI:
            return 'a port outside the range, and nobody is told'
        # What lasts, nobody's programs would start with: there it is only told.
        if effect == BOUND_BY and fault.error not in LASTING and \
                'policy' in outcome.errors:
            return 'a program starts, whatever the policy says'
        return None

    def success(self, fault, outcome):
        complaint = self.effect(fault, outcome)
        if complaint or self.is_told(outcome):
            return complaint
        # status and sweep count, port chooses: the numbers differ.
        if not self.is_absence(fault) and outcome.output.count('\n') != \
                self.sound.output.count('\n'):
            return 'status 0, another output, and nothing is told'
        if ' ok kept out' in outcome.output:
            return 'a port outside the range, and nobody is told'
        return None

    def failure(self, fault, outcome):
        if fault.name in ('write', 'writev'):
            return None
        if outcome.errors == '':
            return 'it fails and does not say why'
        if self.files.edition() != self.edition:
            return 'it fails, and has changed the policy'
        return None

    def judge(self, fault, outcome):
        if outcome.hung:
            return 'it hangs'
        if not os.WIFEXITED(outcome.status):
            return 'it is killed'
        complaint = self.files.complaint() or \
            (self.failure if outcome.status else self.success)(fault, outcome)
        if not complaint and self.files.has_moved():
            self.prepare()
        return complaint


def main():
    tap, tools = Tap(), Tools(*sys.argv[1:])
    files = Surroundings(tools.layout, FOLDER)
    for path, text in ((CONFIGURATION, 'range = "%s"\n' % RANGE),
                       (OTHER_CONFIGURATION, 'range = "20100-20199"\n'
                        'reserve r { ports = "8020" }\n')):
        with open(path, 'w') as file:
            file.write(text + MODE_LINE)
    for command in COMMANDS:
        commanding = Commanding(tap, tools, files, command)
        commanding.play()
        commanding.report()
    tap.end()
    return 0


sys.exit(main())
