#!/usr/bin/python3
"""Who may see what, and what is said of the rest: "could not be read" never becomes "nothing there".

Targets run as one user and are examined by others with fewer and more rights. Last line: permissions: N passed, N failed."""
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

import lib
from lib import driver, loopknot

TARGET, STRANGER = 65534, 65533
BOTH = ("CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH")


def user(uid):
    return ["setpriv", "--reuid=%d" % uid, "--regid=%d" % uid, "--clear-groups"]


def only(*capabilities):
    """root with these alone, as in a container that drops all and adds some."""
    wanted = ",".join(["-all", *("+" + c for c in capabilities)])
    return ["setpriv", "--inh-caps=" + wanted, "--bounding-set=" + wanted]


DEADLOCK = '''
import os, threading, time
a, b = threading.Lock(), threading.Lock()
def take(x, y):
    with x:
        time.sleep(0.2)
        with y:
            pass
threads = [threading.Thread(target=take, args=v) for v in ((a, b), (b, a))]
for t in threads:
    t.start()
os.write(1, b"x")
threads[0].join()
'''
LOOP = '''
import asyncio, os, threading
loop = asyncio.new_event_loop()
async def inner():
    return 1
async def outer():
    return asyncio.run_coroutine_threadsafe(inner(), loop).result()
threading.Thread(target=loop.run_forever).start()
os.write(1, b"x")
asyncio.run_coroutine_threadsafe(outer(), loop).result()
'''
BUSY = '''
import os, select, signal, threading
def compute():
    while True:
        sum(range(1000))
def poll():
    select.epoll().poll()
def signals():
    signal.sigtimedwait([signal.SIGUSR1], 1000)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
for f in (poll, signals):
    threading.Thread(target=f).start()
os.write(1, b"x")
compute()
'''
IDLE = "import os, signal; os.write(1, b'x'); signal.pause()"


@contextlib.contextmanager
def target(program, uid=TARGET, settle=0.6):
    with lib.Child([*user(uid), driver.PYTHON, "-c", program], stdout=subprocess.PIPE, cwd="/") as child:
        child.process.stdout.read(1)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(settle)
        assert child.alive(), "the target has ended"
        yield child


def verdict(ran):
    assert not lib.invalid(ran.out), lib.invalid(ran.out)
    return lib.parse(ran)["verdict"]


def needs(*programs):
    if os.geteuid() != 0:
        raise lib.Skipped("needs root")
    for program in programs:
        if not shutil.which(program):
            raise lib.Skipped("no " + program)


def first_screen(text):
    return re.sub(r"\s+", " ", text.split("\nTHREADS")[0].split("\nFINDING")[0])


def names_the_pair(text):
    missing = [c for c in BOTH if c not in text and c.lower() not in text]
    assert not missing, "%s is not named: %s" % (missing, text[:600])


@contextlib.contextmanager
def with_file_capabilities(capabilities):
    """A copy of the program for the stranger's group, as its own advice makes one."""
    needs("setpriv", "setcap")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for name in os.listdir(os.path.dirname(lib.LOOPKNOT)):
            if name == "loopknot" or name.startswith("libloopknot.so"):
                shutil.copy2(os.path.join(os.path.dirname(lib.LOOPKNOT), name), folder, follow_symlinks=False)
        copy = os.path.join(folder, "loopknot")
        os.chown(copy, 0, STRANGER)
        os.chmod(copy, 0o750)
        if subprocess.run(["setcap", capabilities + "+ep", copy], stderr=subprocess.DEVNULL, check=False).returncode:
            raise lib.Skipped("no file capabilities on the file system of %s" % folder)
        yield copy


