#!/usr/bin/python3
"""Many attaches to busy healthy servers: no false verdict, no request lost, no thread left stopped.

    tests/e2e/soak.py [--only WORD]... [--jobs N] [--list]

ATTACHES (10000) in all, with one and three samples in turn, shared out evenly over the cases. A case is a kind of server
in a dress (soak_servers/service.py), or in a part of its life (start, reload, stop) with real processes started for it; or a
program that is at work by itself (soak_programs): each is of a kind that was accused once. What a program needs and is not there
(packages of SCENARIO_PYTHON, which may be a virtual environment's; commands) is said, and it is skipped.
Before the attaches, each case is run without any (the control): what requests it loses then, it may lose with them.
Every report that is not what the case allows is kept in build/soak/. Last line: soak: N passed, N failed.
"""
import argparse
import collections
import json
import os
import random
import re
import signal
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import lib
from lib import driver

ATTACHES = int(os.environ.get("ATTACHES", "10000"))
KEEP = os.path.join(os.path.dirname(lib.LOOPKNOT), "soak")
SERVERS = os.path.join(lib.HERE, "soak_servers")
PROGRAMS = os.path.join(lib.HERE, "soak_programs")
SHOWN = 5  # problems of one sort
CONTROL_SECONDS = 2.0
CONTROL_ROUNDS = 3
CONTROL_RELOADS = 20  # werkzeug's reloader loses 0.8 requests a reload: fewer rounds often see none
ROUND_LIMIT = 60.0  # seconds that a reload or a stop may take
IN_FLIGHT = 4  # requests in flight when a server is told to stop

# kind: its program, and the paths that the clients ask for
KINDS = {
    "werkzeug": {"file": "flask_app.py", "paths": ["/work"]},
    "gunicorn": {"file": "flask_app.py", "paths": ["/work"], "start": "gunicorn", "keep": True},
    "aiohttp": {"file": "aiohttp_app.py", "paths": ["/work"], "keep": True},
    "bridge": {"file": "bridge_app.py", "paths": ["/work", "/called"]},
    "to_thread": {"file": "to_thread_app.py", "paths": ["/work"]},
    "asgi": {"file": "asgi_app.py", "paths": ["/work", "/async", "/wsgi/work"], "keep": True},
}

# kind: its program, what it needs (packages, commands), the paths that clients ask it for
AT_WORK = {
    "process_pools": {},
    "coprocesses": {},
    "sync_facade": {},
    "anyio_deadlines": {"packages": ["anyio"]},
    "uwsgi": {"file": "application.py", "args": ["uwsgi"], "commands": ["uwsgi"], "paths": ["/"]},
    "django": {"file": "django_app.py", "packages": ["django"], "paths": ["/", "/async"]},
    "celery": {"file": "celery_app.py", "packages": ["celery"]},
    "rq": {"file": "rq_app.py", "packages": ["rq", "redis"], "commands": ["redis-server"]},
    "jupyter": {"file": "kernel.py", "packages": ["ipykernel", "jupyter_client"]},
    "dask": {"file": "dask_app.py", "packages": ["distributed"]},
    "streamlit": {"file": "application.py", "args": ["streamlit"], "packages": ["streamlit"], "paths": ["/"]},
    "granian": {"file": "application.py", "args": ["granian"], "packages": ["granian"], "paths": ["/"]},
}

# dress: clients for each path, and their pause; loads stay bounded, 20 to 50 requests a second
DRESSES = {
    "calm": {"clients": 2, "pause": 0.05},
    "saturated": {"clients": 6, "pause": 0.001},
    "hog": {"clients": 2, "pause": 0.1},
    "hammer": {"clients": 2, "pause": 0.05},
    "bursts": {"clients": 2, "pause": 0.05},
    "request_loops": {"clients": 2, "pause": 0.05, "kinds": ["werkzeug", "gunicorn"]},
    "locks": {"clients": 4, "pause": 0.02},
}

# (kind, dress or part of life): rules of hazards that it may get, and why; "*" is any
HAZARDS = {
    ("*", "request_loops"): {"LK301": "each request runs a loop on its own thread"},
}

# What a process says that is just starting or about to end: its interpreter is set up, or taken down, while it is read.
UNREADY = [
    "just being set up or taken down", "no interpreter was found",
    "threads, loops and tasks could not be read to the end",
]
ENDED = ["there is no process", "is gone", "has ended", "has just ended", "ended while it was"]
SUPERVISES = ["(master|supervisor); its .* not examined"]  # it was attached to without its children
CHANGED = ["master; its .* not examined", "reloader; its .* not examined"]  # children came or went while the tree was examined

