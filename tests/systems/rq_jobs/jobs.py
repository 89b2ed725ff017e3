"""RQ: a job that waits for the outside, in a work-horse of its own or in the worker, and one that takes long. Run as a program it enqueues
one job and becomes the worker."""
import ctypes
import os
import signal
import sys
import time

import requests

import common


def die_with_worker():
    """A work-horse is in a process group of its own, and outlives a worker that is killed (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def ask():
    die_with_worker()
    common.stuck()
    return requests.get("http://%s:%d/" % common.upstream()).text  # <- guilty


def take_long():
    die_with_worker()
    common.say("started")
    time.sleep(600)


if __name__ == "__main__":
    import redis
    import rq

    import systems
    url = systems.redis()
    rq.Queue(connection=redis.from_url(url)).enqueue("jobs." + os.environ["SCENARIO_JOB"], job_timeout=3600)
    common.say("listening", port=0)
    os.execv(sys.executable, [sys.executable, "-m", "rq.cli", "worker", "--url", url, "--quiet", "--path", os.getcwd(),
                              "-w", "rq.worker." + os.environ.get("SCENARIO_WORKER", "Worker")])
