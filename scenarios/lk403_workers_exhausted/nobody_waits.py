"""The only thread sleeps in a request, and no other client is there."""
import time

from flask import Flask

import common

app = Flask(__name__)


@app.get("/report")
def report():
    common.waiting("sleeping")
    time.sleep(60)
    return "done\n"


if __name__ == "__main__":
    common.serve_single(app)
