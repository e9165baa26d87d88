#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Names that somebody else has chosen reach no terminal unchanged: of programs,
files, sections, rules, values, in tables, messages, records and JSON.

Needs BERTH and LIBBERTH.
"""
import json
import os
import subprocess
import sys
import unicodedata

from fixture import BERTH, LIBBERTH, Program, main, same

# ESC, a C1 control (CSI) as UTF-8 and by itself, a bidirectional override, a
# line separator, what is no UTF-8, and what is harmless.
EVIL = (b'\x1b[31m', b'\xc2\x9b31m', b'\x9b31m', b'\xe2\x80\xaea', b'\xe2\x80\xa8',
        b'\xed\xa0\x80', b'\xc0\xaf', b'\xf4\x90\x80\x80', b'\x7f', b'a\tb')
GOOD = 'größe'


def evil_bytes(data):
    """What of an output is not for a terminal; line ends are its own, tabs those
    of records."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        return repr(error)
    return [hex(ord(c)) for c in text
            if unicodedata.category(c) in ('Cc', 'Cf', 'Cs', 'Zl', 'Zp') and
            c != '\n']


def output(*words, tabs=False, **variables):
    """All that a command prints, checked."""
    env = dict(os.environb)
    for name, value in variables.items():
        env[name.encode()] = value
    result = subprocess.run([BERTH, *words], env=env, capture_output=True,
                            timeout=60)
    for data in result.stdout, result.stderr:
        if tabs:
            data = data.replace(b'\t', b'')
        same((words, evil_bytes(data)), (words, []))
    return result


def messages():
    """no message has them, whatever word, value or path is told"""
    for evil in EVIL[:5]:
        for words in ([evil], ['help', evil], ['status', evil], ['log', evil],
                      ['log', '-n', evil], ['sweep', evil], ['port', evil],
                      ['port', '--protocol', evil], ['explain', evil],
                      ['explain', '--', evil], ['check', '--' , evil],
                      ['check', '--rate', evil], ['load', evil],
                      ['unload', evil],
                      ['run', '--' + evil.decode('latin-1'), 'true'],
                      ['run', evil], ['run', '--range', evil, 'true'],
                      ['run', '--profile', evil, 'true'],
                      ['run', '--config', evil, 'true']):
            result = output(*words)
            same((words, result.returncode != 0, b'?' in result.stderr),
                 (words, True, True))
        for name in ('RANGE', 'RESERVE', 'ALGORITHM', 'LOG', 'PIN', 'DIR',
                     'LIBRARY'):
            result = output('run', 'true', **{'BERTH_' + name: evil})
            same((name, result.returncode, b'?' in result.stderr),
                 (name, 125, True))


def findings():
    """berth check tells of a file, its sections and values without them"""
    folder = os.environb[b'BERTH_DIR']
    for evil in EVIL:
        path = folder + b'/' + evil + b'.conf'
        with open(path, 'wb') as file:
            file.write(b'process "' + evil + b'" { range = "' + evil + b'" }\n'
                       b'reserve "x' + evil + b'" { ports = "5-" }\n'
                       b'x' + evil.replace(b'\t', b'') + b' = 1\n')
        result = output('check', path)
        same((result.returncode, b'?' in result.stderr), (1, True))


def library():
    """nor do the lines of the library"""
    folder = os.environ['BERTH_DIR'].encode()
    for evil in EVIL:
        name = folder + b'/' + evil.replace(b'/', b'')
        os.symlink(sys.executable, name)
        result = subprocess.run(
            [name, '-c', 'import socket; s = socket.socket(); '
             's.bind(("127.0.0.1", 0)); s.connect_ex(s.getsockname())'],
            env={**os.environb, b'LD_PRELOAD': LIBBERTH.encode(),
                 b'BERTH_LOG': b'stderr', b'BERTH_PIN': evil},
            capture_output=True, timeout=60)
        same(evil_bytes(result.stderr), [])
        same(b'would connect to itself' in result.stderr and
             b'BERTH_PIN=' in result.stderr, True)


def set_name(program, name):
    program.do(f'open("/proc/self/comm", "wb").write({name!r})')


def reports():
    """log, status and explain show names without them, and what is harmless as it
    is"""
    folder = os.environb[b'BERTH_DIR']
    for evil in (*EVIL, GOOD.encode()):
        name = folder + b'/' + evil.replace(b'/', b'')
        if not os.path.lexists(name):
            os.symlink(sys.executable, name)
        with Program(name=os.fsdecode(name)) as program:
            program.bind('l', listen=True)
            program.do('s = socket.socket(); s.bind(("127.0.0.1", 0)); '
                       's.connect_ex(s.getsockname())')
            pid = str(program.pid)
            for words in (['log'], ['status'], ['explain', '--pid', pid]):
                shown = output(*words).stdout
                records = output(*words, '--porcelain', tabs=True).stdout
                output(*words, '--json')
                if evil == GOOD.encode():
                    same((words, evil in shown, evil in records),
                         (words, True, True))


def whole_records():
    """a name breaks no record, and JSON has it as it is"""
    with Program() as program:
        program.bind('l', listen=True)
        for name, plain, exact in (
                (b'a\tb\nc', 'a?b?c', 'a\tb\nc'),
                (b'\xe2\x80\xaefdp', '?fdp', '\u202efdp'),
                (b'\xc2\x9bm', '?m', '\x9bm'),
                (b'\xf3\xa0\x81\x81', '?', '\U000e0041'),
                (b'\xff"\\', '?"\\', '\ufffd"\\'),
                (GOOD.encode(), GOOD, GOOD)):
            set_name(program, name)
            records = output('status', '--porcelain', tabs=True).stdout.decode()
            [lease] = [line.split('\t') for line in records.splitlines()
                       if line.startswith('lease\t')]
            same(lease[5:], [str(program.pid), plain])
            result = json.loads(output('status', '--json').stdout)
            same(result['leases'][0]['program'], exact)


main([messages, findings, library, reports, whole_records])
