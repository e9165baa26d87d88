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
umask 022

die()
{
	echo "run.sh: $*" >&2
	exit 1
}

# Tests run programs as other users, who have to reach them. Below a folder that
# is closed to others, as /root is, the checkout is used from another place.
others_read()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups \
		test -r "$PWD/tests/run.sh"
}

tests/install-packages.sh test
if ! others_read; then
	[ -z "${BERTH_TESTS_MOVED-}" ] ||
		die 'other users cannot read the checkout'
	BERTH_TESTS_MOVED=yes exec unshare --mount sh -c '
		mount --rbind . /srv && cd /srv && exec tests/run.sh "$@"' \
		sh "$@"
fi

builds=${1:-build-tests}
failed=0
n_steps=0
stage=
mkdir -p "$builds"

# step NAME: the stage before has ended.
step()
{
	end_step
	stage=$1 began=$(date +%s)
	printf '\n== %s\n' "$stage"
}

end_step()
{
	[ -z "$stage" ] ||
		printf '== %s: %d s\n' "$stage" $(($(date +%s) - began))
}

# Says nothing where the command passes, and all that it said where it does not.
quietly()
{
	said=$("$@" 2>&1) && return
	printf '%s\n' "$said" >&2
	return 1
}

# build NAME COMPILER OPTION...: configures and builds below $builds.
build()
{
	name=$1 compiler=$2
	shift 2
	CC=$compiler quietly meson setup "$builds/$name" -Dtests=enabled "$@" ||
		die "meson cannot configure $builds/$name"
	quietly ninja -C "$builds/$name" || die "ninja cannot build $builds/$name"
}

# try NAME ARGUMENT...: runs tests of a build. Failures are counted at the end.
# What hangs is ended sooner than meson.build says, so that the rest is run too.
try()
{
	name=$1
	shift
	meson test -C "$builds/$name" --no-rebuild --print-errorlogs \
		--timeout-multiplier 8 "$@" || failed=1
}

# check NAME COMMAND...: a test that is none of meson's.
check()
{
	verdict="ok $((n_steps += 1)) - $1"
	shift
	"$@" || verdict="not $verdict"
	echo "$verdict" | tee -a "$builds/steps.tap"
}

sum_up()
{
	status=$?
	trap - EXIT
	end_step
	python3 tests/summary.py "$builds"/*.tap \
		"$builds"/*/meson-logs/testlog*.json || status=1
	exit $status
}

no_report()
{
	! cat "$builds"/asan/report.* 2>/dev/null
}

# No log of an earlier run is counted.
for name in gcc clang asan tsan coverage; do
	rm -rf "${builds:?}/$name"
done
: >"$builds/steps.tap"
trap sum_up EXIT
trap 'exit 1' HUP INT TERM

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
check 'no sanitizer has reported anything' no_report

step 'thread sanitizer'
build tsan clang -Db_sanitize=thread -Db_lundef=false
TSAN_OPTIONS=halt_on_error=1 \
	try tsan --suite ledger

step 'coverage'
check 'the tests reach enough of the code' tests/coverage.sh "$builds/coverage"

step 'static analysis'
check 'no analyser complains' tests/analyse.sh "$builds/clang"

# Without this plan there is a failure: what was begun has not been finished.
echo "1..$n_steps" >>"$builds/steps.tap"
exit $failed
