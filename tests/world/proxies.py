#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Preloads that take connections elsewhere, on sockets of their own: edge case 57.

A SOCKS server on loopback tells from which port each connection comes. The order
that libberth(7) names gives ports of the range, and the other one does not.

Needs BERTH and LIBBERTH, and proxychains4 and torsocks.
"""
import os
import shutil
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'cli'))

from fixture import BERTH, HANG_SECONDS, HI, LO, RANGE, conf, main, same

# An address for examples (RFC 5737): nobody is asked for it but the server.
CLIENT = ('import socket; s = socket.create_connection(("192.0.2.1", 80)); '
          's.sendall(b"x"); print(s.recv(1).decode())')
RUN = [BERTH, 'run', '--']
N_CONNECTIONS = 5


def exactly(connection, n):
    data = b''
    while len(data) < n:
        part = connection.recv(n - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def serve(server, ports):
    """SOCKS 5 (RFC 1928) without authentication; answers what it is sent."""
    while True:
        connection, address = server.accept()
        with connection:
            _, n_methods = exactly(connection, 2)
            exactly(connection, n_methods)
            connection.sendall(b'\5\0')
            kind = exactly(connection, 4)[3]
            # An IPv4 address, or a name behind its length; and a port.
            exactly(connection, 2 + (4 if kind == 1 else
                                     exactly(connection, 1)[0]))
            connection.sendall(b'\5\0\0\1' + bytes(6))
            connection.sendall(exactly(connection, 1))
            ports.append(address[1])


def are_in_range(words, port):
    """Whether the connections of the client come from the range: all or none."""
    environment = {
        **os.environ, 'BERTH_RANGE': RANGE,
        'PROXYCHAINS_CONF_FILE': conf(
            'strict_chain\nquiet_mode\n[ProxyList]\n'
            'socks5 127.0.0.1 %d\n' % port, 'chains'),
        'TORSOCKS_CONF_FILE': conf(
            'TorAddress 127.0.0.1\nTorPort %d\n' % port, 'torsocks')}
    PORTS.clear()
    for _ in range(N_CONNECTIONS):
        result = subprocess.run(
            [*words, sys.executable, '-c', CLIENT], env=environment,
            text=True, capture_output=True, timeout=HANG_SECONDS)
        same((result.returncode, result.stdout, result.stderr), (0, 'x\n', ''))
    found = {LO <= port <= HI for port in PORTS}
    same((len(PORTS), len(found)), (N_CONNECTIONS, 1))
    return found.pop()


PORTS = []


def order(goes_inside, *proxy):
    def case():
        with socket.create_server(('127.0.0.1', 0)) as server:
            threading.Thread(target=serve, args=(server, PORTS),
                             daemon=True).start()
            port = server.getsockname()[1]
            same(are_in_range([*RUN, *proxy], port), goes_inside)
            same(are_in_range([*proxy, *RUN], port), not goes_inside)
    case.__doc__ = ('%s has its connections in the range where it is started %s '
                    'berth run, and not the other way round'
                    % (proxy[0], 'by' if goes_inside else 'outside of'))
    return case


def cases():
    return [order(inside, *words) for inside, words in
            ((True, ('proxychains4', '-q')), (False, ('torsocks',)))
            if shutil.which(words[0])]


if cases():
    main(cases())
else:
    print('1..0 # SKIP no proxychains4 and no torsocks here')
