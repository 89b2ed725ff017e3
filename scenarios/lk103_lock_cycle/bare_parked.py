"""A main thread that is parked on a lock, which the handler of a signal gives back; another thread waits for it to end."""
import signal
import threading

import common

DONE = threading.Lock()


def wait_for_main():
    common.waiting()
    threading.main_thread().join()


if __name__ == "__main__":
    common.say("listening", port=None)
    signal.signal(signal.SIGTERM, lambda *_: DONE.release())
    DONE.acquire()
    threading.Thread(target=wait_for_main).start()
    common.waiting()
    DONE.acquire()
