# SPDX-License-Identifier: MIT
"""faults.py LIBBERTH PLAY SCENES ASSERT_SCRIBBLE FOLDER: edge case 25.

Whatever lies where the map should be: no crash, no hang, no port outside the
range. Runs inside one namespace (in_namespace -t FOLDER; FOLDER is a tmpfs of
64 KiB, too small for a map).
"""

import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile

from harness import Run, Tap, report_verdicts

RANGES = {'inside': '40000-43999', 'outside': '20000-23999'}
NOBODY = 65534
N_SCRIBBLES = 3


def find_map(folder):
    for path, _, names in os.walk(folder):
        if 'map' in names:
            return os.path.join(path, 'map')
    return None


class NoMap(Exception):
    pass


class Faults:
    def __init__(self, library, probe, scenes, scribbler, small):
        self.library, self.probe, scenes, self.scribbler = map(
            os.path.abspath, (library, probe, scenes, scribbler))
        self.judged = [self.probe, scenes, 'any']
        self.small, self.tap = small, Tap()
        # Not below mkdtemp's 0700 folder: nobody has to reach it too.
        self.base = tempfile.mkdtemp(prefix='berth-faults-')
        os.chmod(self.base, 0o755)

    def command(self, prefix, ports):
        return prefix + ['env', 'LD_PRELOAD=' + self.library, *self.judged,
                         ports]

    def run(self, name, folder, prefix=(), more=None):
        for where, ports in RANGES.items():
            environment = {'BERTH_DIR': folder, 'BERTH_RANGE': ports,
                           'BERTH_LOG': 'none'}
            environment.update(more or {})
            run = Run(self.command(list(prefix), ports), environment)
            report_verdicts(self.tap, run, '%s, %s' % (name, where))

    def fresh(self, name):
        """A folder with a map that a first run has made, or NoMap."""
        folder = os.path.join(self.base, name.replace('/', '-'))
        os.mkdir(folder)
        os.chmod(folder, 0o755)
        run = Run(self.command([], '40000-43999'),
                  {'BERTH_DIR': folder, 'BERTH_RANGE': '40000-43999'})
        map_file = find_map(folder)
        self.tap.ok(map_file is not None, name + ': a first run makes a map',
                    run.details())
        if map_file is None:
            raise NoMap
        return folder, map_file

    def folders(self):
        self.run('the folder is missing', self.base + '/none/none')
        self.run('the folder is a file', '/etc/passwd')
        self.run('the folder is /dev/null', '/dev/null')
        self.run('the folder is read-only', '/proc')
        self.run('the folder has no name', '')
        self.run('the folder is relative', 'berth-relative')
        self.run('the path is too long', '/' + 'x/' * 2100)
        self.run('the tmpfs is full', self.small)
        self.tap.ok(not os.path.isdir(self.small) or
                    find_map(self.small) is None,
                    'a full tmpfs holds no half-made map')
        link = self.base + '/link'
        os.symlink(self.base + '/target', link)
        self.run('the folder is a dangling link', link)

    def replaced(self):
        """Something else lies in the map's place."""
        victim = os.path.join(self.base, 'victim')
        with open(victim, 'w') as file:
            file.write('untouched')
        places = {
            'a symlink': lambda path: os.symlink(victim, path),
            'a dangling symlink':
                lambda path: os.symlink(self.base + '/nobody', path),
            'a symlink to /dev/zero':
                lambda path: os.symlink('/dev/zero', path),
            'a folder': os.mkdir,
            'a pipe': os.mkfifo,
            'an empty file': lambda path: open(path, 'w').close(),
        }
        for name, make in places.items():
            folder, map_file = self.fresh(name)
            os.unlink(map_file)
            make(map_file)
            self.run(name + ' in the place of the map', folder)
            shutil.rmtree(folder)
        with open(victim) as file:
            self.tap.ok(file.read() == 'untouched',
                        'the file behind the symlink is untouched')
        self.tap.ok(not os.path.exists(self.base + '/nobody'),
                    'nothing is made behind a dangling symlink')

    def contents(self):
        """A map of another time, or what is left of one."""
        def overwrite(offset, size):
            def change(file):
                file.seek(offset)
                file.write(os.urandom(size))
            return change

        def resize(size):
            return lambda file: file.truncate(size)

        changes = {
            'another magic': overwrite(0, 8),
            'another version': overwrite(8, 4),
            'another size in the header': overwrite(12, 4),
            'another namespace': overwrite(16, 16),
            'another rest time': overwrite(48, 4),
            'a header of garbage': overwrite(0, 4096),
            'garbage behind the header': overwrite(4096, 1 << 20),
            'a page only': resize(4096),
            'half a page': resize(2000),
            'a byte too long': resize(1 << 25),
        }
        for name, change in changes.items():
            folder, map_file = self.fresh(name)
            with open(map_file, 'r+b') as file:
                change(file)
            self.run(name, folder)
            shutil.rmtree(folder)

    def locked(self):
        """Who replaces a stale map locks its folder, and so may anybody."""
        folder, map_file = self.fresh('locked')
        with open(map_file, 'r+b') as file:
            file.write(bytes(8))
        descriptor = os.open(os.path.dirname(map_file), os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        self.run('a stale map in a locked folder', folder)
        os.close(descriptor)
        with open(map_file, 'rb') as file:
            self.tap.ok(file.read(8) != bytes(8), 'a lock of the '
                        'folder is not in the way for good')

    def owners(self):
        if os.geteuid() != 0 or not shutil.which('setpriv'):
            self.tap.skip('another user: needs root and setpriv')
            return
        prefix = ['setpriv', '--reuid', str(NOBODY), '--clear-groups']
        probe = Run(prefix + ['test', '-x', self.probe], {})
        if probe.status != 0:
            self.tap.skip("another user: cannot become one, or run %s" %
                          self.probe)
            return
        folder, map_file = self.fresh('unreadable')
        os.chmod(map_file, 0)
        self.run('a map without permissions', folder, prefix)
        os.chmod(map_file, 0o444)
        self.run('a map that is read-only', folder, prefix)
        os.chmod(folder, 0)
        self.run('a folder without permissions', folder, prefix)
        self.run('a folder that is not writable', self.base, prefix)
        folder, map_file = self.fresh('foreign')
        os.chown(map_file, NOBODY, NOBODY)
        self.run("another user's map", folder)
        os.chown(os.path.dirname(map_file), NOBODY, NOBODY)
        self.run("another user's folder", folder)

    def killed(self):
        """A process that dies at any moment leaves nothing that blocks."""
        folder, _ = self.fresh('killed')
        environment = dict(os.environ, BERTH_DIR=folder,
                           LD_PRELOAD=self.library, BERTH_RANGE='40000-43999')
        for _ in range(20):
            child = subprocess.Popen([*self.judged, '40000-43999'],
                                     env=environment, stdout=subprocess.PIPE)
            child.stdout.readline()
            child.send_signal(signal.SIGKILL)
            child.communicate()
        self.run('after twenty kills', folder)

    def scribbled(self):
        folder, map_file = self.fresh('scribbled')
        for where, ports in RANGES.items():
            for _ in range(N_SCRIBBLES):
                seed = str(int.from_bytes(os.urandom(6), 'little'))
                run = Run(['env', 'LD_PRELOAD=' + self.library, self.scribbler,
                           ports, map_file, seed],
                          {'BERTH_DIR': folder, 'BERTH_RANGE': ports})
                report_verdicts(self.tap, run, 'scribbled, %s, seed %s' %
                                (where, seed))
        self.run('after the scribbling', folder)

    def modes(self):
        _, map_file = self.fresh('modes')
        status = os.stat(map_file)
        self.tap.ok(stat.S_ISREG(status.st_mode) and
                    status.st_blocks * 512 >= status.st_size,
                    'the map is allocated whole')


def main():
    faults = Faults(*sys.argv[1:])
    try:
        for test in (faults.folders, faults.replaced, faults.contents,
                     faults.locked, faults.owners, faults.killed, faults.scribbled,
                     faults.modes):
            try:
                test()
            except NoMap:   # It is said.
                pass
    finally:
        shutil.rmtree(faults.base)
    faults.tap.end()


main()
