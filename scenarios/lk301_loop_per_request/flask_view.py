"""Each request thread makes a loop and runs it itself."""
import asyncio

from flask import Flask

import common

app = Flask(__name__)


async def fetch():
    await asyncio.sleep(120)
    return "fetched\n"


@app.get("/fetch")
def fetch_view():
    loop = asyncio.new_event_loop()
    try:
        common.stuck()
        return loop.run_until_complete(fetch())  # <- guilty
    finally:
        loop.close()


if __name__ == "__main__":
    common.serve(app)
