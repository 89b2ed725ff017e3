"""Websockets on aiohttp: the server awaits the next message of clients that say nothing, beside quick requests."""
import asyncio
import socket

import aiohttp
from aiohttp import web

import common

READERS = []


async def talk(request):
    socket_ = web.WebSocketResponse()
    await socket_.prepare(request)
    common.say("started")
    async for message in socket_:
        await socket_.send_str(message.data)
    return socket_


async def ping(request):
    return web.Response(text="pong\n")


async def connect(request):
    """The clients, in this same process: what counts is that their connections stay open."""
    port = request.transport.get_extra_info("sockname")[1]
    session = aiohttp.ClientSession()
    for _ in range(3):
        client = await session.ws_connect("http://127.0.0.1:%d/talk" % port)
        READERS.append(asyncio.create_task(client.receive()))
    return web.Response(text="connected\n")


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    app = web.Application()
    app.add_routes([web.get("/ping", ping), web.get("/talk", talk), web.get("/connect", connect)])
    common.say("listening", port=listener.getsockname()[1])
    web.run_app(app, sock=listener, print=None, access_log=None)


if __name__ == "__main__":
    main()
