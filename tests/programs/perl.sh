#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Perl: IO::Socket::IP and the bare socket calls.

. "$(dirname "$0")/language.sh"

language_test perl "$here/client.pl"
