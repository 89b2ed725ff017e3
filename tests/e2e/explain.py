#!/usr/bin/python3
"""What loopknot says about its own rules, and the pages of docs/ that repeat it. Last line: explain: N passed, N failed."""
import os
import re
import subprocess
import sys

import lib
from lib import driver, loopknot

RULES = ("LK101 LK102 LK103 LK104 LK105 LK106 LK107 LK108 LK201 LK202 LK203 LK204 LK205 LK301 LK302 LK303 LK304 LK305 LK401 LK402 "
         "LK403 LK404 LK405 LK406 LK407 LK408 LK410 LK501").split()
TEXTS = ("means", "cause", "evidence", "refuted_by", "remedy", "right")
HEADINGS = ("What it means", "How it comes about", "How it is known", "What would refute it", "What to change", "Right", "Sources",
            "What it reads", "What could make it wrong, and what is said then", "Near misses", "Scenarios")
# The parts of Python.h and pthread.h that the C examples use.
C_PRELUDE = """
typedef struct object PyObject;
PyObject *PyLong_FromLong(long);
void *PyEval_SaveThread(void);
void PyEval_RestoreThread(void *);
#define Py_BEGIN_ALLOW_THREADS { void *save = PyEval_SaveThread();
#define Py_END_ALLOW_THREADS PyEval_RestoreThread(save); }
typedef int pthread_mutex_t;
int pthread_mutex_lock(pthread_mutex_t *), pthread_mutex_unlock(pthread_mutex_t *);
extern pthread_mutex_t queue_lock;
int queue_flush(void);
"""


def listed():
    ran = loopknot("rules", "--format", "json")
    assert ran.status == 0, ran.errors
    return [r["id"] for r in lib.parse(ran)["rules"]]


def explained(*words):
    ran = loopknot("explain", "--format", "json", *words)
    assert ran.status == 0, ran.errors
    whole = lib.parse(ran)
    assert whole["schema"] == "loopknot.rules/1", whole["schema"]
    return whole["rules"]


def page(rule):
    with open(os.path.join(lib.ROOT, "docs", "rules", rule + ".md"), encoding="utf-8") as file:
        return file.read()


# ---- the commands -----------------------------------------------------------------------

def table():
    ran = loopknot("rules")
    assert ran.status == 0 and not ran.err, ran.errors
    lines = ran.text.splitlines()
    ids = [line.split()[0] for line in lines]
    assert ids == sorted(ids) and set(RULES) <= set(ids), "rules that are listed: %s" % ids
    wide = [line for line in lines if len(line) > 80]
    assert not wide, "wider than 80 columns: %s" % wide
    bare = [line for line in lines if len(line.split()) < 5]
    assert not bare, "says nothing: %s" % bare


def rules_json():
    ran = loopknot("rules", "--format=json")
    assert ran.status == 0, ran.errors
    for rule in lib.parse(ran)["rules"]:
        assert rule["ceiling"] in ("hazard", "stalled", "deadlock"), rule
        for key in ("id", "name", "brief", "means", "remedy", "docs"):
            assert rule[key], "%s has no %s" % (rule["id"], key)


def all_ways_to_name():
    by_id = loopknot("explain", "LK101")
    assert by_id.status == 0 and by_id.text.startswith("LK101 loop-waits-on-itself"), by_id.text[:80]
    for word in ("lk101", "101", "loop-waits-on-itself", "Loop-Waits-On-Itself"):
        assert loopknot("explain", word).out == by_id.out, "%s is explained differently" % word


def several():
    text = loopknot("explain", "lk501", "lock-cycle").text
    assert text.startswith("LK501 ") and "\nLK103 lock-cycle" in text, text[:200]
    assert [r["id"] for r in explained("LK501", "103")] == ["LK501", "LK103"]


def formats():
    assert loopknot("explain", "--format", "markdown", "LK203").text.startswith("# LK203 lost-wakeup\n")
    width = max(len(line) for line in loopknot("explain", *RULES).text.splitlines())
    assert width <= 100, "a line of %d columns" % width


def refused(expected, *args):
    ran = loopknot(*args)
    assert ran.status == 2, "status %d" % ran.status
    assert ran.one_line(), "not one line on stderr alone: %r / %r" % (ran.errors, ran.text[:100])
    assert re.search(expected, ran.errors), ran.errors
    return ran.errors.strip()


def helped(command):
    ran = loopknot(command, "--help")
    assert ran.status == 0 and not ran.err and "usage: loopknot " + command in ran.text and "--format" in ran.text, ran.text


# ---- the texts --------------------------------------------------------------------------

def says_all(rule):
    r = explained(rule)[0]
    for key in TEXTS:
        assert r[key] and len(r[key]) > 10, "%s: %r" % (key, r[key])
    assert r["wrong"] or r["language"] == "sh", "no example of what is wrong"
    assert r["docs"] and all(d.startswith("https://") for d in r["docs"]), r["docs"]
    text = loopknot("explain", rule).text
    raw = [d for d in r["docs"] if not re.search(r"^  [A-Z\w].*\n    %s$" % re.escape(d), text, re.M)]
    assert not raw, "no title: %s" % raw


