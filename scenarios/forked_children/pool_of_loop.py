"""asyncio with a process pool whose workers are forked inside a coroutine; they wait for the next job."""
import asyncio
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

import common


def job(number):
    return os.getpid() + number


async def main():
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        await asyncio.gather(*(loop.run_in_executor(pool, job, n) for n in range(3)))
        common.say("listening", port=None)
        worker = next(iter(pool._processes))
        os.write(1, b'{"event": "worker", "pid": %d}\n' % worker)
        while True:
            await asyncio.sleep(0.2)


if __name__ == "__main__":
    asyncio.run(main())
