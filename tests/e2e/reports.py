#!/usr/bin/python3
"""Reports that travel: fingerprints of the same hang elsewhere, graphs and stacks for other programs, JSON
reports read again.

Last line: reports: N passed, N failed.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import lib
from cores import gcore
from lib import driver

TWO_LOOPS = lib.TWO_LOOPS + '''
future = asyncio.run_coroutine_threadsafe(order(), a)
os.write(1, b"x")
future.result()
'''


def hung(folder, source, name="shop.py"):
    """A process that runs the program and hangs in it."""
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(source)
    child = lib.Child([driver.PYTHON, path], stdout=subprocess.PIPE, cwd=folder)
    child.process.stdout.read(1)
    lib.until(lambda: all(driver.thread_state(child.pid, t) == "S" for t in driver.thread_ids(child.pid)), what="sleep")
    return child


# ---- fingerprints


def fingerprint(source, *folders):
    with tempfile.TemporaryDirectory() as top:
        folder = os.path.join(top, *folders)
        os.makedirs(folder, exist_ok=True)
        with hung(folder, source) as child:
            (report,) = lib.reports_of(lib.parse(lib.loopknot("--format", "json", child.pid)))
            (finding,) = report["findings"]
            text = lib.loopknot(child.pid).text
            assert finding["fingerprint"] in text, text[-600:]
            return finding["rule"], finding["fingerprint"]


def same_elsewhere():
    """In another run, another folder, after an edit of other lines; not in another function."""
    first = fingerprint(TWO_LOOPS)
    assert first[0] == "LK102", first
    edited = "# a comment\n\n\ndef helper():\n    pass\n" + TWO_LOOPS.replace("loop-a", "worker-1")
    assert fingerprint(edited, "srv", "checkout") == first
    assert fingerprint(TWO_LOOPS.replace("price()", "quote()")) != first
    return first[1]


# ---- graphs and stacks


def check_dot(path):
    if not shutil.which("dot"):
        raise lib.Skipped("graphviz is not installed")
    ran = subprocess.run(["dot", "-Tsvg", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert ran.returncode == 0 and not ran.stderr, "%s: %s" % (os.path.basename(path), ran.stderr.decode(errors="replace")[:300])
    return ran.stdout.decode()


def check_collapsed(path):
    """As flamegraph.pl reads a line: a stack, a space, a number."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    for line in lines:
        assert re.fullmatch(r"[^;]+(;[^;]+)+ [0-9]+", line), line[:200]
    return lines


def fixtures():
    """Reports made by hand with every kind of name."""
    with tempfile.TemporaryDirectory() as folder:
        lib.write_fixtures("test_report_graphs", folder)
        files = {check: glob.glob(folder + "/*." + ending) for ending, check in (("collapsed", check_collapsed), ("dot", check_dot))}
        for check, paths in files.items():
            assert len(paths) > 10, "%d files" % len(paths)
            for path in paths:
                check(path)
    return "%d files" % sum(map(len, files.values()))


def graphs_of(folder):
    with hung(folder, TWO_LOOPS) as child:
        lib.loopknot("--output", "dot:%s/a.dot" % folder, "--output", "collapsed:%s/a.collapsed" % folder, child.pid)
    lines = check_collapsed(folder + "/a.collapsed")
    assert any(";order (shop.py:15);" in line for line in lines), lines
    with open(folder + "/a.dot", encoding="utf-8") as file:
        text = file.read()
    assert text.count("run by") == 2 and "order (shop.py:15)" in text and "price (shop.py:12)" in text, text
    svg = check_dot(folder + "/a.dot")
    assert svg.count("<g id=\"edge") == text.count(" -> "), "graphviz draws other edges than are written"


def graphs():
    with tempfile.TemporaryDirectory() as folder:
        graphs_of(folder)


def dot_refuses():
    with tempfile.NamedTemporaryFile("w", suffix=".dot") as file:
        file.write('digraph x { a [label="a"b"]; }')
        file.flush()
        try:
            check_dot(file.name)
        except AssertionError:
            return
        raise AssertionError("graphviz accepts nonsense")


