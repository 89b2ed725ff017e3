#!/usr/bin/python3
"""What hostile processes cost whoever examines them: no more than 10 s and 512 MiB each. Last line: attacks: N passed, N failed.

LOOPKNOT names the program (build/loopknot). Each attack is a program that prints "ready" and hangs.
"""
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time

LOOPKNOT = os.environ.get("LOOPKNOT", "build/loopknot")
MOST_S, MOST_MIB, MOST_SIGNAL_MS = 10, 512, 100

# 20 futures that share one list of a million callbacks.
CALLBACKS = """
import asyncio
callbacks = [(print, None)] * 1000000
async def wait_for(f):
    await f
async def main():
    loop = asyncio.get_running_loop()
    futures = [asyncio.futures._PyFuture(loop=loop) for _ in range(20)]
    tasks = [asyncio.ensure_future(wait_for(f)) for f in futures]
    await asyncio.sleep(0.1)
    for f in futures:
        f._callbacks = callbacks
    print("ready", flush=True)
    await futures[0]
asyncio.run(main())
"""

# A set of all tasks that holds 400,000 which never were any.
TASKS = """
import asyncio, weakref
class Forged(asyncio.tasks._PyTask):
    def __init__(self):
        pass
    def __del__(self):
        pass
async def sleep():
    await asyncio.sleep(1000)
async def main():
    like = asyncio.tasks._PyTask(sleep(), loop=asyncio.get_running_loop())
    await asyncio.sleep(0)
    forged = []
    for _ in range(400000):
        forged.append(Forged.__new__(Forged))
        forged[-1].__dict__.update(like.__dict__)
    known = getattr(asyncio.tasks, "_all_tasks", None) or asyncio.tasks._scheduled_tasks
    known.data = set(map(weakref.ref, forged))
    print("ready", flush=True)
    await asyncio.Future()
asyncio.run(main())
"""

# A mapped libpython of 3 GiB that is empty but for its beginning.
SPARSE = """
import mmap, os, time
with open("libpython3.11.so.1.0", "wb") as file, open("/proc/self/exe", "rb") as exe:
    file.write(exe.read(1 << 20))
    file.truncate(3 << 30)
fd = os.open("libpython3.11.so.1.0", os.O_RDONLY)
kept = mmap.mmap(fd, 65536, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC)
print("ready", flush=True)
time.sleep(1000)
"""

# A stack of 299 frames, each at the end of another name of a file of eight million empty lines.
SOURCES = """
import ast, os, sys, time
sys.setrecursionlimit(5000)
LINES = 8 << 20
with open("all.py", "wb") as file:
    file.write(b"\\n" * LINES)
def hang():
    print("ready", flush=True)
    time.sleep(1000)
inner = hang
for i in range(299):
    name = os.path.abspath("%d.py" % i)
    os.link("all.py", name)
    tree = ast.parse("def f():\\n    inner()\\n")
    ast.increment_lineno(tree, LINES - 10)
    names = {"inner": inner}
    exec(compile(tree, name, "exec"), names)
    inner = names["f"]
inner()
"""

# An argument of 128 KiB, the longest there is, that looks like the beginning of a password again and again.
ARGUMENT = """
import os, sys, time
if len(sys.argv) < 3:
    os.execv(sys.executable, [sys.executable, sys.argv[0], "--", "x://a:b" * 18000])
print("ready", flush=True)
time.sleep(1000)
"""


class Attack:
    def __init__(self, text):
        self.folder = tempfile.TemporaryDirectory()
        program = os.path.join(self.folder.name, "attack.py")
        with open(program, "w", encoding="ascii") as file:
            file.write(text)
        self.process = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, cwd=self.folder.name)

    def __enter__(self):
        assert self.process.stdout.readline(), "the attack did not come about"
        return str(self.process.pid)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()


def examined(text):
    with Attack(text) as pid:
        began = time.monotonic()
        tool = subprocess.Popen([LOOPKNOT, pid], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        out = tool.stdout.read()
        _, status, used = os.wait4(tool.pid, 0)
        took, mib = time.monotonic() - began, used.ru_maxrss / 1024
        tool.returncode = os.waitstatus_to_exitcode(status)
    told = "%.1f s, %.1f s of CPU, %.0f MiB, %s" % (took, used.ru_utime + used.ru_stime, mib, out.split("\n", 1)[0][:40])
    assert tool.returncode in (0, 1, 4), "status %d: %s" % (tool.returncode, out[:300])
    assert took <= MOST_S and mib <= MOST_MIB, told
    return told


def interrupted(text):
    worst = 0
    with Attack(text) as pid:
        for after in (0.05, 0.2, 0.5, 1, 1.5):
            with subprocess.Popen([LOOPKNOT, pid], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as tool:
                time.sleep(after)
                began = time.monotonic()
                tool.send_signal(signal.SIGINT)
                assert tool.wait(timeout=60) == 130, "status %d" % tool.returncode
                worst = max(worst, (time.monotonic() - began) * 1000)
    assert worst <= MOST_SIGNAL_MS, "%.0f ms" % worst
    return "%.0f ms" % worst


CASES = [
    ("callbacks that futures share", examined, CALLBACKS),
    ("forged tasks", examined, TASKS),
    ("SIGINT among forged tasks", interrupted, TASKS),
    ("a sparse libpython", examined, SPARSE),
    ("sources of empty lines", examined, SOURCES),
    ("a long argument", examined, ARGUMENT),
]


def main():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    failed = 0
    for title, case, text in CASES:
        try:
            print("PASS %-30s %s" % (title, case(text)), flush=True)
        except AssertionError as error:
            failed += 1
            print("FAIL %-30s %s" % (title, error), flush=True)
    print("attacks: %d passed, %d failed" % (len(CASES) - failed, failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
