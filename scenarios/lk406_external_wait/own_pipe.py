"""A view reads a pipe whose only writer is this very process, and nobody writes."""
import os

from flask import Flask

import common

app = Flask(__name__)

READ, WRITE = os.pipe()


@app.get("/orders")
def orders():
    common.stuck()
    return os.read(READ, 64)  # <- guilty


if __name__ == "__main__":
    common.serve(app)
