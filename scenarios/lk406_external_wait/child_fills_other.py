"""A request serves one pipe of a child to its end, while the child is blocked in a write to another one that nobody reads.

SCENARIO_PIPE: "errors", it reads the output and the child complains at length; else it writes the input, and the child answers.
"""
import os
import subprocess
import sys

from flask import Flask

import common

app = Flask(__name__)

COMPLAIN = "import sys; sys.stderr.write('no such glyph\\n' * 20000); print('done')"


@app.get("/render")
def render():
    if os.environ.get("SCENARIO_PIPE") == "errors":
        return output_of(subprocess.Popen([sys.executable, "-c", COMPLAIN], stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    return answer_of(subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE))


def output_of(child):
    common.stuck()
    return child.stdout.read()  # <- guilty


def answer_of(child):
    common.stuck("guilty-write")
    child.stdin.write(b"page\n" * 200000)  # <- guilty-write
    child.stdin.close()
    return child.stdout.read()


if __name__ == "__main__":
    common.serve(app)
