"""aiohttp: a coroutine hands work to a thread, which waits for an event that nobody sets (/scan), or that another view sets (/wait)."""
import asyncio
import threading

from aiohttp import web

import common

OPENED = threading.Event()


def scan():
    done = threading.Event()
    common.stuck()
    done.wait()  # <- guilty


def wait_until_open():
    common.waiting()
    OPENED.wait()


def hand_over(work):
    async def view(request):
        await asyncio.get_running_loop().run_in_executor(None, work)
        return web.Response(text="done\n")
    return view


async def open_up(request):
    OPENED.set()
    return web.Response(text="open\n")


if __name__ == "__main__":
    common.serve_aiohttp({"/scan": hand_over(scan), "/wait": hand_over(wait_until_open), "/open": open_up})
