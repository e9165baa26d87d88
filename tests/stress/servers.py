# SPDX-License-Identifier: MIT
"""The servers that the programs of these tests connect to."""

import selectors


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
