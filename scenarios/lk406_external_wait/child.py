"""A view runs a program to its end, without a timeout, and the program does not end."""
import subprocess

from flask import Flask

import common

app = Flask(__name__)


@app.get("/convert")
def convert():
    common.stuck()
    subprocess.run(["sleep", "600"])  # <- guilty
    return "done\n"


if __name__ == "__main__":
    common.serve(app)
