#!/usr/bin/python3
"""Captures: what is analyzed afterwards, without the process, gets the report that attach gave. Last line: captures: N passed, N failed.

    tests/e2e/captures.py                  a scenario of each kind, and what else is to be said of captures
    tests/e2e/captures.py --all [WORD]...  every scenario whose name has a word in it
"""
import json
import os
import stat
import subprocess
import sys
import tempfile
import time

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
    ("lk205_leaked_loops", "client_per_request"),
    ("lk402_cpu_bound_callback", "recursion"),
    ("lk404_self_request", "sync_tree"),
    ("healthy_kinds", "idle_all"),
    ("greenlets", "bridge"),
]


def told(report):
    """What must not depend on how the process was had."""
    return [(r["verdict"], r["target"], [(f["rule"], f["severity"], f["summary"], f["fingerprint"], f["culprits"]) for f in r["findings"]])
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
        rules = options[options.index("--rules"):][:2] if "--rules" in options else []
        later = loopknot("analyze", "--format", "json", *rules, file)
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
                part.write(data[:at] + bytes([data[at] ^ 4]) + data[at + 1:])
            refused(file, word)
        refused(os.path.join(folder, "nobody"), "nobody")
        refused(folder, "")
    return "truncated, damaged, of the future: one line each"


def unwritable():
    """What cannot be written is said before anybody is looked at; a device is written to, and stays one."""
    with driver.Scenario("healthy_kinds", "idle_loop") as scenario:
        scenario.ready()
        before = time.monotonic()
        ran = loopknot("capture", scenario.pid, "-o", "/proc/self/nowhere.lkc", "--samples", "100", "--interval", "1000")
        assert ran.status == 3 and ran.one_line() and time.monotonic() - before < 20, (ran.status, ran.errors[:300])
        with tempfile.TemporaryDirectory() as folder:
            fifo, copy = os.path.join(folder, "fifo"), os.path.join(folder, "copy")
            os.mkfifo(fifo)
            with subprocess.Popen("cat %s >%s" % (fifo, copy), shell=True):
                ran = loopknot("capture", scenario.pid, "-o", fifo, "--samples", "1")
            with open(copy, "rb") as f:
                got = f.read()
            assert ran.status == 0 and got[:5] == b"LKCAP" and stat.S_ISFIFO(os.stat(fifo).st_mode), (ran.status, got[:20], ran.errors)
    ran = loopknot("capture", os.getpid(), "-o", "/dev/full", "--samples", "1")
    assert ran.status == 3 and "No space left" in ran.errors and stat.S_ISCHR(os.stat("/dev/full").st_mode), (ran.status, ran.errors[:300])
    for args, word in ((("capture", "1"), "into which file"), (("capture", "-o", "x"), "which process"), (("analyze",), "which file")):
        ran = loopknot(*args)
        assert ran.status == 2 and ran.one_line() and word in ran.errors, (ran.status, ran.errors[:300])
    return "says so in one line"


def read_from_a_pipe():
    """A report that comes through a pipe is not missing its first bytes because somebody looked whether it is a capture."""
    with driver.Scenario("lk203_lost_wakeup", "event") as scenario:
        scenario.ready()
        live = loopknot("--format", "json", scenario.pid, "--samples", "1")
    ran = subprocess.run(["bash", "-c", "%s analyze --format json <(printf %%s \"$REPORT\")" % lib.LOOPKNOT], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, env=dict(os.environ, REPORT=live.text))
    assert ran.returncode == live.status and json.loads(ran.stdout) == lib.parse(live), (ran.returncode, ran.stderr[:300])
    return "whole"


def compared():
    """A capture, the report that was made with it, and the process itself: the same, each against each; another process is not."""
    with tempfile.TemporaryDirectory() as folder:
        file, report, other = (os.path.join(folder, n) for n in ("x.lkc", "x.json", "y.lkc"))
        with driver.Scenario("lk203_lost_wakeup", "event") as scenario:
            scenario.ready()
            loopknot(scenario.pid, "--capture", file, "--output", "json:" + report)
            for sides in ((file, report), (report, file), (file, scenario.pid), (file, file)):
                ran = loopknot("diff", "--format", "json", *sides)
                assert ran.status == 0 and not ran.err, (sides, ran.status, ran.text[:300], ran.errors[:300])
        with driver.Scenario("healthy_kinds", "idle_loop") as scenario:
            scenario.ready()
            loopknot("capture", scenario.pid, "-o", other)
        assert loopknot("diff", file, other).status == 1
        with open(other, "r+b") as damaged:
            damaged.truncate(1000)
        ran = loopknot("diff", file, other)
        assert ran.status == 3 and ran.one_line(), (ran.status, ran.errors[:300])
    return "each against each"


def judged_anew():
    """Patterns and folders of the project count for a capture as they do for its process; without them it says what it knows."""
    name, program = next(c for c in driver.cases() if "--rules" in driver.load(c[0])["programs"][c[1]].get("options", []))
    with tempfile.TemporaryDirectory() as folder, driver.Scenario(name, program) as scenario:
        file = os.path.join(folder, "x.lkc")
        options = scenario.ready()["expect"]["options"]
        live = loopknot("--format", "json", *options, "--capture", file, scenario.pid)
        rules = options[options.index("--rules"):][:2]
        same = loopknot("analyze", "--format", "json", *rules, file)
        assert told(lib.parse(live)) == told(lib.parse(same)), (told(lib.parse(live)), told(lib.parse(same)))
        without = loopknot("analyze", "--format", "json", file)
        assert told(lib.parse(without)) != told(lib.parse(same)), "the rules changed nothing"
        elsewhere = loopknot("analyze", "--format", "json", *rules, "--project", folder, file)
        assert elsewhere.status == same.status, elsewhere.errors
    return "%s/%s" % (name, program)


STUCK = "import threading as t\na = t.Lock()\na.acquire()\nt.Thread(target=a.acquire, name='second').start()\nprint('out', flush=True)\na.acquire()\n"


def watchdog():
    with tempfile.TemporaryDirectory() as folder:
        file, report = os.path.join(folder, "x.lkc"), os.path.join(folder, "x.json")
        ran = loopknot("run", "--stall", "500ms", "--stall-kill", "--capture", file, "--output", "json:" + report, "--", driver.PYTHON, "-c", STUCK)
        assert ran.status == 124, (ran.status, ran.errors)
        later = loopknot("analyze", "--format", "json", file)
        with open(report, "rb") as f:
            verdicts = [[r["verdict"] for r in lib.reports_of(x)] for x in (json.load(f), lib.parse(later))]
        assert verdicts == [["stalled"], ["stalled"]], verdicts
        healthy = os.path.join(folder, "none.lkc")
        assert loopknot("run", "--capture", healthy, "--", "true").status == 0 and not os.path.exists(healthy)
    ran = loopknot("run", "--capture", "/proc/self/nowhere.lkc", "--", "true")
    assert ran.status == 125 and ran.one_line(), (ran.status, ran.errors)
    return "of the tree that hung: %s" % verdicts[1]


# Each place has a secret of its own. What stands there is beside something that is read: a lock or an event and the secret in one
# dict, futures and tasks among secrets of their size, a queue of them, arguments of work that is queued, the value of a future.
KEEPER = """
import asyncio, concurrent.futures, contextvars, os, queue, sys, threading
S = sys.argv[2]
os.environ["LATE_TOKEN"] = S + "-setenv"
class Held:
    def __init__(self):
        self.lock, self.password, self.event = threading.Lock(), S + "-attribute", threading.Event()
    def wait(self):
        self.event.wait()
def work(password, rows, *more, key=None):
    token = {"token": password + "-local", "rows": rows, (S + "-key"): 1}
    cell = S + "-cell"
    def inner():
        return cell
    local = threading.local()
    local.secret = S + "-threadlocal"
    threading.Event().wait()
def busy(password):
    while True:
        password = password[:]
        len(password.encode())
beside = []
async def job(password, i):
    beside.append((S + "-neighbour-%d" % i).ljust(i % 700).encode())
    done = asyncio.get_running_loop().create_future()
    done.set_result(S + "-result")
    failed = asyncio.get_running_loop().create_future()
    failed.set_exception(ValueError(S + "-exception"))
    contextvars.ContextVar("v").set(S + "-context")
    lock = asyncio.Lock()
    await lock.acquire()
    beside.append(bytearray((S + "-bytearray").encode()))
    await lock.acquire()
async def main():
    tasks = [asyncio.ensure_future(job(S + "-argument", i)) for i in range(300)]
    await asyncio.sleep(0)
    print("ready", flush=True)
    await asyncio.wait(tasks)
held = Held()
q = queue.Queue()
q.put(S + "-queued")
pool = concurrent.futures.ThreadPoolExecutor(1)
for i in range(3):
    pool.submit(work, S + "-submitted", [S], S + "-more", key=S + "-keyword")
threading.Thread(target=held.wait).start()
threading.Thread(target=work, args=(S, [S + "-row"] * 9)).start()
threading.Thread(target=busy, args=(S + "-busy",)).start()
asyncio.run(main())
"""


def unpacked(file):
    """The bytes of all sections of a capture, as they were."""
    with open(file, "rb") as stored:
        data, at, raw = stored.read(), 12, b""
    while at < len(data):
        size = int.from_bytes(data[at + 8:at + 16], "little")
        at += 32
        if size:
            raw += subprocess.run(["zstd", "-dcq", "--long=27"], input=data[at:at + size], stdout=subprocess.PIPE, check=True).stdout
        at += size
    return raw


def secrets(*options):
    """Locals, arguments, the environment, the command line, and what stands beside objects that are read: none of their values."""
    secret = "hunter2-%d" % os.getpid()
    with tempfile.TemporaryDirectory() as folder:
        file, program = os.path.join(folder, "x.lkc"), os.path.join(folder, "keeper.py")
        with open(program, "w") as f:
            f.write(KEEPER)
        child = subprocess.Popen([driver.PYTHON, program, "--password", secret], stdout=subprocess.PIPE,
                                 env=dict(os.environ, DATABASE_PASSWORD=secret + "-environment"))
        try:
            child.stdout.readline()
            ran = loopknot("capture", child.pid, "-o", file, *options)
            assert ran.status == 0, ran.errors
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
        raw = unpacked(file)
    assert b"threading" in raw and b"job" in raw, "what was to be searched is not there"
    at = raw.find(secret.encode())
    assert at < 0, "a secret stands in the capture: ...%r..." % raw[max(0, at - 80):at + 120]
    return "nowhere in %d KiB" % (len(raw) // 1024)


# Where its frame ends no prologue tells, and no call of main() is found on its stack: that is searched up to the environment.
FRAMELESS = """
#include <alloca.h>
#include <pthread.h>
#include <unistd.h>
int main(int argc, char **argv) {
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    volatile char *p = alloca(argc * 1000);
    p[0] = argv[0][0];
    pthread_mutex_lock(&m);
    write(1, "ready\\n", 6);
    pthread_mutex_lock(&m);
    return p[0];
}
"""


def behind_a_stack():
    secret = "hunter2-%d" % os.getpid()
    with tempfile.TemporaryDirectory() as folder:
        file, program = os.path.join(folder, "x.lkc"), os.path.join(folder, "frameless")
        subprocess.run(["cc", "-O0", "-w", "-pthread", "-x", "c", "-", "-o", program], input=FRAMELESS.encode(), check=True)
        with lib.Child([program, "--password", secret + "-argument"], stdout=subprocess.PIPE,
                       env=dict(os.environ, DATABASE_PASSWORD=secret + "-environment")) as child:
            child.process.stdout.readline()
            lib.until(lambda: driver.thread_state(child.pid, child.pid) == "S", what="sleep")
            for options in ((), ("--stop", "all")):
                ran = loopknot("capture", child.pid, "-o", file, *options)
                assert ran.status == 0, ran.errors
                raw = unpacked(file)
                assert b"frameless" in raw, "what was to be searched is not there"
                at = raw.find(secret.encode())
                assert at < 0, "a secret stands in the capture: ...%r..." % raw[max(0, at - 80):at + 120]
    return "nowhere in %d KiB" % (len(raw) // 1024)


def main():
    tally, words = lib.Tally("captures"), sys.argv[2:]
    whole = sys.argv[1:2] == ["--all"]
    for name, program in driver.cases() if whole else SAME:
        if not words or any(w in name + "/" + program for w in words):
            tally.run("%s/%s" % (name, program), same_report, name, program)
    if whole:
        return tally.end()
    for case, function in (("damaged files", damaged), ("usage and places", unwritable), ("a pipe", read_from_a_pipe), ("run --capture", watchdog), ("diff", compared),
                           ("--rules, --project", judged_anew)):
        tally.run(case, function)
    tally.run("secrets", secrets)
    tally.run("secrets, all stopped", secrets, "--stop", "all")
    tally.run("secrets, behind a stack", behind_a_stack)
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
