#!/usr/bin/python3
"""validate_report.py FILE...: checks JSON reports (docs/report.schema.json) and what a schema cannot say.

Every reference must lead to an id of the right kind, ids must be unique, an unknown value must have an entry in
`limits`, verdict and severities must fit together, frames must stand innermost first and no string may hold a control
character. One line a problem on standard output; status 1 when there is any, 2 for wrong usage.
"""
import json
import os
import sys

from jsonschema import Draft202012Validator

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "docs", "report.schema.json")
VERDICTS = ["healthy", "hazard", "unknown", "stalled", "deadlock"]
# The worst a finding may be by its confidence.
CEILING = {"proven": "deadlock", "probable": "stalled", "possible": "hazard"}
LISTS = {"threads": "thread", "loops": "loop", "tasks": "task", "futures": "future", "locks": "lock",
         "executors": "executor", "externs": "extern"}
ANY = tuple(LISTS.values())

# References of the entities of each list: path of keys, "*" for every element of a list; kinds they may lead to.
REFERENCES = {
    "threads": [("waits_for", ANY), ("holds.*", ("lock",)), ("runs_loop", ("loop",)), ("current_task", ("task",)),
                ("executor", ("executor",)), ("blocks.on.*", ANY)],
    "loops": [("thread", ("thread",))],
    "tasks": [("loop", ("loop",)), ("waits_for", ANY), ("run_by", ("thread",)), ("thread", ("thread",)), ("holds.*", ("lock",)),
              ("blocks.on.*", ANY)],
    "futures": [("loop", ("loop",)), ("enders.*", ANY)],
    "locks": [("owner", ("thread", "task")), ("owners.*", ("thread", "task")), ("waiters.*", ("thread", "task")),
              ("loop", ("loop",))],
    "executors": [("workers.*", ("thread",)), ("items.*.future", ("future", "task"))],
    "externs": [],
    "samples": [("moved.*", ("thread",))],
    "limit_details": [("entity", ANY)],
    "findings": [("threads.*", ("thread",)), ("loops.*", ("loop",)), ("tasks.*", ("task",)), ("locks.*", ("lock",)),
                 ("culprit.task", ("task",)), ("culprits.*.task", ("task",)), ("chain.*.from", ANY), ("chain.*.to", ANY)],
}
# Nulls that mean "unknown", so that `limits` must not be empty.
DECISIVE = {
    "threads": ["stuck_ms", "native", "blocks.timed", "python.*.line", "python.*.user"],
    "loops": ["running", "closed", "stopping", "ready", "timers", "tasks_pending", "in_selector"],
    "tasks": ["loop", "blocks.timed", "stack.*.line", "stack.*.user"],
    "futures": ["state"],
    "executors": ["max_workers", "queued", "shutdown"],
    "samples": ["at_ms", "pause_us", "stopped", "asleep"],
    "findings": ["stuck_ms", "held_up.requests", "held_up.tasks", "culprit", "culprits.*.function"],
}
# Functions that only ever stand at the outer end of a stack.
PYTHON_OUTERMOST = {"Thread._bootstrap"}
NATIVE_OUTERMOST = {"clone", "clone3", "__clone3", "_start", "start_thread"}
NATIVE_TAIL = 3


def at_path(value, path):
    """All values at a dotted path; nothing for keys below a null."""
    values = [value]
    for key in path.split("."):
        if key == "*":
            values = [item for v in values for item in v]
        else:
            values = [v[key] for v in values if v is not None]
    return values


def strings(value, where):
    """Every string in a JSON value, keys included, with its place."""
    stack = [(value, where)]
    while stack:
        item, place = stack.pop()
        if isinstance(item, str):
            yield item, place
        elif isinstance(item, dict):
            for key, inner in item.items():
                yield key, place
                stack.append((inner, "%s.%s" % (place, key)))
        elif isinstance(item, list):
            stack.extend((inner, "%s[%d]" % (place, i)) for i, inner in enumerate(item))


def harmful(character):
    code = ord(character)
    return (code < 0x20 or 0x7F <= code <= 0x9F or 0x2028 <= code <= 0x202E or 0x2066 <= code <= 0x2069
            or 0xD800 <= code <= 0xDFFF)


