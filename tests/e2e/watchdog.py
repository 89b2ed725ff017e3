#!/usr/bin/python3
"""`loopknot run`: what passes through untouched, what is found, and that nothing is left.
Last line: watchdog: N passed, N failed."""
import contextlib
import json
import os
import pty
import pwd
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid

import lib
from lib import LOOPKNOT, Tally, driver, until

SUITE = os.path.join(lib.HERE, "watchdog_suite")
PYTHON = driver.PYTHON
PYTEST = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
PATIENCE = 60


def comm_of(pid):
    try:
        with open("/proc/%d/comm" % pid, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


class Case:
    """A folder, a mark in the environment of all that is started, and the means to start it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="loopknot-run-")
        os.chmod(self.folder, 0o777)
        self.mark = uuid.uuid4().hex
        self.env = dict(os.environ, LOOPKNOT_TEST_MARK=self.mark, PYTHONDONTWRITEBYTECODE="1")
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self.processes:
            process.kill()
            process.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def json(self, name):
        return json.loads(self.read(name))

    def alive(self):
        """Processes that carry the mark, zombies not counted."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                with open("/proc/%s/environ" % pid, "rb") as file:
                    if self.mark.encode() in file.read():
                        found.append(int(pid))
        return found

    def start(self, *options, command=(), **popen):
        popen.setdefault("stdin", subprocess.DEVNULL)
        popen.setdefault("stdout", subprocess.PIPE)
        popen.setdefault("stderr", subprocess.PIPE)
        process = subprocess.Popen([LOOPKNOT, "run", *options, "--", *command], env=self.env, cwd=self.folder,
                                   start_new_session=True, **popen)
        self.processes.append(process)
        return process

    def run(self, *options, command=(), **popen):
        began = time.monotonic()
        process = self.start(*options, command=command, **popen)
        out, err = process.communicate(timeout=PATIENCE)
        return lib.Ran(process.returncode, out or b"", err or b"", time.monotonic() - began)

    def wait_for(self, name, text=""):
        """Until a file is there and holds the text."""
        def there():
            with contextlib.suppress(FileNotFoundError):
                return text in self.read(name)
            return False
        until(there, PATIENCE / 2, "%r in %s" % (text, name))

    def nothing_left(self, seconds=3.0):
        until(lambda: not self.alive(), seconds, "the end of every process (left: %s)" % self.describe())

    def describe(self):
        return ", ".join("%d %s" % (pid, command_line(pid)) for pid in self.alive())


def command_line(pid):
    with contextlib.suppress(OSError):
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace")
    return "?"


def children(pid):
    found = []
    for other in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open("/proc/%s/stat" % other, encoding="ascii", errors="replace") as file:
                if int(file.read().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(other))
    return found


def script(name):
    return os.path.join(SUITE, name)


def expect(ran, status, silent=False):
    assert ran.status == status, "status %d, expected %d; stderr: %s" % (ran.status, status, ran.errors.strip()[-600:])
    assert not silent or ran.err == b"", "it said: %s" % ran.errors


# A daemon as daemons are made: its own session, orphaned, deaf to SIGTERM and SIGHUP; beside a child that stays.
DAEMONS = "(trap '' TERM HUP; setsid sh -c 'trap \"\" TERM HUP; sleep 1000; sleep 1000' & ) & sleep 1000 & echo > up; wait"


# ---- exit statuses ---------------------------------------------------------------------------------------------------

def own_statuses():
    table = {"exit 0": 0, "exit 1": 1, "exit 77": 77, "kill -KILL $$": 137, "kill -SEGV $$": 139, "kill -TERM $$": 143}
    with Case() as case:
        for command, status in table.items():
            expect(case.run(command=["sh", "-c", "ulimit -c 0; " + command]), status, silent=True)


def statuses_like_ours():
    with Case() as case:
        for status in (124, 125, 126, 127):
            ran = case.run(command=["sh", "-c", "exit %d" % status])
            expect(ran, status)
            assert ran.one_line() and "own" in ran.errors, "it said: %s" % ran.errors


def not_startable():
    with Case() as case:
        with open(case.path("plain"), "w", encoding="ascii") as file:
            file.write("no program")
        for command, status in (("/does/not/exist", 127), ("no-such-program-anywhere", 127), (case.path("plain"), 126),
                                (case.folder, 126)):
            ran = case.run(command=[command])
            expect(ran, status)
            assert ran.one_line() and command in ran.errors, "it said: %s" % ran.errors


def wrong_usage():
    with Case() as case:
        for options in (["--frobnicate"], ["--timeout", "soon"], ["--timeout", "-1"], ["--stall", "5 s"], ["--stall", "1e3"],
                        ["--grace", ""], ["--output", "yaml:x"], ["--output", "json"], ["--timeout", "99d"]):
            ran = case.run(*options, command=["touch", case.path("ran")])
            expect(ran, 125)
            assert ran.one_line(), "it said: %s" % ran.errors
        assert not os.path.exists(case.path("ran"))
        expect(case.run(), 125)


def without_dashes():
    with Case() as case:
        ran = subprocess.run([LOOPKNOT, "run", "--stall", "1m", "sh", "-c", "exit $#", "sh", "--timeout", "-v"], check=False,
                             timeout=PATIENCE)
        assert ran.returncode == 2, "status %d: options behind the command must be its own" % ran.returncode
        assert case.alive() == []


# ---- passing through -------------------------------------------------------------------------------------------------

def streams():
    data = os.urandom(3_000_000)
    with Case() as case:
        process = case.start(command=["cat"], stdin=subprocess.PIPE)
        out, err = process.communicate(data, timeout=PATIENCE)
        assert process.returncode == 0 and out == data and err == b"", "%d of %d bytes came back" % (len(out), len(data))


def end_of_stream():
    """A reader sees the end when the command closes its stream, though it goes on."""
    with Case() as case:
        process = case.start(command=["sh", "-c", "echo once; exec >&-; sleep 1000"])
        assert process.stdout.read() == b"once\n"
        assert process.poll() is None
        os.kill(process.pid, signal.SIGTERM)
        process.wait(PATIENCE)
        case.nothing_left()


def closed_streams():
    with Case() as case:
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            seen = []
            for prefix in ("", "%s run -- " % LOOPKNOT):
                line = "%s%s -S %s %s %s" % (prefix, PYTHON, script("probe.py"), case.path("seen"), closed)
                ran = subprocess.run(["sh", "-c", line], check=False, timeout=PATIENCE, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                assert ran.returncode == 0, "%s: status %d" % (closed, ran.returncode)
                seen.append(case.json("seen")["descriptors"])
            assert seen[0] == seen[1], "%s: %s, without loopknot %s" % (closed, seen[1], seen[0])


def same_surroundings():
    """Environment, descriptors, limits, niceness, masks, session: as without us; also what is ignored (nohup) stays so."""
    def unusual():
        os.umask(0o027)
        os.nice(5)
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 300))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for number in (signal.SIGHUP, signal.SIGUSR2, signal.SIGCHLD, signal.SIGTSTP):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH, signal.SIGTERM})
        os.dup2(1, 7)
        os.set_inheritable(7, True)
    with Case() as case:
        for before in (None, unusual):
            seen = []
            for prefix in ([], [LOOPKNOT, "run", "--timeout", "1h", "--"]):
                with open(case.path("out"), "w", encoding="ascii") as out:
                    process = subprocess.Popen([*prefix, PYTHON, script("probe.py"), case.path("seen"), "a b", ""],
                                               env=case.env, cwd=case.folder, stdin=subprocess.DEVNULL, stdout=out,
                                               stderr=out, preexec_fn=before, close_fds=False)
                    assert process.wait(PATIENCE) == 0
                seen.append(case.json("seen"))
            different = {key: (seen[0][key], seen[1][key]) for key in seen[0] if seen[0][key] != seen[1][key]}
            assert not different, "without loopknot, with: %s" % different


