# SPDX-License-Identifier: MIT
"""features.py NAME=yes|no...: what this kernel has, as TAP.

Each feature below has to be named; a test on another kernel proves that it is on
the one that it means.
"""
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))

from sock_diag import lists_bound
from tap import Tap

# Of <linux/in.h> and <asm-generic/socket.h>.
IP_LOCAL_PORT_RANGE, SO_NETNS_COOKIE = 51, 71
IPPROTO_SCTP, IPPROTO_UDPLITE, IPPROTO_MPTCP = 132, 136, 262


def succeeds(protocol, kind, call=lambda sock: None):
    """Whether the kernel has such a socket, and lets it be called so."""
    try:
        with socket.socket(socket.AF_INET, kind, protocol) as sock:
            call(sock)
    except OSError:
        return False
    return True


def set_port_range(sock):
    sock.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE,
                    struct.pack('=I', 40001 << 16 | 40000))


def read_netns_cookie(sock):
    if not any(sock.getsockopt(socket.SOL_SOCKET, SO_NETNS_COOKIE, 8)):
        raise OSError('the cookie is 0')


def features():
    stream, datagram = socket.SOCK_STREAM, socket.SOCK_DGRAM
    return {
        'IP_LOCAL_PORT_RANGE': succeeds(0, stream, set_port_range),
        'MPTCP': succeeds(IPPROTO_MPTCP, stream),
        'UDPLITE': succeeds(IPPROTO_UDPLITE, datagram),
        'SCTP': succeeds(IPPROTO_SCTP, stream),
        'SO_NETNS_COOKIE': succeeds(0, datagram, read_netns_cookie),
        'BOUND_LISTED': lists_bound(),
    }


def main():
    tap = Tap()
    wanted = dict(word.split('=') for word in sys.argv[1:])
    tap.note(['Linux ' + os.uname().release])
    for name, has in features().items():
        tap.ok(wanted.get(name) == ('yes' if has else 'no'),
               'this kernel has %s%s' % ('' if has else 'no ', name))
    return tap.end()


sys.exit(main())
