"""A view reads what a program prints, and the program prints nothing."""
import subprocess

from flask import Flask

import common

app = Flask(__name__)


@app.get("/convert")
def convert():
    with subprocess.Popen(["sleep", "600"], stdout=subprocess.PIPE) as program:
        common.stuck()
        return program.stdout.read()  # <- guilty


if __name__ == "__main__":
    common.serve(app)
