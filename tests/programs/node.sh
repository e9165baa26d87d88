#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Node.js: net, dgram and http, on top of libuv.

. "$(dirname "$0")/language.sh"

language_test node "$here/client.js"
