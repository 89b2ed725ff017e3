"""The helper process of the pytest plugin: keeps the time and examines the process that runs the tests.

    python -m loopknot._watch PID SECONDS FOLDER deadlock|stalled

On stdin come lines: "begin NODEID" where a test begins, "end" where it ends, "seen" where a verdict has arrived. When a test has
run for SECONDS and is held up by a finding, FOLDER/report.json and report.txt hold the report, and a line of JSON with the
verdict goes to stdout. Who does not answer (a process whose interpreter is locked) is ended.
"""
import json
import os
import select
import signal
import subprocess
import sys
import time

from loopknot import program

ANSWER = 10  # seconds
RISING = ("healthy", "hazard", "unknown", "stalled", "deadlock")


def holds_up_test(report, finding):
    """Whether the main thread, which runs the test, waits for a part of the finding; or the program says that a test is held up."""
    held_up = finding.get("held_up") or {}
    if held_up.get("requests"):
        return True
    parts = set(finding["threads"]) | set(finding["tasks"]) | set(finding["locks"])
    for link in finding["chain"]:
        parts |= {link["from"], link["to"]}
    by_id = {e["id"]: e for kind in ("threads", "loops", "tasks", "futures", "locks", "executors") for e in report[kind]}
    todo, seen = [t["id"] for t in report["threads"] if t["main"]], set()
    while todo:
        at = todo.pop()
        if at in parts:
            return True
        entity = by_id.get(at)
        if at in seen or not entity:
            continue
        seen.add(at)
        todo += [entity[k] for k in ("waits_for", "owner", "thread") if isinstance(entity.get(k), str)]
        todo += entity.get("enders") or []
    return False


def describe(finding):
    culprit = finding.get("culprit") or {}
    where = " at %s:%s in %s" % (culprit["file"], culprit["line"], culprit["function"]) if culprit.get("file") else ""
    return {"verdict": finding["severity"], "rule": finding["rule"], "file": culprit.get("file"), "line": culprit.get("line"),
            "message": "%s: %s %s%s" % (finding["severity"], finding["rule"], finding["name"], where),
            "text": "\n".join(t for t in (finding["summary"], finding.get("remedy")) if t)}


def examine(pid, folder, least):
    """What holds up the test, or None; the report is then in the folder."""
    stem = os.path.join(folder, "report")
    subprocess.run([program(), "attach", "--no-tree", "--fail-on", "never", "--output", "json:%s.json" % stem,
                    "--output", "text:%s.txt" % stem, str(pid)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        with open(stem + ".json", encoding="utf-8") as file:
            report = json.load(file)
    except (OSError, ValueError):
        return None  # the program has said why on stderr
    for finding in report.get("findings", ()):
        if RISING.index(finding["severity"]) >= RISING.index(least) and holds_up_test(report, finding):
            return describe(finding)
    return None


class Lines:
    """Lines of stdin, as they come."""

    def __init__(self):
        self.buffer = b""

    def read(self, seconds):
        """Those that came within the time; None at the end."""
        if not select.select([0], [], [], seconds)[0]:
            return []
        data = os.read(0, 1 << 16)
        if not data:
            return None
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        return [line.decode(errors="replace") for line in lines]


def main(pid, seconds, folder, least):
    lines, test, due = Lines(), None, None
    while True:
        came = lines.read(None if due is None else max(0, due - time.monotonic()))
        if came is None:
            return
        for line in came:
            word, _, rest = line.partition(" ")
            test = rest if word == "begin" else None
            due = time.monotonic() + seconds if test else None
        if came or not test:
            continue
        found = examine(pid, folder, least)
        due = time.monotonic() + seconds
        if not found or select.select([0], [], [], 0)[0]:
            continue  # it goes on
        found["test"] = test
        with open(os.path.join(folder, "verdict.json"), "w", encoding="utf-8") as file:
            json.dump(found, file)
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
        due = None
        if lines.read(ANSWER) == []:
            sys.stderr.write("loopknot: %s: %s\nloopknot: the process does not answer and is ended\n" % (test, found["message"]))
            os.kill(pid, signal.SIGKILL)
            return


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4])
