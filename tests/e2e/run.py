#!/usr/bin/python3
"""End-to-end tests: every scenario and twin is started, examined from outside, and must be told right and left unharmed.

    tests/e2e/run.py [--filter WORD]... [--keep-reports DIR] [--jobs N] [--what-applies]

LOOPKNOT names the program (build/loopknot). Prints one line a case, a table, and last "e2e: N passed, N failed".
"""
import argparse
import collections
import json
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import lib
from lib import driver

RISING = ["healthy", "hazard", "unknown", "stalled", "deadlock"]


def as_list(value):
    return value if isinstance(value, list) else [value]


class Case:
    """One scenario program: what was seen, and the problems with it."""

    def __init__(self, name, program):
        self.name, self.program = name, program
        self.title = "%s/%s" % (name, program)
        self.problems, self.note, self.inapplicable = [], "", None
        self.verdict = self.rule = None
        self.expect = driver.load(name)["programs"][program]["expect"]
        self.culprit_asked = self.culprit_right = False
        self.report = self.text = b""
        self.rules_seen = set()
        self.stacks = collections.Counter()

    def triggers(self):
        """The rules whose finding is asked for: the first one's (any of several counts for each), and those beside it."""
        return {r for r in as_list(self.expect.get("rule")) if r} | set(self.expect.get("also", [])) if self.defect() else set()

    def near(self):
        """The rules that this one looks like and must not get: named, or, for a healthy twin, those of its folder."""
        named = driver.load(self.name)["programs"][self.program].get("near")
        if named is not None:
            return set(named)
        if as_list(self.expect["verdict"]) != ["healthy"]:
            return set()
        programs = driver.load(self.name)["programs"].values()
        return {r for p in programs for r in as_list(p["expect"].get("rule")) + p["expect"].get("also", []) if r}

    def defect(self):
        """Whether something is to be found (a supervisor that was not looked into is no defect)."""
        return not set(as_list(self.expect["verdict"])) & {"healthy", "unknown"}

    def wrong(self, condition, problem):
        if condition:
            self.problems.append(problem)
        return condition

    # -- steps

    def run(self):
        try:
            with driver.Scenario(self.name, self.program) as scenario:
                ready = scenario.ready()
                self.expect = ready["expect"]
                self.culprit_asked = bool(self.expect["culprits"]) and self.defect()
                self.unstripped = scenario.unstripped
                self.examine(scenario)
        except driver.ScenarioError as error:
            lacks = re.search("No module named '([^']*)'", str(error))
            self.inapplicable = lacks and "it has no module " + lacks[1]
            self.problems.append("the scenario did not come about: %s" % error)
        except (AssertionError, OSError, KeyError, TypeError) as error:
            self.problems.append("%s: %s" % (type(error).__name__, error))
        return self

    def examine(self, scenario):
        ran = lib.loopknot("--format", "json", *self.expect["options"], scenario.pid)
        self.note = "%.1f s" % ran.seconds
        self.report = ran.out
        self.unharmed(scenario)
        self.wrong(ran.status not in as_list(self.expect["exit"]), "exit status %d, expected %s; stderr: %s"
                   % (ran.status, self.expect["exit"], ran.errors.strip()[:300]))
        whole = lib.parse(ran)
        invalid = lib.invalid(ran.out)
        self.wrong(invalid, "the report breaks the schema: %s" % invalid)
        self.judge(whole)
        if os.path.exists(lib.COMPARE):
            self.compare_unwinders(scenario)
        self.read_text(scenario)
        self.unharmed(scenario)
        self.still_as_before(scenario)

    def compare_unwinders(self, scenario):
        """Both unwinders on every sleeping thread: the same frames as far as both go, and ours no shorter."""
        ran = subprocess.run([lib.COMPARE, *map(str, scenario.pids())], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for thread in json.loads(ran.stdout):
            own, other = thread["own"]["frames"], thread["libunwind"]["frames"]
            n = min(len(own), len(other))
            way = "same" if own == other else "own goes on" if len(own) > n else "libunwind goes on"
            self.stacks[way] += 1
            self.stacks["whole"] += thread["own"]["whole"]
            self.wrong(own[:n] != other[:n] or len(other) > n, "thread %d: libunwind reads %s, we %s" % (thread["tid"], other, own))

    def judge(self, whole):
        self.verdict = whole["verdict"]
        self.wrong(self.verdict not in as_list(self.expect["verdict"]),
                   "verdict %s, expected %s" % (self.verdict, self.expect["verdict"]))
        self.wrong(self.verdict == self.expect.get("never"), "must never be %s" % self.verdict)
        if self.wrong(bool(self.expect.get("set")) != whole["schema"].startswith("loopknot.report-set/"),
                      "a report set was%s expected" % ("" if self.expect.get("set") else " not")):
            return
        reports = sorted(lib.reports_of(whole), key=lambda r: -RISING.index(r["verdict"]))
        findings = reports[0]["findings"]
        self.rule = findings[0]["rule"] if findings else None
        self.rules_seen = {f["rule"] for f in findings}
        accused = self.rules_seen & self.near() - self.triggers()
        self.wrong(accused, "must not get %s" % sorted(accused))
        expected = as_list(self.expect.get("rule"))
        if self.verdict == "healthy" or "rule" not in self.expect:
            self.wrong(findings, "findings in a healthy process: %s" % [(f["rule"], f["summary"]) for f in findings])
            return
        self.wrong(self.rule not in expected, "first finding %s, expected %s%s"
                   % (self.rule, expected, "".join("\n  %s %s" % (f["rule"], f["summary"]) for f in findings)))
        if findings:
            self.check_finding(findings)

    def check_finding(self, findings):
        first = findings[0]
        self.check_culprits(first)
        held = self.expect.get("held_requests")
        self.wrong(held is not None and first["held_up"]["requests"] != held,
                   "held_up.requests is %s, expected %s" % (first["held_up"]["requests"], held))
        self.wrong(len(first["loops"]) < self.expect.get("loops", 0),
                   "%d loops in the finding, expected %s" % (len(first["loops"]), self.expect.get("loops")))
        rules = [f["rule"] for f in findings]
        for rule in self.expect.get("also", []):
            self.wrong(rule not in rules, "no finding %s beside it: %s" % (rule, rules))
        self.wrong(first["severity"] == "deadlock" and first["confidence"] != "proven",
                   "a deadlock that is only %s" % first["confidence"])
        self.wrong(first["severity"] == "deadlock" and not first["chain"], "a deadlock without its chain")
        self.wrong(not first["remedy"] or not first["docs"], "no remedy or no source")
        seen = set()
        for finding in findings:
            place = finding["culprit"] and tuple(finding["culprit"][k] for k in ("tid", "task", "function", "line"))
            self.wrong(place is not None and place in seen, "%s adds no other culprit" % finding["rule"])
            seen.add(place)

    def bare(self, function):
        """"book" of "Ledger.book", and of "Ledger::book(Ledger&)"."""
        return function.replace("(anonymous namespace)", "").partition("(")[0].rpartition("::")[2].rpartition(".")[2]

    def matches(self, truth, culprit):
        """Whether a reported culprit is this one of the truth."""
        if culprit is not None and culprit["file"] is None:
            return self.matches_code(truth, culprit)
        if culprit is None or self.bare(culprit["function"]) != truth["function"]:
            return False
        if os.path.basename(culprit["file"]) != os.path.basename(truth["file"]) or culprit["line"] != truth["line"]:
            return False
        if truth["task"]:
            return culprit["tid"] is None and culprit["task"] is not None
        return truth["tid"] is None or culprit["tid"] == truth["tid"]

    def matches_code(self, truth, culprit):
        """The same of a native frame without debug information: the program that has it says what is at its offset."""
        named = culprit["function"] is None or self.bare(culprit["function"]) == truth["function"]
        ran = subprocess.run(["addr2line", "-i", "-e", self.unstripped, hex(culprit["offset"] - 1)], stdout=subprocess.PIPE, text=True)
        lines = [line.split(" (")[0] for line in ran.stdout.splitlines()]
        known = "%s:%d" % (truth["file"], truth["line"]) in lines or lines[0].endswith(":?")
        return named and known and culprit["tid"] == truth["tid"] and culprit["module"] == os.path.basename(self.unstripped).partition(".")[0]

    def check_culprits(self, first):
        truths = self.expect["culprits"]
        if not truths:
            return
        culprit, others = first["culprit"], first["culprits"]
        shown = [c and "%s %s:%s tid %s task %s" % (c["function"], c["file"], c["line"], c["tid"], c["task"])
                 for c in [culprit] + others]
        allowed = truths if self.expect.get("first") == "any" else truths[:1]
        named = next((t for t in allowed if self.matches(t, culprit)), None)
        self.culprit_right = named is not None
        self.has_lines = culprit is not None and culprit["file"] is not None
        self.wrong(not self.culprit_right, "culprit %s, expected %s" % (shown[0], allowed))
        self.wrong(not others or others[0] != culprit, "culprits[0] is not the culprit")
        if self.expect.get("all", True):
            for truth in truths:
                self.wrong(not any(self.matches(truth, c) for c in others), "not among the culprits %s: %s" % (shown[1:], truth))
        if self.culprit_right and culprit["file"]:
            with open(named["file"], encoding="utf-8") as file:
                lines = file.read().splitlines()
            code = lines[culprit["line"] - 1].split("  #")[0].strip()
            self.wrong(not (culprit["source"] or "").strip().startswith(code),
                       "source text %r, the line is %r" % (culprit["source"], code))

    def read_text(self, scenario):
        """The run that is typed at three in the morning."""
        ran = lib.loopknot(*self.expect["options"], scenario.pid)
        self.text = ran.out
        self.note += ", text %.1f s" % ran.seconds
        lines = ran.text.splitlines()
        allowed = as_list(self.expect["verdict"])
        self.wrong(ran.status not in as_list(self.expect["exit"]), "text: exit status %d, expected %s" % (ran.status, self.expect["exit"]))
        self.wrong(not lines or not any(v in lines[0].lower() for v in allowed),
                   "text: the first line does not say %s: %r" % (allowed, lines[:1]))
        unwrapped = " ".join(ran.text.split())
        self.wrong(self.expect.get("says") and self.expect["says"] not in ran.text and self.expect["says"] not in unwrapped,
                   "text: does not say %r" % self.expect.get("says"))
        for word in self.expect.get("first_screen", []):
            self.wrong(not any(word in line for line in lines[:24]), "text: the first 24 lines do not say %r" % word)
        self.wrong(len(lines) > self.expect.get("lines", len(lines)), "text: %d lines" % len(lines))
        if self.culprit_asked and self.culprit_right and not self.expect.get("set"):
            places = ["%s:%d" % (os.path.basename(t["file"]), t["line"]) for t in self.expect["culprits"]] if self.has_lines \
                else [os.path.basename(self.unstripped).partition(".")[0] + "+0x"]
            self.wrong(not any(p in line for p in places for line in lines[:30]),
                       "text: the first screen does not show %s" % " or ".join(places))

    # -- the target

    def unharmed(self, scenario):
        self.wrong(scenario.process.poll() is not None, "the server has ended: %s" % scenario.errors())
        for pid in scenario.pids():
            trouble = lib.thread_trouble(pid, scenario.job_stopped and pid == scenario.pid)
            self.problems += [t for t in trouble if not scenario.tracer or not t.endswith("traced by %d" % scenario.tracer.pid)]

    def still_as_before(self, scenario):
        """Hung ones still hang, the others still answer."""
        self.wrong(not scenario.still_pending(), "a request that hung was answered after the attach")
        if scenario.hangs() and not scenario.job_stopped:
            self.wrong(not driver.asleep_unmoved(scenario.blocked(), window=0.1), "a hung thread moved after the attach")
        if scenario.job_stopped:
            os.kill(scenario.pid, lib.signal.SIGCONT)
            self.wrong(scenario.pending and scenario.pending.pop().status(10) != 200, "stopped and continued, it does not answer")
        if scenario.check_path():
            status = driver.get(scenario.port, scenario.check_path(), 10)
            self.wrong(status != 200, "%s: status %d after the attach" % (scenario.check_path(), status))
        for load in scenario.loads:
            load.end()
            self.wrong(load.failed, "%d of %d requests failed: %s" % (load.failed, load.done, load.errors[:3]))


def keep(case, folder):
    os.makedirs(folder, exist_ok=True)
    stem = os.path.join(folder, case.title.replace("/", "."))
    with open(stem + ".json", "wb") as file:
        file.write(case.report)
    with open(stem + ".txt", "wb") as file:
        file.write(case.text)


def share(part, whole):
    return "%d of %d (%s)" % (part, whole, "%.1f %%" % (100 * part / whole) if whole else "none asked")


def by_rule(cases):
    """For each rule: how many cases that ask for it got it, and how many near misses did not."""
    print("\nrule    triggered   near misses left alone")
    for rule in sorted({r for c in cases for r in c.triggers() | c.near()}):
        asked = [c for c in cases if rule in c.triggers()]
        got = [c for c in asked if rule in c.rules_seen or (c.rule in as_list(c.expect.get("rule")) and rule not in c.expect.get("also", []))]
        near = [c for c in cases if rule in c.near()]
        quiet = [c for c in near if c.verdict is not None and rule not in c.rules_seen]
        print("%s   %3d of %-3d   %3d of %d" % (rule, len(got), len(asked), len(quiet), len(near)))


def table(cases):
    """Recall, precision, culprits, false deadlocks over all cases, and the rules apart."""
    defects = [c for c in cases if c.defect()]
    found = [c for c in defects if c.rule in as_list(c.expect.get("rule")) and c.verdict in as_list(c.expect["verdict"])]
    reported = [c for c in cases if c.rule is not None]
    right = [c for c in reported if c.rule in as_list(c.expect.get("rule"))]
    asked = [c for c in cases if c.culprit_asked]
    false_deadlocks = [c.title for c in cases if c.verdict == "deadlock" and "deadlock" not in as_list(c.expect["verdict"])]
    by_rule(cases)
    print("\nrecall (defects with the right verdict and rule)  %s" % share(len(found), len(defects)))
    print("precision (findings that are right)               %s" % share(len(right), len(reported)))
    print("culprits right (first one)                        %s" % share(sum(c.culprit_right for c in asked), len(asked)))
    stacks = sum((c.stacks for c in cases), collections.Counter())
    print("stacks read by both unwinders: %d the same, own goes on in %d, libunwind in %d; %d whole"
          % tuple(stacks[k] for k in ("same", "own goes on", "libunwind goes on", "whole")))
    print("false deadlocks: %d%s" % (len(false_deadlocks), "".join("\n  " + title for title in false_deadlocks)))


def free_threaded():
    code = "import sysconfig; print(sysconfig.get_config_var('Py_GIL_DISABLED') or 0)"
    return subprocess.run([driver.PYTHON, "-c", code], stdout=subprocess.PIPE, text=True).stdout.strip() == "1"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--filter", action="append", default=[], metavar="WORD", help="only cases whose SCENARIO/PROGRAM holds it")
    parser.add_argument("--keep-reports", metavar="DIR", help="write every report there")
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--what-applies", action="store_true",
                        help="on an interpreter that is free-threaded or lacks modules: without what cannot apply to it")
    args = parser.parse_args()
    chosen = [c for c in driver.cases() if not args.filter or any(word in "/".join(c) for word in args.filter)]
    if args.what_applies and free_threaded():
        chosen = [c for c in chosen if not driver.load(c[0])["programs"][c[1]].get("needs_gil")]
    tally, printing, began = lib.Tally("e2e"), threading.Lock(), time.monotonic()

    def one(names):
        case = Case(*names).run()
        if args.keep_reports:
            keep(case, args.keep_reports)
        with printing:
            if args.what_applies and case.inapplicable:
                tally.skip(case.title, case.inapplicable)
            elif case.problems:
                tally.bad(case.title, case.problems)
            else:
                tally.ok(case.title, "%s %s (%s)" % (case.verdict, case.rule or "", case.note))
        return case

    with ThreadPoolExecutor(args.jobs) as pool:
        cases = list(pool.map(one, chosen))
    table([c for c in cases if not (args.what_applies and c.inapplicable)])
    missing = driver.uncovered_pitfalls()
    if missing:
        tally.bad("pitfalls", missing)
    print("%d cases in %.0f s" % (len(cases), time.monotonic() - began))
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
