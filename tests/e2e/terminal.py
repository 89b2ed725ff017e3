#!/usr/bin/python3
"""What a person at a terminal gets: pager, last line, names instead of numbers, doctor, words for what was mistyped.

Last line: terminal: N passed, N failed.
"""
import contextlib
import fcntl
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios

import lib
from lib import driver, loopknot

DEADLOCK = '''
import os, threading, time
a, b = threading.Lock(), threading.Lock()
def take(x, y):
    with x:
        time.sleep(0.1)
        with y:
            pass
for v in ((a, b), (b, a)):
    threading.Thread(target=take, args=v, daemon=True).start()
time.sleep(0.4)
os.write(1, b"x")
time.sleep(1000)
'''
NOT_WANTED = ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "JENKINS_URL", "TEAMCITY_VERSION", "PAGER", "LOOPKNOT_PAGER", "COLUMNS",
              "NO_COLOR", "LESS")


@contextlib.contextmanager
def running(program, name="shop.py"):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(program)
        with lib.Child([driver.PYTHON, path], stdout=subprocess.PIPE, cwd=folder) as child:
            child.process.stdout.read(1)
            yield child


class Screen:
    """What a run printed on a terminal, and how it ended."""

    def __init__(self, *args, rows=24, columns=80, **environment):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        env = {k: v for k, v in os.environ.items() if k not in NOT_WANTED}
        env.update({"TERM": "xterm", **environment})

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        process = subprocess.Popen([lib.LOOPKNOT, *map(str, args)], stdin=slave, stdout=slave, stderr=slave, env=env,
                                   preexec_fn=own_terminal)
        os.close(slave)
        out = b""
        with contextlib.suppress(OSError):  # EIO: the last of them has closed it
            while True:
                out += os.read(master, 65536)
        os.close(master)
        self.status = process.wait(lib.TOOL_TIMEOUT)
        self.colored = out.decode("utf-8", errors="replace").replace("\r\n", "\n")
        self.text = re.sub(r"\x1b\[[0-9;]*m", "", self.colored)
        self.lines = self.text.splitlines()


MARK = "sed s/^/P:/"


def paged(screen):
    return sum(line.startswith("P:") for line in screen.lines)


# ---- the pager


def high_report():
    with running(DEADLOCK) as child:
        screen = Screen(child.pid, LOOPKNOT_PAGER=MARK, PAGER="false")
        assert screen.status == 1, screen.status
        assert paged(screen) > 24 and paged(screen) == len(screen.lines) - 1, screen.text[-600:]
        assert re.match(r"DEADLOCK  \S*shop\.py:\d+ in take \(LK103\)", screen.lines[-1]), screen.lines[-1]
        assert "\x1b[1;31m" in screen.colored
        return screen.lines[-1]


def pager_variable():
    with running(DEADLOCK) as child:
        assert paged(Screen(child.pid, PAGER=MARK)) > 24
        assert paged(Screen(child.pid, PAGER=MARK, LOOPKNOT_PAGER="")) == 0, "an empty one is none"
        screen = Screen(child.pid, PAGER="sh -c 'echo $LESS'")
        assert screen.lines[0] == "FRX", screen.text


def no_pager(*args, **environment):
    with running(DEADLOCK) as child:
        screen = Screen(child.pid, *args, PAGER=MARK, **environment)
        assert paged(screen) == 0 and screen.status == 1 and len(screen.lines) > 24, screen.text[:400]
        assert screen.lines[-1].startswith("DEADLOCK  "), screen.lines[-1]


def low_report():
    """What fits is printed; the verdict comes last all the same."""
    with running(DEADLOCK) as child:
        screen = Screen(child.pid, rows=200, PAGER=MARK)
        assert paged(screen) == 0, screen.text[:400]
        assert screen.lines[0].startswith("DEADLOCK ") and screen.lines[-1].startswith("DEADLOCK "), screen.lines


def missing_pager(pager):
    with running(DEADLOCK) as child:
        screen = Screen(child.pid, PAGER=pager)
        assert screen.status == 1 and any(line.startswith("THREADS") for line in screen.lines), screen.text[:400]
        assert screen.lines[-1].startswith("DEADLOCK  "), screen.lines[-1]


