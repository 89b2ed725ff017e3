"""Shared by the end-to-end tests: runs the tool, validates reports, looks at targets, counts. Standard library only."""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "scenarios"))
import driver  # noqa: E402

LOOPKNOT = os.path.abspath(os.environ.get("LOOPKNOT", os.path.join(ROOT, "build", "loopknot")))
# beside the program that is tested, where it was built
COMPARE = os.path.join(os.path.dirname(LOOPKNOT), "tests", "read", "native", "unwind", "compare_unwinders")
VALIDATOR = os.path.join(ROOT, "tests", "validate_report.py")
SYSTEM_PYTHON = "/usr/bin/python3"  # has jsonschema
TOOL_TIMEOUT = 60

# Beginnings of programs: two loops in threads; on each a coroutine that waits for the other.
LOOPS = '''
import asyncio, os, threading

def started(name):
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name=name, daemon=True).start()
    return loop

a, b = started("loop-a"), started("loop-b")
'''
TWO_LOOPS = LOOPS + '''
async def price():
    return asyncio.run_coroutine_threadsafe(order(), a).result()

async def order():
    return asyncio.run_coroutine_threadsafe(price(), b).result()
'''


class Ran:
    """One finished run of the tool."""

    def __init__(self, status, out, err, seconds):
        self.status, self.out, self.err, self.seconds = status, out, err, seconds

    @property
    def text(self):
        return self.out.decode("utf-8", errors="replace")

    @property
    def errors(self):
        return self.err.decode("utf-8", errors="replace")

    def one_line(self):
        """Exactly one line on standard error, none on standard output: how a refusal looks."""
        return self.out == b"" and self.err.count(b"\n") == 1 and len(self.err.strip()) > 0