# (kind, part of life): which reasons for the verdict "unknown", or for no report at all (status 3), are right there
NO_VERDICT = {
    ("*", "start"): UNREADY,
    ("gunicorn", "start"): UNREADY + CHANGED,
    ("*", "reload"): UNREADY + ENDED + CHANGED,
    ("*", "stop"): UNREADY + ENDED,
    ("gunicorn", "stop"): UNREADY + ENDED + CHANGED,
    # members of the tree are attached to, too: children come and go, and may be gone before the attach
    ("*", "work"): ENDED,
    ("uwsgi", "work"): SUPERVISES,
    ("celery", "work"): SUPERVISES + CHANGED,
    ("granian", "work"): SUPERVISES,
    ("rq", "work"): UNREADY + ENDED,
    ("coprocesses", "work"): UNREADY + ENDED,
}


class Server(driver.Scenario):
    """A soak server: a process that says what happens, as scenarios do."""

    def __init__(self, kind, dress="calm", **environment):
        self.kind = KINDS[kind]
        self.set_up(kind, dress, {"file": self.kind["file"], "start": self.kind.get("start"), "env": dict(
            environment, SOAK_DRESS=dress, SCENARIO_THREADS="2" if dress == "saturated" else "8", SCENARIO_GRACE="20")})

    def environment(self):
        environment = super().environment()
        environment["PYTHONPATH"] = SERVERS + ":" + environment["PYTHONPATH"]
        return environment

    def start(self):
        self.spawn(SERVERS)
        self.await_listening()

    def await_listening(self):
        self.port = self.wait_event("listening")["port"]
        if self.plan["start"] == "gunicorn" or "SOAK_RELOADER" in self.plan["env"]:
            self.pid = self.wait_event("worker", int(self.plan["env"].get("SCENARIO_WORKERS", 1)))["pid"]

    def begin_load(self, clients, pause):
        for number, path in enumerate(self.kind["paths"]):
            self.loads.append(driver.Load(self.port, path, clients, pause, keep=number == 0 and self.kind.get("keep", False)))
        self._until(lambda: all(load.done for load in self.loads), "each load's first answer")

    def end_load(self):
        """(requests done, failed, errors) since the load began."""
        loads, self.loads = self.loads, []
        for load in loads:
            load.end()
        return sum(l.done for l in loads), sum(l.failed for l in loads), [e for l in loads for e in l.errors]

    def ended(self):
        return self.process.poll() is not None


def missing(kind):
    """What a program that is at work by itself needs and is not there; ""."""
    plan = AT_WORK.get(kind, {})
    lacks = [c for c in plan.get("commands", []) if not shutil.which(c)]
    for package in plan.get("packages", []):
        if subprocess.run([driver.PYTHON, "-c", "import " + package], stdin=subprocess.DEVNULL, capture_output=True).returncode:
            lacks.append("%s for %s" % (package, driver.PYTHON))
    return ", ".join(lacks)


def tree_of(pid):
    """The process and its descendants."""
    found = [pid]
    for one in found:
        for thread in driver.thread_ids(one):
            try:
                with open("/proc/%d/task/%d/children" % (one, thread)) as file:
                    found += map(int, file.read().split())
            except OSError:
                pass
    return found


class Program(driver.Scenario):
    """A program that is at work by itself."""

    def __init__(self, kind):
        self.kind = AT_WORK[kind]
        self.set_up(kind, "work", {"file": self.kind.get("file", kind + ".py")})

    def command(self, folder):
        return super().command(folder) + self.kind.get("args", [])

    def start(self):
        self.spawn(PROGRAMS)
        if "paths" not in self.kind:
            self.wait_event("ready")
            return
        self.port = self.wait_event("listening")["port"]
        self._until(self.answers, "an answer")
        for path in self.kind["paths"]:
            self.loads.append(driver.Load(self.port, path, 2, 0.05))

    def answers(self):
        try:
            return driver.get(self.port, self.kind["paths"][0]) == 200
        except OSError:
            return False

    def end_load(self):
        loads, self.loads = self.loads, []
        for load in loads:
            load.end()
        return sum(l.done for l in loads), sum(l.failed for l in loads), [e for l in loads for e in l.errors]


