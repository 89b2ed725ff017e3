"""Under waitress: a coroutine joins a thread that waits for another coroutine of the same loop (join + future)."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


async def flush():
    return "flushed\n"


def writer():
    future = asyncio.run_coroutine_threadsafe(flush(), LOOP)
    common.stuck("guilty-writer")
    future.result()  # <- guilty-writer


async def stop_writer():
    thread = threading.Thread(target=writer, name="writer", daemon=True)
    thread.start()
    common.stuck("guilty-join")
    thread.join()  # <- guilty-join
    return "stopped\n"


@app.get("/stop")
def stop():
    future = asyncio.run_coroutine_threadsafe(stop_writer(), LOOP)
    common.waiting()
    return future.result()


if __name__ == "__main__":
    common.serve_waitress(app)
