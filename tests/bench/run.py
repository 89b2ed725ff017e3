#!/usr/bin/python3
"""Benchmark: wall time, peak memory and the target's pause (seen from inside it), next to other tools.

    make bench                    all targets, all tools found (eu-stack, gdb), py-spy and pystack of today in a venv of its own
    tests/bench/run.py --runs 5 --target server:10 --target lock:2000 --budget 20
    make bench BENCH=--readme     the table of README.md

Tools take turns (A B A B ...), so ratios hold although the machine's speed drifts. Two passes: a fast heartbeat
for the pause, a slow one for wall time and memory, since a fast beat itself costs CPU.
"""
import argparse
import datetime
import mmap
import os
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LOOPKNOT = os.environ.get("LOOPKNOT", os.path.join(HERE, "../../build/loopknot"))
TARGETS = ["server:10", "loops:200", "lock:2000", "deep:50", "tasks:10000", "tasks:100000", "ballast:4096"]
SLOT = struct.Struct("8Q")
BEATS = 2

# Seize, interrupt, wait, detach every thread: what merely stopping a process costs, whatever is read.
BARE_STOP = r"""
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
int main(int c, char **v) {
    char p[64]; int t[8192], n = 0, st; (void)c;
    snprintf(p, sizeof p, "/proc/%s/task", v[1]);
    DIR *d = opendir(p);
    if (!d) return 1;
    for (struct dirent *e; n < 8192 && (e = readdir(d));) if (atoi(e->d_name)) t[n++] = atoi(e->d_name);
    for (int i = 0; i < n; i++) ptrace(PTRACE_SEIZE, t[i], 0, 0);
    for (int i = 0; i < n; i++) ptrace(PTRACE_INTERRUPT, t[i], 0, 0);
    for (int i = 0; i < n; i++) waitpid(t[i], &st, __WALL);
    for (int i = 0; i < n; i++) ptrace(PTRACE_DETACH, t[i], 0, 0);
    return 0;
}
"""

# Runs a command and writes its wall time, CPU time (us) and peak RSS (KiB). A program of its own: a child's ru_maxrss starts at
# the size of the process that started it, and Python is larger than the tools.
LAUNCH = r"""
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
int main(int c, char **v) {
    struct timespec a, b; struct rusage ru; int st; (void)c;
    clock_gettime(CLOCK_MONOTONIC, &a);
    pid_t p = vfork();
    if (p == 0) { execvp(v[2], v + 2); _exit(127); }
    if (wait4(p, &st, 0, &ru) != p) return 1;
    clock_gettime(CLOCK_MONOTONIC, &b);
    FILE *f = fopen(v[1], "w");
    if (!f) return 1;
    fprintf(f, "%ld %ld %ld", (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000,
            (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000 + ru.ru_utime.tv_usec + ru.ru_stime.tv_usec, ru.ru_maxrss);
    return fclose(f) != 0;
}
"""


PEERS = ["py-spy", "pystack"]


def newest_peers(folder):
    """The folder of the peers' programs: today's releases, in a virtual environment of the benchmark's own."""
    if not os.path.exists(os.path.join(folder, "bin", "pip")):
        subprocess.run(["/usr/bin/python3", "-m", "venv", folder], check=True)
    got = subprocess.run([os.path.join(folder, "bin", "pip"), "install", "--quiet", "--upgrade", *PEERS], stderr=subprocess.DEVNULL)
    if got.returncode:
        print("py-spy and pystack could not be had: they are left out", file=sys.stderr)
    return os.path.join(folder, "bin")


