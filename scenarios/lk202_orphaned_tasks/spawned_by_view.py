"""A view spawns a background task on a loop that it runs only until its own answer is ready."""
import asyncio

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
BACKGROUND = set()


async def send_mail():
    common.suspended()
    await asyncio.sleep(0.5)  # <- guilty


async def register():
    BACKGROUND.add(asyncio.get_running_loop().create_task(send_mail()))
    await asyncio.sleep(0.05)
    return "registered\n"


@app.get("/register")
def register_view():
    return LOOP.run_until_complete(register())


if __name__ == "__main__":
    common.serve(app)
