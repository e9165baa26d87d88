#!/bin/sh
# SPDX-License-Identifier: MIT
# Includes point downward only: base < kernel < map < policy < process < assign <
# preload, cli; and no objects include each other in a circle.
# Usage: test_includes.sh SRC
set -eu
cd "$1"

status=0

includes()
{
	grep -rnE '^[[:blank:]]*#[[:blank:]]*include[[:blank:]]*"' \
		--include='*.[ch]' "$@"
}

# check ROOM ROOMS-IT-MAY-INCLUDE (an extended regular expression)
check()
{
	upward=$(includes "$1" | grep -vE "\"($2)/[^\"]*\"" || true)
	if [ -n "$upward" ]; then
		echo "$1 may include $2 only:"
		echo "$upward"
		status=1
	fi
}

# An object is a .c file and its .h file.
pairs()
{
	includes "$@" | sed -E 's/^([^:]*)\.[ch]:[0-9]+:[^"]*"(.*)\.(h|def)".*/\1 \2/' |
		awk '$1 != $2' | sort -u
}

check base 'base'
check kernel 'kernel|base'
check map 'map|kernel|base'
check policy 'policy|map|kernel|base'
check process 'process|policy|map|kernel|base'
check assign 'assign|process|policy|map|kernel|base'
check preload 'preload|assign|process|policy|map|kernel|base'
check cli 'cli|assign|process|policy|map|kernel|base'

circles=$(pairs * | tsort 2>&1 >/dev/null || true)
if [ -n "$circles" ]; then
	echo 'objects that include each other:'
	echo "$circles"
	status=1
fi
exit $status
