#!/usr/bin/python3
"""What loopknot says and how it ends when it cannot do, or must not do, what was asked. Last line: errors: N passed, N failed."""
import errno
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

import lib
from lib import driver, loopknot

NOBODY = 65534


def expect(ran, *statuses):
    assert ran.status in statuses, "status %d, expected %s; stderr: %s" % (ran.status, statuses, ran.errors.strip()[:400])


def refusal(ran, *words):
    """Status 3 and one line that holds one of the words."""
    expect(ran, 3)
    assert ran.one_line(), "not one line on stderr alone: %r / %r" % (ran.errors, ran.text[:200])
    if words:
        assert any(w in ran.errors.lower() for w in words), "the line does not say why: %s" % ran.errors
    return ran.errors.strip()[:110]


def free_pid():
    """A process id that just ceased to exist."""
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


# ---- usage ------------------------------------------------------------------------------

def wrong_usage(*args):
    ran = loopknot(*args)
    expect(ran, 2)
    assert ran.out == b"", "something on standard output: %r" % ran.out[:200]
    assert ran.err.strip(), "no word on standard error"
    return ran.errors.strip().splitlines()[0][:90]


def version():
    ran = loopknot("--version")
    expect(ran, 0)
    assert re.search(r"\d+\.\d+", ran.text) and ran.text.count("\n") == 1, ran.text
    return ran.text.strip()


def help_text(*args):
    ran = loopknot(*args)
    expect(ran, 0)
    assert "attach" in ran.text and len(ran.text.splitlines()) > 5, ran.text[:300]


def rules():
    ran = loopknot("rules")
    expect(ran, 0)
    missing = [r for r in ("LK101", "LK102", "LK108", "LK201", "LK202", "LK203", "LK205", "LK301", "LK302", "LK305", "LK401",
                           "LK405", "LK406", "LK407", "LK408", "LK501") if r not in ran.text]
    assert not missing, "not listed: %s" % missing


def explain():
    ran = loopknot("explain", "LK101")
    expect(ran, 0)
    assert "loop" in ran.text.lower() and len(ran.text.splitlines()) >= 3, ran.text


def full_disk():
    """A report that could not be written is not a success."""
    with lib.sleeper() as target, open("/dev/full", "wb") as full:
        process = subprocess.run([lib.LOOPKNOT, "--samples", "1", str(target.pid)], stdout=full, stderr=subprocess.PIPE,
                                 timeout=lib.TOOL_TIMEOUT)
    assert process.returncode > 0, "status %d" % process.returncode
    assert process.stderr.strip(), "no word on standard error"


# ---- targets that cannot be examined ------------------------------------------------------

def too_large():
    """A report or summary that outgrows RLIMIT_FSIZE is said and leaves nothing behind; the process lives."""
    def limited(*args, **more):
        return loopknot(*args, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024)), **more)

    with lib.sleeper() as target, tempfile.TemporaryDirectory() as folder:
        page = os.path.join(folder, "page")
        with open(page, "w", encoding="ascii") as file:
            file.write("before\n")
        ran = limited("--samples", "1", "--output", "json:%s/report" % folder, target.pid)
        expect(ran, 3)
        assert os.strerror(errno.EFBIG) in ran.errors, ran.errors
        ran = limited("--samples", "1", "--format", "github", target.pid, env={**os.environ, "GITHUB_STEP_SUMMARY": page})
        assert ran.status == 0 and os.strerror(errno.EFBIG) in ran.errors, (ran.status, ran.errors)
        with open(page, encoding="ascii") as file:
            assert file.read() == "before\n", "a part of the summary was left"
        assert os.listdir(folder) == ["page"], os.listdir(folder)


def no_such_process():
    return refusal(loopknot(free_pid()), "no such process", "no process", "does not exist")


def zombie():
    child = subprocess.Popen(["true"])
    try:
        lib.until(lambda: driver.thread_state(child.pid, child.pid) == "Z", what="zombie")
        ran = loopknot("--format", "json", child.pid)
        if ran.status == 3:
            return refusal(ran, "zombie", "ended", "exited", "defunct")
        expect(ran, 1)
        assert "LK501" in ran.text, ran.text[:300]
    finally:
        child.wait()


