# SPDX-License-Identifier: MIT
"""The servers that the programs of these tests connect to."""

import os
import selectors
import socket

PORTS = range(7000, 7004)


def serve(listeners):
    """Takes connections and closes them when the client has."""
    selector = selectors.DefaultSelector()
    for listener in listeners:
        selector.register(listener, selectors.EVENT_READ, True)
    while True:
        for key, _ in selector.select():
            if key.data:
                selector.register(key.fileobj.accept()[0],
                                  selectors.EVENT_READ, False)
            else:
                selector.unregister(key.fileobj)
                key.fileobj.close()


def start():
    """In a child, of either family on each of the ports; returns its pid."""
    listeners = []
    for family in (socket.AF_INET, socket.AF_INET6):
        for port in PORTS:
            listener = socket.socket(family)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(('', port))
            listener.listen(4096)
            listeners.append(listener)
    pid = os.fork()
    if pid == 0:
        serve(listeners)
    for listener in listeners:
        listener.close()
    return pid
