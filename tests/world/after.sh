#!/bin/sh
# SPDX-License-Identifier: MIT
#
# after.sh BERTH PRELOAD COMMAND...
#
# Runs COMMAND under LD_PRELOAD=PRELOAD, and prints what the map shows when it
# has ended, with "map " before each line. Exits as COMMAND does.

berth=$1 preload=$2
shift 2
status=0
LD_PRELOAD=$preload "$@" || status=$?
"$berth" status --porcelain | sed -n 's/^ports/map/p'
exit $status
