# SPDX-License-Identifier: MIT
"""Boots a kernel and an image in qemu, by translation (TCG): the processors'
own virtualisation is not to be had on every machine that runs the tests."""

import ctypes
import json
import os
import select
import signal
import subprocess
import time

BOOT_SECONDS = 900
STATUS_BOOT = 125

# Translated code is slow, and these halve what it costs. An old processor: what
# newer ones have for copying is translated badly. One of them: atomic operations
# need no care then; and the guests of two kernels fill two processors here.
QEMU = ['qemu-system-x86_64', '-accel', 'tcg', '-cpu', 'Nehalem', '-smp', '1',
        '-m', '1024', '-machine', 'q35', '-nodefaults', '-no-user-config',
        '-display', 'none', '-no-reboot']
# norandmaps: code at the same address is translated once for all processes.
# What follows it is hardening, which guards nothing here.
APPEND = ('console=ttyS0 quiet panic=-1 reboot=t tsc=reliable '
          'rdinit=/vm/init.sh norandmaps mitigations=off init_on_alloc=0 '
          'apparmor=0 audit=0 randomize_kstack_offset=off '
          'rcupdate.rcu_expedited=1')
PR_SET_PDEATHSIG = 1


class Died(Exception):
    """The guest ended before it was done; the text is its console's end."""


class BootFailed(Died):
    """It ended, or took too long, before it was ready."""


class Late(Died):
    """It was not done in time."""


def end_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Machine:
    def __init__(self, kernel, image):
        self.kernel, self.image = kernel, image

    def run(self, report, seconds):
        """Boots, and calls report() with each object that guest.py tells."""
        # In memory: nothing is left behind, however this ends.
        with open(os.memfd_create('initrd'), 'wb') as initrd, \
                open(os.memfd_create('console'), 'w+b') as console:
            self.image.write(initrd)
            initrd.flush()
            fds = initrd.fileno(), console.fileno()
            command = QEMU + [
                '-kernel', self.kernel + '/vmlinux', '-append', APPEND,
                '-initrd', '/proc/self/fd/%d' % fds[0],
                '-serial', 'file:/proc/self/fd/%d' % fds[1],
                '-serial', 'stdio']
            with subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, pass_fds=fds,
                                  preexec_fn=end_with_parent) as qemu:
                try:
                    Conversation(qemu.stdout, report, seconds).hold()
                except Died as error:
                    raise type(error)(str(error) + tail(console)) from None
                finally:
                    qemu.kill()


def tail(console):
    console.seek(0)
    lines = console.read().decode(errors='replace').splitlines()[-20:]
    return ''.join('\n' + line for line in lines)


class Conversation:
    """What comes from the second serial line."""

    def __init__(self, stream, report, seconds):
        self.fd, self.report, self.seconds = stream.fileno(), report, seconds
        self.ready = self.done = False
        self.limit = time.monotonic() + BOOT_SECONDS

    def take(self, line):
        try:
            what = json.loads(line)
        except ValueError:
            # qemu's own words.
            what = {'words': line.decode(errors='replace')}
        if 'ready' in what:
            self.ready = True
            self.limit = time.monotonic() + self.seconds
        self.done = self.done or 'done' in what
        self.report(what)

    def hold(self):
        rest = bytearray()
        while not self.done:
            left = self.limit - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                if self.ready:
                    raise Late('the guest was not done in time')
                raise BootFailed('the guest did not boot in time')
            data = os.read(self.fd, 65536)
            if not data:
                if self.ready:
                    raise Died('the guest died')
                raise BootFailed('the guest did not boot')
            rest += data
            if b'\n' in data:
                *lines, rest = rest.split(b'\n')
                for line in lines:
                    self.take(line)
