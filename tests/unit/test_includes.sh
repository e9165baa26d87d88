#!/bin/sh
# SPDX-License-Identifier: MIT
# Includes point downward only: preload and cli to core, core to base.
# Usage: test_includes.sh SRC
set -eu
cd "$1"

status=0

# check LAYER LAYERS-IT-MAY-INCLUDE (an extended regular expression)
check()
{
	[ -d "$1" ] || return 0
	upward=$(grep -rnE '^[[:blank:]]*#[[:blank:]]*include[[:blank:]]*"' \
		--include='*.[ch]' "$1" | grep -vE "\"($2)/[^/]*\"" || true)
	if [ -n "$upward" ]; then
		echo "$1 may include $2 only:"
		echo "$upward"
		status=1
	fi
}

check base 'base'
check core 'core|base'
check preload 'preload|core|base'
check cli 'cli|core|base'
exit $status
