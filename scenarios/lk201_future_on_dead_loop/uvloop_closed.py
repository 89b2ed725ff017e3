"""A service stops and closes its uvloop while a caller, behind waitress, waits for a coroutine that was not done."""
import asyncio
import threading

import uvloop
from flask import Flask

import common

app = Flask(__name__)


class Mailer:
    def __init__(self):
        self.loop = uvloop.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="mailer", daemon=True)
        self.thread.start()

    async def send(self):
        common.say("started")
        await asyncio.sleep(3600)

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


MAILER = Mailer()


@app.get("/send")
def send():
    future = asyncio.run_coroutine_threadsafe(MAILER.send(), MAILER.loop)
    common.stuck()
    future.result()  # <- guilty
    return "sent\n"


@app.get("/stop")
def stop():
    MAILER.stop()
    common.say("closed")
    return "stopped\n"


if __name__ == "__main__":
    common.serve_waitress(app)