def version(program):
    said = subprocess.run([program, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return (said.stdout or said.stderr).splitlines()[0].strip()


def tools(work, peers_folder):
    """Command by tool, and what says its version."""
    found = {
        "control": ["true"],
        "loopknot": [LOOPKNOT, "--samples", "1", "--fail-on", "never", "{pid}"],
        "loopknot-nostop": [LOOPKNOT, "--samples", "1", "--stop", "none", "--fail-on", "never", "{pid}"],
        "loopknot-json": [LOOPKNOT, "--samples", "1", "--format", "json", "--fail-on", "never", "{pid}"],
        "bare-stop": [f"{work}/bare_stop", "{pid}"],
    }
    peers = {
        "eu-stack": ["eu-stack", "-p", "{pid}"],
        "gdb-bt": ["gdb", "-nx", "-batch", "-p", "{pid}", "-ex", "thread apply all bt"],
        "py-spy": ["py-spy", "dump", "--pid", "{pid}"],
        "pystack": ["pystack", "remote", "--no-color", "{pid}"],
        "pystack-native": ["pystack", "remote", "--no-color", "--native-all", "{pid}"],
    }
    path = peers_folder + os.pathsep + os.environ["PATH"]
    for name, command in peers.items():
        program = shutil.which(command[0], path=path)
        if program:
            found[name] = [program, *command[1:]]
    return found


class Target:
    def __init__(self, spec, period_us, args, work):
        kind, _, size = spec.partition(":")
        path = os.path.join(work, "beat")
        with open(path, "wb") as f:
            f.write(bytes(4 * SLOT.size))
        self.file = open(path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), 4 * SLOT.size)
        self.number = 0
        self.proc = subprocess.Popen(
            [args.python, os.path.join(HERE, "targets.py"), kind, os.path.join(work, "heart.so"), path, size or "10"],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "HEART_US": str(period_us)}, start_new_session=True)
        if self.proc.stdout.readline().strip() != "READY":
            raise SystemExit(f"{spec}: the target did not start")
        time.sleep(0.5)

    def reset(self):
        self.number += 1
        for i in range(BEATS):
            struct.pack_into("Q", self.map, i * SLOT.size, self.number)
        end = time.monotonic() + 5
        while any(SLOT.unpack_from(self.map, i * SLOT.size)[1] != self.number for i in range(BEATS)):
            if time.monotonic() > end:
                raise SystemExit("the target's heart does not beat")
            time.sleep(0.001)

    def pause(self):
        time.sleep(0.02)
        return max(SLOT.unpack_from(self.map, i * SLOT.size)[2] for i in range(BEATS)) / 1e6

    def end(self):
        self.proc.send_signal(signal.SIGKILL)
        self.proc.wait()
        self.proc.stdout.close()
        self.map.close()
        self.file.close()


def run(command, pid, timeout, work):
    """Wall and CPU milliseconds and peak RSS in MiB of one run; None where it failed."""
    words = [w.replace("{pid}", str(pid)) for w in command]
    try:
        done = subprocess.run([f"{work}/launch", f"{work}/launch.out", *words], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=timeout)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        return None
    with open(f"{work}/launch.out") as f:
        wall_us, cpu_us, rss_kib = f.read().split()
    return {"wall": int(wall_us) / 1000, "cpu": int(cpu_us) / 1000, "rss": int(rss_kib) / 1024}


