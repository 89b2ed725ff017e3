"""pytest --loopknot[=T]: a test that stands still for T is examined from a helper process; where it is deadlocked, that test
fails with the verdict, and the suite goes on.

- Below pytest-xdist the worker ends and xdist starts another one; the controller puts the verdict in place of "worker crashed".
- Otherwise the hung process stays what it is and becomes the controller of the rest: the tests that remain run in a fresh child,
  whose reports it takes over, and the session ends as any other (junit.xml, summary, status 1). Fixtures of wider scope are made
  again in the child; those of the hung process are not torn down.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

import pytest

REST = "LOOPKNOT_PYTEST_REST"  # in a child: the file that lists its tests
REPORTS = "LOOPKNOT_PYTEST_REPORTS"  # in a child: the descriptor that takes its reports
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "": 1}


def duration(text):
    """A number with a unit, as `loopknot run --stall` has it."""
    match = re.match(r"(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h|)$", text)
    if not match or not float(match.group(1)):
        import argparse
        raise argparse.ArgumentTypeError("wants a duration such as 30, 5s, 2m or 500ms, not '%s'" % text)
    return float(match.group(1)) * UNITS[match.group(2)]


def pytest_addoption(parser):
    group = parser.getgroup("loopknot", "tests that stand still are examined from outside")
    group.addoption("--loopknot", metavar="T", nargs="?", type=duration, const=30.0, default=None,
                    help="examine a test that runs for T (30s); a deadlock fails it, and the others go on")
    group.addoption("--loopknot-stalled", action="store_true", default=False,
                    help="with --loopknot: what merely stands still fails too")


def pytest_configure(config):
    if config.getoption("loopknot") is None:
        return
    if os.environ.get(REST):
        config.option.xmlpath = None  # the session that goes on writes it
        config.option.htmlpath = None
        config.pluginmanager.register(Child(config), "loopknot-child")
    elif hasattr(config, "workerinput"):
        config.pluginmanager.register(Worker(config), "loopknot-worker")
    elif getattr(config.option, "numprocesses", None) or getattr(config.option, "tx", None):
        config.pluginmanager.register(Controller(config), "loopknot-controller")
    else:
        config.pluginmanager.register(Alone(config), "loopknot-alone")


def allow_tracing(pid):
    """Yama (ptrace_scope 1) lets ancestors alone look: the helper's descendants may, too. Without Yama: an error, and no need."""
    try:
        import ctypes
        ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(pid), 0, 0, 0)  # PR_SET_PTRACER
    except (ImportError, OSError, AttributeError):
        pass


def long_text(verdict):
    """The verdict in the form that reports have their tracebacks in: junit.xml and the summary then have its first line."""
    lines = [verdict["message"]] + verdict["text"].splitlines()
    try:
        from _pytest._code.code import ReprEntryNative, ReprExceptionInfo, ReprFileLocation, ReprTraceback
        crash = ReprFileLocation(str(verdict["file"]), int(verdict["line"] or 0), verdict["message"])
        trace = ReprTraceback([ReprEntryNative([line + "\n" for line in lines])], None, style="native")
        return ReprExceptionInfo(reprtraceback=trace, reprcrash=crash)
    except (ImportError, TypeError):
        return "\n".join(lines)


def sections(folder):
    try:
        with open(os.path.join(folder, "report.txt"), encoding="utf-8", errors="replace") as file:
            return [("loopknot", file.read())]
    except OSError:
        return []


class Watch:
    """Tells the helper which test runs; hung() is called, in a thread of its own, when that stands still for good."""

    def __init__(self, config, folder):
        self.folder, self.item = folder, None
        least = "stalled" if config.getoption("loopknot_stalled") else "deadlock"
        self.helper = subprocess.Popen([sys.executable, "-m", "loopknot._watch", str(os.getpid()), str(config.getoption("loopknot")),
                                        folder, least], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        allow_tracing(self.helper.pid)
        threading.Thread(target=self.wait, name="loopknot", daemon=True).start()

    def tell(self, line):
        try:
            self.helper.stdin.write(line.encode(errors="replace") + b"\n")
            self.helper.stdin.flush()
        except (OSError, ValueError):
            pass  # it has ended: no test is watched any more

    def wait(self):
        line = self.helper.stdout.readline()
        if line:
            self.tell("seen")
            self.hung(self.item, json.loads(line))

    def hung(self, item, verdict):
        raise NotImplementedError

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item):
        self.item = item
        self.tell("begin " + " ".join(item.nodeid.split("\n")))
        yield
        self.tell("end")

    def pytest_unconfigure(self):
        self.helper.stdin.close()
        self.helper.wait()


