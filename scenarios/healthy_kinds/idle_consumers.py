"""Consumers wait on an empty queue, an empty SimpleQueue, a condition and a coroutine's queue: parked on purpose."""
import asyncio
import queue
import threading

from flask import Flask

import common

app = Flask(__name__)
JOBS, MAILS = queue.Queue(), queue.SimpleQueue()
CHANGED, STATE = threading.Condition(), {"stop": False}
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


def consume_jobs():
    while True:
        JOBS.get()
        JOBS.task_done()


def consume_mails():
    while True:
        MAILS.get()


def watch_state():
    with CHANGED:
        while not STATE["stop"]:
            CHANGED.wait()


async def consume_messages(messages):
    while True:
        await messages.get()


for work in (consume_jobs, consume_jobs, consume_mails, watch_state):
    threading.Thread(target=work, name=work.__name__, daemon=True).start()
MESSAGES = asyncio.Queue()
CONSUMER = asyncio.run_coroutine_threadsafe(consume_messages(MESSAGES), LOOP)


@app.get("/work")
def work_view():
    JOBS.put("job")
    MAILS.put("mail")
    with CHANGED:
        CHANGED.notify_all()
    return "queued\n"


if __name__ == "__main__":
    common.serve(app)
