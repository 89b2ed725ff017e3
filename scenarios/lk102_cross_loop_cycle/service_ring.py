"""Three services, each with a loop of its own (one is uvloop's), whose synchronous calls go round in a ring."""
import asyncio
import threading

import uvloop
from flask import Flask

import common

app = Flask(__name__)


class Service:
    def __init__(self, name, loop):
        self.loop = loop
        self.next = None
        self.busy = threading.Event()
        threading.Thread(target=loop.run_forever, name=name, daemon=True).start()

    async def handle(self):
        self.busy.set()
        self.next.busy.wait(20)
        future = asyncio.run_coroutine_threadsafe(self.next.answer(), self.next.loop)
        common.stuck()
        return future.result()  # <- guilty

    async def answer(self):
        return "answer\n"


SERVICES = [Service("users", asyncio.new_event_loop()), Service("orders", uvloop.new_event_loop()),
            Service("stock", asyncio.new_event_loop())]
for position, service in enumerate(SERVICES):
    service.next = SERVICES[(position + 1) % 3]


@app.get("/all")
def ask_all():
    futures = [asyncio.run_coroutine_threadsafe(s.handle(), s.loop) for s in SERVICES]
    common.waiting()
    return "".join(f.result() for f in futures)


if __name__ == "__main__":
    common.serve(app)
