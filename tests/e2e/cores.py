#!/usr/bin/python3
"""Core dumps: gcore and `loopknot core` say what attach says. Last line: cores: N passed, N failed.

    tests/e2e/cores.py [WORD]...       the cases whose names have a word in them
    tests/e2e/cores.py --all [WORD]    every scenario by attach and by core: a table of what differs
"""
import glob
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import lib
from lib import driver, loopknot

# In which the core says the same: verdict, rules, culprits and fingerprints.
SAME = [
    ("lk101_loop_waits_on_itself", "flask_self_wait"),
    ("lk102_cross_loop_cycle", "service_ring"),
    ("lk103_lock_cycle", "waitress_three"),
    ("lk103_lock_cycle", "lazy_import"),
    ("lk103_native_locks", "cycle_normal"),
    ("lk104_executor_starvation", "to_thread"),
    ("lk105_await_cycle", "uvloop_three"),
    ("lk106_lock_held_across_await", "aiohttp_counter"),
    ("lk108_wait_cycle", "lock_future"),
    ("lk201_future_on_dead_loop", "uvloop_closed"),
    ("healthy_kinds", "idle_all"),
]
# In which it must say less: whether nothing moves, and what a descriptor is, is not in it.
LESS = [
    ("lk103_lock_cycle", "bare_acquire", "unknown"),
    ("lk103_file_locks", "twice", "unknown"),
    ("lk105_await_cycle", "watched_by_signal", "unknown"),
    ("lk404_self_request", "sync_tree", "unknown"),
    ("lk301_loop_per_request", "uvloop_view", "unknown"),
    ("lk401_blocking_call_in_loop", "sleep", "hazard"),
    ("lk402_cpu_bound_callback", "aiohttp_server", "unknown"),
    ("lk403_workers_exhausted", "sync", "unknown"),
]