class Report:
    """The checks on one report; problems are collected as lines."""

    def __init__(self, report, prefix=""):
        self.report, self.prefix, self.problems = report, prefix, []

    def wrong(self, text, *args):
        self.problems.append(text % args)

    def collect_ids(self):
        self.kinds = {}
        for name, kind in LISTS.items():
            for i, entity in enumerate(self.report[name]):
                key = entity["id"]
                if key in self.kinds:
                    self.wrong("%s[%d].id: %r is not unique", name, i, key)
                if not key.startswith(self.prefix):
                    self.wrong("%s[%d].id: %r does not begin with %r", name, i, key, self.prefix)
                self.kinds[key] = kind

    def check_references(self):
        for name, references in REFERENCES.items():
            for i, entity in enumerate(self.report[name]):
                for path, kinds in references:
                    for target in at_path(entity, path):
                        if target is not None and self.kinds.get(target) not in kinds:
                            self.wrong("%s[%d].%s: %r is no id of a %s", name, i, path, target, " or ".join(kinds))
        for name, kind in LISTS.items():
            for i, group in enumerate(self.report[kind + "_groups"]):
                if self.kinds.get(group["example"]) != kind:
                    self.wrong("%s_groups[%d].example: %r is not in %s", kind, i, group["example"], name)

    def check_unknowns(self):
        if self.report["limits"]:
            return
        for name, paths in DECISIVE.items():
            for i, entity in enumerate(self.report[name]):
                for path in paths:
                    if None in at_path(entity, path):
                        self.wrong("%s[%d].%s: is null, but limits is empty", name, i, path)

    def check_limits(self):
        if [detail["text"] for detail in self.report["limit_details"]] != self.report["limits"]:
            self.wrong("limit_details: its texts are not those of limits, one for one")
        for i, detail in enumerate(self.report["limit_details"]):
            if (detail["address"] is None) != (detail["size"] is None):
                self.wrong("limit_details[%d]: address and size are known together or not at all", i)

    def check_counts(self):
        threads = len(self.report["threads"]) + sum(g["count"] for g in self.report["thread_groups"])
        if threads != self.report["target"]["threads"]:
            self.wrong("target.threads is %d, listed and folded are %d", self.report["target"]["threads"], threads)
        for name, kind in LISTS.items():
            if self.report[kind + "_groups"] and len(self.report[name]) + sum(
                    g["count"] for g in self.report[kind + "_groups"]) <= 1000:
                self.wrong("%s: folded, though there are at most 1000", name)

    def check_findings(self):
        tids = {thread["tid"] for thread in self.report["threads"]}
        worst = -1
        for i, finding in enumerate(self.report["findings"]):
            severity = VERDICTS.index(finding["severity"])
            if i and severity > VERDICTS.index(self.report["findings"][i - 1]["severity"]):
                self.wrong("findings[%d]: is worse than the one before", i)
            worst = max(worst, severity)
            if severity > VERDICTS.index(CEILING[finding["confidence"]]):
                self.wrong("findings[%d]: %s, but only %s", i, finding["severity"], finding["confidence"])
            if finding["culprit"] != (finding["culprits"][0] if finding["culprits"] else None):
                self.wrong("findings[%d].culprit: is not the first of culprits", i)
            if (finding["stuck_ms"] is None) != (finding["stuck_known_by"] is None):
                self.wrong("findings[%d]: stuck_ms and stuck_known_by disagree on what is known", i)
            for culprit in finding["culprits"]:
                if culprit["tid"] is not None and culprit["tid"] not in tids:
                    self.wrong("findings[%d]: culprit of unknown thread %d", i, culprit["tid"])
        verdict = VERDICTS.index(self.report["verdict"])
        expected = {max(worst, 0), max(worst, VERDICTS.index("unknown"))}
        if verdict not in expected:
            self.wrong("verdict: %s does not fit the findings", self.report["verdict"])
        if self.report["verdict"] == "unknown" and not self.report["verdict_why"]:
            self.wrong("verdict_why: an unknown verdict does not say why")

    def check_frames(self):
        stacks = [("threads[%d].python" % i, t["python"]) for i, t in enumerate(self.report["threads"])]
        stacks += [("tasks[%d].stack" % i, t["stack"]) for i, t in enumerate(self.report["tasks"])]
        for place, frames in stacks:
            for i, frame in enumerate(frames):
                if frame["qualname"] in PYTHON_OUTERMOST and i != len(frames) - 1:
                    self.wrong("%s: %s is not outermost; frames must stand innermost first", place, frame["qualname"])
        for i, thread in enumerate(self.report["threads"]):
            native = thread["native"] or []
            for k, frame in enumerate(native):
                if frame["function"] in NATIVE_OUTERMOST and k < len(native) - NATIVE_TAIL:
                    self.wrong("threads[%d].native: %s is not outermost", i, frame["function"])

    def check_strings(self):
        for text, place in strings(self.report, "report"):
            if any(harmful(c) for c in text):
                self.wrong("%s: %.60r holds a control character", place, text)

    def check(self):
        self.collect_ids()
        for step in (self.check_references, self.check_unknowns, self.check_limits, self.check_counts, self.check_findings,
                     self.check_frames, self.check_strings):
            step()
        return self.problems


def schema_problems(document, name, schema):
    """Against the definition that is meant, so that the error names the key and not all alternatives."""
    validator = Draft202012Validator({"$schema": schema["$schema"], "$ref": "#/$defs/" + name, "$defs": schema["$defs"]})
    for error in validator.iter_errors(document):
        place = ".".join(str(key) for key in error.absolute_path) or "top level"
        yield "%s: %s" % (place, " ".join(error.message.split())[:300])


def check_document(document, schema):
    name = document.get("schema") if isinstance(document, dict) else None
    if name not in ("loopknot.report/1", "loopknot.report-set/1"):
        return ["schema: %r is neither a report nor a report set" % (name,)]
    is_set = name == "loopknot.report-set/1"
    problems = list(schema_problems(document, "report_set" if is_set else "report", schema))
    if problems:
        return problems
    if not is_set:
        return Report(document).check()
    for report in document["reports"]:
        problems += Report(report, "%d/" % report["target"]["pid"]).check()
    worst = max((VERDICTS.index(r["verdict"]) for r in document["reports"]), default=VERDICTS.index("unknown"))
    if VERDICTS.index(document["verdict"]) != worst:
        problems.append("verdict: %s is not the worst of the reports" % document["verdict"])
    return problems


def main(paths):
    if not paths or paths[0].startswith("-"):
        print("usage: validate_report.py FILE...", file=sys.stderr)
        return 2
    with open(SCHEMA, encoding="utf-8") as file:
        schema = json.load(file)
    status = 0
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                problems = check_document(json.load(file), schema)
        except (OSError, ValueError, RecursionError) as error:
            problems = ["cannot be read as JSON: %s" % error]
        for problem in problems[:20]:
            print("%s: %s" % (path, problem))
        if len(problems) > 20:
            print("%s: and %d more problems" % (path, len(problems) - 20))
        status |= bool(problems)
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
