#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Free ports handed on, as test suites do it: the kernel beside Berth.

handover.py HANDOVER LIBBERTH [NAME...] [PARAMETER=NUMBER...]

Workers take a free port with bind(0), close it, and start a server on that
number 50 ms later, while others connect without a pause and bind(0). Counts the
servers that find their port in use. The kernel alone and Berth get a network
namespace each, with the same range and the same load, one after the other.
Names choose among:

    fits     the bind(0) of the whole run are fewer than the range has ports, so
             that each released port can rest
    crowded  bind(0) without a pause: everything rests, and what has rested the
             longest has to be taken again

The parameters are printed; each can be given, as in workers=50.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time

HANDOVER, LIBBERTH = sys.argv[1:3]
LISTENER = ("127.0.0.1", "5001")

COMMON = {
    "handovers": 10000,
    "workers": 100,
    "delay_ms": 50,
    "lo": 32768,                # Linux's default range: 28,232 ports
    "hi": 60999,
    "connecters": 2,
    "connects_held": 500,
    "binders": 2,
    "binds_held": 500,
    "seed": 1,
}

LOADS = {
    "fits": {"binds": 6000, "bind_pause_us": 1000},
    "crowded": {"binds": 1000000000, "bind_pause_us": 0},
}


class Task:
    """A handover process; what it prints last is numbers."""

    def __init__(self, *words):
        self.process = subprocess.Popen(
            [HANDOVER, *map(str, words)], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)

    def ready(self):
        self.process.stdout.readline()
        return self

    def numbers(self):
        text, _ = self.process.communicate()
        if self.process.returncode:
            sys.exit("handover.py: a task failed")
        return [int(word) for word in text.split()]


def sums(tasks):
    return [sum(column) for column in zip(*[task.numbers() for task in tasks])]


def inside(p):
    """One side, in its namespace: prints its counts as numbers."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w",
              encoding="ascii") as file:
        file.write(f"{p['lo']} {p['hi']}")
    if "HANDOVER_PRELOAD" in os.environ:
        os.environ["LD_PRELOAD"] = os.environ.pop("HANDOVER_PRELOAD")
    listener = Task("listen", *LISTENER).ready()
    connecters = [Task("connect", *LISTENER, p["connects_held"]).ready()
                  for _ in range(p["connecters"])]
    binders = [Task("bind", p["binds_held"], p["binds"], p["bind_pause_us"],
                    p["seed"] + i).ready() for i in range(p["binders"])]
    start = time.monotonic()
    workers = [Task("hand-over", p["handovers"] // p["workers"], p["delay_ms"],
                    1000 * p["seed"] + i) for i in range(p["workers"])]
    counts = sums(workers)
    seconds = time.monotonic() - start
    connects = sums(connecters) or [0, 0]
    binds = sums(binders) or [0, 0]
    listener.numbers()
    print(*counts, *connects, *binds, round(seconds))


def outcome(side, load, p, folder):
    """How many servers found their port in use."""
    environment = dict(os.environ, HANDOVER_INSIDE=load)
    if side == "Berth":
        environment.update(
            HANDOVER_PRELOAD=LIBBERTH, BERTH_DIR=folder,
            BERTH_RANGE=f"{p['lo']}-{p['hi']}")
    text = subprocess.run(
        ["unshare", "-n", sys.executable, *sys.argv], env=environment,
        stdout=subprocess.PIPE, text=True, check=True).stdout
    programs, children, failed, connects, unconnected, binds, unbound, \
        seconds = map(int, text.split())
    print(f"  {side}: {programs} programs and {children} children; meanwhile"
          f" {connects} connects ({unconnected} failed) and {binds} bind(0)"
          f" ({unbound} failed), {seconds} s", flush=True)
    if failed:
        sys.exit(f"handover.py: {failed} servers failed in another way")
    return programs + children


def compare(load, p):
    print("  " + " ".join(f"{name}={value}" for name, value in p.items()))
    folder = tempfile.mkdtemp(prefix="berth-handover-", dir="/dev/shm")
    try:
        kernel, berth = (outcome(side, load, p, folder)
                         for side in ("kernel", "Berth"))
    finally:
        shutil.rmtree(folder)
    name = f"{p['handovers']} free ports handed on, {load}: found in use"
    print(f"{name:<58} {f'{kernel} / {berth}':>22}  {'0':<10}"
          f" {'reached' if berth == 0 else 'MISSED'}", flush=True)


def parameters(load, words):
    p = {**COMMON, **LOADS[load]}
    for word in words:
        name, number = word.split("=")
        if name not in p:
            sys.exit(f"handover.py: unknown parameter \"{name}\"")
        p[name] = int(number)
    return p


def main():
    given = [word for word in sys.argv[3:] if "=" in word]
    loads = [word for word in sys.argv[3:] if "=" not in word] or list(LOADS)
    for load in loads:
        if load not in LOADS:
            sys.exit(f"handover.py: unknown name \"{load}\"")
    if "HANDOVER_INSIDE" in os.environ:
        inside(parameters(os.environ["HANDOVER_INSIDE"], given))
        return 0
    if os.geteuid() != 0:
        print("handover.py: needs root, for network namespaces of its own")
        return 77
    for load in loads:
        compare(load, parameters(load, given))
    return 0


if __name__ == "__main__":
    sys.exit(main())
