"""Starlette on uvicorn's uvloop with httpx and websockets: what is asked of others with and without a timeout."""
import asyncio
import socket

import httpx
import uvicorn
import websockets
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

import common

URL = "http://%s:%d/" % common.upstream()
messages = None


async def fetch(request):
    async with httpx.AsyncClient(timeout=None) as client:
        common.suspended()
        async with client.stream("GET", URL) as answer:  # <- guilty
            return PlainTextResponse(await answer.aread())


async def timed(request):
    common.say("started")
    async with httpx.AsyncClient(timeout=600) as client, client.stream("GET", URL) as answer:
        return PlainTextResponse(await answer.aread())


async def stream(request):
    """Sends on what comes, when it comes."""
    async def pieces():
        async with httpx.AsyncClient(timeout=None) as client, client.stream("GET", "http://127.0.0.1:%d/drip" % PORT) as answer:
            common.say("started")
            async for piece in answer.aiter_bytes():
                yield piece
    return StreamingResponse(pieces())


async def drip(request):
    async def drops():
        yield b"first\n"
        await asyncio.sleep(1000)
    return StreamingResponse(drops())


async def shake(request):
    common.suspended("shake")
    async with websockets.connect("ws://%s:%d" % common.upstream(), open_timeout=None) as connection:  # <- shake
        return PlainTextResponse(await connection.recv())


async def echo(connection):
    async for message in connection:
        await connection.send(message)


async def hear(request):
    """Waits for the next message of a peer that shook hands."""
    async with websockets.serve(echo, "127.0.0.1", 0) as server:
        async with websockets.connect("ws://127.0.0.1:%d" % server.sockets[0].getsockname()[1]) as connection:
            await connection.send("hello")
            await connection.recv()
            common.say("started")
            return PlainTextResponse(await connection.recv())


async def ping(request):
    return PlainTextResponse("pong\n")


app = Starlette(routes=[Route("/" + view.__name__, view) for view in (fetch, timed, stream, drip, shake, hear, ping)])

if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    PORT = listener.getsockname()[1]
    common.say("listening", port=PORT)
    uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", loop="uvloop")).run(sockets=[listener])
