"""aiohttp: a handler awaits an asyncio.Event that a worker thread sets directly."""
import asyncio
import threading

from aiohttp import web

import common

READY = {}


def work():
    assert READY["go"].wait(20) and common.until_asleep(threading.main_thread().native_id)  # awake, the loop would see it
    READY["event"].set()
    common.waiting("event set")
    threading.Event().wait()


async def start(request):
    READY["event"] = asyncio.Event()
    READY["go"] = threading.Event()
    threading.Thread(target=work, name="worker", daemon=True).start()
    asyncio.get_running_loop().call_later(0.05, READY["go"].set)
    common.suspended()
    await READY["event"].wait()  # <- guilty
    return web.Response(text="ready\n")


if __name__ == "__main__":
    common.serve_aiohttp({"/start": start})
