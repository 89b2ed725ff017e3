#!/usr/bin/python3
"""The formats of CI servers: valid by their published schemas, for hung servers as for whatever a target may be called.

Last line: formats: N passed, N failed.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

import lib
from lib import driver

import jsonschema  # python3-jsonschema

FORMATS = ["junit", "sarif", "github", "gitlab", "tap", "json"]
SCHEMAS = os.path.join(lib.ROOT, "tests", "schemas")
SARIF = jsonschema.Draft7Validator(json.load(open(os.path.join(SCHEMAS, "sarif-schema-2.1.0.json"), encoding="utf-8")))
LEVELS = {"deadlock": "error", "stalled": "error"}
SEVERITIES = {"deadlock": "blocker", "stalled": "critical", "hazard": "minor"}
FAILS = ("deadlock", "stalled", "unknown")


# ---- each format by itself; each raises AssertionError, or returns what it parsed


def xmllint(path, *options):
    ran = subprocess.run(["xmllint", "--nonet", *options, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert ran.returncode == 0, ran.stderr.decode(errors="replace")[:600]
    return ran.stdout.decode()


def check_junit(path):
    xmllint(path, "--noout", "--schema", os.path.join(SCHEMAS, "junit-10.xsd"))
    count = lambda what: int(float(xmllint(path, "--xpath", "count(%s)" % what)))
    for attribute, elements in (("tests", "//testcase"), ("failures", "//failure"), ("errors", "//error")):
        said = int(float(xmllint(path, "--xpath", "number(//testsuite/@%s)" % attribute)))
        assert said == count(elements), "%s=%d, but %d %s" % (attribute, said, count(elements), elements)
    return path


def check_sarif(path):
    with open(path, encoding="utf-8") as file:
        log = json.load(file)
    wrong = ["%s: %s" % (list(e.absolute_path), e.message[:200]) for e in SARIF.iter_errors(log)]
    assert not wrong, wrong[:5]
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for rule in run["tool"]["driver"]["rules"]:
        assert rule["help"]["text"] and rule["help"]["markdown"] and rule["fullDescription"]["text"], rule["id"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"], result["ruleId"]
        for location in result["locations"]:
            uri = location.get("physicalLocation", {}).get("artifactLocation", {}).get("uri", "")
            assert re.fullmatch(r"[A-Za-z0-9%._~/:-]*", uri), uri
    return run


def check_gitlab(path):
    """As https://docs.gitlab.com/ci/testing/code_quality/ lists it: there is no schema."""
    with open(path, encoding="utf-8") as file:
        issues = json.load(file)
    for issue in issues:
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker"), issue
        assert all(isinstance(issue[key], str) for key in ("description", "check_name", "fingerprint")), issue
        assert isinstance(issue["location"]["path"], str) and issue["location"]["lines"]["begin"] >= 1, issue
        assert not issue["location"]["path"].startswith("./"), issue
    assert len({issue["fingerprint"] for issue in issues}) == len(issues), "a fingerprint twice"
    return issues


def check_github(path):
    """Each line but the first is a workflow command, read as the runner does."""
    with open(path, encoding="utf-8", newline="") as file:
        head, *lines = file.read().rstrip("\n").split("\n")
    assert head.startswith("loopknot ") and "##[" not in head and "::" not in head, head
    commands = []
    for line in lines:
        found = re.fullmatch(r"::(error|warning|notice) ([^:\r]*)::([^\r]*)", line)
        assert found, line[:200]
        unescape = lambda text: re.sub("%(25|0D|0A|3A|2C)", lambda m: chr(int(m.group(1), 16)), text)
        properties = dict(pair.split("=", 1) for pair in found.group(2).split(","))
        assert set(properties) <= {"file", "line", "title"} and "title" in properties, properties
        assert properties.get("line", "1").isdigit(), properties
        commands.append((found.group(1), {k: unescape(v) for k, v in properties.items()}, unescape(found.group(3))))
    return commands


