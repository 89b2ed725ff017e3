"""An aiohttp application on asyncio, beside a client library that runs its own uvloop loop in a thread."""
import asyncio
import socket
import threading

import uvloop
from aiohttp import web

import common


class Client:
    """Keeps a connection alive on a loop of its own."""

    def __init__(self):
        self.loop = uvloop.new_event_loop()
        threading.Thread(target=self.run, name="client-loop", daemon=True).start()

    def run(self):
        self.loop.create_task(self.keep_alive())
        common.stuck()
        self.loop.run_forever()  # <- guilty

    async def keep_alive(self):
        while True:
            await asyncio.sleep(30)


async def ping(request):
    return web.Response(text="pong\n")


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    common.say("listening", port=listener.getsockname()[1])
    Client()
    app = web.Application()
    app.add_routes([web.get("/ping", ping)])
    web.run_app(app, sock=listener, print=None, access_log=None)


if __name__ == "__main__":
    main()