def gcore(pid, folder):
    prefix = os.path.join(folder, "core")
    ran = subprocess.run(["gcore", "-o", prefix, str(pid)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    file = "%s.%d" % (prefix, pid)
    assert ran.returncode == 0 and os.path.exists(file), "gcore: %s" % ran.stdout.decode(errors="replace")[-300:]
    return file


def core(file, *options):
    """The report on a core."""
    ran = loopknot("core", "--format", "json", *options, file)
    assert ran.out, ran.errors
    assert not lib.invalid(ran.out), lib.invalid(ran.out)
    return lib.parse(ran)


def culprits(report):
    return {(f["rule"], c["function"], os.path.basename(c["file"] or ""), c["line"]) for f in report["findings"] for c in f["culprits"]}


def told(report):
    """What must not depend on how the process was had."""
    return {"verdict": report["verdict"], "rules": sorted({f["rule"] for f in report["findings"]}), "culprits": sorted(map(str, culprits(report))),
            "fingerprints": sorted({f["fingerprint"] for f in report["findings"]})}


def both(name, program):
    """What attach and what the core of each of its processes tell: [(attach's report, core's report)]."""
    with tempfile.TemporaryDirectory() as folder, driver.Scenario(name, program) as scenario:
        ready = scenario.ready()
        live = lib.parse(loopknot("--format", "json", *ready["expect"]["options"], scenario.pid))
        return [(report, core(gcore(report["target"]["pid"], folder))) for report in lib.reports_of(live)]


def differences(live, dumped):
    a, b = told(live), told(dumped)
    return {k: (a[k], b[k]) for k in a if a[k] != b[k]}


def same_report(name, program):
    for live, dumped in both(name, program):
        assert not differences(live, dumped), differences(live, dumped)
        assert dumped["one_moment"] and all(f["stuck_ms"] is None for f in dumped["findings"])
        assert all(t["stuck_ms"] is None for t in dumped["threads"]), "how long a thread is stuck is in no core"
    return live["verdict"]


def less_is_said(name, program, verdict):
    said = [(live["verdict"], dumped["verdict"]) for live, dumped in both(name, program)]
    assert verdict in [b for _, b in said] and all(b not in ("deadlock", "stalled") for _, b in said), said
    return ", ".join("%s then %s" % s for s in said)


# ---- one small program, in all its forms ------------------------------------------------------------------------------------------------

SOURCE = r"""
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;
static void *other(void *arg)
{
    pthread_mutex_lock(&b);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&a);
    return arg;
}
int main(void)
{
    pthread_t t;
    pthread_barrier_init(&both, NULL, 2);
    pthread_create(&t, NULL, other, NULL);
    pthread_mutex_lock(&a);
    pthread_barrier_wait(&both);
    puts("ready");
    fflush(stdout);
    pthread_mutex_lock(&b);
}
"""


class Program:
    """with Program(folder) as p: a program that hangs, and its core."""

    def __init__(self, folder, *flags):
        self.folder, self.exe = folder, os.path.join(folder, "hung")
        with open(self.exe + ".c", "w", encoding="utf-8") as source:
            source.write(SOURCE)
        subprocess.run([os.environ.get("CC", "cc"), "-g", "-O1", "-pthread", *flags, "-o", self.exe, self.exe + ".c"], check=True)

    def __enter__(self):
        def dumps_core():
            os.chdir(self.folder)
            hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
            resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
        self.process = subprocess.Popen([self.exe], stdout=subprocess.PIPE, preexec_fn=dumps_core)
        self.process.stdout.readline()
        threads = driver.thread_ids(self.process.pid)
        lib.until(lambda: all(driver.thread_state(self.process.pid, t) == "S" for t in threads), what="the threads asleep")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def dump(self):
        return gcore(self.process.pid, self.folder)


def is_told(file, *options):
    report = core(file, *options)
    assert report["verdict"] == "deadlock" and {c[1] for c in culprits(report)} == {"main", "other"}, told(report)
    return report


def compressed():
    with tempfile.TemporaryDirectory() as folder, Program(folder) as program:
        file = program.dump()
        before = set(os.listdir(folder))
        for suffix, command in ((".zst", ["zstd", "-q"]), (".lz4", ["lz4", "-q"]), (".gz", ["gzip", "-n"]), (".xz", ["xz", "-0"])):
            with open(file, "rb") as data, open(file + suffix, "wb") as out:
                subprocess.run(command + ["-c"], stdin=data, stdout=out, check=True)
            is_told(file + suffix)
            with open(file + suffix, "r+b") as cut:
                cut.truncate(os.path.getsize(file + suffix) // 2)
            ran = loopknot("core", file + suffix, env=dict(os.environ, TMPDIR=folder))
            assert ran.one_line() and ran.status == 3 or "cut off" in ran.text, (suffix, ran.status, ran.errors, ran.text[:300])
            os.unlink(file + suffix)
        assert set(os.listdir(folder)) == before, "it left something behind"
        ran = loopknot("core", file, env=dict(os.environ, TMPDIR="/nowhere"))
        assert ran.status == 1, "what is not compressed needs no room: %s" % ran.errors
    return "zstd, lz4, gzip, xz; halves of them"


def refused(word, *args):
    ran = loopknot("core", *args)
    assert ran.status == 3 and ran.one_line() and word in ran.errors, (args, ran.status, ran.errors[:300], ran.out[:100])
    return ran.errors


def build_id(file):
    words = subprocess.run(["eu-readelf", "-n", file], stdout=subprocess.PIPE, check=True, text=True).stdout.split()
    return words[words.index("ID:") + 1]


def wrong_program():
    with tempfile.TemporaryDirectory() as folder, Program(folder) as program:
        file = program.dump()
        is_told(file)
        report = lib.parse(loopknot("core", "--format", "json", file, program.exe))
        assert report["verdict"] == "deadlock"
        said = refused("another file", file, "/bin/true")
        assert build_id("/bin/true") in said and build_id(program.exe) in said, said
        os.rename(program.exe, program.exe + ".moved")
        shutil.copy("/bin/true", program.exe)
        report = core(file)
        assert any(build_id(program.exe) in text and build_id(program.exe + ".moved") in text for text in report["limits"]), report["limits"]
        assert lib.parse(loopknot("core", "--format", "json", file, program.exe + ".moved"))["verdict"] == "deadlock"
        root = os.path.join(folder, "root")
        os.makedirs(root + folder)
        os.rename(program.exe + ".moved", root + program.exe)
        is_told(file, "--sysroot", root)
        os.unlink(program.exe)
        report = core(file)
        assert any(program.exe in text for text in report["limits"]), report["limits"]
        finder = os.path.join(folder, "debuginfod-find")
        with open(finder, "w", encoding="utf-8") as script:
            script.write("#!/bin/sh\ntest \"$1 $2\" = 'executable %s' && echo '%s' && exec sleep 600\n" % (build_id(root + program.exe), root + program.exe))
        os.chmod(finder, 0o755)
        env = dict(os.environ, PATH=folder + ":" + os.environ["PATH"])  # that one says it, and does not end
        for options, found in (((), False), (("--debuginfod",), True)):
            ran = loopknot("core", "--format", "json", *options, file, env=env)
            assert (("main", "hung.c") in {c[1:3] for c in culprits(lib.parse(ran))}) == found, (options, ran.text[:500])
    return "refused with both build ids; found below --sysroot, and by debuginfod-find"


def cut_off():
    with tempfile.TemporaryDirectory() as folder, Program(folder) as program:
        whole = program.dump()
        with open(whole, "rb") as file:
            data = file.read()
        part, said = whole + ".part", []
        for n in (0, 3, 63, 100, 500, 2000, len(data) // 8, len(data) // 2, len(data) - 100):
            with open(part, "wb") as file:
                file.write(data[:n])
            ran = loopknot("core", "--format", "json", part)
            if ran.status == 3:
                assert ran.one_line(), (n, ran.errors, ran.out[:100])
                said.append("none")
                continue
            report = lib.parse(ran)
            assert not lib.invalid(ran.out), lib.invalid(ran.out)
            assert report["verdict"] in ("unknown", "deadlock") and any("cut off" in text for text in report["limits"] + ["cut off"] * (n > len(data) - 200)), (n, told(report), report["limits"])
            said.append(report["verdict"])
    return ", ".join(said)


def kernels():
    """A core by the kernel, where it writes one into the folder of the process."""
    with open("/proc/sys/kernel/core_pattern", encoding="utf-8") as file:
        pattern = file.read().strip()
    if "/" in pattern or pattern.startswith("|") or resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
        raise lib.Skipped("core_pattern is %s" % pattern)
    with tempfile.TemporaryDirectory() as folder, Program(folder) as program:
        program.process.send_signal(signal.SIGABRT)
        program.process.wait()
        time.sleep(0.1)
        files = glob.glob(os.path.join(folder, "core*"))
        assert len(files) == 1, files
        report = is_told(files[0])
        assert any("Aborted" in text for text in report["limits"]), report["limits"]
        assert report["target"]["cmdline"] == [program.exe], report["target"]["cmdline"]
        file = files[0] + ".json"
        with open(file, "wb") as out:
            out.write(loopknot("core", "--format", "json", files[0]).out)
        assert loopknot("analyze", file).text == loopknot("core", files[0]).text, "told again it is told differently"
        with open(files[0], "r+b") as cut:
            cut.truncate(os.path.getsize(files[0]) * 3 // 4)
        report = core(files[0])
        assert report["verdict"] in ("unknown", "deadlock") and any("cut off" in text for text in report["limits"]), told(report)
    return "with the signal that ended it"


def last():
    """Names as systemd-coredump makes them."""
    with tempfile.TemporaryDirectory() as folder, Program(folder) as program:
        file, storage = program.dump(), os.path.join(folder, "storage")
        os.mkdir(storage)
        env = dict(os.environ, LOOPKNOT_COREDUMP_STORAGE=storage)
        ran = loopknot("core", "--last", env=env)
        assert ran.status == 3 and ran.one_line() and "no core" in ran.errors, ran.errors
        boot = "0123456789abcdef0123456789abcdef"
        os.link(file, os.path.join(storage, "core.hung.0.%s.%d.1700000000000000" % (boot, program.process.pid)))
        for name, pid, time_us in (("hung", 77, 1600000000000000), ("other\\x2eone", 78, 1800000000000000)):
            with open(os.path.join(storage, "core.%s.0.%s.%d.%d" % (name, boot, pid, time_us)), "wb") as broken:
                broken.write(b"no core")
        for which, status in ((("hung",), 1), ((str(program.process.pid),), 1), (("77",), 3), ((), 3), (("other.one",), 3), (("nobody",), 3)):
            ran = loopknot("core", "--last", *which, env=env)
            assert ran.status == status and (status == 1 or ran.one_line()), (which, ran.status, ran.errors)
    return "by name, by number, the newest"


def usage():
    for args, word in (([], "which core"), (["--last", "a", "b"], "--last wants one"), (["a", "b", "c"], "one core"), (["--samples", "1", "x"], "--samples")):
        ran = loopknot("core", *args)
        assert ran.status == 2 and ran.one_line() and word in ran.errors, (args, ran.status, ran.errors)
    refused("nobody", "/nobody")
    refused("no core file", "/bin/true")
    refused("no core file", "/etc/passwd")
    refused("", "/dev/null")
    refused("", "/")
    return "one line each"


def row(name, program):
    try:
        for live, dumped in both(name, program):
            d = differences(live, dumped)
            yield "%-52s %-9s %-9s %s" % (name + "/" + program, live["verdict"], dumped["verdict"], "same" if not d else "; ".join(
                "%s %s -> %s" % (k, a, b) for k, (a, b) in d.items() if k != "verdict"))
    except (AssertionError, driver.ScenarioError, OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        yield "%-52s ERROR %s" % (name + "/" + program, str(error)[:200])


def table(words):
    for name, program in driver.cases():
        if not words or any(w in name + "/" + program for w in words):
            for line in row(name, program):
                print(line, flush=True)
    return 0


CASES = ([("%s/%s" % s, same_report, *s) for s in SAME] + [("%s/%s says less" % s[:2], less_is_said, *s) for s in LESS] +
         [("compressed", compressed), ("wrong program", wrong_program), ("cut off", cut_off), ("the kernel's", kernels), ("--last", last),
          ("usage", usage)])

if __name__ == "__main__":
    sys.exit(table(sys.argv[2:]) if sys.argv[1:2] == ["--all"] else lib.run_cases("cores", CASES))
