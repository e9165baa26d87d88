# SPDX-License-Identifier: MIT
"""Files that come back from a guest.

What gcov has counted there is added to what it has counted here, in the same
file; any other file is replaced.
"""

import base64
import contextlib
import fcntl
import os
import subprocess
import tempfile
import zlib


class Files:
    """Takes them while the guest runs, and puts them into their places when it
    has come to its end: a guest that dies brings nothing back."""

    def __init__(self):
        self.taken = {}

    def take(self, path, data):
        self.taken[path] = zlib.decompress(base64.b64decode(data))

    def __enter__(self):
        return self

    def __exit__(self, error, *_):
        if error:
            return
        for path in self.taken:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        counted = {path: data for path, data in sorted(self.taken.items())
                   if path.endswith('.gcda')}
        for path in self.taken.keys() - counted.keys():
            with open(path, 'wb') as file:
                file.write(self.taken[path])
        if counted:
            add(counted)


def add(counted):
    """libgcov locks a file while it adds to it; so does this, all of them in
    their order, since two guests may end at the same time."""
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory())
        for name in ('here', 'there'):
            os.mkdir(os.path.join(scratch, name))
        files = []
        for number, (path, data) in enumerate(counted.items()):
            fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            file = stack.enter_context(open(fd, 'r+b'))
            fcntl.lockf(file, fcntl.LOCK_EX)
            files.append(file)
            name = '%d.gcda' % number
            for folder, content in (('here', file.read()), ('there', data)):
                if content:
                    with open(os.path.join(scratch, folder, name),
                              'wb') as copy:
                        copy.write(content)
        subprocess.run(['gcov-tool', 'merge', '-o', 'sum', 'here', 'there'],
                       cwd=scratch, stdin=subprocess.DEVNULL, check=True)
        for number, file in enumerate(files):
            with open(scratch + '/sum/%d.gcda' % number, 'rb') as copy:
                content = copy.read()
            file.seek(0)
            file.write(content)
            file.truncate()
