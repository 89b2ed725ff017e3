"""Near miss: not the server but a child that it started is stopped, and nobody waits for it."""
import os
import signal
import subprocess
import sys

from flask import Flask

import common

app = Flask(__name__)
CHILD = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
os.kill(CHILD.pid, signal.SIGSTOP)


@app.get("/hello")
def hello():
    return "hello\n"


if __name__ == "__main__":
    common.serve(app)
