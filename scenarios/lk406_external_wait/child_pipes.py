"""The same with both outputs: communicate() polls two pipes."""
import subprocess

from flask import Flask

import common

app = Flask(__name__)


@app.get("/convert")
def convert():
    program = subprocess.Popen(["sleep", "600"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    common.stuck()
    output, _ = program.communicate()  # <- guilty
    return output


if __name__ == "__main__":
    common.serve(app)
