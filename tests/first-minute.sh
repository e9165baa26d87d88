#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What a stranger meets in the first minute: the README's commands for a first
# try and for a build, on a Debian in which nothing is installed; and what they
# say when they fail. Prints TAP. fresh-root.sh makes the root for it: it
# installs packages, and Berth below /usr.
#
#     tests/first-minute.sh RELEASE    the word that each test's name begins with

set -u
cd "$(dirname "$0")/.."

release=$1
n_tests=0
n_failed=0
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT

# check NAME COMMAND...: what it printed is shown where it fails.
check()
{
	local name=$1
	shift
	n_tests=$((n_tests + 1))
	if "$@" >"$log/check" 2>&1; then
		echo "ok $n_tests - $release: $name"
	else
		echo "not ok $n_tests - $release: $name"
		tail -n 20 "$log/check" | sed 's/^/# /'
		n_failed=$((n_failed + 1))
	fi
}

demo()
{
	tests/demo.sh >"$log/out" 2>"$log/err" && return
	cat "$log/out" "$log/err"
	return 1
}

# Any port that Berth chose is written N.
without_ports()
{
	sed 's/\<[0-9]\{4,5\}\>/N/g'
}

shows_what_readme_says()
{
	diff <(sed -n '/^    \$ berth run/,/^$/s/^    //p' README.md |
		without_ports) <(grep -v '^install-packages.sh:' "$log/out" |
		without_ports)
}

nothing_for_tests()
{
	! dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 'clang*' \
		'libcriterion*' 'libsctp*' spin nftables 2>/dev/null | grep ^ii
}

# fails_and_says PATTERN VARIABLE=VALUE: demo.sh with this, in a clean checkout.
fails_and_says()
{
	rm -rf build-demo
	if env "$2" tests/demo.sh 2>"$log/err" >/dev/null; then
		echo "demo.sh passes with $2"
		return 1
	fi
	cat "$log/err"
	grep -q "$1" "$log/err" && [ ! -e build-demo ]
}

# What the README has below "Build and install".
readme_install()
{
	sh -c "$(sed -n '/^## Build and install/,/^## /s/^    //p' README.md)"
}

installed_berth_runs()
{
	local port
	port=$(BERTH_RANGE=20000-20099 berth run -- python3 -c 'if True:
		import socket
		with socket.socket() as s:
			s.bind(("127.0.0.1", 0))
			print(s.getsockname()[1])')
	echo "$port"
	[[ $port = 200?? ]]
}

tests_auto()
{
	meson setup "$log/auto" -Dtests=auto && ninja -C "$log/auto"
}

tests_enabled()
{
	! meson setup "$log/enabled" -Dtests=enabled &&
		grep 'ERROR: .*\(criterion\|not found\|needs\)' \
			"$log/enabled/meson-logs/meson-log.txt"
}

echo 1..11
check 'the first command passes where nothing is installed' demo
check 'it shows what the README says' shows_what_readme_says
check 'it passes again' demo
check 'it installs nothing that only tests need' nothing_for_tests
check 'where meson fails, it says why, and leaves no folder' \
	fails_and_says 'ERROR: Unable to' CC=false
check 'where ninja fails, it says why, and leaves no folder' \
	fails_and_says 'Werror=traditional' CFLAGS=-Wtraditional
check 'it passes after these failures' demo
check 'the command for a build and its installation passes' readme_install
check 'the installed command runs a program under Berth' installed_berth_runs
check '-Dtests=auto builds without the packages for tests' tests_auto
check '-Dtests=enabled fails, and names what is missing' tests_enabled
rm -rf build build-demo
[ "$n_failed" -eq 0 ]
