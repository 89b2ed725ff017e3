"""Two pools of processes at work: one that the main thread waits for, one that a loop feeds."""
import asyncio
import multiprocessing
import threading
import time
from concurrent.futures import ProcessPoolExecutor

import common


def work(number):
    time.sleep(0.3 + number % 3)
    return number


async def feed(pool):
    while True:
        await asyncio.gather(*(asyncio.get_running_loop().run_in_executor(pool, work, n) for n in range(6)))


def main():
    with ProcessPoolExecutor(2) as pool, multiprocessing.Pool(2) as other:
        threading.Thread(target=lambda: asyncio.run(feed(pool)), daemon=True).start()
        common.say("ready")
        while True:
            for _ in other.imap_unordered(work, range(8)):
                pass


if __name__ == "__main__":
    main()