# ---- analyze

# Of what a format says nothing is lost on the way through JSON.
FORMATS = lib.formats()


def again(name, program):
    """What a report says of a real process is the same when it is read again, in a bare environment."""
    with driver.Scenario(name, program) as running, tempfile.TemporaryDirectory() as folder:
        expect = running.ready()["expect"]
        outputs = [word for f in FORMATS for word in ("--output", "%s:%s/%s" % (f, folder, f))]
        ran = lib.loopknot(*outputs, *expect["options"], running.pid, cwd="/")
        for name in FORMATS:
            second = lib.loopknot("analyze", "--format", name, folder + "/json", env={}, cwd="/")
            assert second.status == ran.status, (name, second.status, ran.status, second.errors)
            with open(os.path.join(folder, name), "rb") as file:
                first = file.read()
            if first != second.out:
                pairs = zip(first.decode().splitlines(), second.text.splitlines())
                raise AssertionError("%s differs: %s" % (name, [pair for pair in pairs if pair[0] != pair[1]][:3]))
        with open(folder + "/json", "rb") as file:
            piped = subprocess.run([lib.LOOPKNOT, "analyze", "--format", "json", "-"], stdin=file, stdout=subprocess.PIPE, timeout=60)
        with open(folder + "/json", "rb") as file:
            assert piped.stdout == file.read(), "from standard input it is another one"
    return "%d formats" % len(FORMATS)


def refusals():
    """One clear line and status 3 for whatever is no report; 2 for wrong usage."""
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/x"
        for data in (b"", b"{", b"[]", b"{}", b"\x7fELF" + bytes(5000), b'{"schema": "loopknot.report/2"}', b"[" * 5000,
                     b'{"a":' * 5000, b'{"schema": "loopknot.report/1", "target": {"pid": 1}}trailing', b"{" + b'"a":1,' * 5000000):
            with open(path, "wb") as file:
                file.write(data)
            ran = lib.loopknot("analyze", path)
            assert ran.status == 3 and ran.one_line() and path in ran.errors, (data[:40], ran.status, ran.errors)
        for name, status in ((folder + "/missing", 3), (folder, 3), ("/dev/zero", 3), ("/dev/full", 3)):
            ran = lib.loopknot("analyze", name)
            assert ran.status == status and ran.one_line(), (name, ran.status, ran.errors)
    for words in ((), ("a", "b"), ("--samples", "3", "x"), ("--pid", "3"), ("--fail-on", "x", "y")):
        ran = lib.loopknot("analyze", *words)
        assert ran.status == 2 and ran.one_line(), (words, ran.status, ran.errors)


# ---- diff


def compare(*words):
    ran = lib.loopknot("diff", "--format", "json", *words)
    assert ran.status in (0, 1), (ran.status, ran.errors)
    seen = lib.parse(ran)
    assert seen["same"] == (ran.status == 0), ran.status
    text = lib.loopknot("diff", *words)
    return seen, text.text


def diff_of(folder):
    moving = "import itertools, time, os\nos.write(1, b'x')\nfor i in itertools.count():\n    time.sleep(0.01 + i % 7 / 100)\n"
    with hung(folder, TWO_LOOPS) as first:
        for name in ("a", "b"):
            lib.loopknot("--output", "json:%s/%s.json" % (folder, name), first.pid)
        seen, text = compare(folder + "/a.json", folder + "/b.json")
        assert seen["same"] and [f["change"] for f in seen["findings"]] == ["still"], seen
        assert sorted(t["motion"] for t in seen["threads"]) == ["stuck", "stuck", "stuck"], seen["threads"]
        assert "SAME  deadlock, then deadlock" in text and "STILL AT THE SAME PLACE (3)" in text, text
        seen, _ = compare(folder + "/a.json", first.pid)
        assert seen["same"] and len(seen["threads"]) == 3, seen
        with hung(folder, moving, "moving.py") as second:
            lib.loopknot("--output", "json:%s/c.json" % folder, second.pid)
            seen, text = compare(folder + "/a.json", folder + "/c.json")
            assert [f["change"] for f in seen["findings"]] == ["gone"] and not seen["threads"], seen
            assert "gone  LK102" in text and "no process is in both" in text, text
            seen, text = compare(second.pid, folder + "/a.json")
            assert [f["change"] for f in seen["findings"]] == ["new"], seen
        ran = lib.loopknot("diff", folder + "/a.json", folder + "/missing")
        assert ran.status == 3 and ran.one_line(), ran.errors
        for words in ((), ("x",), ("x", "y", "z"), ("--frobnicate", "x", "y"), ("-", "-")):
            ran = lib.loopknot("diff", *words)
            assert ran.status == 2 and ran.one_line(), (words, ran.status, ran.errors)
        ran = lib.loopknot("diff", "--format", "html", folder + "/a.json", folder + "/b.json")
        assert ran.status == 2 and ran.one_line(), ran.errors