def times_are_ours():
    """What the command used is what its parent sees of us: time(1) and ulimit -t users rely on it."""
    with Case() as case:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        expect(case.run(command=[PYTHON, "-c", "import time\nwhile time.process_time() < 0.5: pass"]), 0)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        assert 0.5 <= used < 3, "%.2f s" % used
        return "%.2f s of 0.5" % used


def daemon_stays():
    """A server that a command leaves behind on purpose is not ours to end."""
    with Case() as case:
        expect(case.run(command=["sh", "-c", "setsid sleep 1000 >&- 2>&- & exit 3"]), 3, silent=True)
        time.sleep(0.2)
        assert len(case.alive()) == 1, case.describe() or "it was ended"


# ---- signals ---------------------------------------------------------------------------------------------------------

def each_signal_once(to_group):
    with Case() as case:
        process = case.start("--grace", "20s", command=[PYTHON, script("counter.py"), case.path("seen"), "SIGTERM"])
        case.wait_for("seen", "ready")
        names = ["SIGUSR1", "SIGINT", "SIGHUP", "SIGUSR2", "SIGINT", "SIGTERM"]
        expected = ["ready"]
        for name in names:
            (os.killpg if to_group else os.kill)(process.pid, getattr(signal, name))
            expected.append(name)
            until(lambda: case.read("seen").split()[:len(expected)] == expected, 10,
                  "%s (seen: %s)" % (expected, case.read("seen").split()))
            time.sleep(0.1)
        out, err = process.communicate(timeout=PATIENCE)
        assert case.read("seen").split() == expected, case.read("seen")
        assert process.returncode == 42 and not err, "status %d, %s" % (process.returncode, err)
        case.nothing_left()


def terminated(number):
    """SIGTERM, or any other end of loopknot: no process stays, not even daemons that ignore it."""
    with Case() as case:
        process = case.start("--grace", "1s", command=["sh", "-c", DAEMONS])
        case.wait_for("up")
        until(lambda: len(case.alive()) >= 6, what="the tree")
        os.kill(process.pid, number)
        process.wait(PATIENCE)
        case.nothing_left(5)
        assert process.returncode == (143 if number == signal.SIGTERM else -number), "status %d" % process.returncode
        return "status %d" % process.returncode


def group_killed():
    """SIGKILL to loopknot's whole process group, as some runners end a job: the guardian stands outside it."""
    with Case() as case:
        process = case.start(command=["sh", "-c", DAEMONS])
        case.wait_for("up")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
        case.nothing_left(5)


def killed_without_privileges():
    """Without a control group: another user's loopknot, by pidfds."""
    if os.getuid() != 0:
        raise lib.Skipped("needs root to become somebody else")
    nobody = pwd.getpwnam("nobody").pw_uid
    with Case() as case:
        shutil.copy(LOOPKNOT, case.path("loopknot"))
        process = subprocess.Popen([case.path("loopknot"), "run", "--", "sh", "-c", DAEMONS], env=case.env, cwd=case.folder,
                                   start_new_session=True, user=nobody, group=nobody, extra_groups=[])
        case.processes.append(process)
        case.wait_for("up")
        until(lambda: len(case.alive()) >= 6, what="the tree")
        process.kill()
        process.wait(PATIENCE)
        case.nothing_left(5)


def guardian_killed():
    with Case() as case:
        process = case.start(command=["sh", "-c", DAEMONS])
        case.wait_for("up")
        guardian = children(children(process.pid)[0])[0]
        os.kill(guardian, signal.SIGKILL)
        _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 125 and b"guardian" in err, "status %d, %s" % (process.returncode, err)
        case.nothing_left(5)


