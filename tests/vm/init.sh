#!/usr/bin/busybox sh
# SPDX-License-Identifier: MIT
#
# The first process of a guest: it makes the machine usable and hands over to
# guest.py.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t devpts pts /dev/pts
ln -s /proc/self/fd /dev/fd
mount -t cgroup2 cgroup /sys/fs/cgroup
ip link set lo up
hostname guest
for module in $(cat /vm/modules/order); do
	insmod "/vm/modules/$module.ko" || echo "init.sh: no module $module"
done
exec python3 -u /vm/guest.py </dev/null
