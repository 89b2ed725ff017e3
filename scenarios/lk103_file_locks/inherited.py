"""The lock was taken by this process, and a child that it forked has the same open file: the child may give it back."""
import fcntl
import os
import signal
import tempfile

import common


def append(path):
    with open(path, "a", encoding="utf-8") as file:
        common.waiting()
        fcntl.flock(file, fcntl.LOCK_EX)


if __name__ == "__main__":
    journal = tempfile.NamedTemporaryFile(prefix="scenario-")
    common.say("listening", port=None)
    fcntl.flock(journal, fcntl.LOCK_EX)
    if os.fork() == 0:
        signal.pause()
    append(journal.name)
