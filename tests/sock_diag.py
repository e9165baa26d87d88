# SPDX-License-Identifier: MIT
"""The kernel's table of sockets: sock_diag(7)."""
import collections
import socket
import struct

Socket = collections.namedtuple(
    'Socket', 'protocol family state address port remote_port inode')
PROTOCOLS = {'tcp': socket.IPPROTO_TCP, 'udp': socket.IPPROTO_UDP}


def sockets(name, family):
    """Yields those of a protocol, 'tcp' or 'udp', in this namespace."""
    # struct nlmsghdr (SOCK_DIAG_BY_FAMILY, a dump), struct inet_diag_req_v2.
    request = struct.pack('=IHHII BBBBI 48x', 72, 20, 0x301, 0, 0, family,
                          PROTOCOLS[name], 0, 0, 0xffffffff)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as diag:
        diag.send(request)
        while True:
            answer = diag.recv(1 << 16)
            while answer:
                size, kind = struct.unpack_from('=IH', answer)
                if kind == 3:       # NLMSG_DONE
                    return
                assert kind == 20, f'sock_diag answers {kind}'
                yield read_socket(name, answer[16:size])
                answer = answer[(size + 3) & ~3:]


def read_socket(name, message):
    # struct inet_diag_msg: four bytes, struct inet_diag_sockid, ...
    family, state = message[0], message[1]
    port, remote_port = struct.unpack_from('!HH', message, 4)
    address = message[8:12] if family == socket.AF_INET else message[8:24]
    inode = struct.unpack_from('=I', message, 68)[0]
    return Socket(name, family, state, address, port, remote_port, inode)


def lists_bound():
    """Whether TCP sockets that are bound and no more are in it: Linux 6.8. Of
    others nobody knows who holds them."""
    with socket.socket() as bound:
        bound.bind(('127.0.0.1', 0))
        return bound.getsockname()[1] in {
            one.port for one in sockets('tcp', socket.AF_INET)}