def examiner_killed():
    """Examinations fail in a process of their own: the command does not notice."""
    with Case() as case:
        process = case.start("--timeout", "1500ms", "--grace", "1s", command=["sleep", "1000"])
        until(lambda: len(case.alive()) >= 4, what="the tree")
        os.kill(children(process.pid)[0], signal.SIGKILL)
        _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 124, "status %d, %s" % (process.returncode, err)
        case.nothing_left(5)


def nested():
    """A run within a run: the inner one finds it, the outer one passes its status on."""
    with Case() as case:
        ran = case.run(command=[LOOPKNOT, "run", "--timeout", "500ms", "--grace", "1s", "--", "sh", "-c", DAEMONS])
        expect(ran, 124)
        assert "status 124 is the command's own" in ran.errors, ran.errors
        case.nothing_left(1)


def nested_killed():
    with Case() as case:
        process = case.start(command=[LOOPKNOT, "run", "--", "sh", "-c", DAEMONS])
        case.wait_for("up")
        until(lambda: len(case.alive()) >= 9, what="the tree")
        process.kill()
        process.wait(PATIENCE)
        case.nothing_left(5)


def examiner_crashed():
    """In the midst of the examination that was to convict: still a report of a failed test, and nothing left."""
    with Case() as case:
        outputs = [o for name in formats() for o in ("--output", "%s:%s" % (name, case.path(name)))]
        process = case.start("--timeout", "300ms", "--samples", "100", "--interval", "1000", "--grace", "1s", *outputs,
                             command=[PYTHON, "-c", "open('up', 'w').close()\nimport time\ntime.sleep(1000)"])
        case.wait_for("up")
        time.sleep(1.5)
        os.kill(children(process.pid)[0], signal.SIGKILL)
        _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 124 and b"could not be examined" in err, "status %d, %s" % (process.returncode, err)
        case.nothing_left(1)
        if os.path.exists(case.path("junit")):
            assert 'failures="1"' in case.read("junit"), case.read("junit")[:600]


# ---- terminals -------------------------------------------------------------------------------------------------------

class Terminal:
    """An interactive shell on a pseudo-terminal."""

    def __init__(self, case):
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            signal.pthread_sigmask(signal.SIG_SETMASK, set())
            os.chdir(case.folder)
            os.execve("/bin/bash", ["bash", "--norc", "--noprofile", "-i"], dict(case.env, PS1="$ ", TERM="dumb", HISTFILE=""))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def type(self, text):
        os.write(self.fd, text.encode())

    def expect(self, pattern, seconds=20):
        """Until what was printed since the last call matches; returns the match."""
        deadline = time.monotonic() + seconds
        while not (match := re.search(pattern, self.text)):
            ready, _, _ = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError("%r did not appear: %r" % (pattern, self.text[-500:]))
            self.text += os.read(self.fd, 65536).decode(errors="replace")
        self.text = self.text[match.end():]
        return match


def interrupt_key():
    with Case() as case, Terminal(case) as terminal:
        terminal.type("%s run -- %s %s seen SIGQUIT; echo status=$?\n" % (LOOPKNOT, PYTHON, script("counter.py")))
        case.wait_for("seen", "ready")
        terminal.type("\x03")
        case.wait_for("seen", "SIGINT")
        time.sleep(0.3)
        assert case.read("seen").split() == ["ready", "SIGINT"], case.read("seen")
        terminal.type("\x1c")
        terminal.expect(r"status=42")
        assert case.read("seen").split() == ["ready", "SIGINT", "SIGQUIT"], case.read("seen")


def interrupt_ends():
    with Case() as case, Terminal(case) as terminal:
        terminal.type("%s run -- sleep 1000\n" % LOOPKNOT)
        until(lambda: len(case.alive()) >= 5, what="the command")
        time.sleep(0.2)
        terminal.type("\x03")
        terminal.expect(r"\$ $")
        terminal.type("echo status=$?\n")
        terminal.expect(r"status=130")
        until(lambda: len(case.alive()) == 1, what="nothing but the shell")


def suspend_key():
    """^Z suspends all, the shell sees it, fg resumes all; time that stood still does not count."""
    with Case() as case, Terminal(case) as terminal:
        terminal.type("%s run --timeout 4s -- %s %s seen SIGQUIT\n" % (LOOPKNOT, PYTHON, script("counter.py")))
        case.wait_for("seen", "ready")
        terminal.type("\x1a")
        terminal.expect(r"Stopped")
        terminal.expect(r"\$ $")
        stopped = [pid for pid in case.alive() if driver.thread_state(pid, pid) == "T"]
        assert len(stopped) == 2, "stopped: %s of %s" % (stopped, case.describe())
        time.sleep(5)
        terminal.type("fg\n")
        case.wait_for("seen", "SIGCONT")
        until(lambda: all(driver.thread_state(pid, pid) != "T" for pid in case.alive()), what="going on")
        terminal.type("\x1c")
        terminal.expect(r"\$ $")
        terminal.type("echo status=$?\n")
        terminal.expect(r"status=42")
        assert case.read("seen").split() == ["ready", "SIGCONT", "SIGQUIT"], case.read("seen")


def suspend_key_ignored():
    """A command that takes no ^Z (an editor in raw mode) keeps the terminal, and we with it."""
    with Case() as case, Terminal(case) as terminal:
        terminal.type("%s run -- sh -c 'trap \"\" TSTP; echo > up; read line; echo got-$line'\n" % LOOPKNOT)
        case.wait_for("up")
        terminal.type("\x1a")
        time.sleep(0.5)
        assert not [pid for pid in case.alive() if driver.thread_state(pid, pid) == "T"]
        terminal.type("reply\n")
        terminal.expect(r"got-reply")
        # What is left at the end of a case is killed: the guardian shall have gone by itself before.
        until(lambda: not any(comm_of(pid).startswith("loopknot") for pid in case.alive()), 5, "the end of the guardian")


