#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Whether each of the 70 edge cases has a row in tests/README.md, and each test
# named there the number in a comment. In place of tests a row may have a page of
# the manual and words of it, as libberth(7): "WORDS"; these are looked for in
# the page. test_edge_cases.sh TESTS

cd "$1" || exit 1
failed=0
number=0

fail()
{
	echo "$*"
	failed=1
}

# The words of a page, without its macros, in one line.
words_of()
{
	sed 's/^\.[A-Z]* //; s/\\//g' "../src/man/$1" | tr -s '\n ' ' '
}

while [ $((number += 1)) -le 70 ]; do
	row=$(grep -E "^\| $number \|" README.md)
	tests=$(printf '%s\n' "$row" | sed 's/.*| *\([^|]*\) |$/\1/')
	if [ -z "$row" ] || [ -z "$tests" ]; then
		fail "no row for edge case $number"
		continue
	fi
	told=$(printf '%s\n' "$tests" |
		sed -nE 's/^(libberth|berth)\(([17])\): "([^"]+)"$/\1.\2 \3/p')
	if [ -n "$told" ]; then
		words_of "${told%% *}" | grep -qF "${told#* }" ||
			fail "${told%% *} does not say \"${told#* }\""
		continue
	fi
	for file in $(printf '%s\n' "$tests" | sed 's/,/ /g'); do
		# A list of numbers may go on in the next line.
		tr -s '#*\n ' ' ' <"$file" 2>/dev/null |
			grep -qiE "edge cases? ([0-9]+,? (and )?)*$number\>" ||
			fail "$file does not name edge case $number"
	done
done
exit $failed
