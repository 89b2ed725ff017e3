#!/usr/bin/python3
"""The manual, the README and the changelog against what the program says of itself.

Last line: documents: N passed, N failed.
"""
import glob
import os
import re
import subprocess
import sys

import lib

OTHERS = {"--reload"}  # an option of uvicorn's that the manual speaks of
COMMANDS = ["attach", "run", "capture", "core", "analyze", "diff", "doctor", "rules", "explain"]


def text_of(*path):
    with open(os.path.join(lib.ROOT, *path), encoding="utf-8") as file:
        return file.read()


def manual():
    """Without what only says how a word is set."""
    text = text_of("docs", "loopknot.1").replace("\\-", "-")
    return re.sub(r"\\f[BIRP]", "", text)


def section(title):
    return manual().split("\n.SH %s\n" % title, 1)[1].split("\n.SH ", 1)[0]


def help_of(command):
    ran = lib.loopknot(command, "--help")
    assert ran.status == 0 and not ran.err and ran.text.startswith("usage: loopknot "), (command, ran.status, ran.errors)
    return ran.text


def options_in(text):
    return set(re.findall(r"(?<![-\w])--[a-z][-a-z]*|(?<![-\w])-[a-z](?![-\w])", text))


def said_by_programs():
    return set.union(*(options_in(help_of(command)) for command in COMMANDS)) | {"--version"}


def options_are_in_the_manual():
    missing = said_by_programs() - options_in(manual())
    assert not missing, "not in the manual: %s" % sorted(missing)


def no_option_is_made_up():
    """Examples name options of other programs too."""
    own = manual().split("\n.SH EXAMPLES\n")[0]
    made_up = options_in(own) - said_by_programs() - OTHERS
    assert not made_up, "in the manual alone: %s" % sorted(made_up)


def no_option_of_the_readme_is_made_up():
    """Of lines that begin with loopknot, up to the command that it runs."""
    known = said_by_programs()
    for name in ("README.md", os.path.join("docs", "ci.md"), os.path.join("docs", "privacy.md")):
        lines = re.findall(r"^ +(?:sudo )?(loopknot [^|>#;\n]*)", text_of(name), re.M)
        made_up = set().union(*(options_in(line.split(" -- ")[0]) for line in lines)) - known
        assert not made_up, (name, sorted(made_up))


def the_checks_can_fail():
    assert options_in("a --made-up -z, well-known --Not -1 x-y") == {"--made-up", "-z"}


def formats():
    listed = lib.formats()
    assert len(listed) > 8, listed
    told = section("OPTIONS").split(".TP")[1]
    privacy = text_of("docs", "privacy.md")
    for name in listed:
        assert re.search(r"\b%s\b" % name, told), "the manual says nothing of --format %s" % name
        assert "`%s`" % name in privacy, "docs/privacy.md says nothing of %s" % name
    for name in ("README.md", os.path.join("docs", "ci.md"), os.path.join("docs", "loopknot.1")):
        named = re.findall(r"loopknot [^|\n]*?--(?:format |output )(\w+)", text_of(name).replace("\\-", "-"))
        assert named and set(named) <= set(listed), (name, named)


def environment():
    """What the program asks getenv(3) for."""
    asked = set()
    for path in glob.glob(os.path.join(lib.ROOT, "src", "cli", "**", "*.c"), recursive=True):
        text = text_of(path)
        if "getenv(" in text:
            asked |= set(re.findall(r'"([A-Z]+_[A-Z_]+)"', text))
    told = set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", section("ENVIRONMENT")))
    assert asked == told, "asked for %s, told %s" % (sorted(asked - told), sorted(told - asked))


def statuses():
    told = set(re.findall(r"^\.BR? (\d+)", section("EXIT STATUS"), re.M)) | set(re.findall(r'" (\d+)$', section("EXIT STATUS"), re.M))
    for command in ("attach", "capture", "analyze", "diff", "doctor"):
        status = re.search(r"Exit status: (.*)", help_of(command), re.S).group(1)
        said = set(re.findall(r"(?<![\w-])(\d+)\b", status))
        assert said <= told, "%s: the manual has not %s" % (command, sorted(said - told))
    assert {"0", "1", "2", "3", "4", "125", "130", "143"} == told, sorted(told)
    said = set(re.findall(r"\b(12\d)\b", re.search(r"Exit status: (.*)", help_of("run"), re.S).group(1)))
    told = set(re.findall(r"^\.B (\d+)$", section("RUN: A WATCHDOG FOR COMMANDS"), re.M))
    assert said - {"128"} == told, (said, told)