def suspended_by_kill():
    """SIGTSTP to loopknot alone stops the command too, SIGCONT to loopknot alone resumes it."""
    with Case() as case:
        process = case.start(command=["sh", "-c", "echo $$ > pid; while :; do sleep 0.05; done"])
        case.wait_for("pid", "\n")
        command = int(case.read("pid"))
        os.kill(process.pid, signal.SIGTSTP)
        time.sleep(0.3)
        # Its process group is orphaned here (nobody of its session is a parent): the kernel then ignores SIGTSTP, for both.
        assert driver.thread_state(command, command) == driver.thread_state(process.pid, process.pid) != "T"
        os.kill(command, signal.SIGSTOP)
        until(lambda: driver.thread_state(command, command) == "T", what="the stop")
        os.kill(process.pid, signal.SIGCONT)
        until(lambda: driver.thread_state(command, command) != "T", what="going on")
        process.terminate()
        process.wait(PATIENCE)


def job_in_background():
    with Case() as case, Terminal(case) as terminal:
        terminal.type("%s run -- sh -c 'echo > up; cat > got' &\n" % LOOPKNOT)
        case.wait_for("up")
        until(lambda: any(driver.thread_state(pid, pid) == "T" for pid in case.alive()), what="the stop by terminal input")
        time.sleep(0.2)
        terminal.type("\n")
        terminal.expect(r"Stopped")
        terminal.type("fg\n")
        terminal.expect(r"cat")
        time.sleep(0.3)
        terminal.type("hello\n\x04")
        case.wait_for("got", "hello")
        until(lambda: len(case.alive()) == 1, what="nothing but the shell")


def terminal_closed():
    with Case() as case, Terminal(case) as terminal:
        terminal.type("%s run --grace 1s -- sh -c %s\n" % (LOOPKNOT, "'%s'" % DAEMONS.replace("'", "'\\''")))
        case.wait_for("up")
        until(lambda: len(case.alive()) >= 7, what="the tree")
        terminal.close()
        case.nothing_left(10)


def pipeline():
    """In the middle of a pipeline of a job-control shell nobody loses the terminal."""
    with Case() as case, Terminal(case) as terminal:
        terminal.type("echo data | %s run -- cat | sh -c 'cat; read line < /dev/tty; echo got-$line'\n" % LOOPKNOT)
        terminal.expect(r"\r\ndata")
        terminal.type("reply\n")
        terminal.expect(r"got-reply")
        terminal.expect(r"\$ $")  # all of it has ended, not only the last: a guardian killed at its work leaves its control group


# ---- hangs -----------------------------------------------------------------------------------------------------------

def formats():
    """Formats that this build has, of those looked at here."""
    known = []
    for name in ("json", "markdown", "junit", "sarif", "tap"):
        ran = subprocess.run([LOOPKNOT, "run", "--output", "%s:/dev/null" % name, "--", "true"], check=False,
                             stderr=subprocess.DEVNULL)
        if ran.returncode == 0:
            known.append(name)
    return known


def check_set(case, name, verdict, at_least=1):
    report = case.json(name)
    assert report["schema"].startswith("loopknot.report-set/"), report["schema"]
    assert report["verdict"] == verdict, report["verdict"]
    assert len(report["reports"]) >= at_least, "%d reports" % len(report["reports"])
    with open(case.path(name), "rb") as file:
        problem = lib.invalid(file.read())
    assert problem is None, problem
    mask = os.umask(0)
    os.umask(mask)
    assert os.stat(case.path(name)).st_mode & 0o777 == 0o644 & ~mask
    return report


def guilty_line():
    with open(script("test_two_loops.py"), encoding="utf-8") as file:
        return next(n for n, line in enumerate(file, 1) if "the guilty line" in line)


def two_loops():
    with Case() as case:
        known = formats()
        outputs = [o for name in known for o in ("--output", "%s:%s" % (name, case.path(name)))]
        ran = case.run("--stall", "3s", *outputs, command=[*PYTEST, script("test_two_loops.py")])
        expect(ran, 124)
        case.nothing_left(0.5)
        report = check_set(case, "json", "deadlock")
        finding = report["reports"][0]["findings"][0]
        assert finding["rule"] == "LK102" and finding["culprit"]["line"] == guilty_line(), finding["culprit"]
        assert ran.out.strip() == b".", "standard output is the command's: %r" % ran.out
        assert "LK102" in ran.errors and "test_two_loops.py:%d" % guilty_line() in ran.errors
        if "junit" in known:
            text = case.read("junit")
            assert "test_two_loops" in text and "<failure" in text and "LK102" in text, text[:500]
        if "sarif" in known:
            results = case.json("sarif")["runs"][0]["results"]
            where = results[0]["locations"][0]["physicalLocation"]
            assert where["artifactLocation"]["uri"].endswith("test_two_loops.py"), where
            assert where["region"]["startLine"] == guilty_line(), where
        return "%.1f s; %s" % (ran.seconds, " ".join(known))


def untouched(command, least):
    with Case() as case:
        ran = case.run("--stall", "1s", "--output", "json:" + case.path("json"), command=command)
        expect(ran, 0)
        assert ran.err == b"", "it said: %s" % ran.errors
        assert ran.seconds >= least and not os.path.exists(case.path("json"))
        return "%.1f s" % ran.seconds


def slow_suite():
    return untouched([*PYTEST, script("test_slow.py")], 12)


def sleeping():
    return untouched(["sleep", "8"], 8)


# One of the tree stopped by a signal: every reader calls that stalled.
STOPS_A_CHILD = "import os, signal, time\npid = os.fork()\nif pid == 0:\n  time.sleep(1000)\nos.kill(pid, signal.SIGSTOP)\n"


