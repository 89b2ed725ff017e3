"""A view opens a named pipe for reading, and nobody opens it for writing."""
import os

from flask import Flask

import common

app = Flask(__name__)

PATH = os.path.join(os.environ["SCENARIO_FOLDER"], "orders.fifo")
os.mkfifo(PATH)


@app.get("/orders")
def orders():
    common.stuck()
    with open(PATH, "rb") as fifo:  # <- guilty
        return fifo.read()


if __name__ == "__main__":
    common.serve(app)
