#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Berth beside the kernel, in one run, as ratios.

run.py WORKER LEDGER SWEEP BERTH LIBBERTH [--brief] [NAME...]

Makes a network namespace of its own, with a range of 16,000 ports for the kernel
and for Berth, and prints a row a figure. What is compared is measured in turns.
Names choose among: connect kernel bind fill ledger calls start memory policy
sweep recovery storm. With --brief the numbers are so small that the figures mean
nothing: it shows that each benchmark still runs.
"""

import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

WORKER, LEDGER, SWEEP, BERTH, LIBBERTH = sys.argv[1:6]
BRIEF = "--brief" in sys.argv


def some(n, few=2):
    return few if BRIEF else n


LO, N = 40000, some(16000, 1600)
RANGE = f"{LO}-{LO + N - 1}"
ROUNDS = some(5)

next_port = 5000


def environment(under_berth, ports=RANGE, map_file="common"):
    """With a map of its own, a process finds no port that rests."""
    changed = dict(os.environ)
    if under_berth:
        folder = os.path.join(changed["BERTH_DIR"], map_file)
        changed.update(LD_PRELOAD=LIBBERTH, BERTH_RANGE=ports,
                       BERTH_DIR=folder)
    return changed


def worker(*words, under_berth=False, **options):
    return subprocess.Popen([WORKER, *map(str, words)], text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            env=environment(under_berth, **options))


def numbers(*words, **options):
    process = worker(*words, **options)
    text, _ = process.communicate()
    if process.returncode:
        sys.exit(f"run.py: {words} failed")
    return [float(word) for word in text.split()]


class Listener:
    """Holds connections in its queue; with backlog 0 it takes and closes them."""

    def __init__(self, backlog=20000):
        global next_port
        next_port += 1
        self.port = next_port
        self.process = worker("listen", "127.0.0.1", self.port, backlog)
        self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def connect(*workers):
    """Microseconds by tenth of each (how, under_berth[, map]), tenth by tenth
    in turns."""
    listeners = [Listener() for _ in workers]
    processes = [worker("connect", "127.0.0.1", listener.port, N, how, LO,
                        under_berth=under_berth, map_file=(*map_file, "common")[0])
                 for listener, (how, under_berth, *map_file)
                 in zip(listeners, workers)]
    times = [[] for _ in workers]
    for _ in range(10):
        for process, tenths_of_it in zip(processes, times):
            process.stdin.write("\n")
            process.stdin.flush()
            tenths_of_it.append(float(process.stdout.readline()))
    for process, listener in zip(processes, listeners):
        process.communicate("\n")
        listener.__exit__()
    return times


def row(name, value, target, good):
    print(f"{name:<58} {value:>22}  {target:<10}"
          f" {'reached' if good else 'MISSED'}", flush=True)


def tenths(runs):
    return [statistics.median(run[i] for run in runs) for i in range(10)]


def in_turns(one, other, rounds):
    """Tenths of both, medians of rounds in which each goes first by turns."""
    pairs = []
    for turn in range(rounds):
        pair = connect(one, other) if turn % 2 else \
            reversed(connect(other, one))
        pairs.append(list(pair))
    ratios = [statistics.median(b[i] / a[i] for a, b in pairs)
              for i in range(10)]
    return tenths([a for a, _ in pairs]), tenths([b for _, b in pairs]), ratios


def bench_connect():
    by_hand, berth, ratios = in_turns(("pinned", False), ("kernel", True), some(10))
    print("  by hand, us by tenth: " + " ".join(f"{us:.1f}" for us in by_hand))
    print("  Berth,   us by tenth: " + " ".join(f"{us:.1f}" for us in berth))
    print("  ratio by tenth: " + " ".join(f"{ratio:.3f}" for ratio in ratios))
    row("connect(): Berth / pinned by hand, worst tenth",
        f"{max(ratios):.3f}", "<= 1.05", max(ratios) <= 1.05)


def bench_kernel():
    # Not tenth by tenth: the sockets of the one would slow the other's search.
    runs = [connect(("kernel", bool(turn % 2)))[0] for turn in range(some(6))]
    kernel, berth = tenths(runs[0::2]), tenths(runs[1::2])
    first = sum(kernel[:5]) / sum(berth[:5])
    last = min(k / b for k, b in zip(kernel[8:], berth[8:]))
    print("  kernel, us by tenth: " + " ".join(f"{us:.1f}" for us in kernel))
    print("  Berth,  us by tenth: " + " ".join(f"{us:.1f}" for us in berth))
    row("connect(): kernel / Berth, first half", f"{first:.2f}", ">= 1.0",
        first >= 1.0)
    row("connect(): kernel / Berth, beyond 3/4", f"{last:.1f}", ">= 20",
        last >= 20)


def bench_bind():
    kernel = numbers("bind", N)
    berth = tenths([numbers("bind", N, under_berth=True, map_file=f"bind-{i}")
                    for i in range(some(3))])
    ratio = min(k / b for k, b in zip(kernel[8:], berth[8:]))
    print("  kernel, us by tenth: " + " ".join(f"{us:.1f}" for us in kernel))
    print("  Berth,  us by tenth: " + " ".join(f"{us:.1f}" for us in berth))
    row("TCP bind(0): kernel / Berth, beyond 3/4", f"{ratio:.0f}", ">= 300",
        ratio >= 300)


def fill(n_destinations):
    listeners = [Listener() for _ in range(n_destinations)]
    start = time.monotonic()
    fillers = [worker("fill", "127.0.0.1", listener.port, N + 1,
                      under_berth=True) for listener in listeners]
    used = [int(filler.stdout.readline()) for filler in fillers]
    seconds = time.monotonic() - start
    for filler in fillers:
        filler.communicate("\n")
    for listener in listeners:
        listener.__exit__()
    return used, seconds


def bench_fill():
    used, _ = fill(1)
    row("ports used before the first failure, 1 destination",
        f"{used[0]} of {N}", "all", used[0] == N)
    used, seconds = fill(some(64))
    row(f"the same, the worst of {len(used)} destinations ({seconds:.0f} s)",
        f"{min(used)} of {N}", ">= 98 %", min(used) >= 0.98 * N)


def bench_ledger():
    runs = [[float(word) for word in subprocess.check_output(
        [LEDGER], text=True).split()] for _ in range(ROUNDS)]
    one = statistics.median(run[0] for run in runs)
    two = statistics.median(run[1] / run[0] for run in runs)
    row("ledger: lease and release, one thread", f"{one:.1f} ns", "<= 60 ns",
        one <= 60)
    row("ledger: two processes on one plane / one", f"{two:.2f}", "<= 5",
        two <= 5)
    swept = statistics.median(run[2] / run[0] for run in runs)
    row("ledger: beside one that reads it as a sweep does / alone",
        f"{swept:.2f}", "<= 1.2", swept <= 1.2)


def bench_calls():
    runs = [numbers("calls", under_berth=True) for _ in range(ROUNDS)]
    names = ("close of a file", "close of no file",
             "sendto, bound UDP, refused")
    for i, name in enumerate(names):
        own = statistics.median(run[2 * i] for run in runs)
        added = statistics.median(run[2 * i + 1] for run in runs)
        row(f"{name}: added to {own:.0f} ns", f"{added:.1f} ns", "<= 5 ns",
            added <= 5)
    # Longer than refused, and through Berth the same: its spread is 10 ns.
    own, added = (statistics.median(run[i] for run in runs) for i in (6, 7))
    print(f"  sendto, bound UDP, delivered: {added:.1f} ns on {own:.0f} ns")


def seconds_of(command, changed):
    start = time.perf_counter()
    pid = os.posix_spawn(command[0], command, changed, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)])
    os.waitpid(pid, 0)
    return time.perf_counter() - start


def bench_start():
    true = shutil.which("true")
    plain, run = [true], [BERTH, "run", "--range", RANGE, "--", true]
    times = {"bare": [], "run": [], "preload": []}
    for _ in range(some(300)):
        times["bare"].append(seconds_of(plain, environment(False)))
        times["run"].append(seconds_of(run, environment(False)))
        times["preload"].append(seconds_of(plain, environment(True)))
    middle = {name: 1e3 * statistics.median(all_of)
              for name, all_of in times.items()}
    added = middle["run"] - middle["bare"]
    row("program start: berth run -- true, added", f"{added:.2f} ms",
        "<= 1.5 ms", added <= 1.5)
    added = middle["preload"] - middle["bare"]
    row("program start: LD_PRELOAD alone, added", f"{added:.2f} ms",
        "<= 0.4 ms", added <= 0.4)


def bench_memory():
    # By where the stack begins, a page more or less: many of them.
    bare = statistics.mean(numbers("memory")[0] for _ in range(some(40)))
    berth = statistics.mean(numbers("memory", under_berth=True)[0]
                            for _ in range(some(40)))
    map_file = 0
    common = os.path.join(os.environ["BERTH_DIR"], "common")
    for folder, _, files in os.walk(common):
        for name in files:
            map_file += os.stat(os.path.join(folder, name)).st_blocks * 512
    row("memory: the map, all protocols", f"{map_file / 2**20:.1f} MiB",
        "<= 5 MiB", map_file <= 5 * 2**20)
    row("memory: private pages of a process, added", f"{berth - bare:.0f} KiB",
        "<= 64 KiB", berth - bare <= 64)


N_RULES = some(1000, 10)


def write_rules(path):
    """Each of them has a range of its own, and none is for the workers."""
    with open(path, "w", encoding="ascii") as file:
        print(f'range = "{RANGE}"\nreserve r {{ ports = "9000-9999" }}',
              file=file)
        for i in range(N_RULES):
            condition = (f'exe = {{"/opt/app{i}/bin/*"}}',
                         f'name = {{"service{i}"}}',
                         f'exe = {{"/usr/**/prog{i}"}} uid = {{"{i}"}}')[i % 3]
            print(f'process p{i} {{\n    {condition}\n    range = '
                  f'"{10000 + 40 * i}-{10039 + 40 * i}"\n}}', file=file)


def added_by_rules(plain, ruled, rounds):
    """Seconds that a start takes longer, alternating."""
    command = [shutil.which("true")]
    differences = []
    for _ in range(rounds):
        one = seconds_of(command, plain)
        differences.append(seconds_of(command, ruled) - one)
    return statistics.median(differences)


def bench_policy():
    path = os.path.join(os.environ["BERTH_DIR"], "rules.conf")
    write_rules(path)
    check, nothing = [BERTH, "check", path], [BERTH, "help"]
    quiet = dict(os.environ)
    compiling = 1e3 * statistics.median(
        seconds_of(check, quiet) - seconds_of(nothing, quiet)
        for _ in range(some(15)))
    row(f"policy: {N_RULES} rules checked and compiled", f"{compiling:.0f} ms",
        "<= 100 ms", compiling <= 100)
    plain = environment(True, map_file="plain")
    ruled = environment(True, map_file="ruled")
    subprocess.run([BERTH, "load", path], env=dict(
        os.environ, BERTH_DIR=ruled["BERTH_DIR"]), check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    matching = 1e6 * added_by_rules(plain, ruled, some(1000))
    row(f"program start: matching {N_RULES} rules, added",
        f"{matching:.0f} us", "<= 50 us", matching <= 50)
    private = [statistics.median(
        numbers("memory", under_berth=True, map_file=map_file)[0]
        for _ in range(ROUNDS)) for map_file in ("plain", "ruled")]
    row("memory: private pages, added by the rules",
        f"{private[1] - private[0]:.0f} KiB", "<= 8 KiB",
        private[1] - private[0] <= 8)
    without, with_rules, _ = in_turns(("kernel", True, "plain"),
                                      ("kernel", True, "ruled"),
                                      some(6))
    ratio = sum(with_rules) / sum(without)
    row("connect(): with rules / without", f"{ratio:.3f}", "<= 1.02",
        ratio <= 1.02)


SWEPT_CALLS = {
    "connect": lambda map_file: connect(("kernel", True, map_file))[0],
    "bind": lambda map_file: numbers("bind", N, under_berth=True, map_file=map_file),
}


def beside_sweeper(measure, name):
    """Sum of its tenths while another sweeps the same map / without that."""
    runs = [[], []]
    for turn in range(some(6)):
        map_file, sweeper = f"{name}-{turn}", None
        if turn % 2:
            swept = environment(True, map_file=map_file)
            del swept["LD_PRELOAD"]
            sweeper = subprocess.Popen([SWEEP, "forever"], env=swept)
        runs[turn % 2].append(measure(map_file))
        if sweeper:
            sweeper.kill()
            sweeper.wait()
    return sum(tenths(runs[1])) / sum(tenths(runs[0]))


def bench_sweep():
    """With both ends of many connections in the namespace."""
    swept = environment(True, map_file="swept")
    del swept["LD_PRELOAD"]
    with Listener() as listener:
        filler = worker("fill", "127.0.0.1", listener.port, some(15000, 1500),
                        under_berth=True, map_file="swept")
        filler.stdout.readline()
        n, dump, sweep = map(float, subprocess.check_output(
            [SWEEP], env=swept, text=True).split())
        filler.communicate("\n")
    row(f"sweep of {n:.0f} sockets: {sweep:.1f} ms / bare dump {dump:.1f} ms",
        f"{sweep / dump:.2f}", "<= 2", sweep <= 2 * dump)
    for call, measure in SWEPT_CALLS.items():
        ratio = beside_sweeper(measure, call)
        row(f"{call}(): beside one that sweeps without a pause / alone",
            f"{ratio:.2f}", "<= 1.2", ratio <= 1.2)


def bench_recovery():
    """The calls of one program, after another has died with every port."""
    n = some(10000, 1000)
    ports = f"{LO}-{LO + n - 1}"
    times = []
    for turn in range(ROUNDS):
        options = {"ports": ports, "under_berth": True,
                   "map_file": f"recovery-{turn}"}
        killed = worker("hold", n, **options)
        killed.stdout.readline()
        killed.kill()
        killed.communicate()
        times.append(numbers("hold", n, **options)[0] / 1000)
    row(f"{n} ports of a killed process: bound again after",
        f"{max(times):.2f} s", "<= 2 s", max(times) <= 2)


def storm(who, under_berth):
    with Listener(0) as listener:
        processes = [worker("storm", "127.0.0.1", listener.port, some(1000),
                            who, under_berth=under_berth, ports=STORM_RANGE)
                     for _ in range(some(100))]
        return sum(int(process.communicate()[0]) for process in processes)


STORM_RANGE = "40000-40999"


def bench_storm():
    set_port_range(40000, 40999)
    for who in ("server", "reset", "client"):
        kernel, berth = storm(who, False), storm(who, True)
        row(f"{some(100)} x {some(1000)} connects, 1,000 ports, {who} closes first: failures",
            f"{kernel} / {berth}", "no more", berth <= kernel)
    set_port_range(LO, LO + N - 1)


def set_sysctl(name, value):
    with open(f"/proc/sys/net/{name}", "w", encoding="ascii") as file:
        file.write(str(value))


def set_port_range(lo, hi):
    set_sysctl("ipv4/ip_local_port_range", f"{lo} {hi}")


def set_up():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    set_port_range(LO, LO + N - 1)
    set_sysctl("core/somaxconn", 30000)
    set_sysctl("ipv4/tcp_max_syn_backlog", 30000)
    set_sysctl("ipv4/tcp_syncookies", 0)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    print(f"Linux {platform.release()}, {os.cpu_count()} cores"
          f" ({model.group(1) if model else platform.machine()}),"
          f" loopback, range of {N} ports; medians, kernel / Berth side by side")


BENCHES = {name[6:]: function for name, function in list(globals().items())
           if name.startswith("bench_")}


def main():
    if os.geteuid() != 0:
        print("run.py: needs root, for a network namespace of its own")
        return 77
    if "BENCH_INSIDE" not in os.environ:
        folder = tempfile.mkdtemp(prefix="berth-bench-", dir="/dev/shm")
        try:
            return subprocess.run(
                ["unshare", "-n", sys.executable, *sys.argv],
                env=dict(os.environ, BENCH_INSIDE="1", BERTH_DIR=folder),
                check=False).returncode
        finally:
            shutil.rmtree(folder)
    set_up()
    machine()
    names = [name for name in sys.argv[6:] if name != "--brief"]
    for name in names or BENCHES:
        BENCHES[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
