"""Requests on uvloop that read from a plain socket by the loop's own methods, or wait for whoever connects."""
import asyncio
import socket

import uvloop
from aiohttp import web

import common


async def connected():
    s = socket.socket()
    s.setblocking(False)
    await asyncio.get_running_loop().sock_connect(s, common.upstream())
    return s


async def rate(request):
    s = await connected()
    common.suspended("guilty-rate")
    answer = await asyncio.get_running_loop().sock_recv(s, 100)  # <- guilty-rate
    return web.Response(body=answer)


async def rate_in_time(request):
    s = await connected()
    common.suspended("in-time")
    async with asyncio.timeout(3600):
        answer = await asyncio.get_running_loop().sock_recv(s, 100)  # <- in-time
    return web.Response(body=answer)


async def callback(request):
    """Whoever connects comes when he likes."""
    s = socket.create_server(("127.0.0.1", 0))
    s.setblocking(False)
    common.suspended("callback")
    await asyncio.get_running_loop().sock_accept(s)  # <- callback
    return web.Response(text="called back\n")


if __name__ == "__main__":
    uvloop.install()
    common.serve_aiohttp({"/rate": rate, "/rate_in_time": rate_in_time, "/callback": callback})
