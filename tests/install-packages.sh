#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Installs the Debian packages that Berth's build or its tests need, and does
# nothing, without apt-get, when all of them are there. No daemon of these
# packages is started: the tests start their own.
#
#     tests/install-packages.sh build    to build Berth and to try it
#     tests/install-packages.sh test     the same, and every test
#     tests/install-packages.sh root     to make a fresh root of Debian

set -eu

# Any compiler will do for the build: gcc comes where there is none.
build="
	libc6-dev meson ninja-build pkg-config libconfuse-dev python3
"
command -v "${CC:-cc}" >/dev/null || build="gcc $build"

root="
	debian-archive-keyring mmdebstrap python3 util-linux
"

# The real programs of tests/programs.
programs="
	apache2-utils bind9-dnsutils chromium chrony curl dnsmasq-base
	haproxy iperf3 nginx-light nodejs openjdk-17-jdk-headless
	openssh-client openssh-server perl python3-pyftpdlib redis-server
	nfs-common redis-tools rpcbind rusersd socat systemd tftp-hpa tftpd-hpa
	tnftp tor unbound
	vsftpd wget
"

# What is preloaded beside Berth, and other people's tests.
world="
	libfaketime libjemalloc2 libpython3.11-testsuite libsocket-wrapper
	libtcmalloc-minimal4 proxychains4 python3.11 torsocks
"

# Other kernels, and models.
machines="
	busybox-static lz4 qemu-system-x86 spin zstd
"

tools="
	clang clang-format clang-tidy clang-tools gcc gcovr iproute2 libcap2-bin
	libclang-rt-14-dev libcriterion-dev libsctp-dev libtirpc-dev man-db
	musl-tools nftables procps strace tcpdump util-linux
"

die()
{
	echo "install-packages.sh: $*" >&2
	exit 1
}

# The names among the arguments that are not installed.
missing()
{
	for package; do
		case $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" \
			2>/dev/null) in
		[ih]i*) ;;
		*) echo "$package" ;;
		esac
	done
}

# While this script's apt-get runs, no package's script may start a daemon.
policy=/usr/sbin/policy-rc.d

forbid_daemons()
{
	saved=
	if [ -e "$policy" ] || [ -L "$policy" ]; then
		saved=$(mktemp "$policy.XXXXXX")
		mv -f "$policy" "$saved"
	fi
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
}

restore_daemons()
{
	if [ -n "$saved" ]; then
		mv -f "$saved" "$policy"
	else
		rm -f "$policy"
	fi
}

apt()
{
	DEBIAN_FRONTEND=noninteractive apt-get -qq \
		-o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
		-o Acquire::Retries=3 "$@"
}

install_packages()
{
	apt install --yes --no-install-recommends "$@" >"$log" 2>&1
}

case ${1-} in
build) wanted=$build ;;
test) wanted="$build $programs $world $machines $tools" ;;
root) wanted=$root ;;
*)
	echo "usage: $0 build|test|root" >&2
	exit 2
	;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	die "needs Debian (dpkg-query and apt-get)"
fi

# shellcheck disable=SC2086 # lists of words
packages=$(missing $wanted)
[ -n "$packages" ] || exit 0

# shellcheck disable=SC2086
set -- $packages
[ "$(id -u)" -eq 0 ] || die "must be root to install: $*"

echo "install-packages.sh: installing $*"
log=$(mktemp)
forbid_daemons
trap 'restore_daemons; rm -f "$log"' EXIT
trap 'exit 1' HUP INT TERM

# The lists at hand may be missing or older than the archive.
if ! install_packages "$@"; then
	apt update >"$log" 2>&1 || { cat "$log" >&2; die "apt-get update failed"; }
	install_packages "$@" || { cat "$log" >&2; die "apt-get install failed"; }
fi

left=$(missing "$@")
# shellcheck disable=SC2086
[ -z "$left" ] || die "still not installed:" $left