def stalled_goes_on():
    """What anybody could end is told of once, and goes on."""
    with Case() as case:
        ran = case.run("--stall", "1s", command=[PYTHON, "-c", STOPS_A_CHILD + "time.sleep(9)\nos.kill(pid, 9)\nos.wait()"])
        expect(ran, 0)
        assert ran.errors.count("it goes on") == 1 and "LK501" in ran.errors, ran.errors[:1500]
        case.nothing_left()


def stalled_killed():
    with Case() as case:
        ran = case.run("--stall", "1s", "--stall-kill", "--grace", "3s", "--output", "json:" + case.path("json"), command=[
            PYTHON, "-c", STOPS_A_CHILD + "time.sleep(1000)"])
        expect(ran, 124)
        case.nothing_left(0.5)
        check_set(case, "json", "stalled", 2)
        assert ran.seconds < 20, "%.1f s: a stopped process acts on SIGTERM only when it goes on" % ran.seconds


# ---- what is hung, and what only holds something that is -----------------------------------------------------------------

DEADLOCKED = """
import threading, time
def deadlock():
    a, b = threading.Lock(), threading.Lock()
    def take(x, y):
        with x:
            time.sleep(0.2)
            with y:
                pass
    threads = [threading.Thread(target=take, args=v) for v in ((a, b), (b, a))]
    for t in threads:
        t.start()
    threads[0].join()
"""
ORDINARY = {
    "expects": "import os, subprocess, sys\nimport pytest\ndef test_expects():\n    with pytest.raises(subprocess.TimeoutExpired):\n"
               "        subprocess.run([sys.executable, '-c', 'import dead; dead.deadlock()'], timeout=7)\n",
    "leaves": "import threading, time\ndef test_leaves():\n    a, b = threading.Lock(), threading.Lock()\n    def take(x, y):\n"
              "        with x:\n            time.sleep(0.2)\n            with y:\n                pass\n"
              "    for v in ((a, b), (b, a)):\n        threading.Thread(target=take, args=v, daemon=True).start()\n"
              "def test_more():\n    time.sleep(7)\n",
    "server": "import subprocess, sys, time\nimport pytest\n@pytest.fixture\ndef server():\n"
              "    p = subprocess.Popen([sys.executable, '-c', 'import dead; dead.deadlock()'])\n    yield p\n    p.kill()\n    p.wait()\n"
              "def test_other(server):\n    time.sleep(7)\n",
}


def write_dead(case):
    with open(case.path("dead.py"), "w", encoding="ascii") as file:
        file.write(DEADLOCKED + "if __name__ == '__main__':\n    deadlock()\n")
    case.env["PYTHONPATH"] = case.folder


def ordinary_jobs():
    """A deadlock beside the way of the command to its end is told of, and does not end it."""
    with Case() as case:
        write_dead(case)
        commands = {}
        for name, text in ORDINARY.items():
            with open(case.path("test_%s.py" % name), "w", encoding="ascii") as file:
                file.write(text)
            commands[name] = [*PYTEST, case.path("test_%s.py" % name)]
        for name, text in (("kills", "    t = asyncio.create_task(p.wait())\n    await asyncio.sleep(7)\n    p.kill()\n    await t\n"),
                           ("limits", "    try:\n        await asyncio.wait_for(p.wait(), 7)\n    except asyncio.TimeoutError:\n"
                                      "        p.kill()\n        await p.wait()\n")):
            commands[name] = [PYTHON, "-c", "import asyncio, sys\nasync def main():\n"
                              "    p = await asyncio.create_subprocess_exec(sys.executable, 'dead.py')\n%sasyncio.run(main())" % text]
        line = "timeout 7 %s dead.py || echo skipped" % PYTHON
        with open(case.path("Makefile"), "w", encoding="ascii") as file:
            file.write("all:\n\t%s\n" % line)
        commands["timeout"] = ["sh", "-c", line]
        if shutil.which("make"):
            commands["make"] = ["make"]
        running = {name: case.start("--stall", "1s", command=command) for name, command in commands.items()}
        for name, process in running.items():
            out, err = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0, "%s: status %d; %s%s" % (name, process.returncode, out.decode(), err.decode())
            assert b"LK103" in err and b"it goes on" in err, "%s: %s" % (name, err.decode())
            assert err.count(b"\n") == 3, "%s: not three lines: %s" % (name, err.decode())
        case.nothing_left()


WITH_A_STUCK_POOL = ("import dead, select, socket, sys, threading\nfrom concurrent.futures import ProcessPoolExecutor\n"
                     "if __name__ == '__main__':\n    p = ProcessPoolExecutor(1)\n    p.submit(dead.deadlock)\n    %s\n"
                     "    for q in list(p._processes.values()):\n        q.kill()\n    import os\n    os._exit(0)\n")
STRANGERS = {
    "reads": "sys.stdin.read(1)",
    "polls": "select.select([sys.stdin], [], [])",
    "serves": "s = socket.create_server(('127.0.0.1', 0)); open('port', 'w').write('%d\\n' % s.getsockname()[1]); s.accept()",
}


def stranger_may_act():
    """All of the tree stands but for one who waits for somebody outside of it."""
    with Case() as case:
        write_dead(case)
        running = {name: case.start("--stall", "1s", command=[PYTHON, "-c", WITH_A_STUCK_POOL % text], stdin=subprocess.PIPE)
                   for name, text in STRANGERS.items()}
        case.wait_for("port", "\n")
        time.sleep(7)
        with socket.create_connection(("127.0.0.1", int(case.read("port")))):
            for name, process in running.items():
                _, err = process.communicate(b"x", timeout=PATIENCE)
                assert process.returncode == 0, "%s: status %d; %s" % (name, process.returncode, err.decode())
                assert b"LK103" in err and b"it goes on" in err, "%s: %s" % (name, err.decode())
        case.nothing_left()