def compiles(rule):
    r = explained(rule)[0]
    for which in ("wrong", "right"):
        code = r[which]
        if code is None:
            continue
        if r["language"] == "python":
            compile(code, "%s, %s" % (rule, which), "exec")
        elif r["language"] == "c":
            subprocess.run(["cc", "-std=c11", "-fsyntax-only", "-Wall", "-x", "c", "-"], input=(C_PRELUDE + code).encode(), check=True)
        else:
            subprocess.run(["sh", "-n"], input=code.encode(), check=True)
        long_lines = [line for line in code.splitlines() if len(line) > 96]
        assert not long_lines, long_lines
    return r["language"]


# ---- the pages --------------------------------------------------------------------------

def pages_agree():
    ran = subprocess.run([os.path.join(lib.ROOT, "docs", "update-rules"), "--check"], env=dict(os.environ, LOOPKNOT=lib.LOOPKNOT),
                         stdout=subprocess.PIPE, encoding="utf-8")
    assert ran.returncode == 0, ran.stdout


def page_is_whole(rule):
    text = page(rule)
    missing = [h for h in HEADINGS if not re.search(r"^## %s$" % re.escape(h), text, re.M)]
    assert not missing, "no section: %s" % missing
    empty = re.findall(r"^## ([^\n]*)\n+(?=## |<!--|\Z)", text, re.M)
    assert not empty, "nothing stands under: %s" % empty


def links_lead_somewhere(name):
    """Every link into the project: scenarios that were renamed, rules without a page."""
    path = os.path.join(lib.ROOT, "docs", name)
    with open(path, encoding="utf-8") as file:
        links = re.findall(r"\]\(([^)#]+)\)", file.read())
    inside = [link for link in links if "://" not in link]
    dead = [link for link in inside if not os.path.exists(os.path.join(os.path.dirname(path), link))]
    assert not dead, "no such file: %s" % dead
    return "%d links" % len(inside)


def every_pitfall_has_its_rule():
    """16 rows, each with a rule and a scenario; the one that leaves nothing to be seen says so."""
    with open(os.path.join(lib.ROOT, "docs", "pitfalls.md"), encoding="utf-8") as file:
        rows = re.findall(r"^\| (\d+) \|(.*)\|([^|]*)\|$", file.read(), re.M)
    assert [int(number) for number, _, _ in rows] == list(range(1, 17)), [number for number, _, _ in rows]
    bare = [number for number, text, _ in rows if "](rules/LK" not in text]
    assert not bare, "no rule: %s" % bare
    assert "Not detectable after the fact" in rows[11][1], "tasks that ended with the view's loop: %s" % rows[11][1]
    alone = [number for number, _, scenarios in rows if "](../scenarios/" not in scenarios]
    return "no scenario yet: %s" % ", ".join(alone) if alone else ""


def scenarios_are_named():
    """Each rule that a scenario asks for says so on its page."""
    silent = []
    for scenario in driver.names():
        for program in driver.load(scenario)["programs"].values():
            rules = program["expect"].get("rule")
            for rule in rules if isinstance(rules, list) else [rules]:
                if rule in RULES and "/scenarios/%s)" % scenario not in page(rule):
                    silent.append("%s: %s" % (rule, scenario))
    return "not yet named (docs/update-rules): %s" % ", ".join(sorted(set(silent))) if silent else ""


CASES = [
    ("rules", table),
    ("rules --format json", rules_json),
    ("rules --help", helped, "rules"),
    ("rules LK101", refused, "explain LK101", "rules", "LK101"),
    ("rules --format markdown", refused, "no format", "rules", "--format", "markdown"),
    ("explain --help", helped, "explain"),
    ("explain by id, number and name", all_ways_to_name),
    ("explain two", several),
    ("explain --format", formats),
    ("explain nothing", refused, "usage: ", "explain"),
    ("explain lk1o4", refused, r"'lk1o4'.*LK104", "explain", "lk1o4"),
    ("explain lost-wake-up", refused, r"LK203 \(lost-wakeup\)", "explain", "LK101", "lost-wake-up"),
    ("explain a word with control characters", refused, r"there is no rule", "explain", "a\n\033[31m" + "b" * 5000),
    ("explain an empty word", refused, r"there is no rule ''", "explain", ""),
    ("explain --frobnicate", refused, "no option", "explain", "--frobnicate"),
    ("explain --format without a value", refused, "wants", "explain", "--format"),
    ("pages agree with explain", pages_agree),
    ("pitfalls.md leads somewhere", links_lead_somewhere, "pitfalls.md"),
    ("rules/README.md leads somewhere", links_lead_somewhere, "rules/README.md"),
    ("pitfalls.md has rules", every_pitfall_has_its_rule),
    ("pages name the scenarios", scenarios_are_named),
]


def main():
    cases = list(CASES)
    for rule in listed():
        cases += [(rule + " is explained", says_all, rule), (rule + " has code that compiles", compiles, rule),
                  (rule + " has a page", page_is_whole, rule), (rule + "'s page leads somewhere", links_lead_somewhere, "rules/%s.md" % rule)]
    return lib.run_cases("explain", cases)


if __name__ == "__main__":
    sys.exit(main())
