"""A view that sleeps for a quarter of an hour: a worker, or all threads of one, are gone for as long."""
import time

from flask import Flask

import common

app = common.add_ping(Flask(__name__))


@app.get("/report")
def report():
    common.stuck()
    time.sleep(900)  # <- guilty
    return "done\n"
