"""Starts a scenario, sends it real requests until its truth has come about, and knows that truth.

Used by scenarios/run (by hand) and by the end-to-end tests. Standard library only.

A family of scenarios is a folder with scenario.json: {"about", "pitfalls", "programs": {NAME: {
    "about":    what this one shows, where the family's words are too wide
    "file":     program, default NAME.py
    "start":    "python" (default), "gunicorn", "native": a program in C or C++, compiled here (common.h), or another server's
                command line, a list in which {bin} stands for the folder of Python's programs, {folder} for the family's and
                {port} for a free port; it listens when that port answers
    "args":     arguments for a program in Python or C
    "flags":    how it is compiled (-g -Og);  "strip": true: then stripped (a copy that is not stays beside it)
    "libraries": what it is linked with
    "build":    sources in C that are compiled into shared objects NAME.so in the folder $SCENARIO_BUILD
    "attach":   "server" (default; for gunicorn its worker), "master", "child": the process that said "worker",
                or "stuck": the one that said so first
    "env":      more environment
    "upstream": true: a listening peer outside the server that never answers
    "steps":    what to do, in order (see Scenario._step)
    "options":  options for loopknot; {folder} is the family's
    "moves":    true: hung threads wake now and then
    "needs_gil": why this is not asked of a free-threaded build
    "near":     rules that it looks like and must not get; a healthy twin: by default those of the folder's other programs
    "check":    a path that must still be answered afterwards, default /ping; null when nothing is
    "expect":   {"verdict", "rule", "exit"}; verdict and rule may be lists of what is acceptable; and, where it matters,
                "first_function": whose culprit comes first (else the first one reported);  "first": "any" of them may;
                "all": false when not every culprit needs to be named;  "culprit": false when none is expected;
                "held_requests": n;  "loops": at least n in the finding;  "also": other rules that must be reported;
                "set": true when a report set is written;  "says": words that the report must hold;
                "first_screen": words, each in its first 24 lines;  "lines": as many at most;  "never": a verdict worse than wrong
}}}
What cannot be known before it runs (process, threads, lines) the program says itself (common.py).
"""
import ctypes
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
FAMILIES = os.path.abspath(os.environ.get("SCENARIO_FAMILIES", HERE))  # the folder of the families' folders
PYTHON = os.environ.get("SCENARIO_PYTHON", sys.executable)  # what the servers run on
DEBIAN_PACKAGES = "/usr/lib/python3/dist-packages"  # where Flask is, should that be another Python than Debian's
PATIENCE = 30.0  # seconds that anything here may take

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def of_venv(python):
    """Whether this is the interpreter of a virtual environment: that has packages of its own."""
    return os.path.exists(os.path.join(os.path.dirname(os.path.dirname(python)), "pyvenv.cfg"))


class ScenarioError(Exception):
    """The scenario did not come about: the test's fault, not the diagnosis's."""


def names():
    return sorted(d for d in os.listdir(FAMILIES) if os.path.exists(os.path.join(FAMILIES, d, "scenario.json")))


def load(name):
    path = os.path.join(FAMILIES, name, "scenario.json")
    if not os.path.exists(path):
        raise ScenarioError("no scenario %r; there are: %s" % (name, ", ".join(names())))
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def cases():
    """Every (scenario, program) there is."""
    return [(name, program) for name in names() for program in load(name)["programs"]]


def sysconfig_of_server():
    """What the compiler needs to find Python.h of the interpreter that the servers run on."""
    ran = subprocess.run([PYTHON, "-c", "import sysconfig; print(sysconfig.get_paths()['include'])"],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True)
    return ["-I" + ran.stdout.strip()]


PITFALLS = range(1, 17)  # the documented ones; docs/pitfalls.md tells which rule each one becomes


