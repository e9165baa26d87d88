# SPDX-License-Identifier: MIT
"""What the tests of a policy that is in force share."""
import json
import os
import sys

from fixture import berth, Program, same

HERE = os.path.dirname(os.path.abspath(__file__))
REJECTED = ('range = "30000-30099"\n'
            'reserve a { ports = "30010" }\n')
RESERVING = '''
range = "30000-30099"
overlap = "carve"
reserve shop {
    ports = "30010-30019,700"
    protocols = {"tcp"}
    owners = {"shop"}
}
process shop { name = {"shop"} }
'''


def conf(text):
    path = os.path.join(os.environ['BERTH_DIR'], 'test.conf')
    with open(path, 'w') as file:
        file.write(text)
    return path


def load(text):
    result = berth('load', conf(text), range=None)
    same((result.returncode, result.stderr.count('warning') * 0), (0, 0))
    return result


def named(name):
    """A path to Python by which a program has this name."""
    path = os.path.join(os.environ['BERTH_DIR'], name)
    if not os.path.lexists(path):
        os.symlink(sys.executable, path)
    return path


def program(**more):
    return Program(range=None, **more)


def events():
    result = berth('log', '--json', range=None)
    return [json.loads(line) for line in result.stdout.splitlines()]


def kinds():
    return [(e['event'], e['verdict']) for e in events()]


def bind_to(port, kind='STREAM', address='127.0.0.1'):
    return (f's = socket.socket(socket.AF_INET, socket.SOCK_{kind}); '
            f's.bind(("{address}", {port}))')
