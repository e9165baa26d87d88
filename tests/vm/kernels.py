#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian's kernels, made ready to be booted by qemu.

kernels.py FOLDER [NAME...]    fetches what FOLDER lacks, all of them by default

FOLDER/NAME then holds vmlinux, unpacked (qemu enters it at its PVH entry, which
spares the guest the decompression), modules/*.ko, and modules/order, in which
they can be loaded. Neither apt's lists nor dpkg's database of this machine are
touched; no package is installed.
"""

import fcntl
import glob
import gzip
import lzma
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))

import debian
from debian import Unavailable, command

# name: suite, and the package of it that always depends on the latest.
KERNELS = {
    '5.10': ('bullseye-security', 'linux-image-cloud-amd64'),
    '6.12': ('bookworm-security', 'linux-image-6.12-cloud-amd64'),
    'newest': ('trixie-backports', 'linux-image-cloud-amd64'),
}
PARTS = re.compile(r'linux-(image|binary|modules)-\d.*-cloud-amd64$')

# What the tests want; what a kernel has built in or not at all is passed over.
# sctp finds its checksum by name: crc32c comes first.
MODULES = ('crc32c_generic', 'crc32c', 'crc32c_intel', 'sctp', 'sctp_diag',
           'tcp_diag', 'udp_diag', 'inet_diag', 'mptcp_diag', 'veth', 'vrf')


class Kernels(debian.Apt):
    """The kernels of one suite."""

    def __init__(self, folder, suite):
        super().__init__(folder, 'deb', suite)

    def depends(self, name):
        lines = self.run('apt-cache', 'depends', name)
        return [found for found in re.findall(r'^ *Depends: (\S+)$', lines,
                                              re.M) if PARTS.match(found)]

    def closure(self, package):
        """The packages that make the kernel which this one depends on."""
        found, left = [], self.depends(package)
        while left:
            name = left.pop()
            if name not in found:
                found.append(name)
                left += self.depends(name)
        if not found:
            raise Unavailable('%s depends on no kernel' % package)
        return found

    def download(self, package):
        """The paths of the .deb files of a kernel."""
        self.run('apt-get', 'download', *self.closure(package))
        return glob.glob(os.path.join(self.folder, '*.deb'))


def decompress(data):
    if data.startswith(b'\x1f\x8b'):
        return gzip.decompress(data)
    if data.startswith(b'\xfd7zXZ'):
        # Not lzma.decompress: the length follows.
        return lzma.LZMADecompressor().decompress(data)
    for magic, program in ((b'\x28\xb5\x2f\xfd', 'zstd'),
                           (b'\x02\x21\x4c\x18', 'lz4')):
        if data.startswith(magic):
            if not shutil.which(program):
                raise Unavailable('needs %s to unpack it' % program)
            # What follows makes it complain, after it has unpacked.
            return subprocess.run([program, '-dcq'], input=data, check=False,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL).stdout
    return data


def vmlinux(image):
    """The ELF file in a bzImage: Documentation/arch/x86/boot.rst, for
    setup_sects, payload_offset and payload_length."""
    start = ((image[0x1f1] or 4) + 1) * 512
    offset, length = struct.unpack_from('<II', image, 0x248)
    data = decompress(image[start + offset:start + offset + length])
    if not data.startswith(b'\x7fELF'):
        raise Unavailable('no ELF file in its image')
    return data


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def write(path, data):
    with open(path, 'wb') as file:
        file.write(data)


class Modules:
    """The modules of an unpacked kernel, copied in the order of loading."""

    def __init__(self, tree, folder):
        self.paths = {}
        for path in glob.glob(tree + '/**/*.ko*', recursive=True):
            name = os.path.basename(path).split('.')[0].replace('-', '_')
            self.paths[name] = path
        self.folder, self.order = folder, []

    def take(self, name):
        if name in self.order or name not in self.paths:
            return
        data = decompress(read(self.paths[name]))
        needed = re.search(rb'\0depends=([^\0]*)\0', data)
        for other in needed.group(1).decode().split(',') if needed else ():
            self.take(other.replace('-', '_'))
        write(os.path.join(self.folder, name + '.ko'), data)
        self.order.append(name)


def unpack(packages, folder, scratch):
    for package in packages:
        command('dpkg-deb', '-x', package, scratch)
    images = glob.glob(scratch + '/**/vmlinuz*', recursive=True)
    if not images:
        raise Unavailable('no vmlinuz in %s' % ' '.join(packages))
    write(folder + '/vmlinux', vmlinux(read(images[0])))
    os.mkdir(folder + '/modules')
    modules = Modules(scratch, folder + '/modules')
    for name in MODULES:
        modules.take(name)
    write(folder + '/modules/order', '\n'.join(modules.order).encode())


def make(folder, name):
    suite, package = KERNELS[name]
    with tempfile.TemporaryDirectory(dir=os.path.dirname(folder)) as scratch:
        packages = Kernels(scratch + '/apt', suite).download(package)
        os.mkdir(scratch + '/made')
        os.mkdir(scratch + '/tree')
        unpack(packages, scratch + '/made', scratch + '/tree')
        os.rename(scratch + '/made', folder)


def need_programs():
    """What a guest is made of besides a kernel. Raises Unavailable."""
    if not shutil.which('busybox') or not shutil.which('qemu-system-x86_64'):
        raise Unavailable('needs busybox-static and qemu-system-x86')


def kernel(cache, name):
    """The folder of a kernel, made if it is not there; whoever wants the same
    one meanwhile waits for it. Raises Unavailable."""
    folder = os.path.join(os.path.abspath(cache), name)
    if os.path.isdir(folder):
        return folder
    if command('dpkg', '--print-architecture').strip() != 'amd64':
        raise Unavailable('only for amd64')
    os.makedirs(cache, exist_ok=True)
    with open(folder + '.lock', 'w', encoding='utf-8') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(folder):
            make(folder, name)
    return folder


def main():
    if len(sys.argv) < 2 or set(sys.argv[2:]) - set(KERNELS):
        sys.exit('usage: kernels.py FOLDER [%s]...' % '|'.join(KERNELS))
    for name in sys.argv[2:] or KERNELS:
        try:
            print(kernel(sys.argv[1], name))
        except Unavailable as reason:
            sys.exit('kernels.py: %s: %s' % (name, reason))


if __name__ == '__main__':
    main()
