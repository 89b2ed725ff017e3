"""Flask async views and asgiref's bridges, both ways, on werkzeug's threaded server."""
import itertools

from asgiref.sync import async_to_sync, sync_to_async
from flask import Flask

import common
import service
from flask_app import serve

app = common.add_ping(Flask(__name__))
TURN = itertools.count()


async def work_in_view():
    """An async view: Flask runs it in a loop of its own."""
    if next(TURN) % 2:
        return await service.work_async()
    return await sync_to_async(service.work, thread_sensitive=False)()


@async_to_sync
async def work_called():
    return await sync_to_async(service.work, thread_sensitive=True)()


@app.get("/work")
async def work_view():
    return await work_in_view()


@app.get("/called")
def called_view():
    return work_called()


@app.get("/slow")
async def slow_view():
    return await service.slow_async()


if __name__ == "__main__":
    service.start()
    serve(app)
