#!/usr/bin/python3
"""The target never notices: attaches, kills of the tool, hostile names. Last line: unharmed: N passed, N failed[, N skipped].

ATTACHES (30) is how often the attach cases attach; KILLS (a fifth of it, at least 15) how often the tool is killed.
"""
import fcntl
import json
import mmap
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

import lib
from lib import driver, loopknot

ATTACHES = int(os.environ.get("ATTACHES", "30"))
KILLS = int(os.environ.get("KILLS", str(max(15, ATTACHES // 5))))
NATIVE = os.path.join(lib.ROOT, "scenarios", "targets", "native_eintr")
HOSTILE = os.path.join(lib.ROOT, "scenarios", "targets", "hostile_names", "server.py")
SECRET = "do-not-print-this-line-4711"
NOBODY = 65534
COUNTERS = 16


def build(name, folder, *libraries):
    """Compiles one of the native targets."""
    program = os.path.join(folder, name)
    ran = subprocess.run([os.environ.get("CC", "cc"), "-O1", "-g", "-D_GNU_SOURCE", "-Wall", "-o", program,
                          os.path.join(NATIVE, name + ".c"), "-lpthread", *libraries],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert ran.returncode == 0, ran.stdout.decode(errors="replace")
    return program


class Native(lib.Child):
    """A native target that has said that it is ready, and its counters."""

    def __init__(self, program, folder, **popen):
        path = program + ".counters"
        super().__init__([program, path], end=signal.SIGTERM, stdout=subprocess.PIPE, stderr=open(path + ".log", "wb"), **popen)
        line = self.process.stdout.readline()
        assert line == b"ready\n", "the target did not start: %r" % line
        self.log = path + ".log"
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), COUNTERS * 8)

    def counter(self, which):
        return int.from_bytes(self.map[8 * which:8 * which + 8], "little")

    def counters(self, number):
        return [self.counter(i) for i in range(number)]

    def dead(self):
        """Why it ended; None while it lives."""
        if self.alive():
            return None
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return "the target has ended (%s): %s" % (self.process.returncode, file.read())

    def all_advance(self, number, seconds=3.0):
        """Every one of the first counters moves on."""
        before, deadline = self.counters(number), time.monotonic() + seconds
        while any(now == then for now, then in zip(self.counters(number), before)):
            assert not self.dead(), self.dead()
            if time.monotonic() > deadline:
                raise AssertionError("threads that do not go on: %s"
                                     % [i for i, (now, then) in enumerate(zip(self.counters(number), before)) if now == then])
            time.sleep(0.01)


EINTR_THREADS, EINTR_SIGNALS = 5, 5  # beating threads; index of the signal counter


def attaches_do_not_interrupt(folder):
    """epoll_wait, semop, sigtimedwait and recv with a timeout are never interrupted; no signal is lost."""
    with Native(build("eintr", folder), folder) as target:
        sent = 0
        for number in range(ATTACHES):
            samples = (1, 3)[number % 2]
            process = subprocess.Popen([lib.LOOPKNOT, "--format", "json", "--samples", str(samples), "--interval", "10", str(target.pid)],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            deadline = time.monotonic() + lib.TOOL_TIMEOUT
            for _ in range(10):
                os.kill(target.pid, signal.SIGRTMIN + 1)
                sent += 1
                time.sleep(0.002)
            out, err = process.communicate(timeout=max(1, deadline - time.monotonic()))
            assert not target.dead(), "attach %d: %s" % (number + 1, target.dead())
            assert process.returncode in (0, 4), "attach %d: status %d: %s" % (number + 1, process.returncode, err.decode())
            assert len(json.loads(out)["threads"]) == 7, "attach %d: %d threads" % (number + 1, len(json.loads(out)["threads"]))
            trouble = lib.thread_trouble(target.pid)
            assert not trouble, "attach %d: %s" % (number + 1, trouble)
        target.all_advance(EINTR_THREADS)
        lib.until(lambda: target.counter(EINTR_SIGNALS) >= sent, 2, "%d signals (%d came)" % (sent, target.counter(EINTR_SIGNALS)))
        assert target.counter(EINTR_SIGNALS) == sent, "%d signals of %d sent" % (target.counter(EINTR_SIGNALS), sent)
        return "%d attaches, %d signals, none lost" % (ATTACHES, sent)


def lost_wakeup_stays_lost(folder):
    if not os.path.exists("/usr/include/event2/event.h"):
        raise lib.Skipped("libevent-dev is not installed")
    with Native(build("lost_wakeup", folder, "-levent_core"), folder) as target:
        assert target.counter(0) == 0, "the wakeup was not lost to begin with"
        for number in range(ATTACHES):
            ran = loopknot("--samples", str((1, 3)[number % 2]), "--interval", "10", target.pid)
            assert ran.status in (0, 1, 4), ran.errors
            assert target.counter(0) == 0, "attach %d cured the lost wakeup" % (number + 1)
            assert not lib.thread_trouble(target.pid), lib.thread_trouble(target.pid)
        before = target.counter(1)
        lib.until(lambda: target.counter(1) > before, what="the other thread's heartbeat")
        return "%d attaches" % ATTACHES


def gdb_would(folder):
    """The control: an ordinary debugger's attach does interrupt the one and cures the other, so these tests can fail."""
    if not shutil.which("gdb"):
        raise lib.Skipped("no gdb")
    gdb = ["gdb", "-nx", "-batch", "-ex", "set debuginfod enabled off", "-p"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "timeout": 60}
    with Native(build("eintr", folder), folder) as target:
        subprocess.run([*gdb, str(target.pid)], **quiet)
        lib.until(lambda: target.dead(), 5, "the abort of the target that gdb has interrupted")
    if os.path.exists("/usr/include/event2/event.h"):
        with Native(build("lost_wakeup", folder, "-levent_core"), folder) as target:
            subprocess.run([*gdb, str(target.pid)], **quiet)
            lib.until(lambda: target.counter(0) == 1, 5, "the cure of the lost wakeup that gdb has interrupted")


def vfork_wait(folder):
    with Native(build("vfork_wait", folder), folder, stdin=subprocess.PIPE) as target:
        for number in range(max(5, ATTACHES // 6)):
            ran = loopknot("--samples", "2", "--interval", "10", target.pid)
            assert ran.status in (0, 1, 3, 4), ran.errors
            ended = target.counter(0)
            target.process.stdin.write(b"x")
            target.process.stdin.flush()
            lib.until(lambda: target.counter(0) > ended, 5, "the thread's return from vfork after attach %d" % (number + 1))
            lib.until(lambda: not lib.thread_trouble(target.pid), 5, "threads that run: %s" % lib.thread_trouble(target.pid))
        target.process.stdin.close()
        target.process.wait(5)


def in_session(command):
    """The tool in a session of its own; the way to reach all its processes."""
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True), None


def in_terminal(command):
    """The tool in a terminal of its own; the end that, when closed, closes the terminal."""
    ours, theirs = os.openpty()

    def control():
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=control)
    os.close(theirs)
    return process, ours


def drain(terminal, seconds):
    """Sleeps, reading what is printed, so that the terminal's buffer never holds the tool up."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if terminal is None:
            time.sleep(left)
        elif select.select([terminal], [], [], left)[0]:
            try:
                os.read(terminal, 65536)
            except OSError:
                return


def kills(folder, hit, start=in_session):
    """The tool is hit at random moments; the target runs on every time."""
    with Native(build("eintr", folder), folder) as target:
        command = [lib.LOOPKNOT, "--samples", "3", "--interval", "15", str(target.pid)]
        usual = loopknot(*command[1:]).seconds
        dice, before_the_end = random.Random(4711), 0
        for number in range(KILLS):
            process, terminal = start(command)
            drain(terminal, dice.uniform(0, usual))
            if process.poll() is None:
                before_the_end += 1
                hit(process, terminal)
            elif terminal is not None:
                os.close(terminal)
            process.wait(10)
            trouble = lib.settled_trouble(target.pid)
            assert not trouble, "time %d: %s" % (number + 1, trouble)
            target.all_advance(EINTR_THREADS)
        assert before_the_end > 0, "the tool was always done before it could be hit"
        return "%d times, %d of them before its end, within %.0f ms" % (KILLS, before_the_end, usual * 1000)


def session_gets(number):
    return lambda process, terminal: os.killpg(process.pid, number)


def tool_gets(number):
    return lambda process, terminal: process.send_signal(number)


def terminal_closes(process, terminal):
    os.close(terminal)


# ---- what the tool does to a target, by strace ----------------------------------------------

FORBIDDEN = [
    (r"ptrace\(PTRACE_(POKE\w+|SETREGS\w*|SETFPREGS|SETREGSET|SETSIGINFO|ATTACH|KILL|SYSCALL|SINGLESTEP)", "writes or old-style ptrace requests"),
    (r"process_vm_writev\(", "process_vm_writev"),
    (r'open(at2?)?\(.*"(/proc/\d+/)?(task/\d+/)?mem", .*O_(WRONLY|RDWR)', "opens memory for writing"),
    (r"(tg|t)?kill\(TARGET[,)]", "signals to the target"),
    (r"pidfd_send_signal\(", "signals to the target"),
    (r"execve\(", "runs another program"),
]


def nothing_written(folder):
    if not shutil.which("strace"):
        raise lib.Skipped("no strace")
    log = os.path.join(folder, "strace.log")
    with driver.Scenario("lk101_loop_waits_on_itself", "flask_self_wait") as scenario:
        scenario.ready()
        ran = subprocess.run(["strace", "-f", "-qq", "-s", "256", "-o", log, lib.LOOPKNOT, "--stop", "all", str(scenario.pid)],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=lib.TOOL_TIMEOUT)
        assert ran.returncode in (0, 1, 4), ran.stderr.decode(errors="replace")
        pid = scenario.pid
        tids = driver.thread_ids(pid)
    with open(log, encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    calls = [line for line in lines if "execve(" not in line or lib.LOOPKNOT not in line]
    assert any("process_vm_readv(" in line for line in calls), "strace saw no reading: the test is blind"
    assert any("PTRACE_SEIZE" in line for line in calls), "strace saw no stop with --stop all: the test is blind"
    for pattern, what in FORBIDDEN:
        for target in [pid] + tids:
            found = [line for line in calls if re.search(pattern.replace("TARGET", str(target)), line)]
            assert not found, "%s: %s" % (what, found[0])
    return "%d system calls" % len(lines)


# ---- hostile names ----------------------------------------------------------------------------

def printable(data, what):
    """Valid UTF-8 without control characters but the newline, and no line that a CI system would obey."""
    text = data.decode("utf-8")
    bad = [c for c in text if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 or c in "\u202a\u202b\u202c\u202d\u202e\u2028\u2029"]
    assert not bad, "%s holds control characters: %s" % (what, sorted({hex(ord(c)) for c in bad}))
    obeyed = [line for line in text.splitlines() if line.lstrip().startswith("::")]
    assert not obeyed, "%s holds lines that a CI system obeys: %r" % (what, obeyed[0][:100])
    assert SECRET not in text, "%s holds a file that the target may not read" % what
    assert "hunter2" not in text, "%s holds a password of the command line" % what
    return text


def hostile(folder):
    """Names that attack, sources that must not be opened: every format complete, valid, harmless."""
    work = os.path.join(folder, "hostile")
    os.mkdir(work)
    secret = os.path.join(folder, "secret")
    with open(secret, "w", encoding="utf-8") as file:
        file.write("%s\n" % SECRET * 20)
    os.chmod(secret, 0o600)
    command = [driver.PYTHON, HOSTILE, work, secret, "--password=hunter2", "--url=http://user:hunter2@localhost/",
               "\x1b[31mevil\n::error::argument]]><script>"]
    if os.geteuid() == 0 and shutil.which("setpriv"):
        os.chmod(folder, 0o755)
        os.chown(work, NOBODY, NOBODY)
        command = ["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups", *command]
    with lib.Child(command, stdout=subprocess.PIPE, stderr=None) as target:
        ready = json.loads(target.process.stdout.readline())
        ran = loopknot("--format", "json", "--all", ready["pid"], timeout=30)
        assert ran.status in (0, 1, 4), "status %d: %s" % (ran.status, ran.errors[:300])
        assert not lib.invalid(ran.out), lib.invalid(ran.out)
        text = json.dumps(json.loads(ran.out), ensure_ascii=False, indent=1)
        escaped = [c for c in re.findall(r"\\u00[01][0-9a-f]|\\[nrbt]", text)]
        assert not escaped, "strings of the report hold control characters: %s" % sorted(set(escaped))
        printable(text.encode("utf-8", "surrogatepass"), "json")
        threads = {t["tid"]: t for t in json.loads(ran.out)["threads"]}
        missing = [t for t in ready["threads"] if t not in threads]
        assert not missing, "%d threads are missing" % len(missing)
        frameless = [t for t in ready["threads"] if not any("evil" in f["function"] for f in threads[t]["python"])]
        assert not frameless, "%d threads lack their function" % len(frameless)
        for tid in ready["threads"]:
            frame = next(f for f in threads[tid]["python"] if "evil" in f["function"])
            assert frame["line"] == 7, "line %s, not 7" % frame["line"]
        for style in ("text", "markdown"):
            shown = loopknot("--format", style, "--all", ready["pid"], timeout=30)
            assert shown.status in (0, 1, 4), "%s: status %d" % (style, shown.status)
            page = printable(shown.out, style)
            if style == "markdown":
                outside = re.sub(r"(?s)```.*?```|`[^`\n]*`", "", page)
                assert "<script>" not in outside, "markdown holds markup outside of code"
        assert not lib.thread_trouble(ready["pid"])
        return "%d threads" % len(threads)


CASES = [
    ("attaches interrupt no call, lose no signal", attaches_do_not_interrupt),
    ("a lost wakeup stays lost (libevent)", lost_wakeup_stays_lost),
    ("control: gdb would be noticed", gdb_would),
    ("a thread in vfork", vfork_wait),
    ("kill -9 of the tool and its helper", kills, session_gets(signal.SIGKILL)),
    ("kill -9 of the tool alone", kills, tool_gets(signal.SIGKILL)),
    ("SIGTERM to the tool", kills, tool_gets(signal.SIGTERM)),
    ("SIGINT from the terminal", kills, session_gets(signal.SIGINT)),
    ("the terminal is closed", kills, terminal_closes, in_terminal),
    ("nothing is written (strace)", nothing_written),
    ("hostile names and sources", hostile),
]


def main():
    tally = lib.Tally("unharmed")
    for case, function, *args in CASES:
        if len(sys.argv) < 2 or any(word in case for word in sys.argv[1:]):
            with tempfile.TemporaryDirectory(prefix="loopknot-unharmed-") as folder:
                tally.run(case, function, folder, *args)
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
