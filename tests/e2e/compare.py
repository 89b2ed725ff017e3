#!/usr/bin/python3
"""Compares the reports of two builds on every scenario, field by field: both attach to the same processes, one after the other.

    tests/e2e/compare.py OTHER [--filter WORD]... [--allow FILE] [--jobs N]

OTHER is the program to compare with, LOOPKNOT (build/loopknot) the one at hand. Names of entities are replaced by what they stand
for, durations and clock times by "#"; fields that only one of the two knows count as differences only where the other's schema had
them. A line of FILE allows a difference: `WHERE | FIELD | WHY`, both shell patterns (WHERE is SCENARIO/PROGRAM, FIELD a path such as
findings.*.summary). Prints what is not allowed and what was not met, and last "compare: N equal, N allowed, N different".
"""
import argparse
import collections
import fnmatch
import hashlib
import json
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import lib
from lib import driver

LISTS = ["threads", "loops", "tasks", "futures", "locks", "executors", "externs"]
CLOCKS = {"taken_at", "stuck_ms", "stuck_known_by", "timeout_ms", "in_ms", "next_timer_ms", "samples", "queues", "start_time", "version", "tool", "moved", "watched_ms", "read",
          "stopped", "limits", "limit_details"}
SPANS = re.compile(r"\b\d+(\.\d+)? ?(ms|s|min|h|d|us|samples?)\b( \d+ ?(ms|s|min|h)\b)*")
IDENTITY = ["class", "kind", "name", "coroutine", "text", "thread", "run_by", "loop", "owner", "waiters", "enders"]
ROUNDS = 3
KEYS = "keys"  # no id of an entity is this word


def label(value, names):
    return hashlib.sha1(json.dumps(plain(value, names), sort_keys=True).encode()).hexdigest()[:10]


def shared_keys(old, new):
    """Keys of objects that both know."""
    def keys_of(value):
        if isinstance(value, dict):
            return set(value).union(*map(keys_of, value.values())) if value else set()
        return set().union(*map(keys_of, value)) if isinstance(value, list) and value else set()
    return keys_of(old) & keys_of(new) - CLOCKS - {"id"}


def plain(value, names):
    """The value without clock times and what only one side knows, with entities by what they stand for."""
    if isinstance(value, dict):
        return {k: plain(v, names) for k, v in value.items() if k in names[KEYS]}
    if isinstance(value, list):
        return [plain(v, names) for v in value]
    if isinstance(value, str):
        if value in names:
            return names[value]
        words = re.sub(r"\b[lfkoxe]\d+\b", lambda m: names.get(m.group(), m.group()), value)
        return SPANS.sub("#", words)
    return value


def name_entities(report, keys):
    """id -> what it stands for: threads by their tid, the others by their fields and, in rounds, by those of whom they name."""
    names = {t["id"]: "t%d" % t["tid"] for t in report["threads"]}
    names[KEYS] = keys
    others = [e for key in LISTS[1:] for e in report.get(key) or []]
    names.update({e["id"]: e["id"][:1] for e in others})
    for _ in range(ROUNDS):
        names.update({e["id"]: e["id"][:1] + "-" + label([e.get(k) for k in IDENTITY], names) for e in others})
    return names


def key_of(path, value, names):
    if path == "threads":
        return names[value["id"]]
    if path in LISTS:
        return names[value["id"]]
    if path == "findings":
        return value["rule"]
    return None


