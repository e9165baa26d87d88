# SPDX-License-Identifier: MIT
"""What tests fetch from Debian's archive, by apt with sources of their own.

    debian.py sources RELEASE    prints apt's sources for a release of Debian,
                                 derived from this machine's
"""

import os
import re
import subprocess
import sys

KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'


class Unavailable(Exception):
    """Something cannot be had here; the text says why."""


def command(*words, **options):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, **options)
    if done.returncode:
        last = done.stdout.strip().splitlines()[-3:]
        raise Unavailable('%s failed: %s' % (words[0], ' / '.join(last)))
    return done.stdout


def release():
    """The name of this machine's release."""
    with open('/etc/os-release', encoding='utf-8') as file:
        found = re.search(r'^VERSION_CODENAME=(\w+)', file.read(), re.M)
    if not found:
        raise Unavailable('/etc/os-release names no release of Debian')
    return found.group(1)


def source_line(kind, suite):
    """An apt source, of kind deb or deb-src, for a suite: the address is the one
    of this machine's release, the security archive's for a suite of that."""
    here = release() + ('-security' if suite.endswith('-security') else '')
    targets = command('apt-get', 'indextargets', '--format',
                      '$(RELEASE) $(COMPONENT) $(REPO_URI)',
                      'Created-By: Packages')
    for line in targets.splitlines():
        words = line.split()
        if words[:2] == [here, 'main']:
            return '%s [signed-by=%s] %s %s main\n' % (kind, KEYRING, words[2],
                                                       suite)
    raise Unavailable("apt has no source for %s to derive %s's from" %
                      (here, suite))


class Apt:
    """apt with one source, and lists and a cache of its own."""

    def __init__(self, folder, kind, suite):
        for name in ('lists/partial', 'cache/archives/partial'):
            os.makedirs(os.path.join(folder, name))
        path = os.path.join(folder, 'sources.list')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(source_line(kind, suite))
        with open(os.path.join(folder, 'status'), 'w', encoding='utf-8'):
            pass
        settings = {
            'Dir::Etc::SourceList': path,
            'Dir::Etc::SourceParts': '/dev/null',
            'Dir::Etc::Preferences': '/dev/null',
            'Dir::Etc::PreferencesParts': '/dev/null',
            'Dir::State::Lists': os.path.join(folder, 'lists'),
            'Dir::State::Status': os.path.join(folder, 'status'),
            'Dir::Cache': os.path.join(folder, 'cache'),
            'Acquire::Languages': 'none',
            'Acquire::Retries': '3',
            # A suite that gets no updates any more has an old signature.
            'Acquire::Check-Valid-Until': 'false',
            'APT::Sandbox::User': 'root',
            'APT::Update::Error-Mode': 'any',
        }
        self.folder = folder
        self.options = [word for name, value in settings.items()
                        for word in ('-o', name + '=' + value)]
        self.run('apt-get', 'update')

    def run(self, program, *words):
        return command(program, '-q', *self.options, *words, cwd=self.folder)


def main():
    if len(sys.argv) != 3 or sys.argv[1] != 'sources':
        sys.exit(__doc__)
    try:
        for suffix in ('', '-updates', '-security'):
            print(source_line('deb', sys.argv[2] + suffix), end='')
    except Unavailable as reason:
        sys.exit('debian.py: %s' % reason)


if __name__ == '__main__':
    main()
