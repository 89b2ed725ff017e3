"""A blocking call inside an async view: it holds up the loop that Flask made for the request."""
import asyncio
import time

from flask import Flask

import common

app = Flask(__name__)


async def audit():
    await asyncio.sleep(0.1)


def render():
    common.stuck()
    time.sleep(3600)  # <- guilty
    return "rendered\n"


@app.get("/render")
async def render_view():
    log = asyncio.create_task(audit())
    page = render()
    await log
    return page


if __name__ == "__main__":
    common.serve(app)
