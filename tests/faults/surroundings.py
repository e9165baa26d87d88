# SPDX-License-Identifier: MIT
"""surroundings.py LIBBERTH BERTH TARGET: what programs see of the machine is
not as usual, or is taken from them while they run. Edge case 25.

Every call still gets a port of the range, and where the map can be had, it
shows them. Runs inside one namespace, as root there (in_namespace -t FOLDER).
"""
import os
import subprocess
import sys
import tempfile

from fault import (HANG_SECONDS, SERVER_PORT, STATUS_SKIP, Tap, open_server,
                   socket)

RANGES = {'inside': '40000-43999', 'outside': '20000-23999'}

# Typed into a mount namespace of the program's own, before it starts.
STARTS = {
    'no /proc': 'umount -l /proc',
    'a chroot without /proc and /dev/shm':
        'mount --rbind / /mnt; umount -l /mnt/proc /mnt/dev; chroot /mnt true',
    'a read-only file system': 'mount -t tmpfs -o ro none "$BERTH_DIR"',
    'a read-only file system with a map':
        'LD_PRELOAD="$LIBBERTH" "$@" </dev/null >/dev/null; '
        'mount --bind "$BERTH_DIR" "$BERTH_DIR" && '
        'mount -o remount,bind,ro "$BERTH_DIR"',
    'every file system read-only':
        'mount -o remount,ro /dev/shm; '
        'mount -t tmpfs -o ro none "$BERTH_DIR"',
}
PREFIXES = {'a chroot without /proc and /dev/shm': 'chroot /mnt '}

# What happens while it runs, and before it starts; whether the map still shows
# what it leases, and whether it has descriptors to keep sockets with.
CHANGES = {
    'chroot': ('chroot', ':', True, True),
    'setuid': ('setuid', ':', True, True),
    'is left with no /proc': ('take_proc', ':', True, True),
    'is left with no folder': ('take_folder',
                               'mount -t tmpfs none "$BERTH_DIR"', False, True),
    'is left with no descriptors': (
        'limit_descriptors:64 use_up_descriptors:3', ':', False, False),
    'more descriptors': ('use_up_descriptors:0 limit_descriptors:128',
                         'ulimit -n 64', True, True),
    'is left with no memory': ('take_memory', ':', True, True),
}
CALLS = [
    kind + ' ' + call for kind, calls in (
        ('socket:2:1:0', ('bind:0:0', 'connect:%d', 'listen')),
        ('socket:2:2:0', ('bind:0:0', 'connect:%d', 'sendto:%d:0')),
        ('socket:10:1:0', ('bind:0:0', 'connect:%d')))
    for call in (call.replace('%d', str(SERVER_PORT)) for call in calls)]


def scenes_of(when, keeps):
    hold = ' hold' if keeps else ''
    return [when + ' ' + call + hold for call in CALLS] + \
        [when + ' socket:2:1:0 connect:7950']


def is_right(line):
    what, result, error, where = line.split(' ')
    if result == '-1':      # CLOSED_PORT: its lease goes with the failure
        return what.endswith('/connect') and error == 'ECONNREFUSED'
    return error == 'kept' and where in ('in', 'none') and not (
        where == 'none' and what.endswith(('/bind', '/connect', '/sendto',
                                           '/listen')))


class Surroundings:
    def __init__(self, library, berth, target):
        self.library, self.berth, self.target = map(
            os.path.abspath, (library, berth, target))
        self.tap = Tap()

    def leases(self, environment):
        done = subprocess.run([self.berth, 'status', '--porcelain'],
                              env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True, check=False)
        return [line.split('\t')[2] for line in done.stdout.splitlines()
                if line.startswith('lease\t')]

    def run(self, name, command, environment, is_shown, n_vain):
        with subprocess.Popen(command, env=environment, text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE,
                              cwd=environment['BERTH_DIR']) as program:
            lines, ports = [], None
            for line in program.stdout:
                if line.startswith('ports'):
                    ports = line.split()[1:]
                    break
                lines += [line.strip()] if '/' in line else []
            shown = self.leases(environment)
            output, errors = program.communicate('\n', timeout=HANG_SECONDS)
        if 'change/limit_descriptors -1 EPERM none' in lines:
            self.tap.skip(name + ': no capability to raise a limit')
            return
        wrong = [line for line in lines if not is_right(line)]
        n_refused = sum('ECONNREFUSED' in line for line in lines)
        self.tap.ok(not wrong and ports is not None and n_refused == n_vain,
                    name + ': each call gets a port of the range', wrong)
        self.tap.ok(program.returncode == 0 and errors == '',
                    name + ': ends well and is quiet',
                    ['status %s' % program.returncode, output, errors])
        if is_shown:
            self.tap.ok(ports and sorted(shown) == sorted(ports),
                        name + ': the map has its ports and no other',
                        ['%s, not %s' % (shown, ports)])

    def each(self, name, script, scenes, is_shown=False):
        for where, ports in RANGES.items():
            with tempfile.TemporaryDirectory(prefix='berth-surroundings-') \
                    as folder:
                os.chmod(folder, 0o755)
                kept = {key: value for key, value in os.environ.items()
                        if not key.startswith('BERTH_')
                        and key != 'LD_PRELOAD'}
                self.run('%s, %s' % (name, where),
                         ['unshare', '-m', 'sh', '-c', script, 'sh',
                          self.target, '-p', ports, *scenes, 'show show_held'],
                         dict(kept, BERTH_DIR=folder, BERTH_RANGE=ports,
                              BERTH_LOG='none', LIBBERTH=self.library),
                         is_shown, sum(':7950' in each for each in scenes))

    def start_in(self, name):
        self.each('starts with ' + name,
                  '%s && exec %senv LD_PRELOAD="$LIBBERTH" "$@"' % (
                      STARTS[name], PREFIXES.get(name, '')),
                  scenes_of('nothing', True))

    def change(self, name):
        steps, before, is_shown, keeps = CHANGES[name]
        self.each(name, before + ' && exec env LD_PRELOAD="$LIBBERTH" "$@"',
                  scenes_of('before', False) + ['change ' + steps] +
                  scenes_of(name.split()[-1], keeps), is_shown)


def main():
    surroundings = Surroundings(*sys.argv[1:4])
    if os.geteuid() != 0 or subprocess.run(
            ['unshare', '-m', 'true'], check=False,
            stderr=subprocess.DEVNULL).returncode:
        return STATUS_SKIP
    server = open_server(socket.SOCK_STREAM, SERVER_PORT)
    for name in STARTS:
        surroundings.start_in(name)
    for name in CHANGES:
        surroundings.change(name)
    server.close()
    surroundings.tap.end()
    return 0


sys.exit(main())