class Case:
    """One case: what was counted, and the problems."""

    def __init__(self, kind, part):
        self.kind, self.part, self.title = kind, part, "%s/%s" % (kind, part)
        self.verdicts, self.problems, self.pauses = collections.Counter(), [], []
        self.attaches = self.requests = self.failed = 0
        self.control = [0, 0]  # requests, failed ones
        self.seconds = 0.0
        self.random = random.Random(self.title)
        self.hazards = self.listed(HAZARDS, {})
        self.excuses = self.listed(NO_VERDICT, [])
        self.validated = set()

    def listed(self, table, nothing):
        return next((table[k] for k in ((self.kind, self.part), ("*", self.part)) if k in table), nothing)

    def problem(self, sort, text):
        self.verdicts["! " + sort] += 1
        if self.verdicts["! " + sort] <= SHOWN:
            self.problems.append(text)

    # -- one attach

    def attach(self, pid, *options):
        """Attaches once, with one or three samples in turn, and judges what came."""
        self.attaches += 1
        samples = (1, 3)[self.attaches % 2]
        try:
            ran = lib.loopknot("--format", "json", "--samples", samples, *options, pid)
        except AssertionError as error:
            return self.problem("no end", "attach %d: %s" % (self.attaches, error))
        for other in driver.thread_ids(pid) and [pid]:
            for trouble in lib.thread_trouble(other):
                self.problem("thread left", "attach %d: %s" % (self.attaches, trouble))
        wrong = self.judge(ran)
        if wrong:
            self.problem("verdict", "attach %d (--samples %d%s): %s, see %s" % (
                self.attaches, samples, "".join(" " + o for o in options), wrong, self.keep(ran)))

    def judge(self, ran):
        """What is wrong with a run of the tool, or None."""
        if ran.status == 3:
            return None if self.excused("no report", ran.errors) else "no report: %s" % ran.errors.strip()[:300]
        if ran.status not in (0, 1, 4):
            self.verdicts["status %d" % ran.status] += 1
            return "status %d: %s" % (ran.status, ran.errors.strip()[:300])
        whole = lib.parse(ran)
        if whole["verdict"] != "unknown":
            self.verdicts[whole["verdict"]] += 1
        if whole["verdict"] not in self.validated:
            self.validated.add(whole["verdict"])
            invalid = lib.invalid(ran.out)
            if invalid:
                return "the report breaks the schema: %s" % invalid
        for report in lib.reports_of(whole):
            self.pauses += [s["pause_us"] for s in report["samples"] if s["pause_us"] is not None]
        return next(filter(None, map(self.judge_report, lib.reports_of(whole))), None)

    def judge_report(self, report):
        """What is wrong with the report of one process, or None."""
        rules = {f["rule"]: f["summary"] for f in report["findings"]}
        bad = {r: s for r, s in rules.items() if r not in self.hazards}
        if report["verdict"] in ("stalled", "deadlock") or bad:
            return "%s: %s" % (report["verdict"], "; ".join("%s %s" % item for item in (bad or rules).items()))
        if report["verdict"] == "unknown" and not self.excused("unknown", report["verdict_why"] or ""):
            return "unknown: %s; limits: %s" % (report["verdict_why"], "; ".join(report["limits"]))
        return None

    def excused(self, sort, text):
        """Whether that reason is listed for this case; counts it."""
        excuse = next((e for e in self.excuses if re.search(e, text, re.IGNORECASE)), None)
        self.verdicts["%s (%s)" % (sort, excuse or "unlisted")] += 1
        return excuse is not None

    def keep(self, ran):
        os.makedirs(KEEP, exist_ok=True)
        path = os.path.join(KEEP, "%s.%s.%d.json" % (self.kind, self.part, self.attaches))
        with open(path, "wb") as file:
            file.write(ran.out or ran.err)
        return path

    # -- requests

    def lost(self, failed, errors):
        self.failed += failed
        if failed:
            self.problem("request", "%d requests failed: %s" % (failed, errors[:3]))

    def must_answer(self, server):
        status = driver.get(server.port, "/ping", driver.PATIENCE)
        if status != 200:
            self.problem("request", "it does not answer afterwards: status %d" % status)

    # -- the parts of life

    def run(self, attaches):
        began = time.monotonic()
        try:
            getattr(self, "run_" + self.part, self.run_steady)(attaches)
        except (driver.ScenarioError, AssertionError, OSError) as error:
            self.problems.append("%s: %s" % (type(error).__name__, error))
        self.seconds = time.monotonic() - began
        return self

    def run_steady(self, attaches):
        """Under load in a dress."""
        load = {k: DRESSES[self.part][k] for k in ("clients", "pause")}
        with Server(self.kind, self.part) as server:
            server.start()
            server.begin_load(**load)
            time.sleep(CONTROL_SECONDS)
            *self.control, _ = server.end_load()
            server.begin_load(**load)
            for _ in range(attaches):
                self.attach(server.pid)
            self.requests, failed, errors = server.end_load()
            self.lost(failed, errors)
            self.must_answer(server)

    def run_work(self, attaches):
        """At work by itself: its whole tree, and one process of it, in turn."""
        with Program(self.kind) as program:
            program.start()
            while self.attaches < attaches and program.process.poll() is None:
                if self.random.random() < 0.5:
                    self.attach(program.pid, "--tree")
                else:
                    self.attach(self.random.choice(tree_of(program.pid)))
            if program.process.poll() is not None:
                self.problem("exit", "it ended with %d: %s" % (program.process.poll(), program.errors()[-500:]))
            self.requests, failed, errors = program.end_load()
            self.lost(failed, errors)

    def run_start(self, attaches):
        """From exec on until it serves; a new process each round."""
        options = ["--tree"] if self.kind == "gunicorn" else []
        while self.attaches < attaches:
            with Server(self.kind) as server:
                server.spawn(SERVERS)
                time.sleep(self.random.choice((0, 0, 0.01, 0.05, 0.1, 0.2, 0.3)))
                while not server.all_events("listening") and self.attaches < attaches:
                    self.attach(server.process.pid, *options)
                server.await_listening()
                self.attach(server.process.pid, *options)
                self.must_answer(server)
                self.requests += 1

    def run_stop(self, attaches):
        """SIGTERM with requests in flight: they are answered and it exits as it does without an attach."""
        ends = {self.stop(0) for _ in range(CONTROL_ROUNDS)}
        self.control, self.requests = [self.requests, self.failed], 0
        while self.attaches < attaches:
            status = self.stop(attaches - self.attaches)
            if status not in ends:
                self.problem("exit", "it ended with %s, without an attach with %s" % (status, sorted(ends)))

    def stop(self, attaches):
        """One stop, with at most so many attaches; the server's exit status."""
        with Server(self.kind) as server:
            server.start()
            pending = [driver.Pending(server.port, "/slow") for _ in range(IN_FLIGHT)]
            server.wait_event("started", IN_FLIGHT)
            os.kill(server.process.pid, signal.SIGTERM)
            deadline = time.monotonic() + ROUND_LIMIT
            while not server.ended():
                if attaches and not server.ended():
                    attaches -= 1
                    self.attach(server.process.pid, *(["--tree"] if self.kind == "gunicorn" else []))
                else:
                    time.sleep(0.01)
                if time.monotonic() > deadline:
                    self.problem("exit", "it did not end after SIGTERM")
                    break
            errors = []
            for one in pending:
                try:
                    if one.status() != 200:
                        errors.append("another status")
                except (OSError, driver.ScenarioError) as error:
                    errors.append(repr(error))
            self.requests += len(pending)
            self.lost(len(errors), errors)
            return server.process.poll()

    def run_reload(self, attaches):
        """Reloads under load: gunicorn's HUP, or what werkzeug's reloader does when a file changes."""
        with tempfile.NamedTemporaryFile() as watched:
            environment = {"SCENARIO_WORKERS": "2"} if self.kind == "gunicorn" else {"SOAK_RELOADER": watched.name}
            with Server(self.kind, **environment) as server:
                server.start()
                server.begin_load(clients=2, pause=0.05)
                for _ in range(CONTROL_RELOADS):
                    self.reload(server, watched.name, 0)
                *self.control, _ = server.end_load()
                server.begin_load(clients=2, pause=0.05)
                rounds = 0
                while self.attaches < attaches:
                    self.reload(server, watched.name, attaches - self.attaches)
                    rounds += 1
                self.requests, self.failed, errors = server.end_load()
                # Three standard deviations of the difference of two counts; the control is a sample too.
                allowed = (self.control[1] + 1) * rounds / CONTROL_RELOADS
                allowed += 3 * (allowed * (1 + rounds / CONTROL_RELOADS)) ** 0.5
                if self.failed > allowed:
                    self.problem("request", "%d requests failed in %d reloads, without attaches %d in %d: %s" % (
                        self.failed, rounds, self.control[1], CONTROL_RELOADS, errors[:3]))
                self.must_answer(server)

    def reload(self, server, watched, attaches):
        """One reload, with at most so many attaches: to the whole tree and to one process of it in turn."""
        before = server.all_events("worker")
        old = {e["pid"] for e in before}
        if self.kind == "gunicorn":
            os.kill(server.process.pid, signal.SIGHUP)
        else:
            os.utime(watched)
        count = len(before) + (2 if self.kind == "gunicorn" else 1)
        deadline = time.monotonic() + ROUND_LIMIT
        touch_again = time.monotonic() + 2  # werkzeug may have noted the file's time only after it was touched
        while len(server.all_events("worker")) < count or any(driver.thread_ids(pid) for pid in old):
            if time.monotonic() > deadline:
                return self.problem("reload", "the reload did not end")
            if self.kind == "werkzeug" and len(server.all_events("worker")) < count and time.monotonic() > touch_again:
                touch_again = time.monotonic() + 2
                os.utime(watched)
            if not attaches:
                time.sleep(0.01)
                continue
            attaches -= 1
            one = self.random.choice(server.all_events("worker"))["pid"]
            if self.random.random() < 0.5 and driver.thread_ids(one):
                self.attach(one)
            else:
                self.attach(server.process.pid, "--tree")
        return None

    # -- words

    def says(self):
        shown = ", ".join("%d %s" % (n, v) for v, n in sorted(self.verdicts.items()))
        pause = "%.1f/%.1f ms" % (statistics.median(self.pauses) / 1000, max(self.pauses) / 1000) if self.pauses else "none"
        return "%s; %.1f attaches/s; pause median/max %s; requests %d, failed %d (control %d, %d)" % (
            shown, self.attaches / max(self.seconds, 0.001), pause, self.requests, self.failed, *self.control)


