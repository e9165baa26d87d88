#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What berth port prints, and that nobody is given it afterwards."""
import os
import socket

from fixture import HI, LO, Program, berth, counts, main, same


def ports(*words, **options):
    result = berth('port', *words, **options)
    same((result.returncode, result.stderr), (0, ''))
    return [int(line) for line in result.stdout.splitlines()]


def refused(status, *words, **options):
    """What is said; nothing is printed."""
    result = berth('port', *words, **options)
    same((result.returncode, result.stdout), (status, ''))
    return result.stderr


def resting(protocol):
    """The number of ports that are neither free nor leased."""
    _, *leased, rest = counts(protocol)
    same(leased, [0, 0, 0])
    return rest


def one():
    """without a number, one port of the range is printed"""
    [port] = ports()
    same(LO <= port <= HI, True)


def many():
    """N ports are distinct, in the range, and as many as it has"""
    same(sorted(ports('100')), list(range(LO, HI + 1)))


def reserved():
    """ports that are reserved are not printed"""
    same(sorted(ports('9', range='30000-30009', BERTH_RESERVE='30004')),
         [port for port in range(30000, 30010) if port != 30004])


def avoided():
    """bind(0) under Berth avoids what was printed, while there are others"""
    printed = ports('90')
    with Program() as program:
        bound = [program.bind(str(i)) for i in range(10)]
        same(sorted(printed + bound), list(range(LO, HI + 1)))


def repeated():
    """the next call prints other ports"""
    same(len(set(ports('50') + ports('50'))), 100)


def protocols():
    """--protocol says whose ports: those of TCP by default"""
    ports('3')
    ports('5', '--protocol', 'udp')
    ports('--protocol=udp', '2')
    ports('--protocol', 'tcp')
    same((resting('tcp'), resting('udp')), (4, 7))


def left_alone():
    """whoever knows the number can bind to it at once"""
    for port in ports('10'):
        with socket.socket() as sock:
            sock.bind(('', port))


def taken(family, kind, protocol, address, option=None):
    """Ports of a range of three when the first is taken outside Berth."""
    with socket.socket(family, kind) as sock:
        if option:
            sock.setsockopt(*option, 1)
        sock.bind((address, 30001))
        result = ports('2', '--protocol', protocol, range='30000-30002')
        same(sorted(result), [30000, 30002])
        said = refused(1, '3', '--protocol', protocol, range='30000-30002')
        same('3 ' + protocol + " ports wanted, 2 of the range's 3 are free"
             in said, True)


def foreign():
    """a port that somebody outside Berth has is not printed: IPv4"""
    taken(socket.AF_INET, socket.SOCK_STREAM, 'tcp', '127.0.0.1')
    taken(socket.AF_INET, socket.SOCK_DGRAM, 'udp', '127.0.0.1')


def foreign_6():
    """a port that somebody outside Berth has is not printed: IPv6 alone"""
    only = (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    taken(socket.AF_INET6, socket.SOCK_STREAM, 'tcp', '::', only)
    taken(socket.AF_INET6, socket.SOCK_DGRAM, 'udp', '::1', only)


def shared():
    """a port with SO_REUSEADDR set, which lets others bind, is not printed"""
    taken(socket.AF_INET, socket.SOCK_STREAM, 'tcp', '127.0.0.1',
          (socket.SOL_SOCKET, socket.SO_REUSEADDR))


def leased():
    """a port that a program under Berth has is not printed"""
    with Program(range='30000-30002') as program:
        port = program.bind('b', address='127.0.0.1')
        same(sorted(ports('2', range='30000-30002') + [port]),
             [30000, 30001, 30002])


def too_many():
    """when there are not enough ports, none is printed, and none rests"""
    same('"' not in refused(1, '101'), True)
    same(resting('tcp'), 0)
    same(len(ports('100')), 100)


def under_berth():
    """berth port works in a program that runs under Berth"""
    printed = ports('50', LD_PRELOAD=os.environ['LIBBERTH'])
    same(len(set(printed)), 50)
    same(resting('tcp'), 50)


def bad_words():
    """mistakes are quoted, with status 2"""
    for words, word in ((['0'], '0'), (['-1'], '-1'), (['x'], 'x'),
                        (['5x'], '5x'), ([''], ''), (['65536'], '65536'),
                        (['99999999999999999999'], '99999999999999999999'),
                        (['1', '2'], '2'), (['--jason'], '--jason'),
                        (['--protocol'], '--protocol'),
                        (['--protocol', 'icmp'], 'icmp'),
                        (['--protocol='], '')):
        same(f'"{word}"' in refused(2, *words), True)


def bad_range():
    """a range that makes no sense is quoted, and nothing printed"""
    same('"70000"' in refused(1, range='70000'), True)


def no_map():
    """without a map a port is printed with a warning, or refused"""
    result = berth('port', BERTH_DIR='/dev/null')
    same((result.returncode, result.stdout[:3]), (0, '200'))
    same('no shared map' in result.stderr, True)
    said = refused(1, BERTH_DIR='/dev/null', BERTH_ON_ERROR='refuse')
    same('BERTH_ON_ERROR=refuse' in said, True)


main([one, many, reserved, avoided, repeated, protocols, left_alone, foreign,
      foreign_6, shared, leased, too_many, under_berth, bad_words, bad_range,
      no_map])