def diff():
    with tempfile.TemporaryDirectory() as folder:
        diff_of(folder)


# ---- privacy

# Each secret holds this word; where it stands says the rest of it.
SECRETIVE = '''
import asyncio, os, socket, subprocess, sys, threading

def started():
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="worker token=hunter2-thread", daemon=True).start()
    return loop

class Pool:
    password = "hunter2-attribute"
    def __init__(self):
        self.neighbours = ["hunter2-heap-%d" % i for i in range(100)]

loop, pool = started(), Pool()

def call(future, password, **headers):
    secret = "hunter2-local-" + password
    return future.result()

async def inner(url="postgres://u:hunter2-default@db/x"):
    return url

async def outer():
    asyncio.current_task().set_name("job password=hunter2-task")
    session = {"Authorization": "Bearer hunter2-dictionary"}
    return call(asyncio.run_coroutine_threadsafe(inner(), loop), password="hunter2-source", token='hunter2-keyword')

def view(body):
    return asyncio.run_coroutine_threadsafe(outer(), loop).result()

def read_pipe(folder):
    name = folder + "/pipe token=hunter2-pipe"
    os.mkfifo(name)
    os.read(os.open(name, os.O_RDWR), 1)

def read_socket(folder):
    end = socket.socket(socket.AF_UNIX)
    end.connect(folder + "/socket token=hunter2-socket")
    end.recv(1)

def open_pipe(folder):
    name = folder + "/pipe token=hunter2-opened"
    os.mkfifo(name)
    open(name)

child = os.getcwd() + "/token=hunter2" # what /proc/PID/comm is
os.symlink("/usr/bin/sleep", child)
subprocess.Popen([child, "30"])
server = socket.socket(socket.AF_UNIX)
server.bind(os.getcwd() + "/socket token=hunter2-socket")
server.listen()
for wait in (read_pipe, read_socket, open_pipe):
    threading.Thread(target=wait, args=(os.getcwd(),), daemon=True).start()
connection, _ = server.accept()
threading.Thread(target=view, args=("hunter2-argument",), name="request", daemon=True).start()
import time; time.sleep(0.5)
os.write(1, b"x")
threading.Event().wait()
'''