def rules():
    ids = [line.split()[0] for line in lib.loopknot("rules").text.splitlines()]
    assert len(ids) > 20, ids
    for name in ("README.md", "CHANGELOG.md"):
        text = text_of(name)
        for number in re.findall(r"\b(\d+) rules\b", text):
            assert int(number) == len(ids), "%s says %s rules, there are %d" % (name, number, len(ids))
        unknown = set(re.findall(r"\bLK\d+\b", text)) - set(ids)
        assert not unknown, (name, unknown)
    missing = set(ids) - set(re.findall(r"\bLK\d+\b", text_of("README.md")))
    assert not missing, "the README has not %s" % sorted(missing)


def changelog():
    lines = [line for line in text_of("CHANGELOG.md").splitlines() if line.strip()]
    twice = sorted({line for line in lines if lines.count(line) > 1})
    assert len(lines) > 50 and not twice, twice


def words_of(text):
    """Without numbers, durations and where lines break; folders as seen from the root of the sources."""
    text = re.sub(r"\b[\d.,]+ (ms|s|min)\b", "TIME", text.replace(lib.ROOT + "/", ""))
    return re.sub(r"\d+", "N", text).split()


def the_real_run():
    """What the README shows is what the demonstration prints, word for word."""
    block = text_of("README.md").split("\n## A real run\n")[1].split("\n```\n")[1]
    shown = words_of(block)
    ran = subprocess.run([sys.executable, os.path.join(lib.ROOT, "scenarios", "demo")], stdout=subprocess.PIPE, text=True, timeout=60,
                         env={**os.environ, "LOOPKNOT": lib.LOOPKNOT})
    printed = words_of(ran.stdout)
    begin = printed.index("DEADLOCK")
    assert len(shown) > 150 and printed[begin:begin + len(shown)] == shown, [
        pair for pair in zip(shown, printed[begin:]) if pair[0] != pair[1]][:3]


# Words of our own, ids, dates, and folders that no report shows.
OWN_WORDS = {"id", "build_id", "boot_id", "start_time", "taken_at", "syscall", "load", "version", "build", "stdlib", "own_folders", "prefix",
             "likely_for", "lk_loop.kind", "lk_loop.offload", "lk_loop.cancels", "lk_supervisor.name", "lk_supervisor.child", "cmdline", "respawned_by"}


def texts_of_the_snapshot():
    """Each text that a process may have chosen stands in the table by which reports are redacted."""
    told = set(re.findall(r"\b(?:NAME|SENTENCE|SOURCE)\((\w+), [\w.]*?(\w+)(?:\[\d\])?\)", text_of("src", "snapshot", "texts.c")))
    inner = {"lk_process_halt", "lk_surroundings", "lk_python", "lk_syscall_wait", "lk_wait"}  # stand in other structs
    inside = {(struct, member) for struct in inner for _, member in told}
    found, missing = 0, []
    for path in glob.glob(os.path.join(lib.ROOT, "src", "snapshot", "*.h")):
        plain = re.sub(r"/\*.*?\*/", "", text_of(path), flags=re.S)
        for struct, body in re.findall(r"^struct (\w+) \{\n(.*?)\n\};", plain, re.S | re.M):
            for declared in re.findall(r"char \*[^;(]*;", body):
                for member in re.findall(r"\*(\w+)", declared):
                    found += 1
                    is_own = member in OWN_WORDS or "%s.%s" % (struct, member) in OWN_WORDS
                    if not is_own and (struct, member) not in told | inside:
                        missing.append("%s.%s" % (struct, member))
    assert found > 60 and not missing, "src/snapshot/texts.c lacks %s (%d found)" % (missing, found)


CASES = [
    ("the checks can fail", the_checks_can_fail),
    ("options are in the manual", options_are_in_the_manual),
    ("no option of the manual is made up", no_option_is_made_up),
    ("no option of the README is made up", no_option_of_the_readme_is_made_up),
    ("formats", formats),
    ("environment", environment),
    ("exit statuses", statuses),
    ("rules", rules),
    ("changelog", changelog),
    ("the real run of the README", the_real_run),
    ("texts of the snapshot", texts_of_the_snapshot),
]


if __name__ == "__main__":
    sys.exit(lib.run_cases("documents", CASES))
