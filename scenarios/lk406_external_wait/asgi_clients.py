"""Starlette on uvicorn: requests ask a peer that never answers, from threads and from coroutines; others with a timeout."""
import asyncio
import logging
import socket
import subprocess
import sys
import urllib.request

import aiohttp
import anyio
import anyio.to_thread
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import common

URL = "http://%s:%d/" % common.upstream()
ECHO = """
import socket, time
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
while data := connection.recv(100):
    time.sleep(0.01)
    connection.sendall(data)
"""
LISTENERS = []


def ask_in_thread():
    common.stuck("thread")
    return urllib.request.urlopen(URL).read()  # <- thread


def thread(request):
    return PlainTextResponse(ask_in_thread())


async def executor(request):
    return PlainTextResponse(await asyncio.get_running_loop().run_in_executor(None, ask_in_thread))


async def client(request):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
        common.suspended("client")
        async with session.get(URL) as answer:  # <- client
            return PlainTextResponse(await answer.text())


async def ask(marker="stream"):
    stream = await anyio.connect_tcp(*common.upstream())
    await stream.send(b"quote\n")
    common.suspended(marker)
    return await stream.receive()  # <- stream


async def stream(request):
    return PlainTextResponse(await ask())


async def group(request):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
    return PlainTextResponse("asked\n")


async def total(request):
    common.say("started")
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=600)) as session, session.get(URL) as answer:
        return PlainTextResponse(await answer.text())


async def between_bytes(request):
    common.say("started")
    timeout = aiohttp.ClientTimeout(total=None, sock_read=600)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(URL) as answer:
        return PlainTextResponse(await answer.text())


async def quietly_ask():
    stream = await anyio.connect_tcp(*common.upstream())
    await stream.send(b"quote\n")
    common.say("started")
    return await stream.receive()


async def scope(request):
    with anyio.fail_after(600):
        return PlainTextResponse(await quietly_ask())


async def either(request):
    """Whichever comes first; the event may come at any time."""
    tasks = [asyncio.create_task(quietly_ask()), asyncio.create_task(asyncio.Event().wait())]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    return PlainTextResponse("first\n")


async def many(request):
    """Asks again and again, and is answered each time."""
    peer = subprocess.Popen([sys.executable, "-c", ECHO], stdout=subprocess.PIPE, text=True)
    stream = await anyio.connect_tcp("127.0.0.1", int(peer.stdout.readline()))
    common.say("started")
    for number in range(1_000_000):
        await stream.send(b"%d\n" % number)
        await stream.receive()
    return PlainTextResponse("asked\n")


async def listen(request):
    """What listens in the background serves nobody."""
    LISTENERS.append(asyncio.create_task(quietly_ask()))
    return PlainTextResponse("listens\n")


async def filter(request):
    """Writes all before it reads; the filter stops at a full pipe of its own."""
    program = await asyncio.create_subprocess_exec("cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    common.suspended("filter")
    for _ in range(4000):
        program.stdin.write(bytes(1000))
        await program.stdin.drain()  # <- filter
    program.stdin.close()
    return PlainTextResponse("%d\n" % len(await program.stdout.read()))


async def poll(request):
    """Waits for the client, until it goes."""
    common.say("started")
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return PlainTextResponse("gone\n")


async def ping(request):
    return PlainTextResponse("pong\n")


app = Starlette(routes=[Route("/" + view.__name__, view) for view in (
    thread, executor, client, stream, group, total, between_bytes, scope, either, many, listen, filter, poll, ping)])


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    common.say("listening", port=listener.getsockname()[1])
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])
