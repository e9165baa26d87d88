#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the commands do with a standard output that takes nothing: full, closed,
or nobody reads it; and check's reports for programs.

Needs BERTH and LIBBERTH.
"""
import json
import os
import signal
import subprocess

from fixture import BERTH, berth, conf, load, main, same

FIRST = 'range = "40000-40099"\n'
SECOND = 'range = "40000-40050"\n'


def run(words, stdout, **more):
    env = {k: v for k, v in os.environ.items() if k != 'BERTH_RANGE'}
    return subprocess.run([BERTH, *words], stdout=stdout, text=True,
                          stderr=subprocess.PIPE, env=env, timeout=60, **more)


def n_ports():
    """Of the policy in force."""
    report = berth('status', '--json', range=None)
    return json.loads(report.stdout)['policy']['n_ports']


def commands():
    """Each that prints something, when a policy is in force and an event is
    there."""
    path = conf(FIRST)
    yield from (['--version'], ['--help'], ['help', 'run'], ['run', '--help'],
                ['check', '--help'], ['check', '--print', path],
                ['check', '--json', path], ['load', '--help'],
                ['load', '--dry-run', path], ['load', path], ['explain'],
                ['explain', '--port', '40000'], ['explain', '--json'],
                ['log', '--help'], ['status'], ['status', '--porcelain'],
                ['sweep'], ['sweep', '--json'], ['port'], ['port', '--help'])


def full():
    """a full standard output ends each command with a message and no success"""
    load(FIRST)
    for words in commands():
        with open('/dev/full', 'w') as stdout:
            result = run(words, stdout)
        same((words, result.returncode),
             (words, 125 if 'run' in words else 1))
        same((words, 'cannot write: No space left' in result.stderr),
             (words, True))
    with open('/dev/full', 'w') as stdout:
        same(run(['unload'], stdout).returncode, 0)     # it prints nothing
        result = run(['unload'], stdout)
    same((result.returncode, 'cannot write' in result.stderr), (1, True))


def closed():
    """so does a closed one"""
    load(FIRST)
    for words in commands():
        result = run(words, None, preexec_fn=lambda: os.close(1))
        same((words, result.returncode),
             (words, 125 if 'run' in words else 1))
        same((words, 'cannot write: Bad file' in result.stderr), (words, True))


def nothing_changed():
    """a load that ends with 1, or by SIGPIPE, has changed nothing"""
    load(FIRST)
    second = conf(SECOND)
    with open('/dev/full', 'w') as stdout:
        same((run(['load', second], stdout).returncode, n_ports()), (1, 100))
    result = run(['load', second], None, preexec_fn=lambda: os.close(1))
    same((result.returncode, n_ports()), (1, 100))
    reader, writer = os.pipe()
    os.close(reader)
    result = run(['load', second], writer, preexec_fn=lambda: signal.signal(
        signal.SIGPIPE, signal.SIG_DFL))
    same((result.returncode, n_ports()), (-signal.SIGPIPE, 100))
    result = run(['load', second], writer, preexec_fn=lambda: signal.signal(
        signal.SIGPIPE, signal.SIG_IGN))
    same((result.returncode, n_ports()), (1, 100))
    os.close(writer)
    result = run(['load', second], subprocess.PIPE)
    same((result.returncode, result.stdout, n_ports()),
         (0, f'berth: {second}: 0 process sections and 0 reservations\n'
             'berth: in force\n', 51))


def standard_descriptors():
    """no message goes into the policy or the map where standard output and error
    are closed, and a program finds them closed"""
    path = conf(FIRST + 'nonsense = 1\n')
    for words in (['load', path], ['load', conf(FIRST, 'b.conf')], ['status'],
                  ['log'], ['sweep'], ['port']):
        run(words, None, preexec_fn=lambda: (os.close(0), os.close(1),
                                             os.close(2)))
    for root, _, names in os.walk(os.environ['BERTH_DIR']):
        for name in names:
            with open(os.path.join(root, name), 'rb') as file:
                text = file.read()
            same((name, b'berth: ' in text), (name, False))
    result = subprocess.run(
        [BERTH, 'run', '--', 'sh', '-c', 'for i in 0 1 2; do '
         '[ ! -e /proc/$$/fd/$i ] || echo $i >&2; done'],
        stderr=subprocess.PIPE, text=True, timeout=60,
        preexec_fn=lambda: (os.close(0), os.close(1)))
    same(result.stderr, '2\n')


# --- check for programs -------------------------------------------------------

def check_json():
    """check --json is one object of findings, with or without any, and exit status
    as ever"""
    sound = berth('check', '--json', conf(FIRST))
    report = json.loads(sound.stdout)
    same((sound.returncode, list(report)), (0, ['findings']))
    same({f['severity'] for f in report['findings']} <= {'warning'}, True)
    path = conf('rnage = 1\nrange = "70000"\n')
    result = berth('check', '--json', path)
    same(result.returncode, 1)
    found = json.loads(result.stdout)['findings']
    same([(f['severity'], f['file'], f['line']) for f in found],
         [('error', path, 1), ('error', path, 2)])
    same('did you mean "range"' in found[0]['message'], True)
    same('did you mean "range"' in result.stderr, True)
    result = berth('check', '--json', os.path.join(path, 'none'))
    [found] = json.loads(result.stdout)['findings']
    same((result.returncode, found['line'], found['file']),
         (1, None, os.path.join(path, 'none')))


def check_json_rules():
    """with --print the rules and reservations come before them"""
    path = conf(FIRST + 'reserve a { ports = "80" }\n')
    report = json.loads(berth('check', '--json', '--print', path).stdout)
    same(list(report), ['rules', 'reservations', 'findings'])
    same(report['reservations'][0]['name'], 'a')


def check_porcelain():
    """check --porcelain prints a record for each finding"""
    path = conf('rnage = 1\n')
    result = berth('check', '--porcelain', path)
    same([line.split('\t')[:4] for line in result.stdout.splitlines()],
         [['finding', 'error', path, '1']])


main([full, closed, nothing_changed, standard_descriptors, check_json,
      check_json_rules, check_porcelain])
