"""The only worker of a pool waits for a job in the same pool's queue; a minute later somebody ends that.

/grow: the pool is one of the program's own that gives itself another worker. /give_up: a thread cancels what its table of jobs has.
"""
import concurrent.futures
import threading
import time

from flask import Flask

import common

app = common.add_ping(Flask(__name__))
JOBS = {}


class Elastic(concurrent.futures.ThreadPoolExecutor):
    def grow(self):
        time.sleep(600)
        self._max_workers += 1
        self._adjust_thread_count()


def give_up():
    time.sleep(600)
    for job in list(JOBS.values()):
        job.cancel()


ELASTIC, PLAIN = Elastic(1), concurrent.futures.ThreadPoolExecutor(1)
for work in (ELASTIC.grow, give_up):
    threading.Thread(target=work, daemon=True).start()


def outer(pool, marker):
    JOBS[marker] = job = pool.submit(int, "1")
    common.stuck(marker)
    if marker == "grow":
        return job.result()  # <- grow
    return job.result()  # <- give_up


@app.get("/grow")
def grow():
    return str(ELASTIC.submit(outer, ELASTIC, "grow").result())


@app.get("/give_up")
def give_up_view():
    return str(PLAIN.submit(outer, PLAIN, "give_up").result())


if __name__ == "__main__":
    common.serve(app)
