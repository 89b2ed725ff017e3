"""A program of one thread locks a file, and locks it again through another descriptor."""
import fcntl
import tempfile

import common


def append(path, text):
    with open(path, "a", encoding="utf-8") as file:
        common.stuck()
        fcntl.flock(file, fcntl.LOCK_EX)  # <- guilty
        file.write(text)


def update(path):
    with open(path, "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        append(path, "once more\n")


if __name__ == "__main__":
    with tempfile.NamedTemporaryFile(prefix="scenario-") as journal:
        common.say("listening", port=None)
        update(journal.name)
