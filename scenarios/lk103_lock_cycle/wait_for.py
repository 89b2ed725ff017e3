"""Threads inside `with condition: condition.wait_for(...)` hold nothing while they wait: producers go on."""
import threading

from flask import Flask

import common

app = Flask(__name__)
condition = threading.Condition(threading.Lock())
items = []


def consume():
    while True:
        with condition:
            condition.wait_for(lambda: items)
            items.pop()


for _ in range(3):
    threading.Thread(target=consume, daemon=True).start()


@app.get("/produce")
def produce():
    with condition:
        items.append(1)
        condition.notify()
    with condition:
        condition.wait_for(lambda: not items)
    return "done\n"


def wake_all():
    while True:
        with condition:
            condition.notify_all()
        threading.Event().wait(0.02)


threading.Thread(target=wake_all, daemon=True).start()

if __name__ == "__main__":
    common.serve(app)
