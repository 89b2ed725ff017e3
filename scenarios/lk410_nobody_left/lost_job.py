"""A script waits for a job of a process pool: its worker has ended, or works, or waits for a lock that the script holds."""
import multiprocessing
import os
import time

import common

LOCK = multiprocessing.Lock()


def lost(_):
    os._exit(9)


def at_work(_):
    common.say("started")
    time.sleep(3600)


def held(_):
    common.say("started")
    with LOCK:
        pass


def main():
    job = {"lost": lost, "at_work": at_work, "held": held}[os.environ["SCENARIO_JOB"]]
    with LOCK, multiprocessing.get_context("fork").Pool(2) as pool:
        common.service()
        common.stuck()
        pool.map(job, [1])  # <- guilty


if __name__ == "__main__":
    main()
