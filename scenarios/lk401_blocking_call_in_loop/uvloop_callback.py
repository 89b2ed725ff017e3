"""A protocol on uvloop blocks in data_received: a callback that is no task's step, on a loop that leaves no frame."""
import asyncio
import socket
import threading
import time

import uvloop
from flask import Flask

import common

app = Flask(__name__)
LOOP = uvloop.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


class Orders(asyncio.Protocol):
    def data_received(self, data):
        common.stuck()
        time.sleep(3600)  # <- guilty


async def listen():
    server = await LOOP.create_server(Orders, "127.0.0.1", 0)
    return server.sockets[0].getsockname()


async def version():
    return "1.0\n"


ADDRESS = asyncio.run_coroutine_threadsafe(listen(), LOOP).result(timeout=10)
CLIENT = socket.create_connection(ADDRESS)


@app.get("/order")
def order_view():
    CLIENT.sendall(b"order")
    return "sent\n"


@app.get("/version")
def version_view():
    future = asyncio.run_coroutine_threadsafe(version(), LOOP)
    common.waiting()
    return future.result()


if __name__ == "__main__":
    common.serve(app)
