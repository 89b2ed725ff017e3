"""A service whose worker threads come and go, each with a uvloop that it does not close."""
import threading

import uvloop

import common

LOOPS = []


async def job():
    return 1


def work():
    loop = uvloop.new_event_loop()
    LOOPS.append(loop)
    loop.run_until_complete(job())


if __name__ == "__main__":
    for _ in range(3):
        worker = threading.Thread(target=work, name="worker")
        worker.start()
        worker.join()
    common.serve_plain({})
