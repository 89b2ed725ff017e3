#!/usr/bin/python3
"""Captures: what is analyzed afterwards, without the process, gets the report that attach gave. Last line: captures: N passed, N failed."""
import os
import stat
import subprocess
import sys
import tempfile

import lib
from lib import driver, loopknot

# A server that hangs in each way that is read by other means: locks, loops, other processes, files, native stacks, the heap, a stop.
SAME = [
    ("lk101_loop_waits_on_itself", "gunicorn_tree"),
    ("lk103_file_locks", "two_processes"),
    ("lk103_lock_cycle", "in_order"),
    ("lk104_executor_starvation", "aiohttp_map"),
    ("lk203_lost_wakeup", "event"),
    ("lk204_loop_lost_in_fork", "own_lock"),
    ("lk402_cpu_bound_callback", "recursion"),
    ("lk404_self_request", "sync_tree"),
    ("healthy_kinds", "idle_all"),
    ("greenlets", "bridge"),
]


def told(report):
    """What must not depend on how the process was had."""
    return [(r["verdict"], [(f["rule"], f["severity"], f["summary"], f["fingerprint"], f["culprits"]) for f in r["findings"]])
            for r in lib.reports_of(report)]


def same_report(name, program):
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "x.lkc")
        with driver.Scenario(name, program) as scenario:
            ready = scenario.ready()
            options = ready["expect"]["options"]
            live = loopknot("--format", "json", *options, "--capture", file, scenario.pid)
        assert stat.S_IMODE(os.stat(file).st_mode) == 0o600, "mode %o" % os.stat(file).st_mode
        assert os.listdir(folder) == ["x.lkc"], os.listdir(folder)
        later = loopknot("analyze", "--format", "json", file)
        assert live.status == later.status, "status %d, then %d: %s" % (live.status, later.status, later.errors.strip()[:300])
        before, after = lib.parse(live), lib.parse(later)
        assert told(before) == told(after), "told differently:\n%s\n%s" % (told(before), told(after))
        assert not lib.invalid(later.out), lib.invalid(later.out)
        return "%s, %d KiB" % (before["verdict"], os.path.getsize(file) // 1024)


def capture_file(folder):
    file = os.path.join(folder, "x.lkc")
    with driver.Scenario("lk203_lost_wakeup", "event") as scenario:
        scenario.ready()
        ran = loopknot("capture", scenario.pid, "-o", file, "--samples", "1", "--stalled-after", "0.2")
    assert ran.status == 0 and not ran.out and not ran.err, (ran.status, ran.out[:200], ran.errors[:300])
    return file


def refused(file, word):
    ran = loopknot("analyze", file)
    assert ran.status == 3 and ran.one_line(), (ran.status, ran.errors[:300], ran.out[:100])
    assert word in ran.errors, ran.errors


def damaged():
    with tempfile.TemporaryDirectory() as folder:
        file = capture_file(folder)
        with open(file, "rb") as whole:
            data = whole.read()
        for n, word in ((0, "no report"), (7, "no report"), (20, "truncated"), (len(data) // 2, "truncated"), (len(data) - 1, "truncated")):
            with open(file, "wb") as part:
                part.write(data[:n])
            refused(file, word)
        for at, word in ((0, "no report"), (8, "newer loopknot"), (len(data) // 2, "damaged")):
            with open(file, "wb") as part:
                part.write(data[:at] + bytes([data[at] ^ 2]) + data[at + 1:])
            refused(file, word)
        refused(os.path.join(folder, "nobody"), "nobody")
        refused(folder, "")
    return "truncated, damaged, of the future: one line each"


def unwritable():
    with driver.Scenario("healthy_kinds", "idle_loop") as scenario:
        scenario.ready()
        ran = loopknot("capture", scenario.pid, "-o", "/proc/self/nowhere.lkc", "--samples", "1")
    assert ran.status == 3 and ran.one_line(), (ran.status, ran.errors[:300])
    for args, word in ((("capture", "1"), "into which file"), (("capture", "-o", "x"), "which process"), (("analyze",), "which file")):
        ran = loopknot(*args)
        assert ran.status == 2 and ran.one_line() and word in ran.errors, (ran.status, ran.errors[:300])
    return "says so in one line"


SECRET = "hunter2-%d" % os.getpid()
KEEPER = """
import os, sys, threading
def work(password, rows):
    token = {"token": password + "-token", "rows": rows}
    threading.Event().wait()
threading.Thread(target=work, args=(sys.argv[2], [sys.argv[2] + "-row"] * 9)).start()
print("ready", flush=True)
"""


def secrets():
    """Locals, arguments, the environment, the command line: none of their values."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "x.lkc")
        child = subprocess.Popen([driver.PYTHON, "-c", KEEPER, "--password", SECRET], stdout=subprocess.PIPE, env=dict(os.environ, DATABASE_PASSWORD=SECRET))
        try:
            child.stdout.readline()
            ran = loopknot("capture", child.pid, "-o", file)
            assert ran.status == 0, ran.errors
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
        with open(file, "rb") as stored:
            data, at, raw = stored.read(), 12, b""
        while at < len(data):
            size = int.from_bytes(data[at + 8:at + 16], "little")
            at += 32
            if size:
                raw += subprocess.run(["zstd", "-dcq", "--long=27"], input=data[at:at + size], stdout=subprocess.PIPE, check=True).stdout
            at += size
        assert b"threading" in raw, "what was to be searched is not there"
        assert SECRET.encode() not in raw, "a secret stands in the capture: ...%r..." % raw[max(0, raw.find(SECRET.encode()) - 80):][:200]
    return "nowhere in %d KiB" % (len(raw) // 1024)


def main():
    tally = lib.Tally("captures")
    for name, program in SAME:
        tally.run("%s/%s" % (name, program), same_report, name, program)
    for case, function in (("damaged files", damaged), ("usage and places", unwritable), ("secrets", secrets)):
        tally.run(case, function)
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
