"""The lock is given back before the thread is joined, the pool is left without a lock in hand."""
import threading
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

import common

app = Flask(__name__)
LOCK = threading.Lock()


def work(ending):
    while not ending.wait(0.05):
        with LOCK:
            pass


@app.get("/stop")
def stop():
    ending = threading.Event()
    thread = threading.Thread(target=work, args=(ending,), name="poller", daemon=True)
    thread.start()
    with LOCK:
        ending.set()
    thread.join()
    with ThreadPoolExecutor(max_workers=2) as pool:
        pool.submit(work, ending)
    return "stopped\n"


if __name__ == "__main__":
    common.serve(app)