def hung(command, *options, rule="LK103", within=30, also=()):
    """The command's own end is held up: ended, and the reports say by what."""
    with Case() as case:
        write_dead(case)
        for name, text in also:
            with open(case.path(name), "w", encoding="ascii") as file:
                file.write(text)
        outputs = [o for name in formats() for o in ("--output", "%s:%s" % (name, case.path(name)))]
        ran = case.run("--stall", "1s", "--grace", "2s", *options, *outputs, command=command)
        expect(ran, 124)
        case.nothing_left(1)
        report = case.json("json")
        rules = [f["rule"] for r in report["reports"] for f in r["findings"] if f["severity"] in ("deadlock", "stalled")]
        assert rules and rules[0] == rule, "%s: %s" % (rules, ran.errors[-1500:])
        results = case.json("sarif")["runs"][0]["results"]
        for place in [p for r in results for p in r["locations"]]:
            assert place["physicalLocation"]["artifactLocation"]["uri"] and place["physicalLocation"]["region"]["startLine"] > 0
        assert results and 'failures="1"' in case.read("junit"), case.read("junit")[:400]
        assert ran.seconds < within, "%.1f s" % ran.seconds
        return case.read("junit") + ran.text


DEAD = [PYTHON, "dead.py"]
CAPTURES = [PYTHON, "-c", "import subprocess, sys\nsubprocess.run([sys.executable, 'dead.py'], capture_output=True)"]
JOINS = [PYTHON, "-c", "import dead, multiprocessing\np = multiprocessing.get_context('fork').Process(target=dead.deadlock)\n"
                       "p.start()\np.join()"]
AT_EXIT = [PYTHON, "-c", "import dead, threading\nthreading.Thread(target=dead.deadlock).start()"]
AWAITS = [PYTHON, "-c", "import asyncio, sys\nasync def main():\n"
                        "    p = await asyncio.create_subprocess_exec(sys.executable, 'dead.py', stdout=-1)\n"
                        "    await p.communicate()\nasyncio.run(main())"]
POOL = [PYTHON, "-c", "import dead, time\nfrom concurrent.futures import ProcessPoolExecutor\nif __name__ == '__main__':\n"
                      "    with ProcessPoolExecutor(2) as p:\n        p.submit(time.sleep, 3)\n        p.submit(dead.deadlock).result()"]
AT_POOL_EXIT = [PYTHON, "-c", POOL[2].replace(".result()", "")]
JOBS = [PYTHON, "-c", "import dead, multiprocessing\nif __name__ == '__main__':\n"
                      "    with multiprocessing.get_context('fork').Pool(2) as p:\n        p.apply(dead.deadlock)"]
BACKGROUND = ["bash", "-c", "sleep 1000 & %s dead.py; echo done" % PYTHON]
BEATS = [PYTHON, "-c", "import dead, threading, time\ndef beat():\n    while True:\n        print('beat', flush=True)\n"
                       "        time.sleep(0.3)\nthreading.Thread(target=beat, daemon=True).start()\ndead.deadlock()"]
BEATS_AND_WAITS = [*BEATS[:2], BEATS[2].replace("dead.deadlock()", "import queue\nqueue.Queue().get()")]
TEAR = "import pytest, dead\n@pytest.fixture\ndef thing():\n    yield\n    dead.deadlock()\ndef test_tear(thing):\n    pass\n"


def hung_in_teardown():
    text = hung([*PYTEST, "test_tear.py"], also=[("test_tear.py", TEAR)])
    assert 'name="test_tear"' in text and "in its teardown" in text, text[:1000]


ASYNC_TEAR = ("import asyncio, unittest\nclass Case(unittest.IsolatedAsyncioTestCase):\n    async def test_it(self):\n        pass\n"
              "    async def asyncTearDown(self):\n        a, b = asyncio.Lock(), asyncio.Lock()\n        async def take(x, y):\n"
              "            async with x:\n                await asyncio.sleep(0.1)\n                async with y:\n"
              "                    pass\n        await asyncio.gather(take(a, b), take(b, a))\n")


def hung_in_async_teardown():
    """Up to 3.10 its loop runs for a future that another task sets."""
    seen = []
    for python in [PYTHON] + [p for p in map(shutil.which, ("python3.8", "python3.9", "python3.10")) if p]:
        if subprocess.run([python, "-c", ""], check=False, stderr=subprocess.DEVNULL).returncode == 0:
            text = hung([python, "-m", "unittest", "test_it"], rule="LK108", also=[("test_it.py", ASYNC_TEAR)])
            assert 'classname="test_it.Case" name="test_it"' in text and "in its teardown" in text, text[:1000]
            seen.append(os.path.basename(python))
    return " ".join(seen)


def first_signal():
    """--signal INT: pytest says itself where it was."""
    text = hung([*PYTEST, "test_tear.py"], "--signal", "INT", also=[("test_tear.py", TEAR)])
    assert "KeyboardInterrupt" in text, text[-1000:]
    with Case() as case:
        for word in ("NOPE", "0", "99"):
            expect(case.run("--signal", word, command=["true"]), 125)


def stood_still():
    """Nothing is known to be wrong with it: ended all the same, and it says where it stood."""
    text = hung(BEATS_AND_WAITS, "--stall-kill", rule="LK409", within=45)
    assert "STOOD STILL" in text, text[:1000]
    text = hung(["sleep", "1000"], "--stall-kill", rule="LK409")
    assert "STOOD STILL" in text, text[:1000]


def outputs_are_tried():
    with Case() as case:
        os.mkdir(case.path("folder"))
        for file in (case.path("none/x"), case.path("folder")):
            ran = case.run("--output", "json:" + file, command=["touch", case.path("ran")])
            expect(ran, 125)
            assert ran.one_line() and file in ran.errors, ran.errors
        with open(case.path("old"), "w", encoding="ascii") as file:
            file.write("as it was")
        expect(case.run("--output", "json:" + case.path("old"), command=["true"]), 0, silent=True)
        assert case.read("old") == "as it was" and sorted(os.listdir(case.folder)) == ["folder", "old"], os.listdir(case.folder)


