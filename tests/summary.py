#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sums meson's test logs up: each line of a TAP test is a test of its own.

summary.py LOG...    prints "N passed, N failed, N skipped" as its last line

A log is meson's (.json), or what a test printed (.tap).
"""

import json
import re
import sys

LINE = re.compile(r"^(ok|not ok)\b[^#]*(#\s*skip)?", re.IGNORECASE)
N_SHOWN = 40  # lines of a test that has failed, at most
N_LAST = 10  # of each stream, of one that has ended before its verdict


def count(entry):
    """(passed, failed, skipped) of one test."""
    passed = failed = skipped = 0
    for line in entry.get("stdout", "").splitlines():
        match = LINE.match(line)
        if not match:
            continue
        if match.group(2):
            skipped += 1
        elif match.group(1).lower() == "ok":
            passed += 1
        else:
            failed += 1
    if entry["result"] == "SKIP":
        return 0, 0, max(1, skipped)
    if entry["result"] in ("OK", "EXPECTEDFAIL"):
        return (passed, failed, skipped) if passed or skipped else (1, 0, 0)
    # A crash or a time-out leaves no "not ok" behind.
    return passed, max(1, failed), skipped


def failures(entry):
    """What is to be seen of a test that has failed, where that is the last
    part of a long output that is kept."""
    lines, wanted = [], False
    for line in entry.get("stdout", "").splitlines():
        wanted = line.startswith("not ok") or (wanted and line[:1] == "#")
        if wanted:
            lines.append("    " + line)
    # A crash or a time-out says so in other ways.
    lines = lines or [f"    {entry['result']}"] + [
        "    " + line for name in ("stdout", "stderr")
        for line in entry.get(name, "").splitlines()[-N_LAST:]]
    return lines[:N_SHOWN]


def tap_entry(path, text):
    """What printed this, as meson would have it in its log. Fewer lines than
    were planned are a failure, as no line is."""
    plan = re.search(r"^1\.\.(\d+)", text, re.MULTILINE)
    lines = [line for line in text.splitlines() if LINE.match(line)]
    good = plan and int(plan[1]) == len(lines) and not any(
        line.lower().startswith("not ok") for line in lines)
    return {"name": path, "stdout": text, "result": "OK" if good else "FAIL"}


def entries(path):
    try:
        with open(path, encoding="utf-8") as log:
            if path.endswith(".tap"):
                return [tap_entry(path, log.read())]
            return [json.loads(line) for line in log]
    except (FileNotFoundError, json.JSONDecodeError) as error:
        return [{"name": path, "result": f"no log: {error}"}]


def main():
    total = [0, 0, 0]
    for path in sys.argv[1:]:
        for entry in entries(path):
            result = count(entry)
            total = [a + b for a, b in zip(total, result)]
            if result[1]:
                print(f"failed: {entry['name']} ({path})")
                print("\n".join(failures(entry)))
    if not sum(total):
        sys.exit("summary.py: no test was run")
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
