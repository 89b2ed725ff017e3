"""An aiohttp handler computes on the loop that serves all requests."""
import asyncio

from aiohttp import web

import common


def spell(text):
    while True:
        text = text[1:] + text[:1]  # <- guilty


async def spell_view(request):
    common.computes(spell)
    return web.Response(text=spell("abc" * 2000))


async def ping(request):
    return web.Response(text="pong\n")


async def background():
    while True:
        await asyncio.sleep(0.05)


async def main():
    app = web.Application()
    app.router.add_get("/spell", spell_view)
    app.router.add_get("/ping", ping)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    task = asyncio.create_task(background())
    common.say("listening", port=site._server.sockets[0].getsockname()[1])
    await task


if __name__ == "__main__":
    asyncio.run(main())