def cell(values):
    if not values:
        return "-"
    text = [f"{v:.2f}" if v < 10 else f"{v:.0f}" for v in (statistics.median(values), min(values), max(values))]
    return f"{text[0]} ({text[1]}-{text[2]})"


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--target", action="append")
    ap.add_argument("--runs", type=int, default=11)
    ap.add_argument("--budget", type=float, default=20, help="seconds one tool may take on one target and pass")
    ap.add_argument("--python", default=os.environ.get("PYTHON", "/usr/bin/python3"))
    ap.add_argument("--only", help="comma-separated tools")
    ap.add_argument("--readme", action="store_true", help="print the table of README.md")
    ap.add_argument("--peers", default=os.path.join(HERE, "../../build/bench-venv"), help="where py-spy and pystack are put")
    args = ap.parse_args()
    work = tempfile.mkdtemp(prefix="loopknot-bench.")
    try:
        subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-shared", "-fPIC", "-pthread", "-o", f"{work}/heart.so", f"{HERE}/heart.c"], check=True)
        for name, text in (("bare_stop", BARE_STOP), ("launch", LAUNCH)):
            subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-x", "c", "-o", f"{work}/{name}", "-"], input=text, text=True, check=True)
        chosen = tools(work, newest_peers(args.peers))
        if args.only:
            chosen = {k: v for k, v in chosen.items() if k in args.only.split(",") + ["control"]}
        said = [version(command[0]) for name, command in chosen.items() if name in ("loopknot", "py-spy", "pystack", "gdb-bt", "eu-stack")]
        print(f"{datetime.date.today()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, medians of {args.runs} interleaved runs: "
              + "; ".join(said) + "\n")
        measured = {}
        if not args.readme:
            print("| target | tool | runs | wall ms | CPU ms | pause ms | peak RSS MiB |\n|" + " --- |" * 7)
        for spec in args.target or TARGETS:
            measured[spec] = bench(spec, chosen, args, work)
            if not args.readme:
                show(spec, measured[spec])
        if args.readme:
            show_readme(measured)
    finally:
        shutil.rmtree(work)


def bench(spec, chosen, args, work):
    rows = {name: {"wall": [], "cpu": [], "pause": [], "rss": []} for name in chosen}
    for what, period in (("pause", 50), ("wall", 1000)):
        target = Target(spec, period, args, work)
        spent = dict.fromkeys(chosen, 0.0)
        try:
            for i in range(-1, args.runs):
                for name, command in chosen.items():
                    if spent[name] > args.budget:
                        continue
                    target.reset()
                    began = time.monotonic()
                    got = run(command, target.proc.pid, 120, work)
                    spent[name] += time.monotonic() - began
                    if i < 0 and spent[name] <= args.budget:
                        continue
                    if what == "pause":
                        rows[name]["pause"].append(target.pause())
                    elif got:
                        for key, value in got.items():
                            rows[name][key].append(value)
        finally:
            target.end()
    return rows


def show(spec, rows):
    for name, r in rows.items():
        print(f"| {spec} | {name} | {len(r['wall'])} | " + " | ".join(cell(r[key]) for key in ("wall", "cpu", "pause", "rss")) + " |",
              flush=True)


README_NAMES = {"server:10": "server, 14 threads", "loops:200": "203 threads, a loop each", "lock:2000": "2,003 threads on a lock",
                "deep:50": "53 threads, deep mixed stacks", "tasks:10000": "10,000 tasks", "tasks:100000": "100,000 tasks",
                "ballast:4096": "server with 4 GiB and 5 million objects"}
README_TOOLS = {"loopknot": "loopknot wall / pause / memory", "bare-stop": "merely stopping and releasing it", "py-spy": "py-spy",
                "pystack-native": "pystack --native-all", "gdb-bt": "gdb, all stacks", "eu-stack": "eu-stack"}


def amount(values):
    value = statistics.median(values)
    return f"{value:,.1f}" if value < 10 else f"{value:,.0f}"


def show_readme(measured):
    print("| target | " + " | ".join(README_TOOLS.values()) + " |\n|" + " --- |" * (1 + len(README_TOOLS)))
    for spec, rows in measured.items():
        cells = []
        for name in README_TOOLS:
            r = rows.get(name)
            if not r or not r["wall"] or not r["pause"]:
                cells.append("-")
            elif spec.startswith("tasks") and name not in ("loopknot", "bare-stop"):
                cells.append("(no tasks)")
            else:
                rss = f" / {amount(r['rss'])} MiB" if name == "loopknot" else ""
                cells.append(f"{amount(r['wall'])} / {amount(r['pause'])} ms{rss}")
        print(f"| {README_NAMES.get(spec, spec)} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    sys.exit(main())
