"""The program is over but for its last object: while the interpreter is being finalized, __del__ computes.

With SCENARIO_THREAD, a near miss: a daemon thread stands still beside it, and what it waits for cannot be read any more.
"""
import os
import threading
import time

import common


class Index:
    """Goes after sys.modules has been emptied."""

    def __del__(self, clock=time.monotonic, say=os.write):
        end = clock() + 600
        say(1, b'{"event": "started"}\n')
        while clock() < end:
            sum(range(1000))


INDEX = Index()

if __name__ == "__main__":
    common.service()
    if "SCENARIO_THREAD" in os.environ:
        threading.Thread(target=time.sleep, args=[600], daemon=True).start()
        time.sleep(0.5)  # a thread that is not asleep yet would end where it next wants the GIL