def uncovered_pitfalls():
    """Words about each documented pitfall that no folder of scenarios shows, or that has no healthy twin there."""
    missing = []
    for pitfall in PITFALLS if FAMILIES == HERE else ():
        folders = [w for w in map(load, names()) if pitfall in w["pitfalls"]]
        verdicts = [{v for p in w["programs"].values() for v in [p["expect"]["verdict"]] if isinstance(v, str)} for w in folders]
        if not any("healthy" in v and v & {"hazard", "stalled", "deadlock"} for v in verdicts):
            missing.append("pitfall %d: no folder both shows it and has a healthy twin" % pitfall)
    return missing


def die_with_parent():
    """In a new child: SIGKILL when the thread that started it is gone; no signal blocked."""
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


# ---- what /proc says ------------------------------------------------------------------

def thread_ids(pid):
    try:
        return sorted(int(t) for t in os.listdir("/proc/%d/task" % pid))
    except FileNotFoundError:
        return []


def thread_status(pid, tid):
    """The fields of /proc/PID/task/TID/status; None when the thread is gone."""
    try:
        with open("/proc/%d/task/%d/status" % (pid, tid), encoding="utf-8", errors="replace") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    except (FileNotFoundError, ProcessLookupError):
        return None


def thread_state(pid, tid):
    status = thread_status(pid, tid)
    return status["State"][0] if status else None


def switches(pid, tid):
    status = thread_status(pid, tid)
    if status is None:
        return None
    return int(status["voluntary_ctxt_switches"]), int(status["nonvoluntary_ctxt_switches"])


def asleep_unmoved(threads, window=0.03):
    """True when each (pid, tid) sleeps and none was switched in during the window."""
    before = {t: switches(*t) for t in threads}
    if None in before.values() or any(thread_state(*t) not in ("S", "T") for t in threads):
        return False
    time.sleep(window)
    return before == {t: switches(*t) for t in threads}


