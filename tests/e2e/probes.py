#!/usr/bin/python3
"""The recipes of docs/probes.md, each run as it stands there on a server that is deadlocked, one that is not, and one that cannot be examined.

Last line: probes: N passed, N failed.
"""
import contextlib
import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile

import lib
from lib import driver
from terminal import DEADLOCK, running

IDLE = "import os, signal; os.write(1, b'x'); signal.pause()"
with open(os.path.join(lib.ROOT, "docs", "probes.md"), encoding="utf-8") as page:
    PAGE = page.read()


def recipe(title, pattern):
    """The command of a section's code, as a shell gets it."""
    section = PAGE.split("\n## %s\n" % title)[1].split("\n## ")[0]
    return re.search(pattern, section, re.M).group(1)


KUBERNETES = recipe("Kubernetes", r"^ +- (loopknot .*)$")
DOCKER = recipe("Docker", r" CMD (loopknot .*)$")
SYSTEMD = shlex.split(recipe("systemd", r"^ExecStart=(.*)$"))[2]
CRON = recipe("cron", r" root  (loopknot .*)$")


class Shell:
    """A folder with loopknot and a systemctl that only notes what it is told."""

    def __init__(self, folder):
        self.folder = folder
        os.symlink(lib.LOOPKNOT, os.path.join(folder, "loopknot"))
        with open(os.path.join(folder, "systemctl"), "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho $* >>%s/told\n" % folder)
        os.chmod(os.path.join(folder, "systemctl"), 0o755)

    def run(self, command, pid, before=()):
        """The recipe's own names of the server and of files stand for those of the test."""
        for name, here in ((" shop.service;", " %d;" % pid), (" shop.service >", " %d >" % pid), ("/var/log", self.folder),
                           ("/tmp/shop.txt", self.folder + "/shop.txt"), (" 1 >/proc/1/fd/2", " %d >%s/log" % (pid, self.folder))):
            command = command.replace(name, here)
        env = {**os.environ, "PATH": self.folder + ":" + os.environ["PATH"]}
        return subprocess.run([*before, "sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
                              timeout=lib.TOOL_TIMEOUT, text=True, check=False)

    def read(self, name):
        with contextlib.suppress(FileNotFoundError):
            with open(os.path.join(self.folder, name), encoding="utf-8") as file:
                return file.read()
        return ""


def each(command, check):
    """check(shell, ran, whether it is deadlocked)."""
    for program in (DEADLOCK, IDLE):
        with running(program) as child, tempfile.TemporaryDirectory() as folder:
            shell = Shell(folder)
            check(shell, shell.run(command, child.pid), program == DEADLOCK)
    gone = subprocess.Popen(["true"])
    gone.wait()
    with tempfile.TemporaryDirectory() as folder:
        shell = Shell(folder)
        check(shell, shell.run(command, gone.pid), False)


def kills_the_dead_alone(command):
    def check(shell, ran, dead):
        assert ran.returncode == (1 if dead else 0), (ran.returncode, dead, ran.stderr)
        assert ("DEADLOCK" in shell.read("log")) == dead and shell.read("log"), shell.read("log")
    each(command, check)


def restarts_the_dead_alone():
    def check(shell, _, dead):
        assert shell.read("told") == ("restart shop.service\n" if dead else ""), (shell.read("told"), dead)
        assert dead == ("LK103" in shell.read("shop-hang.html")), "the report of %s" % dead
    each(SYSTEMD, check)


def mails_of_the_dead_alone():
    def check(_, ran, dead):
        assert bool(ran.stdout) == dead and not ran.stderr, (ran.stdout[:200], ran.stderr, dead)
        assert not dead or "DEADLOCK" in ran.stdout, ran.stdout[:200]
    each(CRON, check)


SPARED = ["setpriv", "--inh-caps=-all,+sys_ptrace", "--bounding-set=-all,+sys_ptrace"]


def spares_what_is_not_judged():
    """unknown: 0 and a warning where --fail-on is above it, 1 where it is not, 4 where it is not given."""
    if os.geteuid():
        raise lib.Skipped("needs root")
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    with lib.Child([*nobody, driver.PYTHON, "-c", DEADLOCK], stdout=subprocess.PIPE, cwd="/") as child, \
            tempfile.TemporaryDirectory() as folder:
        child.process.stdout.read(1)
        shell = Shell(folder)
        ran = shell.run(KUBERNETES, child.pid, before=SPARED)
        assert ran.returncode == 0, (ran.returncode, shell.read("log"))
        assert "UNKNOWN" in shell.read("log") and "not all could be judged" in shell.read("log"), shell.read("log")[-300:]
        for given, status in (("deadlock", 0), ("stalled", 0), ("never", 0), ("unknown", 1), ("hazard", 1), (None, 4)):
            ran = lib.loopknot(*(["--fail-on", given] if given else []), "--samples", "1", child.pid, before=SPARED)
            assert ran.status == status, (given, ran.status)
            assert ("not all could be judged" in ran.errors) == (given is not None and status == 0), (given, ran.errors)


def by_unit():
    """A service is the control group of its name."""
    tops = [p for p in glob.glob("/sys/fs/cgroup") + glob.glob("/sys/fs/cgroup/*") if os.path.exists(p + "/cgroup.procs")]
    if not tops:
        raise lib.Skipped("no control groups")
    unit = "%s/loopknot-test-%d.service" % (tops[0], os.getpid())
    with running(DEADLOCK) as child:
        try:
            os.mkdir(unit)
            with open(unit + "/cgroup.procs", "w", encoding="utf-8") as file:
                file.write(str(child.pid))
        except OSError as why:
            with contextlib.suppress(OSError):
                os.rmdir(unit)
            raise lib.Skipped("no control group can be made: %s" % why.strerror) from why
        try:
            name = os.path.basename(unit)
            for word in (name, name.replace(".service", "")):
                ran = lib.loopknot("--fail-on", "deadlock", word)
                assert ran.status == 1 and "unit %s" % name in ran.text, (ran.status, ran.errors, ran.text[:300])
            report = lib.parse(lib.loopknot("-j", name))
            assert report["target"]["unit"] == name, report["target"]
        finally:
            child.process.kill()
            child.process.wait()
            lib.until(lambda: not open(unit + "/cgroup.procs", encoding="utf-8").read(), what="an empty group")
            os.rmdir(unit)


# As gunicorn's worker_abort: a handler that has its own process examined, and ends it.
SELF = """
import os, signal, subprocess, sys, threading, time
a, b = threading.Lock(), threading.Lock()
def handler(number, frame):
    ran = subprocess.run([sys.argv[1], "-j", str(os.getpid())], stdout=subprocess.PIPE)
    os.write(1, ran.stdout)
    os._exit(0)
class Worker:
    def handle_abort(self, number, frame):
        handler(number, frame)
def take(x, y):
    with x:
        time.sleep(0.2)
        with y:
            pass
signal.signal(signal.SIGABRT, Worker().handle_abort)
threading.Timer(0.8, os.kill, (os.getpid(), signal.SIGABRT)).start()
"""
HUNG = SELF + """
threading.Thread(target=take, args=(a, b), daemon=True).start()
take(b, a)
"""
SLEEPS = SELF + "time.sleep(1000)"
FROM_A_THREAD = SELF + """
def ask():
    time.sleep(0.5)
    handler(0, None)
threading.Thread(target=ask).start()
signal.pause()
"""
TIMED = SELF + """
a.acquire()
a.acquire(timeout=1000)
"""


def by_itself(program, verdict, function, name):
    """The thread that waits for loopknot is judged by what the signal interrupted; who only asks for another is not touched."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "worker.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(program)
        ran = subprocess.run([driver.PYTHON, path, lib.LOOPKNOT], stdout=subprocess.PIPE, timeout=lib.TOOL_TIMEOUT, check=False)
    assert not lib.invalid(ran.stdout), lib.invalid(ran.stdout)
    report = lib.parse(lib.Ran(0, ran.stdout, b"", 0))
    (main,) = [t for t in report["threads"] if t["main"]]
    assert report["verdict"] in verdict, (report["verdict"], report["verdict_why"])
    assert main["python"][0]["function"] == function and main.get("interrupted_by") == name, (main["python"][0], main.get("interrupted_by"))
    assert "deadlock" not in verdict or report["findings"][0]["rule"] == "LK103", report["findings"]


CASES = [
    ("hung, examined by its own handler", by_itself, HUNG, ["deadlock"], "take", "handle_abort"),
    ("asleep, examined by its own handler", by_itself, SLEEPS, ["healthy", "unknown"], "<module>", "handle_abort"),
    ("a timed wait, examined by its own handler", by_itself, TIMED, ["healthy", "unknown", "hazard", "stalled"], "<module>", "handle_abort"),
    ("examined by a thread of its own", by_itself, FROM_A_THREAD, ["healthy", "unknown"], "<module>", None),
    ("Kubernetes", kills_the_dead_alone, KUBERNETES),
    ("Docker", kills_the_dead_alone, DOCKER),
    ("systemd", restarts_the_dead_alone),
    ("cron", mails_of_the_dead_alone),
    ("what could not be judged", spares_what_is_not_judged),
    ("a service by its name", by_unit),
]


if __name__ == "__main__":
    sys.exit(lib.run_cases("probes", CASES))
