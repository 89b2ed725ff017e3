"""Every thread waits: the main one for a worker, the worker for a file lock that another descriptor of the process has."""
import fcntl
import tempfile
import threading

import common


def work(path):
    with open(path, "a", encoding="utf-8") as file:
        common.stuck("guilty-worker")
        fcntl.flock(file, fcntl.LOCK_EX)  # <- guilty-worker


def main(path):
    with open(path, "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        worker = threading.Thread(target=work, args=(path,))
        worker.start()
        common.stuck("guilty-main")
        worker.join()  # <- guilty-main


if __name__ == "__main__":
    with tempfile.NamedTemporaryFile(prefix="scenario-") as journal:
        common.say("listening", port=None)
        main(journal.name)