# Each value that is to be shown holds "shown", each that is not "hunter2".
VARIABLES = lib.LOOPS + '''
import collections

class Vault:
    def __init__(self):
        self.combination = "hunter2-attribute"

class Secretive(dict):
    pass

async def price():
    request = asyncio.run_coroutine_threadsafe(order(1), a)
    return request.result()

async def order(number, api_key="hunter2-default", *rest, **keywords):
    none, yes, count, share, huge = None, True, -17, 2.5, 10 ** 40
    word, raw, long, odd = "shown-str", b"shown-bytes", "x" * 5000, "\\x1b[2J\\u202eshown-odd"
    pair, row, several, few, queue = (1, 2), list(range(1000)), {"shown-word": [1, {"k": {"deep": {"deeper": 1}}}]}, {3}, collections.deque([4])
    loops = []
    loops.append(loops)
    vault, function, kind = Vault(), price, Vault
    password, token, session_cookie, authorization = "hunter2-name", None, b"hunter2-bytes", ["hunter2-list"]
    dsn, line = "postgres://u:hunter2-dsn@db/x", "see Authorization: Bearer hunter2-line"
    account = Secretive(user="shown-user", password="hunter2-dict", client={"secret": 20406080}, none={"token": None})
    headers = [(b"authorization", b"Bearer hunter2-header"), (b"cookie", b"hunter2-cookie"), (b"host", b"shown-host")]
    command = ["--password", "hunter2-option", "-v"]
    asyncio.current_task().set_name("shown-task")
    task = asyncio.current_task()
    held = [lambda: password for _ in few]
    return asyncio.run_coroutine_threadsafe(price(), b).result()

def bystander(word="hunter2-bystander"):
    threading.Event().wait()

threading.Thread(target=bystander, daemon=True).start()
future = asyncio.run_coroutine_threadsafe(order(7, 8, 9, shown="shown-keyword"), a)
os.write(1, b"x")
future.result()
'''
SHOWN = {"number": "7", "api_key": "***", "rest": "(9)", "keywords": "{'shown': 'shown-keyword'}", "none": "None", "yes": "True",
         "count": "-17", "share": "2.5", "huge": "<int>", "word": "'shown-str'", "raw": "b'shown-bytes'", "long": "'%s...'" % ("x" * 100),
         "odd": "'\\x1b[2J\\u202eshown-odd'", "pair": "(1, 2)", "row": "[0, 1, 2, 3, 4, 5, 6, 7, ... 1000 in all]",
         "several": "{'shown-word': [1, {'k': <dict of 1>}]}", "few": "{3}", "queue": "deque(4)", "loops": "[[[<list of 1>]]]",
         "vault": "<Vault>", "function": "<function price>", "kind": "<class Vault>", "password": "***", "token": "None",
         "session_cookie": "***", "authorization": "***", "dsn": "'postgres://u:***@db/x'", "line": "'see Authorization: ***'",
         "account": "{'user': 'shown-user', 'password': ***, 'client': {'secret': ***}, 'none': {'token': None}}",
         "headers": "[(b'authorization', ***), (b'cookie', ***), (b'host', b'shown-host')]", "command": "['--password', '***', '-v']"}


def with_variables(report):
    """{function: {name: value}} of the frames that have any."""
    return {frame["function"]: frame["locals"] for entity in report["threads"] + report["tasks"]
            for frame in entity.get("python", entity.get("stack", [])) if frame["locals"] is not None}


def loaded(path):
    with open(path, encoding="utf-8") as file:
        (report,) = lib.reports_of(json.load(file))
    return report


def written(folder, formats, *arguments):
    """{format: bytes} of one examination."""
    outputs = [word for f in formats for word in ("--output", "%s:%s/out.%s" % (f, folder, f))]
    ran = lib.loopknot(*arguments, *outputs)
    assert ran.status in (0, 1, 4), (arguments, ran.status, ran.errors)
    texts = {}
    for name in formats:
        with open(os.path.join(folder, "out." + name), "rb") as file:
            texts[name] = file.read()
    return texts


