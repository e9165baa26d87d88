#!/bin/sh
# SPDX-License-Identifier: MIT
#
# watched.sh RANGE FOLDER COMMAND...
#
# To be started in a network, mount and process namespace of its own, as root:
# runs COMMAND there with lo up and with no names but those of files, under
# LD_PRELOAD=$PRELOAD if that is set. FOLDER/range then holds how many TCP SYNs
# and UDP packets had a port in RANGE, FOLDER/strays the ports of those that had
# a port outside of it, as nft lists a set: "protocol . source . destination".

set -eu
range=$1 folder=$2
shift 2

ip link set lo up
echo '127.0.0.1 localhost' >"$folder/hosts"
printf '%s: files\n' passwd group shadow hosts services protocols \
	>"$folder/nsswitch"
mount --bind "$folder/hosts" /etc/hosts
mount --bind "$folder/nsswitch" /etc/nsswitch.conf
# Sockets to the machine's hypervisor belong to no namespace.
[ ! -e /dev/vsock ] || mount --bind /dev/null /dev/vsock

nft -f - <<END
table inet watch {
	counter range { }
	set strays {
		type inet_proto . inet_service . inet_service
		size 65535
	}
	chain stray {
		update @strays { meta l4proto . th sport . th dport }
	}
	chain flows {
		type filter hook output priority filter
		meta l4proto != { tcp, udp } accept
		tcp flags & (syn | ack) != syn accept
		th sport $range counter name range
		th dport $range counter name range
		th sport != $range goto stray
		th dport != $range goto stray
	}
}
END

status=0
${PRELOAD:+env LD_PRELOAD="$PRELOAD"} "$@" || status=$?

nft list counter inet watch range |
	sed -n 's/.*packets \([0-9]*\).*/\1/p' >"$folder/range"
nft list set inet watch strays >"$folder/strays"
exit $status
