"""The coroutine that a view waits for awaits, without a timeout, an upstream server that never answers."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


async def ask_upstream(question):
    reader, writer = await asyncio.open_connection(*common.upstream())
    writer.write(question)
    common.suspended("guilty-task")
    return await reader.readline()  # <- guilty-task


@app.get("/quote")
def quote():
    future = asyncio.run_coroutine_threadsafe(ask_upstream(b"quote\n"), LOOP)
    common.stuck("guilty-view")
    return future.result()  # <- guilty-view


if __name__ == "__main__":
    common.serve(app)