def compare(old, new, path, names, out):
    """Adds (path, old, new) for every leaf that differs."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old:
            if key in names[0][KEYS]:
                compare(old[key], new.get(key), path + [key], names, out)
    elif isinstance(old, list) and isinstance(new, list):
        compare_lists(old, new, path, names, out)
    else:
        a, b = plain(old, names[0]), plain(new, names[1])
        if a != b:
            out.append((".".join(path), a, b))


def compare_lists(old, new, path, names, out):
    where = path[0] if len(path) == 1 else ""
    if where == "threads" or where == "findings":
        sides = [collections.OrderedDict() for _ in range(2)]
        for side, values, known in zip(sides, (old, new), names):
            for value in values:
                side.setdefault(key_of(where, value, known), value)
        for key in list(sides[0]) + [k for k in sides[1] if k not in sides[0]]:
            compare(sides[0].get(key), sides[1].get(key), path + [key if where == "findings" else "*"], names, out)
    elif where in LISTS:
        pools = [collections.defaultdict(list) for _ in range(2)]
        for pool, values, known in zip(pools, (old, new), names):
            for value in values:
                pool[known[value["id"]]].append(value)
        lone = [[], []]
        for key in list(pools[0]) + [k for k in pools[1] if k not in pools[0]]:
            a, b = pools[0][key], pools[1][key]
            for pair in zip(a, b):
                compare(*pair, path + ["*"], names, out)
            lone[0] += a[len(b):]
            lone[1] += b[len(a):]
        explain_entities(where, plain(lone[0], names[0]), plain(lone[1], names[1]), out)
    elif len(old) == len(new):
        for a, b in zip(old, new):
            compare(a, b, path + ["*"], names, out)
    else:
        a, b = plain(old, names[0]), plain(new, names[1])
        if a != b:
            out.append((".".join(path), a, b))


def drop_unshared(old, new):
    """Of the entities themselves, too, what only one side knows: a word may be a field of one kind and new for another."""
    for key in LISTS:
        sides = [report.get(key) or [] for report in (old, new)]
        known = [set().union(*(e.keys() for e in side)) for side in sides]
        if not all(known):
            continue
        for entity in (e for side in sides for e in side):
            for field in (known[0] ^ known[1]) - {"id"}:
                entity.pop(field, None)


def explain_entities(where, missing, more, out):
    """Pairs what is left on both sides, in order, and tells the fields that differ; what has no pair is told whole."""
    for a, b in zip(missing, more):
        for field in sorted(set(a) | set(b)):
            if a.get(field) != b.get(field):
                out.append(("%s.*.%s" % (where, field), a.get(field), b.get(field)))
    for left, right in ((missing[len(more):], None), (None, more[len(missing):])):
        for entity in left or right or []:
            out.append((where + ".*", entity if left else None, entity if right else None))


class Case:
    def __init__(self, name, program, other):
        self.title, self.name, self.program, self.other = "%s/%s" % (name, program), name, program, other
        self.problem, self.differences = None, []

    def run(self):
        try:
            with driver.Scenario(self.name, self.program) as scenario:
                options = scenario.ready()["expect"]["options"]
                pid = scenario.pid
                here, there = lib.LOOPKNOT, self.other
                old, new = (self.report(program, options, pid) for program in (there, here))
        except (driver.ScenarioError, AssertionError, OSError, ValueError) as error:
            self.problem = "%s: %s" % (type(error).__name__, error)
            return self
        if len(old) != len(new):
            self.differences.append(("reports", len(old), len(new)))
        for a, b in zip(old, new):
            drop_unshared(a, b)
            keys = shared_keys(a, b)
            if a["verdict"] == b["verdict"] == "healthy":  # its threads move on between the two
                keys -= set(LISTS) | {"task_groups", "future_groups"}
            compare(a, b, [], (name_entities(a, keys), name_entities(b, keys)), self.differences)
        return self

    def report(self, program, options, pid):
        ran = lib.loopknot("--format", "json", *options, pid, program=program)
        return sorted(lib.reports_of(json.loads(ran.out)), key=lambda r: r["target"]["pid"])


def read_allowed(path):
    rows = []
    if path:
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.strip() and not line.startswith("#"):
                    rows.append([part.strip() for part in line.split("|", 2)] + [0])
    return rows


def is_allowed(rows, title, path):
    for row in rows:
        if fnmatch.fnmatch(title, row[0]) and fnmatch.fnmatch(path, row[1]):
            row[3] += 1
            return True
    return False


def short(value):
    if isinstance(value, list) and value and isinstance(value[0], dict) and "function" in value[0]:
        return " < ".join("%s:%s" % (f["function"], f.get("line")) for f in value)
    text = json.dumps(value, sort_keys=True)
    return text if len(text) < 300 else text[:300] + "..."


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other")
    parser.add_argument("--filter", action="append", default=[], metavar="WORD")
    parser.add_argument("--allow", metavar="FILE")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    rows = read_allowed(options.allow)
    cases = [Case(*names, os.path.abspath(options.other)) for names in driver.cases()]
    cases = [c for c in cases if not options.filter or any(w in c.title for w in options.filter)]
    equal = allowed = different = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for case in pool.map(Case.run, cases):
            bad = [d for d in case.differences if not is_allowed(rows, case.title, d[0])]
            if case.problem or bad:
                different += 1
                print("DIFF %s%s" % (case.title, " " + case.problem if case.problem else ""))
                for path, old, new in bad:
                    print("       %s\n         - %s\n         + %s" % (path, short(old), short(new)))
            else:
                equal, allowed = equal + (not case.differences), allowed + bool(case.differences)
            sys.stdout.flush()
    for where, field, why, met in rows:
        if not met:
            print("not met: %s | %s | %s" % (where, field, why))
    print("compare: %d equal, %d allowed, %d different" % (equal, allowed, different))
    return different > 0


if __name__ == "__main__":
    sys.exit(main())
