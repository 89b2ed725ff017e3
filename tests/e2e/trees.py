#!/usr/bin/python3
"""Process trees: masters and workers in one report set, each member within its deadline, equal ones folded.

Last line: trees: N passed, N failed.
"""
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import lib
from lib import driver

BAD_APP = """
import asyncio, os, threading
from flask import Flask
app, lock, loop = Flask(__name__), threading.Lock(), None

def background():
    global loop
    with lock:
        if loop is None:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop

async def answer():
    return "42"

async def ask():
    return asyncio.run_coroutine_threadsafe(answer(), loop).result()

@app.route("/hang")
def hang():
    return asyncio.run_coroutine_threadsafe(ask(), background()).result()

@app.route("/pid")
def pid():
    return str(os.getpid())
"""


class Gunicorn:
    """A master with workers that serve BAD_APP on a port of the kernel's choice."""

    def __init__(self, *options):
        self.folder = tempfile.TemporaryDirectory()
        with open(os.path.join(self.folder.name, "bad_app.py"), "w", encoding="utf-8") as file:
            file.write(BAD_APP)
        self.log = os.path.join(self.folder.name, "log")
        self.child = lib.Child([driver.PYTHON, "-m", "gunicorn", "-b", "127.0.0.1:0", "--log-file", self.log, *options, "bad_app:app"],
                               end=signal.SIGTERM, cwd=self.folder.name)
        self.pid = self.child.pid

    def __enter__(self):
        lib.until(lambda: "Listening at" in self.logged(), 30, "a listening gunicorn")
        self.url = self.logged().split("Listening at: ")[1].split()[0]
        return self

    def __exit__(self, *_):
        workers = children(self.pid)
        self.child.__exit__()
        for pid in workers:  # one that hangs outlives its master
            if self.runs(pid):
                os.kill(pid, signal.SIGKILL)
        self.folder.cleanup()

    def runs(self, pid):
        try:
            with open("/proc/%d/cmdline" % pid, encoding="utf-8", errors="replace") as file:
                return self.log in file.read()
        except OSError:
            return False

    def logged(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def get(self, path, timeout=20):
        with urllib.request.urlopen(self.url + path, timeout=timeout) as answer:
            return answer.read().decode()

    def hang_one(self):
        try:
            self.get("/hang", 0.5)
        except (urllib.error.URLError, TimeoutError, OSError):
            pass


def children(pid):
    found = []
    for tid in driver.thread_ids(pid):
        try:
            with open("/proc/%d/task/%d/children" % (pid, tid), encoding="ascii") as file:
                found += map(int, file.read().split())
        except OSError:
            pass
    return found


def tree_report(pid, *options):
    ran = lib.loopknot("--tree", "--format", "json", *options, pid)
    report = lib.parse(ran)
    assert not lib.invalid(ran.out), lib.invalid(ran.out)
    return ran, report


def by_pid(report):
    return {r["target"]["pid"]: r for r in report["reports"]}


def gunicorn_workers():
    with Gunicorn("-w", "8", "--threads", "4") as server:
        lib.until(lambda: len(children(server.pid)) == 8, 30, "eight workers")
        for _ in range(4):
            server.hang_one()
        # A request has a thread of the pool, and the loop that it asked for has another.
        lib.until(lambda: any(len(driver.thread_ids(p)) >= 3 for p in children(server.pid)), 30, "a hung worker")
        time.sleep(0.5)
        ran, report = tree_report(server.pid)
        assert report["schema"] == "loopknot.report-set/1" and len(report["reports"]) == 9, len(report["reports"])
        assert report["reports"][0]["target"]["pid"] == server.pid, "the master is not the first"
        assert report["verdict"] == "deadlock" and ran.status == 1, (report["verdict"], ran.status)
        groups = report["groups"]
        assert groups[0]["verdict"] == "deadlock" and groups[0]["role"] == "gunicorn worker", groups
        assert any(g["role"] == "gunicorn master" and g["pids"] == [server.pid] for g in groups), groups
        assert sum(len(g["pids"]) for g in groups) == 9, groups
        hung = len(groups[0]["pids"])
        assert sum(r["verdict"] == "deadlock" for r in report["reports"]) == hung, groups
        text = lib.loopknot("--tree", server.pid).text
        assert text.count("FINDING 1 of") == 1, "equal workers are told of more than once"
        for pid in [server.pid] + children(server.pid):
            assert not lib.thread_trouble(pid), lib.thread_trouble(pid)
    return "%d of 8 workers hung, one group" % hung


def master_followed():
    """A master is followed to its workers, and that is said; alone it is unknown, and the report says what to type."""
    with Gunicorn("-w", "2") as server:
        lib.until(lambda: len(children(server.pid)) == 2, 30, "two workers")
        ran = lib.loopknot("--no-tree", server.pid)
        assert ran.status == 4 and "loopknot --tree %d" % server.pid in ran.text, ran.text[:500]
        for word, status in (("deadlock", 0), ("stalled", 0), ("never", 0), ("unknown", 1), ("hazard", 1)):
            ran = lib.loopknot("--no-tree", "-j", "--fail-on", word, "-p", server.pid)
            assert ran.status == status and lib.parse(ran)["verdict"] == "unknown", (word, ran.status)
            assert ("could be judged" in ran.errors) == (status == 0), (word, ran.errors)
        server.hang_one()
        ran = lib.loopknot("--format", "json", server.pid)
        report = lib.parse(ran)
        assert ran.status == 1 and len(report["reports"]) == 3, (ran.status, ran.text[:500])
        assert "gunicorn master" in ran.errors and "--no-tree" in ran.errors, ran.errors
        worker = children(server.pid)[0]
        ran = lib.loopknot("--format", "json", worker)
        assert lib.parse(ran)["schema"] == "loopknot.report/1", "a worker is followed"


POOL = """
import multiprocessing, time, sys
def work(n):
    time.sleep(1000)
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    pool = context.Pool(2)
    result = pool.map_async(work, range(2))
    print("up", flush=True)
    result.get()
"""


def pool(method, roles):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "pool.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(POOL)
        with lib.Child([driver.PYTHON, path, method], stdout=subprocess.PIPE) as child:
            child.process.stdout.readline()
            lib.until(lambda: len(children(child.pid)) >= 2, 20, "pool workers")
            time.sleep(0.5)
            _, report = tree_report(child.pid)
            seen = {g["role"] for g in report["groups"]}
            assert roles <= seen, (roles, seen)
            assert report["verdict"] in ("healthy", "hazard", "stalled"), report["verdict"]
            for pid in children(child.pid):
                os.kill(pid, signal.SIGKILL)
    return ", ".join(sorted(r or "-" for r in seen))


FAMILY = """
import os, signal, subprocess, sys, time
for number in range(47):
    if not os.fork():
        while True:
            time.sleep(3600)
stopped = os.fork()
if not stopped:
    while True:
        time.sleep(3600)
os.kill(stopped, signal.SIGSTOP)
other = subprocess.Popen(["sleep", "3600"])
print(stopped, other.pid, flush=True)
signal.pause()
"""


def fifty():
    """50 processes, one of them stopped, one not Python: each of the others is diagnosed."""
    child = lib.Child([driver.PYTHON, "-c", FAMILY], stdout=subprocess.PIPE)
    with child:
        stopped, other = map(int, child.process.stdout.readline().split())
        lib.until(lambda: len(children(child.pid)) == 49, 20, "49 children")
        members = children(child.pid)
        try:
            lib.until(lambda: driver.thread_state(stopped, stopped) == "T", what="a stopped child")
            ran, report = tree_report(child.pid)
            reports = by_pid(report)
            assert set(reports) == {child.pid, *members}, "%d of 50 reports" % len(reports)
            assert reports[stopped]["verdict"] == "stalled" and reports[stopped]["findings"][0]["rule"] == "LK501"
            assert reports[other]["target"]["python"] is None or not reports[other]["target"]["python"].get("version")
            assert reports[other]["threads"][0]["native"], "no native stack of a process that is not Python"
            wrong = [p for p, r in reports.items() if p not in (stopped, other) and r["verdict"] != "healthy"]
            assert not wrong, [(p, reports[p]["verdict"], reports[p]["findings"]) for p in wrong]
            assert driver.thread_state(stopped, stopped) == "T", "the stopped member runs now"
        finally:
            for pid in members:
                os.kill(pid, signal.SIGKILL)
    return "%.1f s" % ran.seconds


CHURN = """
import os, signal, subprocess, sys, time, threading
print("up", flush=True)
end = time.monotonic() + 20
while time.monotonic() < end:
    p = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.05)"])
    p.wait()
"""


def vanishing():
    """Members that end while they are looked at are no error."""
    with lib.Child([driver.PYTHON, "-c", CHURN], stdout=subprocess.PIPE) as child:
        child.process.stdout.readline()
        for _ in range(8):
            ran, report = tree_report(child.pid, "--samples", "1")
            assert child.pid in by_pid(report), "the root is not in its set"
            # A child that has just been started cannot be judged: its interpreter is not there yet.
            assert ran.status in (0, 1, 4), (ran.status, ran.errors)
            assert by_pid(report)[child.pid]["verdict"] == "healthy", by_pid(report)[child.pid]["verdict_why"]
            assert not ran.err, ran.errors
    return "8 looks"


def reloader():
    app = "from flask import Flask\nimport os\napp = Flask(__name__)\nprint('up', flush=True)\napp.run(port=0, debug=True)\n"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "dev.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(app)
        with lib.Child([driver.PYTHON, path], end=signal.SIGTERM, cwd=folder) as child:
            lib.until(lambda: children(child.pid), 20, "the reloader's server")
            server = children(child.pid)[0]
            lib.until(lambda: len(driver.thread_ids(server)) >= 2, 20, "its threads")
            _, report = tree_report(child.pid)
            roles = [(g["role"], g["verdict"]) for g in report["groups"]]
            os.kill(server, signal.SIGTERM)
            assert ("flask --debug reloader", "healthy") in roles and ("flask --debug server", "healthy") in roles, roles


RING = """
import subprocess, sys
child = subprocess.Popen([%s], stdout=subprocess.PIPE)
print("up", flush=True)
%s
"""
LOUD = "sys.executable, '-c', 'while True: print(\\'x\\' * 1000)'"
JOIN_QUEUE = """
import multiprocessing
def work(queue):
    queue.put("x" * 10_000_000)
if __name__ == "__main__":
    queue = multiprocessing.Queue()
    worker = multiprocessing.Process(target=work, args=(queue,))
    worker.start()
    print("up", flush=True)
    worker.join()
"""


COPROCESS = """
import signal, subprocess, sys
copy = "import sys\\nfor line in sys.stdin: print(line, end='', flush=True)"
child = subprocess.Popen([sys.executable, "-c", copy], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
def on_signal(*_):
    %s
signal.signal(signal.SIGUSR1, on_signal)
print("up", flush=True)
child.stdout.readline()
"""
JOINED = """
import multiprocessing, threading, time
lock, held = threading.Lock(), threading.Event()
def hold():
    with lock:
        held.set()
        time.sleep(3600)
def work():
    lock.acquire()
if __name__ == "__main__":
    threading.Thread(target=hold, daemon=True).start()
    held.wait()
    worker = multiprocessing.get_context("fork").Process(target=work)
    worker.start()
    print("up", flush=True)
    worker.join()
"""


REQUEST = """
import http.server, socket, subprocess, sys
DEAD = '''
import threading
first, second, met = threading.Lock(), threading.Lock(), threading.Barrier(2)
def take(one, other):
    with one:
        met.wait()
        with other:
            pass
threading.Thread(target=take, args=(second, first)).start()
take(first, second)
'''
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        subprocess.run([sys.executable, "-c", DEAD])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
client = socket.create_connection(server.server_address)
client.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
print("up", flush=True)
server.serve_forever()
"""


def examined_pair(text, *options):
    """The report set of a program that starts one child, once both are asleep."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "pair.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        with lib.Child([driver.PYTHON, path], stdout=subprocess.PIPE) as child:
            child.process.stdout.readline()
            lib.until(lambda: children(child.pid), 20, "a child")
            time.sleep(1)
            other = children(child.pid)[0]
            try:
                return child.pid, other, tree_report(child.pid, *options)[1]
            finally:
                os.kill(other, signal.SIGKILL)


def ring(text, place):
    """Parent and child wait for each other: each is told as a deadlock, with the line in the parent."""
    pid, other, report = examined_pair(text)
    reports = by_pid(report)
    first = reports[pid]["findings"]
    assert reports[pid]["verdict"] == "deadlock" and first[0]["rule"] == "LK108", (reports[pid]["verdict"], first)
    assert place in first[0]["culprit"]["source"], first[0]["culprit"]
    assert str(other) in first[0]["summary"], first[0]["summary"]
    assert reports[other]["verdict"] == "deadlock", (reports[other]["verdict"], reports[other]["findings"])


def unread(text):
    """A thread of the parent waits for the child instead of reading its pipe; others of it act: stalled on both sides, no proof."""
    pid, other, report = examined_pair(text, "--stalled-after", "1")
    reports = by_pid(report)
    first = reports[other]["findings"][0]
    assert reports[other]["verdict"] == "stalled" and first["rule"] == "LK108", (reports[other]["verdict"], first)
    assert first["confidence"] == "probable" and "communicate()" in first["remedy"], first
    assert str(pid) in first["summary"], first["summary"]
    assert report["verdict"] == "stalled", report["verdict"]


def no_ring(text):
    _, _, report = examined_pair(text)
    assert report["verdict"] == "healthy", [(r["verdict"], r["findings"]) for r in report["reports"]]


def victim():
    """A parent that joins a child which is deadlocked by itself waits in no ring: the child's finding is all there is."""
    pid, other, report = examined_pair(JOINED)
    reports = by_pid(report)
    rules = [f["rule"] for r in report["reports"] for f in r["findings"] if f["severity"] == "deadlock"]
    assert rules == ["LK204"], rules
    assert reports[other]["verdict"] == "deadlock" and reports[pid]["verdict"] != "deadlock", report["verdict"]


def request_behind_child():
    """A request that waits for a deadlocked child: held up, with no remedy of its own."""
    pid, other, report = examined_pair(REQUEST, "--stalled-after", "1")
    reports = by_pid(report)
    first = reports[pid]["findings"][0]
    assert reports[other]["verdict"] == "deadlock", reports[other]["findings"]
    assert reports[pid]["verdict"] == "stalled" and first["rule"] == "LK406", (reports[pid]["verdict"], first)
    assert "child process %d, for which this waits, is itself deadlocked" % other in first["remedy"], first["remedy"]
    assert "timeout" not in first["remedy"], first["remedy"]


def main():
    tally = lib.Tally("trees")
    tally.run("gunicorn: a master and 8 workers", gunicorn_workers)
    tally.run("gunicorn: the master alone", master_followed)
    tally.run("multiprocessing: a forked pool", pool, "fork", {"forked child"})
    tally.run("multiprocessing: a spawned pool", pool, "spawn", {"multiprocessing worker", "multiprocessing resource tracker"})
    tally.run("50 processes, one stopped, one not Python", fifty)
    tally.run("members that vanish", vanishing)
    tally.run("the werkzeug reloader", reloader)
    tally.run("a child writes to a pipe that its waiting parent does not read", ring, RING % (LOUD, "child.wait()"), "child.wait()")
    tally.run("the same with a child that is not Python", ring, RING % ("'yes'", "child.wait()"), "child.wait()")
    tally.run("join before the queue was read", ring, JOIN_QUEUE, "worker.join()")
    tally.run("the same beside a thread that could read", unread,
              RING % (LOUD, "import threading, time\nthreading.Thread(target=child.wait, daemon=True).start()\n"
                            "while True:\n    time.sleep(0.2)"))
    tally.run("near miss: another thread reads", no_ring,
              RING % (LOUD, "import threading\nthreading.Thread(target=child.wait, daemon=True).start()\n"
                            "while child.stdout.read(1):\n    pass"))
    tally.run("near miss: the child sleeps", no_ring, RING % ("'sleep', '1000'", "child.wait()"))
    tally.run("near miss: the parent reads", no_ring, RING % ("'sleep', '1000'", "child.stdout.read()"))
    tally.run("near miss: a handler feeds the coprocess", no_ring, COPROCESS % "child.stdin.write(b'hello')")
    tally.run("a coprocess that no handler feeds", ring, COPROCESS % "sys.exit(1)", "child.stdout.readline()")
    tally.run("a parent that joins a deadlocked child", victim)
    tally.run("a request that waits for a deadlocked child", request_behind_child)
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
