"""An aiohttp server: idle, with quick requests, and with a slow handler in flight."""
import asyncio
import socket

from aiohttp import web

import common


async def ping(request):
    return web.Response(text="pong\n")


async def slow(request):
    common.say("started")
    await asyncio.sleep(120)
    return web.Response(text="slow\n")


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    common.say("listening", port=listener.getsockname()[1])
    app = web.Application()
    app.add_routes([web.get("/ping", ping), web.get("/slow", slow)])
    web.run_app(app, sock=listener, print=None, access_log=None)


if __name__ == "__main__":
    main()