def variables():
    """--locals: of the user frames of the chain, bounded, secrets hidden; nowhere else, and never without it."""
    with tempfile.TemporaryDirectory() as folder:
        capture = os.path.join(folder, "kept.lkc")
        with hung(folder, VARIABLES) as child:
            without = written(folder, FORMATS, "--native", "--all", child.pid)
            plain = os.path.join(folder, "plain.lkc")
            lib.loopknot("capture", child.pid, "-o", plain)
            texts = written(folder, FORMATS, "--locals", "--native", "--all", "--capture", capture, child.pid)
            dump = gcore(child.pid, folder)
        report = loaded(os.path.join(folder, "out.json"))
        assert report["verdict"] == "deadlock" and report["findings"][0]["rule"] == "LK102", report["findings"]
        seen = with_variables(report)
        assert set(seen) == {"order", "price"} or set(seen) == {"order", "price", "<module>"}, set(seen)
        task = next(t for t in report["tasks"] if t["name"] == "shown-task")
        got = dict(seen["order"])
        assert got.pop("task") == "<Task %s 'shown-task'>" % task["id"], got
        assert got.pop("held").startswith("[<function order"), got
        assert got == SHOWN, {k: (got.get(k), SHOWN.get(k)) for k in set(got) | set(SHOWN) if got.get(k) != SHOWN.get(k)}
        assert re.fullmatch(r"\{'request': '<Future f\d+>'\}", str(seen["price"])), seen["price"]
        for name in ("text", "markdown", "html", "json"):
            assert b"shown-keyword" in texts[name] and b"shown-" not in without[name].replace(b"shown-task", b""), name
        of_core = written(folder, FORMATS, "core", "--locals", dump)
        assert with_variables(loaded(os.path.join(folder, "out.json"))) == seen
        assert b"shown-keyword" not in written(folder, ("text",), "core", dump)["text"]
        again = written(folder, ("json",), "analyze", "--locals", capture)["json"]
        assert with_variables(loaded(os.path.join(folder, "out.json"))) == seen
        assert b"not in the capture" in written(folder, ("text",), "analyze", "--locals", plain)["text"]
        report_file = os.path.join(folder, "kept.json")
        with open(report_file, "wb") as file:
            file.write(again)
        assert b"shown-keyword" in written(folder, ("text",), "analyze", "--locals", report_file)["text"]
        program = "def view(number, token='hunter2'):\n import time; time.sleep(99)\nview(7)"
        stood = lib.loopknot("run", "--timeout", "1s", "--locals", "--", driver.PYTHON, "-c", program).errors
        assert "LK409" in stood and "number = 7" in stood and "token = ***" in stood and "hunter2" not in stood, stood
        for kept in (capture, report_file):
            assert b"shown-keyword" not in written(folder, ("text",), "analyze", kept)["text"], kept
        for name, text in [*texts.items(), *without.items(), *of_core.items()]:
            found = re.findall(rb"hunter2[-a-z]*|20406080", text)
            assert not found, "%s holds %s" % (name, found[:3])
    return "%d variables" % len(SHOWN)


# Whatever a program can choose holds "zebra".
ZEBRAS = lib.LOOPS.replace("started", "zebra_started").replace("loop-", "zebra-").replace("a, b =", "zebra_a, zebra_b =") + '''
import atexit, concurrent.futures, socket, subprocess, sys, unittest

class ZebraFuture(asyncio.Future):
    pass

class ZebraPool(concurrent.futures.ThreadPoolExecutor):
    pass

async def zebra_price():
    return asyncio.run_coroutine_threadsafe(zebra_order(), zebra_a).result()  # zebra-source

async def zebra_order(zebra_argument="zebra-value"):
    asyncio.current_task().set_name("zebra-task")
    return asyncio.run_coroutine_threadsafe(zebra_price(), zebra_b).result()

async def zebra_waits():
    await ZebraFuture()

def zebra_reads(folder):
    name = folder + "/zebra-pipe"
    os.mkfifo(name)
    os.read(os.open(name, os.O_RDWR), 1)

def zebra_listens(folder):
    server = socket.socket(socket.AF_UNIX)
    server.bind(folder + "/zebra-socket")
    server.listen()
    server.accept()

def zebra_child(folder):
    child = folder + "/zebra-child"
    os.symlink("/usr/bin/sleep", child)
    subprocess.run([child, "60"])

def zebra_job():
    threading.Event().wait()

class ZebraTest(unittest.TestCase):
    def test_zebra(self):
        asyncio.run_coroutine_threadsafe(zebra_waits(), zebra_started("zebra-c"))
        for target in (zebra_reads, zebra_listens, zebra_child):
            threading.Thread(target=target, args=(os.getcwd(),), name=target.__name__, daemon=True).start()
        pool = ZebraPool(1)
        for _ in range(3):
            pool.submit(zebra_job)
        future = asyncio.run_coroutine_threadsafe(zebra_order(), zebra_a)
        import time; time.sleep(0.5)
        os.write(1, b"x")
        future.result()

unittest.main(argv=sys.argv[:1])
'''


