"""An aiohttp server; in dress "hammer" its own loop is hammered."""
import asyncio
import socket

from aiohttp import web

import common
import service


async def ping(request):
    return web.Response(text="pong\n")


async def work(request):
    return web.Response(text=await service.work_async())


async def slow(request):
    return web.Response(text=await service.slow_async())


async def started(app):
    service.start(asyncio.get_running_loop())


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    app = web.Application()
    app.add_routes([web.get("/ping", ping), web.get("/work", work), web.get("/slow", slow)])
    app.on_startup.append(started)
    common.say("listening", port=listener.getsockname()[1])
    web.run_app(app, sock=listener, print=None, access_log=None)


if __name__ == "__main__":
    main()
