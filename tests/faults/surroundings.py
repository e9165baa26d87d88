# SPDX-License-Identifier: MIT
"""surroundings.py LIBBERTH BERTH PROBE FOLDER: what programs see of the machine is
not as usual, or is taken from them while they run. Edge case 25.

Every call still gets a port of the range, and where the map can be had, it shows
them. Runs inside one namespace, as root there (in_namespace -t FOLDER).
"""

import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'preload'))

from harness import HANG_SECONDS, STATUS_SKIP, Tap

SERVER_PORT = '7000'    # which the probe itself has bound
RANGES = {'inside': '40000-43999', 'outside': '20000-23999'}

# Typed into a mount namespace of the program's own, before it starts.
STARTS = {
    'no /proc': 'umount -l /proc',
    'a chroot without /proc and /dev/shm':
        'mount --rbind / /mnt; umount -l /mnt/proc /mnt/dev; chroot /mnt true',
    'a read-only file system': 'mount -t tmpfs -o ro none "$BERTH_DIR"',
    'a read-only file system with a map':
        'mount --bind "$BERTH_DIR" "$BERTH_DIR" && '
        'mount -o remount,bind,ro "$BERTH_DIR"',
    'every file system read-only':
        'mount -o remount,ro /dev/shm; '
        'mount -t tmpfs -o ro none "$BERTH_DIR"',
}
PREFIXES = {'a chroot without /proc and /dev/shm': 'chroot /mnt '}

# While it runs: whether the map still shows what it leases.
CHANGES = {'chroot': True, 'setuid': True, 'no /proc': True,
           'no folder': False, 'no descriptors': False,
           'more descriptors': True, 'no memory': True}


class Surroundings:
    def __init__(self, library, berth, probe):
        self.library, self.berth, self.probe = map(
            os.path.abspath, (library, berth, probe))
        self.tap = Tap()

    def leases(self, environment):
        done = subprocess.run([self.berth, 'status', '--porcelain'],
                              env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True, check=False)
        leased = [line.split('\t')[2] for line in done.stdout.splitlines()
                  if line.startswith('lease\t')]
        return [port for port in leased if port != SERVER_PORT]

    def run(self, name, command, environment, is_shown):
        """command starts the probe, with LD_PRELOAD=$LIBBERTH."""
        with subprocess.Popen(command, env=environment, text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as program:
            ports, skipped = None, False
            for line in program.stdout:
                verdict, _, sentence = line.strip().partition(' ')
                if verdict == 'ports':
                    ports = sentence.split()[1:]
                    break
                if verdict == 'skip':
                    self.tap.skip('%s: %s' % (name, sentence))
                    skipped = True
                    continue
                holds = verdict == 'ok'
                self.tap.ok(holds, '%s: %s' % (name, sentence if holds
                                               else line.strip()))
            shown = self.leases(environment)
            output, errors = program.communicate('\n', timeout=HANG_SECONDS)
        self.tap.ok(program.returncode == 0 and output == '' and errors == '',
                    name + ': ends well and is quiet',
                    ['status %s' % program.returncode, output, errors])
        if is_shown and not skipped:
            self.tap.ok(ports and sorted(shown) == sorted(ports),
                        name + ': the map has its ports and no other',
                        ['%s, not %s' % (shown, ports)])

    def environment(self, folder, ports):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith('BERTH_') and name != 'LD_PRELOAD'}
        return dict(kept, BERTH_DIR=folder, BERTH_RANGE=ports,
                    BERTH_LOG='none', LIBBERTH=self.library)

    def each(self, name, make, is_shown=False):
        """make(folder, ports): the words of a command."""
        for where, ports in RANGES.items():
            folder = tempfile.mkdtemp(prefix='berth-surroundings-')
            os.chmod(folder, 0o755)
            try:
                self.run('%s, %s' % (name, where), make(folder, ports),
                         self.environment(folder, ports), is_shown)
            finally:
                shutil.rmtree(folder)

    def start_in(self, name):
        script = '%s && exec %senv LD_PRELOAD="$LIBBERTH" "$0" "$1"' % (
            STARTS[name], PREFIXES.get(name, ''))
        if 'with a map' in name:
            script = 'echo | LD_PRELOAD="$LIBBERTH" "$0" "$1" >&- 2>&-; ' \
                + script
        self.each('starts with ' + name, lambda folder, ports: [
            'unshare', '-m', 'sh', '-c', script, self.probe, ports])

    def change(self, name, is_shown):
        def command(folder, ports):
            target = os.path.join(folder, 'target')
            os.mkdir(target)
            script = 'exec env LD_PRELOAD="$LIBBERTH" "$0" "$@"'
            if name == 'more descriptors':
                script = 'ulimit -n 64; ' + script
            if name == 'no folder':
                target = folder
                script = 'mount -t tmpfs none "$3" && ' + script
            return ['unshare', '-m', 'sh', '-c', script, self.probe, ports,
                    name, target]
        self.each('is left with ' + name if name.startswith('no ') else name,
                  command, is_shown)


def main():
    surroundings = Surroundings(*sys.argv[1:4])
    if os.geteuid() != 0 or subprocess.run(
            ['unshare', '-m', 'true'], check=False,
            stderr=subprocess.DEVNULL).returncode:
        return STATUS_SKIP
    for name in STARTS:
        surroundings.start_in(name)
    for name, is_shown in CHANGES.items():
        surroundings.change(name, is_shown)
    surroundings.tap.end()
    return 0


sys.exit(main())