def nothing_of(word, folder, formats=FORMATS):
    for name in formats:
        with open(os.path.join(folder, "out." + name), "rb") as file:
            found = re.findall(rb"[^ \n]*" + word + rb"[^ \n]*", file.read(), re.I)
        assert not found, "%s holds %s" % (name, found[:4])


def secrets_stay(folder):
    """Planted in locals, arguments, environment, command line, heap, names and source lines, found in no output."""
    os.mkdir(os.path.join(folder, "token=hunter2-folder"))
    path = os.path.join(folder, "token=hunter2-folder", "app.py")
    with open(path, "w", encoding="utf-8") as file:
        file.write(SECRETIVE)
    command = [driver.PYTHON, path, "--password", "hunter2-argv", "--dsn=postgres://u:hunter2-dsn@db/x", "API_KEY=hunter2-assigned"]
    environment = {**os.environ, "DB_PASSWORD": "hunter2-environment", "PYTEST_CURRENT_TEST": "a.py::test_x[password=hunter2-pytest] (call)"}
    with lib.Child(command, stdout=subprocess.PIPE, cwd=folder, env=environment) as child:
        child.process.stdout.read(1)
        written(folder, FORMATS, "--native", "--all", "--capture", folder + "/kept.lkc", child.pid)
        verbose = lib.loopknot("--verbose", "--native", "--all", child.pid)
        report = loaded(folder + "/out.json")
        nothing_of(b"hunter2", folder)
        written(folder, FORMATS, "--tree", "--native", "--all", child.pid)
        nothing_of(b"hunter2", folder)
        core = gcore(child.pid, folder)
    for again in (("analyze", folder + "/kept.lkc"), ("core", core)):
        written(folder, FORMATS, *again, "--native", "--all")
        assert loaded(folder + "/out.json")["verdict"] == "deadlock", again
        nothing_of(b"hunter2", folder)
    assert report["verdict"] == "deadlock" and report["findings"][0]["rule"] == "LK101", report["verdict"]
    sources = [frame["source"] for thread in report["threads"] for frame in thread["python"] if frame["source"]]
    assert any('password="***", token=\'***\'' in line for line in sources), sources
    assert any(thread["name"] == "worker token=***" for thread in report["threads"]), [t["name"] for t in report["threads"]]
    assert any(task["name"] == "job password=***" for task in report["tasks"]), [t["name"] for t in report["tasks"]]
    assert report["target"]["pytest"]["name"] == "a.py::test_x[password=***] (call)", report["target"]["pytest"]
    paths = {thread["wait"]["path"] for thread in report["threads"] if thread["wait"] and thread["wait"]["path"]}
    assert paths == {"%s/%s token=***" % (folder, what) for what in ("pipe", "socket")}, paths
    assert "hunter2" not in verbose.text + verbose.errors, re.findall("hunter2[-a-z]*", verbose.text)
    return "%d formats" % len(FORMATS)


