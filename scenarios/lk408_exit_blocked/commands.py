"""The main program is through; a thread waits for the output of a shell, which waits for the command that it runs.

SCENARIO_COMMAND: "sleeps" (that one is done in ten minutes), else it reads a pipe into which nobody writes.
"""
import os
import subprocess
import threading

import common


def report():
    read, _ = os.pipe()
    command = "sleep 600; :" if os.environ.get("SCENARIO_COMMAND") == "sleeps" else "cat; :"
    common.stuck()
    subprocess.run(["sh", "-c", command], stdin=read, capture_output=True)  # <- guilty


if __name__ == "__main__":
    common.service()
    threading.Thread(target=report, name="report").start()