# ---- HTTP clients ---------------------------------------------------------------------

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def answers(port):
    """Whether something listens there."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


class Pending:
    """One request whose answer is not awaited."""

    def __init__(self, port, path):
        self.path = path
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path.encode())

    def answered(self):
        return bool(select.select([self.socket], [], [], 0)[0])

    def status(self, timeout=PATIENCE):
        """Awaits the answer; its status."""
        self.socket.settimeout(timeout)
        data = b""
        while True:
            chunk = self.socket.recv(65536)
            if not chunk:
                break
            data += chunk
        self.socket.close()
        if not data.startswith(b"HTTP/1."):
            raise ScenarioError("no HTTP answer for %s: %r" % (self.path, data[:80]))
        return int(data.split(b" ", 2)[1])


def get(port, path, timeout=PATIENCE):
    return Pending(port, path).status(timeout)


class Load:
    """Clients that send one request after the other until told to stop; with keep, each on one connection as long as it lasts."""

    def __init__(self, port, path, clients, pause, keep=False):
        self.port, self.path, self.pause, self.keep = port, path, pause, keep
        self.done, self.failed, self.errors = 0, 0, []
        self.ending = threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._client, daemon=True) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def _client(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE) if self.keep else None
        while not self.ending.wait(self.pause):
            error = None
            try:
                status = self._kept(connection) if self.keep else get(self.port, self.path)
                if status != 200:
                    error = "status %d" % status
            except (OSError, ScenarioError, http.client.HTTPException) as problem:
                error = repr(problem)
            with self.lock:
                self.done += 1
                if error is not None:
                    self.failed += 1
                    self.errors.append("%s: %s" % (self.path, error))
        if connection is not None:
            connection.close()

    def _kept(self, connection):
        """One request on a connection that is kept; one that the server closed while it was idle is made anew, as clients do."""
        for attempt in (1, 2):
            reused = connection.sock is not None
            try:
                connection.request("GET", self.path)
                answer = connection.getresponse()
                answer.read()
                return answer.status
            except (ConnectionError, http.client.BadStatusLine):
                connection.close()
                if attempt == 2 or not reused:
                    raise

    def end(self):
        self.ending.set()
        for thread in self.threads:
            thread.join(PATIENCE)


# ---- the scenario ---------------------------------------------------------------------

class Scenario:
    """with Scenario(name, program) as s: s.ready() ... ends the server whatever happens."""

    def __init__(self, name, program="server"):
        whole = load(name)
        if program not in whole["programs"]:
            raise ScenarioError("%s has no program %r; there are: %s"
                                % (name, program, ", ".join(whole["programs"])))
        self.about = whole["programs"][program].get("about", whole["about"])
        self.set_up(name, program, whole["programs"][program])

    def set_up(self, name, program, plan):
        self.name, self.program, self.plan = name, program, plan
        self.events, self.changed = [], threading.Condition()
        self.pending, self.loads, self.opened = [], [], []
        self.process = self.upstream = self.port = self.pid = None
        self.job_stopped = False
        self.tracer = None
        self.log = tempfile.TemporaryFile()
        self.folder = tempfile.TemporaryDirectory(prefix="loopknot-scenario-")  # for the server's own files
        self.built = None
        self.unstripped = None  # the program, where it is compiled here

    # -- life

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def environment(self):
        path = ":".join(dict.fromkeys((HERE, FAMILIES)))
        environment = dict(os.environ, PYTHONPATH=path, PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED="1")
        if PYTHON != "/usr/bin/python3" and not of_venv(PYTHON):
            environment["PYTHONPATH"] += ":" + DEBIAN_PACKAGES
        environment["SCENARIO_FOLDER"] = self.folder.name
        environment.update(self.plan.get("env", {}))
        return environment

    def command(self, folder):
        file = self.plan.get("file", self.program + ".py")
        if self.plan.get("start") == "gunicorn":
            return [PYTHON, "-m", "gunicorn", "-c", os.path.join(HERE, "gunicorn_conf.py"),
                    "--chdir", folder, file.removesuffix(".py") + ":app"]
        if self.plan.get("start") == "native":
            return [self._compile(os.path.join(folder, file), "")] + self.plan.get("args", [])
        if isinstance(self.plan.get("start"), list):
            self.port = free_port()
            words = {"bin": os.path.dirname(PYTHON), "folder": folder, "port": self.port}
            return [word.format(**words) for word in self.plan["start"]]
        return [PYTHON, os.path.join(folder, file)] + self.plan.get("args", [])

    def spawn(self, folder):
        """Starts the server's process; what it says is listened to from here on."""
        environment = self.environment()
        for source in self.plan.get("build", []):
            environment["SCENARIO_BUILD"] = os.path.dirname(self._compile(os.path.join(folder, source), ".so"))
        if self.plan.get("upstream"):
            self.upstream = socket.create_server(("127.0.0.1", 0), backlog=64)
            environment["SCENARIO_UPSTREAM"] = "127.0.0.1:%d" % self.upstream.getsockname()[1]
        self.process = subprocess.Popen(self.command(folder), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self.log, env=environment, cwd=folder,
                                        preexec_fn=die_with_parent, start_new_session=True)
        self.pid = self.process.pid
        threading.Thread(target=self._listen, daemon=True).start()

    def start(self):
        self.spawn(os.path.join(FAMILIES, self.name))
        if self.port is None:
            self.port = self.wait_event("listening")["port"]
        else:
            self._until(lambda: answers(self.port), "the server")
        if self.plan.get("attach") == "child" or (self.plan.get("start") == "gunicorn" and self.plan.get("attach") != "master"):
            self.pid = self.wait_event("worker")["pid"]

    def _compile(self, source, suffix):
        """The program, or with suffix .so the shared object, made of one file in C or C++; gone when the scenario ends."""
        if self.built is None:
            self.built = tempfile.TemporaryDirectory(prefix="scenario-")
        stem, language = os.path.splitext(os.path.basename(source))
        made = os.path.join(self.built.name, stem + suffix)
        compiler = os.environ.get("CXX", "c++") if language == ".cc" else os.environ.get("CC", "cc")
        command = [compiler, *self.plan.get("flags", ["-g", "-Og"]), "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-I" + HERE,
                   "-pthread", *(["-shared", "-fPIC", *sysconfig_of_server()] if suffix else []), "-o", made, source,
                   *("-l" + library for library in ([] if suffix else self.plan.get("libraries", [])))]
        self._tool(command, "%s does not compile" % source)
        self.unstripped = made
        if self.plan.get("strip"):
            self.unstripped = made + ".unstripped"
            os.rename(made, self.unstripped)
            self._tool(["strip", "-o", made, self.unstripped], "%s cannot be stripped" % made)
        return made

    @staticmethod
    def _tool(command, trouble):
        ran = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if ran.returncode != 0:
            raise ScenarioError("%s:\n%s" % (trouble, ran.stdout))

    def _listen(self):
        for line in self.process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            with self.changed:
                self.events.append(event)
                self.changed.notify_all()
        with self.changed:
            self.events.append({"event": "end of output"})
            self.changed.notify_all()

    def end(self):
        for load in self.loads:
            load.ending.set()
        if self.tracer is not None:
            self.tracer.kill()
            self.tracer.wait(PATIENCE)
        if self.process is not None and self.process.poll() is None:
            # The session is the server's own (start_new_session): it, its workers and nobody else.
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(PATIENCE)
        for load in self.loads:
            load.end()
        for connection in [p.socket for p in self.pending] + self.opened:
            connection.close()
        if self.upstream is not None:
            self.upstream.close()
        self.folder.cleanup()
        if self.built is not None:
            self.built.cleanup()

    def errors(self):
        """What the server wrote to standard error."""
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    # -- coming about

    def all_events(self, name):
        with self.changed:
            return [e for e in self.events if e["event"] == name]

    def wait_event(self, name, count=1):
        """The count-th event of that name."""
        deadline = time.monotonic() + PATIENCE
        with self.changed:
            while True:
                found = [e for e in self.events if e["event"] == name]
                if len(found) >= count:
                    return found[count - 1]
                ended = any(e["event"] == "end of output" for e in self.events)
                if ended or not self.changed.wait(deadline - time.monotonic()):
                    raise ScenarioError("%s/%s: %s; %d of %d times %r\n%s"
                                        % (self.name, self.program, "it ended" if ended else "too late",
                                           len(found), count, name, self.errors()))

    def _step(self, step):
        """One step: {"send": path, "times": n}: requests left pending;  {"get": path}: one that must succeed;
        {"wait": event, "count": n};  {"reply": path}: a pending request must now be answered;
        {"load": path, "clients": n, "pause": s, "keep": connections kept}: continuous requests;  {"signal": name}: to the server;
        {"settle": true}: until no thread has run for a moment (what was sent has been accepted or queued);
        {"open": path, "times": n}: connections that stay open, each with a request for that path, or half of one (null);
        {"connect": n}: connections that stay open and say nothing;
        {"trace": command}: a tracer that is given the server's pid;  {"gone": ...}: its main thread must have ended."""
        if "send" in step:
            for _ in range(step.get("times", 1)):
                self.pending.append(Pending(self.port, step["send"]))
        elif "get" in step:
            status = get(self.port, step["get"])
            if status != 200:
                raise ScenarioError("%s: status %d\n%s" % (step["get"], status, self.errors()))
        elif "wait" in step:
            self.wait_event(step["wait"], step.get("count", 1))
        elif "reply" in step:
            one = next(p for p in self.pending if p.path == step["reply"])
            self.pending.remove(one)
            if one.status() != 200:
                raise ScenarioError("%s failed\n%s" % (step["reply"], self.errors()))
        elif "load" in step:
            load = Load(self.port, step["load"], step.get("clients", 2), step.get("pause", 0.01), step.get("keep", False))
            self.loads.append(load)
            self._until(lambda: load.done >= 1, "the load's first answer")
        elif "settle" in step:
            self._until(lambda: asleep_unmoved([(self.pid, t) for t in thread_ids(self.pid)], 0.15), "rest")
        elif "signal" in step:
            number = getattr(signal, step["signal"])
            os.kill(self.pid, number)
            if number == signal.SIGSTOP:
                self.job_stopped = True
                self._until(lambda: all(thread_state(self.pid, t) == "T" for t in thread_ids(self.pid)), "stop")
            elif number == signal.SIGCONT:
                self.job_stopped = False
        elif "open" in step:
            for _ in range(step.get("times", 1)):
                self.opened.append(socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE))
                self.opened[-1].sendall(b"GET %s HTTP/1.1\r\n" % (step["open"] or "/").encode())
                if step["open"]:
                    self.opened[-1].sendall(b"Host: localhost\r\n\r\n")
        elif "connect" in step:
            self.opened += [socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) for _ in range(step["connect"])]
        elif "trace" in step:
            self.tracer = subprocess.Popen(step["trace"] + [str(self.pid)], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                           preexec_fn=die_with_parent)
            self._until(lambda: all(thread_status(self.pid, t)["TracerPid"] != "0" for t in thread_ids(self.pid)), "the tracer")
        elif "gone" in step:
            self._until(lambda: thread_state(self.pid, self.pid) == "Z", "the end of the main thread")
        else:
            raise ScenarioError("unknown step %r" % step)

    def _until(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise ScenarioError("%s/%s: %s did not come about\n%s" % (self.name, self.program, what, self.errors()))
            time.sleep(0.005)

    def blocked(self):
        """(pid, tid) of the threads that said that they block: the guilty ones and those behind them."""
        return sorted({(e["pid"], e["tid"]) for name in ("stuck", "waiting") for e in self.all_events(name)
                       if e.get("tid") and not e.get("computes")})

    def pids(self):
        """Every process of the server that has said anything."""
        with self.changed:
            return sorted({self.pid} | {e["pid"] for e in self.events if "pid" in e})

    def reach(self):
        """Takes the steps, then waits until every thread that said so really blocks."""
        for step in self.plan.get("steps", []):
            self._step(step)
        if self.plan.get("attach") == "stuck":
            self.pid = self.wait_event("stuck")["pid"]
        threads = self.blocked()
        if threads and self.hangs():
            self._until(lambda: asleep_unmoved(threads), "the hang")
        answered = [p.path for p in self.pending if p.answered()]
        if answered:
            raise ScenarioError("%s/%s: answered, though it should hang: %s\n%s"
                                % (self.name, self.program, answered, self.errors()))

    def hangs(self):
        """Whether its threads are expected to stay where they are."""
        return self.plan["expect"]["verdict"] != "healthy" and not self.loads and not self.plan.get("moves")

    def truth(self):
        """The static expectations with the facts of this run; the culprit that must come first is the first."""
        expect = dict(self.plan["expect"])
        culprits = [{k: e.get(k) for k in ("tid", "task", "function", "file", "line")}
                    for e in self.all_events("stuck")]
        if not expect.get("culprit", True):
            culprits = []
        for culprit in culprits:
            if culprit["function"] == expect.get("first_function"):
                culprits.remove(culprit)
                culprits.insert(0, culprit)
                break
        first = culprits[0] if culprits else {}
        expect.update({k: first.get(k) for k in ("tid", "function", "file", "line")})
        expect["culprits"] = culprits
        folder = os.path.join(FAMILIES, self.name)
        expect["options"] = [option.replace("{folder}", folder) for option in self.plan.get("options", [])]
        return expect

    def ready(self):
        """Starts it, takes it to its state; returns the ready line's object."""
        self.start()
        self.reach()
        return {"ready": True, "scenario": self.name, "program": self.program, "pid": self.pid, "port": self.port,
                "expect": self.truth()}

    # -- afterwards

    def check_path(self):
        return self.plan.get("check", "/ping")

    def still_pending(self):
        return all(not p.answered() for p in self.pending)


def main_error(error):
    print("scenario: %s" % error, file=sys.stderr)
    return 3
