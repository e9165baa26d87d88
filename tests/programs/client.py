# SPDX-License-Identifier: MIT
"""Talks to the echo server in each way that Python has."""

import asyncio
import socket
import sys
import threading

HELLO = b"hello"
HANG_SECONDS = 900


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def udp_socket(address):
    sock = socket.socket(family_of(address), socket.SOCK_DGRAM)
    sock.settimeout(HANG_SECONDS)
    return sock


def say(what, address, answer):
    print(what, address, answer.decode(), flush=True)


def tcp(address, port, **options):
    with socket.create_connection((address, port), HANG_SECONDS, **options) as sock:
        sock.sendall(HELLO)
        return sock.recv(100)


def tcp_nonblocking(address, port):
    with socket.socket(family_of(address), socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        sock.connect_ex((address, port))
        sock.settimeout(HANG_SECONDS)
        sock.connect_ex((address, port))
        sock.sendall(HELLO)
        return sock.recv(100)


def udp_connected(address, port):
    with udp_socket(address) as sock:
        sock.connect((address, port))
        sock.send(HELLO)
        return sock.recv(100)


def udp_sendto(address, port):
    with udp_socket(address) as sock:
        sock.sendto(HELLO, (address, port))
        return sock.recvfrom(100)[0]


def udp_sendmsg(address, port):
    with udp_socket(address) as sock:
        sock.sendmsg([HELLO], [], 0, (address, port))
        return sock.recvmsg(100)[0]


def udp_bound(address, port):
    with udp_socket(address) as sock:
        sock.bind((address, 0))
        sock.sendto(HELLO, (address, port))
        return sock.recv(100)


def tcp_own_server(address, _):
    """A server on port 0, as tests are fond of, and a client of it."""
    with socket.create_server((address, 0), family=family_of(address)) as server:
        with socket.create_connection(server.getsockname()[:2], HANG_SECONDS) as client:
            connection, _ = server.accept()
            with connection:
                client.sendall(HELLO)
                return connection.recv(100)


def tcp_listen_unbound(address, _):
    """listen() on a socket that was never bound."""
    with socket.socket(family_of(address), socket.SOCK_STREAM) as server:
        server.listen()
        port = server.getsockname()[1]
        with socket.create_connection((address, port), HANG_SECONDS) as client:
            connection, _ = server.accept()
            with connection:
                client.sendall(HELLO)
                return connection.recv(100)


async def asyncio_tcp(address, port):
    reader, writer = await asyncio.open_connection(address, port)
    writer.write(HELLO)
    answer = await reader.read(100)
    writer.close()
    await writer.wait_closed()
    return answer


class Datagram(asyncio.DatagramProtocol):
    def __init__(self):
        self.answer = asyncio.get_running_loop().create_future()

    def datagram_received(self, data, peer):
        self.answer.set_result(data)


async def asyncio_udp(address, port):
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        Datagram, remote_addr=(address, port))
    transport.sendto(HELLO)
    answer = await protocol.answer
    transport.close()
    return answer


def in_threads(address, port):
    answers = []
    threads = [threading.Thread(
        target=lambda: answers.append(tcp(address, port)))
        for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return b" ".join(answers)


def refused(address, port):
    try:
        return tcp(address, port + 1)
    except ConnectionRefusedError as error:
        return error.strerror.encode()


def main():
    port, addresses = int(sys.argv[1]), sys.argv[2:]
    for address in addresses:
        for way in (tcp, tcp_nonblocking, udp_connected, udp_sendto,
                    udp_sendmsg, udp_bound, tcp_own_server,
                    tcp_listen_unbound, in_threads, refused):
            say(way.__name__, address, way(address, port))
        say("tcp bound", address,
            tcp(address, port, source_address=(address, 0)))
        for way in asyncio_tcp, asyncio_udp:
            say(way.__name__, address, asyncio.run(way(address, port)))


main()
