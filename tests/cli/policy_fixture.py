# SPDX-License-Identifier: MIT
"""What the tests of a policy that is in force share."""
import json
import os
import sys

from fixture import berth, path, Program

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


def named(name):
    """A path to Python by which a program has this name."""
    if not os.path.lexists(path(name)):
        os.symlink(sys.executable, path(name))
    return path(name)


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