def redacted():
    """--redact: what matches stands in no format, wherever it came from; the reports stay what they are."""
    with tempfile.TemporaryDirectory() as top:
        folder = os.path.join(top, "zebra-folder")
        os.mkdir(folder)
        hide = ("--redact", "zebra[-_a-z]*", "--redact", "Zebra[A-Za-z]*", "--locals", "--native", "--all", "-v")
        path = os.path.join(folder, "zebra_app.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(ZEBRAS)
        environment = {**os.environ, "PYTEST_CURRENT_TEST": "zebra.py::test_zebra (call)"}
        with lib.Child([driver.PYTHON, path, "--zebra"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder,
                       env=environment) as child:
            child.process.stdout.read(1)
            plain = written(top, FORMATS, "--locals", "--native", "--all", child.pid)
            written(top, FORMATS, *hide, child.pid)
            nothing_of(b"zebra", top, FORMATS)
            capture = os.path.join(top, "kept.lkc")
            refused = lib.loopknot("capture", child.pid, "-o", capture, "--redact", "x")
            assert refused.status == 2 and "analyze" in refused.errors, refused.errors
            lib.loopknot("capture", "--locals", child.pid, "-o", capture)

        for name, text in plain.items():
            assert b"zebra" in text.lower(), "%s shows nothing that could be hidden" % name
        kept = os.path.join(top, "kept.json")
        with open(kept, "wb") as file:
            file.write(plain["json"])
        for source in (capture, kept):
            written(top, FORMATS, "analyze", *hide, source)
            nothing_of(b"zebra", top, FORMATS)
            report = loaded(os.path.join(top, "out.json"))
            assert report["verdict"] == "deadlock" and report["findings"][0]["rule"] == "LK102", report["findings"]
            assert report["findings"][0]["fingerprint"] == json.loads(plain["json"])["findings"][0]["fingerprint"]
        compared = lib.loopknot("diff", "--redact", "zebra[-_a-z]*", "--redact", "Zebra[A-Za-z]*", kept, kept)
        assert compared.status == 0 and "zebra" not in compared.text.lower() and "***" in compared.text, compared.text
        watched = lib.loopknot("run", "--timeout", "1s", *hide, "--", driver.PYTHON, "-c", "def zebra():\n import time; time.sleep(99)\nzebra()")
        assert watched.status == 124 and "***" in watched.errors and "zebra" not in watched.errors, watched.errors
        for bad, word in (("(", "--redact '('"), ("", "1 to"), ("x" * 2000, "1 to")):
            refused = lib.loopknot("--redact", bad, os.getpid())
            assert refused.status == 2 and word in refused.errors, refused.errors
    return "%d formats" % len(FORMATS)


def environment():
    """Kernel, load, limits and versions: in JSON, page and ticket, live, of a capture and of the JSON report."""
    program = "import os, sys, types\nm = sys.modules['uvicorn'] = types.ModuleType('uvicorn')\nm.__version__ = '0.31.7'\n" \
              "n = sys.modules['flask'] = types.ModuleType('flask')\nn.__version__ = 'hunter2 is no version'\n" \
              "os.write(1, b'x')\nimport time; time.sleep(1000)"
    with tempfile.TemporaryDirectory() as folder:
        capture = os.path.join(folder, "kept.lkc")
        with lib.Child([driver.PYTHON, "-c", program], stdout=subprocess.PIPE) as child:
            child.process.stdout.read(1)
            live = written(folder, FORMATS, "--capture", capture, child.pid)
        told = json.loads(live["json"])["target"]
        assert told["python"]["modules"] == {"uvicorn": "0.31.7"}, told["python"]
        where = told["environment"]
        assert where["kernel"] == "Linux " + os.uname().release and re.fullmatch(r"[\d.]+ [\d.]+ [\d.]+", where["load"]), where
        assert where["processors"] == len(os.sched_getaffinity(0)) and 0 < where["process_up_ms"] < where["machine_up_ms"], where
        for name in ("html", "markdown"):
            for text in (os.uname().release, where["load"], "uvicorn 0.31.7"):
                assert text in live[name].decode().replace("\\", ""), (name, text)
        kept = os.path.join(folder, "kept.json")
        with open(kept, "wb") as file:
            file.write(live["json"])
        for source in (capture, kept):
            again = json.loads(written(folder, ("json",), "analyze", source)["json"])["target"]
            assert (again["environment"], again["python"]) == (where, told["python"]), (source, again["environment"])
    return where["kernel"]


# Objects whose headers are overwritten while a frame has them in its variables.
HOSTILE = '''
import asyncio, collections, ctypes, os, random, struct, sys, threading
loop, kept = asyncio.new_event_loop(), []
threading.Thread(target=loop.run_forever, daemon=True).start()

async def never():
    await asyncio.Future()

async def view(seed):
    chance = random.Random(seed)
    text, wide, raw = "".join(["abc", str(seed)]), "\\u1234" * (5 + seed), bytes([65 + seed] * 20)
    number, below, share, typed = 10 ** 25 + seed, -12345678901 - seed, 1.5 + seed, object()
    some, pair, table, one = [1, 2, seed], (seed, "b", [seed]), {"a": seed, "b": [seed]}, {seed, "q"}
    queue, nested = collections.deque([seed, 2]), [[[seed]]]
    for value, end in ((text, 48), (wide, 48), (raw, 32), (number, 32), (below, 32), (share, 24), (typed, 16), (some, 40), (pair, 40),
                       (table, 48), (one, 64), (queue, 64), (nested, 40)):
        kept.append(value)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(value))
        word = chance.choice([0, 1, 1 << 62, 2 ** 64 - 1, id(some), id(table) + 4, id(view), 0x7fffffffffff, chance.getrandbits(64)])
        ctypes.memmove(id(value) + (chance.randrange(8, end) & ~7), struct.pack("<Q", word), 8)
    future = asyncio.run_coroutine_threadsafe(never(), loop)
    os.write(1, b"x")
    return future.result()

asyncio.run_coroutine_threadsafe(view(int(sys.argv[1])), loop)
threading.Event().wait()
'''


def hostile_variables():
    """Lengths, types and pointers of values that make no sense: all the others are told, soon, and the report is whole."""
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(4):
            with lib.Child([driver.PYTHON, "-c", HOSTILE, str(seed)], stdout=subprocess.PIPE) as child:
                child.process.stdout.read(1)
                began = time.monotonic()
                written(folder, ("json", "text"), "--locals", "--samples", "2", "--stalled-after", "0.2", child.pid)
                assert time.monotonic() - began < 10 and child.alive(), seed
            got = with_variables(loaded(os.path.join(folder, "out.json")))["view"]
            assert len(got) > 14 and all(len(text) < 260 for text in got.values()), got


def near_misses():
    """What a rule weighed and did not find to be so: in JSON, page, ticket and --verbose text, also read again; none is a finding."""
    with driver.Scenario("lk405_unbounded_future_wait", "live_job") as running, tempfile.TemporaryDirectory() as folder:
        running.ready()
        time.sleep(0.5)
        formats = ("json", "html", "markdown", "text")
        live = written(folder, formats, "-v", "--stalled-after", "0.3", running.pid)
        report = json.loads(live["json"])
        (miss,) = report["ruled_out"]
        assert report["verdict"] == "healthy" and miss["rule"] == "LK405" and "can end it" in miss["why"], miss
        (thread,) = [t for t in report["threads"] if t["id"] in miss["parties"]]
        assert thread["in_request"], thread
        for name, title in (("html", b"Near misses that were ruled out"), ("markdown", b"Near misses that were ruled out (1)"),
                            ("text", b"RULED OUT (1)")):
            assert title in live[name], name
        os.rename(os.path.join(folder, "out.json"), os.path.join(folder, "kept.json"))
        again = written(folder, formats, "analyze", "-v", os.path.join(folder, "kept.json"))
        assert again == live, [name for name in live if again[name] != live[name]]
    return miss["why"][:40]


def privacy():
    with tempfile.TemporaryDirectory() as folder:
        return secrets_stay(folder)


def main():
    tally = lib.Tally("reports")
    tally.run("a fingerprint is the same elsewhere", same_elsewhere)
    tally.run("the check of dot refuses nonsense", dot_refuses)
    tally.run("fixtures as dot and collapsed stacks", fixtures)
    tally.run("a hang as dot and collapsed stacks", graphs)
    for family, program in (("lk101_loop_waits_on_itself", "flask_self_wait"), ("lk101_loop_waits_on_itself", "gunicorn_tree"),
                            ("lk101_loop_waits_on_itself", "flask_self_wait_healthy"), ("lk202_orphaned_tasks", "spawned_by_view"),
                            ("lk501_process_stopped", "job_control")):
        tally.run("again: %s/%s" % (family, program), again, family, program)
    tally.run("analyze refuses", refusals)
    tally.run("diff", diff)
    tally.run("secrets are in no format", privacy)
    tally.run("variables, where they are asked for", variables)
    tally.run("variables that make no sense", hostile_variables)
    tally.run("hidden by an expression", redacted)
    tally.run("where it ran", environment)
    tally.run("near misses", near_misses)
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
