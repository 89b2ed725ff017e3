"""A service with a background loop whose coroutines do everything by asyncio.to_thread; Flask views submit to it."""
import asyncio

from flask import Flask

import common
import service
from flask_app import serve

app = common.add_ping(Flask(__name__))


async def gather_from_threads():
    parts = await asyncio.gather(*(asyncio.to_thread(service.work) for _ in range(1 if service.DRESS == "locks" else 3)))
    return "".join(parts)


@app.get("/work")
def work_view():
    return service.on_loop(gather_from_threads()).result(timeout=service.PATIENCE)


@app.get("/slow")
def slow_view():
    return service.on_loop(asyncio.to_thread(service.slow)).result(timeout=service.PATIENCE)


if __name__ == "__main__":
    service.start()
    serve(app)
