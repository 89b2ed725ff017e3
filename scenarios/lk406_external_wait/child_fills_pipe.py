"""A request waits for the end of a child before it reads what the child writes: the pipe is full, and both wait."""
import subprocess
import sys

from flask import Flask

import common

app = Flask(__name__)


@app.get("/log")
def log():
    child = subprocess.Popen([sys.executable, "-c", "print('commit ' * 20000)"], stdout=subprocess.PIPE)
    common.stuck()
    child.wait()  # <- guilty
    return child.stdout.read()


if __name__ == "__main__":
    common.serve(app)
