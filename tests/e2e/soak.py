#!/usr/bin/python3
"""Many attaches to busy healthy servers: no false verdict, no failed request, no thread left stopped.

ATTACHES (1000) in all, with one and three samples in turn, shared out over the servers. Every report that is not "healthy"
is kept in build/soak/. Last line: soak: N passed, N failed (a case is one server). Options: --only WORD.
"""
import argparse
import collections
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import lib
from lib import driver

ATTACHES = int(os.environ.get("ATTACHES", "1000"))
KEEP = os.path.join(os.path.dirname(lib.LOOPKNOT), "soak")
SERVERS = [
    ("healthy_kinds", "async_view"),
    ("flask_self_wait", "healthy"),
    ("healthy_kinds", "saturated_gthread"),
    ("healthy_kinds", "hammered_loop"),
    ("healthy_kinds", "hammered_loop_hog"),
    ("healthy_kinds", "burst_loop"),
    ("near_misses", "lock_sleeper"),
    ("near_misses", "condition_wait"),
]
FALSE_ALARMS_SHOWN = 5


def keep(server, number, ran):
    os.makedirs(KEEP, exist_ok=True)
    path = os.path.join(KEEP, "%s.%d.json" % (".".join(server), number))
    with open(path, "wb") as file:
        file.write(ran.out or ran.err)
    return path


def soak(server, attaches):
    """(verdicts counted, problems, seconds) of one server."""
    verdicts, problems, began = collections.Counter(), [], time.monotonic()
    with driver.Scenario(*server) as scenario:
        scenario.ready()
        for number in range(attaches):
            samples = (1, 3)[number % 2]
            ran = lib.loopknot("--format", "json", "--samples", samples, scenario.pid)
            verdict = lib.parse(ran)["verdict"] if ran.status in (0, 1, 4) else "status %d" % ran.status
            verdicts[verdict] += 1
            if verdict != "healthy" and verdicts[verdict] <= FALSE_ALARMS_SHOWN:
                problems.append("attach %d (--samples %d): %s, see %s" % (number + 1, samples, verdict, keep(server, number + 1, ran)))
            trouble = lib.thread_trouble(scenario.pid)
            if trouble:
                problems.append("attach %d: %s" % (number + 1, trouble))
                break
        for load in scenario.loads:
            load.end()
            verdicts["requests"] += load.done
            if load.failed:
                problems.append("%d of %d requests failed: %s" % (load.failed, load.done, load.errors[:3]))
        if driver.get(scenario.port, scenario.check_path(), 10) != 200:
            problems.append("it does not answer afterwards")
    return verdicts, problems, time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="WORD", default="", help="only servers whose name holds it")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    servers = [s for s in SERVERS if args.only in "/".join(s)]
    each = -(-ATTACHES // max(1, len(servers)))
    tally, printing, total = lib.Tally("soak"), threading.Lock(), collections.Counter()

    def one(server):
        try:
            verdicts, problems, seconds = soak(server, each)
        except (driver.ScenarioError, AssertionError, OSError) as error:
            verdicts, problems, seconds = {}, ["%s: %s" % (type(error).__name__, error)], 0.0
        shown = ", ".join("%d %s" % (n, v) for v, n in sorted(verdicts.items()))
        with printing:
            total.update(verdicts)
            if problems:
                tally.bad("/".join(server), ["%s in %.0f s" % (shown, seconds)] + problems)
            else:
                tally.ok("/".join(server), "%s in %.0f s" % (shown, seconds))

    with ThreadPoolExecutor(args.jobs) as pool:
        list(pool.map(one, servers))
    requests = total.pop("requests", 0)
    print("%d attaches (%s), %d requests" % (sum(total.values()), ", ".join("%d %s" % (n, v) for v, n in sorted(total.items())), requests))
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
