"""A callback of atexit joins the thread that writes the log, which was never told to end.

SCENARIO_JOIN: "timeout" (the callback waits for a minute at most).
"""
import atexit
import os
import threading

import common

closing = threading.Event()


def write_log():
    common.stuck("write")
    closing.wait()  # <- write


writer = threading.Thread(target=write_log, daemon=True)


def finish():
    common.stuck("join")
    writer.join(60 if os.environ.get("SCENARIO_JOIN") == "timeout" else None)  # <- join


if __name__ == "__main__":
    common.service()
    atexit.register(finish)
    writer.start()
