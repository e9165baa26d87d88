#!/bin/bash
# SPDX-License-Identifier: MIT
#
# iperf3, TCP and UDP, one stream and several, in both directions.

. "$(dirname "$0")/lib.sh"

needs iperf3 python3
fixed_ports 5201

# What was sent, in the report: the streams and whether all bytes were counted.
summary()
{
	python3 -c '
import json, sys

report = json.load(sys.stdin)
if "error" in report:
    print("iperf3:", report["error"])
else:
    streams = report["end"]["streams"]
    print(len(streams), "streams,",
          "all sent" if report["end"].get("sum_sent",
              report["end"].get("sum"))["bytes"] >= int(sys.argv[1])
          else "not all sent")
' "$bytes"
}

report()
{
	client iperf3 --json --client "$@" | summary
}

# measure STREAMS ADDRESS OPTION...: with a server of its own, since one that still
# clears up after the client before turns the next one away.
measure()
{
	local wanted=$1
	shift
	server iperf3 iperf3 --server --one-off
	wait_bound tcp 5201
	expect "$wanted streams, all sent" report "$@"
	wait "$newest_server" || complain "the server ended with $?"
}

scenario()
{
	bytes=2000000
	local address
	for address in $loopbacks; do
		measure 1 "$address" --bytes $bytes
		measure 4 "$address" --bytes $bytes --parallel 4
		measure 1 "$address" --bytes $bytes --reverse
		measure 2 "$address" --bytes $bytes --bidir
		measure 1 "$address" --bytes $bytes --udp --bitrate 0 --length 1000
		measure 4 "$address" --bytes $bytes --udp --bitrate 0 --length 1000 \
			--parallel 4
		# A receiver would wait for ever for bytes that were lost.
		bytes=1 measure 1 "$address" --time 1 --udp --reverse
	done
}

program_test