def examine(who, pids, *options, copy=None):
    if not copy:
        return loopknot(*options, *pids, before=who, cwd="/")
    process = subprocess.run([*who, copy, *options, *map(str, pids)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, timeout=lib.TOOL_TIMEOUT, cwd="/", check=False)
    return lib.Ran(process.returncode, process.stdout, process.stderr, 0)


# ---- who is told which verdict --------------------------------------------------------------

def told(wanted, program, who, capabilities=None):
    """The verdict, and for an unknown one what it needs, on the first screen."""
    needs("setpriv")
    with contextlib.ExitStack() as stack:
        copy = stack.enter_context(with_file_capabilities(capabilities)) if capabilities else None
        child = stack.enter_context(target(program))
        got = verdict(examine(who, [child.pid], "--format", "json", copy=copy))
        assert got == wanted, "%s instead of %s" % (got, wanted)
        text = first_screen(examine(who, [child.pid], copy=copy).text)
        if wanted == "unknown":
            names_the_pair(text)
        else:
            assert "Unread" not in text, text
        assert not lib.settled_trouble(child.pid)
        return got


def refused(hidden=False):
    """Another user without any right: one line with both capabilities, or the hidden /proc named."""
    needs("setpriv", "unshare")
    hide = ["unshare", "--mount", "sh", "-c", "mount -t proc -o hidepid=2 proc /proc && exec \"$@\"", "-"] if hidden else []
    with target(DEADLOCK) as child:
        ran = examine([*hide, *user(STRANGER)], [child.pid])
        if hidden and "mount:" in ran.errors:
            raise lib.Skipped("no /proc can be mounted here")
        assert ran.status == 3 and ran.one_line(), "%d %s %s" % (ran.status, ran.errors, ran.text[:200])
        if hidden:
            assert "hidepid" in ran.errors, ran.errors
        else:
            names_the_pair(ran.errors)
            assert "chgrp" in ran.errors and "chmod 750" in ran.errors, ran.errors
        return ran.errors.strip()[:90]


def hidden_but_capable():
    """hidepid asks for the right to trace: the two capabilities have it."""
    needs("setpriv", "unshare")
    hide = ["unshare", "--mount", "sh", "-c", "mount -t proc -o hidepid=2 proc /proc && exec \"$@\"", "-"]
    with with_file_capabilities("cap_sys_ptrace,cap_dac_read_search") as copy, target(DEADLOCK) as child:
        ran = examine([*hide, *user(STRANGER)], [child.pid], "--format", "json", copy=copy)
        if "mount:" in ran.errors:
            raise lib.Skipped("no /proc can be mounted here")
        assert verdict(ran) == "deadlock", ran.text[:200]


def running_and_asleep():
    """With CAP_SYS_PTRACE alone who computes is stopped and read, and who sleeps is left asleep."""
    needs("setpriv")

    def times_woken(pid):
        with open("/proc/%d/status" % pid, encoding="utf-8") as file:
            return int(re.search(r"\nvoluntary_ctxt_switches:\s*(\d+)", file.read()).group(1))
    with target(BUSY) as child:
        sleepers = [t for t in driver.thread_ids(child.pid) if driver.thread_state(child.pid, t) == "S"]
        assert len(sleepers) == 2, sleepers
        before = [times_woken(t) for t in sleepers]
        for attempt in range(10):  # on a loaded machine it may not get the processor while it is looked at
            report = lib.parse(examine(only("sys_ptrace"), [child.pid], "--format", "json"))
            if attempt > 1 and any(t["tid"] == child.pid and t["python"] for t in report["threads"]):
                break
        assert before == [times_woken(t) for t in sleepers], "a thread that slept was woken"
        threads = {t["tid"]: t for t in report["threads"]}
        assert report["verdict"] == "unknown", report["verdict"]
        assert any(f["function"] == "compute" for f in threads[child.pid]["python"] or []), "who computes was not read"
        assert all(threads[t]["state"] == "unknown" for t in sleepers), [threads[t]["state"] for t in sleepers]


# ---- sets, descriptors, files that are not there ----------------------------------------------

def set_with_a_stranger():
    """One's own process and somebody else's: the set is unknown, and says of how many."""
    needs("setpriv")
    with target(IDLE) as own, target(IDLE, uid=STRANGER) as other:
        ran = examine(user(TARGET), [own.pid, other.pid], "--format", "json")
        whole = lib.parse(ran)
        assert not lib.invalid(ran.out), lib.invalid(ran.out)
        assert whole["verdict"] == "unknown", whole["verdict"]
        got = {r["target"]["pid"]: r["verdict"] for r in whole["reports"]}
        assert got == {own.pid: "healthy", other.pid: "unknown"}, got
        text = first_screen(examine(user(TARGET), [own.pid, other.pid]).text)
        assert "1 of 2 processes was not examined" in text, text


def descriptors_used_up():
    """However few descriptors there are: what is found is so, and nothing is healthy for want of them."""
    said = set()
    with target(DEADLOCK) as one, target(LOOP) as two:
        for limit in range(4, 20):
            few = ["sh", "-c", "ulimit -n %d && exec \"$@\"" % limit, "-"]
            for pids in ([one.pid], [one.pid, two.pid]):
                ran = examine(few, pids, "--format", "json")
                if not ran.out:
                    assert "ended" not in ran.errors and "no process" not in ran.errors, ran.errors
                    said.add("nothing" if limit > 5 else "no start")
                    continue
                got = {r["target"]["pid"]: r["verdict"] for r in lib.reports_of(lib.parse(ran))}
                assert set(got) == set(pids), "%d: %s of %s" % (limit, got, pids)
                assert set(got.values()) <= {"deadlock", "unknown"}, "%d: %s" % (limit, got)
                said |= set(got.values())
    assert {"deadlock", "unknown"} <= said, said
    return ", ".join(sorted(said))


def own_limit_is_kept():
    """What is run has the limit that loopknot was given, whatever loopknot does with its own."""
    process = subprocess.run(["sh", "-c", "ulimit -Sn 77; exec \"$@\"", "-", lib.LOOPKNOT, "run", "--", "sh", "-c", "ulimit -Sn"],
                             stdout=subprocess.PIPE, timeout=lib.TOOL_TIMEOUT, check=False)
    assert process.stdout.strip() == b"77", process.stdout


def blind_library():
    """A library that is Python by its name and holds no runtime: not a program without Python."""
    with tempfile.TemporaryDirectory() as folder:
        source, library = os.path.join(folder, "x.c"), os.path.join(folder, "libpython3.11.so.1.0")
        with open(source, "w", encoding="utf-8") as file:
            file.write("int nothing_here = 1;\n")
        if not shutil.which("cc") or subprocess.run(["cc", "-shared", "-o", library, source], check=False).returncode:
            raise lib.Skipped("no C compiler")
        with lib.Child(["sleep", "1000"], env={**os.environ, "LD_PRELOAD": library}) as child:
            lib.until(lambda: driver.thread_state(child.pid, child.pid) == "S", what="sleep")
            ran = loopknot("--format", "json", child.pid)
            assert verdict(ran) == "unknown", verdict(ran)
            assert "libpython3.11" in lib.parse(ran)["verdict_why"], lib.parse(ran)["verdict_why"]


CASES = [
    ("root", told, "deadlock", DEADLOCK, []),
    ("root, a loop", told, "deadlock", LOOP, []),
    ("the same user", told, "deadlock", DEADLOCK, user(TARGET)),
    ("root with SYS_PTRACE alone", told, "unknown", DEADLOCK, only("sys_ptrace")),
    ("root with SYS_PTRACE alone, a loop", told, "unknown", LOOP, only("sys_ptrace")),
    ("root with SYS_PTRACE alone, idle", told, "unknown", IDLE, only("sys_ptrace")),
    ("root with both", told, "deadlock", LOOP, only("sys_ptrace", "dac_read_search")),
    ("file capability: SYS_PTRACE", told, "unknown", LOOP, user(STRANGER), "cap_sys_ptrace"),
    ("file capabilities: both", told, "deadlock", LOOP, user(STRANGER), "cap_sys_ptrace,cap_dac_read_search"),
    ("file capabilities: both, idle", told, "healthy", IDLE, user(STRANGER), "cap_sys_ptrace,cap_dac_read_search"),
    ("another user", refused),
    ("another user, hidepid", refused, True),
    ("file capabilities, hidepid", hidden_but_capable),
    ("who runs is stopped, who sleeps is not", running_and_asleep),
    ("a set with another user's process", set_with_a_stranger),
    ("descriptors used up", descriptors_used_up),
    ("the command's own limit", own_limit_is_kept),
    ("a libpython without a runtime", blind_library),
]


if __name__ == "__main__":
    sys.exit(lib.run_cases("permissions", CASES))
