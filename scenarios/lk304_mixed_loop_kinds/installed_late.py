"""uvloop's policy is installed after a background loop was made: Flask's async views get uvloop, the service keeps asyncio."""
import asyncio
import threading

import uvloop
from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()


def serve_background():
    common.stuck("background")
    LOOP.run_forever()  # <- background


threading.Thread(target=serve_background, name="bg-loop", daemon=True).start()
uvloop.install()


@app.get("/fetch")
async def fetch_view():
    common.stuck()
    await asyncio.sleep(120)  # <- guilty
    return "fetched\n"


if __name__ == "__main__":
    common.serve(app)
