# SPDX-License-Identifier: MIT
"""Runs in the guest: the commands of /vm/jobs, one after another, and tells the
host what becomes of them, on the second serial line.

Each line there is a JSON object: {"ready": kernel}, {"job": i, "output": text},
{"job": i, "status": number or "timeout", "seconds": of its processors' time},
{"file": path, "data": zlib's and base64's}, and {"done": true}. Output is told
as characters of the same numbers as its bytes.
"""

import base64
import ctypes
import glob
import json
import os
import selectors
import signal
import subprocess
import time
import tty
import zlib

RB_POWER_OFF = 0x4321fedc


class Host:
    def __init__(self):
        self.fd = os.open('/dev/ttyS1', os.O_WRONLY | os.O_NOCTTY)
        tty.setraw(self.fd)

    def tell(self, **what):
        line = json.dumps(what).encode() + b'\n'
        while line:
            line = line[os.write(self.fd, line):]

    def flush(self):
        tty.tcdrain(self.fd)


class Job:
    """A command that runs, in a session of its own."""

    def __init__(self, number, job):
        self.number = number
        self.limit = time.monotonic() + job['timeout']
        self.status = None
        self.process = subprocess.Popen(
            job['command'], cwd=job['folder'],
            env=dict(os.environ, **job['environment']),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True)
        os.set_blocking(self.process.stdout.fileno(), False)

    def read(self):
        """The next output, '' at its end, None where there is none yet."""
        data = self.process.stdout.read(65536)
        return None if data is None else data.decode('latin-1')

    def is_late(self):
        return time.monotonic() > self.limit

    def kill(self):
        """Its group, that is: what has left it may keep the output open."""
        self.status = 'timeout'
        os.killpg(self.process.pid, signal.SIGKILL)

    def end(self):
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return {'job': self.number,
                'status': self.status or self.process.returncode,
                'seconds': round(usage.ru_utime + usage.ru_stime, 2)}


class Guest:
    def __init__(self, plan):
        self.host, self.jobs, self.back = Host(), plan['jobs'], plan['back']

    def hear(self, job):
        """Tells what it says, until it ends or is late."""
        with selectors.DefaultSelector() as selector:
            selector.register(job.process.stdout, selectors.EVENT_READ)
            while not job.is_late():
                output = job.read() if selector.select(1) else None
                if output:
                    self.host.tell(job=job.number, output=output)
                elif output == '':
                    return
        job.kill()

    def do(self, number, job):
        try:
            job = Job(number, job)
        except OSError as error:
            self.host.tell(job=number, output=str(error) + '\n')
            self.host.tell(job=number, status=127, seconds=0)
            return
        self.hear(job)
        self.host.tell(**job.end())

    def bring_back(self, pattern):
        for path in glob.glob(pattern, recursive=True):
            with open(path, 'rb') as file:
                data = base64.b64encode(zlib.compress(file.read()))
            self.host.tell(file=path, data=data.decode())

    def run(self):
        self.host.tell(ready=os.uname().release, uptime=time.monotonic())
        for number, job in enumerate(self.jobs):
            self.do(number, job)
        for pattern in self.back:
            self.bring_back(pattern)
        self.host.tell(done=True)
        self.host.flush()


def main():
    with open('/vm/jobs', encoding='utf-8') as file:
        plan = json.load(file)
    try:
        Guest(plan).run()
    finally:
        ctypes.CDLL(None).reboot(RB_POWER_OFF)


main()
