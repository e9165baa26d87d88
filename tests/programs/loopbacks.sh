#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Which addresses of loopback lib.sh waits for, in a network namespace with IPv6
# and in one where its devices have none. Prints TAP.

. "$(dirname "$0")/lib.sh"

n=0

# has SENTENCE DISABLE_IPV6 ADDRESSES: in this namespace, of its own.
has()
{
	local got
	n=$((n + 1))
	echo "$2" >/proc/sys/net/ipv6/conf/all/disable_ipv6
	ip link set lo down && ip link set lo up
	got=$(loopback_addresses | tr '\n' ' ')
	if [ "$got" = "$3 " ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "# $got"
	fi
}

if [ "${1-}" != inside ]; then
	unshare -n true 2>/dev/null || skip_all "needs network namespaces"
	[ -e /proc/net/if_inet6 ] || skip_all "this kernel has no IPv6"
	exec unshare -n bash "$0" inside
fi
echo 1..2
has "both are waited for" 0 "127.0.0.1 ::1"
has "without IPv6 on the devices only 127.0.0.1 is" 1 "127.0.0.1"