def polling_shell():
    """A loop of short-lived children writes nothing and uses nothing: looked at again and again, and left alone."""
    with Case() as case:
        ran = case.run("--stall", "700ms", "-v", command=["sh", "-c", "i=0; while [ $i -lt 50 ]; do sleep 0.1; i=$((i+1)); done"])
        expect(ran, 0)
        assert "examining" in ran.errors, "it was never suspected"


def timed_out():
    """At the time limit: reports, then SIGTERM, then SIGKILL to what ignores it; daemons too."""
    with Case() as case:
        outputs = [o for name in formats() for o in ("--output", "%s:%s" % (name, case.path(name)))]
        ran = case.run("--timeout", "1s", "--grace", "1s", "--stall", "0", *outputs, command=["sh", "-c", DAEMONS])
        expect(ran, 124)
        case.nothing_left(0.5)
        if os.path.exists(case.path("junit")):
            text = case.read("junit")
            assert 'failures="1"' in text and "was ended after" in text, text[:600]
        if os.path.exists(case.path("tap")):
            assert "\nnot ok 1" in case.read("tap"), case.read("tap")[:300]
        check_set(case, "json", case.json("json")["verdict"], 4)
        assert 2 < ran.seconds < 20, "%.1f s" % ran.seconds
        return "%.1f s" % ran.seconds


def report_before_signal():
    with Case() as case:
        ran = case.run("--timeout", "1s", "--output", "json:" + case.path("json"), "--output", "text:" + case.path("text"),
                       command=["sh", "-c", "trap 'cp json text seen; ls > list; exit 0' TERM; mkdir seen; sleep 1000 & wait"])
        expect(ran, 124)
        assert case.read("seen/json") == case.read("json") and case.read("seen/text") == case.read("text")
        assert ".tmp" not in case.read("list"), case.read("list")
        check_set(case, "json", case.json("json")["verdict"], 2)
        case.nothing_left(0.5)


def terminated_in_grace():
    with Case() as case:
        process = case.start("--timeout", "500ms", "--grace", "50s", "--output", "json:" + case.path("json"),
                             command=["sh", "-c", DAEMONS])
        case.wait_for("json")
        time.sleep(0.5)
        process.terminate()
        process.communicate(timeout=20)
        assert process.returncode == 124, process.returncode
        case.nothing_left(3)


def terminated_in_examination(number):
    """A long examination is cut short, what there is gets written, and nothing stays."""
    with Case() as case:
        process = case.start("--timeout", "500ms", "--samples", "100", "--interval", "1000", "--grace", "1s", "-v",
                             "--output", "json:" + case.path("json"),
                             command=[PYTHON, "-c", "import os, time\nos.fork()\nopen('up', 'w').close()\ntime.sleep(1000)"])
        case.wait_for("up")
        time.sleep(2.5)
        assert process.poll() is None
        began = time.monotonic()
        os.kill(process.pid, number)
        _, err = process.communicate(timeout=30)
        if number != signal.SIGKILL:
            assert process.returncode == 124, "status %d: %s" % (process.returncode, err.decode()[-500:])
            check_set(case, "json", case.json("json")["verdict"])
        case.nothing_left(3)
        return "%.1f s after the signal" % (time.monotonic() - began)


def big_tree():
    """50 processes, one stopped, one no Python: everybody else is diagnosed; the deadlocked one is named."""
    program = """
import os, signal, subprocess, sys, threading, time
pids = []
for i in range(47):
    pid = os.fork()
    if pid == 0:
        if i == 5:
            a, b = threading.Lock(), threading.Lock()
            def take(x, y):
                with x:
                    time.sleep(0.5)
                    with y:
                        pass
            threading.Thread(target=take, args=(a, b)).start()
            take(b, a)
        time.sleep(1000)
    pids.append(pid)
os.kill(pids[10], signal.SIGSTOP)
subprocess.Popen(['sleep', '1000'])
subprocess.Popen(['sleep', '1000'], start_new_session=True)
os.waitpid(pids[5], 0)
"""
    with Case() as case:
        ran = case.run("--stall", "2s", "--grace", "5s", "--output", "json:" + case.path("json"), command=[PYTHON, "-c", program])
        expect(ran, 124)
        case.nothing_left(0.5)
        report = check_set(case, "json", "deadlock", 50)
        verdicts = [r["verdict"] for r in report["reports"]]
        assert len(verdicts) == 50 and verdicts.count("deadlock") == 1 and verdicts.count("stalled") == 1, verdicts
        assert verdicts.count("healthy") == 48, verdicts
        return "%.1f s" % ran.seconds


def gunicorn_tree():
    """A master and eight workers in one set, every one examined."""
    if not shutil.which("gunicorn", path="/usr/bin"):
        raise lib.Skipped("gunicorn is not there")
    with Case() as case:
        with open(case.path("app.py"), "w", encoding="ascii") as file:
            file.write("def app(environ, start):\n    start('200 OK', [])\n    return [b'']\n")
        ran = case.run("--timeout", "6s", "--grace", "10s", "--output", "json:" + case.path("json"),
                       command=[PYTHON, "-m", "gunicorn", "-w", "8", "-b", "127.0.0.1:0", "--log-level", "critical", "app:app"])
        expect(ran, 124)
        case.nothing_left(0.5)
        report = check_set(case, "json", case.json("json")["verdict"], 9)
        assert len(report["reports"]) == 9 and report["verdict"] == "stalled", report["verdict"]
        assert "LK409" in ran.errors and "RAN TOO LONG" in ran.errors, ran.errors[:1000]
        return "%.1f s, %s" % (ran.seconds, report["verdict"])