def names_are_redacted():
    """Refusals name the process as it calls itself."""
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "token=hunter2")
        os.symlink("/usr/bin/true", program)
        child = subprocess.Popen([program])
        try:
            lib.until(lambda: driver.thread_state(child.pid, child.pid) == "Z", what="zombie")
            ran = loopknot(child.pid)
            assert ran.status == 3 and "(token=***)" in ran.errors and "hunter2" not in ran.errors, ran.errors
        finally:
            child.wait()


def kernel_thread():
    try:
        with open("/proc/2/comm", encoding="utf-8") as file:
            name = file.read().strip()
    except OSError:
        name = ""
    if name != "kthreadd":
        raise lib.Skipped("process 2 is no kernel thread here")
    return refusal(loopknot(2), "kernel")


def other_machine():
    """A program of 32 bits: pause(2) for ever, for the i386 that x86-64 kernels run beside their own."""
    code = b"\xb8\x1d\0\0\0" b"\xcd\x80" b"\xeb\xf7"  # mov $29, %eax; int $0x80; jmp back
    size = 52 + 32 + len(code)
    image = (b"\x7fELF\1\1\1" + 9 * b"\0" + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, 0x8048054, 52, 0, 0, 52, 32, 1, 0, 0, 0) +
             struct.pack("<IIIIIIII", 1, 0, 0x8048000, 0x8048000, size, size, 5, 4096) + code)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "paused")
        with open(path, "wb") as f:
            f.write(image)
        os.chmod(path, 0o755)
        try:
            target = lib.Child([path])
        except OSError as e:
            raise lib.Skipped(e.strerror) from e
        with target:
            return refusal(loopknot(target.pid), "32-bit")


def other_user():
    """nobody examines root's process."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise lib.Skipped("needs root and setpriv")
    with lib.sleeper() as target:
        ran = loopknot(target.pid, before=("setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups"))
        line = refusal(ran, "permi", "uid", "user", "root")
        assert "loopknot" in ran.errors.rpartition(":")[2] or "sudo" in ran.errors, "no command to type instead: %s" % ran.errors
        assert not lib.thread_trouble(target.pid)
        return line


def own_user():
    """nobody examines nobody's process: no root is needed for one's own."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise lib.Skipped("needs root and setpriv")
    nobody = ("setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups")
    try:
        with open("/proc/sys/kernel/yama/ptrace_scope", encoding="utf-8") as file:
            if file.read().strip() != "0":
                raise lib.Skipped("Yama restricts ptrace here")
    except FileNotFoundError:
        pass
    with lib.Child([*nobody, driver.PYTHON, "-c", "import os, time; os.write(1, b'x'); time.sleep(1000)"],
                   stdout=subprocess.PIPE) as target:
        target.process.stdout.read(1)
        ran = loopknot("--format", "json", "--samples", "1", target.pid, before=nobody, cwd="/")
        expect(ran, 0)
        report = lib.parse(ran)
        assert report["threads"][0]["python"], "no Python frames"


# ---- targets that are special -------------------------------------------------------------

def not_python():
    with lib.Child(["sleep", "1000"]) as target:
        lib.until(lambda: driver.thread_state(target.pid, target.pid) == "S", what="sleep")
        ran = loopknot("--format", "json", "--samples", "1", target.pid)
        expect(ran, 0, 4)
        report = lib.parse(ran)
        assert not lib.invalid(ran.out), lib.invalid(ran.out)
        names = [f["function"] or "" for f in report["threads"][0]["native"]]
        assert any("nanosleep" in n for n in names), "the native stack lacks nanosleep: %s" % names
        assert report["target"]["python"] is None, "python: %s" % report["target"]["python"]
        return "%s: %s" % (report["verdict"], " < ".join(names[:3]))


