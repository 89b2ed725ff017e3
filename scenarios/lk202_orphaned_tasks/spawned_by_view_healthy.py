"""The same; the mail is handed to the process-wide loop, which goes on running."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


async def send_mail():
    await asyncio.sleep(0.5)


@app.get("/register")
def register_view():
    asyncio.run_coroutine_threadsafe(send_mail(), LOOP)
    return "registered\n"


if __name__ == "__main__":
    common.serve(app)
