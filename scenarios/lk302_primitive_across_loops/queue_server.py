"""A queue that a consumer on one loop empties and a producer on another fills: putting wakes nobody."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)


def start_loop(name):
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name=name, daemon=True).start()
    return loop


class Mailer:
    """Letters are written on one loop and sent on another."""

    def __init__(self):
        self.letters = asyncio.Queue()
        self.orders = None
        self.writing, self.sending = start_loop("writing"), start_loop("sending")

    async def write_letters(self):
        self.orders = asyncio.Queue()
        while True:
            await self.letters.put(await self.orders.get())

    async def send_letters(self):
        while True:
            common.suspended()
            letter = await self.letters.get()  # <- guilty
            common.say("sent", letter=letter)


MAILER = Mailer()
asyncio.run_coroutine_threadsafe(MAILER.write_letters(), MAILER.writing)
asyncio.run_coroutine_threadsafe(MAILER.send_letters(), MAILER.sending)


@app.get("/order")
def order_view():
    MAILER.writing.call_soon_threadsafe(MAILER.orders.put_nowait, "letter")
    return "ok\n"


if __name__ == "__main__":
    common.serve(app)
