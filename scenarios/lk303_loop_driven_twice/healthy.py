"""The same jobs the advised way: coroutines are awaited, one thread drives each loop, and the bridges go by threads."""
import asyncio
import threading

from asgiref.sync import async_to_sync, sync_to_async
from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


async def lock_from_server():
    await asyncio.sleep(0.2)
    return "locked\n"


def sync_middleware():
    return async_to_sync(lock_from_server)()


@app.get("/lock")
def lock_view():
    return asyncio.run_coroutine_threadsafe(sync_to_async(sync_middleware, thread_sensitive=False)(), LOOP).result(timeout=30)


@app.get("/await")
def await_view():
    return asyncio.run_coroutine_threadsafe(lock_from_server(), LOOP).result(timeout=30)


if __name__ == "__main__":
    common.serve(app)
