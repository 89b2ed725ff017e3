"""A main thread that is parked: it joins the thread that waits for signals on a pipe, as servers do."""
import os
import signal
import threading

import common


def wait_for_signal(end):
    common.waiting()
    os.read(end, 1)


if __name__ == "__main__":
    common.say("listening", port=None)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.set_wakeup_fd(writing)
    thread = threading.Thread(target=wait_for_signal, args=(reading,))
    thread.start()
    thread.join()