def core_files():
    if not shutil.which("gcore"):
        raise lib.Skipped("gcore is not there")
    with Case() as case:
        ran = case.run("--timeout", "500ms", "--core", case.path("cores"),
                       command=[PYTHON, "-c", "import time; time.sleep(1000)"])
        expect(ran, 124)
        files = os.listdir(case.path("cores"))
        assert len(files) == 1 and re.fullmatch(r"core\.\d+", files[0]), "%s; %s" % (files, ran.errors)
        mode = os.stat(os.path.join(case.path("cores"), files[0])).st_mode & 0o777
        assert mode == 0o600, oct(mode)
        case.nothing_left(0.5)
        os.chmod(case.path("cores"), 0o755)
        ran = case.run("--core", case.path("cores"), command=["true"])
        expect(ran, 125)
        assert "chmod 700" in ran.errors, ran.errors


def secrets_stay():
    """What a report names the command by hides secrets as command lines do."""
    with Case() as case:
        known = formats()
        outputs = [o for name in known for o in ("--output", "%s:%s" % (name, case.path(name)))]
        ran = case.run("--timeout", "300ms", *outputs, command=["sh", "-c", "sleep 1000", "sh", "--password", "hunter2"])
        expect(ran, 124)
        for name in known:
            assert "hunter2" not in case.read(name), name
        assert "hunter2" not in ran.errors


def cgroups():
    """Control groups of guardians that are gone."""
    with open("/proc/self/mountinfo", encoding="ascii") as file:
        points = [line.split()[4] for line in file if " - cgroup2 " in line]
    return {os.path.join(folder, name) for point in points for folder, folders, _ in os.walk(point)
            for name in folders if name.startswith("loopknot-") and not os.path.exists("/proc/" + name.partition("-")[2])}


CASES = [
    ("own statuses", own_statuses), ("statuses like ours", statuses_like_ours), ("not startable", not_startable),
    ("wrong usage", wrong_usage), ("without --", without_dashes),
    ("streams", streams), ("end of stream", end_of_stream), ("closed streams", closed_streams),
    ("same surroundings", same_surroundings),
    ("times", times_are_ours), ("daemon stays", daemon_stays),
    ("each signal once, alone", each_signal_once, False), ("each signal once, group", each_signal_once, True),
    ("SIGTERM", terminated, signal.SIGTERM), ("SIGKILL", terminated, signal.SIGKILL), ("SIGKILL to the group", group_killed),
    ("SIGKILL, no privileges", killed_without_privileges), ("guardian killed", guardian_killed),
    ("examiner killed", examiner_killed), ("examiner killed at work", examiner_crashed),
    ("nested", nested), ("nested, SIGKILL", nested_killed),
    ("^C, once", interrupt_key), ("^C ends", interrupt_ends), ("^Z and fg", suspend_key),
    ("^Z ignored", suspend_key_ignored), ("SIGTSTP by kill", suspended_by_kill),
    ("background job reads", job_in_background), ("terminal closed", terminal_closed), ("pipeline", pipeline),
    ("two loops", two_loops), ("sleep", sleeping), ("slow suite", slow_suite), ("polling shell", polling_shell),
    ("ordinary jobs beside a deadlock", ordinary_jobs), ("a stranger may act", stranger_may_act),
    ("hung: itself", hung, DEAD), ("hung: reads a hung child", hung, CAPTURES), ("hung: joins a hung process", hung, JOINS),
    ("hung: at its exit", hung, AT_EXIT), ("hung: awaits a hung process", hung, AWAITS),
    ("hung: a process pool's worker", hung, POOL),
    ("hung: a process pool's end", hung, AT_POOL_EXIT), ("hung: a pool's worker", hung, JOBS),
    ("hung: below a shell with jobs", hung, BACKGROUND),
    ("hung: something beats and writes", hung, BEATS), ("hung: in a teardown", hung_in_teardown),
    ("hung: in a teardown of unittest's", hung_in_async_teardown),
    ("hung: --signal", first_signal), ("stood still", stood_still), ("outputs are tried", outputs_are_tried),
    ("stalled goes on", stalled_goes_on), ("stalled, --stall-kill", stalled_killed), ("time limit", timed_out),
    ("report before signal", report_before_signal), ("SIGTERM in the grace", terminated_in_grace),
    ("SIGTERM in the examination", terminated_in_examination, signal.SIGTERM),
    ("SIGINT in the examination", terminated_in_examination, signal.SIGINT),
    ("SIGKILL in the examination", terminated_in_examination, signal.SIGKILL),
    ("50 processes", big_tree), ("gunicorn and 8 workers", gunicorn_tree), ("core files", core_files), ("secrets", secrets_stay),
]


def no_group_left(before):
    """None with a process in it. An empty one may stay where all that would remove it were killed: it is removed here, and said."""
    def inhabited():
        return [g for g in cgroups() - before if os.path.exists(g) and open(os.path.join(g, "cgroup.procs")).read()]
    until(lambda: not inhabited(), 8, "the end of the control groups")
    empty = [g for g in cgroups() - before if os.path.isdir(g)]
    for group in empty:
        with contextlib.suppress(FileNotFoundError):
            os.rmdir(group)
    return "%d empty ones removed" % len(empty) if empty else ""


def main():
    wanted = sys.argv[1:]
    for ignored in (signal.SIGHUP, signal.SIGQUIT):  # by nohup, or a shell's background job; commands would inherit that
        signal.signal(ignored, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    tally = Tally("watchdog")
    before = cgroups()
    for name, function, *args in CASES:
        if not wanted or any(word in name for word in wanted):
            tally.run(name, function, *args)
    tally.run("no control group left", no_group_left, before)
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
