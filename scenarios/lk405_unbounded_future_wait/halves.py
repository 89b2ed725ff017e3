"""A request joins two threads, each of which waits for the other to be done before it is done itself. Any request runs the code that
would notify them, so nobody can say that none ever will.

With SCENARIO_CLOSES, a near miss: a third thread will end the wait.
"""
import os
import threading
import time

from flask import Flask

import common

app = Flask(__name__)
changed = threading.Condition()
done = set()


def half(own, other):
    common.waiting("half")
    with changed:
        while other not in done:
            changed.wait()
        done.add(own)
        changed.notify_all()


def close():
    time.sleep(600)
    with changed:
        done.update(("left", "right"))
        changed.notify_all()


@app.get("/order")
def order():
    halves = [threading.Thread(target=half, args=sides) for sides in (("left", "right"), ("right", "left"))]
    for one in halves:
        one.start()
    for one in halves:
        one.join()
    return "done\n"


if __name__ == "__main__":
    if "SCENARIO_CLOSES" in os.environ:
        threading.Thread(target=close, name="closer", daemon=True).start()
    common.serve(app)