def traced_by_strace():
    if not shutil.which("strace"):
        raise lib.Skipped("no strace")
    with lib.sleeper() as target, lib.Child(["strace", "-f", "-o", "/dev/null", "-p", str(target.pid)], end=signal.SIGTERM):
        lib.until(lambda: driver.thread_status(target.pid, target.pid)["TracerPid"] != "0", what="strace")
        ran = loopknot("--samples", "1", target.pid)
        expect(ran, 0, 1, 3, 4)
        assert "strace" in ran.text + ran.errors, "the tracer is not named: %s%s" % (ran.text[:300], ran.errors)
        assert target.alive(), "the target has ended"


def stopped_by_gdb():
    if not shutil.which("gdb"):
        raise lib.Skipped("no gdb")
    with lib.sleeper() as target:
        command = ["gdb", "-nx", "-batch", "-ex", "set debuginfod enabled off", "-ex", "shell sleep 1000", "-p", str(target.pid)]
        with lib.Child(command, end=signal.SIGKILL, start_new_session=True) as gdb:
            lib.until(lambda: driver.thread_state(target.pid, target.pid) == "t", 30, "gdb's stop")
            ran = loopknot("--format", "json", target.pid)
            os.killpg(gdb.pid, signal.SIGKILL)
        expect(ran, 1)
        report = lib.parse(ran)
        assert report["verdict"] == "stalled" and report["findings"][0]["rule"] == "LK501", \
            "%s %s" % (report["verdict"], report["findings"][:1])
        assert "gdb" in ran.text, "gdb is not named"
        lib.until(lambda: not lib.thread_trouble(target.pid), what="the target to run on")


def several():
    with lib.sleeper() as one, lib.sleeper() as two:
        ran = loopknot("--format", "json", "--samples", "1", one.pid, two.pid)
        expect(ran, 0)
        whole = lib.parse(ran)
        assert whole["schema"] == "loopknot.report-set/1", whole["schema"]
        assert sorted(r["target"]["pid"] for r in whole["reports"]) == sorted([one.pid, two.pid])
        assert not lib.invalid(ran.out), lib.invalid(ran.out)


def several_one_gone():
    with lib.sleeper() as one:
        ran = loopknot("--format", "json", "--samples", "1", one.pid, free_pid())
        assert ran.status in (3, 4), "status %d: it must not look like all were examined" % ran.status
        assert ran.err.count(b"\n") == 1, "stderr: %r" % ran.errors
        assert lib.reports_of(lib.parse(ran))[0]["target"]["pid"] == one.pid
        return "status %d" % ran.status


def exits_meanwhile():
    """The target ends between the samples, and in the middle of them, at different moments."""
    for delay in (0.0, 0.02, 0.05, 0.1, 0.3):
        with lib.Child([driver.PYTHON, "-c", "import os, time; os.write(1, b'x'); time.sleep(%g)" % delay],
                       stdout=subprocess.PIPE) as target:
            target.process.stdout.read(1)
            ran = loopknot("--format", "json", "--samples", "30", "--interval", "30", target.pid)
            expect(ran, 0, 1, 3, 4)
            if ran.status == 3:
                refusal(ran)
            else:
                assert not lib.invalid(ran.out), lib.invalid(ran.out)
                assert lib.parse(ran)["limits"], "nothing in limits tells that the target ended"


NOWHERE = 0x6f0000001000
TORN = '''
import asyncio, ctypes, os, time
async def main():
    others = [asyncio.ensure_future(asyncio.sleep(1000)) for _ in range(3)]
    await asyncio.sleep(0)
    registry = getattr(asyncio.tasks, "_all_tasks", None) or asyncio.tasks._scheduled_tasks
    registry.add(others[0])
    # PySetObject.table (Include/cpython/setobject.h); nothing looks at it any more until the process is killed.
    ctypes.c_size_t.from_address(id(registry.data) + 40).value = %d
    os.write(1, b"x")
    time.sleep(1000)
asyncio.run(main())
''' % NOWHERE