def check_tap(path):
    """prove reads points and YAML blocks; a broken block is a parse error."""
    ran = subprocess.run(["prove", "--norc", "-v", "-e", "cat", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    text = ran.stdout.decode(errors="replace")
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    failed = any(line.startswith("not ok ") for line in lines) or any(line.startswith("Bail out!") for line in lines)
    assert (ran.returncode != 0) == failed, "prove ended with %d:\n%s" % (ran.returncode, text[-600:])
    assert "Parse errors" not in text or "Bailout called" in text, text[-600:]
    return lines


CHECKS = {"junit": check_junit, "sarif": check_sarif, "github": check_github, "gitlab": check_gitlab, "tap": check_tap}


# ---- fixtures


def fixtures():
    """Reports made by hand with every kind of name: the unit test writes them, the schemas judge."""
    with tempfile.TemporaryDirectory() as folder:
        lib.write_fixtures("test_report_ci", folder)
        files = sorted(glob.glob(folder + "/*"))
        assert len(files) > 100, "%d files" % len(files)
        for path in files:
            try:
                CHECKS[path.rpartition(".")[2]](path)
            except (AssertionError, ValueError) as problem:
                raise AssertionError("%s: %s" % (os.path.basename(path), problem)) from None
    return "%d files" % len(files)


def schemas_refuse():
    """The checks can fail."""
    broken = {"junit": "<testsuites><testcase/></testsuites>", "sarif": '{"version": "2.1.0", "runs": [{"tool": {}, "results": []}]}',
              "gitlab": '[{"description": "x"}]', "github": "loopknot\nplain line\n",
              "tap": "TAP version 13\n1..1\nnot ok 1 - x\n  ---\n  a: |\n    b\n\n  ...\n"}
    for name, text in broken.items():
        with tempfile.NamedTemporaryFile("w", suffix="." + name) as file:
            file.write(text)
            file.flush()
            try:
                CHECKS[name](file.name)
            except (AssertionError, KeyError):
                continue
        raise AssertionError("the check of %s accepts nonsense" % name)


# ---- hung servers


def write_all(folder, *arguments, **environment):
    outputs = [word for f in FORMATS for word in ("--output", "%s:%s/report.%s" % (f, folder, f))]
    ran = lib.loopknot(*outputs, *arguments, env={**os.environ, **environment})
    parsed = {f: CHECKS[f]("%s/report.%s" % (folder, f)) for f in CHECKS}
    with open(folder + "/report.json", encoding="utf-8") as file:
        return ran, json.load(file), parsed


def agree(report, parsed):
    """All formats tell of the same findings as JSON does."""
    reports = lib.reports_of(report)
    findings = {(f["rule"], f["severity"], f["fingerprint"]) for r in reports for f in r["findings"]}
    seen = {(r["ruleId"], r["properties"]["severity"], r["partialFingerprints"]["loopknotFingerprint/v1"])
            for r in parsed["sarif"]["results"]}
    assert seen == findings, (seen, findings)
    for result in parsed["sarif"]["results"]:
        wanted = LEVELS.get(result["properties"]["severity"])
        assert result["level"] == wanted or (not wanted and result["level"] in ("warning", "note")), result["level"]
    unknown = sum(r["verdict"] == "unknown" for r in reports)
    assert len(parsed["gitlab"]) == len(findings) + unknown and len(parsed["github"]) == len(findings) + unknown
    assert sum(line.startswith("not ok ") for line in parsed["tap"]) == sum(r["verdict"] in FAILS for r in reports)
    return findings


def places_agree(report, parsed):
    (first, *_) = [f for r in lib.reports_of(report) for f in r["findings"]] or [None]
    if first is None or first["culprit"] is None or not first["culprit"]["file"]:
        return
    file, line = first["culprit"]["file"], first["culprit"]["line"]
    (place,) = parsed["sarif"]["results"][0]["locations"]
    physical = place["physicalLocation"]
    assert physical["region"]["startLine"] == line, (physical, line)
    assert os.path.basename(physical["artifactLocation"]["uri"]) == os.path.basename(file), physical
    assert parsed["github"][0][1]["file"] == file and parsed["github"][0][1]["line"] == str(line), parsed["github"][0]
    assert parsed["gitlab"][0]["location"]["lines"]["begin"] == line


def scenario(name, program):
    with driver.Scenario(name, program) as running, tempfile.TemporaryDirectory() as folder:
        expect = running.ready()["expect"]
        ran, report, parsed = write_all(folder, *expect["options"], running.pid)
        assert ran.status == expect["exit"], (ran.status, ran.errors)
        findings = agree(report, parsed)
        places_agree(report, parsed)
        failed = int(float(xmllint(parsed["junit"], "--xpath", "count(//failure)")))
        assert (failed > 0) == any(r["verdict"] in ("stalled", "deadlock") for r in lib.reports_of(report)), failed
    return "%s, %d findings" % (report["verdict"], len(findings))


def step_summary():
    """The github format appends to the step's page, the others do not; a page that cannot be written is told, no more."""
    with lib.sleeper() as child, tempfile.TemporaryDirectory() as folder:
        page = os.path.join(folder, "summary.md")
        with open(page, "w", encoding="utf-8") as file:
            file.write("before\n")
        environment = {**os.environ, "GITHUB_STEP_SUMMARY": page}
        lib.loopknot("--format", "text", child.pid, env=environment)
        with open(page, encoding="utf-8") as file:
            assert file.read() == "before\n", "a format that is not GitHub's wrote a summary"
        ran = lib.loopknot("--format", "github", child.pid, env=environment)
        assert ran.status == 0 and ran.text.startswith("loopknot "), ran.text[:200]
        with open(page, encoding="utf-8") as file:
            text = file.read()
        assert text.startswith("before\n# HEALTHY: pid %d" % child.pid), text[:200]
        with open(page, "w", encoding="utf-8") as file:
            file.write("x" * (1024 * 1024 - 300) + "\n")
        lib.loopknot("--format", "github", child.pid, env=environment)
        assert os.path.getsize(page) <= 1024 * 1024, "%d bytes: the runner would drop the page" % os.path.getsize(page)
        ran = lib.loopknot("--format", "github", child.pid, env={**os.environ, "GITHUB_STEP_SUMMARY": folder})
        assert ran.status == 0 and ran.err.count(b"\n") == 1 and "step summary" in ran.errors, (ran.status, ran.errors)


# ---- names of running tests

PYTEST = """
import asyncio, subprocess, sys, threading
import pytest

class TestLoops:
    @pytest.mark.parametrize("word", ["one", "a::b [c]"])
    def test_bridge(self, word):
        if word == "one":
            return
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
        print("up", child.pid, file=sys.__stderr__, flush=True)
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()
"""
UNITTEST = """
import asyncio, sys, threading, unittest

class Direct(unittest.TestCase):
    def test_lock(self):
        print("up", file=sys.__stderr__, flush=True)
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()

class Async(unittest.IsolatedAsyncioTestCase):
    async def test_waits(self):
        print("up", file=sys.__stderr__, flush=True)
        await asyncio.Event().wait()
"""


def named_test(source, command, group, name, told_by):
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(folder + "/tests")
        with open(folder + "/tests/test_it.py", "w", encoding="utf-8") as file:
            file.write(source)
        environment = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}
        with lib.Child([driver.PYTHON, *command], cwd=folder, stderr=subprocess.PIPE, env=environment) as child:
            words = []
            guard = threading.Timer(30, child.process.kill)
            guard.start()
            while words[:1] != ["up"]:
                words = child.process.stderr.readline().decode().split() or ["up"]
            guard.cancel()
            lib.until(lambda: driver.thread_state(child.pid, child.pid) == "S", what="a waiting test")
            _, _, parsed = write_all(folder, "--tree" if words[1:] else "--samples=2", child.pid)
            case = "//testcase[1]"
            seen = [xmllint(parsed["junit"], "--xpath", "string(%s)" % what).rstrip("\n")
                    for what in (case + "/@classname", case + "/@name", "//property[@name='loopknot.test_told_by'][1]/@value")]
            if words[1:]:
                os.kill(int(words[1]), 9)
            assert seen == [group, name, told_by], seen


LOOPS = """
import asyncio, threading, time

def started():
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop

def test_fine():
    pass

def test_two_loops():
    a, b = started(), started()
    def live_server():
        while True:
            time.sleep(0.5)
    threading.Thread(target=live_server, daemon=True).start()
    async def back():
        return 1
    async def there():
        return asyncio.run_coroutine_threadsafe(back(), a).result()
    async def first():
        return asyncio.run_coroutine_threadsafe(there(), b).result()
    asyncio.run_coroutine_threadsafe(first(), a).result()
"""
SLOW = "import time\n\ndef test_slow():\n    time.sleep(100)\n"


def watched(source, options, name, kind):
    """A suite under `run`: the test that hangs is the failed case, whatever ends the run; nothing of the tree is left."""
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/test_it.py", "w", encoding="utf-8") as file:
            file.write(source)
        outputs = [word for f in CHECKS for word in ("--output", "%s:%s/report.%s" % (f, folder, f))]
        ran = lib.loopknot("run", *options, *outputs, "--", driver.PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                           cwd=folder, timeout=90)
        assert ran.status == 124, (ran.status, ran.errors[:600])
        parsed = {f: CHECKS[f]("%s/report.%s" % (folder, f)) for f in CHECKS}
        seen = [xmllint(parsed["junit"], "--xpath", "string(//testcase/%s)" % what).rstrip("\n")
                for what in ("@classname", "@name", "failure/@type")]
        assert seen == ["test_it", name, kind], seen
        assert float(xmllint(parsed["junit"], "--xpath", "string(//testcase/@time)")) > 1, "no time"
        assert parsed["tap"][2] == "not ok 1 - test_it: " + name, parsed["tap"][:3]
        assert parsed["github"][0][0] == "error", parsed["github"]
        for line in ran.errors.splitlines():
            pid = re.match(r" *[A-Z]+  pid (\d+) ", line)
            assert not pid or not os.path.exists("/proc/" + pid.group(1)), "still there: " + line
    return "%.1f s" % ran.seconds


def main():
    tally = lib.Tally("formats")
    missing = [tool for tool in ("xmllint", "prove") if not shutil.which(tool)]
    if missing:
        tally.bad("tools", ["%s: not installed (packaging/install-deps)" % tool for tool in missing])
        return tally.end()
    tally.run("checks refuse nonsense", schemas_refuse)
    tally.run("fixtures", fixtures)
    waits = "lk101_loop_waits_on_itself"
    for name, program in ((waits, "flask_self_wait"), (waits, "flask_self_wait_healthy"), ("lk202_orphaned_tasks", "spawned_by_view"),
                          (waits, "gunicorn_tree"), (waits, "gunicorn_master"), ("lk501_process_stopped", "job_control")):
        tally.run("%s/%s" % (name, program), scenario, name, program)
    tally.run("step summary", step_summary)
    tally.run("pytest: the test's name", named_test, PYTEST, ["-m", "pytest", "-qs", "-p", "no:cacheprovider", "tests"],
              "tests.test_it.TestLoops", "test_bridge[a::b [c]]", "PYTEST_CURRENT_TEST")
    tally.run("unittest: the test's name", named_test, UNITTEST, ["-m", "unittest", "tests.test_it.Direct"],
              "tests.test_it.Direct", "test_lock", "the frames of unittest")
    tally.run("unittest: an async test's name", named_test, UNITTEST, ["-m", "unittest", "tests.test_it.Async"],
              "tests.test_it.Async", "test_waits", "the frames of unittest")
    tally.run("run: a suite that deadlocks", watched, LOOPS, ["--stall", "3s"], "test_two_loops", "deadlock: LK102 cross-loop-cycle")
    tally.run("run: a suite that takes too long", watched, SLOW, ["--timeout", "4s"], "test_slow", "timeout")
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
