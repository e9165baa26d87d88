# SPDX-License-Identifier: MIT
"""Puts jobs into a guest and boots it."""

import json
import os

import image
import kernels
import machine
import returned

HERE = os.path.dirname(os.path.abspath(__file__))
# What programs and scripts of the tests start by name.
PROGRAMS = ['sh', 'env', 'ip', 'nm', 'nsenter', 'readelf', 'setpriv',
            'timeout', 'true', 'unshare']


class Job:
    """A command, with the folder that it starts in."""

    def __init__(self, command, folder, environment, timeout):
        self.command, self.folder = list(command), folder
        self.environment, self.timeout = dict(environment), timeout

    def files(self):
        """The absolute paths of this machine's files that the job names."""
        words = self.command + [
            part for value in self.environment.values()
            for part in value.replace(' ', ':').split(':')]
        for word in words:
            path = os.path.join(self.folder, word)
            if os.path.isfile(path):
                yield os.path.abspath(path)

    def plan(self):
        return {'command': self.command, 'folder': self.folder,
                'environment': self.environment, 'timeout': self.timeout}


def make_image(kernel, jobs, files, back):
    made = image.Image()
    made.system()
    made.python()
    for name in PROGRAMS:
        made.program(name)
    for job in jobs:
        made.folder(job.folder)
        made.program(job.command[0])
        for path in job.files():
            made.add(path)
    for path in files:
        made.add(os.path.abspath(path))
    made.busybox()
    made.modules(kernel)
    made.put('/vm/init.sh', HERE + '/init.sh', 0o755)
    made.put('/vm/guest.py', HERE + '/guest.py')
    plan = {'jobs': [job.plan() for job in jobs], 'back': list(back)}
    made.put('/vm/jobs', json.dumps(plan).encode())
    return made


def run(cache, name, jobs, report, files=(), back=(), seconds=None):
    """Runs jobs on a kernel; report() as in machine.py. What matches a pattern
    of back when they have ended comes back to the same path. The boot is tried
    once more when it fails, which is reported as {"failed": why}; nothing else
    is."""
    kernels.need_programs()
    kernel = kernels.kernel(cache, name)
    guest = machine.Machine(kernel, make_image(kernel, jobs, files, back))
    if seconds is None:
        seconds = sum(job.timeout for job in jobs) + 10
    with returned.Files() as taken:
        def hear(what):
            if 'file' in what:
                taken.take(what['file'], what['data'])
            else:
                report(what)

        try:
            guest.run(hear, seconds)
        except machine.BootFailed as reason:
            report({'failed': str(reason).splitlines()[0]})
            guest.run(hear, seconds)