def cases():
    """Every case there is, lives first: they take longest."""
    lives = [(k, part) for k in KINDS for part in ("start", "stop")]
    lives += [("werkzeug", "reload"), ("gunicorn", "reload")]
    lives += [(kind, "work") for kind in AT_WORK]
    return lives + [(k, d) for d, plan in DRESSES.items() for k in plan.get("kinds", KINDS)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="WORD", action="append", default=[], help="only cases whose KIND/PART holds it")
    parser.add_argument("--jobs", type=int, default=2, help="servers at the same time (2)")
    parser.add_argument("--list", action="store_true", help="print the cases")
    args = parser.parse_args()
    chosen = [c for c in cases() if not args.only or any(word in "/".join(c) for word in args.only)]
    if args.list:
        print("\n".join("/".join(c) for c in chosen))
        return 0
    tally, printing, began = lib.Tally("soak"), threading.Lock(), time.monotonic()
    lacks = {kind: missing(kind) for kind, part in chosen if part == "work"}
    for kind in filter(lacks.get, lacks):
        tally.skip("%s/work" % kind, "needs %s" % lacks[kind])
    chosen = [c for c in chosen if c[1] != "work" or not lacks[c[0]]]
    each = -(-ATTACHES // max(1, len(chosen)))

    def one(names):
        case = Case(*names).run(each)
        with printing:
            if case.problems:
                tally.bad(case.title, [case.says()] + case.problems)
            else:
                tally.ok(case.title, case.says())
        return case

    with ThreadPoolExecutor(args.jobs) as pool:
        done = list(pool.map(one, chosen))
    summary(done, time.monotonic() - began)
    return tally.end()


def summary(done, seconds):
    verdicts = sum((c.verdicts for c in done), collections.Counter())
    pauses = [p for c in done for p in c.pauses]
    attaches = sum(c.attaches for c in done)
    print("\n%d attaches in %.0f s (%.1f a second): %s" % (
        attaches, seconds, attaches / max(seconds, 0.001), ", ".join("%d %s" % (n, v) for v, n in sorted(verdicts.items()))))
    if pauses:
        print("pause median %.1f ms, 99th percentile %.1f ms, longest %.1f ms" % (
            statistics.median(pauses) / 1000, sorted(pauses)[int(len(pauses) * 0.99)] / 1000, max(pauses) / 1000))
    print("requests %d, failed %d (control %d, failed %d)" % (
        sum(c.requests for c in done), sum(c.failed for c in done), sum(c.control[0] for c in done), sum(c.control[1] for c in done)))


if __name__ == "__main__":
    sys.exit(main())
