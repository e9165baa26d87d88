#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What berth status says of the ports, and of who holds them: edge case 12 too,
ports that the kernel chose, as for libc's own sockets."""
import json
import os
import re
import socket
import subprocess

from fixture import (HI, LIBBERTH, LO, Program, berth, counts, lists_bound,
                     load, main, records, same)


def no_map():
    """status without a map shows the policy, and makes none"""
    same(records('policy'), [['20000-20099', '100', 'double-hash',
                               'environment', '-']])
    same(records('own-map'), [['-', 'none yet']])
    same(counts('tcp'), [100, 0, 0, 0, 0])
    same(records('counter') + records('lease'), [])
    same(os.listdir(os.environ['BERTH_DIR']), [])


def empty_map():
    """an empty map has its path, every port free, and all counters 0"""
    subprocess.run(['true'], env={**os.environ, 'LD_PRELOAD': LIBBERTH})
    [[path, state]] = records('own-map')
    same(state, 'shared')
    same(path.startswith(os.environ['BERTH_DIR']) and os.path.exists(path),
         True)
    same([counts(p) for p in ('tcp', 'udp', 'udplite', 'sctp')],
         [[100, 0, 0, 0, 0]] * 4)
    same(records('counter'), [[name, '0'] for name in (
        'kernel-asked', 'pin-ignored', 'self-connect', 'foreign', 'reserved',
        'server-in-range', 'outside', 'observed', 'exhausted', 'no-map',
        'swept', 'bad-policy', 'filtered')])
    same(records('lease') + records('outside'), [])


def policy():
    """the policy is that of the environment, reservations taken out"""
    same(records('policy', range='30000-30009,40000',
                 BERTH_RESERVE='30003', BERTH_ALGORITHM='random'),
         [['30000-30002,30004-30009,40000', '10', 'random', 'environment',
           '-']])


def bad_policy():
    """a range that makes no sense is told, and the default is shown"""
    result = berth('status', '--porcelain', range='70000')
    same('"70000"' in result.stderr and result.returncode == 0, True)
    same('policy\t49152-65535\t16384\t' in result.stdout, True)


def holders():
    """a listener, a connection and a UDP socket have their states and holder"""
    with Program() as program:
        listener = program.bind('l', listen=True)
        client = program.connect('c', listener)
        bound = program.bind('b', address='127.0.0.1')
        udp = program.bind('u', 'DGRAM')
        holder = [str(program.pid),
                  open(f'/proc/{program.pid}/comm').read().strip()]
        wanted = [['tcp', str(listener), 'whole', '1', *holder],
                  ['tcp', str(client), 'connect', '1', *holder],
                  ['tcp', str(bound), 'bound', '1',
                   *(holder if lists_bound() else ['-', '-'])],
                  ['udp', str(udp), 'whole', '1', *holder]]
        same(records('lease'), sorted(wanted))
        same(counts('tcp'), [97, 1, 1, 1, 0])
        same(counts('udp'), [99, 1, 0, 0, 0])
        same(all(LO <= int(row[1]) <= HI for row in wanted), True)


def shared_port():
    """a port that two processes share has a row for each of them"""
    with Program() as program:
        port = program.bind('l', listen=True)
        child = program.do(
            'import os; c = os.fork(); '
            'c or (os.close(0), os.close(1), '
            '__import__("signal").pause()); print(c)')
        try:
            rows = records('lease')
            same([row[1] for row in rows], [str(port)] * 2)
            same({int(row[4]) for row in rows}, {program.pid, child})
        finally:
            program.do(f'os.kill({child}, 9); os.wait()')


def after_close():
    """closed sockets leave no lease, and what bind(0) had rests"""
    with Program() as program:
        program.bind('l', listen=True)
        program.bind('u', 'DGRAM')
        program.close('l')
        program.close('u')
        same(records('lease'), [])
        same(counts('tcp'), [99, 0, 0, 0, 1])
        same(counts('udp'), [99, 0, 0, 0, 1])


def lost_lease():
    """a leased port that the kernel has no socket on has no holder"""
    with Program() as program:
        port = program.bind('l', listen=True)
        program.process.kill()
        program.process.wait()
        same(records('lease'), [['tcp', str(port), 'whole', '1', '-', '-']])
        result = json.loads(berth('status', '--json').stdout)
        same(result['leases'], [{'protocol': 'tcp', 'port': port,
                                 'use': 'whole', 'leases': 1, 'pid': None,
                                 'program': None}])