class Controller:
    """Of xdist: the worker that ended left its verdict in a folder."""

    def __init__(self, config):
        self.folder = tempfile.mkdtemp(prefix="loopknot-")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node):
        node.workerinput["loopknot_folder"] = os.path.join(self.folder, node.gateway.id)
        os.mkdir(node.workerinput["loopknot_folder"])

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem, report):
        folder = os.path.join(self.folder, report.node.gateway.id)
        try:
            with open(os.path.join(folder, "verdict.json"), encoding="utf-8") as file:
                verdict = json.load(file)
        except (OSError, ValueError):
            return  # it ended otherwise
        file, _, name = report.nodeid.partition("::")
        report.when, report.location = "call", (file, None, name.replace("::", "."))
        report.longrepr = long_text(verdict)
        report.sections += sections(folder)

    def pytest_unconfigure(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Worker(Watch):
    def __init__(self, config):
        super().__init__(config, config.workerinput["loopknot_folder"])

    def hung(self, item, verdict):
        os._exit(1)


class Alone(Watch):
    """The process that runs the tests; after a hang a thread of it goes on with the session."""

    def __init__(self, config):
        self.config, self.session = config, None
        super().__init__(config, tempfile.mkdtemp(prefix="loopknot-"))

    def pytest_collection_finish(self, session):
        self.session = session

    def captured(self):
        """What the test has printed; from now on nothing is captured."""
        manager = self.config.pluginmanager.getplugin("capturemanager")
        if not manager:
            return []
        try:
            manager.suspend(in_=True)
            out, err = manager.read_global_capture()
        except (AttributeError, AssertionError):
            return []
        return [(name, text) for name, text in (("Captured stdout", out), ("Captured stderr", err)) if text]

    def failed(self, item, verdict, more):
        return pytest.TestReport(nodeid=item.nodeid, location=item.location, keywords={item.name: 1}, outcome="failed",
                                 longrepr=long_text(verdict), when="call", sections=sections(self.folder) + more)

    def hung(self, item, verdict):
        report = self.failed(item, verdict, self.captured())
        status = 1
        try:
            self.log(report)
            Rest(self.config, self.session, self.session.items[self.session.items.index(item) + 1:], self.log).run()
            self.session.testsfailed = max(1, self.session.testsfailed)
            self.session.exitstatus = pytest.ExitCode.TESTS_FAILED
            self.config.hook.pytest_sessionfinish(session=self.session, exitstatus=self.session.exitstatus)
        except BaseException as error:  # whatever happens here, the process must end
            status = 3
            sys.stderr.write("loopknot: the session could not go on: %r\n" % (error,))
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def log(self, report):
        self.config.hook.pytest_runtest_logreport(report=report)
        if report.when == "teardown" or "loopknot" in dict(report.sections):
            self.config.hook.pytest_runtest_logfinish(nodeid=report.nodeid, location=report.location)

    def pytest_unconfigure(self):
        super().pytest_unconfigure()
        shutil.rmtree(self.folder, ignore_errors=True)


class Rest:
    """The tests that remain, in one fresh child after another: one that hangs ends with its verdict, and the next one follows."""

    def __init__(self, config, session, items, log):
        self.config, self.session, self.log = config, session, log
        self.items = {item.nodeid: item for item in items}

    def run(self):
        while self.items and not self.session.shouldfail and not self.session.shouldstop:
            before = len(self.items)
            running = self.run_child()
            if running in self.items:  # it ended without a word
                item = self.items.pop(running)
                self.log(pytest.TestReport(nodeid=item.nodeid, location=item.location, keywords={item.name: 1}, outcome="failed",
                                           longrepr="the process that ran the test ended", when="call"))
            if len(self.items) == before:
                raise RuntimeError("%d tests did not run in a fresh process" % before)

    def run_child(self):
        """The test in which it ended, None where it came to its end."""
        read, write = os.pipe()
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            json.dump(list(self.items), file)
        environment = dict(os.environ, **{REST: file.name, REPORTS: str(write)})
        script = os.path.abspath(sys.argv[0])  # `python -m pytest` has the current folder in sys.path, the script has not
        start = ["-m", "pytest"] if os.path.basename(script) == "__main__.py" or not os.path.isfile(script) else [script]
        arguments = [str(a) for a in self.config.invocation_params.args]
        child = subprocess.Popen([sys.executable, *start, *arguments], env=environment, pass_fds=[write], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, cwd=str(self.config.invocation_params.dir))
        os.close(write)
        running = None
        try:
            with os.fdopen(read, encoding="utf-8") as reports:
                for line in reports:
                    running = self.take(json.loads(line))
        finally:
            child.kill() if self.session.shouldfail else None
            child.wait()
            os.unlink(file.name)
        return running

    def take(self, said):
        """@return the test that runs now"""
        if "begin" in said:
            item = self.items.get(said["begin"])
            if item:
                self.config.hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
            return said["begin"]
        report = self.config.hook.pytest_report_from_serializable(config=self.config, data=said["report"])
        self.log(report)
        if report.when != "teardown" and not said["last"]:
            return report.nodeid
        self.items.pop(report.nodeid, None)
        return None


class Child(Alone):
    """A fresh process with the tests that remain: each report is a line of JSON for the session that goes on."""

    def __init__(self, config):
        self.to = os.fdopen(int(os.environ.pop(REPORTS)), "w", encoding="utf-8")
        with open(os.environ.pop(REST), encoding="utf-8") as file:
            self.order = {nodeid: n for n, nodeid in enumerate(json.load(file))}
        super().__init__(config)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        items[:] = sorted((i for i in items if i.nodeid in self.order), key=lambda i: self.order[i.nodeid])

    def say(self, what):
        self.to.write(json.dumps(what, default=str) + "\n")
        self.to.flush()

    def pytest_runtest_logstart(self, nodeid):
        self.say({"begin": nodeid})

    def pytest_runtest_logreport(self, report, last=False):
        data = self.config.hook.pytest_report_to_serializable(config=self.config, report=report)
        self.say({"report": data, "last": last})

    def hung(self, item, verdict):
        self.pytest_runtest_logreport(self.failed(item, verdict, self.captured()), last=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        os._exit(1)
