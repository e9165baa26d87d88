#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs a fuzz target for FUZZ_SECONDS (20), from a corpus that stays as it is:
#
#     fuzz.sh TARGET CORPUS

set -eu
target=$(realpath "$1") corpus=$(realpath "$2")
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
cd "$found"
"$target" -max_total_time="${FUZZ_SECONDS:-20}" -max_len=4096 -timeout=10 \
	-print_final_stats=1 "$found" "$corpus" </dev/null