def loopknot(*args, timeout=TOOL_TIMEOUT, before=(), program=LOOPKNOT, **popen):
    """Runs the tool to its end; a timeout ends it and is an error."""
    began = time.monotonic()
    process = subprocess.Popen([*before, program, *map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, start_new_session=True, **popen)
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError("loopknot %s did not end within %d s" % (" ".join(map(str, args)), timeout)) from None
    return Ran(process.returncode, out, err, time.monotonic() - began)


def formats():
    """All that the program knows."""
    return re.findall(r"^  (\w+)  ", loopknot("attach", "--help").text.split("\nFormats:\n")[1], re.M)


def invalid(data):
    """What is wrong with a JSON report (bytes) by its schema; None when it is valid."""
    if not os.path.exists(VALIDATOR):
        return "there is no %s" % VALIDATOR
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(data)
        file.flush()
        ran = subprocess.run([SYSTEM_PYTHON, VALIDATOR, file.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             timeout=TOOL_TIMEOUT)
    return None if ran.returncode == 0 else ran.stdout.decode(errors="replace").strip()[:600] or "status %d" % ran.returncode


def reports_of(report):
    """The single reports of a report or a report set."""
    return report["reports"] if report.get("schema", "").startswith("loopknot.report-set/") else [report]


def thread_trouble(pid, job_stopped=False):
    """Threads of pid that are left stopped or traced, as words."""
    trouble = []
    for tid in driver.thread_ids(pid):
        status = driver.thread_status(pid, tid)
        if status is None:
            continue
        state, tracer = status["State"][0], int(status["TracerPid"])
        if state == "t" or (state == "T" and not job_stopped):
            trouble.append("thread %d of %d is left in state %s" % (tid, pid, status["State"]))
        if job_stopped and state != "T":
            trouble.append("thread %d of %d was stopped before and is now %s" % (tid, pid, status["State"]))
        if tracer:
            trouble.append("thread %d of %d is still traced by %d" % (tid, pid, tracer))
    return trouble


def settled_trouble(pid, seconds=2.0):
    """thread_trouble after the time a killed tracer needs to be gone."""
    deadline = time.monotonic() + seconds
    while True:
        trouble = thread_trouble(pid)
        if not trouble or time.monotonic() > deadline:
            return trouble
        time.sleep(0.01)


def write_fixtures(test, folder):
    """Reports made by hand with every kind of name, as a unit test of tests/report writes them."""
    program = os.path.join("build-san", "tests", "report", test)
    made = subprocess.run(["make", "-s", "--no-print-directory", "SAN=address,undefined", "CFLAGS=-O1 -g", program], cwd=ROOT,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900)
    assert made.returncode == 0, made.stdout.decode(errors="replace")[-600:]
    subprocess.run([os.path.join(ROOT, program), folder], check=True, timeout=120)


def until(condition, seconds=10.0, what="a condition"):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("%s did not come about in %g s" % (what, seconds))
        time.sleep(0.005)


def parse(ran):
    """The JSON that a run printed; AssertionError with what it said instead."""
    try:
        return json.loads(ran.out)
    except ValueError as error:
        raise AssertionError("no JSON (%s): status %d, stderr: %s, stdout: %.200r"
                             % (error, ran.status, ran.errors.strip()[:300], ran.out)) from None


class Tally:
    """Counts and prints; the last line is for the caller: NAME: N passed, N failed[, N skipped]."""

    def __init__(self, name):
        self.name = name
        self.passed, self.failed, self.skipped = 0, 0, 0

    def ok(self, case, note=""):
        self.passed += 1
        print("PASS %-42s %s" % (case, note), flush=True)

    def bad(self, case, problems):
        self.failed += 1
        print("FAIL %s" % case, flush=True)
        for problem in problems:
            print("       %s" % str(problem).rstrip().replace("\n", "\n       "), flush=True)

    def skip(self, case, why):
        self.skipped += 1
        print("SKIP %-42s %s" % (case, why), flush=True)

    def run(self, case, function, *args):
        """A case is a function that raises AssertionError, or returns a note."""
        try:
            note = function(*args)
        except Skipped as why:
            self.skip(case, why)
        except AssertionError as problem:
            self.bad(case, problem.args or ["assertion failed"])
        except (driver.ScenarioError, OSError, subprocess.SubprocessError, ValueError, KeyError, LookupError) as problem:
            self.bad(case, ["%s: %s" % (type(problem).__name__, problem)])
        else:
            self.ok(case, note or "")

    def end(self):
        print("%s: %d passed, %d failed%s" % (self.name, self.passed, self.failed,
                                              ", %d skipped" % self.skipped if self.skipped else ""), flush=True)
        return 0 if self.failed == 0 and self.passed > 0 else 1


def run_cases(name, cases):
    """The cases (name, function, arguments) whose names have a word of the command line in them; all without. For sys.exit."""
    tally = Tally(name)
    for case, function, *args in cases:
        if len(sys.argv) < 2 or any(word in case for word in sys.argv[1:]):
            tally.run(case, function, *args)
    return tally.end()


class Skipped(Exception):
    """A case that cannot run here."""


class Child:
    """with Child([...]) as c: a process of ours that is ended whatever happens."""

    def __init__(self, command, end=signal.SIGKILL, **popen):
        popen.setdefault("stdin", subprocess.DEVNULL)
        popen.setdefault("stdout", subprocess.DEVNULL)
        popen.setdefault("stderr", subprocess.DEVNULL)
        self.end = end
        self.process = subprocess.Popen(command, preexec_fn=driver.die_with_parent, **popen)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(self.end)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()

    def alive(self):
        return self.process.poll() is None


def sleeper(text="import time; time.sleep(1000)"):
    """A Python process that is asleep in the given program; ready to be examined."""
    child = Child([driver.PYTHON, "-c", "import os; os.write(1, b'x')\n" + text], stdout=subprocess.PIPE)
    child.process.stdout.read(1)
    until(lambda: driver.thread_state(child.pid, child.pid) == "S", what="sleep")
    return child
