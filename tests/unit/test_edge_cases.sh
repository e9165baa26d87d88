#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Whether each of the 42 edge cases has a row in tests/README.md, and each test
# named there the number in a comment: test_edge_cases.sh TESTS

cd "$1" || exit 1
failed=0
number=0
while [ $((number += 1)) -le 42 ]; do
	row=$(grep -E "^\| $number \|" README.md)
	files=$(printf '%s\n' "$row" | sed 's/.*|\(.*\)|$/\1/; s/,/ /g')
	if [ -z "$row" ]; then
		echo "no row for edge case $number"
		failed=1
	fi
	for file in $files; do
		# A list of numbers may go on in the next line.
		if ! tr -s '#*\n ' ' ' <"$file" 2>/dev/null |
			grep -qiE "edge cases? ([0-9]+,? (and )?)*$number\>"; then
			echo "$file does not name edge case $number"
			failed=1
		fi
	done
done
exit $failed