def enough_read():
    """Who leaves the pager early has read enough: no complaint, and the examination's status."""
    with running(DEADLOCK) as child:
        screen = Screen(child.pid, "--all", PAGER="head -n 1")
        assert screen.status == 1 and len(screen.lines) == 2, screen.text


TWO_LOOPS = lib.TWO_LOOPS + """
asyncio.run_coroutine_threadsafe(order(), a)
import time
time.sleep(0.5)
os.write(1, b"x")
time.sleep(1000)
"""


def one_screen():
    """What the one on call sees of 80x24: less keeps the last line for itself."""
    for program, places in ((TWO_LOOPS, ("in price", "in order")), (DEADLOCK, ("in take",))):
        with running(program) as child:
            text = "\n".join(Screen(child.pid, PAGER="head -n 23").lines[:23])
            for words in ("DEADLOCK  pid %d" % child.pid, "  What  ", "  Stuck ", "  Where ", "  Change", "  Now ", "kill -KILL", "  Looked") + places:
                assert " ".join(words.split()) in " ".join(text.split()), "%s is not on\n%s" % (words, text)


def real_less():
    if not shutil.which("less"):
        raise lib.Skipped("no less")
    with running(DEADLOCK) as child:
        screen = Screen("--samples", "1", child.pid, LESS="FRXE", PAGER="less +G")  # E: it ends at the end
        assert screen.status == 1 and "DEADLOCK  " in screen.lines[-1], screen.text[-300:]


def pipe_without_pager():
    with running(DEADLOCK) as child:
        ran = loopknot(child.pid)
        assert not ran.text.splitlines()[-1].startswith("DEADLOCK"), "the last line is for terminals"
        narrow = loopknot(child.pid, env={**os.environ, "COLUMNS": "60"})
        first = narrow.text.split("\nFINDING")[0].splitlines()
        assert max(len(line) for line in first if "/" not in line) <= 60, first
        assert max(map(len, ran.text.splitlines()[:20])) > 60


