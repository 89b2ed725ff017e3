"""The same crowd of threads; both requests take the locks in one order."""
import queue
import threading

from flask import Flask

import common

app = Flask(__name__)
LEFT, RIGHT = threading.Lock(), threading.Lock()
JOBS, EVENTS = queue.Queue(), threading.Event()


def consume():
    while True:
        JOBS.get()()


def park():
    EVENTS.wait()


for number, work in enumerate([consume] * 100 + [park] * 97):
    threading.Thread(target=work, name="%s-%d" % (work.__name__, number), daemon=True).start()


@app.get("/transfer")
def transfer():
    with LEFT, RIGHT:
        return "ok\n"


if __name__ == "__main__":
    common.serve(app)
