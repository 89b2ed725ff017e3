"""Requests wait for an event that the handler of a signal sets, a lambda that has it as a global of its module: whoever keeps the
server opens the gate so.
"""
import signal
import threading

from flask import Flask

import common

app = Flask(__name__)
gate = threading.Event()
signal.signal(signal.SIGUSR2, lambda number, frame: gate.set())


@app.get("/order")
def order():
    common.waiting("gate")
    gate.wait()
    return "done\n"


if __name__ == "__main__":
    common.serve(app)
