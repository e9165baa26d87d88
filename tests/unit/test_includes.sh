#!/bin/sh
# SPDX-License-Identifier: MIT
# Includes point downward only: base < kernel < map < policy < assign < preload, cli.
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
check kernel 'kernel|base'
check map 'map|kernel|base'
check policy 'policy|map|kernel|base'
check assign 'assign|policy|map|kernel|base'
check preload 'preload|assign|policy|map|kernel|base'
check cli 'cli|assign|policy|map|kernel|base'
exit $status
