# SPDX-License-Identifier: MIT
"""Sends back what it receives, over TCP and UDP, on one port of loopback."""

import selectors
import socket
import sys


def open_sockets(addresses, port):
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
            sock = socket.socket(family, kind)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if kind == socket.SOCK_STREAM:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((address, port))
            if kind == socket.SOCK_STREAM:
                sock.listen(128)
            yield sock


def accept(selector, listener):
    connection, _ = listener.accept()
    selector.register(connection, selectors.EVENT_READ, echo)


def echo(selector, connection):
    data = connection.recv(65536)
    if data:
        connection.sendall(data)
    else:
        selector.unregister(connection)
        connection.close()


def echo_datagram(selector, sock):
    data, peer = sock.recvfrom(65536)
    sock.sendto(data, peer)


def main():
    port, addresses = int(sys.argv[1]), sys.argv[2:]
    selector = selectors.DefaultSelector()
    for sock in open_sockets(addresses, port):
        stream = sock.type == socket.SOCK_STREAM
        selector.register(sock, selectors.EVENT_READ,
                          accept if stream else echo_datagram)
    while True:
        for key, _ in selector.select():
            key.data(selector, key.fileobj)


main()
