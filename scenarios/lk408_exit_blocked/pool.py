"""A pool is never shut down: at exit Python waits for its threads, one of which waits for an approval.

SCENARIO_POOL: "with" (the with statement waits, which is no end of the program).
"""
import os
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import common

WITH = os.environ.get("SCENARIO_POOL") == "with"
approved = Event()


def publish():
    if WITH:
        common.waiting()
    else:
        common.stuck()
    approved.wait()  # <- guilty


if __name__ == "__main__":
    common.service()
    if WITH:
        common.stuck("leaves")
        with ThreadPoolExecutor() as pool:  # <- leaves
            pool.submit(publish)
    ThreadPoolExecutor().submit(publish)
