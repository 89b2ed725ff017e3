"""A library that is asynchronous inside: threads call it, and wait for what its loop does, for seconds at times."""
import asyncio
import random
import threading
import time

import common


class Facade:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.room = None
        threading.Thread(target=self.loop.run_forever, name="facade", daemon=True).start()
        self.call(self.open())

    async def open(self):
        self.room = asyncio.Semaphore(2)

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    async def fetch(self, seconds):
        async with self.room:
            await asyncio.sleep(seconds)
        return await asyncio.to_thread(time.sleep, 0.05)

    def get(self, seconds):
        return self.call(self.fetch(seconds))


def use(facade):
    while True:
        facade.get(random.choice((0.01, 0.2, 4)))


def main():
    facade = Facade()
    for _ in range(4):
        threading.Thread(target=use, args=(facade,), daemon=True).start()
    common.say("ready")
    use(facade)


if __name__ == "__main__":
    main()