def outside():
    """a program outside Berth is listed, and what it accepts is not"""
    with Program() as inside, Program(preload=False) as other:
        server = inside.bind('l', listen=True)
        client = other.connect('c', server)
        udp = other.bind('u', 'DGRAM')
        name = open(f'/proc/{other.pid}/comm').read().strip()
        same(records('outside'), [
            ['tcp', str(client), 'connected', str(other.pid), name, 'kernel'],
            ['udp', str(udp), 'bound', str(other.pid), name, 'kernel']])
        listener = other.bind('l', listen=True)
        inside.connect('c', listener)
        other.do('kept["a"], a = kept["l"].accept()')
        rows = [row[:3] for row in records('outside') if row[0] == 'tcp']
        same(rows, sorted([['tcp', str(client), 'connected'],
                           ['tcp', str(listener), 'listen']]))


def outside_of_ranges():
    """so is one with a reserved port or one of a range, swept or not, and the
    owner of a reservation is not"""
    load('range = "20000-20099"\n'
         'reserve a { ports = "9100-9101" owners = {"o"} }\n'
         'process o { profile = {"o"} }\n')

    def listen(program, port):
        program.do(f's = kept[{port}] = socket.socket(); '
                   f's.bind(("127.0.0.1", {port})); s.listen()')

    with Program(preload=False) as other, \
            Program(range=None, BERTH_PROFILE='o') as owner:
        for port in 9100, 20007, 9999:
            listen(other, port)
        listen(owner, 9101)
        wanted = [['tcp', '9100', 'listen', str(other.pid), 'reserved'],
                  ['tcp', '20007', 'listen', str(other.pid), 'range']]
        for _ in range(2):
            rows = [row[:4] + row[5:] for row in records('outside',
                                                         range=None)]
            same(rows, wanted)
            same(berth('sweep', range=None).returncode, 0)


def not_outside():
    """neither a leased port nor one beyond the kernel's range is outside"""
    lo, hi = open('/proc/sys/net/ipv4/ip_local_port_range').read().split()
    with Program(range=f'{lo}-{hi}') as program:
        program.bind('u', 'DGRAM')
        with socket.socket() as server:
            server.bind(('', 9999))
            server.listen()
            same(records('outside'), [])


def json_names():
    """--json is one valid object, whatever a program is called"""
    with Program() as program:
        program.bind('l', listen=True)
        program.do('open("/proc/self/comm", "wb").write('
                   'b"a\\"\\\\\\t\\xff\\xc3\\xa9")')
        result = json.loads(berth('status', '--json').stdout)
        same(list(result), ['policy', 'own_map', 'ports', 'counters', 'leases',
                            'outside', 'maps'])
        same(result['policy'], {'range': '20000-20099', 'n_ports': 100,
                                'algorithm': 'double-hash',
                                'rule': 'environment', 'source': None})
        same(result['leases'][0]['program'], 'a"\\\t\ufffd\u00e9')
        same(result['leases'][0]['pid'], program.pid)


def plain_names():
    """the control characters of a name do not break a record or a terminal"""
    with Program() as program:
        program.bind('l', listen=True)
        program.do('open("/proc/self/comm", "wb").write(b"a\\tb\\x1bc")')
        same(records('lease')[0][4:], [str(program.pid), 'a?b?c'])
        same('a?b?c\n' in berth('status').stdout, True)


def table():
    """the table says the same in words"""
    with Program() as program:
        port = program.bind('l', listen=True)
        text = berth('status').stdout
        same(bool(re.search(r'^policy +range +20000-20099$', text, re.M)),
             True)
        same(bool(re.search(rf'^tcp +{port} +whole +1 +{program.pid} ', text,
                            re.M)), True)
        same(bool(re.search(r'^tcp +99 +1 +0 +0 +0$', text, re.M)), True)
        text = berth('explain', '--pid', str(program.pid)).stdout
        same(bool(re.search(rf'^program +pid +{program.pid}$', text, re.M)),
             True)
        same(re.findall('^program[^ ]', text, re.M), [])


main([no_map, empty_map, policy, bad_policy, holders, shared_port,
      after_close, lost_lease, outside, outside_of_ranges, not_outside,
      json_names, plain_names, table])
