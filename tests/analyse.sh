#!/bin/sh
# SPDX-License-Identifier: MIT
#
# clang-tidy, with the checks of .clang-tidy, and gcc's -fanalyzer over src; and
# whether src and tests look as .clang-format says.
#
#     tests/analyse.sh BUILD    a folder configured by meson, with clang

set -eu
cd "$(dirname "$0")/.."

cores=$(nproc)
status=0

sources() {
	find src -name '*.c' | sort
}

if [ ! -r "$1/compile_commands.json" ]; then
	echo "analyse.sh: $1 is not configured by meson" >&2
	exit 1
fi
said=$(mktemp)
trap 'rm -f "$said"' EXIT

# Where it finds nothing it still counts the warnings that it left out; where it
# fails, standard error may be all that says why.
if ! sources | xargs -P "$cores" -n 4 clang-tidy --quiet -p "$1" 2>"$said"; then
	cat "$said" >&2
	status=1
fi

# Not optimised: gcc 12 inlines first, and then takes members of structs that
# are returned by value for uninitialised.
sources | xargs -P "$cores" -I {} gcc -c {} -o /dev/null \
	-std=gnu11 -O0 -Wall -Wextra -fanalyzer -Werror -Isrc -D_GNU_SOURCE \
	-Wno-nonnull-compare -fno-delete-null-pointer-checks \
	-DLIBBERTH_PATH='""' -DCONFIG_PATH='""' -DBERTH_VERSION='""' || status=1

# Each release breaks lines in other places.
if clang-format --version | grep -q ' version 14\.'; then
	find src tests -name '*.[ch]' |
		xargs clang-format --dry-run --Werror || status=1
else
	echo 'analyse.sh: the form is compared with clang-format 14 alone' >&2
fi
exit $status
