"""An answer or a refusal: whichever of the two futures is done first cancels the other; a request waits for one of them. Beside it
tasks whose own end cancels, or completes, what they wait for."""
import asyncio
from functools import partial

from aiohttp import web

import common

HELD = []


def call_off(other, done):
    other.cancel()


async def until(closed):
    await closed


async def close(closed):
    await asyncio.wait([closed, asyncio.ensure_future(asyncio.sleep(600))], return_when=asyncio.FIRST_COMPLETED)


def listen(loop, wait, cancels):
    closed = loop.create_future()
    task = loop.create_task(wait(closed))
    if cancels:
        task.add_done_callback(partial(call_off, closed))
    else:
        task.add_done_callback(lambda _: closed.done() or closed.set_result(None))
    HELD.extend((closed, task))


async def ask(request):
    loop = asyncio.get_running_loop()
    answer, refusal = loop.create_future(), loop.create_future()
    answer.add_done_callback(partial(call_off, refusal))
    refusal.add_done_callback(partial(call_off, answer))
    HELD.append(answer)
    if request.query.get("later"):
        loop.call_later(0.02, answer.set_result, "yes\n")
    else:
        listen(loop, until, True)
        listen(loop, until, False)
        listen(loop, close, True)
        common.say("asked")
    return web.Response(text=await answer)


if __name__ == "__main__":
    common.serve_aiohttp({"/ask": ask})
