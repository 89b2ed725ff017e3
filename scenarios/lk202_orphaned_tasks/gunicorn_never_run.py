"""gunicorn: a loop is made on import and tasks are put on it, but nobody runs it."""
import asyncio

from flask import Flask

import common

app = common.add_ping(Flask(__name__))
LOOP = None
TASKS = []


async def heartbeat():
    await asyncio.sleep(1)


@app.get("/start")
def start():
    global LOOP
    LOOP = asyncio.new_event_loop()
    TASKS.append(LOOP.create_task(heartbeat()))
    common.never_started(heartbeat, task=True)
    return "started\n"
