"""A suite that is merely slow: it waits, computes, polls a child, and ends well. Run by watchdog.py."""
import subprocess
import threading
import time


def test_waits():
    time.sleep(3)


def test_computes():
    until = time.monotonic() + 3
    total = 0
    while time.monotonic() < until:
        total += sum(range(1000))
    assert total


def test_waits_for_a_thread():
    done = threading.Event()
    threading.Timer(3, done.set).start()
    assert done.wait()


def test_waits_for_a_child():
    assert subprocess.run(["sleep", "3"]).returncode == 0