def read_that_fails():
    """A pointer in the target leads to memory that is not there: where, how much, why and what is told."""
    with lib.Child([driver.PYTHON, "-c", TORN], stdout=subprocess.PIPE, end=signal.SIGKILL) as target:
        target.process.stdout.read(1)
        ran = loopknot("--format", "json", "--samples", "1", target.pid)
        expect(ran, 0, 1, 4)
        assert not lib.invalid(ran.out), lib.invalid(ran.out)
        report = lib.parse(ran)
        found = [d for d in report["limit_details"] if d["address"] and int(d["address"], 16) // 4096 == NOWHERE // 4096]
        assert found, "no limit tells the address: %s" % report["limit_details"]
        assert found[0]["errno"] == "EFAULT" and found[0]["size"] > 0 and found[0]["reading"], found[0]
        assert found[0]["text"] in report["limits"], "limits lacks %r" % found[0]["text"]
        plain, verbose = loopknot("--samples", "1", target.pid), loopknot("-v", "--samples", "1", target.pid)
        assert found[0]["address"] not in plain.text, "without --verbose too"
        line = [part for part in verbose.text.splitlines() if found[0]["address"] in part]
        assert line and "EFAULT" in verbose.text, "--verbose does not tell the address: %s" % verbose.text[-600:]
        return line[0].strip()


def interrupted(number, status):
    with lib.sleeper() as target:
        process = subprocess.Popen([lib.LOOPKNOT, "--format", "json", "--samples", "100", "--interval", "100", str(target.pid)],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.6)  # into the samples; whatever the moment, the outcome must be the same
        process.send_signal(number)
        began = time.monotonic()
        out, err = process.communicate(timeout=10)
        took = time.monotonic() - began
        assert process.returncode == status, "status %d: %s" % (process.returncode, err.decode(errors="replace"))
        assert took < 2, "it took %.1f s to end" % took
        assert not lib.invalid(out), lib.invalid(out)
        assert not lib.settled_trouble(target.pid), lib.thread_trouble(target.pid)
        return "ended within %.0f ms" % (took * 1000)


CASES = [
    ("version", version),
    ("help", help_text, "--help"),
    ("attach --help", help_text, "attach", "--help"),
    ("rules", rules),
    ("explain LK101", explain),
    ("explain an unknown rule", wrong_usage, "explain", "LK999"),
    ("no arguments", wrong_usage),
    ("unknown option", wrong_usage, "--frobnicate", "1"),
    ("unknown command", wrong_usage, "frobnicate"),
    ("not a pid", wrong_usage, "12x"),
    ("negative pid", wrong_usage, "attach", "--", "-5"),
    ("pid 0", wrong_usage, "0"),
    ("unknown format", wrong_usage, "--format", "yaml", "1"),
    ("no samples", wrong_usage, "--samples", "0", "1"),
    ("option without its value", wrong_usage, "1", "--interval"),
    ("unknown unwinder", wrong_usage, "--unwinder", "gdb", "1"),
    ("unknown verdict", wrong_usage, "--fail-on", "sometimes", "1"),
    ("--verbose where it shows nothing", wrong_usage, "--verbose", "--format", "tap", "1"),
    ("full disk", full_disk),
    ("a report that is too large", too_large),
    ("no such process", no_such_process),
    ("zombie", zombie),
    ("names are redacted", names_are_redacted),
    ("kernel thread", kernel_thread),
    ("a 32-bit program", other_machine),
    ("another user's process", other_user),
    ("one's own process without root", own_user),
    ("not Python", not_python),
    ("traced by strace", traced_by_strace),
    ("stopped by gdb", stopped_by_gdb),
    ("several processes", several),
    ("several, one of them gone", several_one_gone),
    ("a read that fails", read_that_fails),
    ("exits meanwhile", exits_meanwhile),
    ("SIGINT", interrupted, signal.SIGINT, 130),
    ("SIGTERM", interrupted, signal.SIGTERM, 143),
]


if __name__ == "__main__":
    sys.exit(lib.run_cases("errors", CASES))
