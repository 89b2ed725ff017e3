"""A batch whose only worker ended early: the main thread waits for items to be reported done that nobody will take."""
import queue
import threading

import common

PARCELS = queue.Queue()


def weigh():
    while True:
        parcel = PARCELS.get()
        if parcel < 0:
            return
        PARCELS.task_done()


def main():
    worker = threading.Thread(target=weigh, name="scales")
    for parcel in (3, 5, -1, 8):
        PARCELS.put(parcel)
    worker.start()
    worker.join()
    common.service()
    common.stuck()
    PARCELS.join()  # <- guilty


if __name__ == "__main__":
    main()
