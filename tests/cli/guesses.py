#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What happens where a process cannot know what it should follow: a variable of
its environment is wrong, or the policy in force is damaged.

Needs BERTH and LIBBERTH.
"""
import os
import stat
import struct
import subprocess

from fixture import Program, berth, find, load, main, same

# A value of each variable that is none.
WRONG = {
    'BERTH_RANGE': ('', 'nonsense', '70000', '5-4'),
    'BERTH_RESERVE': ('nonsense',),
    'BERTH_ALGORITHM': ('', 'fast'),
    'BERTH_PIN': ('', 'perhaps'),
    'BERTH_LOG': ('', 'loud'),
    'BERTH_DIR': ('relative', './relative'),
}
POLICY_MAGIC = b'brthrule'
SET_SIZE = 10256


def wrong_values():
    return [(name, value) for name, values in WRONG.items()
            for value in values]


CALLS = (
    's = socket.socket(); s.bind(("127.0.0.1", 0))',
    's = socket.socket(); s.bind(("127.0.0.1", 34567))',
    's = socket.socket(); s.listen()',
    's = socket.create_connection(("127.0.0.1", 9))',
    's = socket.socket(type=socket.SOCK_DGRAM); s.connect(("127.0.0.1", 9))',
    's = socket.socket(type=socket.SOCK_DGRAM); '
    's.sendto(b"", ("127.0.0.1", 9))',
    's = socket.socket(type=socket.SOCK_DGRAM); '
    's.sendmsg([b""], [], 0, ("127.0.0.1", 9))',
)


def outcomes(range=None, **variables):
    with Program(range=range, stderr=subprocess.DEVNULL, **variables) as p:
        return {p.outcome(call) for call in CALLS}


def refused_environment():
    """with BERTH_ON_ERROR=refuse a wrong variable is EACCES for each call that
    takes a port, and a log line says so"""
    for name, value in wrong_values():
        same((name, value, outcomes(BERTH_ON_ERROR='refuse', **{name: value})),
             (name, value, {'EACCES'}))
    with Program(range='nonsense', BERTH_ON_ERROR='refuse',
                 stderr=subprocess.PIPE) as p:
        p.outcome(CALLS[0])
        p.process.stdin.close()
        said = p.process.stderr.read()
        same('BERTH_RANGE="nonsense"' in said and
             'refusing to bind or connect' in said, True)
    same('bad-policy' in berth('log', range=None, BERTH_ON_ERROR=None).stdout
         or berth('log', '--json').stdout.count('"bad-policy"') > 0, True)


def kept_default():
    """without it a wrong variable leaves its default, and is told"""
    for name, value in wrong_values():
        with Program(range=None, stderr=subprocess.PIPE,
                     **{name: value}) as p:
            same(49152 <= p.bind('a') <= 65535, True)
            p.process.stdin.close()
            said = p.process.stderr.read()
            same((name, f'{name}="{value}"' in said or
                  (name, value) == ('BERTH_LOG', '')), (name, True))


def run_refuses():
    """berth run starts nothing with a wrong variable, whatever on-error says"""
    for name, value in wrong_values():
        for more in {}, {'BERTH_ON_ERROR': 'refuse'}:
            result = berth('run', '--', 'echo', 'started', range=None,
                           **{name: value, **more})
            same((name, value, result.returncode, result.stdout),
                 (name, value, 125, ''))
            same(f'{name}="{value}"' in result.stderr, True)


def relative_folder():
    """a relative BERTH_DIR makes no folder: each command that needs one refuses
    it, the library does not take it"""
    os.chdir(os.environ['BERTH_DIR'])
    for words in (['load', '/dev/null'], ['unload'], ['explain'], ['log'],
                  ['status'], ['sweep'], ['port'], ['run', 'true']):
        result = berth(*words, BERTH_DIR='relative')
        same((words, result.returncode, result.stdout),
             (words, 125 if words[0] == 'run' else 1, ''))
        same('BERTH_DIR="relative" is not an absolute path' in result.stderr,
             True)
    with Program(BERTH_DIR='relative', stderr=subprocess.DEVNULL) as p:
        p.bind('a')
    same(os.listdir('.'), [])


# --- a policy that is damaged -------------------------------------------------

def damage():
    """Loads a policy, and flips a bit of each of its sets of ports."""
    load('range = "30000-30099"\n')
    with open(find('policy'), 'r+b') as file:
        start = file.read().index(POLICY_MAGIC)
        file.seek(start)
        header = struct.unpack('<QIIQQQIIIIII', file.read(64))
        size, n_sets = header[3], header[10]
        for i in range(n_sets):
            at = start + size - (n_sets - i) * SET_SIZE + 108
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1]))


def commands_of_damaged():
    """each command says that a set of the policy is damaged, and none ends by a
    signal"""
    damage()
    for words, status in ((['status'], 1), (['status', '--json'], 1),
                          (['explain'], 1), (['explain', '--pid', '1'], 1),
                          (['explain', '--port', '30000'], 1),
                          (['explain', '--', 'true'], 1), (['sweep'], 1),
                          (['port'], 1), (['run', '--', 'true'], 0)):
        result = berth(*words, range=None)
        same((words, result.returncode), (words, status))
        same((words, 'damaged' in result.stderr), (words, True))


def refused_damaged():
    """with BERTH_ON_ERROR=refuse a damaged policy lets nothing take a port"""
    damage()
    same(outcomes(BERTH_ON_ERROR='refuse'), {'EACCES'})
    for words, status in ((['run', '--', 'echo', 'started'], 125),
                          (['port'], 1)):
        result = berth(*words, range=None, BERTH_ON_ERROR='refuse')
        same((words, result.returncode, result.stdout), (words, status, ''))


def unreadable():
    """berth run starts nothing with BERTH_ON_ERROR=refuse where a policy cannot
    be read"""
    damage()
    if os.geteuid() != 0:
        return
    os.chmod(os.environ['BERTH_DIR'], 0o755)
    os.chmod(find('policy'), stat.S_IRUSR | stat.S_IWUSR)
    env = dict(os.environ, BERTH_ON_ERROR='refuse')
    env.pop('BERTH_RANGE', None)
    result = subprocess.run(
        ['setpriv', '--reuid', '65534', '--clear-groups',
         os.environ['BERTH'], 'run', '--', 'echo', 'started'],
        env=env, text=True, capture_output=True, timeout=60)
    same((result.returncode, result.stdout), (125, ''))


main([refused_environment, kept_default, run_refuses, relative_folder,
      commands_of_damaged, refused_damaged, unreadable])
