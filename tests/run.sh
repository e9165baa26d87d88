#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Installs what is missing, builds, and runs every test: with gcc; with clang;
# with the address, undefined behaviour and thread sanitizers; what of the code
# they reach; and the static analysers. Ends with "N passed, N failed,
# N skipped", over all of them.
#
#     tests/run.sh [FOLDER]    builds below FOLDER (build-tests)

set -eu
cd "$(dirname "$0")/.."

builds=${1:-build-tests}
failed=0

tests/install-packages.sh test

step() {
	printf '\n== %s\n' "$1"
}

# build NAME COMPILER OPTION...: configures and builds below $builds.
build() {
	name=$1 compiler=$2
	shift 2
	rm -rf "${builds:?}/$name"
	CC=$compiler meson setup "$builds/$name" -Dtests=enabled "$@" >/dev/null
	ninja -C "$builds/$name" --quiet
}

# try NAME ARGUMENT...: runs tests of a build. Failures are counted at the end.
# What hangs is ended sooner than meson.build says, so that the rest is run too.
try() {
	name=$1
	shift
	meson test -C "$builds/$name" --no-rebuild --print-errorlogs \
		--timeout-multiplier 8 "$@" || failed=1
}

step 'gcc: every test'
build gcc gcc
try gcc

step 'clang: warnings are errors there too'
build clang clang
try clang --suite unit

step 'fuzzing, for a short while'
try clang --suite fuzz

step 'address and undefined behaviour sanitizers'
build asan gcc -Db_sanitize=address,undefined -Db_lundef=false
ASAN_OPTIONS=log_path=$PWD/$builds/asan/report \
UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:log_path=$PWD/$builds/asan/report \
	try asan --suite unit --suite ledger
# A leak ends no test: its report does.
for report in "$builds"/asan/report.*; do
	[ -e "$report" ] || continue
	cat "$report"
	failed=1
done

step 'thread sanitizer'
build tsan clang -Db_sanitize=thread -Db_lundef=false
TSAN_OPTIONS=halt_on_error=1 \
	try tsan --suite ledger

step 'coverage'
tests/coverage.sh "$builds/coverage" || failed=1

step 'static analysis'
tests/analyse.sh "$builds/clang" || failed=1

python3 tests/summary.py "$builds"/*/meson-logs/testlog*.json || failed=1
exit $failed
