"""compare_truth.py DUMP PYTHON...: starts truth_target.py with each interpreter, reads it with DUMP, compares with what it says.

PYTHON is a path, or ROOT::PATH for an interpreter inside a root folder (needs the right to chroot). Ends with "N passed, M failed" and status 1 when anything differs. An interpreter that does not exist is counted as skipped.
"""
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PASSED = FAILED = SKIPPED = 0


def check(what, seen, expected):
    global PASSED, FAILED
    if seen == expected:
        PASSED += 1
        return
    FAILED += 1
    print("FAILED %s\n    seen:     %s\n    expected: %s" % (what, seen, expected))


def compare(label, truth, seen):
    check(label + " version", seen["version"], truth["version"])
    check(label + " limits", seen["limits"], [])
    check(label + " stdlib", truth["stdlib"] in seen["stdlib"].split(":"), True)
    check(label + " own folders", seen["own_folders"].split(":"), truth["own_folders"])
    check(label + " prefix", seen["prefix"], truth["prefix"])
    threads = {t["ident"]: t for t in seen["threads"]}
    for name, expected in truth["threads"].items():
        thread = threads.get(expected["ident"])
        where = "%s thread %s" % (label, name)
        if thread is None:
            check(where, None, "a thread")
            continue
        check(where + " name", thread["name"], name)
        check(where + " frames", thread["frames"], expected["frames"])
        check(where + " truncated", thread["truncated"], False)
        if expected["held"] is not None:
            check(where + " held", [h[0] for h in thread["held"]], expected["held"])
        if expected["pending"] is not None:
            check(where + " pending", [p[0] for p in thread["pending"][:1]], [expected["pending"]])
    chains = {c["address"]: c for c in seen["coroutines"]}
    for name, expected in truth["coroutines"].items():
        chain = chains[expected["address"]]
        where = "%s coroutine %s" % (label, name)
        check(where + " frames", chain["frames"], expected["frames"])
        check(where + " end", chain["end"], expected["end"])


def command_line(python):
    """How to start the target with this interpreter; None when it is not there."""
    root, _, path = python.rpartition("::")
    if not os.path.exists(root + path):
        return None
    script = os.path.join(HERE, "truth_target.py")
    if not root:
        return [path, script]
    shutil.copy(script, os.path.join(root, "tmp/truth_target.py"))
    return ["chroot", root, path, "/tmp/truth_target.py"]


def run(dump, python):
    global FAILED, SKIPPED
    command = command_line(python)
    if command is None:
        SKIPPED += 1
        print("skipped: no %s" % python)
        return
    target = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        line = target.stdout.readline()
        if not line:
            FAILED += 1
            print("FAILED %s: the target said nothing" % python)
            return
        truth = json.loads(line)
        command = [dump, str(truth["pid"])] + [str(c["address"]) for c in truth["coroutines"].values()]
        out = subprocess.run(command, stdout=subprocess.PIPE, timeout=60)
        if out.returncode != 0:
            FAILED += 1
            print("FAILED %s: %s ended with %d" % (python, dump, out.returncode))
            return
        before = (PASSED, FAILED)
        compare(truth["version"], truth, json.loads(out.stdout.decode("utf-8")))
        print("%s %s: %d passed, %d failed, %d threads, %d coroutines" % (truth["version"], python, PASSED - before[0], FAILED - before[1],
                                                                        len(truth["threads"]), len(truth["coroutines"])))
    finally:
        target.stdin.close()
        try:
            target.wait(10)
        except subprocess.TimeoutExpired:
            target.kill()


if __name__ == "__main__":
    for interpreter in sys.argv[2:]:
        run(sys.argv[1], interpreter)
    print("%d passed, %d failed, %d skipped" % (PASSED, FAILED, SKIPPED))
    sys.exit(1 if FAILED or not PASSED else 0)
