#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Perl's own tests of sockets and of what is built on them, bare and under Berth,
case by case: see others.py.

perl.py FOLDER [TEST...]    a TEST as named in its source, all by default

Debian has them in the source of its package only, which apt fetches into FOLDER
if it is not there. Needs LIBBERTH.
"""

import glob
import os
import re
import shutil
import sys
import tarfile
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))

import debian
import others

# What opens sockets of TCP or UDP and asks for no network but loopback.
TESTS = [
    'cpan/IO-Socket-IP/t/0[1-6]*.t', 'cpan/IO-Socket-IP/t/1*.t',
    'cpan/IO-Socket-IP/t/2*.t', 'cpan/IO-Socket-IP/t/30*.t',
    'cpan/Socket/t/Socket.t', 'cpan/libnet/t/*_ipv6.t',
    'dist/IO/t/cachepropagate-[tu][cd]p.t', 'dist/IO/t/io_multihomed.t',
    'dist/IO/t/io_sock.t', 'dist/IO/t/io_udp.t', 'dist/Net-Ping/t/010_*.t',
    'dist/Net-Ping/t/190_*.t', 'dist/Net-Ping/t/2*.t',
    'dist/Net-Ping/t/410_*.t', 'dist/Net-Ping/t/450_*.t',
    'dist/Net-Ping/t/510_*.t', 't/io/socket.t',
]
# What they read beside the files of their own folder.
LIBRARIES = ['t/test.pl', 't/charset_tools.pl']


def download(folder):
    """Fetches perl's original source into folder; returns its path."""
    debian.Apt(folder, 'deb-src', debian.release()).run(
        'apt-get', 'source', '--download-only', '--tar-only', 'perl')
    found = glob.glob(os.path.join(folder, 'perl_*.orig.tar.xz'))
    if not found:
        raise debian.Unavailable('no source of perl has come')
    return found[0]


def is_wanted(name):
    """A file that a test reads, or a test; the first folder is perl's name."""
    folder, name = os.path.split(name.partition('/')[2])
    return (os.path.join(folder, name) in LIBRARIES or
            folder in map(os.path.dirname, TESTS))


def fetch(folder):
    """Makes folder hold the tests, whole or not at all."""
    if os.path.isdir(folder):
        return
    parent = os.path.dirname(os.path.abspath(folder))
    os.makedirs(parent, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as work:
        tree = os.path.join(work, 'tree')
        with tarfile.open(download(work)) as archive:
            archive.extractall(tree, [member for member in archive
                                      if is_wanted(member.name)])
        os.rename(glob.glob(os.path.join(tree, 'perl-*'))[0], folder)


class Script:
    environment = {'PERL_HASH_SEED': '0'}
    variants = list(others.VARIANTS)

    def __init__(self, folder, name):
        self.name = name
        self.folder = folder
        # Where it expects to be started, and what it is from there.
        self.inside = 't/' + ('/' + name).split('/t/', 1)[1]

    def command(self, folder):
        place = os.path.join(folder, 'place')
        shutil.copytree(
            os.path.join(self.folder, os.path.dirname(self.name)),
            os.path.join(place, os.path.dirname(self.inside)))
        for name in LIBRARIES:
            shutil.copy(os.path.join(self.folder, name),
                        os.path.join(place, name))
        return ['sh', '-c', 'cd "$1" && exec timeout 900 perl -I. "$2"', 'sh',
                place, self.inside]

    @staticmethod
    def outcomes(run):
        """TAP, by the number and the words of a line."""
        outcomes = {'(the end)': str(run.status)}
        for line in run.output.splitlines():
            match = re.match(r'(not )?ok (\d+)(.*)', line)
            if match:
                words = re.sub(r'\d{4,}', 'N', match.group(3))
                skipped = re.search('# *(skip|todo)', words, re.I)
                outcomes['%s%s' % (match.group(2), words)] = (
                    'failed' if match.group(1) else
                    skipped.group(1).lower() if skipped else 'passed')
        return outcomes


def main():
    folder = os.path.abspath(sys.argv[1])
    reason = others.missing(['perl', 'apt-get'])
    if not reason:
        try:
            fetch(folder)
        except debian.Unavailable as error:
            reason = str(error)
    if reason:
        print('1..0 # SKIP', reason)
        return
    names = sys.argv[2:] or sorted(
        os.path.relpath(path, folder) for pattern in TESTS
        for path in glob.glob(os.path.join(folder, pattern)))
    others.main([Script(folder, name) for name in names])


main()
