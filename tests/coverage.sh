#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Prints how much of libberth.so's code the tests reach, by line and by
# branch: each file, and the sum. Fails below 95 % of the lines or 85 % of the
# branches.
#
#     tests/coverage.sh BUILD    a folder that is made anew
#
# A few tests fail in this build, and are not counted: what they forbid, gcov
# does, such as to open a file when a program under a seccomp filter ends.

set -eu
cd "$(dirname "$0")/.."

build=$1
rm -rf "$build"
# Atomic: several processes and threads count at once.
meson setup "$build" -Dtests=enabled -Db_coverage=true \
	-Dc_args=-fprofile-update=atomic >/dev/null
ninja -C "$build" --quiet

# What was counted so far. Later tests let the reading of these counts fail, or end
# a process that writes them: then they begin again.
keep() {
	gcovr --root . --object-directory "$build" --gcov-ignore-parse-errors \
		--filter 'src/' --exclude 'src/base/' --exclude 'src/cli/' \
		--exclude-unreachable-branches --json "$build/counts-$1.json" \
		"$build"
}

meson test -C "$build" --no-rebuild --quiet --logbase coverage \
	--suite unit --suite preload --suite cli --suite ledger \
	--timeout-multiplier 8 >/dev/null || :
keep suites
# Of faults and world what runs libberth.so; to fail each call that gcov makes when
# a process ends takes longer than all others together.
meson test -C "$build" --no-rebuild --quiet --logbase coverage-more \
	--timeout-multiplier 8 'system calls fail, start' \
	'system calls fail, calls' surroundings 'signal handlers that call' \
	'threads that are cancelled' 'vfork children' >/dev/null || :
keep more
# SCTP, and a kernel without the pin: what gcov counts there is added.
VM_ONLY='^preload / ' meson test -C "$build" --no-rebuild --quiet \
	--logbase coverage-vm --suite vm 'kernel 5.10' 'kernel 6.12' \
	>/dev/null || :
keep vm

report() {
	gcovr --root . --add-tracefile "$build/counts-*.json" "$@"
}
report --fail-under-line 95
report --branches --fail-under-branch 85
