#!/bin/sh
# SPDX-License-Identifier: MIT
#
# clang-tidy, with the checks of .clang-tidy, and gcc's -fanalyzer over src.
#
#     tests/analyse.sh BUILD    a folder configured by meson, with clang

set -eu
cd "$(dirname "$0")/.."

status=0
sources=$(find src -name '*.c' | sort)

# shellcheck disable=SC2086 # one word a file
clang-tidy --quiet -p "$1" $sources 2>/dev/null || status=1

for source in $sources; do
	gcc -std=gnu11 -O2 -Wall -Wextra -fanalyzer -Werror -Isrc -D_GNU_SOURCE \
		-Wno-nonnull-compare -fno-delete-null-pointer-checks \
		-DLIBBERTH_PATH='""' -DCONFIG_PATH='""' -DBERTH_VERSION='""' \
		-c "$source" -o /dev/null || status=1
done
exit $status
