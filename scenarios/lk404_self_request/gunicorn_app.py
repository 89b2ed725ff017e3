"""A view asks its own server. SCENARIO_TOGETHER: so many requests wait for each other first, in whatever worker."""
import os
import time
import urllib.request

from flask import Flask, request

import common

app = common.add_ping(Flask(__name__))
TOGETHER = int(os.environ.get("SCENARIO_TOGETHER", "1"))
FOLDER = os.path.join(os.environ["SCENARIO_FOLDER"], "here")


if os.environ.get("SCENARIO_SLOW_START"):
    # All workers but the first take their time to load the application; then they accept.
    try:
        os.mkdir(FOLDER)
    except FileExistsError:
        common.waiting("loading")
        time.sleep(600)


def meet(name):
    """Returns when TOGETHER requests are here."""
    os.makedirs(FOLDER, exist_ok=True)
    open(os.path.join(FOLDER, name), "w").close()
    while True:
        try:
            if len(os.listdir(FOLDER)) >= TOGETHER:
                break
        except FileNotFoundError:
            break
        time.sleep(0.005)


@app.get("/price")
def price():
    return "42\n"


def fetch(url):
    common.stuck()
    with urllib.request.urlopen(url) as answer:  # <- guilty
        return answer.read()


@app.get("/quote/<name>")
def quote(name):
    if TOGETHER > 1:
        meet(name)
    return fetch("http://127.0.0.1:%s/price" % request.environ["SERVER_PORT"])
