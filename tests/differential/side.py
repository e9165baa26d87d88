#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""side.py MODE BERTH LIBBERTH WORKER ARGUMENT...: prepares the network namespace in
which it runs, puts the policy of the mode in force there, and becomes the worker.
Without a library (-) the worker runs bare. See drive.py.
"""

import collections
import os
import subprocess
import sys

# bare, kernel: the kernel's own range, on either side. ports: those of the policy,
# and words: what else it says; None is no policy, but BERTH_RANGE. arguments: the
# worker's, on both sides.
Mode = collections.namedtuple('Mode', 'bare kernel ports words arguments')

MODES = {
    'pin': Mode('32768 60999', '32768 60999', '45000-60999', [], []),
    'no-pin': Mode('32768 60999', '32768 60999', '45000-60999',
                   ['pin = "no"'], []),
    'outside': Mode('32768 40959', '32768 40959', '45000-60999', [], []),
    'observe': Mode('32768 60999', '32768 60999', '32768-60999',
                    ['mode = "observe"'], []),
    'environment': Mode('32768 60999', '32768 60999', '45000-60999', None, []),
    # One port: which one of several is taken would be chance. A range of the
    # program's own would lie in one of the kernel's ranges alone.
    'exhausted': Mode('45000 45000', '32768 60999', '45000-45000',
                      ['rest = "none"'], ['-k', '45000']),
    'reuse': Mode('45000 45000', '32768 60999', '45000-45000',
                  ['rest = "none"'], ['-k', '45000']),
}

# What does not answer at once would only cost time, and no sequence shall find
# what one before it has left.
SETTINGS = {
    'ipv4/tcp_max_tw_buckets': 0, 'ipv4/tcp_syn_retries': 1,
    'ipv4/tcp_fastopen': 0x207, 'ipv4/tcp_fastopen_blackhole_timeout_sec': 0,
    'ipv4/tcp_orphan_retries': 1, 'ipv4/tcp_fin_timeout': 1,
    'mptcp/close_timeout': 1, 'ipv4/tcp_syncookies': 0, 'ipv4/tcp_invalid_ratelimit': 0,
    'ipv4/tcp_no_metrics_save': 1, 'ipv4/tcp_challenge_ack_limit': 0x7fffffff,
    'ipv4/icmp_ratelimit': 0, 'ipv4/icmp_msgs_per_sec': 100000000,
    'ipv4/icmp_msgs_burst': 100000000, 'ipv6/icmp/ratelimit': 0,
    'ipv6/conf/all/forwarding': 0, 'ipv6/conf/default/accept_dad': 0,
    'ipv6/conf/default/router_solicitations': 0,
}

# Somebody who never answers is at the other end of the device.
DEVICE = """
ip link add v0 type veth peer name v1
ip link set v0 addrgenmode none address 02:00:00:00:00:01
sysctl -qw net.ipv6.conf.v1.disable_ipv6=1
ip link set v0 up
ip link set v1 up
ip address add 192.0.2.1/24 dev v0
ip address add fe80::1/64 dev v0 nodad
ip neighbour add 192.0.2.9 lladdr 02:00:00:00:00:09 dev v0
ip neighbour add fe80::9 lladdr 02:00:00:00:00:09 dev v0
"""


def write_setting(name, value):
    """Kernels differ in what they have."""
    path = '/proc/sys/net/' + name
    if os.path.exists(path):
        with open(path, 'w', encoding='ascii') as file:
            file.write('%s\n' % value)


def policy(mode):
    words = ['range = "%s"' % MODES[mode].ports,
             'self-connect = "allow"'] + MODES[mode].words
    path = '/dev/shm/berth.conf'
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(words) + '\n')
    return path


def main():
    mode, berth, library, worker = sys.argv[1:5]
    for name, value in SETTINGS.items():
        write_setting(name, value)
    subprocess.run(['sh', '-ec', DEVICE], check=True)
    if mode == 'reuse':
        write_setting('ipv4/ip_autobind_reuse', 1)
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith('BERTH_') and name != 'LD_PRELOAD'}
    if library != '-':
        if MODES[mode].words is None:
            environment['BERTH_RANGE'] = MODES[mode].ports
        else:
            subprocess.run([berth, 'load', policy(mode)], check=True,
                           stdout=subprocess.DEVNULL)
        environment['LD_PRELOAD'] = library
    os.execve(worker, [worker] + sys.argv[5:], environment)


if __name__ == '__main__':
    main()
