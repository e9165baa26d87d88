#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Makes a root of Debian in which nothing is installed but what every Debian has
# (mmdebstrap's minbase), copies this checkout to /root/berth in it, and runs a
# command there. Needs root.
#
#     tests/fresh-root.sh SUITE COMMAND [ARGUMENT]...
#
# The packages come from where this machine has its own. What the command
# writes into build-tests lies in this checkout's build-tests afterwards. The
# root is in build-root, and is removed. The command's processes and mounts are
# in namespaces that end with this script, however it ends.

set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"

suite=$1
root=$here/build-root/$suite

# --- inside the namespaces --------------------------------------------------------

# How this machine's apt judges the archive holds in the root as well.
apt_settings()
{
	apt-config dump --format '%f "%v";%n' \
		Acquire::Check-Valid-Until Acquire::Check-Date
}

make_root()
{
	python3 tests/debian.py sources "$suite" >"$root.list"
	apt_settings >"$root.conf"
	# The root does not outlive a power cut: nothing waits for the disk.
	mmdebstrap --quiet --variant=minbase --aptopt="$root.conf" \
		--aptopt='Acquire::Retries "3"' --dpkgopt=force-unsafe-io \
		"$suite" "$root" "$root.list"
}

mount_system()
{
	mount --bind "$root" "$root"
	mount -t proc proc "$root/proc"
	mount --rbind /sys "$root/sys"
	mount --rbind /dev "$root/dev"
	mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
	mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
	mount -t tmpfs -o mode=755 tmpfs "$root/run"
	mkdir -m 1777 "$root/run/lock"
}

copy_checkout()
{
	mkdir -p build-tests "$root/root/berth/build-tests"
	tar -c --exclude='./build*' --exclude=./.git . |
		tar -x --no-same-owner -C "$root/root/berth"
	mount --bind build-tests "$root/root/berth/build-tests"
}

run_inside()
{
	make_root
	mount_system
	copy_checkout
	# chroot alone would leave a root that is no mount: then mount namespaces
	# cannot be made private, and user namespaces not at all.
	cd "$root"
	pivot_root . .
	umount --lazy .
	env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin CI="${CI-}" \
		chroot . sh -c 'cd /root/berth && exec "$@"' sh "$@"
}

if [ "${BERTH_FRESH_ROOT-}" = inside ]; then
	shift
	run_inside "$@" </dev/null
	exit
fi

# --- outside -----------------------------------------------------------------------

# Whoever has started this may be killed: then it ends too, in good order.
if [ -z "${BERTH_FRESH_ROOT-}" ]; then
	BERTH_FRESH_ROOT=outside exec setpriv --pdeathsig TERM \
		"$here/tests/fresh-root.sh" "$@"
fi

# What is being killed may still write.
remove_root()
{
	[ -z "$child" ] || kill -KILL "$child" 2>/dev/null || :
	wait
	tries=100
	until rm -rf --one-file-system "$root" "$root.list" "$root.conf"; do
		[ $((tries -= 1)) -gt 0 ] || break
		sleep 0.1
	done 2>/dev/null
	rmdir build-root 2>/dev/null || :
}

# One at a time: another may still remove its root.
exec 9<"$here/tests/fresh-root.sh"
flock 9

child=
tests/install-packages.sh root
trap remove_root EXIT
trap 'exit 1' HUP INT TERM
rm -rf --one-file-system "$root"
mkdir -p "$root"

# In the background, for a shell that waits for a command takes no signal.
BERTH_FRESH_ROOT=inside setpriv --pdeathsig KILL \
	unshare --mount --ipc --pid --fork --kill-child --mount-proc \
	"$here/tests/fresh-root.sh" "$@" 9<&- &
child=$!
wait "$child" && status=0 || status=$?
child=
exit "$status"