def closed_pipe():
    """As `loopknot PID | head -1`: SIGPIPE ends it without a word, when what else was asked for is written."""
    with running(DEADLOCK) as child, tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "report")
        process = subprocess.Popen([lib.LOOPKNOT, "--samples", "1", "--format", "text", "--output", "json:" + path, str(child.pid)],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(lib.TOOL_TIMEOUT) == -signal.SIGPIPE and not err, (process.returncode, err)
        process.stderr.close()
        assert os.path.getsize(path) > 100
        assert not lib.settled_trouble(child.pid)


# ---- names


def by_name():
    name = "shop%d.py" % os.getpid()
    with running(DEADLOCK, name) as child:
        for word in (name, name[:-3]):
            ran = loopknot("--samples", "1", word)
            assert ran.status == 1 and "pid %d " % child.pid in ran.text, (ran.status, ran.errors)
            assert "is process %d" % child.pid in ran.errors, ran.errors
        assert loopknot("attach", "--samples", "1", word).status == 1
        with running("import os, time; os.write(1, b'x'); time.sleep(1000)", name) as other:
            ran = loopknot(word)
            assert ran.status == 2 and not ran.out, (ran.status, ran.text)
            assert str(child.pid) in ran.errors and str(other.pid) in ran.errors, ran.errors
            return ran.errors.splitlines()[0]


FORKS = '''
import os, time
if os.fork() and os.fork():
    os.write(1, b"x")
time.sleep(1000)
'''


def one_tree_by_name():
    """Those that descend from one of them are its tree."""
    name = "tree%d.py" % os.getpid()
    with running(FORKS, name) as child:
        report = lib.parse(loopknot("--samples", "1", "-j", name))
        pids = [r["target"]["pid"] for r in lib.reports_of(report)]
        assert len(pids) == 3 and pids[0] == child.pid, pids
        alone = lib.parse(loopknot("--samples", "1", "-j", "--no-tree", name))
        assert [r["target"]["pid"] for r in lib.reports_of(alone)] == [child.pid]
        for pid in pids[1:]:
            os.kill(pid, signal.SIGKILL)


def no_such_name():
    ran = loopknot("expain")
    assert ran.status == 2 and ran.one_line() and "nearest command is explain" in ran.errors, ran.errors
    ran = loopknot("attach", "nobody-is-called-so")
    assert ran.status == 3 and ran.one_line() and "nobody-is-called-so" in ran.errors, ran.errors
    for args, nearest in ((["--formt", "json", "1"], "--format"), (["--output", "jsn:x", "1"], "json"), (["core", "--sysrot=/", "x"], "--sysroot")):
        ran = loopknot(*args)
        assert ran.status == 2 and ran.one_line() and "the nearest is %s " % nearest in ran.errors, ran.errors


def short_words():
    assert loopknot("-V").text == loopknot("--version").text
    assert loopknot("help").text == loopknot("--help").text == loopknot("-h").text
    assert loopknot("help", "core").text == loopknot("core", "--help").text
    for name in lib.formats():
        assert re.search(r"^  %s  " % name, loopknot("--help").text, re.M), name
    with running(DEADLOCK) as child:
        ran = loopknot("-j", "-p", child.pid)
        assert lib.parse(ran)["verdict"] == "deadlock" and not lib.invalid(ran.out)


# ---- doctor


def gates(*args, before=()):
    ran = loopknot("doctor", *args, before=before)
    assert ran.status in (0, 1) and not ran.err, (ran.status, ran.errors)
    return ran.status, dict(re.findall(r"^  (\S.*?)  +(open|SHUT)  ", ran.text, re.M)), ran.text


def doctor():
    with lib.sleeper() as child:
        status, told, text = gates(child.pid)
        wanted = {"hidepid", "user", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH", "user namespace", "pid namespace", "dumpable", "Yama", "seccomp",
                  "security modules"}
        assert set(told) == wanted, told
        assert status == (1 if "SHUT" in told.values() else 0), text
        assert os.geteuid() or status == 0, text
        status, told, text = gates()
        assert {"dumpable", "pid namespace"} == wanted - set(told), told
        assert max(map(len, text.splitlines())) <= 80, text
    ran = loopknot("doctor", child.pid)
    assert ran.status == 3 and ran.one_line(), (ran.status, ran.errors)
    assert loopknot("doctor", "1", "2").status == loopknot("doctor", "--frob").status == loopknot("doctor", "0").status == 2


def doctor_of_a_stranger():
    if os.geteuid() or not shutil.which("setpriv"):
        raise lib.Skipped("needs root and setpriv")
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    with lib.sleeper() as child:
        status, told, text = gates(child.pid, before=nobody)
        assert status == 1 and told["user"] == told["CAP_SYS_PTRACE"] == "SHUT" and told["seccomp"] == "open", told
        assert "sudo loopknot %d" % child.pid in text and "setcap" in text, text
        only = "-all,+sys_ptrace"
        status, told, text = gates(child.pid, before=["setpriv", "--inh-caps=" + only, "--bounding-set=" + only])
        assert status == 0, text  # its own files are root's all the same
        with lib.Child([*nobody, "sleep", "1000"]) as theirs:
            lib.until(lambda: driver.thread_state(theirs.pid, theirs.pid) == "S", what="sleep")
            status, told, text = gates(theirs.pid, before=["setpriv", "--inh-caps=" + only, "--bounding-set=" + only])
            assert status == 1 and [g for g in told if told[g] == "SHUT"] == ["CAP_DAC_READ_SEARCH"], text
            status, told, text = gates(theirs.pid, before=nobody)
            assert status == 0 and told["CAP_SYS_PTRACE"] == "open" or "Yama" in text, text


CASES = [
    ("a high report goes through the pager", high_report),
    ("LOOPKNOT_PAGER and PAGER", pager_variable),
    ("--no-pager", no_pager, "--no-pager"),
    ("TERM=dumb", lambda: no_pager(TERM="dumb")),
    ("a CI server", lambda: no_pager(CI="true")),
    ("a low report", low_report),
    ("a pager that is not there", missing_pager, "there-is-no-such-pager"),
    ("a pager of several words that is not there", missing_pager, "there-is-no-such-pager -x"),
    ("a pager that is left early", enough_read),
    ("one screen of 80x24", one_screen),
    ("less", real_less),
    ("a pipe has no pager; COLUMNS", pipe_without_pager),
    ("closed pipe", closed_pipe),
    ("a process by its name", by_name),
    ("a tree by its name", one_tree_by_name),
    ("no such name", no_such_name),
    ("-V, help, -j, -p", short_words),
    ("doctor", doctor),
    ("doctor of another user's process", doctor_of_a_stranger),
]


if __name__ == "__main__":
    sys.exit(lib.run_cases("terminal", CASES))
