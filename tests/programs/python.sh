#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Python: blocking sockets, asyncio, sockets of its own with port 0.

. "$(dirname "$0")/language.sh"

language_test /usr/bin/python3 "$here/client.py"
