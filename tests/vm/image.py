# SPDX-License-Identifier: MIT
"""A root file system for a guest, as an initramfs (cpio, "newc").

What is taken from this machine lies at the same path in the guest, so that a
command of a test runs there word by word as it does here.
"""

import fnmatch
import os
import re
import shutil
import stat
import subprocess

PYTHON = '/usr/bin/python3'

# Not wanted of its library: large, and nothing that a test imports.
PYTHON_WITHOUT = ['config-*', 'dist-packages', 'distutils', 'ensurepip',
                  'idlelib', 'lib2to3', 'pydoc_data', 'site-packages', 'test',
                  'tests', 'tkinter', 'turtledemo', 'unittest', 'venv', 'xml',
                  '*.opt-?.pyc', '_codecs_*', '_curses*', '_dbm*', '_decimal*',
                  '_gdbm*', '_ssl*', '_sqlite3*', '_tkinter*', '_test*',
                  'pyexpat*', 'readline*', 'unicodedata*', '*.a']

PASSWD = ('root:x:0:0:root:/root:/bin/sh\n'
          'daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n'
          'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n')
GROUP = 'root:x:0:\ndaemon:x:1:\nnogroup:x:65534:\n'
HOSTS = '127.0.0.1 localhost\n::1 localhost\n'


def header(fields, name):
    """fields: inode, mode, uid, gid, links, mtime, size. The kernel's
    Documentation/driver-api/early-userspace/buffer-format.rst."""
    name = os.fsencode(name) + b'\0'
    numbers = (*fields, 0, 0, 0, 0, len(name), 0)
    return padded(b'070701' + b''.join(b'%08X' % number
                                       for number in numbers) + name)


def padded(data):
    return data + bytes(-len(data) % 4)


def interpreter(data):
    """The path of the dynamic loader that an ELF program names."""
    found = re.search(rb'/lib[^\0]*/ld-[^\0]*\.so[^\0]*(?=\0)', data[:4096])
    return found and os.fsdecode(found.group())


class Image:
    def __init__(self):
        # path: (mode, mtime, content); a str is a path here to read.
        self.entries = {'/': (stat.S_IFDIR | 0o755, 0, b'')}
        self.seen = set()

    def folder(self, path, mode=0o755):
        """Makes a folder, and those above it."""
        path = os.path.normpath(path)
        if path not in self.entries:
            self.folder(os.path.dirname(path))
            self.entries[path] = stat.S_IFDIR | mode, 0, b''

    def put(self, path, content, mode=0o644, mtime=0):
        self.folder(os.path.dirname(path))
        self.entries[path] = stat.S_IFREG | mode, mtime, content

    def link(self, path, target):
        self.folder(os.path.dirname(path))
        self.entries[path] = stat.S_IFLNK | 0o777, 0, os.fsencode(target)

    def place(self, path):
        """Where a path leads to; the links on the way are taken along."""
        real = '/'
        for part in os.path.normpath(path).strip('/').split('/'):
            step = os.path.join(real, part)
            if os.path.islink(step):
                target = os.readlink(step)
                if step not in self.entries:
                    self.link(step, target)
                real = self.place(os.path.join(real, target))
            else:
                real = step
        return real

    def add(self, path):
        """A file or folder of this machine, with all that it needs to run."""
        path = self.place(os.path.abspath(path))
        if path in self.seen:
            return
        self.seen.add(path)
        if os.path.isdir(path):
            self.folder(path)
            for name in sorted(os.listdir(path)):
                self.add(os.path.join(path, name))
        elif os.path.isfile(path):
            self.file(path)

    def file(self, path):
        status = os.stat(path)
        self.put(path, path, stat.S_IMODE(status.st_mode),
                 int(status.st_mtime))
        with open(path, 'rb') as file:
            start = file.read(4096)
        if start.startswith(b'\x7fELF'):
            self.libraries(path, interpreter(start))

    def libraries(self, path, loader):
        if loader and os.path.exists(loader):
            self.add(loader)
        if loader and 'ld-linux' not in loader:
            return
        # It lists them and starts nothing, unlike ldd.
        listed = subprocess.run(
            ['/lib64/ld-linux-x86-64.so.2', '--list', path], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, check=False).stdout
        for library in re.findall(r'(/\S+) \(0x', listed):
            self.add(library)

    def program(self, name):
        """A program of PATH, where it is there."""
        path = shutil.which(name)
        if path:
            self.add(path)
        return path

    def busybox(self):
        """Every applet that no program of this machine stands for."""
        path = shutil.which('busybox')
        self.put('/usr/bin/busybox', path, 0o755)
        applets = subprocess.run([path, '--list'], text=True, check=True,
                                 stdout=subprocess.PIPE).stdout.split()
        for applet in applets:
            if not any(folder + applet in self.entries
                       for folder in ('/usr/sbin/', '/usr/bin/')):
                self.link('/usr/bin/' + applet, 'busybox')

    def python(self):
        """Debian's Python, without what no test imports."""
        self.add(PYTHON)
        root = subprocess.run(
            [PYTHON, '-c',
             'import sysconfig; print(sysconfig.get_path("stdlib"))'],
            text=True, check=True, stdout=subprocess.PIPE).stdout.strip()
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders
                          if not self.unwanted(name)]
            for name in names:
                if not self.unwanted(name):
                    self.add(os.path.join(folder, name))

    @staticmethod
    def unwanted(name):
        return any(fnmatch.fnmatch(name, pattern)
                   for pattern in PYTHON_WITHOUT)

    def system(self):
        """What every guest has."""
        for name in ('bin', 'sbin', 'lib', 'lib64'):
            if os.path.islink('/' + name):
                self.link('/' + name, os.readlink('/' + name))
        for name in ('dev', 'mnt', 'proc', 'root', 'run', 'sys', 'var'):
            self.folder('/' + name)
        self.folder('/tmp', 0o1777)
        self.folder('/var/tmp', 0o1777)
        self.put('/etc/passwd', PASSWD.encode())
        self.put('/etc/group', GROUP.encode())
        self.put('/etc/hosts', HOSTS.encode())

    def modules(self, kernel):
        """A kernel's modules, as kernels.py lays them out."""
        for name in os.listdir(kernel + '/modules'):
            self.put('/vm/modules/' + name, kernel + '/modules/' + name)

    def write(self, file):
        for inode, (path, entry) in enumerate(self.entries.items(), 1):
            mode, mtime, content = entry
            if isinstance(content, str):
                with open(content, 'rb') as source:
                    content = source.read()
            file.write(header((inode, mode, 0, 0, 1, mtime, len(content)),
                              path.lstrip('/') or '.'))
            file.write(padded(content))
        file.write(header((0,) * 7, 'TRAILER!!!'))
