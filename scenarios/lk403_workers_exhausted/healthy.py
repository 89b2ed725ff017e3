"""A server of one thread under more clients than it can serve at once: always a queue, and each is answered in its turn."""
import time

from flask import Flask

import common

app = Flask(__name__)


@app.get("/report")
def report():
    time.sleep(0.2)
    return "done\n"


if __name__ == "__main__":
    common.serve_single(app)
