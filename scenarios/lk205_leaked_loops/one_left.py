"""One loop for the whole process, run whenever a request needs it: it is idle in between, and left over by nobody."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
TURN = threading.Lock()


async def fetch():
    return "fetched\n"


@app.get("/fetch")
def fetch_view():
    with TURN:
        return LOOP.run_until_complete(fetch())


if __name__ == "__main__":
    common.serve(app)
