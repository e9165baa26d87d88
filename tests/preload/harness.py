# SPDX-License-Identifier: MIT
"""What drivers share: TAP, and runs in a namespace."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))

from tap import Tap, skip_all

# Nothing is measured by it: it ends what hangs, on a busy machine too.
HANG_SECONDS = 900
STATUS_SKIP = 77

# name: environment. The kernel's own range in the namespaces is
# 32768-60999: "inside" is pinned, "outside" is bound, "unpinned" is bound too.
VARIANTS = {
    'inside': {'BERTH_RANGE': '40000-43999'},
    'outside': {'BERTH_RANGE': '20000-23999'},
    'unpinned': {'BERTH_RANGE': '40000-43999', 'BERTH_PIN': 'no'},
}
KERNEL_RANGE = '32768 60999'

KIND_NAMES = ['tcp4', 'tcp6', 'mptcp4', 'mptcp6', 'udp4', 'udp6', 'udplite4',
              'udplite6']


IP_LOCAL_PORT_RANGE = 51    # Python has no name for it


def wait_until(holds):
    """Returns when holds() is true."""
    end = time.monotonic() + HANG_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError('waited in vain: %s' % holds.__name__)
        time.sleep(0.02)


def has_pin():
    """Whether the kernel has IP_LOCAL_PORT_RANGE: Linux 6.3."""
    with socket.socket() as sock:
        try:
            sock.getsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE)
        except OSError:
            return False
    return True


def status_name(status):
    """An exit status as text, or the signal that has killed the program."""
    if isinstance(status, int) and status < 0:
        return 'killed by ' + signal.Signals(-status).name
    return str(status)


class Run:
    """The output, errors (text) and status of a finished command."""

    def __init__(self, command, environment):
        with tempfile.TemporaryDirectory(prefix='berth-') as folder:
            full = {name: value for name, value in os.environ.items()
                    if not name.startswith('BERTH_') and name != 'LD_PRELOAD'}
            full['BERTH_DIR'] = folder
            full.update(environment)
            try:
                done = subprocess.run(
                    command, env=full, cwd=folder, stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    errors='replace', timeout=HANG_SECONDS)
                self.status = done.returncode
                self.output, self.errors = done.stdout, done.stderr
            except subprocess.TimeoutExpired as expired:
                self.status = 'hang'
                self.output = (expired.stdout or b'').decode()
                self.errors = (expired.stderr or b'').decode()

    def lines(self):
        return self.output.splitlines()

    def details(self):
        return (['status %s' % status_name(self.status)] + self.lines()[-5:]
                + self.errors.splitlines()[-5:])


class Namespace:
    """Starts commands, each in a namespace of its own."""

    def __init__(self, program):
        self.program = os.path.abspath(program)

    def refused(self):
        return Run([self.program, 'true'], {}).status == STATUS_SKIP

    def run(self, command, preload=None, environment=None,
            kernel_range=KERNEL_RANGE):
        line = [self.program, '-r', kernel_range]
        if preload:
            line += ['-p', preload]
        return Run(line + command, environment or {})


def report_verdicts(tap, run, prefix):
    """The lines of an assertion probe as TAP, and how it ended."""
    for line in run.lines():
        if line.startswith('ok '):
            tap.ok(True, prefix + ': ' + line[3:])
        elif line.startswith('not ok '):
            tap.ok(False, prefix + ': ' + line[7:])
        elif line.startswith('skip '):
            tap.skip(prefix + ': ' + line[5:])
        else:
            tap.ok(False, prefix + ': ' + line)
    tap.ok(run.status == 0, prefix + ': ends well', run.details())
    tap.ok(run.errors == '', prefix + ': writes no errors', run.details())
